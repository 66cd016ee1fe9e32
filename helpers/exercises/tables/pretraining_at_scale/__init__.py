"""Notebook 17: a file for each exercise, and the questions."""

from helpers.exercises.tables.pretraining_at_scale import (
    bias,
    operations,
    packing,
    questions,
    schedule,
    shares,
    words,
)

EXERCISES = tuple(each.EXERCISE for each in (words, packing, schedule, bias, shares, operations))
QUESTIONS = questions.QUESTIONS
