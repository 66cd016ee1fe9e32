"""The sum of token, position and segment."""

import torch

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import input_embeddings as references

SUM = '''
def my_sum_of_rows(ids, type_ids, token_table, position_table, segment_table):
    """ids and type_ids (B, T) -> (B, T, H): the rows of token, position and segment, added.

    The first token of each text stands at position 0.
    """
    ...
'''


def probe_sum(sum_of_rows):
    tokens = 100.0 * torch.arange(7)[:, None] + torch.tensor([1.0, 2.0, 3.0])  # row i is 100 i + 1, 2, 3
    places = 10.0 * torch.arange(1, 8)[:, None] * torch.ones(3)  # row t is 10 (t + 1)
    segments = torch.tensor([[0.25, 0.25, 0.25], [0.5, 0.5, 0.5]])
    yield (
        "one text",
        sum_of_rows(torch.tensor([[5, 2, 6]]), torch.tensor([[1, 0, 1]]), tokens, places, segments),
    )
    ids, types = torch.tensor([[3, 0, 1, 4], [4, 4, 2, 0]]), torch.tensor([[0, 0, 1, 1], [0, 1, 1, 1]])
    yield "two texts", sum_of_rows(ids, types, tokens, places, segments)


def _sum(ids, types, tokens, places, segments, *, order=None, keep=(1, 1, 1), factor=1.0):
    order = torch.arange(ids.shape[1]) if order is None else order(ids)
    return keep[0] * factor * tokens[ids] + keep[1] * places[order] + keep[2] * segments[types]


def summed(**options):
    return lambda *arguments: _sum(*arguments, **options)


def sum_by_loops(ids, type_ids, token_table, position_table, segment_table):
    texts = [
        torch.stack(
            [
                token_table[i] + position_table[t] + segment_table[s]
                for t, (i, s) in enumerate(zip(*pair, strict=True))
            ]
        )
        for pair in zip(ids.tolist(), type_ids.tolist(), strict=True)
    ]
    return torch.stack(texts)


def token_zero(parts):
    return parts["one text"][0, 0]


