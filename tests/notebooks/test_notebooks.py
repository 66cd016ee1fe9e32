"""Notebooks as they are stored, and the programs that run and check them.

The outputs themselves are compared by nbval, which runs every notebook beside these tests.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from scripts.dev import check_notebooks, reading_times, run_notebooks

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
NAMES = [
    "00_start_here",
    "01_wordpiece_tokenization",
    "02_training_a_vocabulary",
    "03_input_embeddings",
    "04_self_attention",
    "05_encoder",
    "06_mlm_pretraining",
    "07_what_pretraining_teaches",
    "08_classification_fine_tuning",
    "09_evaluation_and_explanation",
    "10_attention_views",
    "11_bert_with_transformers",
    "12_your_own_table",
    "13_token_tagging",
    "14_semantic_search",
    "15_question_answering",
    "16_summarization",
    "17_pretraining_at_scale",
    "18_smaller_and_faster",
    "19_after_bert",
    "20_a_bert_that_writes",
]
# Run one after the other in one copy of the course: backwards, and one of them twice.
CHEAP_NOTEBOOKS = ["04", "03", "03", "00"]


def test_all_notebooks_are_there():
    assert [path.stem for path in NOTEBOOKS][: len(NAMES)] == NAMES


@pytest.mark.stored
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_stored_notebook(path):
    assert check_notebooks.problems(path) == []


@pytest.mark.stored
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_stored_metadata_is_of_no_machine(path):
    stored = nbformat.read(path, as_version=4)
    fresh = run_notebooks.normalized(stored)
    for cell in (*stored.cells, *fresh.cells):
        del cell["id"]  # it follows the cell's text, so after `make sync` it lags until the next run
    assert fresh == stored, f"store it with: python scripts/dev/run_notebooks.py {path.stem}"


def test_any_order_and_twice_in_a_row(tmp_path, project_files):
    copy = tmp_path / "the course"  # with a space, as a learner's folder may have
    for path in project_files:
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, copy / path)
    before = fingerprints(copy)
    result = subprocess.run(
        [sys.executable, "scripts/dev/run_notebooks.py", "--check", *CHEAP_NOTEBOOKS],
        cwd=copy,
        env=os.environ
        | {
            "BERT_COURSE_CACHE": os.environ.get("BERT_COURSE_CACHE", str(ROOT / "data" / "cache")),
            "BERT_COURSE_DEVICE": "cpu",
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert fingerprints(copy) == before, "a notebook changed or added files"


def test_run_all_twice_in_one_kernel(runnable):
    """A learner chooses Run All again: what the first pass left behind must not stop the second."""
    fine = runnable("x = 1", "x += 1\nassert x == 2")
    assert run_notebooks.run_notebook(fine, store=False, twice=True).problems == []
    once = runnable("import os, pathlib\nplace = pathlib.Path('only once')\nplace.mkdir()")
    (problem,) = run_notebooks.run_notebook(once, store=False, twice=True).problems
    assert "code cell 2 (CellExecutionError)" in problem and "FileExistsError" in problem
    first = run_notebooks.find(["00"])[0]
    assert run_notebooks.run_notebook(first, store=False, twice=True).problems == []


def fingerprints(folder):
    files = [p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    return {p.relative_to(folder): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


# What the checks are worth: each made-up fault must be found.


def stored(source, outputs=(), count=1, tags=()):
    metadata = {"tags": list(tags)} if tags else {}
    return new_code_cell(source, execution_count=count, outputs=list(outputs), metadata=metadata)


def stream(text, name="stdout"):
    return new_output("stream", name=name, text=text)


def picture(kind="image/png"):
    return new_output("display_data", {kind: "AAAA", "text/plain": "<Figure>"})


def page(text):
    return new_output("display_data", {"text/html": text, "text/plain": "<HTML>"})


def found_in(tmp_path, *cells):
    path = tmp_path / "made_up.ipynb"
    nbformat.write(new_notebook(cells=list(cells)), path)
    return check_notebooks.problems(path)


IGNORED = ["nbval-ignore-output"]


@pytest.mark.parametrize(
    ("name", "size", "wanted"),
    [("01_other", 1.1, False), ("10_attention_views", 1.1, True), ("10_attention_views", 2.1, False)],
)
def test_only_the_notebook_of_views_may_be_larger(tmp_path, name, size, wanted):
    path = tmp_path / f"{name}.ipynb"
    nbformat.write(new_notebook(cells=[new_markdown_cell("a" * round(size * 1e6))]), path)
    assert (check_notebooks.problems(path) == []) is wanted


def test_alternative_texts_are_kept():
    """Of what a kernel writes beside an output, the words for those who can't see the picture stay."""
    beside = {"image/png": {"alt": "a cat", "width": 3}, "text/plain": {}, "collapsed": True}
    cell = stored("x", [new_output("display_data", {"image/png": "AAAA"}, metadata=beside)])
    fresh = run_notebooks.normalized(new_notebook(cells=[cell]))
    assert fresh.cells[0].outputs[0].metadata == {"image/png": {"alt": "a cat"}}


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (stored("1", count=None), "execution count None"),
        (stored("1", count=2), "execution count 2, expected 1"),
        (stored("\n".join(["x = 1"] * 26)), "26 lines, at most 25"),
        (stored("class A:\n" + "\n".join(["    x = 1"] * 45)), "46 lines, at most 45"),
        (stored("from torch import *"), "star"),
        (stored("x.plot();", [picture()]), "semicolon"),
        (stored("# NBVAL_IGNORE_OUTPUT: it varies\nassert x"), "marker comment"),
        (stored("assert x", tags=["nbval_ignore_output"]), "has the tag"),
        (stored("assert x", tags=["nbval-skip"]), "has the tag"),
        (stored("print(loss)", [stream("3.1")], tags=IGNORED), "asserts nothing"),
        (stored("f()", [stream("careful", "stderr")]), "stores stderr"),
        (stored("f()", [new_output("error", ename="E", evalue="x", traceback=[])]), "stores an error: E"),
        (stored("f()", [stream("/home/anna/bert/data")]), "path of one machine"),
        (stored("f()", [stream("C:\\Users\\anna")]), "path of one machine"),
        (stored("f()", [stream("lib/site-packages/torch/nn.py:3: note")]), "path of one machine"),
        (stored("f()", [stream("gensim: 100%|█████| 27.8M/27.8M [00:00<00:00, 30.5MB/s]")]), "progress bar"),
        (stored("f()", [stream("reading: 106 articles [00:05, 19.73 articles/s]")]), "progress bar"),
        (
            stored("f()", [page('<script src="https://cdn.example/d3.js"></script>')]),
            "loaded from https://cdn",
        ),
        (
            stored("f()", [page('<iframe srcdoc="&lt;img src=&quot;//cdn.example/x&quot;&gt;">')]),
            "loaded from //cdn",
        ),
        (stored("f()", [page("<img src=//cdn.example/x.png>")]), "loaded from //cdn"),
        (
            stored("f()", [new_output("display_data", {"application/vnd.jupyter.widget-view+json": {}})]),
            "live widget",
        ),
        (new_markdown_cell("![ ](../pixel.svg)"), "without alt text"),
        (new_markdown_cell("![a tree](https://images.example/tree.png)"), "from the web"),
        (new_markdown_cell('<img src="https://images.example/tree.png" alt="a tree">'), "from the web"),
        (new_markdown_cell("![a tree](images/nothing.svg)"), "not there"),
    ],
)
def test_a_fault_is_found(tmp_path, cell, words):
    problems = found_in(tmp_path, cell)
    assert any(words in problem for problem in problems), problems


