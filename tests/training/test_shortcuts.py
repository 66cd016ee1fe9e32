"""The shortcuts give what the taught model gives: logits and gradients."""

import pytest
import torch
from torch.nn import functional

from helpers.encoder import Bert, BertConfig
from helpers.pretraining import BertForPreTraining
from helpers.training.shortcuts import masked_token_logits


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("padded", [False, True])
def test_masked_token_logits(layers, padded):
    torch.manual_seed(0)
    config = BertConfig(50, 16, layers, 2, 32, max_positions=20, dropout=0.0, init_std=None)
    model = BertForPreTraining(Bert(config)).double()
    ids, type_ids = torch.randint(5, 50, (6, 20)), torch.randint(2, (6, 20))
    mask = (torch.arange(20) < torch.tensor([20, 3, 11, 20, 7, 1])[:, None]).long() if padded else None
    positions = torch.rand(6, 20) < 0.3
    positions[3] = False  # a row without any
    if padded:
        positions &= mask.bool()
    results = []
    for logits in (
        model(ids, type_ids, mask, positions).token_logits,
        masked_token_logits(model, ids, positions, type_ids, mask),
    ):
        loss = functional.cross_entropy(logits, ids[positions])
        used = [
            weight for name, weight in model.named_parameters() if "pooler" not in name and "next" not in name
        ]
        results.append([logits, *torch.autograd.grad(loss, used)])
    for taught, short in zip(*results, strict=True):
        torch.testing.assert_close(short, taught, rtol=1e-9, atol=1e-12)


def test_positions_are_boolean_and_one_for_each_token():
    torch.manual_seed(0)
    model = BertForPreTraining(Bert(BertConfig(50, 12, 1, 3, 20, 8)))
    ids = torch.randint(50, (2, 6))
    positions = ids % 2 == 0
    for wrong in (positions.long(), positions.float(), positions[:, :3], positions[0]):
        with pytest.raises(ValueError, match="positions must be boolean and of the shape of ids"):
            masked_token_logits(model, ids, wrong)
