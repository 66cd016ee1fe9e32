"""How far away a head looks."""

import torch

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import self_attention as references

SHARE = '''
def my_share_at_distance(probabilities, distance):
    """What tokens give, on average, to the token `distance` places after them: (..., T, T) -> (...).

    distance -1: to the token before them. The mean is over those tokens that have such a neighbor.
    """
    ...
'''


def probe_share(share_at_distance):
    rows = torch.tensor([[0.1, 0.2, 0.7], [0.5, 0.1, 0.4], [0.05, 0.8, 0.15]])
    for distance in (-1, 1, 2, 0):
        yield f"one table, distance {distance}", share_at_distance(rows, distance)
    torch.manual_seed(0)
    stack = torch.randn(2, 3, 5, 5).softmax(dim=-1)  # L = 2, A = 3, T = 5
    yield "layers and heads, distance -1", share_at_distance(stack, -1)
    yield "layers and heads, distance 3", share_at_distance(stack, 3)


def _share(p, distance, *, sign=1, size=None):
    line = p.diagonal(sign * distance, dim1=-2, dim2=-1)
    return line.sum(dim=-1) / (size(p, line) if size else line.shape[-1])


def share_by_loops(p, distance):
    T = p.shape[-1]
    pairs = [p[..., i, i + distance] for i in range(T) if 0 <= i + distance < T]
    return torch.stack(pairs).mean(dim=0)


def share_round_the_end(p, distance):
    T = p.shape[-1]
    return torch.stack([p[..., i, (i + distance) % T] for i in range(T)]).mean(dim=0)


def share_from_negative_places(p, distance):
    T = p.shape[-1]
    return torch.stack([p[..., i, i + distance] for i in range(T) if i + distance < T]).mean(dim=0)


def to_the_one_before(parts):
    return parts["one table, distance -1"].item()


SHARE_MISTAKES = (
    Mistake(
        "looked at, not looking",
        lambda p, distance: _share(p, distance, sign=-1),
        "to the token before go {yours}, expected {expected}: that is what goes to the token after. A row is the token "
        "that looks, a column the one that is looked at",
    ),
    Mistake(
        "divided by T",
        lambda p, distance: _share(p, distance, size=lambda p, line: p.shape[-1]),
        "to the token before go {yours}, expected {expected}: you divide by T = 3, but the first token has none before "
        "it. How many tokens do?",
    ),
    Mistake(
        "sum",
        lambda p, distance: _share(p, distance, size=lambda p, line: 1),
        "to the token before go {yours}, expected {expected}: that is the sum over the tokens, and can be above 1",
    ),
    Mistake(
        "round the end",
        share_round_the_end,
        "to the token before go {yours}, expected {expected}: the first token is said to have the last one before it. "
        "A text is no circle",
    ),
    Mistake(
        "places counted from the end",
        share_from_negative_places,
        "to the token before go {yours}, expected {expected}: for the first token the place before it is -1, and Python "
        "takes that for the last one",
    ),
    Mistake(
        "first two dimensions",
        lambda p, distance: p.diagonal(distance).mean(dim=-1),
        "right for one table; of a stack you take the diagonal along the first two dimensions, layers and heads. The "
        "tokens are the last two",
    ),
    Mistake(
        "all heads together",
        lambda p, distance: p.diagonal(distance, dim1=-2, dim2=-1).mean(),
        "right for one table; of a stack you give one number for all layers and heads, and each head should have its "
        "own",
    ),
    Mistake(
        "the largest",
        lambda p, distance: p.diagonal(distance, dim1=-2, dim2=-1).amax(dim=-1),
        "to the token before go {yours}, expected {expected}: that is the token that gives most; the mean is asked for",
    ),
    Mistake(
        "divided by T - distance",
        lambda p, distance: _share(p, distance, size=lambda p, line: p.shape[-1] - distance),
        "to the token before go {yours}, expected {expected}: you divide by T - distance, and for distance -1 that is T + 1. "
        "How many tokens have one before them?",
    ),
    Mistake(
        "distance without effect",
        lambda p, distance: _share(p, 0),
        "to the token before go {yours}, expected {expected}: that is what tokens give to themselves, whatever `distance` "
        "says",
    ),
    Mistake(
        "both sides",
        lambda p, distance: _share(p, distance) + _share(p, -distance),
        "to the token before go {yours}, expected {expected}: both neighbors are in it, the one before and the one after",
    ),
    Mistake(
        "mean of a column",
        lambda p, distance: p[..., distance].mean(dim=-1),
        "to the token before go {yours}, expected {expected}: that is what all tokens give to one and the same token. Each "
        "has its own neighbor: in the table these lie on a slanted line",
    ),
    Mistake(
        "the first table only",
        lambda p, distance: _share(p if p.ndim == 2 else p[0, 0], distance),
        "right for one table; of a stack you take the first table alone, and each head should have its number",
    ),
)

EXERCISE = Exercise(
    id="4.11",
    name="share_at_distance",
    reference=references.share_at_distance,
    stub=SHARE,
    probe=probe_share,
    hints=(
        "In the table (T, T), where do the probabilities stand that tokens give to the token before them?",
        "`tensor.diagonal(distance, dim1=-2, dim2=-1)` takes a diagonal of the last two dimensions; 0 is the main "
        "one, negative ones lie below it.",
    ),
    mistakes=SHARE_MISTAKES,
    notice="with equal attention to all T tokens every distance would give 1 / T: that is what a head must beat",
    asks={
        "one table, distance -1": "The tokens 1, 2, … have one before them: the mean of what row i gives to column i - 1",
        "one table, distance 2": "Only the tokens that have another two places on count",
        "layers and heads, distance -1": "Each head has its own mean: all dimensions in front stay",
    },
    difficulty=2,
    minutes=6,
    show=to_the_one_before,
    variants=(share_by_loops,),
)
