"""17.6: the arithmetic of training on a token."""

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import pretraining_at_scale as references

STUB = '''
def my_operations_per_token(layers, hidden, inner, entries, length, predicted):
    """Floating-point operations of training on one token, forward and backward.

    layers: L. hidden: H. inner: I, the width inside the feed-forward block. entries: V. length: T, tokens in
    a row. predicted: the share of the tokens that is guessed, at which the token head is computed.
    """
    ...
'''
SHAPES = {
    "a small shape": (2, 6, 23, 50, 5, 0.25),
    "the layers alone": (3, 5, 17, 1, 1, 0.0),
    "a long row": (1, 4, 16, 10, 1000, 0.1),
}


def probe(operations):
    return {name: float(operations(*shape)) for name, shape in SHAPES.items()}


def counted(
    layers, hidden, inner, entries, length, share, *, six=6.0, attention=2, projections=4, blocks=2,
    everywhere=False, head=True, transform=True, square=False, once=False,
):  # fmt: skip
    """The count with one thing done in another way."""
    layer = projections * hidden**2 + blocks * hidden * inner
    layer += attention * (length**2 if square else length) * hidden
    top = (hidden**2 if transform else 0) + hidden * entries
    return six * ((1 if once else layers) * layer + (top if everywhere else share * top) * head)


def variant(**changes):
    return lambda *shape: counted(*shape, **changes)


def small(parts):
    return parts["a small shape"]


def everywhere_too(matrix):
    """The count where one of the head's matrices is computed at all tokens; matrix(H, V): its size."""
    return lambda *shape: counted(*shape) + 6 * (1 - shape[-1]) * matrix(shape[1], shape[3])


