"""Figures as text for a terminal: a line for each class, the confusion matrix, what was read and left out.

Support code.
"""

import numpy as np

from helpers.everyday.scoring import Interval, Scores

__all__ = [
    "class_lines",
    "confusion_lines",
    "count_lines",
    "outcome_lines",
    "percent",
    "plain",
    "points",
    "summary_lines",
    "verdict",
]

MOST_CLASSES = 12  # of a confusion matrix that fits a terminal


def plain(name: str, most: int = 24) -> str:
    """A label in one short line, whatever it holds."""
    shown = "".join(char if char.isprintable() else " " for char in name)
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def summary_lines(scores: Scores) -> list[str]:
    """Accuracy and macro-F1 with their intervals."""
    return [f"macro-F1  {scores.macro_f1}", f"accuracy  {scores.accuracy}"]


def class_lines(scores: Scores) -> list[str]:
    """Precision, recall and F1 of each class in percent."""
    width = max([5, *(len(plain(each.name)) for each in scores.classes)])
    lines = [f"{'class':{width}}  precision  recall     F1  examples"]
    for each in scores.classes:
        numbers = f"{100 * each.precision:9.1f}  {100 * each.recall:6.1f}  {100 * each.f1:5.1f}"
        lines.append(f"{plain(each.name):{width}}  {numbers}  {each.examples:8,}")
    return lines


def confusion_lines(scores: Scores) -> list[str]:
    """The confusion matrix; of more than 12 classes the ten most frequent confusions."""
    names = [plain(each.name, 14) for each in scores.classes]
    if len(names) > MOST_CLASSES:
        wrong = scores.confusion - np.diag(np.diag(scores.confusion))
        order = np.argsort(-wrong, axis=None, kind="stable")[:10]
        pairs = [divmod(int(place), len(names)) for place in order if wrong.flat[place] > 0]
        lines = [f"{wrong[i, j]:6,}  {names[i]} taken for {names[j]}" for i, j in pairs]
        return ["most frequent confusions", *(lines or ["none"])]
    width = max(5, *(len(name) for name in names), len(f"{scores.confusion.max():,}"))
    rows = [" ".join([f"{'':{width}}", *(f"{name:>{width}}" for name in names)])]
    for name, counts in zip(names, scores.confusion, strict=True):
        rows.append(" ".join([f"{name:{width}}", *(f"{count:{width},}" for count in counts)]))
    return ["rows: the label; columns: the answer", *rows]


def count_lines(counts: dict[str, int]) -> list[str]:
    """What was read of a table, and what was left out."""
    left = [("empty_texts", "without a text"), ("missing_labels", "without a label")]
    out = ", ".join(f"{counts[key]:,} {words}" for key, words in left if counts[key])
    lines = [f"{counts['rows']:,} rows" + (f", left out: {out}" if out else "")]
    if copies := counts["usable"] - counts["different_texts"]:
        lines.append(f"{copies:,} rows repeat a text: copies stay on one side of the split")
    if two := counts["texts_with_two_labels"]:
        lines.append(f"{two:,} {'text has' if two == 1 else 'texts have'} more than one label")
    return lines


def percent(found: dict) -> str:
    """A value with its interval, as `Interval._asdict` has them."""
    return str(Interval(**found))


def points(found: dict) -> str:
    """A difference with its interval, in percentage points."""
    return f"{100 * found['value']:+.1f} points ({100 * found['low']:+.1f} to {100 * found['high']:+.1f})"


def verdict(difference: dict) -> str:
    """What the difference from word counts means for somebody who has to choose."""
    if difference["low"] > 0:
        return "The difference is clear: the encoder earns its cost."
    if difference["high"] < 0:
        return "Word counts are better here, and much cheaper: use them, or look for more labels."
    return "No clear difference: word counts may do as well here, at a fraction of the cost."


def outcome_lines(scores: Scores, settings: dict) -> list[str]:
    """A trained classifier on the test part, beside word counts and the most frequent class."""
    beside, usual = settings["baseline"], settings["baseline"]["most_frequent"]
    return [
        f"{settings['test']['examples']:,} test texts".ljust(22) + "macro-F1".ljust(26) + "accuracy",
        f"this classifier       {scores.macro_f1!s:26}{scores.accuracy}",
        f"word counts, tuned    {percent(beside['macro_f1']):26}{percent(beside['accuracy'])}",
        f"most frequent class   {percent(usual['macro_f1']):26}{percent(usual['accuracy'])}",
        f"difference from word counts: {points(beside['difference'])}. {verdict(beside['difference'])}",
    ]
