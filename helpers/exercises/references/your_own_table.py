"""Functions that notebook 12 teaches; later notebooks and scripts don't use them."""

import re

import numpy as np
import pandas as pd

__all__ = [
    "taken_apart",
    "label_numbers",
    "macro_f1",
    "resampled_interval",
    "cost_per_hundred",
    "confusion_counts",
    "read_texts",
    "oversampled_parts",
    "macro_f1_of_counts",
]


def taken_apart(label, cell):
    """The rows of a cell: (label, text) of its own message, then of each line that it swallowed."""
    first, *swallowed = re.split(r"\n(ham|spam)\t", cell)
    return [(label, first), *zip(swallowed[::2], swallowed[1::2], strict=True)]


def label_numbers(labels):
    """The names of the classes in alphabetical order, and the number of each label in that list."""
    classes = sorted(set(labels))
    number_of = {name: number for number, name in enumerate(classes)}
    return classes, [number_of[label] for label in labels]


def macro_f1(labels, answers):
    """The mean of the F1 of every class that stands among the labels (N,) or the answers (N,)."""
    scores = []
    for c in np.union1d(labels, answers):
        right = np.sum((labels == c) & (answers == c))
        scores.append(2 * right / (np.sum(labels == c) + np.sum(answers == c)))
    return float(np.mean(scores))


def resampled_interval(labels, answers, draws, measure):
    """The ends that enclose 95% of `measure(labels, answers)` over resamples; draws (R, N): places."""
    values = [measure(labels[draw], answers[draw]) for draw in draws]
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def cost_per_hundred(labels, spam, threshold, lost=10, let_through=1):
    """What a hundred messages cost. labels (N,): 1 for spam; spam (N,): its probability."""
    taken = spam >= threshold
    total = lost * np.sum(taken & (labels == 0)) + let_through * np.sum(~taken & (labels == 1))
    return float(100 * total / len(labels))


def confusion_counts(labels, answers, classes):
    """Counts (C, C): in row i and column j the examples of class i that were answered with class j."""
    counts = np.zeros((classes, classes), dtype=int)
    for label, answer in zip(labels, answers, strict=True):
        counts[label, answer] += 1
    return counts


def read_texts(file):
    """The column `text` of a CSV file, a list of strings, as many as there are rows."""
    table = pd.read_csv(file, keep_default_na=False, dtype=str)
    return table["text"].tolist()


def oversampled_parts(rows, every, times):
    """Training and test rows, two lists; in training each row of class 1 stands `times` times."""
    train = [row for place, row in enumerate(rows) if place % every != 0]
    return [row for row in train for _ in range(times if row[1] == 1 else 1)], rows[::every]


def macro_f1_of_counts(right, labelled, answered):
    """Macro-F1 of counts per class (C,): right answers, examples of the class, answers with the class."""
    precision, recall = right / answered, right / labelled
    return float(np.mean(2 * precision * recall / (precision + recall)))
