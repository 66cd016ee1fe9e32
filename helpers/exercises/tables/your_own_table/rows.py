"""Notebook 12: rows taken apart, labels made numbers."""

import re
from collections import Counter

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import your_own_table as references

# 12.1 taken_apart

APART = '''
def my_taken_apart(label, cell):
    """The rows of a cell, a list of (label, text): its own message first, then each line that it swallowed.

    label: "ham" or "spam", of the cell's own message. cell: a text in which a swallowed line begins with a
    line break, its label and a tab. A line break without label and tab belongs to the text.
    """
    ...
'''

SWALLOWED = 'So he said "no\nham\tOk. When? \nspam\tWIN 100\tnow\nham\tSpam again?'


def probe_apart(taken_apart):
    yield "a cell with one message", taken_apart("spam", "Win a prize")
    yield "a cell with four messages", taken_apart("ham", SWALLOWED)
    yield "a text with a line break", taken_apart("ham", "Dear all,\nham is for lunch\nspam\tCall now")


def apart_line_by_line(label, cell):
    first, *lines = cell.split("\n")
    return [(label, first), *(tuple(line.split("\t", 1)) for line in lines)]


def apart_at_tabs(label, cell):
    return [
        (label, cell.split("\n")[0]),
        *(tuple(line.split("\t", 1)) for line in cell.split("\n") if "\t" in line),
    ]


def apart_without_labels(label, cell):
    return [(label, text) for text in re.split(r"\n(?:ham|spam)\t", cell)]


def apart_with(pattern=r"\n(ham|spam)\t", first=True, shift=0):
    def program(label, cell):
        own, *rest = re.split(pattern, cell)
        labels, texts = [label, *rest[::2]], [own, *rest[1::2]]
        labels = labels[shift:] + labels[:shift]
        found = list(zip(labels, texts, strict=True))
        return found if first else found[1:]

    return program


def apart_at_every_tab(label, cell):
    first, *rest = re.split(r"\n(ham|spam)\t", cell)
    return [(label, first), *((a, b.split("\t")[0]) for a, b in zip(rest[::2], rest[1::2], strict=True))]


def apart_by_finding(label, cell):
    places = [*re.finditer(r"\n(ham|spam)\t", cell)]
    ends = [match.start() for match in places] + [len(cell)]
    rows = [(label, cell[: ends[0]])]
    return rows + [(m[1], cell[m.end() : end]) for m, end in zip(places, ends[1:], strict=True)]


def four(parts):
    return parts["a cell with four messages"]


def broken(parts):
    return parts["a text with a line break"]


APART_MISTAKES = (
    Mistake(
        "every line a row",
        apart_line_by_line,
        "a text with a line break of its own gives {yours}, expected {expected}: not every line break is the end of a "
        "row. What follows the break where a line was swallowed?",
        show=broken,
    ),
    Mistake(
        "the label without its tab",
        apart_with(r"\n(ham|spam)"),
        "four messages give {yours}, expected {expected}: the tab stays in front of the text. It stands between the "
        "label and the text, and belongs to neither",
        show=four,
    ),
    Mistake(
        "one label for all",
        apart_without_labels,
        "four messages give {yours}, expected {expected}: every row has the label of the cell. A swallowed line brought "
        "a label of its own",
        show=four,
    ),
    Mistake(
        "own message left out",
        apart_with(first=False),
        "four messages give {yours}, expected {expected}: the cell's own message is missing. It stands before the first "
        "label",
        show=four,
    ),
    Mistake(
        "labels moved by one",
        apart_with(shift=1),
        "four messages give {yours}, expected {expected}: each text has the label of the next one. A label stands before "
        "its text",
        show=four,
    ),
    Mistake(
        "cut at the next tab",
        apart_at_every_tab,
        "four messages give {yours}, expected {expected}: the third text lost what follows its tab. Only the first tab "
        "of a line parts label and text",
        show=four,
    ),
    Mistake(
        "text first",
        lambda label, cell: [(text, name) for name, text in references.taken_apart(label, cell)],
        "four messages give {yours}, expected {expected}: the pairs are (text, label), wanted is (label, text)",
        show=four,
    ),
    Mistake(
        "spaces stripped",
        lambda label, cell: [(name, text.strip()) for name, text in references.taken_apart(label, cell)],
        "four messages give {yours}, expected {expected}: the second text has lost the space at its end. "
        "Nothing is taken from a text but what parts the rows",
        show=four,
    ),
    Mistake(
        "every line with a tab",
        apart_at_tabs,
        "a text with a line break of its own gives {yours}, expected {expected}: the line without a tab is "
        "gone. A line that is no row of its own belongs to the text before it",
        show=broken,
    ),
    Mistake(
        "cut before the line break",
        apart_with(r"(ham|spam)\t"),
        "four messages give {yours}, expected {expected}: each text has kept the line break behind it. What "
        "stands before the label of a swallowed line?",
        show=four,
    ),
    Mistake(
        "only one of the labels",
        apart_with(r"\n(spam)\t"),
        "four messages give {yours}, expected {expected}: only lines with `spam` are taken apart. Which "
        "labels can a swallowed line have?",
        show=four,
    ),
)

