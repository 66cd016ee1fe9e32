"""The baseline: what it finds, what it chooses on, and texts that have next to nothing to count."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from helpers.everyday import Table, baseline, labelled, split
from helpers.everyday.baseline import FEATURES, count_words
from tests.everyday.tables_of_texts import sentences


def table(rows, columns=("text", "label")):
    return Table("t.csv", columns, [list(row) for row in rows], list(range(2, len(rows) + 2)))


def test_it_finds_the_word_that_decides():
    steps = []
    examples = labelled(table(sentences(300)), "text", "label")
    parts = split(examples)
    found = count_words(examples, parts, on_step=lambda: steps.append(1))
    truth = [examples.labels[row] for row in parts.test]
    assert f1_score(truth, found.answers, average="macro") > 0.95
    assert len(steps) == len(FEATURES) + 1 and found.chosen.split(",")[0] in FEATURES
    counts = [sum(examples.labels[row] == number for row in parts.train) for number in (0, 1)]
    assert counts[found.most_frequent] == max(counts)
    assert count_words(examples, parts)[:3] == found[:3]


def test_words_of_both_texts_of_a_pair():
    """Only the second text tells."""
    rows = [(f"text {number}", f"{label} one", label) for number in range(60) for label in ("red", "blue")]
    examples = labelled(table(rows, ("one", "two", "label")), "one", "label", "two")
    parts = split(examples)
    assert count_words(examples, parts).answers == [examples.labels[row] for row in parts.test]


@pytest.mark.parametrize("count", [40, 1300])
def test_texts_that_share_nothing(count):
    """Every text is one character of its own: with many of them the rare ones are not counted at all."""
    rows = [(chr(0x4E00 + number), "ab"[number % 2]) for number in range(count)]
    examples = labelled(table(rows), "text", "label")
    parts = split(examples)
    assert len(count_words(examples, parts).answers) == len(parts.test)


def test_marks_and_pictures_are_words():
    rows = [
        (f"{mark} {number}", name) for number in range(40) for mark, name in (("👍", "up"), ("!", "down"))
    ]
    examples = labelled(table(rows), "text", "label")
    examples.keys[:] = [str(number) for number in range(80)]
    parts = split(examples)
    assert count_words(examples, parts).answers == [examples.labels[row] for row in parts.test]


def test_a_sample_chooses_for_many_texts(monkeypatch):
    """A class that the sample lacks gets a row in it."""
    monkeypatch.setattr(baseline, "MOST", 5)
    rows = [*sentences(200), *((f"odd {number}", "rare") for number in range(3))]
    examples = labelled(table(rows), "text", "label")
    parts = split(examples)
    assert len(baseline.count_words(examples, parts).answers) == len(parts.test)
    labels = np.array([0, 1, 1, 2, 2])
    assert baseline._first_of_missing(labels, [0], range(5)) == [1, 3]
