"""How a check comes to its verdict: the learner's result beside the right one and beside every mistake's."""

import copy
import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from helpers.exercises import errors, limits, relations, sources
from helpers.exercises.comparison import Difference, as_text, difference
from helpers.exercises.exercise import NOT_JUDGED, NOT_TRIED, NOT_YET, RIGHT, Exercise, Mistake, Verdict
from helpers.exercises.likeness import first_part, most_alike

__all__ = ["verdict_on", "outcome_of", "same", "filled", "numbers", "Outcome"]

# Seconds. Of the right function and of mistakes it is known whether they end: what stops them must not be a
# busy machine, so they are given seconds of the processor, and more by the clock.
MOST_FOR_A_MISTAKE, MOST_ON_A_BUSY_MACHINE = 0.5, 30.0
AGAIN = 4  # times as long for a mistake that was stopped: only one without an end is stopped twice
MOST_PRINTED = 100  # characters of what a learner's function prints


@dataclass
class Outcome:
    """What a program gave on the probe: its result or its error, and what it did besides."""

    value: Any = None
    error: BaseException | None = None
    changed: list[str] = field(default_factory=list)  # names of inputs that are no longer what they were
    shared: list[str] = field(default_factory=list)  # names of inputs that live on in the result
    printed: str = ""
    seconds: float = 0.0
    processor: float = 0.0  # of these, as limits.Run has it
    stopped: bool = False
    calls: int = 0


def verdict_on(exercise: Exercise, function: Callable) -> Verdict:
    """The verdict on a learner's function; an error of the check itself is told as one, not raised."""
    try:
        return _judge(exercise, function)
    except Exception as error:
        words = f"the check itself failed ({type(error).__name__}: {error}); please report it"
        return Verdict(NOT_JUDGED, words)


def _judge(exercise: Exercise, function: Callable) -> Verdict:
    name = exercise.learner
    if function is None or function is ... or not callable(function):
        words = f'give it the function itself, check("{exercise.id}", {name}), not {as_text(function)}'
        words += " (without brackets behind its name)" if function is not None else ""
        return Verdict(NOT_YET, words)
    if sources.is_untouched(function, exercise.stub, name):
        return Verdict(NOT_TRIED, "not tried yet")
    right = outcome_of(exercise, exercise.reference)
    if not right.stopped and 5 * right.seconds > exercise.seconds:  # what it imports is imported now
        right = outcome_of(exercise, exercise.reference)
    if right.stopped:
        words = f"this machine is so busy that the right function did not end within {right.seconds:.0f} s"
        return Verdict(NOT_JUDGED, f"{words}: check again when it is quieter")
    if right.error is not None:
        raise RuntimeError("the right function fails on the probe") from right.error
    limit = max(exercise.seconds, 5 * right.seconds)
    yours = outcome_of(exercise, function, limit)
    if yours.stopped and yours.processor < limit / 2:  # once more, for the machine may have been busy
        yours = outcome_of(exercise, function, limit)
    words = _complaint(exercise, function, yours, right, limit)
    if words is None:
        return Verdict(RIGHT, f"right. Notice that {exercise.notice}")
    if yours.printed.strip():
        printed = " ".join(yours.printed.split())
        printed = printed if len(printed) <= MOST_PRINTED else printed[: MOST_PRINTED - 1] + "…"
        words += f" (It printed: {printed})"
    return Verdict(NOT_YET, words)


def _complaint(
    exercise: Exercise, function: Callable, yours: Outcome, right: Outcome, limit: float
) -> str | None:
    """What is wrong with an outcome, for the learner; None where nothing is. limit: its seconds."""
    if yours.stopped:
        words = f"it did not end within {limit:.2g} s: does each loop come nearer to its end?"
        if yours.processor < limit / 2:
            had = f"It had the processor for {yours.processor:.2g} s of these"
            words += f" ({had}: it waits for something, or this machine is busy; then check again.)"
        return f"{words} {mistake}" if (mistake := _mistake(exercise, yours, right)) else words
    found = first_difference(exercise, yours, right)
    if yours.error is not None and found is None:
        words = error_in_words(exercise, function, yours.error)
        return _joined(words, _mistake(exercise, yours, right) or errors.explained(yours.error))
    if yours.calls == 0 and inspect.isfunction(function):
        raise RuntimeError("the probe never called the function")
    if found is None:
        if changed := [n for n in yours.changed if n not in exercise.changes]:
            return _mistake(exercise, yours, right) or (
                f"the result is right, but your function changes its input `{changed[0]}`, which the caller "
                f"still needs: work on a copy, or make something new"
            )
        if exercise.fresh and yours.shared:
            return (
                f"the numbers are right, but your result shares its memory with the input "
                f"`{yours.shared[0]}`: who changes one changes the other, so make something new"
            )
        return None
    mistake = _mistake(exercise, yours, right)
    if mistake and found.kind == "value":
        return mistake
    if mistake:
        return _joined(found.sentence, mistake)
    words = _joined(found.sentence, relations.relation(yours.value, right.value))
    if isinstance(yours.value, dict) and isinstance(right.value, dict):  # a probe of several parts
        asked = exercise.asks.get(first_part(yours.value, right.value, exercise.tolerance))
        words = _joined(words, asked)
    return words


