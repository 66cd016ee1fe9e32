"""The optimizer of the long run, and how its learning rate rises, holds and falls.

Support code. The loop of `helpers.pretraining` has a schedule and an optimizer of its own.
"""

import argparse

import torch
from torch import nn

from helpers.pretraining import BertForPreTraining, parameter_groups

__all__ = ["learning_rate_share", "make_optimizer"]

HEAD = ("transform", "norm", "token_bias")


def learning_rate_share(step: int, settings: argparse.Namespace) -> float:
    """The share of the learning rate in step 1, 2, …: it rises, holds, and falls to zero at the end.

    (Warner et al. 2024, ModernBERT, section 2.2.) While it holds it does not depend on the number of steps,
    so that number may be changed when a run goes on.
    """
    rise, fall = max(settings.warm_up_steps, 1), settings.decay * settings.steps
    return min(1.0, step / rise, (settings.steps + 1 - step) / fall if fall else 1.0)


def make_optimizer(settings: argparse.Namespace, model: BertForPreTraining) -> torch.optim.Optimizer:
    """AdamW; the token head and the embeddings may have learning rates of their own."""
    tables = {f"{name}.weight" for name, module in model.named_modules() if isinstance(module, nn.Embedding)}
    peaks = {}
    for name, weight in model.named_parameters():
        peaks[id(weight)] = settings.learning_rate
        if name in tables:
            peaks[id(weight)] *= settings.embedding_rate
        elif name.startswith(HEAD) and settings.head_learning_rate:
            peaks[id(weight)] = settings.head_learning_rate
    groups = [
        group | {"params": [weight for weight in group["params"] if peaks[id(weight)] == peak], "peak": peak}
        for group in parameter_groups(model, settings.weight_decay)
        for peak in sorted(set(peaks.values()))
    ]
    return torch.optim.AdamW(groups, lr=settings.learning_rate, betas=(0.9, 0.98), fused=True)
