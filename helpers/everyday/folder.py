"""The folder of a classifier: a checkpoint that the Transformers library opens, its settings, a model card.

Support code. `helpers.checkpoints.save` writes the model with the SHA-256 of its files; beside it stand
classifier.json (columns, settings, label statistics, figures) and README.md (the card). The folder is written
aside and takes its place when it is complete.
"""

import json
import warnings
from pathlib import Path
from typing import NamedTuple

from helpers import checkpoints
from helpers.checkpoints.places import unfinished_folder
from helpers.classification import BertForClassification
from helpers.everyday.errors import InputError, check_writable, explained, named
from helpers.wordpiece import WordPieceTokenizer

__all__ = [
    "CARD",
    "SETTINGS",
    "Classifier",
    "check_folder",
    "load_classifier",
    "load_start",
    "save_classifier",
]

SETTINGS, CARD = "classifier.json", "README.md"
DEFAULTS = {"max_length": 128, "second": None, "merge_labels": False}


class Classifier(NamedTuple):
    """A trained model, its tokenizer, and its settings: those of `DEFAULTS` at least."""

    model: BertForClassification
    tokenizer: WordPieceTokenizer
    settings: dict

    @property
    def names(self) -> tuple[str, ...]:
        """The classes, LABEL_0 and so on where they have no names."""
        count = self.model.classifier.out_features
        return self.model.labels or tuple(f"LABEL_{number}" for number in range(count))


def check_folder(folder: str | Path, force: bool = False) -> Path:
    """The path of a classifier to be written; InputError where something stands that must not be replaced.

    force: an older classifier may be replaced, but never a file, or a folder that holds anything else.
    """
    folder = Path(folder).expanduser()
    with explained(folder, "written"):
        if folder.exists() and not folder.is_dir():
            raise InputError(f"{folder} is a file: name a folder for the classifier")
        found = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    if others := [name for name in found if name not in (*checkpoints.FILES, SETTINGS, CARD)]:
        raise InputError(f"{folder} holds more than a classifier ({named(others, 3)}): name another folder")
    if found and not force:
        raise InputError(f"{folder} holds a model already: name another folder, or replace it with --force")
    check_writable(folder.absolute().parent)
    return folder


def save_classifier(
    folder: str | Path, model: BertForClassification, tokenizer: WordPieceTokenizer, settings: dict,
    card: str, force: bool = False,
) -> None:  # fmt: skip
    """Write model, settings and card, all or nothing; InputError or CheckpointError where that fails."""
    folder = check_folder(folder, force).resolve()
    with explained(folder, "written"), unfinished_folder(folder) as unfinished:
        checkpoints.save(model, tokenizer, unfinished / "model")
        for name in checkpoints.FILES:
            (unfinished / "model" / name).rename(unfinished / name)
        (unfinished / "model").rmdir()
        # safetensors closes its file to others; they may read it as they may read the rest
        (unfinished / "model.safetensors").chmod((unfinished / "config.json").stat().st_mode)
        content = json.dumps(settings, indent=2, ensure_ascii=False) + "\n"
        (unfinished / SETTINGS).write_text(content, encoding="utf-8", newline="\n")
        (unfinished / CARD).write_text(card, encoding="utf-8", newline="\n")
        check_folder(folder, force)  # it may have been made since


def load_classifier(folder: str | Path) -> Classifier:
    """The classifier in a folder, also one that the Transformers library saved, without settings.

    InputError for a model of another kind and settings that can't be read, CheckpointError for weights that
    can't be.
    """
    folder = Path(folder).expanduser()
    model, tokenizer = checkpoints.load(folder)
    if not isinstance(model, BertForClassification):
        raise InputError(
            f"{folder} holds a {type(model).__name__}, no classifier: make one with the command train"
        )
    most = model.bert.config.max_positions
    settings = DEFAULTS | {"max_length": min(DEFAULTS["max_length"], most)}
    path = folder / SETTINGS
    if path.exists():
        try:
            with explained(path, "read"):
                settings |= json.loads(path.read_text(encoding="utf-8-sig"))
        except (ValueError, TypeError, RecursionError) as error:
            raise InputError(f"{path} is damaged ({error}): train the classifier anew") from None
    length, second = settings["max_length"], settings["second"]
    if type(length) is not int or not 3 <= length <= most:
        raise InputError(f"{path}: max_length is {length!r}, expected a whole number from 3 to {most}")
    if not isinstance(second, str | None) or not isinstance(settings["merge_labels"], bool):
        raise InputError(f"{path}: second must be null or a column, merge_labels true or false")
    return Classifier(model, tokenizer, settings)


def load_start(name: str) -> tuple:
    """A pretrained encoder by folder or name, its tokenizer, and what of it is left out, as sentences.

    CheckpointError and DataError say why there is none.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", checkpoints.LeftOutWarning)
        model, tokenizer = checkpoints.load(name, architecture="BertModel")
    notes = [str(each.message) for each in caught if issubclass(each.category, checkpoints.LeftOutWarning)]
    return model, tokenizer, notes
