"""Our models for the library's and back: the names of the weights, and copies that are checked.

Support code. Nothing here touches a file.
"""

import re
import warnings
from collections.abc import Iterable, Iterator

import torch
from torch import nn

from helpers.checkpoints.configuration import (
    ARCHITECTURES,
    WITHOUT_POOLER,
    CheckpointError,
    Model,
    classes_of,
    classifier_dropout,
    lost_dropout,
    our_config,
    their_config,
)
from helpers.checkpoints.weights import TIED, check_layers, check_shape, check_tied, copied, missing
from helpers.classification import BertForClassification
from helpers.encoder import Bert
from helpers.pretraining import BertForPreTraining
from helpers.reading import BertForQuestionAnswering
from helpers.tagging import BertForTagging

# Our name of a module or weight, and the library's; longer names first where one begins another.
NAMES = [
    ("embeddings.token", "embeddings.word_embeddings"),
    ("embeddings.position", "embeddings.position_embeddings"),
    ("embeddings.segment", "embeddings.token_type_embeddings"),
    ("embeddings.norm", "embeddings.LayerNorm"),
    ("attention_norm", "attention.output.LayerNorm"),
    ("attention.query", "attention.self.query"),
    ("attention.key", "attention.self.key"),
    ("attention.value", "attention.self.value"),
    ("attention.output", "attention.output.dense"),
    ("feed_forward_norm", "output.LayerNorm"),
    ("feed_forward.widen", "intermediate.dense"),
    ("feed_forward.narrow", "output.dense"),
    ("pooler", "pooler.dense"),
]
HEADS = [
    ("transform", "cls.predictions.transform.dense"),
    ("norm", "cls.predictions.transform.LayerNorm"),
    ("token_bias", "cls.predictions.bias"),
    ("next_sentence", "cls.seq_relationship"),
    ("span", "qa_outputs"),
]
COUNTERS = ("embeddings.position_ids", "embeddings.token_type_ids")  # no weights: older files store them


class LeftOutWarning(UserWarning):
    """Something of a checkpoint has no place in our model: a head, or a rate of dropout."""


def their_name(name: str) -> str:
    """The Transformers library's name for one of our weights.

    >>> their_name("bert.layers.0.feed_forward.widen.bias")
    'bert.encoder.layer.0.intermediate.dense.bias'
    """
    prefix = "bert." if name.startswith("bert.") else ""
    rest = name.removeprefix("bert.")
    for ours, theirs in [] if prefix else HEADS:
        if rest == ours or rest.startswith(ours + "."):
            return theirs + rest[len(ours) :]
    rest = re.sub(r"^layers\.(\d+)\.", r"encoder.layer.\1.", rest)
    for ours, theirs in NAMES:
        rest, found = re.subn(rf"(^|\.){re.escape(ours)}\.", rf"\g<1>{theirs}.", rest, count=1)
        if found:
            break
    return prefix + rest


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
        if architecture == "BertForTokenClassification":
            count, names = classes_of(config)
            return BertForTagging(bert, count, classifier_dropout(config), labels=names)
        if architecture == "BertForQuestionAnswering":
            return BertForQuestionAnswering(bert)
        return bert


def their_weights(model: Model) -> dict[str, torch.Tensor]:
    """A model's weights under the library's names, without those that its class in the library lacks."""
    state = model.state_dict(keep_vars=True)
    return {their_name(name): weight for name, weight in state.items() if not _is_lacking(name, model)}


def _is_lacking(name: str, model: nn.Module) -> bool:
    """Whether this is a weight of a pooler that the model's class in the library does not have."""
    lacks_pooler = ARCHITECTURES.get(type(model).__name__) in WITHOUT_POOLER
    return lacks_pooler and name.startswith("bert.pooler.")


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
        check_shape(their_name(name), shape, wanted[name])


