"""Attention, one number at a time."""

import math

import torch

from helpers import attention
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import self_attention as references

LOOPS = '''
def my_attention_with_loops(query, key, value):
    """query (T, D), key and value (N, D) -> context (T, D), probabilities (T, N), one number at a time.

    T tokens look, N tokens are looked at. Large scores must not overflow.
    """
    ...
'''


def probe_loops(attend):
    asks, offers = torch.tensor([[0.0, 1.0], [2.0, 0.0]]), torch.tensor([[0.0, 0.0], [2.0, 2.0], [0.0, 2.0]])
    yield "the, bank", attend(asks, offers, torch.tensor([[0.0, 0.0], [2.0, 0.0], [1.0, 1.0]]))
    yield "T = N", attend(asks, 0.5 * offers[:2] + 1, torch.tensor([[1.0, 3.0], [-2.0, 0.5]]))
    long = torch.tensor([[1.0, 0.5, -1.0], [0.0, 2.0, 1.0], [1.5, -0.5, 0.0], [2.0, 1.0, 0.5]])
    yield "four queries, two keys", attend(long, long[:2] + 0.25, long[2:] - 1)  # T = 4, N = 2, D = 3
    yield (
        "large scores",
        attend(500 * asks, 500 * offers, torch.tensor([[1.0, 2.0], [3.0, -1.0], [0.5, 7.0]])),
    )
    yield "three tokens look at two", attend(offers, asks, torch.tensor([[1.0, 3.0], [-2.0, 0.5]]))


def _loops(query, key, value, *, root=math.sqrt, weigh=None, keep=False, of_keys=False, count=None):
    """The loops with one thing done in another way."""
    (T, D), N = query.shape, count(query, key) if count else len(key)
    contexts, probabilities = torch.zeros(T, value.shape[1]), torch.zeros(T, N)
    for i in range(T):
        scores = torch.stack([(query[i] * key[j]).sum() / root(D) for j in range(N)])
        weights = (weigh or (lambda s: s.softmax(dim=0)))(scores)
        for j in range(N):
            probabilities[i, j] = weights[j]
            part = weights[j] * (key if of_keys else value)[j]
            contexts[i] = part if keep else contexts[i] + part
    return contexts, probabilities


def looping(**options):
    return lambda query, key, value: _loops(query, key, value, **options)


def loops_that_overflow(query, key, value):
    contexts, probabilities = torch.zeros(len(query), value.shape[1]), torch.zeros(len(query), len(key))
    for i in range(len(query)):
        exponentials = [math.exp(query[i] @ key[j] / math.sqrt(query.shape[1])) for j in range(len(key))]
        for j in range(len(key)):
            probabilities[i, j] = exponentials[j] / sum(exponentials)
            contexts[i] += probabilities[i, j] * value[j]
    return contexts, probabilities


def loops_that_overflow_in_tensors(query, key, value):
    contexts, probabilities = torch.zeros(len(query), value.shape[1]), torch.zeros(len(query), len(key))
    for i in range(len(query)):
        exponentials = torch.stack(
            [(query[i] @ key[j] / math.sqrt(query.shape[1])).exp() for j in range(len(key))]
        )
        for j in range(len(key)):
            probabilities[i, j] = exponentials[j] / exponentials.sum()
            contexts[i] += probabilities[i, j] * value[j]
    return contexts, probabilities


def loops_with_one_sum(query, key, value):
    scores = torch.tensor([[sum(q * k) / math.sqrt(len(q)) for k in key] for q in query])
    probabilities = scores.flatten().softmax(dim=0).view(scores.shape)
    return probabilities @ value, probabilities


def loops_of_tensors(query, key, value):
    rows = [torch.stack([q @ k for k in key]).div(query.shape[1] ** 0.5).softmax(dim=0) for q in query]
    return torch.stack([sum(p * v for p, v in zip(row, value, strict=True)) for row in rows]), torch.stack(
        rows
    )


