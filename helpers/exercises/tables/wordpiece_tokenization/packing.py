"""Special tokens, cutting to a length, padding."""

import math

import torch

from helpers import wordpiece
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.steps import stepwise
from helpers.wordpiece import Encoding, add_special_tokens, pad_encodings, truncate_longest_first

# 1.9 add_special_tokens

CLS, SEP = ("[CLS]", 0, 0), ("[SEP]", 0, 0)


def probe_special(add_special_tokens):
    yield "a pair", add_special_tokens([("is", 0, 2), ("it", 3, 5)], [("yes", 0, 3)])
    yield "one text", add_special_tokens([("is", 0, 2), ("it", 3, 5)], None)
    yield "a second text without tokens", add_special_tokens([("is", 0, 2)], [])


def special(cls_again=False, sep_type=0, last_sep=True, last_type=1, start=0, end_type=None):
    """`[CLS] first [SEP] second [SEP]` with one thing done in another way."""

    def add(first, second):
        row, types = [CLS, *first, SEP], [start] * (len(first) + 1) + [sep_type]
        if second is not None:
            row += [CLS] * cls_again + list(second) + [SEP] * last_sep
            types += [start + 1] * (cls_again + len(second)) + [last_type] * last_sep
        return row, types

    return add


def special_as_strings(first, second):
    row, types = add_special_tokens(first, second)
    return [token if token not in (CLS, SEP) else token[0] for token in row], types


def special_without_cls(first, second):
    row, types = add_special_tokens(first, second)
    return row[1:], types[1:]


def special_if_second(first, second):
    return add_special_tokens(first, second or None)


def special_types_by_turns(first, second):
    row, _ = add_special_tokens(first, second)
    return row, [0] * len(row)


def special_in_place(first, second):
    row, types = add_special_tokens(first, second)
    first[:] = row
    return first, types


def row_of(parts):
    return [token if isinstance(token, str) else token[0] for token in parts["a pair"][0]]


def types_of(parts):
    return parts["a pair"][1]


def special_without_types(first, second):
    return add_special_tokens(first, second)[0], [0] * len(first) + [1] * len(second or [])


def always_two_ends(first, second):
    row, types = add_special_tokens(first, second)
    return (row, types) if second is not None else ([*row, ("[SEP]", 0, 0)], [*types, 1])


def types_in_turn(first, second):
    row, types = add_special_tokens(first, second)
    return row, [i % 2 for i in range(len(types))]


SPECIAL_MISTAKES = (
    Mistake(
        "second [CLS]",
        special(cls_again=True),
        "a pair becomes {yours}, expected {expected}: [CLS] stands for the whole pair, so there is only one",
        show=row_of,
    ),
    Mistake(
        "no [CLS]",
        special_without_cls,
        "a pair becomes {yours}, expected {expected}: what stands first, for the whole text?",
        show=row_of,
    ),
    Mistake(
        "last [SEP] missing",
        special(last_sep=False),
        "a pair becomes {yours}, expected {expected}: [SEP] ends a text, and the second one has an end, too",
        show=row_of,
    ),
    Mistake(
        "first [SEP] typed 1",
        special(sep_type=1),
        "the type ids of a pair are {yours}, expected {expected}: a [SEP] belongs to the text that it ends",
    ),
    Mistake(
        "last [SEP] typed 0",
        special(last_type=0),
        "the type ids of a pair are {yours}, expected {expected}: the last [SEP] ends the second text and belongs to it",
    ),
    Mistake(
        "all typed 0",
        special_types_by_turns,
        "the type ids of a pair are {yours}, expected {expected}: nothing tells the two texts apart",
    ),
    Mistake(
        "special tokens without type",
        special_without_types,
        "there are fewer type ids than tokens, {yours}, expected {expected}: the special tokens need theirs, too",
    ),
    Mistake(
        "counted from 1",
        special(sep_type=1, start=1, last_type=2),
        "the type ids of a pair are {yours}, expected {expected}: the first text is number 0",
    ),
    Mistake(
        "names alone",
        special_as_strings,
        "each token of the row is a piece with its place, three things; the special tokens, too. They come from no character, so "
        "their span is empty: (0, 0)",
    ),
    Mistake(
        "empty second text taken for none",
        special_if_second,
        "right, but for a second text without tokens your row has {yours} tokens, expected {expected}: an empty list is no "
        "None. To Python both are false in an `if`",
        show=lambda parts: len(parts["a second text without tokens"][0]),
    ),
    Mistake(
        "the first list changed",
        special_in_place,
        "the row is right, but you built it in the list `first`, which the caller still needs: make a new list",
    ),
    Mistake(
        "two [SEP] for one text",
        always_two_ends,
        "a pair is right, but one text alone gets a [SEP] for a second text that isn't there",
    ),
    Mistake(
        "types in turn",
        types_in_turn,
        "the type ids of a pair are {yours}, expected {expected}: a type id says to which text a token belongs, not which "
        "place it has",
        show=lambda parts: parts["a pair"][1],
    ),
    Mistake(
        "types exchanged",
        lambda first, second: ((r := add_special_tokens(first, second))[0], [1 - t for t in r[1]]),
        "the type ids of a pair are {yours}, expected {expected}: 0 and 1 are exchanged",
        show=lambda parts: parts["a pair"][1],
    ),
    Mistake(
        "the ends of both at the end",
        lambda first, second: (
            add_special_tokens(first, None)
            if second is None
            else (
                [("[CLS]", 0, 0), *first, *second, ("[SEP]", 0, 0), ("[SEP]", 0, 0)],
                add_special_tokens(first, second)[1],
            )
        ),
        "a pair has both [SEP] at its end, so that nothing stands between the texts: where does the first one end?",
    ),
)

