"""Notebook 14: the place of the right paragraph, and rankings joined by reciprocal ranks."""

import torch

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import semantic_search as references

# 14.3 ranks_of

RANKS = '''
def my_ranks_of(scores, right):
    """The place of the right paragraph in each row, from 1: scores (Q, N), right (Q,) -> (Q,).

    right: the number of each question's paragraph. Of equal scores the right one comes last.
    """
    ...
'''

SCORES = torch.tensor(
    [
        [0.1, 0.9, 0.4, 0.7, 0.2],
        [0.5, 0.5, 0.8, 0.5, 0.1],
        [0.3, 0.2, 0.6, 0.1, 0.4],
        [0.0, 0.0, 0.0, 0.0, 0.0],
    ]
)
OWN = torch.tensor([3, 1, 2, 0])


def probe_ranks(ranks):
    yield "without equal scores", ranks(SCORES[:1].clone(), OWN[:1].clone())
    yield "four questions", ranks(SCORES.clone(), OWN.clone())


def four(parts):
    return parts["four questions"].tolist()


def own(scores, right):
    return scores.gather(1, right[:, None])


RANKS_MISTAKES = (
    Mistake(
        "from 0",
        lambda s, r: (s >= own(s, r)).sum(dim=1) - 1,
        "you get {yours}, expected {expected}: places count from 1, or the mean of 1 / place divides by zero",
    ),
    Mistake(
        "of equal ones first",
        lambda s, r: (s > own(s, r)).sum(dim=1) + 1,
        "you get {yours}, expected {expected}: where scores are equal the right one is put first. A method that gives "
        "every paragraph the same score would be right always",
    ),
    Mistake(
        "as a sort leaves them",
        lambda s, r: (s.argsort(dim=1, descending=True, stable=True) == r[:, None]).long().argmax(dim=1) + 1,
        "you get {yours}, expected {expected}: of equal scores yours come in the order of their numbers. The right one "
        "should come last: count the scores that are at least as large",
    ),
    Mistake(
        "the smallest first",
        lambda s, r: (s <= own(s, r)).sum(dim=1),
        "you get {yours}, expected {expected}: you count those with a smaller score",
    ),
    Mistake(
        "the paragraph at that place",
        lambda s, r: s.argsort(dim=1, descending=True, stable=True).gather(1, r[:, None])[:, 0],
        "you get {yours}, expected {expected}: argsort says which paragraph is at a place; asked for is the place of a "
        "paragraph",
    ),
    Mistake(
        "the best paragraph",
        lambda s, r: s.argmax(dim=1),
        "you get {yours}, expected {expected}: that is which paragraph has the largest score",
    ),
    Mistake(
        "right or not",
        lambda s, r: (s.argmax(dim=1) == r).long(),
        "you get {yours}, expected {expected}: that says only whether the right one is first",
    ),
    Mistake(
        "of the first question's paragraph",
        lambda s, r: (s >= s[:, r[:1]]).sum(dim=1),
        "you get {yours}, expected {expected}: every row is compared with the same paragraph",
    ),
    Mistake(
        "one place too far",
        lambda s, r: (s >= own(s, r)).sum(dim=1) + 1,
        "you get {yours}, expected {expected}: all are one too high. The right one is at least as large as "
        "itself: is it counted twice?",
    ),
    Mistake(
        "upwards",
        lambda s, r: (s.argsort(dim=1) == r[:, None]).long().argmax(dim=1) + 1,
        "you get {yours}, expected {expected}: the smallest score has place 1. argsort goes upwards unless it "
        "is told otherwise",
    ),
)

# 14.4 join_rankings

JOIN = '''
def my_join_rankings(rankings, weights, k=60):
    """Reciprocal rank fusion: several scores (Q, N) -> one, (Q, N).

    In each ranking a paragraph has a place, from 1 for the largest score of its row, and gets
    weight / (k + place); over the rankings that is added up.
    """
    ...
'''

FIRST = torch.tensor([[0.9, 0.1, 0.5, 0.3], [0.2, 0.8, 0.4, 0.6]])
SECOND = torch.tensor([[2.0, 11.0, 0.5, 5.0], [1.0, 3.0, 7.0, 0.2]])


def probe_join(join):
    yield "one ranking", join([FIRST.clone()], [1.0], 4)
    yield "two rankings", join([FIRST.clone(), SECOND.clone()], [1.0, 0.5], 4)
    yield "one ranking with the usual k", join([FIRST.clone()], [1.0])


def first_row(parts):
    return parts["two rankings"][0]


def places_of(scores, descending=True):
    return scores.argsort(dim=1, descending=descending).argsort(dim=1) + 1


def joined(rankings, weights, k, part):
    return sum(weight * part(scores, k) for scores, weight in zip(rankings, weights, strict=True))


