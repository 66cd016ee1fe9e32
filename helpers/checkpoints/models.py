"""Our models under the library's names: configuration, weights, and models of ours for models of theirs.

Support code. Nothing here touches a file.
"""

import re

import torch
from torch import nn

from helpers.classification import BertForClassification
from helpers.encoder import Bert, BertConfig
from helpers.pretraining import BertForPreTraining
from helpers.wordpiece import WordPieceTokenizer

Model = Bert | BertForPreTraining | BertForClassification

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
]
SIZES = {
    "vocab_size": "vocab_size",
    "hidden_size": "hidden_size",
    "num_layers": "num_hidden_layers",
    "num_heads": "num_attention_heads",
    "intermediate_size": "intermediate_size",
    "max_positions": "max_position_embeddings",
    "num_segments": "type_vocab_size",
    "dropout": "hidden_dropout_prob",
    "norm_eps": "layer_norm_eps",
}
# By name, so that a class which a notebook has just defined counts as well.
ARCHITECTURES = {
    "Bert": "BertModel",
    "BertForPreTraining": "BertForPreTraining",
    "BertForClassification": "BertForSequenceClassification",
}


class CheckpointError(RuntimeError):
    """A checkpoint that can't be found, read, used or written; the message says why and what to do."""


def encoder_of(model: Model) -> Bert:
    """The encoder inside any model of ours."""
    return getattr(model, "bert", model)


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


def their_config(model: Model) -> dict:
    """The library's config.json for a model of ours; `init_std` is an entry of our own, for new heads."""
    if type(model).__name__ not in ARCHITECTURES:
        raise CheckpointError(
            f"{type(model).__name__} has no counterpart in the library: use {', '.join(ARCHITECTURES)}"
        )
    config = encoder_of(model).config
    labels = {}
    if hasattr(model, "classifier"):
        names = {str(index): f"LABEL_{index}" for index in range(model.classifier.out_features)}
        labels = {"id2label": names, "label2id": {name: int(index) for index, name in names.items()}}
    return {
        "architectures": [ARCHITECTURES[type(model).__name__]],
        "model_type": "bert",
        "dtype": "float32",  # what the library computes in, however the weights are stored
        "hidden_act": "gelu",
        "attention_probs_dropout_prob": config.dropout,
        "initializer_range": config.init_std or 0.02,
        "init_std": config.init_std,
        "pad_token_id": 0,
        **{theirs: getattr(config, ours) for ours, theirs in SIZES.items()},
        **labels,
    }


def our_config(theirs: dict) -> BertConfig:
    """Our configuration for the library's; raises CheckpointError for a model that is no plain BERT.

    `dropout` is its hidden_dropout_prob: ours has one rate, and published BERTs use the same for attention.
    """
    for key, wanted in (
        ("model_type", "bert"),
        ("hidden_act", "gelu"),
        ("position_embedding_type", "absolute"),
        ("is_decoder", False),
    ):
        if (found := theirs.get(key, None if key == "model_type" else wanted)) != wanted:
            raise CheckpointError(
                f"this is no plain BERT encoder: its {key} is {found!r}, and only {wanted!r} can be loaded "
                "here. Use the Transformers library for this model"
            )
    sizes = {ours: theirs[name] for ours, name in SIZES.items() if name in theirs}
    return BertConfig(**sizes, init_std=theirs.get("init_std", theirs.get("initializer_range", 0.02)))


def build(config: dict) -> Model:
    """A model of ours for a config.json, without memory for its weights; `architectures` names the heads."""
    architecture = (config.get("architectures") or ["BertModel"])[0]
    with torch.device("meta"):  # no memory, no random numbers: the weights come from the checkpoint
        bert = Bert(our_config(config))
        if architecture == "BertForPreTraining":
            return BertForPreTraining(bert)
        if architecture == "BertForSequenceClassification":
            return BertForClassification(bert, len(config.get("id2label") or (0, 1)))
        return bert


def fill(model: nn.Module, theirs: dict[str, torch.Tensor], dtype: torch.dtype | None = None) -> None:
    """Give a model from `build` copies of the library's weights; weights that it has no place for are left.

    Raises CheckpointError naming a weight that is missing or has another shape than the configuration says.
    """
    state = {}
    for name, place in model.state_dict().items():
        wanted = their_name(name)
        found = next((theirs[key] for key in (wanted, f"bert.{wanted}") if key in theirs), None)
        if found is None:
            raise CheckpointError(
                f"the weight {wanted} is missing: the checkpoint is of another kind of model"
            )
        if found.shape != place.shape:
            raise CheckpointError(
                f"the weight {wanted} has the shape {tuple(found.shape)}, the configuration asks for "
                f"{tuple(place.shape)}: they do not belong together"
            )
        state[name] = found.detach().to(dtype or found.dtype, copy=True)
    model.load_state_dict(state, assign=True)


def from_transformers(hf_model: nn.Module) -> Model:
    """Our model with the weights of a `transformers` BERT, copied: same dtype, device and mode.

    BertForPreTraining and BertForSequenceClassification keep their heads, other classes give the encoder
    alone. Raises CheckpointError for models that are no plain BERT or have no pooler.
    """
    config = hf_model.config.to_dict() | {"architectures": [type(hf_model).__name__]}
    model = build(config)
    fill(model, hf_model.state_dict())
    return model.train(hf_model.training)


def to_transformers(model: Model) -> nn.Module:
    """The `transformers` model of the same class with copies of our weights: same dtype, device and mode.

    Its attention is the eager one, which can return probabilities.
    """
    import transformers

    settings = their_config(model)
    config = transformers.BertConfig(**settings, attn_implementation="eager")
    first = next(model.parameters())
    theirs = getattr(transformers, settings["architectures"][0])(config).to(first.device, first.dtype)
    renamed = {their_name(name): tensor for name, tensor in model.state_dict().items()}
    result = theirs.load_state_dict(renamed, strict=False)
    # The token head's matrix and bias are tied to weights that stand elsewhere in the state.
    left = [key for key in result.missing_keys if not key.startswith("cls.predictions.decoder")]
    if left or result.unexpected_keys:
        raise CheckpointError(
            f"the weights do not fit: missing {left[:3]}, unexpected {result.unexpected_keys[:3]}"
        )
    return theirs.train(model.training)


def check_sizes(model: Model, tokenizer: WordPieceTokenizer) -> None:
    """Raise CheckpointError if the vocabulary and the model's embeddings differ in size."""
    entries, rows = len(tokenizer.vocabulary), encoder_of(model).config.vocab_size
    if entries != rows:
        raise CheckpointError(
            f"the vocabulary has {entries} entries, the model has {rows}: they do not belong together"
        )
