"""What usual errors tell a beginner: each is raised for real, and explained in a sentence."""

import math
import unicodedata

import numpy as np
import pytest
import torch

from helpers.exercises.errors import explained

RAISING = {
    "the left table's columns (3)": lambda: torch.ones(2, 3) @ torch.ones(2, 3),
    "print both shapes. Must one": lambda: torch.ones(4, 2, 3) @ torch.ones(4, 2, 3),
    "the last but one of the right": lambda: np.ones((2, 3)) @ np.ones((2, 3)),
    "is a dimension of one missing": lambda: torch.ones(2, 3) + torch.ones(2),
    "two tables meet": lambda: np.ones((2, 3)) + np.ones(2),
    "`reshape` copies": lambda: torch.ones(2, 3).T.view(6),
    "2 dimensions has no dimension 2": lambda: torch.ones(2, 3).sum(dim=2),
    "multiplied, don't give": lambda: torch.ones(6).view(4, 2),
    "than the place where": lambda: torch.zeros(2, 3).__setitem__(0, torch.ones(2)),
    "different lengths": lambda: torch.tensor([[1, 2], [3]]),
    "Nothing was collected": lambda: torch.stack([]),
    "take one that is broadcast": lambda: torch.ones(2, 3)[torch.ones(2, 1).bool()],
    "`//` gives a whole one": lambda: torch.ones(6).view(3, 6 / 3),
    "`//` gives": lambda: [1, 2][: 4 / 2],
    "`.values` are the numbers": lambda: torch.ones(2, 3) - torch.ones(2, 3).max(dim=1),
    "dtype=torch.long": lambda: torch.nn.Embedding(3, 2)(torch.zeros(2)),
    "become floats by `.float()`": lambda: torch.ones(2, 2) @ torch.ones(2, 2).long(),
    "A mean of whole numbers": lambda: torch.ones(2).long().mean(),
    "can't take in floats": lambda: torch.ones(2).long().mul_(0.5),
    "a single number is needed": lambda: float(torch.ones(2)),
    "`is not None` asks": lambda: bool(torch.ones(2) > 0),
    "neither true nor false": lambda: bool(np.ones(2) > 0),
    "Something is None": lambda: [3].sort().pop(),
    "names before the `=`": lambda: [0 for a, b in [(1, 2, 3)]],
    "a single thing": lambda: list(5),
    "Round brackets call": lambda: torch.ones(2).shape(0),
    "A list has no `shape`": lambda: [1].shape,
    "A list can be changed": lambda: {[1]: 2},
    "A str can't be changed": lambda: "ab".__class__.__setitem__,
    "`range` and sizes": lambda: range([1, 2]),
    "things of one kind": lambda: [1] + (2,),
    "doesn't know what to do": lambda: "a" - 1,
    "can't be put in order": lambda: sorted([1, "a"]),
    "a single character": lambda: unicodedata.category("ab"),
    "is 4 a place of": lambda: torch.ones(3)[4],
    "places count from 0, the last": lambda: [1][3],
    "has no such key": lambda: {}["a"],
    "ask with `in` first": lambda: [1].index(2),
    "nothing left to take": lambda: [].pop(),
    "go through a copy": lambda: [words.pop(key) for words in [{1: 2, 3: 4}] for key in words],
    "what you divide by is 0": lambda: 1 / 0,
    "A logarithm of 0": lambda: math.log(0),
    "outside of the gradient's sight": lambda: torch.ones(2, requires_grad=True).add_(1),
    "`.detach()`": lambda: torch.ones(2, requires_grad=True).numpy(),
    "No gradient can come back": lambda: torch.ones(1).backward(),
    "the stub's first line": lambda: setattr(
        torch.nn.Linear.__new__(torch.nn.Linear), "a", torch.nn.Linear(1, 1)
    ),
}
RAISING["A str can't be changed"] = lambda: exec("'ab'[0] = 'c'")


@pytest.mark.parametrize("words", RAISING)
def test_a_usual_error_is_explained(words):
    with pytest.raises(Exception) as caught:
        RAISING[words]()
    told = explained(caught.value)
    assert told and words.lower() in told.lower(), f"{caught.value!r} gets: {told}"
    assert not told.endswith(".") and "{" not in told


def test_an_unusual_one_is_not():
    assert explained(LookupError("mine was called")) is None
    assert explained(ValueError("10 numbers can't be shared by 3 heads")) is None


def test_a_name_without_a_value():
    def count():
        if not RAISING:
            total = 0
        return total

    with pytest.raises(UnboundLocalError) as caught:
        count()
    assert "never got a value" in explained(caught.value)
