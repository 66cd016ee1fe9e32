"""scripts/own_tables.py: a series goes on where it stopped, and says what it found."""

import numpy as np
import pytest

from helpers.studies import own_methods, own_tables
from helpers.studies.own_methods import Answer
from scripts import own_tables as script
from tests.scripts.refusing import refusal


@pytest.fixture
def quick(monkeypatch):
    """Methods that answer at once, and a list of the runs that were made."""
    made = []

    def answer(line):
        made.append(line)
        table = own_tables.load(line["task"]).drawn(int(line["labels"]), int(line["seed"] or 0))
        chance = np.random.default_rng(int(line["seed"] or 0))
        parts = []
        for part in ("validation", "test"):
            shares = chance.dirichlet(np.ones(len(table.classes)), size=len(getattr(table, part)))
            if line["method"] == "minilm":  # much better than the others
                shares[np.arange(len(shares)), table.labels(part)] += 2
            parts.append(shares / shares.sum(axis=1, keepdims=True))
        return Answer(*parts, chosen="words, C 10")

    monkeypatch.setattr(own_methods, "run_method", answer)
    return made


def test_a_series_goes_on_where_it_stopped_and_reports(quick, tmp_path, capsys):
    asked = ["--csv", str(tmp_path / "runs.csv"), "--task", "messages", "--labels", "200", "all"]
    assert script.main([*asked, "--seeds", "0"]) == 0
    first = len(quick)
    assert first == 2 * len(own_methods.LEARNERS)
    assert script.main([*asked, "--seeds", "0", "1"]) == 0
    assert len(quick) == first + len(own_methods.LEARNERS) + 1  # with all labels only minilm has another seed
    capsys.readouterr()
    assert script.main(["--csv", str(tmp_path / "runs.csv"), "--report"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 * len(own_methods.LEARNERS) and "accuracy against linear +" in lines[3]


def test_what_a_line_says_can_be_computed_again_from_the_answers(quick, tmp_path):
    path = tmp_path / "runs.csv"
    script.main(["--csv", str(path), "--task", "messages", "--methods", "minilm", "--seeds", "3"])
    runs = script.RunTable.stored(path)
    (line,) = runs.lines
    labels = own_tables.load("messages").labels("test")
    found = runs.answers(line)
    assert float(line["test_macro_f1"]) == pytest.approx(own_tables.macro_f1(labels, found), abs=1e-6)
    assert float(line["test_accuracy"]) == pytest.approx((labels == found).mean(), abs=1e-6)
    assert 0 < float(line["threshold"]) < 1 and float(line["cost_at_threshold"]) >= 0


def test_more_labels_than_there_are(capsys, tmp_path):
    assert script.main(["--csv", str(tmp_path / "runs.csv"), "--labels", "99999"]) == 1
    assert "--labels at most that" in capsys.readouterr().err


def test_a_report_on_nothing(capsys, tmp_path):
    options = ["--csv", str(tmp_path / "none.csv"), "--report"]
    assert "there is no table" in refusal(script.main, options, capsys)
