"""scripts/write_stories.py on a tiny corpus: what it refuses, writes and leaves out; its stored table."""

import csv
from pathlib import Path

import pytest
import torch

from helpers import checkpoints, stories
from helpers.studies import trial_tables
from scripts import write_stories as script
from tests.scripts.refusing import refusal

ROOT = Path(__file__).resolve().parents[2]
STORED = ROOT / "benchmarks" / "results" / "writing.csv"
BAD = {
    "--seeds -1": "argument --seeds: must be at least 0",
    "--steps 0": "argument --steps: must be at least 1",
    "--orders left": "argument --orders: invalid choice: 'left'",
    "--temperatures -1": "argument --temperatures: must be at least 0",
    "--stories=0": "argument --stories: must be at least 1",
    "--csv=table.txt": "argument --csv: must end in .csv",
}


@pytest.mark.parametrize("option", BAD)
def test_bad_options(option, capsys):
    assert BAD[option] in refusal(script.main, option.split(), capsys)


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    counts, small = {"train": 30, "validation": 5}, {"hidden_size": 16, "num_layers": 1, "batch_size": 4}
    monkeypatch.setattr(script.stories, "split", lambda name: stories.stories(counts[name], len(name)))
    monkeypatch.setattr(script, "WRITER", script.WRITER | small)
    table = tmp_path / "writing.csv"
    given = "--seeds 0 --steps 1 3 --stories 6 --training-steps 2".split()
    return table, [*given, "--csv", str(table), "--out", str(tmp_path / "runs")]


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="Muon came with PyTorch 2.9")
def test_every_way_gets_a_line_and_is_not_written_again(tiny, capsys, tmp_path):
    table, given = tiny
    assert script.main([*given, "--save", str(tmp_path / "model")]) == 0
    lines = trial_tables.read(table, script.COLUMNS)
    assert [(line["writer"], line["steps"], line["order"]) for line in lines] == [
        ("grammar", "", ""), ("two words before", "", ""), ("bert", "1", "any"), ("bert", "3", "confidence"),
        ("bert", "3", "random"),
    ]  # fmt: skip
    assert lines[0]["consistent"] == "1.0000" and float(lines[2]["bound"]) > 1 and lines[2]["stories"] == "6"
    model, tokenizer = checkpoints.load(tmp_path / "model")
    assert model.bert.config.hidden_size == 16 and tokenizer.id_of["[MASK]"] > 0
    before = table.read_bytes()
    capsys.readouterr()
    assert script.main(given) == 0
    assert table.read_bytes() == before and not capsys.readouterr().out


@pytest.fixture(scope="module")
def stored():
    with open(STORED, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def means(stored, name, **wanted):
    found = [float(line[name]) for line in stored if wanted.items() <= line.items()]
    assert found, wanted
    return sum(found) / len(found)


def test_what_is_stored_keeps_what_is_promised(stored):
    assert tuple(stored[0]) == script.COLUMNS
    assert means(stored, "consistent", writer="grammar") == 1
    one = means(stored, "grammatical", writer="bert", steps="1")
    for order in ("confidence", "random"):
        given = {"writer": "bert", "order": order}
        shares = [means(stored, "grammatical", steps=steps, **given) for steps in ("4", "16", "64")]
        assert one < shares[0] < shares[1] < shares[2]
