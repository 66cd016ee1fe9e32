"""Accents, single characters, and a text with the origin of each of its characters."""

import re
import unicodedata

from helpers import wordpiece
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import wordpiece_tokenization as references
from helpers.exercises.steps import stepwise
from helpers.wordpiece import CHINESE_RANGES, WHITE_SPACE, in_canonical_order, normalize_character

# 1.5 without_accents


def probe_accents(without_accents):
    yield "three words", without_accents("Café, cafe\u0301, À la carte")  # the second accent is a character
    yield "½ and ﬁ", without_accents("½ and ﬁ")
    yield "ø 東 €", without_accents("ø 東 €")
    yield "Hindi", without_accents("ही हु")  # a mark of category Mc, one of Mn
    yield "Thai", without_accents("กั")  # Mn with the combining class 0
    yield "characters of a Korean word", len(without_accents("한국"))


def stripped(form="NFD", keep=lambda c: unicodedata.category(c) != "Mn", last=lambda text: text):
    """Normal form, marks dropped, and a last step, with one of them done in another way."""
    return lambda text: last("".join(c for c in unicodedata.normalize(form, text) if keep(c)))


def cafe(parts):
    return parts["three words"]


ACCENT_MISTAKES = (
    Mistake(
        "not taken apart",
        lambda text: "".join(c for c in text if unicodedata.category(c) != "Mn"),
        "you get {yours!r}, expected {expected!r}: an `é` stored as one character has no mark in it that could be dropped. "
        "Which normal form takes it apart?",
    ),
    Mistake(
        "NFC",
        stripped("NFC"),
        "you get {yours!r}, expected {expected!r}: NFC goes the other way and puts letter and accent together",
    ),
    Mistake(
        "NFKD",
        stripped("NFKD"),
        "right for accents, but `½ and ﬁ` becomes {yours!r}: NFKD also replaces characters by others that look alike, and BERT "
        "leaves those alone",
        show=lambda parts: parts["½ and ﬁ"],
    ),
    Mistake(
        "marks kept",
        lambda text: unicodedata.normalize("NFD", text),
        "your text may look the same, but it has {yours} characters, expected {expected}: letter and accent are apart now, and "
        "the accents have to be dropped",
        show=lambda parts: len(cafe(parts)),
    ),
    Mistake(
        "whatever is not ASCII",
        lambda text: unicodedata.normalize("NFD", text).encode("ascii", "ignore").decode(),
        "right for accents, but of `ø 東 €` you leave {yours!r}: you throw away every character beyond ASCII, most of the "
        "world's letters among them",
        show=lambda parts: parts["ø 東 €"],
    ),
    Mistake(
        "first part of each character",
        lambda text: "".join(unicodedata.normalize("NFD", c)[0] for c in text),
        "you get {yours!r}, expected {expected!r}: you keep the first part of each character, but an accent that is a character of "
        "its own is its own first part",
    ),
    Mistake(
        "all marks",
        stripped(keep=lambda c: not unicodedata.category(c).startswith("M")),
        "right for accents, but of a Hindi text you leave {yours!r}, expected {expected!r}: there are marks that take up space "
        "(Mc), and they are vowels. Only the non-spacing ones go, Mn",
        show=lambda parts: parts["Hindi"],
    ),
    Mistake(
        "combining class",
        stripped(keep=lambda c: not unicodedata.combining(c)),
        "right for accents, but a Thai syllable becomes {yours!r}, expected {expected!r}: `combining` gives an order of marks, "
        "which is 0 for some of them. The category says what is a mark",
        show=lambda parts: parts["Thai"],
    ),
    Mistake(
        "letters alone",
        stripped(keep=lambda c: c.isalpha() or c == " "),
        "you get {yours!r}, expected {expected!r}: the accents are gone, and so is everything that is no letter",
    ),
    Mistake(
        "lower case",
        stripped(last=str.lower),
        "you get {yours!r}, expected {expected!r}: lower case is another step, which a cased model does without",
    ),
    Mistake(
        "put together again",
        stripped(last=lambda text: unicodedata.normalize("NFC", text)),
        "right for accents, but a Korean word has {yours} characters, expected {expected}: you put everything together again "
        "at the end. BERT leaves the syllables apart, and its vocabulary was made from such text",
        show=lambda parts: parts["characters of a Korean word"],
    ),
    Mistake(
        "one accent only",
        lambda text: unicodedata.normalize("NFD", text).replace("\u0301", ""),
        "you get {yours!r}, expected {expected!r}: only one of the accents is dropped, and there are hundreds: what have they in "
        "common?",
    ),
)

