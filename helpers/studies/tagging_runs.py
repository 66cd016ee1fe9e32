"""Capitals and stops given back by several methods: a line in the table for each measure of each run.

Support code. `RECIPE` is what `minilm` is fine-tuned with; notebook 13 has the same with fewer words.
"""

import os
import random
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import torch

from helpers import checkpoints
from helpers.classification import FineTuning, freeze_lower_layers
from helpers.data.files import write_atomically
from helpers.studies import running_text
from helpers.studies.errors import RowError
from helpers.studies.tables import TableError, csv_line, locked, number_in, read_csv
from helpers.studies.word_tags import LinearTagger, MostFrequentTag, first_in_sentence, sentence_start
from helpers.tagging import BertForTagging, TaggedText, fine_tune_tagger, predict_tags, tag_scores

__all__ = [
    "BY_SEED", "COLUMNS", "MEASURES", "TAGGING_METHODS", "RECIPE", "Run", "add", "first_words", "make_tagger",
    "measure", "predict", "read", "runs", "scored",
]  # fmt: skip

RECIPE = {"batch_size": 4, "learning_rate": 3e-4, "max_length": 64, "frozen_layers": 2, "overlap": 16}
TRAINING_WORDS = {"capitals": 60_000, "capitals and stops": 100_000}  # that minilm is trained with
TAGGING_METHODS = {
    "capitals": (
        "sentence start",
        "most frequent",
        "both",
        "linear",
        "linear, fewer words",
        "minilm",
        "minilm, all words",
    ),
    "capitals and stops": ("most frequent", "linear", "linear, fewer words", "minilm"),
}
BY_SEED = ("minilm", "minilm, all words")  # the others run once
COLUMNS = (
    "task", "method", "seed", "words", "cpu_seconds", "on", "measure", "precision", "recall", "f1", "count"
)  # fmt: skip
Run = tuple[str, str, int]

