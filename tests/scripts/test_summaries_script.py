"""scripts/summaries.py: a series goes on where it stopped, and says what it found."""

import numpy as np
import pytest

from helpers.data import ASPECTS
from helpers.studies import summaries, summary_methods
from scripts import summaries as script
from tests.scripts.refusing import refusal


@pytest.fixture
def quick(monkeypatch):
    """Methods that answer at once, and a list of the runs that were made."""
    made = []

    def scores(method, seed=0):
        made.append((method, seed))
        test, chance = summaries.load("test"), np.random.default_rng(seed)
        if method in summaries.RANKERS:
            return chance.random((len(test.texts), 1)), ""
        better = 0.5 * test.labels if method == "minilm" else 0
        return (chance.random((len(test.texts), 3)) + better) / 3, "C 1"

    monkeypatch.setattr(summary_methods, "run_method", scores)
    return made


def test_a_series_goes_on_where_it_stopped_and_reports(quick, tmp_path, capsys):
    asked = ["--csv", str(tmp_path / "runs.csv"), "--methods", "lead", "linear", "minilm"]
    assert script.main([*asked, "--seeds", "0"]) == 0
    assert quick == [("lead", 0), ("linear", 0), ("minilm", 0)]
    assert script.main([*asked, "--seeds", "0", "1"]) == 0
    assert quick[3:] == [("minilm", 1)]  # the others have no seed
    capsys.readouterr()
    assert script.main(["--csv", str(tmp_path / "runs.csv"), "--report"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3 + 2 * len(ASPECTS)
    assert "against linear +" in lines[2] and lines[2].startswith("any        minilm    2")


def test_what_a_line_says_can_be_computed_again_from_the_scores(quick, tmp_path):
    path = tmp_path / "runs.csv"
    script.main(["--csv", str(path), "--methods", "minilm", "--seeds", "3"])
    runs = script.RunTable.stored(path)
    assert [line["task"] for line in runs.lines] == list(ASPECTS)
    for number, line in enumerate(runs.lines):
        test = summaries.load("test")
        found = summaries.precision_at(test, runs.answers(line), test.labels[:, number], 3)
        assert float(line["test_precision"]) == pytest.approx(found.mean(), abs=1e-6)


def test_a_report_on_nothing(capsys, tmp_path):
    options = ["--csv", str(tmp_path / "none.csv"), "--report"]
    assert "there is no table" in refusal(script.main, options, capsys)
