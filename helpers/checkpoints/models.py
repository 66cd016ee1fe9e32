"""Our models for the library's and back, as copies that are checked.

Support code. Nothing here touches a file.
"""

import re
import warnings
from collections.abc import Iterable, Mapping

import torch
from torch import nn

from helpers.checkpoints.configuration import (
    CheckpointError,
    Model,
    classes_of,
    classifier_dropout,
    lost_dropout,
    our_config,
    their_config,
)
from helpers.checkpoints.names import counterparts, their_name
from helpers.classification import BertForClassification
from helpers.encoder import Bert, BertConfig
from helpers.pretraining import BertForPreTraining

# The token head's matrix and bias are tied to weights that stand elsewhere; some files hold them twice.
TIED = {
    "cls.predictions.decoder.weight": "embeddings.word_embeddings.weight",
    "cls.predictions.decoder.bias": "cls.predictions.bias",
}
COUNTERS = ("embeddings.position_ids", "embeddings.token_type_ids")  # no weights: older files store them


class LeftOutWarning(UserWarning):
    """Something of a checkpoint has no place in our model: a head, or a rate of dropout."""


def build(config: dict) -> Model:
    """A model of ours for a config.json, without memory for its weights; `architectures` names the heads."""
    ours = our_config(config)
    architecture = (config.get("architectures") or ["BertModel"])[0]
    with torch.device("meta"):  # no memory, no random numbers: the weights come from the checkpoint
        bert = Bert(ours)
        if architecture == "BertForPreTraining":
            return BertForPreTraining(bert)
        if architecture == "BertForSequenceClassification":
            count, names = classes_of(config)
            return BertForClassification(bert, count, classifier_dropout(config), labels=names)
        return bert


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
            raise _missing(name)
        _check_shape(name, shapes[name], (rows, columns))
    stored = {int(name.split(".")[2]) for name in shapes if re.match(r"encoder\.layer\.\d+\.", name)}
    if config.num_layers > len(stored):
        raise _missing(f"encoder.layer.{len(stored)}.attention.self.query.weight")
    if config.num_layers < len(stored):
        raise CheckpointError(
            f"the checkpoint holds the weights of {len(stored)} layers, the configuration asks for "
            f"{config.num_layers}: they do not belong together"
        )


def check_readable(config: dict, model: Model) -> None:
    """Refuse a model that could not be built again from its config.json: odd numbers, other shapes."""
    try:
        wanted = {name: place.shape for name, place in build(config).state_dict().items()}
    except ValueError as error:
        raise CheckpointError(f"the model could not be loaded again: {error}") from None
    found = {name: tensor.shape for name, tensor in model.state_dict().items()}
    if differing := wanted.keys() ^ found.keys():
        raise CheckpointError(
            f"the model is not what its configuration says: one of the two has no {min(differing)}"
        )
    for name, shape in found.items():
        _check_shape(their_name(name), shape, wanted[name])


def fill(model: nn.Module, theirs: dict[str, torch.Tensor], dtype: torch.dtype | None = None) -> list[str]:
    """Give a model from `build` copies of the library's weights; returns the names of those left out.

    These are foreign heads. Raises CheckpointError naming a weight that is missing, has another shape than
    the configuration says, is not finite, or belongs to the encoder and has no place in the model.
    """
    state, used = {}, set()
    for name, place in model.state_dict().items():
        wanted = their_name(name)
        key = next((key for key in (wanted, f"bert.{wanted}") if key in theirs), None)
        if key is None:
            raise _missing(wanted)
        _check_shape(wanted, theirs[key].shape, place.shape)
        state[name] = copied(wanted, theirs[key], dtype)
        used.add(key)
    left = [name for name in theirs if name not in used and name.removeprefix("bert.") not in COUNTERS]
    if hasattr(model, "token_bias"):
        _check_tied(theirs)
        left = [name for name in left if name not in TIED]
    stray = [name for name in left if re.match(r"(bert\.)?(embeddings|encoder|pooler)\.", name)]
    if stray:
        raise CheckpointError(
            f"{len(stray)} weights of the encoder have no place in this model, such as {stray[0]}: "
            "configuration and weights do not belong together"
        )
    model.load_state_dict(state, assign=True)
    return left


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


