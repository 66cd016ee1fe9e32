"""The folded solutions of the open exercises: found in the notebooks, so that tests can run them.

    python -m pytest notebooks/04_self_attention.ipynb               its cells, then its solutions
    python -m pytest --solutions notebooks/06_mlm_pretraining.ipynb  the long ones, too: make solutions

A solution is the Python between ``` fences inside <details> of a markdown cell; one exercise may have
several, which run one after the other. What says "(takes about 3 minutes)" in its <details> is long.
"""

import re
from typing import NamedTuple

import nbformat

DETAILS = re.compile(r"<details>(.*?)</details>", re.S)
FENCE = re.compile(r"^```python\n(.*?)^```", re.S | re.M)
LONG = re.compile(r"takes about (\d+|an?|two|three|four|five|ten) (minutes?|hours?)")
EXERCISE = re.compile(r"\*\*(\d+)\. ")

# What the kernel is asked to run: the solution sees the notebook's names and leaves its own ones to nobody.
IN_A_COPY = "exec(compile({source!r}, {name!r}, 'exec'), dict(globals()))"


class Solution(NamedTuple):
    """The code of one folded solution. number: of its exercise in the notebook, from 1."""

    number: int
    source: str
    long: bool

    @property
    def name(self) -> str:
        return f"Solution {self.number}"

    @property
    def cell(self) -> str:
        """The source of a cell that runs it in a copy of the notebook's namespace."""
        return IN_A_COPY.format(source=self.source, name=f"solution {self.number}")


def solutions(notebook: nbformat.NotebookNode) -> list[Solution]:
    """All solutions with code, in order; several fences of one exercise are one piece of code."""
    found = []
    for text in (cell.source for cell in notebook.cells if cell.cell_type == "markdown"):
        for details in DETAILS.finditer(text):
            numbers = EXERCISE.findall(text[: details.start()])
            code = "\n".join(FENCE.findall(details[1]))
            if code.strip() and numbers:
                found.append(Solution(int(numbers[-1]), code, bool(LONG.search(details[1]))))
    return found
