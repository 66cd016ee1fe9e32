"""Tables of runs on the disk: what is kept, and what is refused."""

import numpy as np
import pytest

from helpers.studies.tables import RunTable, TableError


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
