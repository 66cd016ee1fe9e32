"""Keep the code shown in the notebooks and the code in helpers/ one and the same text.

    python scripts/dev/sync_cells.py            rewrite the notebooks' definitions from the helpers
    python scripts/dev/sync_cells.py --check    only say what differs
    python scripts/dev/sync_cells.py --stubs    write the exercises' stubs over solutions, too

A notebook cell that holds so much as `def normalize(): ...` gets the helper's whole text, comments
directly above it included. Other lines of the cell stay. The set-up cell, known by its first line, gets the
text of scripts/dev/setup_cell.py. Stubs and questions come from their tables (sync_exercises.py). Outputs
are not touched: run the notebook next.
"""

import argparse
import ast
import re
import sys
from pathlib import Path
from typing import NamedTuple

import nbformat

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from helpers.data.output import accept_any_text  # noqa: E402
from helpers.exercises.sources import python_lines  # noqa: E402
from scripts.dev import sync_exercises  # noqa: E402

# What a notebook teaches, by height: a module may import only from lower ones, and never support code.
HEIGHT = {"wordpiece": 0, "embeddings": 1, "attention": 1, "encoder": 2}
HEIGHT |= {"pretraining": 3, "classification": 4, "tagging": 5, "reading": 5}
HEIGHT |= {"distillation": 5, "compression": 5}
INDENTED_COMMENT = re.compile(r"\s+#")


class Definition(NamedTuple):
    """A top-level definition: its name, its text, and its first and last line (from 1, both included)."""

    name: str
    text: str
    first: int
    last: int
    kind: str  # "def", "class" or "value"


class Shown(NamedTuple):
    """A definition in a notebook: the file, the number of the code cell, and the definition."""

    path: Path
    cell: int
    definition: Definition


def definitions(source: str) -> list[Definition]:
    """Every top-level function, class and assigned name, with the comments directly above it."""
    lines = source.splitlines()
    found = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names, kind = [node.name], "class" if isinstance(node, ast.ClassDef) else "def"
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [n.id for target in targets for n in ast.walk(target) if _is_stored(n)]
            first, kind = node.lineno, "value"
        else:
            continue
        last = node.end_lineno
        while first > 1 and lines[first - 2].startswith("#"):
            first -= 1
        while kind != "value" and last < len(lines) and INDENTED_COMMENT.match(lines[last]):
            last += 1  # it belongs to the body
        text = "\n".join(line.rstrip() for line in lines[first - 1 : last])
        found += [Definition(name, text, first, last, kind) for name in names]
    return found