def bank_in_loops(parts):
    return parts["the, bank"][1][1]


def loops_with_a_running_sum(query, key, value):
    """The sum of the exponentials is never begun anew."""
    scores = query @ key.T / math.sqrt(query.shape[1])
    exponentials = (scores - scores.amax(-1, True)).exp()
    probabilities = exponentials / exponentials.sum(dim=-1).cumsum(0)[:, None]
    return probabilities @ value, probabilities


def loops_over_tokens_only(query, key, value):
    context, probabilities = attention.scaled_dot_product_attention(query, key, value)
    return context[0], probabilities[0]


LOOPS_MISTAKES = (
    Mistake(
        "no root",
        looping(root=lambda D: 1.0),
        "*bank* gives the three keys the weights {yours}, expected {expected}: the scores are not divided by √D",
    ),
    Mistake(
        "divided by D itself",
        looping(root=float),
        "*bank* gives the three keys the weights {yours}, expected {expected}: you divide by D, and it is its root",
    ),
    Mistake(
        "no softmax",
        looping(weigh=lambda s: s),
        "*bank* gives the three keys the weights {yours}, expected {expected}: those are its scores. What makes "
        "weights of them that sum to 1?",
    ),
    Mistake(
        "divided by the sum of the scores",
        looping(weigh=lambda s: s / s.sum()),
        "*bank* gives the three keys the weights {yours}, expected {expected}: the scores are divided by their sum; "
        "their exponentials should be",
    ),
    Mistake(
        "one sum for all queries",
        loops_with_one_sum,
        "*bank* gives the three keys the weights {yours}, expected {expected}: the weights of all queries together sum "
        "to 1. Each query has a sum of its own, so where does the sum begin anew?",
    ),
    Mistake(
        "the last value only",
        looping(keep=True),
        "the weights are right, but the context of *bank* is {yours}, expected {expected}: what a later key hands over "
        "replaces what was there. It should be added",
        show=lambda parts: parts["the, bank"][0][1],
    ),
    Mistake(
        "average of the keys",
        looping(of_keys=True),
        "the weights are right, but *bank* takes over {yours}, expected {expected}: an average of keys. By its key a token is "
        "found; what does it hand over then?",
        show=lambda parts: parts["the, bank"][0][1],
    ),
    Mistake(
        "as many keys as queries",
        looping(count=lambda query, key: len(query)),
        "there are two queries and three keys, and yours looks at two keys: N need not be T",
    ),
    Mistake(
        "overflow",
        loops_that_overflow,
        "right for small scores; with large ones the exponential overflows. Which number may be taken from all scores "
        "of a query first?",
        raises=OverflowError,
    ),
    Mistake(
        "overflow in tensors",
        loops_that_overflow_in_tensors,
        "right for small scores; with large ones *bank* gives the weights {yours}, expected {expected}: an exponential "
        "became infinite. Which number may be taken from all scores of a query first?",
        show=lambda parts: parts["large scores"][1][1],
    ),
    Mistake(
        "softmax over the queries",
        lambda query, key, value: (
            (p := (query @ key.T / math.sqrt(query.shape[1])).softmax(dim=0)) @ value,
            p,
        ),
        "*bank* gives the three keys the weights {yours}, expected {expected}: for each key the weights of all queries sum "
        "to 1. It is each query that shares out a 1",
    ),
    Mistake(
        "root of the number of keys",
        lambda query, key, value: ((p := (query @ key.T / math.sqrt(len(key))).softmax(dim=-1)) @ value, p),
        "*bank* gives the three keys the weights {yours}, expected {expected}: you divide by the root of N, the number of "
        "keys; it is D, the numbers in a key",
    ),
    Mistake(
        "exponentials average the values",
        lambda query, key, value: (
            (e := ((s := query @ key.T / math.sqrt(query.shape[1])) - s.amax(-1, True)).exp()) @ value,
            e / e.sum(-1, True),
        ),
        "the weights are right, but the context of *bank* is {yours}, expected {expected}: the values were averaged with "
        "the exponentials, before these were divided by their sum",
        show=lambda parts: parts["the, bank"][0][1],
    ),
    Mistake(
        "the sum goes on",
        loops_with_a_running_sum,
        "the first query is right, but *bank* gives the three keys the weights {yours}, expected {expected}: the sum still "
        "holds what the query before added. Where does it begin at 0?",
    ),
    Mistake(
        "multiplied by the root",
        looping(root=lambda D: 1 / math.sqrt(D)),
        "*bank* gives the three keys the weights {yours}, expected {expected}: the scores are multiplied by √D, and so grow "
        "larger instead of smaller",
    ),
    Mistake(
        "order of the two results",
        lambda query, key, value: attention.scaled_dot_product_attention(query, key, value)[::-1],
        "your two results seem to be exchanged: first the contexts, then the probabilities",
    ),
    Mistake(
        "contexts alone",
        lambda query, key, value: attention.scaled_dot_product_attention(query, key, value)[0],
        "two things are asked for, the contexts and the probabilities, in this order",
    ),
    Mistake(
        "divided after softmax",
        lambda query, key, value: (
            (p := (query @ key.T).softmax(dim=-1) / math.sqrt(query.shape[1])) @ value,
            p,
        ),
        "*bank* gives the three keys the weights {yours}, expected {expected}: the weights are divided by √D, so they don't "
        "sum to 1 any more. It is the scores that are too large",
    ),
    Mistake(
        "return in the loop",
        loops_over_tokens_only,
        "that is the result of the first query alone: does `return` stand inside the loop?",
    ),
    Mistake(
        "rounded down",
        lambda query, key, value: ((p := (query @ key.T // math.sqrt(query.shape[1])).softmax(dim=-1)) @ value, p),
        "*bank* gives the three keys the weights {yours}, expected {expected}: `//` cuts the scores to whole numbers; `/` "
        "doesn't",
    ),
    Mistake(
        "root of the length of the query",
        lambda query, key, value: (
            (p := (query @ key.T / query.norm(dim=1, keepdim=True).clamp_min(1e-9)).softmax(dim=-1)) @ value,
            p,
        ),
        "*bank* gives the three keys the weights {yours}, expected {expected}: you divide by the length of the vector, which "
        "differs from query to query. D is how many numbers it has",
    ),
    Mistake(
        "the largest taken from the query",
        lambda query, key, value: attention.scaled_dot_product_attention(
            query - query.amax(dim=1, keepdim=True), key, value
        ),
        "*the* gives the three keys the weights {yours}, expected {expected}: you take the largest number from the query itself, "
        "before the dot products. It is the largest *score* of a query that may be taken from its scores",
        show=lambda parts: parts["the, bank"][1][0],
    ),
)

EXERCISE = Exercise(
    id="4.3",
    name="attention_with_loops",
    reference=references.attention_with_loops,
    stub=LOOPS,
    probe=probe_loops,
    hints=(
        "One loop over the queries; in it, the scores of this query, one for each key, then its weights, then a "
        "loop that adds weight times value.",
        "Start with `torch.zeros(T, D)` for the contexts and `torch.zeros(T, N)` for the probabilities.",
        "From a list of scores take the largest away before the exponentials; no weight changes.",
    ),
    mistakes=LOOPS_MISTAKES,
    notice="no query knows of another: the loop over i could run in any order, or all at once",
    asks={
        "the, bank": "For each query: its dot product with each key, divided by √D; softmax over the keys; the values, averaged with these weights",
        "large scores": "Take the largest score of a query from all of its scores before the exponential",
    },
    difficulty=2,
    minutes=12,
    show=bank_in_loops,
    variants=(loops_of_tensors, lambda q, k, v: attention.scaled_dot_product_attention(q, k, v)),
)
