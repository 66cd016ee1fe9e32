"""Weights in and out: our models, the Transformers library's, and folders that both can open.

A folder written by `save` holds model.safetensors, config.json, vocab.txt and tokenizer_config.json, each
as the Transformers library writes it, so that AutoModel and AutoTokenizer open the folder as it is.
Left out: optimizer states, checkpoints in several files, and anything pickled (pytorch_model.bin).
"""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable
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
# By name, so that a class which a notebook has just defined counts as well.
ARCHITECTURES = {
    "Bert": "BertModel",
    "BertForPreTraining": "BertForPreTraining",
    "BertForClassification": "BertForSequenceClassification",
}
CHECKPOINTS = Path(__file__).resolve().parent.parent / "data" / "checkpoints"
OWN = ("stories", "stories_long", "real_text")  # data/checkpoints/README.md says how they were trained
FILES = ("model.safetensors", "config.json", "vocab.txt", "tokenizer_config.json")


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


def save(
    model: Model, tokenizer: WordPieceTokenizer, folder: str | Path, dtype: torch.dtype | None = None
) -> None:
    """Write model and tokenizer into a folder; an older one stays whole until the new one is complete.

    dtype: how the weights are stored, for instance torch.float16, default as they are. Raises CheckpointError
    for a tokenizer that does not fit the model, and for a folder that holds anything but a checkpoint.
    """
    folder = Path(folder).expanduser().resolve()
    check_sizes(model, tokenizer)
    _check_replaceable(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        tensors = {
            their_name(name): tensor.detach().to("cpu", dtype) for name, tensor in model.state_dict().items()
        }
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()},
                  unfinished / "model.safetensors", metadata={"format": "pt"})  # fmt: skip
        tokenizer.save(unfinished / "vocab.txt")
        for name, content in (
            ("config.json", their_config(model)),
            ("tokenizer_config.json", _their_tokenizer_config(model, tokenizer)),
        ):
            (unfinished / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        _replace_folder(folder, unfinished)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def check_sizes(model: Model, tokenizer: WordPieceTokenizer) -> None:
    """Raise CheckpointError if the vocabulary and the model's embeddings differ in size."""
    entries, rows = len(tokenizer.vocabulary), encoder_of(model).config.vocab_size
    if entries != rows:
        raise CheckpointError(
            f"the vocabulary has {entries} entries, the model has {rows}: they do not belong together"
        )


def load(name_or_folder: str | Path, architecture: str | None = None) -> tuple[Model, WordPieceTokenizer]:
    """A model in evaluation mode, and its tokenizer.

    "minilm"; "stories", "stories_long" or "real_text", the course's own in data/checkpoints/; a folder; or
    the name of a BERT on the model hub.

    The class of the model is the one that config.json names, or the one that `architecture` names; other
    heads than ours are left away. bert-base-uncased names BertForMaskedLM but has the weights of both
    pretraining heads: architecture="BertForPreTraining" keeps them. Weights are fp32, however they are
    stored. Raises CheckpointError if the checkpoint can't be found, read or used, and DataError if minilm
    can't be fetched; both say what to do.
    """
    folder = _locate(name_or_folder)
    config = _read(folder / "config.json", _read_json, name_or_folder)
    if architecture is not None:
        config |= {"architectures": [architecture]}
    weights = _read(folder / "model.safetensors", load_file, name_or_folder)
    options = _tokenizer_options(folder, name_or_folder)
    tokenizer = _read(
        folder / "vocab.txt", lambda path: WordPieceTokenizer.from_file(path, **options), name_or_folder
    )
    try:
        model = build(config)
        check_sizes(model, tokenizer)
        fill(model, {_modern(name): tensor for name, tensor in weights.items()}, torch.float32)
    except (CheckpointError, TypeError, ValueError) as error:
        raise CheckpointError(f"{name_or_folder} can't be used: {error}") from error
    return model.eval(), tokenizer


def _check_replaceable(folder: Path) -> None:
    """Refuse to put a checkpoint in the place of something else: all of it would be gone."""
    if folder.exists() and not folder.is_dir():
        raise CheckpointError(f"{folder} is a file, not a folder: choose another name for the checkpoint")
    others = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    others = [name for name in others if name not in FILES]
    if others:
        raise CheckpointError(
            f"{folder} holds more than a checkpoint ({', '.join(others[:3])}), and saving would replace "
            "everything in it: choose a folder of its own"
        )


def _their_tokenizer_config(model: Model, tokenizer: WordPieceTokenizer) -> dict:
    """The library's tokenizer_config.json for our tokenizer."""
    options = {"lowercase": True, "strip_accents": None, "split_chinese": True} | tokenizer.options
    return {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": options["lowercase"],
        "strip_accents": options["strip_accents"],
        "tokenize_chinese_chars": options["split_chinese"],
        "model_max_length": encoder_of(model).config.max_positions,
    }


def _tokenizer_options(folder: Path, name: str | Path) -> dict[str, bool | None]:
    """The options of our tokenizer in a tokenizer_config.json, where there is one."""
    file = folder / "tokenizer_config.json"
    theirs = _read(file, _read_json, name) if file.exists() else {}
    return {
        "lowercase": theirs.get("do_lower_case", True),
        "strip_accents": theirs.get("strip_accents"),
        "split_chinese": theirs.get("tokenize_chinese_chars", True),
    }


def _replace_folder(folder: Path, unfinished: Path) -> None:
    """Put a finished folder in the place of an older one; a crash in between loses neither."""
    os.chmod(unfinished, 0o755)  # temporary folders are closed to other users
    _put_back(folder)
    old = _aside(folder)
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    try:
        unfinished.rename(folder)
    except BaseException:
        _put_back(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _aside(folder: Path) -> Path:
    """Where the older folder waits while the new one takes its place."""
    return folder.with_name(f".{folder.name}-old")


def _put_back(folder: Path) -> None:
    """Mend what a crash between the two renames of `_replace_folder` left."""
    if folder.name and not folder.exists() and _aside(folder).is_dir():
        _aside(folder).rename(folder)


def _read(path: Path, reader: Callable, name: str | Path):
    """What `reader` makes of a file; CheckpointError naming the file where it is missing or damaged."""
    try:
        return reader(path)
    except FileNotFoundError:
        raise CheckpointError(
            f"{name} is no complete checkpoint: {path.name} is missing. Save or fetch it anew"
        ) from None
    except Exception as error:  # safetensors, json and the tokenizer raise classes of their own
        raise CheckpointError(
            f"{path.name} of {name} can't be read ({error}): it is damaged or was cut short. Save or fetch "
            "it anew (`python -m helpers.data --verify` does so for minilm)"
        ) from error


def _read_json(path: Path) -> dict:
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise ValueError("expected a JSON object")
    return content


def _modern(name: str) -> str:
    """The first BERT checkpoints call the weights of LayerNorm gamma and beta."""
    return re.sub(r"\.beta$", ".bias", re.sub(r"\.gamma$", ".weight", name))


def _locate(name_or_folder: str | Path) -> Path:
    """The folder of a checkpoint: of the catalogue, on the disk, or fetched from the model hub."""
    if name_or_folder == "minilm":
        return data.fetch("minilm")
    if name_or_folder in OWN:
        return CHECKPOINTS / name_or_folder
    folder, name = Path(name_or_folder).expanduser(), str(name_or_folder)
    _put_back(folder)
    if folder.is_dir():
        return folder
    is_path = isinstance(name_or_folder, Path) or name.startswith((".", "/", "~")) or "\\" in name
    if is_path or name.count("/") > 1:
        raise CheckpointError(f"there is no folder {name}: check the path, or train and save the model first")
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=list(FILES)))
    except Exception as error:  # no network, no such model, no permission: the hub's classes are many
        raise CheckpointError(
            f"{name!r} is no folder here, and the model hub did not give it ({type(error).__name__}): check "
            "the name and the connection, or use 'minilm', which needs no hub"
        ) from error
