"""The learning rate and the optimizer of the long run."""

import pytest
import torch

from helpers.encoder import Bert, BertConfig
from helpers.pretraining import BertForPreTraining
from helpers.training.optimizer import OPTIMIZERS, Both, learning_rate_share, make_optimizer
from helpers.training.settings import arguments
from helpers.training.state import load_latest, save_state

needs_muon = pytest.mark.skipif("muon" not in OPTIMIZERS, reason="PyTorch before 2.9 has no Muon")


def test_the_learning_rate_rises_holds_and_falls_to_zero():
    settings = arguments(["--out=x", "--steps=100", "--warm-up-steps=10", "--decay=0.2"])
    shares = [learning_rate_share(step, settings) for step in range(1, 101)]
    assert shares[:10] == pytest.approx([number / 10 for number in range(1, 11)])
    assert shares[9:81] == [1.0] * 72
    assert shares[80:] == pytest.approx([number / 20 for number in range(20, 0, -1)])
    longer = arguments(["--out=x", "--steps=1000", "--warm-up-steps=10", "--decay=0.2"])
    assert [learning_rate_share(step, longer) for step in range(1, 81)] == shares[:80]


def make_model(seed=0):
    torch.manual_seed(seed)
    return BertForPreTraining(Bert(BertConfig(30, 16, 2, 2, 32, 12, dropout=0.0, init_std=None)))


def steps(model, optimizer, count, first=0):
    """So many updates, each from its own random batch."""
    for number in range(first, first + count):
        torch.manual_seed(number)
        model(torch.randint(5, 30, (4, 12))).token_logits.square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()


def settings_of(name):
    return arguments(["--out=x", f"--optimizer={name}", "--learning-rate=0.01", "--embedding-rate=2"])


@needs_muon
def test_muon_takes_the_matrices_of_the_layers_and_adamw_the_rest():
    model = make_model()
    both = make_optimizer(settings_of("muon"), model)
    adamw, muon = both.optimizers
    matrices = {id(w) for w in model.bert.layers.parameters() if w.dim() == 2}
    assert len(matrices) == 2 * 6
    assert {id(w) for group in muon.param_groups for w in group["params"]} == matrices
    rest = [id(w) for group in adamw.param_groups for w in group["params"]]
    assert len(rest) == len(set(rest)) and set(rest) | matrices == {id(w) for w in model.parameters()}
    assert all("peak" in group for group in both.param_groups)


@needs_muon
@pytest.mark.parametrize("loaded", [False, True])
def test_two_optimizers_as_one_step_as_each_alone(loaded):
    one, two = make_model(), make_model()
    both = make_optimizer(settings_of("muon"), one)
    if loaded:  # as accelerate does
        both.load_state_dict(both.state_dict())
    alone = make_optimizer(settings_of("muon"), two).optimizers
    for optimizer in alone:
        optimizer.state = type(optimizer.state)(dict)  # one of its own
    for group in both.param_groups:
        group["lr"] = 0.003  # reaches both
    for group in (group for optimizer in alone for group in optimizer.param_groups):
        group["lr"] = 0.003
    for number in range(3):
        steps(one, both, 1, number)
        torch.manual_seed(number)
        two(torch.randint(5, 30, (4, 12))).token_logits.square().mean().backward()
        for optimizer in alone:
            optimizer.step()
            optimizer.zero_grad()
    for name, weight in one.named_parameters():
        assert torch.equal(weight, dict(two.named_parameters())[name]), name


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_goes_on_from_the_disk(name, tmp_path):
    whole, broken, again = make_model(), make_model(), make_model(1)
    optimizer = make_optimizer(settings_of(name), broken)
    assert isinstance(optimizer, Both) == (name == "muon")
    steps(whole, make_optimizer(settings_of(name), whole), 6)
    steps(broken, optimizer, 3)
    save_state(tmp_path, 3, broken, optimizer)
    resumed = make_optimizer(settings_of(name), again)
    assert load_latest(tmp_path, again, resumed)["step"] == 3
    steps(again, resumed, 3, 3)
    for key, weight in whole.state_dict().items():
        assert torch.equal(weight, again.state_dict()[key]), key
