"""The tokenizer and its trainer against the tokenizers library, brute force, and a training worked by hand.

`PYTHONPATH=. python tests/taught/test_wordpiece.py` writes texts/unicode_differences.json anew: the code
points of Unicode 14 for which the library, whose table is older, decides otherwise. It wants a Python with
Unicode 14.
"""

import doctest
import hashlib
import heapq
import json
import random
import subprocess
import sys
import unicodedata
import warnings
from collections import Counter
from itertools import pairwise, product
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import BertWordPieceTokenizer
from tokenizers.decoders import WordPiece as LibraryDecoder
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from transformers import BertTokenizer

from helpers import data, wordpiece
from helpers.wordpiece import (
    SPECIAL_TOKENS,
    PairCounts,
    TruncationWarning,
    WordPieceTokenizer,
    train_wordpiece,
)

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).parent / "texts"
TEXTS = json.loads((FOLDER / "adversarial_texts.json").read_text(encoding="utf-8"))
OPTIONS = list(product((True, False), (None, True, False), (True, False)))
UNICODE = FOLDER / "unicode_differences.json"
CHANGED_LATER = {"\U0001171e"}  # Mn in Unicode 14, Mc from 16 on
DOMAINS = ["movies", "products", "editorials", "tweets"]
TOY_CORPUS = ["hat hats hat that chat", "chats cat cats cat bat"]


@pytest.fixture(scope="module")
def paragraphs():
    return [part for article in data.wikipedia() for part in article.text.split("\n") if part.strip()]


@pytest.fixture(scope="module")
def word_counts(paragraphs):
    return wordpiece.count_words(paragraphs)


@pytest.fixture(scope="module")
def vocabulary(paragraphs):
    return train_wordpiece(paragraphs, 8_000)


@pytest.fixture(scope="module")
def folder():
    return data.fetch("minilm")


@pytest.fixture(scope="module")
def ours(folder):
    return WordPieceTokenizer.from_file(folder / "vocab.txt")


@pytest.fixture(scope="module")
def library(folder):
    return BertWordPieceTokenizer(str(folder / "vocab.txt"))


def pair_of_tokenizers(vocabulary, lowercase, strip_accents, split_chinese):
    """Our tokenizer and the library's with the same vocabulary and options."""
    ids = {token: number for number, token in enumerate(vocabulary)}
    theirs = BertWordPieceTokenizer(
        ids, lowercase=lowercase, strip_accents=strip_accents, handle_chinese_chars=split_chinese
    )
    options = {"lowercase": lowercase, "strip_accents": strip_accents, "split_chinese": split_chinese}
    return WordPieceTokenizer(vocabulary, **options), theirs


def columns(encoding):
    """What must be equal, of an encoding of ours or the library's."""
    names = ("ids", "type_ids", "attention_mask", "tokens", "offsets")
    return {name: list(getattr(encoding, name)) for name in names}


def assert_same(mine, theirs, text):
    assert columns(mine) == columns(theirs), f"{text[:300]!r}"


# Encoding real text.


def test_the_wikipedia_slice(ours, library, paragraphs):
    for text, theirs in zip(paragraphs, library.encode_batch(paragraphs), strict=True):
        assert_same(ours.encode(text), theirs, text)


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_reviews(ours, library, domain):
    texts = [review.text for split in data.reviews(domain).values() for review in split]
    for text, theirs in zip(texts, library.encode_batch(texts), strict=True):
        assert_same(ours.encode(text), theirs, text)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_every_combination_of_options_on_real_text(vocabulary, paragraphs, options):
    mine, theirs = pair_of_tokenizers(vocabulary, *options)
    texts = paragraphs[::12]
    for text, encoding in zip(texts, theirs.encode_batch(texts), strict=True):
        assert_same(mine.encode(text), encoding, text)


def test_a_cased_vocabulary_of_our_own(paragraphs):
    entries = train_wordpiece(paragraphs[::3], 4_000, lowercase=False)
    assert {"The", "the", "In"} <= set(entries)
    mine, theirs = pair_of_tokenizers(entries, False, None, True)
    texts = paragraphs[1::3]
    for text, encoding in zip(texts, theirs.encode_batch(texts), strict=True):
        assert_same(mine.encode(text), encoding, text)


