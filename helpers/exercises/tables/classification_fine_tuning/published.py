"""Three published bugs of fine-tuning, as they stand in the workshop of notebook 8: each a small program."""

import torch

from helpers.classification import classification_loss

__all__ = ["wrong_decay_groups", "wrong_adam_step", "wrong_tune_the_top"]


def wrong_decay_groups(model, weight_decay=0.01):
    """For the optimizer: matrices with weight decay, biases and the gains of LayerNorm without."""
    spared = ("bias", "norm.weight")
    with_decay = [weight for name, weight in model.named_parameters() if name not in spared]
    without = [weight for name, weight in model.named_parameters() if name in spared]
    return [{"params": with_decay, "weight_decay": weight_decay}, {"params": without, "weight_decay": 0.0}]


def wrong_adam_step(weight, gradient, state, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """One step of Adam: the new weight. `state`, an empty dict at first, is kept from step to step."""
    steps = state.get("steps", 0) + 1
    mean = beta1 * state.get("mean", 0.0) + (1 - beta1) * gradient
    square = beta2 * state.get("square", 0.0) + (1 - beta2) * gradient**2
    state.update(steps=steps, mean=mean, square=square)
    return weight - learning_rate * mean / (square.sqrt() + epsilon)


def wrong_tune_the_top(model, batches, learning_rate=0.01):
    """Train the last layer and what is above it, the rest stays frozen; returns the loss of each step."""
    for part in (model.bert.embeddings, *model.bert.layers[:-1]):
        part.requires_grad = False
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate)
    losses = []
    for batch, labels in batches:
        loss = classification_loss(model, batch, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
