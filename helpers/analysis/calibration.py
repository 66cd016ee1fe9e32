"""Calibration: whether a classifier that says 80 % is right in 80 % of the cases, and how to mend it.

Support code. Probabilities are arrays or CPU tensors (N, C), as `helpers.classification.predict` gives them;
the confidence of a prediction is its largest probability. Left out: calibration of each class by itself.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from scipy.optimize import minimize_scalar
from scipy.special import softmax
from scipy.stats import binomtest

__all__ = [
    "Reliability",
    "apply_temperature",
    "expected_calibration_error",
    "fit_temperature",
    "reliability",
    "reliability_diagram",
]

TEMPERATURES = (0.01, 100.0)  # where `fit_temperature` looks
MARKERS = "os^Dv"


class Reliability(NamedTuple):
    """One value for each bin of predictions, K in all, from the least to the most confident."""

    confidence: np.ndarray  # (K,) mean confidence
    accuracy: np.ndarray  # (K,) share that is right
    count: np.ndarray  # (K,) how many predictions


def _check(probabilities, labels) -> tuple[np.ndarray, np.ndarray]:
    """Both as arrays, (N, C) in 64 bits and (N,); ValueError for anything else."""
    probabilities, labels = np.asarray(probabilities, dtype=float), np.asarray(labels)
    _check_probabilities(probabilities)
    if labels.shape != probabilities.shape[:1]:
        raise ValueError(
            f"{len(probabilities)} predictions, but labels of shape {labels.shape}: each needs one label"
        )
    if not np.isin(labels, np.arange(probabilities.shape[1])).all():
        raise ValueError(
            f"labels must be 0 to {probabilities.shape[1] - 1}, the columns of the probabilities"
        )
    return probabilities, labels.astype(int)


def _check_probabilities(probabilities: np.ndarray) -> None:
    if probabilities.ndim != 2 or probabilities.shape[0] < 1 or probabilities.shape[1] < 2:
        raise ValueError(
            f"probabilities must be (N, C), N at least 1 and C at least 2, not {probabilities.shape}"
        )
    sums = probabilities.sum(axis=1)
    if not (probabilities >= 0).all() or not np.allclose(sums, 1, rtol=0, atol=1e-3):
        raise ValueError(
            "every row of probabilities must be non-negative and add up to 1: of logits, give the softmax"
        )


def reliability(probabilities, labels, bins: int = 10) -> Reliability:
    """Mean confidence, accuracy and count in `bins` bins of as equal size as ties allow.

    Equal mass and not the equal width of Guo et al. 2017 (section 2): a fine-tuned model is sure of most
    texts, and bins of equal width would hold a handful of texts or none. Equal confidences stay together, so
    there can be fewer bins. ValueError: no examples, unequal lengths, not probabilities, unknown labels.
    """
    probabilities, labels = _check(probabilities, labels)
    if bins < 1:
        raise ValueError(f"there must be at least 1 bin, not {bins}")
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    edges = np.quantile(confidence, np.linspace(0, 1, bins + 1)[1:-1])
    number = np.searchsorted(edges, confidence)  # (N,) the bin of each prediction
    count = np.bincount(number, minlength=bins)
    used = count > 0
    sums = (np.bincount(number, weights=values, minlength=bins)[used] for values in (confidence, right))
    mean_confidence, accuracy = (values / count[used] for values in sums)
    return Reliability(mean_confidence, accuracy, count[used])


def expected_calibration_error(probabilities, labels, bins: int = 10) -> float:
    """The mean distance between accuracy and confidence, 0 to 1, over the bins of `reliability`.

    Guo et al. 2017, section 2, equation 3. Chance alone keeps it above zero, the more so with few examples.
    """
    confidence, accuracy, count = reliability(probabilities, labels, bins)
    return float(np.average(np.abs(accuracy - confidence), weights=count))


def fit_temperature(probabilities, labels) -> float:
    """The temperature T with the least cross-entropy of softmax(logits / T); above 1 for a model too sure.

    Guo et al. 2017, section 4.2; fit it on validation data. The logits are taken to be the log probabilities,
    which differ from them by a constant in each row that the softmax removes. ValueError as in `reliability`,
    and where no T fits: all predictions right (T would go to 0), or no better than chance (to infinity).
    """
    probabilities, labels = _check(probabilities, labels)
    logits = _log(probabilities)

    def cross_entropy(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        return float(np.mean(np.logaddexp.reduce(scaled, axis=1) - scaled[np.arange(len(labels)), labels]))

    bounds = np.log(TEMPERATURES)
    found = minimize_scalar(cross_entropy, bounds=bounds, method="bounded", options={"xatol": 1e-7}).x
    if np.abs(bounds - found).min() < 1e-3:
        raise ValueError(
            f"no temperature in {TEMPERATURES} fits: the predictions are all right, or no better than "
            "chance; give more validation examples, with errors among them"
        )
    return float(np.exp(found))


def apply_temperature(probabilities, temperature: float) -> np.ndarray:
    """softmax(logits / T), (N, C): other confidences, the same predictions. ValueError unless T > 0."""
    probabilities = np.asarray(probabilities, dtype=float)
    _check_probabilities(probabilities)
    if not 0 < temperature < np.inf:
        raise ValueError(f"the temperature must be a number above 0, not {temperature}")
    return softmax(_log(probabilities) / temperature, axis=1)


def _log(probabilities: np.ndarray) -> np.ndarray:
    """Logarithms, with the smallest 32-bit number for a probability that was rounded to 0."""
    return np.log(np.maximum(probabilities, np.finfo(np.float32).tiny))


def reliability_diagram(
    predictions: Mapping[str, np.ndarray], labels, bins: int = 10, axis: Axes | None = None, title: str = ""
) -> Axes:
    """Draw accuracy against confidence for one or several sets of probabilities of the same examples.

    predictions: a name ("before", "after, T = 1.6") for each array (N, C). Bars are 95 % intervals of the
    accuracy in the bin (Wilson 1927); the legend gives the calibration error. Returns the axis.
    """
    if axis is None:
        axis = plt.subplots(figsize=(4.6, 4.2))[1]
    axis.plot([0, 1], [0, 1], color="0.45", linewidth=1, linestyle=":", label="perfectly calibrated")
    lowest = 1.0
    for number, (name, probabilities) in enumerate(predictions.items()):
        confidence, accuracy, count = reliability(probabilities, labels, bins)
        cases = zip(np.rint(accuracy * count).astype(int), count, strict=True)
        ranges = [binomtest(int(right), int(all_)).proportion_ci(method="wilson") for right, all_ in cases]
        bars = [(value - low, high - value) for value, (low, high) in zip(accuracy, ranges, strict=True)]
        error = expected_calibration_error(probabilities, labels, bins)
        axis.errorbar(
            confidence, accuracy, yerr=np.maximum(np.transpose(bars), 0), marker=MARKERS[number % 5],
            markersize=4, capsize=2, elinewidth=0.8, label=f"{name}: error {100 * error:.1f} points",
        )  # fmt: skip
        lowest = min([lowest, *confidence, *(low for low, _ in ranges)])
    margin = 0.02
    axis.set(xlim=(lowest - margin, 1 + margin), ylim=(lowest - margin, 1 + margin), title=title)
    axis.set(xlabel="confidence (mean of the bin)", ylabel="accuracy (share right)")
    axis.legend(loc="upper left", frameon=False, fontsize="small")
    return axis
