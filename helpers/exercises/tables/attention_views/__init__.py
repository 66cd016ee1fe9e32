"""Notebook 10: where heads look, what they hand on, rollout, heads switched off, other weights."""

from helpers.exercises.tables.attention_views import altering, looking, passing
from helpers.exercises.tables.attention_views.questions import QUESTIONS

EXERCISES = (*looking.EXERCISES, *passing.EXERCISES, *altering.EXERCISES)

__all__ = ["EXERCISES", "QUESTIONS"]
