"""Notebook 5: the encoder.

blocks         GELU and the feed-forward block
layer          one layer
first_weights  where the weights start
whole          the mask, the pooler, the whole encoder
loading        real weights by their names
comparing      how far two results are apart; evaluation mode
counting       parameters and multiply-adds
neighbors      nearest neighbors
repairs        three published bugs
questions      what to guess before it is shown
"""

from helpers.exercises.tables.encoder import (
    blocks,
    comparing,
    counting,
    first_weights,
    layer,
    loading,
    neighbors,
    repairs,
    whole,
)
from helpers.exercises.tables.encoder.questions import QUESTIONS

__all__ = ["EXERCISES", "QUESTIONS"]

EXERCISES = (
    *blocks.EXERCISES,
    *layer.EXERCISES,
    *first_weights.EXERCISES,
    *whole.EXERCISES,
    *loading.EXERCISES,
    *comparing.EXERCISES,
    *counting.EXERCISES,
    *neighbors.EXERCISES,
    *repairs.EXERCISES,
)
