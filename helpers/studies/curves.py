"""The study of curves: what happens at every step of a fine-tuning run, and which runs are followed.

The taught loop is in `helpers/classification.py`. The table is a CSV with a line per step, replaced as a
whole, to which several processes can add.
"""

import copy
import math
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from helpers.classification import (
    BertForClassification,
    Examples,
    FineTuning,
    check_and_encode,
    check_examples,
    classification_loss,
    evaluate,
    labelled_batches,
)
from helpers.data.files import write_atomically
from helpers.pretraining import update_weights
from helpers.studies import domains, recipes, tasks
from helpers.studies.errors import RowError
from helpers.studies.tables import TableError, csv_line, locked, number_in, read_csv
from helpers.wordpiece import Encoding, WordPieceTokenizer, read_in_order

__all__ = ["MEASURED", "PLANS", "SETTINGS", "CurveStudy", "Plan", "add", "find", "follow", "read", "summary"]

SETTINGS = (
    "plan", "seed", "trained_on", "labels", "validation_examples", "every",
    *(name.replace("learning_rate", "peak_rate") for name in domains.RECIPE),
)  # fmt: skip
MEASURED = ("step", "loss", "gradient_norm", "learning_rate", "accuracy", "note")


class Plan(NamedTuple):
    """How a run of the curves differs from the recipe; `rate` is a multiple of its learning rate."""

    rate: float = 1
    changes: dict = {}
    trained_on: tuple[str, ...] = ("movies",)


# The forgetting plans train a model that was tuned on movies with tweets.
PLANS = {
    "recipe": Plan(),
    "no warm-up": Plan(changes={"warm_up": 0.0}),
    "rate too high": Plan(20, {"warm_up": 0.0}),
    "rate too low": Plan(0.01),
    "collapse": Plan(20, {"frozen_layers": "none"}),
    "forgetting, gentle": Plan(0.1, trained_on=("movies", "tweets")),
    "forgetting, harsh": Plan(10, trained_on=("movies", "tweets")),
}


@dataclass
class CurveStudy:
    """Single runs under some of PLANS, each with `labels` sentences of its domain, and their table.

    Measured is the accuracy on `validation` movie sentences, every `every` steps. RowError where a domain
    has too few examples. `known` of a seed keeps the model that several plans start from.
    """

    csv: Path
    labels: int
    epochs: int
    every: int
    validation: int
    parts: Sequence[str] = tuple(PLANS)

    def missing(self, name: str, seed: int) -> list[dict]:
        """The columns of a plan's run, unless the table has it."""
        columns = self.columns(name, seed)
        return [] if whole(find(read(self.csv, SETTINGS), columns)) else [columns]

    def compute(self, name: str, seed: int, known: dict) -> list[dict]:
        """Train as the plan says and measure on movie sentences of the validation part."""
        *before, domain = PLANS[name].trained_on
        run, task, tokenizer = self.run(name, seed), tasks.load_task(domain), tasks.load_encoder("minilm")[1]
        if before:
            labels = domains.Labels(self.labels, self.labels)
            model = copy.deepcopy(domains.tuned(tuple(before), seed, labels, known)[0])
        else:
            model = recipes.starting_model(task, run)
        plan, (train, validation, _) = recipes.plan_of(run), tasks.parts(task, run)
        encodings = check_and_encode(model, train, validation, tokenizer, plan.max_length)
        held_out = tasks.subset(tasks.load_task("movies").validation, self.validation, seed)
        measure = partial(accuracy, held_out=held_out, tokenizer=tokenizer, max_length=plan.max_length)
        return follow(model, encodings, train.labels, tokenizer, plan, self.every, measure)

    def write(self, missing: list[dict], steps: list[dict], seconds: float) -> str:
        """Put a run, which took so long, into the table; returns what it says."""
        (columns,) = missing
        add(self.csv, columns, steps)
        return f"{summary([columns | step for step in steps])}, {seconds:.1f} s"

    def run(self, name: str, seed: int) -> dict:
        """The settings of a plan's last training, as the recipe names them."""
        plan = PLANS[name]
        usual = float(domains.recipe("movies", self.labels, seed)["learning_rate"])
        return domains.recipe(plan.trained_on[-1], self.labels, seed, epochs=self.epochs,
                              learning_rate=float(f"{plan.rate * usual:.6g}"), **plan.changes)  # fmt: skip

    def columns(self, name: str, seed: int) -> dict:
        """The same settings as the table names them."""
        total = len(tasks.load_task("movies").validation.texts)
        if self.validation > total:
            raise RowError(f"movies have {total:,} validation examples: --validation at most that")
        run = self.run(name, seed)
        found = run | {
            "plan": name, "trained_on": " + ".join(PLANS[name].trained_on), "every": self.every,
            "validation_examples": self.validation, "peak_rate": run["learning_rate"],
        }  # fmt: skip
        return {name: str(found[name]) for name in SETTINGS}


def accuracy(
    model: BertForClassification, held_out: Examples, tokenizer: WordPieceTokenizer, max_length: int
) -> float:
    """What is measured on the way."""
    return evaluate(model, held_out, tokenizer, max_length).accuracy


