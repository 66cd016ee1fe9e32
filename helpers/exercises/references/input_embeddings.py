"""Taught in notebook 3 and not used again."""

import torch
from torch import nn

__all__ = [
    "one_hot_vectors",
    "gradient_of_table",
    "cosine_table",
    "sinusoid_table",
    "cosine_by_distance",
    "sum_of_rows",
    "layer_norm_by_hand",
    "dropout_by_hand",
]


def one_hot_vectors(ids: torch.Tensor, num_entries: int) -> torch.Tensor:
    """ids (B, T) -> (B, T, V) floats: a 1 at the place of the id, 0 everywhere else."""
    return (ids[..., None] == torch.arange(num_entries)).float()


def gradient_of_table(ids: torch.Tensor, gradient: torch.Tensor, num_entries: int) -> torch.Tensor:
    """ids (B, T) and the gradient of their vectors (B, T, H) -> the gradient of the table (V, H)."""
    rows = one_hot_vectors(ids, num_entries).flatten(0, 1)  # (B · T, V)
    return rows.T @ gradient.flatten(0, 1)  # (V, B · T) @ (B · T, H) -> (V, H)


def cosine_table(rows: torch.Tensor) -> torch.Tensor:
    """The cosine of every row of (N, H) with every row: (N, N)."""
    unit = nn.functional.normalize(rows, dim=1)  # each row divided by its length
    return unit @ unit.T


def sinusoid_table(positions: int, hidden_size: int) -> torch.Tensor:
    """The fixed position table of Vaswani et al. 2017, section 3.5: (positions, H)."""
    place = torch.arange(positions)[:, None]  # (positions, 1)
    divisor = 10000 ** (torch.arange(0, hidden_size, 2) / hidden_size)  # (H / 2,)
    angles = place / divisor  # (positions, H / 2)
    return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)


def cosine_by_distance(table: torch.Tensor, largest: int) -> list[float]:
    """The mean cosine of all pairs of rows that are 0, 1, ... largest places apart."""
    cosines = cosine_table(table)  # (positions, positions)
    return [cosines.diagonal(distance).mean().item() for distance in range(largest + 1)]


def sum_of_rows(
    ids: torch.Tensor,
    type_ids: torch.Tensor,
    token_table: torch.Tensor,
    position_table: torch.Tensor,
    segment_table: torch.Tensor,
) -> torch.Tensor:
    """ids and type_ids (B, T) -> (B, T, H): the rows of token, position and segment, added."""
    positions = torch.arange(ids.shape[1])  # (T,)
    return token_table[ids] + position_table[positions] + segment_table[type_ids]


def layer_norm_by_hand(
    vectors: torch.Tensor, gain: torch.Tensor, bias: torch.Tensor, epsilon: float = 1e-12
) -> torch.Tensor:
    """Normalize the last dimension of (..., H), then scale and shift it by gain (H,) and bias (H,)."""
    mean = vectors.mean(dim=-1, keepdim=True)  # (..., 1)
    variance = ((vectors - mean) ** 2).mean(dim=-1, keepdim=True)  # (..., 1)
    return gain * (vectors - mean) / torch.sqrt(variance + epsilon) + bias


def dropout_by_hand(values: torch.Tensor, p: float) -> torch.Tensor:
    """Zero each number with probability p and scale the others by 1 / (1 - p)."""
    keep = torch.rand_like(values) >= p
    return values * keep / (1 - p)
