"""Notebook 13: which token is the first piece of a word, and windows over a long text."""

from helpers import tagging
from helpers.exercises.exercise import Exercise, Mistake

# 13.3 places_of_first_pieces

PLACES = '''
def my_places_of_first_pieces(offsets, spans):
    """For each word the number of the first token that begins inside it; None where no token does.

    A token that begins in a word and reaches beyond its end begins inside it all the same.
    offsets: (begin, end) in characters for every token; special tokens have (0, 0). spans: the same for the
    words that are asked for. Both are in order; not every token belongs to a word. The result is a list.
    """
    ...
'''

SIMPLE = [(0, 0), (0, 3), (4, 7), (7, 8), (9, 11), (0, 0)]  # [CLS] the cat , is [SEP]
PIECES = [(0, 0), (0, 4), (4, 6), (7, 10), (10, 11), (11, 15), (16, 17), (17, 19), (0, 0)]


def probe_places(places):
    yield "words of one piece", places(list(SIMPLE), [(0, 3), (4, 7), (9, 11)])
    yield "words of several pieces", places(list(PIECES), [(0, 6), (7, 10), (11, 15), (16, 19)])
    yield "a word that holds a mark", places(list(PIECES), [(7, 15), (16, 19)])
    yield (
        "words without a token",
        places([(0, 0), (0, 4), (7, 9), (0, 0)], [(0, 4), (5, 7), (7, 9), (10, 12)]),
    )
    yield "a token over two words", places([(0, 0), (0, 4), (5, 6), (0, 0)], [(0, 2), (2, 4), (5, 6)])
    yield "a token over a border", places([(0, 0), (0, 4), (4, 6), (0, 0)], [(0, 3), (3, 6)])
    yield "a first word without a token", places([(0, 0), (2, 5), (0, 0)], [(0, 1), (2, 5)])
    yield "no words", places(list(SIMPLE), [])


def places_with(fits, *, choose=0, missing=None, shift=0, skip=False):
    """By brute force: another idea of inside, another of the tokens, another answer where there is none."""

    def places(offsets, spans):
        found = []
        for begin, end in spans:
            inside = [place for place, (a, b) in enumerate(offsets) if fits(a, b, begin, end)]
            if inside or not skip:
                found.append(inside[choose] + shift if inside else missing)
        return found

    return places


def right(a, b, begin, end):
    return begin <= a < end and a < b


