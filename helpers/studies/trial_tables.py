"""The table of pretraining trials on the disk: a CSV with a line for each finished run.

Support code. A run is found again by its corpus, recipe, settings, seed and steps; the file is replaced as a
whole, and several processes can share it. Other studies keep their runs so, too, with columns of their own.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from helpers.data.files import write_atomically
from helpers.studies.tables import TableError, csv_line, locked, read_csv
from helpers.studies.trials import Recipe, differences

__all__ = ["COLUMNS", "RUN", "add", "check_place", "has", "identity", "in_words", "read"]

RUN = ("corpus", "recipe", "settings", "seed", "steps")  # what a run is found by
COLUMNS = (
    *RUN, "ended", "updates", "tokens", "cpu_seconds",
    "articles_loss", "articles_accuracy", "articles_share", "reviews_loss", "reviews_accuracy",
    "reviews_share", "chapters_loss", "chapters_accuracy", "chapters_share",
    "stories_loss", "stories_accuracy", "stories_share", "stories_gain", "curve", "command",
)  # fmt: skip
NEWER = ("chapters_loss", "chapters_accuracy", "chapters_share")  # not in tables from before the wider text


def identity(corpus: str, name: str, recipe: Recipe, seed: int) -> dict[str, str]:
    """The cells by which a run is found, as text."""
    return {"corpus": corpus, "recipe": name, "settings": differences(recipe), "seed": str(seed),
            "steps": str(recipe.steps)}  # fmt: skip


def read(path: str | Path, columns: Sequence[str] = COLUMNS) -> list[dict[str, str]]:
    """All lines of a table, none if there is no file yet; TableError for other columns and damaged lines."""
    if not os.path.exists(path):
        return []
    found, lines = read_csv(path)
    if found not in (tuple(columns), tuple(name for name in columns if name not in NEWER)):
        raise TableError(f"{path} has other columns than this script writes: choose another file")
    return [dict.fromkeys(columns, "") | line for line in lines]


def check_place(path: str | Path, columns: Sequence[str] = COLUMNS) -> None:
    """Raise TableError now, and not after the first run, where nothing can be written there."""
    with locked(path):
        read(path, columns)


def has(path: str | Path, run: dict[str, str], columns: Sequence[str] = COLUMNS) -> bool:
    """Whether a run, as `identity` names it, is in the table."""
    return any(run.items() <= line.items() for line in read(path, columns))


def in_words(line: dict[str, str], *hidden: str) -> str:
    """A line of the table as it is printed, without its empty cells and its command."""
    return "  ".join(
        f"{key} {value}" for key, value in line.items() if value and key not in (*hidden, "command")
    )


def add(
    path: str | Path, run: dict[str, str], results: dict, command: str, columns: Sequence[str] = COLUMNS
) -> dict[str, str]:
    """Write a finished run, and what it was started by: its line; one with the same identity is replaced.

    Raises TableError as `read` does, and for results without a column.
    """
    if unknown := results.keys() - set(columns):
        raise TableError(f"the table has no column {min(unknown)}: leave it away")
    shown = {
        key: f"{value:.4f}" if isinstance(value, float) else str(value) for key, value in results.items()
    }
    shown["cpu_seconds"] = f"{results['cpu_seconds']:.1f}"
    cells = dict.fromkeys(columns, "") | run | shown | {"command": command}
    line = {name: str(value) for name, value in cells.items()}
    with locked(path):
        kept = [old for old in read(path, columns) if any(old[name] != run[name] for name in run)]
        rows = [columns, *(each.values() for each in [*kept, line])]
        write_atomically(Path(path), "".join(map(csv_line, rows)).encode())
    return line
