"""Which mistake explains a result that no mistake gives as a whole."""

import pytest

from helpers.exercises import judging
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.likeness import most_alike, telling

STUB = """
def my_mean_and_range(values):
    ...
"""


def probe(function):
    yield "the mean", function([1.0, 2.0, 4.5])[0]
    yield "the range", function([1.0, 2.0, 4.5])[1]
    yield "of one number", list(function([3.0]))


def right(values):
    return sum(values) / len(values), max(values) - min(values)


def by_one_less(values):
    return sum(values) / max(1, len(values) - 1), max(values) - min(values)


def summed(values):
    return sum(values), max(values) - min(values)


def largest(values):
    return sum(values) / len(values), max(values)


def exercise(*mistakes):
    return Exercise(
        id="1.1", name="mean_and_range", reference=right, stub=STUB, probe=probe, hints=("a", "b"),
        mistakes=mistakes, notice="it is so", difficulty=1, minutes=1,
    )  # fmt: skip


MEAN = Mistake("n - 1", by_one_less, "the mean is {yours}, expected {expected}: n - 1 is not n")
SUM = Mistake("sum", summed, "the mean is {yours}, expected {expected}: that is the sum")
RANGE = Mistake("largest", largest, "the range is {yours}, expected {expected}: that is the largest")


def test_of_two_mistakes_at_once_the_first_is_named():
    def both(values):
        return by_one_less(values)[0], largest(values)[1]

    words = exercise(RANGE, SUM, MEAN).check(both).message
    assert words == "the mean is 3.75, expected 2.5: n - 1 is not n"


def test_another_number_in_that_part_is_no_mistake_of_the_table():
    words = exercise(RANGE, SUM, MEAN).check(lambda values: (sum(values) / 2.5, 0.0)).message
    assert "n - 1" not in words and "the sum" not in words and "the mean" in words


def test_two_mistakes_that_fit_as_well_are_not_told_apart():
    def other(values):
        return by_one_less(values)[0], 1.0

    def another(values):
        return by_one_less(values)[0], 2.0

    twins = (Mistake("one", other, "one"), Mistake("two", another, "two"))
    words = exercise(*twins).check(lambda values: (by_one_less(values)[0], 7.0)).message
    assert words not in ("one", "two") and "the mean: yours is 3.75" in words


def test_the_one_that_fits_better_is_taken():
    close = Mistake("close", lambda values: (by_one_less(values)[0], largest(values)[1]), "the closer one")
    table = exercise(MEAN, close)
    verdict = table.check(lambda values: (by_one_less(values)[0], largest(values)[1] + (len(values) == 1)))
    assert verdict.message == "the closer one"


@pytest.mark.parametrize(
    ("value", "expected", "enough"),
    [
        (True, False, False),
        (0, 3, False),
        (12, 3, True),
        (0.0, 0.5, False),
        (0.75, 0.5, True),
        ([1, 2, 3], [1, 2, 4], False),
        ([1, 3, 3], [1, 2, 4], True),
        ("frozen", "trained", True),
    ],
)
def test_how_much_a_part_must_say(value, expected, enough):
    assert telling(value, expected) is enough


def test_a_result_without_the_part_has_no_likeness():
    table = exercise(MEAN)
    ours = judging.outcome_of(table, right)
    nothing = judging.Outcome(value=None)
    assert most_alike(table, nothing, ours, [(MEAN, judging.outcome_of(table, by_one_less))]) is None
