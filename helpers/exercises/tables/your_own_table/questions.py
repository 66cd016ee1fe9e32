"""Notebook 12: questions before the output."""

from helpers.exercises.question import Question

QUESTIONS = ()
