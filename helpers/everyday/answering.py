"""From a folder and a table to answers: `predict` writes them, `evaluate` compares them with labels.

InputError, CheckpointError and DataError are sentences for the user.
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from tqdm import tqdm

from helpers.data.files import replace_whole
from helpers.everyday import reports
from helpers.everyday.errors import InputError, explained, named
from helpers.everyday.examples import pairs_of
from helpers.everyday.folder import Classifier, load_classifier
from helpers.everyday.labels import is_empty, merge_notes, spelling_key, spellings
from helpers.everyday.predicting import Predictions, new_columns, predict_pairs, with_predictions
from helpers.everyday.scoring import score
from helpers.everyday.tables import Table, changes_of_form, check_output, load_table, write_table

__all__ = ["evaluate", "predict"]

Say = Callable[[str], None]


def predict(
    folder: str | Path, file: str | Path, out: str | Path, text: str, second: str | None = None, *,
    encoding: str = "utf-8", force: bool = False, device: str = "cpu", say: Say = print,
) -> Predictions:  # fmt: skip
    """Write a table with a classifier's answers behind its columns."""
    check_output(out, file, force)
    table = _read(file, [text, second], encoding, say)
    classifier = _load(folder, device)
    new_columns(table, classifier.names)
    predictions = _predict(classifier, table, text, second, say)
    columns, rows = with_predictions(table, predictions, classifier.names)
    check_output(out, file, force)  # it may have been made since
    write_table(out, columns, rows)
    counts = Counter(answer for answer in predictions.answers if answer is not None)
    names = reports.shown_names(classifier.names)
    for number, count in counts.most_common(10):
        say(f"{count:8,}  {names[number]}")
    say(f"{len(rows):,} rows written to {out}{changes_of_form(table, out, encoding)}")
    return predictions


def evaluate(
    folder: str | Path, file: str | Path, text: str, label: str, second: str | None = None, *,
    out: str | Path | None = None, merge_labels: bool = False, encoding: str = "utf-8", force: bool = False,
    device: str = "cpu", say: Say = print,
) -> dict:  # fmt: skip
    """Compare a classifier's answers with the labels of a table; the figures, which `out` gets as JSON.

    Rows without text or label are left out and counted, and so are labels that the classifier does not know:
    it can't be right there, and `accuracy_with_unknown` counts them as wrong. InputError where none is left.
    """
    if out is not None:
        _check_json(Path(out), Path(file), force)
    table = _read(file, [text, second, label], encoding, say)
    classifier = _load(folder, device)
    written = table.texts(label)
    names = _known(written, classifier, merge_labels or classifier.settings["merge_labels"])
    for line in merge_notes(written, names):
        say(line)
    if merge_labels and len(set(map(spelling_key, classifier.names))) < len(classifier.names):
        say(
            f"--merge-labels does nothing here: the classifier has classes of its own for "
            f"{' and '.join(map(named, spellings(classifier.names).values()))}; train it anew with it"
        )
    predictions = _predict(classifier, table, text, second, say)
    missing = [is_empty(name) for name in names]
    unknown = Counter(name for name, gone in zip(names, missing, strict=True) if not gone)
    for name in classifier.names:
        unknown.pop(name, None)
    number = {name: index for index, name in enumerate(classifier.names)}
    found = [
        (number[name], answer)
        for name, answer in zip(names, predictions.answers, strict=True)
        if answer is not None and name in number
    ]
    if sum(missing):
        lines = [line for line, gone in zip(table.lines, missing, strict=True) if gone]
        say(f"left out: {len(lines):,} without a label ({reports.places(lines)})")
    if unknown:
        count = sum(unknown.values())
        say(f"{count:,} rows have labels that the classifier does not know, {named(unknown)}; it knows "
            f"{named(classifier.names)}; they are left out")  # fmt: skip
    if not found:
        raise InputError(
            f"{table.name}, column {label!r}: no row has a text and a label that the classifier knows "
            f"({named(classifier.names)}); labels that differ in case or blanks alone: add --merge-labels"
        )
    scores = score([truth for truth, _ in found], [answer for _, answer in found], classifier.names)
    answered = sum(
        answer is not None and not gone for answer, gone in zip(predictions.answers, missing, strict=True)
    )
    result = {
        "file": table.name, "rows": len(table),
        "empty_texts": predictions.empty, "missing_labels": sum(missing),
        "unknown_labels": dict(unknown), "accuracy_with_unknown": sum(a == b for a, b in found) / answered,
        **scores.as_json(),
    }  # fmt: skip
    say(f"{len(found):,} texts with intervals of 95% for other texts of this kind")
    for part in (reports.summary_lines, reports.class_lines, reports.confusion_lines):
        for line in part(scores):
            say(line)
    if out is not None:
        content = json.dumps(result, indent=2, ensure_ascii=False) + "\n"
        with explained(Path(out), "written"):
            replace_whole(Path(out), content.encode())
    return result


def _read(file: str | Path, columns: Sequence[str | None], encoding: str, say: Say) -> Table:
    """The table, and what was unusual about it."""
    table = load_table(file, [name for name in columns if name is not None], encoding)
    for line in table.notes:
        say(line)
    return table


def _load(folder: str | Path, device: str) -> Classifier:
    classifier = load_classifier(folder)
    classifier.model.to(device)
    return classifier


def _predict(classifier: Classifier, table: Table, text: str, second: str | None, say: Say) -> Predictions:
    """The answers to all rows, with a progress bar, and what was empty or cut."""
    pairs = pairs_of(table, text, second)
    with tqdm(total=sum(not pair.empty for pair in pairs), desc="texts", disable=None) as bar:
        predictions = predict_pairs(classifier, pairs, bar.update)
    if predictions.empty:
        say(f"{predictions.empty:,} of {len(table):,} rows have no text and get no answer")
    if predictions.cut:
        most = classifier.settings["max_length"]
        say(f"{predictions.cut:,} texts are longer than {most} tokens and were read up to there")
    return predictions


def _known(names: list[str], classifier: Classifier, merge: bool) -> list[str]:
    """Labels in the classifier's spelling where they differ from it in case or blanks alone.

    As they are where two of its own classes differ so: either could be meant.
    """
    usual = {spelling_key(name): name for name in classifier.names}
    if not merge or len(usual) < len(classifier.names):
        return names
    return [usual.get(spelling_key(name), name) for name in names]


def _check_json(out: Path, file: Path, force: bool) -> None:
    """Refuse a place where the figures must not be written."""
    if out.suffix != ".json":
        raise InputError(f"{out} gets the figures as JSON: name a file that ends in .json")
    with explained(out, "written"):
        if out.is_dir() or not out.absolute().parent.is_dir():
            raise InputError(f"{out} is a folder, or in none that is there: name a file in a folder")
        if out.exists() and (not force or (file.exists() and out.samefile(file))):
            raise InputError(f"{out} exists already: choose another name, or add --force to replace it")
