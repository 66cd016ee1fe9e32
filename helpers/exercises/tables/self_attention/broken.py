"""Three published bugs, each planted in a small program: the stubs of 4.b1, 4.b2 and 4.b3."""

import torch
from torch.nn import functional

from helpers.attention import join_heads, scaled_dot_product_attention, split_heads

__all__ = ["my_attend_in_one_batch", "my_attend_from_ids", "my_attend_fast"]


def my_attend_in_one_batch(module, hidden, attention_mask):
    """Attention with all heads of all texts in one dimension: (B, T, H), (B, T) -> (B, T, H)."""
    A = module.num_heads

    def folded(layer):  # (A · B, T, D)
        return split_heads(layer(hidden), A).transpose(0, 1).flatten(0, 1)

    query, key, value = folded(module.query), folded(module.key), folded(module.value)
    mask = attention_mask.bool().repeat_interleave(A, dim=0)[:, None, :]  # (A · B, 1, T)
    context, _ = scaled_dot_product_attention(query, key, value, mask)
    heads = context.unflatten(0, (A, -1)).transpose(0, 1)  # (B, A, T, D)
    return module.output(join_heads(heads))


def my_attend_from_ids(embeddings, attention, ids):
    """Ids (B, T), 0 for padding -> the result of self-attention (B, T, H)."""
    places = torch.arange(ids.shape[1])
    hidden = embeddings.token(ids) + embeddings.position(places)  # (B, T, H)
    visible = hidden.sum(dim=-1).abs() > 0  # (B, T): the row of [PAD] in the token table is zero
    return attention(hidden, visible[:, None, None, :])[0]


def my_attend_fast(module, hidden, mask=None):
    """Attention by PyTorch's fused function: (B, T, H) -> (B, T, H)."""
    layers = (module.query, module.key, module.value)
    query, key, value = (split_heads(layer(hidden), module.num_heads) for layer in layers)
    context = functional.scaled_dot_product_attention(query, key, value, mask, module.dropout)
    return module.output(join_heads(context))
