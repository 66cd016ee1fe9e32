"""Notebook 18: students, pruning, thin matrices, 8-bit numbers, two published faults, questions."""

from helpers.exercises.tables.smaller_and_faster import faults, numbers, pruning, questions, students, thin

EXERCISES = (
    *students.EXERCISES,
    *pruning.EXERCISES,
    *thin.EXERCISES,
    *numbers.EXERCISES,
    *faults.EXERCISES,
)
QUESTIONS = questions.QUESTIONS
