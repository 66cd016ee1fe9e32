"""What can be wrong with what was given: one error, whose message is a whole sentence for the user."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["InputError", "check_writable", "explained", "named"]


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


def check_writable(folder: Path) -> None:
    """InputError where nothing can be written below a folder, which may be missing yet."""
    place = folder.absolute()
    while not os.path.lexists(place):
        place = place.parent
    if not place.is_dir():
        raise InputError(f"{place} is no folder, so nothing can be written below it: choose another place")
    if not os.access(place, os.W_OK | os.X_OK):
        raise InputError(f"nothing can be written in {place}: look at its permissions, or choose another")


def named(names, most: int = 12) -> str:
    """Names in quotes for a message, the first `most` of them, none longer than 60 characters."""
    names = list(names)
    short = [repr(name if len(name) <= 60 else name[:57] + "...") for name in names[:most]]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(short) + more
