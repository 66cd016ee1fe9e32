"""What a maintainer asks for first: which course, which system, which packages, how much room."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

from helpers import environment

__all__ = ["about", "commit", "cores", "free_disk", "free_memory", "gigabytes", "short", "there"]

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (
    "torch", "transformers", "tokenizers", "safetensors", "numpy", "matplotlib", "scikit-learn", "scipy",
    "pandas", "accelerate", "datasets", "bertviz", "peft", "onnx", "onnxscript", "onnxruntime",
    "jupyterlab", "notebook", "ipykernel", "ipywidgets", "pip",
)  # fmt: skip
# Named by a variable, each changes what the course does; an address may hold a password, so it is cut.
VARIABLES = (
    "BERT_COURSE_CACHE", "BERT_COURSE_DEVICE", "BERT_COURSE_MINE", "OMP_NUM_THREADS", "OMP_WAIT_POLICY",
    "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "HTTPS_PROXY", "https_proxy", "PYTHONPATH", "PYTHONHOME",
)  # fmt: skip


def about() -> list[str]:
    """Lines that say which course runs where: commit, system, Python, packages, memory, disk, settings."""
    release = re.match(r"[\w.]*", platform.release())[0]  # what a distribution adds to it is left out
    system = f"{platform.system()} {release} {platform.machine()}"
    place = "Colab" if environment.on_colab() else "not Colab"
    packages = ", ".join(f"{name} {environment.installed_version(name) or '-'}" for name in PACKAGES)
    memory, disk = free_memory(), free_disk(ROOT)
    given = {name: os.environ[name] for name in VARIABLES if os.environ.get(name)}
    known = [f"{name}={_without_secrets(name, value)}" for name, value in given.items()]
    return [
        f"course: {commit()}",
        f"system: {system}, Python {platform.python_version()} ({short(sys.executable)}), {place}",
        f"packages: {packages}",
        f"memory: {gigabytes(memory)} free; disk: {gigabytes(disk)} free; cores: {cores()}",
        f"settings: {', '.join(known) or 'none'}",
    ]


def commit(root: Path = ROOT) -> str:
    """The commit of the course, its date, and how many of its files were changed since; in words."""
    try:
        line = _git(root, "log", "-1", "--format=%h of %cs")
        changed = [c for c in _git(root, "status", "--porcelain", "--untracked-files=no").splitlines() if c]
    except (OSError, subprocess.SubprocessError):
        return "unknown (a copy without git's records, or no git here)"
    return f"commit {line}, files changed since: {len(changed)}"


def free_memory() -> float | None:
    """GB that programs may still take; None where the system can't be asked."""
    try:
        import psutil

        return psutil.virtual_memory().available / 1e9
    except ImportError:
        pass
    try:  # in Linux the kernel keeps the account: what caches hold may be taken, too
        lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
        return int(lines["MemAvailable"].split()[0]) * 1024 / 1e9
    except (OSError, KeyError, ValueError):
        return None


def free_disk(folder: Path) -> float | None:
    """GB free where a folder is or will be; None where the system can't be asked."""
    try:
        return shutil.disk_usage(there(folder)).free / 1e9
    except OSError:
        return None


def short(place: str | Path) -> str:
    """A path as the course's own files are named: from its folder, where it lies inside."""
    path = Path(place)
    return path.relative_to(ROOT).as_posix() if ROOT in path.parents else str(place)


def there(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next((place for place in (folder, *folder.parents) if place.is_dir()), folder)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def gigabytes(number: float | None) -> str:
    return "unknown" if number is None else f"{number:.1f} GB"


def _without_secrets(name: str, value: str) -> str:
    """The value of a setting; of addresses, all before the last @ and all after ? or # is left out."""
    if not re.search("URL|PROXY", name.upper()):
        return value
    words = []
    for word in value.split():
        scheme = re.match(r"(?:\w+://)?", word)[0]
        user, at, rest = word[len(scheme) :].rpartition("@")
        plain = re.split(r"[?#]", rest, maxsplit=1)
        words.append(scheme + ("…@" if at else "") + plain[0] + ("?…" if len(plain) > 1 else ""))
    return " ".join(words)


def _git(root: Path, *words: str) -> str:
    command = ["git", "-C", str(root), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout.strip()
