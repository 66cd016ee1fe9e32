"""Tables of runs on the disk: what is kept, and what is refused."""

import numpy as np
import pytest
import torch

from helpers.studies.tables import RunTable, TableError, number_in


def test_a_table_keeps_its_columns_answers_and_labels(tmp_path):
    found = RunTable(tmp_path / "a.csv", ("task", "seed"), ("accuracy",))
    found.add({"task": "t", "seed": 0, "accuracy": 0.5}, np.array([0, 1]), np.array([0, 0]))
    other = RunTable(tmp_path / "a.csv", ("task", "seed"), ("accuracy",))  # another process
    other.add({"task": "t", "seed": 1}, np.array([0.25, 1.0]), np.array([0, 0]))
    found.add({"task": "t", "seed": 0, "accuracy": 1.0}, np.array([0, 0]), np.array([0, 0]))  # once more
    found.read()
    assert [line["seed"] for line in found.lines] == ["1", "0"]
    assert found.find({"task": "t", "seed": 0})["accuracy"] == "1.0"
    assert found.find({"task": "t", "seed": 2}) is None
    assert found.points(found.lines[0]).tolist() == [0.25, 1.0]
    assert found.points(found.lines[1]).tolist() == [1.0, 1.0]
    with pytest.raises(TableError, match="other test examples"):
        found.add({"task": "t", "seed": 3}, np.array([0, 1]), np.array([1, 0]))
    with pytest.raises(TableError, match="one for each"):
        found.add({"task": "t", "seed": 3}, np.array([0]), np.array([1, 0]))
    with pytest.raises(TableError, match="other columns"):
        RunTable(tmp_path / "a.csv", ("task",), ("accuracy",))
    stored = RunTable.stored(tmp_path / "a.csv")
    assert [line["accuracy"] for line in stored.matching(task="t")] == ["1.0", ""]  # in the order of seeds
    assert stored.points(stored.matching(seed=1)[0]).tolist() == [0.25, 1.0]
    assert stored.matching(task="t", seed=2) == []
    with pytest.raises(TableError, match="no column sed: it has key, task, seed, accuracy"):
        stored.matching(sed=1)
    with pytest.raises(TableError, match="there is no table"):
        RunTable.stored(tmp_path / "b.csv")
    (tmp_path / "a.npz").write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(TableError, match="can't be read"):
        RunTable(tmp_path / "a.csv", ("task", "seed"), ("accuracy",))
    assert not list(tmp_path.glob("*.partial"))


SETTINGS, RESULTS = ("task", "seed", "rate"), ("accuracy", "note")
RIGHT = np.array([0, 1, 1, 0])
LINE = {"task": "t", "seed": 9, "rate": 0.0002}


def make_table(path):
    table = RunTable(path, SETTINGS, RESULTS)
    for seed in range(3):
        line = {"task": "t", "seed": seed, "rate": 0.0002, "accuracy": 0.75, "note": 'step 3,\n"nan"'}
        table.add(line, np.array([seed % 2, 1, 1, 0]), RIGHT)
    return table


def opened(path):
    return RunTable(path, SETTINGS, RESULTS)


def test_what_a_spreadsheet_saved_is_read(tmp_path):
    path = tmp_path / "a.csv"
    lines = make_table(path).lines
    text = path.read_text(encoding="utf-8").replace("\n", "\r\n").replace(",\r\n", ",\n")  # not in the note
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert opened(path).lines == lines == RunTable.stored(path).lines
    opened(path).add({"task": "t", "seed": 3, "rate": 0.0002}, RIGHT, RIGHT)
    assert [line["seed"] for line in opened(path).lines] == ["0", "1", "2", "3"]
    assert path.read_bytes()[:3] == b"key" and b"\r" not in path.read_bytes()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty: delete it"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"\n\n", "is empty"),
        (b"\x89PNG\r\n\x1a\n\x00\xff", "can't be read as a table"),
        ("key,task,seed,rate,accuracy,note\n".encode("utf-16"), "can't be read as a table"),
        (b"key;task;seed;rate;accuracy;note\n", "other columns"),
        (b"key,task,task\n", "a column twice"),
        (b"key,task,seed,rate,accuracy,note\na,t,0\n", "line 1 has 3 cells for 6 columns"),
        (b"key,task,seed,rate,accuracy,note\na,t,0,1,1,,x\n", "line 1 has 7 cells for 6 columns"),
        (b'key,task,seed,rate,accuracy,note\na,t,0,1,1,"cut', "can't be read as a table"),
        (b"key,task,seed,rate,accuracy,note\n" + b"x" * 200_000, "can't be read as a table"),
    ],
)
def test_a_damaged_csv_gets_one_sentence(tmp_path, content, message):
    path = tmp_path / "a.csv"
    make_table(path)
    path.write_bytes(content)
    with pytest.raises(TableError, match=message):
        opened(path)
    if "other columns" not in message:
        with pytest.raises(TableError, match=message):
            RunTable.stored(path)


