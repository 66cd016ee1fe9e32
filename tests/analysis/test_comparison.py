"""The statistics, compared with SciPy, with figures from tables, and with loops over everything."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from helpers.analysis.comparison import (
    McNemar,
    compare_runs,
    mcnemar_exact,
    paired_bootstrap,
    prediction_interval,
    summarize,
)

RUNS = [0.829, 0.830, 0.838, 0.825, 0.833]


def test_the_interval_of_the_mean_is_scipys():
    found = summarize(RUNS)
    reference = stats.ttest_1samp(RUNS, 0).confidence_interval(0.95)
    assert found.runs == 5 and found.mean == pytest.approx(np.mean(RUNS))
    assert found.deviation == pytest.approx(stats.tstd(RUNS))
    assert (found.low, found.high) == pytest.approx((reference.low, reference.high))


def test_the_interval_of_two_runs_by_hand():
    found = summarize([0.0, 2.0])  # t for one degree of freedom is 12.706, s is the square root of 2
    assert found.deviation == pytest.approx(math.sqrt(2))
    assert found.high == pytest.approx(1 + 12.7062, abs=1e-4)
    low, high = prediction_interval([0.0, 2.0])
    assert (low + high) / 2 == pytest.approx(1)
    assert high == pytest.approx(1 + 12.7062 * math.sqrt(2) * math.sqrt(1.5), abs=1e-3)


def test_equal_runs_have_no_width():
    assert summarize([0.5, 0.5, 0.5])[1:] == (0.5, 0.0, 0.5, 0.5)
    assert prediction_interval([0.5, 0.5, 0.5]) == (0.5, 0.5)


def test_the_intervals_hold_what_they_promise():
    """Of 1,500 times 5 normal runs and one more: the mean and the new run are inside 95 times in 100."""
    draws = np.random.default_rng(0).normal(3, 2, size=(1500, 6))
    found = [(summarize(runs[:5]), prediction_interval(runs[:5]), runs[5]) for runs in draws]
    assert np.mean([s.low < 3 < s.high for s, _, _ in found]) == pytest.approx(0.95, abs=0.02)
    assert np.mean([low < new < high for _, (low, high), new in found]) == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize("function", [summarize, prediction_interval])
@pytest.mark.parametrize(
    ("values", "message"), [([0.5], "at least 2"), ([], "at least 2"), ([0.5, math.nan], "not finite")]
)
def test_bad_runs_are_refused(function, values, message):
    with pytest.raises(ValueError, match=message):
        function(values)
    with pytest.raises(ValueError, match="confidence"):
        function([0.1, 0.2], confidence=95)


def test_the_bootstrap_draws_from_all_resamples():
    """With four examples all 256 resamples can be listed: their quantiles are what it has to find."""
    first, second = np.array([1, 1, 0, 1]), np.array([0, 1, 0, 0])
    every = [np.mean((first - second)[list(draw)]) for draw in itertools.product(range(4), repeat=4)]
    found = paired_bootstrap(first, second, resamples=4000, confidence=0.8)
    assert found.mean == 0.5
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(every, [0.1, 0.9])))
    assert paired_bootstrap(first, first).mean == 0
    assert not paired_bootstrap(first, first, resamples=50).is_clear


def test_the_bootstrap_agrees_with_scipys_and_with_the_normal_interval():
    chance = np.random.default_rng(1)
    first, second = chance.random(600) < 0.8, chance.random(600) < 0.7
    found = paired_bootstrap(first, second, resamples=2000)
    differences = first.astype(float) - second
    half = 1.96 * differences.std(ddof=1) / math.sqrt(600)
    expected = (differences.mean() - half, differences.mean() + half)
    assert (found.low, found.high) == pytest.approx(expected, abs=0.004)
    reference = stats.bootstrap(
        (differences,), np.mean, n_resamples=2000, method="percentile", rng=np.random.default_rng(2)
    ).confidence_interval
    assert (found.low, found.high) == pytest.approx((reference.low, reference.high), abs=0.004)
    assert found.is_clear and found == paired_bootstrap(first, second, resamples=2000)
    swapped = paired_bootstrap(second, first, resamples=2000)
    assert (swapped.low, swapped.high) == pytest.approx((-found.high, -found.low))


def test_the_bootstrap_averages_runs():
    first, second = some_runs()
    examples = paired_bootstrap(first, second, resamples=400)
    assert examples == paired_bootstrap(first.mean(axis=0), second.mean(axis=0), resamples=400)


def some_runs():
    chance = np.random.default_rng(3)
    shares = np.array([[0.6], [0.9], [0.75]])  # runs that differ much
    return chance.random((3, 400)) < shares, chance.random((3, 400)) < 0.7


def test_the_luck_of_few_runs_is_a_t_interval():
    """Where all examples say the same, only the runs differ: SciPy's t interval, paired and not."""
    first, second = (
        np.repeat(np.array(values)[:, None], 50, axis=1) for values in ([0.8, 0.9, 0.7], [0.5, 0.6, 0.7])
    )
    found = compare_runs(first, second, same_seeds=True)
    gaps = (first - second)[:, 0]
    reference = stats.ttest_1samp(gaps, 0).confidence_interval(0.95)
    assert found == pytest.approx((0.2, reference.low, reference.high))
    half = math.hypot(*(stats.t.ppf(0.975, 2) * stats.sem(each[:, 0]) for each in (first, second)))
    assert compare_runs(first, second) == pytest.approx((0.2, 0.2 - half, 0.2 + half))
    reference = stats.ttest_1samp(first[:, 0], 0).confidence_interval(0.95)
    against_a_rule = compare_runs(first, np.full(50, 0.5))  # which has no chance
    assert against_a_rule == pytest.approx((0.3, reference.low - 0.5, reference.high - 0.5))


