"""The log of the long run."""

import pytest

from helpers.training.log import COLUMNS, Log, read_log
from helpers.training.settings import RunError


def test_lines_after_the_state_and_lines_cut_short_are_dropped(tmp_path):
    columns = [*COLUMNS, "text_loss", "text_accuracy"]
    line = ",".join(["{}", "5e6", "1.5", "0.001", "2", "0.5", "1", "", ""])
    lines = [",".join(columns), *(line.format(step) for step in (5, 10, 15)), "10,3"]
    (tmp_path / "log.csv").write_text("\n".join(lines))
    log = Log(tmp_path, ["text"], 10)
    log.write({"step": 2_345_678, "tokens": 98_765_432_100, "loss": 1.23456789})
    log.board.close()
    text = (tmp_path / "log.csv").read_text().splitlines()
    assert text == [*lines[:3], "2345678,98765432100,,,1.23457,,,,"]


def make_log(folder, steps):
    log = Log(folder, [], 0)
    for step in steps:
        log.write({"step": step, "tokens": 10 * step, "loss": 2.0})
    log.board.close()
    return (folder / "log.csv").read_bytes()


def test_a_log_that_a_spreadsheet_wrote_is_read(tmp_path):
    """It puts a byte order mark in front and ends lines as Windows does."""
    content = make_log(tmp_path, [5, 10])
    (tmp_path / "log.csv").write_bytes(b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n"))
    assert [row["step"] for row in read_log(tmp_path / "log.csv")] == ["5", "10"]
    Log(tmp_path, [], 10).board.close()
    assert (tmp_path / "log.csv").read_bytes() == content


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (bytes(range(256)), "log.csv can't be read"),
        (b"step,loss\n5,\xff\n", "log.csv can't be read"),
        (b"step;loss\n5;2.0\n", "has no column named step, only step;loss"),
        (b'step\n"' + b"a" * 200_000, "log.csv can't be read"),
    ],
    ids=["bytes", "one byte", "semicolons", "a long cell"],
)
def test_what_is_no_log_is_named_and_left_alone(tmp_path, content, words):
    path = tmp_path / "log.csv"
    path.write_bytes(content)
    with pytest.raises(RunError, match=words):
        Log(tmp_path, [], 10)
    assert path.read_bytes() == content


def test_a_log_that_is_a_folder_or_is_not_there(tmp_path):
    assert read_log(tmp_path / "log.csv") == []
    (tmp_path / "log.csv").mkdir()
    with pytest.raises(RunError, match="can't be read"):
        read_log(tmp_path / "log.csv")