def test_what_is_fine_passes(tmp_path):
    (tmp_path / "pixel.svg").write_text("<svg/>")
    cells = [
        new_markdown_cell(
            '![a pixel](pixel.svg) and <img src="pixel.svg" alt="the pixel again"> and [a](https://b.example)'
        ),
        stored("class A:\n" + "\n".join(["    x = 1"] * 44)),
        stored("print(loss)\nassert loss < 3", [stream("2.71")], 2, IGNORED),
        stored("plt.show()", [picture()], 3, IGNORED),
        stored("show(tokens)", [page("<b>[CLS]</b> /tmpfile"), stream("home / root")], 4),
    ]
    assert found_in(tmp_path, *cells) == []


def test_a_large_file_is_found(tmp_path):
    (problem,) = found_in(tmp_path, stored("f()", [stream("x" * 1_000_000)]))
    assert "bytes" in problem


@pytest.fixture
def runnable(tmp_path):
    """A function that writes a notebook of plain cells and returns its path."""

    def write(*cells):
        path = tmp_path / "plain.ipynb"
        cells = [c if isinstance(c, dict) else new_code_cell(c) for c in cells]
        nbformat.write(
            new_notebook(cells=cells, metadata={"kernelspec": {"name": "other", "display_name": "O"}}), path
        )
        return path

    return write


@pytest.mark.parametrize(
    ("jobs", "words"),
    [("0", "at least 1, not 0"), ("-2", "at least 1"), ("two", "a whole number"), ("62", "at most 61")],
)
def test_a_number_of_jobs_that_can_t_be(jobs, words, capsys):
    with pytest.raises(SystemExit) as caught:
        run_notebooks.main(["--check", f"--jobs={jobs}"])
    assert caught.value.code == 2 and f"argument --jobs: must be {words}" in capsys.readouterr().err


