"""One-hot vectors, what a table learns from them, and the cosine of two rows."""

import torch
from torch.nn import functional

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import input_embeddings as references

# 3.1 one_hot_vectors

ONE_HOT = '''
def my_one_hot_vectors(ids, num_entries):
    """ids (B, T) -> (B, T, V) floats: a 1 at the place of the id, 0 everywhere else.

    num_entries is V, which may be larger than the largest id that occurs.
    """
    ...
'''


def probe_one_hot(one_hot):
    yield "one text", one_hot(torch.tensor([[2, 4]]), 5)
    yield "two texts", one_hot(torch.tensor([[1, 2, 4], [4, 0, 1]]), 7)  # B = 2, T = 3, V = 7


def one_hot_everywhere(ids, num_entries):
    result = torch.zeros(*ids.shape, num_entries)
    result[:, :, ids] = 1.0
    return result


def one_hot_with_the_id(ids, num_entries):
    result = torch.zeros(*ids.shape, num_entries)
    return result.scatter(2, ids[..., None], ids[..., None].float())


def first_token(parts):
    return parts["one text"][0, 0]


ONE_HOT_MISTAKES = (
    Mistake(
        "whole numbers",
        lambda ids, entries: functional.one_hot(ids, entries),
        "the ones stand where they should, but a product with a table of floats wants floats on both sides",
    ),
    Mistake(
        "as many places as the largest id asks for",
        lambda ids, entries: functional.one_hot(ids).float(),
        "you have as many places as the largest id of this batch needs. The table has V rows, whatever occurs: "
        "what happens when the last entry of the vocabulary isn't in the batch?",
    ),
    Mistake(
        "ones for every id of the batch",
        one_hot_everywhere,
        "the first token has id 2, and its vector is {yours}, expected {expected}: every token got a 1 for every id "
        "that occurs. An index with a whole tensor of ids writes at all of its places at once",
    ),
    Mistake(
        "one place too early",
        lambda ids, entries: torch.eye(entries)[ids - 1],
        "the first token has id 2, and its vector is {yours}, expected {expected}: ids count from 0, and so do places",
    ),
    Mistake(
        "the id instead of 1",
        one_hot_with_the_id,
        "the first token has id 2, and its vector is {yours}, expected {expected}: times the table, this gives "
        "twice the row. By which number is a row multiplied that stays what it is?",
    ),
    Mistake(
        "ones up to the id",
        lambda ids, entries: (torch.arange(entries) <= ids[..., None]).float(),
        "the first token has id 2, and its vector is {yours}, expected {expected}: times the table, this adds up "
        "the rows 0 to 2. Only one row is wanted",
    ),
    Mistake(
        "words counted",
        lambda ids, entries: functional.one_hot(ids, entries).sum(dim=1).float(),
        "you added the tokens of a text up, so its order is lost; each token keeps a vector of its own",
    ),
    Mistake(
        "places before tokens",
        lambda ids, entries: functional.one_hot(ids, entries).float().transpose(1, 2),
        "the V places stand before the tokens: in the product with the table (V, H) they must come last",
    ),
    Mistake(
        "true and false",
        lambda ids, entries: ids[..., None] == torch.arange(entries),
        "true and false stand where they should; a product needs the numbers 1 and 0",
    ),
    Mistake(
        "the place instead of the id",
        lambda ids, entries: torch.eye(entries)[torch.arange(ids.shape[1])].expand(*ids.shape, entries),
        "the first token has id 2, and its vector is {yours}, expected {expected}: the 1 stands at the token's place in "
        "the text. What is looked up is its id",
    ),
)

# 3.2 gradient_of_table

GRADIENT = '''
def my_gradient_of_table(ids, gradient, num_entries):
    """ids (B, T) and the gradient of their vectors (B, T, H) -> the gradient of the table (V, H)."""
    ...
'''


def probe_gradient(gradient_of_table):
    seven = torch.tensor([[1.0, 2.0], [3.0, 5.0], [10.0, 20.0]])
    yield "one text", gradient_of_table(torch.tensor([[2, 0, 2]]), seven[None], 4)
    ids = torch.tensor([[1, 3, 3, 0], [3, 2, 1, 0]])
    yield "two texts", gradient_of_table(ids, torch.arange(1.0, 25.0).view(2, 4, 3) ** 2, 6)


def gradient_of_the_last(ids, gradient, entries):
    result = torch.zeros(entries, gradient.shape[2])
    for text in range(ids.shape[0]):
        for place in range(ids.shape[1]):
            result[ids[text, place]] = gradient[text, place]
    return result


def gradient_with_an_index(ids, gradient, entries):
    return torch.zeros(entries, gradient.shape[2]).index_add(0, ids.flatten(), gradient.flatten(0, 1))


def gradient_mean(ids, gradient, entries):
    counts = ids.flatten().bincount(minlength=entries).clamp_min(1)
    return gradient_with_an_index(ids, gradient, entries) / counts[:, None]


def gradient_by_loops(ids, gradient, entries):
    result = torch.zeros(entries, gradient.shape[2])
    for text, line in enumerate(ids.tolist()):
        for place, entry in enumerate(line):
            result[entry] += gradient[text, place]
    return result