WITHOUT_ACCENTS = Exercise(
    id="1.5",
    name="without_accents",
    reference=references.without_accents,
    stub='''
def my_without_accents(text):
    """The text in normal form NFD, without its non-spacing marks (category Mn): `é` becomes `e`."""
    ...
''',
    probe=stepwise(probe_accents, references.without_accents),
    hints=(
        "Two steps: take letters and accents apart for the whole text, then keep each character that is no non-spacing mark.",
        "`unicodedata.normalize('NFD', text)` is the first step; `unicodedata.category(c)` tells which characters to leave out "
        "in the second.",
    ),
    mistakes=ACCENT_MISTAKES,
    notice="`ø` stays as it is: Unicode takes its stroke for a part of the letter, and there is nothing to take apart",
    asks={
        "three words": "An accent is dropped, whether it comes with its letter or as a character of its own; all else stays",
        "½ and ﬁ": "Only accents go: characters that merely look like others stay",
        "ø 東 €": "Characters that have no accent stay, whatever alphabet they are from",
        "Hindi": "Only marks of the category Mn go",
    },
    difficulty=1,
    minutes=6,
    show=cafe,
    variants=(
        lambda text: (
            re.sub("[\u0300-\u036f]", "", unicodedata.normalize("NFD", text))
            .replace("\u0e31", "")
            .replace("\u0941", "")
        ),
        lambda text: "".join(map(references.without_accents, text)),
    ),
)

# 1.6 normalize_character

NAMES = {
    "a tab": "\t",
    "a hyphen": "-",
    "an em space": "\u2003",
    "a null": "\0",
    "a zero-width space": "\u200b",
}
NAMES |= {"U+FFFD": "\ufffd", "an unassigned character": "\u0378", "U+0085": "\x85", "private use": "\ue000"}


def probe_character(normalize_character):
    for name, character in NAMES.items():
        yield name, normalize_character(character)
    for character in "Aé,東あ½ﬁ\u4e00\u9fff":
        yield f"`{character}`", normalize_character(character)
    yield "an accent by itself", normalize_character("\u0301")
    for switches in CASED:
        for character in "Éa東":
            yield f"`{character}` with {switches}", normalize_character(character, **CASED[switches])


CASED = {"lowercase=False": {"lowercase": False}}
CASED |= {"lowercase=False, strip_accents=True": {"lowercase": False, "strip_accents": True}}
CASED |= {"strip_accents=False": {"strip_accents": False}, "split_chinese=False": {"split_chinese": False}}


def is_ideograph(character):
    return any(first <= ord(character) <= last for first, last in CHINESE_RANGES)


def is_white(character):
    return re.match(f"[{WHITE_SPACE}]", character) is not None


def is_control(character):
    return character in "\0\ufffd" or unicodedata.category(character) in ("Cc", "Cf", "Co")


def character_with(
    white=is_white,
    control=is_control,
    controls_first=False,
    ideograph=is_ideograph,
    spaces=" {} ",
    strip=lambda lowercase, accents: lowercase if accents is None else accents,
    form="NFD",
    case=str.lower,
):
    """The rule for one character, with one thing done in another way."""

    def rule(character, lowercase=True, strip_accents=None, split_chinese=True):
        if controls_first and control(character):
            return ""
        if white(character):
            return " "
        if control(character):
            return ""
        text = spaces.format(character) if split_chinese and ideograph(character) else character
        if strip(lowercase, strip_accents):
            text = "".join(c for c in unicodedata.normalize(form, text) if unicodedata.category(c) != "Mn")
        return case(text) if lowercase else text

    return rule


def character_in_lower_case_or_without_accent(
    character, lowercase=True, strip_accents=None, split_chinese=True
):
    """Gives back what has lost its accents before it comes to the lower case."""
    if strip_accents or strip_accents is None and lowercase:
        return normalize_character(character, False, True, split_chinese)
    return normalize_character(character, lowercase, False, split_chinese)


def character_always_split(character, lowercase=True, strip_accents=None, split_chinese=True):
    return normalize_character(character, lowercase, strip_accents, True)


def of(part):
    return lambda parts: repr(parts[part])