# Adversarial texts.


@pytest.mark.parametrize("name", TEXTS)
def test_an_adversarial_text(ours, library, folder, name):
    text = TEXTS[name]
    assert_same(ours.encode(text), library.encode(text), text)
    wrapper = BertTokenizer.from_pretrained(folder)(text, return_offsets_mapping=True)
    mine = ours.encode(text)
    assert (mine.ids, mine.type_ids) == (wrapper["input_ids"], wrapper["token_type_ids"])
    assert mine.offsets == wrapper["offset_mapping"]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_adversarial_texts_with_every_combination_of_options(vocabulary, options):
    letters = {c for text in TEXTS.values() for c in text + text.lower() if c.isalnum()}
    entries = list(dict.fromkeys([*vocabulary, *sorted(letters), *("##" + c for c in sorted(letters))]))
    mine, theirs = pair_of_tokenizers(entries, *options)
    for text in TEXTS.values():
        assert_same(mine.encode(text), theirs.encode(text), text)
    first = list(TEXTS.values())
    second = first[5:] + first[:5]
    for text, other in zip(first, second, strict=True):
        assert_same(mine.encode(text, other), theirs.encode(text, other or None), text + other)


def test_every_general_category_is_met():
    categories = {unicodedata.category(character) for text in TEXTS.values() for character in text}
    assert categories >= {unicodedata.category(chr(code)) for code in range(0x30000)} - {"Cs"}


def test_texts_that_are_hard_to_find_by_thinking(ours, library):
    characters = everyday_characters()
    words = [*SPECIAL_TOKENS, " ", "the", "##s", "é", "e\u0301", "[", "]", "\u200d", "東", "x" * 101]
    parts = st.one_of(st.sampled_from(words), st.sampled_from(characters))
    texts = st.lists(parts, max_size=12).map("".join)

    @settings(max_examples=400, deadline=None, derandomize=True, database=None)
    @given(texts, texts)
    def same(text, other):
        assert_same(ours.encode(text), library.encode(text), text)
        assert_same(ours.encode(text, other), library.encode(text, other or None), text)

    same()


def test_options_on_texts_that_are_hard_to_find_by_thinking(vocabulary):
    pairs = [pair_of_tokenizers(vocabulary, *options) for options in OPTIONS]
    texts = st.lists(st.sampled_from([*everyday_characters(), "e\u0301", " ", "[MASK]"]), max_size=12)

    @settings(max_examples=200, deadline=None, derandomize=True, database=None)
    @given(texts.map("".join), st.sampled_from(pairs))
    def same(text, tokenizers):
        mine, theirs = tokenizers
        assert_same(mine.encode(text), theirs.encode(text), text)

    same()


def test_marks_out_of_order(ours, library):
    """NFD sorts marks by class, across characters; it shows with the few that aren't removed as accents."""
    everywhere = [c for c in everyday_characters() if unicodedata.combining(c)]
    kept = [c for c in everywhere if unicodedata.category(c) != "Mn"]
    assert len(kept) >= 20
    chance = random.Random(2)
    for _ in range(3_000):
        marks = chance.choices(kept, k=3) + chance.choices(everywhere, k=2)
        chance.shuffle(marks)
        text = "a" + "".join(marks[:3]) + "é" + "".join(marks[3:]) + "b"
        assert_same(ours.encode(text), library.encode(text), ascii(text))
        assert wordpiece.normalize(text) == library.normalize(text)


# Unicode: the tables of Python and of the library are of different years.


def listed():
    """Code points where the library differs: in normalizing, in finding punctuation."""
    stored = json.loads(UNICODE.read_text(encoding="utf-8"))
    return expand(stored["normalize"]), expand(stored["pre_tokenize"])


def assigned_in_unicode_14():
    return expand(json.loads(UNICODE.read_text(encoding="utf-8"))["assigned"])


def expand(ranges):
    bounds = [[int(end, 16) for end in part.split("-")] for part in ranges.split()]
    return {chr(code) for first, *last in bounds for code in range(first, (last or [first])[0] + 1)}


