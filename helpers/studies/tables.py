"""A table of runs on the disk: a CSV with a line per run, and beside it what each run said per example.

A line is found again by its settings, so that an interrupted series goes on where it stopped, and several
processes can share a table. `runs.csv` has its answers in `runs.npz`: for each line one small array under the
line's `key`, for each task the labels of the test examples. Both files are replaced as a whole.
"""

import csv
import hashlib
import io
import math
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from filelock import FileLock

from helpers.analysis.arrays import as_array
from helpers.data.files import DataError, write_atomically

__all__ = [
    "RunTable", "TableError", "circumstances", "csv_line", "ensure_writable", "locked", "number_in",
    "read_csv",
]  # fmt: skip


class TableError(RuntimeError):
    """A table that can't be read or does not fit; the message says why and what to do."""


def read_csv(path: str | Path) -> tuple[tuple[str, ...], list[dict[str, str]]]:
    """Columns and lines of a CSV file; the byte order mark and line ends of spreadsheets are read, too.

    Raises TableError for what is no such file, and for a line with too few or too many cells.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file, strict=True) if row]
    except (OSError, UnicodeError, csv.Error) as error:
        raise TableError(
            f"{path} can't be read as a table ({error}): put it back, or choose another file"
        ) from error
    if not rows:
        raise TableError(f"{path} is empty: delete it, or choose another file")
    columns, *rows = rows
    if len(set(columns)) < len(columns):
        raise TableError(f"{path} has a column twice: put it back, or choose another file")
    for number, row in enumerate(rows, 1):
        if len(row) != len(columns):
            raise TableError(
                f"{path} is damaged: line {number} has {len(row)} cells for {len(columns)} columns. Put it "
                "back, or choose another file"
            )
    return tuple(columns), [dict(zip(columns, row, strict=True)) for row in rows]


def number_in(line: dict, name: str, kind: type = float, finite: bool = True) -> int | float:
    """The number in a column of a line; TableError if there is none, or none that is finite."""
    try:
        value = kind(line[name])
        if finite and not math.isfinite(value):
            raise ValueError
    except (ValueError, OverflowError):
        raise TableError(
            f"the column {name} has {line[name]!r} in a line, not a number: the table is damaged, put it back"
        ) from None
    return value


def circumstances(seconds: float) -> dict[str, str]:
    """The columns on how a run was made: its seconds, PyTorch's threads, two versions."""
    import torch
    import transformers

    return {
        "seconds": f"{seconds:.1f}",
        "threads": str(torch.get_num_threads()),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }


