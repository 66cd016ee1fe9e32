"""What a table of embeddings learns."""

import torch

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import input_embeddings as references

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


def gradient_of_whole_texts(ids, gradient, entries):
    result = torch.zeros(entries, gradient.shape[2])
    for row, parts in zip(ids.tolist(), gradient, strict=True):
        for i in row:
            result[i] += parts.sum(dim=0)
    return result


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
    Mistake(
        "divided by the texts",
        lambda ids, gradient, entries: gradient_with_an_index(ids, gradient, entries) / len(ids),
        "right for one text; with two, entry 3 gets {yours}, expected {expected}: you divide by the number of texts. If the "
        "loss is a mean, its gradients are divided already",
        show=lambda parts: parts["two texts"][3],
    ),
    Mistake(
        "as many rows as the largest id asks for",
        lambda ids, gradient, entries: gradient_with_an_index(ids, gradient, int(ids.max()) + 1),
        "your table has as many rows as the largest id of this batch needs. The real one has V: rows that were not looked up "
        "get zeros",
    ),
    Mistake(
        "rows in the order of the ids that occur",
        lambda ids, gradient, entries: torch.stack(
            [gradient[ids == i].sum(dim=0) for i in ids.unique().tolist()]
        ),
        "you have a row for each id that occurs, and none for the others; they belong in, too, as zeros",
    ),
    Mistake(
        "counted once more",
        lambda ids, gradient, entries: (
            gradient_with_an_index(ids, gradient, entries)
            * torch.bincount(ids.flatten(), minlength=entries)[:, None].clamp_min(1)
        ),
        "entry 2 stands at two places that send back [1, 2] and [10, 20]; its row gets {yours}, expected {expected}: the sum "
        "is multiplied once more by how often the entry occurs",
    ),
    Mistake(
        "the text's sum at every place",
        gradient_of_whole_texts,
        "entry 2 stands at two places that send back [1, 2] and [10, 20]; its row gets {yours}, expected {expected}: each place "
        "adds the gradients of its whole text. It sends back only its own",
    ),
)

EXERCISE = Exercise(
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
    asks={
        "one text": "The row of an entry is the sum of the gradients of just those places where its id stands",
        "two texts": "All texts of the batch add to the one table",
    },
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
)
