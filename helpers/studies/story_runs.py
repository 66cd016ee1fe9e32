"""Pretraining on the generated stories: the recipe of notebook 6, and what is measured.

Support code. A `Task` holds the texts, tokenizer and baselines for a vocabulary of some size; `run` trains
one model on it from random weights.
"""

import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path

import torch

from helpers import stories
from helpers.encoder import Bert, BertConfig
from helpers.pretraining import (
    IGNORE,
    BertForPreTraining,
    mask_tokens,
    mask_whole_words,
    mean_losses,
    pretrain,
    pretraining_batches,
)
from helpers.stories.pairs import perfect_losses, story_documents
from helpers.studies.tables import csv_line
from helpers.training.starts import log_frequencies, start_with_neighbors
from helpers.wordpiece import WordPieceTokenizer, train_wordpiece

__all__ = [
    "COLUMNS",
    "LONG",
    "RECIPE",
    "SENTENCES",
    "Measurements",
    "Task",
    "make_model",
    "make_tokenizer",
    "measured_batches",
    "measurements",
    "run",
    "token_counts",
    "training_batches",
]

# The same numbers as the settings of notebook 6; a test compares them.
RECIPE = {
    "vocab_size": 2000,
    "hidden_size": 64,
    "num_layers": 2,
    "num_heads": 2,
    "batch_size": 16,
    "steps": 10000,
    "learning_rate": 2e-3,
    "embedding_rate": 5.0,
    "warm_up": 0.02,
    "mask_rate": 0.3,
    "shares": (1.0, 0.0, 0.0),
    "init_std": None,
    "mask": "tokens",
    "next_sentence": 1.0,
}

# What is different in a long run. Small steps, and a start that suits them (helpers/training/starts.py).
LONG = {
    "num_heads": 4,
    "steps": 80_000,
    "learning_rate": 1e-3,
    "embedding_rate": 1.0,
    "warm_up": 0.006,
    "offsets": (-1, 1),
    "wide": (2, 3),
}

SENTENCES = 2  # in each half of a pair
PLAIN = (1.0, 0.0, 0.0)  # every hidden token becomes [MASK]
COLUMNS = (
    "variant", "seed", "step", "tokens", "seconds", "token_loss", "token_accuracy", "next_loss",
    "next_accuracy", "gain", "unigram_loss", "perfect_loss", "perfect_accuracy", "perfect_next_accuracy",
)  # fmt: skip


def make_tokenizer(training: list[stories.Story], vocab_size: int) -> WordPieceTokenizer:
    """Notebook 2's trainer on some of the stories; 2,000 entries are more than it needs for whole words."""
    return WordPieceTokenizer(train_wordpiece([story.text for story in training[:3000]], vocab_size))


