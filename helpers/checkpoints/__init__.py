"""Weights in and out: our models, the Transformers library's, and folders that both can open.

    configuration  our configuration and heads under the library's names, checked
    weights        the library's weights compared with a configuration
    models         names of the weights, and models of ours for the library's and back
    files          the files of a checkpoint, and their SHA-256
    vocabularies   the tokenizer's files, vocab.txt or tokenizer.json
    places         the course's own checkpoints, folders, the model hub
    folders        `save` and `load`
    modern         a modern encoder for the library's ModernBertModel and back

Left out: optimizer states, checkpoints in several files, and anything pickled (pytorch_model.bin).
"""

from helpers.checkpoints.configuration import (
    CheckpointError,
    Model,
    encoder_of,
    our_config,
    their_config,
    uncompiled,
)
from helpers.checkpoints.files import FILES
from helpers.checkpoints.folders import load, save
from helpers.checkpoints.models import (
    LeftOutWarning,
    build,
    fill,
    from_transformers,
    their_name,
    to_transformers,
)
from helpers.checkpoints.modern import from_modernbert, to_modernbert, under_modernbert_names
from helpers.checkpoints.places import CHECKPOINTS, OWN
from helpers.checkpoints.vocabularies import check_padding, check_sizes

__all__ = [
    "CHECKPOINTS",
    "CheckpointError",
    "FILES",
    "LeftOutWarning",
    "Model",
    "OWN",
    "build",
    "check_padding",
    "check_sizes",
    "encoder_of",
    "fill",
    "from_modernbert",
    "from_transformers",
    "load",
    "our_config",
    "save",
    "their_config",
    "their_name",
    "to_modernbert",
    "to_transformers",
    "under_modernbert_names",
    "uncompiled",
]
