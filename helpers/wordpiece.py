"""WordPiece: from any text to the ids that BERT reads, and a trainer for the vocabulary.

The steps of BERT's tokenizer, each a function of its own: normalize the characters, cut the text into
words, cut each word into vocabulary entries by greedy longest match first, add the special tokens.
Left out: tokens that a user adds to the vocabulary, padding to the left, sliding windows over long texts.

>>> tokenizer = WordPieceTokenizer([*SPECIAL_TOKENS, "em", "##bed", "##ding", "##s", "!"])
>>> tokenizer.tokenize("Embeddings!")
['em', '##bed', '##ding', '##s', '!']
"""

import copyreg
import heapq
import re
import unicodedata
import warnings
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from itertools import groupby, pairwise
from operator import add
from pathlib import Path
from typing import SupportsIndex

import torch

__all__ = [
    "SPECIAL_TOKENS",
    "WHITE_SPACE",
    "CHINESE_RANGES",
    "is_punctuation",
    "normalize_character",
    "in_canonical_order",
    "check_text",
    "normalize_with_origin",
    "normalize",
    "word_spans",
    "pre_tokenize",
    "read_in_order",
    "check_texts",
    "count_words",
    "split_into_characters",
    "check_number",
    "choose_alphabet",
    "first_pieces",
    "changed_pairs",
    "PairCounts",
    "LONGEST_WORD",
    "without_long_words",
    "train_wordpiece",
    "longest_match_first",
    "pieces_of_chunk",
    "truncate_longest_first",
    "Encoding",
    "TruncationWarning",
    "warn_if_cut",
    "pair_up",
    "pad_encodings",
    "tokens_of",
    "join_pieces",
    "add_special_tokens",
    "assemble",
    "split_into_chunks",
    "number_entries",
    "WordPieceTokenizer",
]

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")

WHITE_SPACE = " \t\n\r\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"  # inside a regex [class]

CHINESE_RANGES = (  # CJK ideographs as the reference tokenizer lists them; not kana, not Hangul
    (0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F), (0x2B920, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F),
)  # fmt: skip


@cache
def is_punctuation(character: str) -> bool:
    """True for every ASCII symbol that is no letter or digit, and for Unicode's categories P*."""
    if character.isascii():
        return character.isprintable() and not character.isalnum() and character != " "
    return unicodedata.category(character).startswith("P")


