"""Notebook 12: macro-F1 and its interval."""

import numpy as np

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import your_own_table as references

# 12.3 macro_f1

MACRO = '''
def my_macro_f1(labels, answers):
    """Macro-F1: the mean of the F1 of every class that stands among the labels or the answers, a float.

    labels, answers: arrays (N,) of class numbers. The F1 of a class is 2 * right / (labelled + answered):
    twice the number of examples that have it as label and as answer, divided by how often it is a label and
    how often it is an answer, added up.
    """
    ...
'''


def probe_macro(macro_f1):
    labels = np.array([0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1])
    yield "two classes", float(macro_f1(labels, np.array([0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0])))
    yield (
        "a class never answered",
        float(macro_f1(np.array([0, 1, 1, 2, 2, 2, 3]), np.array([0, 1, 2, 2, 2, 0, 2]))),
    )
    yield "a class never asked for", float(macro_f1(np.array([1, 1, 2, 2, 2]), np.array([1, 2, 2, 4, 2])))


def by_class(labels, answers, classes):
    right = np.array([np.sum((labels == c) & (answers == c)) for c in classes], dtype=float)
    labelled = np.array([np.sum(labels == c) for c in classes], dtype=float)
    return right, labelled, np.array([np.sum(answers == c) for c in classes], dtype=float)


def macro_with(score, classes=np.union1d):
    def program(labels, answers):
        return float(score(*by_class(labels, answers, classes(labels, answers))))

    return program


def precision_of(right, answered):
    return np.divide(right, answered, out=np.zeros_like(right), where=answered > 0)


def macro_over_numbers(labels, answers):
    classes = np.arange(max(labels.max(), answers.max()) + 1)
    right, labelled, answered = by_class(labels, answers, classes)
    return float((2 * right / np.maximum(labelled + answered, 1)).mean())


def f1_of_means(right, labelled, answered):
    precision = precision_of(right, answered).mean()
    recall = precision_of(right, labelled).mean()
    return 2 * precision * recall / (precision + recall)


def two(parts):
    return parts["two classes"]


def unasked(parts):
    return parts["a class never asked for"]


MACRO_MISTAKES = (
    Mistake(
        "accuracy",
        lambda labels, answers: float(np.mean(labels == answers)),
        "twelve examples give {yours}, expected {expected}: that is the accuracy, in which the large class has most of the "
        "say. Each class gets its own F1 first",
    ),
    Mistake(
        "weighted by size",
        macro_with(lambda right, n, m: np.average(2 * right / (n + m), weights=n)),
        "twelve examples give {yours}, expected {expected}: each class counts as often as it has examples. In the macro mean "
        "the small class counts as much as the large one",
    ),
    Mistake(
        "mean recall",
        macro_with(lambda right, n, m: precision_of(right, n).mean()),
        "twelve examples give {yours}, expected {expected}: that is the mean of the recalls. Wrong answers with a class "
        "must count against it, too",
    ),
    Mistake(
        "mean precision",
        macro_with(lambda right, n, m: precision_of(right, m).mean()),
        "twelve examples give {yours}, expected {expected}: that is the mean of the precisions. Examples of a class that "
        "were missed must count, too",
    ),
    Mistake(
        "the last class only",
        macro_with(lambda right, n, m: (2 * right / (n + m))[-1]),
        "twelve examples give {yours}, expected {expected}: that is the F1 of the last class alone. The mean goes over all",
    ),
    Mistake(
        "F1 of the means",
        macro_with(f1_of_means),
        "twelve examples give {yours}, expected {expected}: you take the means of precision and recall first, and one F1 of "
        "them. One F1 for each class first, then the mean",
    ),
    Mistake(
        "without the two",
        macro_with(lambda right, n, m: (right / (n + m)).mean()),
        "twelve examples give {yours}, expected {expected}: half of it. All right would give 0.5; which factor is missing?",
    ),
    Mistake(
        "asked classes only",
        macro_with(
            lambda right, n, m: (2 * right / (n + m)).mean(), lambda labels, answers: np.unique(labels)
        ),
        "two classes are right, but where an answer names a class that is never a label you give {yours}, expected "
        "{expected}: that class has an F1 of 0, and it counts",
        show=unasked,
    ),
    Mistake(
        "answered classes only",
        macro_with(
            lambda right, n, m: (2 * right / (n + m)).mean(), lambda labels, answers: np.unique(answers)
        ),
        "two classes are right, but where a class is never answered you give {yours}, expected {expected}: "
        "that class has an F1 of 0, and it counts",
        show=lambda parts: parts["a class never answered"],
    ),
    Mistake(
        "shared by either",
        macro_with(lambda right, n, m: (right / (n + m - right)).mean()),
        "twelve examples give {yours}, expected {expected}: you divide by the examples that are labelled or "
        "answered so, each counted once. That is Jaccard's measure; what does F1 divide by?",
    ),
    Mistake(
        "right answers of all classes",
        macro_with(lambda right, n, m: (2 * right.sum() / (n + m)).mean()),
        "twelve examples give {yours}, expected {expected}: each class is given the right answers of all "
        "classes. Which of them are of class c?",
    ),
    Mistake(
        "the sum",
        macro_with(lambda right, n, m: (2 * right / (n + m)).sum()),
        "twelve examples give {yours}, expected {expected}: that is the sum of the classes' F1",
    ),
    Mistake(
        "the mean of precision and recall",
        macro_with(lambda right, n, m: ((precision_of(right, n) + precision_of(right, m)) / 2).mean()),
        "twelve examples give {yours}, expected {expected}: for each class you take the plain mean of "
        "precision and recall. F1 is the harmonic one: what does the docstring divide by?",
    ),
    Mistake(
        "every number up to the largest",
        macro_over_numbers,
        "two classes are right, but where class numbers have gaps you give {yours}, expected {expected}: you "
        "take the mean also over numbers that no label and no answer has",
        show=unasked,
    ),
)