CHARACTER_MISTAKES = (
    Mistake(
        "tab deleted",
        character_with(controls_first=True),
        "a tab becomes {yours}, expected {expected}: it is white space and, to Unicode, a control character (Cc), too. "
        "Which rule has to come first, so that two words are not glued together?",
        show=of("a tab"),
    ),
    Mistake(
        "white space kept",
        character_with(white=lambda c: False, control=lambda c: not is_white(c) and is_control(c)),
        "a tab becomes {yours}, expected {expected}: all white space becomes the same, one space",
        show=of("a tab"),
    ),
    Mistake(
        "ranges read as characters",
        character_with(white=lambda c: c in WHITE_SPACE),
        "a hyphen becomes {yours}, expected {expected}: in WHITE_SPACE, `\u2000-\u200a` is a range, to be read by a regular "
        "expression. As a mere string it holds a hyphen, and lacks what lies between",
        show=of("a hyphen"),
    ),
    Mistake(
        "format characters kept",
        character_with(control=lambda c: c in "\0\ufffd" or unicodedata.category(c) == "Cc"),
        "the zero-width space becomes {yours}, expected {expected}: nobody sees it, and with it inside no word is found in "
        "the vocabulary. Its category is Cf",
        show=of("a zero-width space"),
    ),
    Mistake(
        "all of category C",
        character_with(control=lambda c: c == "\ufffd" or unicodedata.category(c).startswith("C")),
        "a character that Unicode hasn't assigned yet becomes {yours}, expected {expected}: of the categories C… only "
        "Cc, Cf and Co are dropped. (Google's code drops them all; the library, which we follow, doesn't.)",
        show=of("an unassigned character"),
    ),
    Mistake(
        "replacement character kept",
        character_with(control=lambda c: unicodedata.category(c) in ("Cc", "Cf", "Co")),
        "U+FFFD, which stands where a text was damaged, becomes {yours}, expected {expected}: it is of no category C…, so it "
        "needs to be named",
        show=of("U+FFFD"),
    ),
    Mistake(
        "Python's white space",
        character_with(white=str.isspace),
        "the control character U+0085 becomes {yours}, expected {expected}: Python's `isspace` counts other characters than "
        "WHITE_SPACE does",
        show=of("U+0085"),
    ),
    Mistake(
        "None taken for False",
        character_with(strip=lambda lowercase, accents: accents),
        "`é` becomes {yours}, expected {expected}: without a word about accents strip_accents is None, which is no False. "
        "It means: as lowercase",
        show=of("`é`"),
    ),
    Mistake(
        "accents stripped for a cased model",
        character_with(strip=lambda lowercase, accents: accents is None or accents),
        "with lowercase=False, `É` becomes {yours}, expected {expected}: None is taken for True. It means: as lowercase",
        show=of("`É` with lowercase=False"),
    ),
    Mistake(
        "strip_accents ignored",
        character_with(strip=lambda lowercase, accents: lowercase),
        "with lowercase=False and strip_accents=True, `É` becomes {yours}, expected {expected}: that switch is never asked. Only "
        "None leaves the decision to lowercase",
        show=of("`É` with lowercase=False, strip_accents=True"),
    ),
    Mistake(
        "False overruled",
        character_with(strip=lambda lowercase, accents: lowercase or accents),
        "with strip_accents=False, `É` becomes {yours}, expected {expected}: `or` makes no difference between None and "
        "False, but somebody who says False means it",
        show=of("`É` with strip_accents=False"),
    ),
    Mistake(
        "ideographs not set apart",
        character_with(ideograph=lambda c: False),
        "`東` becomes {yours}, expected {expected}: Chinese has no spaces, so each ideograph gets one before and one behind",
        show=of("`東`"),
    ),
    Mistake(
        "space on one side",
        character_with(spaces=" {}"),
        "`東` becomes {yours}, expected {expected}: without a space behind it, it would be glued to a Latin letter that "
        "follows",
        show=of("`東`"),
    ),
    Mistake(
        "kana set apart",
        character_with(ideograph=lambda c: unicodedata.category(c) == "Lo"),
        "`あ` becomes {yours}, expected {expected}: it is a letter of the Japanese kana, no ideograph. CHINESE_RANGES says "
        "which code points are",
        show=of("`あ`"),
    ),
    Mistake(
        "split_chinese ignored",
        character_always_split,
        "with split_chinese=False, `東` becomes {yours}, expected {expected}: the switch is never asked",
        show=of("`東` with split_chinese=False"),
    ),
    Mistake(
        "NFKD in the rule",
        character_with(form="NFKD"),
        "`½` becomes {yours}, expected {expected}: you take another normal form than NFD",
        show=of("`½`"),
    ),
    Mistake(
        "first part of NFD",
        lambda character, lowercase=True, strip_accents=None, split_chinese=True: (
            character
            if character == "\u0301"
            else normalize_character(character, lowercase, strip_accents, split_chinese)
        ),
        "an accent by itself is kept: {yours}, expected {expected}. Taking the first part after NFD drops the accent of an `é`, but "
        "an accent alone is its own first part",
        show=lambda parts: ascii(parts["an accent by itself"]),
    ),
    Mistake(
        "lower case or accents, not both",
        character_in_lower_case_or_without_accent,
        "`A` becomes {yours}, expected {expected}: where accents are stripped, the lower case is never reached",
        show=of("`A`"),
    ),
    Mistake(
        "lower case for all",
        lambda character, lowercase=True, strip_accents=None, split_chinese=True: normalize_character(
            character, lowercase, strip_accents, split_chinese
        ).lower(),
        "with lowercase=False, `É` becomes {yours}, expected {expected}: a cased model keeps its capitals",
        show=of("`É` with lowercase=False"),
    ),
    Mistake(
        "no switch asked",
        lambda character, lowercase=True, strip_accents=None, split_chinese=True: normalize_character(character),
        "with lowercase=False, `É` becomes {yours}, expected {expected}: none of the switches has an effect. A cased model keeps "
        "capitals and, unless it is told otherwise, accents",
    ),
)

