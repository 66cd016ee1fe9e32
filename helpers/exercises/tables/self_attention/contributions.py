"""What each head adds."""

import torch
from torch.nn import functional

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import self_attention as references

CONTRIBUTIONS = '''
def my_head_contributions(context, weight):
    """What each head adds to each token: (A, B, T, H).

    context (B, A, T, D): the heads' results before they are joined. weight (H, H): that of the output layer,
    which computes y = x W^T + b from the joined x. The bias belongs to no head and is left out.
    """
    ...
'''


def probe_contributions(contributions):
    context = torch.tensor([[[[1.0, 2.0]], [[3.0, 5.0]]]])  # B = 1, A = 2, T = 1, D = 2
    weight = torch.tensor(
        [[1.0, 0.0, 10.0, 0.0], [2.0, 1.0, 0.0, 20.0], [0.0, 3.0, 7.0, 0.0], [0.5, 0.0, 0.0, 4.0]]
    )
    yield "one token", contributions(context, weight)
    torch.manual_seed(2)
    yield "two texts", contributions(torch.randn(2, 3, 5, 4), torch.randn(12, 12))  # B, A, T, D = 2, 3, 5, 4


def _blocks(context, weight, *, cut=None, finish=None):
    A, D = context.shape[1], context.shape[3]
    cut = cut or (lambda w, a: w[:, D * a : D * a + D].T)
    return torch.stack([context[:, a] @ cut(weight, a) for a in range(A)])


def contributions_from_rows(context, weight):
    D = context.shape[3]
    return _blocks(context, weight, cut=lambda w, a: w[D * a : D * a + D])


def contributions_interleaved(context, weight):
    A = context.shape[1]
    return _blocks(context, weight, cut=lambda w, a: w[:, a::A].T)


def contributions_with_zeros(context, weight):
    """The other heads' numbers made zero, then joined and multiplied."""
    result = []
    for a in range(context.shape[1]):
        alone = torch.zeros_like(context)
        alone[:, a] = context[:, a]
        result.append(alone.transpose(1, 2).flatten(2) @ weight.T)
    return torch.stack(result)


def what_head_one_adds(parts):
    return parts["one token"][1, 0, 0]


def contributions_of_a_block(context, weight):
    """Rows and columns of the weights are both cut."""
    D = context.shape[3]
    return _blocks(context, weight, cut=lambda w, a: w[D * a : D * a + D, D * a : D * a + D].T)


def contributions_after_the_sum(context, weight):
    """Each head gets the whole result."""
    whole = context.transpose(1, 2).flatten(2) @ weight.T
    return whole.expand(context.shape[1], *whole.shape)


def contributions_without_weights(context, weight):
    A, D = context.shape[1], context.shape[3]
    return torch.stack(
        [functional.pad(context[:, a], (D * a, D * (A - 1 - a))) for a in range(A)]
    )


CONTRIBUTIONS_MISTAKES = (
    Mistake(
        "rows instead of columns",
        contributions_from_rows,
        "head 1 adds {yours}, expected {expected}: you took D rows of the weights. In y = x Wᵀ each number of x meets a "
        "column of W",
    ),
    Mistake(
        "interleaved",
        contributions_interleaved,
        "head 1 adds {yours}, expected {expected}: you took every A-th column. In the joined vector the numbers of a "
        "head are neighbors",
    ),
    Mistake(
        "the first block for every head",
        lambda context, weight: _blocks(context, weight, cut=lambda w, a: w[:, : context.shape[3]].T),
        "head 1 adds {yours}, expected {expected}: every head goes through the columns of head 0",
    ),
    Mistake(
        "blocks in the wrong order",
        lambda context, weight: _blocks(context.flip(1), weight),
        "head 1 adds {yours}, expected {expected}: the heads go through each other's columns",
    ),
    Mistake(
        "mean of the heads",
        lambda context, weight: _blocks(context, weight) / context.shape[1],
        "head 1 adds {yours}, expected {expected}: you divided by the number of heads. A product of matrices adds up "
        "and averages nothing",
    ),
    Mistake(
        "already added up",
        lambda context, weight: _blocks(context, weight).sum(dim=0),
        "this is the sum over the heads; here each head's part is wanted by itself, heads first",
    ),
    Mistake(
        "texts before heads",
        lambda context, weight: _blocks(context, weight).transpose(0, 1),
        "the texts stand before the heads: (B, A, T, H), and (A, B, T, H) is asked for",
    ),
    Mistake(
        "rows and columns cut",
        contributions_of_a_block,
        "you cut D rows and D columns out of the weights. A head has D numbers to put in, so D columns; but it adds to all "
        "H numbers of a token, so all rows stay",
    ),
    Mistake(
        "the whole sum for every head",
        contributions_after_the_sum,
        "head 1 adds {yours}, expected {expected}: that is what all heads add together. What comes out if only this head "
        "gives something?",
    ),
    Mistake(
        "without the weights",
        contributions_without_weights,
        "head 1 adds {yours}, expected {expected}: the head's numbers stand in their place, but they have not gone through "
        "the weights",
    ),
    Mistake(
        "heads counted where tokens are",
        lambda context, weight: _blocks(context.flip(3), weight),
        "head 1 adds {yours}, expected {expected}: within a head, number and column don't belong together",
    ),
)

EXERCISE = Exercise(
    id="4.10",
    name="head_contributions",
    reference=references.head_contributions,
    stub=CONTRIBUTIONS,
    probe=probe_contributions,
    hints=(
        "Imagine that all heads but one gave zeros. Which columns of the weights would still matter?",
        "`weight.split(D, dim=1)` gives A blocks of D columns, each (H, D). A head's result (B, T, D) goes through "
        "its own block as through a linear layer.",
    ),
    mistakes=CONTRIBUTIONS_MISTAKES,
    notice="added over the heads, and with the bias once, this is the module's result: no head's part depends on "
    "another head",
    asks={
        "one token": "The joined vector has D numbers of each head, one head after the other; each number meets the column of the weights with its own place",
    },
    difficulty=3,
    minutes=12,
    show=what_head_one_adds,
    variants=(
        contributions_with_zeros,
        lambda c, w: torch.einsum("batd,had->abth", c, w.unflatten(1, (c.shape[1], -1))),
    ),
)
