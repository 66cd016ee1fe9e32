"""Folded solutions are found in the notebooks, and run in a copy of the namespace."""

import nbformat
import pytest

from scripts.dev.solutions import solutions
from scripts.dev.sync_cells import ROOT, notebook_paths

TEXT = """## Exercises

**1. First** (easy) Ask.

<details><summary>Solution</summary>

```python
first = 1
```

Then:

```python
second = first + shown
```

</details>

**2. Words** (easy) Think.

<details><summary>Solution</summary>

No code.

</details>

**3. Long** (hard) Wait.

<details><summary>Solution (takes about 3 minutes)</summary>

```python
assert shown == 2
```

</details>
"""


def test_solutions_are_found_with_their_numbers():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(TEXT)])
    found = solutions(notebook)
    assert [(each.number, each.long) for each in found] == [(1, False), (3, True)]
    assert found[0].source == "first = 1\n\nsecond = first + shown\n"


def test_a_solution_sees_the_notebook_and_leaves_it_alone():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(TEXT.replace("== 2", "== 3"))])
    first, third = solutions(notebook)
    namespace = {"shown": 2}
    exec(first.cell, namespace)
    assert namespace.keys() - {"__builtins__"} == {"shown"}
    with pytest.raises(AssertionError):
        exec(third.cell, namespace)


def test_every_fence_of_python_in_the_notebooks_belongs_to_a_solution():
    fences = 0
    for path in notebook_paths(ROOT):
        notebook = nbformat.read(path, as_version=4)
        held = "\n".join(each.source for each in solutions(notebook))
        texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
        for details in (text for text in texts if "<details>" in text):
            for code in details.split("```python\n")[1:]:
                fences += 1
                assert code.split("```")[0] in held, f"{path.name}: {code[:80]!r} is run by no test"
    assert fences >= 30
