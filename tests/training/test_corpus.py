"""The text of the long run: what gets into it, what is held out, and text files of one's own."""

import hashlib
import math
import re
from functools import cache
from pathlib import Path

import pytest

from helpers import data
from helpers.data import gutenberg, summaries
from helpers.training import corpus, wider
from helpers.training.corpus import CorpusError, text_documents
from helpers.training.overlap import HeldOutText, Sentences

ROOT = Path(__file__).resolve().parents[2]

# What gets in


@cache
def text_of(name):
    return list(corpus.training_documents(name))


@pytest.fixture(params=corpus.CORPORA)
def training_text(request):
    return text_of(request.param)


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


def test_no_validation_or_test_sentence_is_a_line_of_the_course_s_text(unseen):
    lines = {data.normalized(line) for document in text_of("course") for line in document.splitlines()}
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


def test_the_rest_is_in():
    training_text = text_of("course")
    articles = {article.text for article in data.wikipedia()} - set(corpus.held_out_documents()["articles"])
    assert articles <= set(training_text)
    wanted = [review.text for domain in corpus.DOMAINS for review in data.reviews(domain)["train"]]
    lines = {line for document in training_text for line in document.split("\n")}
    assert sum(text not in lines for text in wanted) < 20 < 15_000 < len(wanted)


def test_what_is_measured_on_is_the_validation_split():
    documents = corpus.held_out_documents()["reviews"]
    wanted = [review.text for domain in corpus.DOMAINS for review in data.reviews(domain)["validation"]]
    assert "\n".join(documents) == "\n".join(wanted)


def digest(documents):
    return hashlib.sha256("\0".join(documents).encode()).hexdigest()


def test_the_texts_and_what_is_measured_on_stay_what_they_are():
    wanted = "f18b8bf328dd1482675b557613ce5700379038a05d66e6846e05474c2471acfc"
    assert digest(text_of("course")) == wanted
    wanted = "f7a00f46c8d8d779c03e6e8f04e462757156968cb16d5758c2c59217dac20522"
    assert digest(text_of("wider")) == wanted, "raise a VERSION where the text is made"
    parts = {
        "articles": "8c8ae6f1b1ef1d5ebc7d613111035a322d9ac664144406a83ff528edd06df800",
        "reviews": "56363063fba0fba5069b1876c2119c04d552416c8f89c3052678e90f9f02da59",
    }
    assert {name: digest(documents) for name, documents in corpus.held_out_documents().items()} == parts
    wider = corpus.held_out_documents("wider")
    chapters = "35d610341c6328ee2d99c81b8911442084d1c5fa18b8b7d28c26fcd2e8b1b32d"
    assert {name: digest(documents) for name, documents in wider.items()} == parts | {"chapters": chapters}


# The wider text


@pytest.fixture(scope="module")
def sources():
    return {source.name: source for source in wider.sources()}


def test_what_the_wider_text_has_and_lacks(sources):
    """Words, pieces, and pieces left out as near duplicates: as data/README.md says."""
    readme = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    for source in sources.values():
        words = len(" ".join(source.documents).split())
        row = f"{len(source.documents):,} | {words:,} | {source.pieces:,} | {source.removed:,} |"
        assert row in readme, f"{source.name}: {row}"
    assert list(sources) == ["articles", "reviews", "leads", "chapters"]
    documents = [document for source in sources.values() for document in source.documents]
    assert sorted(documents) == sorted(text_of("wider"))


def test_no_eight_words_in_a_row_of_held_out_text_are_in_the_wider_text(sources):
    """By joined strings, one run after the other, as a reader would search for them."""
    held_out = [text for documents in corpus.held_out_documents("wider").values() for text in documents]
    words = [data.normalized(part).split() for text in held_out for part in text.split("\n")]
    runs = {" ".join(line[start : start + 8]) for line in words for start in range(len(line) - 7)}
    assert len(runs) > 100_000
    found = set()
    for document in (document for source in sources.values() for document in source.documents):
        for piece in document.split("\n"):
            line = data.normalized(piece).split()
            found.update(runs.intersection(" ".join(line[at : at + 8]) for at in range(len(line) - 7)))
    assert found == set()


