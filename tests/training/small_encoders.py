"""A model whose weights are all random, and a batch with gaps, padding and a row without any gap."""

from collections.abc import Callable

import torch
from torch import nn

from helpers.pretraining import BertForPreTraining


def with_random_weights(encoder: Callable[[], nn.Module], seed: int = 0) -> BertForPreTraining:
    """A new encoder under its heads, all weights moved, those of LayerNorm and biases, too; dropout off."""
    torch.manual_seed(seed)
    model = BertForPreTraining(encoder())
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.1 * torch.randn_like(weight))
    return model.eval()


def make_batch(length: int, padded: bool = True) -> tuple[torch.Tensor, ...]:
    """ids, type_ids, mask (None without padding) and hidden positions of four texts, each (4, length)."""
    torch.manual_seed(1)
    ids, type_ids = torch.randint(5, 50, (4, length)), torch.randint(2, (4, length))
    mask = (torch.arange(length) < torch.tensor([length, 5, 11, length])[:, None]).long() if padded else None
    positions = torch.rand(4, length) < 0.3
    positions[3] = False
    return ids, type_ids, mask, positions & mask.bool() if padded else positions