def gradient_of_present_rows(ids, gradient, entries):
    present = (ids.flatten().bincount(minlength=entries) > 0).float()
    return present[:, None] * gradient.sum(dim=(0, 1))


def gradient_without_entry_0(ids, gradient, entries):
    result = gradient_with_an_index(ids, gradient, entries)
    result[0] = 0
    return result


def row_two(parts):
    return parts["one text"][2]


GRADIENT_MISTAKES = (
    Mistake(
        "the last place only",
        gradient_of_the_last,
        "entry 2 stands at two places that send back [1, 2] and [10, 20]; its row gets {yours}, expected {expected}: "
        "what a later place writes replaces what the earlier one wrote (`table[ids] += …` does that, too). How do "
        "both count?",
    ),
    Mistake(
        "mean of the places",
        gradient_mean,
        "entry 2 stands at two places that send back [1, 2] and [10, 20]; its row gets {yours}, expected {expected}: "
        "you average. In a sum of places each has its full effect on the loss",
    ),
    Mistake(
        "counts",
        lambda ids, gradient, entries: gradient_with_an_index(ids, torch.ones_like(gradient), entries),
        "entry 2 stands at two places that send back [1, 2] and [10, 20]; its row gets {yours}, expected {expected}: "
        "you count the places. That is right only where each of them sends back ones",
    ),
    Mistake(
        "everything to every row that occurs",
        gradient_of_present_rows,
        "entry 2 stands at two of the three places; its row gets {yours}, expected {expected}: that is what all "
        "places send back. Each row gets only what its own places send",
    ),
    Mistake(
        "entry 0 left out",
        gradient_without_entry_0,
        "the row of entry 0 gets {yours}, expected {expected}: here no entry is filling yet; the table learns for "
        "each id that occurs",
        show=lambda parts: parts["one text"][0],
    ),
    Mistake(
        "each text for itself",
        lambda ids, gradient, entries: torch.einsum(
            "btv,bth->bvh", references.one_hot_vectors(ids, entries), gradient
        ),
        "you keep the texts apart, and there is only one table: all texts of the batch add to it",
    ),
    Mistake(
        "the first text only",
        lambda ids, gradient, entries: gradient_with_an_index(ids[:1], gradient[:1], entries),
        "right for one text; with two, entry 3 gets {yours}, expected {expected}: that is what the first text sends "
        "back. What about the others?",
        show=lambda parts: parts["two texts"][3],
    ),
    Mistake(
        "transposed",
        lambda ids, gradient, entries: gradient_with_an_index(ids, gradient, entries).T,
        "rows and columns are exchanged: a gradient has the shape of what it belongs to, here the table (V, H)",
    ),
    Mistake(
        "a row for each place",
        lambda ids, gradient, entries: gradient.sum(dim=0),
        "you have a row for each place of a text; the table has one for each entry. Which entry stands at a place?",
    ),
)

# 3.3 cosine_table

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
        "each row with itself",
        lambda rows: functional.cosine_similarity(rows, rows, dim=1),
        "you compare each row with itself only; every row should meet every row, N times N cosines",
    ),
)

EXERCISES = (
    Exercise(
        id="3.1",
        name="one_hot_vectors",
        reference=references.one_hot_vectors,
        stub=ONE_HOT,
        probe=probe_one_hot,
        hints=(
            "Two ways: start from zeros and write the ones, or compare each id with all numbers 0, 1, … V - 1.",
            "`ids[..., None]` has the shape (B, T, 1) and `torch.arange(num_entries)` the shape (V,): comparing "
            "them gives (B, T, V). `.float()` makes numbers of true and false.",
        ),
        mistakes=ONE_HOT_MISTAKES,
        notice="each vector sums to 1 and is almost nothing but zeros: with BERT's vocabulary 30,521 of 30,522 numbers",
        difficulty=1,
        minutes=5,
        show=first_token,
        variants=(
            lambda ids, num_entries: functional.one_hot(ids, num_entries).float(),
            lambda ids, num_entries: torch.eye(num_entries)[ids],
        ),
    ),
    Exercise(
        id="3.2",
        name="gradient_of_table",
        reference=references.gradient_of_table,
        stub=GRADIENT,
        probe=probe_gradient,
        hints=(
            "Start from a table of zeros and go through all places of all texts: to which row does what a place sends "
            "back belong, and what if there is something already?",
            "With loops it is one line inside two of them. Without loops it is a matrix product: one-hot vectors of "
            "all B · T places, (B · T, V), turned round, times the gradients, (B · T, H).",
        ),
        mistakes=GRADIENT_MISTAKES,
        notice="a row whose token isn't in the batch gets exactly zero, so a rare token learns rarely",
        difficulty=2,
        minutes=10,
        show=row_two,
        variants=(
            gradient_by_loops,
            gradient_with_an_index,
            lambda ids, gradient, entries: torch.einsum(
                "btv,bth->vh", references.one_hot_vectors(ids, entries), gradient
            ),
        ),
    ),
    Exercise(
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
    ),
)
