"""17.2: rows without padding."""

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import pretraining_at_scale as references
from helpers.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer

STUB = '''
def my_packed_by_hand(texts, cutter, row_length):
    """Rows of exactly `row_length` ids, a list of lists: all texts in one line, [SEP] after each, cut up.

    [CLS] and [SEP] stand around every piece of the line; a piece that does not fill its row is left out.
    """
    ...
'''
TEXTS = ["abcde", "fg", "hijabcd", "e", "fghij"]


def cutter():
    letters = "abcdefghij"
    return WordPieceTokenizer([*SPECIAL_TOKENS, *letters, *(f"##{letter}" for letter in letters)])


def shown(rows, tokenizer):
    if not isinstance(rows, list):
        return rows
    return [" ".join(tokenizer.vocabulary[i].replace("##", "") for i in row) for row in rows]


def probe(pack):
    tokenizer = cutter()
    rows = shown(pack([*TEXTS], tokenizer, 6), tokenizer)
    yield "how many rows of 6", len(rows) if isinstance(rows, list) else rows
    yield "rows of 6", rows
    yield "rows of 9", shown(pack([*TEXTS], tokenizer, 9), tokenizer)
    yield "ids", pack(["abc", "de"], tokenizer, 5)
    yield "too little text", pack(["ab"], tokenizer, 12)
    yield "a line that fills its rows", shown(pack(["abc", "def"], tokenizer, 6), tokenizer)


def packed(
    texts, cutter, length, *, between=True, inner=lambda ids: ids[1:-1], room=2, around=True, short=False,
    step=None, each=False, pad=False, last=0,
):  # fmt: skip
    """Packing with one thing done in another way."""
    cls, sep = cutter.id_of["[CLS]"], cutter.id_of["[SEP]"]
    pieces = [[*inner(cutter.encode(text).ids), *([sep] if between else [])] for text in texts]
    lines = pieces if each else [[index for piece in pieces for index in piece]]
    width, rows = length - room, []
    for line in lines:
        for at in range(0, len(line) - last * width, step or width):
            piece = line[at : at + width]
            if len(piece) == width or short:
                rows.append([cls, *piece, sep] if around else piece)
            elif pad:
                rows.append([cls, *piece, sep, *[0] * (width - len(piece))])
    return rows


def variant(**changes):
    return lambda texts, cutter, row_length: packed(texts, cutter, row_length, **changes)


def first_row(parts):
    return parts["rows of 6"][0]


def second_row(parts):
    return parts["rows of 6"][1]


def number(parts):
    return len(parts["rows of 6"])


