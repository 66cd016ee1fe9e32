"""Notebook 16: sentences chosen: the best in order, and little alike."""

from functools import partial

import numpy as np

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import summarization as references

# 16.1 best_in_order

BEST = '''
def my_best_in_order(scores, count):
    """Places of the `count` highest scores, in the order of the text: a list of integers, from 0.

    scores: a list of numbers, one for each sentence. Of equal scores the earlier one is taken. Where there
    are no more than `count` sentences, all places.
    """
    ...
'''


def probe_best(best_in_order):
    def chosen(*given):
        return [place if isinstance(place, float) else int(place) for place in best_in_order(*given)]

    yield "three of seven", chosen([0.2, 0.9, 0.1, 0.4, 0.7, 0.4, 0.3], 3)
    yield "equal scores", chosen([0.1, 0.5, 0.5, 0.9, 0.5], 3)
    yield "more than there are", chosen([0.3, 0.8, 0.5], 5)


def best_with(order=sorted, key=lambda scores: lambda place: (-scores[place], place)):
    def program(scores, count):
        return order(sorted(range(len(scores)), key=key(scores))[:count])

    return program


def best_by_value(scores, count):
    return [scores.index(score) for score in sorted(scores, reverse=True)[:count]]


def three(parts):
    return parts["three of seven"]


def equal(parts):
    return parts["equal scores"]


BEST_MISTAKES = (
    Mistake(
        "the best first",
        best_with(order=list),
        "three of seven give {yours}, expected {expected}: the right sentences, but the best one first. A text is read in "
        "its own order",
    ),
    Mistake(
        "the lowest",
        best_with(key=lambda scores: lambda place: (scores[place], place)),
        "three of seven give {yours}, expected {expected}: those are the lowest scores. Sorting goes upwards unless it is "
        "told otherwise",
    ),
    Mistake(
        "of equal ones the later",
        best_with(key=lambda scores: lambda place: (-scores[place], -place)),
        "with equal scores you take {yours}, expected {expected}: of equal scores the earlier sentence is wanted. Sorting "
        "upwards and reading from the end turns equal ones round",
        show=equal,
    ),
    Mistake(
        "places looked up by score",
        best_by_value,
        "with equal scores you take {yours}, expected {expected}: a score that stands there several times is found at its "
        "first place only. Sort places, not scores",
        show=equal,
    ),
    Mistake(
        "the first ones",
        lambda scores, count: list(range(min(count, len(scores)))),
        "three of seven give {yours}, expected {expected}: those are the first sentences, whatever their scores",
    ),
    Mistake(
        "scores instead of places",
        lambda scores, count: [scores[place] for place in references.best_in_order(scores, count)],
        "three of seven give {yours}, expected {expected}: these are the scores; wanted is where the sentences stand",
    ),
    Mistake(
        "a place too many",
        lambda scores, count: references.best_in_order(scores, count + 1),
        "three of seven give {yours}, expected {expected}: one too many",
    ),
    Mistake(
        "counted from 1",
        lambda scores, count: [place + 1 for place in references.best_in_order(scores, count)],
        "three of seven give {yours}, expected {expected}: your places count from 1",
    ),
    Mistake(
        "a place too few",
        lambda scores, count: [
            place for place in range(len(scores)) if sum(score >= scores[place] for score in scores) < count
        ],
        "three of seven give {yours}, expected {expected}: the last of them is missing. Is it > or >= here, "
        "and what becomes of equal scores?",
    ),
)

# 16.6 marginal_choice

MARGINAL = '''
def my_marginal_choice(scores, similarity, count, weight=0.7):
    """Places of `count` sentences, a list in the order in which they are chosen.

    scores: an array (n,). similarity (n, n): how alike two sentences are. The first is the one with the
    highest score. Each next one has the highest weight * score - (1 - weight) * (its similarity to the most
    similar of those chosen before). No sentence twice; where there are fewer than `count`, all.
    """
    ...
'''

SCORES = np.array([0.5, 0.9, 0.85, 0.6, 0.2, 0.55])
ALIKE = np.array(
    [
        [1.0, 0.6, 0.5, 0.2, 0.3, 0.0],
        [0.6, 1.0, 0.95, 0.8, 0.6, 0.9],
        [0.5, 0.95, 1.0, 0.7, 0.6, 0.5],
        [0.2, 0.8, 0.7, 1.0, 0.6, 0.0],
        [0.3, 0.6, 0.6, 0.6, 1.0, 0.7],
        [0.0, 0.9, 0.5, 0.0, 0.7, 1.0],
    ]
)


CHAIN = (
    np.array([0.9, 0.8, 0.7, 0.6, 0.3]),
    np.array(
        [
            [1.0, 0.1, 0.0, 0.3, 0.0],
            [0.1, 1.0, 0.9, 0.2, 0.0],
            [0.0, 0.9, 1.0, 0.1, 0.0],
            [0.3, 0.2, 0.1, 1.0, 0.0],
            [0.0, 0.0, 0.0, 0.0, 1.0],
        ]
    ),
)


def probe_marginal(marginal_choice):
    def chosen(*given, **more):
        return list(map(int, marginal_choice(*given, **more)))

    yield "four of six", chosen(SCORES.copy(), ALIKE.copy(), 4, weight=0.5)
    yield "four of five", chosen(*(array.copy() for array in CHAIN), 4, weight=0.5)
    yield "another weight", chosen(SCORES.copy(), ALIKE.copy(), 4, weight=0.7)
    yield "scores below zero", chosen(SCORES - 2.0, ALIKE.copy(), 6, weight=0.9)
    yield "the usual weight", chosen(SCORES.copy(), ALIKE.copy(), 4)
    yield "more than there are", chosen(SCORES[:2].copy(), ALIKE[:2, :2].copy(), 5)