def compact(characters):
    """'A B C E' as hexadecimal ranges: '41-43 45'."""
    codes = sorted(map(ord, characters))
    starts = [code for before, code in pairwise([-2, *codes]) if code != before + 1]
    ends = [code for code, after in pairwise([*codes, -2]) if after != code + 1]
    return " ".join(f"{a:X}" if a == b else f"{a:X}-{b:X}" for a, b in zip(starts, ends, strict=True))


def differences(characters):
    """Where the library differs among `characters`, each tried between letters and after a late mark."""
    normalizers = [
        (
            BertNormalizer(lowercase=lowercase, strip_accents=strip),
            {"lowercase": lowercase, "strip_accents": strip},
        )
        for lowercase, strip in ((True, True), (False, False))
    ]
    cut, other, marks = BertPreTokenizer(), set(), set()
    for character in characters:
        text = f"a{character}b\u302e{character}"
        if any(theirs.normalize_str(text) != wordpiece.normalize(text, **own) for theirs, own in normalizers):
            other.add(character)
        if wordpiece.normalize_character(character, False, False, False) == character:
            text = f"a{character}b"
            if [word for word, _ in cut.pre_tokenize_str(text)] != wordpiece.pre_tokenize(text):
                marks.add(character)
    return other, marks


def everyday_characters():
    """All of Unicode 14 but private use and the list."""
    found = assigned_in_unicode_14().difference(*listed(), CHANGED_LATER)
    return sorted(c for c in found if unicodedata.category(c) != "Co")


def test_the_library_differs_where_its_unicode_table_is_older_and_nowhere_else():
    characters = [c for c in assigned_in_unicode_14() - CHANGED_LATER if unicodedata.category(c) != "Co"]
    found = differences(characters)
    for name, here, stored in zip(("normalize", "pre_tokenize"), found, listed(), strict=True):
        assert compact(here - stored) == "", f"{name}: differ, but aren't in {UNICODE.name}"
        assert compact(stored - here) == "", f"{name}: are in {UNICODE.name}, but don't differ"


def test_the_list_holds_nothing_that_unicode_3_2_decided_alike():
    then = unicodedata.ucd_3_2_0
    for character in set.union(*listed()):
        before = then.category(character)
        assert before == "Cn" or before != unicodedata.category(character), f"U+{ord(character):04X}"


@pytest.mark.skipif(unicodedata.unidata_version != "14.0.0", reason="the list is of Unicode 14")
def test_what_is_assigned_is_what_this_python_says():
    here = {chr(c) for c in range(0x110000) if unicodedata.category(chr(c)) not in ("Cn", "Cs")}
    assert assigned_in_unicode_14() == here


def test_letters_marks_and_punctuation_of_unicode_14_are_right():
    for character in assigned_in_unicode_14() - CHANGED_LATER:
        category = unicodedata.category(character)
        cased = wordpiece.normalize(character, lowercase=False, split_chinese=False)
        if category == "Mn":
            assert wordpiece.normalize(character) == ""
        if category[0] in "LNMPS" and character != "\ufffd":
            assert cased == character
            assert (len(wordpiece.pre_tokenize(f"a{character}b")) == 3) == (
                category[0] == "P" or character in "$+<=>^`|~"
            )
        if category in ("Cc", "Cf", "Co") and character not in "\t\n\r":
            assert cased == ""


# Pairs, truncation, padding, decoding.


def test_pairs_and_truncation(ours, library, paragraphs):
    chance = random.Random(1)
    for _ in range(400):
        first, second = chance.choice(paragraphs)[: chance.randrange(400)], chance.choice(paragraphs)[:200]
        second = chance.choice([None, second[: chance.randrange(1, 200)].strip() or None])
        length = chance.randrange(3, 80)
        whole = library.encode(first, second)
        library.enable_truncation(length, strategy="longest_first")
        theirs = library.encode(first, second)
        library.no_truncation()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mine = ours.encode(first, second, max_length=length)
        assert_same(mine, theirs, first)
        assert mine.truncated == len(whole.ids) - len(mine.ids)