# 12.4 resampled_interval

INTERVAL = '''
def my_resampled_interval(labels, answers, draws, measure):
    """(low, high): the ends between which `measure` lies in 95% of the resamples, two floats.

    labels, answers: arrays (N,). draws: whole numbers (R, N), a row for each resample: the places of the
    examples that it takes. measure(labels, answers) gives a number. np.quantile(values, [a, b]) gives the
    values below which a share a and a share b of the values lie.
    """
    ...
'''


def probe_interval(interval):
    chance = np.random.default_rng(5)
    labels = (chance.random(37) < 0.4).astype(int)
    answers = np.where(chance.random(37) < 0.8, labels, 1 - labels)
    draws = chance.integers(37, size=(90, 37))
    low, high = interval(labels, answers, draws, lambda a, b: float(np.mean(a == b)))
    yield "the share of right answers", (float(low), float(high))
    low, high = interval(labels, answers, draws, lambda a, b: float(np.sum(a * b) / np.sum(a)))
    yield "the share of class 1 that is found", (float(low), float(high))


def interval_with(ends=lambda values: np.quantile(values, [0.025, 0.975]), second=lambda draw: draw):
    def program(labels, answers, draws, measure):
        low, high = ends([measure(labels[draw], answers[second(draw)]) for draw in draws])
        return float(low), float(high)

    return program


def around_the_mean(values, divided=1.0):
    half = 1.96 * np.std(values, ddof=1) / divided
    return np.mean(values) - half, np.mean(values) + half


def always_accuracy(labels, answers, draws, measure):
    return interval_with()(labels, answers, draws, lambda a, b: float(np.mean(a == b)))


def exchanged_interval(labels, answers, draws, measure):
    return interval_with()(answers, labels, draws, measure)


def once_interval(labels, answers, draws, measure):
    return interval_with()(labels, answers, [np.unique(draw) for draw in draws], measure)


def share(parts):
    return parts["the share of right answers"]


