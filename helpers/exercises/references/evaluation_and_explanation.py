"""Taught in notebook 9 and not used again: intervals, a test, calibration, gradients on a path, segments."""

import math
from collections.abc import Callable

import numpy as np
import torch

__all__ = [
    "wilson_interval",
    "mcnemar",
    "t_interval",
    "choose_temperature",
    "calibration_error",
    "path_scores",
    "segments_of",
]


def wilson_interval(right: int, total: int, z: float = 1.959964) -> tuple[float, float]:
    """The 95% interval of an accuracy: `right` answers of `total` (Wilson 1927)."""
    share = right / total
    middle = share + z**2 / (2 * total)
    spread = z * math.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))
    return (middle - spread) / (1 + z**2 / total), (middle + spread) / (1 + z**2 / total)


def mcnemar(first_right: np.ndarray, second_right: np.ndarray) -> float:
    """The two-sided p-value of the exact paired test: booleans (N,) of two classifiers on the same texts."""
    only_first, only_second = (first_right & ~second_right).sum(), (second_right & ~first_right).sum()
    total, fewer = int(only_first + only_second), int(min(only_first, only_second))
    tail = sum(math.comb(total, count) for count in range(fewer + 1)) / 2**total
    return min(1.0, 2 * tail)


def t_interval(values: np.ndarray, t: float) -> tuple[float, float]:
    """The interval of the mean of n runs, mean ± t s / √n (Student 1908); t: for n - 1 degrees of freedom."""
    half = t * np.std(values, ddof=1) / math.sqrt(len(values))
    return float(np.mean(values) - half), float(np.mean(values) + half)


def choose_temperature(
    probabilities: np.ndarray, labels: np.ndarray, test_probabilities: np.ndarray, test_labels: np.ndarray
) -> float:
    """The temperature with the least cross-entropy on the validation part; what is tested plays no part."""
    temperatures = np.geomspace(0.2, 5, 1601)
    logits = np.log(probabilities)[:, :, None] / temperatures  # (N, C, temperatures)
    log_sums = np.log(np.exp(logits).sum(axis=1))  # (N, temperatures)
    losses = (log_sums - logits[np.arange(len(labels)), labels]).mean(axis=0)
    return float(temperatures[losses.argmin()])


def calibration_error(probabilities: np.ndarray, labels: np.ndarray, bins: int = 10) -> float:
    """The mean distance of accuracy from confidence over `bins` groups of equal size (Guo et al. 2017)."""
    confidence = probabilities.max(axis=1)  # (N,)
    right = probabilities.argmax(axis=1) == labels
    groups = np.array_split(confidence.argsort(), bins)  # from the least to the most confident
    gaps = [abs(right[group].mean() - confidence[group].mean()) for group in groups]
    return float(np.average(gaps, weights=[len(group) for group in groups]))


def path_scores(
    gradient: Callable[[np.ndarray], np.ndarray], start: np.ndarray, end: np.ndarray, steps: int = 200
) -> np.ndarray:
    """Integrated gradients: each token's score (T,) on the straight path from `start` to `end`, both (T, H).

    gradient(point) is that of F at a point (T, H). Sundararajan, Taly and Yan 2017, section 3.
    """
    shares = (np.arange(steps) + 0.5) / steps  # the middle of each step
    slope = sum(gradient(start + share * (end - start)) for share in shares) / steps  # (T, H)
    return ((end - start) * slope).sum(axis=1)


def segments_of(ids: torch.Tensor, sep_id: int) -> torch.Tensor:
    """ids (B, T) -> segments (B, T): 0 up to the first [SEP] of a text, that one included, and 1 after it."""
    ends = (ids == sep_id).long()
    return (ends.cumsum(dim=1) - ends).clamp(max=1)
