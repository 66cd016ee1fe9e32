"""LayerNorm and dropout."""

import torch
from torch.nn import functional

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import input_embeddings as references

# 3.7 layer_norm_by_hand

LAYER_NORM = '''
def my_layer_norm_by_hand(vectors, gain, bias, epsilon=1e-12):
    """Normalize the last dimension of (..., H), then scale and shift it by gain (H,) and bias (H,)."""
    ...
'''


def probe_layer_norm(layer_norm):
    yield "2, 4, 6, 8", layer_norm(torch.tensor([2.0, 4.0, 6.0, 8.0]), torch.ones(4), torch.zeros(4))
    gain, bias = torch.tensor([1.0, 2.0, -1.0, 0.5]), torch.tensor([0.5, 0.0, 1.0, -2.0])
    square = torch.tensor(
        [[1.0, 3.0, 2.0, 7.0], [0.0, -4.0, 5.0, 1.0], [2.0, 2.0, 8.0, 3.0], [9.0, 1.0, 1.0, 0.5]]
    )
    yield "four tokens", layer_norm(square, gain, bias)
    yield "two texts", layer_norm(torch.stack([square[:3], square[1:] ** 2]), gain, bias)
    yield "epsilon 0.5", layer_norm(torch.tensor([2.0, 4.0, 6.0, 8.0]), torch.ones(4), torch.zeros(4), 0.5)


def _norm(
    vectors, gain, bias, epsilon=1e-12, *, dims=(-1,), off=0, root=True, center=True, finish=None, first=False
):
    """LayerNorm with one thing done in another way."""
    dims = (0,) if first else tuple(d for d in dims if d >= -vectors.ndim)
    mean = vectors.mean(dim=dims, keepdim=True)
    variance = ((vectors - mean) ** 2).sum(dim=dims, keepdim=True)
    variance = variance / (variance.numel() and vectors.numel() / variance.numel() - off) + epsilon
    result = (vectors - mean if center else vectors) / (variance.sqrt() if root else variance)
    return finish(result, gain, bias) if finish else gain * result + bias


def normed(**options):
    return lambda vectors, gain, bias, epsilon=1e-12: _norm(vectors, gain, bias, epsilon, **options)


def norm_without_keepdim(vectors, gain, bias, epsilon=1e-12):
    mean = vectors.mean(dim=-1)
    variance = ((vectors - mean) ** 2).mean(dim=-1)
    return gain * (vectors - mean) / (variance + epsilon).sqrt() + bias


def norm_epsilon_outside(vectors, gain, bias, epsilon=1e-12):
    centered = vectors - vectors.mean(dim=-1, keepdim=True)
    return gain * centered / (centered.square().mean(dim=-1, keepdim=True).sqrt() + epsilon) + bias


def norm_by_mean_square(vectors, gain, bias, epsilon=1e-12):
    return gain * vectors / (vectors.square().mean(dim=-1, keepdim=True) + epsilon).sqrt() + bias


def napkin(parts):
    return parts["2, 4, 6, 8"][0].item()


def token_two(parts):
    return parts["four tokens"][1]


