"""Notebook 11: three published faults, and questions before the output."""

from helpers.exercises.tables.bert_with_transformers.faults import EXERCISES
from helpers.exercises.tables.bert_with_transformers.questions import QUESTIONS

__all__ = ["EXERCISES", "QUESTIONS"]
