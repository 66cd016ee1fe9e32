"""Notebook 9: how sure an accuracy is, a difference on the same texts, a mean of few runs."""

import math

import numpy as np
from scipy import stats

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import evaluation_and_explanation as references

# 9.1 wilson_interval

WILSON = '''
def my_wilson_interval(right, total, z=1.959964):
    """The two ends (low, high) of Wilson's interval for `right` right answers of `total`, as shares."""
    ...
'''


def probe_wilson(interval):
    for right, total in ((8, 10), (10, 10), (0, 5), (1600, 2000)):
        low, high = interval(right, total)
        yield f"{right} of {total}", (float(low), float(high))
    low, high = interval(70, 100, 1.0)
    yield "70 of 100 with z = 1", (float(low), float(high))


def wilson_with(
    right, total, z=1.959964, *, shift=True, under_root=True, divide=True, fourth=None, z_is=None, one_of=2, square=True,
    brackets=True, times_n=False, before_root=True, power=2,
):  # fmt: skip
    """Wilson's interval with one thing done in another way."""
    z = z_is or z
    share = right / total
    below_z = one_of / total if times_n else one_of * total
    middle = share + (z**power / below_z if shift else 0.0)
    extra = z**power / (fourth(total) if fourth else 4 * total**2) if under_root else 0.0
    inside = share * (1 - share) / total + extra
    spread = (z if before_root else 1.0) * (math.sqrt(inside) if square else inside)
    below = 1 + z**power / total if divide else 1.0
    if not brackets:
        return middle - spread / below, middle + spread / below
    return (middle - spread) / below, (middle + spread) / below


def wilson(**options):
    return lambda *args, **kwargs: wilson_with(*args, **kwargs, **options)


def wald(right, total, z=1.959964):
    return wilson_with(right, total, z, shift=False, under_root=False, divide=False)


def wald_cut(right, total, z=1.959964):
    low, high = wald(right, total, z)
    return max(0.0, low), min(1.0, high)


def of_ten(parts):
    return parts["8 of 10"]


def wilson_below_z(right, total, z=1.959964):
    low, high = wilson_with(right, total, z, divide=False)
    return low / (1 + z / total), high / (1 + z / total)


def agresti_coull(right, total, z=1.959964):
    count = total + z**2
    return wald(right + z**2 / 2, count, z)


