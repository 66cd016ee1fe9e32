"""Taught in notebook 8 and not used again: one step of training, and three published bugs, repaired."""

import torch
from torch import nn

from helpers.classification import BertForClassification, classification_loss

__all__ = ["training_step", "decay_groups", "adam_step", "tune_the_top"]


def training_step(
    model: BertForClassification, batch: dict[str, torch.Tensor], labels: torch.Tensor,
    optimizer: torch.optim.Optimizer,
) -> float:  # fmt: skip
    """Move the weights once, against the gradient of this batch's loss; returns that loss, a number."""
    loss = classification_loss(model, batch, labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def decay_groups(model: nn.Module, weight_decay: float = 0.01) -> list[dict]:
    """For the optimizer: matrices with weight decay, biases and the gains of LayerNorm without."""
    spared = ("bias", "norm.weight")
    with_decay, without = [], []
    for name, weight in model.named_parameters():
        (without if name.endswith(spared) else with_decay).append(weight)
    return [{"params": with_decay, "weight_decay": weight_decay}, {"params": without, "weight_decay": 0.0}]


def adam_step(weight, gradient, state, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """One step of Adam: the new weight. `state`, an empty dict at first, is kept from step to step."""
    steps = state.get("steps", 0) + 1
    mean = beta1 * state.get("mean", 0.0) + (1 - beta1) * gradient
    square = beta2 * state.get("square", 0.0) + (1 - beta2) * gradient**2
    state.update(steps=steps, mean=mean, square=square)
    mean = mean / (1 - beta1**steps)  # both averages began at 0
    square = square / (1 - beta2**steps)
    return weight - learning_rate * mean / (square.sqrt() + epsilon)


def tune_the_top(model, batches, learning_rate=0.01):
    """Train the last layer and what is above it, the rest stays frozen; returns the loss of each step."""
    for part in (model.bert.embeddings, *model.bert.layers[:-1]):
        part.requires_grad_(False)
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate)
    losses = []
    for batch, labels in batches:
        loss = classification_loss(model, batch, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