EXERCISE = Exercise(
    id="17.2",
    name="packed_by_hand",
    reference=references.packed_by_hand,
    stub=STUB,
    probe=probe,
    hints=(
        "Make the line first: of every text the ids without the [CLS] in front and the [SEP] behind, and then one "
        "[SEP]. Only then cut.",
        "A row of 6 has room for 4 ids of the line; two places go to [CLS] and [SEP].",
        "`for at in range(0, len(line), room)` walks through the beginnings of the pieces.",
    ),
    mistakes=(
        Mistake(
            "no [SEP] between the texts",
            variant(between=False),
            "the second row is {yours}, expected {expected}: where one text ends and the next begins nothing stands "
            "between them, so the model can't know that they have nothing to do with each other",
            show=second_row,
        ),
        Mistake(
            "[CLS] in the line",
            variant(inner=lambda ids: ids[:-1]),
            "the first row is {yours}, expected {expected}: `encode` puts [CLS] in front of each text, and the line "
            "should have none. It comes once to each row",
            show=first_row,
        ),
        Mistake(
            "all special tokens in the line",
            variant(inner=lambda ids: ids),
            "the first row is {yours}, expected {expected}: the ids of `encode` bring a [CLS] and a [SEP] of their "
            "own, and all of that went into the line",
            show=first_row,
        ),
        Mistake(
            "rows too long",
            variant(room=0),
            "a row is {yours}, expected {expected}: that is longer than `row_length`. How many places are left for "
            "the line when [CLS] and [SEP] have theirs?",
            show=first_row,
        ),
        Mistake(
            "one place too many",
            variant(room=1),
            "the first row is {yours}, expected {expected}: one id too many. Two places of a row are taken, by [CLS] "
            "and by [SEP]",
            show=first_row,
        ),
        Mistake(
            "nothing around the rows",
            variant(room=0, around=False),
            "the first row is {yours}, expected {expected}: the line is cut, but [CLS] and [SEP] are missing around "
            "the pieces",
            show=first_row,
        ),
        Mistake(
            "short rest kept",
            variant(short=True),
            "you have {yours} rows of 6, expected {expected}: the last piece of the line is shorter than the others, "
            "and rows of unequal length can't be put in one tensor",
            show=number,
        ),
        Mistake(
            "rest filled up",
            variant(pad=True),
            "you have {yours} rows of 6, expected {expected}: you filled the last piece up with [PAD]. What does not "
            "fill a row is left out here",
            show=number,
        ),
        Mistake(
            "each text by itself",
            variant(each=True),
            "you have {yours} rows of 6, expected {expected}: each text is cut by itself, so its end is lost every "
            "time. Put all of them in one line first",
            show=number,
        ),
        Mistake(
            "ids lost between the pieces",
            variant(step=6),
            "the second row is {yours}, expected {expected}: you step on by the length of a row, and two ids of the "
            "line are skipped each time. How many of them does a row take?",
            show=second_row,
        ),
        Mistake(
            "last full row lost",
            lambda texts, cutter, row_length: packed(texts, cutter, row_length, last=1),
            "right but where the line ends just with its last row: of 'a line that fills its rows' you keep {yours} "
            "rows, expected {expected}. Look at where your walk through the line stops",
            show=lambda parts: len(parts["a line that fills its rows"]),
        ),
        Mistake(
            "the ids of encode, cut up",
            variant(room=0, around=False, inner=lambda ids: ids, between=False),
            "a row is {yours}, expected {expected}: the ids of all texts are cut as `encode` gives them, so [CLS] "
            "stands in the middle of rows and not in front of each",
            show=second_row,
        ),
        Mistake(
            "texts put together as strings",
            lambda texts, cutter, row_length: packed([" ".join(texts)], cutter, row_length),
            "the second row is {yours}, expected {expected}: the texts became one text before they were cut into "
            "tokens, so no [SEP] stands between them",
            show=second_row,
        ),
        Mistake(
            "[SEP] before each text",
            lambda texts, cutter, row_length: packed(
                texts, cutter, row_length, between=False, inner=lambda ids: [ids[-1], *ids[1:-1]]
            ),
            "the first row is {yours}, expected {expected}: in your line [SEP] stands before each text, and it "
            "should come after",
            show=first_row,
        ),
        Mistake(
            "[CLS] for [SEP] in the line",
            lambda texts, cutter, row_length: packed(
                texts, cutter, row_length, between=False, inner=lambda ids: ids[:-1]
            ),
            "the first row is {yours}, expected {expected}: in your line each text begins with [CLS] and has no "
            "[SEP] behind it. `encode` brings both: which of them belongs into the line?",
            show=first_row,
        ),
        Mistake(
            "two [SEP] between the texts",
            lambda texts, cutter, row_length: packed(texts, cutter, row_length, inner=lambda ids: ids[1:]),
            "the second row is {yours}, expected {expected}: the ids of `encode` end with a [SEP] already, and "
            "you put another one behind",
            show=second_row,
        ),
    ),
    notice="a row may begin in the middle of a word: the first piece is then one that continues it",
    difficulty=2,
    minutes=12,
    show=first_row,
    variants=(
        variant(),
        lambda texts, cutter, row_length: references.packed_by_hand(texts, cutter, row_length),
    ),
)
