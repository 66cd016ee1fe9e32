"""Callbacks for training: what a learner's loop may do after each step, beside learning.

Support code. Resuming a run that was cut is not here.
"""

import copy
from collections.abc import Callable
from pathlib import Path

from torch import nn

from helpers import checkpoints
from helpers.wordpiece import WordPieceTokenizer

__all__ = ["keep_latest"]


def keep_latest(
    folder: str | Path, model: nn.Module, tokenizer: WordPieceTokenizer, every: int = 50
) -> Callable[[int, object], None]:
    """An `on_step` for `pretrain`: keeps the model of each `every`-th step in the folder, once proved good.

    The loss of a step tells about the weights before that step. So weights are set aside, and written only
    when the next step has found their loss finite. The folder always holds one whole checkpoint: a run that
    stops on a loss that is not finite, or is killed, leaves it as it is, for `checkpoints.load`. The last
    weights of a run are yours to save once you have measured them. Raises ValueError for `every` below 1.
    """
    if every < 1:
        raise ValueError(f"every must be at least 1 step, not {every}")
    waiting = []

    def save(step: int, losses: object) -> None:
        if waiting:  # the loop calls this only after a finite loss
            checkpoints.save(waiting.pop(), tokenizer, folder)
        if step % every == 0:
            waiting.append(copy.deepcopy(model))

    return save
