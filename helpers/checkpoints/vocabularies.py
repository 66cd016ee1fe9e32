"""The tokenizer of a checkpoint: our vocabulary and options as the library writes them, and read from there.

Support code. The library's version 4 writes vocab.txt, version 5 tokenizer.json alone. Left out: tokenizers
that are no WordPiece, and entries that were added to one.
"""

import re
from pathlib import Path

from helpers.checkpoints.configuration import CheckpointError, Model, encoder_of
from helpers.checkpoints.files import read, read_json
from helpers.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer

FAST = "tokenizer.json"
OPTIONS = {"lowercase": True, "strip_accents": None, "split_chinese": True}
# Our options as tokenizer_config.json and as tokenizer.json call them.
IN_CONFIG = {"lowercase": "do_lower_case", "strip_accents": "strip_accents",
             "split_chinese": "tokenize_chinese_chars"}  # fmt: skip
IN_FAST = {
    "lowercase": "lowercase",
    "strip_accents": "strip_accents",
    "split_chinese": "handle_chinese_chars",
}


def their_tokenizer_config(model: Model, tokenizer: WordPieceTokenizer) -> dict:
    """The library's tokenizer_config.json for our tokenizer; CheckpointError for what can't be read back."""
    try:
        if unknown := [name for name in tokenizer.options if name not in OPTIONS]:
            raise ValueError(f"there is no option {unknown[0]!r}")
        options = _options(tokenizer.options, dict(zip(OPTIONS, OPTIONS, strict=True)))
    except ValueError as error:
        raise CheckpointError(
            f"the tokenizer can't be saved: {error}. Its options are {', '.join(OPTIONS)}"
        ) from None
    if wrong := [entry for entry in tokenizer.vocabulary if re.search("[\n\r\ud800-\udfff]", entry)]:
        raise CheckpointError(
            f"the entry {wrong[0]!r} of the vocabulary can't be a line of vocab.txt, which has no line ends "
            "inside a line and no halves of characters: leave it out"
        )
    return {
        "tokenizer_class": "BertTokenizer",
        **{theirs: options[ours] for ours, theirs in IN_CONFIG.items()},
        "model_max_length": encoder_of(model).config.max_positions,
    }


def read_tokenizer(folder: Path, name: str | Path, rows: int) -> WordPieceTokenizer:
    """The tokenizer of a folder for a model with that many rows; CheckpointError where it does not fit."""
    if not (folder / "vocab.txt").exists() and (folder / FAST).exists():
        return read(folder / FAST, _read_fast, name)
    read(folder / "vocab.txt", lambda path: compare_lines(path, rows), name)
    file = folder / "tokenizer_config.json"
    theirs = read(file, read_json, name) if file.exists() else {}
    options = read(file, lambda _: _options(theirs, IN_CONFIG), name)
    return read(folder / "vocab.txt", lambda path: WordPieceTokenizer.from_file(path, **options), name)


def check_sizes(model: Model, tokenizer: WordPieceTokenizer) -> None:
    """Raise CheckpointError if the vocabulary and the model's embeddings differ in size, or it has none."""
    if not hasattr(tokenizer, "vocabulary"):
        raise CheckpointError(
            f"{type(tokenizer).__name__} is no tokenizer of this course: give a WordPieceTokenizer, for "
            "example WordPieceTokenizer.from_file of its vocab.txt"
        )
    compare_sizes(len(tokenizer.vocabulary), encoder_of(model).config.vocab_size)


def compare_sizes(entries: int, rows: int) -> None:
    """`check_sizes` for two numbers."""
    if entries != rows:
        raise CheckpointError(
            f"the vocabulary has {entries} entries, the model has {rows}: they do not belong together"
        )


def check_padding(model: Model, tokenizer: WordPieceTokenizer) -> None:
    """Raise CheckpointError if the model takes another entry than the tokenizer for [PAD]."""
    place, wanted = tokenizer.id_of["[PAD]"], getattr(encoder_of(model).config, "pad_token_id", 0)
    if wanted is not None and wanted != place:
        raise CheckpointError(
            f"[PAD] is entry {place} of the vocabulary, but the model's pad_token_id is {wanted}: make the "
            f"model with BertConfig(pad_token_id={place}), or correct config.json"
        )


def compare_lines(path: Path, rows: int) -> None:
    """Refuse a vocabulary with more lines than the model has rows before it is taken apart."""
    count, last = 0, b"\n"
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            count, last = count + part.count(b"\n"), part
    count += not last.endswith(b"\n")
    if count > rows:
        compare_sizes(count, rows)


def _options(theirs: dict, names: dict[str, str]) -> dict[str, bool | None]:
    """Our options among theirs; ValueError for anything but true and false (and null for accents)."""
    found = {ours: theirs.get(name, OPTIONS[ours]) for ours, name in names.items()}
    for ours, value in found.items():
        if not isinstance(value, bool) and not (value is None and ours == "strip_accents"):
            raise ValueError(f"{names[ours]} is {value!r}, neither true nor false")
    return found


def _read_fast(path: Path) -> WordPieceTokenizer:
    """The tokenizer that a tokenizer.json describes, if ours gives the same tokens."""
    theirs = read_json(path)
    parts = {part: theirs.get(part) or {} for part in ("model", "normalizer", "pre_tokenizer")}
    wanted = {
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 100},
        "normalizer": {"type": "BertNormalizer", "clean_text": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
    }  # fmt: skip
    for part, entries in wanted.items():
        for key, value in entries.items():
            if (found := parts[part].get(key)) != value:
                raise CheckpointError(
                    f"{path} is no tokenizer like ours: the {key} of its {part} is {found!r}, not {value!r}. "
                    "Use the library's AutoTokenizer, or put the model's vocab.txt beside it"
                )
    numbers = dict(parts["model"]["vocab"])
    added = {entry["content"]: entry["id"] for entry in theirs.get("added_tokens") or ()}
    if foreign := [token for token in added if token not in SPECIAL_TOKENS]:
        raise CheckpointError(
            f"{path} adds entries that our tokenizer would cut up, such as {foreign[0]!r}: use the library's "
            "AutoTokenizer for this model"
        )
    numbers |= added
    vocabulary = sorted(numbers, key=numbers.get)
    if [numbers[token] for token in vocabulary] != list(range(len(vocabulary))):
        raise ValueError(f"its {len(vocabulary)} entries are not numbered 0 to {len(vocabulary) - 1}")
    return WordPieceTokenizer(vocabulary, **_options(parts["normalizer"], IN_FAST))
