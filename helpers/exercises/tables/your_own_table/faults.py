"""Notebook 12: three published faults."""

import io

import numpy as np
import pandas as pd

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import your_own_table as references

# 12.b1 read_texts

READ = '''
def my_read_texts(file):
    """The column `text` of a CSV file: a list of strings, as many as there are rows."""
    table = pd.read_csv(file).dropna()
    return table["text"].tolist()
'''

MIXED = 'id,text\n1,"What does NA stand for ?"\n2,NA\n3,null\n4,\n5,"None, thanks"\n6,None\n7,nan\n8,ok\n'
NUMBERS = "id,text\n1,007\n2,1.50\n3,12\n"


def probe_read(read_texts):
    yield "eight texts", list(read_texts(io.StringIO(MIXED)))
    yield "texts that are numbers", list(read_texts(io.StringIO(NUMBERS)))


def read_with(change, **options):
    return lambda file: change(pd.read_csv(file, **options))["text"].tolist()


def eight(parts):
    return parts["eight texts"]


READ_MISTAKES = (
    Mistake(
        "still dropped",
        read_with(lambda table: table.dropna()),
        "eight rows give {yours}, expected {expected}: rows are gone. pandas takes NA, null, None, nan for missing, and "
        "dropna takes the row away; from there on answers and rows no longer fit together",
    ),
    Mistake(
        "made empty",
        read_with(lambda table: table.fillna("")),
        "eight rows give {yours}, expected {expected}: as many as there should be, but four texts became empty. They were "
        "lost when the file was read: mend that, not what came of it",
    ),
    Mistake(
        "nan as a word",
        read_with(lambda table: table.astype(object).where(table.notna(), "nan").astype(str)),
        "eight rows give {yours}, expected {expected}: what pandas took for missing is now the word nan. The text is lost "
        "all the same; a model reads 'nan' like any other word",
    ),
    Mistake(
        "empty rows dropped",
        read_with(lambda table: table[table["text"] != ""], keep_default_na=False, dtype=str),
        "eight rows give {yours}, expected {expected}: NA is read as it stands, but the empty text is left out. As many "
        "as there are rows, so that answers can be written beside them",
    ),
    Mistake(
        "numbers are read as numbers",
        read_with(lambda table: table, keep_default_na=False),
        "eight texts are right, but where all texts look like numbers you give {yours}, expected {expected}: pandas "
        "guesses a type for each column. Tell it that texts are texts",
        show=lambda parts: parts["texts that are numbers"],
    ),
    Mistake(
        "no row dropped, still missing",
        read_with(lambda table: table),
        "as many as there are rows, but the second of them is no string: pandas has taken NA for a missing "
        "value on reading. Which argument says what counts as missing?",
        show=False,
    ),
)

# 12.b2 oversampled_parts

OVERSAMPLED = '''
def my_oversampled_parts(rows, every, times):
    """Training and test rows, two lists; the rows of class 1 are few: in training each stands `times` times.

    rows: pairs (text, class). Every `every`-th of them, from the first on, is kept for the test.
    """
    rows = [row for row in rows for _ in range(times if row[1] == 1 else 1)]
    train = [row for place, row in enumerate(rows) if place % every != 0]
    return train, rows[::every]
'''

ROWS = [("a", 0), ("b", 1), ("c", 0), ("d", 1), ("e", 1), ("f", 0), ("g", 0), ("h", 0)]


def probe_oversampled(parts):
    for name, times in (("three times", 3), ("once", 1)):
        train, test = parts(list(ROWS), 3, times)
        yield f"{name}: training", sorted(text for text, _ in train)
        yield f"{name}: test", sorted(text for text, _ in test)


def parts_before_the_split(rows, every, times):
    rows = [row for row in rows for _ in range(small_class(row, times))]
    return [row for place, row in enumerate(rows) if place % every != 0], rows[::every]


def parts_with(train_times, test_times=lambda row, times: 1):
    def program(rows, every, times):
        train = [row for place, row in enumerate(rows) if place % every != 0]
        train = [row for row in train for _ in range(train_times(row, times))]
        return train, [row for row in rows[::every] for _ in range(test_times(row, times))]

    return program


