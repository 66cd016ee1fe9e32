"""Notebook 3: tables whose rows are looked up, positions, their sum, LayerNorm, dropout.

rows  one-hot vectors, the gradient of a table, cosines
positions  sines and cosines, similarity by distance, the sum of three tables
norm  LayerNorm and dropout
module  BertEmbeddings in two parts
questions  what to guess before a cell shows it
"""

from helpers.exercises.tables.input_embeddings import module, norm, positions, questions, rows

EXERCISES = rows.EXERCISES + positions.EXERCISES + norm.EXERCISES + module.EXERCISES
QUESTIONS = questions.QUESTIONS
