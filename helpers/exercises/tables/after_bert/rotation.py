"""19.2: the pairs of a head's numbers turned by their angles."""

import torch

from helpers import rotary
from helpers.exercises.exercise import Exercise, Mistake

STUB = '''
def my_rotate_pairs(heads, angles):
    """heads (B, A, T, D), angles (T, D / 2) -> (B, A, T, D), each pair turned by its angle.

    Pair i is number i of the first half and number i of the second half: (a, b) becomes
    (a cos - b sin, b cos + a sin).
    """
    ...
'''


def inputs():
    torch.manual_seed(5)
    return torch.randn(2, 3, 4, 6), 2 * torch.rand(4, 3)


def probe(rotate):
    heads, angles = inputs()
    yield "two texts, three heads", rotate(heads.clone(), angles.clone())
    yield "one token, a quarter turn", rotate(torch.tensor([[[[1.0, 2.0]]]]), torch.tensor([[torch.pi / 2]]))


def variant(turn):
    """From the halves a, b and cos, sin to the two halves of the result."""

    def rotate(heads, angles):
        a, b = heads.chunk(2, dim=-1)
        return torch.cat(turn(a, b, angles.cos(), angles.sin()), dim=-1)

    return rotate


def neighbors(heads, angles):
    a, b, cos, sin = heads[..., 0::2], heads[..., 1::2], angles.cos(), angles.sin()
    return torch.stack([a * cos - b * sin, b * cos + a * sin], dim=-1).flatten(-2)


def half_turned_twice(a, b, cos, sin):
    a = a * cos - b * sin
    return a, b * cos + a * sin


def by_head(heads, angles):
    turned = variant(lambda a, b, cos, sin: (a * cos - b * sin, b * cos + a * sin))
    return turned(heads.transpose(1, 2), angles[:3]).transpose(1, 2)


def complex_numbers(heads, angles):
    a, b = heads.chunk(2, dim=-1)
    turned = torch.complex(a, b) * torch.polar(torch.ones_like(angles), angles)
    return torch.cat([turned.real, turned.imag], dim=-1)


def swapped_copy(heads, angles):
    a, b = heads.chunk(2, dim=-1)
    twice = torch.cat([angles, angles], dim=-1)
    return heads * twice.cos() + torch.cat([-b, a], dim=-1) * twice.sin()


def both(read, written):
    """The right formula on halves or neighbors: how pairs are read, and how they are put back."""

    def rotate(heads, angles):
        a, b = heads.chunk(2, dim=-1) if read == "halves" else (heads[..., 0::2], heads[..., 1::2])
        cos, sin = angles.cos(), angles.sin()
        turned = [a * cos - b * sin, b * cos + a * sin]
        if written == "halves":
            return torch.cat(turned, dim=-1)
        return torch.stack(turned, dim=-1).flatten(-2)

    return rotate


def angle(cos, sin):
    return torch.atan2(sin, cos)


def shown(parts):
    return parts["two texts, three heads"][0, 1, 2]


