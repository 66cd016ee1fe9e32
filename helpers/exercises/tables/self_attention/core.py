"""Attention: with loops, with matrix products, and a mask for padding."""

import math

import torch
from torch.nn import functional

from helpers import attention
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import self_attention as references

# 4.3 attention_with_loops

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
    yield (
        "large scores",
        attend(500 * asks, 500 * offers, torch.tensor([[1.0, 2.0], [3.0, -1.0], [0.5, 7.0]])),
    )


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
        "the weights are right, but the context of *bank* is {yours}, expected {expected}: it is an average of keys. "
        "What does a token hand over when it is found?",
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
)

# 4.4 scaled_dot_product_attention

ATTENTION = '''
def my_scaled_dot_product_attention(query, key, value, mask=None, dropout=0.0):
    """query (..., T, D), key and value (..., N, D) -> context (..., T, D), probabilities (..., T, N).

    mask: boolean, broadcast to (..., T, N); a key where it is False gets the probability 0.
    dropout: share of the probabilities that `functional.dropout` sets to 0 before they meet the values;
    the probabilities that you return are those before.
    """
    ...
'''


def probe_attention(attend):
    asks, offers = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 0.0], [2.0, 2.0], [0.0, 2.0]])
    yield "bank", attend(asks, offers, torch.tensor([[0.0, 0.0], [2.0, 0.0], [1.0, 1.0]]))
    torch.manual_seed(3)
    query, key, value = torch.randn(2, 3, 4), torch.randn(2, 5, 4), torch.randn(2, 5, 4)  # T = 3, N = 5
    yield "two texts", attend(query, key, value)
    square = torch.randn(3, 4, 4)
    yield "T = N = D", attend(*square)
    visible = torch.tensor([[True, True, True, True, False], [True, True, False, False, False]])[:, None, :]
    yield "with a mask", attend(query, key, value, visible)
    ones = torch.cat([torch.eye(40), torch.ones(40, 40)], dim=1)  # shows the probabilities, and their sums
    both, before = attend(torch.randn(40, 8), torch.randn(40, 8), ones, None, 0.3)
    dropped, sums = both[:, :40], both[:, 40:]
    kept = dropped != 0
    share = kept.float().mean().item()
    again = attend(torch.ones(40, 8), torch.ones(40, 8), ones, None, 0.3)[0]
    yield "with dropout something is drawn", not torch.equal(again[0], again[1])
    yield "rows before dropout sum to 1", bool((before.sum(dim=-1) - 1).abs().max() < 1e-5)
    yield "share kept is 0.6 to 0.8", 0.6 < share < 0.8
    yield (
        "what is dropped is probabilities",
        bool(((dropped.sum(dim=1, keepdim=True) - sums).abs() < 1e-4).all()),
    )
    yield "the kept are divided by 0.7", bool(((dropped - before / 0.7)[kept].abs() < 1e-5).all())


def _attend(query, key, value, mask=None, dropout=0.0, *, scale=None, dim=-1, hide=None, drop=None):
    """Attention with one thing done in another way."""
    scores = query @ key.transpose(-2, -1)
    scores = scores / math.sqrt(query.shape[-1]) if scale is None else scores * scale(query, key)
    if mask is not None:
        scores = (hide or (lambda s, m: s.masked_fill(~m, float("-inf"))))(scores, mask)
    probabilities = scores.softmax(dim=dim)
    dropped = (drop or functional.dropout)(probabilities, dropout)
    return dropped @ value, probabilities


def variant(**changes):
    return lambda *args, **kwargs: _attend(*args, **kwargs, **changes)


def attend_masked_after_softmax(query, key, value, mask=None, dropout=0.0):
    probabilities = (query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])).softmax(dim=-1)
    probabilities = probabilities if mask is None else probabilities * mask
    return functional.dropout(probabilities, dropout) @ value, probabilities


