"""Pieces joined to words; what is punctuation; where words begin and end."""

import itertools
import re
import string
import unicodedata

from helpers import wordpiece
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.steps import stepwise
from helpers.wordpiece import is_punctuation

# 1.1 join_pieces


def probe_join(join_pieces):
    yield "the example", join_pieces(["em", "##bed", "##ding", "##s", "turn", "!"])
    yield "with special tokens", join_pieces(["[CLS]", "una", "##ffa", "##ble", "c", "#", "[SEP]"])
    yield "no tokens", join_pieces([])


def without_marks_of(tokens):
    return " ".join(token.removeprefix("##") for token in tokens)


def joined_with_space_before(tokens):
    text = ""
    for token in tokens:
        text += token[2:] if token.startswith("##") else " " + token
    return text


def joined_with_space_behind(tokens):
    text = ""
    for token in tokens:
        text = (text.rstrip(" ") + token[2:] if token.startswith("##") else text + token) + " "
    return text


def joined_with_glued_punctuation(tokens):
    text = ""
    for token in tokens:
        text += token[2:] if token.startswith("##") else token if token in ".,;:!?" else " " + token
    return text.strip()


def joined_with_the_mark_inside(tokens):
    words = []
    for token in tokens:
        words = [*words[:-1], words[-1] + token] if token.startswith("##") else [*words, token]
    return " ".join(words)


def joined_with_space_after_each_word_piece(tokens):
    return "".join(token[2:] if token.startswith("##") else token + " " for token in tokens)


def joined_from_the_first(tokens):
    text = tokens[0]
    for token in tokens[1:]:
        text += token[2:] if token.startswith("##") else " " + token
    return text


def joined_at_a_single_mark(tokens):
    words = []
    for token in tokens:
        words = [*words[:-1], words[-1] + token[2:]] if token[0] == "#" else [*words, token]
    return " ".join(words)


