"""Notebook 14: vectors of texts, search, ranks, joined rankings, pairs; two published faults."""

from helpers.exercises.tables.semantic_search.faults import EXERCISES as _FAULTS
from helpers.exercises.tables.semantic_search.pairs import EXERCISES as _PAIRS
from helpers.exercises.tables.semantic_search.questions import QUESTIONS
from helpers.exercises.tables.semantic_search.ranking import EXERCISES as _RANKING
from helpers.exercises.tables.semantic_search.vectors import EXERCISES as _VECTORS

__all__ = ["EXERCISES", "QUESTIONS"]

EXERCISES = _VECTORS + _RANKING + _PAIRS + _FAULTS