PLACES_MISTAKES = (
    Mistake(
        "[CLS] is taken for the first word",
        places_with(lambda a, b, begin, end: begin <= a < end),
        "the words stand at {yours}, expected {expected}: [CLS] has the span (0, 0), which seems to begin inside a word at the "
        "start of the text. What is special about a span from 0 to 0?",
        show=lambda parts: parts["words of one piece"],
    ),
    Mistake(
        "[CLS] is not counted",
        places_with(right, shift=-1),
        "the words stand at {yours}, expected {expected}: everything is one place too early. Token 0 is [CLS]",
        show=lambda parts: parts["words of one piece"],
    ),
    Mistake(
        "the last piece",
        places_with(right, choose=-1),
        "words of several pieces stand at {yours}, expected {expected}: you keep the last piece of each",
        show=lambda parts: parts["words of several pieces"],
    ),
    Mistake(
        "the same span",
        places_with(lambda a, b, begin, end: (a, b) == (begin, end)),
        "words of several pieces stand at {yours}, expected {expected}: you look for a token with the span of the word. The "
        "first piece begins where the word begins, and ends earlier",
        show=lambda parts: parts["words of several pieces"],
    ),
    Mistake(
        "one token for each word",
        lambda offsets, spans: [number + 1 for number in range(len(spans))],
        "words stand at {yours}, expected {expected}: you count words, and a word can have several pieces, a mark none of the "
        "words",
        show=lambda parts: parts["words of one piece"],
    ),
    Mistake(
        "no place is left out",
        places_with(right, skip=True),
        "where two of four words have no token, you give {yours}, expected {expected}: then nobody knows whose places they "
        "are. Such a word needs an answer, too",
        show=lambda parts: parts["words without a token"],
    ),
    Mistake(
        "0 for a missing one",
        places_with(right, missing=0),
        "where two of four words have no token, you give {yours}, expected {expected}: 0 is the place of [CLS]",
        show=lambda parts: parts["words without a token"],
    ),
    Mistake(
        "wholly inside",
        places_with(lambda a, b, begin, end: begin <= a and b <= end and a < b),
        "with a token 0-4 over the words 0-2 and 2-4 you give {yours}, expected {expected}: a token that begins in a word "
        "counts, also if it reaches beyond its end",
        show=lambda parts: parts["a token over two words"],
    ),
    Mistake(
        "what overlaps",
        places_with(lambda a, b, begin, end: a < end and b > begin and a < b),
        "with a token over two words you give {yours}, expected {expected}: the second word gets a token that begins before "
        "it. Two words would claim one label",
        show=lambda parts: parts["a token over two words"],
    ),
    Mistake(
        "where the word begins",
        places_with(lambda a, b, begin, end: a == begin and a < b),
        "with a token 0-4 over the border of the words 0-3 and 3-6 you give {yours}, expected {expected}: no "
        "token begins just where the second word begins, but one begins inside it",
        show=lambda parts: parts["a token over a border"],
    ),
    Mistake(
        "the end counted in",
        places_with(lambda a, b, begin, end: begin <= a <= end and a < b),
        "where two of four words have no token, you give {yours}, expected {expected}: a token that begins "
        "where a word ends is no longer in it. Is it < or <= here?",
        show=lambda parts: parts["words without a token"],
    ),
    Mistake(
        "only the first special token left out",
        lambda offsets, spans: [
            next((i for i, (a, _) in enumerate(offsets) if i and begin <= a < end), None)
            for begin, end in spans
        ],
        "where the first word has no token you give {yours}, expected {expected}: [CLS] is left out by its "
        "place, but [SEP] has the span (0, 0), too",
        show=lambda parts: parts["a first word without a token"],
    ),
    Mistake(
        "the next token, however far",
        places_with(lambda a, b, begin, end: begin <= a < b),
        "where two of four words have no token, you give {yours}, expected {expected}: you take the next "
        "token, also where it begins behind the word",
        show=lambda parts: parts["words without a token"],
    ),
    Mistake(
        "begin itself left out",
        places_with(lambda a, b, begin, end: begin < a < end),
        "the words stand at {yours}, expected {expected}: a token that begins just where its word begins is "
        "inside it. Is it < or <= here?",
        show=lambda parts: parts["words of one piece"],
    ),
    Mistake(
        "a word for each token",
        lambda offsets, spans: [
            next((w for w, (x, y) in enumerate(spans) if right(a, b, x, y)), None) for a, b in offsets
        ],
        "the answer is {yours}, expected {expected}: you say of each token in which word it lies. Asked is of "
        "each word where its token stands",
        show=lambda parts: parts["words of one piece"],
    ),
)

# 13.5 windows

WINDOWS = '''
def my_windows(count, size, overlap=0):
    """[begin, end) of windows of at most `size` places that together cover the places 0 to count - 1: a list.

    Neighbors share exactly `overlap` places (fewer than `size`). Only the last window may be shorter, and it
    holds something that the one before it does not hold. No places: no windows.
    """
    ...
'''

ASKED = {
    "windows(10, 4, 1)": (10, 4, 1), "windows(11, 4, 2)": (11, 4, 2), "windows(8, 4)": (8, 4), "windows(3, 4)": (3, 4),
    "windows(9, 5, 2)": (9, 5, 2), "windows(2, 4, 3)": (2, 4, 3), "windows(4, 4, 3)": (4, 4, 3), "windows(0, 4)": (0, 4),
}  # fmt: skip


def probe_windows(windows):
    for name, given in ASKED.items():
        yield name, [tuple(window) for window in windows(*given)]


def windows_with(starts, end=lambda start, size, count: min(start + size, count)):
    def windows(count, size, overlap=0):
        return [(start, end(start, size, count)) for start in starts(count, size, overlap)]

    return windows


def good_starts(count, size, overlap):
    return range(0, max(count - overlap, min(count, 1)), size - overlap)


def windows_in_a_loop(count, size, overlap=0):
    found, begin = [], 0
    while count and (not found or found[-1][1] < count):
        found.append((begin, min(begin + size, count)))
        begin += size - overlap
    return found


def last_one_full(count, size, overlap=0):
    return [
        (max(0, min(start, count - size)), min(start + size, count))
        for start in good_starts(count, size, overlap)
    ]


def first(parts):
    return parts["windows(10, 4, 1)"]


