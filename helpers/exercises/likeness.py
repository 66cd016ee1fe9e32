"""Which mistake explains a result that no mistake gives as a whole: by the first part that is wrong.

Two programs with the same mistake may differ further on (a second mistake, a corner met in another way). So
where no mistake gives the learner's whole result, the one is named that first goes wrong in the same part,
with the same numbers, if these tell enough and no other mistake fits as well.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from helpers.exercises.comparison import as_text, difference

__all__ = ["first_part", "most_alike"]

MUCH = 12  # characters: so long is what a message shows of several numbers, or of one with its decimals


def most_alike(exercise, yours, right, found: list[tuple]):
    """The mistake that best explains an outcome, of `found`, pairs (mistake, its outcome); or None."""
    mine, expected = parts_of(yours.value), parts_of(right.value)
    first = first_part(mine, expected, exercise.tolerance)
    if first not in mine or not telling(mine[first], expected[first]):
        return None
    scores = []
    for mistake, theirs in found:
        parts = parts_of(theirs.value)
        if first not in parts or first_part(parts, expected, exercise.tolerance) != first:
            continue
        text, theirs_text = (shown_of(exercise, mistake, result.value) for result in (yours, theirs))
        if text != theirs_text:
            continue
        if not alike(mine[first], parts[first], exercise.tolerance):
            if len(text) < MUCH or text == shown_of(exercise, mistake, right.value):
                continue
        common = [name for name in mine if name in parts]
        scores.append((sum(alike(mine[n], parts[n], exercise.tolerance) for n in common), mistake))
    best = max((score for score, _ in scores), default=0)
    winners = [mistake for score, mistake in scores if score == best]
    return winners[0] if len(winners) == 1 else None


def parts_of(value) -> dict:
    """The parts of a probe's result: those of a generator by name, of a tuple or list by place."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, list | tuple):
        return dict(enumerate(value))
    return {"": value}


def first_part(parts: dict, expected: dict, tolerance):
    """The name of the first part that is missing or not as expected; None where all are there and right."""
    for name, value in expected.items():
        if name not in parts or difference(parts[name], value, tolerance):
            return name
    return None


def alike(a, b, tolerance) -> bool:
    return not difference(a, b, tolerance) and not difference(b, a, tolerance)


def telling(value, expected) -> bool:
    """Whether a part says enough to know a mistake by: two things in it differ, or one odd number."""
    mine, theirs = list(leaves(value)), list(leaves(expected))
    if len(mine) != len(theirs):
        return len(mine) > 1
    apart = [a for a, b in zip(mine, theirs, strict=True) if a != b and not isinstance(a, bool)]
    return len(apart) > 1 or any(odd(a) for a in apart)


def odd(value) -> bool:
    """A word, a float other than 0 and 1, a whole number of two digits: not what just anything gives."""
    value = getattr(value, "value", value)  # a number with bounds of its own
    if isinstance(value, float):
        return math.isfinite(value) and value not in (0.0, 1.0, -1.0)
    return len(value) > 1 if isinstance(value, str) else isinstance(value, int) and abs(value) > 9


def leaves(value) -> Iterator[Any]:
    """The single numbers and words of a result."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple | set):
        for inner in value:
            yield from leaves(inner)
    else:
        yield value


def shown_of(exercise, mistake, value) -> str:
    """What a mistake's message would show of a result, as text."""
    show = exercise.show if mistake.show is None else mistake.show
    if not show or "{yours" not in mistake.message:
        return ""
    try:
        part = show(value)
    except Exception as error:  # the result has another form than the probe's
        return type(error).__name__
    return str({k: as_text(v) for k, v in part.items()}) if isinstance(part, Mapping) else as_text(part)
