"""What can be wrong with what was given: one error, whose message is a whole sentence for the user."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["InputError", "explained", "shown"]


class InputError(RuntimeError):
    """A file, a column, labels or a folder that can't be used; the message says why and what to do."""


@contextmanager
def explained(path: Path, doing: str) -> Iterator[None]:
    """Turn a failing read or write of `path` into an InputError; doing: "read" or "written"."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        advice = "check the path and its permissions"
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            advice = "make room, or choose another disk; nothing half-written was kept"
        raise InputError(f"{path} can't be {doing} ({reason}): {advice}") from error


def shown(names, most: int = 12) -> str:
    """Names in quotes for a message, the first `most` of them, none longer than 60 characters."""
    names = list(names)
    short = [repr(name if len(name) <= 60 else name[:57] + "...") for name in names[:most]]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(short) + more
