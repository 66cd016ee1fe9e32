"""The machine that a notebook runs on: its packages, its device, its quiet.

Support code, called by the set-up cell of every notebook. It installs something only on Colab, and
there only what is missing or too old, never torch or numpy: exchanging those breaks a running session.

`python -m helpers.environment` says what this machine has, and for each known trouble the way out.
"""

from __future__ import annotations  # an older Python gets as far as being told so (helpers/doctor/)

import importlib
import importlib.metadata
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

try:
    from packaging.requirements import Requirement  # ipykernel brings it, so every kernel has it
    from packaging.utils import canonicalize_name
    from packaging.version import InvalidVersion, Version
except ModuleNotFoundError:  # a Python without the packages can still say that they are missing
    try:
        from pip._vendor.packaging.requirements import Requirement
        from pip._vendor.packaging.utils import canonicalize_name
        from pip._vendor.packaging.version import InvalidVersion, Version
    except ModuleNotFoundError:
        why = f"{sys.executable} has neither the course's packages nor pip: `make lab` sets up one that has"
        if __name__ == "__main__":
            sys.exit(why)
        raise ModuleNotFoundError(why) from None

if TYPE_CHECKING:
    import torch  # takes seconds and may be missing: imported for real only after the packages are checked

# Threads of torch that wait for each other sleep instead of spinning: beside other programs spinning makes
# a training step 3 to 20 times as long. OpenMP reads this once, when torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

ROOT = Path(__file__).resolve().parent.parent

# Colab brings its own builds of these, fitted to its GPU and to each other: they stay as they are.
KEPT_ON_COLAB = ("torch", "numpy")
# Of these the course reads files and imports nothing, so on Colab they come without what they ask for.
FILES_ONLY = ("bertviz",)
# Imported once in a Python of its own after pip was at work: where that fails, no notebook would run.
IMPORTS = (
    "import accelerate, datasets, matplotlib, mwparserfromhell, numpy, scipy, sklearn, tensorboard\n"
    "import tokenizers, torch\nfrom transformers import BertModel, BertTokenizer, Trainer"
)
# Around the notebooks, not imported by them: any other way to install, open or test them will do.
AROUND_THE_NOTEBOOKS = (
    "jupyterlab", "ipywidgets", "nbclient", "nbval", "pytest", "pytest-xdist", "hypothesis", "psutil",
    "python-dateutil", "starlette", "uvicorn",
)  # fmt: skip

DEVICE_VARIABLE = "BERT_COURSE_DEVICE"
DEVICES = ("cpu", "cuda", "mps")


@dataclass(frozen=True)
class Settings:
    """What a notebook may choose by: `device` (a torch.device), `gpu` (is it one?), `colab`."""

    device: torch.device
    gpu: bool
    colab: bool


def set_up() -> Settings:
    """Check the packages, quieten the libraries, choose the device, and say so in one line.

    The device is the CUDA GPU where there is one, otherwise the CPU; the environment variable
    BERT_COURSE_DEVICE (cpu, cuda or mps) chooses another. Apple's GPU (mps) is used only when asked
    for, since its results differ in more digits than the notebooks allow for.
    """
    colab = on_colab()
    check_packages(ROOT / "requirements.txt", colab)
    from helpers import plotting  # only now: it needs matplotlib

    keep_libraries_quiet()
    device = choose_device(os.environ.get(DEVICE_VARIABLE))
    plotting.use_course_style()
    gpu = device.type != "cpu"
    print(f"Ready: the course runs on the {'GPU' if gpu else 'CPU'}.")
    return Settings(device=device, gpu=gpu, colab=colab)


def on_colab() -> bool:
    """True inside Google Colab, whose kernels have google.colab imported from the start."""
    return "google.colab" in sys.modules or "COLAB_RELEASE_TAG" in os.environ


def choose_device(wish: str | None = None) -> torch.device:
    """The torch device to use: the one wished for, otherwise CUDA where there is one, otherwise the CPU.

    Raises ValueError for an unknown name and RuntimeError for a device that this machine has not got.
    """
    import torch

    if wish and wish not in DEVICES:
        raise ValueError(
            f"{DEVICE_VARIABLE} is {wish!r}, expected {' or '.join(DEVICES)}: change or unset it."
        )
    has = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wish and not has[wish]:
        raise RuntimeError(f"{DEVICE_VARIABLE} asks for {wish}, which PyTorch does not find here: unset it.")
    return torch.device(wish or ("cuda" if has["cuda"] else "cpu"))


def keep_libraries_quiet() -> None:
    """Keep progress bars, load reports and advice of the libraries out of the notebooks.

    Only warnings and chatter go: errors are still raised. Variables that the learner has set win, so
    TRANSFORMERS_VERBOSITY=warning brings the load reports back.
    """
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    if "transformers" in sys.modules:  # the variables are read at import: too late for them here
        from transformers.utils import logging

        if os.environ["TRANSFORMERS_VERBOSITY"] == "error":
            logging.set_verbosity_error()
        if os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] == "1":
            logging.disable_progress_bar()


