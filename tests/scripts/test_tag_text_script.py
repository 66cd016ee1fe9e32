"""scripts/tag_text.py on a few paragraphs and a tiny encoder."""

import pytest
import torch

from helpers import checkpoints
from helpers.encoder import Bert, BertConfig
from helpers.studies import running_text, tagging_runs
from helpers.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer
from scripts import tag_text as script
from tests.scripts.refusing import refusal


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """The script with few paragraphs, and letters as the vocabulary of a tiny `minilm`."""
    letters = [chr(code) for code in range(97, 123)]
    tokenizer = WordPieceTokenizer([*SPECIAL_TOKENS, *letters, *(f"##{c}" for c in letters), ".", ","])
    torch.manual_seed(0)
    config = BertConfig(len(tokenizer.vocabulary), 8, 2, 2, 16, 64, dropout=0.0, init_std=None)
    model = Bert(config)
    few = {part: texts[:12] for part, texts in running_text.paragraphs().items()}
    monkeypatch.setattr(running_text, "paragraphs", lambda: few)
    monkeypatch.setattr(checkpoints, "load", lambda *_: (model, tokenizer))
    monkeypatch.setattr(tagging_runs, "TRAINING_WORDS", {"capitals": 150})
    for cached in (running_text.task, tagging_runs._unseen):
        cached.cache_clear()
    yield tmp_path / "table.csv"
    for cached in (running_text.task, tagging_runs._unseen):
        cached.cache_clear()


def test_a_series_goes_on_and_is_reported(tiny, capsys):
    assert script.main(["--csv", str(tiny), "--seeds", "0", "--tasks", "capitals"]) == 0
    first = tiny.read_bytes()
    assert script.main(["--csv", str(tiny), "--seeds", "0", "1", "--tasks", "capitals"]) == 0
    assert tiny.read_bytes().startswith(first) and "seed 1" in capsys.readouterr().out
    runs = tagging_runs.read(tiny)
    assert set(runs) == set(tagging_runs.runs("capitals", [0, 1])), "what draws nothing runs once"
    assert {line["words"] for line in runs["capitals", "minilm", 0]} != {0}
    after = tiny.read_bytes()
    assert script.main(["--csv", str(tiny), "--seeds", "0", "1", "--tasks", "capitals"]) == 0
    assert tiny.read_bytes() == after and capsys.readouterr().out == ""
    assert script.main(["--csv", str(tiny), "--report"]) == 0
    told = capsys.readouterr().out
    assert "minilm" in told and "2 seeds" in told and "unseen" in told


def test_bad_input_gets_a_sentence(tiny, capsys):
    assert "there is no table" in refusal(script.main, ["--csv", str(tiny), "--report"], capsys)
    tiny.write_text("a,b\n1,2\n")
    assert script.main(["--csv", str(tiny), "--tasks", "capitals"]) == 1
    assert "other columns than this script writes" in capsys.readouterr().err
