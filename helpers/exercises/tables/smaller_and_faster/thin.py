"""Notebook 18: LoRA, forward and merged."""

import copy

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


# 18.5 LoraLinear.forward

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

# 18.6 LoraLinear.merged

MERGED = '''
def my_lora_merged(self):
    """A plain nn.Linear, a new object, that gives what this layer gives: thin matrices and all.

    self.linear, self.down (r, N), self.up (M, r) and self.scale as above; self stays as it is. Write under
    `with torch.no_grad():`, and copy with `copy.deepcopy`.
    """
    ...
'''


def probe_merged(merged):
    layer = trained(with_method(LoraLinear, "merged", merged))
    before = layer.linear.weight.detach().clone()
    made = layer.merged()
    yield "weight", made.weight.detach().clone()
    yield "bias", made.bias.detach().clone()
    yield "a plain linear layer", type(made).__name__
    yield "the old layer is as it was", bool(torch.equal(layer.linear.weight, before))
    torch.manual_seed(7)
    hidden = torch.randn(3, 5)
    yield "same results", bool((made(hidden) - layer(hidden)).abs().max() < 1e-5)


def merged_with(change, given=False):
    def program(self):
        made = self.linear if given else copy.deepcopy(self.linear)
        with torch.no_grad():
            change(self, made)
        return made

    return program


def adds(scale=lambda self: self.scale):
    def change(self, made):
        made.weight += scale(self) * self.up @ self.down

    return change


def replaces(self, made):
    made.weight.copy_(self.scale * self.up @ self.down)


def bias_scaled(self, made):
    adds()(self, made)
    made.bias *= self.scale


def bias_of_zeros(self, made):
    adds()(self, made)
    made.bias.zero_()


def down_and_up(self, made):
    made.weight += self.scale * self.down.T @ self.up.T


def weight_row(parts):
    return parts["weight"][0]


def thrown_away(self, made):
    return made.weight + self.scale * self.up @ self.down


def everything_scaled(self, made):
    made.weight.copy_(self.scale * (self.linear.weight + self.up @ self.down))


def multiplied(self, made):
    made.weight *= self.scale * self.up @ self.down


def bias_gets_some(self, made):
    adds()(self, made)
    made.bias += self.scale * self.up.sum(dim=1)


def new_layer(self):
    torch.manual_seed(11)
    made = nn.Linear(self.down.shape[1], self.up.shape[0])
    with torch.no_grad():
        made.weight.copy_(self.linear.weight + self.scale * self.up @ self.down)
    return made


def new_layer_without_bias(self):
    made = nn.Linear(self.down.shape[1], self.up.shape[0], bias=False)
    with torch.no_grad():
        made.weight.copy_(self.linear.weight + self.scale * self.up @ self.down)
    return made


MERGED_MISTAKES = (
    Mistake(
        "nothing merged",
        merged_with(thrown_away),
        "the first row of the weight is {yours}, expected {expected}: that is the old weight. You compute a sum; "
        "where is it kept?",
    ),
    Mistake(
        "everything scaled",
        merged_with(everything_scaled),
        "the first row of the weight is {yours}, expected {expected}: the old weight is scaled, too. What does "
        "the scale belong to?",
    ),
    Mistake(
        "scaled twice",
        merged_with(adds(lambda self: self.scale**2)),
        "the first row of the weight is {yours}, expected {expected}: the scale comes in twice",
    ),
    Mistake(
        "divided by the scale",
        merged_with(adds(lambda self: 1 / self.scale)),
        "the first row of the weight is {yours}, expected {expected}: the product is divided by the scale; "
        "forward multiplies by it",
    ),
    Mistake(
        "merged twice",
        merged_with(adds(lambda self: 2 * self.scale)),
        "the first row of the weight is {yours}, expected {expected}: the product is in it twice. Who adds it "
        "besides?",
    ),
    Mistake(
        "multiplied",
        merged_with(multiplied),
        "the first row of the weight is {yours}, expected {expected}: number by number, the old weight is "
        "multiplied with the product. In forward the two ways meet by which sign?",
    ),
    Mistake(
        "a new layer's own bias",
        new_layer,
        "the weight is right, the bias is {yours}, expected {expected}: a new nn.Linear has a random bias of its "
        "own. Where is the trained one?",
        show=lambda parts: parts["bias"],
    ),
    Mistake(
        "no bias",
        new_layer_without_bias,
        "the weight is right, and there is no bias at all. What does self.linear add besides its product?",
    ),
    Mistake(
        "the bias changed",
        merged_with(bias_gets_some),
        "the weight is right, the bias is {yours}, expected {expected}: the thin matrices were added to the bias, "
        "too. Do they add anything where hidden is 0?",
        show=lambda parts: parts["bias"],
    ),
    Mistake(
        "without the scale",
        merged_with(adds(lambda self: 1.0)),
        "the first row of the weight is {yours}, expected {expected}: the product is added without its scale, so the "
        "merged layer adds less (or more) than the trained one did",
    ),
    Mistake(
        "taken away",
        merged_with(adds(lambda self: -self.scale)),
        "the first row of the weight is {yours}, expected {expected}: the product is subtracted; that is how merging is "
        "undone",
    ),
    Mistake(
        "divided by the rank again",
        merged_with(adds(lambda self: self.scale / len(self.down))),
        "the first row of the weight is {yours}, expected {expected}: self.scale is alpha / r already, and r divides once "
        "more",
    ),
    Mistake(
        "the product only",
        merged_with(replaces),
        "the first row of the weight is {yours}, expected {expected}: the product stands in the place of the old weight. "
        "It is added to it",
    ),
    Mistake(
        "bias scaled",
        merged_with(bias_scaled),
        "the weight is right, the bias is {yours}, expected {expected}: the bias was not touched by the thin matrices",
        show=lambda parts: parts["bias"],
    ),
    Mistake(
        "bias lost",
        merged_with(bias_of_zeros),
        "the weight is right, the bias is {yours}, expected {expected}: the old layer's bias belongs to the new one, too",
        show=lambda parts: parts["bias"],
    ),
    Mistake(
        "into the old layer",
        merged_with(adds(), given=True),
        "the weight is right, but it is the old layer that was changed: the LoRA layer now adds the product to a weight "
        "that has it already. Work on a copy",
        show=False,
    ),
    Mistake(
        "down times up",
        merged_with(down_and_up),
        "the shapes don't fit: a weight is (outputs, inputs), so the product is up @ down, (M, r) times (r, N)",
    ),
)


def merged_by_identity(self):
    """The matrix of a linear function: what it makes of the unit vectors."""
    made = nn.Linear(self.down.shape[1], self.up.shape[0])
    with torch.no_grad():
        made.bias.copy_(self(torch.zeros(self.down.shape[1])))
        made.weight.copy_((self(torch.eye(self.down.shape[1])) - made.bias).T)
    return made


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
    Exercise(
        id="18.6",
        name="LoraLinear.merged",
        reference=compression.LoraLinear.merged,
        stub=MERGED,
        probe=probe_merged,
        hints=(
            "hidden times down, then times up, is hidden times one matrix, the product of the two.",
            "Of a copy of self.linear: `weight += self.scale * self.up @ self.down`.",
        ),
        mistakes=MERGED_MISTAKES,
        notice="after merging nothing is left to be computed beside the layer: the model is as fast as before",
        difficulty=2,
        minutes=6,
        show=weight_row,
        variants=(merged_by_identity,),
    ),
)
