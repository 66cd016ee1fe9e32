"""A word cut by longest match first; the pieces of a chunk with their places in the original text."""

from helpers import wordpiece
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.steps import stepwise
from helpers.wordpiece import (
    LONGEST_WORD,
    SPECIAL_TOKENS,
    longest_match_first,
    normalize_with_origin,
    word_spans,
)

# 1.2 longest_match_first

ENTRIES = {"h", "ha", "hat", "t", "s", "ts", "##a", "##t", "##s", "##ab", "x", "xyz"}


def probe_longest_match(cut):
    yield "`hatts`", cut("hatts", ENTRIES)
    yield "`hxat`", cut("hxat", ENTRIES)
    yield "`xyz`", cut("xyz", ENTRIES)
    yield "`hab`", cut("hab", ENTRIES)
    yield "`that`", cut("that", {"t", "##ha", "##hat", "##h"})
    long = cut("s" * 100, ENTRIES)
    yield "pieces of a word of 100 letters", len(long)
    yield "a word of 101 letters", cut("s" * 101, ENTRIES)


def cut_greedily(
    word,
    vocabulary,
    *,
    choose=max,
    mark="##",
    lookup="##",
    shortest=1,
    limit=LONGEST_WORD,
    unknown=None,
    letter=False,
):
    """Greedy cutting with one thing done in another way."""
    found, start = [], 0
    if len(word) > limit:
        return [("[UNK]", 0, len(word))]
    while start < len(word):
        before = lookup if start else ""
        ends = [e for e in range(start + shortest, len(word) + 1) if before + word[start:e] in vocabulary]
        if not ends and letter:
            found.append(("[UNK]", start, start + 1))
            start += 1
            continue
        if not ends:
            return unknown(found, start, word) if unknown else [("[UNK]", 0, len(word))]
        end = choose(ends)
        found.append(((mark if start else "") + word[start:end], start, end))
        start = end
    return found


def greedily(**changes):
    return lambda word, vocabulary: cut_greedily(word, vocabulary, **changes)


def cut_by_lengths_of_entries(places):
    """Goes on by the length of the entry, ## counted; places: the ends that it gives are wrong, too."""

    def cut(word, vocabulary):
        found, start = [], 0
        if len(word) > LONGEST_WORD:
            return [("[UNK]", 0, len(word))]
        while start < len(word):
            for end in range(len(word), start, -1):
                piece = ("##" if start else "") + word[start:end]
                if piece in vocabulary:
                    found.append((piece, start, start + len(piece) if places else end))
                    start += len(piece)
                    break
            else:
                return [("[UNK]", 0, len(word))]
        return found

    return cut


def cut_with_own_offsets(word, vocabulary):
    return [(piece, 0, end - start) for piece, start, end in longest_match_first(word, vocabulary)]


def cut_with_ends_included(word, vocabulary):
    return [(piece, start, end - 1) for piece, start, end in longest_match_first(word, vocabulary)]


def cut_that_goes_back(word, vocabulary, start=0):
    """Finds a way where greedy finds none: each end in turn, the longest first."""
    if len(word) > LONGEST_WORD:
        return [("[UNK]", 0, len(word))]
    if start == len(word):
        return []
    for end in range(len(word), start, -1):
        piece = ("##" if start else "") + word[start:end]
        if piece in vocabulary:
            rest = cut_that_goes_back(word, vocabulary, end)
            if end == len(word) or rest and rest[-1][0] != "[UNK]":
                return [(piece, start, end), *rest]
    return [("[UNK]", 0, len(word))]


def cut_skipping_what_does_not_fit(word, vocabulary):
    found, start = [], 0
    if len(word) > LONGEST_WORD:
        return [("[UNK]", 0, len(word))]
    while start < len(word):
        for end in range(len(word), start, -1):
            piece = ("##" if start else "") + word[start:end]
            if piece in vocabulary:
                found.append((piece, start, end))
                start = end
                break
        else:
            start += 1
    return found


