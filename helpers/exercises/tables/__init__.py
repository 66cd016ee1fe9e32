"""The exercises and questions, one file (or folder) for each notebook, under its name without the number.

A table defines EXERCISES, a tuple of Exercise, and QUESTIONS, a tuple of Question; either may be left out. It
is read when something of its notebook is asked for; one that can't be read leaves the others as they are.
"""

import importlib
import importlib.util
from collections.abc import Iterator
from types import ModuleType

from helpers.exercises.exercise import Exercise
from helpers.exercises.question import Question

__all__ = ["NOTEBOOKS", "EXERCISES", "QUESTIONS", "table", "problems"]

NOTEBOOKS = {
    0: "start_here",
    1: "wordpiece_tokenization",
    2: "training_a_vocabulary",
    3: "input_embeddings",
    4: "self_attention",
    5: "encoder",
    6: "mlm_pretraining",
    7: "what_pretraining_teaches",
    8: "classification_fine_tuning",
    9: "evaluation_and_explanation",
    10: "attention_views",
    11: "bert_with_transformers",
    12: "your_own_table",
    13: "token_tagging",
    14: "semantic_search",
    15: "question_answering",
    16: "summarization",
    17: "pretraining_at_scale",
    18: "smaller_and_faster",
    19: "after_bert",
    20: "a_bert_that_writes",
}

_failed: dict[int, str] = {}


def table(notebook: int) -> ModuleType | None:
    """The module with the exercises of a notebook; None where there is none, or where it can't be read."""
    name = f"{__name__}.{NOTEBOOKS.get(notebook, '')}"
    if notebook not in NOTEBOOKS or importlib.util.find_spec(name) is None:
        return None
    try:
        module = importlib.import_module(name)
        _check(module, notebook)
    except Exception as error:
        _failed[notebook] = f"the exercises of notebook {notebook} can't be read ({error!r})"
        return None
    _failed.pop(notebook, None)
    return module


def _check(module: ModuleType, notebook: int) -> None:
    """ValueError for what is no entry of this notebook, or has the id of another."""
    for attribute, kind in (("EXERCISES", Exercise), ("QUESTIONS", Question)):
        seen = set()
        for entry in getattr(module, attribute, ()):
            if not isinstance(entry, kind) or entry.notebook != notebook or entry.id in seen:
                raise ValueError(f"{getattr(entry, 'id', entry)!r} of {attribute} is doubled or misplaced")
            seen.add(entry.id)


def problems() -> dict[int, str]:
    """{notebook: sentence} for each table that can't be read."""
    for notebook in NOTEBOOKS:
        table(notebook)
    return dict(_failed)


class _Tables(dict):
    """{id: what a table holds}, filled notebook by notebook as ids are asked for."""

    def __init__(self, attribute: str):
        super().__init__()
        self._attribute, self._read = attribute, set()

    def _read_notebook(self, notebook: int) -> None:
        if notebook not in self._read and (module := table(notebook)) is not None:
            super().update((entry.id, entry) for entry in getattr(module, self._attribute, ()))
            self._read.add(notebook)

    def _read_all(self) -> None:
        for notebook in NOTEBOOKS:
            self._read_notebook(notebook)
        in_order = sorted(super().items(), key=lambda pair: pair[1].notebook)
        if [name for name, _ in in_order] != list(super().keys()):
            super().clear()
            super().update(in_order)

    def __contains__(self, key: object) -> bool:
        number = str(key).partition(".")[0]
        if number.isdigit():
            self._read_notebook(int(number))
        return super().__contains__(key)

    def __getitem__(self, key: str):
        if key not in self:
            raise KeyError(key)
        return super().__getitem__(key)

    def get(self, key: str, default=None):
        return self[key] if key in self else default

    def __iter__(self) -> Iterator[str]:
        self._read_all()
        return super().__iter__()

    def __len__(self) -> int:
        self._read_all()
        return super().__len__()

    def keys(self):
        self._read_all()
        return super().keys()

    def values(self):
        self._read_all()
        return super().values()

    def items(self):
        self._read_all()
        return super().items()


EXERCISES: dict[str, Exercise] = _Tables("EXERCISES")
QUESTIONS: dict[str, Question] = _Tables("QUESTIONS")
