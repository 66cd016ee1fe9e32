"""Notebook 20: a file for each exercise, and the questions.

rates      20.1: tokens hidden at the rate of their text
diffusion  20.2: the loss of a text, weighted by its rate
revealing  20.3: which hidden places are filled in a step
questions  what to guess before it is shown
"""

from helpers.exercises.tables.a_bert_that_writes import diffusion, questions, rates, revealing

EXERCISES = (*rates.EXERCISES, *diffusion.EXERCISES, *revealing.EXERCISES)
QUESTIONS = questions.QUESTIONS
