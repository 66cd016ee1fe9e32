"""Notebook 16: the rank of sentences that point to each other."""

import numpy as np

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import summarization as references

# 16.4 sentence_rank

RANK = '''
def my_sentence_rank(similarity, damping=0.85, rounds=100):
    """The scores of n sentences, an array (n,) that adds up to 1.

    similarity (n, n), symmetric, zeros on the diagonal: the weights of the links. All scores begin at 1 / n.
    In each round a sentence shares out its score among the others, in proportion to the weights of its links
    (one without links: to all n alike). The new score of a sentence is (1 - damping) / n plus damping times
    what it was given.
    """
    ...
'''

LINKS = np.array(
    [
        [0.0, 0.9, 0.2, 0.0, 0.0],
        [0.9, 0.0, 0.5, 0.3, 0.0],
        [0.2, 0.5, 0.0, 0.0, 0.0],
        [0.0, 0.3, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, 0.0],
    ]
)


def probe_rank(sentence_rank):
    yield "four sentences", np.asarray(sentence_rank(LINKS[:4, :4].copy()), dtype=float)
    yield "one round", np.asarray(sentence_rank(LINKS[:4, :4].copy(), rounds=1), dtype=float)
    yield "another damping", np.asarray(sentence_rank(LINKS[:4, :4].copy(), damping=0.6), dtype=float)
    yield "a sentence without links", np.asarray(sentence_rank(LINKS.copy()), dtype=float)


def rank_with(
    divide=lambda links, totals: links / totals[:, None],
    restart=lambda damping, count: (1 - damping) / count,
    lonely=lambda count: 1 / count,
    end=lambda scores: scores,
    weight=lambda damping: damping,
):
    """The power iteration with one of its parts exchanged."""

    def program(similarity, damping=0.85, rounds=100):
        count, totals = len(similarity), similarity.sum(axis=1)
        shares = divide(similarity, np.where(totals > 0, totals, 1.0))
        shares[totals == 0] = lonely(count)
        scores = np.full(count, 1 / count)
        for _ in range(rounds):
            scores = restart(damping, count) + weight(damping) * scores @ shares
        return end(scores)

    return program


def rank_solved(similarity, damping=0.85, rounds=100):
    if rounds < 50:
        return references.sentence_rank(similarity, damping, rounds)
    count, totals = len(similarity), similarity.sum(axis=1, keepdims=True)
    shares = np.where(totals > 0, similarity / np.where(totals > 0, totals, 1), 1 / count)
    return np.linalg.solve(np.eye(count) - damping * shares.T, np.full(count, (1 - damping) / count))


def four(parts):
    return np.round(parts["four sentences"], 3).tolist()


def one_round(parts):
    return np.round(parts["one round"], 3).tolist()


def rank_from_one(similarity, damping=0.85, rounds=100):
    first = references.sentence_rank(similarity, damping, rounds)
    shares = rank_shares(similarity)
    extra = np.full(len(shares), 1 - 1 / len(shares))
    for _ in range(rounds):
        extra = damping * extra @ shares
    return first + extra


def rank_shares(similarity):
    totals = similarity.sum(axis=1, keepdims=True)
    return np.where(totals > 0, similarity / np.where(totals > 0, totals, 1), 1 / len(similarity))


def rank_in_place(similarity, damping=0.85, rounds=100):
    shares, count = rank_shares(similarity), len(similarity)
    scores = np.full(count, 1 / count)
    for _ in range(rounds):
        for place in range(count):
            scores[place] = (1 - damping) / count + damping * scores @ shares[:, place]
    return scores


def lonely_part(parts):
    return np.round(parts["a sentence without links"], 3).tolist()


