"""Labels as people write them: missing ones, several spellings of one, and columns that hold no labels.

Support code. A label is the string that was written: "1", "nan" and "N/A" are labels like others.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from helpers.everyday.errors import InputError, named

__all__ = ["check_classes", "classes_of", "is_empty", "merge_notes", "merged", "spelling_key", "spellings"]

# What some programs write for a value that is missing.
SUSPICIOUS = ("nan", "n/a", "na", "null", "none", "-", "?", "#n/a")


def is_empty(text: str) -> bool:
    """Whether a text has nothing to see: blanks, control characters, invisible ones."""
    return all(unicodedata.category(char) in ("Zs", "Zl", "Zp", "Cc", "Cf") for char in text)


def spelling_key(label: str) -> str:
    """The same for labels that differ in case, blanks, or the code of a character alone."""
    return " ".join(unicodedata.normalize("NFKC", label).casefold().split())


def spellings(labels: Sequence[str]) -> dict[str, list[str]]:
    """Each label that is written in several ways: its most frequent form -> all forms, that one first."""
    counts, forms = Counter(labels), {}
    for label, _ in counts.most_common():
        forms.setdefault(spelling_key(label), []).append(label)
    return {found[0]: found for found in forms.values() if len(found) > 1}


def merged(labels: Sequence[str]) -> list[str]:
    """Labels with every spelling replaced by the most frequent one of the same label."""
    first = {form: usual for usual, forms in spellings(labels).items() for form in forms}
    return [first.get(label, label) for label in labels]


def merge_notes(before: Sequence[str], after: Sequence[str]) -> list[str]:
    """What became what: a line for each label that replaced others, the most frequent of them first."""
    replaced: dict[str, Counter] = {}
    for old, new in zip(before, after, strict=True):
        if old != new:
            replaced.setdefault(new, Counter())[old] += 1
    return [
        f"labels merged: {named(form for form, _ in forms.most_common())} -> {named([new])}"
        for new, forms in replaced.items()
    ]


def classes_of(labels: Sequence[str]) -> tuple[str, ...]:
    """The different labels in their order: by number where all are whole numbers, else by alphabet."""
    names = set(labels)
    if all(re.fullmatch(r"-?\d{1,18}", name) for name in names):
        return tuple(sorted(names, key=lambda name: (int(name), name)))
    return tuple(sorted(names))


def check_classes(labels: Sequence[str], keys: Sequence[str], lines: Sequence[int], where: str) -> list[str]:
    """Refuse labels that nothing can be learned from; returns what the user should know of the others.

    keys: the same for texts that count as one; lines: where each row stands; where: file and column, for
    messages. InputError for no labels, one class only, about as many classes as texts (it is another column),
    and a class with one text: it can't be both learned from and checked.
    """
    texts_of: dict[str, set[str]] = {}
    for label, key in zip(labels, keys, strict=True):
        texts_of.setdefault(label, set()).add(key)
    total = len(set(keys))
    if not texts_of:
        raise InputError(f"{where}: no row has both a text and a label")
    if len(texts_of) == 1:
        raise InputError(
            f"{where}: all labels are {named(texts_of)}; a classifier needs at least two classes"
        )
    if len(texts_of) > max(5, total / 2):
        raise InputError(
            f"{where}: {len(texts_of):,} different labels for {total:,} different texts, such as "
            f"{named(list(texts_of)[:3])}: is this the column with the labels?"
        )
    if alone := [label for label, found in texts_of.items() if len(found) == 1]:
        line = lines[list(labels).index(alone[0])]
        advice = "Give at least two different texts of each class, or leave those rows out"
        if any(set(alone) & set(forms) for forms in spellings(labels).values()):
            advice = (
                "Some differ from other labels in case or blanks alone: add --merge-labels to make them one"
            )
        raise InputError(
            f"{where}: {len(alone)} of {len(texts_of)} classes have a single text, which can't be both "
            f"learned from and checked: {named(alone)} (the first in line {line:,}). {advice}"
        )
    return _notes(labels)


def _notes(labels: Sequence[str]) -> list[str]:
    """What is unusual about labels that can be used."""
    notes = []
    for forms in spellings(labels).values():
        notes.append(
            f"the labels {named(forms)} differ in case or blanks alone and count as {len(forms)} classes: "
            "add --merge-labels to make them one"
        )
    if odd := [label for label in classes_of(labels) if label.strip().lower() in SUSPICIOUS]:
        notes.append(f"the label {named(odd)} counts as a class: empty the cell where it means no label")
    counts = Counter(labels).most_common()
    if counts[0][1] > 20 * counts[-1][1]:
        notes.append(
            f"the classes are uneven: {counts[0][1]:,} rows of {named([counts[0][0]])}, {counts[-1][1]:,} of "
            f"{named([counts[-1][0]])}; look at macro-F1 and at each class, not at accuracy"
        )
    return notes