@cache
def normalize_character(
    character: str, lowercase: bool = True, strip_accents: bool | None = None, split_chinese: bool = True
) -> str:
    """What one character becomes: nothing, a space, itself, or several characters.

    strip_accents=None means "as lowercase": BERT's own rule (google-research/bert, tokenization.py).
    """
    if re.match(f"[{WHITE_SPACE}]", character):
        return " "
    if character in "\0\ufffd" or unicodedata.category(character) in ("Cc", "Cf", "Co"):
        return ""  # control, format and private-use characters
    text = character
    if split_chinese and any(first <= ord(character) <= last for first, last in CHINESE_RANGES):
        text = f" {character} "  # each ideograph becomes a word of its own
    if lowercase if strip_accents is None else strip_accents:  # é is e and an accent
        text = "".join(c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Mn")
    return "".join(c.lower() for c in text) if lowercase else text


def in_canonical_order(text: str) -> str:
    """Sort marks that follow each other by combining class (Unicode Standard Annex 15), as NFD does."""
    if text.isascii():
        return text
    runs = groupby(text, key=lambda character: unicodedata.combining(character) > 0)
    return "".join(character for _, run in runs for character in sorted(run, key=unicodedata.combining))


def check_text(text: str, name: str = "the text") -> str:
    """The text itself; raises ValueError if it is none, such as a missing value, a number or a list."""
    if not isinstance(text, str):
        raise ValueError(
            f"{name} must be a string, not {text!r:.60} ({type(text).__name__}): leave it out, or make it one"
        )
    return text


def normalize_with_origin(
    text: str, lowercase: bool = True, strip_accents: bool | None = None, split_chinese: bool = True
) -> tuple[str, list[int]]:
    """The normalized text, and for each of its characters the index of the one that it was made from."""
    if not {lowercase, split_chinese, strip_accents or False} <= {True, False}:
        raise ValueError("lowercase, strip_accents and split_chinese must be True or False, nothing else")
    if lowercase if strip_accents is None else strip_accents:
        text = in_canonical_order(check_text(text))
    made = [normalize_character(old, lowercase, strip_accents, split_chinese) for old in check_text(text)]
    return "".join(made), [index for index, new in enumerate(made) for _ in new]


def normalize(text: str, **options: bool | None) -> str:
    """Clean, split ideographs, strip accents, lower-case: `options` are those of `normalize_character`."""
    return normalize_with_origin(text, **options)[0]


def word_spans(text: str) -> list[tuple[int, int]]:
    """Where the words of a normalized text begin and end; every punctuation mark is a word of its own."""
    spans, start = [], 0
    for end, character in enumerate(text + " "):
        mark = is_punctuation(character)
        if mark or character.isspace():
            if start < end:
                spans.append((start, end))
            if mark:
                spans.append((end, end + 1))
            start = end + 1
    return spans


def pre_tokenize(text: str) -> list[str]:
    """The words of a normalized text: split at white space and around every punctuation mark."""
    return [text[start:end] for start, end in word_spans(check_text(text))]


def read_in_order(values: Iterable, name: str) -> Iterable:
    """The values by position, whatever holds them: a list, an array, a column of a table, a generator.

    Raises ValueError for a single string, whose characters would be taken for the values, and for what is
    no sequence or has no order: a number, a set, a dictionary, a whole table.
    """
    values = values.tolist() if hasattr(values, "tolist") else values
    if isinstance(values, str | bytes):
        raise ValueError(f"{name} must be a list, not one string: put it into a list, [{values[:30]!r}]")
    unordered = isinstance(values, set | frozenset | Mapping) or hasattr(values, "columns")
    if unordered or not isinstance(values, Iterable):
        raise ValueError(f"{name} must be a list or another sequence in order, not {type(values).__name__}")
    return values


def check_texts(texts: Iterable[str], name: str = "text") -> Iterator[str]:
    """The texts one after the other; raises ValueError with the row of one that is none, and as above."""
    rows = enumerate(read_in_order(texts, f"the {name}s"))
    return (check_text(text, f"the {name} in row {row} (from 0)") for row, text in rows)


def count_words(corpus: Iterable[str], **options: bool | None) -> Counter[str]:
    """How often each normalized word occurs in the texts of a corpus; ValueError as `check_texts`."""
    texts = check_texts(corpus)
    chunks = Counter(chunk for text in texts for chunk in re.findall(f"[^{WHITE_SPACE}]+", text))
    words = Counter()
    for chunk, count in chunks.items():  # each distinct chunk is normalized once, however often it occurs
        for word in pre_tokenize(normalize(chunk, **options)):
            words[word] += count
    return words


def split_into_characters(word: str, alphabet: Iterable[str]) -> list[str]:
    """`cats` -> `c ##a ##t ##s`: `##` says that the piece continues a word. Other characters are left out."""
    return [c if place == 0 else "##" + c for place, c in enumerate(word) if c in alphabet]


def check_number(
    name: str, value: float, least: float, below: float = float("inf"), whole: bool = False
) -> None:
    """Raise ValueError unless least <= value < below, which "not a number" (NaN) never is.

    whole: and for what is no whole number, such as 2.0, which can't count anything.
    """
    if not hasattr(value, "__float__") or not least <= value < below:
        limit = "" if below == float("inf") else f" and below {below}"
        raise ValueError(f"{name} must be at least {least}{limit}, not {value!r:.60}")
    if whole and not hasattr(value, "__index__"):
        raise ValueError(f"{name} must be a whole number, not {value!r}")


def choose_alphabet(word_counts: Counter[str], size: int) -> set[str]:
    """The `size` most frequent characters of a corpus, at least 1; rarer ones will be `[UNK]`."""
    check_number("the size of the alphabet", size, 1, whole=True)
    counts = Counter()
    for word, count in word_counts.items():
        for character in word:
            counts[character] += count
    whole = [character for character in counts if not "\ud800" <= character <= "\udfff"]  # no half pairs
    return set(sorted(whole, key=lambda character: (-counts[character], character))[:size])


def first_pieces(words: list[list[str]], alphabet: set[str], vocab_size: int) -> list[str]:
    """Where training starts: the special tokens and the characters, at the start of a word and inside it."""
    pieces = [*SPECIAL_TOKENS, *sorted(alphabet | {piece for word in words for piece in word})]
    if not alphabet:
        raise ValueError("the corpus has no words: give at least one text that is not empty")
    if len(pieces) > vocab_size:
        raise ValueError(f"vocab_size must be at least {len(pieces)} for this corpus, not {vocab_size}")
    return pieces


def changed_pairs(parts: list[str], pair: str, merged: str) -> list[tuple[str, str]]:
    """The neighbors of each merged place, before and after; `parts` is the word split at the pair.

    >>> changed_pairs(["x", "", "y"], "ab", "C")  # xababy becomes xCCy
    [('xa', 'xC'), ('ba', 'CC'), ('by', 'Cy')]
    """
    changed = []
    for place, (left, right) in enumerate(pairwise(parts)):
        if left:
            changed.append((left[-1] + pair[0], left[-1] + merged))
        elif place:  # two merged places side by side
            changed.append((pair[1] + pair[0], merged + merged))
        if right:
            changed.append((pair[1] + right[0], merged + right[0]))
    return changed


class PairCounts:
    """The words of a corpus, cut into pieces, and how often each pair of neighboring pieces occurs.

    Piece number i is written as the character chr(i). A word is then a string with one character per
    piece, a pair is a string of two, and to merge a pair is to replace it in strings.
    """

    def __init__(self, words: list[list[str]], counts: Iterable[int], pieces: list[str]):
        self.pieces, self.counts = list(pieces), list(counts)
        self.number = {piece: number for number, piece in enumerate(pieces)}
        self.words = ["".join(chr(self.number[piece]) for piece in word) for word in words]
        self.count_of, self.found_in = Counter(), defaultdict(list)
        for index, word in enumerate(self.words):
            for pair in map(add, word, word[1:]):  # "abc" gives "ab", "bc"
                self.count_of[pair] += self.counts[index]
                self.found_in[pair].append(index)

    def spell(self, pair: str) -> str:
        """The text of a merged pair: the pieces `un` and `##do` make `undo`."""
        first, second = (self.pieces[ord(symbol)] for symbol in pair)
        return first + second.removeprefix("##")

    def merge(self, pair: str) -> set[str]:
        """Join a pair wherever it stands, and correct the counts next to it; returns the pairs that grew."""
        piece, grown = self.spell(pair), set()
        if piece not in self.number:
            self.number[piece] = len(self.pieces)
            self.pieces.append(piece)
        merged = chr(self.number[piece])
        for index in self.found_in.pop(pair):
            parts = self.words[index].split(pair)
            self.words[index] = merged.join(parts)
            for before, after in changed_pairs(parts, pair, merged):
                self.count_of[before] -= self.counts[index]
                self.count_of[after] += self.counts[index]
                self.found_in[after].append(index)
                grown.add(after)
        del self.count_of[pair]
        return grown


LONGEST_WORD = 100  # characters; the tokenizer makes longer words [UNK], so nothing is learned from them


def without_long_words(word_counts: Counter[str]) -> Counter[str]:
    """The words of at most LONGEST_WORD characters, with their counts."""
    return Counter({word: count for word, count in word_counts.items() if len(word) <= LONGEST_WORD})


def train_wordpiece(
    corpus: Iterable[str], vocab_size: int, min_frequency: int = 2, alphabet_size: int = 1000, **options
) -> list[str]:
    """Learn a vocabulary: special tokens, characters, then merged pairs, the most frequent pair first.

    Frequency decides, as in the `tokenizers` library; of pairs that tie, the one of older pieces comes first.
    Words of more than 100 characters are left out: they become `[UNK]` anyway. `options`: as in `normalize`.
    ValueError if there are no words, or more characters than vocab_size, and as `check_texts`.
    """
    check_number("vocab_size", vocab_size, 0, whole=True)
    check_number("min_frequency", min_frequency, 0)
    word_counts = without_long_words(count_words(corpus, **options))
    alphabet = choose_alphabet(word_counts, alphabet_size)
    words = [split_into_characters(word, alphabet) for word in word_counts]
    pairs = PairCounts(words, word_counts.values(), first_pieces(words, alphabet, vocab_size))
    queue = [(-count, pair) for pair, count in pairs.count_of.items()]
    heapq.heapify(queue)  # the most frequent pair comes out first; ties in the order of their numbers
    while len(pairs.pieces) < vocab_size and queue and -queue[0][0] >= max(min_frequency, 1):
        promised, pair = heapq.heappop(queue)
        if pairs.count_of[pair] < -promised:  # merges around it have made it rarer: back into the queue
            heapq.heappush(queue, (-pairs.count_of[pair], pair))
        else:
            for grown in pairs.merge(pair):
                heapq.heappush(queue, (-pairs.count_of[grown], grown))
    return pairs.pieces


def longest_match_first(word: str, vocabulary: Container[str]) -> list[tuple[str, int, int]]:
    """Cut a word into vocabulary entries, each as long as possible: [(piece, start, end), ...].

    One `[UNK]` for the whole word if some part of it matches nothing, or if it is longer than 100 characters.
    """
    pieces, start = [], 0
    while start < len(word) <= LONGEST_WORD:
        prefix, end = "##" if start else "", len(word)
        while end > start and prefix + word[start:end] not in vocabulary:
            end -= 1
        if end == start:
            break
        pieces.append((prefix + word[start:end], start, end))
        start = end
    return pieces if start == len(word) else [("[UNK]", 0, len(word))]


def pieces_of_chunk(chunk: str, vocabulary: Container[str], **options) -> list[tuple[str, int, int]]:
    """The pieces of a text without white space, and the characters they came from: (piece, start, end).

    `chunk[start:end]` is the text behind a piece even where normalizing changed the number of characters.
    """
    if chunk in SPECIAL_TOKENS:
        return [(chunk, 0, len(chunk))]
    text, origin = normalize_with_origin(chunk, **options)
    return [
        (piece, origin[first + start], origin[first + end - 1] + 1)
        for first, last in word_spans(text)
        for piece, start, end in longest_match_first(text[first:last], vocabulary)
    ]


def truncate_longest_first(first: list, second: list, room: int) -> tuple[list, list]:
    """Shorten the longer token list, then both equally, until they fit into `room` tokens together."""
    short, long = sorted((len(first), len(second)))
    if short + long > room:
        long = max(short, room - short)
        if short + long > room:
            short, long = room // 2, room - room // 2
    if len(first) <= len(second):
        return first[:short], second[:long]
    return first[:long], second[:short]


@dataclass
class Encoding:
    """What BERT reads of one text or pair, a value per token; `offsets` are spans of the original text."""

    ids: list[int]
    type_ids: list[int]  # 0 for [CLS], the first text and its [SEP]; 1 for the second text and its [SEP]
    attention_mask: list[int]
    tokens: list[str]
    offsets: list[tuple[int, int]]  # (0, 0) for the special tokens that were added
    truncated: int = 0  # how many tokens max_length cut off


class TruncationWarning(UserWarning):
    """A text was longer than max_length, and its end is lost."""


# Python shows a warning once for each line of code; this one is shown at every call (unless a filter is set).
warnings.simplefilter("always", TruncationWarning, append=True)


def warn_if_cut(encodings: list[Encoding], max_length: int | None) -> None:
    """One warning for all the texts of a call that were cut."""
    cut = sum(encoding.truncated > 0 for encoding in encodings)
    what = "a text was" if len(encodings) == 1 else f"{cut} of {len(encodings)} texts were"
    if cut:
        message = f"{what} cut to {max_length} tokens; see Encoding.truncated"
        warnings.warn(message, TruncationWarning, stacklevel=3)  # points to the caller of the tokenizer


def pair_up(texts: Iterable[str], pairs: Iterable[str | None] | None) -> list[tuple[str, str | None]]:
    """Each text with its second text, or with None; ValueError for unequal numbers, and as `check_texts`."""
    texts = list(check_texts(texts))
    pairs = [None] * len(texts) if pairs is None else list(read_in_order(pairs, "the second texts"))
    if len(texts) != len(pairs):
        raise ValueError(
            f"{len(texts)} texts, but {len(pairs)} second texts: give one for each text, or None"
        )
    for row, second in enumerate(pairs):
        if second is not None:
            check_text(second, f"the second text in row {row} (from 0; None: no pair)")
    return list(zip(texts, pairs, strict=True))


def pad_encodings(encodings: list[Encoding], pad_id: int = 0) -> dict[str, torch.Tensor]:
    """Pad to the longest encoding: `ids`, `type_ids` and `attention_mask`, each (B, T) of dtype long.

    Raises ValueError for an empty batch, and for an encoding without tokens: it would be all padding.
    """
    if not encodings or not all(encoding.ids for encoding in encodings):
        what = "an encoding has no tokens" if encodings else "the batch is empty"
        raise ValueError(f"{what}: encode at least one text")
    length = max(len(encoding.ids) for encoding in encodings)
    batch = {}
    for name, padding in (("ids", pad_id), ("type_ids", 0), ("attention_mask", 0)):
        rows = [getattr(encoding, name) for encoding in encodings]
        batch[name] = torch.tensor([row + [padding] * (length - len(row)) for row in rows], dtype=torch.long)
    return batch


def tokens_of(ids: Iterable[int], vocabulary: list[str]) -> list[str]:
    """The vocabulary entries with these ids; raises ValueError for an id that the vocabulary doesn't have."""
    ids = list(read_in_order(ids, "the ids"))
    for index in ids:
        if not isinstance(index, SupportsIndex) or not 0 <= index < len(vocabulary):
            raise ValueError(f"id {index} is not in the vocabulary: ids go from 0 to {len(vocabulary) - 1}")
    return [vocabulary[index] for index in ids]


def join_pieces(tokens: Iterable[str]) -> str:
    """`['em', '##bed', '!']` -> `embed !`: continuations are joined, all else is set off by a space."""
    return " ".join(tokens).replace(" ##", "")


def add_special_tokens(first: list, second: list | None) -> tuple[list, list[int]]:
    """`[CLS] first [SEP]` or `[CLS] first [SEP] second [SEP]`, with the segment (0 or 1) of every token."""
    row = [("[CLS]", 0, 0), *first, ("[SEP]", 0, 0)]
    type_ids = [0] * len(row)
    if second is not None:
        row += [*second, ("[SEP]", 0, 0)]
        type_ids += [1] * (len(second) + 1)
    return row, type_ids


def assemble(first: list, second: list | None, max_length: int | None, id_of: dict[str, int]) -> Encoding:
    """Put the pieces of one text or a pair into an `Encoding`, cut to max_length tokens in all.

    Raises ValueError if max_length leaves no room for the special tokens.
    """
    before = len(first) + len(second or [])
    if max_length is not None:
        check_number("max_length", max_length, 0, whole=True)
        room = max_length - (2 if second is None else 3)
        if room < 0:
            raise ValueError(f"max_length={max_length} leaves no room for [CLS] and [SEP]: raise it")
        first, rest = truncate_longest_first(first, second or [], room)
        second = None if second is None else rest
    truncated = before - len(first) - len(second or [])
    row, type_ids = add_special_tokens(first, second)
    tokens = [token for token, _, _ in row]
    ids = [id_of[token] for token in tokens]
    offsets = [(start, end) for _, start, end in row]
    return Encoding(ids, type_ids, [1] * len(ids), tokens, offsets, truncated)


def split_into_chunks(text: str) -> Iterator[tuple[int, str]]:
    """The parts of a text between white space, and where each begins; a special token is its own part."""
    special = "|".join(map(re.escape, SPECIAL_TOKENS))
    for match in re.finditer(rf"{special}|\[|[^{WHITE_SPACE}[]+", text):  # any other [ is a word of its own
        yield match.start(), match.group()


def number_entries(vocabulary: list[str]) -> dict[str, int]:
    """The id of every entry: its place; raises ValueError for a double entry or a missing special token.

    And for an entry with a line break or half a surrogate pair: no vocabulary file could hold it.
    """
    id_of = {token: index for index, token in enumerate(vocabulary)}
    missing = [token for token in SPECIAL_TOKENS if token not in id_of]
    doubles = [token for index, token in enumerate(vocabulary) if id_of[token] != index]
    if missing or doubles:
        wrong = f"{doubles[0]!r} is there twice" if doubles else f"{', '.join(missing)} is missing"
        right = f"a vocabulary holds each entry once, and all of {', '.join(SPECIAL_TOKENS)}"
        raise ValueError(f"{wrong}: {right}")
    for token in vocabulary:
        if re.search("[\n\r\ud800-\udfff]", token):
            raise ValueError(f"{token!r} can't be an entry: it would not fit into one line of a UTF-8 file")
    return id_of


class WordPieceTokenizer:
    """BERT's tokenizer over a given vocabulary; `options` are those of `normalize`."""

    def __init__(self, vocabulary: Iterable[str], **options: bool | None):
        self.vocabulary, self.options = list(check_texts(vocabulary, "word piece")), options
        self.id_of = number_entries(self.vocabulary)
        normalize("", **options)  # refuses options that there are not
        self.cut = lru_cache(100_000)(partial(pieces_of_chunk, vocabulary=self.id_of, **options))

    @classmethod
    def from_file(cls, path: str | Path, **options: bool | None) -> "WordPieceTokenizer":
        """Read a vocabulary file (also with a byte order mark): the number of a line, from 0, is its id."""
        return cls(Path(path).read_text(encoding="utf-8-sig").removesuffix("\n").split("\n"), **options)

    def save(self, path: str | Path) -> None:
        """Write the vocabulary file; an older one stays whole until the new one is complete."""
        unfinished = Path(f"{path}.unfinished")
        unfinished.write_bytes(("\n".join(self.vocabulary) + "\n").encode())
        unfinished.replace(path)

    def pieces(self, text: str) -> list[tuple[str, int, int]]:
        """The tokens of a text with their spans; special tokens that are written out in it count as such."""
        cut = ((begin, self.cut(chunk)) for begin, chunk in split_into_chunks(check_text(text)))
        return [(piece, begin + start, begin + end) for begin, found in cut for piece, start, end in found]

    def tokenize(self, text: str) -> list[str]:
        """The tokens of a text, without `[CLS]` and `[SEP]`."""
        return [piece for piece, _, _ in self.pieces(text)]

    def encode(self, text: str, pair: str | None = None, max_length: int | None = None) -> Encoding:
        """One text or a pair ("" is no pair), of at most max_length tokens; a warning says if it was cut."""
        encoding = assemble(self.pieces(text), self.pieces(pair) if pair else None, max_length, self.id_of)
        warn_if_cut([encoding], max_length)
        return encoding

    def encode_batch(self, texts, pairs=None, max_length=None) -> dict[str, torch.Tensor]:
        """Encode texts, or texts and pairs of equal number, as (B, T) tensors padded to the longest."""
        found = [(self.pieces(a), self.pieces(b) if b else None) for a, b in pair_up(texts, pairs)]
        rows = [assemble(first, second, max_length, self.id_of) for first, second in found]
        warn_if_cut(rows, max_length)
        return pad_encodings(rows, self.id_of["[PAD]"])

    def decode(self, ids: Iterable[int]) -> str:
        """The text that ids spell, special tokens included: normalized, every word set off by a space."""
        return join_pieces(tokens_of(ids, self.vocabulary))


# Worker processes get a tokenizer by pickle: it is made anew there, without the pieces that it remembers.
copyreg.pickle(WordPieceTokenizer, lambda it: (partial(WordPieceTokenizer, **it.options), (it.vocabulary,)))
