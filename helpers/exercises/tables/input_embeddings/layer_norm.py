"""LayerNorm by hand."""

import torch
from torch.nn import functional

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import input_embeddings as references

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


def norm_of_parts(vectors, gain, bias, epsilon=1e-12, *, mean=True, variance=True, join=None, centered=True):
    """LayerNorm whose mean or variance loses its dimension, or is not of the centered numbers."""
    middle = vectors.mean(dim=-1, keepdim=mean)
    spread = ((vectors - middle if centered else vectors) ** 2).mean(dim=-1, keepdim=variance) + epsilon
    if join:
        return join(vectors - middle, spread, gain, bias)
    return gain * (vectors - middle) / spread.sqrt() + bias


def in_parts(**options):
    return lambda vectors, gain, bias, epsilon=1e-12: norm_of_parts(vectors, gain, bias, epsilon, **options)


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
    Mistake(
        "sum of squares",
        lambda vectors, gain, bias, epsilon=1e-12: (
            gain
            * (vectors - vectors.mean(-1, True))
            / ((vectors - vectors.mean(-1, True)).square().sum(-1, True) + epsilon).sqrt()
            + bias
        ),
        "2, 4, 6, 8: the 2 becomes {yours}, expected {expected}: you divide by the root of the sum of squares; the "
        "variance is their mean",
    ),
    Mistake(
        "the mean without its dimension",
        in_parts(mean=False),
        "of four tokens the second becomes {yours}, expected {expected}: the mean has lost a dimension (the variance hasn't), "
        "so from each column the mean of a row is taken",
        show=token_two,
    ),
    Mistake(
        "the variance without its dimension",
        in_parts(variance=False),
        "of four tokens the second becomes {yours}, expected {expected}: the variance has lost a dimension (the mean hasn't), "
        "so each column is divided by the spread of a row",
        show=token_two,
    ),
    Mistake(
        "the mean of squares instead of the variance",
        in_parts(centered=False),
        "2, 4, 6, 8: the 2 becomes {yours}, expected {expected}: you divide by the root of the mean of the squares, 30; the "
        "variance is the mean of the squared distances from the mean",
    ),
    Mistake(
        "multiplied by the root",
        in_parts(join=lambda x, spread, gain, bias: gain * x * spread.sqrt() + bias),
        "2, 4, 6, 8: the 2 becomes {yours}, expected {expected}: you multiply by the spread, and the numbers should be "
        "divided by it",
    ),
    Mistake(
        "bias taken away",
        in_parts(join=lambda x, spread, gain, bias: gain * x / spread.sqrt() - bias),
        "of four tokens the second becomes {yours}, expected {expected}: the bias is taken "
        "away instead of added",
        show=token_two,
    ),
    Mistake(
        "gain added",
        in_parts(join=lambda x, spread, gain, bias: gain + x / spread.sqrt() + bias),
        "2, 4, 6, 8: the 2 becomes {yours}, expected {expected}: the gain is added. It scales, so it is multiplied",
    ),
    Mistake(
        "the bias divided, too",
        in_parts(join=lambda x, spread, gain, bias: (gain * x + bias) / spread.sqrt()),
        "of four tokens the second becomes {yours}, expected {expected}: the bias is divided "
        "by the spread, too. It comes at the very end",
        show=token_two,
    ),
    Mistake(
        "the gain's spread",
        in_parts(join=lambda x, spread, gain, bias: x / (gain * spread.sqrt()) + bias),
        "of four tokens the second becomes {yours}, expected {expected}: you divide by the "
        "gain",
        show=token_two,
    ),
)

EXERCISE = Exercise(
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
    asks={
        "2, 4, 6, 8": "Mean 5, variance 5: the numbers become -3, -1, 1, 3, each divided by the root of 5",
        "four tokens": "Each row by itself: its own mean, its own spread; then each column its own gain and bias",
        "two texts": "Only the last dimension is normalized, however many stand in front",
    },
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
)
