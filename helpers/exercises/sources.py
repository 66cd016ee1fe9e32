"""The source of a learner's function: in a notebook's cell, a script, or a module.

inspect.getsource knows no classes defined in a notebook, and sees one of two functions of the same name;
here the definition is looked up in the cell by its line.
"""

import ast
import dis
import inspect
import linecache
import re
import sys
import textwrap
from collections.abc import Callable
from types import CodeType

__all__ = [
    "code_of", "source_of", "is_untouched", "is_empty_definition", "line_of", "planted", "python_lines"
]  # fmt: skip


def code_of(thing: Callable) -> CodeType | None:
    """The code of a function, or of the first method of a class that has one; None where there is none."""
    thing = inspect.unwrap(thing) if callable(thing) else thing
    thing = getattr(thing, "func", thing)  # functools.partial
    if isinstance(thing, type):
        own = [getattr(value, "__func__", value) for value in vars(thing).values()]
        own = [value for value in own if inspect.isfunction(value)]
        own = [value for value in own if value.__qualname__.startswith(thing.__qualname__ + ".")]
        own.sort(key=lambda v: v.__code__.co_filename == "<string>")  # last: what a decorator has made
        return own[0].__code__ if own else None
    return getattr(getattr(thing, "__func__", thing), "__code__", None)


def cell_of(thing: Callable) -> str | None:
    """The whole text of the cell or file in which a thing was defined; None where it is not to be had."""
    code = code_of(thing)
    if code is None:
        return None
    lines = linecache.getlines(code.co_filename)
    return "".join(lines) if lines else None


def source_of(thing: Callable) -> str | None:
    """The text of a function or class, decorators included, as it was written; None where it can't be had."""
    text, code = cell_of(thing), code_of(thing)
    if text is None:
        return _class_without_code(thing)
    try:
        tree = ast.parse(python_lines(text))
    except SyntaxError:
        return None
    kinds = ast.ClassDef if isinstance(thing, type) else ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    name = getattr(thing, "__name__", None)
    best = None
    for node in ast.walk(tree):
        if isinstance(node, kinds) and _first(node) <= code.co_firstlineno <= node.end_lineno:
            if isinstance(node, ast.Lambda):
                if name == "<lambda>":
                    best = _statement(tree, node)
            elif node.name == name:
                best = node
    if best is None:
        return _class_without_code(thing)
    return _lines_of(best, text)


def _lines_of(node: ast.AST, text: str) -> str:
    return textwrap.dedent("\n".join(text.splitlines()[_first(node) - 1 : node.end_lineno]))


def _class_without_code(thing: Callable) -> str | None:
    """The text of a notebook's class that has no function of its own, such as a NamedTuple: by its fields."""
    module = sys.modules.get(getattr(thing, "__module__", ""))
    if not isinstance(thing, type) or hasattr(module, "__file__"):
        return None
    fields = set(vars(thing).get("__annotations__", {}))
    for _, changed, lines, *_ in reversed([entry for entry in linecache.cache.values() if len(entry) == 4]):
        text = "".join(lines)
        if changed is None and f"class {thing.__name__}" in text:  # a cell; a file has a time of change
            try:
                nodes = ast.parse(python_lines(text)).body
            except SyntaxError:
                continue
            for node in nodes:
                if isinstance(node, ast.ClassDef) and node.name == thing.__name__:
                    named = {n.target.id for n in node.body if isinstance(n, ast.AnnAssign)}
                    if named == fields and not any(isinstance(n, ast.FunctionDef) for n in node.body):
                        return _lines_of(node, text)
    return None


def python_lines(text: str) -> str:
    """A cell's text with IPython's own lines (% and !) made comments, so that Python can parse it."""
    return "\n".join("#" + line if line.startswith(("%", "!")) else line for line in text.splitlines())


def _first(node: ast.AST) -> int:
    return min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])


def _statement(tree: ast.Module, inner: ast.AST) -> ast.stmt:
    """The statement of a cell in which an expression stands."""
    return next(node for node in tree.body if inner in ast.walk(node))