JOIN_MISTAKES = (
    Mistake(
        "scores added",
        lambda r, w, k=60: joined(r, w, k, lambda s, k: s),
        "the first question gets {yours}, expected {expected}: the scores themselves are added. One method's go to 11, "
        "the other's to 1: the larger scale decides",
    ),
    Mistake(
        "one argsort",
        lambda r, w, k=60: joined(r, w, k, lambda s, k: 1 / (k + s.argsort(dim=1, descending=True) + 1)),
        "the first question gets {yours}, expected {expected}: one argsort gives the paragraph at each place. Which step "
        "turns that into the place of each paragraph?",
    ),
    Mistake(
        "places from 0",
        lambda r, w, k=60: joined(r, w, k, lambda s, k: 1 / (k + places_of(s) - 1)),
        "the first question gets {yours}, expected {expected}: your places begin at 0",
    ),
    Mistake(
        "the worst first",
        lambda r, w, k=60: joined(r, w, k, lambda s, k: 1 / (k + places_of(s, False))),
        "the first question gets {yours}, expected {expected}: place 1 went to the smallest score",
    ),
    Mistake(
        "the questions ranked",
        lambda r, w, k=60: joined(r, w, k, lambda s, k: 1 / (k + places_of(s.T).T)),
        "the first question gets {yours}, expected {expected}: for each paragraph you rank the questions. A ranking is a row: "
        "the paragraphs of one question",
    ),
    Mistake(
        "weights left out",
        lambda r, w, k=60: joined(r, [1.0] * len(r), k, lambda s, k: 1 / (k + places_of(s))),
        "the first question gets {yours}, expected {expected}: both rankings count the same",
    ),
    Mistake(
        "places added",
        lambda r, w, k=60: joined(r, w, k, lambda s, k: -places_of(s).float()),
        "the first question gets {yours}, expected {expected}: places are added, not their reciprocals. Then place 500 in "
        "one ranking ruins a paragraph that is first in the other",
    ),
    Mistake(
        "k left out",
        lambda r, w, k=60: joined(r, w, k, lambda s, k: 1 / places_of(s)),
        "the first question gets {yours}, expected {expected}: k is not added to the place",
    ),
    Mistake(
        "k times the place",
        lambda r, w, k=60: joined(r, w, k, lambda s, k: 1 / (k * places_of(s))),
        "the first question gets {yours}, expected {expected}: k is multiplied with the place, and should be "
        "added",
    ),
    Mistake(
        "divided by k alone",
        lambda r, w, k=60: joined(r, w, k, lambda s, k: 1 / k + places_of(s)),
        "the first question gets {yours}, expected {expected}: only k stands below the line, and the place "
        "behind it: brackets?",
    ),
    Mistake(
        "k is 60",
        lambda r, w, k=60: references.join_rankings(r, w),
        "the first question gets {yours}, expected {expected}: that is for k = 60. Is the k that is given "
        "used?",
    ),
    Mistake(
        "the last one alone",
        lambda r, w, k=60: references.join_rankings(r[-1:], w[-1:], k),
        "the first question gets {yours}, expected {expected}: only the last ranking counts: is each added to "
        "what was there?",
    ),
    Mistake(
        "scores joined, then ranked",
        lambda r, w, k=60: 1 / (k + places_of(joined(r, w, k, lambda s, k: s))),
        "the first question gets {yours}, expected {expected}: the scores are added first, and only their sum "
        "is ranked. Each ranking has places of its own",
    ),
)

EXERCISES = (
    Exercise(
        id="14.3",
        name="ranks_of",
        reference=references.ranks_of,
        stub=RANKS,
        probe=probe_ranks,
        hints=(
            "Nothing needs to be sorted: the place is how many scores are at least as large as the right one's.",
            "scores.gather(1, right[:, None]) takes one number out of each row, as (Q, 1).",
        ),
        mistakes=RANKS_MISTAKES,
        notice="from these places come recall@k, the share that is at most k, and the mean of 1 / place",
        difficulty=2,
        minutes=8,
        show=four,
        variants=(
            lambda s, r: torch.stack([(row >= row[n]).sum() for row, n in zip(s, r, strict=True)]),
            lambda s, r: s.shape[1] - (s < own(s, r)).sum(dim=1),
        ),
    ),
    Exercise(
        id="14.4",
        name="join_rankings",
        reference=references.join_rankings,
        stub=JOIN,
        probe=probe_join,
        hints=(
            "argsort gives, for each place, a paragraph. You need, for each paragraph, its place: the inverse.",
            "scores.argsort(dim=1, descending=True).argsort(dim=1) is the place of each paragraph, from 0.",
        ),
        mistakes=JOIN_MISTAKES,
        notice="only places count, so two methods whose scores have nothing in common can be joined",
        difficulty=2,
        minutes=10,
        show=first_row,
    ),
)