def test_running_stores_the_same_bytes_each_time(runnable):
    path = runnable("import os\nprint('a')", new_markdown_cell("words"), "6 * 7")
    run = run_notebooks.run_notebook(path, store=True)
    assert run.problems == [] and run.seconds > 0 and run.peak_megabytes > 20
    first = path.read_bytes()
    book = nbformat.read(path, as_version=4)
    assert [c.execution_count for c in book.cells if c.cell_type == "code"] == [1, 2]
    assert book.cells[2].outputs[0].data["text/plain"] == "42"
    assert "version" not in book.metadata.language_info and book.metadata.kernelspec.name == "python3"
    run_notebooks.run_notebook(path, store=True)
    assert path.read_bytes() == first
    assert run_notebooks.run_notebook(path, store=False).problems == []
    assert check_notebooks.problems(path) == []


# A value that can't be shown: the kernel stores the error, and says that the cell went well.
UNSHOWN = "class Value:\n    def {}(self, **_):\n        1 / 0\n\ndisplay(Value())"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("1 / 0", "code cell 2 (CellExecutionError)"),
        ("import sys; print('careful', file=sys.stderr)", "code cell 2 writes to stderr"),
        ("import warnings; warnings.warn('old')", "code cell 2 writes to stderr"),
        (UNSHOWN.format("_repr_mimebundle_"), "code cell 2 shows an error: ZeroDivisionError: "),
        (UNSHOWN.format("_ipython_display_"), "code cell 2 shows an error: ZeroDivisionError: "),
        ("import os; os._exit(1)", "code cell 2 (DeadKernelError)"),
        ("", "code cell 2 has count None"),
    ],
)
def test_a_failing_notebook_is_not_stored(runnable, source, words):
    path = runnable("x = 1", source)
    before = path.read_bytes()
    run = run_notebooks.run_notebook(path, store=True)
    assert any(words in problem for problem in run.problems), run.problems
    assert path.read_bytes() == before


def test_checking_compares_what_is_not_ignored(runnable):
    ignored = new_code_cell("import time\nprint(time.time_ns())", metadata={"tags": IGNORED})
    path = runnable(ignored, "print(1)")
    run_notebooks.run_notebook(path, store=True)
    assert run_notebooks.run_notebook(path, store=False).problems == []
    path.write_text(path.read_text().replace('"1\\n"', '"2\\n"'))
    (problem,) = run_notebooks.run_notebook(path, store=False).problems
    assert "code cell 2 differs" in problem


def test_names_are_beginnings(tmp_path):
    for name in ("00_a", "01_b", "02_c"):
        (tmp_path / f"{name}.ipynb").touch()
    assert [p.stem for p in run_notebooks.find([], tmp_path)] == ["00_a", "01_b", "02_c"]
    assert [p.stem for p in run_notebooks.find(["02", "01", "02"], tmp_path)] == ["02_c", "01_b", "02_c"]
    with pytest.raises(SystemExit, match="begins with '07'"):
        run_notebooks.find(["07"], tmp_path)


@pytest.mark.stored
def test_the_start_page_gives_the_reading_times():
    """The map's minutes are those that the stored notebooks take, counted for a beginner."""
    page = nbformat.read(ROOT / "notebooks" / "00_start_here.ipynb", as_version=4)
    text = "\n".join(cell.source for cell in page.cells if cell.cell_type == "markdown")
    given = dict(re.findall(r"\]\((\w+)\.ipynb\) \|[^|]*\|[^|]*\| (\d+) min \|", text))
    assert {path.stem: str(reading_times.rounded(path)) for path in NOTEBOOKS[1:]} == given


def test_reading_times_leave_out_detours_checks_and_exercises(tmp_path):
    ten_seconds = " ".join(["word"] * 25)
    cells = [
        new_markdown_cell(f"# Title\n{' '.join(['word'] * 24)}"),
        new_code_cell("# Set-up: of the course\n" + "x = 1\n" * 20),
        new_code_cell("a = 1\n\nb = 2", outputs=[new_output("stream", name="stdout", text="1\n" * 99)]),
        new_code_cell("def test_sum(program):\n    assert program(1, 2) == 3"),
        new_markdown_cell(f"## Optional: a detour\n{ten_seconds}"),
        new_markdown_cell(f"### Part of it\n{ten_seconds}"),
        new_markdown_cell(f"## Back\n{' '.join(['word'] * 24)}"),
        new_markdown_cell(f"## Exercises\n{ten_seconds}"),
        new_markdown_cell(ten_seconds),
    ]
    path = tmp_path / "made_up.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    assert reading_times.minutes(path) * 60 == pytest.approx(10 + 2 * 8 + 15 + 10)
