"""Our parts and weights by the Transformers library's names.

Support code.
"""

import re
from collections.abc import Iterator

from torch import nn

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


def counterparts(ours: nn.Module, theirs: nn.Module) -> Iterator[tuple[nn.Module, list[nn.Module]]]:
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