def check_packages(requirements: Path, colab: bool) -> None:
    """Raise ImportError naming what is missing or too old; on Colab install it instead.

    On Colab a torch or numpy below the lower bound is left alone with a printed note: the course was
    not tried with it, and replacing it would break the session.
    """
    wanting = unmet_requirements(requirements)
    if not wanting:
        return
    if not colab:
        found = "; ".join(f"{need} ({have or 'not installed'})" for need, have in wanting.items())
        raise ImportError(
            f"This Python ({sys.executable}) lacks what the course needs: {found}. Start Jupyter with "
            f"`make lab`, or run: python -m pip install -r requirements.txt -c constraints.txt"
        )
    lines = imported_requirements(requirements)
    for need, have in list(wanting.items()):
        if Requirement(need).name in KEPT_ON_COLAB:
            print(f"Note: the course was tried with {need}; Colab's own {have or 'none'} is kept.")
            del wanting[need]
            lines.remove(need)
    if wanting:
        _install(lines, list(wanting))


def imported_requirements(requirements: Path) -> list[str]:
    """The lines of a requirements file that name an imported package, without their comments."""
    text = requirements.read_text(encoding="utf-8-sig")  # some editors on Windows begin a file with a mark
    lines = (line.split("#")[0].strip() for line in text.splitlines())
    return [line for line in lines if line and Requirement(line).name not in AROUND_THE_NOTEBOOKS]


def unmet_requirements(requirements: Path) -> dict[str, str | None]:
    """{requirement: installed version or None} for each imported package that is missing or too old."""
    unmet = {}
    for text in imported_requirements(requirements):
        version = installed_version(Requirement(text).name)
        if version is None or not Requirement(text).specifier.contains(version, prereleases=True):
            unmet[text] = version
    return unmet


def installed_version(name: str) -> str | None:
    """The version of a package; None where it is not installed."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _install(lines: list[str], wanting: list[str]) -> None:
    """Install `wanting`, and let nothing else move that can stay.

    pip is given all lines, since only then it knows what the packages that are there ask of each other, and
    every installed package is pinned. Only where pip finds no way so, torch and numpy alone are pinned.
    Raises RuntimeError with pip's words where it fails, or where the packages can't be imported afterwards.
    """
    print(f"Installing {', '.join(wanting)} ...")
    changing = {canonicalize_name(Requirement(text).name) for text in wanting}
    before = _installed_versions()
    kept = {name: before[name] for name in KEPT_ON_COLAB if name in before}
    alone = [text for text in wanting if Requirement(text).name in FILES_ONLY]
    together = [text for text in lines if Requirement(text).name not in FILES_ONLY]
    said = ""
    if len(alone) < len(wanting):
        failed, said = _pip(together, {name: v for name, v in before.items() if name not in changing})
        if failed:
            failed, said = _pip(together, kept)
        if failed:
            raise RuntimeError(f"pip could not install {', '.join(wanting)}. {_words(said)}")
    if alone:
        failed, more = _pip(["--no-deps", *alone], kept)
        if failed:
            raise RuntimeError(f"pip could not install {', '.join(alone)}. {_words(more)}")
    importlib.invalidate_caches()
    after = _installed_versions()
    moved = [f"{name} {v} -> {after.get(name)}" for name, v in before.items() if after.get(name) != v]
    if moved:
        print(f"Exchanged: {', '.join(moved)}. If an import fails: Runtime, Restart session, and run again.")
    tried = subprocess.run([sys.executable, "-c", IMPORTS], cwd=ROOT, capture_output=True, text=True)
    if tried.returncode:
        error = tried.stderr.strip()[-500:]
        raise RuntimeError(f"After the installation the packages can't be imported: {error}\n{_words(said)}")


def _installed_versions() -> dict[str, str]:
    """{canonical name: version} of every installed package that pip could be asked to keep."""
    found = {}
    for package in importlib.metadata.distributions():  # the first of a name is the one that is imported
        about = package.metadata or {}  # half-removed packages tell neither
        if about.get("Name") and _is_version(about.get("Version")):
            found.setdefault(canonicalize_name(about["Name"]), about["Version"])
    return found


def _is_version(text: str | None) -> bool:
    try:
        return bool(text) and bool(Version(text))
    except InvalidVersion:
        return False


def _pip(wanted: list[str], pins: dict[str, str]) -> tuple[bool, str]:
    """pip install under `pins`: whether it failed, and what it said."""
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text("".join(f"{name}=={version}\n" for name, version in pins.items()))
        options = ["--quiet", "--no-color", "--disable-pip-version-check", "-c", str(constraints)]
        command = [sys.executable, "-m", "pip", "install", *options, *wanted]
        result = subprocess.run(command, capture_output=True, text=True)
    return bool(result.returncode), result.stderr.strip()


def _words(said: str) -> str:
    """pip's last words, and what to do."""
    return (
        f"pip's last words: {said[-1500:] or 'none'}\nOn Colab: Runtime, Disconnect and delete runtime, then "
        "run this cell again. If that does not help, open an issue of the course with these lines."
    )


if __name__ == "__main__":
    sys.path[0] = str(ROOT)  # from whatever folder, and by its path, too
    from helpers import doctor  # above this module: nothing else here imports it

    sys.exit(doctor.main())
