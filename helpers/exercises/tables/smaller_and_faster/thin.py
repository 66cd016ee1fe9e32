"""Notebook 18: LoRA, the way forward."""

import torch
from torch import nn

from helpers import compression
from helpers.compression import LoraLinear
from helpers.exercises.exercise import Exercise, Mistake, with_method


def trained(kind, rank=2, alpha=6.0):
    """A layer (5 -> 4) whose thin matrices have learned something."""
    torch.manual_seed(5)
    layer = kind(nn.Linear(5, 4), rank, alpha)
    nn.init.normal_(layer.down)
    nn.init.normal_(layer.up)
    return layer


FORWARD = '''
def my_lora_forward(self, hidden):
    """hidden (..., N) -> (..., M): what the old layer gives, and what the thin matrices add.

    self.linear is the old layer, N to M; self.down is (r, N), self.up (M, r); self.scale is alpha / r.
    """
    ...
'''


def probe_forward(forward):
    layer = trained(with_method(LoraLinear, "forward", forward))
    torch.manual_seed(6)
    hidden = torch.randn(2, 3, 5)
    yield "two texts", layer(hidden).detach()
    yield "one vector", layer(hidden[0, 0]).detach()
    layer(hidden).sum().backward()
    yield "learns", [weight.grad is not None for weight in (layer.down, layer.up)]
    below = hidden.clone().requires_grad_(True)
    layer(below).sum().backward()
    yield "what goes back to the layers below", below.grad[0, 0]


def thin(self, hidden):
    return self.scale * (hidden @ self.down.T @ self.up.T)


def first(parts):
    return parts["two texts"][0, 0]


def in_series(self, hidden):
    found = self.linear(hidden)
    return found + self.scale * (found @ self.down.T @ self.up.T)


def without_transposing(self, hidden):
    return self.linear(hidden) + self.scale * (hidden @ self.down @ self.up)


def up_first(self, hidden):
    return self.linear(hidden) + self.scale * (hidden @ self.up.T @ self.down.T)


FORWARD_MISTAKES = (
    Mistake(
        "the old layer cut off",
        lambda self, hidden: self.linear(hidden).detach() + thin(self, hidden),
        "down and up learn, but back to the layers below goes {yours}, expected {expected}: no gradient passes "
        "through the old layer. Its weights are frozen; what stands below it still learns through it",
        show=lambda parts: parts["what goes back to the layers below"],
    ),
    Mistake(
        "multiplied",
        lambda self, hidden: self.linear(hidden) * thin(self, hidden),
        "the first token gets {yours}, expected {expected}: what the thin matrices give is multiplied. With `up` "
        "at zero, what would the model give at first?",
    ),
    Mistake(
        "divided by the scale",
        lambda self, hidden: self.linear(hidden) + hidden @ self.down.T @ self.up.T / self.scale,
        "the first token gets {yours}, expected {expected}: you divide by the scale. A larger alpha is to add "
        "more; does it?",
    ),
    Mistake(
        "no bias",
        lambda self, hidden: hidden @ self.linear.weight.T + thin(self, hidden),
        "the first token gets {yours}, expected {expected}: the weight of the old layer is there, and not its "
        "bias. What does self.linear(hidden) do besides the product?",
    ),
    Mistake(
        "something between",
        lambda self, hidden: self.linear(hidden) + self.scale * (hidden @ self.down.T).relu() @ self.up.T,
        "the first token gets {yours}, expected {expected}: between down and up the negative numbers become 0. "
        "Could this be merged into one matrix?",
    ),
    Mistake(
        "one of two learns",
        lambda self, hidden: self.linear(hidden) + self.scale * hidden @ self.down.T @ self.up.T.detach(),
        "the numbers are right, but whether down and up get gradients is {yours}, expected {expected}: what keeps "
        "the gradient from the other?",
        show=lambda parts: parts["learns"],
    ),
    Mistake(
        "without the scale",
        lambda self, hidden: self.linear(hidden) + hidden @ self.down.T @ self.up.T,
        "the first token gets {yours}, expected {expected}: what the thin matrices add is not scaled. With alpha / r the "
        "same alpha serves for every rank",
    ),
    Mistake(
        "scaled twice",
        lambda self, hidden: self.linear(hidden) + self.scale * thin(self, hidden),
        "the first token gets {yours}, expected {expected}: the scale comes in twice",
    ),
    Mistake(
        "divided by the rank again",
        lambda self, hidden: self.linear(hidden) + thin(self, hidden) / len(self.down),
        "the first token gets {yours}, expected {expected}: self.scale is alpha / r already, and you divide by r once more",
    ),
    Mistake(
        "everything scaled",
        lambda self, hidden: self.scale * (self.linear(hidden) + hidden @ self.down.T @ self.up.T),
        "the first token gets {yours}, expected {expected}: the old layer is scaled, too. With `up` at zero the model must "
        "be what it was",
    ),
    Mistake(
        "without the old layer",
        thin,
        "the first token gets {yours}, expected {expected}: only what is added. The old layer is frozen, not left out",
    ),
    Mistake(
        "taken away",
        lambda self, hidden: self.linear(hidden) - thin(self, hidden),
        "the first token gets {yours}, expected {expected}: what the thin matrices give is subtracted. Training would turn "
        "their sign, but weights of another library would not fit",
    ),
    Mistake(
        "no gradients",
        lambda self, hidden: self.linear(hidden) + thin(self, hidden).detach(),
        "the numbers are right, but no gradient reaches down and up, so they would never learn",
        show=False,
    ),
    Mistake(
        "in series",
        in_series,
        "the shapes don't fit: the thin matrices get what the old layer gives. They stand beside it and get the same input",
    ),
    Mistake(
        "not transposed",
        without_transposing,
        "the shapes don't fit: `down` is (r, N) as the weight of a linear layer is, outputs first, so a product from the "
        "right needs it transposed",
    ),
    Mistake(
        "up first",
        up_first,
        "the shapes don't fit: up comes first. The way is down to r numbers, then up to M",
    ),
)

EXERCISES = (
    Exercise(
        id="18.5",
        name="LoraLinear.forward",
        reference=compression.LoraLinear.forward,
        stub=FORWARD,
        probe=probe_forward,
        hints=(
            "Two ways side by side, added at the end: self.linear(hidden), and hidden through down, then up.",
            "`hidden @ self.down.T` is (..., r); times `self.up.T` it is (..., M).",
        ),
        mistakes=FORWARD_MISTAKES,
        asks={
            "two texts": "two ways stand side by side: what goes into each of them, and how do they meet?",
        },
        notice="since `up` begins at zero, the first step starts from exactly the model that was given",
        difficulty=1,
        minutes=5,
        show=first,
        variants=(
            lambda self, hidden: (
                self.linear(hidden)
                + nn.functional.linear(nn.functional.linear(hidden, self.down), self.up) * self.scale
            ),
            lambda self, hidden: nn.functional.linear(
                hidden, self.linear.weight + self.scale * self.up @ self.down, self.linear.bias
            ),
        ),
    ),
)
