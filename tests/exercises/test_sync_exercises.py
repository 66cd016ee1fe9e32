"""Stubs and questions in notebooks come from their tables; a learner's own text is left alone."""

import os
import shutil
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from helpers.exercises import EXERCISES, QUESTIONS, tables
from scripts.dev import reading_times, run_notebooks, sync_exercises
from scripts.dev.sync_exercises import FOLDED

ROOT = sync_exercises.ROOT
COURSE = "def split_heads(hidden, num_heads):\n    return hidden"
SOLVED = EXERCISES["4.6"].stub.replace("...", "return 1") + '\n\n\ncheck("4.6", my_split_heads)'


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A course of one notebook, one exercise and one question."""
    monkeypatch.setattr(tables, "EXERCISES", {"4.6": EXERCISES["4.6"]})
    monkeypatch.setattr(tables, "QUESTIONS", {"4.q1": QUESTIONS["4.q1"]})
    (tmp_path / "notebooks").mkdir()
    return tmp_path


def written(root, *sources):
    cells = [
        new_markdown_cell(text[1:]) if text.startswith("#O") else new_code_cell(text) for text in sources
    ]
    path = root / "notebooks" / "04_self_attention.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    return path


def synced(root, *sources, stubs=False):
    path = written(root, *sources)
    notebook = nbformat.read(path, as_version=4)
    changed = sync_exercises.sync_notebook(notebook, path, root, stubs)
    nbformat.write(notebook, path)
    return notebook.cells, changed


CELLS = ('check("4.6")', "#Ours:", COURSE, 'guess("4.q1")', "assert 1 == 1")


def test_one_line_is_enough(root):
    cells, changed = synced(root, *CELLS)
    assert cells[0].source == sync_exercises.stub_cell(EXERCISES["4.6"])
    assert cells[0].source.endswith('\n\n\ncheck("4.6", my_split_heads)')
    assert cells[1].source == f"Ours:\n\n{FOLDED}" and sync_exercises.is_folded(cells[2])
    assert cells[3].source.startswith("# Large scores") and cells[3].source.endswith('guess("4.q1", ...)')
    assert len(changed) == 3 and sync_exercises.problems(root) == []
    again, changed = synced(root, *("#" * (c.cell_type == "markdown") + c.source for c in cells))
    assert [c.source for c in again] == [c.source for c in cells]


def test_a_fold_gets_its_line_where_there_is_no_markdown(root):
    cells, _ = synced(root, 'check("4.6")', COURSE, 'guess("4.q1")')
    assert cells[1].source == FOLDED and cells[2].source == COURSE and sync_exercises.is_folded(cells[2])


def test_a_solution_is_left_alone(root, capsys):
    cells, _ = synced(root, SOLVED, *CELLS[1:])
    assert cells[0].source == SOLVED and "holds a solution" in capsys.readouterr().out
    (problem,) = sync_exercises.problems(root)
    assert "differs from its table" in problem and "--stubs" in problem
    cells, _ = synced(root, SOLVED, *CELLS[1:], stubs=True)
    assert cells[0].source == sync_exercises.stub_cell(EXERCISES["4.6"])


def test_an_answer_is_left_alone(root, capsys):
    cells, _ = synced(root, *CELLS[:3], 'guess("4.q1", "b")')
    assert cells[3].source == 'guess("4.q1", "b")' and "holds a solution" in capsys.readouterr().out


def test_an_old_stub_is_renewed(root):
    cells, _ = synced(
        root, 'def my_split_heads(x):\n    """Old words."""\n    ...\n\n\ncheck("4.6")', *CELLS[1:]
    )
    assert cells[0].source == sync_exercises.stub_cell(EXERCISES["4.6"])


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (CELLS[1:], "4.6 should stand in one cell of 04_self_attention.ipynb, and stands nowhere"),
        ((*CELLS, 'check("4.6")'), "4.6 should stand in one cell"),
        ((*CELLS[:3],), "4.q1 should stand in one cell"),
        ((*CELLS, 'check("4.4", f)'), "cell 6: '4.4' stands in no table"),
        ((*CELLS[1:], CELLS[0]), "the stub of 4.6 stands after the course's version (cell 2)"),
        ((CELLS[0], *CELLS[3:]), "no cell shows `split_heads`, the solution of 4.6"),
    ],
)
def test_what_is_wrong_is_said(root, cells, words):
    synced(root, *cells)
    assert any(words in problem for problem in sync_exercises.problems(root))


def test_a_stub_or_a_fold_that_was_undone(root):
    synced(root, *CELLS)
    path = root / "notebooks" / "04_self_attention.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[0].source = (
        notebook.cells[0].source.replace("share", "part").replace("(B, T, H)", "(B, H)")
    )
    notebook.cells[1].source = "Ours:"
    del notebook.cells[2].metadata["cellView"]
    nbformat.write(notebook, path)
    words = "; ".join(sync_exercises.problems(root))
    assert "differs from its table" in words and "is not folded" in words and "no line above says" in words


def test_kinds():
    assert (
        sync_exercises.kind('x\ncheck("4.6", f)') == "check"
        and sync_exercises.kind('guess("4.q1", 3)') == "guess"
    )
    assert sync_exercises.kind('print("check")\nrecheck("4.6")') == ""


def test_folds_survive_a_run():
    cell = new_code_cell("x", metadata={"cellView": "form", "jupyter": {"source_hidden": True}, "editor": 1})
    (kept,) = run_notebooks.normalized(new_notebook(cells=[cell])).cells
    assert sync_exercises.is_folded(kept) and "editor" not in kept.metadata


def test_cells_and_minutes_without_exercises():
    plain = [new_markdown_cell("## One"), new_code_cell("x = 1")]
    more = [new_code_cell(SOLVED), new_code_cell('guess("4.q1", ...)')]
    bugs = [
        new_markdown_cell("## Break it"),
        new_code_cell("def wrong(): ..."),
        new_markdown_cell("### Deeper"),
    ]
    assert reading_times.course_cells([*plain, *more, *bugs, new_markdown_cell("## Two")]) == 3
    read = list(reading_times.read_cells([*plain, *more, *bugs]))
    assert read == plain


# A learner's notebook under test


def stored(*cells):
    code = [
        new_code_cell(
            source, execution_count=number, outputs=[new_output("stream", text=text)] if text else []
        )
        for number, (source, text) in enumerate(cells, 1)
    ]
    return new_notebook(cells=code)


IMPORT = f"import sys\nsys.path.insert(0, {str(ROOT)!r})\nfrom helpers.exercises import check", ""
UNSOLVED = sync_exercises.stub_cell(EXERCISES["4.6"]), "4.6 not tried yet\n"


def test_whose_a_notebook_is():
    assert not sync_exercises.is_learners(stored(IMPORT, UNSOLVED))
    assert sync_exercises.is_learners(stored(IMPORT, (SOLVED, "4.6 not yet: …\n")))
    swapped = stored(IMPORT, UNSOLVED)
    swapped.cells[0].execution_count, swapped.cells[1].execution_count = 2, 1
    assert sync_exercises.is_learners(swapped)
    swapped.cells[0].execution_count = None
    assert sync_exercises.is_learners(swapped)


def test_make_test_takes_a_learner_s_notebook(tmp_path):
    """As `make test` runs them: what a learner saved is not compared, its asserts hold all the same."""
    books = {
        "as_stored": ((IMPORT, UNSOLVED, ("print(1)", "1\n")), (1, 2, 3)),
        "other_output_fails": ((IMPORT, UNSOLVED, ("print(1)", "2\n")), (1, 2, 3)),
        "solved": ((IMPORT, (SOLVED, "old words\n"), ("print(1)", "1\n")), (1, 2, 3)),
        "out_of_order": ((IMPORT, UNSOLVED, ("print(1)", "2\n")), (7, 3, 5)),
        "assert_fails": ((IMPORT, UNSOLVED, ("assert 1 == 2", "")), (7, 3, 5)),
    }
    shutil.copy2(ROOT / "pyproject.toml", tmp_path)
    for name, (cells, order) in books.items():
        notebook = stored(*cells)
        for cell, number in zip(notebook.cells, order, strict=True):
            cell.execution_count = number
        nbformat.write(notebook, tmp_path / f"{name}.ipynb")
    command = [sys.executable, "-m", "pytest", "-q", "-rf", "-n", "0", "-p", "conftest"]
    command += [f"{name}.ipynb" for name in books]
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")} | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=clean, capture_output=True, text=True)
    failed = {name for name in books if f"FAILED {name}.ipynb" in done.stdout}
    assert failed == {"other_output_fails", "assert_fails"}, done.stdout[-2000:]