JOIN_MISTAKES = (
    Mistake(
        "space kept",
        without_marks_of,
        "the marks are gone, but the text is {yours!r}, expected {expected!r}: a piece that continues a word still "
        "has a space before it. What stands between two tokens when you join them, and what of it has to go?",
    ),
    Mistake(
        "mark kept",
        lambda tokens: " ".join(tokens),
        "the text is {yours!r}, expected {expected!r}: joining by spaces leaves the marks in. What should become of a "
        "space and the ## behind it?",
    ),
    Mistake(
        "all glued",
        lambda tokens: "".join(tokens).replace("##", ""),
        "the text is {yours!r}, expected {expected!r}: without any space between tokens nobody can tell words apart",
    ),
    Mistake(
        "space before the first word",
        joined_with_space_before,
        "the text is {yours!r}, expected {expected!r}: each word brings a space, the first one, too. Between six things "
        "there are only five gaps",
    ),
    Mistake(
        "space behind the last word",
        joined_with_space_behind,
        "the text is {yours!r}, expected {expected!r}: a space is left at the end",
    ),
    Mistake(
        "only the first continuation",
        lambda tokens: " ".join(tokens).replace(" ##", "", 1),
        "the text is {yours!r}, expected {expected!r}: only the first continuation was joined",
    ),
    Mistake(
        "every # removed",
        lambda tokens: " ".join(tokens).replace(" ##", "").replace("#", ""),
        "of the tokens `c` and `#` you make {yours!r}, expected {expected!r}: a single # is an ordinary token, and only "
        "two of them at the beginning of a token mark a continuation",
        show=lambda parts: parts["with special tokens"],
    ),
    Mistake(
        "special tokens left out",
        lambda tokens: " ".join(t for t in tokens if not t.startswith("[")).replace(" ##", ""),
        "`[CLS]` and `[SEP]` are left out: {yours!r}, expected {expected!r}. Here all tokens are wanted; who doesn't want "
        "these two leaves them out before",
        show=lambda parts: parts["with special tokens"],
    ),
    Mistake(
        "punctuation glued",
        joined_with_glued_punctuation,
        "the text is {yours!r}, expected {expected!r}: nicer to read, but only ## glues. Not every mark belongs to the word before "
        "it (an opening bracket doesn't), and the tokens don't say so",
    ),
    Mistake(
        "mark kept inside",
        joined_with_the_mark_inside,
        "the text is {yours!r}, expected {expected!r}: pieces and words are put together right, but ## is still in the word",
    ),
    Mistake(
        "space before the continuation kept",
        joined_with_space_after_each_word_piece,
        "the text is {yours!r}, expected {expected!r}: a space follows each first piece, before anybody knows whether the next "
        "token continues it. Set the space before a word instead of behind",
    ),
    Mistake(
        "first token taken unseen",
        joined_from_the_first,
        "an empty list has no first token: an empty text has no tokens, and these make an empty text",
        raises=IndexError,
    ),
    Mistake(
        "words in a list",
        lambda tokens: " ".join(tokens).replace(" ##", "").split(),
        "one string is asked for, in which spaces separate the words",
    ),
    Mistake(
        "only one # cut off",
        lambda tokens: "".join(t[1:] if t.startswith("##") else " " + t for t in tokens).strip(),
        "the text is {yours!r}, expected {expected!r}: the mark has two characters, and you cut off one",
    ),
    Mistake(
        "a letter cut off",
        lambda tokens: "".join(t[3:] if t.startswith("##") else " " + t for t in tokens).strip(),
        "the text is {yours!r}, expected {expected!r}: of each piece that continues a word the first letter is cut off with "
        "the mark",
    ),
    Mistake(
        "words without spaces between them",
        lambda tokens: "".join(t.removeprefix("##") + " " * t.startswith("##") for t in tokens).strip(),
        "the text is {yours!r}, expected {expected!r}: the space stands behind pieces that continue a word, and it should stand "
        "before those that don't",
    ),
    Mistake(
        "backwards",
        lambda tokens: "".join(t[2:] if t.startswith("##") else " " + t for t in tokens[::-1]).strip(),
        "the text is {yours!r}, expected {expected!r}: the tokens are put together in reverse order",
    ),
    Mistake(
        "a single # taken for the mark",
        joined_at_a_single_mark,
        "of the tokens `c` and `#` you make {yours!r}, expected {expected!r}: a token that is a single # has vanished. The mark "
        "has two of them: ask for both",
        show=lambda parts: parts["with special tokens"],
    ),
)

JOIN_PIECES = Exercise(
    id="1.1",
    name="join_pieces",
    reference=wordpiece.join_pieces,
    stub='''
def my_join_pieces(tokens):
    """['em', '##bed', '!'] -> 'embed !': continuations are joined, all else is set off by one space."""
    ...
''',
    probe=stepwise(probe_join, wordpiece.join_pieces),
    hints=(
        "Join everything by spaces first, and look at what you get: where is a space too much?",
        "A space with ## right behind it is always too much, and no other space is.",
        "Strings have `join` and `replace`; both together make one line.",
    ),
    mistakes=JOIN_MISTAKES,
    notice="`!` is set off by a space, though it had none in the text: tokens don't remember spaces, so this is not the way "
    "back to the original",
    asks={
        "with special tokens": "A token that is a single # is an ordinary token: only ## at its beginning, with something behind it, marks a continuation",
        "no tokens": "No tokens make an empty text",
    },
    difficulty=1,
    minutes=5,
    show=lambda parts: parts["the example"],
    variants=(
        lambda tokens: "".join(t[2:] if t.startswith("##") else " " + t for t in tokens).strip(),
        lambda tokens: re.sub(" ##", "", " ".join(list(tokens))),
    ),
)

# 1.3 is_punctuation

SIGNS = "!,'-_$+^`~|<"


def probe_punctuation(is_punctuation):
    yield "signs of ASCII", {c: bool(is_punctuation(c)) for c in SIGNS}
    yield "letters, digits, space", {c: bool(is_punctuation(c)) for c in "aZ7 "}
    yield "punctuation beyond ASCII", {c: bool(is_punctuation(c)) for c in "–。’«"}
    yield "other characters beyond ASCII", {c: bool(is_punctuation(c)) for c in "é東€×😀\u0301"}
    yield "control characters", {name: bool(is_punctuation(c)) for name, c in (("tab", "\t"), ("null", "\0"))}


