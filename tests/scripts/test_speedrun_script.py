"""benchmarks/speedrun.py with made-up runs, and its entries on a tiny corpus."""

import csv
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import speedrun as script
from helpers import stories
from helpers.studies import trial_tables
from helpers.studies.speedrun import Entry, Result, race, read_entry
from helpers.studies.story_runs import RECIPE, Task
from tests.scripts.refusing import refusal

ROOT = Path(__file__).resolve().parents[2]
STORED = ROOT / "benchmarks" / "results" / "speedrun.csv"
BAD = {
    "--seeds -1": "argument --seeds: must be at least 0",
    "--limit=0": "argument --limit: must be above 0",
    "--target=1": "argument --target: must be above 0 and below 1",
    "--room=-1": "argument --room: must be at least 0",
    "--timed=0": "argument --timed: must be at least 1",
    "--csv=table.txt": "argument --csv: must end in .csv",
}


@pytest.mark.parametrize("option", BAD)
def test_bad_options(option, capsys):
    assert BAD[option] in refusal(script.main, option.split(), capsys)


@pytest.fixture
def runs(monkeypatch):
    """What was run, with made-up results by entry: (reached, seconds, steps)."""
    made = {"live": (True, 100.0, 8000), "quick": (True, 40.0, 3000), "slow": (False, 300.0, 9000)}
    found = []

    def run(entry, task, seed, most, only=None, target=None):
        found.append((entry.name, seed, most, only))
        reached, seconds, steps = made[entry.name]
        if only:
            return Result(False, 0.0, only, seconds * only / steps, ((only, 1.0, float("nan")),))
        return Result(reached, 0.93 if reached else 0.5, steps, seconds, ((steps, seconds, 0.8),))

    def entry(path):
        return Entry(Path(path).stem, "Ada", f"the {Path(path).stem} one", None, Path(path))

    monkeypatch.setattr(script, "race", run)
    monkeypatch.setattr(script, "read_entry", entry)
    monkeypatch.setattr(script, "commit_of", lambda path: "abc1234")
    monkeypatch.setattr(script, "the_task", lambda: SimpleNamespace())
    return SimpleNamespace(made=made, found=found)


def test_the_reference_runs_once_and_is_timed_again_for_every_seed(runs, tmp_path, capsys):
    table = tmp_path / "runs.csv"
    assert script.main(["--entries", "quick", "slow", "--seeds", "3", "4", "--csv", str(table)]) == 0
    assert [(name, seed, only) for name, seed, _, only in runs.found] == [
        ("live", 0, None), ("quick", 3, None), ("slow", 3, None),
        ("live", 0, script.TIMED), ("quick", 4, None), ("slow", 4, None),
    ]  # fmt: skip
    lines = trial_tables.read(table, script.COLUMNS)
    assert [(line["entry"], line["seed"], line["ratio"], line["reached"]) for line in lines[:3]] == [
        ("live", "0", "1.0000", "yes"), ("quick", "3", "0.4000", "yes"), ("slow", "3", "3.0000", "no"),
    ]  # fmt: skip
    assert lines[1]["commit"] == "abc1234" and lines[1]["who"] == "Ada"
    assert lines[1]["curve"] == "3000:40.0:0.800"
    shown = capsys.readouterr().out
    assert "not reached in 2 of 2 runs" in shown and "target NOT reached, 50.0% of the gain" in shown
    assert shown.splitlines()[-3].startswith("quick        0.40")


def test_an_interrupted_series_goes_on(runs, tmp_path):
    table = tmp_path / "runs.csv"
    script.main(["--entries", "quick", "--seeds", "0", "--csv", str(table)])
    runs.found.clear()
    given = ["--entries", "quick", "slow", "--seeds", "0", "1", "--csv", str(table)]
    script.main(given)
    assert [(name, seed, only) for name, seed, _, only in runs.found] == [
        ("live", 0, script.TIMED), ("slow", 0, None), ("live", 0, script.TIMED), ("quick", 1, None),
        ("slow", 1, None),
    ]  # fmt: skip
    runs.found.clear()
    script.main(given)
    assert not runs.found


def test_without_a_reference_there_is_no_ratio(runs, tmp_path, capsys):
    runs.made["live"] = (False, 900.0, 9000)
    table = tmp_path / "runs.csv"
    assert script.main(["--entries", "quick", "--seeds", "0", "--csv", str(table)]) == 1
    assert "the reference got to 50.0% of the gain, not to 92%" in capsys.readouterr().err
    assert not table.exists()


CASES = [(40, True, 0), (48, True, 0), (56, True, 1), (40, False, 1)]


