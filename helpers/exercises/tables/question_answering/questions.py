"""Notebook 15: questions before their answers."""

QUESTIONS = ()
