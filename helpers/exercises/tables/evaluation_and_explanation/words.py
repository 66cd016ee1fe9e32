"""Notebook 9: gradients along a path, and the two segments of a text with a gap."""

import numpy as np
import torch

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import evaluation_and_explanation as references

# 9.7 path_scores

PATH = '''
def my_path_scores(gradient, start, end, steps=200):
    """Integrated gradients: each token's score, (T,), on the straight path from `start` to `end`, (T, H).

    All are NumPy arrays. gradient(point), for a point (T, H) of the path, is the gradient of F there, (T, H).
    The integral is the mean of the gradients at `steps` points that lie evenly on the path.
    """
    ...
'''

A, B, C = np.array([1.0, -2.0]), np.array([0.5, 1.5]), np.array([0.8, -0.4])


def slopes(point):
    """Of F(x) = (a · x0) (b · x1) + sin(2 c · x2), for three tokens of two numbers each."""
    return np.stack([
        A * (B @ point[1]), B * (A @ point[0]), 2 * C * np.cos(2 * C @ point[2])
    ])  # fmt: skip


START = np.array([[0.5, 0.2], [-0.5, 1.0], [0.0, 0.5]])
END = np.array([[2.0, -1.0], [1.5, 2.0], [1.5, -1.0]])


def probe_path(scores):
    yield "three tokens", np.asarray(scores(slopes, START.copy(), END.copy()))
    yield "a start of zeros", np.asarray(scores(slopes, 0 * START, END.copy(), 400))


def points(start, end, steps):
    return [start + (number + 0.5) / steps * (end - start) for number in range(steps)]


def scores_with(
    gradient,
    start,
    end,
    steps=200,
    *,
    on=points,
    times=lambda start, end: end - start,
    join=None,
    each=lambda g: g,
    axis=1,
):
    """Scores with one thing done in another way."""
    slope = (join or (lambda g: sum(g) / len(g)))([each(gradient(point)) for point in on(start, end, steps)])
    product = times(start, end) * slope
    return product if axis is None else product.sum(axis=axis)


def changed(**options):
    return lambda *args, **kwargs: scores_with(*args, **kwargs, **options)


def three(parts):
    return parts["three tokens"]