def measured_batches(documents: list, tokenizer: WordPieceTokenizer, mask=mask_tokens) -> list[dict]:
    """Every pair of the documents once, 15 % of the tokens behind [MASK]; the same ones each time."""
    count = sum(len(document) - 1 for document in documents)
    hide = partial(mask, rate=0.15, shares=PLAIN)
    return list(islice(pretraining_batches(documents, tokenizer, 64, seed=0, mask=hide), -(-count // 64)))


def token_counts(documents: list, size: int) -> torch.Tensor:
    """How often every entry stands in the documents: (V,)."""
    ids = torch.tensor([token for document in documents for segment in document for token in segment])
    return torch.bincount(ids, minlength=size)


class Task:
    """Texts, tokenizer and baselines for a vocabulary of some size."""

    def __init__(self, texts: dict[str, list], vocab_size: int):
        self.tokenizer = make_tokenizer(texts["train"], vocab_size)
        self.documents = story_documents(texts["train"], self.tokenizer, SENTENCES)
        held_out = story_documents(texts["validation"], self.tokenizer, SENTENCES)
        # Where words are cut into pieces, whole words are hidden to measure, so that the task stays the same.
        self.whole = all(word in self.tokenizer.id_of for story in texts["validation"][:200]
                         for word in stories.to_words(story.text))  # fmt: skip
        self.batches = measured_batches(
            held_out, self.tokenizer, mask_tokens if self.whole else mask_whole_words
        )
        self.frequencies = log_frequencies(token_counts(self.documents, len(self.tokenizer.vocabulary)))
        asked = torch.cat([batch["labels"][batch["labels"] != IGNORE] for batch in self.batches])
        self.unigram = -self.frequencies[asked].mean().item()
        self.perfect = perfect_losses(self.batches, self.tokenizer, SENTENCES) if self.whole else None

    def gain(self, token_loss: float) -> float:
        """The share of the way from the unigram baseline to the perfect model."""
        return (self.unigram - token_loss) / (self.unigram - self.perfect.token_loss)


def make_model(task: Task, settings: dict, seed: int) -> BertForPreTraining:
    """The encoder with random weights; settings as in RECIPE and LONG; `dropout`, `start_at_frequencies`."""
    longest = max(len(segment) for document in task.documents for segment in document)
    torch.manual_seed(seed)
    size = settings["hidden_size"]
    config = BertConfig(
        len(task.tokenizer.vocabulary), size, settings["num_layers"], settings["num_heads"], 4 * size,
        2 * longest + 3, dropout=settings.get("dropout", 0.0), init_std=settings["init_std"],
    )  # fmt: skip
    bert = Bert(config)
    if "offsets" in settings:
        start_with_neighbors(bert, settings["offsets"], later=1.0, wide=settings["wide"])
    model = BertForPreTraining(bert)
    if settings.get("start_at_frequencies", True):
        with torch.no_grad():
            model.token_bias.copy_(task.frequencies)
    return model


def training_batches(task: Task, settings: dict, seed: int) -> Iterator[dict[str, torch.Tensor]]:
    """Batches of the training stories, masked as the settings say."""
    mask = {"tokens": mask_tokens, "whole words": mask_whole_words}[settings["mask"]]
    hide = partial(mask, rate=settings["mask_rate"], shares=settings["shares"])
    return pretraining_batches(task.documents, task.tokenizer, settings["batch_size"], seed, mask=hide)


def run(task: Task, settings: dict, seed: int, every: int, write: Callable) -> BertForPreTraining:
    """Train one model from random weights; `write` gets a line of measurements every so many steps."""
    model = make_model(task, settings, seed)
    batches = training_batches(task, settings, seed)
    tokens, spent, begun = 0, 0.0, time.perf_counter()

    def counted():
        nonlocal tokens
        for batch in batches:
            tokens += batch["attention_mask"].sum().item()
            yield batch

    def on_step(step: int, losses: object) -> None:
        nonlocal spent, begun
        if step % every == 0 or step == settings["steps"]:
            spent += time.perf_counter() - begun
            write(step, tokens, spent, model)
            begun = time.perf_counter()

    pretrain(model, counted(), settings["steps"], settings["learning_rate"], on_step,
             warm_up=settings["warm_up"], embedding_rate=settings["embedding_rate"],
             next_sentence=settings["next_sentence"])  # fmt: skip
    return model


def measurements(task: Task, model: BertForPreTraining, whole: bool) -> dict:
    """Losses, accuracies and the gain on all validation pairs, or on the first batches only."""
    losses = mean_losses(model, task.batches if whole else task.batches[:8])
    values = losses._asdict() | {"unigram_loss": task.unigram}
    if task.perfect is not None:
        values |= {
            "gain": task.gain(losses.token_loss),
            "perfect_loss": task.perfect.token_loss,
            "perfect_accuracy": task.perfect.token_accuracy,
            "perfect_next_accuracy": task.perfect.next_accuracy,
        }
    return values


class Measurements:
    """A CSV with a line per measurement: written aside, and put in its place when all runs have ended.

    What stood there before stays until then. If the runs break off, what was measured is left in `aside`.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.aside = self.path.with_name(f"{self.path.name}.partial")

    def __enter__(self) -> "Measurements":
        self.file = open(self.aside, "w", encoding="utf-8", newline="")
        self.file.write(csv_line(COLUMNS))
        return self

    def __exit__(self, kind: type | None, *_) -> None:
        self.file.close()
        if kind is None:
            os.replace(self.aside, self.path)

    def add(self, variant: str, seed: int, step: int, tokens: int, seconds: float, values: dict) -> None:
        """Write and print a line; values as from `measurements`."""
        shown = {key: f"{value:.4f}" for key, value in values.items()}
        line = {"variant": variant, "seed": seed, "step": step, "tokens": tokens,
                "seconds": f"{seconds:.1f}", **shown}  # fmt: skip
        self.file.write(csv_line(line.get(name, "") for name in COLUMNS))
        self.file.flush()
        print("  ".join(f"{key} {value}" for key, value in line.items()), flush=True)
