"""Weights in and out: our models, the Transformers library's, and folders that both can open.

    models   names, configuration and weights, between our models and the library's
    places   where a checkpoint is: the course's own, the catalogue, a folder, the model hub
    folders  model.safetensors, config.json, vocab.txt and tokenizer_config.json, written and read

Left out: optimizer states, checkpoints in several files, and anything pickled (pytorch_model.bin).
"""

from helpers.checkpoints.folders import load, save
from helpers.checkpoints.models import (
    CheckpointError,
    Model,
    build,
    check_sizes,
    encoder_of,
    fill,
    from_transformers,
    our_config,
    their_config,
    their_name,
    to_transformers,
)
from helpers.checkpoints.places import CHECKPOINTS, FILES, OWN

__all__ = [
    "CHECKPOINTS",
    "CheckpointError",
    "FILES",
    "Model",
    "OWN",
    "build",
    "check_sizes",
    "encoder_of",
    "fill",
    "from_transformers",
    "load",
    "our_config",
    "save",
    "their_config",
    "their_name",
    "to_transformers",
]
