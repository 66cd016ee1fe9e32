"""Softmax that does not overflow."""

import torch

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import self_attention as references

SOFTMAX = '''
def my_stable_softmax(scores):
    """Scores (..., N) -> weights (..., N): positive, and each row, along the last dimension, sums to 1.

    A score of 1000 must not overflow, and one of -inf gives exactly 0.
    """
    ...
'''


def probe_softmax(softmax):
    yield "one row", softmax(torch.tensor([1.0, 3.0, 2.5]))
    table = torch.tensor([[0.0, 1.0, 3.0], [2.0, -1.0, 0.5], [4.0, 0.0, 1.0]])
    yield "a table", softmax(table)
    yield "three tables", softmax(torch.stack([table, 2 * table, table.T]))
    yield "large scores", softmax(torch.tensor([[1000.0, 1001.0, 999.0], [0.0, 1.0, 300.0]]))
    yield "a hidden score", softmax(torch.tensor([[float("-inf"), 2.0, 1.0]]))


def softmax_without_keepdim(scores):
    shifted = (scores - scores.amax(dim=-1, keepdim=True)).exp()
    return shifted / shifted.sum(dim=-1)


def softmax_of_shifted_by_mean(scores):
    shifted = (scores - scores.mean(dim=-1, keepdim=True)).exp()
    return shifted / shifted.sum(dim=-1, keepdim=True)


def softmax_of_shifted_by_the_whole_table(scores):
    shifted = (scores - scores.max()).exp()
    return shifted / shifted.sum(dim=-1, keepdim=True)


def first_row(parts):
    return parts["one row"]


def second_row(parts):
    return parts["a table"][1]


def large_scores(parts):
    return parts["large scores"][0]


def exponentials_of_rows(scores):
    return (scores - scores.amax(dim=-1, keepdim=True)).exp()


