"""The cosine of every row with every row."""

import torch
from torch.nn import functional

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import input_embeddings as references

COSINE = '''
def my_cosine_table(rows):
    """The cosine of every row of (N, H) with every row: (N, N)."""
    ...
'''


def probe_cosine(cosine_table):
    yield "three rows", cosine_table(torch.tensor([[3.0, 4.0, 0.0], [2.0, -1.0, 2.0], [0.0, 5.0, 12.0]]))
    yield (
        "four rows of two numbers",
        cosine_table(torch.tensor([[1.0, 2.0], [-3.0, 1.0], [0.5, 0.5], [2.0, 7.0]])),
    )


def cosine_of_columns(rows):
    unit = rows / rows.norm(dim=0)
    return unit @ unit.T


def cosine_of_lengths_squared(rows):
    unit = rows / rows.square().sum(dim=1, keepdim=True)
    return unit @ unit.T


def cosine_of_centered(rows):
    rows = rows - rows.mean(dim=1, keepdim=True)
    return functional.normalize(rows, dim=1) @ functional.normalize(rows, dim=1).T


def first_pair(parts):
    return parts["three rows"][0, 1].item()


COSINE_MISTAKES = (
    Mistake(
        "dot products",
        lambda rows: rows @ rows.T,
        "[3, 4, 0] and [2, -1, 2] give {yours}, expected {expected}: that is their dot product, which grows with "
        "their lengths, 5 and 3. What takes the lengths out?",
    ),
    Mistake(
        "divided by one length",
        lambda rows: rows @ rows.T / rows.norm(dim=1, keepdim=True),
        "[3, 4, 0] and [2, -1, 2] give {yours}, expected {expected}: you divided by the length of one of the two, "
        "so a longer partner still counts for more",
    ),
    Mistake(
        "lengths of the columns",
        cosine_of_columns,
        "[3, 4, 0] and [2, -1, 2] give {yours}, expected {expected}: you brought the columns to length 1, and it "
        "should be the rows. Along which dimension does one row lie?",
    ),
    Mistake(
        "lengths without their root",
        cosine_of_lengths_squared,
        "[3, 4, 0] and [2, -1, 2] give {yours}, expected {expected}: you divide by the sums of squares, 25 and 9, "
        "and the lengths are 5 and 3",
    ),
    Mistake(
        "length of the whole table",
        lambda rows: rows @ rows.T / rows.norm() ** 2,
        "[3, 4, 0] and [2, -1, 2] give {yours}, expected {expected}: you divide by the length of the whole table, so "
        "a row's cosine with itself isn't 1. Each row has a length of its own",
    ),
    Mistake(
        "correlation",
        cosine_of_centered,
        "[3, 4, 0] and [2, -1, 2] give {yours}, expected {expected}: the mean of each row was taken away first. That "
        "is the correlation, a relative of the cosine",
    ),
    Mistake(
        "distances",
        lambda rows: torch.cdist(rows, rows),
        "[3, 4, 0] and [2, -1, 2] give {yours}, expected {expected}: that is how far apart their ends are. The cosine "
        "asks for the angle between them, and of a row with itself it is 1",
    ),
    Mistake(
        "the square of one length",
        lambda rows: rows @ rows.T / rows.square().sum(dim=1),
        "[3, 4, 0] and [2, -1, 2] give {yours}, expected {expected}: you divided twice by the length of one of the two, "
        "and never by that of the other",
    ),
    Mistake(
        "the square of its own length",
        lambda rows: rows @ rows.T / rows.square().sum(dim=1, keepdim=True),
        "[3, 4, 0] and [2, -1, 2] give {yours}, expected {expected}: a row is divided by its own length twice, and the "
        "length of the row that it meets is left out",
    ),
    Mistake(
        "each row with itself",
        lambda rows: functional.cosine_similarity(rows, rows, dim=1),
        "you compare each row with itself only; every row should meet every row, N times N cosines",
    ),
    Mistake(
        "lengths without their dimension",
        lambda rows: (unit := rows / rows.norm(dim=1)) @ unit.T,
        "[3, 4, 0] and [2, -1, 2] give {yours}, expected {expected}: the lengths have lost a dimension, so each column is "
        "divided by a length, not each row. How do they stand in a column, one beside each row?",
    ),
    Mistake(
        "columns with columns",
        lambda rows: functional.normalize(rows, dim=1).T @ functional.normalize(rows, dim=1),
        "[3, 4, 0] and [2, -1, 2] give {yours}, expected {expected}: you compare columns with columns. Which of the two is "
        "turned round in the product?",
    ),
    Mistake(
        "rows divided by their sum",
        lambda rows: (unit := rows / rows.sum(dim=1, keepdim=True)) @ unit.T,
        "[3, 4, 0] and [2, -1, 2] give {yours}, expected {expected}: you divide a row by the sum of its numbers. Its length "
        "is the root of the sum of their squares",
    ),
    Mistake(
        "divided by the sum of the lengths",
        lambda rows: rows @ rows.T / (rows.norm(dim=1)[:, None] + rows.norm(dim=1)),
        "[3, 4, 0] and [2, -1, 2] give {yours}, expected {expected}: you divide by 5 + 3; the lengths are divided out one "
        "after the other",
    ),
    Mistake(
        "lengths multiplied",
        lambda rows: rows @ rows.T * rows.norm(dim=1)[:, None] * rows.norm(dim=1),
        "[3, 4, 0] and [2, -1, 2] give {yours}, expected {expected}: you multiply by the lengths, and they should be divided "
        "out",
    ),
)

EXERCISE = Exercise(
    id="3.3",
    name="cosine_table",
    reference=references.cosine_table,
    stub=COSINE,
    probe=probe_cosine,
    hints=(
        "First bring each row to length 1; then the cosine of two rows is their dot product. One matrix product "
        "computes all of them.",
        "`rows.norm(dim=1, keepdim=True)` gives the lengths, (N, 1); `rows @ rows.T` gives all dot products.",
    ),
    mistakes=COSINE_MISTAKES,
    notice="the table is symmetric and has ones on its diagonal, and no cosine is above 1 or below -1",
    difficulty=1,
    minutes=6,
    show=first_pair,
    variants=(
        lambda rows: rows @ rows.T / (rows.norm(dim=1)[:, None] * rows.norm(dim=1)[None, :]),
        lambda rows: functional.cosine_similarity(rows[:, None], rows[None], dim=2),
    ),
)
