"""Keep the exercises in the notebooks and their tables (helpers/exercises/tables/) one and the same.

Called by sync_cells.py. A cell that holds so much as `check("4.2")` gets the exercise's stub above that line,
and one that holds `guess("4.q1")` the question; the course's version of what an exercise asks for is folded,
with a line above that says so. A cell with a learner's own solution is left alone, unless --stubs is given.
"""

import ast
import re
import sys
from pathlib import Path
from typing import NamedTuple

import nbformat

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from helpers.exercises import tables  # noqa: E402
from helpers.exercises.exercise import Exercise  # noqa: E402
from helpers.exercises.sources import is_empty_definition  # noqa: E402

CHECK = re.compile(r"^check\(\s*[\"']([^\"']+)[\"']", re.M)
GUESS = re.compile(r"^guess\(\s*[\"']([^\"']+)[\"']", re.M)
FOLDED = (
    "*Write yours first. The course's version is folded in the next cell: a click on its three dots opens it "
    "(on Colab: Show code).*"
)


class Place(NamedTuple):
    """A cell: its notebook's file, its number among all cells (from 1), and the cell."""

    path: Path
    number: int
    cell: nbformat.NotebookNode

    def __str__(self):
        return f"{self.path.name}, cell {self.number}"


def path_of(root: Path, notebook: int) -> Path | None:
    """The file of a notebook with that number; None where there is none."""
    name = tables.NOTEBOOKS.get(notebook)
    path = root / "notebooks" / f"{notebook:02}_{name}.ipynb"
    return path if path.is_file() else None


def kind(source: str) -> str:
    """What a code cell is to the learner: "check", "guess", or "" for a cell of the course."""
    return "check" if CHECK.search(source) else "guess" if GUESS.search(source) else ""


def wanted(source: str) -> str | None:
    """The text that a cell of an exercise or a question should have; None for other cells and unknown ids."""
    if found := CHECK.search(source):
        exercise = tables.EXERCISES.get(found[1])
        return exercise and stub_cell(exercise)
    if found := GUESS.search(source):
        question = tables.QUESTIONS.get(found[1])
        return question and question.cell
    return None


def is_learners(notebook) -> bool:
    """True for a notebook that a learner wrote in, or saved from a session of their own.

    What it shows is then not what the course stored, and nothing to compare with: outputs of cells run in
    another order, answers in the place of stubs.
    """
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    counts = [cell.execution_count for cell in code]
    if counts != list(range(1, len(code) + 1)):
        return True
    return any((text := wanted(cell.source)) is not None and cell.source.rstrip() != text for cell in code)


def stub_cell(exercise: Exercise) -> str:
    """The cell in which the learner writes: the stub, and the check."""
    return f'{exercise.stub}\n\n\ncheck("{exercise.id}", {exercise.learner})'


def is_solved(source: str) -> bool:
    """Whether somebody has written in a cell: a definition with a body, or a guess other than dots."""
    if kind(source) == "guess":
        call = ast.parse(source).body[-1].value
        return len(call.args) > 1 and not isinstance(getattr(call.args[1], "value", None), type(...))
    exercise = tables.EXERCISES.get(CHECK.search(source)[1])
    if exercise is None or exercise.kind == "bug" and exercise.stub not in source:
        return "def " in source or "class " in source
    try:
        names = {exercise.learner}
        nodes = [n for n in ast.parse(source).body if getattr(n, "name", None) in names]
    except SyntaxError:
        return True
    return exercise.stub not in source and any(not is_empty_definition(node) for node in nodes)


def sync_notebook(notebook, path: Path, root: Path, stubs: bool = False) -> list[str]:
    """Write stubs, questions and folds into a notebook that has been read; a line for each cell changed."""
    changed = []
    for number, cell in enumerate(notebook.cells, 1):
        text = wanted(cell.source) if cell.cell_type == "code" else None
        if text is None:
            continue
        if cell.source.rstrip() != text:
            if is_solved(cell.source) and not stubs:
                print(f"left alone: {path.name}, cell {number} holds a solution; --stubs writes over it")
            else:
                cell.source = text
                changed.append(f"{path.name}, cell {number}")
    for exercise in _of(path, root):
        place = _course_cell(notebook, path, exercise)
        if place and _fold(notebook, place):
            changed.append(f"{place} (folded)")
    return changed


