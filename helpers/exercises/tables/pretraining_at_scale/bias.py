"""17.4: a bias that shows each head one place beside its token."""

import torch

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import pretraining_at_scale as references

STUB = '''
def my_offsets_bias(num_heads, length):
    """-4 |j - i - o| for head, query i and key j: floats (A, T, T). The heads have o = -1, 1, -2, 2, -3, …"""
    ...
'''


def probe(offsets_bias):
    yield "five heads", offsets_bias(5, 7)
    yield "two heads", offsets_bias(2, 3)


def made(heads, length, *, offset=lambda h: (h // 2 + 1) * (2 * (h % 2) - 1), slope=-4.0, size=abs):
    rows = [
        [[slope * size(j - i - offset(h)) for j in range(length)] for i in range(length)]
        for h in range(heads)
    ]
    return torch.tensor(rows, dtype=torch.float32)


def variant(**changes):
    return lambda num_heads, length: made(num_heads, length, **changes)


def line(head, query=3):
    return lambda parts: parts["five heads"][head, query]


EXERCISE = Exercise(
    id="17.4",
    name="offsets_bias",
    reference=references.offsets_bias,
    stub=STUB,
    probe=probe,
    hints=(
        "Write the offsets down for heads 0 to 4: -1, 1, -2, 2, -3. Which part of them is `head // 2`, which sign has "
        "an even head?",
        "The distances j - i of all queries and keys are one table (T, T): a line of places minus a column of places.",
        "`places - places[:, None] - offsets[:, None, None]` has the shape (A, T, T).",
    ),
    mistakes=(
        Mistake(
            "all to the left",
            variant(offset=lambda h: -h - 1),
            "for query 3, head 1 has {yours}, expected {expected}: your offsets are -1, -2, -3, …, all to the left. They alternate: -1, 1, -2, 2",
            show=line(1),
        ),
        Mistake(
            "0 first, then to the left",
            variant(offset=lambda h: (h + 1) // 2 * (1 - 2 * (h % 2))),
            "for query 3, head 0 has {yours}, expected {expected}: its offset is 0, the token itself, and all others come one head late. The first pair of heads has -1 and 1",
            show=line(0),
        ),
        Mistake(
            "left half, right half",
            lambda heads, length: made(
                heads, length, offset=lambda h: -h - 1 if h < (heads + 1) // 2 else h - (heads + 1) // 2 + 1
            ),
            "for query 3, head 1 has {yours}, expected {expected}: the first half of your heads looks to the left and the second to the right. They take turns: -1, 1, -2, 2",
            show=line(1),
        ),
        Mistake(
            "left and right exchanged",
            variant(offset=lambda h: (h // 2 + 1) * (1 - 2 * (h % 2))),
            "for query 3, head 0 has {yours}, expected {expected}: head 0 prefers the token to the right, and should "
            "prefer the one to the left, o = -1. Are the signs exchanged, or queries (rows) and keys (columns)?",
            show=line(0),
        ),
        Mistake(
            "without the offset",
            variant(offset=lambda h: 0),
            "for query 3, head 0 has {yours}, expected {expected}: its favorite is the token itself, for all heads. "
            "Where does o enter?",
            show=line(0),
        ),
        Mistake(
            "offsets -1, 1 for all",
            variant(offset=lambda h: 2 * (h % 2) - 1),
            "for query 3, head 2 has {yours}, expected {expected}: heads 2 and 3 should look two places away, not one",
            show=line(2),
        ),
        Mistake(
            "offsets 0 among them",
            variant(offset=lambda h: (h + 1) // 2 * (2 * (h % 2) - 1)),
            "for query 3, head 0 has {yours}, expected {expected}: its offset became 0, the token itself, which is a "
            "gap and tells nothing. The first pair of heads has -1 and 1",
            show=line(0),
        ),
        Mistake(
            "one after another",
            variant(offset=lambda h: h + 1),
            "for query 3, head 1 has {yours}, expected {expected}: your offsets are 1, 2, 3, …, all to the right. "
            "They alternate: -1, 1, -2, 2",
            show=line(1),
        ),
        Mistake(
            "positive",
            variant(slope=4.0),
            "for query 3, head 0 has {yours}, expected {expected}: the far tokens get the largest scores. What sign "
            "makes the favorite the best?",
            show=line(0),
        ),
        Mistake(
            "no absolute value",
            variant(size=lambda d: d),
            "for query 3, head 0 has {yours}, expected {expected}: on one side of the favorite the scores go on "
            "rising, so the favorite is not the best. Both sides count alike",
            show=line(0),
        ),
        Mistake(
            "slope of 1",
            variant(slope=-1.0),
            "for query 3, head 0 has {yours}, expected {expected}: each place farther off costs 4",
            show=line(0),
        ),
        Mistake(
            "squares",
            variant(slope=-4.0, size=lambda d: d * d),
            "for query 3, head 0 has {yours}, expected {expected}: the distance enters as it is, not squared",
            show=line(0),
        ),
        Mistake(
            "absolute distances before the offset",
            lambda heads, length: torch.stack(
                [
                    -4.0 * ((places := torch.arange(length)) - places[:, None]).abs().sub(o).abs()
                    for o in [(h // 2 + 1) * (2 * (h % 2) - 1) for h in range(heads)]
                ]
            ),
            "for query 3, head 1 has {yours}, expected {expected}: you take the absolute distance first, and it has "
            "forgotten left and right when the offset comes",
            show=line(1),
        ),
        Mistake(
            "softmax",
            lambda heads, length: made(heads, length).softmax(dim=-1),
            "for query 3, head 0 has {yours}, expected {expected}: that is what softmax makes of the bias. It is added "
            "to the scores before softmax",
            show=line(0),
        ),
        Mistake(
            "only the favorite",
            lambda heads, length: made(heads, length).clamp(min=-4.0),
            "for query 3, head 0 has {yours}, expected {expected}: all places but the favorite are alike. The farther "
            "from it, the less",
            show=line(0),
        ),
        Mistake(
            "offset outside",
            lambda heads, length: torch.stack(
                [
                    made(1, length, offset=lambda _: 0)[0] - (h // 2 + 1) * (2 * (h % 2) - 1)
                    for h in range(heads)
                ]
            ),
            "for query 3, head 1 has {yours}, expected {expected}: an offset outside the bars moves all scores of a "
            "head up or down, which softmax does not see",
            show=line(1),
        ),
        Mistake(
            "pairs from 0",
            variant(offset=lambda h: (h // 2) * (2 * (h % 2) - 1)),
            "for query 3, head 2 has {yours}, expected {expected}: your offsets are 0, 0, -1, 1, -2. Which "
            "numbers does `head // 2` begin with, and which does the formula?",
            show=line(2),
        ),
        Mistake(
            "one row for all queries",
            lambda heads, length: made(heads, length)[:, :1].expand(-1, length, -1).clone(),
            "for query 3, head 0 has {yours}, expected {expected}: all queries prefer the same key. Where does "
            "the place of the query enter?",
            show=line(0),
        ),
        Mistake(
            "distance added",
            lambda heads, length: torch.tensor(
                [
                    [
                        [-4.0 * abs(j + i - (h // 2 + 1) * (2 * (h % 2) - 1)) for j in range(length)]
                        for i in range(length)
                    ]
                    for h in range(heads)
                ]
            ),
            "for query 3, head 0 has {yours}, expected {expected}: the places of query and key are added. How far "
            "is it from one to the other?",
            show=line(0),
        ),
    ),
    notice="softmax of this bias alone gives the favorite a weight of 0.96; at a tenth of its strength 0.2",
    difficulty=2,
    minutes=12,
    tolerance=1e-6,
    variants=(variant(),),
)