WILSON_MISTAKES = (
    Mistake(
        "shifted share in Wald's formula",
        agresti_coull,
        "8 of 10 give {yours}, expected {expected}: this is the interval of Agresti and Coull: Wilson's middle in Wald's formula. The middle is right; the root has terms of its own",
    ),
    Mistake(
        "z below the line not squared",
        wilson_below_z,
        "8 of 10 give {yours}, expected {expected}: the numerator is right; below the line stands z, and it should be its square",
    ),
    Mistake(
        "Wald's",
        wald,
        "8 of 10 give {yours}, expected {expected}: an accuracy above 1? That is Wald's interval, which the text warns of. "
        "Three terms with z² are missing",
    ),
    Mistake(
        "Wald's, cut off",
        wald_cut,
        "8 of 10 give {yours}, expected {expected}: Wald's interval, cut off at 0 and 1. It still says 100% ± 0 for ten of "
        "ten; what Wilson does is to move the middle",
    ),
    Mistake(
        "no denominator",
        wilson(divide=False),
        "8 of 10 give {yours}, expected {expected}: the numerator is right, but both ends are too high. What is below the "
        "line of the fraction?",
    ),
    Mistake(
        "middle not moved",
        wilson(shift=False),
        "8 of 10 give {yours}, expected {expected}: the interval is as long as it should be and lies too low. What is "
        "added to the share in the numerator?",
    ),
    Mistake(
        "nothing added under the root",
        wilson(under_root=False),
        "ten of ten give {yours}, expected {expected}: without the second term under the root nothing is left there when "
        "the share is 1",
        show=lambda parts: parts["10 of 10"],
    ),
    Mistake(
        "n not squared",
        wilson(fourth=lambda total: 4 * total),
        "8 of 10 give {yours}, expected {expected}: the term under the root is ten times too large. Look at its n",
    ),
    Mistake(
        "4 forgotten",
        wilson(fourth=lambda total: total**2),
        "8 of 10 give {yours}, expected {expected}: too wide, for the second term under the root is four times too large",
    ),
    Mistake(
        "2 forgotten",
        wilson(one_of=1),
        "8 of 10 give {yours}, expected {expected}: the middle is moved twice as far as it should be",
    ),
    Mistake(
        "no root",
        wilson(square=False),
        "8 of 10 give {yours}, expected {expected}: the interval is far too narrow. A variance is there; what makes a "
        "standard deviation of it?",
    ),
    Mistake(
        "z is fixed",
        wilson(z_is=1.959964),
        "right for z = 1.96, but with z = 1, 70 of 100 give {yours}, expected {expected}: your z does not depend on what "
        "is handed over",
        show=lambda parts: parts["70 of 100 with z = 1"],
    ),
    Mistake(
        "of 90%",
        wilson(z_is=1.644854),
        "8 of 10 give {yours}, expected {expected}: 1.645 belongs to an interval of 90%",
    ),
    Mistake(
        "percent",
        lambda *args: tuple(100 * end for end in wilson_with(*args)),
        "8 of 10 give {yours}, expected {expected}: shares from 0 to 1 are wanted, no percent",
    ),
    Mistake(
        "middle and half-width",
        lambda *args: (sum(wilson_with(*args)) / 2, (wilson_with(*args)[1] - wilson_with(*args)[0]) / 2),
        "8 of 10 give {yours}, expected {expected}: you give the middle and the half-width; wanted are the two ends",
    ),
    Mistake(
        "brackets around the numerator",
        wilson(brackets=False),
        "8 of 10 give {yours}, expected {expected}: only the root is divided by what is below the line. Both terms of the "
        "numerator are; where do the brackets go?",
    ),
    Mistake(
        "times n in the middle",
        wilson(one_of=2, times_n=True),
        "8 of 10 give {yours}, expected {expected}: z**2 / 2 * total multiplies by n where it should divide. Brackets keep "
        "2 * total together",
    ),
    Mistake(
        "times n under the root",
        wilson(fourth=lambda total: 4 / total**2),
        "8 of 10 give {yours}, expected {expected}: under the root, z**2 / 4 * total**2 multiplies by n² where it should "
        "divide. Brackets keep 4 * total**2 together",
    ),
    Mistake(
        "no z before the root",
        wilson(before_root=False),
        "8 of 10 give {yours}, expected {expected}: the interval is half as wide as it should be. Which factor stands before "
        "the root?",
    ),
    Mistake(
        "z not squared",
        wilson(power=1),
        "8 of 10 give {yours}, expected {expected}: z stands squared in three places of the formula",
    ),
)

# 9.2 mcnemar

MCNEMAR = '''
def my_mcnemar(first_right, second_right):
    """The two-sided p-value of the exact paired test, at most 1.

    first_right, second_right: arrays (N,) of booleans, whether each classifier was right on the same N texts.
    `math.comb(n, k)` says in how many of the 2**n results of n coins exactly k show heads.
    """
    ...
'''


def answers(both: int, first: int, second: int, neither: int):
    cells = (
        [(True, True)] * both
        + [(True, False)] * first
        + [(False, True)] * second
        + [(False, False)] * neither
    )
    a, b = np.array(cells).T
    order = np.random.default_rng(3).permutation(len(a))
    return a[order], b[order]


def probe_mcnemar(test):
    yield "7 against 2", float(test(*answers(0, 7, 2, 0)))
    yield "2 against 7", float(test(*answers(0, 2, 7, 0)))
    yield "7 against 2, 30 both right, 11 both wrong", float(test(*answers(30, 7, 2, 11)))
    yield "5 against 5", float(test(*answers(6, 5, 5, 3)))
    yield "9 against 0", float(test(*answers(4, 9, 0, 1)))


def counts(first, second):
    return int((first & ~second).sum()), int((second & ~first).sum())


def tail_to(most, total):
    return sum(math.comb(total, count) for count in range(most + 1)) / 2**total


def mcnemar_with(tail=lambda a, b: tail_to(min(a, b), a + b), times=2, most=1.0):
    return lambda first, second: min(most, times * tail(*counts(first, second)))


def unpaired(first, second):
    return stats.binomtest(int(first.sum()), int(first.sum() + second.sum())).pvalue


def of_all_texts(first, second):
    a, b = counts(first, second)
    return min(1.0, 2 * tail_to(min(a, b), len(first)))


def two_shares(first, second):
    both = (first.mean() + second.mean()) / 2
    spread = math.sqrt(2 * both * (1 - both) / len(first))
    return float(2 * stats.norm.sf(abs(first.mean() - second.mean()) / spread)) if spread else 1.0