def _of(path: Path, root: Path) -> list[Exercise]:
    return [e for e in tables.EXERCISES.values() if path_of(root, e.notebook) == path]


def _fold(notebook, place: Place) -> bool:
    """Fold a cell, in Jupyter and on Colab, with a line above that says so. False where it was."""
    metadata, before = place.cell.metadata, notebook.cells[place.number - 2]
    done = is_folded(place.cell) and FOLDED in before.source
    metadata.setdefault("jupyter", {})["source_hidden"] = True
    metadata["cellView"] = "form"
    if FOLDED not in before.source:
        if before.cell_type == "markdown":
            before.source = f"{before.source.rstrip()}\n\n{FOLDED}"
        else:
            notebook.cells.insert(place.number - 1, nbformat.v4.new_markdown_cell(FOLDED))
    return not done


def is_folded(cell) -> bool:
    hidden = cell.metadata.get("jupyter", {}).get("source_hidden")
    return bool(hidden) and cell.metadata.get("cellView") == "form"


def _course_cell(notebook, path: Path, exercise: Exercise) -> Place | None:
    """The cell that shows the course's version of what an exercise asks for."""
    name = exercise.name.partition(".")[0]
    pattern = re.compile(rf"^(?:def|class) {re.escape(name)}\b", re.M)
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type == "code" and pattern.search(cell.source):
            return Place(path, number, cell)
    return None


def problems(root: Path) -> list[str]:
    """Everything in which the notebooks and the tables differ, a sentence for each."""
    found = [f"helpers/exercises/tables: {words}" for words in tables.problems().values()]
    seen: dict[str, list[Place]] = {}
    books = {}
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        books[path] = nbformat.read(path, as_version=4)
        for number, cell in enumerate(books[path].cells, 1):
            if cell.cell_type == "code":
                for name in CHECK.findall(cell.source) + GUESS.findall(cell.source):
                    seen.setdefault(name, []).append(Place(path, number, cell))
    entries = dict(tables.EXERCISES.items()) | dict(tables.QUESTIONS.items())
    for name, places in seen.items():
        if name not in entries:
            found += [f"{place}: {name!r} stands in no table" for place in places]
    for name, entry in entries.items():
        path = path_of(root, entry.notebook)
        if path is not None:
            found += _cell_problems(name, seen.get(name, []), path)
        if path is not None and isinstance(entry, Exercise) and seen.get(name):
            found += _course_problems(entry, seen[name][0], books[path], path)
    return found


def _cell_problems(name: str, places: list[Place], path: Path) -> list[str]:
    if len(places) != 1 or places[0].path != path:
        where = ", ".join(map(str, places)) or "nowhere"
        return [f"{name} should stand in one cell of {path.name}, and stands {where}: write the line there"]
    place = places[0]
    found = []
    if place.cell.source.rstrip() != wanted(place.cell.source):
        solved = " (it holds a solution; sync_cells.py --stubs writes over it)" * is_solved(place.cell.source)
        found.append(f"{place}: {name} differs from its table; run `make sync`{solved}")
    return found


def _course_problems(exercise: Exercise, stub: Place, notebook, path: Path) -> list[str]:
    course = _course_cell(notebook, path, exercise)
    if course is None:
        return [f"{path.name}: no cell shows `{exercise.name}`, the solution of {exercise.id}"]
    found = []
    if course.number < stub.number:
        words = f"the stub of {exercise.id} stands after the course's version (cell {course.number})"
        found.append(f"{stub}: {words}")
    if not is_folded(course.cell):
        found.append(f"{course}: the course's version of {exercise.id} is not folded; run `make sync`")
    if FOLDED not in notebook.cells[course.number - 2].source:
        found.append(f"{course}: no line above says that it is folded; run `make sync`")
    return found
