"""What is asked in a study: a task's three parts, the encoders, and which texts of both a run sees.

A run is a dictionary of text, its line in the table (`helpers.studies.recipes.settings_of`).
"""

import functools
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

from helpers import checkpoints, data, stories
from helpers.classification import Examples, rater_agreement
from helpers.data.files import sha256_of
from helpers.encoder import Bert
from helpers.studies.errors import RowError
from helpers.studies.prompts import as_prompt, listed
from helpers.wordpiece import WordPieceTokenizer

__all__ = [
    "Task",
    "as_examples",
    "last_sentences",
    "load_encoder",
    "load_task",
    "parts",
    "places",
    "remember_encodings",
    "subset",
    "texts",
]


@dataclass(eq=False)  # a task is loaded once, and cached values hang on it
class Task:
    """The three parts of a task; `sentences` has the sentences of texts that may be too long for a model."""

    name: str
    classes: int
    train: Examples
    validation: Examples
    test: Examples
    sentences: dict[str, tuple[str, ...]] = field(default_factory=dict)
    people: np.ndarray | None = None  # points of one human rater for each test example
    perfect: np.ndarray | None = None  # the best possible answers to the test examples

    def __post_init__(self):
        for part in ("train", "validation", "test"):  # any sequence, such as a series of pandas, by position
            setattr(self, part, as_examples(getattr(self, part)))


def as_examples(given: Examples | tuple) -> Examples:
    """Texts and labels by position, of Examples, anything alike, or a plain pair; ValueError for the rest."""
    try:
        texts, labels = (given.texts, given.labels) if hasattr(given, "texts") else given
    except (AttributeError, TypeError, ValueError):
        raise ValueError(
            f"examples are texts and labels, Examples(texts, labels), not {type(given).__name__}"
        ) from None
    return Examples(texts, labels)


@cache
def load_task(name: str) -> Task:
    """ "stories": which feeling follows the events; else a domain: is a sentence's mean rating above zero."""
    if name != "stories":
        rated = {part: [review for review in rows if review.label is not None]
                 for part, rows in data.reviews(name).items()}  # fmt: skip
        examples = [Examples([r.text for r in rows], [r.label for r in rows]) for rows in rated.values()]
        people = np.array([rater_agreement(review.ratings) for review in rated["test"]])
        return Task(name, 2, *examples, people=people)
    told = [stories.split(f"classification_{part}") for part in ("train", "validation", "test")]
    number = {feeling: index for index, feeling in enumerate(stories.FEELINGS)}
    examples = [Examples([s.text for s in part], [number[s.feeling] for s in part]) for part in told]
    sentences = {story.text: story.sentences for part in told for story in part}
    perfect = np.array([number[stories.usual_feeling(story)] for story in told[2]])
    return Task(name, len(number), *examples, sentences, perfect=perfect)


@cache
def load_encoder(name: str) -> tuple[Bert, WordPieceTokenizer, str]:
    """Encoder, tokenizer and a fingerprint of the weights. RowError if there is no such checkpoint."""
    here = checkpoints.CHECKPOINTS / name
    try:
        if name in ("minilm", "bert-base-uncased"):
            folder = data.fetch("minilm") if name == "minilm" else None
            model, tokenizer = checkpoints.load(name)
        else:
            folder = here if here.is_dir() else Path(name)
            if not folder.is_dir():
                raise RowError(
                    f"there is no checkpoint {name!r}, neither in data/checkpoints/ nor as a folder: train "
                    "and save it, or name another one with --own"
                )
            model, tokenizer = checkpoints.load(folder)
    except (checkpoints.CheckpointError, data.DataError) as error:
        raise RowError(str(error)) from error
    digest = sha256_of(folder / "model.safetensors")[:12] if folder else ""
    return checkpoints.encoder_of(model), remember_encodings(tokenizer), digest


def texts(task: Task, part: str, run: dict) -> Sequence[str]:
    """The texts of a part as the run's encoder can read them; whole ones for methods without an encoder."""
    if not run["checkpoint"]:
        return getattr(task, part).texts
    return _shortened(task, part, run["checkpoint"], int(run["max_length"]), run["reads"])


@cache
def _shortened(task: Task, part: str, checkpoint: str, max_length: int, reads: str) -> tuple[str, ...]:
    """Of stories the last sentences, which decide, and a gap if that is what is read."""
    tokenizer = load_encoder(checkpoint)[1]
    shorten = as_prompt if reads == "[MASK]" else last_sentences
    try:
        return tuple(
            shorten(task.sentences[text], tokenizer, max_length) if text in task.sentences else text
            for text in getattr(task, part).texts
        )
    except ValueError as error:
        raise RowError(f"{checkpoint} can't read {task.name}: {error}") from error


def places(task: Task, run: dict) -> tuple[list[int], list[int]]:
    """Which training and which validation examples a run sees: no more of these than it has labels."""
    count, seed = int(run["labels"]), int(run["seed"] or 0)
    totals = len(task.train.labels), len(task.validation.labels)
    return tuple(_drawn(total, min(count, total), seed) for total in totals)


def parts(task: Task, run: dict) -> tuple[Examples, Examples, Sequence[str]]:
    """Training and validation examples of a run, and the test texts, as its encoder can read them."""
    found = []
    for part, chosen in zip(("train", "validation"), places(task, run), strict=True):
        labels, readable = getattr(task, part).labels, texts(task, part, run)
        found.append(Examples([readable[i] for i in chosen], [labels[i] for i in chosen]))
    return *found, texts(task, "test", run)


def subset(examples: Examples, count: int, seed: int) -> Examples:
    """`count` of the examples, drawn with the seed, in their old order.

    With the same seed a larger count contains the smaller one. ValueError for a count that can't be drawn,
    and for unequal numbers of texts and labels.
    """
    texts, labels = as_examples(examples)
    if len(texts) != len(labels):
        raise ValueError(f"{len(texts)} texts, but {len(labels)} labels: each text needs one label")
    chosen = _drawn(len(texts), count, seed)
    return Examples([texts[i] for i in chosen], [labels[i] for i in chosen])


def _drawn(total: int, count: int, seed: int) -> list[int]:
    """`count` of the numbers below `total`, in their order."""
    if not 1 <= count <= total:
        raise ValueError(f"{count} of {total} examples can't be drawn: choose from 1 to {total}")
    draw = random.Random(seed).random
    chances = [draw() for _ in range(total)]
    return sorted(sorted(range(total), key=chances.__getitem__)[:count])


def last_sentences(sentences: Sequence[str], tokenizer: WordPieceTokenizer, max_length: int) -> str:
    """The end of a text: as many whole sentences as fit into max_length tokens, always the last one."""
    sentences = listed(sentences)
    left = max_length - 2  # [CLS] and [SEP]
    for start in range(len(sentences) - 1, -1, -1):
        left -= len(tokenizer.encode(sentences[start]).ids) - 2
        if left < 0:
            return " ".join(sentences[min(start + 1, len(sentences) - 1) :])
    return " ".join(sentences)


def remember_encodings(tokenizer: WordPieceTokenizer) -> WordPieceTokenizer:
    """The same tokenizer, which from now on encodes each text once: several seeds see the same texts.

    Who gets an encoding must not change it.
    """
    tokenizer.encode = functools.lru_cache(maxsize=None)(tokenizer.encode)
    return tokenizer
