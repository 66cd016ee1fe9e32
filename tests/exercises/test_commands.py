"""What a learner types, and what is printed."""

import linecache
import subprocess
import sys
import textwrap
import types

import pytest

from helpers.exercises import EXERCISES, check, commands, forget, guess, hint, mine, progress, restore, tables
from helpers.exercises.exercise import NOT_JUDGED, Exercise, Verdict
from helpers.exercises.overview import counts


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("BERT_COURSE_MINE", str(tmp_path / "mine"))
    return tmp_path / "mine"


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    """What is said is one line here; how lines are broken has a test of its own."""
    monkeypatch.setattr(commands, "_WIDTH", 10_000)


def printed(capsys, command, *given):
    assert command(*given) is None
    return capsys.readouterr().out.rstrip("\n")


def my_split_heads(hidden, num_heads):
    return hidden.unflatten(2, (num_heads, -1)).transpose(1, 2)


def test_check(capsys):
    assert printed(capsys, check, "4.6", my_split_heads).startswith("4.6 right. Notice that no number")
    assert printed(capsys, check, "4.6", lambda a, b: a).startswith(
        "4.6 not yet: the figure's numbers: wrong"
    )
    space = {}
    exec(EXERCISES["4.6"].stub, space)
    assert printed(capsys, check, "4.6", space["my_split_heads"]) == "4.6 not tried yet"
    assert mine.noted() == {"4.6": "right"}


def test_a_check_that_finds_nothing_out(capsys, monkeypatch):
    monkeypatch.setattr(Exercise, "check", lambda self, function: Verdict(NOT_JUDGED, "too busy"))
    assert printed(capsys, check, "4.6", my_split_heads) == "4.6 not judged: too busy"
    assert mine.noted() == {} and mine.kept() == {}


def test_without_its_function(capsys):
    assert printed(capsys, check, "4.6").startswith("4.6 right")  # this module has one of that name
    assert printed(capsys, check, "4.1") == (
        "4.1 not yet: there is no my_stable_softmax here; run the cell that defines it"
    )


@pytest.mark.parametrize("command", [check, hint, restore, forget])
def test_a_misspelled_id(capsys, command):
    assert printed(capsys, command, "4.66") == "there is no exercise '4.66'; did you mean '4.6'?"
    assert printed(capsys, command, 4.6).startswith("there is no exercise 4.6")
    assert printed(capsys, command, "x").startswith("there is no exercise 'x'")
    assert printed(capsys, guess, "4.q111", "a").startswith(
        "there is no question '4.q111'; did you mean '4.q11'"
    )


def test_hints(capsys):
    first, second, *_ = EXERCISES["4.6"].hints
    count = len(EXERCISES["4.6"].hints)
    assert printed(capsys, hint, "4.6", 2) == f"4.6 hint 2 of {count}: {second}"
    assert printed(capsys, hint, "4.6", 1) == f"4.6 hint 1 of {count}: {first}"
    assert second in printed(capsys, hint, "4.6")
    assert printed(capsys, hint, "4.6", 9) == f"4.6 has the hints 1 to {count}"
    assert "prints its first hint" in printed(capsys, hint)


def test_long_lines_are_broken_between_words(capsys, monkeypatch):
    whole = printed(capsys, check, "4.6", my_split_heads)
    monkeypatch.setattr(commands, "_WIDTH", 96)
    rows = printed(capsys, check, "4.6", my_split_heads).split("\n")
    assert len(rows) == 2 and max(map(len, rows)) <= 96 and rows[1].startswith("    ")
    assert " ".join(row.strip() for row in rows) == whole
    commands._say(f"{'x' * 200} y\nz  {{ }}")
    assert capsys.readouterr().out == f"{'x' * 200}\n    y\nz  {{ }}\n"


def test_guesses(capsys):
    for nothing in (..., None, "?", "..."):
        assert printed(capsys, guess, "4.q1", nothing) == "4.q1 not guessed yet"
    assert mine.noted() == {}
    assert printed(capsys, guess, "4.q1", "A").startswith("4.q1 not quite: softmax looks at differences")
    assert printed(capsys, guess, "4.q1", "z") == "4.q1 not quite: choose one of a, b, c, in quotes"
    assert printed(capsys, guess, "4.q1", "b").startswith("4.q1 right: only the difference counts")
    assert printed(capsys, guess, "4.q3", "8") == "4.q3 not quite: 8 is too small: 1/8 of the answer"
    assert printed(capsys, guess, "4.q3", 128) == "4.q3 not quite: 128 is too large: 2 times the answer"
    assert printed(capsys, guess, "4.q3", "many") == "4.q3 not quite: expected a number, not 'many'"
    assert printed(capsys, guess, "4.q3", "64.0").startswith("4.q3 right: it is 64")
    assert mine.noted() == {"4.q1": "right", "4.q3": "right"}


