"""The rooms of the house: what may import what, and a README that names what is there."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.dev import sync_cells

ROOT = Path(__file__).resolve().parent.parent
TAUGHT = frozenset(sync_cells.HEIGHT)
# Below "stories" a taught module may import only what is taught before it (scripts/dev/sync_cells.py).
BELOW = {"plotting": frozenset(), "environment": frozenset({"plotting"})}
BELOW |= {m: frozenset(n for n in TAUGHT if sync_cells.HEIGHT[n] < sync_cells.HEIGHT[m]) for m in TAUGHT}
BELOW["stories"] = TAUGHT | {"plotting"}
BELOW["data"] = BELOW["stories"] | {"stories"}
BELOW["checkpoints"] = BELOW["data"] | {"data"}
for room in ("training", "views", "analysis"):  # none of the three imports another
    BELOW[room] = BELOW["checkpoints"] | {"checkpoints"}
BELOW["doctor"] = BELOW["data"] | {"data", "environment"}
BELOW["everyday"] = BELOW["checkpoints"] | {"checkpoints"}
BELOW["serving"] = BELOW["everyday"] | {"everyday"}
for room in ("studies", "exercises"):
    BELOW[room] = BELOW["training"] | {"training", "views", "analysis"}


def as_a_program(node):
    """Whether this is `if __name__ == "__main__":`, what a module does when it is run and not imported."""
    return isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'"


def imported(source):
    """(line, dotted name) of everything that a program imports; `from a import b` is a.b."""
    tree = ast.parse(source)
    tree.body = [node for node in tree.body if not as_a_program(node)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = "." * node.level + (node.module or "")
            yield from ((node.lineno, f"{start}.{alias.name}") for alias in node.names)


def forbidden(root):
    """Each import in helpers/ that the rules do not allow, as a sentence."""
    for path in sorted((root / "helpers").rglob("*.py")):
        place = path.relative_to(root)
        room = place.parts[1].removesuffix(".py")
        if room == "__init__":
            continue
        for line, name in imported(path.read_text(encoding="utf-8")):
            first, second = (*name.split("."), "")[:2]
            if name.startswith("."):
                yield f"{place}:{line} imports {name}: write out helpers"
            elif first in ("scripts", "benchmarks", "tests"):
                yield f"{place}:{line} imports {name}: helpers/ imports nothing from {first}/"
            elif first == "helpers" and second != room and second not in BELOW.get(room, ()):
                yield f"{place}:{line}: {room} may not import {second}"


def test_imports_go_one_way():
    assert list(forbidden(ROOT)) == []


def test_every_room_has_its_rule(project_files):
    rooms = {path.parts[1].removesuffix(".py") for path in project_files if path.parts[0] == "helpers"}
    assert rooms - {"__init__"} <= set(BELOW)


@pytest.mark.parametrize(
    ("place", "line", "words"),
    [
        ("attention.py", "from helpers.encoder import Bert", "attention.py:1: attention may not import"),
        ("attention.py", "from helpers.embeddings import X", "attention may not import embeddings"),
        ("encoder.py", "def f():\n    from helpers import plotting", "py:2: encoder may not import plotting"),
        ("data/files.py", "import helpers.checkpoints", "data may not import checkpoints"),
        ("training/a.py", "from helpers.analysis import heads", "training may not import analysis"),
        ("analysis/a.py", "from helpers import data, training", "analysis may not import training"),
        ("everyday/a.py", "from helpers import serving", "everyday may not import serving"),
        ("studies/a.py", "from helpers import exercises", "studies may not import exercises"),
        ("studies/a.py", "from scripts import fine_tune", "helpers/ imports nothing from scripts/"),
        ("views/a.py", "from .data import Reading", "write out helpers"),
        ("plotting.py", "from helpers import environment", "plotting may not import environment"),
        ("environment.py", "from helpers import doctor", "environment may not import doctor"),
        ("checkpoints/a.py", "from helpers import training", "checkpoints may not import training"),
    ],
)
def test_a_forbidden_import_is_named(tmp_path, place, line, words):
    path = tmp_path / "helpers" / place
    path.parent.mkdir(parents=True)
    path.write_text(line)
    (problem,) = forbidden(tmp_path)
    assert words in problem


def test_notebooks_import_from_helpers_only():
    for path in sync_cells.notebook_paths(ROOT):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        for cell in cells:
            if cell["cell_type"] == "code":
                names = [n for _, n in imported(sync_cells.python_lines("".join(cell["source"])))]
                assert not [n for n in names if n.split(".")[0] in ("scripts", "benchmarks", "tests")], path


def test_a_room_names_its_modules():
    """The first thing that a reader of a room sees says what is in it, a line for each module."""
    for start in sorted((ROOT / "helpers").glob("*/__init__.py")):
        words = ast.get_docstring(ast.parse(start.read_text(encoding="utf-8"))) or ""
        modules = {path.stem for path in start.parent.glob("*.py")} - {"__init__", "__main__"}
        missing = {name for name in modules if not re.search(rf"^ *{name}  +\S", words, re.M)}
        assert not missing, f"{start.relative_to(ROOT)} does not say what {sorted(missing)} are for"


@pytest.mark.parametrize("room", ["data", "stories"])
def test_texts_need_no_torch(room):
    program = f"import sys, helpers.{room}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT).returncode == 0


# The README's tree


def tree():
    """{name: description} of the tree in the README; a module of helpers/ is helpers/NAME."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```\n(notebooks/.*?)^```", text, re.M | re.S)
    found, folder = {}, ""
    for line in block.splitlines():
        match = re.fullmatch(r"( *)([\w.]+/?) {2,}(\S.*)", line)
        assert match, f"a line of the README's tree is no name with its description: {line!r}"
        indent, name, words = match.groups()
        folder = folder if indent else name
        found[(folder if indent else "") + name] = words
    return found


