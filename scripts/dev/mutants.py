"""Mutants of the exercises' right functions: which of them does a check call right?

    python scripts/dev/mutants.py             all exercises
    python scripts/dev/mutants.py 4 5.7       those of notebook 4, and 5.7

A mutant is the right function with one small change: another operator, constant or comparison, swapped
arguments, a keyword dropped, a bound off by one, a condition negated. Every one that a check calls right is
printed: either it does the same on all inputs, or the probe has a hole. Which of the two a reader has to say.

Each exercise is judged in a process of its own; a mutant that ends it, or can't be stopped, counts as seen.
"""

import argparse
import ast
import copy
import dataclasses
import inspect
import itertools
import json
import linecache
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from helpers.exercises import EXERCISES
from helpers.exercises.exercise import RIGHT, Exercise

SECONDS = 0.5  # for a mutant on the probe
LONGEST = 60.0  # for one mutant, after which the process is ended

OPERATORS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Div,
    ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip
SYMMETRIC = ("transpose", "swapaxes", "max", "min")  # their first two arguments may change places


class Mutant(NamedTuple):
    """A changed program: its line in the function, what was changed, and the function."""

    line: int
    change: str
    function: Callable


def source_of(exercise: Exercise) -> str:
    """The right function's text, such that a method can stand outside of its class."""
    text = textwrap.dedent(inspect.getsource(inspect.unwrap(exercise.reference)))
    return text.replace("super().__init__()", "nn.Module.__init__(self)")


def changed(node: ast.AST) -> Iterator[ast.AST]:
    """What may stand in a node's place."""
    if isinstance(node, ast.BinOp | ast.BoolOp | ast.AugAssign) and type(node.op) in OPERATORS:
        yield _with(node, op=OPERATORS[type(node.op)]())
    if isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            if type(operator) in OPERATORS:
                ops = [*node.ops[:place], OPERATORS[type(operator)](), *node.ops[place + 1 :]]
                yield _with(node, ops=ops)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not | ast.Invert):
        yield node.operand
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        yield _with(node, test=ast.UnaryOp(ast.Not(), node.test))
    if isinstance(node, ast.comprehension):
        for place in range(len(node.ifs)):
            yield _with(node, ifs=node.ifs[:place] + node.ifs[place + 1 :])
    if isinstance(node, ast.Constant):
        yield from (ast.Constant(value) for value in _other_constants(node.value))
    if isinstance(node, ast.Call):
        called = getattr(node.func, "attr", getattr(node.func, "id", ""))
        starred = any(isinstance(a, ast.Starred) for a in node.args[:2])
        if len(node.args) > 1 and not starred and called not in SYMMETRIC:
            yield _with(node, args=[node.args[1], node.args[0], *node.args[2:]])
        for place in range(len(node.keywords)):
            yield _with(node, keywords=node.keywords[:place] + node.keywords[place + 1 :])
        if isinstance(node.func, ast.Name) and node.func.id == "range":
            yield _with(node, args=[*node.args[:-1], ast.BinOp(node.args[-1], ast.Sub(), ast.Constant(1))])
    if isinstance(node, ast.Slice):
        for bound in ("lower", "upper"):
            if isinstance(value := getattr(node, bound), ast.expr) and not isinstance(value, ast.Constant):
                yield _with(node, **{bound: ast.BinOp(value, ast.Add(), ast.Constant(1))})


def _with(node: ast.AST, **fields) -> ast.AST:
    made = copy.copy(node)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def _other_constants(value) -> list:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1]
    if isinstance(value, float):
        return [2 * value if value else 1.0]
    return []


def places(tree: ast.AST) -> list[tuple[ast.AST, str, int | None]]:
    """(parent, field, number in the field) of each node but those of docstrings, annotations and messages."""
    found, waiting = [], [tree]
    for parent in waiting:
        if isinstance(parent, ast.Raise | ast.JoinedStr):
            continue
        for field, value in ast.iter_fields(parent):
            if field in ("annotation", "returns", "decorator_list"):
                continue
            for number, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
                if isinstance(child, ast.AST):
                    found.append((parent, field, number))
                    waiting.append(child)
    return found


