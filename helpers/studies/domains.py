"""The study of other domains: what a model tuned on movie sentences says elsewhere, learns there and forgets.

A stage is one model or rule and the domains that it is asked about; its lines stand in a `RunTable` whose
column `evaluated_on` names the test examples.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from helpers.classification import BertForClassification, Examples, predict
from helpers.studies import recipes, rows, tasks
from helpers.studies.errors import RowError
from helpers.studies.tables import RunTable

__all__ = [
    "DOMAINS",
    "RECIPE",
    "RESULTS",
    "SETTINGS",
    "STAGES",
    "DomainStudy",
    "Labels",
    "Result",
    "Stage",
    "about",
    "domain_table",
    "recipe",
    "tuned",
]

DOMAINS = ("movies", "products", "editorials", "tweets")
RECIPE = (
    "weights", "epochs", "batch_size", "learning_rate", "layer_decay", "frozen_layers", "warm_up",
    "weight_decay", "max_length",
)  # fmt: skip
SETTINGS = (
    "study", "seed", "trained_on", "method", "evaluated_on", "labels", "domain_labels", *RECIPE
)  # fmt: skip
RESULTS = (
    "accuracy", "n", "validation_accuracy", "best_epoch", "chosen", "note", "seconds", "threads", "torch",
)  # fmt: skip


class Stage(NamedTuple):
    """One trained model or rule, and the domains that it is asked about."""

    method: str
    trained_on: tuple[str, ...]
    evaluated_on: tuple[str, ...]
    seeded: bool = True


STAGES = (
    *(Stage(method, (domain,), (domain,), False) for method in ("majority", "human") for domain in DOMAINS),
    *(
        Stage(method, trained_on, DOMAINS if trained_on == ("movies",) else trained_on[::-1])
        for method in ("tfidf", "minilm")
        for trained_on in (("movies",), *(("movies", domain) for domain in DOMAINS[1:]))
    ),
)


class Labels(NamedTuple):
    """How many sentences a model is trained with: of the movies, and of each other domain."""

    movies: int
    elsewhere: int

    def of(self, domain: str) -> int:
        return self.movies if domain == "movies" else self.elsewhere


class Result(NamedTuple):
    """The answers of a stage by domain, and its columns of the table."""

    answers: dict[str, np.ndarray]
    columns: dict = {}


@dataclass
class DomainStudy:
    """All stages, and the table in which they are kept. RowError where a domain has too few examples.

    `known` of a seed keeps the model that several stages start from.
    """

    csv: Path
    labels: Labels
    parts: tuple[Stage, ...] = STAGES
    table: RunTable = field(init=False)

    def __post_init__(self):
        self.table = domain_table(self.csv)

    def missing(self, stage: Stage, seed: int) -> list[dict]:
        """The lines of a stage that the table lacks."""
        return [line for line in lines_of(stage, seed, self.labels) if not self.table.find(line)]

    def compute(self, stage: Stage, seed: int, known: dict) -> Result:
        """The answers of a stage."""
        if not stage.seeded:
            return without_training(stage)
        if stage.method == "tfidf":
            return tfidf(stage, seed, self.labels)
        model, columns = tuned(stage.trained_on, seed, self.labels, known)
        return Result({domain: answers_of(model, domain) for domain in stage.evaluated_on}, columns)

    def write(self, lines: list[dict], result: Result, seconds: float) -> str:
        """Put the lines of a stage, which took so long, into the table; returns what they say."""
        said = []
        common = {"seconds": f"{seconds:.1f}", "threads": torch.get_num_threads(), "torch": torch.__version__}
        for line in lines:
            labels = np.array(tasks.load_task(line["evaluated_on"]).test.labels)
            answers = result.answers[line["evaluated_on"]]
            points = answers if answers.dtype.kind == "f" else answers == labels
            line = line | result.columns | common | {"accuracy": f"{points.mean():.6f}", "n": len(labels)}
            self.table.add(line, answers, labels)
            text = f"{about(line)} seed {line['seed'] or '-':<2} {points.mean():6.1%}, {line['seconds']} s"
            said.append(f"{text} {line.get('note', '')}".rstrip())
        return "\n".join(said)


def domain_table(path: str | Path) -> RunTable:
    """The table of this study in a file."""
    return RunTable(path, SETTINGS, RESULTS, task="evaluated_on")


def about(line: dict) -> str:
    """What a line is about."""
    return f"{line['method']:<9}trained on {line['trained_on']:<20} asked about {line['evaluated_on']:<11}"


def recipe(domain: str, labels: int, seed: int, **changes: object) -> dict[str, str]:
    """The settings of the row `ours` for a domain; RowError if there are not so many labels."""
    task = tasks.load_task(domain)
    if labels > len(task.train.texts):
        raise RowError(
            f"{domain} has {len(task.train.texts):,} training examples, not {labels:,}: ask for fewer labels"
        )
    return recipes.settings_of("ours", task, labels, seed, **changes)


def lines_of(stage: Stage, seed: int, labels: Labels) -> Iterator[dict]:
    """The lines of a stage before it runs: everything that decides them, as text; "" for what does not."""
    settings = dict.fromkeys(SETTINGS, "") | {
        "study": "domains", "trained_on": " + ".join(stage.trained_on), "method": stage.method,
    }  # fmt: skip
    if stage.seeded:
        settings |= {"seed": str(seed), "labels": str(labels.movies)}
        counts = [labels.of(domain) for domain in stage.trained_on]
        if len(counts) > 1:
            settings["domain_labels"] = str(counts[-1])
        run = recipe(stage.trained_on[-1], counts[-1], seed)  # also tells when there are too few labels
        if stage.method == "minilm":
            settings |= {name: run[name] for name in RECIPE}
    for domain in stage.evaluated_on:
        yield settings | {"evaluated_on": domain}


def without_training(stage: Stage) -> Result:
    """What the rows `majority` and `human` say, on all labels of the domain."""
    (domain,) = stage.trained_on
    task = tasks.load_task(domain)
    run = {"labels": len(task.train.texts), "seed": 0, "checkpoint": ""}
    outcome = rows.ROWS[stage.method](task, run)
    return Result({domain: outcome.answers}, {"chosen": outcome.chosen})


def tfidf(stage: Stage, seed: int, labels: Labels) -> Result:
    """One classifier for all domains in `trained_on`; the last one's validation part chooses its strength."""
    drawn = []
    for domain in stage.trained_on:
        settings = recipe(domain, labels.of(domain), seed) | {"checkpoint": ""}
        drawn.append(tasks.parts(tasks.load_task(domain), settings)[:2])
    tests = [tasks.load_task(domain).test for domain in stage.evaluated_on]
    task = tasks.Task("tfidf", 2, _joined([train for train, _ in drawn]), drawn[-1][1], _joined(tests))
    run = {"labels": len(task.train.texts), "seed": seed, "checkpoint": ""}
    outcome = rows.tfidf(task, run)
    ends = np.cumsum([len(test.labels) for test in tests])
    answers = dict(zip(stage.evaluated_on, np.split(outcome.answers, ends[:-1]), strict=True))
    columns = {"validation_accuracy": f"{outcome.validation_accuracy:.6f}", "chosen": outcome.chosen}
    return Result(answers, columns)


