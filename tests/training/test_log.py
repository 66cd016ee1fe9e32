"""The log of the long run."""

from helpers.training.log import COLUMNS, Log


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
