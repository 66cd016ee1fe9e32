"""How alike rows are that are so many places apart."""

import torch
from torch.nn import functional

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import input_embeddings as references

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
    Mistake(
        "up to that far apart",
        lambda table, largest: [
            torch.cat([references.cosine_table(table).diagonal(d) for d in range(D + 1)]).mean().item()
            for D in range(largest + 1)
        ],
        "for 0, 1 and 2 places apart you get {yours}, expected {expected}: nearer pairs are counted with the farther ones. "
        "Each distance has pairs of its own",
    ),
    Mistake(
        "one pair for each distance",
        lambda table, largest: [
            references.cosine_table(table)[-1, len(table) - 1 - d].item() for d in range(largest + 1)
        ],
        "for 0, 1 and 2 places apart you get {yours}, expected {expected}: you look at one pair for each distance. Many pairs "
        "are one place apart; the mean is over all of them",
    ),
    Mistake(
        "zeros averaged, too",
        lambda table, largest: [
            references.cosine_table(table).diagonal(d).diag_embed().mean().item() for d in range(largest + 1)
        ],
        "for 0, 1 and 2 places apart you get {yours}, expected {expected}: the mean is taken over a table that holds zeros "
        "where there are no such pairs. How many pairs are there?",
    ),
    Mistake(
        "the median",
        lambda table, largest: [
            references.cosine_table(table).diagonal(d).median().item() for d in range(largest + 1)
        ],
        "for 0, 1 and 2 places apart you get {yours}, expected {expected}: that is the median of the pairs, and the mean is "
        "asked for",
    ),
)

EXERCISE = Exercise(
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
    asks={
        "four rows": "For a distance d: all pairs of rows i and i + d, each once, and their mean",
    },
    difficulty=2,
    minutes=8,
    show=lambda parts: parts["four rows"],
    variants=(distance_by_loops,),
)
