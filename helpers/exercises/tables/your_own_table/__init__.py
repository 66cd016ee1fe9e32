"""Notebook 12: rows and labels, measures, three published faults, and questions before the output."""

from helpers.exercises.tables.your_own_table import faults, measuring, questions, rows

EXERCISES = (*rows.EXERCISES, *measuring.EXERCISES, *faults.EXERCISES)
QUESTIONS = questions.QUESTIONS
