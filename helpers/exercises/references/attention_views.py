"""Taught in notebook 10 and not used again."""

import numpy as np
import torch

__all__ = [
    "rows_looking_most_at",
    "places_of_words",
    "mean_entropy",
    "shares_handed_on",
    "switch_off",
    "roll_out",
    "even_weights",
    "shuffled_weights",
]


def rows_looking_most_at(weights, place):
    """The rows of a head's table (T, T) whose largest weight is in the column `place`: a list of numbers."""
    return np.flatnonzero(weights.argmax(axis=1) == place).tolist()


def places_of_words(tokens):
    """{place: (T, T) boolean}: which token (column) stands in that place for which word (row)."""
    names, own = np.array(tokens), np.eye(len(tokens), dtype=bool)
    word = ~np.isin(names, ("[CLS]", "[SEP]", "[PAD]"))
    both = word[:, None] & word
    return {
        "previous": np.eye(len(names), k=-1, dtype=bool) & both,
        "next": np.eye(len(names), k=1, dtype=bool) & both,
        "same word": (names[:, None] == names) & ~own & both,
        "[SEP]": word[:, None] & (names == "[SEP]"),
        "[CLS]": word[:, None] & (names == "[CLS]"),
        "itself": own & both,
    }


def mean_entropy(weights):
    """The mean entropy, in nats, of the rows of a head's table (T, T), without the first and the last row."""
    rows = weights[1:-1]
    logs = np.log(np.where(rows > 0, rows, 1.0))  # a weight of 0 adds nothing
    return float(-(rows * logs).sum(axis=1).mean())


def shares_handed_on(weights, values, mixing):
    """(A, T, T): the share of token j in the lengths of what a head hands on to token i.

    weights: (A, T, T). values: (A, T, D). mixing: the output layer's weight (H, A · D). The length of one
    part is that of the weight times the value, sent through the head's columns (Kobayashi et al. 2020).
    """
    columns = mixing.unflatten(1, (len(values), -1))  # (H, A, D)
    sent = torch.einsum("atd,had->ath", values, columns)  # (A, T, H)
    handed = weights * sent.norm(dim=-1)[:, None, :]  # (A, T, T)
    return handed / handed.sum(dim=-1, keepdim=True)


def switch_off(attention, head):
    """From now on nothing that this head finds is handed on; `remove()` of the result ends that."""
    size = attention.output.in_features // attention.num_heads  # D

    def silence(layer, inputs):
        (context,) = inputs  # (B, T, A · D)
        context = context.clone()
        context[..., head * size : (head + 1) * size] = 0
        return (context,)

    return attention.output.register_forward_pre_hook(silence)


def roll_out(weights):
    """Attention rollout (Abnar and Zuidema 2020, section 3): (L, T, T), means over heads -> (L, T, T)."""
    mixed = 0.5 * weights + 0.5 * np.eye(weights.shape[-1])
    reached = [mixed[0]]
    for step in mixed[1:]:
        reached.append(step @ reached[-1])
    return np.stack(reached)


def even_weights(weights, visible):
    """The same weight for all visible tokens: (B, A, T, T), from weights of that shape and (B, 1, 1, T)."""
    return torch.ones_like(weights) * visible / visible.sum(dim=-1, keepdim=True)


def shuffled_weights(weights, visible):
    """The weights of each row, in another order; what is padding stays at the end."""
    seeded = torch.Generator().manual_seed(0)
    lots = torch.rand(weights.shape, generator=seeded).masked_fill(~visible, 2.0)
    return weights.gather(-1, lots.argsort(dim=-1))
