"""The unigram and bigram tables against counting by hand."""

import math
from collections import Counter

import datasets
import pytest
import torch

from helpers.analysis import baselines
from helpers.pretraining import IGNORE

SIZE = 9
ROWS = [[1, 3, 4, 3, 5, 2], [1, 4, 3, 5, 5, 2], [1, 3, 4, 6, 3, 2]]


@pytest.fixture(scope="module")
def tables():
    shards = [datasets.Dataset.from_dict({"ids": part}) for part in (ROWS[:1], ROWS[1:])]
    return baselines.count(shards, SIZE)


def test_the_counts_are_those_of_the_rows(tables):
    ones = Counter(token for row in ROWS for token in row)
    pairs = Counter(pair for row in ROWS for pair in zip(row, row[1:], strict=False))
    assert tables.counts.tolist() == [ones[token] for token in range(SIZE)]
    found = {
        divmod(pair, SIZE): count
        for pair, count in zip(tables.pairs.tolist(), tables.pair_counts.tolist(), strict=True)
    }
    assert found == pairs


@pytest.mark.parametrize("weight", [0.5, 0.8])
def test_scores_are_those_of_counting_by_hand(tables, weight):
    mask = 8  # an entry that never stood in the training text, as [MASK]
    ids = torch.tensor([[1, mask, 4, mask, mask, 2], [1, 5, mask, 7, mask, 2]])
    labels = torch.tensor([[IGNORE, 3, IGNORE, 3, 6, IGNORE], [IGNORE, IGNORE, 2, IGNORE, 4, IGNORE]])
    total = sum(map(len, ROWS)) + SIZE
    shares = [(sum(row.count(token) for row in ROWS) + 1) / total for token in range(SIZE)]
    losses, right = {"unigram": [], "bigram": []}, {"unigram": [], "bigram": []}
    for row, place in (labels != IGNORE).nonzero().tolist():
        left, wanted = ids[row, place - 1].item(), labels[row, place].item()
        after = Counter(b for line in ROWS for a, b in zip(line, line[1:], strict=False) if a == left)
        mixed = shares
        if after:
            mixed = [
                weight * after[token] / after.total() + (1 - weight) * shares[token] for token in range(SIZE)
            ]
        for name, chances in (("unigram", shares), ("bigram", mixed)):
            losses[name].append(-math.log(chances[wanted]))
            right[name].append(chances.index(max(chances)) == wanted)
    batch = {"ids": ids, "labels": labels}
    for name, score in (("unigram", tables.unigram(batch)), ("bigram", tables.bigram(batch, weight))):
        assert score.loss == pytest.approx(sum(losses[name]) / len(losses[name]))
        assert score.accuracy == pytest.approx(sum(right[name]) / len(right[name]))
    assert losses["unigram"] != losses["bigram"]