def marginal_with(reduce=lambda rows: rows.max(axis=1), own=1, exclude=-np.inf, last=False, swap=False):
    def program(scores, similarity, count, weight=0.7):
        chosen, weight = [], 1 - weight if swap else weight
        for _ in range(min(count, len(scores))):
            worth = weight * scores * own
            if chosen:
                worth = worth - (1 - weight) * reduce(similarity[:, chosen[-1:] if last else chosen])
            worth[chosen] = exclude
            chosen.append(int(worth.argmax()))
        return chosen

    return program


def marginal_to_first(scores, similarity, count, weight=0.7):
    first = int(scores.argmax())
    worth = weight * scores - (1 - weight) * similarity[:, first]
    worth[first] = np.inf
    return np.argsort(-worth, kind="stable")[:count].tolist()


def marginal_by_sets(scores, similarity, count, weight=0.7):
    left, chosen = set(range(len(scores))), []
    while left and len(chosen) < count:
        most = {place: max((similarity[place, other] for other in chosen), default=0.0) for place in left}
        best = max(sorted(left), key=lambda place: weight * scores[place] - (1 - weight) * most[place])
        left.remove(best)
        chosen.append(best)
    return chosen


def four_of_six(parts):
    return parts["four of six"]


MARGINAL_MISTAKES = (
    Mistake(
        "scores alone",
        marginal_with(reduce=lambda rows: 0.0),
        "four of six are {yours}, expected {expected}: those are the highest scores. Sentences 1 and 2 say nearly the same, "
        "and you take both. (If you subtract something: the similarity of a sentence to itself is the same for all)",
    ),
    Mistake(
        "mean similarity",
        marginal_with(reduce=lambda rows: rows.mean(axis=1)),
        "four of six are {yours}, expected {expected}: you take the mean of the similarities to those chosen. One sentence "
        "that says the same is enough to make a new one useless: the most similar counts",
    ),
    Mistake(
        "only the last one",
        marginal_with(last=True),
        "four of six are {yours}, expected {expected}: a sentence is compared with the last one chosen, not with all of them",
    ),
    Mistake(
        "weights exchanged",
        marginal_with(swap=True),
        "with the weight 0.7 you take {yours}, expected {expected}: the weight belongs to the score, 1 - weight to the "
        "similarity",
        show=lambda parts: parts["another weight"],
    ),
    Mistake(
        "similarity is added",
        marginal_with(reduce=lambda rows: -rows.max(axis=1)),
        "four of six are {yours}, expected {expected}: likeness to what is chosen is added to the worth, so you collect "
        "sentences that say the same",
    ),
    Mistake(
        "those chosen get zero",
        marginal_with(exclude=0.0),
        "where all scores are below zero you take {yours}, expected {expected}: a chosen sentence gets the worth 0, which is "
        "then the highest. It must not come again, however low the others are",
        show=lambda parts: parts["scores below zero"],
    ),
    Mistake(
        "in the order of the text",
        lambda *given, **more: sorted(references.marginal_choice(*given, **more)),
        "four of six are {yours}, expected {expected}: the right sentences, but here the order in which they are chosen is "
        "wanted (the order of the text can be made from it)",
    ),
    Mistake(
        "the least similar",
        marginal_with(reduce=lambda rows: rows.min(axis=1)),
        "four of six are {yours}, expected {expected}: you subtract the similarity to the least similar of "
        "those chosen. Which of them makes a new sentence useless?",
    ),
    Mistake(
        "the sum of the similarities",
        marginal_with(reduce=lambda rows: rows.sum(axis=1)),
        "four of six are {yours}, expected {expected}: you subtract all similarities to those chosen, so the "
        "more are chosen the less the score counts",
    ),
    Mistake(
        "only the first one",
        marginal_to_first,
        "four of five are {yours}, expected {expected}: each sentence is compared with the first one chosen "
        "alone, not with all of them",
        show=lambda parts: parts["four of five"],
    ),
    Mistake(
        "the weight is 0.7",
        lambda scores, similarity, count, weight=0.7: references.marginal_choice(scores, similarity, count),
        "four of six with the weight 0.5 are {yours}, expected {expected}: those are the ones for 0.7. Is the "
        "weight that is given used?",
    ),
)

EXERCISES = (
    Exercise(
        id="16.1",
        name="best_in_order",
        reference=references.best_in_order,
        stub=BEST,
        probe=probe_best,
        hints=(
            "Sort the places, not the scores: `sorted(range(len(scores)), key=...)`. Python's sorting leaves equal ones in "
            "their order.",
            "`best = sorted(range(len(scores)), key=lambda place: -scores[place])[:count]`, and then `best` in the order of "
            "the places.",
        ),
        mistakes=BEST_MISTAKES,
        notice="two sorts: one by worth, to choose, one by place, to read",
        difficulty=1,
        minutes=5,
        show=three,
        variants=(best_with(),),
    ),
    Exercise(
        id="16.6",
        name="marginal_choice",
        reference=references.marginal_choice,
        stub=MARGINAL,
        probe=probe_marginal,
        hints=(
            "In each round compute the worth of all sentences at once, and set that of the chosen ones to minus infinity.",
            "`similarity[:, chosen].max(axis=1)` is the similarity to the most similar of those chosen; in the first round "
            "there is none to subtract.",
        ),
        mistakes=MARGINAL_MISTAKES,
        notice="the first sentence does not depend on the weight, all others do",
        difficulty=2,
        minutes=12,
        show=four_of_six,
        variants=(marginal_by_sets, partial(marginal_with())),
    ),
)
