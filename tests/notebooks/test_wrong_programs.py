"""Every wrong program that a notebook shows fails that notebook's check, with a message.

A wrong program is a function or class `wrong_NAME` or `wrong_NAME_whatever`; its check is `test_NAME` in the
same notebook, the longest name that fits. Only the statements that these need are run.
"""

import ast
import builtins
import symtable
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]


def statements(source_of_cells):
    """The top-level statements of a notebook, in order, without magics."""
    for source in source_of_cells:
        lines = (line for line in source.splitlines() if not line.startswith(("%", "!")))
        yield from ast.parse("\n".join(lines)).body


def bound(node):
    """The names that a statement gives a meaning to."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name.split(".")[0] for alias in node.names}
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def used(node):
    """The names of the notebook that a statement leans on; the variables of its functions are their own."""

    def names(table):
        own = table.get_type() == "function"
        for symbol in table.get_symbols():
            if symbol.is_referenced() and (symbol.is_global() if own else not symbol.is_free()):
                yield symbol.get_name()
        for child in table.get_children():
            yield from names(child)

    return set(names(symtable.symtable(ast.unparse(node), "<statement>", "exec")))


def needed(body, wanted):
    """The statements that define `wanted`, and those that they lean on in turn, in their order."""
    chosen, open_names, seen = set(), set(wanted), set()
    while open_names:
        name = open_names.pop()
        seen.add(name)
        places = [place for place, node in enumerate(body) if name in bound(node)]
        for place in set(places) - chosen:
            chosen.add(place)
            open_names |= used(body[place]) - seen - set(dir(builtins))
    return [body[place] for place in sorted(chosen)]


def wrong_programs(body):
    names = [node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    checks = sorted((name for name in names if name.startswith("test_")), key=len, reverse=True)
    for name in names:
        if name.lower().startswith("wrong_"):
            subject = name[len("wrong_") :]
            fits = [c for c in checks if f"{subject}_".startswith(c.removeprefix("test_") + "_")]
            yield name, next(iter(fits), None)


def judged(body, program, check):
    """Run what both need; the message with which `check` refuses `program`, None if it passes."""
    assert check is not None, f"there is no check for {program}"
    space = {"__name__": "notebook"}
    module = ast.Module(needed(body, {program, check}), type_ignores=[])
    exec(compile(module, "<notebook>", "exec"), space)
    try:
        space[check](space[program])
    except AssertionError as error:
        return str(error)
    return None


def body_of(path):
    cells = nbformat.read(path, as_version=4).cells
    return list(statements(cell.source for cell in cells if cell.cell_type == "code"))


FOUND = [
    (path, program, check)
    for path in sorted((ROOT / "notebooks").glob("*.ipynb"))
    for program, check in wrong_programs(body_of(path))
]


@pytest.mark.parametrize(
    ("path", "program", "check"), [pytest.param(*found, id=f"{found[0].stem}-{found[1]}") for found in FOUND]
)
def test_wrong_programs_fail(path, program, check):
    message = judged(body_of(path), program, check)
    assert message is not None, f"{program} is wrong, and {check} lets it pass"
    assert message.strip(), f"{check} refuses {program} without a word"


EXAMPLE = """
import math
size = 3
result = None
raise RuntimeError("what nobody needs is not run")
result = 5 / 0
def area(r):
    return math.pi * r * r
def test_area(function):
    result = function(size)
    assert abs(result - area(size)) < 1e-9, f"got {result}"
def wrong_area_forgets_pi(r):
    return r * r
def wrong_area(r):
    return math.pi * r ** 2
def wrong_volume(r):
    return r
"""


def test_needed_statements_only_and_the_longest_check():
    body = list(statements([EXAMPLE]))
    pairs = dict(wrong_programs(body))
    assert pairs == {"wrong_area_forgets_pi": "test_area", "wrong_area": "test_area", "wrong_volume": None}
    assert judged(body, "wrong_area_forgets_pi", "test_area") == "got 9"
    assert judged(body, "wrong_area", "test_area") is None
    with pytest.raises(AssertionError, match="no check for wrong_volume"):
        judged(body, "wrong_volume", None)