def small_class(row, times):
    return times if row[1] == 1 else 1


def parts_cleaned(rows, every, times):
    train, test = parts_before_the_split(rows, every, times)
    return [row for row in train if row not in test], test


def parts_counted_later(rows, every, times):
    return parts_before_the_split(rows, every, times)[0], rows[::every]


def three_times(parts):
    return {"train": "".join(parts["three times: training"]), "test": "".join(parts["three times: test"])}


OVERSAMPLED_MISTAKES = (
    Mistake(
        "still before the split",
        parts_before_the_split,
        "training has {yours[train]}, the test {yours[test]}, expected {expected[train]} and {expected[test]}: copies of "
        "one row stand on both sides. Which comes first, the copies or the split?",
    ),
    Mistake(
        "copies in the test, too",
        parts_with(small_class, small_class),
        "training has {yours[train]}, as expected, but the test {yours[test]}, expected {expected[test]}: the split is "
        "first, and then the test is given copies, too. The test should look like what will come",
    ),
    Mistake(
        "no copies",
        parts_with(lambda row, times: 1),
        "training has {yours[train]}, expected {expected[train]}: nothing leaks, but the few are as few as before",
    ),
    Mistake(
        "all rows copied",
        parts_with(lambda row, times: times),
        "training has {yours[train]}, expected {expected[train]}: rows of both classes are copied, so the shares are what "
        "they were",
    ),
    Mistake(
        "the large class copied",
        parts_with(lambda row, times: times if row[1] == 0 else 1),
        "training has {yours[train]}, expected {expected[train]}: the copies are of class 0, which has many already",
    ),
    Mistake(
        "cleaned afterwards",
        parts_cleaned,
        "training has {yours[train]}, the test {yours[test]}, expected {expected[train]} and {expected[test]}: no row is "
        "on both sides any more, but the test is not the rows that were kept for it",
    ),
    Mistake(
        "places counted among the copies",
        parts_counted_later,
        "training has {yours[train]}, expected {expected[train]}: the test is kept before the copies are "
        "made, but for training you count places among the copies, so rows of the test come in again. Take "
        "the rest of the same split",
    ),
    Mistake(
        "all rows trained on",
        lambda rows, every, times: (
            [row for row in rows for _ in range(small_class(row, times))],
            rows[::every],
        ),
        "training has {yours[train]}, the test {yours[test]}, expected {expected[train]} and "
        "{expected[test]}: the rows of the test are trained on, too",
    ),
    Mistake(
        "one copy too many",
        parts_with(lambda row, times: small_class(row, times + 1)),
        "training has {yours[train]}, expected {expected[train]}: each row of class 1 stands there once more "
        "than `times`. Does the row itself count?",
    ),
)

# 12.b3 macro_f1_of_counts

COUNTS = '''
def my_macro_f1_of_counts(right, labelled, answered):
    """Macro-F1 of counts per class (C,), a float: the mean over the classes of each one's F1.

    right: right answers of the class; labelled: its examples; answered: answers with it. None is zero.
    """
    precision, recall = np.mean(right / answered), np.mean(right / labelled)
    return float(2 * precision * recall / (precision + recall))
'''


def probe_counts(macro):
    yield "two classes", float(macro(np.array([90.0, 2.0]), np.array([92.0, 8.0]), np.array([96.0, 4.0])))
    yield (
        "three classes",
        float(macro(np.array([4.0, 2.0, 3.0]), np.array([10.0, 2.0, 3.0]), np.array([4.0, 8.0, 3.0]))),
    )


def f1s(right, labelled, answered):
    return 2 * right / (labelled + answered)


