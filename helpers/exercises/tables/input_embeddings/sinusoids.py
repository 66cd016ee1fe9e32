"""Positions from sines and cosines."""

import torch

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import input_embeddings as references

SINUSOID = '''
def my_sinusoid_table(positions, hidden_size):
    """The fixed position table of the formula above: (positions, H), a row for each place 0, 1, ..."""
    ...
'''


def probe_sinusoid(sinusoid_table):
    yield "4 places, H = 6", sinusoid_table(4, 6)
    yield "3 places, H = 2", sinusoid_table(3, 2)
    yield "place 300, H = 6", sinusoid_table(301, 6)[300]


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


def sinusoid_with_twice_the_column(positions, hidden_size):
    """i counts columns, and the exponent takes it twice."""
    column = torch.arange(hidden_size)
    angles = torch.arange(positions)[:, None] / 10000 ** (2 * column / hidden_size)
    return torch.where(column % 2 == 0, angles.sin(), angles.cos())


def sinusoid_in_neighboring_columns(positions, hidden_size):
    """Sine in column i and cosine in column i + 1, for i = 0, 1, ...: the next one overwrites."""
    table = torch.zeros(positions, hidden_size)
    for i in range(hidden_size // 2):
        angles = torch.arange(positions) / 10000 ** (2 * i / hidden_size)
        table[:, i], table[:, i + 1] = angles.sin(), angles.cos()
    return table


def sinusoid_of_divisors(positions, hidden_size, divisor):
    i = torch.arange(hidden_size // 2)
    angles = torch.arange(positions)[:, None] / divisor(i.double(), hidden_size)
    return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1).float()


def sinusoid_by_rows(positions, hidden_size):
    angles = torch.arange(positions)[:, None] / 10000 ** (
        2 * torch.arange(hidden_size // 2).repeat_interleave(2) / hidden_size
    )
    return torch.where(torch.arange(positions)[:, None] % 2 == 0, angles.sin(), angles.cos())


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
    Mistake(
        "exponent from twice the column",
        sinusoid_with_twice_the_column,
        "row 1 is {yours}, expected {expected}: your i counts columns, and the formula's i counts pairs of columns, so 2i is "
        "already the even column. The cosine beside it has the same exponent",
    ),
    Mistake(
        "columns i and i + 1",
        sinusoid_in_neighboring_columns,
        "row 1 is {yours}, expected {expected}: the columns i and i + 1 of one pair are overwritten by the next, and the last "
        "ones stay empty. Pair i has the columns 2i and 2i + 1",
    ),
    Mistake(
        "the power first",
        lambda positions, hidden_size: sinusoid_of_divisors(
            positions, hidden_size, lambda i, H: 10000 ** (2 * i) / H
        ),
        "row 1 is {yours}, expected {expected}: 10000 to the power of 2i is divided by H. Python takes powers first: the "
        "exponent 2i / H needs brackets",
    ),
    Mistake(
        "exponent not divided by H",
        lambda positions, hidden_size: sinusoid_of_divisors(
            positions, hidden_size, lambda i, H: 10000 ** (2 * i)
        ),
        "row 1 is {yours}, expected {expected}: the first pair is right, the others hardly turn: the exponent is 2i instead of "
        "2i / H",
    ),
    Mistake(
        "times instead of to the power",
        lambda positions, hidden_size: sinusoid_of_divisors(
            positions, hidden_size, lambda i, H: 10000 * (2 * i / H) + 1e-30
        ),
        "row 1 is {yours}, expected {expected}: you divide by 10000 times 2i / H; it is 10000 to that power, `**`",
        show=lambda parts: parts["4 places, H = 6"][1, 2:],
    ),
    Mistake(
        "exponent cut to a whole number",
        lambda positions, hidden_size: sinusoid_of_divisors(
            positions, hidden_size, lambda i, H: 10000.0 ** (2 * i // H)
        ),
        "row 1 is {yours}, expected {expected}: all pairs turn alike, since `//` cuts 2i / H to 0",
    ),
    Mistake(
        "sine or cosine by the place",
        sinusoid_by_rows,
        "row 1 is {yours}, expected {expected}: even places got sines, odd ones cosines. It is the column that decides: each row "
        "holds both in turn",
    ),
)

EXERCISE = Exercise(
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
    asks={
        "4 places, H = 6": "Which column a number stands in decides about sine or cosine and about the wavelength; its row is only the place t",
        "3 places, H = 2": "With H = 2 there is one pair of columns, sin t and cos t",
    },
    difficulty=3,
    minutes=12,
    show=place_one,
    variants=(sinusoid_by_loops,),
)
