"""scripts/dev/try_vscode.py: what it would say of a notebook that VS Code shows only in part."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from scripts.dev.try_vscode import faults, install

FRAME = "<figure><iframe srcdoc=''></iframe></figure><img src='data:'>"
NOTEBOOK = new_notebook(
    cells=[
        new_markdown_cell("Of $T$ and `$A$` in\n\n$$\na_{ij} = 1\n$$\n\n![a [MASK]](images/a.png)"),
        new_markdown_cell("<details><summary>More</summary>x</details>"),
        new_code_cell("x", outputs=[new_output("display_data", {"text/html": FRAME, "image/png": "iVBO"})]),
        new_code_cell("y", outputs=[new_output("stream", text="$z$ ![no picture]")]),
        new_code_cell("z"),
    ]
)
WHOLE = {"texts": 2, "cells": 2, "formulas": 2, "folded": 1, "pictures": 3, "wrong": [], "broken": []}


def test_a_notebook_that_is_shown_whole():
    assert faults(NOTEBOOK, WHOLE, [1462]) == []


@pytest.mark.parametrize(
    ("change", "views", "words"),
    [
        ({"texts": 1}, [99], "1 texts shown of 2"),
        ({"cells": 1}, [99], "1 cells shown of 2"),
        ({"formulas": 1}, [99], "1 formulas shown of 2"),
        ({"folded": 0}, [99], "0 folded shown of 1"),
        ({"pictures": 2}, [99], "2 pictures shown of 3"),
        ({"wrong": [r"\frac{1}{2}"]}, [99], "not set as a formula"),
        ({"broken": ["images/a.png"]}, [99], "a picture is broken: images/a.png"),
        ({}, [], "0 views shown of 1"),
        ({}, [20], "a view has only 20 lines"),
    ],
)
def test_what_is_missing_is_named(change, views, words):
    (problem,) = faults(NOTEBOOK, WHOLE | change, views)
    assert words in problem


def test_without_node(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match="apt install npm"):
        install(tmp_path / "packages")
    assert not (tmp_path / "packages").exists()
