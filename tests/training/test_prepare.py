"""What a run reads: which text the vocabulary and the rows come from, and rows that are not of this text."""

import pytest

from helpers.training import corpus
from helpers.training.corpus import CorpusError
from helpers.training.prepare import prepare_text
from helpers.training.settings import arguments

TEXTS = {"course": ["anna sees a red ball"] * 20, "wider": ["bob sees two green apples near a tree"] * 60}


@pytest.fixture
def prepare(tmp_path, monkeypatch):
    """Prepares one of the small texts in a folder: tokenizer, rows, held-out rows."""
    monkeypatch.setattr(corpus, "training_documents", lambda name: iter(TEXTS[name]))
    parts = {"articles": TEXTS["course"], "reviews": TEXTS["course"]}
    monkeypatch.setattr(
        corpus, "held_out_documents",
        lambda name: parts | ({"chapters": TEXTS["wider"]} if name == "wider" else {}),
    )  # fmt: skip
    monkeypatch.setattr(corpus, "made_from", lambda name: {"course": "", "wider": "wider 1"}[name])

    def made(name, folder="run"):
        (tmp_path / folder).mkdir(exist_ok=True)
        shape = ("--vocab-size=60", "--length=8")
        return prepare_text(arguments([f"--out={tmp_path / folder}", f"--corpus={name}", *shape]), None)

    return made


def words_of(tokenizer, shards):
    ids = {int(index) for shard in shards for row in shard.with_format("numpy")["ids"] for index in row}
    return {tokenizer.vocabulary[index] for index in ids}


def test_the_wider_text_is_read_with_the_vocabulary_of_the_course_s_own(prepare):
    tokenizer, rows, held_out = prepare("course")
    wider, more, parts = prepare("wider", "another")
    assert wider.vocabulary == tokenizer.vocabulary and "anna" in tokenizer.vocabulary
    assert "anna" in words_of(tokenizer, rows) and "anna" not in words_of(wider, more)
    assert sum(map(len, more)) > 2 * sum(map(len, rows))
    assert (list(held_out), list(parts)) == (["articles", "reviews"], ["articles", "reviews", "chapters"])


def test_rows_of_another_text_or_of_an_earlier_state_are_refused(prepare, monkeypatch):
    prepare("wider")
    assert prepare("wider")[1]
    with pytest.raises(CorpusError, match="holds rows made with another source"):
        prepare("course")
    monkeypatch.setattr(corpus, "made_from", lambda name: "wider 2")
    with pytest.raises(CorpusError, match="holds rows made with another source"):
        prepare("wider")
