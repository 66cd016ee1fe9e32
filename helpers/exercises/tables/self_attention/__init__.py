"""Notebook 4: softmax, attention, masks, heads, the module, and three published bugs.

softmax  weights from scores, and attention without anything learned
core  attention with loops and with matrix products, the mask of keys
heads  split and joined; what each adds, how far away it looks
module  MultiHeadSelfAttention in two parts
broken  the programs with the bugs
bugs  their checks
questions  what to guess before a cell shows it
"""

from helpers.exercises.tables.self_attention import bugs, core, heads, module, questions, softmax

EXERCISES = softmax.EXERCISES + core.EXERCISES + heads.EXERCISES_OF_SHAPES
EXERCISES += module.EXERCISES + heads.EXERCISES_OF_MEANING + bugs.EXERCISES
QUESTIONS = questions.QUESTIONS
