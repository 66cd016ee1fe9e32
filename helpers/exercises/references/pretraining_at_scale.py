"""Taught in notebook 17 and not used again."""

import re

import torch

__all__ = [
    "losses_to_average", "offsets_bias", "operations_per_token", "packed_by_hand", "rise_hold_fall",
    "runs_of_words",
]  # fmt: skip


def runs_of_words(passage: str, length_of_run: int) -> set[tuple[str, ...]]:
    """All runs of so many words in a passage, in small letters and without punctuation."""
    in_order = re.findall(r"\w+", passage.lower())
    return {tuple(in_order[k : k + length_of_run]) for k in range(len(in_order) - length_of_run + 1)}


def packed_by_hand(texts, cutter, row_length: int) -> list[list[int]]:
    """All texts in one line of ids, [SEP] after each, cut into pieces; [CLS] and [SEP] around every piece."""
    opening, closing = cutter.id_of["[CLS]"], cutter.id_of["[SEP]"]
    stream = [index for text in texts for index in (*cutter.encode(text).ids[1:-1], closing)]
    room = row_length - 2
    pieces = [stream[at : at + room] for at in range(0, len(stream), room)]
    return [[opening, *piece, closing] for piece in pieces if len(piece) == room]  # what is left over goes


def rise_hold_fall(step: int, steps: int, warm_up_steps: int, decay: float) -> float:
    """The share of the learning rate in step 1, 2, …, steps: it rises, holds, and falls in the last share."""
    rising = step / warm_up_steps
    falling = (steps + 1 - step) / (decay * steps)
    return min(1.0, rising, falling)


def offsets_bias(num_heads: int, length: int) -> torch.Tensor:
    """-4 |j - i - o| for query i and key j, (A, T, T); the heads have o = -1, 1, -2, 2, -3, …"""
    heads, places = torch.arange(num_heads), torch.arange(length)
    offsets = (heads // 2 + 1) * (2 * (heads % 2) - 1)
    return -4.0 * (places - places[:, None] - offsets[:, None, None]).abs()


def losses_to_average(token_losses: list[torch.Tensor]) -> list[torch.Tensor]:
    """What each process returns, so that their average is the mean over the hidden tokens of all."""
    count = sum(len(losses) for losses in token_losses)
    return [len(token_losses) * losses.sum() / count for losses in token_losses]


def operations_per_token(
    layers: int, hidden: int, inner: int, entries: int, length: int, predicted: float
) -> float:
    """Floating-point operations of training on one token of a row; `predicted`: the share that is guessed."""
    linear = layers * (4 * hidden**2 + 2 * hidden * inner)
    attention = layers * 2 * length * hidden
    head = predicted * (hidden**2 + hidden * entries)
    return 6 * (linear + attention + head)