def mutants(exercise: Exercise) -> Iterator[Mutant]:
    """Each mutant of an exercise's right function that Python can read, in the order of its lines."""
    text = source_of(exercise)
    count = len(places(ast.parse(text)))
    for place in range(count):
        for number in itertools.count():
            tree = ast.parse(text)
            parent, field, index = places(tree)[place]
            value = getattr(parent, field)
            node = value if index is None else value[index]
            others = list(changed(node))
            if number >= len(others):
                break
            line, before = getattr(node, "lineno", 0), ast.unparse(node)
            if index is None:
                setattr(parent, field, others[number])
            else:
                value[index] = others[number]
            after = ast.unparse(others[number])
            whole = ast.unparse(ast.fix_missing_locations(tree))
            function = made(exercise, whole, f"<mutant {place}.{number}>")
            yield Mutant(line, f"{_short(before)}  ->  {_short(after)}", function)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 70 else text[:69] + "…"


def made(exercise: Exercise, text: str, place: str) -> Callable:
    """The function that a text defines, among the names of the right function's module."""
    linecache.cache[place] = (len(text), None, text.splitlines(keepends=True), place)
    space = dict(vars(inspect.getmodule(inspect.unwrap(exercise.reference))))
    space |= getattr(inspect.unwrap(exercise.reference), "__globals__", {})
    exec(compile(text, place, "exec"), space)
    thing = space[ast.parse(text).body[0].name]
    return getattr(thing, "__func__", thing)


def judged(exercise: Exercise, first: int = 0) -> Iterator[tuple[int, str, bool]]:
    """(line, change, whether it is called right) of each mutant, from number `first` on."""
    bare = dataclasses.replace(exercise, mistakes=(), seconds=SECONDS)
    for mutant in itertools.islice(mutants(exercise), first, None):
        yield mutant.line, mutant.change, bare.check(mutant.function).status == RIGHT


def apart(exercise_id: str) -> list[tuple[int, str, bool]]:
    """What `judged` gives, from processes of their own: one goes on after a mutant that ended the last."""
    rows: list[tuple[int, str, bool]] = []
    while True:
        command = [sys.executable, __file__, "--rows", exercise_id, "--first", str(len(rows))]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            before, whole = len(rows), False
            watch = _Timer(process)
            for line in process.stdout:
                watch.again()
                if line.startswith('["done"'):
                    whole = True
                elif line.startswith("["):
                    rows.append(tuple(json.loads(line)))
            watch.stop()
            errors = process.stderr.read()
        if whole:
            return rows
        if not watch.struck and len(rows) == before == 0:
            raise RuntimeError(f"{exercise_id} can't be judged: {errors.strip()[-300:]}")
        rows.append((0, "ended its process, or could not be stopped", False))


class _Timer:
    """Ends a process that has been silent for LONGEST seconds, its start apart."""

    def __init__(self, process: subprocess.Popen):
        self.process, self.struck = process, False
        self.again(5 * LONGEST)

    def again(self, seconds: float = LONGEST) -> None:
        self.stop()
        self.timer = threading.Timer(seconds, self._strike)
        self.timer.daemon = True
        self.timer.start()

    def stop(self) -> None:
        if timer := getattr(self, "timer", None):
            timer.cancel()

    def _strike(self) -> None:
        self.struck = True
        self.process.kill()


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("which", nargs="*", help="numbers of notebooks and of exercises; none: all")
    parser.add_argument("--rows", metavar="ID", help=argparse.SUPPRESS)
    parser.add_argument("--first", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.rows:
        for row in judged(EXERCISES[options.rows], options.first):
            print(json.dumps(row), flush=True)
        print('["done"]', flush=True)
        return
    which = set(options.which)
    wanted = [e for e in EXERCISES.values() if not which or {e.id, str(e.notebook)} & which]
    if not wanted:
        parser.error(f"there is no exercise {' '.join(options.which)}")
    totals: dict[int, list[int]] = {}
    for exercise in wanted:
        rows = apart(exercise.id)
        passed = [row for row in rows if row[2]]
        total = totals.setdefault(exercise.notebook, [0, 0])
        total[0] += len(rows)
        total[1] += len(passed)
        print(f"{exercise.id:<6} {exercise.name:<34} {len(rows):>4} mutants, {len(passed):>3} called right")
        for line, change, _ in passed:
            print(f"       line {line}: {change}", flush=True)
    for notebook, (count, right) in totals.items():
        print(f"notebook {notebook:02}: {count} mutants, {right} called right ({right / max(count, 1):.1%})")


if __name__ == "__main__":
    main()
