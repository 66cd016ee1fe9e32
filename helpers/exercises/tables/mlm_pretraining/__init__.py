"""Notebook 6: masking, sentence pairs, heads and loss, training, counts, and three published bugs."""

from helpers.exercises.tables.mlm_pretraining import (
    bugs,
    counting,
    heads,
    masking,
    pairs,
    questions,
    training,
)

EXERCISES = (
    *masking.EXERCISES,
    *pairs.EXERCISES,
    *heads.EXERCISES,
    *training.EXERCISES,
    *counting.EXERCISES,
    *bugs.EXERCISES,
)
QUESTIONS = questions.QUESTIONS