def test_progress(capsys, own_folder):
    assert printed(capsys, progress) == "" and not own_folder.exists()
    check("4.6", my_split_heads)
    check("4.1", lambda scores: scores)
    guess("4.q1", "b")
    capsys.readouterr()
    out = printed(capsys, progress)
    assert "04 self attention" in out and counts()[4]["right"] == 1 and counts()[4]["not yet"] == 1
    assert counts()[4]["guessed"] == 1
    assert counts()[4]["minutes"] == sum(
        e.minutes for i, e in EXERCISES.items() if i[:2] == "4." and i != "4.6"
    )


def test_once_right_stays_right_and_is_kept_anew(capsys):
    check("4.6", my_split_heads)
    check("4.6", lambda a, b: a)
    assert mine.noted() == {"4.6": "right"} and "unflatten" in mine.source("4.6")


def test_a_function_without_a_source(capsys):
    space = {}
    exec("def my_split_heads(x, n): return x.unflatten(2, (n, -1)).transpose(1, 2)", space)
    out = printed(capsys, check, "4.6", space["my_split_heads"])
    assert (
        out.startswith("4.6 right") and "4.6 note: it can't be kept, for its source is not to be had" in out
    )


def test_a_folder_that_cannot_be_written_to(capsys, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BERT_COURSE_MINE", str(tmp_path / "file"))
    out = printed(capsys, check, "4.6", my_split_heads)
    assert out.startswith("4.6 right") and "BERT_COURSE_MINE may name another folder" in out


def test_restore_and_forget(capsys):
    assert printed(capsys, restore) == "nothing is kept yet"
    assert printed(capsys, restore, "4.6") == "4.6: nothing is kept of it"
    check("4.6", my_split_heads)
    capsys.readouterr()
    assert printed(capsys, restore, "4.6").startswith("def my_split_heads(hidden, num_heads):\n    return")
    before = globals().pop("my_split_heads")
    try:
        assert printed(capsys, restore) == "back in this notebook: my_split_heads (4.6)"
        assert globals()["my_split_heads"] is not before
        assert printed(capsys, check, "4.6").startswith("4.6 right")
    finally:
        globals()["my_split_heads"] = before
    assert printed(capsys, forget, "4.6") == "4.6: forgotten"
    assert printed(capsys, forget, "4.6") == "4.6: nothing is kept of it" and mine.kept() == {}


def test_a_damaged_table_harms_no_other(tmp_path):
    """In a copy of the package, for tables are read once."""
    program = """
        import importlib, sys
        from helpers.exercises import tables
        importlib_import = importlib.import_module
        def broken(name, *more):
            if name.endswith("tables.encoder") or name.endswith("tables.input_embeddings"):
                raise SyntaxError("a bracket is missing")
            return importlib_import(name, *more)
        importlib.import_module = broken
        find = importlib.util.find_spec
        importlib.util.find_spec = lambda name, *m: name.endswith("tables.encoder") or find(name, *m)
        from helpers.exercises import check, EXERCISES
        check("5.1", len)
        check("4.6", len)
        assert "4.6" in EXERCISES and not any(name.startswith("5.") for name in EXERCISES)
        assert "notebook 5 can't be read" in tables.problems()[5]
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, cwd=tables.__path__[0] + "/../../..", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    one, *other = done.stdout.splitlines()
    assert one.startswith("5.1: the exercises of notebook 5 can't be read (SyntaxError('a bracket")
    assert other[0].startswith("4.6 not yet: TypeError")


def test_an_entry_that_is_doubled_or_misplaced_is_a_fault_of_its_table():
    one = EXERCISES["4.6"]
    for entries in ((one, one), (EXERCISES["4.1"], "4.6")):
        with pytest.raises(ValueError, match="doubled or misplaced"):
            tables._check(types.SimpleNamespace(EXERCISES=entries), 4)
    with pytest.raises(ValueError, match="'4.6' of EXERCISES is doubled or misplaced"):
        tables._check(types.SimpleNamespace(EXERCISES=(one,)), 5)


def test_importing_is_cheap():
    program = "import sys, helpers.exercises; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", program], cwd=tables.__path__[0] + "/../../..").returncode == 0
    )


def test_exercises_are_a_dict():
    assert isinstance(EXERCISES, dict) and EXERCISES["4.6"].name == "split_heads"
    assert set(EXERCISES) == set(EXERCISES.keys()) == {e.id for e in EXERCISES.values()}
    assert len(EXERCISES) == len(list(EXERCISES.items())) and EXERCISES.get("4.999", 1) == 1
    with pytest.raises(KeyError):
        EXERCISES["99.1"]


# In a notebook


def in_notebook(tmp_path, *cells):
    """What cells print, each run by IPython as a notebook runs it."""
    program = f"""
import os, sys
sys.path.insert(0, {str(tables.__path__[0] + "/../../..")!r})
os.environ["BERT_COURSE_MINE"] = {str(tmp_path / "notebook")!r}
from IPython.core.interactiveshell import InteractiveShell
from helpers.exercises import commands
commands._WIDTH = 10_000  # lines are not broken
shell = InteractiveShell.instance()
for cell in {list(map(textwrap.dedent, cells))!r}:
    result = shell.run_cell(cell, store_history=True)
    assert result.success, cell
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


SET_UP = "import math, torch\nfrom helpers.exercises import *\nSIZE = 2"


def test_lines_of_a_cell_are_counted(tmp_path):
    cell = """
        # a remark
        def my_split_heads(hidden, num_heads):
            parts = hidden.unflatten(2, (num_heads, -1))
            return parts.transposed(1, 2)
        check("4.6", my_split_heads)
    """
    (line,) = in_notebook(tmp_path, SET_UP, cell.lstrip("\n"))
    assert (
        "AttributeError: 'Tensor' object has no attribute 'transposed' (line 4 of your cell: `return" in line
    )


def test_a_solution_in_a_cell_is_kept_with_what_it_needs(tmp_path):
    lines = in_notebook(
        tmp_path,
        SET_UP,
        "def helper(x):\n    return x.transpose(1, SIZE)",
        """
        from functools import wraps
        def loud(f):
            @wraps(f)
            def call(*a):
                return f(*a)
            return call
        @loud
        def my_split_heads(hidden, num_heads):
            ...
            return helper(hidden.unflatten(2, (num_heads, -1)))
        check("4.6", my_split_heads)
        """,
        "del my_split_heads, helper, SIZE\nrestore()\ncheck('4.6')\nrestore('4.6')",
    )
    assert lines[0].startswith("4.6 right") and lines[1] == "back in this notebook: my_split_heads (4.6)"
    assert lines[2].startswith("4.6 right") and lines[3:5] == [
        "@loud",
        "def my_split_heads(hidden, num_heads):",
    ]
    text = (tmp_path / "notebook" / "exercise_4_6.py").read_text()
    assert "SIZE = 2" in text and "def helper" in text and "def loud" in text and "import wraps" in text


def test_a_solution_that_needs_a_variable_of_the_notebook(tmp_path):
    lines = in_notebook(
        tmp_path,
        SET_UP,
        "table = torch.eye(2)",
        """
        def my_split_heads(hidden, num_heads):
            table
            return hidden.unflatten(2, (num_heads, -1)).transpose(1, 2)
        check("4.6", my_split_heads)
        """,
        "restore()\ndel table\nrestore()",
    )
    assert lines[1].startswith("4.6 note: it uses table of this notebook, so no model can be built")
    assert lines[2] == "back in this notebook: my_split_heads (4.6)"
    assert lines[3].startswith("my_split_heads (exercise 4.6) uses table, which its notebook made")


def test_a_class_of_fields_alone_is_kept_with_the_function_that_uses_it(tmp_path):
    lines = in_notebook(
        tmp_path,
        SET_UP,
        "from typing import NamedTuple\nfrom dataclasses import dataclass",
        """
        class Shape(NamedTuple):
            first: int
            second: int = 2
        @dataclass
        class Order:
            heads: int = 1
        """,
        """
        def my_split_heads(hidden, num_heads):
            shape = Shape(Order().heads)
            return hidden.unflatten(2, (num_heads, -1)).transpose(shape.first, shape.second)
        check("4.6", my_split_heads)
        """,
        "del my_split_heads, Shape, Order\nrestore()\ncheck('4.6')",
    )
    assert lines[0].startswith("4.6 right") and lines[1] == "back in this notebook: my_split_heads (4.6)"
    assert lines[2].startswith("4.6 right")


def test_of_what_no_model_is_built_nothing_is_noted(tmp_path):
    """A part of no model may use what its notebook has made."""
    space = {"table": object()}
    linecache.cache["<made up>"] = (1, None, ["def my_stable_softmax(scores):\n", "    return table\n"], "")
    code = compile("def my_stable_softmax(scores):\n    return table\n", "<made up>", "exec")
    exec(code, space)
    assert mine.keep(EXERCISES["4.1"], space["my_stable_softmax"]) is None and list(mine.kept()) == ["4.1"]


def test_defined_twice_the_last_one_counts(tmp_path):
    lines = in_notebook(
        tmp_path,
        SET_UP,
        """
        def my_split_heads(hidden, num_heads):
            return hidden
        def my_split_heads(hidden, num_heads):
            return hidden.unflatten(2, (num_heads, -1)).transpose(1, 2)
        check("4.6", my_split_heads)
        restore("4.6")
        """,
    )
    assert lines[0].startswith("4.6 right") and "transpose" in lines[2]
