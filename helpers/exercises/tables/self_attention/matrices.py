"""Attention with matrix products, mask and dropout."""

import math

import torch
from torch.nn import functional

from helpers import attention
from helpers.exercises.exercise import Exercise, Mistake

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


def attend_asking_the_mask(query, key, value, mask=None, dropout=0.0):
    if mask:
        return _attend(query, key, value, mask, dropout)
    return _attend(query, key, value, None, dropout)


def river(parts):
    return parts["bank"][1][0, 1].item()


def masked_row(parts):
    return parts["with a mask"][1][1, 0]


def attend_dropping_the_values(query, key, value, mask=None, dropout=0.0):
    _, probabilities = _attend(query, key, value, mask)
    return probabilities @ functional.dropout(value, dropout), probabilities


def attend_masking_values(query, key, value, mask=None, dropout=0.0):
    return _attend(query, key, value if mask is None else value * mask.transpose(-2, -1), None, dropout)


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
        "score of 0 is a score like others (as hidden keys made 0 give it). Which score gives the weight 0?",
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
    Mistake(
        "root of dimension 1",
        variant(scale=lambda q, k: 1 / math.sqrt(q.shape[1])),
        "right for one text; in a batch dimension 1 counts the tokens, and you divide by the root of T. D is the last "
        "dimension: with a mask a row is {yours}, expected {expected}",
        show=masked_row,
    ),
    Mistake(
        "if mask",
        attend_asking_the_mask,
        "whether there is a mask is asked by `is not None`: a whole table of true and false is neither true nor false",
    ),
    Mistake(
        "mask not used",
        variant(hide=lambda s, m: s),
        "of a text with two visible keys, the weights of the first query are {yours}, expected {expected}: the mask has no "
        "effect. (`masked_fill` gives a new tensor and leaves the old as it was.)",
        show=masked_row,
    ),
    Mistake(
        "mask multiplied by infinity",
        variant(hide=lambda s, m: s + (1 - m.float()) * float("-inf")),
        "of a text with two visible keys, the weights of the first query are {yours}, expected {expected}: 0 times infinity "
        "is no number. Put the score in where it is wanted, and leave the others alone",
        show=masked_row,
    ),
    Mistake(
        "dropout's own share",
        variant(drop=lambda p, share: functional.dropout(p)),
        "without dropout the context of *bank* is {yours}, expected {expected}: something is dropped, since "
        "`functional.dropout` takes half by itself. Where does the argument go?",
        show=lambda parts: parts["bank"][0][0],
    ),
    Mistake(
        "softmax along the first dimension",
        variant(dim=0),
        "with one query *river* gets the weight {yours}, expected {expected}: softmax runs along the first dimension, so that "
        "a single query gives everything to each key",
    ),
    Mistake(
        "root of the number of queries",
        variant(scale=lambda q, k: 1 / math.sqrt(q.shape[-2])),
        "*bank* gives *river* the weight {yours}, expected {expected}: you divide by the root of T, the number of queries; D "
        "is the last dimension",
    ),
    Mistake(
        "rounded down",
        lambda query, key, value, mask=None, dropout=0.0: _attend(
            query, key, value, mask, dropout, scale=lambda q, k: 1.0, hide=None
        )
        if mask is not None
        else (
            functional.dropout(p := (query @ key.transpose(-2, -1) // math.sqrt(query.shape[-1])).softmax(-1), dropout)
            @ value,
            p,
        ),
        "*bank* gives *river* the weight {yours}, expected {expected}: `//` cuts the scores to whole numbers; `/` doesn't",
    ),
    Mistake(
        "dropout on the values",
        attend_dropping_the_values,
        "right but for `dropout`: you drop numbers of the values. It is probabilities, so that a token now and then does "
        "without a neighbor",
    ),
    Mistake(
        "hidden values made 0",
        attend_masking_values,
        "of a text with two visible keys, the weights of the first query are {yours}, expected {expected}: the values of hidden "
        "keys are 0, but their weights are not, so the others get too little",
        show=masked_row,
    ),
)

EXERCISE = Exercise(
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
    asks={
        "bank": "One text: scores of query times key, divided by √D, softmax along the keys, average of the values",
        "two texts": "With texts in front: only the last two dimensions of the keys are exchanged",
        "with a mask": "Hidden keys get the score -inf before softmax, so that the visible ones share 1 among themselves",
        "with dropout something is drawn": "With a dropout of 0.3 a part of the probabilities becomes 0",
        "rows before dropout sum to 1": "The probabilities that are returned are those before dropout",
        "share kept is 0.6 to 0.8": "With a dropout of 0.3 about seven tenths of the probabilities stay",
        "what is dropped is probabilities": "What is dropped is probabilities, before they meet the values: then a key is lost with all its numbers",
        "the kept are divided by 0.7": "What stays after dropout is divided by 0.7",
    },
    difficulty=2,
    minutes=15,
    show=river,
    variants=(
        lambda query, key, value, mask=None, dropout=0.0: _attend(
            query * query.shape[-1] ** -0.5, key, value, mask, dropout, scale=lambda q, k: 1.0
        ),
    ),
)
