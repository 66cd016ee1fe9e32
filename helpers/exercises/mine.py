"""What the learner wrote and what passed: kept as files, to be seen, edited, removed, and restored.

One file for each exercise in data/mine/ (git ignores it), or in the folder that BERT_COURSE_MINE names, such
as one on Google Drive. A file is a small program: the imports, constants and helpers that the function needs,
and the function. progress.json beside them says what was tried.
"""

import ast
import builtins
import inspect
import json
import os
import re
import symtable
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FunctionType, ModuleType

from helpers.exercises.exercise import Exercise
from helpers.exercises.sources import source_of

__all__ = [
    "folder",
    "keep",
    "kept",
    "source",
    "definition",
    "define",
    "forget",
    "note",
    "noted",
    "globals_used",
]

NEEDS = "# Needs from its notebook: "


def folder() -> Path:
    """Where the learner's functions are kept."""
    named = os.environ.get("BERT_COURSE_MINE")
    return Path(named) if named else Path(__file__).resolve().parents[2] / "data" / "mine"


def path_of(exercise_id: str) -> Path:
    return folder() / f"exercise_{exercise_id.replace('.', '_')}.py"


def keep(exercise: Exercise, function: Callable) -> str | None:
    """Keep a function that passed, whole or not at all; a sentence where it can't be, or not wholly."""
    text = source_of(function)
    if text is None:
        return "it can't be kept, for its source is not to be had: write it in a cell, as a `def`"
    lines, missing = _context(function, text, {exercise.learner, getattr(function, "__name__", "")})
    there = sys.modules.get(getattr(inspect.unwrap(exercise.reference), "__module__", ""))
    missing = [name for name in missing if not hasattr(there, name)]  # a build has the taught module's names
    if isinstance(function, type) or text.lstrip().startswith(("def ", "class ", "async ", "@")):
        name = function.__name__
        alias = "" if name == exercise.learner else f"\n\n{exercise.learner} = {name}\n"
    else:
        alias = ""  # my_name = lambda …, as it was written
    head = [f"# Exercise {exercise.id}, {exercise.name}: passed."]
    head += [NEEDS + ", ".join(missing)] * bool(missing)
    program = "\n".join([*head, *lines, "", "", text.rstrip(), ""]) + alias
    try:
        _write(path_of(exercise.id), program)
    except OSError as error:
        return f"it can't be kept in {folder()} ({error.strerror}): BERT_COURSE_MINE may name another folder"
    if missing and _is_a_part(exercise):
        return (
            f"it uses {', '.join(missing)} of this notebook, so no model can be built of it: "
            f"give it as a parameter, or define it inside"
        )
    return None  # of another function `restore` says what it misses


def _is_a_part(exercise: Exercise) -> bool:
    """Whether models are built of it: its right function stands in a taught module."""
    module = getattr(inspect.unwrap(exercise.reference), "__module__", "") or ""
    return module.startswith("helpers.") and module.count(".") == 1


def _write(path: Path, text: str) -> None:
    from helpers.data.files import replace_whole  # not at the top: importing the exercises is quick

    path.parent.mkdir(parents=True, exist_ok=True)
    replace_whole(path, text.encode())


def globals_used(text: str) -> list[str]:
    """The names that a program uses and does not define itself, without those of Python."""
    found: set[str] = set()

    def look(table):
        inner = table.get_type() != "module"
        found.update(
            s.get_name() for s in table.get_symbols()
            if s.is_referenced() and (s.is_global() if inner else not s.is_assigned() and not s.is_imported())
        )  # fmt: skip
        for child in table.get_children():
            look(child)

    table = symtable.symtable(text, "<mine>", "exec")
    look(table)
    own = {
        s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported() or s.is_namespace()
    }
    return sorted(found - own - set(dir(builtins)) - {"__name__", "__class__"})


def _context(function: Callable, text: str, own: set[str]) -> tuple[list[str], list[str]]:
    """Lines that give meaning to the names that a function uses, and the names for which there is none."""
    space = getattr(inspect.unwrap(function), "__globals__", None) or vars(sys.modules.get("__main__"))
    space = _globals_of_class(function) if isinstance(function, type) else space
    imports, values, helpers, missing, seen = [], [], [], [], set(own)
    waiting = list(globals_used(text))
    while waiting:
        name = waiting.pop(0)
        if name in seen:
            continue
        seen.add(name)
        if name not in space:
            missing.append(name)
        elif line := _import_line(name, space[name]):
            imports.append(line)
        elif _is_constant(space[name]):
            values.append(f"{name} = {space[name]!r}")
        elif isinstance(space[name], type | FunctionType) and (helper := source_of(space[name])):
            helpers += ["", "", helper.rstrip()]
            waiting += globals_used(helper)
        else:
            missing.append(name)
    return [*sorted(set(imports)), *values, *helpers], missing