def test_truncation_against_brute_force():
    """Longest first: take a token from the longer text, again and again; the library spares the second."""
    for a, b, room in product(range(8), range(8), range(16)):
        first, second = wordpiece.truncate_longest_first(list(range(a)), list(range(b)), room)
        assert first == list(range(len(first))) and second == list(range(len(second)))
        if a + b <= room:
            assert (len(first), len(second)) == (a, b)
        else:
            assert len(first) + len(second) == room
            assert abs(len(first) - len(second)) <= 1 or min(len(first), len(second)) == min(a, b)


def test_truncation_is_never_silent(ours):
    with pytest.warns(UserWarning, match="cut to 4 tokens"):
        encoding = ours.encode("one two three four", max_length=4)
    assert encoding.truncated == 2 and len(encoding.ids) == 4
    with pytest.warns(TruncationWarning, match="^2 of 3 texts were cut to 4 tokens") as caught:
        ours.encode_batch(["one", "one two three four", "a b c"], max_length=4)
    assert len(caught) == 1 and caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ours.encode("one two", max_length=4).truncated == 0


def test_every_call_warns_under_pythons_own_filters():
    """Python's default is one warning for a line of code; a loop over batches would hide the others."""
    program = (
        "from helpers.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer\n"
        "tokenizer = WordPieceTokenizer([*SPECIAL_TOKENS, 'a'])\n"
        "for _ in range(3):\n"
        "    tokenizer.encode('a a a', max_length=4)\n"
        "    tokenizer.encode_batch(['a', 'a a a'], max_length=4)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert result.stderr.count("TruncationWarning: a text was cut to 4 tokens") == 3
    assert result.stderr.count("TruncationWarning: 1 of 2 texts were cut to 4 tokens") == 3


@pytest.mark.parametrize(("pair", "length"), [(None, 1), ("b", 2)])
def test_no_room_for_the_special_tokens(ours, pair, length):
    with pytest.raises(ValueError, match=f"max_length={length} leaves no room"):
        ours.encode("a", pair, max_length=length)


def test_padding(ours, library, paragraphs):
    texts, pairs = paragraphs[:40], [None if i % 3 else paragraphs[i + 50] for i in range(40)]
    batch = ours.encode_batch(texts, pairs)
    library.enable_padding()
    inputs = [text if pair is None else (text, pair) for text, pair in zip(texts, pairs, strict=True)]
    theirs = library.encode_batch(inputs)
    library.no_padding()
    for name in ("ids", "type_ids", "attention_mask"):
        assert batch[name].dtype == torch.long
        assert batch[name].tolist() == [getattr(encoding, name) for encoding in theirs]


def test_padding_uses_the_vocabularys_own_id():
    tokenizer = WordPieceTokenizer(["a", "##b", *SPECIAL_TOKENS])
    batch = tokenizer.encode_batch(["a", "ab ab"])
    assert batch["ids"][0].tolist() == [4, 0, 5, 2, 2, 2]


def test_an_empty_batch(ours):
    with pytest.raises(ValueError, match="the batch is empty: encode at least one text"):
        ours.encode_batch([])


def test_texts_and_pairs_of_different_number(ours):
    with pytest.raises(ValueError, match="2 texts, but 1 second texts: give one for each text, or None"):
        ours.encode_batch(["a", "b"], ["c"])


def test_an_encoding_without_tokens_cannot_be_padded(ours):
    """A row of padding only would have no token to attend to."""
    nothing = wordpiece.Encoding([], [], [], [], [])
    with pytest.raises(ValueError, match="an encoding has no tokens"):
        wordpiece.pad_encodings([ours.encode("a"), nothing])


def test_an_empty_second_text_is_no_pair(ours, folder):
    """As the wrapper does with two strings (in a batch of pairs it adds a second `[SEP]`)."""
    theirs = BertTokenizer.from_pretrained(folder)("one two", "")
    assert ours.encode("one two", "").ids == theirs["input_ids"] == ours.encode("one two").ids
    assert ours.encode_batch(["one two"], [""])["ids"].tolist() == [theirs["input_ids"]]


def test_everything_at_once(ours, folder, paragraphs):
    """All texts we have, in pairs, cut and padded, against the wrapper."""
    reviews = [r.text for name in DOMAINS for split in data.reviews(name).values() for r in split]
    texts = [*paragraphs, *reviews, *TEXTS.values()]
    first, second = texts[::2], [text or "." for text in texts[1::2]]  # an empty second text: see above
    wrapper = BertTokenizer.from_pretrained(folder)
    options = {"max_length": 32, "truncation": "longest_first", "padding": True}
    for part in (slice(start, start + 1_000) for start in range(0, len(second), 1_000)):
        theirs = wrapper(first[part], second[part], return_offsets_mapping=True, **options)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TruncationWarning)
            rows = [ours.encode(*pair, max_length=32) for pair in zip(first[part], second[part], strict=True)]
        batch = wordpiece.pad_encodings(rows)
        for name, column in (("ids", "input_ids"), ("type_ids", "token_type_ids")):
            assert batch[name].tolist() == theirs[column]
        assert batch["attention_mask"].tolist() == theirs["attention_mask"]
        for row, mask, offsets in zip(rows, theirs["attention_mask"], theirs["offset_mapping"], strict=True):
            assert row.offsets == offsets[: sum(mask)]