def fill(model: nn.Module, theirs: dict[str, torch.Tensor], dtype: torch.dtype | None = None) -> list[str]:
    """Give a model from `build` copies of the library's weights; returns the names of those left out.

    These are foreign heads. A pooler that the model does not use, and that is not there, gets zeros. Raises
    CheckpointError naming a weight that is missing, has another shape than the configuration says, is not
    finite, or belongs to the encoder and has no place in the model.
    """
    state, used = {}, set()
    for name, place in model.state_dict().items():
        wanted = their_name(name)
        key = next((key for key in (wanted, f"bert.{wanted}") if key in theirs), None)
        if key is None and _is_lacking(name, model):
            like = next(iter(theirs.values()))
            state[name] = torch.zeros(place.shape, dtype=dtype or like.dtype, device=like.device)
            continue
        if key is None:
            raise missing(wanted)
        check_shape(wanted, theirs[key].shape, place.shape)
        state[name] = copied(wanted, theirs[key], dtype)
        used.add(key)
    left = [name for name in theirs if name not in used and name.removeprefix("bert.") not in COUNTERS]
    if hasattr(model, "token_bias"):
        check_tied(theirs)
        left = [name for name in left if name not in TIED]
    stray = [name for name in left if re.match(r"(bert\.)?(embeddings|encoder|pooler)\.", name)]
    if stray:
        raise CheckpointError(
            f"{len(stray)} weights of the encoder have no place in this model, such as {stray[0]}: "
            "configuration and weights do not belong together"
        )
    model.load_state_dict(state, assign=True)
    return left


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

    BertForPreTraining, BertForSequenceClassification, BertForTokenClassification and BertForQuestionAnswering
    keep their heads (of the last two the encoder gets a pooler of zeros); other classes give the encoder
    alone, with a LeftOutWarning, as has a dropout of attention unlike the rest's. Raises CheckpointError for
    models that are no plain BERT, need a pooler and have none, classify several labels at once or none
    (problem_type), or whose token head is not tied to the token embeddings.
    """
    if not hasattr(getattr(hf_model, "config", None), "to_dict"):
        raise CheckpointError(
            f"{type(hf_model).__name__} is no model of the Transformers library: give a BertModel, "
            "BertForPreTraining, BertForSequenceClassification, BertForTokenClassification or "
            "BertForQuestionAnswering"
        )
    config = hf_model.config.to_dict() | {"architectures": [type(hf_model).__name__]}
    weights = hf_model.state_dict()
    check_layers(our_config(config), weights)
    model = build(config)
    warn_of(fill(model, weights), config, stacklevel=2)
    theirs = {name.removeprefix("bert."): weight for name, weight in hf_model.named_parameters()}
    for name, weight in model.named_parameters():
        other = theirs.get(their_name(name).removeprefix("bert."))
        weight.requires_grad_(other is None or other.requires_grad)  # None: a pooler of ours alone
    model.train(hf_model.training)
    for part, others in _counterparts(model, hf_model):
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
    renamed = their_weights(model)
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
    for part, others in _counterparts(model, theirs):
        for other in others:
            other.train(part.training)
    return theirs


def _counterparts(ours: nn.Module, theirs: nn.Module) -> Iterator[tuple[nn.Module, list[nn.Module]]]:
    """Our parts with theirs, outer ones first: of one dropout in our layer, two in theirs."""
    parts = dict(theirs.named_modules())
    prefix = "bert." if hasattr(theirs, "bert") and not hasattr(ours, "bert") else ""
    for name, part in ours.named_modules():
        place = prefix + their_name(f"{name}.").removesuffix(".")
        if re.search(r"layer\.\d+\.attention$", place):
            found = [f"{place}.self"]  # what drops probabilities
        elif match := re.fullmatch(r"(.*layer\.\d+)\.dropout", place):
            found = [f"{match[1]}.attention.output.dropout", f"{match[1]}.output.dropout"]
        else:
            found = [place]
        if name and all(place in parts for place in found):
            yield part, [parts[place] for place in found]