EXERCISE = Exercise(
    id="17.6",
    name="operations_per_token",
    reference=references.operations_per_token,
    stub=STUB,
    probe=probe,
    hints=(
        "Three sums of multiply-adds: those with the weights of the layers, those of attention, those of the head.",
        "A layer has 4 matrices of H x H and 2 of H x I. Attention needs T H for the scores of one query, and as "
        "much again for the average of the values.",
        "All of it times 2 for a multiply-add and times 3 for forward and backward. The head counts with its share.",
    ),
    mistakes=(
        Mistake(
            "embeddings looked up counted",
            lambda *shape: counted(*shape) + 6 * shape[1] * shape[3],
            "a small shape takes {yours} operations, expected {expected}: the table of embeddings is counted as a product. A look-up copies a row",
        ),
        Mistake(
            "biases and norms counted",
            lambda *shape: counted(*shape) + 6 * shape[0] * (9 * shape[1] + shape[2]),
            "a small shape takes {yours} operations, expected {expected}: biases and norms are counted, too. Beside the products they are next to nothing, and the estimate leaves them out",
        ),
        Mistake(
            "first matrix of the head at all tokens",
            everywhere_too(lambda hidden, entries: hidden**2),
            "a small shape takes {yours} operations, expected {expected}: only the product with the entries counts with its "
            "share. The head's first matrix, H × H, is computed where something is guessed, too",
        ),
        Mistake(
            "forward only",
            variant(six=2.0),
            "a small shape takes {yours} operations, expected {expected}: this is the forward pass alone. Training "
            "computes the products twice more, on the way back",
        ),
        Mistake(
            "multiply-adds",
            variant(six=3.0),
            "a small shape takes {yours} operations, expected {expected}: you count a multiply-add as one. It is a "
            "multiplication and an addition",
        ),
        Mistake(
            "backward as much as forward",
            variant(six=4.0),
            "a small shape takes {yours} operations, expected {expected}: you count the backward pass once. It "
            "computes two gradients in each product: of the inputs and of the weights",
        ),
        Mistake(
            "multiply-adds, forward only",
            variant(six=1.0),
            "a small shape takes {yours} operations, expected {expected}: those are multiply-adds of the forward "
            "pass; two operations each, and the backward pass is missing",
        ),
        Mistake(
            "no attention",
            variant(attention=0),
            "a small shape takes {yours} operations, expected {expected}: the products of queries with keys and of "
            "probabilities with values have no weights, but they are work all the same",
        ),
        Mistake(
            "attention half",
            variant(attention=1),
            "a small shape takes {yours} operations, expected {expected}: a query meets T keys, and then T values are "
            "averaged: attention has two products, not one",
        ),
        Mistake(
            "attention of a whole row",
            variant(square=True),
            "a small shape takes {yours} operations, expected {expected}: T times T is the work of all queries of a "
            "row. How many keys does one token meet?",
        ),
        Mistake(
            "three matrices in attention",
            variant(projections=3),
            "a small shape takes {yours} operations, expected {expected}: query, key and value are three matrices of "
            "attention; a fourth puts the heads together",
        ),
        Mistake(
            "one matrix in the feed-forward block",
            variant(blocks=1),
            "a small shape takes {yours} operations, expected {expected}: the block has two matrices, one out to the "
            "inner width and one back",
        ),
        Mistake(
            "head at every token",
            variant(everywhere=True),
            "a small shape takes {yours} operations, expected {expected}: the head is computed only for the share of "
            "the tokens that is guessed",
        ),
        Mistake(
            "no head",
            variant(head=False),
            "a small shape takes {yours} operations, expected {expected}: the token head is missing",
        ),
        Mistake(
            "head without its first layer",
            variant(transform=False),
            "a small shape takes {yours} operations, expected {expected}: before the product with the vocabulary the "
            "head has a matrix of H times H",
        ),
        Mistake(
            "one layer",
            variant(once=True),
            "a small shape takes {yours} operations, expected {expected}: that is a single layer, and there are L",
        ),
        Mistake(
            "attention once for all layers",
            lambda *shape: counted(*shape, attention=0) + 12 * shape[4] * shape[1],
            "a small shape takes {yours} operations, expected {expected}: attention is counted for a single layer, "
            "and every layer has it",
        ),
        Mistake(
            "the head not times six",
            lambda *shape: counted(*shape, head=False) + (counted(*shape) - counted(*shape, head=False)) / 6,
            "a small shape takes {yours} operations, expected {expected}: the factor for forward and backward stands "
            "before the layers alone. The head is trained, too",
        ),
        Mistake(
            "a share of the first matrix only",
            everywhere_too(lambda hidden, entries: hidden * entries),
            "a small shape takes {yours} operations, expected {expected}: the product with the vocabulary is counted "
            "at every token. The share holds for all of the head",
        ),
        Mistake(
            "a row instead of a token",
            lambda *shape: shape[4] * counted(*shape),
            "a small shape takes {yours} operations, expected {expected}: that is a whole row of T tokens",
        ),
        Mistake(
            "an inner width of 4 H",
            lambda layers, hidden, inner, *rest: counted(layers, hidden, 4 * hidden, *rest),
            "a small shape takes {yours} operations, expected {expected}: 12 H * H weights a layer is right where "
            "I = 4 H, as in BERT. Here I is given",
        ),
        Mistake(
            "the head in every layer",
            lambda *shape: counted(*shape) + (shape[0] - 1) * (counted(*shape) - counted(*shape, head=False)),
            "a small shape takes {yours} operations, expected {expected}: the head is counted for every layer. It "
            "stands once, behind the last one",
        ),
        Mistake(
            "H for H * H",
            lambda *shape: counted(*shape) - 6 * shape[0] * 4 * (shape[1] ** 2 - shape[1]),
            "a small shape takes {yours} operations, expected {expected}: the four matrices of attention have H "
            "numbers each in your count. How many has a matrix of H rows and H columns?",
        ),
        Mistake(
            "attention without H",
            lambda *shape: counted(*shape) - 12 * shape[0] * shape[4] * (shape[1] - 1),
            "a small shape takes {yours} operations, expected {expected}: a query meets T keys, and with each it "
            "is a product of H numbers",
        ),
        Mistake(
            "attention forward only",
            lambda *shape: counted(*shape) - 10 * shape[0] * shape[4] * shape[1],
            "a small shape takes {yours} operations, expected {expected}: the factor for forward and backward is "
            "missing in attention",
        ),
        Mistake(
            "three matrices in the feed-forward block",
            variant(blocks=3),
            "a small shape takes {yours} operations, expected {expected}: you count three matrices in the feed-forward block. "
            "One with a gate has so many; BERT's goes out to the inner width and back",
        ),
        Mistake(
            "the matrices at every token of a row",
            lambda *shape: (
                counted(*shape)
                + 6 * (shape[4] - 1) * shape[0] * (4 * shape[1] ** 2 + 2 * shape[1] * shape[2])
            ),
            "a small shape takes {yours} operations, expected {expected}: the matrices of the layers are counted "
            "for a whole row. One token goes once through each",
        ),
        Mistake(
            "the share that is not guessed",
            lambda *shape: counted(*shape[:5], 1 - shape[5]),
            "a small shape takes {yours} operations, expected {expected}: the head counts with the share that is "
            "*not* guessed",
        ),
    ),
    notice="the row length enters only in attention, and there beside H: at T = H / 6 attention is about a thirtieth "
    "of a layer's work",
    difficulty=2,
    minutes=15,
    show=small,
    variants=(
        variant(),
        lambda layers, hidden, inner, entries, length, predicted: (
            2 * 3 * hidden * (layers * (4 * hidden + 2 * inner + 2 * length) + predicted * (hidden + entries))
        ),
    ),
)
