"""scripts/modern_trials.py with made-up trainings: costs decide the steps, and what is there is left out."""

import pytest

from helpers.studies import trial_tables
from helpers.studies.modern_trials import COLUMNS
from helpers.studies.tables import read_csv
from scripts import modern_trials as script
from tests.scripts.refusing import refusal

BAD = {
    "--seconds=0": "--seconds must be above 0",
    "--seeds -1": "argument --seeds: must be at least 0",
    "--rounds=0": "argument --rounds: must be at least 1",
    "--csv=table.txt": "argument --csv: must end in .csv",
    "--recipes nonsense": "there is no recipe 'nonsense': choose from BERT; ",
}


@pytest.mark.parametrize("option", BAD)
def test_bad_options(option, capsys):
    assert BAD[option] in refusal(script.main, option.split(), capsys)


@pytest.fixture
def ran(monkeypatch):
    """What was trained, in order, with made-up results; nothing is trained and nothing timed."""
    found = []

    def run(recipe, corpus, seed, every, say):
        found.append((recipe.changes, recipe.steps, seed))
        return {"ended": recipe.steps, "updates": 1, "tokens": 2, "cpu_seconds": 3.0, "stories_gain": 0.5}

    def step_seconds(recipes, corpus, rounds, say):
        return {name: [0.002 + 0.001 * bool(recipe.changes)] * rounds for name, recipe in recipes.items()}

    monkeypatch.setattr(script, "run", run)
    monkeypatch.setattr(script, "StoryCorpus", lambda: "stories")
    monkeypatch.setattr(script.modern_trials, "step_seconds", step_seconds)
    monkeypatch.setattr(script.modern_trials, "length_seconds", lambda ways, *_: dict.fromkeys(ways, [1.0]))
    monkeypatch.setattr(script.modern_trials, "learned_weights", lambda recipe, corpus: 7)
    return found


def test_equal_seconds_and_a_series_that_goes_on(ran, tmp_path, capsys):
    places = [f"--csv={tmp_path / 'trials.csv'}", f"--costs={tmp_path / 'new' / 'costs.csv'}"]
    options = [*places, "--seconds=6", "--seeds", "0", "--recipes", "BERT", "rotary"]
    assert script.main(options) == 0
    assert ran == [((), 3000, 0), (("rotary",), 2000, 0)]
    assert script.main([*options[:4], "0", "1", *options[5:]]) == 0
    assert ran[2:] == [((), 3000, 1), (("rotary",), 2000, 1)]
    assert "rotary, seed 0: is in the table" in capsys.readouterr().out
    lines = trial_tables.read(tmp_path / "trials.csv", COLUMNS)
    assert [(line["recipe"], line["seed"], line["step_ms"]) for line in lines] == [
        ("BERT", "0", "2.0000"), ("rotary", "0", "3.0000"), ("BERT", "1", "2.0000"), ("rotary", "1", "3.0000")
    ]  # fmt: skip
    assert lines[1]["command"] == "python scripts/modern_trials.py --recipes rotary --seeds 0 --seconds 6"
    columns, costs = read_csv(tmp_path / "new" / "costs.csv")
    assert columns == script.COSTS and {line["length"] for line in costs} >= {"0", "64", "2048"}


def test_foreign_tables_are_one_sentence(ran, tmp_path, capsys):
    foreign = tmp_path / "foreign.csv"
    foreign.write_text("a,b\n", encoding="utf-8")
    assert script.main([f"--csv={tmp_path / 'a.csv'}", f"--costs={foreign}"]) == 1
    assert "has other columns" in capsys.readouterr().err
    costs = tmp_path / "costs.csv"
    costs.write_text("what,length,milliseconds,least,rounds\nBERT,0,2,2,1\n", encoding="utf-8")
    assert script.main([f"--csv={tmp_path / 'a.csv'}", f"--costs={costs}", "--recipes", "all"]) == 1
    assert "has no cost of 'all'" in capsys.readouterr().err and ran == []
