"""Arguments are refused where they enter, with a sentence that names what was given."""

import argparse
import os

import pytest

from helpers.training import options


@pytest.mark.parametrize(
    "kind, good, value",
    [
        (options.count(), "3", 3),
        (options.count(0), "0", 0),
        (options.seed(), "2147483647", 2**31 - 1),
        (options.threads(), "2", 2),
        (options.number(above=0), "1e-3", 1e-3),
        (options.number(least=0, below=1), "0", 0.0),
        (options.number(above=0, most=1), "1", 1.0),
    ],
)
def test_good_values(kind, good, value):
    assert kind(good) == value


@pytest.mark.parametrize(
    "kind, bad, message",
    [
        (options.count(), "0", "must be at least 1, not 0"),
        (options.count(), "2.5", "must be a whole number, not '2.5'"),
        (options.count(), str(10**20), "must be at most 2,147,483,647"),
        (options.seed(), "-1", "must be at least 0, not -1"),
        (options.threads(), str(10**12), "must be at most 1,024"),
        (options.number(above=0), "nan", "must be a finite number, not nan"),
        (options.number(above=0), "inf", "must be a finite number, not inf"),
        (options.number(above=0), "x", "must be a number, not 'x'"),
        (options.number(above=0), "0", "must be above 0, not 0"),
        (options.number(least=0, below=1), "1", "must be at least 0 and below 1, not 1"),
        (options.number(least=0, below=1), "-1e-9", "must be at least 0 and below 1, not -1e-9"),
        (options.number(above=0, most=1), "1.5", "must be above 0 and at most 1, not 1.5"),
    ],
)
def test_bad_values(kind, bad, message):
    with pytest.raises(argparse.ArgumentTypeError) as caught:
        kind(bad)
    assert message in str(caught.value)


def test_files_and_tables(tmp_path):
    text = tmp_path / "a.txt"
    text.write_text("a")
    assert options.file()(str(text)) == text
    assert options.table()(str(tmp_path / "new.csv")) == tmp_path / "new.csv"
    for there in (tmp_path, tmp_path / "new" / "folder"):
        assert options.folder()(str(there)) == there
    (tmp_path / "folder.csv").mkdir()
    for kind, given, message in (
        (options.file(), tmp_path, "is a folder, not a file"),
        (options.file(), tmp_path / "b.txt", "there is no file"),
        (options.table(), tmp_path / "new.txt", r"must end in .csv, not new.txt"),
        (options.table(), tmp_path / "folder.csv", "is a folder"),
        (options.table(), tmp_path / "missing" / "new.csv", "there is no folder .*missing for new.csv"),
        (options.table(), text / "new.csv", "there is no folder .*a.txt for new.csv"),
        (options.file(), "a" * 5000, "there is no file"),
        (options.folder(), text, "a.txt is not a folder"),
        (options.folder(), text / "deeper" / "still", "a.txt is not a folder"),
        (options.folder(), "", "must be the name of a folder"),
    ):
        with pytest.raises(argparse.ArgumentTypeError, match=message):
            kind(str(given))


def test_the_parser_says_which_option(capsys):
    parser = argparse.ArgumentParser(prog="script")
    parser.add_argument("--steps", type=options.count())
    with pytest.raises(SystemExit) as caught:
        parser.parse_args(["--steps", "0"])
    assert caught.value.code == 2
    assert "argument --steps: must be at least 1, not 0" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a user whom permissions bind")
def test_places_that_are_closed_to_us(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    (tmp_path / "kept.csv").touch(mode=0o400)
    for kind, given in (
        (options.table(), closed / "new.csv"), (options.table(), tmp_path / "kept.csv"),
        (options.folder(), closed / "new"),
    ):  # fmt: skip
        with pytest.raises(argparse.ArgumentTypeError, match="can't be written"):
            kind(str(given))
