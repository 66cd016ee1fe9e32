"""scripts/trials.py on a tiny corpus: what it refuses, what it writes, and what it leaves out."""

from dataclasses import replace

import pytest

from helpers.studies import trial_tables
from helpers.studies.trials import RECIPES, Recipe
from helpers.training.corpus import CorpusError
from scripts import trials as script
from tests.scripts.refusing import refusal

START = ["--corpus", "text", "--recipes", "plain"]
BAD = {
    "--steps=0": "argument --steps: must be at least 1, not 0",
    "--every=x": "argument --every: must be a whole number",
    "--seeds -1": "argument --seeds: must be at least 0",
    "--threads=0": "argument --threads: must be at least 1",
    "--csv=table.txt": "argument --csv: must end in .csv",
    "--folder=README.md": "argument --folder: README.md is not a folder",
    "--recipes nonsense": "there is no recipe 'nonsense': choose from plain; ",
    "--corpus=speech": "argument --corpus: invalid choice: 'speech'",
}


@pytest.mark.parametrize("option", BAD)
def test_bad_options(option, capsys, monkeypatch, request):
    monkeypatch.chdir(request.config.rootpath)
    assert BAD[option] in refusal(script.main, [*START, *option.split()], capsys)


@pytest.mark.parametrize("left", ["--corpus=text", "--recipes=plain"])
def test_corpus_and_recipes_must_be_given(left, capsys):
    assert "are required" in refusal(script.main, [left], capsys)


def test_help_names_every_recipe(capsys):
    with pytest.raises(SystemExit) as caught:
        script.main(["--help"])
    shown = "".join(capsys.readouterr().out.split())  # lines may break at hyphens
    assert caught.value.code == 0 and ";".join(RECIPES).replace(" ", "") in shown


@pytest.fixture
def ran(monkeypatch):
    """What was trained, in order, with made-up results; nothing is."""
    found = []

    def run(recipe, corpus, seed, every, say):
        found.append((recipe, corpus, seed, every))
        say("step 1")
        return {"ended": recipe.steps, "updates": 1, "tokens": 2, "cpu_seconds": 3.0, "articles_loss": 4.0}

    monkeypatch.setattr(script, "run", run)
    monkeypatch.setattr(script, "TextCorpus", lambda folder, length, corpus: f"rows of {length}, {corpus}")
    monkeypatch.setattr(script, "StoryCorpus", lambda: "stories")
    return found


def test_each_run_is_a_line_and_what_is_there_is_left_out(ran, tmp_path, capsys):
    path = tmp_path / "new" / "trials.csv"
    options = [f"--csv={path}", "--steps=40", "--seeds", "0", "1"]
    assert script.main([*START, *options]) == 0
    plain = replace(Recipe(), steps=40)
    assert ran == [(plain, "rows of 64, course", 0, 4), (plain, "rows of 64, course", 1, 4)]
    assert script.main(["--corpus=text", "--recipes", "plain", "pre-norm", *options]) == 0
    assert [(recipe.norm, seed) for recipe, _, seed, _ in ran[2:]] == [("pre", 0), ("pre", 1)]
    assert "plain, seed 1: is in the table" in capsys.readouterr().out
    lines = trial_tables.read(path)
    assert [(line["recipe"], line["seed"]) for line in lines] == [
        ("plain", "0"), ("plain", "1"), ("pre-norm", "0"), ("pre-norm", "1"),
    ]  # fmt: skip
    command = "python scripts/trials.py --corpus text --recipes pre-norm --seeds 1 --steps 40"
    assert lines[3]["command"] == command and lines[3]["settings"] == "norm pre"
    assert lines[0]["articles_loss"] == "4.0000" and lines[0]["stories_loss"] == ""
    assert script.main(["--corpus=stories", "--recipes=plain", *options]) == 0
    assert [corpus for _, corpus, _, _ in ran[4:]] == ["stories", "stories"]
    assert script.main(["--corpus=wider", "--recipes=plain", *options]) == 0  # no line of another corpus
    assert [corpus for _, corpus, _, _ in ran[6:]] == ["rows of 64, wider"] * 2


def test_what_can_t_be_done_is_one_sentence(ran, tmp_path, capsys, monkeypatch):
    foreign = tmp_path / "foreign.csv"
    foreign.write_text("a,b\n", encoding="utf-8")
    assert script.main([*START, f"--csv={foreign}"]) == 1
    assert "has other columns" in capsys.readouterr().err and ran == []

    def broken(folder, length, corpus):
        raise CorpusError("the rows are no rows")

    monkeypatch.setattr(script, "TextCorpus", broken)
    assert script.main([*START, f"--csv={tmp_path / 'a.csv'}"]) == 1
    assert capsys.readouterr().err == "error: the rows are no rows\n"
    assert not (tmp_path / "a.csv").exists()


def test_an_interrupted_series_keeps_what_has_ended(ran, tmp_path, capsys, monkeypatch):
    ordinary = script.run

    def interrupted(recipe, corpus, seed, every, say):
        if seed == 1:
            raise KeyboardInterrupt
        return ordinary(recipe, corpus, seed, every, say)

    monkeypatch.setattr(script, "run", interrupted)
    path = tmp_path / "trials.csv"
    assert script.main([*START, f"--csv={path}", "--seeds", "0", "1"]) == 130
    assert [line["seed"] for line in trial_tables.read(path)] == ["0"]
