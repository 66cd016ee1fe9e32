"""Notebook 18: students, pruning, thin matrices, 8-bit numbers, two published faults, questions."""

from helpers.exercises.tables.smaller_and_faster import (
    faults,
    layers,
    merged,
    merging,
    numbers,
    pruning,
    questions,
    ranks,
    soft,
    students,
    thin,
)

EXERCISES = (
    *soft.EXERCISES,
    *layers.EXERCISES,
    *students.EXERCISES,
    *pruning.EXERCISES,
    *thin.EXERCISES,
    *merged.EXERCISES,
    *numbers.EXERCISES,
    *ranks.EXERCISES,
    *faults.EXERCISES,
    *merging.EXERCISES,
)
QUESTIONS = questions.QUESTIONS
