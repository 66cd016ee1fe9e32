"""Notebook 14: two published faults."""

import torch
from torch.nn import functional

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import semantic_search as references
from helpers.exercises.tables.semantic_search.vectors import vectors

# 14.b1 search_by_meaning

SEARCH = '''
def my_search_by_meaning(questions, paragraphs, count):
    """Numbers of the paragraphs that are nearest by cosine, best first."""
    scores = questions @ paragraphs.T  # (Q, N)
    return scores.topk(count, dim=1).indices.tolist()
'''


def unit(x):
    return functional.normalize(x, dim=1)


def probe_search(search):
    yield "three of nine", search(vectors(2, 4), vectors(9, 3), 3)


def three(parts):
    return parts["three of nine"]


SEARCH_MISTAKES = (
    Mistake(
        "only the questions",
        lambda q, p, count: (unit(q) @ p.T).topk(count).indices.tolist(),
        "you find {yours}, expected {expected}: the order is what it was. All scores of a question may be divided by one "
        "number, such as its length, and no order changes; it is long paragraphs that come first",
    ),
    Mistake(
        "the square of the length",
        lambda q, p, count: (q @ (p / p.square().sum(dim=1, keepdim=True)).T).topk(count).indices.tolist(),
        "you find {yours}, expected {expected}: you divide by the square of each length, so now the short ones come first",
    ),
    Mistake(
        "columns",
        lambda q, p, count: (q @ functional.normalize(p, dim=0).T).topk(count).indices.tolist(),
        "you find {yours}, expected {expected}: each column has length 1, not each paragraph",
    ),
    Mistake(
        "by distance",
        lambda q, p, count: torch.cdist(q, p).topk(count, largest=False).indices.tolist(),
        "you find {yours}, expected {expected}: the distance of the ends, too, depends on the lengths",
    ),
)

# 14.b2 in_batch_loss

LOSS = '''
def my_in_batch_loss(questions, paragraphs, numbers):
    """Each question's own paragraph against the others of the batch: (B, H), (B, H), (B,) -> a number.

    numbers says which paragraph a row has; two questions may be about the same one.
    """
    scores = 20 * functional.normalize(questions, dim=1) @ functional.normalize(paragraphs, dim=1).T  # (B, B)
    return functional.cross_entropy(scores, torch.arange(len(numbers)))
'''
NUMBERS = torch.tensor([4, 9, 4, 7, 4])


def batch():
    drawn = torch.randn(15, 6, generator=torch.Generator().manual_seed(11))
    paragraphs = drawn[:10][NUMBERS]
    return drawn[10:] + 0.1 * paragraphs, paragraphs, NUMBERS.clone()


def probe_loss(loss):
    yield "no paragraph twice", loss(*(part[1:4] for part in batch()))
    yield "one paragraph three times", loss(*batch())


def thrice(parts):
    return float(parts["one paragraph three times"])


def cosines(questions, paragraphs):
    return 20 * unit(questions) @ unit(paragraphs).T


def with_own_hidden(q, p, n):
    scores = cosines(q, p).masked_fill(n[:, None] == n[None, :], -1e4)
    return functional.cross_entropy(scores, torch.arange(len(n)))


def zeros(q, p, n):
    twice = (n[:, None] == n[None, :]) & ~torch.eye(len(n), dtype=torch.bool)
    return functional.cross_entropy(cosines(q, p).masked_fill(twice, 0.0), torch.arange(len(n)))


def first_only(q, p, n):
    return functional.cross_entropy(cosines(q, p), (n[:, None] == n[None, :]).float().argmax(dim=1))


def added(q, p, n):
    scores = cosines(q, p)
    return (scores.logsumexp(dim=1) - scores.masked_fill(n[:, None] != n, -torch.inf).logsumexp(dim=1)).mean()


def rows_dropped(q, p, n):
    kept = [i for i in range(len(n)) if n[i] not in n[:i]]
    return functional.cross_entropy(cosines(q[kept], p[kept]), torch.arange(len(kept)))


def upper_half(q, p, n):
    later = (n[:, None] == n[None, :]).triu(1)
    return functional.cross_entropy(cosines(q, p).masked_fill(later, -torch.inf), torch.arange(len(n)))


def columns_once(q, p, n):
    numbers = n.unique()
    rows = [n.tolist().index(number) for number in numbers]
    return functional.cross_entropy(cosines(q, p[rows]), torch.searchsorted(numbers, n))


def several_right(q, p, n):
    return functional.cross_entropy(cosines(q, p), (n[:, None] == n[None, :]).float())


LOSS_MISTAKES = (
    Mistake(
        "its own is hidden, too",
        with_own_hidden,
        "the loss is {yours}, expected {expected}: the diagonal is hidden as well, so the right answer can't be chosen",
    ),
    Mistake(
        "zero is no exclusion",
        zeros,
        "the loss is {yours}, expected {expected}: a score of 0 still takes part in the softmax, as a cosine of 0 would",
    ),
    Mistake(
        "the first of them is right",
        first_only,
        "the loss is {yours}, expected {expected}: the right answer is now another of the equal columns, or a share of each; "
        "the others still count against it",
    ),
    Mistake(
        "their probabilities added",
        added,
        "the loss is {yours}, expected {expected}: the probabilities of the equal columns are added up, so a paragraph that "
        "stands there three times is three times as easy to choose",
    ),
    Mistake(
        "rows dropped",
        rows_dropped,
        "the loss is {yours}, expected {expected}: the second and third question about a paragraph are thrown away. They "
        "are good examples; only their shared paragraph must not count as a wrong answer",
    ),
    Mistake(
        "only what comes later",
        upper_half,
        "the loss is {yours}, expected {expected}: of equal columns only those to the right of the diagonal "
        "are hidden. What of those to the left?",
    ),
    Mistake(
        "every paragraph once",
        columns_once,
        "the loss is {yours}, expected {expected}: each paragraph has one column now, so for the other "
        "questions it counts once instead of three times. Hide it only where it is the right one",
    ),
    Mistake(
        "several right answers",
        several_right,
        "the loss is {yours}, expected {expected}: each of the equal columns is a whole right answer, and the "
        "cross-entropies are added up",
    ),
)

EXERCISES = (
    Exercise(
        id="14.b1",
        name="search_by_meaning",
        reference=references.search_by_meaning,
        stub=SEARCH,
        probe=probe_search,
        hints=(
            "Which paragraphs does it find again and again, and how long are their vectors?",
            "A dot product is a cosine if both vectors have length 1.",
        ),
        mistakes=SEARCH_MISTAKES,
        notice="all-MiniLM's own program ends with this step, so its dot products are cosines; raw mean vectors are not",
        difficulty=1,
        minutes=6,
        kind="bug",
        source="facebookresearch/faiss, issue 1119",
        show=three,
    ),
    Exercise(
        id="14.b2",
        name="in_batch_loss",
        reference=references.in_batch_loss,
        stub=LOSS,
        probe=probe_loss,
        hints=(
            "Write down the matrix of a batch in which rows 0, 2 and 4 have the same paragraph. Which columns are equal?",
            "Outside the diagonal, a column with the same number must not take part: masked_fill with -inf before the loss.",
        ),
        mistakes=LOSS_MISTAKES,
        notice="nothing in the loss curve shows this fault: it only never gets as low as it could",
        difficulty=3,
        minutes=12,
        kind="bug",
        source="huggingface/sentence-transformers, issue 3189",
        show=thrice,
    ),
)