WINDOWS_MISTAKES = (
    Mistake(
        "no overlap",
        windows_with(lambda count, size, overlap: range(0, count, size)),
        "windows(10, 4, 1) is {yours}, expected {expected}: the next window begins where the last one ended; they share "
        "nothing",
        show=first,
    ),
    Mistake(
        "a step of the overlap",
        windows_with(lambda count, size, overlap: range(0, count, overlap or size)),
        "windows(10, 4, 1) is {yours}, expected {expected}: the overlap is what neighbors share, not how far one is from the "
        "next",
        show=first,
    ),
    Mistake(
        "one window too many",
        windows_with(lambda count, size, overlap: range(0, count, size - overlap)),
        "windows(10, 4, 1) is {yours}, expected {expected}: the last window lies wholly inside the one before it",
        show=first,
    ),
    Mistake(
        "the rest is lost",
        windows_with(lambda count, size, overlap: range(0, count - size + 1, size - overlap)),
        "windows(9, 5, 2) is {yours}, expected {expected}: the places at the end are in no window, and in a text shorter than a "
        "window none is",
        show=lambda parts: parts["windows(9, 5, 2)"],
    ),
    Mistake(
        "beyond the end",
        windows_with(good_starts, lambda start, size, count: start + size),
        "windows(3, 4) is {yours}, expected {expected}: the last window ends beyond the text",
        show=lambda parts: parts["windows(3, 4)"],
    ),
    Mistake(
        "ends included",
        windows_with(good_starts, lambda start, size, count: min(start + size, count) - 1),
        "windows(10, 4, 1) is {yours}, expected {expected}: as in Python's slices, the end is the first place that is no longer "
        "in the window",
        show=first,
    ),
    Mistake(
        "the last one full",
        last_one_full,
        "windows(9, 5, 2) is {yours}, expected {expected}: you move the last window back until it is full, so it shares more "
        "than asked for",
        show=lambda parts: parts["windows(9, 5, 2)"],
    ),
    Mistake(
        "a step too long",
        windows_with(lambda count, size, overlap: range(0, max(count - overlap, 0), size + overlap)),
        "windows(10, 4, 1) is {yours}, expected {expected}: your windows are farther apart than they are "
        "long. If two neighbors share something, does the next begin sooner or later?",
        show=first,
    ),
    Mistake(
        "longer by the overlap",
        windows_with(
            lambda count, size, overlap: range(0, count, size),
            lambda start, size, count: min(start + size + 1, count),
        ),
        "windows(10, 4, 1) is {yours}, expected {expected}: they share a place, but are longer than `size`",
        show=first,
    ),
    Mistake(
        "begin and length",
        lambda count, size, overlap=0: [(a, b - a) for a, b in tagging.windows(count, size, overlap)],
        "windows(10, 4, 1) is {yours}, expected {expected}: the second number should be the end, not the "
        "length",
        show=first,
    ),
    Mistake(
        "none for a text as short as the overlap",
        windows_with(lambda count, size, overlap: range(0, max(count - overlap, 0), size - overlap)),
        "windows(2, 4, 3) is {yours}, expected {expected}: a text that is shorter than the overlap is in no "
        "window",
        show=lambda parts: parts["windows(2, 4, 3)"],
    ),
)

EXERCISES = (
    Exercise(
        id="13.3",
        name="places_of_first_pieces",
        reference=tagging.places_of_first_pieces,
        stub=PLACES,
        probe=probe_places,
        hints=(
            "For each word, go through the tokens with `enumerate` and look for the first that begins at or after the word's "
            "begin and before its end. That is slow for long texts, and right.",
            "[CLS] and [SEP] have the span (0, 0), and 0 is the begin of the first word: a token that is as long as nothing "
            "must not count.",
            "`next((place for place, (a, b) in enumerate(offsets) if begin <= a < end and a < b), None)` for each word.",
        ),
        mistakes=PLACES_MISTAKES,
        notice="nothing here knows of ##: spans of characters are enough, for any tokenizer that gives them",
        difficulty=2,
        minutes=12,
        variants=(places_with(right),),
    ),
    Exercise(
        id="13.5",
        name="windows",
        reference=tagging.windows,
        stub=WINDOWS,
        probe=probe_windows,
        hints=(
            "From the begin of one window to that of the next it is `size - overlap` places.",
            "When is a window the last one? When it reaches `count`. A loop that stops there is right; `range` needs an end "
            "that is `overlap` places before `count`.",
        ),
        mistakes=WINDOWS_MISTAKES,
        notice="an overlap costs: with half of a window shared, everything is computed twice",
        difficulty=2,
        minutes=10,
        variants=(windows_in_a_loop,),
    ),
)
