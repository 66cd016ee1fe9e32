"""scripts/pretrain_stories.py: what it refuses, and what it leaves alone until it has ended."""

import pytest

from helpers import checkpoints
from helpers.studies.story_runs import LONG, RECIPE
from scripts import pretrain_stories as script
from tests.scripts.refusing import refusal

BAD = {
    "--steps=0": "argument --steps: must be at least 1, not 0",
    "--steps=-5": "argument --steps: must be at least 1, not -5",
    "--every=0": "argument --every: must be at least 1",
    "--threads=0": "argument --threads: must be at least 1",
    "--threads=1000000000000": "argument --threads: must be at most 1,024",
    "--seeds 0 -1": "argument --seeds: must be at least 0",
    "--seeds=1.5": "argument --seeds: must be a whole number",
    "--csv=data.txt": "argument --csv: must end in .csv",
    "--csv=no/such/folder/a.csv": "argument --csv: there is no folder no/such/folder",
    "--save=README.md": "argument --save: README.md is not a folder",
}


@pytest.mark.parametrize("option", BAD)
def test_bad_options(option, capsys, monkeypatch, request):
    monkeypatch.chdir(request.config.rootpath)
    assert BAD[option] in refusal(script.main, option.split(), capsys)


def test_what_is_meant_unless_given():
    settings = script.arguments([])
    assert (settings.steps, settings.csv) == (RECIPE["steps"], checkpoints.CHECKPOINTS / "stories.csv")
    settings = script.arguments(["--long", "--save"])
    assert (settings.steps, settings.save) == (LONG["steps"], checkpoints.CHECKPOINTS / "stories_long")
    assert settings.csv == checkpoints.CHECKPOINTS / "stories_long.csv"


@pytest.mark.parametrize("error", [FloatingPointError("step 3: the loss is nan"), OSError("no room")])
def test_a_run_that_breaks_off_leaves_the_table_that_was_there(error, tmp_path, capsys, monkeypatch):
    def breaking(task, recipe, seed, every, write):
        raise error

    monkeypatch.setattr(script, "run", breaking)
    monkeypatch.setattr(script, "Task", lambda texts, size: None)
    path = tmp_path / "stories.csv"
    path.write_text("what was measured before", encoding="utf-8")
    assert script.main(["--steps=2", f"--csv={path}"]) == 1
    assert f"error: {error}" in capsys.readouterr().err
    assert path.read_text(encoding="utf-8") == "what was measured before"


def test_a_table_that_can_t_be_written_stops_the_series_before_it_begins(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(script, "Task", lambda texts, size: pytest.fail("it has begun"))
    (tmp_path / "stories.csv.partial").mkdir()
    assert script.main([f"--csv={tmp_path / 'stories.csv'}"]) == 1
    assert "error: " in capsys.readouterr().err