PATH_MISTAKES = (
    Mistake(
        "multiplied twice",
        lambda g, start, end, steps=200: scores_with(g, start, end, steps, times=lambda a, b: (b - a) ** 2),
        "the scores are {yours}, expected {expected}: the way is multiplied in twice, so that its sign is lost",
    ),
    Mistake(
        "without sign at the end",
        lambda g, start, end, steps=200: np.abs(scores_with(g, start, end, steps)),
        "with a start of zeros the scores are {yours}, expected {expected}: the signs are gone. A word that speaks against the answer has a negative score, and without it the sum is not complete",
        show=lambda parts: parts["a start of zeros"],
    ),
    Mistake(
        "gradient at the end",
        changed(on=lambda start, end, steps: [end]),
        "the scores are {yours}, expected {expected}: you take the gradient at the text alone. What is it on the way there? "
        "(Once a word has decided the answer, the gradient at the end may be nearly 0)",
    ),
    Mistake(
        "gradient at the start",
        changed(on=lambda start, end, steps: [start]),
        "the scores are {yours}, expected {expected}: all gradients are taken at the start. The point has to move on with "
        "each step",
    ),
    Mistake(
        "gradient in the middle",
        changed(on=lambda start, end, steps: [(start + end) / 2]),
        "the scores are {yours}, expected {expected}: one gradient in the middle of the path. The mean is over many points",
    ),
    Mistake(
        "times the text",
        changed(times=lambda start, end: end),
        "with a start of zeros it is right, otherwise the scores are {yours}, expected {expected}: you multiply by the text "
        "itself. What counts is how far each number went",
    ),
    Mistake(
        "not multiplied",
        changed(times=lambda start, end: 1.0),
        "the scores are {yours}, expected {expected}: those are mean slopes. A slope becomes a change of F when it is "
        "multiplied by the way",
    ),
    Mistake(
        "added up",
        changed(join=sum),
        "the scores are {yours}, expected {expected}: the gradients are added up, so more steps would give more. An "
        "integral from 0 to 1 is a mean",
    ),
    Mistake(
        "from the end to the start",
        changed(times=lambda start, end: start - end),
        "the scores are {yours}, expected {expected}: the signs are turned, as if the text were taken away instead of "
        "written",
    ),
    Mistake(
        "absolute values",
        changed(each=np.abs),
        "the scores are {yours}, expected {expected}: the sign of the gradients is dropped, and with it what speaks against "
        "the answer",
    ),
    Mistake(
        "from zeros",
        changed(on=lambda start, end, steps: [(n + 0.5) / steps * end for n in range(steps)]),
        "with a start of zeros it is right, otherwise the scores are {yours}, expected {expected}: your points lie between "
        "zero and the text, not between the start and the text",
    ),
    Mistake(
        "mean over H",
        lambda *args, **kwargs: scores_with(*args, **kwargs) / 2,
        "the scores are {yours}, expected {expected}: half as large, for you take the mean over the H = 2 numbers of a "
        "token. The dot product in the formula adds them up",
    ),
    Mistake(
        "summed over the tokens",
        changed(axis=0),
        "The sum runs over the tokens, and it should run over the H numbers of each token",
    ),
    Mistake(
        "not summed",
        changed(axis=None),
        "The dot product in the formula adds up the H numbers of a token, so that each token has one score",
    ),
    Mistake(
        "number of the step for its share",
        changed(on=lambda start, end, steps: [start + number * (end - start) for number in range(steps)]),
        "the scores are {yours}, expected {expected}: your points run far beyond the text. A point is a share between 0 and 1 "
        "of the way; what is the share after so many of all steps?",
    ),
    Mistake(
        "on from the end",
        changed(on=lambda start, end, steps: [end + n / steps * (end - start) for n in range(steps)]),
        "the scores are {yours}, expected {expected}: your path begins at the text and goes on beyond it. It should end there",
    ),
    Mistake(
        "start and a share of the text",
        changed(on=lambda start, end, steps: [start + n / steps * end for n in range(steps)]),
        "the scores are {yours}, expected {expected}: at the end of your path lies start + text, not the text. The share is "
        "of the way between the two",
    ),
    Mistake(
        "length of the vector",
        lambda *args, **kwargs: np.linalg.norm(scores_with(*args, **kwargs, axis=None), axis=1),
        "the scores are {yours}, expected {expected}: you take the length of each token's vector, which has no sign. The dot "
        "product in the formula adds the products up",
    ),
)

# 9.8 segments_of

SEGMENTS = '''
def my_segments_of(ids, sep_id):
    """ids (B, T) -> segments (B, T), whole numbers: 0 up to a text's first [SEP], itself included, then 1."""
    ...
'''

IDS = torch.tensor(
    [[2, 7, 3, 8, 9, 3, 0, 0], [2, 5, 6, 7, 3, 8, 4, 3], [2, 3, 8, 6, 3, 0, 0, 0]]
)  # [SEP] is 3


def probe_segments(segments_of):
    yield "three texts", segments_of(IDS, 3)
    yield "another [SEP]", segments_of(torch.tensor([[9, 8, 1, 5, 1]]), 1)


def passed(ids, sep_id):
    """How many [SEP]s came before each token."""
    ends = (ids == sep_id).long()
    return ends.cumsum(dim=1) - ends


def by_the_first_text(ids, sep_id):
    first = ids[0].tolist().index(sep_id)
    return (torch.arange(ids.shape[1]) > first).long().expand(ids.shape)


def after_the_last(ids, sep_id):
    ends = (ids == sep_id).long()
    left = ends.flip(1).cumsum(dim=1).flip(1)
    return (left - ends == 0).long() * (ends == 0).long()


def second_text(parts):
    return parts["three texts"][1]


