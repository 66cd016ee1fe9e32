"""Every exercise and question of the course: made from the tables.

python -m pytest -n 0 tests/exercises/test_exercises.py -k nb04      those of one notebook
"""

import functools
import inspect
import itertools
import re
import sys

import pytest

from helpers.exercises import EXERCISES, QUESTIONS, judging, tables
from helpers.exercises.comparison import difference
from helpers.exercises.exercise import NOT_TRIED, NOT_YET, RIGHT
from scripts.dev import sync_exercises

ROOT = sync_exercises.ROOT


def named(entries):
    """The entries of a table, each under a name that -k finds: nb04-3."""
    return [pytest.param(e, id=f"nb{e.notebook:02}-{e.id.partition('.')[2]}") for e in entries.values()]


exercises = pytest.mark.parametrize("exercise", named(EXERCISES))
questions = pytest.mark.parametrize("question", named(QUESTIONS))


@functools.cache
def outcomes(exercise_id):
    exercise = EXERCISES[exercise_id]
    programs = [exercise.reference, *(mistake.function for mistake in exercise.mistakes)]
    return [judging.outcome_of(exercise, program) for program in programs]


def test_every_table_can_be_read():
    assert tables.problems() == {}


@pytest.mark.stored
def test_the_tables_and_the_notebooks_are_one():
    assert sync_exercises.problems(ROOT) == []


def test_numbers_run_from_one():
    for kind in ("", "b", "q"):
        for notebook in tables.NOTEBOOKS:
            ids = [i for i in [*EXERCISES, *QUESTIONS] if re.fullmatch(rf"{notebook}\.{kind}\d+", i)]
            assert ids == [f"{notebook}.{kind}{n}" for n in range(1, len(ids) + 1)]


@exercises
def test_the_right_function_passes(exercise):
    verdict = exercise.check(exercise.reference)
    assert verdict.status == RIGHT, verdict.message
    assert verdict.message == f"right. Notice that {exercise.notice}"


@exercises
def test_other_right_functions_pass(exercise):
    for number, variant in enumerate(exercise.variants):
        verdict = exercise.check(variant)
        assert verdict.status == RIGHT, f"variant {number}: {verdict.message}"


def above(exercise):
    """The names that a stub may use, such as in a default: those of the module that teaches it."""
    reference = inspect.unwrap(exercise.reference)
    if isinstance(reference, type):  # a whole class as stub
        return dict(vars(sys.modules[reference.__module__]))
    return dict(getattr(reference, "__globals__", {}))


def default_of(parameter):
    """A parameter's default; of a function, only that there is one, since no two are equal."""
    return "a function" if inspect.isfunction(parameter.default) else parameter.default


@exercises
def test_a_stub_is_called_as_the_right_function(exercise):
    """What is built calls the learner's function in the place of the course's."""
    space = above(exercise)
    exec(compile(exercise.stub, "<stub>", "exec"), space)
    mine = space[exercise.learner]
    if exercise.kind == "write" and not isinstance(mine, type):
        theirs = inspect.signature(exercise.reference).parameters.values()
        given = inspect.signature(mine).parameters.values()
        assert [(p.name, default_of(p)) for p in given] == [(p.name, default_of(p)) for p in theirs]


@exercises
def test_the_stub_is_not_tried(exercise):
    space = above(exercise)
    exec(compile(exercise.stub, "<stub>", "exec"), space)
    assert exercise.check(space[exercise.learner]).status == NOT_TRIED


@exercises
def test_every_mistake_gets_its_own_message(exercise):
    for mistake in exercise.mistakes:
        verdict = exercise.check(mistake.function)
        assert verdict.status == NOT_YET, f"{mistake.name!r} is called {verdict.status}"
        fixed = [part for part in re.split(r"\{[^}]*\}", mistake.message) if len(part) > 12]
        assert fixed, f"{mistake.name!r}: its message is hardly more than numbers"
        for part in fixed:
            assert part[1:] in verdict.message, f"{mistake.name!r} gets: {verdict.message}"
        for other in exercise.mistakes:
            parts = re.split(r"\{[^}]*\}", other.message)
            same = other is not mistake and all(part[1:] in verdict.message for part in parts)
            assert not same, f"{mistake.name!r} gets the message of {other.name!r}: {verdict.message}"


