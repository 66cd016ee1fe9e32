"""What a pretraining trial reads and is measured on: real text, or the generated stories.

Support code. Both corpora offer the same: `name`, `tokenizer`, `positions` (the longest row), `frequencies`
(logarithms of the entries' shares), `batches` to train on, `measure`, and `baselines`, the loss of
frequencies and of a table of both neighbors for each held-out part.
"""

import json
from argparse import Namespace
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import NamedTuple

import datasets
import torch
from torch.nn import functional

from helpers import stories
from helpers.analysis.baselines import TwoNeighbors, count_two_neighbors
from helpers.data.files import write_atomically
from helpers.encoder import evaluating
from helpers.pretraining import (
    IGNORE,
    BertForPreTraining,
    make_sentence_pairs,
    mask_tokens,
    pairs_to_batch,
    pretraining_batches,
)
from helpers.studies.story_runs import RECIPE, Task
from helpers.studies.tables import locked
from helpers.training import corpus as texts
from helpers.training.model import measure
from helpers.training.prepare import make_tokenizer, prepare_text
from helpers.training.rows import MaskedRows, count_tokens
from helpers.training.starts import log_frequencies
from helpers.training.variants import masked_variant_logits

__all__ = ["ENTRIES", "TEXTS", "Baseline", "StoryCorpus", "TextCorpus", "neighbors_in_stories"]

ENTRIES = 8000  # of the vocabulary, as in scripts/pretrain.py
TEXTS = {"course": "text", "wider": "wider"}  # what a table calls each of the texts
FEW = 256  # held-out rows of a part for a measurement on the way


class Baseline(NamedTuple):
    """Mean losses at the hidden tokens of a held-out part, in nats."""

    unigram: float
    two_neighbors: float

    def share(self, loss: float) -> float:
        """The share of the way from frequencies (0) to the table of both neighbors (1)."""
        return (self.unigram - loss) / (self.unigram - self.two_neighbors)


class TextCorpus:
    """The course's text with its vocabulary and split, as scripts/pretrain.py prepares them, in a folder.

    corpus: its own text, or the wider one. Text, vocabulary and rows are made once for a length of rows, and
    found again by the next process. Raises TableError where nothing can be written, CorpusError and RunError
    as `prepare_text` does.
    """

    def __init__(self, folder: str | Path, length: int, entries: int = ENTRIES, corpus: str = "course"):
        self.name = TEXTS[corpus]
        self.positions, folder = length, Path(folder) / self.name
        place = folder / f"length-{length}"
        settings = Namespace(
            out=folder, length=length, text=None, corpus=corpus, tokenizer=None, vocab_size=entries
        )
        with locked(folder / "prepared"):
            self.tokenizer = make_tokenizer(settings, texts.training_documents("course"))
            if not (folder / "vocab.txt").exists():
                self.tokenizer.save(folder / "vocab.txt")
            place.mkdir(exist_ok=True)
            _, self.rows, self.held_out = prepare_text(
                Namespace(**vars(settings) | {"out": place}), self.tokenizer
            )
            self.parts = tuple(self.held_out)
            size = len(self.tokenizer.vocabulary)
            self.frequencies = log_frequencies(count_tokens(self.rows, size))
            self.baselines = self._found(place / "baselines.json", size)

    def _found(self, path: Path, size: int) -> dict[str, Baseline]:
        """The baselines of each part, counted once and kept."""
        if not path.exists():
            table, values = count_two_neighbors(self.rows, size), {}
            hide = partial(mask_tokens, rate=0.15, shares=(1.0, 0.0, 0.0))  # as `measure`
            for part, shards in self.held_out.items():
                rows = MaskedRows(shards, self.tokenizer, seed=0, mask=hide)
                values[part] = _baseline(_stacked([rows[place] for place in range(len(rows))]), table,
                                         self.frequencies)  # fmt: skip
            write_atomically(path, json.dumps(values).encode())
        return {part: Baseline(*both) for part, both in json.loads(path.read_text(encoding="utf-8")).items()}

    def batches(self, rows: int, seed: int, mask: Callable) -> Iterator[dict[str, torch.Tensor]]:
        """Batches of so many rows without end, newly masked: ids and labels (B, T)."""
        examples = MaskedRows(self.rows, self.tokenizer, seed, mask)
        for batch in count():
            yield _stacked([examples[place] for place in range(batch * rows, (batch + 1) * rows)])

    def measure(self, model: BertForPreTraining, whole: bool) -> dict[str, float]:
        """Loss and accuracy of every held-out part, on all rows or on the first ones."""
        values = {}
        for part, shards in self.held_out.items():
            most = None if whole else FEW
            found = measure(model, shards, self.tokenizer, "cpu", most, masked_variant_logits)
            values |= {f"{part}_{what}": value for what, value in found.items()}
        return values


