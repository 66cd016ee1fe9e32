"""Exercise 6.1. Where may be hidden, and how many of each text."""

import torch

from helpers import pretraining
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.tables.mlm_pretraining.small import (
    CLS,
    MASK,
    PAD,
    SEP,
    TOKENIZER,
    UNK,
    rows,
)

PLACES = '''
def my_places_to_mask(ids, tokenizer, rate):
    """ids (B, T) -> places (B, T), True where no special token stands, and how many to choose, (B, 1).

    Special tokens are all those in SPECIAL_TOKENS; tokenizer.id_of["[PAD]"] is the id of one. How many:
    `rate` times the tokens of that text that are not special, rounded, at least one; whole numbers.
    """
    ...
'''


def probe_places(places_to_mask):
    ids = rows([18, 11, 2], 25)
    ids[0, 4], ids[1, 3] = UNK, MASK  # 17, 10 and 2 words are left
    places, count = places_to_mask(ids, TOKENIZER, 0.15)
    yield "where tokens may be chosen", places
    yield "how many", count
    yield "how many at a rate of 0.2", places_to_mask(ids, TOKENIZER, 0.2)[1]


def _places(ids, tokenizer, rate, *, special=None, count=None, result=None):
    """The right program with one thing done in another way."""
    numbers = torch.tensor([tokenizer.id_of[t] for t in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")])
    hidden = special(ids) if special else torch.isin(ids, numbers)
    right = (rate * (~hidden).sum(dim=1, keepdim=True)).round().long().clamp(min=1)
    number = count(ids, ~hidden, rate) if count else right
    return result(~hidden, number) if result else (~hidden, number)


def places_variant(**changes):
    return lambda ids, tokenizer, rate: _places(ids, tokenizer, rate, **changes)


def how_many(parts):
    return parts["how many"].flatten()


def how_many_at_two_tenths(parts):
    return parts["how many at a rate of 0.2"].flatten()


def special_places(parts):
    return parts["where tokens may be chosen"][0, [0, 1, 4, 19, 24]]


PLACES_MISTAKES = (
    Mistake(
        "only padding is special",
        places_variant(special=lambda ids: ids == PAD),
        "at the places of [CLS], a word, [UNK], [SEP] and [PAD] you say {yours}, expected {expected}: padding is not "
        "the only special token. Which tokens could nobody guess anything from?",
        show=special_places,
    ),
    Mistake(
        "[CLS], [SEP] and padding alone are special",
        places_variant(special=lambda ids: torch.isin(ids, torch.tensor([PAD, CLS, SEP]))),
        "at the places of [CLS], a word, [UNK], [SEP] and [PAD] you say {yours}, expected {expected}: [UNK] and "
        "[MASK] stand in the list of special tokens, too; guessing “unknown” teaches nothing",
        show=special_places,
    ),
    Mistake(
        "padding may be chosen",
        places_variant(special=lambda ids: torch.isin(ids, torch.tensor([CLS, SEP, UNK, MASK]))),
        "at the places of [CLS], a word, [UNK], [SEP] and [PAD] you say {yours}, expected {expected}: padding fills "
        "the row up and is no text, and yet it may be chosen, and counts among the 15%",
        show=special_places,
    ),
    Mistake(
        "inverted",
        places_variant(result=lambda places, count: (~places, count)),
        "at the places of [CLS], a word, [UNK], [SEP] and [PAD] you say {yours}, expected {expected}: True should say "
        "that a token *may* be chosen",
        show=special_places,
    ),
    Mistake(
        "rate of the whole row",
        places_variant(
            count=lambda ids, places, rate: torch.full((len(ids), 1), rate * ids.shape[1]).round().long()
        ),
        "the places are right, but to choose are {yours} tokens, expected {expected}: you take the rate of all T = 25 "
        "places of a row, padding included. A short text would be hidden nearly whole",
        show=how_many,
    ),
    Mistake(
        "specials counted, padding not",
        places_variant(
            count=lambda ids, places, rate: (
                (rate * (ids != PAD).sum(1, keepdim=True)).round().long().clamp(min=1)
            )
        ),
        "the places are right, but at a rate of 0.2 to choose are {yours} tokens, expected {expected}: the rate is taken "
        "of all tokens but padding, so [CLS] and [SEP] count. Of which tokens is a share to be hidden?",
        show=how_many_at_two_tenths,
    ),
    Mistake(
        "cut off instead of rounded",
        places_variant(
            count=lambda ids, places, rate: (rate * places.sum(1, keepdim=True)).long().clamp(min=1)
        ),
        "the places are right, but to choose are {yours} tokens, expected {expected}: what stands behind the point is "
        "cut off. Is 2.55 nearer to 2 or to 3? (10 × 0.15 = 1.5 is a tie, and `round` goes to the even number.)",
        show=how_many,
    ),
    Mistake(
        "always up",
        places_variant(
            count=lambda ids, places, rate: (rate * places.sum(1, keepdim=True)).ceil().long().clamp(min=1)
        ),
        "right at a rate of 0.15, but at 0.2 to choose are {yours} tokens, expected {expected}: you go up to the next whole "
        "number, and so hide more than was asked",
        show=how_many_at_two_tenths,
    ),
    Mistake(
        "none in a short text",
        places_variant(count=lambda ids, places, rate: (rate * places.sum(1, keepdim=True)).round().long()),
        "the places are right, but to choose are {yours} tokens, expected {expected}: of a text of two words you choose "
        "none, and a text with no question teaches nothing",
        show=how_many,
    ),
    Mistake(
        "one number for the batch",
        places_variant(
            count=lambda ids, places, rate: (rate * places.sum()).round().long().expand(len(ids), 1).clone()
        ),
        "the places are right, but to choose are {yours} tokens, expected {expected}: you add up the tokens of the whole "
        "batch. Each text has a number of its own: along which dimension do you add?",
        show=how_many,
    ),
)


EXERCISE = Exercise(
    id="6.1",
    name="places_to_mask",
    reference=pretraining.places_to_mask,
    stub=PLACES,
    probe=probe_places,
    hints=(
        "Two results: a table of True and False, and a column of numbers. The second is counted from the first.",
        "`torch.isin(ids, tensor)` is True where an id stands in a list; True counts as 1 when you add up.",
        "`places.sum(dim=1, keepdim=True)` counts each text and keeps the shape (B, 1); then `round`, `long`, and "
        "`clamp(min=1)`.",
    ),
    mistakes=PLACES_MISTAKES,
    notice="a text of two words gets one question all the same, half of it: the rate is a wish, and the smallest "
    "number is 1",
    difficulty=1,
    minutes=8,
    show=how_many,
    variants=(
        places_variant(special=lambda ids: (ids >= 5) & (ids < 10)),
        lambda ids, tokenizer, rate: (
            (places := ~torch.isin(ids, torch.tensor([PAD, UNK, CLS, SEP, MASK]))),
            torch.tensor([[max(1, round(rate * int(row.sum())))] for row in places]),
        ),
    ),
)
