"""Figures as text for a terminal: a line for each class, the confusion matrix, what was read and left out.

Support code.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from helpers.everyday.labels import spellings
from helpers.everyday.scoring import Interval, Scores

__all__ = [
    "class_lines",
    "confusion_lines",
    "count_lines",
    "outcome_lines",
    "percent",
    "places",
    "plain",
    "points",
    "shown_names",
    "summary_lines",
    "verdict",
    "visible",
]

MOST_CLASSES = 12  # of a confusion matrix that fits a terminal


def plain(name: str, most: int = 24) -> str:
    """A label in one short line, whatever it holds."""
    shown = "".join(char if char.isprintable() else " " for char in name)
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def visible(names: Sequence[str]) -> list[str]:
    """Labels, those in quotes whose blanks would not be seen.

    That is one that begins or ends with a blank, and those that differ in blanks alone. Characters without a
    picture count as blanks. No two results are equal where no two labels are.
    """
    bare = [" ".join(plain(name, len(name)).split()) for name in names]
    alike = Counter(bare)
    found = [
        repr(name) if plain(name, len(name)).strip() != plain(name, len(name)) or alike[short] > 1 else name
        for name, short in zip(names, bare, strict=True)
    ]
    return found if len(set(found)) == len(found) else [repr(name) for name in names]


def shown_names(names: Sequence[str], most: int = 24) -> list[str]:
    """Labels as a table prints them: `visible` and `plain`; a long one in quotes keeps its end."""
    lines = []
    for name, seen in zip(names, visible(names), strict=True):
        long = seen != name and len(seen) > most
        lines.append(f"{seen[: most - 7]}…{seen[-6:]}" if long else plain(seen, most))
    return lines


def places(lines: Sequence[int], most: int = 3) -> str:
    """Where rows stand in a file, for a message: the first `most` lines, and how many more there are."""
    first = ", ".join(f"{line:,}" for line in lines[:most])
    more = f" and {len(lines) - most:,} more" if len(lines) > most else ""
    return f"line{'s' * (len(lines) != 1)} {first}{more}"


def summary_lines(scores: Scores) -> list[str]:
    """Accuracy and macro-F1 with their intervals."""
    return [f"macro-F1  {scores.macro_f1}", f"accuracy  {scores.accuracy}"]


def class_lines(scores: Scores) -> list[str]:
    """Precision, recall and F1 of each class in percent."""
    names = shown_names([each.name for each in scores.classes])
    width = max([5, *map(len, names)])
    lines = [f"{'class':{width}}  precision  recall     F1  examples"]
    for name, each in zip(names, scores.classes, strict=True):
        numbers = f"{100 * each.precision:9.1f}  {100 * each.recall:6.1f}  {100 * each.f1:5.1f}"
        lines.append(f"{name:{width}}  {numbers}  {each.examples:8,}")
    return lines


def confusion_lines(scores: Scores) -> list[str]:
    """The confusion matrix; of more than 12 classes the ten most frequent confusions."""
    names = shown_names([each.name for each in scores.classes], 14)
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


def count_lines(counts: dict[str, int], left_out: dict[str, list[int]]) -> list[str]:
    """What was read of a table, and what was left out, with its lines."""
    left = [("empty_texts", "without a text"), ("missing_labels", "without a label")]
    out = ", ".join(
        f"{counts[key]:,} {words} ({places(left_out[key])})" for key, words in left if counts[key]
    )
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


def verdict(settings: dict) -> str:
    """What the test means for somebody who has to choose, from what `train` found.

    A classifier with one answer for every text is named as such, whatever its difference from word counts.
    """
    difference, counts = settings["baseline"]["difference"], np.array(settings["test"]["confusion"])
    if (counts.sum(axis=0) > 0).sum() == 1 < (counts.sum(axis=1) > 0).sum():
        advice = f"Train longer (--epochs, {settings['epochs']} here), then try another --learning-rate."
        if spellings([each["name"] for each in settings["test"]["classes"]]):
            advice += " Some labels differ in case or blanks alone: make them one with --merge-labels."
        return f"This classifier gives one answer to every test text: it tells no classes apart. {advice}"
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
        f"difference from word counts: {points(beside['difference'])}. {verdict(settings)}",
    ]
