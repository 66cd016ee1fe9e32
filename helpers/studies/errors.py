"""What can stop a study, and what its script says and returns then."""

import sys
from collections.abc import Callable

from helpers.data import DataError
from helpers.studies.tables import TableError

__all__ = ["RowError", "exit_code"]


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
