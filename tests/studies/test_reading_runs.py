"""The runs of readers and their table, with small models and made-up questions."""

from typing import NamedTuple

import numpy as np
import pytest
import torch

from helpers.encoder import Bert, BertConfig
from helpers.reading import ReadingExample, score_answers
from helpers.studies import reading_runs
from helpers.studies.tables import RunTable
from helpers.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer
from scripts import question_answering as script
from tests.scripts.refusing import refusal


class Marked(NamedTuple):
    text: str
    start: int


class Asked(NamedTuple):
    text: str
    answers: tuple


class Paragraph(NamedTuple):
    title: str
    text: str
    questions: tuple


TEXT = "Anna was born in Rome in 1901. Ben was born in Oslo."
ASKED = Asked("Where was Anna born?", (Marked("Rome", 17), Marked("Rome", 17), Marked("in Rome", 14)))
PARTS = {
    "train": [Paragraph("A", TEXT, (ASKED, Asked("When?", (Marked("1901", 25),))))],
    "validation": [],
    "test": [Paragraph("B", TEXT, (ASKED, Asked("Where was Ben born?", (Marked("Oslo", 47),))))],
}


@pytest.fixture
def small(monkeypatch):
    """A small encoder in the place of minilm, and two paragraphs in the place of the questions."""
    tokenizer = WordPieceTokenizer(
        [*SPECIAL_TOKENS, *"anna ben was born in rome oslo where when ? . 1901".split()]
    )

    def load(name):
        torch.manual_seed(0)
        return Bert(BertConfig(len(tokenizer.vocabulary), 12, 1, 2, 16, 384)), tokenizer

    monkeypatch.setattr(reading_runs.checkpoints, "load", load)
    monkeypatch.setattr(script.data, "question_paragraphs", lambda: PARTS, raising=False)


def test_examples_have_each_marked_span_once():
    first, second = reading_runs.reading_examples(PARTS["train"])
    assert first == ReadingExample("Where was Anna born?", TEXT, ((17, 21), (14, 21)))
    assert first.truths == ["Rome", "in Rome"] and second.truths == ["1901"]


def test_evenly():
    assert reading_runs.evenly(range(10), 4) == [0, 2, 5, 7]
    assert reading_runs.evenly([1, 2], 5) == [1, 2]


def test_a_row_without_training_has_no_seed():
    assert reading_runs.settings_of("kinds", 1, 500, 9) == reading_runs.settings_of("kinds", 2, 600, 9)
    assert reading_runs.settings_of("minilm", 1, 500, 9) != reading_runs.settings_of("minilm", 2, 500, 9)


def test_seeds_choose_questions_and_weights(small):
    train = reading_runs.reading_examples(PARTS["train"])
    test = reading_runs.reading_examples(PARTS["test"])
    runs = [reading_runs.run("random", seed, train, test, 1) for seed in (0, 0)]
    assert runs[0] == runs[1] and len(runs[0].each_f1) == 2


def test_the_script_writes_goes_on_and_reports(small, tmp_path, capsys):
    path = tmp_path / "new" / "reading.csv"
    given = [f"--csv={path}", "--rows", "sentence", "random", "--seeds", "0", "1", "--questions", "2"]
    assert script.main(given) == 0
    table = RunTable(path, reading_runs.SETTINGS, reading_runs.RESULTS)
    assert [(line["row"], line["seed"], line["measure"]) for line in table.lines] == [
        ("sentence", "", "exact"), ("sentence", "", "f1"), ("random", "0", "exact"), ("random", "0", "f1"),
        ("random", "1", "exact"), ("random", "1", "f1"),
    ]  # fmt: skip
    sentence = score_answers(
        ["Anna was born in Rome in 1901.", "Ben was born in Oslo."],
        reading_runs.reading_examples(PARTS["test"]),
    )
    assert np.allclose(table.points(table.lines[1]), sentence.each_f1)
    before = path.read_bytes()
    capsys.readouterr()
    assert script.main(given) == 0 and path.read_bytes() == before
    assert capsys.readouterr().out.count("is in the table") == 4
    assert script.main([f"--csv={path}", "--report"]) == 0
    out = capsys.readouterr().out
    assert "1 runs" in out and "random        2  2 runs" in out and "exact" in out


@pytest.mark.parametrize("option", ["--rows nonsense", "--seeds=-1", "--questions=0", "--csv=table.txt"])
def test_bad_options(option, capsys):
    assert option.replace("=", " ").split()[0] in refusal(script.main, option.split(), capsys)


def test_a_training_that_breaks_off_is_a_sentence(small, tmp_path, monkeypatch, capsys):
    def broken(*given):
        raise FloatingPointError("step 3: the loss is nan")

    monkeypatch.setattr(reading_runs, "run", broken)
    assert script.main([f"--csv={tmp_path / 'a.csv'}", "--rows", "random"]) == 1
    assert "random, 1000 questions, seed 0: step 3: the loss is nan" in capsys.readouterr().err