def test_decoding(ours, paragraphs):
    decoder = LibraryDecoder(cleanup=False)
    for text in [*paragraphs[:300], *TEXTS.values()]:
        encoding = ours.encode(text)
        assert ours.decode(encoding.ids) == decoder.decode(encoding.tokens)


def test_decoding_takes_a_tensor(ours):
    assert ours.decode(ours.encode_batch(["Embeddings!"])["ids"][0]) == "[CLS] embeddings ! [SEP]"


@pytest.mark.parametrize("wrong", [-1, 30_522])
def test_decoding_an_id_outside_the_vocabulary(ours, wrong):
    with pytest.raises(ValueError, match=f"id {wrong} is not in the vocabulary: ids go from 0 to 30521"):
        ours.decode([101, wrong, 102])


# Input that should break it.


@pytest.mark.parametrize("text", ["", " ", "\t\n", "\x00\x01\x02", "\u200b"])
def test_nothing_to_read(ours, text):
    assert ours.encode(text).tokens == ["[CLS]", "[SEP]"]
    assert ours.encode_batch([text])["attention_mask"].tolist() == [[1, 1]]


@pytest.mark.parametrize("unit", ["e\u0301", "\u0301", ".", "東", "[", "\x00", "[MASK"])
def test_many_characters_without_a_space(ours, library, unit):
    text = unit * 100_000
    assert ours.encode(text).ids == library.encode(text).ids


def test_a_word_of_a_million_characters(ours, library):
    for text in ("a" * 1_000_000, "é" * 1_000_000):
        assert ours.encode(text).tokens == ["[CLS]", "[UNK]", "[SEP]"]
        assert_same(ours.encode(text), library.encode(text), text)


def test_lone_surrogates_do_not_fail(ours):
    assert ours.tokenize("a\ud800b c") == ["[UNK]", "c"]  # the library can't even be given such a string


# Vocabularies.