EXERCISE = Exercise(
    id="19.2",
    name="rotate_pairs",
    reference=rotary.rotate_pairs,
    stub=STUB,
    probe=probe,
    show=shown,
    hints=(
        "`heads.chunk(2, dim=-1)` gives the two halves, (B, A, T, D / 2) each: all a and all b.",
        "The cosines are (T, D / 2), so they meet the halves without any reshaping. `torch.cat` puts the two results side by side.",
    ),
    mistakes=(
        Mistake(
            "pairs of neighbors",
            neighbors,
            "a token of head 1 becomes {yours}, expected {expected}: you pair each number with its neighbor, as the paper does. "
            "Here a pair is one number of the first half and one of the second",
        ),
        Mistake(
            "the other way round",
            variant(lambda a, b, cos, sin: (a * cos + b * sin, b * cos - a * sin)),
            "a token of head 1 becomes {yours}, expected {expected}: you turn clockwise. In which of the two formulas stands the minus?",
        ),
        Mistake(
            "plus twice",
            variant(lambda a, b, cos, sin: (a * cos + b * sin, b * cos + a * sin)),
            "a token of head 1 becomes {yours}, expected {expected}: with two plus signs lengths change; a rotation keeps them",
        ),
        Mistake(
            "minus twice",
            variant(lambda a, b, cos, sin: (a * cos - b * sin, b * cos - a * sin)),
            "a token of head 1 becomes {yours}, expected {expected}: with two minus signs lengths change; a rotation keeps them",
        ),
        Mistake(
            "sine and cosine exchanged",
            variant(lambda a, b, cos, sin: (a * sin - b * cos, b * sin + a * cos)),
            "a token of head 1 becomes {yours}, expected {expected}: sine and cosine have changed places, so that an angle of 0 "
            "turns as well",
        ),
        Mistake(
            "the turned half is used again",
            variant(half_turned_twice),
            "a token of head 1 becomes {yours}, expected {expected}: the first half is right, but the second is made from the first "
            "half after it was turned. Both need the numbers from before",
        ),
        Mistake(
            "halves exchanged",
            variant(lambda a, b, cos, sin: (b * cos + a * sin, a * cos - b * sin)),
            "a token of head 1 becomes {yours}, expected {expected}: the right numbers, but the second half stands first",
        ),
        Mistake(
            "only the first half",
            variant(lambda a, b, cos, sin: (a * cos - b * sin, b)),
            "a token of head 1 becomes {yours}, expected {expected}: the second half is as it was. A turn moves both",
        ),
        Mistake(
            "cosine alone",
            variant(lambda a, b, cos, sin: (a * cos, b * cos)),
            "a token of head 1 becomes {yours}, expected {expected}: numbers are shortened, not turned. Where does each half get a "
            "part of the other?",
        ),
        Mistake(
            "angles added",
            variant(lambda a, b, cos, sin: (a + torch.atan2(sin, cos), b + torch.atan2(sin, cos))),
            "a token of head 1 becomes {yours}, expected {expected}: the angles are added to the numbers, as a table of positions "
            "would be. They are angles to turn by",
        ),
        Mistake(
            "an angle for each head",
            lambda heads, angles: (
                by_head(heads, angles) if heads.shape[1] > 1 else complex_numbers(heads, angles)
            ),
            "a token of head 1 becomes {yours}, expected {expected}: it was turned by the angles of token 1, since you give each "
            "head and not each token its own. Tokens are the last dimension but one",
        ),
        Mistake(
            "halves written as neighbors",
            both("halves", "neighbors"),
            "a token of head 1 becomes {yours}, expected {expected}: the right numbers, put back as neighbors. Where did the first "
            "numbers of all pairs come from?",
        ),
        Mistake(
            "neighbors written as halves",
            both("neighbors", "halves"),
            "a token of head 1 becomes {yours}, expected {expected}: the pairs are read as neighbors and written as halves. Which of "
            "the two is asked for here?",
        ),
        Mistake(
            "the angle itself",
            variant(lambda a, b, cos, sin: (x := angle(cos, sin), (a * x - b * x, b * x + a * x))[1]),
            "a token of head 1 becomes {yours}, expected {expected}: the numbers are multiplied by the angles themselves, not by their "
            "sine and cosine",
        ),
        Mistake(
            "each half by itself",
            variant(lambda a, b, cos, sin: (a * cos - a * sin, b * cos + b * sin)),
            "a token of head 1 becomes {yours}, expected {expected}: each half is mixed with itself. In which of the four products "
            "does the other number of the pair stand?",
        ),
        Mistake(
            "one half by sine",
            variant(lambda a, b, cos, sin: (a * cos, b * sin)),
            "a token of head 1 becomes {yours}, expected {expected}: one half is multiplied by the cosine, the other by the sine. How "
            "many products has each of the two formulas?",
        ),
        Mistake(
            "only the second half",
            variant(lambda a, b, cos, sin: (a, b * cos + a * sin)),
            "a token of head 1 becomes {yours}, expected {expected}: the first half is as it was. Does a turn move one of two numbers?",
        ),
        Mistake(
            "the second formula with the letters exchanged",
            variant(lambda a, b, cos, sin: (a * cos - b * sin, a * cos + b * sin)),
            "a token of head 1 becomes {yours}, expected {expected}: the first half is right. In the second formula, which number "
            "meets the cosine?",
        ),
        Mistake(
            "angles repeated side by side",
            lambda heads, angles: (
                heads * (twice := angles.repeat_interleave(2, dim=-1)).cos()
                + torch.cat([-heads.chunk(2, dim=-1)[1], heads.chunk(2, dim=-1)[0]], dim=-1) * twice.sin()
            ),
            "a token of head 1 becomes {yours}, expected {expected}: the angles stand as a, a, b, b, c, c, as they would for "
            "neighbors. Which two numbers need the same angle here?",
        ),
        Mistake(
            "twice the angle",
            lambda heads, angles: complex_numbers(heads, 2 * angles),
            "a token of head 1 becomes {yours}, expected {expected}: it was turned twice",
        ),
    ),
    asks={
        "two texts, three heads": "each of the two new halves is a sum of two products: which half meets the cosine, "
        "which the sine, and where stands the only minus?",
    },
    notice="no length has changed: turning only moves the directions against each other",
    difficulty=2,
    minutes=12,
    variants=(complex_numbers, swapped_copy),
)
