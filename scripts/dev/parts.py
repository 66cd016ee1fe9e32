"""The parts of the course that can be tested alone: a module, a room of helpers/, a notebook.

    python -m pytest --part attention     tests of helpers/attention.py, and the notebook that teaches it
    python -m pytest --part training      tests of helpers/training/
    python -m pytest --part 06            notebook 06, and the tests of what it teaches
"""

import re
from pathlib import Path

import nbformat

from scripts.dev import sync_cells

ROOT = Path(__file__).resolve().parents[2]
# Rooms that a notebook is about.
NOTEBOOK_OF = {"views": "attention_views"}


def names(root: Path = ROOT) -> str:
    """What can be asked for, in words."""
    places = (path for path in (root / "tests").iterdir() if path.name != "browser")  # make test-browser
    rooms = sorted(path.name for path in places if any(path.glob("test_*.py")))
    single = sorted(path.stem.removeprefix("test_") for path in (root / "tests").glob("test_*.py"))
    taught = [module for module in sync_cells.HEIGHT if tests_of(module, root).is_file()]
    return f"{', '.join([*taught, *rooms, *single])}, or the beginning of a notebook's name"


def paths(name: str, root: Path = ROOT) -> list[Path]:
    """The tests and notebooks that belong to a part; LookupError, saying what there is, for another name."""
    notebooks = sync_cells.notebook_paths(root)
    if name in sync_cells.HEIGHT:
        return [tests_of(name, root), *(path for path in notebooks if name in taught_in(path, root))]
    room, single = root / "tests" / name, root / "tests" / f"test_{name}.py"
    if re.fullmatch(r"\w+", name) and (single.is_file() or any(room.glob("test_*.py"))):
        about = NOTEBOOK_OF.get(name, " ")
        return [path for path in (single, room) if path.exists()] + [p for p in notebooks if about in p.stem]
    start = Path(name).name  # a path will do, too
    chosen = [path for path in notebooks if start and path.name.startswith(start)]
    if not chosen:
        raise LookupError(f"there is no part {name!r}: choose {names(root)}")
    modules = {module: None for path in chosen for module in taught_in(path, root)}
    return [*(tests_of(module, root) for module in modules), *chosen]


def tests_of(module: str, root: Path) -> Path:
    """The tests of a taught module."""
    return root / "tests" / "taught" / f"test_{module}.py"


def taught_in(path: Path, root: Path) -> list[str]:
    """The taught modules of which a notebook shows a definition."""
    source = "\n".join(c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code")
    found = set(re.findall(r"^(?:def|class) (\w+)", source, re.M))
    modules = sync_cells.taught(root)
    return [m for m, n in modules.items() if found & {d.name for d in n.values() if d.kind != "value"}]