def taken_for_signs(part):
    """The characters of a part that are taken for punctuation."""
    return lambda parts: [c for c, yes in parts[part].items() if yes]


PUNCTUATION_MISTAKES = (
    Mistake(
        "by category alone",
        lambda c: unicodedata.category(c).startswith("P"),
        f"of the signs {SIGNS} you take only {{yours}} for punctuation: Unicode counts the others as symbols, and in ASCII "
        "BERT counts them all",
        show=taken_for_signs("signs of ASCII"),
    ),
    Mistake(
        "ASCII alone",
        lambda c: c in string.punctuation,
        "right for ASCII, but beyond it you take nothing for punctuation, expected {expected}: for those characters "
        "Unicode's categories decide",
        show=taken_for_signs("punctuation beyond ASCII"),
    ),
    Mistake(
        "symbols everywhere",
        lambda c: unicodedata.category(c)[0] in "PS",
        "beyond ASCII you take {yours} for punctuation, expected {expected}: symbols (categories S…) count only in ASCII",
        show=taken_for_signs("other characters beyond ASCII"),
    ),
    Mistake(
        "whatever is no letter, digit or space",
        lambda c: not c.isalnum() and not c.isspace(),
        "beyond ASCII you take {yours} for punctuation, expected {expected}: that rule is for ASCII; beyond it a character "
        "can be neither letter nor digit nor punctuation",
        show=taken_for_signs("other characters beyond ASCII"),
    ),
    Mistake(
        "underscore taken for a letter",
        lambda c: bool(re.match(r"[^\w\s]", c)) if c.isascii() else wordpiece.is_punctuation(c),
        "the underscore is missing: you take {yours} for punctuation, expected {expected}. To a regular expression `_` is part "
        "of a word, to BERT it is a sign like others",
        show=taken_for_signs("signs of ASCII"),
    ),
    Mistake(
        "control characters",
        lambda c: not c.isalnum() and c != " " if c.isascii() else wordpiece.is_punctuation(c),
        "control characters are taken for punctuation: {yours}, expected {expected}. They can't be seen at all; what property "
        "of a character says that it can be printed?",
        show=taken_for_signs("control characters"),
    ),
    Mistake(
        "the space",
        lambda c: c.isprintable() and not c.isalnum() if c.isascii() else wordpiece.is_punctuation(c),
        "the space is taken for punctuation, and it only separates words",
    ),
    Mistake(
        "a list by heart",
        lambda c: c in ".,;:!?'\"()-",
        f"of the signs {SIGNS} you take only {{yours}} for punctuation: a list by heart is never complete. Say what the signs "
        "are not instead",
        show=taken_for_signs("signs of ASCII"),
    ),
    Mistake(
        "true and false exchanged",
        lambda c: not wordpiece.is_punctuation(c),
        "the answers are the wrong way round: `a` is no punctuation, and a comma is",
    ),
    Mistake(
        "only the category Po",
        lambda c: c in string.punctuation or unicodedata.category(c) == "Po",
        "beyond ASCII you take only {yours} for punctuation, expected {expected}: Po is one of the categories P…, and dashes "
        "(Pd), brackets (Ps, Pe) and quotes (Pi, Pf) have their own. What do they begin with?",
        show=taken_for_signs("punctuation beyond ASCII"),
    ),
    Mistake(
        "letters and digits, too",
        lambda c: 32 < ord(c) < 127 or unicodedata.category(c).startswith("P"),
        "letters and digits are taken for punctuation: {yours}, expected {expected}. They can be seen, too, but they belong to "
        "words",
        show=taken_for_signs("letters, digits, space"),
    ),
    Mistake(
        "digits alone",
        lambda c: (32 < ord(c) < 127 and not c.isalpha()) or unicodedata.category(c).startswith("P"),
        "a digit is taken for punctuation: {yours}, expected {expected}. Of ASCII, letters and digits are left out",
        show=taken_for_signs("letters, digits, space"),
    ),
)

