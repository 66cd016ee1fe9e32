"""must_fail: what it prints of a wrong program, and that it refuses a check which lets one pass."""

import pytest

from helpers.exercises.wrong import must_fail


def test_double(program):
    result = program(3)
    if result != 6:  # no assert, to whose message pytest would add its own words
        raise AssertionError(f"the double of 3 is {result}, expected 6")


def wrong_adds_two(number):
    return number + 2


def wrong_returns_itself(number):
    return number


test_double.__test__ = False  # a check as notebooks have them, and no test of pytest's


def test_the_words_of_a_check_are_printed(capsys):
    must_fail(test_double, wrong_adds_two, wrong_returns_itself)
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "wrong_adds_two: the double of 3 is 5, expected 6",
        "wrong_returns_itself: the double of 3 is 3, expected 6",
    ]


def test_a_wrong_program_that_passes_is_named():
    def wrong_but_right(number):
        return 2 * number

    with pytest.raises(AssertionError, match="wrong_but_right is wrong, and test_double lets it pass"):
        must_fail(test_double, wrong_but_right)


def test_a_check_without_words_is_refused():
    def speechless(program):
        if program(3) != 6:
            raise AssertionError

    with pytest.raises(AssertionError, match="speechless refuses wrong_adds_two without a word"):
        must_fail(speechless, wrong_adds_two)


def test_another_error_comes_through():
    def stumbling(program):
        raise KeyError(program.__name__)

    with pytest.raises(KeyError, match="wrong_adds_two"):
        must_fail(stumbling, wrong_adds_two)