SOFTMAX_MISTAKES = (
    Mistake(
        "overflow",
        lambda scores: scores.exp() / scores.exp().sum(dim=-1, keepdim=True),
        "the scores 1000, 1001, 999 give {yours}, expected {expected}: e to the power of 1000 is more than a "
        "float can hold. Which number can be taken from all scores of a row without changing the weights?",
        show=large_scores,
    ),
    Mistake(
        "over the first dimension",
        lambda scores: scores.softmax(dim=0),
        "each column sums to 1 instead of each row: the second row of the table is {yours}, expected {expected}. "
        "Along which dimension do you add up?",
        show=second_row,
    ),
    Mistake(
        "over the second dimension",
        lambda scores: scores.softmax(dim=min(1, scores.ndim - 1)),
        "right for one table, but for a stack of tables you add up along dimension 1, which is not the last one: "
        "{where} yours is {yours}, expected {expected}. Count the dimension from the end",
        show=False,
    ),
    Mistake(
        "over everything",
        lambda scores: (scores - scores.max()).exp() / (scores - scores.max()).exp().sum(),
        "all weights of the table together sum to 1: its second row is {yours}, expected {expected}. "
        "Each row is divided by a sum of its own",
        show=second_row,
    ),
    Mistake(
        "no division",
        lambda scores: (scores - scores.amax(dim=-1, keepdim=True)).exp(),
        "the weights {yours} are positive but don't sum to 1 (expected {expected}): what are they divided by?",
        show=first_row,
    ),
    Mistake(
        "no exponential",
        lambda scores: scores / scores.sum(dim=-1, keepdim=True),
        "the scores 1, 3, 2.5 give {yours}, expected {expected}: the scores themselves are divided by their sum, "
        "so a negative score would get a negative weight. What makes any number positive?",
        show=first_row,
    ),
    Mistake(
        "keepdim forgotten",
        softmax_without_keepdim,
        "the second row of the table is {yours}, expected {expected}: the sums have lost a dimension, so row i "
        "is divided not by its own sum, but column j by the sum of row j. How is that dimension kept?",
        show=second_row,
    ),
    Mistake(
        "shifted by the mean",
        softmax_of_shifted_by_mean,
        "right for small scores, but 0, 1, 300 give {yours}, expected {expected}: what you take away leaves an exponential "
        "that is still too large. "
        "Which number leaves nothing above 0 when it is taken away?",
        show=lambda parts: parts["large scores"][1],
    ),
    Mistake(
        "shifted by the largest of all rows",
        softmax_of_shifted_by_the_whole_table,
        "0, 1, 300 give {yours}, expected {expected}: you take away 1001, the largest score of another row, and "
        "every exponential of this row becomes 0. Each row needs its own largest score",
        show=lambda parts: parts["large scores"][1],
    ),
    Mistake(
        "logarithms",
        lambda scores: scores.log_softmax(dim=-1),
        "the scores 1, 3, 2.5 give {yours}, expected {expected}: these are the logarithms of the weights",
        show=first_row,
    ),
    Mistake(
        "keepdim forgotten, and overflow",
        lambda scores: scores.exp() / scores.exp().sum(dim=-1),
        "the second row of the table is {yours}, expected {expected}: the sums have lost a dimension, so column j is "
        "divided by the sum of row j. (And 1000 overflows: that comes next)",
        show=second_row,
    ),
    Mistake(
        "clamped",
        lambda scores: scores.clamp(max=50).softmax(dim=-1),
        "right for small scores, but 1000, 1001, 999 give {yours}, expected {expected}: cut to one size they can't be "
        "told apart any more. Only their differences count, so move them all by the same",
        show=large_scores,
    ),
    Mistake(
        "each score for itself",
        lambda scores: scores.sigmoid(),
        "the scores 1, 3, 2.5 give {yours}, expected {expected}: each is squeezed between 0 and 1 by itself, so they don't "
        "sum to 1",
        show=first_row,
    ),
    Mistake(
        "rows divided by the sum of the table",
        lambda scores: exponentials_of_rows(scores) / exponentials_of_rows(scores).sum(),
        "the second row of the table is {yours}, expected {expected}: you divide by one sum, that of the whole table. Each "
        "row has a sum of its own",
        show=second_row,
    ),
    Mistake(
        "rows divided by the sums of the columns",
        lambda scores: exponentials_of_rows(scores) / exponentials_of_rows(scores).sum(dim=0, keepdim=True),
        "the exponentials are right, but the second row of the table becomes {yours}, expected {expected}: you divide by the "
        "sums of the columns. Along which dimension does a row run?",
        show=second_row,
    ),
    Mistake(
        "the largest without its dimension",
        lambda scores: (e := (scores - scores.amax(dim=-1)).exp()) / e.sum(dim=-1, keepdim=True),
        "the second row of the table is {yours}, expected {expected}: the largest scores have lost a dimension, so each "
        "column, not each row, gets its own taken away. How is that dimension kept?",
        show=second_row,
    ),
    Mistake(
        "the largest of the columns",
        lambda scores: (e := (scores - scores.amax(dim=0, keepdim=True)).exp()) / e.sum(dim=-1, keepdim=True),
        "the second row of the table is {yours}, expected {expected}: from each column its largest is taken away. That "
        "changes the differences within a row, and the weights come from these",
        show=second_row,
    ),
    Mistake(
        "the largest taken the wrong way round",
        lambda scores: (e := (scores.amax(dim=-1, keepdim=True) - scores).exp()) / e.sum(dim=-1, keepdim=True),
        "the scores 1, 3, 2.5 give {yours}, expected {expected}: the smallest score gets the largest weight. What is taken "
        "away from what?",
        show=first_row,
    ),
    Mistake(
        "to the base 2",
        lambda scores: (e := 2 ** (scores - scores.amax(dim=-1, keepdim=True))) / e.sum(dim=-1, keepdim=True),
        "the scores 1, 3, 2.5 give {yours}, expected {expected}: these are powers of another number than e",
        show=first_row,
    ),
    Mistake(
        "divided by the largest",
        lambda scores: (scores / scores.amax(dim=-1, keepdim=True)).softmax(dim=-1),
        "the scores 1, 3, 2.5 give {yours}, expected {expected}: you divide by the largest score. That changes the differences, "
        "and the weights come from these: take it away instead",
        show=first_row,
    ),
    Mistake(
        "divided by the sum of exponentials twice",
        lambda scores: scores.softmax(dim=-1) / scores.shape[-1],
        "the weights {yours} sum to less than 1 (expected {expected}): you also divide by how many there are",
        show=first_row,
    ),
)

EXERCISE = Exercise(
    id="4.1",
    name="stable_softmax",
    reference=references.stable_softmax,
    stub=SOFTMAX,
    probe=probe_softmax,
    hints=(
        "The formula has two steps: exponentials, then a division by their sum. Which numbers belong to one sum?",
        "Taking the largest score of a row from all of its scores changes no weight, and then no exponential is "
        "larger than 1.",
        "`amax` and `sum` take `dim=-1` for the last dimension, and `keepdim=True` so that the result still lines "
        "up with the rows.",
    ),
    mistakes=SOFTMAX_MISTAKES,
    notice="adding 1000 to every score changes nothing: softmax sees only differences",
    asks={
        "one row": "e to the power of each score, divided by the sum of these",
        "a table": "Each row by itself: its own exponentials, its own sum",
        "three tables": "Only the last dimension counts, however many stand in front",
        "large scores": "Take from each row its largest score before the exponential: no weight changes",
        "a hidden score": "A score of -inf gets the weight 0, and the others share 1",
    },
    difficulty=1,
    minutes=8,
    show=first_row,
    variants=(lambda scores: torch.softmax(scores, -1), lambda scores: scores.log_softmax(-1).exp()),
)
