"""Let pip download a package's archive: a mirror or proxy that is set up for pip works here too.

No code of an archive runs: wheels hold their metadata as files, and a source archive is not asked for any
(`helpers/data/pip_child.py` says how). Each archive is compared with its SHA-256 before it is opened.
"""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

from tqdm import tqdm

from helpers.data.catalogue import Package
from helpers.data.files import DataError, disk_full, sha256_of, size_of

__all__ = ["pip_download"]

_CHILD = Path(__file__).with_name("pip_child.py")
# No pip cache (it would keep every archive a second time), no questions, no colors (kernels ask for them).
_OPTIONS = "--no-cache-dir --no-input --no-color --disable-pip-version-check --progress-bar=off".split()
# One fixed platform, so that every system and Python gets the same wheel.
_WHEEL_OPTIONS = (
    "--only-binary=:all: --platform=manylinux_2_28_x86_64 --python-version=3.11 --implementation=cp"
).split()
_NO_ROOM = re.compile(r"\[Errno (28|27|122|69)\]|No space left|not enough space on the disk")
_ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def pip_download(package: Package, work: Path) -> Path:
    """The archive of `package`, downloaded by pip into `work` and checked by its SHA-256."""
    target, temporary, log = work / "archive", work / "tmp", work / "pip.log"
    temporary.mkdir()
    target.mkdir()
    # -P: no file of this folder or the current one is imported in place of pip or the standard library.
    command = [sys.executable, "-P", str(_CHILD), *_arguments(package, work, target), *_OPTIONS]
    with open(log, "wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT,
            env=_environment(work, temporary),
        )  # fmt: skip
    try:
        _show_progress(package, work, process)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        process.stdin.close()  # open until here: pip ends when it is closed
    archives = [path for path in target.glob("*") if path.is_file()]
    if process.returncode != 0 or len(archives) != 1:
        words = log.read_text(encoding="utf-8", errors="replace")
        raise _pip_failure(package, work, process.returncode, words)
    if sha256_of(archives[0]) != package.archive_sha256:
        raise _wrong_hash(package)
    return archives[0]


def _arguments(package: Package, work: Path, target: Path) -> list[str]:
    if package.source:
        wanted = [package.name, package.version, package.archive_sha256, str(package.archive_size)]
        return ["source", *wanted, str(target), "--no-binary=:all:"]
    requirements = work / "requirements.txt"
    requirements.write_text(f"{package.requirement} --hash=sha256:{package.archive_sha256}\n")
    return ["download", "--no-deps", f"--dest={target}", f"--requirement={requirements}", *_WHEEL_OPTIONS]


def _environment(work: Path, temporary: Path) -> dict[str, str]:
    """pip's own settings as they are, but temporary files on this disk, UTF-8, and no constraints."""
    constraints = work / "constraints.txt"
    constraints.write_text("")
    environment = os.environ | {name: str(temporary) for name in ("TMPDIR", "TEMP", "TMP")}
    # As an address, since pip splits what stands in this variable at spaces.
    return environment | {"PIP_CONSTRAINT": constraints.as_uri(), "PYTHONUTF8": "1"}


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


def _pip_failure(package: Package, work: Path, code: int, words: str) -> DataError:
    """What pip's exit code and its words mean, and what to do."""
    if re.search("No module named '?pip'?$", words, re.MULTILINE):
        return DataError(
            f"The Python that runs this ({sys.executable}) has no pip. Run `{sys.executable} -m ensurepip`, "
            "or in an environment made by uv `uv pip install pip`, and try again."
        )
    if "DO NOT MATCH THE HASHES" in words:
        return _wrong_hash(package)
    if _NO_ROOM.search(words):
        return disk_full(work.parent)
    if code < 0:
        return DataError(f"pip was stopped by signal {-code} while downloading {package.name}. Try again.")
    reason, crashed = _reason(words)
    if crashed:
        return DataError(
            f'pip itself failed while downloading {package.requirement} ("{reason}"). Try again; if it '
            f"repeats, bring pip up to date with `{sys.executable} -m pip install --upgrade pip`."
        )
    return DataError(
        f'pip could not download {package.requirement} ("{reason}"). If you are offline, connect and try '
        "again: this is needed once. If you use a mirror or proxy, check it with `pip config list`."
    )


def _reason(words: str) -> tuple[str, bool]:
    """The line of pip's words that says why it failed, and whether that was a crash of pip's own.

    Mostly the last "ERROR:"; after a traceback the last line. Hints that pip adds ("note: …") say no reason.
    """
    lines = [line.strip() for line in _ESCAPES.sub("", words).splitlines()]
    lines = [line for line in lines if line and not line.startswith(("note:", "hint:", "[notice]"))] or [""]
    if "Traceback (most recent call last):" in lines:
        return lines[-1], True
    errors = [line for line in lines if line.lower().startswith("error:")]
    return (errors or lines)[-1], False


def _wrong_hash(package: Package) -> DataError:
    return DataError(
        f"What arrived for {package.requirement} has the wrong SHA-256: half a download or another file. "
        "Nothing was kept. Try again; if it repeats, ask whoever runs the mirror or proxy that pip uses."
    )


def _largest_file(folder: Path, stem: str) -> int:
    """The size of the largest file below `folder` whose name begins so; pip may delete folders meanwhile."""
    files = (Path(place) / name for place, _, names in os.walk(folder) for name in names)
    named = (path for path in files if path.name.lower().replace("-", "_").startswith(stem))
    return max(map(size_of, named), default=0)