@exercises
def test_numbers_in_a_message_show_the_difference(exercise):
    right = outcomes(exercise.id)[0]
    for mistake, found in zip(exercise.mistakes, outcomes(exercise.id)[1:], strict=True):
        values = judging.numbers(exercise, mistake, found, right)
        if "{yours" in mistake.message:
            assert values["yours"] and values["yours"] != values["expected"], f"{mistake.name!r}: {values}"
            assert mistake.message.format(**values)


@exercises
def test_mistakes_differ_on_the_probe(exercise):
    found = outcomes(exercise.id)
    names = ["the right function", *(mistake.name for mistake in exercise.mistakes)]
    for (one, a), (other, b) in itertools.combinations(zip(names, found, strict=True), 2):
        assert not judging.same(exercise, a, b), f"{one!r} and {other!r} give the same"


@exercises
def test_the_learner_s_object_is_what_is_called(exercise):
    """Not one of that name: a program that fails in its own way is seen to fail so."""
    if isinstance(exercise.reference, type):

        class Other:
            def __init__(self, *args, **kwargs):
                raise LookupError("mine was called")
    else:

        def Other(*args, **kwargs):
            raise LookupError("mine was called")

    assert "LookupError: mine was called" in exercise.check(Other).message


@exercises
def test_a_probe_gives_the_same_twice(exercise):
    again = judging.outcome_of(exercise, exercise.reference)
    assert difference(again.value, outcomes(exercise.id)[0].value, 0.0) is None


@exercises
def test_its_words(exercise):
    kind = "b" if exercise.kind == "bug" else ""
    assert re.fullmatch(rf"\d+\.{kind}\d+", exercise.id)
    assert len(exercise.hints) >= 2 and all(len(hint) > 20 for hint in exercise.hints)
    assert len(set(exercise.hints)) == len(exercise.hints)
    assert len(exercise.mistakes) >= (3 if exercise.kind == "bug" else 5)
    assert len({mistake.message for mistake in exercise.mistakes}) == len(exercise.mistakes)
    assert len({mistake.name for mistake in exercise.mistakes}) == len(exercise.mistakes)
    assert exercise.difficulty in (1, 2, 3) and 3 <= exercise.minutes <= 30
    assert exercise.notice and not exercise.notice.endswith("."), "it continues a sentence without its stop"


@exercises
def test_what_parts_are_about(exercise):
    parts = outcomes(exercise.id)[0].value
    assert set(exercise.asks) <= set(parts), "it names a part that the probe doesn't have"
    assert all(len(words) > 20 and not words.endswith(".") for words in exercise.asks.values())


@exercises
def test_it_is_quick(exercise):
    slowest = max(found.processor for found in outcomes(exercise.id) if not found.stopped)
    assert slowest < 1.0, f"a run of the probe takes {slowest:.1f} s of the processor"


@questions
def test_a_question(question):
    assert question.answered(question.answer)[0]
    assert question.text and question.because
    for key, words in question.wrong.items():
        right, said = question.answered(key)
        assert not right and said == words
    if question.choices:
        assert len(question.choices) >= 2 and len(set(question.wrong.values())) == len(question.wrong)
    elif not isinstance(question.answer, str):
        assert not question.answered(question.answer * 2 + 1)[0]


def test_no_message_serves_two_exercises():
    messages = [mistake.message for exercise in EXERCISES.values() for mistake in exercise.mistakes]
    twice = {message for message in messages if messages.count(message) > 1}
    assert not twice