def test_a_folder_and_a_file_in_the_way_get_one_sentence(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    for read in (opened, RunTable.stored):
        with pytest.raises(TableError, match="can't be read as a table"):
            read(tmp_path / "folder.csv")
    (tmp_path / "file").write_text("")
    table = opened(tmp_path / "file" / "a.csv")
    with pytest.raises(TableError, match="can't be written"):
        table.add(LINE, RIGHT, RIGHT)
    (tmp_path / "b.npz").mkdir()  # in the place of the answers
    with pytest.raises(TableError, match="can't be written"):
        opened(tmp_path / "b.csv").add(LINE, RIGHT, RIGHT)


def test_any_damaged_byte_of_the_answers_is_noticed(tmp_path):
    path, answers = tmp_path / "a.csv", tmp_path / "a.npz"
    table = make_table(path)
    expected = [table.points(line).tolist() for line in table.lines]
    whole = answers.read_bytes()
    damaged = [whole[:length] for length in range(0, len(whole), 7)]
    damaged += [whole[:i] + bytes([whole[i] ^ 1 << i % 8]) + whole[i + 1 :] for i in range(len(whole))]
    np.save(tmp_path / "other.npy", np.zeros(4))
    damaged.append((tmp_path / "other.npy").read_bytes())
    refused = 0
    for content in damaged:
        answers.write_bytes(content)
        try:
            found = opened(path)
        except TableError as error:
            assert "a.npz" in str(error)
            refused += 1
        else:  # such as a date in the archive
            assert [found.points(line).tolist() for line in found.lines] == expected
    assert refused > len(damaged) / 2


def test_no_damaged_byte_of_the_lines_is_a_traceback(tmp_path):
    path = tmp_path / "a.csv"
    settings = [[line[name] for name in SETTINGS] for line in make_table(path).lines]
    whole = path.read_bytes()
    for place in range(len(whole)):
        for byte in b'\xff",\n7':
            path.write_bytes(whole[:place] + bytes([byte]) + whole[place + 1 :])
            try:
                found = opened(path)
            except TableError:
                continue
            assert [[line[name] for name in SETTINGS] for line in found.lines] == settings
            assert [found.points(line).mean() for line in found.lines] == [1, 0.75, 1]


def test_settings_changed_by_hand_and_runs_that_stand_twice_are_refused(tmp_path):
    path = tmp_path / "a.csv"
    make_table(path)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("0.0002", "2.00E-04"), encoding="utf-8")
    with pytest.raises(TableError, match="not those under which it was written"):
        opened(path)
    path.write_text(text + text.split("\n", 1)[1], encoding="utf-8")
    with pytest.raises(TableError, match="a run twice"):
        opened(path)


def test_answers_that_do_not_fit_their_lines(tmp_path):
    path = tmp_path / "a.csv"
    table = make_table(path)
    with np.load(tmp_path / "a.npz") as found:
        whole = {name: found[name] for name in found.files}
    key = table.lines[1]["key"]
    for wrong in (
        {key: np.zeros(3, np.uint8)},
        {key: np.zeros((4, 1), np.uint8)},
        {key: np.array([0.5, 1, 2, 0], np.float32)},
        {key: np.array([0.5, 1, np.nan, 0], np.float32)},
        {key: np.array(["a"] * 4)},
        {"labels of t": np.zeros(0, np.uint8)},
    ):
        np.savez(tmp_path / "a.npz", **whole | wrong)
        with pytest.raises(TableError, match="does not fit a.csv"):
            opened(path)
    np.savez(tmp_path / "a.npz", **{name: whole[name] for name in whole if name != "labels of t"})
    with pytest.raises(TableError, match="no answer to each test example of 't'"):
        opened(path)


@pytest.mark.parametrize(
    "answers", [[0, 1, 1, 256], [0, 1, 1, -1], [0.5, 1, 1.5, 0], [0.5, 1, np.nan, 0], [-0.5, 1, 1, 0]]
)
def test_answers_that_would_not_come_back_are_refused(tmp_path, answers):
    table = opened(tmp_path / "a.csv")
    with pytest.raises(TableError, match="from 0 to 255, points lie from 0 to 1"):
        table.add(LINE, np.array(answers), RIGHT)
    with pytest.raises(TableError, match="from 0 to 255"):
        table.add(LINE, RIGHT, RIGHT + 256)
    assert not table.path.exists()


