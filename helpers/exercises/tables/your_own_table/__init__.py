"""Notebook 12: rows and labels, measures, three published faults, and questions before the output."""

from helpers.exercises.tables.your_own_table import deciding, faults, measuring, questions, rows

EXERCISES = (*rows.EXERCISES, *measuring.EXERCISES, *deciding.EXERCISES, *faults.EXERCISES)
QUESTIONS = questions.QUESTIONS