ADD_SPECIAL_TOKENS = Exercise(
    id="1.9",
    name="add_special_tokens",
    reference=add_special_tokens,
    stub='''
def my_add_special_tokens(first, second):
    """(row, type_ids) for one text (second is None) or a pair; both are lists of (piece, start, end).

    The special tokens are ("[CLS]", 0, 0) and ("[SEP]", 0, 0): they come from no character.
    """
    ...
''',
    probe=stepwise(probe_special, add_special_tokens),
    hints=(
        "Build the row for one text first, with as many zeros as it has tokens; then ask whether there is a second one.",
        "A [SEP] has the type id of the text that it ends. A list in square brackets with a star inside, `[a, *first, b]`, is "
        "always a new list.",
    ),
    mistakes=SPECIAL_MISTAKES,
    notice="a pair costs three tokens and one text two, so of 512 places 509 or 510 are left for words",
    asks={
        "a pair": "[CLS] first [SEP] second [SEP]; the type ids are 0 up to the first [SEP] and 1 from there on",
        "one text": "One text has one [SEP] and no ones among its type ids",
        "a second text without tokens": "An empty list is a text, too; only None is none",
    },
    difficulty=1,
    minutes=6,
    show=types_of,
    fresh=True,
    variants=(special(),),
)

# 1.10 truncate_longest_first

CASES = ((8, 3, 9), (3, 8, 9), (8, 3, 6), (8, 3, 3), (3, 8, 5), (4, 4, 5), (2, 1, 9), (5, 5, 0))


def probe_truncate(truncate):
    for first, second, room in CASES:
        yield (
            f"{first} and {second} tokens, room {room}",
            tuple(
                "".join(kept) for kept in truncate(list("abcdefgh"[:first]), list("stuvwxyz"[:second]), room)
            ),
        )


def one_by_one(shorten_first, front=False):
    """Takes a token away until all fit; shorten_first(a, b, a0, b0) says from which text."""

    def truncate(first, second, room):
        a, b = len(first), len(second)
        while a + b > room:
            if shorten_first(a, b, len(first), len(second)):
                a -= 1
            else:
                b -= 1
        return (first[len(first) - a :], second[len(second) - b :]) if front else (first[:a], second[:b])

    return truncate


