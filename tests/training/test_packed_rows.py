"""Rows of the long run: how text is packed, what the disk keeps, and in which order and masks it comes out.

Statistical bounds are 4 standard errors with fixed inputs.
"""

import hashlib
import json
import math
import pickle
import tracemalloc
from types import SimpleNamespace

import datasets
import numpy as np
import pyarrow
import pytest
import torch
import transformers
from datasets.arrow_writer import ArrowWriter

from helpers.pretraining import IGNORE
from helpers.training import rows as training_rows
from helpers.training.corpus import CorpusError
from helpers.training.rows import MaskedRows, Order, pack, rows_on_disk
from helpers.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer

LETTERS = "abcdefghij"
VOCABULARY = [*SPECIAL_TOKENS, *LETTERS, *(f"##{letter}" for letter in LETTERS), "bad", "##ed", "head"]


@pytest.fixture
def tokenizer():
    return WordPieceTokenizer(VOCABULARY)


class Numbers:
    """Stands for a tokenizer whose tokens are numbers, parted by spaces."""

    options = {}

    def __init__(self, size=1000):
        self.vocabulary = [*SPECIAL_TOKENS, *map(str, range(len(SPECIAL_TOKENS), size))]
        self.id_of = {token: index for index, token in enumerate(self.vocabulary)}

    def encode(self, text):
        return SimpleNamespace(ids=[self.id_of["[CLS]"], *map(int, text.split()), self.id_of["[SEP]"]])


def numbers(count, start=5, size=1000):
    """A document of `count` tokens, which go up by one."""
    return " ".join(str(start + index % (size - start)) for index in range(count))


def write_rows(folder, rows, length=8, monkeypatch=None, shard_rows=None):
    """Shards of `rows` rows that all differ."""
    if shard_rows:
        monkeypatch.setattr(training_rows, "SHARD_ROWS", shard_rows)
    tokenizer = Numbers(6 + rows * (length - 2))
    document = numbers(rows * (length - 2), size=len(tokenizer.vocabulary))
    return tokenizer, rows_on_disk([document], tokenizer, length, folder)


# Packing


def test_packing_by_hand():
    cls, sep = SPECIAL_TOKENS.index("[CLS]"), SPECIAL_TOKENS.index("[SEP]")
    rows = list(pack(["11 12 13 14", "21", "31 32 33 34 35 36 37"], Numbers(), 6))
    assert rows == [
        [cls, 11, 12, 13, 14, sep],
        [cls, sep, 21, sep, 31, sep],
        [cls, 32, 33, 34, 35, sep],
    ]


@pytest.mark.parametrize("length", [3, 4, 7, 64])
def test_every_token_of_every_document_is_there_in_order(tokenizer, length):
    """The library's tokenizer gives the tokens."""
    documents = ["Bad head!  abc", "jig", "", "Faded beaded\nhead, bed " * 30, "a"]
    library = transformers.BertTokenizer(vocab=tokenizer.id_of)
    sep = tokenizer.id_of["[SEP]"]
    stream = [token for text in documents for token in [*library(text)["input_ids"][1:-1], sep]]
    rows = list(pack(iter(documents), tokenizer, length))
    assert {len(row) for row in rows} == {length} and len(rows) == len(stream) // (length - 2)
    assert all(row[0] == tokenizer.id_of["[CLS]"] and row[-1] == sep for row in rows)
    assert [token for row in rows for token in row[1:-1]] == stream[: len(rows) * (length - 2)]
    assert tokenizer.id_of["[PAD]"] not in {token for row in rows for token in row}


@pytest.mark.parametrize(
    ("documents", "words"),
    [
        ("a bad head", r"the documents must be a list, not one string: put it into a list, \['a bad head'\]"),
        ([["a bad head"]], r"the document in row 0 \(from 0\) must be a string, not \['a bad head'\]"),
        ({"a bad head"}, "the documents must be a list or another sequence in order, not set"),
    ],
)
def test_what_is_no_series_of_documents_is_refused(documents, words, tokenizer, tmp_path):
    with pytest.raises(ValueError, match=words):
        next(pack(documents, tokenizer, 4))
    with pytest.raises(ValueError, match=words):
        rows_on_disk(documents, tokenizer, 4, tmp_path / "rows")
    assert list(tmp_path.iterdir()) == []


