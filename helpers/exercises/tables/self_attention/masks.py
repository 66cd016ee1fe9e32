"""The mask of keys."""

import torch

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import self_attention as references

KEY_MASK = '''
def my_key_mask(attention_mask):
    """From (B, T), 1 for real tokens and 0 for padding, to booleans (B, 1, T).

    True where a key is visible, the same for every query of a text.
    """
    ...
'''


def probe_key_mask(key_mask):
    yield "two texts", _once(key_mask(torch.tensor([[1, 1, 1], [1, 1, 0]])))
    yield "three texts", _once(key_mask(torch.tensor([[1, 0, 0, 0], [1, 1, 1, 1], [1, 1, 0, 0]])))


def _once(mask):
    """(B, T, T) with the same row for every query is taken for (B, 1, T)."""
    if (
        isinstance(mask, torch.Tensor)
        and mask.ndim == 3
        and mask.shape[1] > 1
        and (mask == mask[:, :1]).all()
    ):
        return mask[:, :1]
    return mask


def second_text(parts):
    return parts["two texts"][1]


KEY_MASK_MISTAKES = (
    Mistake(
        "queries hidden",
        lambda mask: mask.bool()[:, :, None],
        "this hides rows of the table of probabilities, so padding doesn't look, but is looked at. The new dimension "
        "belongs where the queries are counted: before the keys",
    ),
    Mistake(
        "queries and keys hidden",
        lambda mask: mask.bool()[:, None, :] & mask.bool()[:, :, None],
        "you hide the rows of padding, too. A row in which nothing is visible has no weights: 0 / 0. Nobody reads these "
        "rows, so leave them",
    ),
    Mistake(
        "no new dimension",
        lambda mask: mask.bool(),
        "with (B, T) the texts would be taken for queries when the mask meets scores (B, T, T). Where is a dimension of "
        "one missing?",
    ),
    Mistake(
        "inverted",
        lambda mask: (mask == 0)[:, None, :],
        "the second text has two real tokens and gets {yours}, expected {expected}: you hide what is real. What does "
        "True mean here?",
    ),
    Mistake(
        "whole numbers",
        lambda mask: mask[:, None, :],
        "the places are right, but 1 and 0 are no booleans: `~` makes -2 and -1 of them, and nothing is hidden right",
    ),
    Mistake(
        "numbers to add",
        lambda mask: torch.zeros(mask.shape).masked_fill(mask == 0, float("-inf"))[:, None, :],
        "these are numbers that could be added to scores; the course's masks say True and False",
    ),
    Mistake(
        "one text's mask for all",
        lambda mask: mask[:1].bool()[:, None, :].expand(len(mask), 1, -1),
        "the second text has two real tokens and gets {yours}, expected {expected}: every text got the mask of the "
        "first",
    ),
    Mistake(
        "two new dimensions",
        lambda mask: mask.bool()[:, None, None, :],
        "that is the mask for several heads, (B, 1, 1, T), which comes further down; for scores (B, T, T) there is one "
        "dimension too many",
    ),
    Mistake(
        "the new dimension in front",
        lambda mask: mask.bool()[None],
        "the new dimension stands before the texts, so that the texts' masks would be taken for those of queries",
    ),
    Mistake(
        "everything visible",
        lambda mask: torch.ones_like(mask).bool()[:, None, :],
        "the second text has two real tokens and gets {yours}, expected {expected}: nothing is hidden",
    ),
    Mistake(
        "a mask of pairs added up",
        lambda mask: mask.bool()[:, None, :] | mask.bool()[:, :, None],
        "a place is visible here if the query or the key is real, so a real query still sees the padding. Only the key "
        "counts",
    ),
    Mistake(
        "floats",
        lambda mask: mask[:, None, :].float(),
        "the places are right, but these are the numbers 1.0 and 0.0: the mask says True and False",
    ),
)

EXERCISE = Exercise(
    id="4.5",
    name="key_mask",
    reference=references.key_mask,
    stub=KEY_MASK,
    probe=probe_key_mask,
    hints=(
        "Two steps: true and false from 1 and 0, and a dimension of one so that the row is used for every query.",
        "`[:, None]` puts a new dimension behind the first. The scores have the shape (B, T, T): queries, then keys.",
    ),
    mistakes=KEY_MASK_MISTAKES,
    notice="a dimension of one costs no memory: the row is read again for every query",
    difficulty=1,
    minutes=4,
    show=second_text,
    variants=(
        lambda mask: (mask == 1).unsqueeze(1),
        lambda mask: (mask > 0)[:, None, :].expand(-1, mask.shape[1], -1),
    ),
)
