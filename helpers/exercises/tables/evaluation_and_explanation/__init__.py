"""Notebook 9: intervals and tests, raters, calibration, gradients along a path, segments."""

from helpers.exercises.tables.evaluation_and_explanation import (
    calibration,
    intervals,
    questions,
    raters,
    words,
)

EXERCISES = (*intervals.EXERCISES, *raters.EXERCISES, *calibration.EXERCISES, *words.EXERCISES)
QUESTIONS = questions.QUESTIONS
