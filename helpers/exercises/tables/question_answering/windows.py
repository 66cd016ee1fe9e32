"""Notebook 15, long contexts: where windows begin, and which tokens a span of characters covers."""

from helpers import reading
from helpers.exercises.exercise import Exercise, Mistake
from helpers.reading import Reading, context_places, encode_windows
from helpers.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer

# 15.3 window_starts

STARTS = '''
def my_window_starts(count, room, overlap):
    """Where windows of `room` tokens begin, a list, so that all of `count` tokens are in some window.

    The first begins at 0; each shares its first `overlap` tokens with the end of the one before it. No window
    more than needed: the last is the first that reaches the end. room is larger than overlap.
    """
    ...
'''


def probe_starts(starts):
    yield "7 tokens, room 10", list(starts(7, 10, 4))
    yield "10 tokens, room 10", list(starts(10, 10, 4))
    yield "11 tokens, room 10, overlap 4", list(starts(11, 10, 4))
    yield "31 tokens, room 10, overlap 4", list(starts(31, 10, 4))
    yield "34 tokens, room 10, overlap 4", list(starts(34, 10, 4))
    yield "20 tokens, room 5, overlap 0", list(starts(20, 5, 0))
    yield "20 tokens, room 5, overlap 4", list(starts(20, 5, 4))
    yield "no tokens", list(starts(0, 5, 2))


def long_one(parts):
    return parts["31 tokens, room 10, overlap 4"]


STARTS_MISTAKES = (
    Mistake(
        "steps of the overlap",
        lambda count, room, overlap: [
            0,
            *range(overlap or room, max(count - room + overlap, 0), overlap or room),
        ],
        "with room 10 and overlap 4 the windows begin at {yours}, expected {expected}: yours are 4 apart, so neighbors "
        "share 6. What is shared and how far it is to the next are two different numbers",
        show=long_one,
    ),
    Mistake(
        "steps of the room",
        lambda count, room, overlap: [0, *range(room, count, room)],
        "with room 10 and overlap 4 the windows begin at {yours}, expected {expected}: yours share nothing. An answer "
        "that lies across a border would be whole in no window",
        show=long_one,
    ),
    Mistake(
        "to the last token",
        lambda count, room, overlap: [0, *range(room - overlap, count, room - overlap)],
        "31 tokens get windows at {yours}, expected {expected}: yours go on after one that has reached the end, with "
        "pieces that hold nothing new. Each costs a pass of the encoder",
        show=long_one,
    ),
    Mistake(
        "the last one missing",
        lambda count, room, overlap: [0, *range(room - overlap, max(count - room + 1, 0), room - overlap)],
        "31 tokens get windows at {yours}, expected {expected}: yours hold only full windows, so the last tokens are "
        "read by nobody. Where do the last ten tokens begin, and is that a start?",
        show=long_one,
    ),
    Mistake(
        "one too many at the border",
        lambda count, room, overlap: [0, *range(room - overlap, max(count - overlap + 1, 0), room - overlap)],
        "10 tokens, which just fit, get windows at {yours}, expected {expected}: a window is needed only where the one "
        "before ends before the last token, not with it",
        show=lambda parts: parts["10 tokens, room 10"],
    ),
    Mistake(
        "the last pushed back",
        lambda count, room, overlap: [
            min(start, max(count - room, 0))
            for start in [0, *range(room - overlap, max(count - overlap, 0), room - overlap)]
        ],
        "31 tokens get windows at {yours}, expected {expected}: the last is pushed back so that it is full. It holds all "
        "that is needed, but shares more than `overlap`, and costs as much again",
        show=long_one,
    ),
    Mistake(
        "none for a short text",
        lambda count, room, overlap: list(range(0, max(count - overlap, 0), room - overlap)),
        "a context without tokens gets {yours}, expected {expected}: the reader still needs one window, to say that "
        "there is no answer",
        show=lambda parts: parts["no tokens"],
    ),
    Mistake(
        "farther apart",
        lambda count, room, overlap: [0, *range(room + overlap, max(count - overlap, 0), room + overlap)],
        "with room 10 and overlap 4 the windows begin at {yours}, expected {expected}: between them are "
        "tokens that nobody reads. If two windows share something, does the next begin sooner or later?",
        show=long_one,
    ),
    Mistake(
        "only the first step shorter",
        lambda count, room, overlap: [max(start - overlap, 0) for start in range(0, max(count, 1), room)],
        "with room 10 and overlap 4 the windows begin at {yours}, expected {expected}: each begins `overlap` "
        "before a multiple of the room, so only the first two share something",
        show=long_one,
    ),
    Mistake(
        "the ends",
        lambda count, room, overlap: [
            min(start + room, count) for start in reading.window_starts(count, room, overlap)
        ],
        "31 tokens get {yours}, expected {expected}: that is where the windows end",
        show=long_one,
    ),
)


