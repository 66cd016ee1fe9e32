"""A modern encoder's weights to and from the Transformers library's `ModernBertModel`.

Support code. The library keeps query, key and value in one matrix, `Wqkv`, and the gated block's first two in
another, `Wi`. Left out: its heads, and files on the disk.
"""

from collections.abc import Mapping

import torch
from torch import nn

from helpers.checkpoints.configuration import CheckpointError
from helpers.modern import ModernBert, ModernConfig

__all__ = ["from_modernbert", "our_modern_config", "to_modernbert", "under_modernbert_names"]

# The library's names, below layers.N, and ours; several of ours lie in one matrix, one below the other.
LAYER = {
    "attn_norm": ("attention_norm",),
    "attn.Wqkv": ("attention.query", "attention.key", "attention.value"),
    "attn.Wo": ("attention.output",),
    "mlp_norm": ("feed_forward_norm",),
    "mlp.Wi": ("feed_forward.widen", "feed_forward.gate"),
    "mlp.Wo": ("feed_forward.narrow",),
}
OUTSIDE = {"embeddings.tok_embeddings": "embeddings.token", "embeddings.norm": "embeddings.norm",
           "final_norm": "final_norm"}  # fmt: skip
PLAIN = {
    "attention_bias": False, "mlp_bias": False, "norm_bias": False, "hidden_activation": "gelu",
    "attention_dropout": 0.0, "embedding_dropout": 0.0, "mlp_dropout": 0.0,
}  # fmt: skip
ANGLES = {"full_attention": "global_base", "sliding_attention": "local_base"}


def _names(layers: int) -> dict[str, list[str]]:
    """{the library's name of a weight: ours}, in order."""
    names = {f"{theirs}.weight": [f"{ours}.weight"] for theirs, ours in OUTSIDE.items()}
    for layer in range(layers):
        for theirs, ours in LAYER.items():
            if layer or theirs != "attn_norm":  # the first layer has none
                names[f"layers.{layer}.{theirs}.weight"] = [f"layers.{layer}.{name}.weight" for name in ours]
    return names


def under_modernbert_names(tensors: Mapping[str, torch.Tensor], layers: int) -> dict[str, torch.Tensor]:
    """Tensors of ours by name, weights or gradients, as the library's model of so many layers has them."""
    return {theirs: torch.cat([tensors[name] for name in ours]) for theirs, ours in _names(layers).items()}


def our_modern_config(config) -> ModernConfig:
    """The shape of a `ModernBertModel`.

    Raises CheckpointError for what our model has not: biases, dropout, another activation, rescaled angles,
    or global layers in another order than every so many, the first among them.
    """
    for name, wanted in PLAIN.items():
        if getattr(config, name) != wanted:
            raise CheckpointError(f"{name} must be {wanted}, not {getattr(config, name)}: ours has no other")
    for kind in ANGLES:
        if config.rope_parameters[kind].get("rope_type") != "default":
            raise CheckpointError(f"the rotary angles of {kind} are rescaled: ours are the plain ones")
    full = [number for number, kind in enumerate(config.layer_types) if kind == "full_attention"]
    every = full[1] if len(full) > 1 else config.num_hidden_layers
    if full != list(range(0, config.num_hidden_layers, every)):
        raise CheckpointError(
            f"layers {full} see the whole text: ours does in every so many layers, from layer 0"
        )
    return ModernConfig(
        config.vocab_size, config.hidden_size, config.num_hidden_layers, config.num_attention_heads,
        config.intermediate_size, config.max_position_embeddings, norm_eps=config.norm_eps,
        init_std=config.initializer_range, pad_token_id=config.pad_token_id, window=config.local_attention,
        global_every=every,
        **{base: config.rope_parameters[kind]["rope_theta"] for kind, base in ANGLES.items()},
    )  # fmt: skip


def from_modernbert(theirs: nn.Module) -> ModernBert:
    """Our model with copies of the weights of a `ModernBertModel`, in its dtype, device and mode.

    Raises CheckpointError as `our_modern_config` does, and for a model with a head (give its `.model`).
    """
    import transformers  # not above: it takes seconds, and not every notebook needs it

    if not isinstance(theirs, transformers.ModernBertModel):
        raise CheckpointError(
            f"{type(theirs).__name__} is no ModernBertModel: of one with a head, give its .model"
        )
    like = next(theirs.parameters())
    ours = ModernBert(our_modern_config(theirs.config)).to(like.device, like.dtype)
    weights, own = theirs.state_dict(), ours.state_dict()
    for name, names in _names(ours.config.num_layers).items():
        for mine, part in zip(names, weights[name].chunk(len(names)), strict=True):
            own[mine].copy_(part)
    return ours.train(theirs.training)


def to_modernbert(ours: ModernBert) -> nn.Module:
    """The library's model with copies of our weights, with eager attention, in our dtype, device and mode.

    Raises CheckpointError for a model with dropout, which the library has in other places.
    """
    import transformers

    config = ours.config
    if config.dropout:
        raise CheckpointError("the library's dropout has other places: make the model with dropout=0.0")
    kinds = [tuple(ANGLES)[not config.is_global(number)] for number in range(config.num_layers)]
    theirs = transformers.ModernBertModel(
        transformers.ModernBertConfig(
            vocab_size=config.vocab_size, hidden_size=config.hidden_size,
            num_hidden_layers=config.num_layers, num_attention_heads=config.num_heads,
            intermediate_size=config.intermediate_size, max_position_embeddings=config.max_positions,
            norm_eps=config.norm_eps, pad_token_id=config.pad_token_id, local_attention=config.window,
            initializer_range=config.init_std or 0.02, layer_types=kinds, cls_token_id=None,
            sep_token_id=None, bos_token_id=None, eos_token_id=None,
            rope_parameters={kind: {"rope_type": "default", "rope_theta": getattr(config, base)}
                             for kind, base in ANGLES.items()},
            attn_implementation="eager",
        )
    )  # fmt: skip
    like = next(ours.parameters())
    theirs = theirs.to(like.device, like.dtype)
    theirs.load_state_dict(under_modernbert_names(ours.state_dict(), config.num_layers))
    return theirs.train(ours.training)
