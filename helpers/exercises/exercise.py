"""What an exercise is: a stub, a probe, the right function, and the mistakes that a check can name.

Tables of exercises (helpers/exercises/tables/) are made of these; README.md beside this file says how to
write one. The judging itself is in judging.py.
"""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

__all__ = ["Exercise", "Mistake", "Verdict", "with_method", "NOT_TRIED", "NOT_YET", "RIGHT", "NOT_JUDGED"]

NOT_TRIED, NOT_YET, RIGHT = "not tried", "not yet", "right"
NOT_JUDGED = "not judged"  # nothing was found out: the machine was too busy, or the check itself failed


@dataclass(frozen=True)
class Verdict:
    """What a check says: a status (NOT_TRIED, NOT_YET, RIGHT; NOT_JUDGED), and a message for the learner."""

    status: str
    message: str

    def __bool__(self) -> bool:
        return self.status == RIGHT


@dataclass(frozen=True)
class Mistake:
    """A program that somebody would write, and what to say to who wrote it.

    name: a few words for tables and tests. function: the wrong program, called as the learner's is.
    message: what that program does, in numbers, and the idea to think about; never the code. It is a format
    string: {yours} and {expected} are what `show` takes out of the two results (without `show`: the first
    place that differs), {where} is that place.
    show: instead of the exercise's `show`; False: the first place that differs.
    raises: the mistake ends in an error, and every error of this type is this mistake; without it only an
    error with the same text is.
    """

    name: str
    function: Callable
    message: str
    show: Callable[[Any], Any] | bool | None = None
    raises: type[BaseException] | None = None


@dataclass(frozen=True)
class Exercise:
    """One function, class, or repair that the learner writes.

    id: "4.2" (notebook, number; "4.b1" for a planted bug). name: the taught thing, "split_heads", or
    "EncoderLayer.forward" for a part of a class. stub: the source that stands in the notebook; its definition
    named my_… is the learner's. reference: the right function. probe: calls the function that it is given
    on small inputs, made anew, and returns what is to be compared.
    hints: at least two, from a nudge to nearly the line. notice: continues the sentence "Notice that".
    difficulty: 1 to 3. minutes: what a beginner needs.

    kind: "write", or "bug", where the stub is a whole program with a published bug and `source` says where
    it was published. show: takes from the probe's result what messages show as {yours} and {expected}; a dict
    is shown as {yours[key]}. tolerance: for floats, absolute and relative. seconds: after which a call is
    stopped. changes: names of parameters that the function is allowed to change. fresh: the result must not
    share its memory with an input. variants: other right programs, for the tests. asks: for parts of the
    probe, by name, what this part is about: said where it is the first that differs and no mistake fits.
    """

    id: str
    name: str
    reference: Callable
    stub: str
    probe: Callable[[Callable], Any]
    hints: tuple[str, ...]
    mistakes: tuple[Mistake, ...]
    notice: str
    difficulty: int
    minutes: int
    kind: str = "write"
    source: str = ""
    show: Callable[[Any], Any] | None = None
    tolerance: float | None = None
    seconds: float = 3.0
    changes: tuple[str, ...] = ()
    fresh: bool = False
    variants: tuple[Callable, ...] = field(default=())
    asks: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self):
        object.__setattr__(self, "stub", self.stub.strip("\n"))
        if self.kind not in ("write", "bug"):
            raise ValueError(f"{self.id}: kind is {self.kind!r}, expected 'write' or 'bug'")
        if (self.kind == "bug") != bool(self.source):
            raise ValueError(f"{self.id}: a bug needs the source where it was published; nothing else does")
        self.learner  # noqa: B018  a stub without a name that can be found is an error of the table

    @cached_property
    def learner(self) -> str:
        """The learner's name for it: that of the stub's definition that begins with my_ or My."""
        kinds = ast.FunctionDef | ast.ClassDef
        names = [node.name for node in ast.parse(self.stub).body if isinstance(node, kinds)]
        mine = [name for name in names if name.startswith(("my_", "My"))]
        if not mine:
            raise ValueError(f"{self.id}: its stub defines {names}, expected one name that begins with my_")
        return mine[-1]

    @property
    def notebook(self) -> int:
        return int(self.id.partition(".")[0])

    def check(self, function: Callable) -> Verdict:
        """Judge a learner's function; never raises, but for KeyboardInterrupt, which passes through."""
        from helpers.exercises import judging

        return judging.verdict_on(self, function)


def with_method(cls: type, name: str, function: Callable) -> type:
    """A subclass of `cls` whose method `name` is `function`: what a probe of a method builds."""
    return type(cls.__name__, (cls,), {name: function, "__module__": cls.__module__})