COUNTS_MISTAKES = (
    Mistake(
        "still the means first",
        lambda r, n, m: float(2 * np.mean(r / m) * np.mean(r / n) / (np.mean(r / m) + np.mean(r / n))),
        "three classes give {yours}, expected {expected}: the means of precision and recall are taken first. A class with "
        "high precision and one with high recall then hide each other's weakness",
    ),
    Mistake(
        "micro",
        lambda r, n, m: float(2 * r.sum() / (n.sum() + m.sum())),
        "three classes give {yours}, expected {expected}: the counts are added up before anything is divided. That is "
        "micro-F1, here the accuracy",
    ),
    Mistake(
        "weighted",
        lambda r, n, m: float(np.average(f1s(r, n, m), weights=n)),
        "three classes give {yours}, expected {expected}: each class counts as often as it has examples",
    ),
    Mistake(
        "plain mean of precision and recall",
        lambda r, n, m: float(np.mean((r / m + r / n) / 2)),
        "three classes give {yours}, expected {expected}: the F1 of a class is the harmonic mean of precision and recall, "
        "not the plain one",
    ),
    Mistake(
        "geometric mean",
        lambda r, n, m: float(np.mean(np.sqrt(r / m * r / n))),
        "three classes give {yours}, expected {expected}: you take the root of precision times recall for each class; F1 "
        "is the harmonic mean",
    ),
    Mistake(
        "means apart",
        lambda r, n, m: float(np.mean(2 * r / m * r / n) / np.mean(r / m + r / n)),
        "three classes give {yours}, expected {expected}: above and below the line a mean is taken of its "
        "own. Divide for each class first; the mean comes at the very end",
    ),
    Mistake(
        "half of it",
        lambda r, n, m: float(np.mean(f1s(r, n, m)) / 2),
        "three classes give {yours}, expected {expected}: half of it. Which factor is missing?",
    ),
    Mistake(
        "the sum",
        lambda r, n, m: float(np.sum(f1s(r, n, m))),
        "three classes give {yours}, expected {expected}: the F1 of the classes are right, but this is their "
        "sum",
    ),
)

EXERCISES = (
    Exercise(
        id="12.b1",
        name="read_texts",
        kind="bug",
        source="issues #10647 (2015) and #55032 (2023) of pandas-dev/pandas, NA and None read as missing",
        reference=references.read_texts,
        stub=READ,
        probe=probe_read,
        hints=(
            "Read a small file of such texts without dropna, and look at what pandas makes of each of them.",
            "`read_csv` has an argument `keep_default_na`, and one for the types of the columns, `dtype`.",
        ),
        mistakes=READ_MISTAKES,
        notice="an answer to row 4 belongs to row 4: whoever drops rows on reading has to remember which",
        difficulty=1,
        minutes=6,
        show=eight,
        variants=(read_with(lambda table: table, na_filter=False, dtype={"text": str}),),
    ),
    Exercise(
        id="12.b2",
        name="oversampled_parts",
        kind="bug",
        source="issue #55 of MicrosoftDocs/ml-basics (2022): rows are copied before they are split",
        reference=references.oversampled_parts,
        stub=OVERSAMPLED,
        probe=probe_oversampled,
        hints=(
            "Take a text of class 1, and look in which of the two lists its copies end up.",
            "Split first. Then make copies of the rows of class 1 in the training list, and leave the test as it is.",
        ),
        mistakes=OVERSAMPLED_MISTAKES,
        notice="copies are the coarsest kind of leak: near duplicates, which nobody made on purpose, do the same",
        difficulty=2,
        minutes=10,
        show=three_times,
        variants=(
            lambda rows, every, times: (
                sum(([row] * small_class(row, times) for place, row in enumerate(rows) if place % every), []),
                [row for place, row in enumerate(rows) if place % every == 0],
            ),
        ),
    ),
    Exercise(
        id="12.b3",
        name="macro_f1_of_counts",
        kind="bug",
        source="issue #486 of flairNLP/flair (2019), Error in macro F1",
        reference=references.macro_f1_of_counts,
        stub=COUNTS,
        probe=probe_counts,
        hints=(
            "Which is averaged here, and which should be? Compute the F1 of each class by hand for three classes.",
            "`right / answered` is an array with the precision of each class. Make an array of F1s first, and take the "
            "mean at the very end.",
        ),
        mistakes=COUNTS_MISTAKES,
        notice="both programs agree if all classes are alike, and on most tables they are a few points apart: nothing "
        "in the output looks wrong",
        difficulty=1,
        minutes=6,
        show=lambda parts: parts["three classes"],
        variants=(lambda r, n, m: float(np.mean(f1s(r, n, m))),),
    ),
)
