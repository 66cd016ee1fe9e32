"""What a masked-language model has to beat: guessing by frequency, and by the neighbor on the left.

Support code for packed rows of token ids (`helpers/training/rows.py`); both tables are counted on
training rows.
"""

from typing import NamedTuple

import numpy as np
import torch

from helpers.analysis.arrays import in_numpy
from helpers.pretraining import IGNORE

__all__ = ["Score", "Tables", "count"]


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
