"""Work that pretraining can leave out because the loss does not depend on it.

Support code: the results are those of the taught model, only sooner. Left out: sentence pairs, whose head
reads the first token, which is not computed here.
"""

import torch
from torch.nn import functional

from helpers.attention import join_heads, split_heads
from helpers.encoder import check_inputs
from helpers.pretraining import BertForPreTraining

__all__ = ["masked_token_logits", "places_of", "take", "token_scores"]


def places_of(positions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The chosen places of every row in order, (B, N); rows with fewer than N get others, marked False."""
    most = int(positions.sum(dim=1).max())
    places = positions.long().topk(most, dim=1).indices.sort(dim=1).values
    return places, positions.gather(1, places)


def take(hidden: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """The vectors at the places (B, N) of each row: (B, T, H) -> (B, N, H)."""
    rows = torch.arange(len(hidden), device=hidden.device)[:, None] * hidden.shape[1]
    # index_select, not indexing: its gradient is the same however many threads add it up
    return hidden.flatten(0, 1).index_select(0, (rows + places).flatten()).unflatten(0, places.shape)


def token_scores(model: BertForPreTraining, hidden: torch.Tensor) -> torch.Tensor:
    """The token head alone: (M, H) -> (M, V)."""
    hidden = model.norm(functional.gelu(model.transform(hidden)))
    return functional.linear(hidden, model.bert.embeddings.token.weight, model.token_bias)


def masked_token_logits(
    model: BertForPreTraining,
    ids: torch.Tensor,
    positions: torch.Tensor,
    type_ids: torch.Tensor | None = None,
    attention_mask: torch.Tensor | None = None,
) -> torch.Tensor:
    """`model(…, positions=positions).token_logits`, (M, V), with the last layer computed only where needed.

    There only the chosen positions ask a query and pass through the feed-forward block; keys and values come
    from all tokens. Every row gets as many places as the row with the most chosen positions needs.
    ValueError for positions that are not boolean and of the shape of ids, and as `check_inputs`.
    """
    if positions.dtype != torch.bool or positions.shape != ids.shape:
        raise ValueError(
            f"positions must be boolean and of the shape of ids, {tuple(ids.shape)}, not {positions.dtype} "
            f"of shape {tuple(positions.shape)}: of 0 and 1, give positions.bool()"
        )
    bert = model.bert
    check_inputs(ids, type_ids, attention_mask, bert.config)
    mask = None if attention_mask is None else attention_mask.bool()[:, None, None, :]
    hidden = bert.embeddings(ids, type_ids)  # (B, T, H)
    for layer in bert.layers[:-1]:
        hidden, _ = layer(hidden, mask)
    layer = bert.layers[-1]
    places, chosen = places_of(positions)  # (B, N)
    asking = take(hidden, places)
    attention = layer.attention
    query, key, value = (
        split_heads(linear(tokens), attention.num_heads)
        for linear, tokens in (
            (attention.query, asking),
            (attention.key, hidden),
            (attention.value, hidden),
        )
    )
    dropout = attention.dropout if attention.training else 0.0
    context = functional.scaled_dot_product_attention(query, key, value, mask, dropout)  # (B, A, N, D)
    asking, context = asking[chosen], join_heads(context)[chosen]  # (M, H)
    asking = layer.attention_norm(asking + layer.dropout(attention.output(context)))
    asking = layer.feed_forward_norm(asking + layer.dropout(layer.feed_forward(asking)))
    return token_scores(model, asking)