def starts_by_loop(count, room, overlap):
    found = [0]
    while found[-1] + room < count:
        found.append(found[-1] + room - overlap)
    return found


# 15.4 span_to_tokens

SPAN = '''
def my_span_to_tokens(window, span):
    """The places (first, last) of the window's tokens that hold the characters of a span; else (0, 0).

    span: (begin, end) of the context's characters, end behind the last one. window.offsets: for each token
    such a pair, too. context_places(window): the places of the context's tokens, a range. (0, 0), the place
    of [CLS], stands for an answer that is not whole in this window.
    """
    ...
'''

CONTEXT = "Anna sings at home. Ben embeds in the old school (U.S.)."
_TOKENIZER = WordPieceTokenizer([
    *SPECIAL_TOKENS, "anna", "sings", "at", "home", "ben", "em", "##bed", "##s", "in", "the", "old", "school", "(", ")",
    "u", "s", ".", "who", "where", "?",
])  # fmt: skip


def probe_spans(function):
    whole = encode_windows("Where? Who? Where?", CONTEXT, _TOKENIZER, Reading(max_length=40, overlap=4))[0]
    first, second, *_ = encode_windows("Who?", CONTEXT, _TOKENIZER, Reading(max_length=14, overlap=4))

    def shown(window, text):
        begin = CONTEXT.index(text)
        return tuple(int(place) for place in function(window, (begin, begin + len(text))))

    yield "one word at the beginning", shown(whole, "Anna")
    yield "three words", shown(whole, "the old school")
    yield "a word of three pieces", shown(whole, "embeds")
    yield "with its marks", shown(whole, "(U.S.)")
    yield "without its marks", shown(whole, "U.S.")
    yield "up to the end of the text", shown(whole, "(U.S.).")
    yield "half a word", shown(whole, "mbe")
    yield "a later window", shown(second, "in the old")
    yield "beyond the window", shown(first, "old school")
    yield "cut by the window's end", shown(first, "Ben embeds in the old")
    yield "cut by the window's beginning", shown(second, "Anna sings at home. Ben embeds")


def naive_span(window, span, *, places=context_places, touching=None, add=0, whole=True):
    """The span with other places, another test of a token, or no test of being whole."""
    begin, end = span
    touching = touching or (lambda first, last: first < end and last > begin)
    chosen = places(window)
    inside = [place for place in chosen if touching(*window.offsets[place])]
    real = context_places(window)
    cut = window.offsets[real[0]][0] > begin or window.offsets[real[-1]][1] < end
    if not inside or (whole and cut):
        return 0, 0
    return inside[0], inside[-1] + add


def half_whole(window, span, side):
    first, last = (window.offsets[context_places(window)[place]] for place in (0, -1))
    cut = first[0] > span[0] if side == 0 else last[1] < span[1]
    return (0, 0) if cut else naive_span(window, span, whole=False)


def at_the_border(window, span):
    first, last = (window.offsets[context_places(window)[place]] for place in (0, -1))
    return (0, 0) if first[0] >= span[0] or last[1] <= span[1] else naive_span(window, span)


def exactly(window, span):
    begin, end = span
    starts = {window.offsets[place][0]: place for place in context_places(window)}
    ends = {window.offsets[place][1]: place for place in context_places(window)}
    return (starts[begin], ends[end]) if begin in starts and end in ends else (0, 0)


def characters_for_tokens(window, span):
    found = reading.span_to_tokens(window, span)
    return found if found == (0, 0) else (span[0], span[1] - 1)


def three(parts):
    return parts["three words"]