def test_saving_and_loading(tmp_path, vocabulary, paragraphs):
    tokenizer = WordPieceTokenizer(vocabulary)
    tokenizer.save(tmp_path / "vocab.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["vocab.txt"]
    assert WordPieceTokenizer.from_file(tmp_path / "vocab.txt").vocabulary == vocabulary
    theirs = BertTokenizer.from_pretrained(tmp_path)
    assert theirs(paragraphs[:200])["input_ids"] == [tokenizer.encode(text).ids for text in paragraphs[:200]]


def test_a_file_with_windows_line_ends(tmp_path):
    (tmp_path / "vocab.txt").write_bytes("\r\n".join([*SPECIAL_TOKENS, "é", "##s", ""]).encode())
    assert WordPieceTokenizer.from_file(tmp_path / "vocab.txt").vocabulary == [*SPECIAL_TOKENS, "é", "##s"]


@pytest.mark.parametrize("entries", [["a"], [*SPECIAL_TOKENS[:-1], "a"], [*SPECIAL_TOKENS, "a", "a"]])
def test_a_vocabulary_that_cannot_work(entries):
    with pytest.raises(ValueError, match="each entry once"):
        WordPieceTokenizer(entries)


# Training.


def test_training_worked_by_hand():
    """Ten words; the joins and their counts were worked out with a pencil (see notebook 02)."""
    letters = ["##a", "##h", "##s", "##t", "a", "b", "c", "h", "s", "t"]
    joins = ["##at", "##hat", "cat", "hat", "chat"]
    assert train_wordpiece(TOY_CORPUS, 100) == [*SPECIAL_TOKENS, *letters, *joins]
    assert train_wordpiece(TOY_CORPUS, 18) == [*SPECIAL_TOKENS, *letters, *joins[:3]]
    assert train_wordpiece(TOY_CORPUS, 100, min_frequency=4) == [*SPECIAL_TOKENS, *letters, *joins[:1]]


def train_by_brute_force(corpus, vocab_size, min_frequency=2, alphabet_size=1000):
    """Counts every pair afresh at every step; shares no counting with train_wordpiece."""
    counts = Counter(word for text in corpus for word in text.split())
    frequency = Counter(c for text in corpus for word in text.split() for c in word)
    alphabet = set(sorted(frequency, key=lambda c: (-frequency[c], c))[:alphabet_size])
    words = {
        word: [c if i == 0 else "##" + c for i, c in enumerate(word) if c in alphabet] for word in counts
    }
    pieces = [*SPECIAL_TOKENS, *sorted(alphabet | {piece for word in words.values() for piece in word})]
    while len(pieces) < vocab_size:
        found = Counter()
        for word, parts in words.items():
            for pair in pairwise(parts):
                found[pair] += counts[word]
        if not found or max(found.values()) < min_frequency:
            break
        first, second = min(found, key=lambda p: (-found[p], pieces.index(p[0]), pieces.index(p[1])))
        joined = first + second[2:]
        for parts in words.values():
            place = 0
            while place < len(parts) - 1:
                if (parts[place], parts[place + 1]) == (first, second):
                    parts[place : place + 2] = [joined]
                place += 1
        if joined not in pieces:
            pieces.append(joined)
    return pieces


def test_training_against_brute_force():
    words = st.lists(
        st.text("ab", min_size=1, max_size=9) | st.text("abcd", min_size=1, max_size=5),
        min_size=1,
        max_size=12,
    )

    @settings(max_examples=300, deadline=None, derandomize=True, database=None)
    @given(words, st.integers(16, 40), st.integers(1, 3), st.integers(1, 5))
    def same(corpus, size, least, alphabet):
        assert train_wordpiece(corpus, size, least, alphabet) == train_by_brute_force(
            corpus, size, least, alphabet
        )

    same()


def test_pair_counts_stay_true(word_counts):
    """After many merges, the corrected counts are what counting afresh gives."""
    alphabet = wordpiece.choose_alphabet(word_counts, 1_000)
    words = [wordpiece.split_into_characters(word, alphabet) for word in word_counts]
    pairs = PairCounts(words, word_counts.values(), wordpiece.first_pieces(words, alphabet, 8_000))
    for _ in range(300):
        pairs.merge(max(pairs.count_of, key=lambda pair: (pairs.count_of[pair], pair)))
    afresh = Counter()
    for word, count in zip(pairs.words, pairs.counts, strict=True):
        for first, second in pairwise(word):
            afresh[first + second] += count
    assert +pairs.count_of == afresh
    spelled = ["".join(pairs.pieces[ord(c)].removeprefix("##") for c in word) for word in pairs.words]
    assert spelled == list(word_counts)


def steps_that_were_not_best(order, word_counts):
    """Follow a trainer's entries with our counts; the steps at which some pair was more frequent."""
    alphabet = wordpiece.choose_alphabet(word_counts, 1_000)
    words = [wordpiece.split_into_characters(word, alphabet) for word in word_counts]
    pairs = PairCounts(words, word_counts.values(), wordpiece.first_pieces(words, alphabet, len(order)))
    start = len(pairs.pieces)
    assert set(order[:start]) == set(pairs.pieces)
    queue, wrong = [(-count, pair) for pair, count in pairs.count_of.items()], []
    heapq.heapify(queue)
    for piece in order[start:]:
        while pairs.count_of[queue[0][1]] < -queue[0][0]:
            heapq.heapreplace(queue, (-pairs.count_of[queue[0][1]], queue[0][1]))
        mark, body = ("##", piece[2:]) if piece.startswith("##") else ("", piece)
        cuts = [(mark + body[:i], "##" + body[i:]) for i in range(1, len(body))]
        symbols = [
            "".join(chr(pairs.number[part]) for part in cut)
            for cut in cuts
            if set(cut) <= pairs.number.keys()
        ]
        chosen = max(symbols, key=lambda pair: pairs.count_of[pair])
        if pairs.count_of[chosen] < -queue[0][0]:
            wrong.append(piece)
        for grown in pairs.merge(chosen):
            heapq.heappush(queue, (-pairs.count_of[grown], grown))
    return wrong


def test_the_librarys_trainer_differs_among_ties_only(paragraphs, word_counts, vocabulary):
    theirs = BertWordPieceTokenizer()
    theirs.train_from_iterator(paragraphs, vocab_size=8_000, show_progress=False)
    entries = theirs.get_vocab()
    order = sorted(entries, key=entries.get)
    lacking = set(order) - set(vocabulary)
    print(f"{len(lacking)} of the library's {len(order)} entries differ")
    assert len(order) == len(vocabulary) == 8_000 and len(lacking) <= 60
    assert steps_that_were_not_best(order, word_counts) == []
    assert steps_that_were_not_best(vocabulary, word_counts) == []


def test_training_is_the_same_in_another_process():
    """Whatever order its hash tables have: Python seeds the hashes of strings anew in each process."""
    program = (
        "from helpers.wordpiece import train_wordpiece; from helpers import data;"
        "print(*train_wordpiece([a.text for a in data.wikipedia()[:12]], 1_500), sep='\\n')"
    )
    result = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", program],
        capture_output=True,
        check=True,
        cwd=ROOT,
    )
    here = train_wordpiece([article.text for article in data.wikipedia()[:12]], 1_500)
    assert result.stdout.decode().split() == here