INTERVAL_MISTAKES = (
    Mistake(
        "answers not drawn",
        interval_with(second=lambda draw: slice(None)),
        "the share of right answers lies in {yours}, expected {expected}: the labels are drawn, the answers stay where "
        "they are, so each label meets the answer to another example. Both take the same places",
    ),
    Mistake(
        "drawn apart",
        interval_with(second=lambda draw: draw[::-1]),
        "the share of right answers lies in {yours}, expected {expected}: labels and answers are drawn in different "
        "orders. An example keeps its answer",
    ),
    Mistake(
        "90%",
        interval_with(lambda values: np.quantile(values, [0.05, 0.95])),
        "the share of right answers lies in {yours}, expected {expected}: yours holds 90% of the resamples. 95% leave "
        "two and a half at each end",
    ),
    Mistake(
        "smallest and largest",
        interval_with(lambda values: (min(values), max(values))),
        "the share of right answers lies in {yours}, expected {expected}: the smallest and the largest value; more "
        "resamples would make that wider without end",
    ),
    Mistake(
        "1.96 deviations",
        interval_with(around_the_mean),
        "the share of right answers lies in {yours}, expected {expected}: you take the resamples for normal. It is close, "
        "but asked for is what lies between two of them",
    ),
    Mistake(
        "divided by the resamples",
        interval_with(lambda values: around_the_mean(values, len(values) ** 0.5)),
        "the share of right answers lies in {yours}, expected {expected}: you divide by the root of the number of "
        "resamples. With a million of them nothing would be left of the doubt, though the examples are as few as before",
    ),
    Mistake(
        "always the accuracy",
        always_accuracy,
        "the share of right answers is as it should be, but for another measure you give {yours}, expected {expected}: "
        "is `measure` called?",
        show=lambda parts: parts["the share of class 1 that is found"],
    ),
    Mistake(
        "labels and answers exchanged",
        exchanged_interval,
        "the share of right answers is as it should be, but for a measure that is not the same both ways you "
        "give {yours}, expected {expected}: which of the two does `measure` take first?",
        show=lambda parts: parts["the share of class 1 that is found"],
    ),
    Mistake(
        "a share for a percent",
        interval_with(lambda values: np.percentile(values, [0.025, 0.975])),
        "the share of right answers lies in {yours}, expected {expected}: np.percentile counts from 0 to 100, "
        "so these are the ends of the lowest hundredth",
    ),
    Mistake(
        "one side alone",
        interval_with(lambda values: np.quantile(values, [0, 0.95])),
        "the share of right answers lies in {yours}, expected {expected}: all that you leave out is above. "
        "How much should be left out at each end?",
    ),
    Mistake(
        "one deviation",
        interval_with(lambda values: (np.mean(values) - np.std(values), np.mean(values) + np.std(values))),
        "the share of right answers lies in {yours}, expected {expected}: one standard deviation on each "
        "side, which holds two thirds and not 95%",
    ),
    Mistake(
        "each example once",
        once_interval,
        "the share of right answers lies in {yours}, expected {expected}: an example that a resample takes "
        "twice must count twice in it",
    ),
)

EXERCISES = (
    Exercise(
        id="12.3",
        name="macro_f1",
        reference=references.macro_f1,
        stub=MACRO,
        probe=probe_macro,
        hints=(
            "`np.union1d(labels, answers)` gives each class that stands in either array. For one class c, "
            "`labels == c` is an array of True and False, and `np.sum` counts the True.",
            "right = np.sum((labels == c) & (answers == c)); collect the F1 of each class in a list, and take its mean.",
        ),
        mistakes=MACRO_MISTAKES,
        notice="a class that is never answered has an F1 of 0 whatever its size, and pulls the mean down",
        difficulty=2,
        minutes=10,
        show=two,
        variants=(
            macro_with(lambda right, n, m: (2 * right / (n + m)).mean()),
            lambda labels, answers: (
                sum(
                    2 * int(sum((labels == c) * (answers == c))) / int(sum(labels == c) + sum(answers == c))
                    for c in {*labels.tolist(), *answers.tolist()}
                )
                / len({*labels.tolist(), *answers.tolist()})
            ),
        ),
    ),
    Exercise(
        id="12.4",
        name="resampled_interval",
        reference=references.resampled_interval,
        stub=INTERVAL,
        probe=probe_interval,
        hints=(
            "A row of `draws` is a list of places: `labels[draw]` takes the labels that stand there.",
            "Compute the measure for each row, then `np.quantile` of these values at 0.025 and 0.975.",
        ),
        mistakes=INTERVAL_MISTAKES,
        notice="nothing is assumed about the measure: any number that one can compute from labels and answers gets an "
        "interval this way",
        difficulty=2,
        minutes=8,
        show=share,
        variants=(
            interval_with(lambda values: np.percentile(values, [2.5, 97.5])),
            interval_with(lambda values: (np.quantile(values, 0.025), np.quantile(values, 0.975))),
        ),
    ),
)
