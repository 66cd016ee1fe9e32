"""Packed rows of token ids: written to the disk once, then read in an order that can be resumed, and masked.

Support code. Rows are kept in Arrow files (the `datasets` library), which are mapped into memory page by
page, so a corpus may be larger than memory. There is no shuffle buffer: the order of the rows is a
permutation that follows from the seed, so any place in it can be found again.
"""

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from operator import index
from pathlib import Path

import datasets
import numpy as np
import pyarrow
import pyarrow.compute
import torch
from datasets.arrow_writer import ArrowWriter

from helpers.checkpoints.vocabularies import OPTIONS
from helpers.data.files import sha256_of
from helpers.pretraining import mask_tokens
from helpers.training.corpus import CorpusError, ShortTextError
from helpers.training.files import read_object
from helpers.wordpiece import WordPieceTokenizer, check_number, check_texts, read_in_order

__all__ = ["Batches", "MaskedRows", "Order", "count_tokens", "pack", "rows_on_disk"]

SHARD_ROWS = 8192


def pack(documents: Iterable[str], tokenizer: WordPieceTokenizer, length: int) -> Iterator[list[int]]:
    """Rows `[CLS] … [SEP]` of exactly `length` tokens, cut from all documents in a row, [SEP] between them.

    No row has padding: none of the work is wasted on it (Geiping and Goldstein 2023, section 4.1). What is
    left at the end is dropped. Documents are read one at a time; ValueError for a length below 3, a single
    string, or a document that is none.
    """
    check_number("length, which holds [CLS], [SEP] and a token,", length, 3)
    return _cut(check_texts(documents, "document"), tokenizer, length)


def _cut(documents: Iterable[str], tokenizer: WordPieceTokenizer, length: int) -> Iterator[list[int]]:
    cls, sep = tokenizer.id_of["[CLS]"], tokenizer.id_of["[SEP]"]
    waiting: list[int] = []
    for document in documents:
        waiting += [*tokenizer.encode(document).ids[1:-1], sep]
        start, size = 0, length - 2
        while len(waiting) - start >= size:
            yield [cls, *waiting[start : start + size], sep]
            start += size
        del waiting[:start]


def rows_on_disk(
    documents: Iterable[str], tokenizer: WordPieceTokenizer, length: int, folder: str | Path, source: str = ""
) -> list[datasets.Dataset]:
    """The packed rows of the documents as shards in a folder, written once and mapped from then on.

    `source` says where the documents come from. Rows written before are used again if vocabulary, options of
    the tokenizer, length and source are the same; otherwise CorpusError. The documents are read one at a
    time; a folder that is there is whole. Raises ShortTextError if the text fills no row, CorpusError for
    rows that can't be read or that are not the bytes that were written, ValueError as `pack`.
    """
    check_number("length, which holds [CLS], [SEP] and a token,", length, 3)
    folder, documents, length = Path(folder), read_in_order(documents, "the documents"), index(length)
    vocabulary = "\n".join(tokenizer.vocabulary).encode(errors="surrogatepass")
    wanted = {"vocabulary": hashlib.sha256(vocabulary).hexdigest(), "length": length, "source": source}
    usual = {"tokenizer": {}}  # of rows that say nothing about it
    given = {name: None if value is None else bool(value) for name, value in tokenizer.options.items()}
    if options := {name: value for name, value in given.items() if value != OPTIONS.get(name)}:
        wanted["tokenizer"] = options
    if not folder.exists():
        _write_rows(documents, tokenizer, length, folder, wanted)
    try:
        found = usual | read_object(folder / "rows.json")
        if missing := [name for name in (*wanted, "shards") if name not in found]:
            raise ValueError(f"rows.json says nothing about {' and '.join(missing)}")
        differing = [name for name, value in (usual | wanted).items() if found[name] != value]
        shards = [] if differing else _read_shards(folder, found, length, len(tokenizer.vocabulary))
    except (OSError, ValueError, KeyError, TypeError, pyarrow.ArrowException) as error:
        raise CorpusError(
            f"the rows in {folder} can't be read ({error}): delete that folder, and they are made again"
        ) from error
    if differing:
        raise CorpusError(
            f"{folder} holds rows made with another {' and '.join(differing)}: choose another folder for "
            "this run, or delete that one"
        )
    return shards


def _read_shards(folder: Path, found: dict, length: int, vocab_size: int) -> list[datasets.Dataset]:
    """The shards that rows.json names, with the bytes that it says; those of older runs have no SHA-256."""
    names = found["shards"]
    if not isinstance(names, list) or not names:
        raise ValueError("rows.json names no shards")
    digests = found.get("sha256", [None] * len(names))
    shards = []
    for name, digest in zip(names, digests, strict=True):
        if not re.fullmatch(r"rows-\d+\.arrow", name):
            raise ValueError(f"{name!r} is no name of a shard")
        if digest is not None and sha256_of(folder / name) not in ("", digest):
            raise ValueError(f"the bytes of {name} have changed")
        shards.append(datasets.Dataset.from_file(str(folder / name)))
        _check_ids(shards[-1], name, length, vocab_size)
    return shards


def _check_ids(shard: datasets.Dataset, name: str, length: int, vocab_size: int) -> None:
    """ValueError for rows of another length, and for an id that is none of the vocabulary's."""
    column, start = shard.data.column("ids"), 0
    kind = column.type
    if not pyarrow.types.is_fixed_size_list(kind) or kind.list_size != length or column.null_count:
        raise ValueError(f"{name} does not hold rows of {length} tokens")
    for chunk in column.chunks:
        ids = chunk.flatten()
        bounds = pyarrow.compute.min_max(ids).as_py()  # mapped, not loaded
        if ids.null_count or len(ids) and not 0 <= bounds["min"] <= bounds["max"] < vocab_size:
            values = ids.to_numpy(zero_copy_only=False)
            place = int(np.argmax(~((values >= 0) & (values < vocab_size))))
            raise ValueError(
                f"{name}, row {start + place // length}: the id {values[place]} is none of the vocabulary's, "
                f"0 to {vocab_size - 1}"
            )
        start += len(chunk)


