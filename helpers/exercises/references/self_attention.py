"""Taught in notebook 4 and not used again; at the end, three published bugs, repaired."""

import math

import torch
from torch.nn import functional

from helpers.attention import join_heads, scaled_dot_product_attention, split_heads

__all__ = [
    "stable_softmax",
    "plain_self_attention",
    "attention_with_loops",
    "key_mask",
    "head_contributions",
    "share_at_distance",
    "attend_in_one_batch",
    "attend_from_ids",
    "attend_fast",
]


def stable_softmax(scores: torch.Tensor) -> torch.Tensor:
    """Weights from scores (..., N), along the last dimension: positive, and each row sums to 1."""
    exponentials = (scores - scores.amax(dim=-1, keepdim=True)).exp()
    return exponentials / exponentials.sum(dim=-1, keepdim=True)


def plain_self_attention(tokens: torch.Tensor) -> torch.Tensor:
    """Each token (T, H) becomes an average of all tokens, weighted by its similarity to them: (T, H)."""
    scores = tokens @ tokens.T  # (T, H) @ (H, T) -> (T, T)
    return stable_softmax(scores) @ tokens  # (T, T) @ (T, H) -> (T, H)


def attention_with_loops(query, key, value):
    """Attention, one number at a time: (T, D), (N, D), (N, D) -> context (T, D), probabilities (T, N).

    T tokens look, N tokens are looked at; in self-attention they are the same tokens.
    """
    (T, D), N = query.shape, len(key)
    contexts, probabilities = torch.zeros(T, value.shape[1]), torch.zeros(T, N)
    for i in range(T):
        scores = [sum(query[i, d] * key[j, d] for d in range(D)) / math.sqrt(D) for j in range(N)]
        largest = max(scores)
        exponentials = [math.exp(score - largest) for score in scores]
        for j in range(N):
            probabilities[i, j] = exponentials[j] / sum(exponentials)
            for d in range(value.shape[1]):
                contexts[i, d] += probabilities[i, j] * value[j, d]
    return contexts, probabilities


def key_mask(attention_mask):
    """From (B, T), 1 for real tokens and 0 for padding, to booleans (B, 1, T): the same for every query."""
    return attention_mask.bool()[:, None, :]


def head_contributions(context: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """What each head adds: context (B, A, T, D), weight (H, H) of the output layer -> (A, B, T, H)."""
    blocks = weight.split(context.shape[3], dim=1)  # A blocks of D columns, each (H, D)
    return torch.stack([context[:, head] @ block.T for head, block in enumerate(blocks)])


def share_at_distance(probabilities: torch.Tensor, distance: int) -> torch.Tensor:
    """What tokens give, on average, to the token `distance` places after them: (..., T, T) -> (...)."""
    return probabilities.diagonal(distance, dim1=-2, dim2=-1).mean(dim=-1)


def attend_in_one_batch(module, hidden, attention_mask):
    """Attention with all heads of all texts in one dimension: (B, T, H), (B, T) -> (B, T, H)."""
    A = module.num_heads

    def folded(layer):  # (A · B, T, D): head 0 of all texts, then head 1 of all texts, ...
        return split_heads(layer(hidden), A).transpose(0, 1).flatten(0, 1)

    query, key, value = folded(module.query), folded(module.key), folded(module.value)
    mask = attention_mask.bool().repeat(A, 1)[:, None, :]  # (A · B, 1, T): all texts, A times
    context, _ = scaled_dot_product_attention(query, key, value, mask)
    heads = context.unflatten(0, (A, -1)).transpose(0, 1)  # (B, A, T, D)
    return module.output(join_heads(heads))


def attend_from_ids(embeddings, attention, ids):
    """Ids (B, T), 0 for padding -> the result of self-attention (B, T, H)."""
    places = torch.arange(ids.shape[1])
    visible = ids != 0  # (B, T)
    hidden = embeddings.token(ids) + embeddings.position(places)  # (B, T, H)
    return attention(hidden, visible[:, None, None, :])[0]


def attend_fast(module, hidden, mask=None):
    """Attention by PyTorch's fused function: (B, T, H) -> (B, T, H)."""
    layers = (module.query, module.key, module.value)
    query, key, value = (split_heads(layer(hidden), module.num_heads) for layer in layers)
    dropout = module.dropout if module.training else 0.0
    context = functional.scaled_dot_product_attention(query, key, value, mask, dropout)
    return module.output(join_heads(context))
