"""Configurations: ours under the library's names and back, checked before anything is built from them.

Support code. Left out: what no BERT of ours can be told, such as a rate of dropout for attention alone.
"""

import math
import sys
from contextlib import AbstractContextManager, nullcontext

import torch

from helpers.classification import BertForClassification
from helpers.encoder import Bert, BertConfig
from helpers.pretraining import BertForPreTraining
from helpers.reading import BertForQuestionAnswering
from helpers.tagging import BertForTagging

Model = Bert | BertForPreTraining | BertForClassification | BertForTagging | BertForQuestionAnswering

SIZES = {
    "vocab_size": "vocab_size",
    "hidden_size": "hidden_size",
    "num_layers": "num_hidden_layers",
    "num_heads": "num_attention_heads",
    "intermediate_size": "intermediate_size",
    "max_positions": "max_position_embeddings",
    "num_segments": "type_vocab_size",
}
ATTENTION_DROPOUT = "attention_probs_dropout_prob"
MOST = 10**8  # of any size; layers are made one by one, so that fewer already take minutes
MOST_LAYERS = 1000
NUMBERS = {"dropout": "hidden_dropout_prob", "norm_eps": "layer_norm_eps"}
# Their key: what it has to be, and the test of a number that it has to pass.
RANGES = {
    "hidden_dropout_prob": ("a number from 0 to below 1", lambda number: 0 <= number < 1),
    ATTENTION_DROPOUT: ("a number from 0 to below 1", lambda number: 0 <= number < 1),
    "classifier_dropout": ("null or a number from 0 to below 1", lambda number: 0 <= number < 1),
    "layer_norm_eps": ("a number above 0 and below 1", lambda number: 0 < number < 1),
    "initializer_range": ("a number of at least 0", lambda number: 0 <= number < math.inf),
    "init_std": ("null or a number of at least 0", lambda number: 0 <= number < math.inf),
}
# By name, so that a class which a notebook has just defined counts as well.
ARCHITECTURES = {
    "Bert": "BertModel",
    "BertForPreTraining": "BertForPreTraining",
    "BertForClassification": "BertForSequenceClassification",
    "BertForTagging": "BertForTokenClassification",
    "BertForQuestionAnswering": "BertForQuestionAnswering",
}
# The library's classes that have no pooler, since they look at single tokens; ours keep one, unused.
WITHOUT_POOLER = ("BertForTokenClassification", "BertForQuestionAnswering")


class CheckpointError(RuntimeError):
    """A checkpoint that can't be found, read, used or written; the message says why and what to do."""


def encoder_of(model: Model) -> Bert:
    """The encoder inside any model of ours; ValueError for a model of the library, or of another kind."""
    encoder = getattr(model, "bert", model)
    if not hasattr(encoder, "config") or hasattr(encoder.config, "to_dict"):
        raise ValueError(f"{type(model).__name__} is no model of this course{_way_out(model)}")
    return encoder


def _way_out(model) -> str:
    """What to do with a model that is none of ours."""
    if hasattr(getattr(getattr(model, "bert", model), "config", None), "to_dict"):
        return ", but the Transformers library's: convert it with checkpoints.from_transformers first"
    inside = next((name for name in ("module", "_orig_mod") if hasattr(model, name)), None)
    return f": give the model inside it, its .{inside}" if inside else f": use {', '.join(ARCHITECTURES)}"


def uncompiled() -> AbstractContextManager:
    """While open, models that torch.compile has compiled run as written: else they'd miss a new hook."""
    if "torch._dynamo" not in sys.modules:  # nothing is compiled, and loading it would take seconds
        return nullcontext()
    return torch.compiler.set_stance("force_eager")


def their_config(model: Model) -> dict:
    """The library's config.json for a model of ours; `init_std` is an entry of our own, for new heads."""
    name = type(model).__name__
    try:
        config = encoder_of(model).config
    except ValueError as error:  # the library has classes of the same names
        raise CheckpointError(str(error)) from None
    if name not in ARCHITECTURES:
        raise CheckpointError(f"{name} has no counterpart in the library{_way_out(model)}")
    found = {
        "architectures": [ARCHITECTURES[name]],
        "model_type": "bert",
        "dtype": "float32",  # what the library computes in, however the weights are stored
        "hidden_act": "gelu",
        ATTENTION_DROPOUT: config.dropout,
        "initializer_range": config.init_std or 0.02,
        "init_std": config.init_std,
        "pad_token_id": getattr(config, "pad_token_id", 0),
        **{theirs: getattr(config, ours) for ours, theirs in (SIZES | NUMBERS).items()},
        **(_their_classes(model) if hasattr(model, "classifier") else {}),
    }
    # A number of NumPy or PyTorch becomes Python's own, which JSON can hold.
    return {key: value.item() if hasattr(value, "item") else value for key, value in found.items()}


