"""The callback that keeps the latest good checkpoint, in runs that go wrong."""

import math
import random
from itertools import islice

import pytest
import torch

from helpers import checkpoints
from helpers.encoder import Bert, BertConfig
from helpers.pretraining import BertForPreTraining, mean_losses, pretrain, pretraining_batches
from helpers.training.callbacks import keep_latest
from helpers.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer

LETTERS = "abcdefghij"


@pytest.fixture
def tokenizer():
    return WordPieceTokenizer([*SPECIAL_TOKENS, *LETTERS])


@pytest.fixture
def model():
    torch.manual_seed(0)
    shape = {"hidden_size": 16, "num_layers": 1, "num_heads": 2, "intermediate_size": 32, "max_positions": 16}
    return BertForPreTraining(Bert(BertConfig(5 + len(LETTERS), **shape, init_std=None)))


def batches(tokenizer, seed):
    dice = random.Random(seed)
    documents = [[[dice.randrange(5, 15) for _ in range(5)] for _ in range(6)] for _ in range(4)]
    return pretraining_batches(documents, tokenizer, 4, seed)


def test_weights_that_explode_are_never_kept(model, tokenizer, tmp_path):
    folder = tmp_path / "model"
    save = keep_latest(folder, model, tokenizer, every=1)

    def explode_at_three(step, losses):
        if step == 3:  # finite weights whose loss will not be
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.mul_(1e30)
        save(step, losses)

    with pytest.raises(FloatingPointError, match="step 4"):
        pretrain(model, batches(tokenizer, 0), 10, on_step=explode_at_three)
    loaded, _ = checkpoints.load(folder)
    assert math.isfinite(mean_losses(loaded, list(islice(batches(tokenizer, 1), 2))).token_loss)


def test_a_learning_rate_far_too_high_leaves_nothing_bad_behind(model, tokenizer, tmp_path):
    folder = tmp_path / "model"
    save = keep_latest(folder, model, tokenizer, every=1)
    with pytest.raises(FloatingPointError, match="step"):
        pretrain(model, batches(tokenizer, 0), 50, learning_rate=1e30, on_step=save)
    if folder.exists():
        loaded, _ = checkpoints.load(folder)
        assert math.isfinite(mean_losses(loaded, list(islice(batches(tokenizer, 1), 2))).token_loss)


def test_every_nth_step_is_kept(model, tokenizer, tmp_path):
    kept = {}
    save = keep_latest(tmp_path / "model", model, tokenizer, every=3)

    def save_and_note(step, losses):
        save(step, losses)
        kept[step] = {name: tensor.clone() for name, tensor in model.state_dict().items()}

    pretrain(model, batches(tokenizer, 0), 8, on_step=save_and_note)
    loaded, _ = checkpoints.load(tmp_path / "model")
    assert all(torch.equal(kept[6][name], tensor) for name, tensor in loaded.state_dict().items())
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
