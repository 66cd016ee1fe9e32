"""The optimizer of the long run, and how its learning rate rises, holds and falls.

Support code. The loop of `helpers.pretraining` has a schedule and an optimizer of its own.
"""

import argparse

import torch
from torch import nn

from helpers.pretraining import BertForPreTraining, parameter_groups

__all__ = ["OPTIMIZERS", "Both", "learning_rate_share", "make_optimizer"]

OPTIMIZERS = ("adamw", "muon") if hasattr(torch.optim, "Muon") else ("adamw",)  # Muon: PyTorch 2.9
HEAD = ("transform", "norm", "token_bias")


def learning_rate_share(step: int, settings: argparse.Namespace) -> float:
    """The share of the learning rate in step 1, 2, …: it rises, holds, and falls to zero at the end.

    (Warner et al. 2024, ModernBERT, section 2.2.) While it holds it does not depend on the number of steps,
    so that number may be changed when a run goes on.
    """
    rise, fall = max(settings.warm_up_steps, 1), settings.decay * settings.steps
    return min(1.0, step / rise, (settings.steps + 1 - step) / fall if fall else 1.0)


class Both(torch.optim.Optimizer):
    """Optimizers of different weights as one: their groups together, one `state`, steps one after another."""

    def __init__(self, *optimizers: torch.optim.Optimizer):
        super().__init__([group for optimizer in optimizers for group in optimizer.param_groups], {})
        self.optimizers = optimizers
        self._share()

    def _share(self) -> None:
        """Let the optimizers work with these groups and this state."""
        first = 0
        for optimizer in self.optimizers:
            last = first + len(optimizer.param_groups)
            optimizer.param_groups, optimizer.state = self.param_groups[first:last], self.state
            first = last

    def load_state_dict(self, state_dict: dict) -> None:
        super().load_state_dict(state_dict)  # which makes new groups
        self._share()

    def step(self, closure=None) -> None:
        for optimizer in self.optimizers:
            optimizer.step()


def make_optimizer(
    settings: argparse.Namespace, model: BertForPreTraining, beta2: float = 0.98
) -> torch.optim.Optimizer:
    """AdamW, or with `settings.optimizer` "muon" Muon for the matrices of the layers and AdamW for the rest.

    The token head and the embeddings may have learning rates of their own; every group has its full rate
    under "peak". Muon (Jordan et al. 2024) makes all directions of a matrix's averaged gradient equally
    long; its steps are scaled to the size of AdamW's (Liu et al. 2025, section 2.2), so that both take one
    rate.
    """
    tables = {f"{name}.weight" for name, module in model.named_modules() if isinstance(module, nn.Embedding)}
    matrices = []
    if settings.optimizer == "muon":
        layers = model.bert.layers.parameters()
        matrices = [weight for weight in layers if weight.dim() == 2 and weight.requires_grad]
    peaks, taken = {}, {id(weight) for weight in matrices}
    for name, weight in model.named_parameters():
        peaks[id(weight)] = settings.learning_rate
        if name in tables:
            peaks[id(weight)] *= settings.embedding_rate
        elif name.startswith(HEAD) and settings.head_learning_rate:
            peaks[id(weight)] = settings.head_learning_rate
    groups = [
        group | {"params": [w for w in group["params"] if peaks[id(w)] == peak and id(w) not in taken],
                 "peak": peak}
        for group in parameter_groups(model, settings.weight_decay)
        for peak in sorted(set(peaks.values()))
    ]  # fmt: skip
    adamw = torch.optim.AdamW(groups, lr=settings.learning_rate, betas=(0.9, beta2), fused=True)
    if not matrices:
        return adamw
    muon = torch.optim.Muon(matrices, settings.learning_rate, settings.weight_decay,
                            adjust_lr_fn="match_rms_adamw")  # fmt: skip
    muon.param_groups[0]["peak"] = settings.learning_rate
    return Both(adamw, muon)