def _joined(words: str, more: str | None) -> str:
    if not more:
        return words
    return f"{words}{'' if words.endswith(('.', '?', '!')) else '.'} {more[:1].upper()}{more[1:]}"


def first_difference(exercise: Exercise, yours: Outcome, right: Outcome) -> Difference | None:
    """Where the results part; after an error, among the parts that came before it."""
    if yours.error is None:
        return difference(yours.value, right.value, exercise.tolerance)
    before = {name: right.value[name] for name in yours.value or {}}
    return difference(yours.value or {}, before, exercise.tolerance)


_endless: list[Mistake] = []  # those that were stopped twice, so that no check waits for them again


def _mistake(exercise: Exercise, yours: Outcome, right: Outcome) -> str | None:
    """The message of the mistake that gives what the learner's function gives, or what is most like it."""
    limit = max(MOST_FOR_A_MISTAKE, 20 * right.seconds)
    found, stopped = [], []
    for mistake in exercise.mistakes:
        theirs = outcome_of(exercise, mistake.function, limit, MOST_ON_A_BUSY_MACHINE)
        if same(exercise, yours, theirs) and not same(exercise, theirs, right):
            return filled(exercise, mistake, yours, right)
        (stopped if theirs.stopped else found).append((mistake, theirs))
    for mistake, theirs in stopped:
        if mistake not in _endless and not yours.stopped:
            theirs = outcome_of(exercise, mistake.function, AGAIN * limit, AGAIN * MOST_ON_A_BUSY_MACHINE)
            if same(exercise, yours, theirs) and not same(exercise, theirs, right):
                return filled(exercise, mistake, yours, right)
            if theirs.stopped:
                _endless.append(mistake)
        found.append((mistake, theirs))
    for mistake in exercise.mistakes:
        if mistake.raises and isinstance(yours.error, mistake.raises):
            return filled(exercise, mistake, yours, right)
    mistake = most_alike(exercise, yours, right, found)
    return filled(exercise, mistake, yours, right) if mistake else None


def same(exercise: Exercise, a: Outcome, b: Outcome) -> bool:
    """Whether two outcomes can't be told apart: results within the tolerance, same error, same changes."""
    if a.stopped or b.stopped:
        return a.stopped and b.stopped
    if type(a.error) is not type(b.error) or str(a.error) != str(b.error):
        return False
    if difference(a.value, b.value, exercise.tolerance) or difference(b.value, a.value, exercise.tolerance):
        return False
    return set(a.changed) - set(exercise.changes) == set(b.changed) - set(exercise.changes)


def filled(exercise: Exercise, mistake: Mistake, yours: Outcome, right: Outcome) -> str:
    """A mistake's message with the learner's numbers in it."""
    return mistake.message.format(**numbers(exercise, mistake, yours, right))


def numbers(exercise: Exercise, mistake: Mistake, yours: Outcome, right: Outcome) -> dict:
    """What a mistake's message can show: {yours}, {expected}, {where}."""
    show = exercise.show if mistake.show is None else mistake.show
    found = first_difference(exercise, yours, right)
    values = {"where": found.where if found else ""}
    values |= {
        "yours": as_text(found.yours) if found else "",
        "expected": as_text(found.expected) if found else "",
    }
    if show:
        for key, result in (("yours", yours.value), ("expected", right.value)):
            try:
                part = show(result)
            except Exception:  # the learner's result has another form than the probe's
                continue
            named = isinstance(part, Mapping)
            values[key] = {k: as_text(v) for k, v in part.items()} if named else as_text(part)
    return values


