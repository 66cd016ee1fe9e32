"""What taught functions are given: any sequence by position, any precision, any mode, or a clear refusal."""

import re
import time
from collections import Counter
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.wordpiece import (
    SPECIAL_TOKENS,
    WordPieceTokenizer,
    check_number,
    check_texts,
    count_words,
    normalize,
    pre_tokenize,
    read_in_order,
    split_into_characters,
    train_wordpiece,
)
from scripts.dev import sync_cells

WORDS = ["good", "bad", "film", "a", "plot", "##s"]
VOCABULARY = [*SPECIAL_TOKENS, *WORDS]
TEXTS = ["a good film", "bad", "a plot", "good films", "a bad bad plot"]


def shuffled(values):
    """A column whose row numbers are not its positions, as `frame.sample(frac=1)` gives it."""
    return pd.Series(list(values), index=list(range(len(values)))[::-1])


def part_of_a_table(values):
    """A column of a slice: its row numbers don't begin at 0."""
    return pd.DataFrame({"values": [values[0], *values]})["values"][1:]


CONTAINERS = {
    "list": list,
    "tuple": tuple,
    "array": np.array,
    "array of objects": lambda values: np.array(values, dtype=object),
    "shuffled column": shuffled,
    "column of a slice": part_of_a_table,
    "index": pd.Index,
    "generator": lambda values: (value for value in values),
    "dictionary's values": lambda values: dict(enumerate(values)).values(),
}
NO_SEQUENCES = {
    "one string": "a good film",
    "bytes": b"a good film",
    "a set": {"a good film", "bad"},
    "a frozen set": frozenset(["a good film"]),
    "a dictionary": {"a good film": 1},
    "a table": pd.DataFrame({"text": TEXTS}),
    "a number": 3,
    "nothing": None,
    "an array of one string": np.array("a good film"),
}
NO_TEXTS = {
    "None": None, "nan": float("nan"), "numpy's nan": np.float64("nan"), "pandas' NA": pd.NA, "int": 3,
    "bytes": b"good", "list": ["good"], "tuple": ("good", "bad"), "no time": pd.NaT,
}  # fmt: skip


@pytest.fixture
def tokenizer():
    return WordPieceTokenizer(VOCABULARY)


def same_batch(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


# Texts


@pytest.mark.parametrize("kind", CONTAINERS)
def test_any_sequence_of_texts_is_read_by_position(tokenizer, kind):
    put = CONTAINERS[kind]
    assert list(check_texts(put(TEXTS))) == TEXTS
    assert same_batch(tokenizer.encode_batch(put(TEXTS)), tokenizer.encode_batch(TEXTS))
    assert same_batch(
        tokenizer.encode_batch(put(TEXTS), put(TEXTS[::-1])), tokenizer.encode_batch(TEXTS, TEXTS[::-1])
    )
    assert count_words(put(TEXTS)) == count_words(TEXTS)
    assert train_wordpiece(put(TEXTS), 40) == train_wordpiece(TEXTS, 40)
    assert WordPieceTokenizer(put(VOCABULARY)).id_of == tokenizer.id_of


@pytest.mark.parametrize("kind", NO_SEQUENCES)
def test_what_is_no_sequence_of_texts_is_refused(tokenizer, kind):
    wrong = NO_SEQUENCES[kind]
    string = kind in ("one string", "bytes", "an array of one string")
    words = "must be a list, not one string" if string else "must be a list or another sequence in order"
    for take in (tokenizer.encode_batch, count_words, check_texts, WordPieceTokenizer):
        with pytest.raises(ValueError, match=words):
            take(wrong)
    with pytest.raises(ValueError, match=words):
        train_wordpiece(wrong, 100)
    if wrong is not None:  # which means "no second texts"
        with pytest.raises(ValueError, match=f"the second texts {words}"):
            tokenizer.encode_batch(["a good film"], wrong)


@pytest.mark.parametrize("kind", NO_TEXTS)
def test_a_row_that_is_no_text_is_named(tokenizer, kind):
    wrong = NO_TEXTS[kind]
    message = re.escape("the text in row 1 (from 0) must be a string, not ")
    for take in (tokenizer.encode_batch, count_words, lambda texts: train_wordpiece(texts, 100)):
        with pytest.raises(ValueError, match=message):
            take(["a good film", wrong, "bad"])
    with pytest.raises(ValueError, match=r"the word piece in row 5 \(from 0\) must be a string"):
        WordPieceTokenizer([*SPECIAL_TOKENS, wrong])
    if wrong is not None:
        with pytest.raises(ValueError, match=r"the second text in row 1 .* must be a string"):
            tokenizer.encode_batch(["a", "a"], ["bad", wrong])
    for take in (tokenizer.encode, tokenizer.tokenize, normalize, pre_tokenize):
        with pytest.raises(ValueError, match="the text must be a string"):
            take(wrong)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.lists(st.text(st.sampled_from("agodbfilm s"), max_size=12), min_size=1, max_size=8), st.data())
def test_the_order_of_rows_is_that_of_the_column(texts, data):
    numbers = data.draw(st.permutations(range(len(texts))))
    column = pd.Series(texts, index=numbers, dtype=object)
    assert list(read_in_order(column, "the texts")) == texts
    assert same_batch(
        WordPieceTokenizer(VOCABULARY).encode_batch(column),
        WordPieceTokenizer(VOCABULARY).encode_batch(texts),
    )


