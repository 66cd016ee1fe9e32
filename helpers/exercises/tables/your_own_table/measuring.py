"""Notebook 12: macro-F1, its interval, costs, and who is taken for whom."""

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
    low, high = interval(labels, answers, draws, lambda a, b: float(np.sum(a * b)))
    yield "the number of right ones", (float(low), float(high))


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
        show=lambda parts: parts["the number of right ones"],
    ),
)

# 12.5 cost_per_hundred

COST = '''
def my_cost_per_hundred(labels, spam, threshold, lost=10, let_through=1):
    """What a hundred messages cost, a float.

    labels (N,): 1 for spam, 0 for ham. spam (N,): the probability of spam; from `threshold` on a message is
    taken for spam. A ham that is taken for spam costs `lost`, a spam that is not costs `let_through`.
    """
    ...
'''


def probe_cost(cost):
    labels = np.array([0, 0, 0, 1, 1, 0, 1, 0, 1, 0, 1, 0])
    spam = np.array([0.1, 0.75, 0.3, 0.9, 0.75, 0.6, 0.2, 0.05, 0.4, 0.8, 0.45, 0.2])
    yield "threshold 0.75", float(cost(labels, spam, 0.75))
    yield "threshold 0.5", float(cost(labels, spam, 0.5))
    yield "prices 3 and 2", float(cost(labels, spam, 0.5, lost=3, let_through=2))


def cost_with(
    taken=lambda spam, t: spam >= t,
    prices=lambda a, b: (a, b),
    total=lambda cost, labels: 100 * cost / len(labels),
):
    def program(labels, spam, threshold, lost=10, let_through=1):
        is_taken, (one, other) = taken(spam, threshold), prices(lost, let_through)
        return float(
            total(one * np.sum(is_taken & (labels == 0)) + other * np.sum(~is_taken & (labels == 1)), labels)
        )

    return program


COST_MISTAKES = (
    Mistake(
        "prices exchanged",
        cost_with(prices=lambda a, b: (b, a)),
        "with the threshold 0.75 you get {yours}, expected {expected}: the prices are exchanged. Which of the two faults "
        "is the dear one?",
    ),
    Mistake(
        "above the threshold only",
        cost_with(taken=lambda spam, t: spam > t),
        "with the threshold 0.75 you get {yours}, expected {expected}: two messages have exactly this probability. *From* "
        "the threshold on a message is spam",
    ),
    Mistake(
        "the sum",
        cost_with(total=lambda cost, labels: cost),
        "with the threshold 0.75 you get {yours}, expected {expected}: that is the cost of all twelve. Asked for are a "
        "hundred such messages",
    ),
    Mistake(
        "of each message",
        cost_with(total=lambda cost, labels: cost / len(labels)),
        "with the threshold 0.75 you get {yours}, expected {expected}: that is the cost of one message",
    ),
    Mistake(
        "faults counted",
        cost_with(prices=lambda a, b: (1, 1)),
        "with the threshold 0.75 you get {yours}, expected {expected}: every fault costs the same. The two have prices",
    ),
    Mistake(
        "ham below the line",
        cost_with(total=lambda cost, labels: 100 * cost / np.sum(labels == 0)),
        "with the threshold 0.75 you get {yours}, expected {expected}: you divide by the number of ham. A hundred "
        "messages of both kinds are meant",
    ),
    Mistake(
        "turned round",
        cost_with(taken=lambda spam, t: spam < t),
        "with the threshold 0.75 you get {yours}, expected {expected}: you take a message for spam *below* the threshold",
    ),
)

# 12.6 confusion_counts

CONFUSION = '''
def my_confusion_counts(labels, answers, classes):
    """Counts (C, C): in row i and column j how many examples of class i were answered with class j.

    labels, answers: arrays (N,) of class numbers from 0. classes: their number C.
    """
    ...
'''


def probe_confusion(confusion):
    labels = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2, 0])
    answers = np.array([0, 1, 1, 1, 2, 2, 2, 0, 2, 0])
    yield "three classes", np.asarray(confusion(labels, answers, 4))[:3, :3].tolist()
    yield "and a fourth that never comes", np.asarray(confusion(labels, answers, 4))[3].tolist()


def confusion_with(change):
    return lambda labels, answers, classes: change(references.confusion_counts(labels, answers, classes))


def counted_once(labels, answers, classes):
    counts = np.zeros((classes, classes), dtype=int)
    counts[labels, answers] += 1
    return counts


CONFUSION_MISTAKES = (
    Mistake(
        "rows and columns exchanged",
        confusion_with(lambda counts: counts.T),
        "three classes give {yours}, expected {expected}: rows and columns are exchanged. The row says what an example "
        "is, the column what was answered",
    ),
    Mistake(
        "each pair once",
        counted_once,
        "three classes give {yours}, expected {expected}: no pair is counted more than once. `counts[labels, answers] += 1` "
        "reads all places, adds one, and writes: a place that comes twice is written twice with the same number",
    ),
    Mistake(
        "the mistakes only",
        confusion_with(lambda counts: counts - np.diag(counts.diagonal())),
        "three classes give {yours}, expected {expected}: the right answers are missing; they stand on the diagonal",
    ),
    Mistake(
        "the right ones only",
        confusion_with(lambda counts: np.diag(counts.diagonal())),
        "three classes give {yours}, expected {expected}: only right answers are counted, and who is taken for whom is "
        "what one wants to see",
    ),
    Mistake(
        "both ways",
        confusion_with(lambda counts: counts + counts.T - np.diag(counts.diagonal())),
        "three classes give {yours}, expected {expected}: a mistake is counted in both directions. That 0 is taken for 1 "
        "does not say that 1 is taken for 0",
    ),
    Mistake(
        "counted double",
        confusion_with(lambda counts: counts * 2),
        "three classes give {yours}, expected {expected}: every example is counted twice",
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
    Exercise(
        id="12.5",
        name="cost_per_hundred",
        reference=references.cost_per_hundred,
        stub=COST,
        probe=probe_cost,
        hints=(
            "First who is taken for spam: an array of True and False. `~` turns it round.",
            "Count `taken & (labels == 0)` and `~taken & (labels == 1)`, each at its price; divide by N, times 100.",
        ),
        mistakes=COST_MISTAKES,
        notice="the best threshold depends on the prices, and the prices are nothing that a model can learn",
        difficulty=1,
        minutes=6,
        show=lambda parts: parts["threshold 0.75"],
        variants=(
            lambda labels, spam, threshold, lost=10, let_through=1: (
                100
                / len(labels)
                * sum(
                    (lost if label == 0 else 0) if p >= threshold else (let_through if label == 1 else 0)
                    for label, p in zip(labels, spam, strict=True)
                )
            ),
        ),
    ),
    Exercise(
        id="12.6",
        name="confusion_counts",
        reference=references.confusion_counts,
        stub=CONFUSION,
        probe=probe_confusion,
        hints=(
            "Begin with zeros, `np.zeros((classes, classes), dtype=int)`, and go through the pairs of label and answer.",
            "`counts[label, answer] += 1` in a loop over `zip(labels, answers)`.",
        ),
        mistakes=CONFUSION_MISTAKES,
        notice="the sum of a row is the number of examples of that class, the sum of a column how often it was answered",
        difficulty=1,
        minutes=6,
        show=lambda parts: parts["three classes"],
        variants=(
            lambda labels, answers, classes: np.bincount(
                labels * classes + answers, minlength=classes**2
            ).reshape(classes, classes),
        ),
    ),
)
