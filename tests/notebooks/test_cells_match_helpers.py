"""The code that a notebook shows and the code that a later notebook imports are one text."""

from pathlib import Path

import nbformat
import pytest

from scripts.dev import sync_cells

ROOT = Path(__file__).resolve().parents[2]

HELPER = '''"""A made-up taught module."""

import math

__all__ = ["LIMIT", "half", "Box"]

# Why three: for the test.
LIMIT = 3


def half(number: float) -> float:
    """Half of it."""
    return number / 2  # exact


class Box:
    """Holds something."""

    def __init__(self, content):
        self.content = content
'''
CELLS = [
    "import math",
    "# Why three: for the test.\nLIMIT = 3\nhalves = []",
    'def half(number: float) -> float:\n    """Half of it."""\n    return number / 2  # exact',
    HELPER[HELPER.index("class Box") :].rstrip(),
]


@pytest.fixture
def course(tmp_path):
    """A function that lays out a small course and returns its folder."""

    def lay_out(cells=CELLS, more_cells=None, **modules):
        (tmp_path / "helpers").mkdir(exist_ok=True)
        (tmp_path / "scripts" / "dev").mkdir(parents=True, exist_ok=True)
        (tmp_path / "notebooks").mkdir(exist_ok=True)
        (tmp_path / "scripts" / "dev" / "setup_cell.py").write_text("# Set-up\nready = True\n")
        for name, text in {"encoder": HELPER, **modules}.items():
            (tmp_path / "helpers" / f"{name}.py").write_text(text)
        write_notebook(tmp_path / "notebooks" / "05_encoder.ipynb", cells)
        if more_cells is not None:
            write_notebook(tmp_path / "notebooks" / "05_later.ipynb", more_cells)
        return tmp_path

    return lay_out


def write_notebook(path, cells):
    cells = [nbformat.v4.new_code_cell(text) for text in ["# Set-up\nready = True", *cells]]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)


def edited(old, new):
    assert any(old in cell for cell in CELLS)
    return [cell.replace(old, new) for cell in CELLS]


@pytest.mark.stored
def test_the_notebooks_show_what_the_helpers_hold():
    assert sync_cells.problems(ROOT) == []


def test_every_taught_module_is_there():
    assert set(sync_cells.taught(ROOT)) == set(sync_cells.HEIGHT)
    for module, names in sync_cells.taught(ROOT).items():
        assert names, f"helpers/{module}.py teaches nothing: give it an __all__"


def test_the_made_up_course_is_right(course):
    assert sync_cells.problems(course()) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# exact", "# exactly"),
        ("  # exact", ""),
        ("# Why three: for the test.\n", ""),
        ("Half of it.", "Half of it"),
        ("number / 2", "number * 0.5"),
        ("LIMIT = 3", "LIMIT = 4"),
        ("def __init__(self, content):", "def __init__(self, content=None):"),
    ],
)
def test_a_drift_is_reported_and_mended(course, old, new):
    root = course(edited(old, new))
    (problem,) = sync_cells.problems(root)
    assert "differs from helpers/encoder.py" in problem and "05_encoder.ipynb" in problem
    sync_cells.sync(root)
    assert sync_cells.problems(root) == []
    assert sync_cells.sync(root) == []


def test_a_stub_is_filled_and_the_rest_of_its_cell_stays(course):
    root = course([*CELLS[:2], "before = 1\n\ndef half(): ...\n\nafter = 2", "class Box: ..."])
    sync_cells.sync(root)
    assert sync_cells.problems(root) == []
    cell = nbformat.read(root / "notebooks" / "05_encoder.ipynb", as_version=4).cells[3].source
    assert cell.startswith("before = 1\n\ndef half(number") and cell.endswith("# exact\n\nafter = 2")


def test_a_taught_name_that_no_notebook_shows(course):
    (problem,) = sync_cells.problems(course(CELLS[:3]))
    assert "`Box` is in __all__, but no notebook cell shows it" in problem


def test_a_taught_name_shown_twice(course):
    (problem,) = sync_cells.problems(course(more_cells=[CELLS[2]]))
    assert "`half` is shown more than once" in problem


def test_a_taught_name_reused(course):
    (problem,) = sync_cells.problems(
        course(more_cells=["def half(text):\n    return text[: len(text) // 2]"])
    )
    assert "05_later.ipynb" in problem and "`half` differs" in problem
    (problem,) = sync_cells.problems(course(more_cells=["half = 0.5"]))
    assert "`half` differs" in problem


def test_a_support_name_reused(course):
    data = "LIMIT_OF_FILES = 1\n\n\ndef reviews():\n    return []\n"
    (problem,) = sync_cells.problems(course(more_cells=["def reviews():\n    return [1]"], data=data))
    assert "`reviews` reuses the name of another thing in helpers/data.py" in problem
    (problem,) = sync_cells.problems(course(more_cells=["LIMIT_OF_FILES = 2"], data=data))
    assert "`LIMIT_OF_FILES` reuses" in problem
    # A variable may have the name of the function that filled it.
    assert (
        sync_cells.problems(
            course(more_cells=["from helpers import data\nreviews = data.reviews()"], data=data)
        )
        == []
    )


def test_names_outside_all_belong_elsewhere(course):
    extra = HELPER + "\n\ndef _check(number):\n    return number\n"
    (problem,) = sync_cells.problems(course(encoder=extra))
    assert "`_check` is not in __all__" in problem and "support module" in problem
    (problem,) = sync_cells.problems(course(encoder=HELPER.replace('"Box"]', '"Box", "Lid"]')))
    assert "`Lid`, which is not defined" in problem


@pytest.mark.parametrize(
    ("line", "imported"),
    [
        ("from helpers.checks import same", "checks"),
        ("from helpers import data", "data"),
        ("import helpers.plotting", "plotting"),
        ("from .environment import set_up", "environment"),
        ("from helpers.pretraining import pretrain", "pretraining"),
        ("from helpers.classification import evaluate", "classification"),
    ],
)
def test_imports_go_one_way(course, line, imported):
    (problem,) = sync_cells.problems(course(encoder=HELPER.replace("import math", line)))
    assert f"imports helpers/{imported}.py" in problem
    fine = HELPER.replace("import math", "from helpers.attention import scale")
    assert sync_cells.problems(course(encoder=fine)) == []


def test_the_set_up_cell_is_compared_too(course):
    root = course()
    path = root / "notebooks" / "05_encoder.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[0].source += "\nmore = 1"
    nbformat.write(notebook, path)
    (problem,) = sync_cells.problems(root)
    assert "not the set-up cell" in problem
    sync_cells.sync(root)
    assert sync_cells.problems(root) == []


def test_lines_of_ipython_do_not_disturb(course):
    assert sync_cells.problems(course([*CELLS, "%time half(2)\n!ls"])) == []


def test_comments_and_decorators_belong_to_a_definition():
    f = "# about it\n@cache\ndef f():\n    return 1\n    # the end"
    source = f"x = 1\n{f}\n\n\n# not about g\n\ndef g(): ...\n"
    found = {d.name: d for d in sync_cells.definitions(source)}
    assert found["f"].text == f
    assert found["g"].text == "def g(): ..."
