"""Files that are whole or not there, and errors that say what to do."""

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = [
    "DataError", "disk_full", "explain_os_errors", "replace_whole", "sha256_of", "size_of",
    "unexpected", "write_atomically",
]  # fmt: skip


class DataError(RuntimeError):
    """Course data could not be fetched or read; the message says why and what to do."""


def unexpected(package: str, words: str) -> DataError:
    """The error for a fetched file that is not what it should be; words: which file, and what is wrong."""
    return DataError(
        f"{words}: it is not the expected file. Run `python -m helpers.data --verify {package}` in the "
        "folder of the course, which fetches it anew."
    )


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that other processes see the whole new one or none of it; DataError where it fails."""
    with explain_os_errors(path.parent):
        replace_whole(path, content)


def replace_whole(path: Path, content: bytes) -> None:
    """The same, with the system's own errors: OSError, for files that are none of the course's data."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with open(partial, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def explain_os_errors(folder: Path) -> Iterator[None]:
    """Turn a failing read or write below `folder` into a DataError that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise disk_full(folder) from error
        for place in (error.filename2, error.filename):
            if place and _is_folder_in_the_way(error, place):
                raise DataError(f"{place} is a folder where a file belongs: remove it.") from error
        raise DataError(
            f"Could not read or write below {folder} ({error}). Check that you may write there, or set "
            "BERT_COURSE_CACHE to another folder."
        ) from error


def _is_folder_in_the_way(error: OSError, place: str) -> bool:
    kinds = (IsADirectoryError, PermissionError) if os.name == "nt" else IsADirectoryError
    return isinstance(error, kinds) and os.path.isdir(place)


def disk_full(folder: Path, detail: str = "") -> DataError:
    return DataError(
        f"There is no room left on the disk that holds {folder}.{detail} Nothing half-written was kept. Free "
        "some space, or set BERT_COURSE_CACHE to a folder on another disk, and try again."
    )


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal digits, "" where there is no file."""
    if not path.is_file():
        return ""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def size_of(path: Path) -> int:
    """The size of a file in bytes, -1 where there is no file."""
    try:
        found = path.stat()
    except OSError:  # not there, or just renamed by pip
        return -1
    return found.st_size if stat.S_ISREG(found.st_mode) else -1