# What is measured: which kinds of tags count, as a function of a tag's number.
_CASE = {"capital letters": {1, 2, 3}, "Capital": {1}, "UPPER": {2}, "miXed": {3}}
_STOP = {"comma": {1}, "full stop": {2}, "stops": {1, 2}}
MEASURES: dict[str, dict[str, tuple[Callable[[int], int], set[int]]]] = {
    "capitals": {name: (int, kinds) for name, kinds in _CASE.items()},
    "capitals and stops": {
        **{name: (lambda tag: tag // 3, kinds) for name, kinds in _CASE.items()},
        **{name: (lambda tag: tag % 3, kinds) for name, kinds in _STOP.items()},
    },
}


def runs(task: str, seeds: Sequence[int]) -> list[Run]:
    """The runs of a task: minilm with every seed, the others with the first one."""
    return [(task, m, s) for s in seeds for m in TAGGING_METHODS[task] if m in BY_SEED or s == seeds[0]]


def first_words(examples: Sequence[TaggedText], count: int, seed: int) -> list[TaggedText]:
    """Texts drawn with the seed until they have `count` tagged words together."""
    shuffled, found = list(examples), []
    random.Random(seed).shuffle(shuffled)
    for example in shuffled:
        if count <= 0:
            break
        found.append(example)
        count -= len(example.tags)
    return found


def make_tagger(task: str, seed: int, name: str = "minilm"):
    """A tagger for a task on a pretrained encoder, its lower layers frozen, and its tokenizer."""
    bert, tokenizer = checkpoints.load(name, "BertModel")
    torch.manual_seed(seed)
    names = running_text.TASKS[task]
    model = BertForTagging(bert, len(names), labels=names)
    freeze_lower_layers(bert, min(RECIPE["frozen_layers"], len(bert.layers)))
    return model, tokenizer


def predict(task: str, method: str, seed: int) -> tuple[list[list[int]], int, float]:
    """The tags of the test texts by a method, how many words it learned from, and its processor seconds."""
    if method not in TAGGING_METHODS[task]:
        known = ", ".join(TAGGING_METHODS[task])
        raise RowError(f"there is no method {method!r} for {task}: choose one of {known}")
    parts, began = running_text.task(task), time.process_time()
    train, test = parts["train"], parts["test"]
    if method in ("minilm", "linear, fewer words"):
        train = first_words(train, TRAINING_WORDS[task], seed)
    if method in BY_SEED:
        model, tokenizer = make_tagger(task, seed)
        names = ("batch_size", "learning_rate", "max_length")
        plan = FineTuning(epochs=1, seed=seed, **{name: RECIPE[name] for name in names})
        fine_tune_tagger(model, train, tokenizer, plan)
        found = predict_tags(model, test, tokenizer, RECIPE["max_length"], RECIPE["overlap"])
    else:
        answer = _answering(task, method, train, parts["validation"], seed)
        found = [answer(example) for example in test]
    words = 0 if method == "sentence start" else sum(len(example.tags) for example in train)
    return found, words, time.process_time() - began


def _answering(task: str, method: str, train: list, validation: list, seed: int) -> Callable:
    """The function from a text to its tags of a method without BERT."""
    if method == "sentence start":
        return sentence_start
    if method in ("most frequent", "both"):
        return MostFrequentTag(train, first_in_sentence if method == "both" else None).predict
    every = set(range(1, len(running_text.TASKS[task])))
    return LinearTagger(train, validation, lambda a, b: tag_scores(a, b, every).f1, seed).predict


@cache
def _unseen(task: str) -> list[int]:
    """The numbers of the test words that stand nowhere in the training part."""
    parts = running_text.task(task)
    seen = running_text.known_words(parts["train"])
    words = (word for example in parts["test"] for word in running_text.words_of(example))
    return [number for number, word in enumerate(words) if word not in seen]


def scored(task: str, found: Sequence[Sequence[int]]) -> list[dict]:
    """All measures of the answers to the test texts, on all words and on those never seen in training."""
    truth = [tag for example in running_text.task(task)["test"] for tag in example.tags]
    guessed, lines = [tag for tags in found for tag in tags], []
    for on, numbers in (("all", range(len(truth))), ("unseen", _unseen(task))):
        for name, (kind, kinds) in MEASURES[task].items():
            pair = [[kind(tags[number]) for number in numbers] for tags in (truth, guessed)]
            scores = {name: f"{value:.5f}" for name, value in tag_scores(*pair, kinds)._asdict().items()}
            lines.append({"on": on, "measure": name, "count": sum(tag in kinds for tag in pair[0]), **scores})
    return lines


def measure(run: Run) -> list[dict]:
    """Compute a run: its lines for the table."""
    found, words, seconds = predict(*run)
    task, method, seed = run
    settings = {"task": task, "method": method, "seed": seed, "words": words, "cpu_seconds": f"{seconds:.1f}"}
    return [{**settings, **line} for line in scored(task, found)]


def read(path: str | Path) -> dict[Run, list[dict]]:
    """The lines of each run in a table; TableError where it is another table or damaged."""
    if not os.path.exists(path):
        return {}
    columns, lines = read_csv(path)
    if columns != COLUMNS:
        raise TableError(f"{path} has other columns than this script writes: choose another file")
    found: dict[Run, list[dict]] = {}
    for line in lines:
        for name in ("precision", "recall", "f1", "cpu_seconds"):
            line[name] = number_in(line, name)
        for name in ("seed", "words", "count"):
            line[name] = number_in(line, name, int)
        found.setdefault((line["task"], line["method"], line["seed"]), []).append(line)
    return found


def add(path: str | Path, lines: Sequence[dict]) -> None:
    """Put a run's lines into the table, which is replaced as a whole; a run that is there stays."""
    path = Path(path)
    with locked(path):
        if (lines[0]["task"], lines[0]["method"], lines[0]["seed"]) in read(path):
            return
        rows = [*(read_csv(path)[1] if path.exists() else ()), *lines]  # as they are written
        text = csv_line(COLUMNS) + "".join(csv_line(row[name] for name in COLUMNS) for row in rows)
        write_atomically(path, text.encode())
