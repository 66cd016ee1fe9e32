"""The text of the long run: what gets into it, what is held out, and text files of one's own."""

import math
import re

import pytest

from helpers import data
from helpers.training import corpus
from helpers.training.corpus import CorpusError, text_documents

# What gets in


@pytest.fixture(scope="module")
def training_text():
    return list(corpus.training_documents())


def sentences_inside(sentences, documents):
    """The sentences that stand in the documents, in letters and digits alone; also inside longer text."""
    texts = [f" {data.normalized(document)} " for document in documents]
    windows = set()  # of five words: most sentences can be ruled out by them
    for text in texts:
        words = text.split()
        windows.update(zip(*(words[shift:] for shift in range(5)), strict=False))
    found = []
    for sentence in sentences:
        words = data.normalized(sentence).split()
        known = all(window in windows for window in zip(*(words[i:] for i in range(5)), strict=False))
        if known and any(f" {' '.join(words)} " in text for text in texts):
            found.append(sentence)
    return found


@pytest.fixture(scope="module")
def unseen():
    """The validation and test sentences of all reviews."""
    splits = [data.reviews(domain) for domain in corpus.DOMAINS]
    return [review.text for split in splits for name in ("validation", "test") for review in split[name]]


def test_no_validation_or_test_sentence_is_a_line_of_the_training_text(training_text, unseen):
    lines = {data.normalized(line) for document in training_text for line in document.splitlines()}
    assert len(unseen) > 7000 and not [text for text in unseen if data.normalized(text) in lines]


def test_no_validation_or_test_sentence_stands_inside_the_training_text(training_text, unseen):
    """Of five words or more: shorter ones ("I love it.") are common phrases."""
    long = [sentence for sentence in unseen if len(data.normalized(sentence).split()) >= 5]
    assert len(long) > 6500
    assert sentences_inside(long, training_text) == []
    leaked = [*training_text, f"Somebody said: {long[100].upper()} And so on."]
    assert sentences_inside(long, leaked) == [long[100]], "the check must find a leak"


def test_held_out_articles_are_in_no_training_text(training_text):
    held_out = corpus.held_out_documents()["articles"]
    assert len(held_out) == len(corpus.HELD_OUT) and not set(held_out) & set(training_text)
    sentences = [part for text in held_out for part in re.split(r"(?<=[.!?])\s+|\n+", text)]
    long = [sentence for sentence in sentences if len(data.normalized(sentence).split()) >= 8]
    assert len(long) > 1500 and sentences_inside(long, training_text) == []


def test_the_rest_is_in(training_text):
    articles = {article.text for article in data.wikipedia()} - set(corpus.held_out_documents()["articles"])
    assert articles <= set(training_text)
    wanted = [review.text for domain in corpus.DOMAINS for review in data.reviews(domain)["train"]]
    lines = {line for document in training_text for line in document.split("\n")}
    assert sum(text not in lines for text in wanted) < 20 < 15_000 < len(wanted)


def test_what_is_measured_on_is_the_validation_split():
    documents = corpus.held_out_documents()["reviews"]
    wanted = [review.text for domain in corpus.DOMAINS for review in data.reviews(domain)["validation"]]
    assert "\n".join(documents) == "\n".join(wanted)


# Text files


def test_documents_are_parted_by_empty_lines(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"one\ntwo\n\n \n\nthree\r\nfour\r\n\r\nfive")
    (tmp_path / "b.txt").write_bytes(b"\n\nsix\n")
    documents = text_documents([tmp_path / "a.txt", str(tmp_path / "b.txt")])
    assert list(documents) == ["one\ntwo\n", "three\nfour\n", "five", "six\n"]


def test_one_document_in_a_hundred_is_held_out_by_its_own_hash(tmp_path):
    documents = [f"document {number}\n" for number in range(20_000)]
    (tmp_path / "a.txt").write_text("\n".join(documents), encoding="utf-8")
    training = list(text_documents([tmp_path / "a.txt"]))
    held_out = list(text_documents([tmp_path / "a.txt"], held_out=True))
    assert sorted(training + held_out) == sorted(documents) and not set(training) & set(held_out)
    assert abs(len(held_out) / 20_000 - 0.01) < 4 * math.sqrt(0.01 * 0.99 / 20_000)
    # A document is on the same side wherever it stands: a second copy can't leak.
    (tmp_path / "b.txt").write_text("\n".join(held_out[::-1] + training[:50] + held_out), encoding="utf-8")
    assert list(text_documents([tmp_path / "b.txt"], held_out=True)) == held_out[::-1] + held_out


def test_a_text_without_empty_lines_does_not_become_one_document(tmp_path):
    lines = [f"line number {number:09}\n" for number in range(150_000)]  # 3.3 MB
    (tmp_path / "a.txt").write_text("".join(lines), encoding="utf-8")
    parts = [*text_documents([tmp_path / "a.txt"]), *text_documents([tmp_path / "a.txt"], held_out=True)]
    assert max(map(len, parts)) < 1_000_100 and sum(map(len, parts)) == len("".join(lines))


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfone\n\ntwo\n")
    assert list(text_documents([tmp_path / "a.txt"])) == ["one\n", "two\n"]


@pytest.mark.parametrize(
    ("content", "words"), [(None, "there is no text file"), (b"good\n\n\xff\xfe bad", "is not UTF-8")]
)
def test_bad_files(tmp_path, content, words):
    path = tmp_path / "a.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CorpusError, match=words) as caught:
        list(text_documents([path]))
    assert "a.txt" in str(caught.value)


def test_a_folder_is_no_text_file(tmp_path):
    with pytest.raises(CorpusError, match="there is no text file"):
        list(text_documents([tmp_path]))


def test_a_single_path_is_refused_at_once(tmp_path):
    (tmp_path / "a.txt").write_text("one\n", encoding="utf-8")
    for wrong in (tmp_path / "a.txt", str(tmp_path / "a.txt"), {tmp_path / "a.txt"}):
        with pytest.raises(ValueError, match="the paths must be a list"):
            text_documents(wrong)