SEGMENTS_MISTAKES = (
    Mistake(
        "[SEP] in the second segment",
        lambda ids, sep_id: (ids == sep_id).long().cumsum(dim=1).clamp(max=1),
        "the second text gets {yours}, expected {expected}: its [SEP] has a 1 already. It closes the first segment; count "
        "the [SEP]s that came *before* a token",
    ),
    Mistake(
        "not limited",
        passed,
        "the first text gets {yours}, expected {expected}: after its last [SEP] you count 2. There are two segments, 0 and 1",
        show=lambda parts: parts["three texts"][0],
    ),
    Mistake(
        "along the batch",
        lambda ids, sep_id: ((ids == sep_id).long().cumsum(dim=0) - (ids == sep_id).long()).clamp(max=1),
        "the second text gets {yours}, expected {expected}: you count down the batch, so one text's [SEP] counts for the "
        "next. Along which dimension do the tokens of a text lie?",
    ),
    Mistake(
        "the first text's place for all",
        by_the_first_text,
        "the second text gets {yours}, expected {expected}: the place of the first text's [SEP] is used for all. Each text "
        "has its own",
    ),
    Mistake(
        "after the last [SEP]",
        after_the_last,
        "the first text gets {yours}, expected {expected}: you begin after the last [SEP]. The second segment begins after "
        "the first",
        show=lambda parts: parts["three texts"][0],
    ),
    Mistake(
        "turned round",
        lambda ids, sep_id: 1 - passed(ids, sep_id).clamp(max=1),
        "the second text gets {yours}, expected {expected}: the segments are exchanged",
    ),
    Mistake(
        "[SEP] alone",
        lambda ids, sep_id: (ids == sep_id).long(),
        "the second text gets {yours}, expected {expected}: you mark the [SEP]s themselves. What follows them has to be "
        "marked; what adds up along a text?",
    ),
    Mistake(
        "even and odd",
        lambda ids, sep_id: passed(ids, sep_id) % 2,
        "the first text gets {yours}, expected {expected}: after its second [SEP] the segments begin again with 0. Once "
        "past the first [SEP], a token stays in segment 1",
        show=lambda parts: parts["three texts"][0],
    ),
    Mistake(
        "truth values",
        lambda ids, sep_id: passed(ids, sep_id) > 0,
        "The model wants whole numbers: `.long()` makes 0 and 1 of False and True",
    ),
    Mistake(
        "3 for every tokenizer",
        lambda ids, sep_id: passed(ids, 3).clamp(max=1),
        "right where [SEP] has the number 3; with another tokenizer a text gets {yours}, expected {expected}: `sep_id` is "
        "not used",
        show=lambda parts: parts["another [SEP]"][0],
    ),
    Mistake(
        "[SEP]s counted",
        lambda ids, sep_id: (ids == sep_id).long().cumsum(dim=1),
        "the first text gets {yours}, expected {expected}: you count the [SEP]s, each in its own place. It closes the segment "
        "before it, and there are only two",
        show=lambda parts: parts["three texts"][0],
    ),
)

EXERCISES = (
    Exercise(
        id="9.7",
        name="path_scores",
        reference=references.path_scores,
        stub=PATH,
        probe=probe_path,
        hints=(
            "A point of the path is the start plus a share of the way to the end. Which shares lie evenly between 0 and 1?",
            "Mean of the gradients at all points, times the whole way, then the sum over the H numbers of each token.",
            "`(number + 0.5) / steps` for number from 0 to steps - 1 are the middles of the steps; `.sum(axis=1)` adds up "
            "within each token.",
        ),
        mistakes=PATH_MISTAKES,
        notice="the scores add up to F(end) - F(start), and for that no word had to be deleted: the path is made of texts "
        "that nobody could write",
        difficulty=2,
        minutes=12,
        tolerance=0.02,
        show=three,
        variants=(
            changed(on=lambda start, end, steps: [start + n / steps * (end - start) for n in range(steps)]),
            changed(
                on=lambda start, end, steps: [start + s * (end - start) for s in np.linspace(0, 1, steps)]
            ),
        ),
    ),
    Exercise(
        id="9.8",
        name="segments_of",
        reference=references.segments_of,
        stub=SEGMENTS,
        probe=probe_segments,
        hints=(
            "`(ids == sep_id)` marks the [SEP]s. How would you count, for each token, how many of them came before it?",
            "`cumsum(dim=1)` adds up along each text, the token itself included; take the token's own mark away again. "
            "`clamp(max=1)` limits it.",
        ),
        mistakes=SEGMENTS_MISTAKES,
        notice="there is no loop over texts: a count that adds up along the tokens finds every text's own first [SEP] at "
        "once",
        difficulty=1,
        minutes=6,
        show=second_text,
        variants=(
            lambda ids, sep_id: (passed(ids, sep_id) > 0).long(),
            lambda ids, sep_id: torch.tensor(
                [[int(sep_id in row[:place]) for place in range(len(row))] for row in ids.tolist()]
            ),
        ),
    ),
)
