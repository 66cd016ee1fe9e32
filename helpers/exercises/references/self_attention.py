"""Taught in notebook 4 and not used again."""

import torch

__all__ = ["stable_softmax"]


def stable_softmax(scores: torch.Tensor) -> torch.Tensor:
    """Weights from scores (..., N), along the last dimension: positive, and each row sums to 1."""
    exponentials = (scores - scores.amax(dim=-1, keepdim=True)).exp()
    return exponentials / exponentials.sum(dim=-1, keepdim=True)