# 12.2 label_numbers

NUMBERS = '''
def my_label_numbers(labels):
    """(classes, numbers): the names in alphabetical order, and each label's place in that list.

    labels: a list of names. classes: a list in which every name stands once. numbers: a list of integers
    from 0.
    """
    ...
'''


def probe_numbers(label_numbers):
    yield "spam, ham, ham", label_numbers(["spam", "ham", "ham"])
    yield "seven labels", label_numbers(["NUM", "DESC", "LOC", "LOC", "DESC", "LOC", "ABBR"])


def numbers_in(order):
    def program(labels):
        classes = order(labels)
        return classes, [classes.index(label) for label in labels]

    return program


def seven(parts):
    return parts["seven labels"]


def numbers_from_one(labels):
    classes = sorted(set(labels))
    return classes, [classes.index(label) + 1 for label in labels]


NUMBERS_MISTAKES = (
    Mistake(
        "in the order of appearance",
        numbers_in(lambda labels: list(dict.fromkeys(labels))),
        "seven labels give {yours}, expected {expected}: your order is that in which the names appear. Another order of "
        "the rows would make other numbers, and a saved model would answer with the wrong names",
        show=seven,
    ),
    Mistake(
        "from one",
        numbers_from_one,
        "seven labels give {yours}, expected {expected}: your numbers begin at 1. A model has one logit for each class, "
        "and the first is number 0",
        show=seven,
    ),
    Mistake(
        "backwards",
        numbers_in(lambda labels: sorted(set(labels), reverse=True)),
        "seven labels give {yours}, expected {expected}: your order is the alphabet backwards",
        show=seven,
    ),
    Mistake(
        "by frequency",
        numbers_in(lambda labels: [name for name, _ in Counter(labels).most_common()]),
        "seven labels give {yours}, expected {expected}: the most frequent name comes first. With new rows that order "
        "can change; the alphabet does not",
        show=seven,
    ),
    Mistake(
        "every row a class",
        numbers_in(sorted),
        "seven labels give {yours}, expected {expected}: a name stands in the list as often as in the rows. Each class "
        "needs one place",
        show=seven,
    ),
    Mistake(
        "names instead of numbers",
        lambda labels: (sorted(set(labels)), list(labels)),
        "seven labels give {yours}, expected {expected}: the second list still holds names. Which place has each of them "
        "in the first?",
        show=seven,
    ),
    Mistake(
        "numbers of the classes",
        lambda labels: (sorted(set(labels)), list(range(len(set(labels))))),
        "seven labels give {yours}, expected {expected}: your second list has a number for each class. Who "
        "needs one: each class, or each label?",
    ),
    Mistake(
        "numbers sorted",
        lambda labels: (sorted(set(labels)), sorted(references.label_numbers(labels)[1])),
        "seven labels give {yours}, expected {expected}: the numbers stand in the order of the alphabet, too, "
        "and no longer beside their labels",
    ),
    Mistake(
        "the first place among the labels",
        lambda labels: (sorted(set(labels)), [labels.index(label) for label in labels]),
        "seven labels give {yours}, expected {expected}: your numbers are places in the list of the labels. "
        "In which list should one look a name up?",
    ),
)

EXERCISES = (
    Exercise(
        id="12.1",
        name="taken_apart",
        reference=references.taken_apart,
        stub=APART,
        probe=probe_apart,
        hints=(
            "`re.split` with a pattern cuts a text at every match. If the pattern holds a group in brackets, the list "
            "that comes back also holds what the group matched.",
            "The pattern is a line break, one of two words in a group, a tab. Then the list is text, label, text, label, "
            "text …: `[::2]` and `[1::2]` take every second entry.",
        ),
        mistakes=APART_MISTAKES,
        notice="what cuts a row must be something that a text can't hold by accident; a line break alone is not enough",
        difficulty=2,
        minutes=10,
        show=four,
        variants=(apart_by_finding,),
    ),
    Exercise(
        id="12.2",
        name="label_numbers",
        reference=references.label_numbers,
        stub=NUMBERS,
        probe=probe_numbers,
        hints=(
            "`set` leaves each name once, in an order that changes from one run of Python to the next. What makes a "
            "list with a fixed order of it?",
            "`sorted(set(labels))` is the list of the classes; `classes.index(label)` is the number of a label.",
        ),
        mistakes=NUMBERS_MISTAKES,
        notice="the order comes from the names alone: the same table in another order gives the same numbers",
        difficulty=1,
        minutes=5,
        show=seven,
        variants=(numbers_in(lambda labels: sorted(dict.fromkeys(labels))),),
    ),
)
