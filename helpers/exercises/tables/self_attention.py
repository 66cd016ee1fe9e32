"""Notebook 4: softmax, attention, heads."""

import math

import torch
from torch.nn import functional

from helpers import attention
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.question import Question
from helpers.exercises.references import self_attention as references

# 4.1 softmax

SOFTMAX = '''
def my_stable_softmax(scores):
    """Scores (..., N) -> weights (..., N): positive, and each row, along the last dimension, sums to 1.

    A score of 1000 must not overflow, and one of -inf gives exactly 0.
    """
    ...
'''


def probe_softmax(softmax):
    yield "one row", softmax(torch.tensor([1.0, 3.0, 2.5]))
    table = torch.tensor([[0.0, 1.0, 3.0], [2.0, -1.0, 0.5], [4.0, 0.0, 1.0]])
    yield "a table", softmax(table)
    yield "three tables", softmax(torch.stack([table, 2 * table, table.T]))
    yield "large scores", softmax(torch.tensor([[1000.0, 1001.0, 999.0], [0.0, 1.0, 300.0]]))
    yield "a hidden score", softmax(torch.tensor([[float("-inf"), 2.0, 1.0]]))


def softmax_without_keepdim(scores):
    shifted = (scores - scores.amax(dim=-1, keepdim=True)).exp()
    return shifted / shifted.sum(dim=-1)


def softmax_of_shifted_by_mean(scores):
    shifted = (scores - scores.mean(dim=-1, keepdim=True)).exp()
    return shifted / shifted.sum(dim=-1, keepdim=True)


def softmax_of_shifted_by_the_whole_table(scores):
    shifted = (scores - scores.max()).exp()
    return shifted / shifted.sum(dim=-1, keepdim=True)


def first_row(parts):
    return parts["one row"]


def second_row(parts):
    return parts["a table"][1]


def large_scores(parts):
    return parts["large scores"][0]


SOFTMAX_MISTAKES = (
    Mistake(
        "overflow",
        lambda scores: scores.exp() / scores.exp().sum(dim=-1, keepdim=True),
        "the scores 1000, 1001, 999 give {yours}, expected {expected}: e to the power of 1000 is more than a "
        "float can hold. Which number can be taken from all scores of a row without changing the weights?",
        show=large_scores,
    ),
    Mistake(
        "over the first dimension",
        lambda scores: scores.softmax(dim=0),
        "each column sums to 1 instead of each row: the second row of the table is {yours}, expected {expected}. "
        "Along which dimension do you add up?",
        show=second_row,
    ),
    Mistake(
        "over the second dimension",
        lambda scores: scores.softmax(dim=min(1, scores.ndim - 1)),
        "right for one table, but for a stack of tables you add up along dimension 1, which is not the last one: "
        "{where} yours is {yours}, expected {expected}. Count the dimension from the end",
        show=False,
    ),
    Mistake(
        "over everything",
        lambda scores: (scores - scores.max()).exp() / (scores - scores.max()).exp().sum(),
        "all weights of the table together sum to 1: its second row is {yours}, expected {expected}. "
        "Each row is divided by a sum of its own",
        show=second_row,
    ),
    Mistake(
        "no division",
        lambda scores: (scores - scores.amax(dim=-1, keepdim=True)).exp(),
        "the weights {yours} are positive but don't sum to 1 (expected {expected}): what are they divided by?",
        show=first_row,
    ),
    Mistake(
        "no exponential",
        lambda scores: scores / scores.sum(dim=-1, keepdim=True),
        "the scores 1, 3, 2.5 give {yours}, expected {expected}: the scores themselves are divided by their sum, "
        "so a negative score would get a negative weight. What makes any number positive?",
        show=first_row,
    ),
    Mistake(
        "keepdim forgotten",
        softmax_without_keepdim,
        "the second row of the table is {yours}, expected {expected}: the sums have lost a dimension, so row i "
        "is divided not by its own sum, but column j by the sum of row j. How is that dimension kept?",
        show=second_row,
    ),
    Mistake(
        "shifted by the mean",
        softmax_of_shifted_by_mean,
        "right for small scores, but 0, 1, 300 give {yours}, expected {expected}: 300 is still 200 above the mean. "
        "Which number leaves nothing above 0 when it is taken away?",
        show=lambda parts: parts["large scores"][1],
    ),
    Mistake(
        "shifted by the largest of all rows",
        softmax_of_shifted_by_the_whole_table,
        "0, 1, 300 give {yours}, expected {expected}: you take away 1001, the largest score of another row, and "
        "every exponential of this row becomes 0. Each row needs its own largest score",
        show=lambda parts: parts["large scores"][1],
    ),
    Mistake(
        "logarithms",
        lambda scores: scores.log_softmax(dim=-1),
        "the scores 1, 3, 2.5 give {yours}, expected {expected}: these are the logarithms of the weights",
        show=first_row,
    ),
)

# 4.3 scaled_dot_product_attention

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
)

# 4.4 split_heads

SPLIT_HEADS = '''
def my_split_heads(hidden, num_heads):
    """(B, T, H) -> (B, A, T, D): each head gets its own D = H / A of a token's H numbers."""
    ...
'''


