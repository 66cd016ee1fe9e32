"""Folders: a model and its tokenizer written as the library writes them, and read from there.

Support code. A folder written by `save` holds model.safetensors, config.json, vocab.txt and
tokenizer_config.json, so that AutoModel and AutoTokenizer open it as it is.
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

from helpers.checkpoints.models import (
    CheckpointError,
    Model,
    build,
    check_sizes,
    encoder_of,
    fill,
    their_config,
    their_name,
)
from helpers.checkpoints.places import FILES, aside, locate, put_back
from helpers.wordpiece import WordPieceTokenizer


def save(
    model: Model, tokenizer: WordPieceTokenizer, folder: str | Path, dtype: torch.dtype | None = None
) -> None:
    """Write model and tokenizer into a folder; an older one stays whole until the new one is complete.

    dtype: how the weights are stored, for instance torch.float16, default as they are. Raises CheckpointError
    for a tokenizer that does not fit the model, and for a folder that holds anything but a checkpoint.
    """
    folder = Path(folder).expanduser().resolve()
    check_sizes(model, tokenizer)
    check_replaceable(folder)
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
        replace_folder(folder, unfinished)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


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
    folder = locate(name_or_folder)
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


def check_replaceable(folder: Path) -> None:
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


def replace_folder(folder: Path, unfinished: Path) -> None:
    """Put a finished folder in the place of an older one; a crash in between loses neither."""
    os.chmod(unfinished, 0o755)  # temporary folders are closed to other users
    put_back(folder)
    old = aside(folder)
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    try:
        unfinished.rename(folder)
    except BaseException:
        put_back(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


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
