"""What a script says and returns when a study stops."""

import pytest

from helpers.data import DataError
from helpers.studies.errors import RowError, exit_code
from helpers.studies.tables import TableError


def stop(error):
    raise error


def test_the_exit_code_of_work_that_ends(capsys):
    assert [exit_code(lambda code=code: code) for code in (None, 0, 1)] == [0, 0, 1]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("kind", [RowError, TableError, DataError])
def test_a_known_error_is_a_sentence(kind, capsys):
    assert exit_code(lambda: stop(kind("no room: choose another file"))) == 1
    assert capsys.readouterr().err == "error: no room: choose another file\n"


def test_an_interruption_and_an_unknown_error(capsys):
    assert exit_code(lambda: stop(KeyboardInterrupt())) == 130
    assert "the same command goes on" in capsys.readouterr().out
    with pytest.raises(ZeroDivisionError):
        exit_code(lambda: 1 // 0)