def equal_shares(first, second, room):
    if len(first) + len(second) <= room:
        return first, second
    return first[: room // 2], second[: room - room // 2]


def in_proportion(first, second, room):
    whole = len(first) + len(second)
    if whole <= room:
        return first, second
    kept = math.floor(room * len(first) / whole)
    return first[:kept], second[: room - kept]


def popped(first, second, room):
    a, b = truncate_longest_first(first, second, room)
    del first[len(a) :], second[len(b) :]
    return first, second


def always_shortened(first, second, room):
    kept = max(room - len(second), 0)
    return first[:kept], second[: room - len(first[:kept])]


def room_for_each(first, second, room):
    return first[:room], second[:room]


def half_each(first, second, room):
    if len(first) + len(second) <= room:
        return first, second
    if len(first) <= room // 2:
        return first, second[: room - len(first)]
    if len(second) <= room // 2:
        return first[: room - len(second)], second
    return first[: room // 2], second[: room // 2]


def popped_one_by_one(first, second, room):
    while len(first) + len(second) > room:
        (first if len(first) > len(second) else second).pop()
    return first, second


def kept(case):
    return lambda parts: parts[f"{case[0]} and {case[1]} tokens, room {case[2]}"]


def equal_shares_the_rest_for_the_first(first, second, room):
    if len(first) + len(second) <= room:
        return first, second
    return first[: room - room // 2], second[: room // 2]


TRUNCATE_MISTAKES = (
    Mistake(
        "ties shorten the second",
        one_by_one(lambda a, b, *_: a > b),
        "of 3 and 8 tokens, room for 5, you keep {yours}, expected {expected}: with both equally long the second text pays, "
        "always. The one that was longer keeps one more",
        show=kept((3, 8, 5)),
    ),
    Mistake(
        "ties shorten the first",
        one_by_one(lambda a, b, *_: a >= b),
        "of 8 and 3 tokens, room for 3, you keep {yours}, expected {expected}: with both equally long the first text pays, "
        "always. The one that was longer keeps one more",
    ),
    Mistake(
        "equal texts, the first keeps more",
        one_by_one(lambda a, b, a0, b0: a > b or a == b and a0 < b0),
        "of two texts of 4 tokens, room for 5, you keep {yours}, expected {expected}: where neither was longer, the second keeps "
        "one more, as in the library",
        show=kept((4, 4, 5)),
    ),
    Mistake(
        "equal shares",
        equal_shares,
        "of 8 and 3 tokens, room for 9, you keep {yours}, expected {expected}: half of the room for each, though the second text "
        "doesn't need its half",
        show=kept((8, 3, 9)),
    ),
    Mistake(
        "only the longer",
        one_by_one(lambda a, b, a0, b0: a > 0 if a0 > b0 else b <= 0),
        "of 8 and 3 tokens, room for 3, you keep {yours}, expected {expected}: the longer text pays alone, even when it has "
        "become the shorter one. When both are equally long, both pay",
    ),
    Mistake(
        "the second first",
        one_by_one(lambda a, b, *_: b == 0),
        "of 8 and 3 tokens, room for 9, you keep {yours}, expected {expected}: the second text pays first, though it is the "
        "short one",
        show=kept((8, 3, 9)),
    ),
    Mistake(
        "the first first",
        always_shortened,
        "of 3 and 8 tokens, room for 9, you keep {yours}, expected {expected}: the first text pays first, though it is the short "
        "one",
        show=kept((3, 8, 9)),
    ),
    Mistake(
        "one token given away",
        half_each,
        "of 8 and 3 tokens, room for 3, you keep {yours}, expected {expected}: where both are cut to half the room, an odd room has "
        "one place left, and somebody should get it",
    ),
    Mistake(
        "in proportion",
        in_proportion,
        "of 8 and 3 tokens, room for 6, you keep {yours}, expected {expected}: both are shortened in proportion. *Longest first* "
        "leaves the short text whole as long as it is the shorter one",
        show=kept((8, 3, 6)),
    ),
    Mistake(
        "cut at the front",
        one_by_one(lambda a, b, a0, b0: a > b or a == b and a0 <= b0, front=True),
        "of 8 and 3 tokens, room for 9, you keep {yours}, expected {expected}: the right numbers, but the beginnings are lost "
        "instead of the ends",
        show=kept((8, 3, 9)),
    ),
    Mistake(
        "the room for each",
        room_for_each,
        "of 8 and 3 tokens, room for 6, you keep {yours}, expected {expected}: `room` is for both texts together",
        show=kept((8, 3, 6)),
    ),
    Mistake(
        "taken out of the lists, ties shorten the second",
        popped_one_by_one,
        "of 3 and 8 tokens, room for 5, you keep {yours}, expected {expected}: with both equally long the second text pays, always; "
        "the one that was longer keeps one more. And `pop` takes tokens out of the caller's own lists: count first, then slice",
        show=kept((3, 8, 5)),
    ),
    Mistake(
        "the lists changed",
        popped,
        "the right tokens stay, but you take the others out of the caller's lists, which were to be kept: a slice makes a new "
        "list",
    ),
    Mistake(
        "equal shares, the rest for the first",
        equal_shares_the_rest_for_the_first,
        "of 8 and 3 tokens, room for 9, you keep {yours}, expected {expected}: each text gets half of the room, and what the "
        "short one doesn't need is wasted",
        show=kept((8, 3, 9)),
    ),
    Mistake(
        "special tokens counted off again",
        lambda first, second, room: truncate_longest_first(first, second, max(room - 3, 0)),
        "of 8 and 3 tokens, room for 9, you keep {yours}, expected {expected}: you take away room for [CLS] and [SEP], which "
        "are counted off already",
        show=kept((8, 3, 9)),
    ),
    Mistake(
        "one too many",
        lambda first, second, room: truncate_longest_first(first, second, room + 1),
        "of 8 and 3 tokens, room for 9, you keep {yours}, expected {expected}: one token more than there is room for. Is one taken away too few, or do you stop after the first?",
        show=kept((8, 3, 9)),
    ),
)

TRUNCATE = Exercise(
    id="1.10",
    name="truncate_longest_first",
    reference=truncate_longest_first,
    stub='''
def my_truncate_longest_first(first, second, room):
    """(first, second), shortened at their ends until they have at most `room` tokens together."""
    ...
''',
    probe=stepwise(probe_truncate, truncate_longest_first),
    hints=(
        "You need only two numbers: how many tokens of each text are kept. The slices come last.",
        "Simple and right: as long as both numbers together are more than room, take one from the larger. Only if both are the "
        "same it matters which text was longer at the beginning.",
        "If both numbers are equal, the text that was shorter pays; of two that were equally long, the first.",
    ),
    mistakes=TRUNCATE_MISTAKES,
    notice="whoever counts down one by one needs a loop as long as what is cut off; the course's version computes the two numbers "
    "at once",
    asks={
        "8 and 3 tokens, room 9": "The long text alone pays, as long as it is the longer one",
        "8 and 3 tokens, room 6": "The longer text pays until both are equally long: 3 and 3",
        "8 and 3 tokens, room 3": "Once both are equally long they pay in turn; the one token that is left over is for the text that was longer",
        "3 and 8 tokens, room 5": "The one token that is left over is for the text that was longer",
        "4 and 4 tokens, room 5": "Of two that were equally long, the second keeps one token more",
        "2 and 1 tokens, room 9": "What fits stays as it is",
        "5 and 5 tokens, room 0": "With no room nothing stays",
    },
    difficulty=2,
    minutes=15,
    show=kept((8, 3, 3)),
    variants=(one_by_one(lambda a, b, a0, b0: a > b or a == b and a0 <= b0),),
)

# 1.11 pad_encodings


def probe_pad(pad_encodings):
    def encoding(ids, types):
        return Encoding(ids, types, [1] * len(ids), ["a"] * len(ids), [(0, 0)] * len(ids))

    pair = encoding([2, 0, 3, 9, 3], [0, 0, 0, 1, 1])
    three = [encoding([2, 7, 3], [0, 0, 0]), pair, encoding([2, 6, 6, 8, 6, 3], [0] * 6)]
    yield "padded with 7", pad_encodings(three, 7)
    yield "the lists that you were given, afterwards", [e.ids + e.attention_mask for e in three]
    yield "padded with 0", pad_encodings(three[:2])
    yield "the longest first", pad_encodings([*three[::-1], encoding([2, 4, 3], [0, 0, 0])], 7)


def padded(left=False, to=max, fill=(None, 0, 0), dtype=torch.long, end=0):
    """Padding with one thing done in another way; fill: what ids, type ids and mask are filled up with."""

    def pad(encodings, pad_id=0):
        length = to(len(e.ids) for e in encodings) + end
        ids_fill = pad_id if fill[0] is None else fill[0]

        def row(values, filling):
            more = [filling] * (length - len(values))
            return (more + values if left else values + more)[:length]

        ids = [row(e.ids, ids_fill) for e in encodings]
        masks = [row([1] * len(e.ids), pad_id if fill[2] is None else fill[2]) for e in encodings]
        types = [row(e.type_ids, pad_id if fill[1] is None else fill[1]) for e in encodings]
        rows = {"ids": ids, "type_ids": types, "attention_mask": masks}
        return {name: torch.tensor(row, dtype=dtype) for name, row in rows.items()}

    return pad


def padded_transposed(encodings, pad_id=0):
    return {name: tensor.T for name, tensor in pad_encodings(encodings, pad_id).items()}


def padded_in_place(encodings, pad_id=0):
    length = max(len(e.ids) for e in encodings)
    for e in encodings:
        more = length - len(e.ids)
        e.ids += [pad_id] * more
        e.type_ids += [0] * more
        e.attention_mask += [0] * more
    names = ("ids", "type_ids", "attention_mask")
    return {name: torch.tensor([getattr(e, name) for e in encodings]) for name in names}


def padded_mask_from_ids(encodings, pad_id=0):
    batch = pad_encodings(encodings, pad_id)
    return batch | {"attention_mask": (batch["ids"] != pad_id).long()}


def padded_mask_above_zero(encodings, pad_id=0):
    batch = pad_encodings(encodings, pad_id)
    return batch | {"attention_mask": (batch["ids"] > 0).long()}


def padded_as_lists(encodings, pad_id=0):
    return {name: tensor.tolist() for name, tensor in pad_encodings(encodings, pad_id).items()}


def first_of(name, row=0):
    return lambda parts: parts["padded with 7"][name][row]


def padded_with_the_last_type(encodings, pad_id=0):
    batch = pad_encodings(encodings, pad_id)
    types = [row[:n] + [row[n - 1]] * (len(row) - n) for row, n in _rows_with_lengths(batch, encodings)]
    return batch | {"type_ids": torch.tensor(types)}


def _rows_with_lengths(batch, encodings):
    return zip(batch["type_ids"].tolist(), (len(e.ids) for e in encodings), strict=True)


PAD_MISTAKES = (
    Mistake(
        "mask of ones",
        padded(fill=(None, 0, 1)),
        "the mask of the first row is {yours}, expected {expected}: the padding counts as text, and attention would look at it",
        show=first_of("attention_mask"),
    ),
    Mistake(
        "padding at the left",
        padded(left=True),
        "the ids of the first row are {yours}, expected {expected}: BERT counts positions from the left, so with padding there "
        "every token of a short text sits at another position",
    ),
    Mistake(
        "always 512",
        padded(to=lambda lengths: 512),
        "each row has {yours} places, expected {expected}: as many as the longest text of the *batch* has are enough, and the "
        "time that attention takes grows with the square of that number",
        show=lambda parts: parts["padded with 7"]["ids"].shape[1],
    ),
    Mistake(
        "cut to the shortest",
        padded(to=min),
        "each row has {yours} places, expected {expected}: all texts are cut to one that is not the longest (the shortest here, which is also the first)",
        show=lambda parts: parts["padded with 7"]["ids"].shape[1],
    ),
    Mistake(
        "one too many",
        padded(end=1),
        "each row has {yours} places, expected {expected}: even the longest text gets padding",
        show=lambda parts: parts["padded with 7"]["ids"].shape[1],
    ),
    Mistake(
        "fractions",
        padded(dtype=torch.float32),
        "ids are used to look up rows of a table, and no table has a row 2.5: whole numbers (torch.long) are asked for",
    ),
    Mistake(
        "pad_id ignored",
        padded(fill=(0, 0, 0)),
        "with pad_id=7 the first row is {yours}, expected {expected}: you fill up with 0, which in another vocabulary is another "
        "token",
        show=first_of("ids"),
    ),
    Mistake(
        "pad_id everywhere",
        padded(fill=(None, None, None)),
        "with pad_id=7 the type ids or the mask are filled with it, too: {yours}, expected {expected}. Only the ids are entries of "
        "the vocabulary",
        show=first_of("type_ids"),
    ),
    Mistake(
        "type 1 for padding",
        padded(fill=(None, 1, 0)),
        "the type ids of the first row are {yours}, expected {expected}: padding belongs to no text; by convention it gets 0",
        show=first_of("type_ids"),
    ),
    Mistake(
        "mask from the ids",
        padded_mask_from_ids,
        "with pad_id=7 the mask of the first row is {yours}, expected {expected}: a [PAD] that stands in the text itself is a token like others. "
        "How long each text is, you know without looking at its ids",
        show=first_of("attention_mask"),
    ),
    Mistake(
        "mask where ids are above 0",
        padded_mask_above_zero,
        "with pad_id=7 the mask of the second row is {yours}, expected {expected}: an id says nothing about whether it is padding; the "
        "number of tokens does",
        show=first_of("attention_mask", row=1),
    ),
    Mistake(
        "last type goes on",
        padded_with_the_last_type,
        "the type ids of the second row are {yours}, expected {expected}: the padding behind a pair belongs to no text; by "
        "convention it gets 0",
        show=first_of("type_ids", row=1),
    ),
    Mistake(
        "rows and columns",
        padded_transposed,
        "texts lie in columns; expected is a row for each text, (B, T)",
    ),
    Mistake(
        "the encodings changed",
        padded_in_place,
        "the tensors are right, but the encodings that you were given have padding in them now: {yours}, expected {expected}. To "
        "a list, `+=` changes the list itself; + makes a new one",
        show=lambda parts: parts["the lists that you were given, afterwards"][0],
    ),
    Mistake(
        "lists",
        padded_as_lists,
        "a model wants tensors: torch.tensor makes one of rows of equal length",
    ),
    Mistake(
        "mask the wrong way round",
        lambda encodings, pad_id=0: (b := pad_encodings(encodings, pad_id))
        | {"attention_mask": 1 - b["attention_mask"]},
        "the mask of the first row is {yours}, expected {expected}: 1 stands for a real token, 0 for padding",
        show=first_of("attention_mask"),
    ),
    Mistake(
        "the types forgotten",
        lambda encodings, pad_id=0: (b := pad_encodings(encodings, pad_id))
        | {"type_ids": torch.zeros_like(b["ids"])},
        "the type ids of the second row are {yours}, expected {expected}: all of them are 0, and an encoding of a pair has ones",
        show=first_of("type_ids", 1),
    ),
    Mistake(
        "sorted by length",
        lambda encodings, pad_id=0: pad_encodings(sorted(encodings, key=lambda e: len(e.ids)), pad_id),
        "right for texts that come in the order of their lengths; with the longest first, the first row is {yours}, expected "
        "{expected}: you sort them. Row i belongs to text i",
        show=lambda parts: parts["the longest first"]["ids"][0],
    ),
    Mistake(
        "as long as the last text",
        lambda encodings, pad_id=0: {
            name: tensor[:, : len(encodings[-1].ids)] for name, tensor in pad_encodings(encodings, pad_id).items()
        },
        "right as long as the last text is the longest; otherwise the longer ones are cut, or their rows are of unequal length. "
        "Which of the lengths is wanted?",
        raises=ValueError,
    ),
    Mistake(
        "one mask for all",
        lambda encodings, pad_id=0: (b := pad_encodings(encodings, pad_id))
        | {"attention_mask": b["attention_mask"][:1].expand_as(b["attention_mask"])},
        "the mask of the second row is {yours}, expected {expected}: every row got the mask of the first",
        show=first_of("attention_mask", 1),
    ),
)

PAD_ENCODINGS = Exercise(
    id="1.11",
    name="pad_encodings",
    reference=wordpiece.pad_encodings,
    stub='''
def my_pad_encodings(encodings, pad_id=0):
    """{"ids": ..., "type_ids": ..., "attention_mask": ...}: a tensor (B, T) of dtype long for each.

    encodings: a list of `Encoding`. ids are filled up with pad_id, the other two with 0, at the right.
    """
    ...
''',
    probe=stepwise(probe_pad, wordpiece.pad_encodings),
    hints=(
        "First the longest number of ids, T. Then, for each of the three names, a list of rows of that length, and a tensor of "
        "the rows.",
        "A row is filled up by adding a list: `row + [value] * how_many`. `getattr(encoding, 'ids')` gives a field by its name, "
        "so one loop serves all three.",
    ),
    mistakes=PAD_MISTAKES,
    notice="the mask of a batch says by its sum how many real tokens there are: everything else is computed in vain, so texts of "
    "like lengths belong together",
    asks={
        "padded with 7": "Ids are filled up with pad_id, type ids and mask with 0, all at the right, to the length of the longest text",
        "the longest first": "The longest text may stand anywhere, and row i belongs to text i",
    },
    difficulty=2,
    minutes=10,
    show=first_of("ids"),
    variants=(padded(), lambda encodings, pad_id=0: dict(pad_encodings(encodings, pad_id))),
)
