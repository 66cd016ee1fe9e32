"""From a table to labelled texts, and to three parts of which no text stands in two.

Support code. Texts that differ in case, punctuation and blanks alone count as the same one. Left out:
texts that are nearly the same but for a word or a number.
"""

import random
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from helpers.everyday.errors import InputError
from helpers.everyday.labels import check_classes, classes_of, is_empty, merge_notes, merged
from helpers.everyday.tables import Table

__all__ = ["Labelled", "Parts", "labelled", "pairs_of", "same_text_key", "split"]


class Pair(NamedTuple):
    """What is classified: a text, and a second one where there is a column for it."""

    text: str
    second: str | None = None

    @property
    def empty(self) -> bool:
        return is_empty(self.text) or (self.second is not None and is_empty(self.second))


@dataclass(frozen=True)
class Labelled:
    """The usable rows of a table: texts, the number of each one's class, and what was met on the way."""

    pairs: list[Pair]
    labels: list[int]
    classes: tuple[str, ...]
    keys: list[str]  # the same for texts that count as one
    counts: dict[str, int]  # rows, of which: empty texts, missing labels, usable, different texts, two labels
    notes: list[str]
    left_out: dict[str, list[int]]  # the lines of rows with empty texts, and with missing labels


class Parts(NamedTuple):
    """Numbers of rows. Training keeps copies of a text; the other two hold each text once."""

    train: list[int]
    validation: list[int]
    test: list[int]


def pairs_of(table: Table, text: str, second: str | None = None) -> list[Pair]:
    """The texts of a table, row by row; InputError as in `Table.texts`."""
    if second is None:
        return [Pair(each) for each in table.texts(text)]
    return [Pair(*both) for both in zip(table.texts(text), table.texts(second), strict=True)]


def same_text_key(pair: Pair) -> str:
    """The letters and digits of a text in lower case, word by word; a text without any stands for itself."""
    keys = []
    for text in pair:
        plain = unicodedata.normalize("NFKC", text or "").casefold()
        words = "".join(char if unicodedata.category(char)[0] in "LMN" else " " for char in plain)
        keys.append(" ".join(words.split()) or " ".join(plain.split()))
    return "\n".join(keys)


def labelled(table: Table, text: str, label: str, second: str | None = None, merge: bool = False) -> Labelled:
    """The rows of a table that can be learned from. merge: spellings of one label become one class.

    InputError as in `check_classes`, and where text, second text and label are not different columns.
    """
    chosen = [name for name in (text, second, label) if name is not None]
    if len({table.place(name) for name in chosen}) < len(chosen):
        raise InputError(f"the columns {', '.join(chosen)} must be different ones")
    pairs, names = pairs_of(table, text, second), table.texts(label)
    empty = [pair.empty for pair in pairs]
    missing = [is_empty(name) for name in names]
    left_out = {
        "empty_texts": [line for line, blank in zip(table.lines, empty, strict=True) if blank],
        "missing_labels": [
            line for line, gone, blank in zip(table.lines, missing, empty, strict=True) if gone and not blank
        ],
    }
    rows = [row for row in range(len(table)) if not empty[row] and not missing[row]]
    pairs, names = [pairs[row] for row in rows], [names[row] for row in rows]
    written = names
    if merge:
        names = merged(names)
    keys = [same_text_key(pair) for pair in pairs]
    where = f"{table.name}, column {label!r}"
    lines = [table.lines[row] for row in rows]
    notes = [*merge_notes(written, names), *check_classes(names, keys, lines, where)]
    if swallowed := [line for line, pair in zip(lines, pairs, strict=True) if _holds_rows(pair.text)]:
        notes.append(
            f"{len(swallowed):,} texts look as if they had swallowed rows of a table (the first in line "
            f"{swallowed[0]:,}): a double quote may have been left open there; split them before training"
        )
    classes = classes_of(names)
    two = sum(len(found) > 1 for found in _labels_of(keys, names).values())
    counts = {
        "rows": len(table),
        **{name: len(found) for name, found in left_out.items()},
        "usable": len(rows),
        "different_texts": len(set(keys)),
        "texts_with_two_labels": two,
    }
    number = {name: index for index, name in enumerate(classes)}
    return Labelled(pairs, [number[name] for name in names], classes, keys, counts, notes, left_out)


def _holds_rows(text: str) -> bool:
    """Whether most lines of a text begin with one of a few words and a delimiter, as rows of a table do."""
    lines = text.split("\n")[1:]
    starts = [found[0] for line in lines if (found := re.match(r"[^\t,;]{1,30}[\t,;]", line))]
    return len(starts) >= max(3, 0.8 * len(lines)) and len(set(starts)) <= max(2, len(starts) / 5)


def _labels_of(keys: Sequence[str], labels: Sequence) -> dict[str, Counter]:
    """How often each text has which label."""
    found: dict[str, Counter] = {}
    for key, label in zip(keys, labels, strict=True):
        found.setdefault(key, Counter())[label] += 1
    return found


def split(examples: Labelled, seed: int = 0, share: float = 0.1) -> Parts:
    """Training, validation and test, each class in the same share; copies of a text stay on one side.

    Of each class `share` of its different texts is tested and as much is for choices (validation), at least
    one each; a class of two texts has none for choices. A text with two labels counts by its more frequent
    one, the first of equals. InputError where no class has two texts of its own.
    """
    rows_of: dict[str, list[int]] = {}
    for row, key in enumerate(examples.keys):
        rows_of.setdefault(key, []).append(row)
    by_class: dict[int, list[int]] = {}  # the first row of each text that has the text's usual label
    for key, counts in _labels_of(examples.keys, examples.labels).items():
        usual = counts.most_common(1)[0][0]
        first = next(row for row in rows_of[key] if examples.labels[row] == usual)
        by_class.setdefault(usual, []).append(first)
    if all(len(found) < 2 for found in by_class.values()):
        raise InputError("too few different texts with one label each: none is left for a test")
    dice, parts = random.Random(seed), Parts([], [], [])
    for label in sorted(by_class):
        found = by_class[label]
        dice.shuffle(found)
        tested = max(1, round(share * len(found))) if len(found) > 1 else 0
        held = max(1, round(share * len(found))) if len(found) > 2 else 0
        parts.test.extend(found[:tested])
        parts.validation.extend(found[tested : tested + held])
        for row in found[tested + held :]:
            parts.train.extend(rows_of[examples.keys[row]])
    if len({examples.labels[row] for row in parts.train}) < 2:
        raise InputError("too few different texts: only one class is left for training")
    return Parts(*(sorted(part) for part in parts))
