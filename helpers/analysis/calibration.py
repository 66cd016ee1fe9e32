"""Calibration: whether a classifier that says 80 % is right in 80 % of the cases, and how to mend it.

Support code. Probabilities are arrays or tensors (N, C), as `helpers.classification.predict` gives them, of
any precision; the confidence of a prediction is its largest probability. Left out: calibration of each class
by itself.
"""

from collections.abc import Mapping
from numbers import Integral
from typing import NamedTuple

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from scipy.optimize import brentq
from scipy.special import softmax
from scipy.stats import binomtest

from helpers.analysis.arrays import as_array, precision

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
    probabilities, labels = _probabilities(probabilities), as_array(labels)
    if labels.shape != probabilities.shape[:1]:
        raise ValueError(
            f"{len(probabilities)} predictions, but labels of shape {labels.shape}: each needs one label"
        )
    if not np.isin(labels, np.arange(probabilities.shape[1])).all():
        raise ValueError(
            f"labels must be 0 to {probabilities.shape[1] - 1}, the columns of the probabilities"
        )
    return probabilities, labels.astype(int)


def _probabilities(given) -> np.ndarray:
    """As an array (N, C) in 64 bits; ValueError for what are no probabilities."""
    probabilities = as_array(given).astype(float)
    if probabilities.ndim != 2 or probabilities.shape[0] < 1 or probabilities.shape[1] < 2:
        raise ValueError(
            f"probabilities must be (N, C), N at least 1 and C at least 2, not {probabilities.shape}"
        )
    sums = probabilities.sum(axis=1)
    tolerance = max(1e-3, precision(given)[0])  # each was rounded to its precision
    if not (probabilities >= 0).all() or not np.allclose(sums, 1, rtol=0, atol=tolerance):
        raise ValueError(
            "every row of probabilities must be non-negative and add up to 1: of logits, give the softmax"
        )
    return probabilities


def reliability(probabilities, labels, bins: int = 10) -> Reliability:
    """Mean confidence, accuracy and count in `bins` bins of as equal size as ties allow.

    Equal mass and not the equal width of Guo et al. 2017 (section 2): a fine-tuned model is sure of most
    texts, and bins of equal width would hold a handful of texts or none. Equal confidences stay together, so
    there can be fewer bins. ValueError: no examples, unequal lengths, not probabilities, unknown labels.
    """
    probabilities, labels = _check(probabilities, labels)
    if isinstance(bins, bool) or not isinstance(bins, Integral) or bins < 1:
        raise ValueError(f"there must be at least 1 bin, and a whole number of them, not {bins!r}")
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
    smallest = precision(probabilities)[1]
    probabilities, labels = _check(probabilities, labels)
    logits = _log(probabilities, smallest)
    right = logits[np.arange(len(labels)), labels]

    def slope(log_temperature: float) -> float:
        """Of the cross-entropy along 1 / T, which grows all the way: where it is 0, the minimum is."""
        expected = (softmax(logits / np.exp(log_temperature), axis=1) * logits).sum(axis=1)
        return float(np.mean(expected - right))

    low, high = np.log(TEMPERATURES)
    # Where every answer is right, the cross-entropy underflows to 0 before T gets there: so by the labels.
    all_right = (right == logits.max(axis=1)).all() or slope(low) <= 0
    if all_right or slope(high) >= 0:
        why = "all right, or nearly so" if all_right else "no better than chance, or hardly"
        raise ValueError(
            f"no temperature in {TEMPERATURES} fits, since the predictions are {why}: give more validation "
            "examples, with errors among them, but fewer than by chance"
        )
    return float(np.exp(brentq(slope, low, high, xtol=1e-9)))


def apply_temperature(probabilities, temperature: float) -> np.ndarray:
    """softmax(logits / T), (N, C): other confidences, the same predictions. ValueError unless T > 0."""
    logits = _log(_probabilities(probabilities), precision(probabilities)[1])
    try:
        temperature = as_array([temperature]).astype(float).item()  # also of a tensor that is trained
        if not 0 < temperature < np.inf:
            raise ValueError
    except (TypeError, ValueError):
        raise ValueError(f"the temperature must be a number above 0, not {temperature}") from None
    with np.errstate(over="ignore"):  # a tiny temperature leaves the largest alone
        return softmax((logits - logits.max(axis=1, keepdims=True)) / temperature, axis=1)


def _log(probabilities: np.ndarray, smallest: float) -> np.ndarray:
    """Logarithms, with the smallest number that the precision (or 32 bits) holds for one rounded to 0."""
    return np.log(np.maximum(probabilities, max(smallest, np.finfo(np.float32).tiny)))


def reliability_diagram(
    predictions: Mapping[str, np.ndarray], labels, bins: int = 10, axis: Axes | None = None, title: str = ""
) -> Axes:
    """Draw accuracy against confidence for one or several sets of probabilities of the same examples.

    predictions: a name ("before", "after, T = 1.6") for each array (N, C). Bars are 95 % intervals of the
    accuracy in the bin (Wilson 1927); the legend gives the calibration error. Returns the axis. ValueError as
    in `reliability`, and without a name for each array.
    """
    if not isinstance(predictions, Mapping) or not predictions:
        raise ValueError('give the predictions under names, such as {"before": probabilities}')
    if axis is None:
        axis = plt.subplots(figsize=(4.6, 4.2))[1]
    axis.plot([0, 1], [0, 1], color="0.45", linewidth=1, linestyle=":", label="perfectly calibrated")
    lowest, labels = 1.0, as_array(labels)
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
