"""The unigram and bigram tables against counting by hand."""

import math
from collections import Counter

import datasets
import numpy as np
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


def by_witten_and_bell(counts, otherwise):
    """N / (N + U) of a table's shares, the rest what is known without it (method C)."""
    total, kinds = counts.total(), len(counts)
    if not total:
        return otherwise
    return [(counts[token] + kinds * otherwise[token]) / (total + kinds) for token in range(SIZE)]


def test_two_neighbors_are_counted_as_by_hand():
    shards = [datasets.Dataset.from_dict({"ids": part}) for part in (ROWS[:1], ROWS[1:])]
    table = baselines.count_two_neighbors(shards, SIZE)
    total = sum(map(len, ROWS)) + SIZE
    shares = [(sum(row.count(token) for row in ROWS) + 1) / total for token in range(SIZE)]
    mask = 8  # never in the training text: it tells nothing, on either side
    for left, right in ((3, 3), (1, 4), (4, 5), (mask, 3), (4, mask), (mask, mask), (5, 6)):
        pairs = [pair for row in ROWS for pair in zip(row, row[1:], strict=False)]
        after = by_witten_and_bell(Counter(b for a, b in pairs if a == left), shares)
        before = by_witten_and_bell(Counter(a for a, b in pairs if b == right), shares)
        apart = [one * other / share for one, other, share in zip(after, before, shares, strict=True)]
        apart = [value / sum(apart) for value in apart]
        triples = [t for row in ROWS for t in zip(row, row[1:], row[2:], strict=False)]
        between = Counter(m for a, m, b in triples if (a, b) == (left, right))
        expected = by_witten_and_bell(between, apart)
        (found,) = table.guesses(np.array([left]), np.array([right]))
        assert found == pytest.approx(expected) and found.sum() == pytest.approx(1)
        if (left, right) == (3, 3):
            assert between == Counter({4: 1})  # so the joint table is tried, too
        if (left, right) == (mask, mask):
            assert found == pytest.approx(shares)


def test_the_score_of_two_neighbors_is_the_mean_over_what_is_hidden():
    shards = [datasets.Dataset.from_dict({"ids": ROWS})]
    table = baselines.count_two_neighbors(shards, SIZE)
    ids = torch.tensor([[1, 8, 4, 3, 8, 2], [1, 4, 8, 5, 3, 2]])
    labels = torch.full_like(ids, IGNORE)
    labels[0, 1], labels[0, 4], labels[1, 2] = 3, 5, 6
    chances = table.guesses(np.array([1, 3, 4]), np.array([4, 2, 5]))
    wanted = np.array([3, 5, 6])
    score = table.score({"ids": ids, "labels": labels})
    assert score.loss == pytest.approx(-np.log(chances[np.arange(3), wanted]).mean())
    assert score.accuracy == pytest.approx((chances.argmax(axis=1) == wanted).mean())
    with pytest.raises(ValueError, match="no position of the batch has a label"):
        table.score({"ids": ids, "labels": torch.full_like(labels, IGNORE)})
