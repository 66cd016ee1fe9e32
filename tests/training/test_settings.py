"""The settings of the long run: which arguments are refused, and how; what they mean when all is well."""

import argparse
from pathlib import Path

import pytest

from helpers.training.settings import arguments
from tests.scripts.refusing import refusal

ROOT = Path(__file__).resolve().parents[2]
NUMBERS = ("--mask-rate", "--dropout", "--learning-rate", "--head-learning-rate", "--embedding-rate",
           "--decay", "--weight-decay", "--minutes")  # fmt: skip
COUNTS = ("--vocab-size", "--layers", "--hidden", "--heads", "--length", "--steps", "--batch-size",
          "--accumulate", "--save-every", "--log-every", "--evaluate-every")  # fmt: skip

BAD = {
    "--save-every=75": "--save-every must be a multiple of --log-every",
    "--mask-rate=1.5": "argument --mask-rate: must be above 0 and at most 1, not 1.5",
    "--mask-shares 0.8 0.1 0.2": "three shares with the sum 1",
    "--mask-shares nan nan nan": "argument --mask-shares: must be a finite number, not nan",
    "--mask-shares 1.5 -0.5 0": "argument --mask-shares: must be at least 0 and at most 1, not 1.5",
    "--length=2": "argument --length: must be at least 3",
    "--hidden=30": "--hidden 30 can't be shared out evenly among --heads 4",
    "--hidden=2000000": "argument --hidden: must be at most 65,536",
    "--layers=100000000": "argument --layers: must be at most 1,000",
    "--heads=100000": "argument --heads: must be at most 1,024",
    "--length=1000000000": "argument --length: must be at most 65,536",
    "--vocab-size=1000000000": "argument --vocab-size: must be at most 10,000,000",
    "--batch-size=1000000000": "more than 16,777,216 tokens in a step",
    "--steps=100000000000000000000": "argument --steps: must be at most",
    "--workers=100000": "argument --workers: must be at most 256",
    "--dropout=1": "argument --dropout: must be at least 0 and below 1",
    "--learning-rate=0": "argument --learning-rate: must be above 0",
    "--learning-rate=1e300 --embedding-rate=1e300": "must be a finite number: lower one of them",
    "--embedding-rate=-1": "argument --embedding-rate: must be above 0",
    "--weight-decay=-5": "argument --weight-decay: must be at least 0",
    "--warm-up-steps=-7": "argument --warm-up-steps: must be at least 0",
    "--workers=-1": "argument --workers: must be at least 0",
    "--minutes=0": "argument --minutes: must be above 0",
    "--seed=-1": "argument --seed: must be at least 0",
    "--seed=2147483648": "argument --seed: must be at most 2,147,483,647",
    "--text no-such-file.txt": "there is no file no-such-file.txt",
    "--text tests": "tests is a folder, not a file",
    "--tokenizer no-such-vocab.txt": "there is no file no-such-vocab.txt",
    "--out=README.md": "README.md is not a folder",
    "--out=README.md/run": "README.md is not a folder",
    "--out=": "must be the name of a folder",
    "--corpus=larger": "argument --corpus: invalid choice: 'larger'",
    "--text README.md --corpus=wider": "--text brings its own text: leave --corpus wider away",
    "--init=": "--init must name a checkpoint",
    "--init minilm --tokenizer README.md": "leave --tokenizer away",
    "--init minilm --layers 3": "--init brings its own shape and dropout: leave --layers away",
    "--init minilm --neighbors": "--neighbors is for a new model",
    "--hidden 28 --neighbors": "--neighbors needs heads of an even width, not 7",
    "--init minilm --shrink-by-layer": "--shrink-by-layer is for a new model",
    "--init minilm --fade-steps=5": "--fade-steps is for a new model",
    "--fade-steps=100 --steps=100": "--fade-steps must be less than --steps",
    "--fade-steps=-1": "argument --fade-steps: must be at least 0",
    "--optimizer=sgd": "argument --optimizer: invalid choice: 'sgd'",
    "--step=5": "unrecognized arguments",
    "--warm-up=7": "unrecognized arguments: --warm-up=7",  # a share of the steps everywhere else
}
BAD |= {f"{name}={value}": f"argument {name}: must be a finite number, not {value}" for name in NUMBERS
        for value in ("nan", "inf", "-inf")}  # fmt: skip
BAD |= {f"{name}=0": f"argument {name}: must be at least" for name in COUNTS}
BAD |= {f"{name}=2.5": f"argument {name}: must be a whole number, not '2.5'" for name in COUNTS}


@pytest.mark.parametrize("option", BAD)
def test_bad_options(option, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert BAD[option] in refusal(arguments, ["--out=x", *option.split()], capsys)


def test_every_option_is_tried_here(monkeypatch):
    """So that one that is added later is not forgotten."""
    found, add = [], argparse.ArgumentParser.add_argument

    def noting(self, name, *more, **options):
        found.append(name)
        return add(self, name, *more, **options)

    monkeypatch.setattr(argparse.ArgumentParser, "add_argument", noting)
    arguments(["--out=x"])
    unchecked = {"-h", "--neighbors", "--mixed-precision", "--half", "--cpu"}
    tried = {word.split("=")[0] for option in BAD for word in option.split()}
    assert len(found) > 25 and set(found) - unchecked <= tried


def test_help_begins_with_what_the_script_says(capsys):
    with pytest.raises(SystemExit) as caught:
        arguments(["--help"], "What the script does.")
    shown = capsys.readouterr().out
    assert caught.value.code == 0 and "What the script does." in shown and "--embedding-rate" in shown


def test_what_a_new_model_has_unless_given(tmp_path):
    settings = arguments([f"--out={tmp_path / 'run'}"])
    assert (settings.layers, settings.hidden, settings.heads, settings.dropout) == (4, 256, 4, 0.1)
    assert settings.out == tmp_path / "run" and not settings.out.exists()
    zeros = arguments([f"--out={tmp_path}", "--warm-up-steps=0", "--weight-decay=0", "--decay=1"])
    assert zeros.warm_up_steps == 0