def attend_returning_the_dropped(query, key, value, mask=None, dropout=0.0):
    context, probabilities = _attend(query, key, value, mask)
    dropped = functional.dropout(probabilities, dropout)
    return dropped @ value, dropped


def attend_dropping_the_context(query, key, value, mask=None, dropout=0.0):
    context, probabilities = _attend(query, key, value, mask)
    return functional.dropout(context, dropout), probabilities


def attend_returning_scores(query, key, value, mask=None, dropout=0.0):
    return _attend(query, key, value, mask, dropout)[0], query @ key.transpose(-2, -1) / query.shape[
        -1
    ] ** 0.5


def attend_to_keys(query, key, value, mask=None, dropout=0.0):
    return _attend(query, key, key, mask, dropout)


def attend_divided_after_softmax(query, key, value, mask=None, dropout=0.0):
    _, probabilities = _attend(query, key, value, mask, scale=lambda q, k: 1.0)
    probabilities = probabilities / math.sqrt(query.shape[-1])
    return functional.dropout(probabilities, dropout) @ value, probabilities


def attend_dropping_scores(query, key, value, mask=None, dropout=0.0):
    hide = (lambda s, m: s) if mask is None else (lambda s, m: s.masked_fill(~m, float("-inf")))
    scores = functional.dropout(query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1]), dropout)
    probabilities = hide(scores, mask).softmax(dim=-1)
    return probabilities @ value, probabilities


def river(parts):
    return parts["bank"][1][0, 1].item()


def masked_row(parts):
    return parts["with a mask"][1][1, 0]