def hatts(parts):
    return parts["`hatts`"]


def hxat(parts):
    return parts["`hxat`"]


def cut_as_long_as_it_grows(word, vocabulary):
    found, start = [], 0
    for end in range(1, len(word) + 1):
        mark = "##" if start else ""
        longer = end < len(word) and mark + word[start : end + 1] in vocabulary
        if mark + word[start:end] in vocabulary and not longer:
            found.append((mark + word[start:end], start, end))
            start = end
    return found if start == len(word) <= LONGEST_WORD else [("[UNK]", 0, len(word))]


def cut_letter_by_letter(word, vocabulary):
    """After a match it goes on with the next letter."""
    found = []
    if len(word) > LONGEST_WORD:
        return [("[UNK]", 0, len(word))]
    for start in range(len(word)):
        pieces = [("##" * (start > 0) + word[start:end], start, end) for end in range(len(word), start, -1)]
        fitting = [piece for piece in pieces if piece[0] in vocabulary]
        if not fitting:
            return [("[UNK]", 0, len(word))]
        found.append(fitting[0])
    return found


def cut_the_rest_as_a_word(word, vocabulary):
    """Only the last piece is marked."""
    pieces = longest_match_first(word, vocabulary)
    return [p if i in (0, len(pieces) - 1) else (p[0].removeprefix("##"), *p[1:]) for i, p in enumerate(pieces)]