def _write_rows(documents, tokenizer, length, folder: Path, description: dict) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    for left in folder.parent.glob(f".{folder.name}-*"):  # by a process that was killed
        shutil.rmtree(left, ignore_errors=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    features = datasets.Features({"ids": datasets.List(datasets.Value("int32"), length=length)})
    rows, shards = pack(documents, tokenizer, length), []
    try:
        while part := list(islice(rows, SHARD_ROWS)):
            shards.append(f"rows-{len(shards):05}.arrow")
            with ArrowWriter(features=features, path=str(unfinished / shards[-1])) as writer:
                for row in part:
                    writer.write({"ids": row})
                writer.finalize()
        if not shards:
            raise ShortTextError(f"the text is shorter than one row of {length} tokens: give more text")
        digests = [sha256_of(unfinished / name) for name in shards]
        content = json.dumps(description | {"shards": shards, "sha256": digests}, indent=2)
        (unfinished / "rows.json").write_text(content + "\n", encoding="utf-8")
        os.chmod(unfinished, 0o755)
        unfinished.rename(folder)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def count_tokens(shards: Sequence[datasets.Dataset], vocab_size: int, most: int = 8) -> torch.Tensor:
    """How often every entry stands in the first `most` shards: (V,), double."""
    counts = torch.zeros(vocab_size, dtype=torch.double)
    for shard in shards[:most]:
        for part in shard.with_format("torch").iter(1024):
            counts += torch.bincount(part["ids"].flatten(), minlength=vocab_size)
    return counts


class Order:
    """An endless order of rows: every epoch takes the shards in an order of its own, and the rows in each.

    `Order(sizes, seed)[place]` is (epoch, shard, row in the shard), the same for the same place and seed.
    Memory: two permutations, of the shards and of one shard's rows, whatever the size of the corpus.
    """

    def __init__(self, sizes: Sequence[int], seed: int):
        if not sizes or min(sizes) < 1:
            raise CorpusError("the order needs at least one shard, and a row in each")
        self.sizes, self.seed, self.rows = tuple(sizes), seed, sum(sizes)
        self._shards = lru_cache(maxsize=1)(self._draw_shards)
        self._rows = lru_cache(maxsize=1)(self._draw_rows)

    def __reduce__(self):
        return Order, (self.sizes, self.seed)  # to workers that are started anew: what is kept can't travel

    def __getitem__(self, place: int) -> tuple[int, int, int]:
        epoch, place = divmod(place, self.rows)
        shards, ends = self._shards(epoch)
        index = int(np.searchsorted(ends, place, side="right"))
        shard = int(shards[index])
        return epoch, shard, int(self._rows(epoch, shard)[place - (ends[index - 1] if index else 0)])

    def _draw_shards(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        shards = np.random.default_rng([self.seed, epoch]).permutation(len(self.sizes))
        return shards, np.cumsum(np.array(self.sizes)[shards])

    def _draw_rows(self, epoch: int, shard: int) -> np.ndarray:
        return np.random.default_rng([self.seed, epoch, shard]).permutation(self.sizes[shard])


class MaskedRows(torch.utils.data.Dataset):
    """`MaskedRows(shards, tokenizer, seed)[place]`: the row at a place of the endless order, newly masked.

    -> ids and labels, (T,) long. The mask depends on seed, epoch and row alone: not on the batch, the number
    of processes, or where a run was resumed. rate and shares as in `mask_tokens`.
    """

    def __init__(self, shards, tokenizer: WordPieceTokenizer, seed: int, mask=mask_tokens):
        self.shards = [shard.with_format("numpy") for shard in shards]
        self.order = Order([len(shard) for shard in shards], seed)
        self.tokenizer, self.seed, self.mask = tokenizer, seed, mask

    def __len__(self) -> int:
        return self.order.rows

    def __getstate__(self) -> dict:  # to workers that are started anew
        return self.__dict__ | {"tokenizer": (self.tokenizer.vocabulary, self.tokenizer.options)}

    def __setstate__(self, state: dict) -> None:
        vocabulary, options = state["tokenizer"]
        self.__dict__ |= state | {"tokenizer": WordPieceTokenizer(vocabulary, **options)}

    def __getitem__(self, place: int) -> dict[str, torch.Tensor]:
        epoch, shard, row = self.order[place]
        ids = torch.from_numpy(self.shards[shard][row]["ids"].astype(np.int64))[None]  # (1, T)
        draws = np.random.SeedSequence([self.seed, epoch, shard, row]).generate_state(1, np.uint64)
        generator = torch.Generator().manual_seed(int(draws[0] >> 1))
        corrupted, labels = self.mask(ids, self.tokenizer, generator=generator)
        return {"ids": corrupted[0], "labels": labels[0]}


class Batches(torch.utils.data.Sampler):
    """For every step from `first` on: the places of the rows that one of `count` processes takes."""

    def __init__(self, first: int, steps: int, batch_size: int, index: int, count: int):
        self.steps, self.batch_size, self.index, self.count = range(first, steps), batch_size, index, count

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[list[int]]:
        for step in self.steps:
            places = range(step * self.batch_size, (step + 1) * self.batch_size)
            yield list(places[self.index :: self.count])