def chi_squared(first, second):
    a, b = counts(first, second)
    return float(stats.chi2.sf((a - b) ** 2 / (a + b), 1))


MCNEMAR_MISTAKES = (
    Mistake(
        "all that the first has right",
        lambda a, b: mcnemar_with(lambda x, y: tail_to(min(int(a.sum()), y), int(a.sum()) + y))(a, b),
        "7 against 2 is right, but among 50 texts it gives p = {yours}, expected {expected}: all that the first has right are counted against those that only the second has right. Only the texts on which they differ count, on both sides",
        show=lambda parts: parts["7 against 2, 30 both right, 11 both wrong"],
    ),
    Mistake(
        "totals of right answers among all texts",
        lambda a, b: min(1.0, 2 * tail_to(min(int(a.sum()), int(b.sum())), len(a))),
        "among 50 texts it gives p = {yours}, expected {expected}: you compare how many each has right of all texts. Only those on which exactly one is right are throws of the coin",
        show=lambda parts: parts["7 against 2, 30 both right, 11 both wrong"],
    ),
    Mistake(
        "one tail",
        mcnemar_with(times=1),
        "7 against 2 gives p = {yours}, expected {expected}: half of it. A split as uneven as this one may favor either of "
        "the two; how many tails are that?",
    ),
    Mistake(
        "seen split left out",
        mcnemar_with(tail=lambda a, b: 1 - tail_to(max(a, b), a + b)),
        "7 against 2 gives p = {yours}, expected {expected}: the split that was seen is itself left out, you count only more "
        "uneven ones. As uneven *or more so*: where does range stop?",
    ),
    Mistake(
        "exactly this split",
        mcnemar_with(tail=lambda a, b: math.comb(a + b, a) / 2 ** (a + b)),
        "7 against 2 gives p = {yours}, expected {expected}: that is the probability of exactly this split (and its "
        "mirror). More uneven ones count as well",
    ),
    Mistake(
        "first against second only",
        mcnemar_with(tail=lambda a, b: tail_to(b, a + b)),
        "7 against 2 is right, but 2 against 7 gives p = {yours}, expected {expected}: which classifier comes first must "
        "make no difference",
        show=lambda parts: parts["2 against 7"],
    ),
    Mistake(
        "tail of the larger",
        mcnemar_with(tail=lambda a, b: tail_to(max(a, b), a + b)),
        "7 against 2 gives p = {yours}, expected {expected}: you add up from 0 to the larger of the two, which is nearly "
        "everything",
    ),
    Mistake(
        "above 1",
        mcnemar_with(most=math.inf),
        "5 against 5 gives p = {yours}, expected {expected}: twice the tail is more than 1 when both halves meet in the "
        "middle. A probability ends at 1",
        show=lambda parts: parts["5 against 5"],
    ),
    Mistake(
        "unpaired",
        unpaired,
        "7 against 2 is right, but with 30 texts that both have right it gives p = {yours}, expected {expected}: the texts "
        "that both have right are counted, too, as if each classifier had answered texts of its own",
        show=lambda parts: parts["7 against 2, 30 both right, 11 both wrong"],
    ),
    Mistake(
        "two shares",
        two_shares,
        "7 against 2 gives p = {yours}, expected {expected}: you compare two shares of right answers, as if each classifier "
        "had answered texts of its own. They answered the same ones: which texts tell them apart?",
    ),
    Mistake(
        "all texts as throws",
        of_all_texts,
        "7 against 2 is right, but among 50 texts it gives p = {yours}, expected {expected}: you count every text as a "
        "throw of the coin. Only those on which exactly one is right tell the two apart",
        show=lambda parts: parts["7 against 2, 30 both right, 11 both wrong"],
    ),
    Mistake(
        "chi squared",
        chi_squared,
        "7 against 2 gives p = {yours}, expected {expected}: that is McNemar's approximation by chi squared, which needs "
        "more texts. The exact one adds up the binomial distribution",
    ),
    Mistake(
        "throws of all texts below the line",
        lambda first, second: min(
            1.0,
            2
            * tail_to(min(counts(first, second)), sum(counts(first, second)))
            * 2.0 ** (sum(counts(first, second)) - len(first)),
        ),
        "7 against 2 is right, but among 50 texts it gives p = {yours}, expected {expected}: you divide by 2 to the power of "
        "all texts. How many coins are thrown?",
        show=lambda parts: parts["7 against 2, 30 both right, 11 both wrong"],
    ),
    Mistake(
        "second against first only",
        mcnemar_with(tail=lambda a, b: tail_to(a, a + b)),
        "7 against 2 gives p = {yours}, expected {expected}, while 2 against 7 would be right: you add up from 0 to what the "
        "first has alone. As uneven or more so: the smaller of the two says how uneven",
    ),
)