def _globals_of_class(cls: type) -> dict:
    for value in vars(cls).values():
        value = getattr(value, "__func__", value)
        if inspect.isfunction(value):
            return value.__globals__
    return vars(sys.modules[cls.__module__])


def _import_line(name: str, value) -> str | None:
    """How a name is imported; None for what was made in the notebook."""
    if isinstance(value, ModuleType):
        return f"import {name}" if value.__name__ == name else f"import {value.__name__} as {name}"
    module, called = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if not module or not called or module == "__main__" or not called.isidentifier():
        return None
    known = sys.modules.get(module)
    if getattr(known, called, None) is not value or not getattr(known, "__file__", None):
        return None
    return f"from {module} import {called}" + ("" if called == name else f" as {name}")


def _is_constant(value) -> bool:
    if isinstance(value, tuple | list | set | frozenset) and len(value) <= 50:
        return all(map(_is_constant, value))
    if isinstance(value, dict) and len(value) <= 50:
        return all(_is_constant(k) and _is_constant(v) for k, v in value.items())
    return value is None or type(value) in (bool, int, float, str, bytes) and len(repr(value)) <= 500


def kept(ids: Iterable[str] | None = None) -> dict[str, Path]:
    """{id: file} of the functions that are kept, in the order of the course."""
    found = {}
    for path in folder().glob("exercise_*.py") if folder().is_dir() else ():
        if match := re.fullmatch(r"exercise_(\d+)_(\w+)\.py", path.name):
            found[f"{match[1]}.{match[2]}"] = path

    def order(name):
        notebook, _, rest = name.partition(".")
        return int(notebook), rest.rstrip("0123456789"), int("0" + rest.lstrip("abcdefghijklmnopqrstuvwxyz"))

    return {name: found[name] for name in sorted(found, key=order) if ids is None or name in ids}


def source(exercise_id: str) -> str | None:
    """The text of a kept function's file; None where there is none."""
    path = kept().get(exercise_id)
    return None if path is None else path.read_text(encoding="utf-8")


def definition(text: str, name: str) -> str:
    """The part of a kept file that defines the learner's function: what is pasted into a cell."""
    for node in ast.parse(text).body:
        if getattr(node, "name", None) == name:
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            return "\n".join(text.splitlines()[first - 1 : node.end_lineno])
    return text


def define(exercise: Exercise, space: dict | None = None) -> Callable:
    """Run the file of a kept function and return the function.

    space: the namespace that it runs in, with names that it may use, such as a taught module's. Raises
    ValueError, saying what is wrong, for a file that can't be run or whose names are missing.
    """
    path = path_of(exercise.id)
    try:
        text = path.read_text(encoding="utf-8")
        program = compile(text, str(path), "exec")
    except (OSError, SyntaxError, ValueError) as error:
        raise ValueError(f"{path.name} can't be read ({error}): check {exercise.id} again") from error
    names = {} if space is None else space
    names["__name__"] = names.get("__name__", "mine")
    if missing := [name for name in globals_used(text) if name not in names]:
        raise ValueError(
            f"{exercise.learner} (exercise {exercise.id}) uses {', '.join(missing)}, which its notebook "
            f"made: give it as a parameter, or define it inside, and check it again"
        )
    try:
        exec(program, names)
        return names[exercise.learner]
    except Exception as error:
        raise ValueError(f"{path.name} can't be run ({type(error).__name__}: {error})") from error


def forget(exercise_id: str) -> bool:
    """Remove a kept function; whether there was one."""
    path = kept().get(exercise_id)
    if path is not None:
        path.unlink(missing_ok=True)
        _note(exercise_id, None)
    return path is not None


def noted() -> dict[str, str]:
    """{id: "right" or "not yet"} of the exercises and questions that were tried."""
    try:
        entries = json.loads((folder() / "progress.json").read_text(encoding="utf-8"))
        return {str(k): str(v) for k, v in entries.items()}
    except (OSError, ValueError, AttributeError):
        return {}


def note(entry_id: str, status: str) -> None:
    """Remember how an exercise or question stands; once right, it stays so."""
    if noted().get(entry_id) not in (status, "right"):
        _note(entry_id, status)


def _note(entry_id: str, status: str | None) -> None:
    entries = noted()
    entries.pop(entry_id, None)
    if status is not None:
        entries[entry_id] = status
    try:
        _write(folder() / "progress.json", json.dumps(entries, indent=1, sort_keys=True) + "\n")
    except OSError:
        pass  # a folder that can't be written to is told where a function can't be kept
