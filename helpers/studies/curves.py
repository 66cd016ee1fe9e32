"""What happens at every step of a fine-tuning run, and a table of such runs on the disk.

Support code for `scripts/fine_tuning_studies.py`; the taught loop is in `helpers/classification.py`. The
table is a CSV with a line per step, replaced as a whole, to which several processes can add.
"""

import csv
import io
import math
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path

import torch
from filelock import FileLock

from helpers.classification import (
    BertForClassification,
    FineTuning,
    classification_loss,
    labelled_batches,
)
from helpers.data.files import write_atomically
from helpers.pretraining import update_weights
from helpers.studies.tables import TableError
from helpers.wordpiece import Encoding, WordPieceTokenizer

__all__ = ["MEASURED", "add", "find", "follow", "read"]

MEASURED = ("step", "loss", "gradient_norm", "learning_rate", "accuracy", "note")


def follow(
    model: BertForClassification, encodings: list[Encoding], labels: Sequence[int],
    tokenizer: WordPieceTokenizer, plan: FineTuning, every: int,
    measure: Callable[[BertForClassification], float],
) -> list[dict]:  # fmt: skip
    """Train as `fine_tune` does, with the same losses; returns a line of MEASURED for every step, as text.

    loss: of the batch before the step, in nats; gradient_norm: before clipping. measure(model) gives the
    accuracy: before step 1 (as step 0), after every `every`-th step, after the last. A loss or gradient that
    is not finite ends the run with a note and changes no weight.
    """
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

    Raises TableError for a file with other columns.
    """
    if not Path(path).exists():
        return []
    with open(path, encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        lines = list(reader)
    if tuple(reader.fieldnames or ()) != (*settings, *MEASURED):
        raise TableError(f"{path} has other columns than this script writes: choose another file")
    return lines


def find(lines: list[dict], run: dict) -> list[dict]:
    """The lines of the run with these settings, step by step; none if it is not there."""
    return [line for line in lines if all(line[name] == str(value) for name, value in run.items())]


def add(path: str | Path, run: dict, steps: list[dict]) -> None:
    """Write a whole run, its settings and its lines from `follow`; one with the same settings is replaced.

    Raises TableError as `read` does.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock")):
        lines = read(path, tuple(run))
        old = [id(line) for line in find(lines, run)]
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, (*run, *MEASURED), lineterminator="\n")
        writer.writeheader()
        writer.writerows(line for line in lines if id(line) not in old)
        writer.writerows(run | step for step in steps)
        write_atomically(path, text.getvalue().encode())
