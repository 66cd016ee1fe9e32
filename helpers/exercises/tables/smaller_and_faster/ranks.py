"""Notebook 18: the rank of a time."""

import math

import numpy as np

from helpers import compression
from helpers.exercises.exercise import Exercise, Mistake

RANK = '''
def my_nearest_rank(values, share):
    """The smallest of the values that at least this share of them do not exceed.

    values: any numbers, in any order, not to be changed; share from 0 to 1. Of 40 values and share 0.95 it is
    the 38th smallest, of 0.5 the 20th; of share 0 the smallest.
    """
    ...
'''


def probe_rank(rank):
    values = [7.5, 1.0, 12.0, 3.0, 4.0, 2.5, 9.0, 8.0, 6.0, 5.0]
    for share in (0.5, 0.95, 0.81, 1.0, 0.0):
        yield f"share {share}", float(rank(list(values), share))
    yield "seven values, the median", float(rank([3.0, 30.0, 1.0, 4.0, 15.0, 9.0, 26.0], 0.5))


def clipped(place, values):
    return sorted(values)[min(max(place, 0), len(values) - 1)]


def ranked(values, share):
    return max(math.ceil(share * len(values)), 1)


RANK_MISTAKES = (
    Mistake(
        "share 0",
        lambda values, share: sorted(values)[math.ceil(share * len(values)) - 1],
        "all is right but share 0: you give {yours}, expected {expected}. 0 of the values is place -1, and in "
        "Python that is the last one",
        show=lambda parts: parts["share 0.0"],
    ),
    Mistake(
        "one too high, and past the end",
        lambda values, share: sorted(values)[math.ceil(share * len(values))],
        "of ten values the median is {yours}, expected {expected}, and with share 1 there is no such place at "
        "all: places count from 0. Where does the fifth of ten stand?",
    ),
    Mistake(
        "the share above",
        lambda values, share: sorted(values)[ranked(values, 1 - share) - 1],
        "the median is right, but with share 0.95 you give {yours}, expected {expected}: 95% of the values lie "
        "above it. Which side is asked for?",
        show=lambda parts: parts["share 0.95"],
    ),
    Mistake(
        "in percent",
        lambda values, share: sorted(values)[ranked(values, share / 100) - 1],
        "of ten values the median is {yours}, expected {expected}: you divide by 100. Is 0.5 the half or half a "
        "percent?",
    ),
    Mistake(
        "always the median",
        lambda values, share: sorted(values)[ranked(values, 0.5) - 1],
        "the median is right, but with share 0.95 you give {yours}, expected {expected}: what does `share` "
        "change?",
        show=lambda parts: parts["share 0.95"],
    ),
    Mistake(
        "the rank itself",
        lambda values, share: ranked(values, share),
        "the median is right by chance, but with share 0.95 you give {yours}, expected {expected}: that is a "
        "rank, the how manieth. Which value has it?",
        show=lambda parts: parts["share 0.95"],
    ),
    Mistake(
        "the largest",
        lambda values, share: max(values),
        "of ten values the median is {yours}, expected {expected}: that is the largest. What does `share` change?",
    ),
    Mistake(
        "one too high",
        lambda values, share: clipped(math.ceil(share * len(values)), values),
        "of ten values the median is {yours}, expected {expected}: one too high. The fifth smallest of ten stands at place "
        "4, since places count from 0",
    ),
    Mistake(
        "rounded down",
        lambda values, share: clipped(int(share * len(values)) - 1, values),
        "the median is right, but with share 0.95 you give {yours}, expected {expected}: nine of ten are 90%, and that is "
        "less than 95%. Round up",
        show=lambda parts: parts["share 0.95"],
    ),
    Mistake(
        "between two",
        lambda values, share: float(np.quantile(values, share)),
        "of ten values the median is {yours}, expected {expected}: a mean of two neighbors, a time that nothing took. "
        "Asked for is one of the values",
    ),
    Mistake(
        "not sorted",
        lambda values, share: list(values)[max(math.ceil(share * len(values)), 1) - 1],
        "of ten values the median is {yours}, expected {expected}: the fifth in the order in which they came",
    ),
    Mistake(
        "largest first",
        lambda values, share: sorted(values, reverse=True)[max(math.ceil(share * len(values)), 1) - 1],
        "of ten values the median is {yours}, expected {expected}: sorted from the largest down, so 0.95 would be nearly "
        "the fastest",
    ),
    Mistake(
        "the mean",
        lambda values, share: sum(values) / len(values),
        "of ten values the median is {yours}, expected {expected}: that is their mean, which one slow answer moves",
    ),
    Mistake(
        "share of the range",
        lambda values, share: min(values) + share * (max(values) - min(values)),
        "of ten values the median is {yours}, expected {expected}: a point between the smallest and the largest. How many "
        "values lie below does not matter there",
    ),
    Mistake(
        "rounded to the nearest",
        lambda values, share: clipped(round(share * len(values)) - 1, values),
        "the first two are right, but with share 0.81 you give {yours}, expected {expected}: eight of ten do not reach 81%",
        show=lambda parts: parts["share 0.81"],
    ),
)

EXERCISES = (
    Exercise(
        id="18.8",
        name="nearest_rank",
        reference=compression.nearest_rank,
        stub=RANK,
        probe=probe_rank,
        hints=(
            "Sort a copy; how many values are at least this share of them? Round up.",
            "`sorted(values)[max(math.ceil(share * len(values)), 1) - 1]`.",
        ),
        mistakes=RANK_MISTAKES,
        notice="a mean hides the slow answers, and it is the slow ones that people remember",
        difficulty=1,
        minutes=6,
        show=lambda parts: parts["share 0.5"],
        variants=(lambda values, share: float(np.quantile(values, share, method="inverted_cdf")),),
    ),
)
