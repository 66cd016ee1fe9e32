"""19.b1: numbers paired as neighbors, angles laid out for halves."""

import torch

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import after_bert as references
from helpers.exercises.sources import planted
from helpers.exercises.tables.after_bert import published


def probe(turn_neighbors):
    torch.manual_seed(4)
    heads, angles = torch.randn(2, 3, 4, 6), 2 * torch.rand(4, 3)
    turned = turn_neighbors(heads.clone(), angles.clone())
    yield "a token", turned[0, 1, 2]
    yield "all", turned
    lengths = [each.unflatten(-1, (3, 2)).norm(dim=-1) for each in (turned, heads)]
    yield "lengths of the pairs kept", bool((lengths[0] - lengths[1]).abs().max() < 1e-4)


def variant(laid_out, cross):
    def turn(heads, angles):
        twice = laid_out(angles)
        return heads * twice.cos() + cross(heads) * twice.sin()

    return turn


def side_by_side(angles):
    return angles.repeat_interleave(2, dim=-1)


def one_after_the_other(angles):
    return torch.cat([angles, angles], dim=-1)


def neighbors(heads, sign=1):
    first, second = heads[..., 0::2], heads[..., 1::2]
    return sign * torch.stack([-second, first], dim=-1).flatten(-2)


def halves(heads):
    first, second = heads.chunk(2, dim=-1)
    return torch.cat([-second, first], dim=-1)


def by_formula(heads, angles):
    a, b, cos, sin = heads[..., 0::2], heads[..., 1::2], angles.cos(), angles.sin()
    return torch.stack([a * cos - b * sin, b * cos + a * sin], dim=-1).flatten(-2)


EXERCISE = Exercise(
    id="19.b1",
    name="turn_neighbors",
    kind="bug",
    source="huggingface/transformers, issue 47328 (July 2026), on the speech decoder of Qwen2.5-Omni",
    reference=references.turn_neighbors,
    stub=planted(published.wrong_turn_neighbors),
    probe=probe,
    show=lambda parts: parts["a token"],
    hints=(
        "Write down for six numbers: which number gets which angle in `twice`, and which number is its partner in `crossed`?",
        "Numbers 0 and 1 are a pair, so both need angle 0: the angles must stand as a, a, b, b, c, c.",
    ),
    mistakes=(
        Mistake(
            "the same in other words",
            variant(one_after_the_other, neighbors),
            "the token becomes {yours}, expected {expected}: the angles stand as a, b, c, a, b, c still. Which angle do numbers 0 and "
            "1 get, and which should they?",
        ),
        Mistake(
            "numbers as halves, put back as neighbors",
            variant(
                one_after_the_other,
                lambda heads: torch.stack([-heads.chunk(2, -1)[1], heads.chunk(2, -1)[0]], dim=-1).flatten(
                    -2
                ),
            ),
            "the token becomes {yours}, expected {expected}: the halves are crossed and put back as neighbors, so a number meets one "
            "that is no partner of it",
        ),
        Mistake(
            "the other line",
            variant(
                one_after_the_other, lambda heads: torch.cat([-heads[..., 1::2], heads[..., 0::2]], dim=-1)
            ),
            "the token becomes {yours}, expected {expected}: the crossed numbers are rearranged to suit the angles, and no longer "
            "suit `heads`. Which of the three has the wrong order?",
        ),
        Mistake(
            "no minus",
            variant(side_by_side, lambda heads: heads.unflatten(-1, (-1, 2)).flip(-1).flatten(-2)),
            "the token becomes {yours}, expected {expected}: the angles are right now, but the crossed numbers have lost their minus, "
            "and lengths change",
        ),
        Mistake(
            "halves instead",
            variant(one_after_the_other, halves),
            "the token becomes {yours}, expected {expected}: a true rotation again, but of other pairs. The weights of this model were "
            "trained with neighbors as pairs",
        ),
        Mistake(
            "halves with the angles of neighbors",
            variant(side_by_side, halves),
            "the token becomes {yours}, expected {expected}: now the angles are laid out for neighbors and the numbers paired as "
            "halves: the same fault, mirrored",
        ),
        Mistake(
            "turned back",
            variant(side_by_side, lambda heads: neighbors(heads, -1)),
            "the token becomes {yours}, expected {expected}: each pair is turned by the right angle, in the wrong direction",
        ),
        Mistake(
            "only half of the angles",
            variant(lambda angles: angles[..., [0, 0, 0, 0, 1, 1]], neighbors),
            "the token becomes {yours}, expected {expected}: both numbers of a pair have one angle now, but the second pair has that "
            "of the first",
        ),
        Mistake(
            "written the wrong way round",
            variant(side_by_side, lambda heads: torch.cat([-heads[..., 1::2], heads[..., 0::2]], dim=-1)),
            "the token becomes {yours}, expected {expected}: the angles are right, but the crossed numbers stand one half after the "
            "other and meet other pairs",
        ),
    ),
    asks={
        "a token": "numbers 0 and 1 are a pair: which angle does each of them get, and which number is its partner in crossed?",
    },
    notice="no shape and no length of a vector as a whole looked wrong; the one thing lost was that scores depend on the distance only",
    difficulty=2,
    minutes=10,
    variants=(by_formula,),
)
