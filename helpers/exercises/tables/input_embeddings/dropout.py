"""Dropout by hand."""

import torch
from torch.nn import functional

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import input_embeddings as references

DROPOUT = '''
def my_dropout_by_hand(values, p):
    """Zero each number with probability p and scale the others by 1 / (1 - p)."""
    ...
'''


def probe_dropout(dropout):
    nines = torch.full((100, 200), 9.0)
    result = dropout(nines.clone(), 0.2)
    yield "what nines become", sorted({round(x, 3) for x in result.unique().tolist()})
    yield "share of zeros", round((result == 0).float().mean().item(), 1)
    yield "all rows have their zeros at the same places", bool((result == result[0]).all())
    yield "all columns have their zeros at the same places", bool((result == result[:, :1]).all())
    yield "a second call drops the same numbers", bool((dropout(nines.clone(), 0.2) == result).all())
    grid = torch.arange(1.0, 7.0).view(2, 3)
    quarter = torch.cat([dropout(grid.clone(), 0.75) / grid for _ in range(20)])
    yield "factors for p = 0.75", sorted({round(x, 3) for x in quarter.unique().tolist()})
    yield "p = 0", dropout(grid, 0.0)


def _dropout(values, p, *, draw=None, factor=None):
    keep = torch.rand_like(values) >= p if draw is None else draw(values, p)
    return values * keep * (1 / (1 - p) if factor is None else factor(p))


def dropping(**options):
    return lambda values, p: _dropout(values, p, **options)


def dropout_with_a_seed(values, p):
    torch.manual_seed(0)
    return _dropout(values, p)


def dropout_by_bernoulli(values, p):
    return values * torch.full_like(values, 1 - p).bernoulli() / (1 - p)


def nines(parts):
    return parts["what nines become"]


def dropout_of_the_first(values, p):
    flat = values.flatten().clone()
    flat[: int(p * flat.numel())] = 0
    return flat.view_as(values) / (1 - p)


DROPOUT_MISTAKES = (
    Mistake(
        "not scaled",
        dropping(factor=lambda p: 1.0),
        "with p = 0.2 nines become {yours}, expected {expected}: a fifth is gone, and nothing makes up for it. What "
        "must the others be, so that the mean stays 9?",
    ),
    Mistake(
        "multiplied by 1 - p",
        dropping(factor=lambda p: 1 - p),
        "with p = 0.2 nines become {yours}, expected {expected}: a fifth is gone, and the others were made smaller as "
        "well",
    ),
    Mistake(
        "scaled by 1 / p",
        dropping(factor=lambda p: 1 / torch.tensor(p)),
        "with p = 0.2 nines become {yours}, expected {expected}: the factor is 1 / p. Which share is left, p or 1 - p?",
    ),
    Mistake(
        "p is kept",
        dropping(draw=lambda v, p: torch.rand_like(v) < p, factor=lambda p: 1 / torch.tensor(p)),
        "with p = 0.2 the share of zeros is {yours}, expected {expected}: you take p for the share that is kept",
        show=lambda parts: parts["share of zeros"],
    ),
    Mistake(
        "the wrong side dropped",
        dropping(draw=lambda v, p: torch.rand_like(v) < p),
        "the factor is right, but with p = 0.2 the share of zeros is {yours}, expected {expected}: a number drawn "
        "evenly between 0 and 1 lies below p with probability p. On which side do you keep?",
        show=lambda parts: parts["share of zeros"],
    ),
    Mistake(
        "normal instead of even numbers",
        dropping(draw=lambda v, p: torch.randn_like(v) >= p),
        "with p = 0.2 the share of zeros is {yours}, expected {expected}: the numbers that you draw don't lie evenly "
        "between 0 and 1. `rand` and `randn` differ by a letter",
        show=lambda parts: parts["share of zeros"],
    ),
    Mistake(
        "one draw for all rows",
        dropping(draw=lambda v, p: torch.rand(v.shape[-1]) >= p),
        "every row of the result has its zeros at the same places: all tokens lose the same numbers. Draw anew for "
        "each number",
    ),
    Mistake(
        "whole rows",
        dropping(draw=lambda v, p: torch.rand(v.shape[0], 1) >= p),
        "a row is dropped whole or not at all: some tokens lose everything. Draw anew for each number",
    ),
    Mistake(
        "the same draw at every call",
        dropout_with_a_seed,
        "a second call drops the same numbers: a seed inside the function makes every step of training alike",
    ),
    Mistake(
        "nothing dropped",
        lambda values, p: values * (1 - p),
        "with p = 0.2 nines become {yours}, expected {expected}: no number is dropped; all of them become smaller",
    ),
    Mistake(
        "one draw for everything",
        dropping(draw=lambda v, p: torch.rand(()) >= p),
        "with p = 0.2 nines become {yours}, expected {expected}: there is a single draw, so all numbers go or all stay. "
        "Each number needs its own",
    ),
    Mistake(
        "divided by p - 1",
        dropping(factor=lambda p: 1 / (p - 1)),
        "with p = 0.2 nines become {yours}, expected {expected}: they have turned negative. Is it p - 1 or 1 - p?",
    ),
    Mistake(
        "divided by 1 + p",
        dropping(factor=lambda p: 1 / (1 + p)),
        "with p = 0.2 nines become {yours}, expected {expected}: a fifth is gone, and the others became smaller. Which share "
        "of the numbers is left, 1 + p or 1 - p?",
    ),
    Mistake(
        "p added",
        dropping(factor=lambda p: 1 + p),
        "with p = 0.2 nines become {yours}, expected {expected}: a fifth more is not enough to make up for a fifth of all. "
        "0.8 times which factor is 1?",
    ),
    Mistake(
        "the first ones, without chance",
        dropout_of_the_first,
        "the share is right, but it is always the first numbers that are dropped. Chance decides, for each number by itself",
    ),
)

EXERCISE = Exercise(
    id="3.8",
    name="dropout_by_hand",
    reference=references.dropout_by_hand,
    stub=DROPOUT,
    probe=probe_dropout,
    hints=(
        "Draw a number between 0 and 1 for each value, and compare it with p: with which probability is it below?",
        "`torch.rand_like(values) >= p` is True for the numbers to keep. Times True leaves a number as it is, times "
        "False makes it 0.",
    ),
    mistakes=DROPOUT_MISTAKES,
    notice="only the expected value of each number stays: a single vector may well come out longer or shorter",
    asks={
        "what nines become": "Each number becomes 0 or itself divided by 1 - p, and nothing else",
        "share of zeros": "Of all numbers, a share p becomes 0",
        "all rows have their zeros at the same places": "Each number is drawn by itself: rows should differ",
        "all columns have their zeros at the same places": "Each number is drawn by itself, by chance; here whole rows are kept or dropped",
        "a second call drops the same numbers": "Every call draws anew, by chance",
        "p = 0": "With p = 0 nothing changes",
    },
    difficulty=1,
    minutes=6,
    show=nines,
    variants=(
        functional.dropout,
        dropout_by_bernoulli,
        lambda values, p: torch.where(torch.rand(values.shape) < p, 0.0, values / (1 - p)),
    ),
)
