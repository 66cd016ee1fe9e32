"""Each known trouble, looked for, with the way out."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from helpers import environment
from helpers.doctor.machine import ROOT, cores, free_disk, free_memory, gigabytes, short

__all__ = ["Finding", "as_text", "diagnose"]

OLDEST_PYTHON = (3, 11)
MEMORY = 3.2  # GB that the largest notebook takes (README.md)
DISK = 1.0  # GB: what fetching the largest package needs meanwhile, and room for runs
# Runs in a Python of its own: a broken PyTorch can end the process that imports it.
ASK_TORCH = """
import json, torch
import matplotlib.pyplot
from transformers import BertModel
print("\\ncourse:", json.dumps({
    "cuda": torch.cuda.is_available(), "built for": torch.version.cuda, "threads": torch.get_num_threads(),
    "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    "mps": torch.backends.mps.is_available(),
}))
"""
IMPORTED = ("numpy", "torch", "matplotlib", "transformers")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: what it is, whether it is as the course needs it, what to do if not."""

    what: str
    fine: bool
    advice: str = ""

    def __str__(self) -> str:
        return f"OK  {self.what}" if self.fine else f"NO  {self.what}: {self.advice}"


def diagnose(root: Path = ROOT) -> list[Finding]:
    """Everything that is known to keep the course from running, looked at once; takes some seconds."""
    findings = _asked(_python) + _asked(_packages, root)
    if all(finding.fine for finding in findings):  # else these would only say the same again
        findings += _asked(_device) + _asked(_data)
    for question in (_memory, _disk, _writable, _jupyter, _file_names, _kernel, _busy):
        findings += _asked(question, *([root] if question is _writable else []))
    return findings


def _asked(question: Callable[..., list[Finding]], *arguments: Path) -> list[Finding]:
    """What a question finds; one that fails itself is a finding, too, and the others are still asked."""
    try:
        return question(*arguments)
    except Exception as error:
        advice = f"{type(error).__name__}: {error}. Please open an issue of the course with these lines"
        return [Finding(f"looking at {question.__name__.strip('_').replace('_', ' ')}", False, advice)]


def as_text(findings: list[Finding]) -> str:
    """The findings, a line each, and how many of them need something done."""
    wrong = sum(not finding.fine for finding in findings)
    last = f"{wrong} to mend: what to do stands behind NO." if wrong else "All is as the course needs it."
    return "\n".join([*map(str, findings), last])


# What is looked at


def _python() -> list[Finding]:
    found = ".".join(map(str, sys.version_info[:3]))
    wanted = ".".join(map(str, OLDEST_PYTHON))
    return [
        Finding(
            f"Python {found}",
            sys.version_info[:2] >= OLDEST_PYTHON,
            f"the course needs {wanted} or newer. Install it, remove the folder .venv, `make lab PYTHON=…`",
        )
    ]


def _packages(root: Path) -> list[Finding]:
    unmet = environment.unmet_requirements(root / "requirements.txt")
    wanting = ", ".join(f"{need} (here: {have or 'none'})" for need, have in unmet.items())
    pip = "python -m pip install -r requirements.txt -c constraints.txt"
    advice = f"{wanting}. `make lab` installs them, by hand `{pip}`"
    ours = root / ".venv"
    if unmet and ours.is_dir() and not Path(sys.prefix).resolve().samefile(ours.resolve()):
        advice += f". This is {sys.executable}; the course's own environment is {ours}: start from there"
    findings = [] if importlib.util.find_spec("pip") else [
        Finding("pip", False, "the data come through it, and it is not here: `python -m ensurepip`")
    ]  # fmt: skip
    return [*findings, Finding("packages", not unmet, advice), *([] if unmet else _shadowed())]


def _shadowed() -> list[Finding]:
    """Files that are imported in the place of a package that is installed, such as one's own torch.py."""
    findings = []
    for name in IMPORTED:
        spec, distribution = importlib.util.find_spec(name), importlib.metadata.distribution(name)
        wanted = Path(distribution.locate_file(f"{name}/__init__.py"))
        if spec is not None and spec.origin and wanted.is_file() and not wanted.samefile(spec.origin):
            where = "Rename that file, or take its folder out of PYTHONPATH"
            advice = f"{spec.origin} is imported in its place. {where}"
            findings.append(Finding(f"{name} is the one that is installed", False, advice))
    return findings


def _device() -> list[Finding]:
    asked = subprocess.run([sys.executable, "-c", ASK_TORCH], capture_output=True, text=True)
    told = [line for line in asked.stdout.splitlines() if line.startswith("course: ")]
    if asked.returncode or not told:
        lines = asked.stderr.strip().splitlines() or [f"it ended with {asked.returncode}"]
        return [
            Finding(
                "PyTorch, matplotlib and Transformers can be imported",
                False,
                f"{lines[-1]}. Install them anew: python -m pip install --force-reinstall --no-deps "
                "-r requirements.txt -c constraints.txt; on Windows the DLLs of PyTorch need Microsoft's "
                "Visual C++ Redistributable",
            )
        ]
    torch = json.loads(told[-1].partition(" ")[2])
    has = {"cpu": True, "cuda": torch["cuda"], "mps": torch["mps"]}
    wish = os.environ.get(environment.DEVICE_VARIABLE)
    device = wish or ("cuda" if torch["cuda"] else "cpu")
    name = torch["gpu"] or device if device == "cuda" else device
    findings = [
        Finding(
            f"device: {name}, threads: {torch['threads']}",
            has.get(device, False),
            f"{environment.DEVICE_VARIABLE} asks for {wish!r}, which is not here (cpu, cuda and mps are its "
            "values): unset it",
        )
    ]
    if shutil.which("nvidia-smi") and not torch["cuda"]:
        reason = f"built for CUDA {torch['built for']}" if torch["built for"] else "a build for the CPU alone"
        advice = (
            f"PyTorch ({reason}) can't use it. Where it should: compare the driver's CUDA in `nvidia-smi` "
            "with the builds listed on pytorch.org. The course runs on the CPU, too"
        )
        findings.append(Finding("NVIDIA's GPU", False, advice))
    return findings


