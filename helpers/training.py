"""Callbacks for training: what a learner's loop may do after each step, beside learning.

Support code. Resuming a run that was cut is not here.
"""

from collections.abc import Callable
from pathlib import Path

from torch import nn

from helpers import checkpoints
from helpers.wordpiece import WordPieceTokenizer

__all__ = ["keep_latest"]


def keep_latest(
    folder: str | Path, model: nn.Module, tokenizer: WordPieceTokenizer, every: int = 50
) -> Callable[[int, object], None]:
    """An `on_step` for `pretrain`: writes the model to the folder after every `every` steps.

    The folder always holds one whole checkpoint, the latest: a run that stops on a loss that is not finite,
    or is killed, leaves it as it is, for `checkpoints.load`. Raises ValueError for `every` below 1.
    """
    if every < 1:
        raise ValueError(f"every must be at least 1 step, not {every}")

    def save(step: int, losses: object) -> None:
        if step % every == 0:
            checkpoints.save(model, tokenizer, folder)

    return save
