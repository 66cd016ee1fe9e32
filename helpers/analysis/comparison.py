"""How sure a result is: intervals over training runs, and paired tests on the same test examples.

Left out: corrections for many comparisons, and tests over several data sets.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from helpers.analysis.arrays import as_array

__all__ = [
    "Difference",
    "McNemar",
    "Summary",
    "compare_runs",
    "mcnemar_exact",
    "paired_bootstrap",
    "prediction_interval",
    "summarize",
]


class Summary(NamedTuple):
    """Several runs of one method: `deviation` is theirs, `low` and `high` enclose the mean of such runs."""

    runs: int
    mean: float
    deviation: float  # standard deviation, n - 1 in the denominator
    low: float
    high: float


class Difference(NamedTuple):
    """First method minus second: the mean over the test examples (and runs), and its interval."""

    mean: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Whether the interval excludes zero."""
        return self.low > 0 or self.high < 0


class McNemar(NamedTuple):
    """On how many examples only the first or only the second is right, and the two-sided p-value."""

    only_first: int
    only_second: int
    p_value: float


def summarize(values: Sequence[float], confidence: float = 0.95) -> Summary:
    """Mean, standard deviation and t-interval of the mean of independent runs (Student 1908).

    The interval is mean ± t s / √n: it says where the mean of very many runs lies, not where the next one
    falls (see `prediction_interval`). ValueError for fewer than two runs or values that are not finite.
    """
    values = _runs(values, confidence)
    mean, deviation = float(values.mean()), float(values.std(ddof=1))
    half = _t(len(values), confidence) * deviation / math.sqrt(len(values))
    return Summary(len(values), mean, deviation, mean - half, mean + half)


def prediction_interval(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float]:
    """Where one new run of the same method falls: mean ± t s √(1 + 1 / n), if runs are normal.

    Hahn and Meeker 1991, Statistical Intervals, chapter 4. ValueError as in `summarize`.
    """
    values = _runs(values, confidence)
    half = _t(len(values), confidence) * values.std(ddof=1) * math.sqrt(1 + 1 / len(values))
    return float(values.mean() - half), float(values.mean() + half)


def paired_bootstrap(
    first: np.ndarray, second: np.ndarray, resamples: int = 10_000, confidence: float = 0.95, seed: int = 0
) -> Difference:
    """The difference of two methods on the same test examples, with a percentile bootstrap interval.

    first, second: points from 0 to 1, each (N,) for one run or (S, N) for S runs, which are averaged; the
    numbers of runs may differ. Test examples are drawn anew in pairs (Efron and Tibshirani 1993, chapter 13;
    Koehn 2004). The interval holds for other examples and these runs; `compare_runs` for other runs as well.
    ValueError for unequal numbers of examples, fewer than two, or points not finite.
    """
    first, second = _pair(first, second)
    _check_confidence(confidence)
    if resamples < 1:
        raise ValueError(f"resamples must be at least 1, not {resamples}")
    chance = np.random.default_rng(seed)
    differences = first.mean(axis=0) - second.mean(axis=0)  # (N,)
    draws = (chance.integers(len(differences), size=len(differences)) for _ in range(resamples))
    means = [differences[draw].mean() for draw in draws]
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Difference(float(differences.mean()), float(low), float(high))


def compare_runs(
    first: np.ndarray, second: np.ndarray, same_seeds: bool = False, confidence: float = 0.95
) -> Difference:
    """The difference of two methods, with an interval that holds for other seeds and other test examples.

    first, second: points from 0 to 1, each (N,) or (S, N) for S runs; one run is taken as a method without
    chance. Each source of luck has a half-width of Student's t: that of the runs (at most S - 1 degrees of
    freedom, which is wide for few runs, as it should be) and that of the examples, in pairs. The squares of
    the half-widths add up (Zou and Donner 2008). same_seeds: run i of both shares its draws, so differences
    are taken run by run. ValueError as in `paired_bootstrap`, and for same_seeds with unequal runs.
    """
    first, second = _pair(first, second)
    _check_confidence(confidence)
    if same_seeds and len(first) != len(second):
        raise ValueError(
            f"{len(first)} runs against {len(second)}: the same seeds need equal numbers of runs"
        )
    differences = first.mean(axis=0) - second.mean(axis=0)  # (N,)
    by_run = (
        [(first - second).mean(axis=1)] if same_seeds else [each.mean(axis=1) for each in (first, second)]
    )
    sources = [differences, *(runs for runs in by_run if len(runs) > 1)]
    half = math.sqrt(sum(
        _t(len(values), confidence) ** 2 * values.var(ddof=1) / len(values) for values in sources
    ))  # fmt: skip
    mean = float(differences.mean())
    return Difference(mean, mean - half, mean + half)


def mcnemar_exact(first_right: Sequence[bool], second_right: Sequence[bool]) -> McNemar:
    """The exact paired test of two single runs: are the examples that only one gets right split evenly?

    McNemar 1947; for classifiers Dietterich 1998, section 3.1, who uses the approximation by chi squared.
    Two-sided; 1.0 where no example tells the two apart. ValueError for unequal numbers of answers, or none.
    """
    first, second = (as_array(right) for right in (first_right, second_right))
    if first.shape != second.shape or first.ndim != 1 or not first.size:
        raise ValueError(
            f"answers of the shapes {first.shape} and {second.shape}: give one right or wrong per example, "
            "for the same examples"
        )
    if not all(np.isin(right, (0, 1)).all() for right in (first, second)):
        raise ValueError("McNemar's test needs right (1) or wrong (0): use paired_bootstrap for other points")
    only_first, only_second = int((first > second).sum()), int((first < second).sum())
    total = only_first + only_second
    p_value = float(stats.binomtest(only_first, total).pvalue) if total else 1.0
    return McNemar(only_first, only_second, p_value)


def _runs(values: Sequence[float], confidence: float) -> np.ndarray:
    values = as_array(values).astype(float)
    _check_confidence(confidence)
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(f"an interval over runs needs at least 2 of them, not {values.size}: use more seeds")
    if not np.isfinite(values).all():
        raise ValueError("some runs are not finite numbers: leave them out, and say so")
    return values


def _points(points: np.ndarray) -> np.ndarray:
    """(S, N) for one run or several."""
    points = as_array(points).astype(float)
    points = points[None] if points.ndim == 1 else points
    if points.ndim != 2 or not points.size:
        raise ValueError(f"points must be (examples,) or (runs, examples) and some, not {points.shape}")
    if not np.isfinite(points).all():
        raise ValueError("some points are not finite numbers: give 1 for right and 0 for wrong")
    return points


def _pair(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as (S, N) with the same N, at least 2."""
    first, second = _points(first), _points(second)
    if first.shape[1] != second.shape[1]:
        raise ValueError(
            f"{first.shape[1]} examples against {second.shape[1]}: a paired comparison needs the points of "
            "both methods on the same examples"
        )
    if first.shape[1] < 2:
        raise ValueError("one example has no spread: an interval over examples needs at least 2 of them")
    return first, second


def _check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is a share between 0 and 1, such as 0.95, not {confidence}")


def _t(runs: int, confidence: float) -> float:
    return float(stats.t.ppf((1 + confidence) / 2, runs - 1))
