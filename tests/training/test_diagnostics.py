"""What is recorded of a training, against closed forms and loops; and that looking changes nothing."""

import math
from itertools import islice

import pytest
import torch

from helpers.encoder import Bert, BertConfig
from helpers.pretraining import BertForPreTraining, pretrain, pretraining_batches, pretraining_loss
from helpers.training.diagnostics import (
    Recorder,
    evenness,
    gradient_norms,
    layer_states,
    matrices,
    similarity,
    update_ratios,
)
from helpers.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer

TOKENIZER = WordPieceTokenizer([*SPECIAL_TOKENS, *"abcdefghijklmno"])
DOCUMENTS = [[[5, 6, 7], [8, 9], [10, 11, 12, 13]], [[14, 15, 16, 17], [18, 19, 5], [7, 9, 11]]]


def make(layers=2, dropout=0.0):
    torch.manual_seed(0)
    config = BertConfig(len(TOKENIZER.vocabulary), 12, layers, 3, 48, 12, dropout=dropout, init_std=None)
    return BertForPreTraining(Bert(config))


def batches(number=4, seed=0):
    return list(islice(pretraining_batches(DOCUMENTS, TOKENIZER, 3, seed), number))


# Tokens of a row, alike or not


def test_similarity_is_the_mean_over_all_pairs():
    hidden = torch.randn(3, 5, 4, generator=torch.Generator().manual_seed(0))
    visible = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 0, 0, 0, 0]]).bool()
    means = []
    for row, number in zip(hidden, (5, 3), strict=False):
        pairs = [(i, j) for i in range(number) for j in range(number) if i != j]
        means.append(
            sum(torch.cosine_similarity(row[i], row[j], dim=0).item() for i, j in pairs) / len(pairs)
        )
    assert similarity(hidden, visible) == pytest.approx(sum(means) / 2, abs=1e-6)


def test_similarity_of_tokens_alike_and_at_right_angles():
    visible = torch.ones(2, 4).bool()
    alike = (
        torch.randn(2, 1, 4, generator=torch.Generator().manual_seed(0))
        * torch.tensor([1.0, 2, 3, 4])[:, None]
    )
    assert similarity(alike, visible) == pytest.approx(1)
    assert similarity(torch.eye(4).expand(2, 4, 4) * 7, visible) == pytest.approx(0)
    with pytest.raises(ValueError, match="no row has two visible tokens"):
        similarity(alike, torch.tensor([[1, 0, 0, 0]] * 2).bool())


def test_evenness_of_even_halved_and_single_attention():
    visible = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]]).bool()
    even = (visible / visible.sum(dim=1, keepdim=True))[:, None, None, :].expand(2, 3, 4, 4)
    assert evenness(even, visible) == pytest.approx(1)
    assert evenness(torch.eye(4).expand(2, 3, 4, 4), visible) == pytest.approx(0)
    halved = torch.tensor([0.5, 0.5, 0, 0]).expand(1, 3, 4, 4)
    assert evenness(halved, visible[:1]) == pytest.approx(math.log(2) / math.log(4))
    with pytest.raises(ValueError, match="no row has two visible tokens"):
        evenness(even, torch.zeros(2, 4).bool())


# One look at the layers


def test_it_is_seen_what_each_block_adds():
    model, batch = make().eval(), batches()[0]
    bert, visible = model.bert, batch["attention_mask"].bool()
    states = layer_states(bert, batch)
    with torch.no_grad():
        hidden = bert.embeddings(batch["ids"], batch["type_ids"])
        for layer, state in zip(bert.layers, states, strict=True):
            attended, probabilities = layer.attention(hidden, visible[:, None, None, :], True)
            middle = layer.attention_norm(hidden + attended)
            added = layer.feed_forward(middle)
            for block, stood, share in (
                (attended, hidden, state.attention_share),
                (added, middle, state.feed_forward_share),
            ):
                ratios = [
                    (block[i, j].norm() / stood[i, j].norm()).item() for i, j in visible.nonzero().tolist()
                ]
                assert share == pytest.approx(sum(ratios) / len(ratios), rel=1e-5)
            hidden = layer.feed_forward_norm(middle + added)
            assert state.similarity == pytest.approx(similarity(hidden, visible), rel=1e-5)
            assert state.evenness == pytest.approx(evenness(probabilities, visible), rel=1e-5)
            assert state.rms == pytest.approx(1, rel=1e-3)  # LayerNorm as it begins


