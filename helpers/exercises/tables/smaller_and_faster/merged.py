"""Notebook 18: LoRA merged into one matrix."""

import copy

import torch
from torch import nn

from helpers import compression
from helpers.compression import LoraLinear
from helpers.exercises.exercise import Exercise, Mistake, with_method
from helpers.exercises.tables.smaller_and_faster.thin import trained

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
        asks={
            "bias": "the weight is right: whose bias belongs to it, and is it changed by the thin matrices?",
            "same results": "the merged layer is right, but this one gives something else afterwards: what did you change in "
            "`self`?",
        },
        notice="after merging nothing is left to be computed beside the layer: the model is as fast as before",
        difficulty=2,
        minutes=6,
        show=weight_row,
        variants=(merged_by_identity,),
    ),
)