# 9.3 t_interval

T = '''
def my_t_interval(values, t):
    """The two ends (low, high) of the interval mean ± t s / √n for the mean of n runs.

    values: n numbers. t: Student's factor for n runs (4.3 for three). s: their standard deviation, with
    n - 1 below the line.
    """
    ...
'''


def probe_t(interval):
    for values, t in (([1.0, 2.0, 6.0], 4.3), ([0.8, 1.2, 2.9, 3.1, -0.5], 2.776)):
        low, high = interval(np.array(values), t)
        yield f"{len(values)} runs", (float(low), float(high))


def t_with(half):
    return lambda values, t: (np.mean(values) - half(values, t), np.mean(values) + half(values, t))


def three(parts):
    return parts["3 runs"]


T_MISTAKES = (
    Mistake(
        "half the width on each side",
        lambda values, t: (
            float(np.mean(values) - t * np.std(values, ddof=1) / math.sqrt(len(values)) / 2),
            float(np.mean(values) + t * np.std(values, ddof=1) / math.sqrt(len(values)) / 2),
        ),
        "1, 2, 6 give {yours}, expected {expected}: half as wide as it should be. The whole of t s / √n goes to each side",
    ),
    Mistake(
        "n instead of n - 1",
        t_with(lambda v, t: t * np.std(v) / math.sqrt(len(v))),
        "1, 2, 6 give {yours}, expected {expected}: NumPy's standard deviation divides by n unless told otherwise. The mean "
        "was computed from the same runs, so one of them is used up",
    ),
    Mistake(
        "no root of n",
        t_with(lambda v, t: t * np.std(v, ddof=1)),
        "1, 2, 6 give {yours}, expected {expected}: that is how far single runs scatter. The mean of n runs scatters less; "
        "by which factor?",
    ),
    Mistake(
        "divided by n",
        t_with(lambda v, t: t * np.std(v, ddof=1) / len(v)),
        "1, 2, 6 give {yours}, expected {expected}: the mean of n runs is not n times as sure as one, but √n times",
    ),
    Mistake(
        "root of n - 1",
        t_with(lambda v, t: t * np.std(v, ddof=1) / math.sqrt(len(v) - 1)),
        "1, 2, 6 give {yours}, expected {expected}: n - 1 belongs into the standard deviation; below the root is n",
    ),
    Mistake(
        "variance",
        t_with(lambda v, t: t * np.var(v, ddof=1) / math.sqrt(len(v))),
        "1, 2, 6 give {yours}, expected {expected}: you take the variance, whose unit is that of the values squared",
    ),
    Mistake(
        "1.96",
        t_with(lambda v, t: 1.96 * np.std(v, ddof=1) / math.sqrt(len(v))),
        "1, 2, 6 give {yours}, expected {expected}: 1.96 is right for very many runs. Three of them know their own spread "
        "badly, and t says how badly",
    ),
    Mistake(
        "median",
        lambda v, t: tuple(
            np.median(v) + sign * t * np.std(v, ddof=1) / math.sqrt(len(v)) for sign in (-1, 1)
        ),
        "1, 2, 6 give {yours}, expected {expected}: as long as it should be, but around the median instead of the mean",
    ),
    Mistake(
        "a new run",
        t_with(lambda v, t: t * np.std(v, ddof=1) * math.sqrt(1 + 1 / len(v))),
        "1, 2, 6 give {yours}, expected {expected}: that is the prediction interval, in which one more run falls. Asked for "
        "is where the mean lies",
    ),
    Mistake(
        "smallest and largest",
        lambda v, t: (min(v), max(v)),
        "1, 2, 6 give {yours}, expected {expected}: the smallest and the largest run; five more runs would make that wider, "
        "though one would know more",
    ),
    Mistake(
        "whole width on each side",
        t_with(lambda v, t: 2 * t * np.std(v, ddof=1) / math.sqrt(len(v))),
        "1, 2, 6 give {yours}, expected {expected}: twice as wide as it should be",
    ),
    Mistake(
        "around zero",
        lambda v, t: tuple(sign * t * np.std(v, ddof=1) / math.sqrt(len(v)) for sign in (-1, 1)),
        "1, 2, 6 give {yours}, expected {expected}: as long as it should be, but around 0. What lies in the middle?",
    ),
    Mistake(
        "mean and half-width",
        lambda v, t: (np.mean(v), t * np.std(v, ddof=1) / math.sqrt(len(v))),
        "1, 2, 6 give {yours}, expected {expected}: you give the mean and the half-width; wanted are the two ends",
    ),
    Mistake(
        "t s, with n",
        t_with(lambda v, t: t * np.std(v)),
        "1, 2, 6 give {yours}, expected {expected}: two things at once: NumPy's standard deviation divides by n unless told "
        "otherwise, and the mean of n runs scatters less than one run",
    ),
)

