"""19.4: who sees whom in a local layer."""

import torch

from helpers import rotary
from helpers.exercises.exercise import Exercise, Mistake

STUB = '''
def my_local_mask(length, window, visible=None):
    """Boolean (B, 1, T, T), True where a query (row) sees a key (column): at most window // 2 tokens away.

    visible (B, T) boolean, False is padding, which no other token sees; None: no padding, and B is 1. A token
    always sees itself.
    """
    ...
'''

VISIBLE = torch.tensor([[True] * 7, [True] * 3 + [False] * 4])


def probe(local_mask):
    yield "seven tokens, window 4", local_mask(7, 4)
    yield "with padding", local_mask(7, 4, VISIBLE.clone())
    yield "an odd window", local_mask(5, 3)
    yield "a window longer than the text", local_mask(3, 64)


def made(length, window, visible, near, alone=True, keys=True):
    places = torch.arange(length)
    offset = places[None, :] - places[:, None]  # key minus query
    mask = near(offset, window)[None, None]
    if visible is None:
        return mask
    seen = visible[:, None, None, :] if keys else visible[:, None, :, None]
    return mask & seen | (offset == 0) if alone else mask & seen


def variant(near=lambda offset, window: offset.abs() <= window // 2, **changes):
    return lambda length, window, visible=None: made(length, window, visible, near, **changes)


def with_band(length, window, visible=None):
    ones = torch.ones(length, length, dtype=torch.bool)
    mask = ones.tril(window // 2).triu(-(window // 2))[None, None]
    if visible is None:
        return mask
    return (mask & visible[:, None, None]) | torch.eye(length, dtype=torch.bool)


def joined(join):
    """The right window, and padding brought in by `join(mask, columns, rows, itself)`."""

    def program(length, window, visible=None):
        mask = variant()(length, window)
        if visible is None:
            return mask
        itself = torch.eye(length, dtype=torch.bool)
        return join(mask, visible[:, None, None, :], visible[:, None, :, None], itself)

    return program


def from_slices(begin, end):
    """The mask written row by row: query i sees the keys begin(i, half) to end(i, half), the last one left out."""

    def program(length, window, visible=None):
        mask = torch.zeros(length, length, dtype=torch.bool)
        for i in range(length):
            mask[i, begin(i, window // 2) : end(i, window // 2)] = True
        if visible is None:
            return mask[None, None]
        return mask & visible[:, None, None] | torch.eye(length, dtype=torch.bool)

    return program


def row(query, part="seven tokens, window 4"):
    return lambda parts: parts[part][0, 0, query].int()


def padded(query):
    return lambda parts: parts["with padding"][1, 0, query].int()


EXERCISE = Exercise(
    id="19.4",
    name="local_mask",
    reference=rotary.local_mask,
    stub=STUB,
    probe=probe,
    show=row(3),
    hints=(
        "All distances at once: `places[None, :] - places[:, None]` with `places = torch.arange(length)` is (T, T).",
        "`[None, None]` makes (1, 1, T, T) of it; `visible[:, None, None, :]` hides columns. `&` and `|` work on booleans.",
        "Where is a token itself? Where the distance is 0.",
    ),
    mistakes=(
        Mistake(
            "the whole window on each side",
            variant(lambda offset, window: offset.abs() <= window),
            "of seven tokens, token 3 sees {yours}, expected {expected}: four to each side. The window is shared: half to either side",
        ),
        Mistake(
            "one too few",
            variant(lambda offset, window: offset.abs() < window // 2),
            "of seven tokens, token 3 sees {yours}, expected {expected}: the farthest one on each side is missing. At most "
            "window // 2 away: is that < or <=?",
        ),
        Mistake(
            "one too many",
            variant(lambda offset, window: offset.abs() <= window // 2 + 1),
            "of seven tokens, token 3 sees {yours}, expected {expected}: one more on each side than window // 2",
        ),
        Mistake(
            "only to the left",
            variant(lambda offset, window: (offset <= 0) & (offset >= -(window // 2))),
            "of seven tokens, token 3 sees {yours}, expected {expected}: only what stands before it, as in a model that writes. An "
            "encoder looks both ways",
        ),
        Mistake(
            "only to the right",
            variant(lambda offset, window: (offset >= 0) & (offset <= window // 2)),
            "of seven tokens, token 3 sees {yours}, expected {expected}: only what stands after it. An encoder looks both ways",
        ),
        Mistake(
            "hidden is True",
            variant(lambda offset, window: offset.abs() > window // 2),
            "of seven tokens, token 3 sees {yours}, expected {expected}: exactly the others. True means visible",
        ),
        Mistake(
            "blocks",
            lambda length, window, visible=None: made(
                length,
                window,
                visible,
                lambda offset, w: (p := torch.arange(len(offset)) // w)[None, :] == p[:, None],
            ),
            "of seven tokens, token 3 sees {yours}, expected {expected}: the text is cut into blocks that do not see each other. "
            "The window moves along with the token",
        ),
        Mistake(
            "padding alone sees nothing",
            variant(alone=False),
            "of a text with three tokens and four of padding, token 6 sees {yours}, expected {expected}: nothing at all, so softmax "
            "has no number to share among, and gives NaN, which spreads in the gradients. A token always sees itself",
            show=padded(6),
        ),
        Mistake(
            "padding asks nothing",
            variant(keys=False),
            "of a text with three tokens and four of padding, token 2 sees {yours}, expected {expected}: padding is hidden as a "
            "query (row). What must not be seen are keys (columns)",
            show=padded(2),
        ),
        Mistake(
            "padding is forgotten",
            lambda length, window, visible=None: variant()(length, window).expand(
                1 if visible is None else len(visible), 1, length, length
            ),
            "of a text with three tokens and four of padding, token 2 sees {yours}, expected {expected}: padding is seen like words",
            show=padded(2),
        ),
        Mistake(
            "nothing limits the left",
            variant(lambda offset, window: offset <= window // 2),
            "of seven tokens, token 6 sees {yours}, expected {expected}: everything before it. A distance to the left is negative, "
            "and each negative number is below window // 2",
            show=row(6),
        ),
        Mistake(
            "nothing limits the right",
            variant(lambda offset, window: offset >= -(window // 2)),
            "of seven tokens, token 0 sees {yours}, expected {expected}: everything after it. How far is too far on that side?",
            show=row(0),
        ),
        Mistake(
            "the last one left out",
            from_slices(lambda i, half: max(i - half, 0), lambda i, half: i + half),
            "of seven tokens, token 3 sees {yours}, expected {expected}: on the right one is missing. Does a slice hold the place at "
            "which it ends?",
        ),
        Mistake(
            "a slice that begins below 0",
            from_slices(lambda i, half: i - half, lambda i, half: i + half + 1),
            "of seven tokens, token 0 sees {yours}, expected {expected}: the tokens in the middle are right. Where does a slice begin "
            "that begins at -2?",
            show=row(0),
        ),
        Mistake(
            "not itself",
            variant(lambda offset, window: (offset.abs() <= window // 2) & (offset != 0)),
            "of seven tokens, token 3 sees {yours}, expected {expected}: not itself. Its own distance is 0, which is not too far",
        ),
        Mistake(
            "or instead of and",
            joined(lambda mask, columns, rows, itself: mask | columns),
            "of a text with three tokens and four of padding, token 2 sees {yours}, expected {expected}: near, or no padding. A key "
            "has to be both; which sign says so?",
            show=padded(2),
        ),
        Mistake(
            "the words are hidden",
            joined(lambda mask, columns, rows, itself: mask & ~columns | itself),
            "of a text with three tokens and four of padding, token 2 sees {yours}, expected {expected}: padding is seen, and words "
            "are not. What does True in `visible` mean?",
            show=padded(2),
        ),
        Mistake(
            "padding sees no words",
            joined(lambda mask, columns, rows, itself: mask & columns & rows | itself),
            "of a text with three tokens and four of padding, token 3 sees {yours}, expected {expected}: words are taken from what "
            "padding sees, as well. Padding is not seen; what it sees itself nobody asks",
            show=padded(3),
        ),
        Mistake(
            "words among themselves",
            joined(lambda mask, columns, rows, itself: mask & columns & rows),
            "of a text with three tokens and four of padding, token 6 sees {yours}, expected {expected}: only words see and are seen, "
            "so a token of padding has no key at all. Which one is it never denied?",
            show=padded(6),
        ),
        Mistake(
            "padding sees everything",
            joined(lambda mask, columns, rows, itself: mask & columns | ~rows),
            "of a text with three tokens and four of padding, token 6 sees {yours}, expected {expected}: the rows of padding are True "
            "everywhere. Of which single key is a token always sure?",
            show=padded(6),
        ),
        Mistake(
            "padding is seen by all",
            joined(lambda mask, columns, rows, itself: mask & columns | ~columns),
            "of a text with three tokens and four of padding, token 0 sees {yours}, expected {expected}: the columns of padding are "
            "True for every query. Which query alone is to see a token of padding?",
            show=padded(0),
        ),
        Mistake(
            "rounded up",
            variant(lambda offset, window: offset.abs() <= -(-window // 2)),
            "with a window of 3, token 2 sees {yours}, expected {expected}: half of 3 is rounded down, as // does",
            show=row(2, "an odd window"),
        ),
    ),
    asks={
        "seven tokens, window 4": "booleans (1, 1, 7, 7), True where a query sees a key: whom should tokens 0, 3 and 6 see?",
        "with padding": "(B, 1, T, T): along which of the last two dimensions do the keys lie?",
    },
    notice="a window of 128 is 129 tokens wide: 64 to either side, and the token itself",
    difficulty=2,
    minutes=12,
    variants=(with_band, variant()),
)