def test_no_column_is_lost_and_a_stored_table_is_only_read(tmp_path):
    table = make_table(tmp_path / "a.csv")
    with pytest.raises(TableError, match="no column loss"):
        table.add(LINE | {"loss": 0.5}, RIGHT, RIGHT)
    with pytest.raises(TableError, match="lacks the setting 'rate'"):
        table.add({"task": "t", "seed": 9}, RIGHT, RIGHT)
    stored = RunTable.stored(table.path)
    for use in (lambda: stored.add(LINE, RIGHT, RIGHT), lambda: stored.find(LINE)):
        with pytest.raises(TableError, match="opened to be read"):
            use()
    with pytest.raises(TableError, match="no column 'domain'"):
        RunTable.stored(table.path, task="domain")


def test_numbers_in_a_line():
    line = {"a": "0.5", "b": "nan", "c": "many", "d": "3", "e": "9" * 400}
    assert number_in(line, "a") == 0.5 and number_in(line, "d", int) == 3
    assert np.isnan(number_in(line, "b", finite=False))
    for name, kind in (("a", int), ("b", float), ("c", float), ("e", int)):
        with pytest.raises(TableError, match=f"column {name} has '{line[name][:3]}"):
            number_in(line, name, kind)


ODD_CELLS = ["a\rb", "\r", "a\nb", "a\r\nb", 'a "b"', "a,b", " ", "", "\u2028", "\x85", "\ufeff", "é", "😀"]


@pytest.mark.parametrize("cell", ODD_CELLS)
def test_any_text_in_a_cell_is_read_back(tmp_path, cell):
    columns = ("task", "name"), ("note",)
    found = RunTable(tmp_path / "a.csv", *columns)
    found.add({"task": "t", "name": "before"}, [0, 1], [0, 0])
    found.add({"task": cell, "name": cell, "note": cell}, [0, 1], [0, 0])
    found.add({"task": "t", "name": "after"}, [0, 1], [0, 0])
    again = RunTable(tmp_path / "a.csv", *columns)
    assert [line["name"] for line in again.lines] == ["before", cell, "after"]
    assert again.find({"task": cell, "name": cell})["note"] == cell


@pytest.mark.parametrize("cell", ["a\ud800b", "\udfff", "a\0b"])
def test_what_is_no_character_is_refused_and_the_table_stays(tmp_path, cell):
    columns = ("task", "name"), ("note",)
    found = RunTable(tmp_path / "a.csv", *columns)
    found.add({"task": "t", "name": "n"}, [0, 1], [0, 0])
    before = (tmp_path / "a.csv").read_bytes()
    for line in ({"task": cell}, {"name": cell}, {"note": cell}):
        with pytest.raises(TableError, match="no character of a text file"):
            found.add({"task": "t", "name": "m"} | line, [0, 1], [0, 0])
    assert (tmp_path / "a.csv").read_bytes() == before
    assert RunTable(tmp_path / "a.csv", *columns).find({"task": "t", "name": cell}) is None


@pytest.mark.parametrize(
    ("answers", "labels", "words"),
    [
        ([0, 1], [0.7, 1.2], "whole numbers"),
        ([0, 1], [0, float("nan")], "whole numbers"),
        ([0, 1], ["a", "b"], "whole numbers"),
        ([0, 1], [0, 256], "whole numbers"),
        ([0.5, 1.5], [0, 1], "points lie from 0 to 1"),
        ([[0, 1]], [[0, 1]], "one class or point for each"),
        ([], [], "one class or point for each"),
    ],
)
def test_answers_and_labels_that_could_not_be_read_again(tmp_path, answers, labels, words):
    found = RunTable(tmp_path / "a.csv", ("task",), ())
    with pytest.raises(TableError, match=words):
        found.add({"task": "t"}, answers, labels)
    assert not (tmp_path / "a.csv").exists()


def test_missing_answers_are_not_stored(tmp_path):
    found = RunTable(tmp_path / "a.csv", ("task",), ())
    masked = np.ma.array([0, 1], mask=[False, True])
    for answers, labels in ((masked, [0, 1]), ([0, 1], masked), ([0, None], [0, 1])):
        with pytest.raises(ValueError, match="missing"):
            found.add({"task": "t"}, answers, labels)
    assert not (tmp_path / "a.csv").exists()


def test_answers_of_any_container(tmp_path):
    found = RunTable(tmp_path / "a.csv", ("task",), ())
    found.add({"task": "t"}, torch.tensor([0, 1]), (label for label in [0.0, 1.0]))
    assert found.points(found.lines[0]).tolist() == [1.0, 1.0]
