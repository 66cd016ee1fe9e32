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
    17: "pretraining_at_scale",
}

_failed: dict[int, str] = {}


def table(notebook: int) -> ModuleType | None:
    """The module with the exercises of a notebook; None where there is none, or where it can't be read."""
    name = f"{__name__}.{NOTEBOOKS.get(notebook, '')}"
    if notebook not in NOTEBOOKS or importlib.util.find_spec(name) is None:
        return None
    try:
        module = importlib.import_module(name)
    except Exception as error:
        _failed[notebook] = f"the exercises of notebook {notebook} can't be read ({error!r})"
        return None
    _failed.pop(notebook, None)
    return module


def problems() -> dict[int, str]:
    """{notebook: sentence} for each table that can't be read."""
    for notebook in NOTEBOOKS:
        table(notebook)
    return dict(_failed)


class _Tables(dict):
    """{id: what a table holds}, filled notebook by notebook as ids are asked for."""

    def __init__(self, attribute: str, kind: type):
        super().__init__()
        self._attribute, self._kind, self._read = attribute, kind, set()

    def _read_notebook(self, notebook: int) -> None:
        if notebook in self._read:
            return
        module = table(notebook)
        if module is None:
            return
        for entry in getattr(module, self._attribute, ()):
            known = isinstance(entry, self._kind) and entry.id not in self.keys_so_far()
            if not known or entry.notebook != notebook:
                raise ValueError(
                    f"{module.__name__}: {getattr(entry, 'id', entry)!r} is doubled or misplaced"
                )
            super().__setitem__(entry.id, entry)
        self._read.add(notebook)

    def _read_all(self) -> None:
        for notebook in NOTEBOOKS:
            self._read_notebook(notebook)

    def keys_so_far(self) -> list[str]:
        return list(super().keys())

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


EXERCISES: dict[str, Exercise] = _Tables("EXERCISES", Exercise)
QUESTIONS: dict[str, Question] = _Tables("QUESTIONS", Question)
