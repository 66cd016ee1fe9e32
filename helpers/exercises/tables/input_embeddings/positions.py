"""Positions from sines and cosines, similarity by distance, and the sum of three tables."""

import torch
from torch.nn import functional

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import input_embeddings as references

# 3.4 sinusoid_table

SINUSOID = '''
def my_sinusoid_table(positions, hidden_size):
    """The fixed position table of the formula above: (positions, H), a row for each place 0, 1, ..."""
    ...
'''


def probe_sinusoid(sinusoid_table):
    yield "4 places, H = 6", sinusoid_table(4, 6)
    yield "3 places, H = 2", sinusoid_table(3, 2)


def _sinusoid(positions, hidden_size, *, first=0, base=10000.0, twice=2, join=None, times=False):
    """The table with one thing done in another way."""
    place = torch.arange(first, first + positions)[:, None]
    waves = torch.arange(hidden_size // 2)
    factor = base ** (twice * waves / hidden_size)
    angles = place * factor if times else place / factor
    pair = [angles.sin(), angles.cos()]
    return join(pair) if join else torch.stack(pair, dim=2).flatten(1)


def changed(**options):
    return lambda positions, hidden_size: _sinusoid(positions, hidden_size, **options)


def sinusoid_with_a_wave_for_each_column(positions, hidden_size):
    column = torch.arange(hidden_size)
    angles = torch.arange(positions)[:, None] / 10000 ** (column / hidden_size)
    return torch.where(column % 2 == 0, angles.sin(), angles.cos())


def sinusoid_by_loops(positions, hidden_size):
    table = torch.zeros(positions, hidden_size, dtype=torch.float64)
    for t in range(positions):
        for i in range(hidden_size // 2):
            angle = torch.tensor(t / 10000 ** (2 * i / hidden_size), dtype=torch.float64)
            table[t, 2 * i], table[t, 2 * i + 1] = angle.sin(), angle.cos()
    return table


def place_one(parts):
    return parts["4 places, H = 6"][1]


SINUSOID_MISTAKES = (
    Mistake(
        "sines and cosines in halves",
        changed(join=lambda pair: torch.cat(pair, dim=1)),
        "row 1 is {yours}, expected {expected}: all sines stand first, then all cosines. In the formula the two of "
        "one wavelength stand next to each other, in columns 2i and 2i + 1",
    ),
    Mistake(
        "places from one",
        changed(first=1),
        "row 1 is {yours}, expected {expected}: that is the row of place 2. The first place is 0, and its sines are 0",
    ),
    Mistake(
        "exponent i / H",
        changed(twice=1),
        "row 1 is {yours}, expected {expected}: the first pair is right and the others turn too fast. What is the "
        "exponent of the second pair, with i = 1 and H = 6?",
    ),
    Mistake(
        "exponent 4i / H",
        changed(twice=4),
        "row 1 is {yours}, expected {expected}: the first pair is right and the others turn too slowly: the 2 of "
        "2i seems to be taken twice. If your i counts 0, 2, 4, …, it is the formula's 2i already",
    ),
    Mistake(
        "a wavelength for each column",
        sinusoid_with_a_wave_for_each_column,
        "row 1 is {yours}, expected {expected}: each column has a wavelength of its own. The exponent is the same "
        "for the sine in column 2i and the cosine beside it",
    ),
    Mistake(
        "base 1000",
        changed(base=1000.0),
        "row 1 is {yours}, expected {expected}: the first pair is right, the others turn too fast. Which number "
        "stands under the exponent?",
    ),
    Mistake(
        "cosine first",
        changed(join=lambda pair: torch.stack(pair[::-1], dim=2).flatten(1)),
        "row 1 is {yours}, expected {expected}: sine and cosine are exchanged. At place 0 every even column is 0",
    ),
    Mistake(
        "multiplied",
        changed(times=True),
        "row 1 is {yours}, expected {expected}: you multiply the place by the power of 10000, and it is divided. The "
        "later columns should turn more and more slowly",
    ),
    Mistake(
        "sines only",
        changed(join=lambda pair: torch.stack([pair[0], pair[0]], dim=2).flatten(1)),
        "row 1 is {yours}, expected {expected}: every second column should be a cosine. What tells a rising wave "
        "from a falling one?",
    ),
    Mistake(
        "places in a row",
        lambda positions, hidden_size: (
            torch.arange(positions) / 10000 ** (torch.arange(0, hidden_size, 2) / hidden_size)
        ),
        "places and divisors both lie in a row, so number meets number. Each place should meet each divisor: stand the "
        "places in a column, (positions, 1)",
    ),
)

# 3.5 cosine_by_distance

DISTANCE = '''
def my_cosine_by_distance(table, largest):
    """A list of floats: the mean cosine of all pairs of rows that are 0, 1, ... largest places apart."""
    ...
'''


def probe_distance(cosine_by_distance):
    quarter = torch.tensor([[2.0, 0.0], [0.0, 1.0], [3.0, 4.0], [4.0, -3.0]])
    yield "four rows", cosine_by_distance(quarter, 2)
    yield "six rows", cosine_by_distance(torch.arange(1.0, 19.0).view(6, 3) % 7 - 2, 4)


def _by_distance(table, largest, of_diagonal=None, distances=None):
    cosines = references.cosine_table(table)
    of_diagonal = of_diagonal or (lambda c, d: c.diagonal(d).mean().item())
    return [of_diagonal(cosines, d) for d in distances or range(largest + 1)]


def distance_by_loops(table, largest):
    result = []
    for apart in range(largest + 1):
        pairs = [
            functional.cosine_similarity(table[i], table[i + apart], dim=0) for i in range(len(table) - apart)
        ]
        result.append(float(sum(pairs) / len(pairs)))
    return result


DISTANCE_MISTAKES = (
    Mistake(
        "from row 0 only",
        lambda table, largest: _by_distance(table, largest, lambda c, d: c[0, d].item()),
        "for 0, 1 and 2 places apart you get {yours}, expected {expected}: you compare row 0 with the others. Rows 1 "
        "and 2 are one place apart, too",
    ),
    Mistake(
        "round the end",
        lambda table, largest: _by_distance(
            table,
            largest,
            lambda c, d: c[torch.arange(len(c)), (torch.arange(len(c)) + d) % len(c)].mean().item(),
        ),
        "for 0, 1 and 2 places apart you get {yours}, expected {expected}: the last row is compared with the first, "
        "as if the places lay on a circle. How many pairs are one place apart among four rows?",
    ),
    Mistake(
        "divided by the number of rows",
        lambda table, largest: _by_distance(
            table, largest, lambda c, d: (c.diagonal(d).sum() / len(c)).item()
        ),
        "for 0, 1 and 2 places apart you get {yours}, expected {expected}: you divide by the number of rows. Of four "
        "rows only three pairs are one place apart",
    ),
    Mistake(
        "sum",
        lambda table, largest: _by_distance(table, largest, lambda c, d: c.diagonal(d).sum().item()),
        "for 0, 1 and 2 places apart you get {yours}, expected {expected}: these are sums, so a distance with more "
        "pairs looks more alike",
    ),
    Mistake(
        "dot products",
        lambda table, largest: [(table @ table.T).diagonal(d).mean().item() for d in range(largest + 1)],
        "for 0, 1 and 2 places apart you get {yours}, expected {expected}: a row with itself should give 1. These are "
        "dot products; what became of the lengths?",
    ),
    Mistake(
        "the largest distance missing",
        lambda table, largest: _by_distance(table, largest, distances=range(largest)),
        "the last distance is missing: 0 and `largest` both belong to the list",
    ),
    Mistake(
        "distance 0 missing",
        lambda table, largest: _by_distance(table, largest, distances=range(1, largest + 1)),
        "the list begins with distance 0, where every row meets itself",
    ),
    Mistake(
        "mean of a row of cosines",
        lambda table, largest: _by_distance(table, largest, lambda c, d: c[d].mean().item()),
        "for 0, 1 and 2 places apart you get {yours}, expected {expected}: you average row 0, 1, 2 of the table of "
        "cosines, and a row holds all distances from one place",
    ),
    Mistake(
        "columns of length 1",
        lambda table, largest: [
            (functional.normalize(table, dim=0) @ functional.normalize(table, dim=0).T)
            .diagonal(d)
            .mean()
            .item()
            for d in range(largest + 1)
        ],
        "for 0, 1 and 2 places apart you get {yours}, expected {expected}: a row with itself should give 1. You brought "
        "the columns to length 1 instead of the rows",
    ),
)

# 3.6 sum_of_rows

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
)

EXERCISES = (
    Exercise(
        id="3.4",
        name="sinusoid_table",
        reference=references.sinusoid_table,
        stub=SINUSOID,
        probe=probe_sinusoid,
        hints=(
            "First a table of angles, (positions, H / 2): place t divided by a power of 10000 that depends on i. Then "
            "the sine and the cosine of it.",
            "`torch.arange(positions)[:, None]` divided by a vector of H / 2 divisors gives the angles. The exponents "
            "2i / H are `torch.arange(0, hidden_size, 2) / hidden_size`.",
            "`torch.stack([sines, cosines], dim=2)` puts each sine beside its cosine, (positions, H / 2, 2); flatten "
            "the last two dimensions.",
        ),
        mistakes=SINUSOID_MISTAKES,
        notice="row 0 is 0, 1, 0, 1, …, and that two loops over t and i would give the same",
        difficulty=3,
        minutes=12,
        show=place_one,
        variants=(sinusoid_by_loops,),
    ),
    Exercise(
        id="3.5",
        name="cosine_by_distance",
        reference=references.cosine_by_distance,
        stub=DISTANCE,
        probe=probe_distance,
        hints=(
            "In the table of all cosines, where do the pairs stand that are 0 places apart, and where those 1 apart?",
            "`tensor.diagonal(1)` takes the numbers next to the main diagonal. `.mean().item()` makes a float of them.",
        ),
        mistakes=DISTANCE_MISTAKES,
        notice="the farther apart, the fewer the pairs: with 512 rows there is a single pair 511 places apart, so the "
        "far end of such a curve is noisy",
        difficulty=2,
        minutes=8,
        show=lambda parts: parts["four rows"],
        variants=(distance_by_loops,),
    ),
    Exercise(
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
        difficulty=1,
        minutes=5,
        show=token_zero,
        variants=(
            sum_by_loops,
            lambda i, t, tokens, places, segments: segments[t] + places[: i.shape[1]] + tokens[i],
        ),
    ),
)
