"""Weights in and out: our models, the Transformers library's, and folders that both can open.

A folder written by `save` holds model.safetensors, config.json, vocab.txt, tokenizer.json and
tokenizer_config.json, named as the Transformers library names them.
"""

import json
import os
import re
import shutil
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from helpers import data
from helpers.classification import BertForClassification
from helpers.encoder import Bert, BertConfig
from helpers.pretraining import BertForPreTraining
from helpers.wordpiece import WordPieceTokenizer

__all__ = ["CheckpointError", "encoder_of", "from_transformers", "load", "save", "to_transformers"]

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


class CheckpointError(RuntimeError):
    """A checkpoint that can't be found, read or used."""


def their_name(name: str) -> str:
    """The Transformers library's name for one of our weights: layers.0.pooler... -> encoder.layer.0..."""
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


def encoder_of(model: Model) -> Bert:
    """The encoder inside any model of ours."""
    return model if isinstance(model, Bert) else model.bert


def their_config(model: Model) -> dict:
    """The library's config.json for a model of ours."""
    config = encoder_of(model).config
    architecture = {Bert: "BertModel", BertForPreTraining: "BertForPreTraining"}.get(
        type(model), "BertForSequenceClassification"
    )
    sizes = {theirs: getattr(config, ours) for ours, theirs in SIZES.items()}
    extra = {}
    if isinstance(model, BertForClassification):
        classes = range(model.classifier.out_features)
        extra = {
            "id2label": {str(i): f"LABEL_{i}" for i in classes},
            "label2id": {f"LABEL_{i}": i for i in classes},
        }
    return {
        "architectures": [architecture],
        "model_type": "bert",
        "hidden_act": "gelu",
        "attention_probs_dropout_prob": config.dropout,
        "initializer_range": config.init_std or 0.02,
        "pad_token_id": 0,
        **sizes,
        **extra,
    }


def our_config(theirs: dict) -> BertConfig:
    """Our configuration for the library's; raises CheckpointError for a model that is no plain BERT."""
    act, position = theirs.get("hidden_act", "gelu"), theirs.get("position_embedding_type", "absolute")
    if theirs.get("model_type") != "bert" or act != "gelu" or position != "absolute":
        raise CheckpointError(
            f"this is a {theirs.get('model_type')!r} model with activation {act!r} and {position!r} positions; "
            "only 'bert' with 'gelu' and 'absolute' can be loaded here. Use the Transformers library for others"
        )
    return BertConfig(**{ours: theirs[name] for ours, name in SIZES.items() if name in theirs})