LAYER_NORM_MISTAKES = (
    Mistake(
        "variance by H - 1",
        normed(off=1),
        "2, 4, 6, 8: the 2 becomes {yours}, expected {expected}: the variance is divided by H - 1 = 3 (as "
        "`Tensor.var` does unless told otherwise). LayerNorm estimates nothing; it divides by H",
    ),
    Mistake(
        "no root",
        normed(root=False),
        "2, 4, 6, 8: the 2 becomes {yours}, expected {expected}: you divide by the variance, 5. What brings the "
        "spread to 1 is a division by the spread itself",
    ),
    Mistake(
        "not centered",
        normed(center=False),
        "2, 4, 6, 8: the 2 becomes {yours}, expected {expected}: the spread is 1, but the mean isn't 0",
    ),
    Mistake(
        "root mean square",
        norm_by_mean_square,
        "2, 4, 6, 8: the 2 becomes {yours}, expected {expected}: you divide by the root of the mean square and take no "
        "mean away. That is RMSNorm, which later models use; BERT's norm centers first",
    ),
    Mistake(
        "over the tokens",
        normed(dims=(-2,)),
        "the first vector may look right, but of four tokens the second becomes {yours}, expected {expected}: you "
        "normalize each column over the tokens. LayerNorm looks at one token at a time",
        show=token_two,
    ),
    Mistake(
        "over everything",
        normed(dims=(-3, -2, -1)),
        "of four tokens the second becomes {yours}, expected {expected}: one mean and one spread for all tokens "
        "together. Each token has its own",
        show=token_two,
    ),
    Mistake(
        "keepdim forgotten",
        norm_without_keepdim,
        "of four tokens the second becomes {yours}, expected {expected}: the means have lost a dimension, so they are "
        "taken from the columns instead of the rows. How is that dimension kept?",
        show=token_two,
    ),
    Mistake(
        "gain after bias",
        normed(finish=lambda result, gain, bias: gain * (result + bias)),
        "of four tokens the second becomes {yours}, expected {expected}: the bias is scaled, too. In the formula the "
        "gain belongs to the normalized vector alone",
        show=token_two,
    ),
    Mistake(
        "gain and bias exchanged",
        normed(finish=lambda result, gain, bias: bias * result + gain),
        "2, 4, 6, 8 become ones: with gain 1 and bias 0 the 2 gives {yours}, expected {expected}. Which of the two is "
        "multiplied, and which is added?",
    ),
    Mistake(
        "no gain, no bias",
        normed(finish=lambda result, gain, bias: result),
        "right as long as gain is 1 and bias is 0; with others the second of four tokens becomes {yours}, expected "
        "{expected}",
        show=token_two,
    ),
    Mistake(
        "epsilon outside the root",
        norm_epsilon_outside,
        "right for a tiny epsilon. With 0.5 the 2 becomes {yours}, expected {expected}: where does epsilon stand in the "
        "formula, inside the root or outside?",
        show=lambda parts: parts["epsilon 0.5"][0].item(),
    ),
    Mistake(
        "epsilon left out",
        lambda vectors, gain, bias, epsilon=1e-12: _norm(vectors, gain, bias),
        "right for a tiny epsilon. With 0.5 the 2 becomes {yours}, expected {expected}: the argument epsilon has no "
        "effect",
        show=lambda parts: parts["epsilon 0.5"][0].item(),
    ),
    Mistake(
        "Tensor.std",
        lambda vectors, gain, bias, epsilon=1e-12: (
            gain * (vectors - vectors.mean(-1, True)) / (vectors.std(-1, keepdim=True) + epsilon) + bias
        ),
        "2, 4, 6, 8: the 2 becomes {yours}, expected {expected}: `Tensor.std` divides by H - 1 = 3 unless told otherwise, "
        "and epsilon belongs inside the root",
    ),
    Mistake(
        "over the first dimension",
        normed(first=True),
        "of four tokens the second becomes {yours}, expected {expected}: you normalize along the first dimension, which "
        "is the last one only for a single vector. Count from the end",
        show=token_two,
    ),
    Mistake(
        "no gain",
        normed(finish=lambda result, gain, bias: result + bias),
        "right as long as the gain is 1; of four tokens the second becomes {yours}, expected {expected}",
        show=token_two,
    ),
    Mistake(
        "no bias",
        normed(finish=lambda result, gain, bias: gain * result),
        "right as long as the bias is 0; of four tokens the second becomes {yours}, expected {expected}",
        show=token_two,
    ),
    Mistake(
        "mean distance",
        lambda vectors, gain, bias, epsilon=1e-12: (
            gain
            * (vectors - vectors.mean(-1, True))
            / ((vectors - vectors.mean(-1, True)).abs().mean(-1, True) + epsilon)
            + bias
        ),
        "2, 4, 6, 8: the 2 becomes {yours}, expected {expected}: you divide by the mean distance from the mean, 2. The "
        "formula squares first and takes the root of the mean",
    ),
)

# 3.8 dropout_by_hand

DROPOUT = '''
def my_dropout_by_hand(values, p):
    """Zero each number with probability p and scale the others by 1 / (1 - p)."""
    ...
'''


def probe_dropout(dropout):
    nines = torch.full((100, 200), 9.0)
    result = dropout(nines.clone(), 0.2)
    yield "what nines become", sorted({round(x, 3) for x in result.unique().tolist()})
    yield "share of zeros", round((result == 0).float().mean().item(), 1)
    yield "all rows have their zeros at the same places", bool((result == result[0]).all())
    yield "all columns have their zeros at the same places", bool((result == result[:, :1]).all())
    yield "a second call drops the same numbers", bool((dropout(nines.clone(), 0.2) == result).all())
    grid = torch.arange(1.0, 7.0).view(2, 3)
    halved = torch.cat([dropout(grid.clone(), 0.5) / grid for _ in range(20)])
    yield "factors for p = 0.5", sorted({round(x, 3) for x in halved.unique().tolist()})
    yield "p = 0", dropout(grid, 0.0)


def _dropout(values, p, *, draw=None, factor=None):
    keep = torch.rand_like(values) >= p if draw is None else draw(values, p)
    return values * keep * (1 / (1 - p) if factor is None else factor(p))


def dropping(**options):
    return lambda values, p: _dropout(values, p, **options)


def dropout_with_a_seed(values, p):
    torch.manual_seed(0)
    return _dropout(values, p)


def dropout_by_bernoulli(values, p):
    return values * torch.full_like(values, 1 - p).bernoulli() / (1 - p)


def nines(parts):
    return parts["what nines become"]


