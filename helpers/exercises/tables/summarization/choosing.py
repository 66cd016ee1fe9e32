"""Notebook 16: sentences chosen: the best in order, one after the other by a measure, and little alike."""

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
    yield "three of seven", list(map(int, best_in_order([0.2, 0.9, 0.1, 0.4, 0.7, 0.4, 0.3], 3)))
    yield "equal scores", list(map(int, best_in_order([0.1, 0.5, 0.5, 0.9, 0.5], 3)))
    yield "more than there are", list(map(int, best_in_order([0.3, 0.8, 0.5], 5)))


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
        lambda scores, count: [int(10 * score) for score in sorted(scores, reverse=True)[:count]],
        "three of seven give {yours}, expected {expected}: these come from the scores; wanted is where the sentences stand",
    ),
    Mistake(
        "a place too many",
        lambda scores, count: references.best_in_order(scores, count + 1),
        "three of seven give {yours}, expected {expected}: one too many",
    ),
)

# 16.5 greedy_choice

GREEDY = '''
def my_greedy_choice(sentences, written, count, measure):
    """Places of at most `count` sentences, chosen one after the other; a list in the order of the text.

    sentences: a list of lists of words. measure(words, written) is a number: how good a summary with these
    words is. Begin with no sentence, and a measure of 0. Each step tries every sentence that is left beside
    those chosen (the words one after the other, in the order of the text), and takes the one with the
    highest measure, of equal ones the earlier. Stop when none raises the measure, or `count` are chosen.
    """
    ...
'''

SENTENCES = [
    "how exact it is with us".split(),
    "a german one of old".split(),
    "it is fast".split(),
    "the old one is slow".split(),
    "we study a fast german parser".split(),
    "we study a fast parser here and there".split(),
]
ABOUT = "we study a fast german parser and how exact it is".split()


def probe_greedy(greedy_choice):
    measure = references.rouge_1
    yield "two of six", list(greedy_choice([*SENTENCES], [*ABOUT], 2, measure))
    yield "as many as help", list(greedy_choice([*SENTENCES], [*ABOUT], 6, measure))
    yield "nothing helps", list(greedy_choice([["no"], ["none"]], [*ABOUT], 2, measure))
    yield "order counts", list(greedy_choice([["b"], ["a", "c"], ["d"]], ["b", "d"], 2, in_one_order))


def in_one_order(words, written):
    """A measure that asks for words in the order of the text."""
    return references.longest_common(words, written) - 0.1 * len(words)


def greedy_with(stop=True, alone=False, in_order=True, join_in_order=True, first=False):
    """The greedy choice with one of its parts left out."""

    def program(sentences, written, count, measure):
        chosen, best = [], 0.0
        while len(chosen) < min(count, len(sentences)):
            tried = {}
            for place in range(len(sentences)):
                if place not in chosen:
                    places = [place] if alone else [*chosen, place]
                    places = sorted(places) if join_in_order else places[::-1]
                    tried[place] = measure([word for at in places for word in sentences[at]], written)
            better = [place for place in tried if tried[place] > best]
            if stop and not alone and not better:
                break
            if alone and max(tried.values()) == 0:
                break
            place = better[0] if first and better else max(tried, key=tried.get)
            chosen, best = [*chosen, place], tried[place]
        return sorted(chosen) if in_order else chosen

    return program


def six(parts):
    return parts["as many as help"]


def two(parts):
    return parts["two of six"]


GREEDY_MISTAKES = (
    Mistake(
        "each sentence alone",
        greedy_with(alone=True),
        "two of six are {yours}, expected {expected}: each sentence is measured alone. What is said already counts nothing "
        "the second time: measure it beside those that are chosen",
        show=two,
    ),
    Mistake(
        "never stops",
        greedy_with(stop=False),
        "asked for up to six you take {yours}, expected {expected}: sentences are taken that lower the measure. Stop when "
        "none raises it",
        show=six,
    ),
    Mistake(
        "the first that helps",
        greedy_with(first=True),
        "two of six are {yours}, expected {expected}: the first sentence that raises the measure is taken. Try all that are "
        "left, and take the best",
        show=two,
    ),
    Mistake(
        "in the order of choice",
        greedy_with(in_order=False),
        "two of six are {yours}, expected {expected}: the right ones, in the order in which they were chosen; the order of "
        "the text is wanted",
        show=two,
    ),
    Mistake(
        "joined as chosen",
        greedy_with(join_in_order=False),
        "with a measure that asks for the order you take {yours}, expected {expected}: the new sentence is put before those "
        "chosen, wherever it stands. Join the words in the order of the text",
        show=lambda parts: parts["order counts"],
    ),
    Mistake(
        "only the best one",
        lambda sentences, written, count, measure: greedy_with()(sentences, written, 1, measure),
        "two of six are {yours}, expected {expected}: one sentence, then you stop",
        show=two,
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


def probe_marginal(marginal_choice):
    def chosen(*given, **more):
        return list(map(int, marginal_choice(*given, **more)))

    yield "four of six", chosen(SCORES.copy(), ALIKE.copy(), 4, weight=0.5)
    yield "another weight", chosen(SCORES.copy(), ALIKE.copy(), 4, weight=0.7)
    yield "scores below zero", chosen(SCORES - 2.0, ALIKE.copy(), 6, weight=0.9)
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
        "and you take both",
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
        id="16.5",
        name="greedy_choice",
        reference=references.greedy_choice,
        stub=GREEDY,
        probe=probe_greedy,
        hints=(
            "Keep a list of the places that are chosen, and the measure that they have. In each round compute for every "
            "other place the measure of `sorted([*chosen, place])`.",
            "The words of some places are `[word for at in sorted(places) for word in sentences[at]]`. Take the place with "
            "the highest measure; if that is not above the one before, break.",
        ),
        mistakes=GREEDY_MISTAKES,
        notice="greedy is not best: two sentences that are only good together are never found; to try all sets would take "
        "too long",
        difficulty=2,
        minutes=14,
        show=two,
        variants=(greedy_with(),),
        seconds=5.0,
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
