"""Figures against scikit-learn, and intervals against samples drawn one by one."""

from statistics import NormalDist

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

from helpers.everyday.reports import class_lines, confusion_lines, plain, shown_names, verdict, visible
from helpers.everyday.scoring import compare_answers, score


def answers(count=300, classes=4, seed=0):
    chance = np.random.default_rng(seed)
    labels = chance.choice(classes, size=count, p=np.arange(1, classes + 1) / sum(range(classes + 1)))
    wrong = chance.random((2, count)) < np.array([[0.2], [0.4]])
    return labels, *np.where(wrong, chance.integers(classes, size=(2, count)), labels)


def test_figures_are_those_of_the_library():
    labels, first, _ = answers()
    found = score(labels, first, "abcd")
    assert found.accuracy.value == pytest.approx(accuracy_score(labels, first))
    assert found.macro_f1.value == pytest.approx(f1_score(labels, first, average="macro"), abs=1e-6)
    assert (found.confusion == confusion_matrix(labels, first)).all()
    assert [each.examples for each in found.classes] == np.bincount(labels).tolist()


def test_a_class_that_is_not_there_does_not_count():
    found = score([0, 0, 1, 1], [0, 1, 1, 1], "abc")
    assert found.macro_f1.value == pytest.approx(
        f1_score([0, 0, 1, 1], [0, 1, 1, 1], average="macro"), abs=1e-6
    )
    assert found.classes[2][1:] == (0, 0, 0, 0)


def test_intervals_are_those_of_samples():
    labels, first, second = answers()
    chance, single, paired = np.random.default_rng(5), [], []
    for _ in range(400):
        draw = chance.integers(len(labels), size=len(labels))
        f1 = [f1_score(labels[draw], each[draw], average="macro") for each in (first, second)]
        single.append(f1[0])
        paired.append(f1[0] - f1[1])
    found, difference = score(labels, first, "abcd").macro_f1, compare_answers(labels, first, second)
    assert found[1:] == pytest.approx(np.quantile(single, [0.025, 0.975]), abs=0.012)
    assert difference[1:] == pytest.approx(np.quantile(paired, [0.025, 0.975]), abs=0.015)
    assert difference.value == pytest.approx(
        found.value - f1_score(labels, second, average="macro"), abs=1e-6
    )


def test_accuracy_has_wilsons_interval():
    """Also where all answers are right, of which other samples could not tell."""
    z, count = NormalDist().inv_cdf(0.975), 17
    found = score([0, 1] * 8 + [0], [0, 1] * 8 + [0], "ab").accuracy
    assert found.low == pytest.approx(count / (count + z * z)) and found.high == pytest.approx(1)


def test_many_examples_fit_into_memory():
    labels = np.arange(60_000) % 3
    assert score(labels, labels, "abc").macro_f1.low == 1


def test_a_report_of_any_names():
    labels, first, _ = answers()
    scores = score(labels, first, ["a\nb", "中" * 40, "|", "\x1b[31m"])
    lines = [*class_lines(scores), *confusion_lines(scores)]
    assert not any(char in "".join(lines) for char in "\n\x1b") and len(lines) == 5 + 6
    assert plain("x" * 30) == "x" * 23 + "…"


@pytest.mark.parametrize(
    ("names", "seen"),
    [
        (["a b", "a", "a'"], ["a b", "a", "a'"]),
        (["good", "good ", "bad"], ["'good'", "'good '", "bad"]),
        (["a b", "a  b", "c\n"], ["'a b'", "'a  b'", r"'c\n'"]),
        (["a\u200b", "a", "\xa0b"], [r"'a\u200b'", "'a'", r"'\xa0b'"]),
        (["a ", "'a '"], ["'a '", "\"'a '\""]),
        (["Good", "good"], ["Good", "good"]),
    ],
)
def test_blanks_of_labels_are_seen(names, seen):
    assert visible(names) == seen
    numbers = list(range(len(names)))
    scores = score(numbers, numbers, names)
    for lines in (class_lines(scores)[1:], confusion_lines(scores)[2:]):
        assert [line.startswith(f"{each} ") for line, each in zip(lines, seen, strict=True)] == [True] * len(
            seen
        )


def test_a_long_label_keeps_the_blank_at_its_end():
    one, other = shown_names(["x" * 40, "x" * 40 + " "])
    assert one.endswith("x'") and other.endswith("x '") and len(one) == len(other) == 24


def test_a_classifier_with_one_answer_is_named_as_such():
    """Whatever word counts do, who may give one answer, too."""
    labels, names = [0, 1] * 10, ["good", "good "]

    def said(answers, difference, labels=labels, names=names):
        found = score(labels, answers, names).as_json()
        return verdict({"test": found, "epochs": 4, "baseline": {"difference": difference}})

    differences = [{"value": x, "low": x - 0.1, "high": x + 0.1} for x in (-0.3, 0, 0.3)]
    for difference in differences:
        one = said([1] * 20, difference)
        assert "gives one answer to every test text" in one and "--epochs, 4 here" in one
        assert "make them one with --merge-labels" in one and "ord counts" not in one
        assert "--merge-labels" not in said([1] * 20, difference, names=["good", "bad"])
        for fine in (said([1] * 19 + [0], difference), said([1] * 20, difference, [1] * 20)):
            assert "one answer" not in fine
    assert "No clear difference" in said([1] * 19 + [0], differences[1])


def test_a_large_confusion_matrix_is_told_by_its_largest_numbers():
    labels = np.arange(40) % 20
    said = np.where(labels == 3, 7, labels)
    lines = confusion_lines(score(labels, said, [f"c{n}" for n in range(20)]))
    assert lines[1:] == ["     2  c3 taken for c7"]
    assert confusion_lines(score(labels, labels, [f"c{n}" for n in range(20)]))[1:] == ["none"]