ATTENTION_MISTAKES = (
    Mistake(
        "no root",
        variant(scale=lambda q, k: 1.0),
        "*bank* gives *river* the weight {yours}, expected {expected}: the scores are not scaled. What keeps "
        "their spread the same for every D?",
    ),
    Mistake(
        "divided by D",
        variant(scale=lambda q, k: 1 / q.shape[-1]),
        "*bank* gives *river* the weight {yours}, expected {expected}: you divide by D itself, and the formula "
        "does not. Which power of D is the spread of the scores?",
    ),
    Mistake(
        "multiplied by the root",
        variant(scale=lambda q, k: math.sqrt(q.shape[-1])),
        "*bank* gives *river* the weight {yours}, expected {expected}: the scores become larger instead of smaller",
    ),
    Mistake(
        "root of the number of keys",
        variant(scale=lambda q, k: 1 / math.sqrt(k.shape[-2])),
        "*bank* gives *river* the weight {yours}, expected {expected}: you divide by the root of 3, which is the "
        "number of keys. The spread of a score comes from how many products it adds up: which dimension is that?",
    ),
    Mistake(
        "softmax over the queries",
        variant(dim=-2),
        "with one query *river* gets the weight {yours}, expected {expected}: the columns sum to 1, and the rows "
        "should. Whose attention is it that is shared out?",
    ),
    Mistake(
        "mask inverted",
        variant(hide=lambda s, m: s.masked_fill(m, float("-inf"))),
        "of a text with two visible keys, the weights of the first query are {yours}, expected {expected}: you "
        "hide what is visible. What does True mean in this mask?",
        show=masked_row,
    ),
    Mistake(
        "score 0 where hidden",
        variant(hide=lambda s, m: s * m),
        "of a text with two visible keys, the weights of the first query are {yours}, expected {expected}: a "
        "score of 0 is a score like others. Which score gives the weight 0?",
        show=masked_row,
    ),
    Mistake(
        "masked after softmax",
        attend_masked_after_softmax,
        "of a text with two visible keys, the weights of the first query are {yours}, expected {expected}: they "
        "no longer sum to 1, for the hidden keys took their share before they were hidden",
        show=masked_row,
    ),
    Mistake(
        "average of the keys",
        attend_to_keys,
        "the weights are right, but the context of *bank* is {yours}, expected {expected}: it is an average of "
        "keys. What does a token hand over when it is found?",
        show=lambda parts: parts["bank"][0][0],
    ),
    Mistake(
        "scores returned",
        attend_returning_scores,
        "the context is right, but as probabilities you return {yours}, expected {expected}: those are the scores",
        show=lambda parts: parts["bank"][1][0],
    ),
    Mistake(
        "order of the two results",
        lambda *args, **kwargs: _attend(*args, **kwargs)[::-1],
        "your two results seem to be in the wrong order: first the context, then the probabilities",
    ),
    Mistake(
        "context alone",
        lambda *args, **kwargs: _attend(*args, **kwargs)[0],
        "two results are asked for: the context and the probabilities",
    ),
    Mistake(
        "no dropout",
        variant(drop=lambda p, share: p),
        "right but for `dropout`: with 0.3 nothing was dropped. Where do the probabilities meet the values?",
    ),
    Mistake(
        "probabilities after dropout",
        attend_returning_the_dropped,
        "right but for `dropout`: the probabilities that you return are those after it, so their rows don't sum "
        "to 1. Whoever draws them wants to see where the head looks, not what chance left",
    ),
    Mistake(
        "dropout on the context",
        attend_dropping_the_context,
        "right but for `dropout`: you drop numbers of the context, and it should be probabilities, so that a "
        "token now and then does without a neighbor",
    ),
    Mistake(
        "keys with all dimensions turned round",
        lambda query, key, value, mask=None, dropout=0.0: (query @ key.T, None),
        "right for one text; `.T` turns all dimensions of a batch round, and only the last two should change places",
    ),
    Mistake(
        "softmax along dimension 1",
        variant(dim=1),
        "right for one text; in a batch dimension 1 counts the queries, and the keys are the last: with a mask a row is "
        "{yours}, expected {expected}",
        show=masked_row,
    ),
    Mistake(
        "divided after softmax",
        attend_divided_after_softmax,
        "*bank* gives *river* the weight {yours}, expected {expected}: you divide the weights by √D, so they don't sum to "
        "1 any more. It is the scores that are too large",
    ),
    Mistake(
        "mask added",
        variant(hide=lambda s, m: s + m),
        "of a text with two visible keys, the weights of the first query are {yours}, expected {expected}: you add 1 to the "
        "visible scores, and nothing is hidden",
        show=masked_row,
    ),
    Mistake(
        "a score of -1 where hidden",
        variant(hide=lambda s, m: s.masked_fill(~m, -1.0)),
        "of a text with two visible keys, the weights of the first query are {yours}, expected {expected}: -1 is a score "
        "like others. How low must it be for a weight of exactly 0?",
        show=masked_row,
    ),
    Mistake(
        "dropout on the scores",
        attend_dropping_scores,
        "right but for `dropout`: you drop scores, and a score of 0 is a score like others, so no weight becomes 0",
    ),
)

# 4.5 key_mask

KEY_MASK = '''
def my_key_mask(attention_mask):
    """From (B, T), 1 for real tokens and 0 for padding, to booleans (B, 1, T).

    True where a key is visible, the same for every query of a text.
    """
    ...
'''


def probe_key_mask(key_mask):
    yield "two texts", _once(key_mask(torch.tensor([[1, 1, 1], [1, 1, 0]])))
    yield "three texts", _once(key_mask(torch.tensor([[1, 0, 0, 0], [1, 1, 1, 1], [1, 1, 0, 0]])))


def _once(mask):
    """(B, T, T) with the same row for every query is taken for (B, 1, T)."""
    if (
        isinstance(mask, torch.Tensor)
        and mask.ndim == 3
        and mask.shape[1] > 1
        and (mask == mask[:, :1]).all()
    ):
        return mask[:, :1]
    return mask


def second_text(parts):
    return parts["two texts"][1]