SUM_MISTAKES = (
    Mistake(
        "positions from one",
        summed(order=lambda ids: torch.arange(1, ids.shape[1] + 1)),
        "the first token is {yours}, expected {expected}: it got the row of position 1, and row 0 of the table is "
        "never read. The tokenizer counts places from 0",
    ),
    Mistake(
        "no segments",
        summed(keep=(1, 1, 0)),
        "the first token is {yours}, expected {expected}: the quarters and halves of the segment rows are missing",
    ),
    Mistake(
        "no positions",
        summed(keep=(1, 0, 1)),
        "the first token is {yours}, expected {expected}: without the position rows a text is a bag of words",
    ),
    Mistake(
        "positions looked up by id",
        summed(order=lambda ids: ids),
        "the first token has id 5 and is {yours}, expected {expected}: the position row was looked up by the id. "
        "What tells where a token stands is not in `ids`; only its shape knows how many places there are",
    ),
    Mistake(
        "the number of the text as position",
        summed(order=lambda ids: torch.arange(ids.shape[0])[:, None]),
        "all tokens of a text got the position row of the text's number in the batch: its second token is {yours}, "
        "expected {expected}. Which dimension of `ids` runs along the text?",
        show=lambda parts: parts["one text"][0, 1],
    ),
    Mistake(
        "segment 0 for all",
        lambda ids, types, *tables: _sum(ids, torch.zeros_like(types), *tables),
        "the first token belongs to segment 1 and is {yours}, expected {expected}: every token got the row of segment 0",
    ),
    Mistake(
        "times the root of H",
        summed(factor=3**0.5),
        "the first token is {yours}, expected {expected}: the token row was multiplied, by √H it seems. BERT adds "
        "the three rows as they are",
    ),
    Mistake(
        "mean of the three",
        lambda *arguments: _sum(*arguments) / 3,
        "the first token is {yours}, expected {expected}: that is the mean of the three rows, a third of their sum",
    ),
    Mistake(
        "side by side",
        lambda ids, types, tokens, places, segments: torch.cat(
            [tokens[ids], places[: ids.shape[1]].expand(len(ids), -1, -1), segments[types]], dim=-1
        ),
        "you put the three rows side by side, so a vector has 3 H numbers; they are added, number by number",
    ),
    Mistake(
        "the whole position table",
        lambda ids, types, tokens, places, segments: tokens[ids] + places + segments[types],
        "you add the whole position table, with 7 rows, to a text of 3 tokens: only the first T rows belong to it",
    ),
    Mistake(
        "the last position for all",
        summed(order=lambda ids: ids.shape[1] - 1),
        "the first token is {yours}, expected {expected}: every token got the row of the last position",
    ),
    Mistake(
        "positions looked up by segment",
        lambda ids, types, tokens, places, segments: tokens[ids] + places[types] + segments[types],
        "the first token is {yours}, expected {expected}: its position row was looked up by its segment",
    ),
    Mistake(
        "positions counted by texts",
        summed(order=lambda ids: torch.arange(len(ids))),
        "you count as many positions as there are texts; it should be as many as a text has tokens. Which dimension of "
        "`ids` is that?",
    ),
    Mistake(
        "multiplied",
        lambda ids, types, tokens, places, segments: (
            tokens[ids] * places[torch.arange(ids.shape[1])] * segments[types]
        ),
        "the first token is {yours}, expected {expected}: the three rows are multiplied; they should be added",
    ),
    Mistake(
        "segment rows taken away",
        summed(keep=(1, 1, -1)),
        "the first token is {yours}, expected {expected}: the segment row is taken away; all three are added",
    ),
    Mistake(
        "positions backwards",
        summed(order=lambda ids: torch.arange(ids.shape[1]).flip(0)),
        "the first token is {yours}, expected {expected}: it got the position row of the last place, for the places count "
        "down",
    ),
    Mistake(
        "position 0 for all",
        summed(order=lambda ids: torch.zeros(ids.shape[1], dtype=torch.long)),
        "the first token is right, but the second is {yours}, expected {expected}: every token got the position row 0",
        show=lambda parts: parts["one text"][0, 1],
    ),
    Mistake(
        "places counted on through the batch",
        summed(order=lambda ids: torch.arange(ids.numel()).clamp_max(6).view(ids.shape)),
        "right for one text; in a batch the first token of the second text is {yours}, expected {expected}: its places go on "
        "from the first text. Each text begins at position 0",
        show=lambda parts: parts["two texts"][1, 0],
    ),
    Mistake(
        "segments by the place",
        lambda ids, types, tokens, places, segments: _sum(
            ids, torch.arange(ids.shape[1]) % 2 + 0 * types, tokens, places, segments
        ),
        "the first token belongs to segment 1 and is {yours}, expected {expected}: the segment row is chosen by the place. "
        "`type_ids` says which one it is",
    ),
)

EXERCISE = Exercise(
    id="3.6",
    name="sum_of_rows",
    reference=references.sum_of_rows,
    stub=SUM,
    probe=probe_sum,
    hints=(
        "Three look-ups. Two of them have their indices given; the third needs the numbers 0, 1, … T - 1.",
        "`torch.arange(ids.shape[1])` are the positions. Their rows have the shape (T, H), and adding them to "
        "(B, T, H) adds them to every text.",
    ),
    mistakes=SUM_MISTAKES,
    notice="the same word at two places gets two different vectors now, which the table alone could not do",
    asks={
        "one text": "Three look-ups: the token table by id, the position table by place, the segment table by type id",
        "two texts": "Each text begins anew at position 0, and each token has its own type id",
    },
    difficulty=1,
    minutes=5,
    show=token_zero,
    variants=(
        sum_by_loops,
        lambda i, t, tokens, places, segments: segments[t] + places[: i.shape[1]] + tokens[i],
    ),
)