def whole(steps: list[dict]) -> bool:
    """Whether the lines of a run, with its settings, are all there: up to its last step or to its note."""
    if [number_in(line, "step", int) for line in steps] != list(range(len(steps))) or len(steps) < 2:
        return False
    labels, size, epochs = (number_in(steps[0], name, int) for name in ("labels", "batch_size", "epochs"))
    last = epochs * math.ceil(labels / max(size, 1))
    ended = steps[-1]["note"] or (len(steps) == last + 1 and steps[-1]["accuracy"])
    return bool(steps[0]["accuracy"] and ended) and all(line["loss"] for line in steps[1:])


def summary(steps: list[dict]) -> str:
    """One line on a run: how loss, gradient norm and accuracy went; TableError if steps are missing."""
    name = steps[0]["plan"]
    if not whole(steps):
        raise TableError(f"steps of the run {name!r} are missing: compute it anew, or put the table back")
    losses, norms = (
        [number_in(line, column, finite=False) for line in steps if line[column]]
        for column in ("loss", "gradient_norm")
    )
    measured = [number_in(line, "accuracy") for line in steps if line["accuracy"]]
    return (
        f"{name:<19}{len(losses):>4} steps  loss {losses[0]:.3f} first, {max(losses):.3f} most, "
        f"{np.mean(losses[-10:]):.3f} mean of the last ten  "
        f"gradient norm {max(norms, default=np.nan):.1f} most  accuracy {measured[0]:.1%} before, "
        f"{min(measured):.1%} least, {max(measured):.1%} most, {measured[-1]:.1%} last  {steps[-1]['note']}"
    ).rstrip()


def follow(
    model: BertForClassification, encodings: Iterable[Encoding], labels: Iterable[int],
    tokenizer: WordPieceTokenizer, plan: FineTuning, every: int,
    measure: Callable[[BertForClassification], float],
) -> list[dict]:  # fmt: skip
    """Train as `fine_tune` does, with the same losses; returns a line of MEASURED for every step, as text.

    loss: of the batch before the step, in nats; gradient_norm: before clipping. measure(model) gives the
    accuracy: before step 1 (as step 0), after every `every`-th step, after the last. A loss or gradient that
    is not finite ends the run with a note and changes no weight. Encodings and labels are read by position.
    ValueError for a plan with patience, and for labels as `check_examples`.
    """
    encodings = list(read_in_order(encodings, "the encodings"))
    labels = list(read_in_order(labels, "the labels"))
    if not encodings or len(encodings) != len(labels) or every < 1:
        raise ValueError(
            f"{len(encodings)} texts, {len(labels)} labels and every={every}: each text needs one label, and "
            "every must be at least 1"
        )
    check_examples(Examples([""] * len(labels), labels), model.classifier.out_features)
    if plan.patience is not None:
        raise ValueError("a run that is followed takes all its steps: leave patience away")
    torch.manual_seed(plan.seed)
    steps = plan.epochs * math.ceil(len(encodings) / plan.batch_size)
    optimizer, schedule = plan.optimizer(model, steps)
    batches = chain.from_iterable(
        labelled_batches(encodings, labels, plan.batch_size, tokenizer) for _ in range(plan.epochs)
    )
    lines = [_line(0, accuracy=measure(model))]
    for step, (batch, targets) in enumerate(batches, 1):
        model.train()
        loss = classification_loss(model, batch, targets)
        lines.append(_take_step(model, loss, optimizer, schedule, step))
        if lines[-1]["note"]:
            break
        if step % every == 0 or step == steps:
            lines[-1] |= {"accuracy": f"{measure(model):.6g}"}
    return lines


def _take_step(model: BertForClassification, loss: torch.Tensor, optimizer, schedule, step: int) -> dict:
    found = {"loss": loss.item(), "learning_rate": schedule.get_last_lr()[0]}
    try:
        return _line(step, gradient_norm=update_weights(model, loss, optimizer, schedule, step), **found)
    except FloatingPointError as error:
        return _line(step, note=str(error), **found)


def _line(step: int, note: str = "", **values: float) -> dict:
    return dict.fromkeys(MEASURED, "") | {
        "step": str(step), "note": note, **{name: f"{value:.6g}" for name, value in values.items()}
    }  # fmt: skip


def read(path: str | Path, settings: Sequence[str]) -> list[dict]:
    """All lines of a table whose runs are told apart by `settings`; none if there is no file yet.

    Raises TableError for a file with other columns, and as `read_csv` does.
    """
    if not os.path.exists(path):
        return []
    columns, lines = read_csv(path)
    if columns != (*settings, *MEASURED):
        raise TableError(f"{path} has other columns than this script writes: choose another file")
    return lines


def find(lines: list[dict], run: dict) -> list[dict]:
    """The lines of the run with these settings, step by step; none if it is not there."""
    return [line for line in lines if all(line[name] == str(value) for name, value in run.items())]


def add(path: str | Path, run: dict, steps: list[dict]) -> None:
    """Write a whole run, its settings and its lines from `follow`; one with the same settings is replaced.

    Raises TableError as `read` does, and for text that can't be written.
    """
    path = Path(path)
    if unknown := {name for step in steps for name in step} - set(MEASURED):
        raise TableError(f"{min(unknown)} is nothing that is measured: {', '.join(MEASURED)} are")
    with locked(path):
        lines = read(path, tuple(run))
        old = [id(line) for line in find(lines, run)]
        columns = (*run, *MEASURED)
        kept = [line for line in lines if id(line) not in old] + [run | step for step in steps]
        rows = [columns, *([line[name] for name in columns] for line in kept)]
        write_atomically(path, "".join(map(csv_line, rows)).encode())
