"""Our tokenizer against the tokenizers library on the Wikipedia slice, both on one thread.

    python benchmarks/wordpiece.py           3 rounds
    python benchmarks/wordpiece.py 10        10 rounds

Training 8,000 entries; encoding every paragraph with ids and offsets, the tokenizer new (no word cut yet).
Ours and the library's are timed in turns in processor time, and the ratio of the fastest rounds is printed.
"""

import os
import sys
import time
from pathlib import Path

# One thread for the library; read when it is imported.
os.environ["RAYON_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tokenizers import BertWordPieceTokenizer  # noqa: E402

from helpers import data  # noqa: E402
from helpers.data.output import accept_any_text  # noqa: E402
from helpers.wordpiece import WordPieceTokenizer, normalize_character, train_wordpiece  # noqa: E402

ENTRIES = 8_000


def seconds(work) -> float:
    """Processor time of one call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def compare(name: str, ours, library, rounds: int) -> None:
    """Print the fastest of each, and their ratio."""
    times = [(seconds(ours), seconds(library)) for _ in range(rounds)]
    mine, theirs = (min(column) for column in zip(*times, strict=True))
    print(f"{name:<40} ours {mine:5.2f} s   library {theirs:5.2f} s   ratio {mine / theirs:4.2f}")


def main(rounds: int = 3) -> None:
    accept_any_text()
    texts = [part for article in data.wikipedia() for part in article.text.split("\n") if part.strip()]
    path = data.fetch("minilm") / "vocab.txt"
    library = BertWordPieceTokenizer(str(path))
    print(f"{len(texts):,} paragraphs, {sum(map(len, texts)):,} characters; fastest of {rounds} rounds")

    def encode():
        normalize_character.cache_clear()
        tokenizer = WordPieceTokenizer.from_file(path)
        return [tokenizer.encode(text) for text in texts]

    def library_trains():
        BertWordPieceTokenizer().train_from_iterator(texts, vocab_size=ENTRIES, show_progress=False)

    compare(f"training {ENTRIES:,} entries", lambda: train_wordpiece(texts, ENTRIES), library_trains, rounds)
    compare("encoding with offsets", encode, lambda: library.encode_batch(texts), rounds)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