def warn_of(left: Iterable[str], config: dict, stacklevel: int) -> None:
    """Say which heads were left out, if any, and a dropout of their config.json that is lost."""
    if lost := lost_dropout(config):
        warnings.warn(lost, LeftOutWarning, stacklevel=stacklevel + 1)
    heads = dict.fromkeys(".".join(name.split(".")[: 2 if name.startswith("cls.") else 1]) for name in left)
    if heads:
        message = f"left out, since our model has no place for them: {', '.join(heads)}"
        warnings.warn(message, LeftOutWarning, stacklevel=stacklevel + 1)


def from_transformers(hf_model: nn.Module) -> Model:
    """Our model with the weights of a `transformers` BERT, copied: dtype, device, what is frozen, modes.

    BertForPreTraining and BertForSequenceClassification keep their heads, other classes give the encoder
    alone, with a LeftOutWarning, as has a dropout of attention unlike the rest's. Raises CheckpointError for
    models that are no plain BERT, have no pooler, classify several labels at once or none (problem_type), or
    whose token head is not tied to the token embeddings.
    """
    if not hasattr(getattr(hf_model, "config", None), "to_dict"):
        raise CheckpointError(
            f"{type(hf_model).__name__} is no model of the Transformers library: give a BertModel, "
            "BertForPreTraining or BertForSequenceClassification"
        )
    config = hf_model.config.to_dict() | {"architectures": [type(hf_model).__name__]}
    weights = hf_model.state_dict()
    check_layers(our_config(config), weights)
    model = build(config)
    warn_of(fill(model, weights), config, stacklevel=2)
    learns = {name.removeprefix("bert."): weight.requires_grad for name, weight in hf_model.named_parameters()}
    for name, weight in model.named_parameters():
        weight.requires_grad_(learns[their_name(name).removeprefix("bert.")])
    model.train(hf_model.training)
    for part, others in counterparts(model, hf_model):
        part.train(others[-1].training)
    return model


def to_transformers(model: Model) -> nn.Module:
    """The `transformers` model of the same class with copies of our weights, each of the same dtype.

    Device, what is frozen and every part's mode are the same, too. Its attention is the eager one, which can
    return probabilities.
    """
    import transformers

    settings = their_config(model)
    config = transformers.BertConfig(**settings, attn_implementation="eager")
    theirs = getattr(transformers, settings["architectures"][0])(config).to(next(model.parameters()).device)
    renamed = {their_name(name): tensor for name, tensor in model.state_dict(keep_vars=True).items()}
    for name, place in theirs.named_parameters():
        if name in renamed:
            place.data = place.data.to(renamed[name].dtype)
            place.requires_grad_(renamed[name].requires_grad)
    result = theirs.load_state_dict(renamed, strict=False)
    left = [key for key in result.missing_keys if key not in TIED]
    if left or result.unexpected_keys:
        raise CheckpointError(
            f"the weights do not fit: missing {left[:3]}, unexpected {result.unexpected_keys[:3]}"
        )
    theirs.train(model.training)
    for part, others in counterparts(model, theirs):
        for other in others:
            other.train(part.training)
    return theirs


def _check_tied(theirs: dict[str, torch.Tensor]) -> None:
    for name, other in TIED.items():
        key = next((key for key in (f"bert.{other}", other) if key in theirs), None)
        if name in theirs and key and not torch.equal(theirs[name], theirs[key]):
            raise CheckpointError(
                f"{name} is not {other}: our token head shares its weights with the token embeddings, this "
                "one has weights of its own (tie_word_embeddings=False). Use the library for this model"
            )


def _check_shape(name: str, found: torch.Size, wanted: Iterable[int]) -> None:
    if tuple(found) != tuple(wanted):
        raise CheckpointError(
            f"the weight {name} has the shape {tuple(found)}, the configuration asks for {tuple(wanted)}: "
            "they do not belong together"
        )


def _missing(name: str) -> CheckpointError:
    if "pooler." in name:
        return CheckpointError(
            f"the weight {name} is missing: the checkpoint has no pooler (BertForMaskedLM and models for "
            "single tokens have none), and ours needs one. Open it with the library's AutoModel, which "
            "draws a new one, and save or convert that"
        )
    return CheckpointError(f"the weight {name} is missing: the checkpoint is of another kind of model")
