"""A table of runs on the disk: a CSV with a line per run, and beside it what each run said per example.

A line is found again by its settings, so that an interrupted series goes on where it stopped, and several
processes can share a table. `runs.csv` has its answers in `runs.npz`: for each line one small array under the
line's `key`, for each task the labels of the test examples. Both files are replaced as a whole.
"""

import csv
import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from filelock import FileLock

from helpers.data.files import write_atomically

__all__ = ["RunTable", "TableError"]


class TableError(RuntimeError):
    """A table that can't be read or does not fit; the message says why and what to do."""


class RunTable:
    """The table in a CSV file; `settings` are the columns that decide a run, `results` those that it adds.

    The column `task` tells whose test examples were answered.
    Raises TableError for a file with other columns, and for answers that are missing or damaged.
    """

    def __init__(self, path: str | Path, settings: Sequence[str], results: Sequence[str], task: str = "task"):
        self.path, self.task = Path(path), task
        self.settings, self.columns = tuple(settings), ("key", *settings, *results)
        self.read()

    def read(self) -> None:
        """Read the files again: another process may have added to them."""
        self.lines, self._answers = [], {}
        if not self.path.exists():
            return
        with open(self.path, encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            self.lines = list(reader)
        if tuple(reader.fieldnames or ()) != self.columns:
            raise TableError(f"{self.path} has other columns than this script writes: choose another file")
        answers = self.path.with_suffix(".npz")
        try:
            with np.load(answers, allow_pickle=False) as found:
                self._answers = {name: found[name] for name in found.files}
        except (OSError, ValueError, BadZipFile) as error:
            raise TableError(
                f"{answers} belongs to {self.path.name} and can't be read ({error}): put it back, or begin "
                "a new table"
            ) from error
        missing = [line["key"] for line in self.lines if line["key"] not in self._answers]
        if missing:
            raise TableError(f"{answers} lacks the answers of {len(missing)} lines: begin a new table")

    @classmethod
    def stored(cls, path: str | Path, task: str = "task") -> "RunTable":
        """A table that is there, to be read; TableError if there is none."""
        path = Path(path)
        if not path.exists():
            raise TableError(
                f"there is no table {path}: make it with the script that is named beside its use"
            )
        with open(path, encoding="utf-8", newline="") as file:
            columns = next(csv.reader(file))
        return cls(path, columns[1:], (), task)

    def matching(self, **settings: object) -> list[dict]:
        """The lines that have these values, compared as text, in the order of their seeds."""
        wanted = {name: str(value) for name, value in settings.items()}
        unknown = wanted.keys() - set(self.columns)
        if unknown:
            raise TableError(
                f"{self.path.name} has no column {sorted(unknown)[0]}: it has {', '.join(self.columns)}"
            )
        found = [line for line in self.lines if wanted.items() <= line.items()]
        return sorted(found, key=lambda line: int(line.get("seed") or 0))

    def key(self, line: dict) -> str:
        """What the settings of a line are called in the file of answers."""
        text = "\x1f".join(str(line[name]) for name in self.settings)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def find(self, settings: dict) -> dict | None:
        """The line with these settings, or None."""
        key = self.key(settings)
        return next((line for line in self.lines if line["key"] == key), None)

    def add(self, line: dict, answers: np.ndarray, labels: np.ndarray) -> None:
        """Write a run: predicted classes (N,) as integers, or points from 0 to 1 (N,) as floats.

        labels (N,): the right classes, the same for all lines of a task. Raises TableError if they are not.
        """
        line = {name: str(line.get(name, "")) for name in self.columns} | {"key": self.key(line)}
        answers = np.asarray(answers)
        answers = answers.astype(np.float32 if answers.dtype.kind == "f" else np.uint8)
        labels = np.asarray(labels, dtype=np.uint8)
        if answers.shape != labels.shape:
            raise TableError(f"{len(answers)} answers for {len(labels)} test examples: give one for each")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self.path.with_name(f".{self.path.name}.lock")):
            self.read()
            name = f"labels of {line[self.task]}"
            if not np.array_equal(self._answers.get(name, labels), labels):
                raise TableError(
                    f"{self.path} has other test examples for {line[self.task]}: begin a new table"
                )
            self._answers |= {line["key"]: answers, name: labels}
            self.lines = [old for old in self.lines if old["key"] != line["key"]] + [line]
            packed, text = io.BytesIO(), io.StringIO(newline="")
            np.savez_compressed(packed, **self._answers)
            writer = csv.DictWriter(text, self.columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.lines)
            # Answers first: without their line they do no harm.
            write_atomically(self.path.with_suffix(".npz"), packed.getvalue())
            write_atomically(self.path, text.getvalue().encode())

    def answers(self, line: dict) -> np.ndarray:
        """What the run of a line said per test example: classes, or points from 0 to 1."""
        return self._answers[line["key"]]

    def points(self, line: dict) -> np.ndarray:
        """1.0 for each test example (N,) that the run got right, 0.0 for the others; or its points."""
        answers = self.answers(line)
        if answers.dtype.kind == "f":
            return answers.astype(float)
        return (answers == self._answers[f"labels of {line[self.task]}"]).astype(float)