def _data() -> list[Finding]:
    from helpers.data import CATALOGUE, DataError, cache_folder, verify  # its packages are there by now

    findings, later = [], []
    for name, package in CATALOGUE.items():
        here = (cache_folder() / name).exists()
        if package.on_demand and not here:
            later.append(f"{name} ({package.archive_size / 1e6:.0f} MB)")
            continue
        try:
            wrong = verify(name) if here else []
        except DataError as error:
            findings.append(Finding(f"data: {name}", False, str(error)))
            continue
        if not here:
            advice = "not fetched yet: `python -m helpers.data` in the folder of the course"
        else:
            advice = f"{', '.join(wrong)} missing or damaged: `python -m helpers.data --verify`"
        findings.append(Finding(f"data: {name}", here and not wrong, advice))
    if later:
        findings.append(Finding(f"data fetched only when a notebook asks for them: {', '.join(later)}", True))
    return findings


def _memory() -> list[Finding]:
    free = free_memory()
    return [
        Finding(
            f"memory: {gigabytes(free)} free",
            free is None or free >= MEMORY,
            f"a notebook takes up to {MEMORY} GB. Shut down other notebooks' kernels, close other programs",
        )
    ]


def _disk() -> list[Finding]:
    folder = Path(os.environ.get("BERT_COURSE_CACHE") or ROOT / "data").expanduser().absolute()
    free = free_disk(folder)
    return [
        Finding(
            f"disk: {gigabytes(free)} free for {short(folder)}",
            free is None or free >= DISK,
            f"{DISK:.0f} GB are needed while data are fetched. Make room, or let BERT_COURSE_CACHE name a "
            "folder on another disk",
        )
    ]


def _writable(root: Path) -> list[Finding]:
    """The folders that notebooks write to: what was fetched, what the learner wrote."""
    folders = {
        "BERT_COURSE_CACHE": os.environ.get("BERT_COURSE_CACHE") or root / "data" / "cache",
        "BERT_COURSE_MINE": os.environ.get("BERT_COURSE_MINE") or root / "data" / "mine",
    }
    findings = []
    for variable, folder in folders.items():
        reason = _why_not_written(Path(folder))
        advice = f"{reason}. Let {variable} name a folder of yours, or copy the course into one"
        findings.append(Finding(f"can write to {short(folder)}", reason is None, advice))
    return findings


def _jupyter() -> list[Finding]:
    """The folder for what a running Jupyter notes; nothing to say where there is no Jupyter."""
    try:
        from jupyter_core.paths import jupyter_runtime_dir
    except ImportError:
        return []
    folder = jupyter_runtime_dir()
    reason = _why_not_written(Path(folder))
    advice = f"{reason}. Let JUPYTER_RUNTIME_DIR name a folder of yours, and see whether HOME is right"
    return [] if reason is None else [Finding(f"Jupyter can write to {folder}", False, advice)]


def _why_not_written(folder: Path) -> str | None:
    """Why a folder can't be made or written to; None where it can."""
    folder = folder.expanduser().absolute()
    place = next((place for place in (folder, *folder.parents) if place.exists()), folder)
    if place.exists() and not place.is_dir():
        return f"{place} is a file"
    try:
        with tempfile.TemporaryFile(dir=place):
            return None
    except OSError as error:
        return error.strerror or str(error)


def _file_names() -> list[Finding]:
    coding = sys.getfilesystemencoding()
    return [
        Finding(
            f"names of files are in {coding}",
            coding.lower().replace("-", "") == "utf8" or str(ROOT).isascii(),
            f"the course lies in {str(ROOT)!a}. Set PYTHONUTF8=1, or put it in a folder with plain letters",
        )
    ]


def _kernel() -> list[Finding]:
    """Whether Jupyter's kernel `python3` is this Python; nothing to say where there is no Jupyter."""
    try:
        from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
    except ImportError:
        return []
    try:
        command = KernelSpecManager().get_kernel_spec("python3").argv
    except NoSuchKernel:
        return [Finding("Jupyter's kernel", False, "there is none: python -m pip install ipykernel")]
    except (ValueError, KeyError) as error:
        advice = f"its kernel.json can't be read ({error}): python -m ipykernel install --sys-prefix"
        return [Finding("Jupyter's kernel", False, advice)]
    if not command:
        advice = "its kernel.json names no program: python -m ipykernel install --sys-prefix"
        return [Finding("Jupyter's kernel", False, advice)]
    started = shutil.which(command[0]) or command[0]
    same = command[0] == "python" or _same_file(started, sys.executable)
    advice = f"it starts {started}. `{sys.executable} -m ipykernel install --sys-prefix` makes it this one"
    return [Finding("Jupyter's kernel python3 is this Python", same, advice)]


def _busy() -> list[Finding]:
    """Other programs at work, nothing to mend; systems without a load average are not asked."""
    if not hasattr(os, "getloadavg"):
        return []
    load, here = os.getloadavg()[0], cores()
    slower = f", for {here} cores: all is right, but takes longer than the minutes that are given"
    return [Finding(f"load: {load:.1f} programs at work" + (slower if load > here + 1 else ""), True)]


def _same_file(one: str, other: str) -> bool:
    """Whether two paths are one Python: links of an environment lead to the system's, so not followed."""
    return Path(one).absolute() == Path(other).absolute()