def _is_stored(node: ast.AST) -> bool:
    """True for `x` in `x = 1` and `x, y = 1, 2`, not in `x.y = 1` or `x[0] = 1`."""
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def exported(source: str) -> list[str]:
    """The names in a module's `__all__`."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and any(getattr(t, "id", "") == "__all__" for t in node.targets):
            return list(ast.literal_eval(node.value))
    return []


def taught(root: Path) -> dict[str, dict[str, Definition]]:
    """{module: {name in its __all__: definition}} for the taught modules that exist."""
    modules = {}
    for module in HEIGHT:
        path = root / "helpers" / f"{module}.py"
        if path.is_file():
            source = path.read_text(encoding="utf-8")
            names = exported(source)
            modules[module] = {d.name: d for d in definitions(source) if d.name in names}
    return modules


def references(root: Path) -> dict[str, dict[str, Definition]]:
    """The same for functions that are taught and not used again: helpers/exercises/references/."""
    found = {}
    for path in sorted((root / "helpers" / "exercises" / "references").glob("*.py")):
        source = path.read_text(encoding="utf-8")
        names = exported(source)
        texts = {d.name: d for d in definitions(source) if d.name in names}
        found[f"exercises/references/{path.stem}"] = texts
    return found


def notebook_paths(root: Path) -> list[Path]:
    return sorted((root / "notebooks").glob("*.ipynb"))


def shown(paths: list[Path]) -> list[Shown]:
    """Every top-level definition in the code cells of the notebooks."""
    found = []
    for path in paths:
        notebook = nbformat.read(path, as_version=4)
        cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        for number, cell in enumerate(cells, 1):
            try:
                found += [Shown(path, number, d) for d in definitions(python_lines(cell.source))]
            except SyntaxError as error:
                raise SyntaxError(f"{path.name}, code cell {number}: {error}") from error
    return found


def problems(root: Path) -> list[str]:
    """Everything in which notebooks and helpers break the rule of one text, a sentence for each."""
    everything = shown(notebook_paths(root))
    modules = taught(root) | references(root)
    found = module_problems(root)
    for module, names in modules.items():
        for name, definition in names.items():
            found += _taught_problems(module, name, definition, everything)
    taught_names = {name for names in modules.values() for name in names}
    for path in sorted((root / "helpers").rglob("*.py")):
        module = path.relative_to(root).as_posix()
        if module.startswith("helpers/exercises/tables/"):  # wrong programs, which nobody imports
            continue
        for definition in definitions(path.read_text(encoding="utf-8")):
            if definition.name not in taught_names and not definition.name.startswith("_"):
                found += _reuse_problems(module, definition, everything)
    return found + set_up_problems(root)


def set_up_text(root: Path) -> str:
    """The text of the set-up cell, the first code cell of every notebook."""
    return (root / "scripts" / "dev" / "setup_cell.py").read_text(encoding="utf-8").rstrip("\n")


def is_set_up(source: str, text: str) -> bool:
    return source.split("\n")[0].rstrip() == text.split("\n")[0]


def set_up_problems(root: Path) -> list[str]:
    """A line for each notebook whose first code cell is not the set-up cell, word for word."""
    found = []
    for path in notebook_paths(root):
        cells = [c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
        if not cells or cells[0].rstrip("\n") != set_up_text(root):
            found.append(
                f"{path.name}: its first code cell is not the set-up cell; let the cell begin with the line "
                f"`{set_up_text(root).splitlines()[0]}` and run `make sync`"
            )
    return found


def _taught_problems(module: str, name: str, definition: Definition, everything: list[Shown]) -> list[str]:
    places = [s for s in everything if s.definition.name == name]
    texts = [s for s in places if s.definition.text == definition.text]
    found = [
        f"{s.path.name}, code cell {s.cell}: `{name}` differs from helpers/{module}.py; "
        f"run `make sync`, or give another name to what is another thing"
        for s in places
        if s not in texts
    ]
    if not places:
        found.append(f"helpers/{module}.py: `{name}` is in __all__, but no notebook cell shows it")
    if len(texts) > 1:
        cells = ", ".join(f"{s.path.name} cell {s.cell}" for s in texts)
        found.append(f"`{name}` is shown more than once ({cells}): show it once, import it elsewhere")
    return found


def _reuse_problems(module: str, definition: Definition, everything: list[Shown]) -> list[str]:
    return [
        f"{s.path.name}, code cell {s.cell}: `{s.definition.name}` reuses the name of another thing in "
        f"{module}: give it a name of its own"
        for s in everything
        if s.definition.name == definition.name
        and s.definition.text != definition.text
        and (s.definition.kind != "value" or s.definition.name.isupper())
    ]


def module_problems(root: Path) -> list[str]:
    """What is wrong in the taught modules themselves: names left out of __all__, imports that go up."""
    found = []
    for module in HEIGHT:
        path = root / "helpers" / f"{module}.py"
        if not path.is_file():
            continue
        source = path.read_text(encoding="utf-8")
        names = exported(source)
        defined = [d.name for d in definitions(source) if d.name != "__all__"]
        missing = [n for n in names if n not in defined]
        found += [f"helpers/{module}.py: __all__ has `{n}`, which is not defined" for n in missing]
        found += [
            f"helpers/{module}.py: `{n}` is not in __all__: teach it in a notebook, or move what a learner "
            f"need not read into a support module"
            for n in defined
            if n not in names
        ]
        for imported in sorted(imported_helpers(source)):
            if HEIGHT.get(imported, 9) >= HEIGHT[module]:
                kind = "is taught beside or after it" if imported in HEIGHT else "is a support module"
                found.append(f"helpers/{module}.py imports helpers/{imported}.py, which {kind}")
    return found


def imported_helpers(source: str) -> set[str]:
    """The modules of helpers/ that a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {a.name.split(".")[1] for a in node.names if a.name.startswith("helpers.")}
        elif isinstance(node, ast.ImportFrom):
            parts = (node.module or "").split(".")
            if node.level or parts[0] == "helpers":
                inner = parts[:1] if node.level else parts[1:2]
                found |= set(filter(None, inner)) or {a.name for a in node.names}
    return found


def synced(source: str, wanted: dict[str, Definition]) -> str:
    """A cell's source with each definition that is in `wanted` replaced by the text that stands there."""
    lines = source.splitlines()
    for definition in reversed(definitions(python_lines(source))):
        helper = wanted.get(definition.name)
        if helper and (helper.kind == "value") == (definition.kind == "value"):
            lines[definition.first - 1 : definition.last] = helper.text.split("\n")
    return "\n".join(lines)


def sync(root: Path, stubs: bool = False) -> list[str]:
    """Rewrite the notebooks' taught definitions from the helpers; return a line for each cell changed.

    stubs: write those of the exercises over solutions, too.
    """
    modules = taught(root) | references(root)
    wanted = {name: d for names in modules.values() for name, d in names.items()}
    changed = []
    for path in notebook_paths(root):
        notebook = nbformat.read(path, as_version=4)
        before = len(changed)
        for number, cell in enumerate((c for c in notebook.cells if c.cell_type == "code"), 1):
            set_up = set_up_text(root)
            text = set_up if is_set_up(cell.source, set_up) else synced(cell.source, wanted)
            if text != cell.source.rstrip("\n"):
                changed.append(f"{path.name}, code cell {number}")
                cell.source = text
        changed += sync_exercises.sync_notebook(notebook, path, root, stubs)
        if len(changed) > before:
            part = path.with_suffix(".tmp")
            part.write_text(nbformat.writes(notebook).rstrip("\n") + "\n", encoding="utf-8", newline="\n")
            part.replace(path)
    return changed


def main(arguments: list[str] | None = None) -> int:
    accept_any_text()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing")
    parser.add_argument("--stubs", action="store_true", help="write stubs over solutions, too")
    options = parser.parse_args(arguments)
    if not options.check:
        for line in sync(ROOT, options.stubs):
            print(f"rewritten: {line}; now run the notebook")
    found = problems(ROOT) + sync_exercises.problems(ROOT)
    for problem in found:
        print(f"  ! {problem}")
    print(f"{len(found)} problems" if found else "Notebooks and helpers are the same text.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
