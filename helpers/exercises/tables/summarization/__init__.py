"""Notebook 16: sentences chosen, ROUGE, ranks, a decoder's attention, two published bugs, questions."""

from helpers.exercises.tables.summarization import (
    bugs,
    choosing,
    decoding,
    greedy,
    measuring,
    questions,
    ranking,
)

EXERCISES = (
    choosing.EXERCISES[0],
    *measuring.EXERCISES,
    *ranking.EXERCISES,
    *greedy.EXERCISES,
    *choosing.EXERCISES[1:],
    *decoding.EXERCISES,
    *bugs.EXERCISES,
)
QUESTIONS = questions.QUESTIONS
