"""Where two results first differ, and how it is said."""

import math
from collections import Counter, deque

import numpy as np
import pytest
import torch

from helpers.exercises.comparison import as_text, difference


def said(yours, expected, **options):
    found = difference(yours, expected, **options)
    return None if found is None else found.sentence


@pytest.mark.parametrize(
    "pair",
    [
        (1, 1), (1.0, 1.0), (1, 1.0), (np.float64(0.5), 0.5), (np.float32(0.1), 0.1), (np.int64(3), 3),
        (0.1 + 0.2, 0.3), (math.nan, math.nan), (math.inf, math.inf), ("a", "a"), (None, None), (True, True),
        ([1, [2.0]], [1, [2.0]]), ((), ()), ({"a": 1}, {"a": 1}), ({1, 2}, {2, 1}),
        (Counter("ab"), {"a": 1, "b": 1}),
        (torch.tensor([1.0, math.nan]), torch.tensor([1.0, math.nan])), (torch.zeros(0), torch.zeros(0)),
        (torch.ones(2, dtype=torch.float64), torch.ones(2)), (np.ones(2), np.ones(2)), (b"x", b"x"),
        (torch.tensor([1]), torch.tensor([1], dtype=torch.int32)), (range(3), range(3)),
        (deque([1]), deque([1])),
        (np.array(["a"]), np.array(["a"])), (torch.ones(2, requires_grad=True), torch.ones(2)),
    ],
)  # fmt: skip
def test_equal(pair):
    assert said(*pair) is None


@pytest.mark.parametrize(
    ("yours", "expected", "words"),
    [
        (2, 1, "yours is 2, expected 1"),
        (1.5, 1, "yours is 1.5, expected 1"),
        (1.0, 1, "your result is a number (float), expected a whole number (int)"),
        (True, 1, "your result is a bool, expected a whole number (int)"),
        (1, True, "your result is a whole number (int), expected a bool"),
        (torch.tensor(1.0), 1.0, "expected a number (float) (.item() takes the number out)"),
        (1.0, torch.tensor(1.0), "keep the tensor; .item() takes its number out and the gradient with it"),
        (0.12345678, 0.12349, "yours is 0.12345678, expected 0.12349"),
        (math.nan, 1.0, "yours is nan, expected 1"),
        (-math.inf, math.inf, "yours is -inf, expected inf"),
        ("ab", "abc", "yours is 'ab', expected 'abc'"),
        ("the bank of the river", "the bank on the river", "they part at character 10"),
        (["a"], ("a",), "your result is a list of 1, expected a tuple of 1 (round brackets"),
        (("a",), ["a"], "your result is a tuple of 1, expected a list of 1 (square brackets"),
        ([1, 2], [1, 3], "item 1: yours is 2, expected 3"),
        ([1], [1, 3], "yours has 1 items, expected 2: [1], expected [1, 3]"),
        ([1, 2, 3], [3, 2], "yours has 3 items, expected 2"),
        ([1, [2, 3]], [1, [2, 4]], "item 1[1]: yours is 3, expected 4"),
        ({"a": 1}, {"b": 1}, "'b' is missing: yours has ['a']"),
        ({"a": 1, "c": 1}, {"a": 1}, "'c' is in yours and not expected"),
        ({"ids": [1, 2]}, {"ids": [1, 3]}, "ids[1]: yours is 2, expected 3"),
        ({1}, {2}, "yours is {1}, expected {2}"),
        ([("a", 1)], [("a", 2)], "item 0[1]: yours is 1, expected 2"),
        (..., [1], "your result is the dots (...), expected a list of 1"),
        (iter([1]), [1], "your result is a list_iterator, expected a list of 1"),
        (torch.eye(2), torch.ones(2, 2), "yours is 0 at [0, 1], expected 1 (2 of 4 numbers differ)"),
        (torch.tensor(1.0), torch.tensor(2.0), "yours is 1, expected 2"),
        (torch.tensor([1, 0]), torch.tensor([True, False]), "numbers are torch.int64, expected torch.bool"),
        (np.eye(2), np.ones((2, 2)), "yours is 0 at [0, 1]"),
        ([1.0], np.ones(1), "your result is a list of 1, expected a numpy array of shape (1,)"),
        (1, None, "your result is a whole number (int), expected None"),
    ],
)  # fmt: skip
def test_different(yours, expected, words):
    assert words in said(yours, expected)


def test_the_first_difference_names_its_part():
    found = difference({"one": 1, "two": torch.eye(3)}, {"one": 1, "two": torch.eye(3).flip(0)})
    assert found.where == "two at [0, 0]" and (found.yours, found.expected) == (1.0, 0.0)


def test_a_difference_in_length_before_one_of_values_inside():
    assert "yours has 2 items" in said(["a", "x"], ["a", "b", "c"])


def test_tolerance():
    assert said(1.001, 1.0) and not said(1.001, 1.0, tolerance=0.01)
    assert said(torch.tensor([1e-7]), torch.tensor([2e-7]), tolerance=0.0)


def test_a_foreign_type_that_refuses_to_be_compared():
    class Odd:
        def __eq__(self, other):
            raise RuntimeError("never")

        __hash__ = None

    assert "can't be compared: never" in said(Odd(), Odd())


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5, "0.5"), (1 / 3, "0.3333"), (1e-7, "1e-07"), (1234567.0, "1.23e+06"), (2.0, "2"), (0.0, "0"),
        ([1.0, "a", None], "[1, 'a', None]"), ((1,), "(1)"), (list(range(20)), "[0, 1, 2, 3, 4, 5, 6, 7, …]"),
        (torch.tensor([1.0, 0.25]), "[1, 0.25]"), (torch.zeros(9, 9), "a tensor of (9, 9)"),
        (np.float64(0.5), "0.5"),
        ("x" * 200, "x" * 117 + "…"), (True, "True"),
    ],
)  # fmt: skip
def test_as_text(value, text):
    assert as_text(value) == text
