"""Notebook 6: a file for each exercise, the three published bugs, and the questions."""

from helpers.exercises.tables.mlm_pretraining import (
    batches,
    bugs,
    choosing,
    corrupting,
    floor,
    groups,
    heads,
    loop,
    loss,
    measuring,
    mixing,
    pairs,
    places,
    questions,
    schedule,
    unigrams,
    update,
)

WRITE = (
    places,
    choosing,
    corrupting,
    pairs,
    batches,
    heads,
    loss,
    groups,
    schedule,
    update,
    loop,
    measuring,
    unigrams,
    mixing,
    floor,
)
EXERCISES = (*(each.EXERCISE for each in WRITE), *bugs.EXERCISES)
QUESTIONS = questions.QUESTIONS
