"""Notebook 15, from logits to an answer: the best span."""

import math

import torch

from helpers import reading
from helpers.exercises.exercise import Exercise, Mistake

# 15.5 best_span

BEST = '''
def my_best_span(start, end, allowed, max_tokens):
    """The span with the largest start logit + end logit: (score, first token, last token).

    start, end: (T,). allowed: a range, the places of the context's tokens; both ends of the span are in it.
    first <= last, and the span has at most max_tokens tokens. With an empty range: (-inf, 0, 0).
    """
    ...
'''

START = torch.tensor([6.0, 1.5, 0.2, 2.0, -1.0, 0.5, 3.0, 2.5, 0.1, 4.5])
END = torch.tensor([5.0, 0.3, 0.1, 1.0, 4.0, 0.7, -2.0, 0.9, 3.5, 4.8])


def probe_best(best):
    def shown(start, end, *rest):
        score, first, last = best(start.clone(), end.clone(), *rest)
        return float(score), int(first), int(last)

    yield "one token allowed", shown(START, END, range(4, 5), 3)
    yield "the end logit is best before the start", shown(START, END, range(3, 8), 9)
    yield "at most three tokens", shown(START, END, range(3, 9), 3)
    yield "at most two tokens", shown(START, END, range(3, 9), 2)
    yield "one token at most", shown(START, END, range(2, 9), 1)
    far = torch.tensor([0.0, 3.0, 1.0, 0.5, 2.0, 0.0]), torch.tensor([0.0, 0.2, 1.0, 1.5, 0.4, 4.0])
    yield "the best start and the best end far apart", shown(*far, range(1, 6), 2)
    torch.manual_seed(5)
    for number in range(3):
        start, end = torch.randn(2, 14)
        yield f"random logits {number}", shown(start, end, range(4, 13), 5)
    yield "logits below 0", shown(START - 9, END - 9, range(3, 9), 3)
    yield "nothing allowed", shown(START, END, range(3, 3), 4)


def search(start, end, allowed, max_tokens, *, order=True, longest=0, score=None, places=None, key=max):
    """All spans in two loops, with one of the rules changed."""
    score = score or (lambda i, j: (start[i] + end[j]).item())
    places = list(allowed if places is None else places)
    spans = [
        (score(i, j), i, j)
        for i in places
        for j in places
        if (i <= j or not order) and (longest is None or j - i < max_tokens + longest)
    ]
    return key(spans, key=lambda span: span[0], default=(-math.inf, 0, 0))


def by_itself(start, end, allowed, max_tokens):
    if not len(allowed):
        return -math.inf, 0, 0
    first = max(allowed, key=lambda place: start[place])
    last = max(allowed, key=lambda place: end[place])
    return (start[first] + end[last]).item(), first, last


def greedy(start, end, allowed, max_tokens):
    if not len(allowed):
        return -math.inf, 0, 0
    first = max(allowed, key=lambda place: start[place])
    last = max(
        (place for place in allowed if first <= place < first + max_tokens), key=lambda place: end[place]
    )
    return (start[first] + end[last]).item(), first, last


def inner_places(start, end, allowed, max_tokens):
    score, first, last = search(start, end, allowed, max_tokens)
    return (score, first - allowed.start, last - allowed.start) if len(allowed) else (score, first, last)


def from_zero(start, end, allowed, max_tokens):
    found = search(start, end, allowed, max_tokens)
    return found if found[0] > 0 or not len(allowed) else (0.0, 0, 0)


def zeros_elsewhere(start, end, allowed, max_tokens):
    if not len(allowed):
        return -math.inf, 0, 0
    inside = slice(allowed.start, allowed.stop)
    scores = (start[inside, None] + end[None, inside]).triu().tril(max_tokens - 1)
    first, last = divmod(scores.argmax().item(), len(allowed))
    return scores[first, last].item(), allowed.start + first, allowed.start + last


def reverse(parts):
    return parts["the end logit is best before the start"]


