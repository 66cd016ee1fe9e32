"""Softmax, and the self-attention that needs nothing learned."""

import torch
from torch.nn import functional

from helpers.exercises.exercise import Exercise, Mistake
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
        "right for small scores, but 0, 1, 300 give {yours}, expected {expected}: what you take away leaves an exponential "
        "that is still too large. "
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
    Mistake(
        "keepdim forgotten, and overflow",
        lambda scores: scores.exp() / scores.exp().sum(dim=-1),
        "the second row of the table is {yours}, expected {expected}: the sums have lost a dimension, so column j is "
        "divided by the sum of row j. (And 1000 overflows: that comes next)",
        show=second_row,
    ),
    Mistake(
        "clamped",
        lambda scores: scores.clamp(max=50).softmax(dim=-1),
        "right for small scores, but 1000, 1001, 999 give {yours}, expected {expected}: cut to one size they can't be "
        "told apart any more. Only their differences count, so move them all by the same",
        show=large_scores,
    ),
    Mistake(
        "each score for itself",
        lambda scores: scores.sigmoid(),
        "the scores 1, 3, 2.5 give {yours}, expected {expected}: each is squeezed between 0 and 1 by itself, so they don't "
        "sum to 1",
        show=first_row,
    ),
)

# 4.2 plain_self_attention

PLAIN = '''
def my_plain_self_attention(tokens):
    """Each token (T, H) becomes an average of all tokens, weighted by its similarity to them: (T, H).

    Nothing is learned: similarity is the dot product, the weights are its softmax.
    """
    ...
'''


def probe_plain(plain_self_attention):
    yield "two tokens", plain_self_attention(torch.tensor([[1.0, 0.0, 0.5], [0.0, 1.5, 0.5]]))
    yield (
        "bank",
        plain_self_attention(
            torch.tensor([[0.0, 0.0, 1.0, 0.0], [2.0, 0.0, 0.0, 0.0], [1.0, 1.0, 0.0, 1.0]])
        ),
    )
    yield "T = H", plain_self_attention(torch.tensor([[1.0, 0.3], [-0.5, 2.0]]))


def _plain(tokens, *, weigh=None, factor=1.0):
    scores = factor * tokens @ tokens.T
    return (weigh or (lambda s: s.softmax(dim=-1)))(scores) @ tokens


def weighing(**options):
    return lambda tokens: _plain(tokens, **options)


def plain_by_loops(tokens):
    rows = []
    for token in tokens:
        weights = torch.stack([token @ other for other in tokens]).softmax(dim=0)
        rows.append(sum(weight * other for weight, other in zip(weights, tokens, strict=True)))
    return torch.stack(rows)


def bank(parts):
    return parts["bank"][2]


PLAIN_MISTAKES = (
    Mistake(
        "no softmax",
        weighing(weigh=lambda s: s),
        "*bank* becomes {yours}, expected {expected}: the similarities themselves are the weights, so they don't sum "
        "to 1, and the longer a vector, the more it counts",
    ),
    Mistake(
        "divided by the sum",
        weighing(weigh=lambda s: s / s.sum(dim=-1, keepdim=True)),
        "*bank* becomes {yours}, expected {expected}: the similarities are divided by their sum. A negative one "
        "would get a negative weight; which function was built for this?",
    ),
    Mistake(
        "softmax down the columns",
        weighing(weigh=lambda s: s.softmax(dim=0)),
        "*bank* becomes {yours}, expected {expected}: the columns of the table sum to 1, and the rows don't. A row "
        "is a token that looks",
    ),
    Mistake(
        "softmax of the whole table",
        weighing(weigh=lambda s: s.flatten().softmax(dim=0).view(s.shape)),
        "*bank* becomes {yours}, expected {expected}: all weights of the table together sum to 1. Every token shares "
        "out a 1 of its own",
    ),
    Mistake(
        "all alike",
        weighing(weigh=lambda s: torch.full_like(s, 1 / len(s))),
        "*bank* becomes {yours}, expected {expected}: every token becomes the plain mean of all; the similarities "
        "have no effect",
    ),
    Mistake(
        "the most similar only",
        weighing(weigh=lambda s: torch.eye(len(s))[s.argmax(dim=-1)]),
        "*bank* becomes {yours}, expected {expected}: you take the most similar token and nothing of the others. "
        "Softmax gives a share to each",
    ),
    Mistake(
        "itself left out",
        weighing(weigh=lambda s: s.masked_fill(torch.eye(len(s)).bool(), float("-inf")).softmax(dim=-1)),
        "*bank* becomes {yours}, expected {expected}: a token may look at itself, too; you left it out",
    ),
    Mistake(
        "scaled",
        lambda tokens: _plain(tokens, factor=tokens.shape[1] ** -0.5),
        "*bank* becomes {yours}, expected {expected}: you divide the scores by √H. Something like it comes later; "
        "here the dot products go into softmax as they are",
    ),
    Mistake(
        "weights returned",
        lambda tokens: (tokens @ tokens.T).softmax(dim=-1),
        "these are the weights (T, T). What is averaged with them?",
    ),
    Mistake(
        "cosines",
        lambda tokens: (
            (functional.normalize(tokens, dim=1) @ functional.normalize(tokens, dim=1).T).softmax(-1) @ tokens
        ),
        "*bank* becomes {yours}, expected {expected}: you compare by the cosine. Similarity is the bare dot product here, "
        "lengths and all",
    ),
    Mistake(
        "one token's weights for all",
        lambda tokens: ((tokens @ tokens[-1]).softmax(dim=0) @ tokens).expand(len(tokens), -1),
        "every token becomes the same: you use the weights of the last token for all. The first token becomes {yours}, "
        "expected {expected}",
        show=lambda parts: parts["bank"][0],
    ),
    Mistake(
        "the token added",
        lambda tokens: tokens + (tokens @ tokens.T).softmax(dim=-1) @ tokens,
        "*bank* becomes {yours}, expected {expected}: the token itself was added to the average. The encoder does that, "
        "in notebook 5; attention alone doesn't",
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
        name="plain_self_attention",
        reference=references.plain_self_attention,
        stub=PLAIN,
        probe=probe_plain,
        hints=(
            "For one token: its dot products with all tokens, softmax, the weighted average of all tokens. A matrix "
            "product does the first step for all tokens at once, and another the last.",
            "`tokens @ tokens.T` is the table of all dot products, (T, T). Along which dimension must its softmax sum "
            "to 1, so that `weights @ tokens` averages?",
        ),
        mistakes=PLAIN_MISTAKES,
        notice="two matrix products and a softmax are all of attention; what comes now only decides what is compared "
        "with what",
        difficulty=1,
        minutes=6,
        show=bank,
        variants=(
            plain_by_loops,
            lambda tokens: torch.einsum("ts,sh->th", (tokens @ tokens.mT).softmax(-1), tokens),
        ),
    ),
)