NORMALIZE_CHARACTER = Exercise(
    id="1.6",
    name="normalize_character",
    reference=normalize_character,
    stub='''
def my_normalize_character(character, lowercase=True, strip_accents=None, split_chinese=True):
    """What one character becomes: nothing (""), a space, itself, or several characters. The rules: see above.

    strip_accents=None means "as lowercase".
    """
    ...
''',
    probe=stepwise(probe_character, normalize_character),
    hints=(
        "Go through the table from the top, one `if` for each row; the first two end with `return`. The rows below act one "
        "after the other on the same text.",
        "Whether accents are stripped: as `strip_accents` says, unless it `is None`; then as `lowercase` says.",
        "`re.match(f'[{WHITE_SPACE}]', character)` finds white space; an ideograph is a character for which `first <= "
        "ord(character) <= last` holds for any pair of CHINESE_RANGES.",
    ),
    mistakes=CHARACTER_MISTAKES,
    notice="one character may become none, one, or three: from here on, places in the normalized text are not those of the "
    "original",
    difficulty=2,
    minutes=15,
    variants=(
        character_with(),
        lambda character, lowercase=True, strip_accents=None, split_chinese=True: character_with()(
            character, lowercase, bool(lowercase) if strip_accents is None else strip_accents, split_chinese
        ),
    ),
)

# 1.7 normalize_with_origin


def probe_origin(normalize_with_origin):
    yield "`é no 東!`", normalize_with_origin("e\u0301 no 東!")
    yield "`ÉA` with lowercase=False", normalize_with_origin("ÉA", lowercase=False)
    yield "`ÉA` with strip_accents=False", normalize_with_origin("ÉA", strip_accents=False)
    yield "`東A` with split_chinese=False", normalize_with_origin("東A", split_chinese=False)
    yield "two marks in the wrong order", normalize_with_origin("\ua98f\U0001d165\ua9c0")
    yield "nothing", normalize_with_origin("")


def text_with(origins, order=True, switches=lambda *given: given):
    """Normalizing with another way to note the origins: origins(old text, list of what its characters became)."""

    def normalize(text, lowercase=True, strip_accents=None, split_chinese=True):
        if order and (lowercase if strip_accents is None else strip_accents):
            text = in_canonical_order(text)
        made = [normalize_character(c, *switches(lowercase, strip_accents, split_chinese)) for c in text]
        return "".join(made), origins(text, made)

    return normalize


def right_origins(text, made):
    return [index for index, new in enumerate(made) for _ in new]


def origins(parts):
    return parts["`é no 東!`"][1]


def origins_always_in_order(text, lowercase=True, strip_accents=None, split_chinese=True):
    return wordpiece.normalize_with_origin(in_canonical_order(text), lowercase, strip_accents, split_chinese)


def origins_of_joined(text, lowercase=True, strip_accents=None, split_chinese=True):
    """The list of parts instead of the text."""
    made, origin = wordpiece.normalize_with_origin(text, lowercase, strip_accents, split_chinese)
    return list(made), origin