def test_both_sources_of_luck_add_up():
    first, second = some_runs()
    both, examples = compare_runs(first, second), compare_runs(first.mean(axis=0), second.mean(axis=0))
    boot = paired_bootstrap(first, second, resamples=2000)
    assert (examples.low, examples.high) == pytest.approx((boot.low, boot.high), abs=0.004)
    runs = math.hypot(*(stats.t.ppf(0.975, 2) * stats.sem(each.mean(axis=1)) for each in (first, second)))
    assert both.high - both.mean == pytest.approx(math.hypot(examples.high - examples.mean, runs))
    assert compare_runs(second, first) == pytest.approx((-both.mean, -both.high, -both.low))
    with pytest.raises(ValueError, match="2 runs against 3: the same seeds"):
        compare_runs(first[:2], second, same_seeds=True)


def test_the_interval_over_runs_and_examples_covers():
    """Three runs each, drawn 400 times: the true difference, 0, lies inside in 95 of 100 cases or more."""
    chance, inside = np.random.default_rng(4), 0
    for _ in range(400):
        hard = chance.normal(size=60)
        first, second = (
            (chance.normal(size=(3, 1)) / 4 + hard + chance.normal(size=(3, 60)) > 0) for _ in "ab"
        )
        found = compare_runs(first, second)
        inside += found.low <= 0 <= found.high
    assert inside >= 0.94 * 400


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ([1, 0], [1], "2 examples against 1"),
        ([], [], "and some"),
        ([1, math.inf], [1, 0], "not finite"),
        ([[[1]]], [1], "runs, examples"),
    ],
)
def test_points_that_do_not_fit_are_refused(first, second, message):
    for compare in (paired_bootstrap, compare_runs):
        with pytest.raises(ValueError, match=message):
            compare(first, second)


def test_mcnemar_is_the_sum_of_the_tails():
    first = [True] * 9 + [False] * 2 + [True] * 5
    second = [False] * 9 + [True] * 2 + [True] * 5
    found = mcnemar_exact(first, second)
    by_hand = 2 * sum(math.comb(11, k) for k in range(3)) / 2**11
    assert found[:2] == (9, 2) and found.p_value == pytest.approx(by_hand)
    assert mcnemar_exact(second, first).p_value == pytest.approx(by_hand)
    assert mcnemar_exact([1, 0], [1, 0]) == McNemar(0, 0, 1.0)


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [([1], [1, 0], "same examples"), ([], [], "per example"), ([0.5], [1], "paired_bootstrap")],
)
def test_answers_that_do_not_fit_are_refused(first, second, message):
    with pytest.raises(ValueError, match=message):
        mcnemar_exact(first, second)