def _their_classes(model: BertForClassification | BertForTagging) -> dict:
    """The names of the classes (LABEL_0 … where there are none), and the dropout before the classifier."""
    count = model.classifier.out_features
    names = getattr(model, "labels", None) or [f"LABEL_{index}" for index in range(count)]
    if not all(isinstance(name, str) for name in names):
        raise CheckpointError(f"the names of the classes must be strings, not {list(names)!r}")
    if not len(names) == len(set(names)) == count:
        raise CheckpointError(f"{count} classes need as many names, all different, not {list(names)!r}")
    return {
        "classifier_dropout": getattr(getattr(model, "dropout", None), "p", None),
        "id2label": {str(index): name for index, name in enumerate(names)},
        "label2id": {name: index for index, name in enumerate(names)},
    }


def our_config(theirs: dict) -> BertConfig:
    """Our configuration for the library's; raises CheckpointError for a model that is no plain BERT.

    `dropout` is its hidden_dropout_prob: ours has one rate, and published BERTs use the same for attention.
    Where theirs differ, `load` and `from_transformers` warn, in the words of `lost_dropout`.
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
    _check_ranges(theirs)
    found = {ours: theirs[name] for ours, name in (SIZES | NUMBERS).items() if name in theirs}
    init_std = theirs.get("init_std", theirs.get("initializer_range", 0.02))
    return BertConfig(**found, init_std=init_std, pad_token_id=theirs.get("pad_token_id", 0))


def lost_dropout(theirs: dict) -> str | None:
    """What to say of a dropout of attention unlike the rest's, which ours can't be told; None: nothing."""
    hidden, attention = (theirs.get(key, 0.1) for key in ("hidden_dropout_prob", ATTENTION_DROPOUT))
    if hidden == attention:
        return None
    return (
        f"the dropout of attention is {attention} in this checkpoint ({ATTENTION_DROPOUT}), but {hidden} in "
        "our model, which has one rate for all its parts: its answers are the same, further training is not"
    )


def _check_ranges(theirs: dict) -> None:
    """Refuse entries of another type, and numbers that no BERT can have."""
    architectures = theirs.get("architectures")
    if architectures is not None and not (
        isinstance(architectures, list) and all(isinstance(name, str) for name in architectures)
    ):
        raise CheckpointError(f"architectures must be null or a list of names, not {architectures!r}")
    for key in SIZES.values():
        most = MOST_LAYERS if key == "num_hidden_layers" else MOST
        if key in theirs and not (_is_whole(theirs[key]) and 1 <= theirs[key] <= most):
            raise CheckpointError(f"{key} must be a whole number from 1 to {most:,}, not {theirs[key]!r}")
    for key, (what, fits) in RANGES.items():
        number = theirs.get(key, 0.5)
        if number is None and "null" in what:
            continue
        if isinstance(number, bool) or not isinstance(number, int | float) or not fits(number):
            raise CheckpointError(f"{key} must be {what}, not {number!r}")
    padding, entries = theirs.get("pad_token_id"), theirs.get("vocab_size", BertConfig.vocab_size)
    if padding is not None and not (_is_whole(padding) and 0 <= padding < entries):
        raise CheckpointError(f"pad_token_id must be null or an entry, 0 to {entries - 1}, not {padding!r}")


def _is_whole(number) -> bool:
    return isinstance(number, int) and not isinstance(number, bool)


def classes_of(theirs: dict) -> tuple[int, list[str] | None]:
    """How many classes a classifier of the library has, and their names if they have any of their own.

    CheckpointError for one whose logits are no classes of which one is right.
    """
    if (problem := theirs.get("problem_type")) not in (None, "single_label_classification"):
        raise CheckpointError(
            f"the problem_type of this classifier is {problem!r}: its outputs do not mean what ours do, one "
            "right class for each text. Use the Transformers library for this model, or load its encoder "
            'alone, with architecture="BertModel"'
        )
    named = theirs.get("id2label")
    if not named:
        count = theirs.get("num_labels", 2)
        if not _is_whole(count) or not 1 <= count <= MOST:
            raise CheckpointError(f"num_labels must be a whole number of at least 1, not {count!r}")
        return count, None
    names = {str(index): name for index, name in named.items()} if isinstance(named, dict) else {}
    keys = [str(index) for index in range(len(names))]
    if not names or names.keys() != set(keys) or not all(isinstance(name, str) for name in names.values()):
        raise CheckpointError("id2label must give a name for each class, under 0, 1 and so on")
    found = [names[key] for key in keys]
    return len(found), None if found == [f"LABEL_{key}" for key in keys] else found


def classifier_dropout(theirs: dict) -> float:
    """The dropout in front of the classifier: null means that of the encoder, as in the library."""
    own = theirs.get("classifier_dropout")
    return theirs.get("hidden_dropout_prob", 0.1) if own is None else own