def state_for(model: nn.Module, theirs: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Our state dict filled from the library's; raises CheckpointError naming what is missing."""
    state, missing = {}, []
    for name in model.state_dict():
        wanted = their_name(name)
        found = next((theirs[key] for key in (wanted, f"bert.{wanted}") if key in theirs), None)
        if found is None:
            missing.append(wanted)
        state[name] = found
    if missing:
        raise CheckpointError(f"the checkpoint lacks {len(missing)} of our weights, such as {missing[0]}")
    return state


def build(config: dict) -> Model:
    """An untrained model of ours for a config.json; the heads are those that `architectures` names."""
    bert = Bert(our_config(config))
    architecture = (config.get("architectures") or ["BertModel"])[0]
    if architecture == "BertForPreTraining":
        return BertForPreTraining(bert)
    if architecture == "BertForSequenceClassification":
        return BertForClassification(bert, len(config.get("id2label", {0: "", 1: ""})))
    return bert


def from_transformers(hf_model: nn.Module) -> Model:
    """Our model with the weights of a `transformers` BertModel, ...ForPreTraining or ...SequenceClassification.

    Other BERT classes give the bare encoder. Raises CheckpointError for models that are no plain BERT.
    """
    config = hf_model.config.to_dict() | {"architectures": [type(hf_model).__name__]}
    model = build(config)
    model.load_state_dict(state_for(model, hf_model.state_dict()))
    return model.to(next(hf_model.parameters()).dtype).train(hf_model.training)


def to_transformers(model: Model) -> nn.Module:
    """The `transformers` model of the same class with our weights, and eager attention, which it can show."""
    import transformers

    settings = their_config(model)
    config = transformers.BertConfig(**settings, attn_implementation="eager")
    theirs = getattr(transformers, settings["architectures"][0])(config)
    renamed = {their_name(name): tensor for name, tensor in model.state_dict().items()}
    result = theirs.load_state_dict(renamed, strict=False)
    left = [key for key in result.missing_keys if not key.startswith("cls.predictions.decoder")]
    if left or result.unexpected_keys:
        raise CheckpointError(
            f"the weights do not fit: missing {left[:3]}, unexpected {result.unexpected_keys[:3]}"
        )
    return theirs.to(next(model.parameters()).dtype).train(model.training)


def save(model: Model, tokenizer: WordPieceTokenizer, folder: str | Path) -> None:
    """Write model and tokenizer into a folder; an older one stays whole until the new one is complete."""
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        tensors = {their_name(name): tensor.detach().cpu() for name, tensor in model.state_dict().items()}
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()},
                  unfinished / "model.safetensors", metadata={"format": "pt"})  # fmt: skip
        tokenizer.save(unfinished / "vocab.txt")
        options = {"lowercase": True, "strip_accents": None, "split_chinese": True} | tokenizer.options
        for name, content in (
            ("config.json", their_config(model)),
            ("tokenizer_config.json", {
                "tokenizer_class": "BertTokenizer",
                "do_lower_case": options["lowercase"],
                "strip_accents": options["strip_accents"],
                "tokenize_chinese_chars": options["split_chinese"],
                "model_max_length": encoder_of(model).config.max_positions,
            }),
        ):  # fmt: skip
            (unfinished / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        _replace_folder(folder, unfinished)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def _replace_folder(folder: Path, unfinished: Path) -> None:
    """Put a finished folder in the place of an older one."""
    os.chmod(unfinished, 0o755)
    old = folder.with_name(f".{folder.name}-old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    unfinished.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def load(name_or_folder: str | Path) -> tuple[Model, WordPieceTokenizer]:
    """A model with its tokenizer, in evaluation mode: "minilm", a folder, or a BERT of the model hub.

    The class of the model is the one that config.json names; other heads than ours are left away. Raises
    CheckpointError if the checkpoint can't be found, fetched, read or used, and says what to do.
    """
    folder = _locate(name_or_folder)
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        theirs = load_file(folder / "model.safetensors")
        tokenizer = WordPieceTokenizer.from_file(folder / "vocab.txt", **_tokenizer_options(folder))
    except FileNotFoundError as error:
        raise CheckpointError(
            f"{folder.name} is no complete checkpoint: {Path(error.filename).name} is missing"
        ) from None
    except Exception as error:  # a file cut short: safetensors and json raise classes of their own
        raise CheckpointError(f"{folder.name} can't be read ({error}): fetch or save it anew") from error
    model = build(config)
    if len(tokenizer.vocabulary) != encoder_of(model).config.vocab_size:
        raise CheckpointError(
            f"the vocabulary has {len(tokenizer.vocabulary)} entries, the model has "
            f"{encoder_of(model).config.vocab_size}: they belong to different checkpoints"
        )
    model.load_state_dict(state_for(model, {_modern(key): tensor.float() for key, tensor in theirs.items()}))
    return model.eval(), tokenizer


def _modern(key: str) -> str:
    """The first BERT checkpoints call the weights of LayerNorm gamma and beta."""
    return re.sub(r"\.beta$", ".bias", re.sub(r"\.gamma$", ".weight", key))


def _tokenizer_options(folder: Path) -> dict[str, bool | None]:
    """The options of our tokenizer in a tokenizer_config.json, where there is one."""
    file = folder / "tokenizer_config.json"
    theirs = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return {
        "lowercase": theirs.get("do_lower_case", True),
        "strip_accents": theirs.get("strip_accents"),
        "split_chinese": theirs.get("tokenize_chinese_chars", True),
    }


def _locate(name_or_folder: str | Path) -> Path:
    """The folder of a checkpoint: of the catalogue, on the disk, or fetched from the model hub."""
    if name_or_folder == "minilm":
        return data.fetch("minilm")
    if Path(name_or_folder).is_dir():
        return Path(name_or_folder)
    name = str(name_or_folder)
    if isinstance(name_or_folder, Path) or name.startswith((".", "/", "~")) or name.count("/") > 1:
        raise CheckpointError(f"there is no folder {name}: check the path, or train and save the model first")
    from huggingface_hub import snapshot_download

    files = ["config.json", "model.safetensors", "vocab.txt", "tokenizer_config.json"]
    try:
        return Path(snapshot_download(name, allow_patterns=files))
    except Exception as error:  # no network, no such model, no permission: the hub's classes are many
        raise CheckpointError(
            f"{name!r} is no folder here, and the model hub did not give it ({type(error).__name__}): check the "
            "name and the connection, or use 'minilm', which needs no hub"
        ) from error
