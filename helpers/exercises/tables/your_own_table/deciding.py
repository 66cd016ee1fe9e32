"""Notebook 12: what a threshold costs, and who is taken for whom."""

import numpy as np

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import your_own_table as references

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


def cost_of_all(labels, spam, threshold, lost=10, let_through=1):
    taken = spam >= threshold
    return float(100 * np.mean(np.where(taken, lost, let_through)))


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
    Mistake(
        "ham lost alone",
        cost_with(prices=lambda a, b: (a, 0)),
        "with the threshold 0.75 you get {yours}, expected {expected}: only ham that is lost costs something. "
        "What of spam that is let through?",
    ),
    Mistake(
        "spam let through alone",
        cost_with(prices=lambda a, b: (0, b)),
        "with the threshold 0.75 you get {yours}, expected {expected}: only spam that is let through costs "
        "something. What of ham that is lost?",
    ),
    Mistake(
        "right ones cost",
        lambda labels, spam, threshold, lost=10, let_through=1: references.cost_per_hundred(
            1 - labels, spam, threshold, lost, let_through
        ),
        "with the threshold 0.75 you get {yours}, expected {expected}: you count the right ones. Is 1 spam or "
        "ham?",
    ),
    Mistake(
        "whoever is taken costs",
        cost_of_all,
        "with the threshold 0.75 you get {yours}, expected {expected}: every message that is taken for spam "
        "costs, also the spam itself. Where do the labels come in?",
    ),
    Mistake(
        "the threshold 0.5",
        lambda labels, spam, threshold, lost=10, let_through=1: references.cost_per_hundred(
            labels, spam, 0.5, lost, let_through
        ),
        "with the threshold 0.75 you get {yours}, expected {expected}: that is the cost at 0.5. Is "
        "`threshold` used?",
    ),
    Mistake(
        "prices as they were",
        lambda labels, spam, threshold, lost=10, let_through=1: references.cost_per_hundred(
            labels, spam, threshold
        ),
        "right at the usual prices, but with prices 3 and 2 you get {yours}, expected {expected}: 10 and 1 "
        "are only what holds if nothing else is given",
        show=lambda parts: parts["prices 3 and 2"],
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
    counts = np.asarray(confusion(labels, answers, 4))
    yield "rows and columns", counts.shape
    yield "three classes", counts[:3, :3].tolist()
    yield "and a fourth that never comes", counts[3].tolist()


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
    Mistake(
        "shares of a row",
        confusion_with(lambda counts: counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)),
        "three classes give {yours}, expected {expected}: each row is divided by its sum. Asked for are "
        "counts",
    ),
    Mistake(
        "one row four times",
        lambda labels, answers, classes: np.tile(
            references.confusion_counts(labels, answers, classes).sum(axis=0), (classes, 1)
        ),
        "three classes give {yours}, expected {expected}: all rows are alike. `[row] * C` is C times the same "
        "list, and who changes one changes all",
    ),
)

EXERCISES = (
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