RANK_MISTAKES = (
    Mistake(
        "shared out by what is received",
        rank_with(divide=lambda links, totals: links / totals[None, :]),
        "four sentences get {yours}, expected {expected}: the weights are divided by the totals of those who receive (or the "
        "matrix is multiplied from the other side). Each sentence shares out its own score: what it gives away must add up to that score",
    ),
    Mistake(
        "nothing is divided",
        rank_with(divide=lambda links, totals: links.copy()),
        "four sentences get {yours}, expected {expected}: the weights are taken as they are, so a sentence with many links "
        "gives away more than it has",
    ),
    Mistake(
        "the restart is not shared",
        rank_with(restart=lambda damping, count: 1 - damping),
        "four sentences get {yours}, expected {expected}: every sentence gets 1 - damping in each round, and the scores do "
        "not add up to 1. That part, too, is shared among n",
    ),
    Mistake(
        "damping and the rest exchanged",
        rank_with(restart=lambda damping, count: damping / count, weight=lambda damping: 1 - damping),
        "four sentences get {yours}, expected {expected}: damping is the share of the score that goes along the links; you "
        "have it the other way round, and all scores are nearly alike",
    ),
    Mistake(
        "no restart",
        rank_with(restart=lambda damping, count: 0.0, weight=lambda damping: 1.0),
        "four sentences get {yours}, expected {expected}: all of a score goes along the links, and damping is not used",
    ),
    Mistake(
        "sums of the links",
        lambda similarity, damping=0.85, rounds=100: similarity.sum(axis=1) / similarity.sum(),
        "four sentences get {yours}, expected {expected}: that is each sentence's share of all weights. In a rank it also "
        "counts who links to it",
    ),
    Mistake(
        "without links nothing is given",
        rank_with(lonely=lambda count: 0.0),
        "where a sentence has no links you get {yours}, expected {expected}: its score is lost, and the sum is below 1. It "
        "gives to all n alike",
        show=lonely_part,
    ),
    Mistake(
        "largest is 1",
        rank_with(end=lambda scores: scores / scores.max()),
        "four sentences get {yours}, expected {expected}: the highest score is made 1. They should add up to 1",
    ),
    Mistake(
        "links without weights",
        lambda similarity, damping=0.85, rounds=100: references.sentence_rank(
            (similarity > 0).astype(float), damping, rounds
        ),
        "four sentences get {yours}, expected {expected}: each link counts the same. A score is shared out in "
        "proportion to the weights",
    ),
    Mistake(
        "divided by all weights",
        rank_with(divide=lambda links, totals: links / links.sum()),
        "four sentences get {yours}, expected {expected}: the weights are divided by the sum of the whole "
        "matrix. What a sentence gives away must add up to its own score",
    ),
    Mistake(
        "softmax of the weights",
        lambda similarity, damping=0.85, rounds=100: references.sentence_rank(
            np.exp(similarity), damping, rounds
        ),
        "four sentences get {yours}, expected {expected}: you take a softmax, so sentences without a link "
        "between them give to each other, too. In proportion to the weights is asked for",
    ),
    Mistake(
        "damping is 0.85",
        lambda similarity, damping=0.85, rounds=100: references.sentence_rank(similarity, 0.85, rounds),
        "right at the usual damping, but with 0.6 you get {yours}, expected {expected}: is the one that is "
        "given used?",
        show=lambda parts: np.round(parts["another damping"], 3).tolist(),
    ),
    Mistake(
        "as many rounds as ever",
        lambda similarity, damping=0.85, rounds=100: references.sentence_rank(similarity, damping),
        "right after a hundred rounds, but after one you get {yours}, expected {expected}: is `rounds` used?",
        show=one_round,
    ),
    Mistake(
        "a round too few",
        lambda similarity, damping=0.85, rounds=100: references.sentence_rank(
            similarity, damping, rounds - 1
        ),
        "right after many rounds, but after one you get {yours}, expected {expected}: those are the scores at "
        "the beginning",
        show=one_round,
    ),
    Mistake(
        "scores begin at 1",
        rank_from_one,
        "right after many rounds, but after one you get {yours}, expected {expected}: what do the scores add "
        "up to before the first round?",
        show=one_round,
    ),
    Mistake(
        "new scores used at once",
        rank_in_place,
        "right after many rounds, but after one you get {yours}, expected {expected}: within a round some "
        "sentences share out new scores already. All share out the scores that they had before it",
        show=one_round,
    ),
)

EXERCISES = (
    Exercise(
        id="16.4",
        name="sentence_rank",
        reference=references.sentence_rank,
        stub=RANK,
        probe=probe_rank,
        hints=(
            "Divide each row of the weights by its sum, once, before the rounds: row i then says how sentence i shares out "
            "its score. What is the product of the vector of scores and that matrix?",
            "`shares = similarity / similarity.sum(axis=1, keepdims=True)`, rows without links filled with 1 / n; then, "
            "`rounds` times, `scores = (1 - damping) / n + damping * scores @ shares`.",
        ),
        mistakes=RANK_MISTAKES,
        notice="the scores settle: they are the one vector that a round leaves as it is, whatever it began with",
        difficulty=2,
        minutes=14,
        show=four,
        variants=(rank_solved,),
    ),
)
