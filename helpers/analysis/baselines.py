"""What a masked-language model has to beat: guessing by frequency, by the left neighbor, by both neighbors.

Support code for packed rows of token ids (`helpers/training/rows.py`); all tables are counted on training
rows.
"""

from typing import NamedTuple

import numpy as np
import torch
from scipy.sparse import csr_matrix

from helpers.analysis.arrays import in_numpy
from helpers.pretraining import IGNORE

__all__ = ["Score", "Tables", "TwoNeighbors", "count", "count_two_neighbors"]


class Score(NamedTuple):
    """Mean loss in nats and share of right answers at the masked positions."""

    loss: float
    accuracy: float


class Tables(NamedTuple):
    """Counts of a training text: of each entry (V,), and of neighbors, as left * V + right in order.

    Both scores raise ValueError for a batch in which nothing is asked.
    """

    counts: np.ndarray
    pairs: np.ndarray
    pair_counts: np.ndarray

    def unigram(self, batch: dict[str, torch.Tensor]) -> Score:
        """Every entry with its share of the training tokens, one added to every count."""
        labels = _labels(batch)
        asked = labels[labels != IGNORE]
        shares = (self.counts + 1) / (self.counts + 1).sum()
        return Score(float(-np.log(shares[asked]).mean()), float((asked == self.counts.argmax()).mean()))

    def bigram(self, batch: dict[str, torch.Tensor], weight: float = 0.5) -> Score:
        """`weight` times the share after the token on the left, as the model sees it, the rest the unigram.

        Where the left token never stood in the training text (as [MASK]), the unigram alone.
        """
        size = len(self.counts)
        labels, ids = _labels(batch), in_numpy(batch["ids"])
        row, place = (labels != IGNORE).nonzero()  # never at place 0: that is [CLS]
        asked, left = labels[row, place], ids[row, place - 1]
        shares = (self.counts + 1) / (self.counts + 1).sum()
        starts = np.searchsorted(self.pairs, np.arange(size) * size)
        ends = np.append(starts[1:], len(self.pairs))
        follows = np.add.reduceat(np.append(self.pair_counts, 0), starts) * (ends > starts)
        found = np.minimum(np.searchsorted(self.pairs, left * size + asked), len(self.pairs) - 1)
        together = self.pair_counts[found] * (self.pairs[found] == left * size + asked)
        known = follows[left] > 0
        chance = np.where(
            known,
            weight * together / np.maximum(follows[left], 1) + (1 - weight) * shares[asked],
            shares[asked],
        )
        best = np.full(size, self.counts.argmax())
        for token in np.unique(left[known]):
            mixed = (1 - weight) * shares
            part = slice(starts[token], ends[token])
            mixed[self.pairs[part] % size] += weight * self.pair_counts[part] / follows[token]
            best[token] = mixed.argmax()
        return Score(float(-np.log(chance).mean()), float((best[left] == asked).mean()))


class TwoNeighbors(NamedTuple):
    """Counts of a token after its left neighbor, before its right one (V, V), and between the two (K, V).

    `sides` (K,) says which two, as left * V + right, in order. Every table is mixed with what is known
    without it, by Witten and Bell 1991 (method C): with N counts of U different tokens, N / (N + U) of the
    probability is the table's. One neighbor alone is mixed with the frequencies; the two together with the
    product of both, divided by the frequencies, which is right if they tell independently of each other.
    """

    counts: np.ndarray
    after: csr_matrix
    before: csr_matrix
    sides: np.ndarray
    between: csr_matrix

    def guesses(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """The probability of every entry between two tokens each: (N,), (N,) -> (N, V)."""
        shares = (self.counts + 1) / (self.counts + 1).sum()
        apart = _mixed(self.after[left], shares) * _mixed(self.before[right], shares) / shares
        apart /= apart.sum(axis=1, keepdims=True)
        asked = left * len(shares) + right
        found = np.minimum(np.searchsorted(self.sides, asked), len(self.sides) - 1)
        seen = csr_matrix((self.sides[found] == asked).astype(float)[:, None])
        return _mixed(self.between[found].multiply(seen).tocsr(), apart)

    def score(self, batch: dict[str, torch.Tensor]) -> Score:
        """ValueError for a batch in which nothing is asked. A neighbor that is hidden, too, tells nothing."""
        labels, ids = _labels(batch), in_numpy(batch["ids"])
        row, place = (labels != IGNORE).nonzero()  # never at the ends: [CLS] and [SEP] stand there
        loss = right = 0.0
        for some in np.array_split(np.arange(len(row)), -(-len(row) // 512)):
            r, p = row[some], place[some]
            chances = self.guesses(ids[r, p - 1].astype(np.int64), ids[r, p + 1].astype(np.int64))
            loss -= np.log(chances[np.arange(len(r)), labels[r, p]]).sum()
            right += (chances.argmax(axis=1) == labels[r, p]).sum()
        return Score(float(loss / len(row)), float(right / len(row)))


def _mixed(table: csr_matrix, otherwise: np.ndarray) -> np.ndarray:
    """Witten and Bell's mixture of rows of counts (N, V) and what is known without them."""
    total, kinds = np.asarray(table.sum(axis=1)), np.diff(table.indptr)[:, None]
    scale = np.maximum(total + kinds, 1)
    rest = np.where(total > 0, kinds / scale, 1.0)
    return table.toarray() / scale + rest * otherwise


def count_two_neighbors(shards: list, vocab_size: int) -> TwoNeighbors:
    """The tables of all rows in the shards; neighbors are counted inside a row."""
    rows = [part["ids"].astype(np.int64) for s in shards for part in s.with_format("numpy").iter(4096)]
    counts = sum(np.bincount(part.ravel(), minlength=vocab_size) for part in rows)
    left, middle, right = (
        np.concatenate([part[:, start : part.shape[1] - 2 + start].ravel() for part in rows])
        for start in range(3)
    )
    first = np.concatenate([part[:, :-1].ravel() for part in rows])
    second = np.concatenate([part[:, 1:].ravel() for part in rows])
    sides, which = np.unique(left * vocab_size + right, return_inverse=True)

    def table(one: np.ndarray, other: np.ndarray, size: int) -> csr_matrix:
        return csr_matrix((np.ones(len(one)), (one, other)), shape=(size, vocab_size))

    return TwoNeighbors(
        counts,
        table(first, second, vocab_size),
        table(second, first, vocab_size),
        sides,
        table(which, middle, len(sides)),
    )


def _labels(batch: dict[str, torch.Tensor]) -> np.ndarray:
    labels = in_numpy(batch["labels"])
    if not (labels != IGNORE).any():
        raise ValueError("no position of the batch has a label: mask some tokens first")
    return labels


def count(shards: list, vocab_size: int) -> Tables:
    """The tables of all rows in the shards; a pair is counted inside a row."""
    counts = np.zeros(vocab_size, dtype=np.int64)
    pairs: dict[int, int] = {}
    for shard in shards:
        for part in shard.with_format("numpy").iter(4096):
            ids = part["ids"].astype(np.int64)
            counts += np.bincount(ids.ravel(), minlength=vocab_size)
            keys, numbers = np.unique(ids[:, :-1] * vocab_size + ids[:, 1:], return_counts=True)
            for key, number in zip(keys.tolist(), numbers.tolist(), strict=True):
                pairs[key] = pairs.get(key, 0) + number
    keys = np.array(sorted(pairs), dtype=np.int64)
    return Tables(counts, keys, np.array([pairs[key] for key in keys.tolist()], dtype=np.int64))
