"""What can stop a study, and what its script says and returns then."""

import argparse
import sys
from collections.abc import Callable

import torch

from helpers.data import DataError
from helpers.data.output import accept_any_text
from helpers.studies.tables import TableError

__all__ = ["RowError", "exit_code", "run_script"]


class RowError(RuntimeError):
    """One row that can't be computed; the message says why and what to do."""


def exit_code(work: Callable[[], int | None]) -> int:
    """What `work` returns, 0 for None; a sentence and 1 or 130 where it fails or is interrupted."""
    try:
        return work() or 0
    except (RowError, TableError, DataError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted: the finished runs are in the table, and the same command goes on")
        return 130


def run_script(
    given: list[str] | None,
    arguments: Callable[[list[str] | None], argparse.Namespace],
    work: Callable[[argparse.Namespace], int | None],
) -> int:
    """Read a script's arguments, `threads` among them, and do its work; returns what `exit_code` does."""
    accept_any_text()
    options = arguments(given)
    torch.set_num_threads(options.threads)
    return exit_code(lambda: work(options))
