"""From the folder of `scripts/classify.py train` to a service that is ready."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from helpers.checkpoints.files import WEIGHTS
from helpers.data.files import sha256_of
from helpers.everyday import InputError, load_classifier
from helpers.everyday.examples import Pair
from helpers.serving.answers import answer_pairs
from helpers.serving.batching import Batcher
from helpers.serving.limits import Limits

__all__ = ["Service", "load_service"]


@dataclass(frozen=True)
class Service:
    """What is served: the folder's name, its classes, whether it reads pairs, a version of its weights."""

    model: str
    classes: tuple[str, ...]
    pairs: bool
    version: str
    limits: Limits
    batcher: Batcher


def load_service(
    folder: str | Path, limits: Limits, *, batch_size: int = 32, wait: float = 0.0, threads: int = 2,
    device: str = "cpu",
) -> Service:  # fmt: skip
    """A classifier with its queue, after one answer as a trial. wait: seconds.

    version: the first twelve digits of the SHA-256 of the weights. InputError and CheckpointError as in
    `load_classifier`, and InputError where the model's answer is not finite.
    """
    classifier = load_classifier(folder)
    classifier.model.to(device)
    pairs = classifier.settings["second"] is not None
    (trial,) = answer_pairs(classifier, [Pair("a", "a" if pairs else None)])
    if isinstance(trial, Exception):
        raise InputError(f"the classifier in {folder} can't be used ({trial}): train it anew")
    path = Path(folder).expanduser()
    return Service(
        model=path.resolve().name, classes=classifier.names, pairs=pairs,
        version=sha256_of(path / WEIGHTS)[:12], limits=limits,
        batcher=Batcher(
            partial(answer_pairs, classifier), most=batch_size, wait=wait, room=limits.waiting,
            begin=partial(torch.set_num_threads, threads),
        ),
    )  # fmt: skip
