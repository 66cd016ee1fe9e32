"""Self-attention: every token takes a weighted average of what all visible tokens offer.

Left out: cross-attention, causal masks and key-value caches, which an encoder does not need.
"""

import math

import torch
from torch import nn
from torch.nn import functional

__all__ = ["scaled_dot_product_attention", "split_heads", "join_heads", "MultiHeadSelfAttention"]


def scaled_dot_product_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None = None,
    dropout: float = 0.0,
) -> tuple[torch.Tensor, torch.Tensor]:
    """softmax(query keyᵀ / √D) value, and the probabilities (Vaswani et al. 2017, section 3.2.1).

    query (..., T, D), key and value (..., N, D) -> context (..., T, D) and probabilities (..., T, N).
    mask: boolean, broadcast to (..., T, N); False hides a key. `dropout`: share of probabilities dropped
    before they meet the values; the probabilities returned are those before dropout.
    """
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])  # (..., T, N)
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    probabilities = scores.softmax(dim=-1)
    dropped = functional.dropout(probabilities, dropout)  # always on: the caller gives 0.0 in evaluation
    return dropped @ value, probabilities


def split_heads(hidden: torch.Tensor, num_heads: int) -> torch.Tensor:
    """(B, T, H) -> (B, A, T, D): each head gets its own D = H / A of a token's H numbers."""
    parts = hidden.unflatten(2, (num_heads, -1))  # (B, T, A, D)
    return parts.transpose(1, 2)  # (B, A, T, D)


def join_heads(heads: torch.Tensor) -> torch.Tensor:
    """(B, A, T, D) -> (B, T, H): the way back from `split_heads`."""
    parts = heads.transpose(1, 2)  # (B, T, A, D)
    return parts.flatten(2)  # (B, T, H)


class MultiHeadSelfAttention(nn.Module):
    """A heads side by side, and a linear layer that mixes them (Vaswani et al. 2017, section 3.2.2).

    hidden (B, T, H), mask boolean and broadcast to (B, A, T, T), False hides a key
    -> (B, T, H), and the probabilities (B, A, T, T) if asked for, otherwise None. Raises ValueError for a
    mask that is not boolean.
    """

    def __init__(self, hidden_size: int, num_heads: int, dropout: float = 0.1):
        super().__init__()
        if num_heads < 1 or hidden_size % num_heads:
            raise ValueError(f"hidden_size {hidden_size} can't be shared out evenly among {num_heads} heads")
        self.num_heads, self.dropout = num_heads, dropout
        self.query = nn.Linear(hidden_size, hidden_size)
        self.key = nn.Linear(hidden_size, hidden_size)
        self.value = nn.Linear(hidden_size, hidden_size)
        self.output = nn.Linear(hidden_size, hidden_size)

    def forward(
        self, hidden: torch.Tensor, mask: torch.Tensor | None = None, return_probabilities: bool = False
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        if mask is not None and mask.dtype != torch.bool:
            raise ValueError(f"mask must be boolean, True = visible, not {mask.dtype}: give mask.bool()")
        query, key, value = (
            split_heads(linear(hidden), self.num_heads) for linear in (self.query, self.key, self.value)
        )  # each (B, A, T, D)
        dropout = self.dropout if self.training else 0.0
        if return_probabilities:
            context, probabilities = scaled_dot_product_attention(query, key, value, mask, dropout)
        else:  # in evaluation: the same result from PyTorch's fused function
            context = functional.scaled_dot_product_attention(query, key, value, mask, dropout)
            probabilities = None
        return self.output(join_heads(context)), probabilities