def test_one_string_is_refused_where_rows_are_there_already(tokenizer, tmp_path):
    rows_on_disk(["a bad head"], tokenizer, 4, tmp_path / "rows")
    with pytest.raises(ValueError, match="the documents must be a list, not one string"):
        rows_on_disk("a bad head", tokenizer, 4, tmp_path / "rows")


def test_documents_are_read_one_at_a_time(tokenizer):
    taken = []

    def endless():
        while True:
            taken.append(1)
            yield "a bad head"

    rows = pack(endless(), tokenizer, 6)  # a document and its [SEP] fill a row
    assert not taken and [next(rows), next(rows)] and len(taken) == 2


# Rows on the disk


def read(shards):
    return [list(map(int, row)) for shard in shards for row in shard.with_format("numpy")["ids"]]


def test_rows_come_back_as_they_were_packed(tokenizer, tmp_path, monkeypatch):
    monkeypatch.setattr(training_rows, "SHARD_ROWS", 7)
    documents = ["faded beaded head bed " * 30, "a b c d e f g h i j " * 11]
    shards = rows_on_disk(documents, tokenizer, 10, tmp_path / "rows")
    packed = list(pack(documents, tokenizer, 10))
    assert len(packed) % 7 == 3
    assert [len(shard) for shard in shards] == [7] * (len(packed) // 7) + [3]
    assert read(shards) == packed

    def not_again():
        pytest.fail("the documents are read again")
        yield

    assert read(rows_on_disk(not_again(), tokenizer, 10, tmp_path / "rows")) == packed


def test_rows_made_with_other_settings_are_refused(tokenizer, tmp_path):
    documents = ["faded beaded head bed " * 30]
    rows_on_disk(documents, tokenizer, 10, tmp_path / "rows", "here")
    other = WordPieceTokenizer([*VOCABULARY[:-1], "tail"])
    for changed, words in (
        ((tokenizer, 12, "here"), "another length"),
        ((other, 10, "here"), "another vocabulary"),
        ((tokenizer, 10, "there"), "another source"),
        ((other, 12, "there"), "another vocabulary and length and source"),
    ):
        with pytest.raises(CorpusError, match=words):
            rows_on_disk(documents, *changed[:2], tmp_path / "rows", changed[2])


def test_a_text_shorter_than_a_row(tokenizer, tmp_path):
    with pytest.raises(CorpusError, match="shorter than one row of 64 tokens"):
        rows_on_disk(["a bad head"], tokenizer, 64, tmp_path / "rows")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_is_whole(tokenizer, tmp_path, monkeypatch):
    monkeypatch.setattr(training_rows, "SHARD_ROWS", 4)

    def breaking():
        yield "faded beaded head bed " * 60
        assert list(tmp_path.glob(".rows-*/*.arrow")), "something was written"
        raise OSError("no room")

    (tmp_path / ".rows-of-a-killed-process").mkdir()
    with pytest.raises(OSError, match="no room"):
        rows_on_disk(breaking(), tokenizer, 10, tmp_path / "rows")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", ["rows.json", "rows-00000.arrow", "missing"])
def test_damaged_rows_are_refused(tmp_path, damage):
    write_rows(tmp_path / "rows", 3000)
    path = tmp_path / "rows" / ("rows-00000.arrow" if damage == "missing" else damage)
    content = path.read_bytes()
    path.unlink()
    if damage != "missing":
        path.write_bytes(content[: len(content) // 2])
    with pytest.raises(CorpusError, match="can't be read .*delete that folder"):
        rows_on_disk([], Numbers(6 + 3000 * 6), 8, tmp_path / "rows")


def test_rows_are_mapped_and_not_loaded(tmp_path):
    """Arrow's own count of the memory it holds; the same file in memory shows that the count sees it."""
    tokenizer, shards = write_rows(tmp_path / "rows", 8000, length=128)
    (path,) = (tmp_path / "rows").glob("*.arrow")
    assert path.stat().st_size > 4_000_000
    before = pyarrow.total_allocated_bytes()
    rows = MaskedRows(shards, tokenizer, seed=0)
    for place in range(0, 8000, 40):
        rows[place]
    assert pyarrow.total_allocated_bytes() - before < 200_000
    in_memory = datasets.Dataset.from_file(str(path), in_memory=True)
    assert len(in_memory) == 8000 and pyarrow.total_allocated_bytes() - before > 4_000_000


def test_making_rows_takes_no_more_memory_for_more_text(tmp_path, monkeypatch):
    monkeypatch.setattr(training_rows, "SHARD_ROWS", 512)

    def peak(count):
        documents = (numbers(300, start=5 + index % 100) for index in range(count))
        tracemalloc.start()
        try:
            rows_on_disk(documents, Numbers(), 16, tmp_path / f"rows-{count}")
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(10)  # what is imported late
    assert peak(400) < 1.5 * peak(50)


# Order


def test_every_epoch_is_another_permutation_of_all_rows():
    sizes = [5, 1, 7, 3]
    rows = [(shard, row) for shard, size in enumerate(sizes) for row in range(size)]
    order = Order(sizes, seed=3)
    epochs = [[order[epoch * 16 + place] for place in range(16)] for epoch in range(6)]
    for number, epoch in enumerate(epochs):
        assert {where for where, _, _ in epoch} == {number}
        assert sorted((shard, row) for _, shard, row in epoch) == rows
    orders = {tuple((shard, row) for _, shard, row in epoch) for epoch in epochs}
    assert len(orders) == 6 and tuple(rows) not in orders
    again, other = Order(sizes, seed=3), Order(sizes, seed=4)
    assert [again[place] for place in range(96)] == [place for epoch in epochs for place in epoch]
    assert [other[place] for place in range(16)] != epochs[0]


def test_a_place_can_be_asked_for_at_any_time():
    order, again = Order([4, 9, 2], 1), Order([4, 9, 2], 1)
    places = torch.randperm(60, generator=torch.Generator().manual_seed(0)).tolist()
    scattered = {place: order[place] for place in places}
    assert [scattered[place] for place in range(60)] == [again[place] for place in range(60)]


def test_every_order_is_about_equally_likely():
    """Two shards of one and two rows: four orders, since the rows of a shard stay together."""
    counts = {}
    for seed in range(2000):
        order = Order([1, 2], seed)
        found = tuple(order[place][1:] for place in range(3))
        counts[found] = counts.get(found, 0) + 1
    assert len(counts) == 4
    assert all(abs(count / 2000 - 0.25) < 4 * math.sqrt(0.25 * 0.75 / 2000) for count in counts.values())


def test_an_order_holds_two_permutations_at_most():
    size, shards = 50_000, 40  # all rows at once would take 16 MB
    order = Order([size] * shards, 0)
    tracemalloc.start()
    try:
        for place in range(0, 3 * size * shards, size // 2):
            order[place]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2.1 * 8 * size


def test_an_order_travels_to_another_process():
    order = Order([4, 9, 2], 1)
    order[20]
    copy = pickle.loads(pickle.dumps(order))
    assert [copy[place] for place in range(40)] == [order[place] for place in range(40)]


@pytest.mark.parametrize("sizes", [[], [0], [3, 0, 2]])
def test_an_order_of_nothing(sizes):
    with pytest.raises(CorpusError, match="at least one shard, and a row in each"):
        Order(sizes, 0)


# Masked rows


@pytest.fixture
def small(tmp_path, monkeypatch):
    return write_rows(tmp_path / "rows", 50, length=34, monkeypatch=monkeypatch, shard_rows=20)


def test_a_masked_row_is_the_row_of_the_order(small):
    tokenizer, shards = small
    rows, order, packed = MaskedRows(shards, tokenizer, 7), Order([20, 20, 10], 7), read(shards)
    assert len(rows) == 50
    for place in range(150):
        _, shard, row = order[place]
        example = rows[place]
        chosen = example["labels"] != IGNORE
        assert example["ids"].dtype == example["labels"].dtype == torch.long
        assert chosen.sum() == round(0.15 * 32) and not chosen[0] and not chosen[-1]
        whole = torch.where(chosen, example["labels"], example["ids"])
        assert whole.tolist() == packed[20 * shard + row]


def by_row(rows, epoch):
    """The masked places of every row in an epoch, by (shard, row)."""
    return {
        rows.order[place][1:]: tuple((rows[place]["labels"] != IGNORE).nonzero().flatten().tolist())
        for place in range(50 * epoch, 50 * epoch + 50)
    }


def test_a_mask_follows_from_seed_epoch_and_row_alone(small):
    tokenizer, shards = small
    rows = MaskedRows(shards, tokenizer, 7)
    straight = [rows[place] for place in range(100)]
    torch.manual_seed(99)  # the global generator has no say
    travelled = pickle.loads(pickle.dumps(rows))  # as to a worker that is started anew
    for place in (99, 3, 50, 0, 98):
        for other in (MaskedRows(shards, tokenizer, 7), travelled):
            assert all(torch.equal(straight[place][name], other[place][name]) for name in ("ids", "labels"))
    one, two, other_seed = by_row(rows, 0), by_row(rows, 1), by_row(MaskedRows(shards, tokenizer, 8), 0)
    assert set(one) == set(two) == set(other_seed)
    # Five places out of 32 agree by chance once in 200,000 times.
    assert all(one[row] != two[row] and one[row] != other_seed[row] for row in one)
    assert len(set(one.values())) == 50, "no two rows share their draws"


def test_workers_and_batches_change_nothing(small):
    tokenizer, shards = small
    rows = MaskedRows(shards, tokenizer, 7)
    loader = torch.utils.data.DataLoader(rows, batch_sampler=[[3, 61], [120, 4, 5]], num_workers=2)
    found = [row for batch in loader for row in batch["ids"].tolist()]
    assert found == [rows[place]["ids"].tolist() for place in (3, 61, 120, 4, 5)]


def test_rows_json_says_what_the_rows_are(tokenizer, tmp_path):
    rows_on_disk(["faded beaded head bed " * 30], tokenizer, 10, tmp_path / "rows", "somewhere")
    found = json.loads((tmp_path / "rows" / "rows.json").read_text(encoding="utf-8"))
    digest = hashlib.sha256("\n".join(VOCABULARY).encode()).hexdigest()
    wanted = {"length": 10, "source": "somewhere", "vocabulary": digest}
    content = (tmp_path / "rows" / "rows-00000.arrow").read_bytes()
    shards = {"shards": ["rows-00000.arrow"], "sha256": [hashlib.sha256(content).hexdigest()]}
    assert found == wanted | shards


# Rows that are not what was written


@pytest.fixture
def written(tokenizer, tmp_path, monkeypatch):
    """A folder of rows in several shards, and a way to read it."""
    monkeypatch.setattr(training_rows, "SHARD_ROWS", 4)
    rows_on_disk(["faded beaded head bed " * 30], tokenizer, 10, tmp_path / "rows")
    return tmp_path / "rows", lambda: rows_on_disk([], tokenizer, 10, tmp_path / "rows")


def change_json(folder, **changes):
    path = folder / "rows.json"
    found = json.loads(path.read_text(encoding="utf-8")) | changes
    path.write_text(json.dumps({name: value for name, value in found.items() if value is not None}))


def test_a_flipped_bit_anywhere_is_noticed(written):
    folder, read_again = written
    path = folder / "rows-00001.arrow"
    content = path.read_bytes()
    for place in range(0, len(content), len(content) // 20):
        path.write_bytes(content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :])
        with pytest.raises(CorpusError, match="the bytes of rows-00001.arrow have changed.*delete that"):
            read_again()
    path.write_bytes(content)
    assert len(read_again()) > 2


def test_two_shards_in_each_other_s_place_are_noticed(written):
    folder, read_again = written
    one, other = folder / "rows-00000.arrow", folder / "rows-00001.arrow"
    contents = one.read_bytes(), other.read_bytes()
    one.write_bytes(contents[1])
    other.write_bytes(contents[0])
    with pytest.raises(CorpusError, match="the bytes of rows-00000.arrow have changed"):
        read_again()


def test_rows_of_older_runs_have_no_hashes(written):
    folder, read_again = written
    packed = read(read_again())
    change_json(folder, sha256=None)
    assert read(read_again()) == packed


def test_rows_json_with_a_byte_order_mark(written):
    folder, read_again = written
    path = folder / "rows.json"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(read_again()) > 2


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"null", b"7", b"{}", b"\xff\xfe", b'{"shards": 3}', b'{"a":' * 200_000],
    ids=lambda content: str(content[:9]),
)  # fmt: skip
def test_an_odd_rows_json(written, content):
    folder, read_again = written
    (folder / "rows.json").write_bytes(content)
    with pytest.raises(CorpusError, match="can't be read .*delete that folder"):
        read_again()


@pytest.mark.parametrize(
    "changes",
    [{"shards": 3}, {"shards": []}, {"shards": [7]}, {"shards": ["../rows/rows-00000.arrow"]},
     {"shards": [None]}, {"shards": ["rows-00000.arrow"]}, {"sha256": []}, {"sha256": 3}],
    ids=str,
)  # fmt: skip
def test_odd_shards(written, changes):
    folder, read_again = written
    change_json(folder, **changes)
    with pytest.raises(CorpusError, match="can't be read .*delete that folder"):
        read_again()


def write_shard(path, rows):
    features = datasets.Features({"ids": datasets.List(datasets.Value("int32"), length=len(rows[0]))})
    with ArrowWriter(features=features, path=str(path)) as writer:
        for row in rows:
            writer.write({"ids": row})
        writer.finalize()


@pytest.mark.parametrize("bad", [-1, 1_000_000])
def test_an_id_that_is_none_of_the_vocabulary_s_is_named(written, bad):
    """In rows without hashes, or from another program."""
    folder, read_again = written
    rows = read(read_again())[:4]
    rows[2][7] = bad
    write_shard(folder / "rows-00000.arrow", rows)
    change_json(folder, sha256=None)
    with pytest.raises(CorpusError, match=rf"rows-00000.arrow, row 2: the id {bad} is none of the"):
        read_again()


def test_rows_of_another_length_than_rows_json_says(written):
    folder, read_again = written
    write_shard(folder / "rows-00000.arrow", [row[:9] for row in read(read_again())[:4]])
    change_json(folder, sha256=None)
    with pytest.raises(CorpusError, match="does not hold rows of 10 tokens"):
        read_again()


@pytest.mark.parametrize("length", [2, 1, 0, -3, float("nan")])
def test_a_row_without_room_for_a_token_is_refused_at_once(tokenizer, tmp_path, length):
    with pytest.raises(ValueError, match="length, .*, must be at least 3"):
        pack(["the river"], tokenizer, length)
    with pytest.raises(ValueError, match="length, .*, must be at least 3"):
        rows_on_disk(["the river"], tokenizer, length, tmp_path / "rows")
    assert list(tmp_path.iterdir()) == []


def test_rows_of_a_tokenizer_with_other_options_are_refused(tokenizer, tmp_path):
    texts, folder = ["The river " * 9], tmp_path / "rows"
    rows_on_disk(texts, tokenizer, 4, folder)
    assert "tokenizer" not in json.loads((folder / "rows.json").read_text())  # as in older runs
    usual = WordPieceTokenizer(tokenizer.vocabulary, lowercase=True, strip_accents=None, split_chinese=True)
    assert read(rows_on_disk(texts, usual, np.int64(4), folder)) == read(
        rows_on_disk(texts, tokenizer, 4, folder)
    )
    cased = WordPieceTokenizer(tokenizer.vocabulary, lowercase=False)
    with pytest.raises(CorpusError, match="made with another tokenizer"):
        rows_on_disk(texts, cased, 4, folder)
    first = read(rows_on_disk(texts, cased, 4, tmp_path / "cased"))
    assert read(rows_on_disk(texts, cased, 4, tmp_path / "cased")) == first
    with pytest.raises(CorpusError, match="made with another tokenizer"):
        rows_on_disk(texts, tokenizer, 4, tmp_path / "cased")


def test_a_vocabulary_with_half_a_character_makes_rows(tokenizer, tmp_path):
    tokenizer.vocabulary.append("\ud800")
    assert read(rows_on_disk(["the river " * 9], tokenizer, 4, tmp_path / "rows", "\ud800"))