IS_PUNCTUATION = Exercise(
    id="1.3",
    name="is_punctuation",
    reference=wordpiece.is_punctuation,
    stub='''
def my_is_punctuation(character):
    """True for the categories P…, and for ASCII characters that are no letter, digit, space or control."""
    ...
''',
    probe=stepwise(probe_punctuation, wordpiece.is_punctuation),
    hints=(
        "Two rules, one for ASCII and one for everything else: `character.isascii()` says which one holds.",
        "In ASCII, say what punctuation is not. `isalnum()` is True for letters and digits, `isprintable()` is False for "
        "control characters. Beyond ASCII, look at the first letter of `unicodedata.category(character)`.",
    ),
    mistakes=PUNCTUATION_MISTAKES,
    notice="€ is no punctuation and $ is, only because the one is in ASCII: `$5` becomes two tokens, `€5` one word",
    asks={
        "signs of ASCII": "In ASCII every character that can be seen and is no letter or digit counts",
        "letters, digits, space": "Letters, digits and the space never count",
        "punctuation beyond ASCII": "Beyond ASCII the category decides: any that begins with P, such as Pd (dashes), Po, Pi and Pf (quotes)",
        "other characters beyond ASCII": "Beyond ASCII only the categories P… count: no letters, no symbols (S…), no marks",
        "control characters": "A control character can't be seen, so it is no sign",
    },
    difficulty=1,
    minutes=8,
    variants=(
        lambda c: c in string.punctuation or unicodedata.category(c)[0] == "P",
        lambda c: (
            (33 <= ord(c) < 48 or 58 <= ord(c) < 65 or 91 <= ord(c) < 97 or 123 <= ord(c) < 127)
            or unicodedata.category(c) in ("Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po")
        ),
    ),
)

# 1.4 word_spans


def probe_spans(word_spans):
    yield "it's $5 + tax", word_spans("it's $5 + tax")
    yield "no, no no", word_spans("no, no no")
    yield "two spaces and a tab", word_spans("  a\tbc !")
    yield "nothing", word_spans("")
    yield "marks alone", word_spans("...")
    yield "`a_b`", word_spans("a_b")
    yield "`5€ 20°C`", word_spans("5€ 20°C")


def spans_of(text, mark_too=True, keep_empty=False, ends=0, last=True, is_space=str.isspace):
    """Where words begin and end, with one thing done in another way."""
    found, start = [], 0
    for place, character in enumerate(text + " " if last else text):
        mark = is_punctuation(character)
        if mark or is_space(character):
            if start < place or keep_empty:
                found.append((start, place - ends))
            if mark and mark_too:
                found.append((place, place + 1 - ends))
            start = place + 1
    return found


def spans_with_glued_marks(text):
    found, start = [], 0
    for place, character in enumerate(text + " "):
        mark = is_punctuation(character)
        if mark or character.isspace():
            if start < place or mark:
                found.append((start, place + mark))
            start = place + 1
    return found


def spans_where_marks_begin_a_word(text):
    found, start = [], 0
    for place, character in enumerate(text + " "):
        mark = is_punctuation(character)
        if mark or character.isspace():
            if start < place:
                found.append((start, place))
            start = place if mark else place + 1
    return found


def spans_by_search(text):
    words = [text[start:end] for start, end in spans_of(text)]
    return [(text.index(word), text.index(word) + len(word)) for word in words]


def spans_with_marks_first(text):
    found, start = [], 0
    for place, character in enumerate(text + " "):
        mark = is_punctuation(character)
        if mark or character.isspace():
            found += [(place, place + 1)] * mark + [(start, place)] * (start < place)
            start = place + 1
    return found


def spans_with_short_end(text):
    found = spans_of(text, last=False)
    whole = spans_of(text)
    return found if found == whole else [*found, (whole[-1][0], whole[-1][1] - 1)]


def spans_by_regex(text):
    return [match.span() for match in re.finditer(r"\w+|[^\w\s]", text)]


def pieces_between_marks(chunk):
    """(place, piece) of what stands between two spaces: runs without a mark, and single marks."""
    runs = itertools.groupby(enumerate(chunk.group(), chunk.start()), key=lambda pair: is_punctuation(pair[1]))
    for mark, run in runs:
        run = list(run)
        if mark:
            yield from run
        else:
            yield run[0][0], "".join(character for _, character in run)