@contextmanager
def locked(path: str | Path) -> Iterator[None]:
    """Make the folder of a table and keep other processes from writing the table meanwhile.

    Raises TableError if nothing can be written there.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(f".{path.name}.lock")):
            yield
    except (OSError, DataError) as error:
        raise TableError(
            f"{path} can't be written ({error.__cause__ or error}): make room, or choose another file"
        ) from error


def ensure_writable(path: str | Path) -> None:
    """TableError if no table can be written there: said before the first run, and not after it."""
    with locked(path):
        pass


def csv_line(values: Iterable) -> str:
    """The cells as a line of a CSV file that `read_csv` reads back; TableError for what can't be written.

    The writer puts in quotes what holds an end of its own lines, "\\r\\n"; ours end with "\\n".
    """
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerow(values)
    line = text.getvalue().removesuffix("\r\n") + "\n"
    if bad := re.search("[\0\ud800-\udfff]", line):
        raise TableError(
            f"a cell holds {bad.group()!r}, which is no character of a text file: leave it out of {line!r}"
        )
    return line


class RunTable:
    """The table in a CSV file; `settings` are the columns that decide a run, `results` those that it adds.

    The column `task` tells whose test examples were answered.
    Raises TableError for a file with other columns or damaged lines, and for answers that are missing or
    damaged.
    """

    def __init__(
        self, path: str | Path, settings: Sequence[str] | None, results: Sequence[str], task: str = "task"
    ):
        self.path, self.task = Path(path), task
        self.settings, self.columns = settings, ("key", *(settings or ()), *results)
        if task not in self.columns:
            raise TableError(
                f"{self.path.name} has no column {task!r} for whose test examples were answered: name it"
            )
        self.read()

    def read(self) -> None:
        """Read the files again: another process may have added to them."""
        self.lines, self._answers = [], {}
        if not os.path.exists(self.path):  # nor where nothing may be seen: there writing says so
            return
        columns, self.lines = read_csv(self.path)
        if columns != self.columns:
            raise TableError(f"{self.path} has other columns than this script writes: choose another file")
        answers = self.path.with_suffix(".npz")
        try:
            with np.load(answers, allow_pickle=False) as found:
                self._answers = {name: found[name] for name in found.files}
        except Exception as error:  # a damaged archive raises a dozen kinds
            raise TableError(
                f"{answers} belongs to {self.path.name} and can't be read ({error}): put it back, or begin "
                "a new table"
            ) from error
        self._check()

    def _check(self) -> None:
        answers, keys = self.path.with_suffix(".npz"), [line["key"] for line in self.lines]
        missing = [key for key in keys if key not in self._answers]
        if missing:
            raise TableError(f"{answers} lacks the answers of {len(missing)} lines: begin a new table")
        if len(set(keys)) < len(keys):
            raise TableError(f"{self.path} has a run twice: put it back, or begin a new table")
        for line in self.lines:
            labels = self._answers.get(f"labels of {line[self.task]}", np.empty(0))
            if not _fits(self._answers[line["key"]], labels):
                raise TableError(
                    f"{answers} does not fit {self.path.name}: for the line {line['key']} it has no answer "
                    f"to each test example of {line[self.task]!r}. Put both back, or begin a new table"
                )
            if self.settings is not None and line["key"] != self.key(line):
                raise TableError(
                    f"the settings of the line {line['key']} in {self.path} are not those under which it was "
                    "written: put the file back as it was, or begin a new table"
                )

    @classmethod
    def stored(cls, path: str | Path, task: str = "task") -> "RunTable":
        """A table that is there, to be read; TableError if there is none."""
        path = Path(path)
        if not path.exists():
            raise TableError(
                f"there is no table {path}: make it with the script that is named beside its use"
            )
        return cls(path, None, read_csv(path)[0][1:], task)

    def matching(self, **settings: object) -> list[dict]:
        """The lines that have these values, compared as text, in the order of their seeds."""
        wanted = {name: str(value) for name, value in settings.items()}
        unknown = wanted.keys() - set(self.columns)
        if unknown:
            raise TableError(
                f"{self.path.name} has no column {sorted(unknown)[0]}: it has {', '.join(self.columns)}"
            )
        found = [line for line in self.lines if wanted.items() <= line.items()]
        return sorted(found, key=lambda line: number_in(line, "seed", int) if line.get("seed") else 0)

    def key(self, line: dict) -> str:
        """What the settings of a line are called in the file of answers."""
        if self.settings is None:
            raise TableError(f"{self.path} was opened to be read: open it with its settings to add to it")
        lacking = [name for name in self.settings if name not in line]
        if lacking:
            raise TableError(f"the line lacks the setting {lacking[0]!r}: give each of {self.settings}")
        text = "\x1f".join(str(line[name]) for name in self.settings)
        return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:12]

    def find(self, settings: dict) -> dict | None:
        """The line with these settings, or None."""
        key = self.key(settings)
        return next((line for line in self.lines if line["key"] == key), None)

    def add(self, line: dict, answers: np.ndarray, labels: np.ndarray) -> None:
        """Write a run: predicted classes (N,) as integers up to 255, or points from 0 to 1 (N,) as floats.

        labels (N,): the right classes, the same for all lines of a task. Raises TableError if they are not,
        for other answers, and for a column that the table lacks; ValueError for answers that are missing.
        """
        unknown = line.keys() - set(self.columns)
        if unknown:
            raise TableError(f"{self.path.name} has no column {sorted(unknown)[0]}: leave it away")
        line = {name: str(line.get(name, "")) for name in self.columns} | {"key": self.key(line)}
        csv_line(line.values())
        answers, labels = as_array(answers), as_array(labels)
        if answers.shape != labels.shape:
            raise TableError(f"{answers.size} answers for {labels.size} test examples: give one for each")
        if answers.ndim != 1 or not labels.size:
            raise TableError(f"answers are one class or point for each test example, not {answers.shape}")
        inside = _inside(answers, 1 if answers.dtype.kind == "f" else 255) and _inside(labels, 255)
        if not inside or (labels != labels.astype(np.uint8)).any():
            raise TableError("classes are whole numbers from 0 to 255, points lie from 0 to 1")
        answers = answers.astype(np.float32 if answers.dtype.kind == "f" else np.uint8)
        labels = labels.astype(np.uint8)
        with locked(self.path):
            self.read()
            name = f"labels of {line[self.task]}"
            if not np.array_equal(self._answers.get(name, labels), labels):
                raise TableError(
                    f"{self.path} has other test examples for {line[self.task]}: begin a new table"
                )
            self._answers |= {line["key"]: answers, name: labels}
            self.lines = [old for old in self.lines if old["key"] != line["key"]] + [line]
            packed = io.BytesIO()
            np.savez_compressed(packed, **self._answers)
            text = "".join(map(csv_line, [self.columns, *(line.values() for line in self.lines)]))
            # Answers first: without their line they do no harm.
            write_atomically(self.path.with_suffix(".npz"), packed.getvalue())
            write_atomically(self.path, text.encode())

    def answers(self, line: dict) -> np.ndarray:
        """What the run of a line said per test example: classes, or points from 0 to 1."""
        return self._answers[line["key"]]

    def points(self, line: dict) -> np.ndarray:
        """1.0 for each test example (N,) that the run got right, 0.0 for the others; or its points."""
        answers = self.answers(line)
        if answers.dtype.kind == "f":
            return answers.astype(float)
        return (answers == self._answers[f"labels of {line[self.task]}"]).astype(float)


def _fits(answers: np.ndarray, labels: np.ndarray) -> bool:
    """Whether there is a class or a point for each of the labels, and one label at least."""
    if labels.size == 0 or not answers.shape == labels.shape == (labels.size,):
        return False
    kinds = answers.dtype.kind + labels.dtype.kind
    return kinds == "uu" or (kinds == "fu" and _inside(answers, 1))


def _inside(values: np.ndarray, most: int) -> bool:
    return values.dtype.kind in "buif" and bool(((0 <= values) & (values <= most)).all())