@pytest.mark.parametrize("put", [list, np.array, torch.tensor, shuffled])
def test_ids_of_any_kind_are_decoded(tokenizer, put):
    assert tokenizer.decode(put([2, 5, 7, 3])) == "[CLS] good film [SEP]"


@pytest.mark.parametrize("wrong", [[5.0], ["good"], [None], torch.tensor([[5]]), np.array([1.5])])
def test_what_is_no_id_is_not_decoded(tokenizer, wrong):
    with pytest.raises(ValueError, match="is not in the vocabulary"):
        tokenizer.decode(wrong)


# The vocabulary


def test_a_double_entry_and_a_missing_one_are_named():
    with pytest.raises(ValueError, match="'bad' is there twice"):
        WordPieceTokenizer([*VOCABULARY, "bad"])
    with pytest.raises(ValueError, match=re.escape("[CLS], [MASK] is missing")):
        WordPieceTokenizer(["[PAD]", "[UNK]", "[SEP]", "good"])


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_vocabulary_file_as_any_editor_writes_it(tmp_path, end, last, encoding):
    text = end.join([*VOCABULARY, "é"]) + (end if last else "")
    (tmp_path / "vocab.txt").write_bytes(text.encode(encoding))
    assert WordPieceTokenizer.from_file(tmp_path / "vocab.txt").vocabulary == [*VOCABULARY, "é"]


# Training a vocabulary


def test_a_minimum_frequency_of_0_is_one_of_1():
    corpus = ["hat hats hat that chat chats cat cats cat bat", "abab babab ab aab"]
    assert train_wordpiece(corpus, 200, 0) == train_wordpiece(corpus, 200, 1)

    @settings(max_examples=100, deadline=None, derandomize=True, database=None)
    @given(st.lists(st.text("ab", min_size=1, max_size=9), min_size=1, max_size=9))
    def same(words):
        assert train_wordpiece(words, 60, 0) == train_wordpiece(words, 60, 1)

    same()


@pytest.mark.parametrize("word", ["ab" * 40_000, "a" * 80_000, "x" * 79_999 + "y"])
def test_a_word_without_end_does_not_hang_the_trainer(word):
    start = time.perf_counter()
    entries = train_wordpiece([word, *TEXTS], 60)
    assert time.perf_counter() - start < 1
    assert entries == train_wordpiece(TEXTS, 60)
    assert WordPieceTokenizer(entries).tokenize(word) == ["[UNK]"]


def test_words_are_learned_from_up_to_the_length_that_is_encoded():
    fits, too_long = "ab" * 50, "cd" * 50 + "c"
    entries = train_wordpiece([f"{fits} {too_long} e"] * 2, 300)
    assert fits in entries and not any("c" in entry or "d" in entry for entry in entries[5:])
    assert WordPieceTokenizer(entries).tokenize(f"{fits} {too_long}") == [fits, "[UNK]"]
    with pytest.raises(ValueError, match="the corpus has no words"):
        train_wordpiece([too_long], 100)


@pytest.mark.parametrize("setting", [{"min_frequency": -1}, {"alphabet_size": 0}, {"alphabet_size": -3}])
@pytest.mark.parametrize("nan", [False, True])
def test_numbers_without_sense_are_refused(setting, nan):
    setting = dict.fromkeys(setting, float("nan")) if nan else setting
    with pytest.raises(ValueError, match="must be at least"):
        train_wordpiece(TEXTS, 100, **setting)
    with pytest.raises(ValueError, match="vocab_size must be at least"):
        train_wordpiece(TEXTS, float("nan"))


@pytest.mark.parametrize(("value", "fits"), [(0, True), (0.5, True), (1, False), (-0.1, False)])
def test_a_number_between_two_others(value, fits):
    for kind in (float, np.float32, np.float64, torch.tensor):
        if fits:
            check_number("the share", kind(value), 0, 1)
        else:
            with pytest.raises(ValueError, match="the share must be at least 0 and below 1, not"):
                check_number("the share", kind(value), 0, 1)
    for value in (float("nan"), float("inf"), -float("inf")):
        with pytest.raises(ValueError, match="the rate must be at least 0, not"):
            check_number("the rate", value, 0)


def test_counting_words_counts_long_ones_too():
    assert count_words(["a" * 101]) == Counter({"a" * 101: 1})


@pytest.mark.parametrize(
    ("text", "joins"), [("cat cat", ["##a ##t", "c ##at"]), ("a b", []), ("a", []), ("ab cd", [])]
)
def test_the_naive_trainer_stops_when_nothing_is_left_to_join(text, joins):
    names = {"pair_frequencies", "join_everywhere", "train_naively"}
    place = {"Counter": Counter, "pairwise": pairwise}
    for found in sync_cells.shown([sync_cells.ROOT / "notebooks" / "01_wordpiece_tokenization.ipynb"]):
        if found.definition.name in names:
            exec(found.definition.text, place)
    counts = count_words([text])
    words = [split_into_characters(word, "abcdt") for word in counts]
    pieces = sorted({piece for word in words for piece in word})
    trace = place["train_naively"](words, list(counts.values()), pieces, steps=100)
    assert [pair for pair, _ in trace] == joins