def probe_split_heads(split_heads):
    yield "the figure's numbers", split_heads(torch.arange(18).view(1, 3, 6), 2)
    yield "two texts", split_heads(torch.arange(240).view(2, 5, 24), 8)  # B = 2, T = 5, A = 8, D = 3


def token_one(parts):
    return parts["the figure's numbers"][0, 0, 1]


SPLIT_HEADS_MISTAKES = (
    Mistake(
        "view",
        lambda hidden, heads: hidden.reshape(hidden.shape[0], heads, hidden.shape[1], -1),
        "head 0 got the numbers {yours} for token 1, expected {expected}: asking for (B, A, T, D) at once fills the "
        "new shape in reading order, so a head gets numbers of other tokens. Cut H first, then move the heads",
    ),
    Mistake(
        "interleaved",
        lambda hidden, heads: hidden.unflatten(2, (-1, heads)).permute(0, 3, 1, 2),
        "head 0 got the numbers {yours} for token 1, expected {expected}: you deal the numbers out like cards, and "
        "each head should get neighbors. Which of A and D comes first when H is cut?",
    ),
    Mistake(
        "not moved",
        lambda hidden, heads: hidden.unflatten(2, (heads, -1)),
        "the cut is right, but the heads still stand behind the tokens: attention works on the last two "
        "dimensions, and those must be T and D",
    ),
    Mistake(
        "A and D exchanged",
        lambda hidden, heads: hidden.unflatten(2, (-1, heads)).transpose(1, 2),
        "you made D heads of A numbers; it should be A heads of D numbers",
    ),
    Mistake(
        "heads first",
        lambda hidden, heads: hidden.unflatten(2, (heads, -1)).permute(2, 0, 1, 3),
        "the heads stand before the texts, so the dimensions are (A, B, T, D). The batch stays in front",
    ),
    Mistake(
        "tokens last",
        lambda hidden, heads: hidden.unflatten(2, (heads, -1)).permute(0, 2, 3, 1),
        "the last two dimensions are D and T, and should be T and D: a row for each token",
    ),
    Mistake(
        "heads folded into the batch",
        lambda hidden, heads: hidden.unflatten(2, (heads, -1)).transpose(1, 2).flatten(0, 1),
        "batch and heads have become one dimension; keep them apart, four dimensions in all",
    ),
    Mistake(
        "every head gets everything",
        lambda hidden, heads: hidden[:, None].expand(-1, heads, -1, -1),
        "each head got all H numbers of a token; the heads share them, D = H / A for each",
    ),
)

EXERCISES = (
    Exercise(
        id="4.1",
        name="stable_softmax",
        reference=references.stable_softmax,
        stub=SOFTMAX,
        probe=probe_softmax,
        hints=(
            "The formula has two steps: exponentials, then a division by their sum. Which numbers belong to one sum?",
            "Taking the largest score of a row from all of its scores changes no weight, and then no exponential is "
            "larger than 1.",
            "`amax` and `sum` take `dim=-1` for the last dimension, and `keepdim=True` so that the result still lines "
            "up with the rows.",
        ),
        mistakes=SOFTMAX_MISTAKES,
        notice="adding 1000 to every score changes nothing: softmax sees only differences",
        difficulty=1,
        minutes=8,
        show=first_row,
        variants=(lambda scores: torch.softmax(scores, -1), lambda scores: scores.log_softmax(-1).exp()),
    ),
    Exercise(
        id="4.2",
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
        id="4.3",
        name="split_heads",
        reference=attention.split_heads,
        stub=SPLIT_HEADS,
        probe=probe_split_heads,
        hints=(
            "Two steps: cut the last dimension into A groups of D numbers, then bring the heads before the tokens.",
            "`unflatten(2, (…, …))` cuts dimension 2 into two, or `view` with four sizes does; `transpose` "
            "exchanges two dimensions.",
        ),
        mistakes=SPLIT_HEADS_MISTAKES,
        notice="no number was moved in memory: cutting and exchanging dimensions only changes how it is read",
        difficulty=2,
        minutes=8,
        show=token_one,
        variants=(
            lambda hidden, heads: torch.stack(hidden.chunk(heads, dim=-1), dim=1),
            lambda hidden, heads: hidden.view(*hidden.shape[:2], heads, -1).permute(0, 2, 1, 3),
        ),
    ),
)

QUESTIONS = (
    Question(
        id="4.q1",
        text="Large scores make softmax decide. Of the two numbers 2 and 4, softmax gives the larger one 0.88. What "
        "does it give the larger one of 20 and 40?",
        choices={"a": "0.88, the ratio is the same", "b": "almost 1", "c": "about 0.98"},
        answer="b",
        because="only the difference counts, and it has grown from 2 to 20: e to the power of -20 is nearly nothing.",
        wrong={
            "a": "softmax looks at differences, not at ratios. What is the difference of 20 and 40?",
            "c": "0.98 belongs to a difference of 4. What is the difference of 20 and 40?",
        },
    ),
    Question(
        id="4.q2",
        text="A query and a key have D = 64 independent numbers of mean 0 and variance 1. What is the variance of their "
        "dot product?",
        answer=64,
        tolerance=0.02,
        because="each of the 64 products has variance 1, and variances of independent terms add up.",
    ),
)
