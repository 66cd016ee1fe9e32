"""How good answers are: accuracy, macro-F1 and each class, with intervals, and which classes are confused.

Support code. Intervals hold for other texts of the same kind and this one trained model: Wilson's for
accuracy (1927), for F1 that of examples drawn anew (bootstrap, Efron and Tibshirani 1993, chapter 13), which
is too narrow where a class has only a few.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

__all__ = ["ClassScore", "Interval", "Scores", "compare_answers", "macro_f1", "score"]


class Interval(NamedTuple):
    """A value from 0 to 1, and where it lies for 95 of 100 other samples of as many texts."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{100 * self.value:.1f}% ({100 * self.low:.1f} to {100 * self.high:.1f})"


class ClassScore(NamedTuple):
    """One class: `precision` of its answers and `recall` of its examples, 0 where there are none."""

    name: str
    precision: float
    recall: float
    f1: float
    examples: int


class Scores(NamedTuple):
    """What answers are worth on labelled texts."""

    accuracy: Interval
    macro_f1: Interval
    classes: list[ClassScore]
    confusion: np.ndarray  # (C, C): rows are the labels, columns the answers

    def as_json(self) -> dict:
        """The same in plain numbers."""
        return {
            "examples": int(self.confusion.sum()),
            "accuracy": self.accuracy._asdict(),
            "macro_f1": self.macro_f1._asdict(),
            "classes": [each._asdict() for each in self.classes],
            "confusion": self.confusion.tolist(),
        }


def score(labels: Sequence[int], answers: Sequence[int], names: Sequence[str], seed: int = 0) -> Scores:
    """Compare answers with labels, both class numbers (N,).

    Macro-F1 is the mean F1 of the classes that stand among labels or answers, as in scikit-learn.
    """
    from scipy.stats import binomtest  # imported where needed: both take seconds
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    labels, answers = np.asarray(labels), np.asarray(answers)
    every = range(len(names))
    precision, recall, f1, support = precision_recall_fscore_support(
        labels, answers, labels=every, zero_division=0
    )
    classes = [
        ClassScore(name, float(p), float(r), float(f), int(n))
        for name, p, r, f, n in zip(names, precision, recall, f1, support, strict=True)
    ]
    weights = _resampled(len(labels), seed)
    right = binomtest(int((labels == answers).sum()), len(labels))
    accuracy = Interval(right.statistic, *right.proportion_ci(method="wilson"))
    ones = np.ones((1, len(labels)))
    macro = _interval(_macro_f1(labels, answers, ones)[0], _macro_f1(labels, answers, weights))
    return Scores(accuracy, macro, classes, confusion_matrix(labels, answers, labels=every))


def compare_answers(
    labels: Sequence[int], first: Sequence[int], second: Sequence[int], seed: int = 0
) -> Interval:
    """Macro-F1 of the first answers minus that of the second, on the same texts drawn anew in pairs."""
    labels, first, second = (np.asarray(each) for each in (labels, first, second))
    weights, ones = _resampled(len(labels), seed), np.ones((1, len(labels)))
    value = _macro_f1(labels, first, ones)[0] - _macro_f1(labels, second, ones)[0]
    return _interval(value, _macro_f1(labels, first, weights) - _macro_f1(labels, second, weights))


def macro_f1(labels: Sequence[int], answers: Sequence[int]) -> float:
    """The mean F1 of the classes that stand among labels or answers, 0 for one without a right answer."""
    from sklearn.metrics import f1_score

    return float(f1_score(labels, answers, average="macro", zero_division=0))


def _resampled(count: int, seed: int, times: int = 1000) -> np.ndarray:
    """How often each of `count` examples is drawn in each of `times` samples: (times, count)."""
    chance = np.random.default_rng(seed)
    times = max(100, min(times, 20_000_000 // count))
    return np.stack([
        np.bincount(chance.integers(count, size=count), minlength=count) for _ in range(times)
    ]).astype(np.float32)  # fmt: skip


def _macro_f1(labels: np.ndarray, answers: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Macro-F1 of every weighting of the examples, (S, N) -> (S,)."""
    classes = np.union1d(labels, answers)
    there = (labels[:, None] == classes).astype(np.float32)  # (N, C)
    said = (answers[:, None] == classes).astype(np.float32)
    both = weights @ there + weights @ said  # (S, C): examples and answers of the class
    f1 = np.divide(2 * (weights @ (there * said)), both, out=np.zeros_like(both), where=both > 0)
    return f1.sum(axis=1) / np.maximum((both > 0).sum(axis=1), 1)


def _interval(value: float, samples: np.ndarray) -> Interval:
    low, high = np.quantile(samples, [0.025, 0.975])
    return Interval(float(value), float(low), float(high))
