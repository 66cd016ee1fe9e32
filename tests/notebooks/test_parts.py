"""One part of the course can be tested alone, with the notebook that belongs to it."""

import re

import pytest

from scripts.dev import parts, sync_cells


def found(name):
    return [path.relative_to(parts.ROOT).as_posix() for path in parts.paths(name)]


@pytest.mark.parametrize("module", list(sync_cells.HEIGHT))
def test_a_taught_module(module):
    test, *notebooks = found(module)
    assert test == f"tests/taught/test_{module}.py" and notebooks
    for notebook in notebooks:
        assert test in found(notebook.removeprefix("notebooks/"))


def test_rooms_and_single_files():
    assert found("training") == ["tests/training"]
    assert found("repository") == ["tests/test_repository.py"]
    tests, notebook = found("views")
    assert tests == "tests/views" and re.fullmatch(r"notebooks/\d\d_attention_views.ipynb", notebook)


@pytest.mark.parametrize("name", ["nothing", "", ".", "../tests", "t*", "texts"])
def test_what_is_not_there(name):
    with pytest.raises(LookupError, match="choose wordpiece, .*training.* or the beginning of a notebook"):
        parts.paths(name)


def test_everything_belongs_to_a_part():
    rooms = {path.parent for path in (parts.ROOT / "tests").rglob("test_*.py")} - {parts.ROOT / "tests"}
    for room in rooms - {parts.ROOT / "tests" / "browser"}:
        assert parts.paths(room.name), room
