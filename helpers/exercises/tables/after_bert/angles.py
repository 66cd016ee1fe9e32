"""19.1: by how much each pair of a head's numbers is turned at each place."""

import math

import torch

from helpers import rotary
from helpers.exercises.exercise import Exercise, Mistake

STUB = '''
def my_rotary_angles(places, width, base=10_000.0):
    """Places (T,) -> (T, D / 2): pair i is turned by place / base^(2i / D) radians. width: D."""
    ...
'''


def probe(rotary_angles):
    yield "places 0, 1, 3, 7 and six numbers", rotary_angles(torch.tensor([0, 1, 3, 7]), 6, 100.0)
    yield "places 5 and 2, base 10,000", rotary_angles(torch.tensor([5, 2]), 8)


def made(places, width, base, exponent, outside=lambda angle: angle):
    rows = [
        [outside(place / base ** exponent(i, width)) for i in range(width // 2)] for place in places.tolist()
    ]
    return torch.tensor(rows)


def variant(
    exponent=lambda i, width: 2 * i / width, outside=lambda angle: angle, places=lambda p: p, base=None
):
    return lambda at, width, given=10_000.0: made(places(at), width, base or given, exponent, outside)


def one_by_one(places, width, base=10_000.0):
    return torch.stack([places / base ** (2 * i / width) for i in range(width // 2)], dim=-1)


def third(parts):
    return parts["places 0, 1, 3, 7 and six numbers"][2]


def second(parts):
    return parts["places 5 and 2, base 10,000"][0]


EXERCISE = Exercise(
    id="19.1",
    name="rotary_angles",
    reference=rotary.rotary_angles,
    stub=STUB,
    probe=probe,
    show=third,
    hints=(
        "The exponents 2i / D for i = 0, 1, … are one line of D / 2 numbers. `torch.arange(0, width, 2)` gives 2i.",
        "A column of places (T, 1) divided by a line (D / 2,) is a table (T, D / 2): `places[:, None]`.",
    ),
    mistakes=(
        Mistake(
            "i instead of 2i",
            variant(exponent=lambda i, width: i / width),
            "place 3 has the angles {yours}, expected {expected}: your pairs slow down only half as fast, since the exponent "
            "is i / D. It runs from 0 nearly to 1 over the pairs, so it is 2i / D",
        ),
        Mistake(
            "divided by the pairs",
            variant(exponent=lambda i, width: 4 * i / width),
            "place 3 has the angles {yours}, expected {expected}: 2i is divided by the number of pairs, D / 2, and should be "
            "divided by D",
        ),
        Mistake(
            "faster and faster",
            variant(exponent=lambda i, width: -2 * i / width),
            "place 3 has the angles {yours}, expected {expected}: later pairs are turned more, and should be turned less",
        ),
        Mistake(
            "pairs counted from 1",
            variant(exponent=lambda i, width: 2 * (i + 1) / width),
            "place 3 has the angles {yours}, expected {expected}: no pair of yours turns by one radian a token. i begins at 0",
        ),
        Mistake(
            "degrees",
            variant(outside=math.degrees),
            "place 3 has the angles {yours}, expected {expected}: these are degrees; sine and cosine want radians",
        ),
        Mistake(
            "one after another",
            variant(places=lambda at: torch.arange(len(at))),
            "place 3 has the angles {yours}, expected {expected}: those are the angles of place 2. The third token asked about "
            "stands at place 3: the places are given, and are not always 0, 1, 2, …",
        ),
        Mistake(
            "places from 1",
            variant(places=lambda at: at + 1),
            "place 3 has the angles {yours}, expected {expected}: you count places from 1, so that no token stays as it is",
        ),
        Mistake(
            "the usual base",
            variant(base=10_000.0),
            "place 3 has the angles {yours}, expected {expected}: the base was 100, and you took 10,000",
        ),
        Mistake(
            "evenly spaced",
            lambda at, width, base=10_000.0: torch.stack(
                [at * (1 - 2 * i / width) for i in range(width // 2)], dim=-1
            ),
            "place 3 has the angles {yours}, expected {expected}: your pairs slow down by equal steps. They slow down by equal "
            "factors, powers of the base",
        ),
        Mistake(
            "sines",
            variant(outside=math.sin),
            "place 3 has {yours}, expected {expected}: these are the sines of the angles. The angles alone are asked for",
        ),
        Mistake(
            "whole exponents",
            variant(exponent=lambda i, width: 2 * i // width),
            "place 3 has the angles {yours}, expected {expected}: all pairs are turned alike, as if every exponent were 0. What "
            "does // make of 2 / 6 and 4 / 6?",
        ),
        Mistake(
            "down to the base",
            variant(exponent=lambda i, width: i / max(width // 2 - 1, 1)),
            "place 3 has the angles {yours}, expected {expected}: your exponents run from 0 to 1, both ends included. What is "
            "2i / D for the last pair?",
        ),
        Mistake(
            "the quotient in another order",
            lambda at, width, base=10_000.0: at[:, None] / base ** torch.arange(0, width, 2) / width,
            "place 3 has the angles {yours}, expected {expected}: powers bind more than division, so base is raised to 2i, and D "
            "divides the whole. What belongs into the exponent?",
        ),
        Mistake(
            "without the place",
            lambda at, width, base=10_000.0: made(torch.ones_like(at), width, base, lambda i, w: 2 * i / w),
            "place 3 has the angles {yours}, expected {expected}: every token is turned alike, by what one step turns. Where do "
            "the places come in?",
        ),
        Mistake(
            "cosines",
            variant(outside=math.cos),
            "place 3 has {yours}, expected {expected}: these are the cosines of the angles. What is asked for here, and what later?",
        ),
        Mistake(
            "an angle for each number",
            lambda at, width, base=10_000.0: torch.stack(
                [at / base ** (i / width) for i in range(width)], dim=-1
            ),
            "each of the D numbers has an angle of its own. How many pairs do D numbers make?",
            show=False,
        ),
        Mistake(
            "only one place",
            lambda at, width, base=10_000.0: made(
                torch.full_like(at, int(at[-1])), width, base, lambda i, w: 2 * i / w
            ),
            "place 3 has the angles {yours}, expected {expected}: all your tokens have the angles of the last one",
        ),
    ),
    asks={
        "places 0, 1, 3, 7 and six numbers": "a table (T, D / 2): token 0 is not turned at all, token 1 by 1 radian in pair 0. "
        "What do you have there, and what becomes of it from pair to pair?",
    },
    notice="the first pair goes round once in 2π, some six tokens; with base 10,000 and 64 numbers the last one takes some "
    "47,000 tokens",
    difficulty=1,
    minutes=8,
    variants=(one_by_one, variant()),
)