MATCH_MISTAKES = (
    Mistake(
        "shortest match",
        greedily(choose=min),
        "`hatts` becomes {yours}, expected {expected}: you take the shortest entry that fits. From which end do you start to "
        "try?",
    ),
    Mistake(
        "no ##",
        greedily(mark="", lookup=""),
        "`hatts` becomes {yours}, expected {expected}: a piece inside a word is looked up as if it began one. How are the "
        "entries written that continue a word?",
    ),
    Mistake(
        "## looked up, not written",
        greedily(mark=""),
        "`hatts` becomes {yours}, expected {expected}: the pieces are right, but those that continue the word must keep their ##, "
        "since the entry is `##s`",
    ),
    Mistake(
        "## written, not looked up",
        greedily(lookup=""),
        "`hatts` becomes {yours}, expected {expected}: you look the inner pieces up without ## and set the mark before them "
        "afterwards, and such an entry need not be there",
    ),
    Mistake(
        "[UNK] for the rest",
        greedily(unknown=lambda found, start, word: [*found, ("[UNK]", start, len(word))]),
        "`hxat` becomes {yours}, expected {expected}: when something fits nowhere, the pieces found before it are given up as "
        "well: the whole word is one [UNK]",
        show=hxat,
    ),
    Mistake(
        "[UNK] for a letter",
        greedily(unknown=None, letter=True),
        "`hxat` becomes {yours}, expected {expected}: only the letter that fits nowhere becomes [UNK]. By BERT's rule the whole word "
        "is lost with it, one [UNK]",
        show=hxat,
    ),
    Mistake(
        "nothing for an unknown word",
        greedily(unknown=lambda found, start, word: []),
        "`hxat` becomes {yours}, expected {expected}: a word that can't be written must leave a token behind, [UNK]",
        show=hxat,
    ),
    Mistake(
        "grows letter by letter",
        cut_as_long_as_it_grows,
        "`xyz` becomes {yours}, expected {expected}: you make a piece longer as long as it stays an entry, and `xy` is none, though "
        "`xyz` is one. Start from the longest end",
        show=lambda parts: parts["`xyz`"],
    ),
    Mistake(
        "[UNK] without the first part",
        greedily(unknown=lambda found, start, word: [("[UNK]", start, len(word))]),
        "`hxat` becomes {yours}, expected {expected}: the [UNK] stands for the whole word, so it covers all of its characters",
        show=hxat,
    ),
    Mistake(
        "unknown rest dropped",
        greedily(unknown=lambda found, start, word: found),
        "`hxat` becomes {yours}, expected {expected}: what fits nowhere is dropped without a word. A reader of the tokens would "
        "believe that the text says `h`",
        show=hxat,
    ),
    Mistake(
        "unknown letters skipped",
        cut_skipping_what_does_not_fit,
        "`hxat` becomes {yours}, expected {expected}: a letter that fits nowhere is skipped. A reader of the tokens would believe "
        "that another word stood there",
        show=hxat,
    ),
    Mistake(
        "goes back",
        cut_that_goes_back,
        "`hab` becomes {yours}, expected {expected}: cleverer than BERT! When nothing fits behind `ha`, you go back and try a "
        "shorter beginning; BERT's rule never takes a piece back",
        show=lambda parts: parts["`hab`"],
    ),
    Mistake(
        "no single letters",
        greedily(shortest=2),
        "`hatts` becomes {yours}, expected {expected}: the last letter alone is never tried, so either single letters aren't or the whole rest isn't: which are the smallest and the largest end that you try?",
    ),
    Mistake(
        "places begin anew",
        cut_with_own_offsets,
        "`hatts` becomes {yours}, expected {expected}: start and end count from the beginning of the word, not of the piece",
    ),
    Mistake(
        "end included",
        cut_with_ends_included,
        "`hatts` becomes {yours}, expected {expected}: the end is the character *after* the last one",
    ),
    Mistake(
        "## counted as letters",
        cut_by_lengths_of_entries(places=True),
        "`hatts` becomes {yours}, expected {expected}: the ## isn't part of the word, so a piece covers two characters fewer "
        "than its entry has",
    ),
    Mistake(
        "on by the entry's length",
        cut_by_lengths_of_entries(places=False),
        "`hatts` becomes {yours}, expected {expected}: you go on by the length of the entry, and its ## covers no letters of "
        "the word, so letters are skipped",
    ),
    Mistake(
        "no limit",
        greedily(limit=10**6),
        "right, but for a word of 101 letters, which you cut into pieces: {yours}, expected {expected}. More than LONGEST_WORD "
        "characters are not tried",
        show=lambda parts: parts["a word of 101 letters"],
    ),
    Mistake(
        "limit too low by one",
        greedily(limit=LONGEST_WORD - 1),
        "right, but a word of exactly 100 letters is still cut: {yours} piece, expected {expected}. *More* than 100 is too long",
        show=lambda parts: parts["pieces of a word of 100 letters"],
    ),
    Mistake(
        "pieces alone",
        lambda word, vocabulary: [piece for piece, _, _ in longest_match_first(word, vocabulary)],
        "each piece is asked for with its place: (piece, start, end)",
    ),
    Mistake(
        "on by one letter",
        cut_letter_by_letter,
        "`hatts` becomes {yours}, expected {expected}: after a piece you go on with the next letter, which is already in it. The "
        "next piece begins where this one ends",
    ),
    Mistake(
        "only the last piece marked",
        cut_the_rest_as_a_word,
        "`hatts` becomes {yours}, expected {expected}: every piece but the first keeps its ##, not only the last",
    ),
)

LONGEST_MATCH_FIRST = Exercise(
    id="1.2",
    name="longest_match_first",
    reference=longest_match_first,
    stub='''
def my_longest_match_first(word, vocabulary):
    """Cut a word into vocabulary entries, each as long as possible: [(piece, start, end), ...].

    start and end: which characters of the word the piece covers, end not included. The whole word is
    one ("[UNK]", 0, len(word)) if some part of it matches nothing, or if it is longer than LONGEST_WORD.
    """
    ...
''',
    probe=stepwise(probe_longest_match, longest_match_first),
    hints=(
        "Two loops, one in the other: the outer one goes on from piece to piece, the inner one tries ends, the largest first, "
        "until an entry fits.",
        "What is looked up is `word[start:end]`, with ## before it wherever start isn't 0. If no end fits, you are done with "
        "the word: one [UNK].",
        "Start with `start = 0`; while start < len(word): let end go down from len(word); when the piece is in the vocabulary, "
        "note it and set start = end; when end has come down to start, nothing fits.",
    ),
    mistakes=MATCH_MISTAKES,
    notice="the rule only asks which strings are in the vocabulary: it needs no counts and no order of joins, so any list of "
    "strings can be a vocabulary",
    asks={
        "`hatts`": "By hand: `hat` is the longest beginning, then `##t`, then `##s`. Each piece begins where the one before it ended",
        "`hxat`": "Behind `h` nothing fits, so the whole word is one [UNK]",
        "`xyz`": "The whole word is an entry, though its first two letters are none",
        "`hab`": "Once `ha` is taken it stays taken, even if nothing fits behind it",
        "`that`": "After `t`, the longest entry that fits is `##hat`",
    },
    difficulty=2,
    minutes=15,
    show=hatts,
    variants=(greedily(),),
)