class StoryCorpus:
    """The stories of notebook 6, a pair of segments in a row; the next-sentence loss is left out."""

    name, parts = "stories", ("stories",)

    def __init__(self, task: Task | None = None):
        self.task = task or Task(
            {name: stories.split(name) for name in ("train", "validation")}, RECIPE["vocab_size"]
        )
        self.tokenizer, self.frequencies = self.task.tokenizer, self.task.frequencies
        longest = max(len(segment) for document in self.task.documents for segment in document)
        self.positions = 2 * longest + 3
        table = neighbors_in_stories(self.task.documents, self.tokenizer)
        scored = [(_baseline(batch, table, self.frequencies), (batch["labels"] != IGNORE).sum().item())
                  for batch in self.task.batches]  # fmt: skip
        asked = sum(number for _, number in scored)
        means = [sum(both[side] * number for both, number in scored) / asked for side in (0, 1)]
        self.baselines = {"stories": Baseline(*means)}

    def batches(self, rows: int, seed: int, mask: Callable) -> Iterator[dict[str, torch.Tensor]]:
        """Batches of so many pairs without end, newly masked, with padding."""
        for batch in pretraining_batches(self.task.documents, self.tokenizer, rows, seed, mask):
            yield {name: values for name, values in batch.items() if name != "next_labels"}

    @torch.no_grad()
    def measure(self, model: BertForPreTraining, whole: bool) -> dict[str, float]:
        """Loss, accuracy and gain on the validation pairs, or on the first of them."""
        loss = right = asked = 0.0
        with evaluating(model):
            for batch in self.task.batches if whole else self.task.batches[:8]:
                positions = batch["labels"] != IGNORE
                logits = masked_variant_logits(
                    model, batch["ids"], positions, batch["type_ids"], batch["attention_mask"]
                )
                hidden = batch["labels"][positions]
                loss += functional.cross_entropy(logits, hidden, reduction="sum").item()
                right += (logits.argmax(-1) == hidden).sum().item()
                asked += len(hidden)
        values = {"stories_loss": loss / asked, "stories_accuracy": right / asked}
        if self.task.perfect is not None:
            values["stories_gain"] = self.task.gain(loss / asked)
        return values


def neighbors_in_stories(documents: list, tokenizer) -> TwoNeighbors:
    """The table of both neighbors in an epoch of pairs, as a model reads them; padding is not counted."""
    batch = pairs_to_batch(make_sentence_pairs(documents, 0), tokenizer)
    shard = datasets.Dataset.from_dict({"ids": batch["ids"].numpy()})
    table = count_two_neighbors([shard], len(tokenizer.vocabulary))
    counts = table.counts.copy()
    counts[tokenizer.id_of["[PAD]"]] = 0
    return table._replace(counts=counts)


def _baseline(batch: dict[str, torch.Tensor], table: TwoNeighbors, frequencies: torch.Tensor) -> Baseline:
    asked = batch["labels"][batch["labels"] != IGNORE]
    return Baseline(-frequencies[asked].mean().item(), table.score(batch).loss)


def _stacked(rows: list[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}
