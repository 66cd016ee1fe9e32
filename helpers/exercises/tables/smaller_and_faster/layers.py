"""Notebook 18: the layers of a student."""

from helpers import distillation
from helpers.exercises.exercise import Exercise, Mistake

LAYERS = '''
def my_layers_to_keep(total, count):
    """The places, from 0, of `count` of `total` layers, a list of whole numbers.

    Think of the layers in `count` blocks, one above the other, as equal as can be: block b (from 1) ends
    before place total * b / count, rounded down. Kept is the last layer of each block.
    """
    ...
'''


def probe_layers(keep):
    for total, count in ((6, 3), (6, 2), (12, 5), (6, 4), (5, 1), (3, 3)):
        yield f"{count} of {total}", list(keep(total, count))


def three(parts):
    return parts["3 of 6"]


LAYERS_MISTAKES = (
    Mistake(
        "every so many",
        lambda total, count: list(range(total))[total // count - 1 :: total // count],
        "three of six are right, but five of twelve are {yours}, expected {expected}: every second layer, as many "
        "as there are. What if total / count is no whole number?",
        show=lambda parts: parts["5 of 12"],
    ),
    Mistake(
        "blocks counted from 0",
        lambda total, count: [total * block // count - 1 for block in range(count)],
        "three of six layers are {yours}, expected {expected}: no place is below 0, and the top layer is missing. "
        "From which number do you count the blocks?",
    ),
    Mistake(
        "blocks of the last place",
        lambda total, count: [(total - 1) * block // count for block in range(1, count + 1)],
        "three of six are right, but five of twelve are {yours}, expected {expected}: you divide total - 1 into "
        "blocks. Is the 1 to be taken away before the division or after?",
        show=lambda parts: parts["5 of 12"],
    ),
    Mistake(
        "the middle of each block",
        lambda total, count: [(2 * block + 1) * total // (2 * count) for block in range(count)],
        "two of six layers are {yours}, expected {expected}: the middle of each block. Which of a block's layers "
        "has seen all the others?",
        show=lambda parts: parts["2 of 6"],
    ),
    Mistake(
        "total and count exchanged",
        lambda total, count: [count * block // total - 1 for block in range(1, count + 1)],
        "three of six layers are {yours}, expected {expected}: in which of the two places does `total` stand, "
        "above or below the line?",
    ),
    Mistake(
        "rounded to the nearest",
        lambda total, count: [round(total * block / count) - 1 for block in range(1, count + 1)],
        "three and two of six layers are right, but five of twelve are {yours}, expected {expected}: a block's end is "
        "rounded to the nearest place. It is rounded down: `//`",
        show=lambda parts: parts["5 of 12"],
    ),
    Mistake(
        "the lowest",
        lambda total, count: list(range(count)),
        "three of six layers are {yours}, expected {expected}: the lowest ones. The layer below the classifier is not "
        "among them, and it is the one whose output the classifier knows",
    ),
    Mistake(
        "the highest",
        lambda total, count: list(range(total - count, total)),
        "three of six layers are {yours}, expected {expected}: the highest ones. They expect what the lower layers would "
        "have made of the text; spread them over the whole height",
    ),
    Mistake(
        "the first of each block",
        lambda total, count: [total * block // count for block in range(count)],
        "three of six layers are {yours}, expected {expected}: the first of each block. The last one holds what the whole "
        "block has come to",
    ),
    Mistake(
        "counted from 1",
        lambda total, count: [total * block // count for block in range(1, count + 1)],
        "three of six layers are {yours}, expected {expected}: counted from 1. Places count from 0, so there is no layer 6",
    ),
    Mistake(
        "both ends",
        lambda total, count: [round(n * (total - 1) / max(count - 1, 1)) for n in range(count)],
        "three of six layers are {yours}, expected {expected}: spread from the first to the last. Asked for are blocks, "
        "and the last layer of each",
    ),
    Mistake(
        "blocks of whole size",
        lambda total, count: [total // count * block - 1 for block in range(1, count + 1)],
        "three of six are right, but five of twelve are {yours}, expected {expected}: you round the size of a block, and "
        "the top layers are lost. Round each block's end",
        show=lambda parts: parts["5 of 12"],
    ),
    Mistake(
        "rounded up",
        lambda total, count: [-(-total * block // count) - 1 for block in range(1, count + 1)],
        "three of six are right, but five of twelve are {yours}, expected {expected}: the ends of the blocks are rounded "
        "up. Rounded down is asked for",
        show=lambda parts: parts["5 of 12"],
    ),
)

EXERCISES = (
    Exercise(
        id="18.2",
        name="layers_to_keep",
        reference=distillation.layers_to_keep,
        stub=LAYERS,
        probe=probe_layers,
        hints=(
            "Block b of 3 blocks of 6 layers ends before places 2, 4 and 6; its last layer is one below.",
            "`total * block // count - 1` for block in 1 to count.",
        ),
        mistakes=LAYERS_MISTAKES,
        asks={
            "5 of 12": "here total / count is no whole number: before which places do the five blocks end, by the rule?",
        },
        notice="the top layer is always kept: its output is what the pooler and the classifier were trained on",
        difficulty=1,
        minutes=5,
        show=three,
        variants=(lambda total, count: [int(total * (n + 1) / count + 1e-9) - 1 for n in range(count)],),
    ),
)
