"""Notebook 5: the encoder.

blocks     GELU, feed-forward block, layer
whole      the first weights, the mask, the pooler, the whole encoder
loading    real weights, comparing, evaluation mode
counting   parameters, multiply-adds, nearest neighbors
repairs    three published bugs
questions  what to guess before it is shown
"""

from helpers.exercises.tables.encoder import blocks, counting, loading, repairs, whole
from helpers.exercises.tables.encoder.questions import QUESTIONS

__all__ = ["EXERCISES", "QUESTIONS"]

EXERCISES = (
    *blocks.EXERCISES,
    *whole.EXERCISES,
    *loading.EXERCISES,
    *counting.EXERCISES,
    *repairs.EXERCISES,
)