DROPOUT_MISTAKES = (
    Mistake(
        "not scaled",
        dropping(factor=lambda p: 1.0),
        "with p = 0.2 nines become {yours}, expected {expected}: a fifth is gone, and nothing makes up for it. What "
        "must the others be, so that the mean stays 9?",
    ),
    Mistake(
        "multiplied by 1 - p",
        dropping(factor=lambda p: 1 - p),
        "with p = 0.2 nines become {yours}, expected {expected}: a fifth is gone, and the others were made smaller as "
        "well",
    ),
    Mistake(
        "scaled by 1 / p",
        dropping(factor=lambda p: 1 / torch.tensor(p)),
        "with p = 0.2 nines become {yours}, expected {expected}: the factor is 1 / p. Which share is left, p or 1 - p?",
    ),
    Mistake(
        "p is kept",
        dropping(draw=lambda v, p: torch.rand_like(v) < p, factor=lambda p: 1 / torch.tensor(p)),
        "with p = 0.2 the share of zeros is {yours}, expected {expected}: you take p for the share that is kept",
        show=lambda parts: parts["share of zeros"],
    ),
    Mistake(
        "the wrong side dropped",
        dropping(draw=lambda v, p: torch.rand_like(v) < p),
        "the factor is right, but with p = 0.2 the share of zeros is {yours}, expected {expected}: a number drawn "
        "evenly between 0 and 1 lies below p with probability p. On which side do you keep?",
        show=lambda parts: parts["share of zeros"],
    ),
    Mistake(
        "normal instead of even numbers",
        dropping(draw=lambda v, p: torch.randn_like(v) >= p),
        "with p = 0.2 the share of zeros is {yours}, expected {expected}: the numbers that you draw don't lie evenly "
        "between 0 and 1. `rand` and `randn` differ by a letter",
        show=lambda parts: parts["share of zeros"],
    ),
    Mistake(
        "one draw for all rows",
        dropping(draw=lambda v, p: torch.rand(v.shape[-1]) >= p),
        "every row of the result has its zeros at the same places: all tokens lose the same numbers. Draw anew for "
        "each number",
    ),
    Mistake(
        "whole rows",
        dropping(draw=lambda v, p: torch.rand(v.shape[0], 1) >= p),
        "a row is dropped whole or not at all: some tokens lose everything. Draw anew for each number",
    ),
    Mistake(
        "the same draw at every call",
        dropout_with_a_seed,
        "a second call drops the same numbers: a seed inside the function makes every step of training alike",
    ),
    Mistake(
        "nothing dropped",
        lambda values, p: values * (1 - p),
        "with p = 0.2 nines become {yours}, expected {expected}: no number is dropped; all of them become smaller",
    ),
    Mistake(
        "one draw for everything",
        dropping(draw=lambda v, p: torch.rand(()) >= p),
        "with p = 0.2 nines become {yours}, expected {expected}: there is a single draw, so all numbers go or all stay. "
        "Each number needs its own",
    ),
)

EXERCISES = (
    Exercise(
        id="3.7",
        name="layer_norm_by_hand",
        reference=references.layer_norm_by_hand,
        stub=LAYER_NORM,
        probe=probe_layer_norm,
        hints=(
            "The cell above computes mean and variance of one vector. For (..., H) both are taken along the last "
            "dimension, and must line up with the vectors again.",
            "`vectors.mean(dim=-1, keepdim=True)` has the shape (..., 1), so that it can be taken away from (..., H).",
            "The variance is the mean of the squared differences from the mean; epsilon is added before the root.",
        ),
        mistakes=LAYER_NORM_MISTAKES,
        notice="no number of another token went into a token's result, whatever the shape in front",
        difficulty=2,
        minutes=10,
        show=napkin,
        variants=(
            lambda vectors, gain, bias, epsilon=1e-12: functional.layer_norm(
                vectors, vectors.shape[-1:], gain, bias, epsilon
            ),
            lambda vectors, gain, bias, epsilon=1e-12: (
                bias
                + (vectors - vectors.mean(-1, True))
                * (vectors.var(-1, correction=0, keepdim=True) + epsilon) ** -0.5
                * gain
            ),
        ),
    ),
    Exercise(
        id="3.8",
        name="dropout_by_hand",
        reference=references.dropout_by_hand,
        stub=DROPOUT,
        probe=probe_dropout,
        hints=(
            "Draw a number between 0 and 1 for each value, and compare it with p: with which probability is it below?",
            "`torch.rand_like(values) >= p` is True for the numbers to keep. Times True leaves a number as it is, times "
            "False makes it 0.",
        ),
        mistakes=DROPOUT_MISTAKES,
        notice="only the expected value of each number stays: a single vector may well come out longer or shorter",
        difficulty=1,
        minutes=6,
        show=nines,
        variants=(
            functional.dropout,
            dropout_by_bernoulli,
            lambda values, p: torch.where(torch.rand(values.shape) < p, 0.0, values / (1 - p)),
        ),
    ),
)