def spans_with_marks_inside(text):
    """Marks are cut off at the ends of what stands between spaces, and stay inside of it."""
    spans = []
    for match in re.finditer(r"\S+", text):
        start, end = match.span()
        front, back = [], []
        while start < end and is_punctuation(text[start]):
            front.append((start, start + 1))
            start += 1
        while end > start and is_punctuation(text[end - 1]):
            back.insert(0, (end - 1, end))
            end -= 1
        spans += [*front, *([(start, end)] if start < end else []), *back]
    return spans


WORD_MISTAKES = (
    Mistake(
        "an underscore kept inside",
        spans_by_regex,
        "`a_b` becomes {yours}, expected {expected}: an underscore is a mark for BERT, and `\\w` counts it among the "
        "letters. `is_punctuation` says what a mark is",
        show=lambda parts: parts["`a_b`"],
    ),
    Mistake(
        "symbols taken for marks",
        lambda text: [match.span() for match in re.finditer(r"[^\W_]+|[^\w\s]|_", text)],
        "`5€ 20°C` becomes {yours}, expected {expected}: € and ° are symbols, no punctuation, and stay in the word. "
        "`is_punctuation` says what a mark is",
        show=lambda parts: parts["`5€ 20°C`"],
    ),
    Mistake(
        "last word lost",
        lambda text: spans_of(text, last=False),
        "in `it's $5 + tax` you found {yours} words, expected {expected}: the last one is lost, since no space or mark "
        "comes behind it to end it",
        show=lambda parts: len(parts["it's $5 + tax"]),
    ),
    Mistake(
        "mark glued to the word before",
        spans_with_glued_marks,
        "the first span of `it's $5 + tax` is {yours}, expected {expected}: the apostrophe is still part of the word before "
        "it, and a mark is a word of its own",
    ),
    Mistake(
        "mark glued to the word behind",
        spans_where_marks_begin_a_word,
        "the second span of `it's $5 + tax` is {yours}, expected {expected}: the apostrophe begins the word behind it, and a "
        "mark is a word of its own",
        show=lambda parts: parts["it's $5 + tax"][1],
    ),
    Mistake(
        "marks lost",
        lambda text: spans_of(text, mark_too=False),
        "the second span of `it's $5 + tax` is {yours}, expected {expected}: marks separate the words but are thrown away, and "
        "BERT reads them",
        show=lambda parts: parts["it's $5 + tax"][1],
    ),
    Mistake(
        "empty spans",
        lambda text: spans_of(text, keep_empty=True),
        "among your spans is one with nothing in it, in `no, no no` the third: {yours}, expected {expected}. Where a mark or a "
        "space follows another, no word lies between",
        show=lambda parts: parts["no, no no"][2],
    ),
    Mistake(
        "end included",
        lambda text: spans_of(text, ends=1),
        "the first span of `it's $5 + tax` is {yours}, expected {expected}: the end is the character *after* the last one, so "
        "that text[start:end] is the word",
    ),
    Mistake(
        "mark before its word",
        spans_with_marks_first,
        "the first span of `it's $5 + tax` is {yours}, expected {expected}: the apostrophe is noted before the word that it ends, "
        "and the spans should come in the order of the text",
    ),
    Mistake(
        "marks without width",
        lambda text: [
            (start, end - 1) if is_punctuation(text[start]) else (start, end) for start, end in spans_of(text)
        ],
        "the second span of `it's $5 + tax` is {yours}, expected {expected}: the end is one after the last character, for a word of "
        "one character, too",
        show=lambda parts: parts["it's $5 + tax"][1],
    ),
    Mistake(
        "last word one short",
        spans_with_short_end,
        "the last span of `it's $5 + tax` is {yours}, expected {expected}: only the last word ends one character too early. What is "
        "the place after the last character of a text?",
        show=lambda parts: parts["it's $5 + tax"][-1],
    ),
    Mistake(
        "spaces alone",
        lambda text: [match.span() for match in re.finditer(r"\S+", text)],
        "the first span of `it's $5 + tax` is {yours}, expected {expected}: you cut at white space and not around marks",
    ),
    Mistake(
        "searched from the beginning",
        spans_by_search,
        "the spans of `no, no no` are {yours}, expected {expected}: a word that stands in the text again is found at its first "
        "place. Keep count of where you are instead of searching",
        show=lambda parts: parts["no, no no"],
    ),
    Mistake(
        "only the space itself",
        lambda text: spans_of(text, is_space=lambda c: c == " "),
        "with a tab between `a` and `bc` the spans are {yours}, expected {expected}: white space is more than the space",
        show=lambda parts: parts["two spaces and a tab"],
    ),
    Mistake(
        "the words themselves",
        lambda text: [text[start:end] for start, end in spans_of(text)],
        "spans are asked for, not the words: with the places, the words can be had at any time; with the words, the places "
        "can't",
    ),
    Mistake(
        "start and length",
        lambda text: [(a, b - a) for a, b in wordpiece.word_spans(text)],
        "the second span of `it's $5 + tax` is {yours}, expected {expected}: the second number is the length of the word. It "
        "should be the place after its last character",
        show=lambda parts: parts["it's $5 + tax"][1],
    ),
    Mistake(
        "the space before it, too",
        lambda text: [(a - (a > 0 and text[a - 1].isspace()), b) for a, b in wordpiece.word_spans(text)],
        "one of the spans of `it's $5 + tax` is {yours}, expected {expected}: the space before the word is in it",
        show=lambda parts: parts["it's $5 + tax"][3],
    ),
    Mistake(
        "the first word lost",
        lambda text: wordpiece.word_spans(text)[1:],
        "in `it's $5 + tax` the first word is missing: where does it begin, if no space stands before it?",
    ),
    Mistake(
        "lists instead of tuples",
        lambda text: [[a, b] for a, b in wordpiece.word_spans(text)],
        "each span is asked for as a tuple (start, end)",
    ),
    Mistake(
        "marks inside a word stay",
        spans_with_marks_inside,
        "the first span of `it's $5 + tax` is {yours}, expected {expected}: marks are cut off at both ends of a word, but one "
        "inside it stays. Every mark is a word of its own, wherever it stands",
        show=lambda parts: parts["it's $5 + tax"][0],
    ),
)