# 1.8 pieces_of_chunk

OFFSET_ENTRIES = {"cafe", "##s", "!", "is", "t", "##an", "Is", "[MASK]", "[", "]", "mask", "東", "at", "’"}


def probe_chunk(pieces_of_chunk):
    yield "`Cafés!`", pieces_of_chunk("Cafe\u0301s!", OFFSET_ENTRIES)
    yield "`at’東t`", pieces_of_chunk("at’東t", OFFSET_ENTRIES)
    yield "`[MASK]`", pieces_of_chunk("[MASK]", OFFSET_ENTRIES)
    yield "`Is` with lowercase=False", pieces_of_chunk("Is", OFFSET_ENTRIES, lowercase=False)
    yield "invisible characters", pieces_of_chunk("\u200bi\u200bs\u200b", OFFSET_ENTRIES)
    yield "nothing but an invisible character", pieces_of_chunk("\u200b", OFFSET_ENTRIES)


def chunk_with(chunk, vocabulary, place=None, special=True, keep_options=True, **options):
    """The pieces of a chunk, with one thing done in another way. place(origin, first, start, end) -> a span."""
    if special and chunk in SPECIAL_TOKENS:
        return [(chunk, 0, len(chunk))]
    text, origin = normalize_with_origin(chunk, **options if keep_options else {})
    return [
        (piece, *place(origin, first, start, end))
        for first, last in word_spans(text)
        for piece, start, end in longest_match_first(text[first:last], vocabulary)
    ]


def right_place(origin, first, start, end):
    return origin[first + start], origin[first + end - 1] + 1


def chunk(place=right_place, **changes):
    return lambda text, vocabulary, **options: chunk_with(text, vocabulary, place, **changes, **options)


def to_the_next(origin, first, start, end):
    """Ends where the next character of the normalized text begins."""
    known = first + end < len(origin)
    return origin[first + start], origin[first + end] if known else origin[-1] + 1


def chunk_without_word_spans(text, vocabulary, **options):
    if text in SPECIAL_TOKENS:
        return [(text, 0, len(text))]
    clean, origin = normalize_with_origin(text, **options)
    found = longest_match_first(clean, vocabulary)
    return [(piece, origin[start], origin[end - 1] + 1) for piece, start, end in found if origin]


def cafes(parts):
    return parts["`Cafés!`"]


