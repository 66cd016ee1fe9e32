"""What the notebooks say of an exercise, its minutes and how hard it is, is what its table says."""

import re
from pathlib import Path

import nbformat
import pytest

from helpers.exercises import EXERCISES
from scripts.dev.sync_exercises import CHECK

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
WORDS = ("easy", "medium", "hard")
SAID = re.compile(r"\b(?:(easy|medium|hard), (\d+) minutes|(\d+) minutes, (easy|medium|hard))\b", re.I)


def said(notebook) -> dict[str, list[tuple[str, int]]]:
    """For each exercise, what the last text before its cell says: (how hard, minutes), in their order."""
    found, text = {}, ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            text = cell.source
        elif ask := CHECK.search(cell.source):
            found[ask[1]] = [((a or d).lower(), int(b or c)) for a, b, c, d in SAID.findall(text)]
    return found


def test_both_orders_are_read():
    cells = [
        nbformat.v4.new_markdown_cell("(Easy, 5 minutes.) Or 12 minutes, hard."),
        nbformat.v4.new_code_cell('x = ...\ncheck("1.1", x)'),
    ]
    assert said(nbformat.v4.new_notebook(cells=cells)) == {"1.1": [("easy", 5), ("hard", 12)]}


@pytest.mark.stored
def test_minutes_and_difficulty_are_those_of_the_tables():
    found = {}
    for path in NOTEBOOKS:
        found |= said(nbformat.read(path, as_version=4))
    assert found.keys() == EXERCISES.keys()
    named = {name: words[-1] for name, words in found.items() if words}
    wanted = {name: (WORDS[EXERCISES[name].difficulty - 1], EXERCISES[name].minutes) for name in named}
    assert named == wanted and len(named) > 0.85 * len(found)