SPAN_MISTAKES = (
    Mistake(
        "last place one too far",
        lambda window, span: naive_span(window, span, add=1),
        "three words are at {yours}, expected {expected}: the last place is one too far. The place of a token is that of "
        "the token itself; only offsets count to behind the end",
        show=three,
    ),
    Mistake(
        "characters for tokens",
        characters_for_tokens,
        "three words are at {yours}, expected {expected}: those are places of characters. The model's logits are for "
        "tokens",
        show=three,
    ),
    Mistake(
        "the question counted, too",
        lambda window, span: naive_span(window, span, places=lambda window: range(len(window.ids))),
        "the first word is at {yours}, expected {expected}: the offsets of the question's tokens count in the question, "
        "and look like places of the context",
        show=lambda parts: parts["one word at the beginning"],
    ),
    Mistake(
        "places within the context",
        lambda window, span: tuple(
            place - context_places(window)[0] if place else 0
            for place in reading.span_to_tokens(window, span)
        ),
        "three words are at {yours}, expected {expected}: yours counts from the first token of the context. The logits "
        "begin at [CLS]",
        show=three,
    ),
    Mistake(
        "cut answers kept",
        lambda window, span: naive_span(window, span, whole=False),
        "of an answer that the window's end cuts, you mark {yours}, expected {expected}: half an answer would be taught "
        "as a whole one. Compare the span with the first and the last character that this window holds",
        show=lambda parts: parts["cut by the window's end"],
    ),
    Mistake(
        "neighbors touched",
        lambda window, span: naive_span(
            window, span, touching=lambda first, last: first <= span[1] and last >= span[0]
        ),
        "an answer in brackets with its marks is at {yours}, expected {expected}: a token that ends where the span begins "
        "does not share a character with it. Is it < or <= here?",
        show=lambda parts: parts["with its marks"],
    ),
    Mistake(
        "exact borders only",
        exactly,
        "of the characters inside a word you find {yours}, expected {expected}: answers do not always begin and end where "
        "tokens do; the tokens that share a character with it are taken",
        show=lambda parts: parts["half a word"],
    ),
    Mistake(
        "only the beginning compared",
        lambda window, span: half_whole(window, span, 0),
        "of an answer that the window's end cuts, you mark {yours}, expected {expected}: you ask only whether "
        "it begins before the window. It can also go on behind it",
        show=lambda parts: parts["cut by the window's end"],
    ),
    Mistake(
        "only the end compared",
        lambda window, span: half_whole(window, span, 1),
        "of an answer that the window's beginning cuts, you mark {yours}, expected {expected}: you ask only "
        "whether it goes on behind the window. It can also begin before it",
        show=lambda parts: parts["cut by the window's beginning"],
    ),
    Mistake(
        "beginning or ending with the window",
        at_the_border,
        "the first word is at {yours}, expected {expected}: a span that begins just with the window's first "
        "character is whole in it. Is it < or <= here?",
        show=lambda parts: parts["one word at the beginning"],
    ),
    Mistake(
        "tokens that begin in the span",
        lambda window, span: naive_span(
            window, span, touching=lambda first, last: span[0] <= first < span[1]
        ),
        "of the characters inside a word you find {yours}, expected {expected}: a token that begins before "
        "the span and reaches into it is left out",
        show=lambda parts: parts["half a word"],
    ),
    Mistake(
        "-1 for none",
        lambda window, span: found if (found := reading.span_to_tokens(window, span)) != (0, 0) else (-1, -1),
        "an answer beyond the window is at {yours}, expected {expected}: the model can point only at tokens, "
        "and the place for 'not here' is that of [CLS]",
        show=lambda parts: parts["beyond the window"],
    ),
)


def spans_by_sets(window, span):
    places = context_places(window)
    covered = {p: set(range(*window.offsets[p])) & set(range(*span)) for p in places}
    inside = [p for p in places if covered[p]]
    letters = {c for c in range(*span) if not CONTEXT[c].isspace()}
    return (inside[0], inside[-1]) if inside and set().union(*covered.values()) >= letters else (0, 0)


EXERCISES = (
    Exercise(
        id="15.3",
        name="window_starts",
        reference=reading.window_starts,
        stub=STARTS,
        probe=probe_starts,
        hints=(
            "Draw 11 tokens, windows of 10, and 4 shared: the second window begins at 6. How far apart are two "
            "beginnings in general?",
            "A further window is needed as long as the one before does not reach the end: as long as its begin + room is "
            "below count. A while loop says just that.",
        ),
        mistakes=STARTS_MISTAKES,
        notice="any answer of at most overlap + 1 tokens is whole in some window; longer ones may be in none",
        difficulty=2,
        minutes=12,
        variants=(starts_by_loop,),
    ),
    Exercise(
        id="15.4",
        name="span_to_tokens",
        reference=reading.span_to_tokens,
        stub=SPAN,
        probe=probe_spans,
        hints=(
            "A token belongs to the span if the two share at least one character: it begins before the span's end, and "
            "ends after the span's begin.",
            "Collect the places of such tokens in a list; its first and last entry are the result. Before that, two "
            "cases give (0, 0): the list is empty, or the span begins before the window's first context token or ends "
            "after its last.",
        ),
        mistakes=SPAN_MISTAKES,
        notice="the labels are places of tokens, and the data have places of characters; all that is between them is the "
        "offsets that your tokenizer has kept since notebook 1",
        difficulty=2,
        minutes=12,
        variants=(spans_by_sets,),
    ),
)
