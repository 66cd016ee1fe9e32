"""Weights as the library names them, compared with a configuration, and copied.

Support code.
"""

import re
from collections.abc import Iterable, Mapping

import torch

from helpers.checkpoints.configuration import CheckpointError
from helpers.encoder import BertConfig

# The token head's matrix and bias are tied to weights that stand elsewhere; some files hold them twice.
TIED = {
    "cls.predictions.decoder.weight": "embeddings.word_embeddings.weight",
    "cls.predictions.decoder.bias": "cls.predictions.bias",
}


def check_layers(config: BertConfig, theirs: Mapping[str, torch.Tensor]) -> None:
    """Refuse sizes that are not those of the weights, before a model of these sizes is built."""
    shapes = {name.removeprefix("bert."): tensor.shape for name, tensor in theirs.items()}
    for name, rows, columns in (
        ("embeddings.word_embeddings.weight", config.vocab_size, config.hidden_size),
        ("embeddings.position_embeddings.weight", config.max_positions, config.hidden_size),
        ("embeddings.token_type_embeddings.weight", config.num_segments, config.hidden_size),
        ("encoder.layer.0.intermediate.dense.weight", config.intermediate_size, config.hidden_size),
    ):
        if name not in shapes:
            raise missing(name)
        check_shape(name, shapes[name], (rows, columns))
    stored = {int(name.split(".")[2]) for name in shapes if re.match(r"encoder\.layer\.\d+\.", name)}
    if config.num_layers > len(stored):
        raise missing(f"encoder.layer.{len(stored)}.attention.self.query.weight")
    if config.num_layers < len(stored):
        raise CheckpointError(
            f"the checkpoint holds the weights of {len(stored)} layers, the configuration asks for "
            f"{config.num_layers}: they do not belong together"
        )


def copied(name: str, tensor: torch.Tensor, dtype: torch.dtype | None = None) -> torch.Tensor:
    """A copy on the same device; CheckpointError for whole, complex, infinite or undefined numbers."""
    found = tensor.detach()
    if found.is_floating_point():
        found = found.to(dtype or found.dtype, copy=True)
    if not found.is_floating_point():
        raise CheckpointError(f"the weight {name} holds {found.dtype}, not floating-point numbers")
    if not torch.isfinite(found if found.dtype.itemsize > 2 else found.float()).all():
        what = f"as {found.dtype}, " if found.dtype != tensor.dtype else ""
        raise CheckpointError(
            f"the weight {name} is not finite: {what}it holds infinite numbers or NaN. Go back to a "
            "checkpoint from before"
        )
    return found


def check_tied(theirs: Mapping[str, torch.Tensor]) -> None:
    """Refuse a token head with a matrix or bias of its own."""
    for name, other in TIED.items():
        key = next((key for key in (f"bert.{other}", other) if key in theirs), None)
        if name in theirs and key and not torch.equal(theirs[name], theirs[key]):
            raise CheckpointError(
                f"{name} is not {other}: our token head shares its weights with the token embeddings, this "
                "one has weights of its own (tie_word_embeddings=False). Use the library for this model"
            )


def check_shape(name: str, found: torch.Size, wanted: Iterable[int]) -> None:
    """Refuse a weight of another shape than the configuration asks for."""
    if tuple(found) != tuple(wanted):
        raise CheckpointError(
            f"the weight {name} has the shape {tuple(found)}, the configuration asks for {tuple(wanted)}: "
            "they do not belong together"
        )


def missing(name: str) -> CheckpointError:
    """What to say of a weight that is not there."""
    if "pooler." in name:
        return CheckpointError(
            f"the weight {name} is missing: the checkpoint has no pooler (BertForMaskedLM and models for "
            "single tokens have none), and ours needs one. Open it with the library's AutoModel, which "
            "draws a new one, and save or convert that"
        )
    return CheckpointError(f"the weight {name} is missing: the checkpoint is of another kind of model")