ORIGIN_MISTAKES = (
    Mistake(
        "counted in the new text",
        text_with(lambda text, made: list(range(len("".join(made))))),
        "the origins of `é no 東!`, its accent a character of its own, are {yours}, expected {expected}: you count the characters of the normalized text, and "
        "`!` was character 7 of the original",
    ),
    Mistake(
        "counted in the old text",
        text_with(lambda text, made: list(range(len(text)))),
        "the origins of `é no 東!`, its accent a character of its own, are {yours}, expected {expected}: you give one to each character of the original. They belong to "
        "the characters of the *new* text, and some old ones have left none",
    ),
    Mistake(
        "one for each that left something",
        text_with(lambda text, made: [index for index, new in enumerate(made) if new]),
        "the origins of `é no 東!`, its accent a character of its own, are {yours}, expected {expected}: an ideograph becomes three "
        "characters, and each of them needs an origin",
    ),
    Mistake(
        "kept ones counted",
        text_with(lambda text, made: [i for i, new in enumerate(new for new in made if new) for _ in new]),
        "the origins of `é no 東!`, its accent a character of its own, are {yours}, expected {expected}: the accent is dropped before you count, so everything behind "
        "it gets a place too low",
    ),
    Mistake(
        "from one",
        text_with(lambda text, made: [index for index, new in enumerate(made, 1) for _ in new]),
        "the origins of `é no 東!`, its accent a character of its own, are {yours}, expected {expected}: characters are counted from 0",
    ),
    Mistake(
        "searched",
        text_with(lambda text, made: [made.index(new) for new in made for _ in new]),
        "the origins of `é no 東!`, its accent a character of its own, are {yours}, expected {expected}: where a character stands again, search finds its first place. "
        "Count instead",
    ),
    Mistake(
        "lengths",
        text_with(lambda text, made: [len(new) for new in made for _ in new]),
        "the origins of `é no 東!`, its accent a character of its own, are {yours}, expected {expected}: that is how many characters each one became, not where it "
        "stood",
    ),
    Mistake(
        "switches not handed on",
        text_with(right_origins, switches=lambda *given: ()),
        "with lowercase=False `ÉA` becomes {yours!r}, expected {expected!r}: the switches never reach the rule for a character",
        show=lambda parts: parts["`ÉA` with lowercase=False"][0],
    ),
    Mistake(
        "only one switch handed on",
        text_with(right_origins, switches=lambda lowercase, *others: (lowercase,)),
        "with strip_accents=False `ÉA` becomes {yours!r}, expected {expected!r}: of the switches only `lowercase` reaches the rule "
        "for a character",
        show=lambda parts: parts["`ÉA` with strip_accents=False"][0],
    ),
    Mistake(
        "marks in the order typed",
        text_with(right_origins, order=False),
        "right but for two marks typed in the wrong order: they stay as they were. Where accents are stripped, "
        "in_canonical_order comes first",
    ),
    Mistake(
        "results exchanged",
        lambda *given, **switches: wordpiece.normalize_with_origin(*given, **switches)[::-1],
        "your two results are in the wrong order: first the text, then the list",
    ),
    Mistake(
        "text alone",
        lambda *given, **switches: wordpiece.normalize_with_origin(*given, **switches)[0],
        "two results are asked for: the text, and the list of origins",
    ),
    Mistake(
        "a list of characters",
        origins_of_joined,
        "the first result is asked for as one string: `\"\".join(…)` makes one of a list",
    ),
    Mistake(
        "origins as pairs",
        lambda text, lowercase=True, strip_accents=None, split_chinese=True: (
            (r := wordpiece.normalize_with_origin(text, lowercase, strip_accents, split_chinese))[0],
            [(i, i + 1) for i in r[1]],
        ),
        "for each character one number is asked for, the place of what it was made from; spans are made later",
    ),
)

NORMALIZE_WITH_ORIGIN = Exercise(
    id="1.7",
    name="normalize_with_origin",
    reference=wordpiece.normalize_with_origin,
    stub='''
def my_normalize_with_origin(text, lowercase=True, strip_accents=None, split_chinese=True):
    """(normalized text, origin): origin[i] is the index in `text` of what character i was made from.

    If accents are to be stripped, the marks are first sorted by in_canonical_order(text).
    """
    ...
''',
    probe=stepwise(probe_origin, wordpiece.normalize_with_origin),
    hints=(
        "normalize_character gives a string for each character of the text. Joined, these strings are the new text. How often "
        "must the index of an old character stand in the list?",
        "As often as its string has characters: none, once, or three times. `enumerate` gives the indices.",
        "`made = [normalize_character(...) for old in text]`; then two loops in one list: over `enumerate(made)`, and over the "
        "characters of each string.",
    ),
    mistakes=ORIGIN_MISTAKES,
    notice="the origins never fall from left to right, so the text behind any stretch of the new one is a stretch of the "
    "old one",
    asks={
        "`é no 東!`": "Each character of the result gets the place of the one character of the original that it was made from: two of them may have the same",
        "two marks in the wrong order": "Where accents are stripped, the marks are sorted first",
        "nothing": "An empty text gives an empty text and an empty list",
    },
    difficulty=2,
    minutes=10,
    show=origins,
    variants=(text_with(right_origins),),
)
