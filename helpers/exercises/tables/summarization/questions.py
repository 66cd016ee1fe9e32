"""Notebook 16: questions before the output."""


QUESTIONS = ()
