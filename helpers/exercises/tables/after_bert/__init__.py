"""Notebook 19: a file for each exercise, the published bug, and the questions.

angles     19.1: by how much each pair is turned at each place
rotation   19.2: the pairs turned
published  a bug of rotary positions, as it was published
layouts    19.b1: the bug, to be found and mended
gated      19.3: the gated feed-forward block
windows    19.4: who sees whom in a local layer
pre_norm   19.5: a layer that normalizes before each block
questions  what to guess before it is shown
"""

from helpers.exercises.tables.after_bert import (
    angles,
    gated,
    layouts,
    pre_norm,
    questions,
    rotation,
    windows,
)

EXERCISES = tuple(each.EXERCISE for each in (angles, rotation, layouts, gated, windows, pre_norm))
QUESTIONS = questions.QUESTIONS
