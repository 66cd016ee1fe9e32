"""The settings of the long run: which arguments are refused, and how."""

from pathlib import Path

import pytest

from helpers.training.settings import arguments

ROOT = Path(__file__).resolve().parents[2]

BAD = {
    "--steps=0": "--steps must be at least 1",
    "--save-every=75": "--save-every must be a multiple of --log-every",
    "--mask-rate=1.5": "are shares, from 0 to 1",
    "--mask-shares 0.8 0.1 0.2": "three shares with the sum 1",
    "--length=2": "--length must be at least 3",
    "--hidden=30": "--hidden 30 can't be shared out evenly among --heads 4",
    "--dropout=1": "--dropout is a share below 1",
    "--learning-rate=0": "--learning-rate is above 0",
    "--seed=-1": "--seed lies between",
    "--text no-such-file.txt": "there is no file no-such-file.txt",
    "--tokenizer no-such-vocab.txt": "there is no file no-such-vocab.txt",
    "--init minilm --tokenizer README.md": "leave --tokenizer away",
    "--init minilm --layers 3": "--init brings its own shape and dropout: leave --layers away",
    "--init minilm --neighbors": "--neighbors is for a new model",
    "--hidden 28 --neighbors": "--neighbors needs heads of an even width, not 7",
    "--step=5": "unrecognized arguments",
}


@pytest.mark.parametrize("option", BAD)
def test_bad_options(option, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    with pytest.raises(SystemExit) as caught:
        arguments(["--out=x", *option.split()])
    assert caught.value.code == 2 and BAD[option] in capsys.readouterr().err
