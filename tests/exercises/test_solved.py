"""Every stub filled with the course's own version, in its cell, among what stands above it, says "right".

Run are the stubs' cells, and of the cells above them what the solutions lean on; models are not built.
"""

import ast
import inspect
import linecache
import re
import textwrap

import nbformat
import pytest

from helpers.exercises import EXERCISES, mine
from scripts.dev import sync_exercises
from tests.notebooks.test_wrong_programs import bound, needed, statements

ROOT = sync_exercises.ROOT
NOTEBOOKS = sorted({e.notebook for e in EXERCISES.values() if sync_exercises.path_of(ROOT, e.notebook)})


def solution(exercise):
    """The course's version under the learner's name."""
    text = textwrap.dedent(inspect.getsource(inspect.unwrap(exercise.reference)))
    text = text.replace("super().__init__()", "nn.Module.__init__(self)")  # which stands in the stub
    name = exercise.name.rpartition(".")[2]
    return re.sub(rf"^(def|class) {name}\b", rf"\1 {exercise.learner}", text, count=1, flags=re.M).rstrip()


def solved_cells(notebook, solution=solution):
    """(exercise, the source of its cell with the solution, the sources above it)."""
    cells = nbformat.read(sync_exercises.path_of(ROOT, notebook), as_version=4).cells
    code = [cell.source for cell in cells if cell.cell_type == "code"]
    for number, source in enumerate(code):
        if found := sync_exercises.CHECK.search(source):
            exercise = EXERCISES[found[1]]
            filled = sync_exercises.stub_cell(exercise).replace(exercise.stub, solution(exercise))
            yield exercise, filled, [text for text in code[1:number] if not sync_exercises.kind(text)]


def run(source, space, place):
    """Run a cell so that its lines can be found, as IPython does."""
    linecache.cache[place] = (len(source), None, source.splitlines(keepends=True), place)
    exec(compile(source, place, "exec"), space)


def space_above(exercise, filled, above):
    """What a stub's cell finds: of the cells above it what it leans on, and of its module the rest."""
    body = list(statements(above))
    there = set().union(*map(bound, body)) if body else set()
    assert {"check"} <= there, f"notebook {exercise.notebook} does not import check above {exercise.id}"
    used = set(mine.globals_used(filled))
    space = {n: v for n, v in vars(inspect.getmodule(exercise.reference)).items() if n in used - there}
    space["__name__"] = "notebook"
    for node in needed(body, (used & there) | {"check"}):
        run(ast.unparse(node), space, f"<above {exercise.id}, line {node.lineno}>")
    return space


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_solved_it_says_right_everywhere(notebook, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("BERT_COURSE_MINE", str(tmp_path))
    ids = []
    for exercise, filled, above in solved_cells(notebook):
        ids.append(exercise.id)
        space = space_above(exercise, filled, above)
        capsys.readouterr()
        run(filled, space, f"<cell of {exercise.id}>")
        out = capsys.readouterr().out
        assert out.startswith(f"{exercise.id} right. Notice that"), out
        assert exercise.id in mine.kept(), f"the solution of {exercise.id} is not kept"
    assert ids == [e.id for e in EXERCISES.values() if e.notebook == notebook]
