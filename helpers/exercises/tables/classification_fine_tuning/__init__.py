"""Notebook 8: the classifier, its training, prediction, batches, learning rates, the loop; three published bugs."""

from helpers.exercises.tables.classification_fine_tuning import (
    batches,
    bugs,
    layers,
    loop,
    prediction,
    questions,
    training,
)

EXERCISES = (
    *training.EXERCISES,
    *prediction.EXERCISES,
    *batches.EXERCISES,
    *layers.EXERCISES,
    *loop.EXERCISES,
    *bugs.EXERCISES,
)
QUESTIONS = questions.QUESTIONS
