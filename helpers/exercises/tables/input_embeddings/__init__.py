"""Notebook 3: tables whose rows are looked up, positions, their sum, LayerNorm, dropout.

one_hot  one-hot vectors
gradients  what a table of embeddings learns
cosines  the cosine of every row with every row
sinusoids  positions from sines and cosines
distances  how alike rows are that are so many places apart
sums  the sum of token, position and segment
layer_norm  LayerNorm by hand
dropout  dropout by hand
parts  BertEmbeddings.__init__: what it is made of
forward  BertEmbeddings.forward: what it computes
questions  what to guess before a cell shows it
"""

from helpers.exercises.tables.input_embeddings import (
    cosines,
    distances,
    dropout,
    forward,
    gradients,
    layer_norm,
    one_hot,
    parts,
    questions,
    sinusoids,
    sums,
)

EXERCISES = (
    one_hot.EXERCISE,
    gradients.EXERCISE,
    cosines.EXERCISE,
    sinusoids.EXERCISE,
    distances.EXERCISE,
    sums.EXERCISE,
    layer_norm.EXERCISE,
    dropout.EXERCISE,
    parts.EXERCISE,
    forward.EXERCISE,
)
QUESTIONS = questions.QUESTIONS
