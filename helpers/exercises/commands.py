"""What a learner types: check, hint, guess, restore, forget. Each prints text and raises nothing."""

import difflib
import inspect
import textwrap
from collections.abc import Callable

from helpers.exercises import mine, tables
from helpers.exercises.exercise import NOT_JUDGED, NOT_TRIED, NOT_YET, RIGHT, Verdict
from helpers.exercises.tables import EXERCISES, QUESTIONS

__all__ = ["check", "hint", "guess", "restore", "forget"]

_MISSING = object()
_WIDTH = 96  # characters: what a page shows without breaking lines inside of words
_hints_given: dict[str, int] = {}


def check(exercise_id: str, function: Callable = _MISSING) -> None:
    """Print whether your function does what exercise `exercise_id` asks for, and if not, why."""
    exercise = _found(EXERCISES, exercise_id, "exercise")
    if exercise is None:
        return
    if function is _MISSING:
        function = _caller_has(exercise.learner)
        if function is None:
            print(f"{exercise.id} not yet: there is no {exercise.learner} here; run the cell that defines it")
            return
    verdict = exercise.check(function)
    _say(line(exercise.id, verdict))
    if verdict.status not in (NOT_TRIED, NOT_JUDGED):
        _remember(exercise, function, verdict)


def _remember(exercise, function: Callable, verdict: Verdict) -> None:
    """Note how an exercise stands, and keep a function that passed; a line where it can't be kept."""
    try:
        mine.note(exercise.id, verdict.status)
        words = mine.keep(exercise, function) if verdict.status == RIGHT else None
    except Exception as error:  # a function of an unheard-of kind: it is right all the same
        words = f"it can't be kept ({type(error).__name__}: {error})"
    if words:
        print(f"{exercise.id} note: {words}")


def line(exercise_id: str, verdict: Verdict) -> str:
    """A verdict as the words that are printed."""
    if verdict.status in (NOT_YET, NOT_JUDGED):
        return f"{exercise_id} {verdict.status}: {verdict.message}"
    return f"{exercise_id} {verdict.message}"


def hint(exercise_id: str = "", number: int | None = None) -> None:
    """Print a hint for an exercise: the first, then the next at each call, or the one with that number."""
    if not exercise_id:
        words = 'hint("…") with an exercise\'s number prints its first hint, then the next'
        print(f'{words}; hint("…", 1) the first')
        return
    exercise = _found(EXERCISES, exercise_id, "exercise")
    if exercise is None:
        return
    count = len(exercise.hints)
    if number is None:
        number = min(_hints_given.get(exercise.id, 0) + 1, count)
    if not isinstance(number, int) or not 1 <= number <= count:
        print(f"{exercise.id} has the hints 1 to {count}")
        return
    _hints_given[exercise.id] = number
    _say(f"{exercise.id} hint {number} of {count}: {exercise.hints[number - 1]}")


def guess(question_id: str, answer=...) -> None:
    """Print what to say to your guess: "b" for a choice, a number, or a word."""
    question = _found(QUESTIONS, question_id, "question")
    if question is None:
        return
    if answer is ... or answer is None or str(answer).strip() in ("", "?", "..."):
        print(f"{question.id} not guessed yet")
        return
    right, words = question.answered(answer)
    mine.note(question.id, RIGHT if right else NOT_YET)
    _say(f"{question.id} {'right' if right else 'not quite'}: {words}")


def restore(exercise_id: str = "") -> None:
    """Bring back what passed: all your functions into this notebook, or print one, to be pasted.

    Functions are kept when a check passes, so they survive a new version of the notebooks.
    """
    if exercise_id:
        exercise, text = _found(EXERCISES, exercise_id, "exercise"), mine.source(exercise_id)
        if exercise is not None:
            print(
                mine.definition(text, exercise.learner) if text else f"{exercise_id}: nothing is kept of it"
            )
        return
    space, back = inspect.currentframe().f_back.f_globals, []
    for name in mine.kept():
        exercise = EXERCISES.get(name)
        if exercise is None:
            print(f"{name} is no longer in the course; its file stays in {mine.folder()}")
            continue
        try:
            space[exercise.learner] = mine.define(exercise, {**_taught(exercise), **space})
            back.append(f"{exercise.learner} ({name})")
        except ValueError as error:
            print(error)
    print(f"back in this notebook: {', '.join(back)}" if back else "nothing is kept yet")


def forget(exercise_id: str) -> None:
    """Remove your kept function of an exercise, so that the course's takes its place in what is built."""
    if _found(EXERCISES, exercise_id, "exercise") is not None:
        print(f"{exercise_id}: {'forgotten' if mine.forget(exercise_id) else 'nothing is kept of it'}")


def _say(words: str) -> None:
    """Print long lines as several, broken between words."""
    for row in words.splitlines():
        print(textwrap.fill(row, _WIDTH, subsequent_indent="    ", break_long_words=False,
                            break_on_hyphens=False, replace_whitespace=False))  # fmt: skip


def _taught(exercise) -> dict:
    """The names beside the right function: a learner's may use them, too."""
    return dict(getattr(inspect.unwrap(exercise.reference), "__globals__", {}))


def _found(entries: dict, wanted, kind: str):
    """The exercise or question with an id; None, after a sentence, where there is none."""
    try:
        if wanted in entries:
            return entries[wanted]
        names = list(entries)
    except Exception as error:
        print(f"{wanted}: the table of this notebook can't be read ({error})")
        return None
    number = str(wanted).partition(".")[0]
    if number.isdigit() and (problem := tables.problems().get(int(number))):
        print(f"{wanted}: {problem}")
        return None
    near = difflib.get_close_matches(str(wanted), names, 1, 0.4)
    print(f"there is no {kind} {wanted!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
    return None


def _caller_has(name: str):
    """The thing of that name where the command was called from."""
    frame = inspect.currentframe().f_back.f_back
    return frame.f_locals.get(name, frame.f_globals.get(name))
