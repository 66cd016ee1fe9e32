"""Answers for a table: as many rows out as in, in their order, with all columns that were there.

New columns stand behind them: `predicted_label`, `probability` (of that label), and `probability_X` for every
class X; X stands in quotes where blanks alone tell it from another. A row without a text gets empty ones.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from helpers.everyday.errors import InputError, named
from helpers.everyday.examples import Pair
from helpers.everyday.folder import Classifier
from helpers.everyday.reports import visible
from helpers.everyday.tables import Table
from helpers.everyday.training import encode_pairs, logits_of

__all__ = ["Predictions", "predict_pairs", "with_predictions"]

AT_ONCE = 2048  # texts whose tokens are in memory


class Predictions(NamedTuple):
    """The probability of each class, (N, C), rows of NaN for empty texts; how many were empty.

    cut_rows: the numbers of the texts that were longer than the classifier reads.
    """

    probabilities: np.ndarray
    empty: int
    cut_rows: list[int]

    @property
    def cut(self) -> int:
        return len(self.cut_rows)

    def rounded(self, row: int) -> list[float]:
        """The probabilities of a row as they are given out: six decimals."""
        return [round(float(chance), 6) for chance in self.probabilities[row]]

    @property
    def answers(self) -> list[int | None]:
        """The number of the most probable class; None for an empty text."""
        return [None if np.isnan(row[0]) else int(row.argmax()) for row in self.probabilities]


def predict_pairs(
    classifier: Classifier, pairs: Sequence[Pair], on_texts: Callable[[int], None] = lambda count: None
) -> Predictions:
    """Classify texts or pairs; InputError for pairs where it was trained on single texts, and vice versa."""
    second = classifier.settings["second"]
    if pairs and (pairs[0].second is None) != (second is None):
        if second is None:
            raise InputError("this classifier was trained on single texts: leave --second away")
        raise InputError(f"this classifier was trained on pairs: name the second column (then {second!r})")
    rows = [row for row, pair in enumerate(pairs) if not pair.empty]
    probabilities = np.full((len(pairs), len(classifier.names)), np.nan)
    cut_rows = []
    for start in range(0, len(rows), AT_ONCE):
        some = rows[start : start + AT_ONCE]
        chosen = [pairs[row] for row in some]
        encodings, _ = encode_pairs(chosen, classifier.tokenizer, classifier.settings["max_length"])
        logits = logits_of(classifier.model, encodings, classifier.tokenizer, on_texts)
        probabilities[some] = logits.double().softmax(dim=-1).numpy()
        cut_rows += [row for row, found in zip(some, encodings, strict=True) if found.truncated]
    return Predictions(probabilities, len(pairs) - len(rows), cut_rows)


def new_columns(table: Table, names: Sequence[str]) -> list[str]:
    """The names of the columns that predictions add; InputError where the table has one of them already."""
    added = ["predicted_label", "probability", *(f"probability_{name}" for name in visible(names))]
    if double := [name for name in added if name in table.columns]:
        raise InputError(
            f"{table.name} has the column {named(double[:1])} already: rename or remove it first"
        )
    return added


def with_predictions(
    table: Table, predictions: Predictions, names: Sequence[str]
) -> tuple[list[str], list[list]]:
    """The columns and rows of a table with the new ones; probabilities have six decimals."""
    columns, rows = [*table.columns, *new_columns(table, names)], []
    for number, (row, answer) in enumerate(zip(table.rows, predictions.answers, strict=True)):
        if answer is None:
            rows.append([*row, *[None] * (2 + len(names))])
        else:
            rounded = predictions.rounded(number)
            rows.append([*row, names[answer], rounded[answer], *rounded])
    return columns, rows
