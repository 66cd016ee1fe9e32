"""Taught in notebook 19 and not used again: a published bug of rotary positions, repaired."""

import torch

__all__ = ["turn_neighbors"]


def turn_neighbors(heads, angles):
    """Turn pairs of neighboring numbers, (0, 1), (2, 3), …: (B, A, T, D) and (T, D / 2) -> (B, A, T, D)."""
    twice = angles.repeat_interleave(2, dim=-1)  # (T, D): both numbers of a pair have its angle
    first, second = heads[..., 0::2], heads[..., 1::2]
    crossed = torch.stack([-second, first], dim=-1).flatten(-2)
    return heads * twice.cos() + crossed * twice.sin()
