"""Trying the course with Colab's versions: the list of them, and what is taken for a failure."""

import os
import sys
from pathlib import Path

import nbformat
import pytest
from packaging.requirements import Requirement

from helpers import environment
from scripts.dev import try_colab

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def colab():
    """{name: version} of the list, with the torch that Colab has."""
    lines = try_colab.VERSIONS.read_text(encoding="utf-8").splitlines()
    pins = [line.split("==") for line in lines if not line.startswith("#")]
    return {name.lower(): version for name, version in pins} | {"torch": "2.11.0+cu128"}


def test_no_bound_is_above_what_colab_brings(colab):
    requirements = [Requirement(t) for t in environment.imported_requirements(ROOT / "requirements.txt")]
    missing = {r.name for r in requirements if r.name not in colab}
    small = {"bm25s", "nervaluate", "nltk", "pystemmer", "torchmetrics", "usearch"}  # of notebooks 13 to 16
    small |= {"peft", "onnx", "onnxscript", "onnxruntime"}  # of notebook 18
    assert missing == {"mwparserfromhell", "bertviz"} | small
    above = [str(r) for r in requirements if r.name in colab and not r.specifier.contains(colab[r.name])]
    assert above == []


def test_what_is_exchanged_is_told(capsys):
    before, after = {"numpy": "2.1.3", "pyarrow": "18.1.0"}, {"numpy": "2.1.3", "bertviz": "1.4.1"}
    assert try_colab.changes(before, before) == []
    assert try_colab.changes(before, after) == ["exchanged: pyarrow 18.1.0 -> None"]
    assert "installed by the set-up cell: bertviz 1.4.1" in capsys.readouterr().out


def test_the_published_course_is_the_working_tree(tmp_path, project_files):
    folder = try_colab.publish(tmp_path / "published")
    for path in project_files:
        assert (folder / path).read_bytes() == (ROOT / path).read_bytes()
    assert (folder / ".git").is_dir()
    variables = try_colab.as_on_colab(folder)
    assert variables["GIT_CONFIG_KEY_0"] == f"url.{folder.as_uri()}.insteadOf"


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["print(1)", "1 + 1"], None),
        (["1 / 0", "print(2)"], "code cell 1: ZeroDivisionError"),
        (  # IPython lets this pass: the cell itself does not fail
            ["class Shy:\n    def _ipython_display_(self):\n        raise KeyError('shy')", "Shy()"],
            "code cell 2: KeyError",
        ),
    ],
)
def test_an_error_that_is_shown_is_a_failure(tmp_path, cells, words):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbformat.write(notebook, tmp_path / "tried.ipynb")
    found = try_colab.run(
        tmp_path / "tried.ipynb", Path(sys.executable), tmp_path / "empty", dict(os.environ)
    )
    assert (found == []) if words is None else (len(found) == 1 and words in found[0])