def test_the_tree_is_what_is_there(project_files):
    lines = tree()
    for name in lines:
        assert (ROOT / name).is_dir() if name.endswith("/") else (ROOT / f"{name}.py").is_file(), name
    inside = [path.parts for path in project_files if not path.parts[0].startswith(".")]
    folders = {f"{parts[0]}/" for parts in inside if len(parts) > 1}
    folders |= {f"helpers/{parts[1]}/" for parts in inside if parts[0] == "helpers" and len(parts) > 2}
    missing = folders - set(lines)
    assert not missing, f"the README's tree lacks {sorted(missing)}"
    modules = {f"helpers/{path.stem}" for path in (ROOT / "helpers").glob("*.py")} - {"helpers/__init__"}
    assert not modules - set(lines), f"the README's tree lacks {sorted(modules - set(lines))}"


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 200


def test_every_test_file_has_a_name_of_its_own(project_files):
    """pytest imports them by their names alone."""
    names = [path.name for path in project_files if re.fullmatch(r"tests/.*test_\w+\.py", path.as_posix())]
    assert sorted(set(names)) == sorted(names)


def programs():
    """(place, source) of every program and of every notebook's code."""
    for room in ("helpers", "scripts", "benchmarks"):
        for path in sorted((ROOT / room).rglob("*.py")):
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
    yield "conftest.py", (ROOT / "conftest.py").read_text(encoding="utf-8")
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for number, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"]):
            if cell["cell_type"] == "code":
                yield f"{path.name}, cell {number}", "".join(cell["source"])


def tables_read_with_their_mark(source):
    """Lines that open a CSV file to read it (newline="" says so) and take a byte order mark for text."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "open":
            values = {k.arg: getattr(k.value, "value", None) for k in node.keywords}
            modes = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            writes = any(set(mode) <= set("rwaxbt+") and set(mode) & set("wax+") for mode in modes)
            if values.get("newline") == "" and values.get("encoding") == "utf-8" and not writes:
                yield node.lineno


def test_tables_are_read_without_a_byte_order_mark():
    """A spreadsheet's "CSV UTF-8" begins with one; read as utf-8-sig it is no part of a column's name."""
    found = [f"{place}:{n}" for place, source in programs() for n in tables_read_with_their_mark(source)]
    assert found == []
    for line in ('open(p, encoding="utf-8", newline="")', 'p.open("r", encoding="utf-8", newline="")'):
        assert list(tables_read_with_their_mark(line)) == [1]
    for line in ('open(p, "w", encoding="utf-8", newline="")', 'open(p, encoding="utf-8-sig", newline="")'):
        assert list(tables_read_with_their_mark(line)) == []


def test_tests_import_tests_that_are_there(project_files):
    """Those in a browser are collected only when asked for, so a wrong name there would not be met."""
    for path in (place for place in project_files if place.parts[0] == "tests" and place.suffix == ".py"):
        for line, name in imported((ROOT / path).read_text(encoding="utf-8")):
            if name.startswith("tests."):
                module = Path(*name.split(".")[:-1]).with_suffix(".py")
                assert (ROOT / module).is_file(), f"{path}:{line} imports from {module}: not there"