def _joined(parts: list[Examples]) -> Examples:
    return Examples([text for part in parts for text in part.texts],
                    [label for part in parts for label in part.labels])  # fmt: skip


def tuned(
    trained_on: tuple[str, ...], seed: int, labels: Labels, known: dict
) -> tuple[BertForClassification, dict]:
    """minilm after these domains, one after the other: the model and its columns; `known` keeps the first."""
    if trained_on in known:
        return known[trained_on]
    *before, domain = trained_on
    run, task = recipe(domain, labels.of(domain), seed), tasks.load_task(domain)
    if before:
        model = copy.deepcopy(tuned(tuple(before), seed, labels, known)[0])
    else:
        model = recipes.starting_model(task, run)
    accuracies, note = rows.train(model, task, run)
    columns = {name: run[name] for name in RECIPE} | {"note": note}
    if accuracies:
        best = max(accuracies)
        columns |= {"validation_accuracy": f"{best:.6f}", "best_epoch": accuracies.index(best) + 1}
    if not before:
        known[trained_on] = model, columns
    return model, columns


def answers_of(model: BertForClassification, domain: str) -> np.ndarray:
    """The class of each test example (N,) of a domain."""
    tokenizer, length = tasks.load_encoder("minilm")[1], recipes.COMMON["max_length"]
    return predict(model, tasks.load_task(domain).test.texts, tokenizer, length).argmax(dim=-1).numpy()
