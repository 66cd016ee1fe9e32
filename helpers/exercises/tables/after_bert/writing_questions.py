"""Notebook 19: questions on writing and on the speedrun, before the output."""

QUESTIONS = ()