@pytest.mark.parametrize(("seconds", "reached", "code"), CASES)
def test_the_newest_record_is_checked(runs, tmp_path, capsys, seconds, reached, code):
    table = tmp_path / "runs.csv"
    script.main(["--entries", "quick", "--seeds", "0", "--csv", str(table)])
    before = table.read_bytes()
    runs.found.clear()
    runs.made["live"] = (True, 200.0, 8000)  # a machine half as fast
    runs.made["quick"] = (reached, 2.0 * seconds, 3000)
    assert script.main(["--check-newest", "--seeds", "0", "--csv", str(table)]) == code
    once = [("live", 0, script.LONGEST, script.TIMED), ("quick", 0, 100.0, None)]
    assert runs.found == (3 if code else 1) * once  # a failure is tried again
    assert f"{seconds / 100:.2f} times the reference" in capsys.readouterr().out
    assert table.read_bytes() == before


def test_a_slow_moment_is_no_slower_record(runs, tmp_path, monkeypatch):
    """Other programs slow a run down: one try within the room is enough, and no more are made."""
    table = tmp_path / "runs.csv"
    script.main(["--entries", "quick", "--seeds", "0", "--csv", str(table)])
    run, seconds = script.race, iter((70.0, 44.0, 70.0))

    def disturbed(entry, *given, **options):
        if entry.name == "quick":
            runs.made["quick"] = (True, next(seconds), 3000)
        return run(entry, *given, **options)

    monkeypatch.setattr(script, "race", disturbed)
    assert script.main(["--check-newest", "--seeds", "0", "--csv", str(table)]) == 0
    assert list(seconds) == [70.0]
    seconds = iter((44.0,))
    command = ["--check-newest", "--seeds", "0", "--tries", "1", "--csv", str(table)]
    assert script.main(command) == 0
    seconds = iter((70.0,))
    assert script.main(command) == 1


def test_nothing_to_check(runs, tmp_path, capsys):
    table = tmp_path / "runs.csv"
    assert script.main(["--check-newest", "--csv", str(table)]) == 1
    assert "holds no entry beside the reference that reached the target" in capsys.readouterr().err
    script.main(["--entries", "quick", "--seeds", "0", "--csv", str(table)])
    assert script.main(["--check-newest", "--seeds", "7", "--csv", str(table)]) == 1
    assert "has no run of quick with seed 7" in capsys.readouterr().err


def test_the_record_is_the_best_that_always_gets_there():
    def line(entry, ratio, reached="yes"):
        return {"entry": entry, "ratio": str(ratio), "reached": reached}

    lines = [line("live", 1.0), line("a", 0.5), line("a", 0.6), line("b", 0.5), line("b", 0.5)]
    lines.append(line("c", 0.1, "no"))
    assert script.record(lines) == "b" and script.record(lines[:3]) == "a"
    assert script.record(lines[:1]) is None and script.record([lines[0], lines[-1]]) is None


@pytest.fixture(scope="module")
def small():
    """A task of a few stories; too few for a vocabulary of whole words, so its floor is made up."""
    texts = {"train": stories.stories(60, 5), "validation": stories.stories(10, 6)}
    task = Task(texts, RECIPE["vocab_size"])
    task.perfect = SimpleNamespace(token_loss=0.4)
    return task


@pytest.mark.parametrize("name", sorted(path.stem for path in script.FOLDER.glob("*.py")))
def test_every_entry_runs(name, small, monkeypatch):
    """Its first measurement comes from a model of its own, and measuring changes nothing."""
    found = race(read_entry(script.FOLDER / f"{name}.py"), small, 1, most=0.0)
    assert not found.reached and found.step > 0 and 0 < found.cpu_seconds and -1 < found.gain < 0.9
    assert found.curve[0][2] < 7.6


def test_what_is_stored_keeps_what_is_promised():
    with open(STORED, encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert tuple(lines[0]) == script.COLUMNS
    ratios = {}
    for line in lines:
        assert line["reached"] == "yes" and float(line["gain"]) >= 0.92 and not line["commit"].endswith("+")
        assert (script.FOLDER / f"{line['entry']}.py").is_file()
        assert (
            abs(float(line["cpu_seconds"]) / float(line["reference_seconds"]) - float(line["ratio"])) < 2e-3
        )
        ratios.setdefault(line["entry"], []).append(float(line["ratio"]))
    assert ratios.pop("live") == [1.0] and all(len(found) >= 3 for found in ratios.values())
    assert min(sum(found) / len(found) for found in ratios.values()) < 0.5
