"""A published bug of rotary positions, as it stands in the workshop of notebook 19."""

import torch

__all__ = ["wrong_turn_neighbors"]


def wrong_turn_neighbors(heads, angles):
    """Turn pairs of neighboring numbers, (0, 1), (2, 3), …: (B, A, T, D) and (T, D / 2) -> (B, A, T, D)."""
    twice = torch.cat([angles, angles], dim=-1)  # (T, D): an angle for each number
    first, second = heads[..., 0::2], heads[..., 1::2]
    crossed = torch.stack([-second, first], dim=-1).flatten(-2)
    return heads * twice.cos() + crossed * twice.sin()