BEST_MISTAKES = (
    Mistake(
        "each by itself",
        by_itself,
        "you find {yours}, expected {expected} (score, first, last): the best start and the best end are chosen each by "
        "itself, and the end comes out before the start. Only pairs can be compared",
        show=reverse,
    ),
    Mistake(
        "start first, then the end",
        greedy,
        "you find {yours}, expected {expected} (score, first, last): the best start is taken, then the best end behind "
        "it. A somewhat worse start may have a much better end behind it",
        show=reverse,
    ),
    Mistake(
        "order not asked",
        lambda *inputs: search(*inputs, order=False),
        "you find {yours}, expected {expected} (score, first, last): the sum is the largest of all pairs, but its end "
        "stands before its start",
        show=reverse,
    ),
    Mistake(
        "no bound on the length",
        lambda *inputs: search(*inputs, longest=None),
        "of at most two tokens you find {yours}, expected {expected} (score, first, last): yours is longer",
        show=lambda parts: parts["the best start and the best end far apart"],
    ),
    Mistake(
        "one token too long",
        lambda *inputs: search(*inputs, longest=1),
        "of at most two tokens you find {yours}, expected {expected} (score, first, last): how many tokens are from "
        "place 6 to place 8?",
        show=lambda parts: parts["at most two tokens"],
    ),
    Mistake(
        "one token too short",
        lambda *inputs: search(*inputs, longest=-1),
        "of at most one token you find {yours}, expected {expected}: a span of one token has first == last, and "
        "many answers are such",
        show=lambda parts: parts["one token at most"],
    ),
    Mistake(
        "all tokens allowed",
        lambda start, end, allowed, longest: search(start, end, allowed, longest, places=range(len(start))),
        "you find {yours}, expected {expected} (score, first, last): your span lies at [CLS], in the question or in the "
        "last [SEP]. An answer is a piece of the context",
        show=lambda parts: parts["one token allowed"],
    ),
    Mistake(
        "places within the range",
        inner_places,
        "you find {yours}, expected {expected} (score, first, last): yours counts from the first token of the context",
        show=lambda parts: parts["one token allowed"],
    ),
    Mistake(
        "product",
        lambda start, end, *rest: search(start, end, *rest, score=lambda i, j: (start[i] * end[j]).item()),
        "you find {yours}, expected {expected} (score, first, last): the two logits are multiplied. Probabilities may be "
        "multiplied; of their logarithms, and logits are such, one takes the sum",
        show=reverse,
    ),
    Mistake(
        "begins with zero",
        from_zero,
        "where all logits are below 0 you find {yours}, expected {expected}: the comparison begins with 0, which no span "
        "reaches. Logits may have any sign",
        show=lambda parts: parts["logits below 0"],
    ),
    Mistake(
        "first strictly before last",
        lambda start, end, allowed, longest: (
            max(((start[i] + end[j]).item(), i, j) for i in allowed for j in allowed if i < j < i + longest)
            if len(allowed) > 1 < longest
            else (-math.inf, 0, 0)
        ),
        "where one token is allowed you find {yours}, expected {expected}: a span of one token has first == "
        "last",
        show=lambda parts: parts["one token allowed"],
    ),
    Mistake(
        "the place behind the last",
        lambda *inputs: (found := search(*inputs))[:2] + (found[2] + (found[0] > -math.inf),),
        "where one token is allowed you find {yours}, expected {expected} (score, first, last): the last "
        "token itself is asked for, not the place behind it",
        show=lambda parts: parts["one token allowed"],
    ),
    Mistake(
        "probabilities",
        lambda start, end, *rest: search(start.softmax(dim=0), end.softmax(dim=0), *rest),
        "you find {yours}, expected {expected} (score, first, last): you add probabilities. Logits are "
        "compared as they are, or windows could not be compared with each other",
        show=lambda parts: parts["one token allowed"],
    ),
    Mistake(
        "logarithms of probabilities",
        lambda start, end, *rest: search(start.log_softmax(dim=0), end.log_softmax(dim=0), *rest),
        "you find {yours}, expected {expected} (score, first, last): the right span, but its score is one of "
        "probabilities, which add up to 1 in each window. The sum of the logits is asked for",
        show=lambda parts: parts["one token allowed"],
    ),
    Mistake(
        "what is not allowed gets zero",
        zeros_elsewhere,
        "where all logits are below 0 you find {yours}, expected {expected}: pairs that are not allowed have "
        "the score 0 (`triu` and `tril` put zeros), and win",
        show=lambda parts: parts["logits below 0"],
    ),
    Mistake(
        "the end may leave the context",
        lambda start, end, allowed, longest: max(
            (
                ((start[i] + end[j]).item(), i, j)
                for i in allowed
                for j in range(i, min(i + longest, len(end)))
            ),
            default=(-math.inf, 0, 0),
        ),
        "you find {yours}, expected {expected} (score, first, last): your span ends outside of `allowed`. "
        "Both ends lie in it",
        show=reverse,
    ),
)

EXERCISES = (
    Exercise(
        id="15.5",
        name="best_span",
        reference=reading.best_span,
        stub=BEST,
        probe=probe_best,
        hints=(
            "Two loops, over first and over last, and the best sum so far: that is right, and quick enough for the "
            "check. last runs from first to first + max_tokens - 1, and not out of `allowed`.",
            "All sums at once are a table: `start[:, None] + end[None, :]`, row first, column last. What is not allowed "
            "gets -inf: below the diagonal (`triu`), too far right of it (`tril`), outside of the range.",
        ),
        mistakes=BEST_MISTAKES,
        notice="all T x T pairs are looked at, so nothing better can be missed; the bounds on order and length are what "
        "makes the pair a span",
        difficulty=2,
        minutes=15,
        variants=(search,),
    ),
)
