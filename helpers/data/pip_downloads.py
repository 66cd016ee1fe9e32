"""Let pip download a package's archive: a mirror or proxy that is set up for pip works here too."""

import os
import subprocess
import sys
import time
from pathlib import Path

from tqdm import tqdm

from helpers.data.catalogue import Package
from helpers.data.files import DataError, disk_full, size_of

__all__ = ["pip_download"]

# One fixed platform, so that every system and Python gets the same wheel.
_WHEEL_OPTIONS = (
    "--only-binary=:all: --platform=manylinux_2_28_x86_64 --python-version=3.11 --implementation=cp"
).split()
_SOURCE_OPTIONS = ["--no-binary=:all:"]
# pip asks a source archive for its metadata: setuptools runs its setup.py. A later setuptools may
# refuse an old spelling in its setup.cfg, so stay with what was tried.
_BUILD_CONSTRAINT = "setuptools<85\n"


def pip_download(package: Package, work: Path) -> Path:
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
        return disk_full(work.parent)
    if code < 0:
        return DataError(f"pip was stopped by signal {-code} while downloading {package.name}. Try again.")
    return DataError(
        f'pip could not download {package.requirement} ("{reason}"). If you are offline, connect and try '
        "again: this is needed once. If you use a mirror or proxy, check it with `pip config list`."
    )


def _largest_file(folder: Path, stem: str) -> int:
    """The size of the largest file below `folder` whose name begins so; pip may delete folders meanwhile."""
    files = (Path(place) / name for place, _, names in os.walk(folder) for name in names)
    named = (path for path in files if path.name.lower().replace("-", "_").startswith(stem))
    return max(map(size_of, named), default=0)