EXERCISES = (
    Exercise(
        id="9.1",
        name="wilson_interval",
        reference=references.wilson_interval,
        stub=WILSON,
        probe=probe_wilson,
        hints=(
            "Compute the four pieces of the formula one after the other: the share, the middle, the root, what is below "
            "the line.",
            "The two ends differ only in the sign before the root. `math.sqrt` takes the root; mind the brackets around the "
            "numerator.",
        ),
        mistakes=WILSON_MISTAKES,
        notice="ten of ten right leave an accuracy of 72% possible: the interval is not symmetric around the share, and "
        "it never leaves 0 to 1",
        difficulty=1,
        minutes=8,
        show=of_ten,
        variants=(
            lambda right, total, z=1.959964: (
                (right + z * z / 2 - z * math.sqrt(right * (total - right) / total + z * z / 4))
                / (total + z * z),
                (right + z * z / 2 + z * math.sqrt(right * (total - right) / total + z * z / 4))
                / (total + z * z),
            ),
            lambda right, total, z=1.959964: tuple(
                np.sort(
                    np.roots([1 + z**2 / total, -2 * right / total - z**2 / total, (right / total) ** 2]).real
                )
            ),
        ),
    ),
    Exercise(
        id="9.2",
        name="mcnemar",
        reference=references.mcnemar,
        stub=MCNEMAR,
        probe=probe_mcnemar,
        hints=(
            "First the two numbers: on how many texts is only the first right, on how many only the second? `&` and `~` "
            "work on arrays of booleans.",
            "The sum of the two is the number of throws, n. A split as uneven as yours, or more so, has at most as many "
            "heads as the smaller of the two.",
            "Add up `math.comb(n, k)` for k from 0 to the smaller one, divide by 2**n, take it twice for the two tails, "
            "and no more than 1.",
        ),
        mistakes=MCNEMAR_MISTAKES,
        notice="a thousand texts that both get right change nothing; but a test part of which they are most of the texts "
        "leaves few throws, and a small p is then hard to get",
        difficulty=2,
        minutes=12,
        show=lambda parts: parts["7 against 2"],
        variants=(
            lambda first, second: (
                stats.binomtest(counts(first, second)[0], sum(counts(first, second))).pvalue
            ),
            lambda first, second: min(
                1.0, 2 * float(stats.binom.cdf(min(counts(first, second)), sum(counts(first, second)), 0.5))
            ),
        ),
    ),
    Exercise(
        id="9.3",
        name="t_interval",
        reference=references.t_interval,
        stub=T,
        probe=probe_t,
        hints=(
            "Mean and standard deviation, then the half-width, then the two ends.",
            "`np.std(values, ddof=1)` divides by n - 1; `len(values)` is n.",
        ),
        mistakes=T_MISTAKES,
        notice="with three runs the half-width is two and a half times their standard deviation, with twelve it is less "
        "than two thirds of it: most of what more runs buy, they buy early",
        difficulty=1,
        minutes=6,
        show=three,
        variants=(
            lambda values, t: tuple(
                stats.ttest_1samp(values, 0.0).confidence_interval(1 - 2 * stats.t.sf(t, len(values) - 1))
            ),
            lambda values, t: tuple(
                sum(values) / len(values)
                + sign
                * t
                * math.sqrt(
                    sum((v - sum(values) / len(values)) ** 2 for v in values)
                    / (len(values) - 1)
                    / len(values)
                )
                for sign in (-1, 1)
            ),
        ),
    ),
)
