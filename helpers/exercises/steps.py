"""A probe that goes no further than the first thing that is wrong."""

from collections.abc import Callable, Iterator
from typing import Any

from helpers.exercises.comparison import difference

__all__ = ["stepwise"]


def stepwise(
    probe: Callable[[Callable], Iterator[tuple[str, Any]]],
    reference: Callable,
    tolerance: float | None = None,
) -> Callable:
    """A probe that yields the parts of `probe` up to the first one that differs from the reference's.

    So a learner's function is known by its first fault, whatever else is wrong in it.
    """

    def steps(function):
        for (name, result), (_, right) in zip(probe(function), probe(reference), strict=False):
            yield name, result
            if difference(result, right, tolerance) is not None:
                return

    return steps