KEY_MASK_MISTAKES = (
    Mistake(
        "queries hidden",
        lambda mask: mask.bool()[:, :, None],
        "this hides rows of the table of probabilities, so padding doesn't look, but is looked at. The new dimension "
        "belongs where the queries are counted: before the keys",
    ),
    Mistake(
        "queries and keys hidden",
        lambda mask: mask.bool()[:, None, :] & mask.bool()[:, :, None],
        "you hide the rows of padding, too. A row in which nothing is visible has no weights: 0 / 0. Nobody reads these "
        "rows, so leave them",
    ),
    Mistake(
        "no new dimension",
        lambda mask: mask.bool(),
        "with (B, T) the texts would be taken for queries when the mask meets scores (B, T, T). Where is a dimension of "
        "one missing?",
    ),
    Mistake(
        "inverted",
        lambda mask: (mask == 0)[:, None, :],
        "the second text has two real tokens and gets {yours}, expected {expected}: you hide what is real. What does "
        "True mean here?",
    ),
    Mistake(
        "whole numbers",
        lambda mask: mask[:, None, :],
        "the places are right, but 1 and 0 are no booleans: `~` makes -2 and -1 of them, and nothing is hidden right",
    ),
    Mistake(
        "numbers to add",
        lambda mask: torch.zeros(mask.shape).masked_fill(mask == 0, float("-inf"))[:, None, :],
        "these are numbers that could be added to scores; the course's masks say True and False",
    ),
    Mistake(
        "one text's mask for all",
        lambda mask: mask[:1].bool()[:, None, :].expand(len(mask), 1, -1),
        "the second text has two real tokens and gets {yours}, expected {expected}: every text got the mask of the "
        "first",
    ),
    Mistake(
        "two new dimensions",
        lambda mask: mask.bool()[:, None, None, :],
        "that is the mask for several heads, (B, 1, 1, T), which comes further down; for scores (B, T, T) there is one "
        "dimension too many",
    ),
    Mistake(
        "the new dimension in front",
        lambda mask: mask.bool()[None],
        "the new dimension stands before the texts, so that the texts' masks would be taken for those of queries",
    ),
)

EXERCISES = (
    Exercise(
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
        difficulty=2,
        minutes=12,
        show=bank_in_loops,
        variants=(loops_of_tensors, lambda q, k, v: attention.scaled_dot_product_attention(q, k, v)),
    ),
    Exercise(
        id="4.4",
        name="scaled_dot_product_attention",
        reference=attention.scaled_dot_product_attention,
        stub=ATTENTION,
        probe=probe_attention,
        hints=(
            "The loop above computes one score at a time; one matrix product computes the table of all scores, "
            "(T, D) times (D, N). What must happen to the keys first?",
            "Four steps: scores, divided by the root of D; the mask; softmax along the keys; the average of values.",
            "`scores.masked_fill(~mask, float('-inf'))` gives hidden keys the score that softmax makes 0. The last "
            "step is a matrix product of the dropped probabilities and the values.",
        ),
        mistakes=ATTENTION_MISTAKES,
        notice="no loop is left: for a batch and for many heads the same four lines serve, since only the last two "
        "dimensions are named",
        difficulty=2,
        minutes=15,
        show=river,
        variants=(
            lambda query, key, value, mask=None, dropout=0.0: _attend(
                query * query.shape[-1] ** -0.5, key, value, mask, dropout, scale=lambda q, k: 1.0
            ),
        ),
    ),
    Exercise(
        id="4.5",
        name="key_mask",
        reference=references.key_mask,
        stub=KEY_MASK,
        probe=probe_key_mask,
        hints=(
            "Two steps: true and false from 1 and 0, and a dimension of one so that the row is used for every query.",
            "`[:, None]` puts a new dimension behind the first. The scores have the shape (B, T, T): queries, then keys.",
        ),
        mistakes=KEY_MASK_MISTAKES,
        notice="a dimension of one costs no memory: the row is read again for every query",
        difficulty=1,
        minutes=4,
        show=second_text,
        variants=(
            lambda mask: (mask == 1).unsqueeze(1),
            lambda mask: (mask > 0)[:, None, :].expand(-1, mask.shape[1], -1),
        ),
    ),
)
