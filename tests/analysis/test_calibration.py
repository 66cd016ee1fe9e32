"""Calibration, against scikit-learn, against data whose temperature is known, and by hand."""

import matplotlib
import numpy as np
import pytest
import torch
from scipy.special import softmax
from sklearn.calibration import calibration_curve
from sklearn.metrics import log_loss

from helpers.analysis.calibration import (
    apply_temperature,
    expected_calibration_error,
    fit_temperature,
    reliability,
    reliability_diagram,
)

matplotlib.use("agg")


def make_predictions(count, classes=3, temperature=1.0, seed=0):
    """Labels drawn from softmax(logits / temperature): what a model with these logits is wrong by."""
    dice = np.random.default_rng(seed)
    logits = 2 * dice.normal(size=(count, classes))
    chances = softmax(logits / temperature, axis=1).cumsum(axis=1)
    labels = (dice.random((count, 1)) > chances).sum(axis=1).clip(max=classes - 1)
    return logits, softmax(logits, axis=1), labels


@pytest.mark.parametrize("count, bins", [(1000, 10), (237, 7), (12, 5), (30, 1)])
@pytest.mark.parametrize("classes", [2, 4])
def test_bins_are_scikit_learns(count, bins, classes):
    _, probabilities, labels = make_predictions(count, classes)
    right = probabilities.argmax(axis=1) == labels
    accuracy, confidence = calibration_curve(
        right, probabilities.max(axis=1), n_bins=bins, strategy="quantile"
    )
    found = reliability(probabilities, labels, bins)
    np.testing.assert_allclose(found.accuracy, accuracy)
    np.testing.assert_allclose(found.confidence, confidence)
    assert found.count.sum() == count and np.ptp(found.count) <= 2
    assert np.average(found.accuracy, weights=found.count) == pytest.approx(right.mean())


def test_equal_confidences_stay_together():
    probabilities = [[0.5, 0.5]] * 3 + [[0.9, 0.1]] * 5 + [[0.0, 1.0]] * 2
    labels = [0, 0, 1, 0, 0, 0, 0, 1, 1, 1]
    found = reliability(probabilities, labels, 10)
    order = np.random.default_rng(0).permutation(10)
    again = reliability(np.array(probabilities)[order], np.array(labels)[order], 10)
    for result in (found, again):
        assert result.count.tolist() == [3, 5, 2]
        np.testing.assert_allclose(result.confidence, [0.5, 0.9, 1.0])
        np.testing.assert_allclose(result.accuracy, [2 / 3, 0.8, 1.0])
    # (3 * |2/3 - 1/2| + 5 * |0.8 - 0.9| + 2 * 0) / 10
    assert expected_calibration_error(probabilities, labels) == pytest.approx(0.1)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
@pytest.mark.parametrize("classes", [2, 3])
def test_known_temperature_is_found(temperature, classes):
    _, probabilities, labels = make_predictions(40_000, classes, temperature)
    found = fit_temperature(probabilities, labels)
    assert found == pytest.approx(temperature, rel=0.05)
    mended = apply_temperature(probabilities, found)
    assert expected_calibration_error(mended, labels) < 0.015
    if temperature != 1:
        assert expected_calibration_error(probabilities, labels) > 0.05


def test_temperature_is_the_best_one():
    logits, probabilities, labels = make_predictions(500, temperature=1.7)
    found = fit_temperature(torch.tensor(probabilities, dtype=torch.float32), torch.tensor(labels))
    losses = {t: log_loss(labels, softmax(logits / t, axis=1)) for t in (0.98 * found, found, 1.02 * found)}
    assert min(losses, key=losses.get) == found
    grid = min(
        np.geomspace(found / 2, 2 * found, 500), key=lambda t: log_loss(labels, softmax(logits / t, axis=1))
    )
    assert found == pytest.approx(grid, rel=0.003)


def test_predictions_stay_the_same():
    logits, probabilities, _ = make_predictions(300)
    for temperature in (0.3, 1.0, 4.0):
        changed = apply_temperature(probabilities, temperature)
        np.testing.assert_allclose(changed, softmax(logits / temperature, axis=1), atol=1e-12)
        assert (changed.argmax(axis=1) == probabilities.argmax(axis=1)).all()
    assert np.isfinite(apply_temperature([[1.0, 0.0]], 2.0)).all()


def test_no_temperature_fits():
    _, probabilities, _ = make_predictions(50)
    best, worst = probabilities.argmax(axis=1), probabilities.argmin(axis=1)
    for labels in (best, worst):
        with pytest.raises(ValueError, match="no temperature"):
            fit_temperature(probabilities, labels)


GOOD = [[0.2, 0.8], [0.6, 0.4]]


@pytest.mark.parametrize("measure", [reliability, expected_calibration_error, fit_temperature])
@pytest.mark.parametrize(
    "probabilities, labels, message",
    [
        (np.empty((0, 2)), [], "N at least 1"),
        ([0.2, 0.8], [0, 1], "N, C"),
        ([[1.0], [1.0]], [0, 0], "C at least 2"),
        (GOOD, [0], "each needs one label"),
        (GOOD, [0, 2], "labels must be 0 to 1"),
        (GOOD, [0, 0.5], "labels must be 0 to 1"),
        ([[2.0, -1.0], [0.5, 0.5]], [0, 1], "non-negative"),
        ([[0.9, 0.3], [0.5, 0.5]], [0, 1], "add up to 1"),
        ([[float("nan"), 0.3], [0.5, 0.5]], [0, 1], "softmax"),
    ],
)
def test_bad_input(measure, probabilities, labels, message):
    with pytest.raises(ValueError, match=message):
        measure(probabilities, labels)


def test_more_bad_input():
    with pytest.raises(ValueError, match="at least 1 bin"):
        reliability(GOOD, [0, 1], bins=0)
    for temperature in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="above 0"):
            apply_temperature(GOOD, temperature)
    with pytest.raises(ValueError, match="softmax"):
        apply_temperature([[3.0, 1.0]], 2.0)


def test_diagram_draws_the_bins_and_their_error():
    _, probabilities, labels = make_predictions(500, temperature=2.0)
    mended = apply_temperature(probabilities, 2.0)
    axis = reliability_diagram({"before": probabilities, "after": mended}, labels)
    for curve, values in zip(axis.containers, (probabilities, mended), strict=True):
        found = reliability(values, labels)
        np.testing.assert_allclose(curve.lines[0].get_xydata(), np.stack(found[:2], axis=1))
    error = 100 * expected_calibration_error(probabilities, labels)
    shown = [text.get_text() for text in axis.get_legend().get_texts()]
    assert f"before: error {error:.1f} points" in shown and "perfectly calibrated" in shown
    matplotlib.pyplot.close("all")
