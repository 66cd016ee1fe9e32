"""benchmarks/notebooks.py with made-up runs; its stored table, and the minutes README takes from it."""

import math
import os
import re
from pathlib import Path

import pytest

from benchmarks import notebooks as script
from helpers.studies.tables import read_csv
from scripts.dev.run_notebooks import Run

ROOT = Path(__file__).resolve().parents[2]
STORED = ROOT / "benchmarks" / "results" / "notebooks.csv"
NAMES = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture
def ran(tmp_path, monkeypatch):
    """How the notebooks were run, what each run gave, and where the table goes; no kernel is started."""
    calls, problems = [], {}

    def run_all(paths, store):
        calls.append((len(paths), store, os.environ["OMP_NUM_THREADS"], os.environ.get("BERT_COURSE_MINE")))
        for place, path in enumerate(paths):
            yield Run(path.stem, 60.04 + place, 1000.4 + place, problems.get(path.stem, []))

    for name in ("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "BERT_COURSE_DEVICE", "BERT_COURSE_STILL",
                 "BERT_COURSE_MINE"):  # fmt: skip
        monkeypatch.setenv(name, "")  # so that it is put back afterwards
        monkeypatch.delenv(name)
    monkeypatch.setattr(script.run_notebooks, "run_all", run_all)
    monkeypatch.setattr(script, "TABLE", tmp_path / "notebooks.csv")
    return calls, problems, script.TABLE


@pytest.mark.parametrize("store", [False, True])
def test_all_notebooks_give_a_table(ran, store, capsys):
    calls, _, table = ran
    assert script.main(["--store"] if store else []) == 0
    ((count, stored, threads, mine),) = calls
    assert (count, stored, threads) == (len(NAMES), store, "1")
    assert (mine is None) == store  # compared in an empty learner's folder
    columns, lines = read_csv(table)
    assert columns == script.COLUMNS and [line["notebook"] for line in lines] == NAMES
    assert (lines[1]["seconds"], lines[1]["peak_megabytes"]) == ("61.0", "1001")
    assert "most memory" in capsys.readouterr().out


def test_some_of_them_and_a_failure_leave_the_table(ran):
    _, problems, table = ran
    table.write_text("as it was")
    assert script.main(["01", "03"]) == 0
    problems[NAMES[2]] = ["cell 3 differs"]
    assert script.main([]) == 1
    assert table.read_text() == "as it was"


@pytest.mark.stored
def test_the_readme_has_the_minutes_of_the_table():
    columns, lines = read_csv(STORED)
    assert columns == script.COLUMNS and [line["notebook"] for line in lines] == NAMES
    assert max(float(line["seconds"]) for line in lines) < 300
    assert max(float(line["peak_megabytes"]) for line in lines) < 3300  # what the README says that 11 takes
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = dict(re.findall(r"^\| \[.*?\]\(notebooks/(\w+)\.ipynb\) .* \| ([\d.]+) \|$", readme, re.M))
    assert shown == {line["notebook"]: f"{max(float(line['seconds']) / 60, 0.1):.1f}" for line in lines}


@pytest.mark.stored
def test_the_start_page_says_how_long_a_notebook_runs_at_most():
    """In whole minutes, with a twentieth of room."""
    page = (ROOT / "notebooks" / "00_start_here.ipynb").read_text(encoding="utf-8")
    given = dict(re.findall(r"\]\((\w+)\.ipynb\) \|[^|]*\|[^|]*\| \d+ min \| (\d+) min \|", page))
    _, lines = read_csv(STORED)
    assert given == {x["notebook"]: str(math.ceil(1.05 * float(x["seconds"]) / 60)) for x in lines[1:]}
