"""From text to what a run reads: the tokenizer, the rows to train on, and the rows that are held out.

Support code. Everything is written into the folder of the run once and found again when it goes on.
"""

import argparse
import json
import os
from collections.abc import Iterator
from pathlib import Path

from helpers.training import corpus
from helpers.training.rows import rows_on_disk
from helpers.training.settings import RunError
from helpers.wordpiece import WordPieceTokenizer, train_wordpiece

__all__ = ["make_tokenizer", "prepare_text"]


def prepare_text(
    settings: argparse.Namespace, tokenizer: WordPieceTokenizer | None
) -> tuple[WordPieceTokenizer, list, dict[str, list]]:
    """The tokenizer, the shards of training rows, and the held-out shards by name, made or found again.

    tokenizer: that of --init, or None. A new one is trained on the course's own text even where the wider one
    is read, so that both have the same vocabulary, or on the plain-text files where there are some.
    """
    out, length = settings.out, settings.length

    def texts(name: str) -> Iterator[str]:
        return corpus.text_documents(settings.text) if settings.text else corpus.training_documents(name)

    tokenizer = tokenizer or make_tokenizer(settings, texts("course"))
    if not (out / "vocab.txt").exists():
        tokenizer.save(out / "vocab.txt")
    source = json.dumps([[str(Path(name).resolve()), os.path.getsize(name)] for name in settings.text or ()])
    if not settings.text:
        source = corpus.made_from(settings.corpus) or source
    rows = rows_on_disk(texts(settings.corpus), tokenizer, length, out / "rows" / "training", source)
    if settings.text:
        held_out = {"text": corpus.text_documents(settings.text, held_out=True)}
    else:
        held_out = corpus.held_out_documents(settings.corpus)
    shards = {}
    for name, documents in held_out.items():
        try:
            shards[name] = rows_on_disk(documents, tokenizer, length, out / "rows" / name, source)
        except corpus.ShortTextError as error:
            print(f"nothing is held out to measure on: {error}", flush=True)
    return tokenizer, rows, shards


def make_tokenizer(settings: argparse.Namespace, documents: Iterator[str]) -> WordPieceTokenizer:
    """The tokenizer of --tokenizer, that of the run if it has one, or a new one from the documents."""
    vocabulary = Path(settings.tokenizer or settings.out / "vocab.txt")
    if vocabulary.exists():
        try:
            return WordPieceTokenizer.from_file(vocabulary)
        except ValueError as error:
            raise RunError(f"{vocabulary} is no vocabulary ({error}): put it back as it was") from error
    print(f"training the tokenizer: {settings.vocab_size} entries", flush=True)
    try:
        entries = train_wordpiece(corpus.first_characters(documents), settings.vocab_size)
        return WordPieceTokenizer(entries)
    except corpus.CorpusError:
        raise
    except ValueError as error:  # too few entries for the letters
        raise RunError(f"--vocab-size {settings.vocab_size} does not fit the text: {error}") from error
