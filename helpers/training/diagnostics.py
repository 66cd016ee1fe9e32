"""What goes on inside a model while it trains: activations layer by layer, gradients, sizes of updates.

Support code, for `Bert` as it is taught (post-norm). Looking changes nothing: neither weights, gradients,
modes nor the random numbers of the run. Left out: dropout (off while looking) and biases.
"""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import nn

from helpers.encoder import Bert, evaluating
from helpers.pretraining import BertForPreTraining, PreTrainingLoss, pretraining_loss
from helpers.wordpiece import check_number

__all__ = [
    "LayerState", "Recorder", "evenness", "gradient_norms", "layer_states", "matrices", "similarity",
    "update_ratios",
]  # fmt: skip


class LayerState(NamedTuple):
    """What stands in the residual stream after a layer, and what the two blocks of the layer did."""

    rms: float  # root mean square of the numbers of the stream, over the visible tokens
    similarity: float  # mean cosine between two tokens of a row: 1 where all are alike
    attention_share: float  # norm of what attention adds, divided by the norm of what it is added to
    feed_forward_share: float
    evenness: float  # entropy of attention, divided by that of even attention: 0 to 1


def similarity(hidden: torch.Tensor, visible: torch.Tensor) -> float:
    """The mean cosine between two different visible tokens of a row: hidden (B, T, H), visible (B, T).

    Every row with at least two visible tokens counts the same. Of n unit vectors with the sum s the mean is
    (s · s − n) / (n (n − 1)). Raises ValueError where no row has two visible tokens.
    """
    units = nn.functional.normalize(hidden.double(), dim=-1) * visible[..., None]
    number = visible.sum(dim=1)
    several = number > 1
    if not several.any():
        raise ValueError("no row has two visible tokens to compare: give longer texts")
    sums, number = units.sum(dim=1).square().sum(dim=-1)[several], number[several]
    return ((sums - number) / (number * (number - 1))).mean().item()


def evenness(probabilities: torch.Tensor, visible: torch.Tensor) -> float:
    """The entropy of attention as a share of ln n, n visible tokens: probabilities (B, A, T, T).

    The mean over the visible tokens that ask, in rows of at least two; 1 for even attention, 0 for attention
    to a single token. Raises ValueError where no row has two visible tokens.
    """
    number = visible.sum(dim=1)
    asking = visible & (number > 1)[:, None]  # (B, T)
    if not asking.any():
        raise ValueError("no row has two visible tokens to look at: give longer texts")
    entropy = torch.special.entr(probabilities.double()).sum(dim=-1)  # (B, A, T)
    shares = entropy / number.clamp(min=2).log()[:, None, None]
    return shares.mean(dim=1)[asking].mean().item()


@torch.no_grad()
def layer_states(bert: Bert, batch: dict[str, torch.Tensor]) -> list[LayerState]:
    """One state for each layer, from a batch of ids, type_ids and attention_mask (B, T), without dropout."""
    device = next(bert.parameters()).device
    ids, types, mask = (batch[name].to(device) for name in ("ids", "type_ids", "attention_mask"))
    visible, shares = mask.bool(), []

    def hook(_, inputs, output):  # of a block: what stood there, and what the block adds to it
        added = output[0] if isinstance(output, tuple) else output
        norms = [tokens[visible].double().norm(dim=-1) for tokens in (added, inputs[0])]
        shares.append((norms[0] / norms[1]).mean().item())

    blocks = [block for layer in bert.layers for block in (layer.attention, layer.feed_forward)]
    hooks = [block.register_forward_hook(hook) for block in blocks]
    try:
        with evaluating(bert):
            output = bert(ids, types, mask, output_hidden_states=True, output_attentions=True)
    finally:
        for one in hooks:
            one.remove()
    return [
        LayerState(
            hidden[visible].double().square().mean().sqrt().item(), similarity(hidden, visible),
            shares[2 * layer], shares[2 * layer + 1], evenness(probabilities, visible),
        )
        for layer, (hidden, probabilities) in enumerate(
            zip(output.hidden_states[1:], output.attentions, strict=True)
        )
    ]  # fmt: skip


def matrices(model: nn.Module) -> dict[str, nn.Parameter]:
    """The trainable weights with two dimensions, by name: linear layers and tables, no biases, no norms."""
    return {name: w for name, w in model.named_parameters() if w.dim() == 2 and w.requires_grad}


def update_ratios(before: dict[str, torch.Tensor], model: nn.Module) -> dict[str, float]:
    """‖W − before‖ / ‖before‖ for each matrix: how far a step moved it, relative to its size.

    before: {name: copy}, as `matrices` names them. Raises ValueError for names that the model lacks.
    """
    now = matrices(model)
    if missing := sorted(before.keys() - now.keys()):
        raise ValueError(f"the model has no matrix {missing[0]}: copy those that `matrices` names")
    with torch.no_grad():
        return {name: ((now[name] - old).norm() / old.norm()).item() for name, old in before.items()}


def gradient_norms(model: BertForPreTraining, batch: dict[str, torch.Tensor]) -> dict[str, float]:
    """The norm of the gradient of the token loss for each matrix, unclipped; `weight.grad` is left alone."""
    weights = matrices(model)
    with evaluating(model), torch.enable_grad():
        loss = pretraining_loss(model, batch).token_loss
        gradients = torch.autograd.grad(loss, list(weights.values()), allow_unused=True)
    return {
        name: 0.0 if gradient is None else gradient.norm().item()
        for name, gradient in zip(weights, gradients, strict=True)
    }


class Recorder:
    """An `on_step` for `pretrain` that looks after some of its steps: at layers, gradients, updates.

    probe: a batch as in `pretraining_loss`, the same at every look. For each look there is an entry in
    `seen`, the number of the step, in `layers`, a list of `LayerState`, and in `gradients` and `updates`,
    dictionaries by matrix. Raises ValueError for steps that are no whole numbers from 1 on.
    """

    def __init__(self, model: BertForPreTraining, probe: dict[str, torch.Tensor], steps: Iterable[int]):
        self.model, self.probe, self.steps = model, probe, set(steps)
        for step in self.steps:
            check_number("a step", step, 1, whole=True)
        self.seen, self.layers, self.gradients, self.updates = [], [], [], []
        self._keep(1)

    def _keep(self, step: int) -> None:
        """Copy the matrices if the step that comes now is one to be looked at."""
        wanted = matrices(self.model) if step in self.steps else {}
        self.before = {name: weight.detach().clone() for name, weight in wanted.items()}

    def __call__(self, step: int, losses: PreTrainingLoss) -> None:
        if step in self.steps:
            self.seen.append(step)
            self.updates.append(update_ratios(self.before, self.model))
            self.layers.append(layer_states(self.model.bert, self.probe))
            self.gradients.append(gradient_norms(self.model, self.probe))
        self._keep(step + 1)