def line_of(thing: Callable, traceback, probe: Callable | None = None) -> tuple[int, str] | None:
    """(number in its cell, text) of the last line of the learner's code that a traceback goes through."""
    code, found = code_of(thing), None
    while code is not None and traceback is not None:
        through = traceback.tb_frame.f_code
        if through.co_filename == code.co_filename and through is not code_of(probe):
            found = traceback.tb_lineno
        traceback = traceback.tb_next
    return None if found is None else (found, linecache.getline(code.co_filename, found).strip())


def is_untouched(thing: Callable, stub: str, name: str) -> bool:
    """True where nothing was written yet: an empty body, or the stub's own lines."""
    source = source_of(thing)
    theirs = _definition(stub, name)
    if source is None:
        return _same_code(thing, stub, name)
    mine = _definition(source, getattr(thing, "__name__", name))
    if mine is None or theirs is None:
        return False
    mine.name = theirs.name
    return is_empty_definition(mine) or _plain(mine) == _plain(theirs)


def _definition(source: str, name: str) -> ast.stmt | None:
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    found = [node for node in ast.parse(source).body if isinstance(node, kinds)]
    return next((node for node in found if node.name == name), found[-1] if found else None)


def _plain(node: ast.AST) -> str:
    """A program without its docstrings, as a text that can be compared."""
    for inner in ast.walk(node):
        body = getattr(inner, "body", None)
        if isinstance(body, list) and body and _is_constant(body[0]) and len(body) > 1:
            inner.body = body[1:]
    return ast.dump(node)


def _is_constant(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def is_empty_definition(node: ast.stmt) -> bool:
    """A body of nothing but constants (docstring, ...), pass, and raise NotImplementedError."""
    if isinstance(node, ast.ClassDef):
        inner = [n for n in node.body if not _is_constant(n) and not isinstance(n, ast.Pass)]
        return all(isinstance(n, ast.FunctionDef) and is_empty_definition(n) for n in inner)
    return all(
        _is_constant(n)
        or isinstance(n, ast.Pass)
        or isinstance(n, ast.Raise)
        and "NotImplementedError" in ast.dump(n)
        for n in node.body
    )


def _same_code(thing: Callable, stub: str, name: str) -> bool:
    """Without a source: whether the compiled code is the stub's, or nothing but empty bodies."""
    module = compile(stub, "<stub>", "exec")
    theirs = next((c for c in _codes(module) if c.co_name == name), None)
    if theirs is None:
        return False
    if not isinstance(thing, type):
        code = code_of(thing)
        return code is not None and _steps(code) in (_steps(theirs), _steps(_EMPTY))
    stubs = {code.co_name: _steps(code) for code in _codes(theirs)}
    methods = {key: getattr(value, "__func__", value) for key, value in vars(thing).items()}
    codes = {key: value.__code__ for key, value in methods.items() if inspect.isfunction(value)}
    file = getattr(code_of(thing), "co_filename", "")
    mine = {key: _steps(code) for key, code in codes.items() if code.co_filename == file}
    return bool(mine) and all(steps in (stubs.get(key), _steps(_EMPTY)) for key, steps in mine.items())


def _codes(code: CodeType) -> list[CodeType]:
    """What is defined directly in a program, a function, or a class."""
    return [constant for constant in code.co_consts if isinstance(constant, CodeType)]


def _steps(code: CodeType) -> tuple:
    """What a program does, names and constants included; its docstring is none of it."""
    used = [i.argval for i in dis.get_instructions(code) if "CONST" in i.opname]
    used = [constant for constant in used if not isinstance(constant, CodeType)]
    steps = [i.opname for i in dis.get_instructions(code)]
    return steps, code.co_names, used, [_steps(inner) for inner in _codes(code)]


_EMPTY = (lambda: None).__code__


def planted(program: Callable) -> str:
    """The source of a published bug, `wrong_…` or `Wrong…`, under a name of the learner's: the stub."""
    return re.sub(r"^(def|class) ([wW])rong_?", _as_the_learners, inspect.getsource(program), count=1)


def _as_the_learners(found: re.Match) -> str:
    return f"{found[1]} my_" if found[2] == "w" else f"{found[1]} My"