def test_a_block_that_adds_nothing_has_the_share_zero():
    model = make()
    with torch.no_grad():
        model.bert.layers[1].attention.output.weight.zero_()
        model.bert.layers[0].feed_forward_norm.weight.mul_(3)
    states = layer_states(model.bert, batches()[0])
    assert states[1].attention_share == 0 < states[0].attention_share
    assert states[0].rms == pytest.approx(3, rel=1e-3)


# Gradients and updates


def test_gradient_norms_are_those_of_a_backward_pass_and_leave_grad_alone():
    model, batch = make(), batches()[0]
    norms = gradient_norms(model, batch)
    assert all(weight.grad is None for weight in model.parameters())
    pretraining_loss(model, batch).token_loss.backward()
    for name, weight in matrices(model).items():
        expected = 0 if weight.grad is None else weight.grad.norm().item()
        assert norms[name] == pytest.approx(expected, rel=1e-5)
    assert norms["next_sentence.weight"] == 0 < norms["bert.embeddings.token.weight"]


def test_where_all_tokens_are_alike_queries_and_keys_have_no_gradient():
    """Attention hands on the same average whatever the scores are (Noci et al. 2022)."""
    model, batch = make(), batches()[0]
    alike = {"ids": torch.full_like(batch["ids"], 4), "attention_mask": torch.ones_like(batch["ids"])}
    batch |= alike | {"type_ids": torch.zeros_like(batch["ids"])}
    with torch.no_grad():
        table = model.bert.embeddings.position.weight
        table.copy_(table[0].clone().expand_as(table))
    norms = gradient_norms(model, batch)
    for layer in range(2):
        blocks = f"bert.layers.{layer}.attention."
        assert max(norms[f"{blocks}query.weight"], norms[f"{blocks}key.weight"]) < 1e-6
        assert norms[f"{blocks}value.weight"] > 1e-2
    for state in layer_states(model.bert, batch):
        assert state.similarity > 1 - 1e-6 and state.evenness > 1 - 1e-6


def test_update_ratios():
    model = make()
    before = {name: weight.detach().clone() for name, weight in matrices(model).items()}
    assert "transform.weight" in before and not any("norm" in name or "bias" in name for name in before)
    with torch.no_grad():
        model.transform.weight.mul_(1.01)
    ratios = update_ratios(before, model)
    assert ratios.pop("transform.weight") == pytest.approx(0.01, rel=1e-4) and set(ratios.values()) == {0}
    with pytest.raises(ValueError, match="the model has no matrix nonsense"):
        update_ratios({"nonsense": torch.ones(1, 1)}, model)


# While training


def test_a_recorder_sees_its_steps_and_changes_nothing():
    finals, seen = [], {}
    for recorded in (True, False):
        model = make(dropout=0.1)
        recorder = Recorder(model, batches(seed=1)[0], [1, 4])
        copies = {0: {name: weight.detach().clone() for name, weight in matrices(model).items()}}

        def on_step(step, losses, model=model, recorder=recorder, copies=copies, recorded=recorded):
            if recorded:
                recorder(step, losses)
            copies[step] = {name: weight.detach().clone() for name, weight in matrices(model).items()}

        torch.manual_seed(1)  # dropout
        pretrain(model, batches(6), 5, 1e-2, on_step)
        finals.append(model.state_dict())
        seen[recorded] = recorder, copies
    for name, weight in finals[0].items():
        assert torch.equal(weight, finals[1][name]), name
    recorder, copies = seen[True]
    assert recorder.seen == [1, 4] and len(recorder.layers) == len(recorder.gradients) == 2
    for step, ratios in zip(recorder.seen, recorder.updates, strict=True):
        for name, old in copies[step - 1].items():
            moved = (copies[step][name] - old).norm() / old.norm()
            assert ratios[name] == pytest.approx(moved.item(), rel=1e-5)
    assert seen[False][0].seen == []
    with pytest.raises(ValueError, match="a step must be"):
        Recorder(make(), batches()[0], [0, 3])
