"""scripts/ablate_stories.py without training: what it refuses, what it writes, what it leaves out."""

import pytest

from helpers.studies import ablations, trial_tables
from scripts import ablate_stories as script
from tests.scripts.refusing import refusal

BAD = {
    "--rows nonsense": "there is no row 'nonsense': choose from recipe; ",
    "--seeds 0 -1": "argument --seeds: must be at least 0",
    "--share=0": "argument --share: must be above 0 and at most 1, not 0",
    "--share=2": "argument --share: must be above 0 and at most 1, not 2",
    "--csv=table.txt": "argument --csv: must end in .csv",
    "--threads=0": "argument --threads: must be at least 1",
}


@pytest.mark.parametrize("option", BAD)
def test_bad_options(option, capsys):
    assert BAD[option] in refusal(script.main, option.split(), capsys)


def test_help_names_every_row(capsys):
    with pytest.raises(SystemExit) as caught:
        script.main(["--help"])
    shown = "".join(capsys.readouterr().out.split())  # lines may break at hyphens
    assert caught.value.code == 0 and ";".join(ablations.ROWS).replace(" ", "") in shown


def test_what_is_meant_unless_given():
    options = script.arguments([])
    assert (options.rows, options.seeds) == ([*ablations.ROWS], [0, 1, 2])
    assert (options.share, options.csv) == (ablations.SHARE, script.TABLE)


@pytest.fixture
def ran(monkeypatch):
    """What was trained, in order, with made-up results; nothing is."""
    found = []

    def measure(task, row, seed, share):
        found.append((row, seed, share))
        if row == "batch 64":
            raise FloatingPointError("step 3: the loss is nan")
        return {"tokens": 2, "cpu_seconds": 3.0, "gain": 0.5}

    monkeypatch.setattr(ablations, "measure", measure)
    monkeypatch.setattr(script, "task", lambda vocab_size: None)
    return found


def test_each_run_is_a_line_and_what_is_there_is_left_out(ran, tmp_path, capsys):
    path = tmp_path / "new" / "ablations.csv"
    options = [f"--csv={path}", "--seeds", "0", "1"]
    assert script.main([*options, "--rows", "recipe"]) == 0
    assert script.main([*options, "--rows", "recipe", "mask 15 %"]) == 0
    assert ran == [(row, seed, ablations.SHARE) for row in ("recipe", "mask 15 %") for seed in (0, 1)]
    assert "recipe, seed 1: is in the table" in capsys.readouterr().out
    lines = trial_tables.read(path, ablations.COLUMNS)
    assert [(line["row"], line["seed"], line["gain"]) for line in lines[2:]] == [
        ("mask 15 %", "0", "0.5000"), ("mask 15 %", "1", "0.5000"),
    ]  # fmt: skip
    command = f"python scripts/ablate_stories.py --rows 'mask 15 %' --seeds 1 --share {ablations.SHARE}"
    assert lines[3]["command"] == command
    assert script.main([*options, "--rows", "recipe", "--share=0.1"]) == 0
    assert ran[4:] == [("recipe", 0, 0.1), ("recipe", 1, 0.1)]


def test_a_run_whose_loss_is_not_finite_is_one_sentence(ran, tmp_path, capsys):
    path = tmp_path / "ablations.csv"
    assert script.main([f"--csv={path}", "--rows", "recipe", "batch 64", "--seeds", "0"]) == 1
    assert capsys.readouterr().err == "error: batch 64, seed 0: step 3: the loss is nan\n"
    assert [line["row"] for line in trial_tables.read(path, ablations.COLUMNS)] == ["recipe"]