def outcome_of(
    exercise: Exercise, function: Callable, seconds: float | None = None, patience: float | None = None
) -> Outcome:
    """Run a program on the probe; of one that yields (name, result), what came before an error is kept.

    seconds, patience: as `limits.within` takes them; without `seconds` the exercise's, of the processor.
    """
    watched, calls = _watched(function)
    parts: dict[str, Any] = {}
    raw: list[Any] = []

    def go():
        result = exercise.probe(watched)
        if not inspect.isgenerator(result):
            raw.append(result)
            return _kept(result)
        for name, part in result:
            raw.append(part)
            parts[name] = _kept(part)
        return parts

    if seconds is None:
        seconds, patience = max(exercise.seconds, 3.0), MOST_ON_A_BUSY_MACHINE
        if function is exercise.reference:  # it does end, and the first call may import for a while
            seconds, patience = patience, 10 * patience
    run = limits.run(go, seconds, patience)
    value = parts or None if run.error is not None else run.value
    found = Outcome(value, run.error, printed=run.printed, seconds=run.seconds, stopped=run.stopped)
    found.processor, found.calls = run.processor, len(calls)
    for arguments, before in calls:
        for name, value in arguments.items():
            if name not in found.changed and not _unchanged(value, before[name]):
                found.changed.append(name)
            if exercise.fresh and name not in found.shared and _shares(raw, value):
                found.shared.append(name)
    return found


def _watched(function: Callable) -> tuple[Callable, list]:
    """The function, noting with what it is called; a class stays itself, since a probe may ask it more."""
    calls: list[tuple[dict, dict]] = []
    if isinstance(function, type):
        return function, calls
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        signature = None

    @functools.wraps(function)
    def call(*args, **kwargs):
        try:
            arguments = dict(signature.bind(*args, **kwargs).arguments)
        except (TypeError, AttributeError):
            arguments = {f"argument {i + 1}": a for i, a in enumerate(args)} | kwargs
        calls.append((arguments, {name: _kept(value) for name, value in arguments.items()}))
        return function(*args, **kwargs)

    return call, calls


def _kept(value):
    """A copy of tensors, arrays and containers; other things (models, generators) as they are."""
    if hasattr(value, "detach") and hasattr(value, "clone"):
        return value.detach().clone() if type(value).__name__ in ("Tensor", "Parameter") else value
    if type(value).__name__ == "ndarray":
        return value.copy()
    if type(value) in (list, tuple, set):
        return type(value)(_kept(v) for v in value)
    if isinstance(value, dict):
        same_kind = type(value) in (dict,)
        return {k: _kept(v) for k, v in value.items()} if same_kind else _shallow(value)
    return value


def _shallow(value):
    try:
        return copy.copy(value)
    except Exception:
        return value


def _unchanged(now, before) -> bool:
    if now is before:
        return True
    try:
        return difference(now, before, 0.0) is None
    except Exception:
        return True


def _shares(result, value) -> bool:
    """Whether a tensor of the result lies in the memory of an input, or a list is the same list."""
    if isinstance(result, dict):
        return any(_shares(r, value) for r in result.values())
    if isinstance(result, list | tuple):
        return result is value or any(_shares(r, value) for r in result)
    if hasattr(result, "data_ptr") and hasattr(value, "data_ptr"):
        return result.untyped_storage().data_ptr() == value.untyped_storage().data_ptr()
    return False


def error_in_words(exercise: Exercise, function: Callable, error: BaseException) -> str:
    """An exception of the learner's code in one line, with the line of their cell."""
    text = " ".join(str(error).split()) or "no message"
    text = text if len(text) <= 160 else text[:159] + "…"
    words = f"{type(error).__name__}: {text.rstrip('.')}"
    place = sources.line_of(function, error.__traceback__, exercise.probe)
    if place:
        words += f" (line {place[0]} of your cell" + (f": `{place[1]}`)" if place[1] else ")")
    elif isinstance(error, TypeError) and "argument" in text:
        wanted = exercise.stub.split("):")[0].split(") ->")[0]
        wanted = wanted[wanted.rfind("\ndef ") + 1 :].removeprefix("def ")
        words += f". It is called as {' '.join(wanted.split())})"
    elif not isinstance(error, SystemExit):
        words = f"your result can't be used as one expects ({words})"
    if isinstance(error, NameError) and not isinstance(error, UnboundLocalError):
        words += ". Is the name misspelled, or defined in a cell that has not been run?"
    if isinstance(error, RecursionError):
        words = "RecursionError: your function calls itself without an end"
    if isinstance(error, SystemExit):
        words = "it calls exit(): give the result back with `return`"
    return words