CHUNK_MISTAKES = (
    Mistake(
        "places of the normalized text",
        chunk(lambda origin, first, start, end: (first + start, first + end)),
        "`Cafés!` with its accent as a character of its own gives {yours}, expected {expected}: these are places in the "
        "normalized text, and the accent is gone there. What leads back?",
    ),
    Mistake(
        "places in the word",
        chunk(lambda origin, first, start, end: (origin[start], origin[end - 1] + 1)),
        "`Cafés!` gives {yours}, expected {expected}: the mark at the end got the place of the first character, since start and "
        "end of a piece count from its own word. Where does that word begin?",
    ),
    Mistake(
        "neither",
        chunk(lambda origin, first, start, end: (start, end)),
        "`Cafés!` gives {yours}, expected {expected}: these are places in the word, and two steps are between them and the "
        "original: where the word begins, and which character each one was made from",
    ),
    Mistake(
        "word's beginning added too late",
        chunk(lambda origin, first, start, end: (first + origin[start], first + origin[end - 1] + 1)),
        "`Cafés!` gives {yours}, expected {expected}: the beginning of the word is a place in the *normalized* text, so it must be "
        "added before you ask for the origin, not after",
    ),
    Mistake(
        "last character lost",
        chunk(lambda origin, first, start, end: (origin[first + start], origin[first + end - 1])),
        "`Cafés!` gives {yours}, expected {expected}: the origin of the last character is that character itself, and the end is "
        "the one after it",
    ),
    Mistake(
        "origin of the end",
        chunk(lambda origin, first, start, end: (origin[first + start], origin[first + end])),
        "the end of a piece is one past its last character, so at the end of the text there is no origin for it. Ask for the "
        "origin of the last character that is in the piece",
        raises=IndexError,
    ),
    Mistake(
        "up to the next",
        chunk(to_the_next),
        "`Cafés!` gives {yours}, expected {expected}: a piece reaches to where the next one begins, so whatever vanished "
        "between them is counted to it. Take the origin of its last character, and one more",
    ),
    Mistake(
        "special token cut",
        chunk(special=False),
        "`[MASK]` gives {yours}, expected {expected}: a special token is no ordinary text. It is kept as it is, before "
        "anything is normalized or cut",
        show=lambda parts: parts["`[MASK]`"],
    ),
    Mistake(
        "options forgotten",
        chunk(keep_options=False),
        "with lowercase=False, `Is` gives {yours}, expected {expected}: the options never reach the function that normalizes",
        show=lambda parts: parts["`Is` with lowercase=False"],
    ),
    Mistake(
        "not cut into words",
        chunk_without_word_spans,
        "`Cafés!` gives {yours}, expected {expected}: a chunk has no white space, but marks in it are words of their own. "
        "What finds the words?",
    ),
    Mistake(
        "empty places filled",
        lambda text, vocabulary, **options: (
            chunk_with(text, vocabulary, right_place, **options) or [("[UNK]", 0, len(text))]
        ),
        "a chunk of which nothing is left gives {yours}, expected {expected}: an invisible character is no word, so not an "
        "unknown one either",
        show=lambda parts: parts["nothing but an invisible character"],
    ),
)

PIECES_OF_CHUNK = Exercise(
    id="1.8",
    name="pieces_of_chunk",
    reference=wordpiece.pieces_of_chunk,
    stub='''
def my_pieces_of_chunk(chunk, vocabulary, **options):
    """The pieces of a text without white space, and where they came from: [(piece, start, end), ...].

    `chunk[start:end]` is the text behind a piece, in the chunk as it was before normalizing. A chunk that is
    one of the SPECIAL_TOKENS is one piece. `options` go to normalize_with_origin.
    """
    ...
''',
    probe=stepwise(probe_chunk, wordpiece.pieces_of_chunk),
    hints=(
        "You have all parts: normalize_with_origin, then word_spans on its text, then longest_match_first on each word. What "
        "remains is to turn the places round.",
        "A piece's start and end count from the beginning of its word; the word's beginning counts from that of the normalized "
        "text. Added up, they are the indices with which to ask `origin`.",
        "Start: the origin of the piece's first character. End: the origin of its last one, plus one.",
    ),
    mistakes=CHUNK_MISTAKES,
    notice="where an ideograph gets two spaces, its origin stands three times in the list, and the spans still fit",
    asks={
        "`Cafés!`": "Three places lead back: that of the piece in its word, that of the word in the normalized text, and that of its characters in the chunk",
        "`[MASK]`": "A chunk that is a special token is one piece, from its first to its last character",
        "`Is` with lowercase=False": "The options go to normalize_with_origin",
        "invisible characters": "What was dropped in the middle still lies between start and end",
    },
    difficulty=3,
    minutes=15,
    show=cafes,
    variants=(chunk(),),
)