def test_a_near_duplicate_is_left_out_and_its_neighbors_stay(monkeypatch):
    held_out = data.wikipedia()[[a.title for a in data.wikipedia()].index("Aardvark")].text
    copied = " ".join(held_out.split()[40:49]).upper().replace(" ", " * ")
    chapter = f"It was late.\n\nHe read: {copied}\n\nHe slept."
    book = data.Book("A book", "Somebody", 1900, (chapter, "The end came at last."))
    leads = [data.Article("Aardvark", "Quite other words."), data.Article("Anteater", "It eats ants.")]
    monkeypatch.setattr(data, "books", lambda: [book])
    monkeypatch.setattr(data, "leads", lambda: leads)
    found = {source.name: source for source in wider.sources()}
    assert found["chapters"] == wider.Source("chapters", ["It was late.\n\nHe slept."], 3, 1)
    assert found["leads"] == wider.Source("leads", ["It eats ants."], 2, 1)
    assert wider.held_out_chapters() == ["The end came at last."]


def test_the_last_chapters_of_every_book_are_held_out_as_few_as_hold_a_fiftieth(monkeypatch):
    held_out, at = wider.held_out_chapters(), 0
    for book in data.books():
        words = [len(chapter.split()) for chapter in book.chapters]
        count = 1
        while sum(words[-count:]) < sum(words) / 50:
            count += 1
        assert held_out[at : at + count] == list(book.chapters[-count:])
        at += count
    assert at == len(held_out) == 15
    words = [len(" ".join(texts).split()) for texts in (held_out, *corpus.held_out_documents().values())]
    assert max(words) < 1.05 * min(words)  # the three parts are of one size


def test_the_wider_text_comes_shuffled(sources):
    documents = text_of("wider")
    first = set(documents[: len(documents) // 2])
    for source in sources.values():
        assert 0.3 < len(first.intersection(source.documents)) / len(source.documents) < 0.7, source.name


def test_what_rows_were_made_from_tells_texts_and_their_states_apart(monkeypatch):
    assert corpus.made_from("course") == ""
    before = corpus.made_from("wider")
    for module in (wider, gutenberg, summaries):
        with monkeypatch.context() as patch:
            patch.setattr(module, "VERSION", 99)
            assert corpus.made_from("wider") != before
    monkeypatch.setitem(data.CATALOGUE, "leads", data.CATALOGUE["books"])
    assert corpus.made_from("wider") != before


@pytest.mark.parametrize("ask", [corpus.held_out_documents, corpus.made_from])
def test_a_text_that_there_is_not(ask):
    with pytest.raises(CorpusError, match="no text called 'large': choose course or wider"):
        ask("large")
    with pytest.raises(CorpusError, match="no text called 'large'"):
        list(corpus.training_documents("large"))


# Sentences and runs of words


def test_sentences_inside_longer_text():
    sentences = Sentences(["It was a good film!", "I love it.", "It was a good, long film by far."])
    assert sentences.are_inside("He said: IT WAS A GOOD FILM, and left.")
    assert sentences.are_inside("It was a good long film by far")
    assert not sentences.are_inside("I love it. It was a good, long film.")  # short, or cut short
    assert not sentences.are_inside("It was a goodfilm") and not sentences.are_inside("")


def test_a_run_of_eight_words_is_shared_and_one_of_seven_is_not():
    held_out = HeldOutText(["one two three four five six seven eight nine", "ten words are here in one row"])
    assert held_out.shared("So: two, three, FOUR; five six seven eight nine.")
    assert not held_out.shared("three four five six seven eight nine and two")
    assert not held_out.shared("five six seven eight nine ten words are")  # runs end where a text ends
    assert not held_out.shared("")


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