WORD_SPANS = Exercise(
    id="1.4",
    name="word_spans",
    reference=wordpiece.word_spans,
    stub='''
def my_word_spans(text):
    """[(start, end), ...] of the words of a text; every punctuation mark is a word of its own.

    start is a word's first character, end the one after its last, so that text[start:end] is the word.
    """
    ...
''',
    probe=stepwise(probe_spans, wordpiece.word_spans),
    hints=(
        "Walk through the text character by character and remember where the word you are in began. Which two kinds of "
        "characters end it?",
        "A mark ends the word before it, if there is one, and is then a span of its own. After a mark or a space, the next "
        "word begins one character further on.",
        "Walking through `text + ' '` instead of `text` ends the last word, too; `is_punctuation` and `str.isspace` say what a "
        "character is.",
    ),
    mistakes=WORD_MISTAKES,
    notice="nothing of the text is lost but white space: every other character lies in exactly one span",
    asks={
        "it's $5 + tax": "A mark is a word of its own wherever it stands, inside a word, too: `it`, `'`, `s`, `$`, `5`, `+`, `tax`",
        "no, no no": "Each word is wanted at its own place, also when it stood in the text before",
        "two spaces and a tab": "White space is never part of a word, and several in a row make no word",
        "nothing": "A text without words gives an empty list",
        "marks alone": "Every mark is a word, also where nothing else stands",
        "`a_b`": "An underscore is punctuation, so it is a word of its own: `a`, `_`, `b`",
        "`5€ 20°C`": "Symbols such as € and ° are no punctuation: they stay in the word that they stand in",
    },
    difficulty=2,
    minutes=12,
    show=lambda parts: parts["it's $5 + tax"][0],
    variants=(
        lambda text: [
            (place, place + len(piece))
            for chunk in re.finditer(r"\S+", text)
            for place, piece in pieces_between_marks(chunk)
        ],
        spans_of,
    ),
)
