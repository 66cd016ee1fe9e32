"""Notebook 4: softmax, attention, masks, heads, the module, and three published bugs.

softmax  softmax that does not overflow
plain  self-attention without anything learned
loops  attention, one number at a time
matrices  attention with matrix products, mask and dropout
masks  the mask of keys
split  heads split
join  heads joined
parts  MultiHeadSelfAttention.__init__: what it is made of
forward  MultiHeadSelfAttention.forward: what it computes
contributions  what each head adds
shares  how far away a head looks
broken  the programs with the bugs
bugs  their checks
questions  what to guess before a cell shows it
"""

from helpers.exercises.tables.self_attention import (
    bugs,
    contributions,
    forward,
    join,
    loops,
    masks,
    matrices,
    parts,
    plain,
    questions,
    shares,
    softmax,
    split,
)

EXERCISES = (
    softmax.EXERCISE,
    plain.EXERCISE,
    loops.EXERCISE,
    matrices.EXERCISE,
    masks.EXERCISE,
    split.EXERCISE,
    join.EXERCISE,
    parts.EXERCISE,
    forward.EXERCISE,
    contributions.EXERCISE,
    shares.EXERCISE,
)
EXERCISES += bugs.EXERCISES
QUESTIONS = questions.QUESTIONS
