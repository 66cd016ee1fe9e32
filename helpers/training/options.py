"""The kinds of numbers and files that the scripts take, checked where they enter.

Each function gives a `type` for argparse, so a wrong value is refused before anything begins, in one sentence
that says what was given and what is wanted:

    parser.add_argument("--steps", type=count())                       a whole number from 1 on
    parser.add_argument("--learning-rate", type=number(above=0))       a number above 0; never nan or infinite
    parser.add_argument("--warm-up", type=number(least=0, below=1))    a share of the steps
"""

import argparse
import math
import os
from collections.abc import Callable
from pathlib import Path

__all__ = [
    "count", "either", "file", "folder", "growing_table", "number", "parse_with_report", "seed", "table",
    "threads",
]  # fmt: skip

MOST_THREADS = 1024


def count(least: int = 1, most: int = 2**31 - 1) -> Callable[[str], int]:
    """A whole number from `least` to `most`."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"must be a whole number, not {text!r}") from None
        if value < least:
            raise argparse.ArgumentTypeError(f"must be at least {least}, not {text}")
        if value > most:
            raise argparse.ArgumentTypeError(f"must be at most {most:,}, not {text}")
        return value

    return read


def number(
    *,
    above: float | None = None,
    least: float | None = None,
    below: float | None = None,
    most: float | None = None,
) -> Callable[[str], float]:
    """A finite number inside the bounds; `above` and `below` are not reached, `least` and `most` may be."""
    bounds = {"above": above, "at least": least, "below": below, "at most": most}
    wanted = " and ".join(f"{word} {bound:g}" for word, bound in bounds.items() if bound is not None)

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"must be a number, not {text!r}") from None
        if not math.isfinite(value):
            raise argparse.ArgumentTypeError(f"must be a finite number, not {text}")
        outside = (
            (above is not None and value <= above)
            or (least is not None and value < least)
            or (below is not None and value >= below)
            or (most is not None and value > most)
        )
        if outside:
            raise argparse.ArgumentTypeError(f"must be {wanted}, not {text}")
        return value

    return read


def seed() -> Callable[[str], int]:
    """A seed of a random generator: a whole number from 0 to below 2 ** 31."""
    return count(0)


def threads() -> Callable[[str], int]:
    """A number of threads for PyTorch."""
    return count(1, MOST_THREADS)


def either(word: str, kind: Callable[[str], object]) -> Callable[[str], object]:
    """The word itself, or what `kind` reads."""

    def read(text: str) -> object:
        if text == word:
            return text
        try:
            return kind(text)
        except argparse.ArgumentTypeError as error:
            raise argparse.ArgumentTypeError(f"{error}; or give {word}") from None

    return read


def file() -> Callable[[str], Path]:
    """A file that is there."""

    def read(text: str) -> Path:
        if os.path.isdir(text):
            raise argparse.ArgumentTypeError(f"{text} is a folder, not a file")
        if not os.path.isfile(text):
            raise argparse.ArgumentTypeError(f"there is no file {text}")
        if not os.access(text, os.R_OK):
            raise argparse.ArgumentTypeError(f"{text} can't be read: look at its permissions")
        return Path(text)

    return read


def table() -> Callable[[str], Path]:
    """A CSV file to be written or added to: its name ends in .csv, and its folder is there and open to us."""

    def read(text: str) -> Path:
        path = Path(text)
        if path.suffix != ".csv":
            raise argparse.ArgumentTypeError(f"must end in .csv, not {path.name}")
        if os.path.isdir(path):
            raise argparse.ArgumentTypeError(f"{text} is a folder: name a file in it")
        if not os.path.isdir(path.parent):
            raise argparse.ArgumentTypeError(f"there is no folder {path.parent} for {path.name}: make one")
        if not os.access(path if os.path.exists(path) else path.parent, os.W_OK):
            raise argparse.ArgumentTypeError(f"{text} can't be written: look at its permissions")
        return path

    return read


def growing_table() -> Callable[[str], Path]:
    """A CSV file to be read, or added to by what makes its folder and says where nothing can be written."""

    def read(text: str) -> Path:
        path = Path(text)
        if path.suffix != ".csv":
            raise argparse.ArgumentTypeError(f"must end in .csv, not {path.name}")
        if os.path.isdir(path):
            raise argparse.ArgumentTypeError(f"{text} is a folder: name a file in it")
        return path

    return read


def folder() -> Callable[[str], Path]:
    """A folder to be written: it may be missing yet, but no file stands in its place or above it."""

    def read(text: str) -> Path:
        if not text:
            raise argparse.ArgumentTypeError("must be the name of a folder, not empty")
        path = Path(text)
        there = next(place for place in (path, *path.absolute().parents) if os.path.lexists(place))
        if not os.path.isdir(there):
            raise argparse.ArgumentTypeError(f"{there} is not a folder: name another one")
        if not os.access(there, os.W_OK):
            raise argparse.ArgumentTypeError(f"{there} can't be written: look at its permissions")
        return path

    return read


def parse_with_report(
    parser: argparse.ArgumentParser, given: list[str] | None, words: str
) -> argparse.Namespace:
    """Read the arguments of a script that fills the table `--csv`, with `--threads` and `--report` added.

    words: what `--report` prints. Ends the program, as argparse does, where there is no table to report on.
    """
    parser.add_argument("--threads", type=threads(), default=1, help="of the processor; default: 1")
    parser.add_argument("--report", action="store_true", help=f"compute nothing: {words}")
    options = parser.parse_args(given)
    if options.report and not options.csv.exists():
        parser.error(f"there is no table {options.csv} to report on")
    return options
