"""Notebook 13: cases, the head, words and pieces, the loss, windows, scores, entities; two published bugs."""

from helpers.exercises.tables.token_tagging import bugs, head, places, questions, scores, words

_ALL = (*words.EXERCISES, *head.EXERCISES, *places.EXERCISES, *scores.EXERCISES, *bugs.EXERCISES)
EXERCISES = tuple(sorted(_ALL, key=lambda exercise: exercise.id))
QUESTIONS = questions.QUESTIONS
