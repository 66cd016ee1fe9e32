"""How a wrong result comes from the right one: what is said, and that nothing is said by chance."""

import math

import numpy as np
import pytest
import torch

from helpers.exercises.relations import relation

torch.manual_seed(0)
TABLE = torch.randn(2, 3, 4)
SHARES = TABLE.softmax(dim=-1)
SPANS = [(0, 2), (3, 5), (6, 9)]
SAID = {
    "wrong sign": (-TABLE, TABLE),
    "2 times": (2 * TABLE, TABLE),
    "the root of 8": (math.sqrt(8) * TABLE, TABLE),
    "(1 / 4)": (TABLE / 4, TABLE),
    "1 more": (TABLE + 1, TABLE),
    "add up to 1": (1 - SHARES, SHARES),
    "squares": (SHARES**2, SHARES),
    "the logarithms of": (SHARES.log(), SHARES),
    "one divided by": (1 / SHARES, SHARES),
    "cut to whole": (TABLE.floor(), TABLE),
    "to another base": ([x / math.log(2) for x in (0.1, 0.5, 0.9)], [0.1, 0.5, 0.9]),
    "1 and 2 are exchanged": (TABLE.transpose(1, 2), TABLE),
    "0 and 1 are exchanged": (TABLE[0, :3, :3].T, TABLE[0, :3, :3]),
    "only the shape": (TABLE.flatten(1), TABLE),
    "averaged along its dimension 1": (TABLE.mean(dim=1), TABLE),
    "the other way round": (TABLE.flip(1), TABLE),
    "moved by one place along dimension 2": (TABLE.roll(1, 2), TABLE),
    "stand at other places": (TABLE.flatten()[torch.randperm(24)].view(2, 3, 4), TABLE),
    "within each row the proportions are right; only": (TABLE.exp(), SHARES),
    "within each column the proportions": (SHARES * torch.arange(1, 5), SHARES),
    "within each row all numbers are off": (TABLE + torch.arange(6).view(2, 3, 1), TABLE),
    "only the first of the rows": (TABLE + torch.tensor([[[1.0], [0], [0]]]) * TABLE, TABLE),
    "only the last of the columns": (TABLE * torch.tensor([1.0, 1, 1, 3]), TABLE),
    "every answer is": (~(TABLE > 0), TABLE > 0),
    "too wide": (TABLE > -0.5, TABLE > 0),
    "too narrow": (np.array([True, False, False]), np.array([True, True, False])),
    "the last one is missing": (SPANS[:2], SPANS),
    "the first one is missing": (SPANS[1:], SPANS),
    "too many at the end": ([*SPANS, (9, 9)], SPANS),
    "reverse order": (SPANS[::-1], SPANS),
    "in another order": (["b", "c", "a"], ["a", "b", "c"]),
    "the second thing of the tuples is wrong: it is always 1 less": ([(0, 1), (3, 4), (6, 8)], SPANS),
    "(3, 5)] is missing": ([SPANS[0], SPANS[2]], SPANS),
    "['x'] besides": (["a", "x", "b"], ["a", "b"]),
    "two results are exchanged": ((TABLE, SHARES), (SHARES, TABLE)),
    "only the second is wrong. Your numbers have": ((TABLE, -SHARES), (TABLE, SHARES)),
    "['b'] is missing": ({"counts": {"a": 1}}, {"counts": {"a": 1, "b": 2}}),
    "stands before it": (" a cat", "a cat"),
    "capital": ("A Cat", "a cat"),
    "in their spaces": ("a  cat", "a cat"),
    "wrong sign: each": ({"one": -1.0, "two": -2.0, "three": 0.5}, {"one": 1.0, "two": 2.0, "three": -0.5}),
    "the condition is too wide": (
        {"a": True, "b": True, "c": False},
        {"a": False, "b": True, "c": False},
    ),
}


@pytest.mark.parametrize("words", SAID)
def test_what_is_said(words):
    yours, expected = SAID[words]
    told = relation(yours, expected)
    assert told and words.lower() in told.lower(), told


@pytest.mark.parametrize("yours, expected", SAID.values())
def test_nothing_is_said_of_the_right_one(yours, expected):
    assert relation({"part": expected}, {"part": expected}) is None


def test_nothing_is_said_by_chance():
    assert relation(torch.tensor([2.0, 2.0]), torch.tensor([1.0, 1.0])) is None
    assert relation({"one": 2.0}, {"one": 1.0}) is None
    assert relation(torch.randn(3, 4), torch.randn(3, 4)) is None
    assert relation(["x", "y"], ["a", "b", "c"]) is None
    assert relation(None, TABLE) is None
    assert relation({"a": 1}, TABLE) is None