def test_the_vocabulary_of_the_slice_is_the_same_everywhere(vocabulary):
    found = hashlib.sha256("\n".join(vocabulary).encode()).hexdigest()
    assert found == "8992cb827cad97782105f0d3b110f7d1bd99db56ab24833444f348c2e1bb8839"


def test_a_small_vocabulary_is_the_beginning_of_a_larger_one(paragraphs):
    large = train_wordpiece(paragraphs[:200], 2_000)
    assert train_wordpiece(paragraphs[:200], 1_000) == large[:1_000]


def test_a_rare_character_is_left_out():
    entries = train_wordpiece(["aab aab aac"], 50, alphabet_size=2)
    assert "b" in entries and not any("c" in entry for entry in entries)
    assert WordPieceTokenizer(entries).tokenize("aab aac") == ["aab", "[UNK]"]


@pytest.mark.parametrize("corpus", [[], [""], [" \t\x00"]])
def test_a_corpus_without_words(corpus):
    with pytest.raises(ValueError, match="the corpus has no words"):
        train_wordpiece(corpus, 100)


def test_more_characters_than_entries():
    with pytest.raises(ValueError, match="vocab_size must be at least 15 for this corpus, not 14"):
        train_wordpiece(TOY_CORPUS, 14)


def test_the_examples_in_the_module():
    assert doctest.testmod(wordpiece).failed == 0


if __name__ == "__main__":
    if unicodedata.unidata_version != "14.0.0":
        sys.exit(f"this Python has Unicode {unicodedata.unidata_version}: use Python 3.11 (Unicode 14)")
    everything = {chr(c) for c in range(0x110000) if unicodedata.category(chr(c)) not in ("Cn", "Cs")}
    other, marks = differences([c for c in everything - CHANGED_LATER if unicodedata.category(c) != "Co"])
    lists = {"assigned": everything, "normalize": other, "pre_tokenize": marks}
    text = json.dumps({name: compact(codes) for name, codes in lists.items()}, indent=1)
    UNICODE.write_text(text + "\n", encoding="utf-8")
