"""Folders: a model and its tokenizer written as the library writes them, and read from there.

Support code. A folder written by `save` holds model.safetensors, config.json, vocab.txt and
tokenizer_config.json, so that AutoModel and AutoTokenizer open it as it is, and their SHA-256.
"""

import json
import re
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from helpers.checkpoints.configuration import CheckpointError, Model, our_config, their_config
from helpers.checkpoints.files import WEIGHTS, check_sums, read, read_json, write_sums
from helpers.checkpoints.models import build, check_readable, fill, their_weights, warn_of
from helpers.checkpoints.places import check_replaceable, locate, unfinished_folder
from helpers.checkpoints.vocabularies import (
    check_padding,
    check_sizes,
    read_tokenizer,
    their_tokenizer_config,
)
from helpers.checkpoints.weights import check_layers, copied
from helpers.wordpiece import WordPieceTokenizer


def save(
    model: Model, tokenizer: WordPieceTokenizer, folder: str | Path, dtype: torch.dtype | None = None
) -> None:
    """Write model and tokenizer into a folder; an older one stays whole until the new one is complete.

    dtype: how the weights are stored, for instance torch.float16, default as they are. Raises CheckpointError
    for what `load` would refuse, a tokenizer that does not fit the model, weights that are not finite, a
    folder that holds anything but a checkpoint, and a disk that is full or closed.
    """
    if not isinstance(dtype, torch.dtype | None):
        raise CheckpointError(f"dtype is one of PyTorch's, such as torch.float16, not {dtype!r}")
    folder, config = Path(folder).expanduser().resolve(), their_config(model)
    check_sizes(model, tokenizer)
    check_padding(model, tokenizer)
    options = their_tokenizer_config(model, tokenizer)
    check_readable(config, model)
    tensors = {}
    for name, tensor in their_weights(model).items():
        tensors[name] = copied(name, tensor.to("cpu"), dtype).contiguous()
    check_replaceable(folder)
    try:
        with unfinished_folder(folder) as unfinished:
            save_file(tensors, unfinished / WEIGHTS, metadata={"format": "pt"})
            tokenizer.save(unfinished / "vocab.txt")
            for name, content in (("config.json", config), ("tokenizer_config.json", options)):
                (unfinished / name).write_bytes((json.dumps(content, indent=2) + "\n").encode())
            write_sums(unfinished)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"{folder} can't be written ({error}): a checkpoint that was there is whole. Make room on the "
            "disk, or choose another folder where you may write"
        ) from error


def load(name_or_folder: str | Path, architecture: str | None = None) -> tuple[Model, WordPieceTokenizer]:
    """A model in evaluation mode, and its tokenizer.

    "minilm"; "stories", "stories_long", "real_text", "wider_text" or "writer", the course's own in
    data/checkpoints/; a folder; or the name of a BERT on the model hub.

    The class of the model is the one that config.json names, or the one that `architecture` names; other
    heads than ours are left away, and a LeftOutWarning says which (but for "BertModel", the encoder alone);
    another one tells of a dropout of attention unlike the rest's.
    bert-base-uncased names BertForMaskedLM but has the weights of both pretraining heads:
    architecture="BertForPreTraining" keeps them. Weights are fp32, however they are stored. Raises
    CheckpointError if the checkpoint can't be found, read or used, and DataError if minilm can't be fetched;
    both say what to do.
    """
    folder = locate(name_or_folder)
    check_sums(folder, name_or_folder)
    config = read(folder / "config.json", read_json, name_or_folder)
    if architecture is not None:
        config |= {"architectures": [architecture]}
    weights = read(folder / WEIGHTS, load_file, name_or_folder)
    weights = {_modern(name): tensor for name, tensor in weights.items()}
    try:
        check_layers(our_config(config), weights)
        tokenizer = read_tokenizer(folder, name_or_folder, our_config(config).vocab_size)
        model = build({"pad_token_id": tokenizer.id_of["[PAD]"]} | config)
        check_sizes(model, tokenizer)
        check_padding(model, tokenizer)
        left = fill(model, weights, torch.float32)
    except (CheckpointError, TypeError, ValueError) as error:
        raise CheckpointError(f"{name_or_folder} can't be used: {error}") from error
    warn_of([] if architecture == "BertModel" else left, config, stacklevel=2)
    return model.eval(), tokenizer


def _modern(name: str) -> str:
    """The first BERT checkpoints call the weights of LayerNorm gamma and beta."""
    return re.sub(r"\.beta$", ".bias", re.sub(r"\.gamma$", ".weight", name))
