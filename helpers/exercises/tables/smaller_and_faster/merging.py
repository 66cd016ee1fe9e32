"""Notebook 18: a published fault of a layer that merges."""

import torch
from torch import nn
from torch.nn import functional

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import smaller_and_faster as references
from helpers.exercises.sources import planted
from helpers.exercises.tables.smaller_and_faster import published


def probe_merging(kind):
    torch.manual_seed(9)
    linear, hidden = nn.Linear(5, 4), torch.randn(3, 5)
    torch.manual_seed(10)
    layer = kind(linear, 2, 1.5)
    whole = nn.Sequential(layer, nn.ReLU())
    old, product = linear.weight.detach(), (1.5 * layer.up @ layer.down).detach()

    def added():
        """How often the product is in the weight."""
        return round(float(((layer.linear.weight - old) * product).sum() / product.square().sum()), 3) + 0.0

    before = whole(hidden).detach()
    whole.eval()
    yield "in the weight after model.eval()", added()
    yield "results in evaluation mode", bool((whole(hidden) - before).abs().max() < 1e-5)
    yield "the layer is told that it is evaluated", not layer.training
    whole.eval()
    yield "in the weight after a second model.eval()", added()
    whole.train()
    yield "in the weight after model.train()", added()
    yield "results in training mode", bool((whole(hidden) - before).abs().max() < 1e-5)
    whole(hidden).sum().backward()
    yield "the thin matrices learn", layer.up.grad is not None
    yield "the old weight learns", layer.linear.weight.requires_grad
    whole.train()
    yield "in the weight after a second model.train()", added()
    layer.eval()
    yield "in the weight after layer.eval()", added()
    given = layer.train()
    yield "in the weight after layer.train()", added()
    yield "layer.train() gives the layer back", given is layer


def merging_with(train, forward=None):
    methods = {"train": train, "__module__": __name__}
    if forward is not None:
        methods["forward"] = forward
    return type("Merging", (references.MergingLinear,), methods)


def train_without_a_mark(self, mode=True):
    nn.Module.train(self, mode)
    with torch.no_grad():
        self.linear.weight += (-1 if mode else 1) * self.scale * self.up @ self.down
    self.is_merged = not mode
    return self


def train_merging_only(self, mode=True):
    nn.Module.train(self, mode)
    if not mode and not self.is_merged:
        with torch.no_grad():
            self.linear.weight += self.scale * self.up @ self.down
        self.is_merged = True
    return self


def train_without_a_scale(self, mode=True):
    nn.Module.train(self, mode)
    if self.is_merged == mode:
        with torch.no_grad():
            self.linear.weight += (-1 if mode else 1) * self.up @ self.down
        self.is_merged = not mode
    return self


def forward_that_adds(self, hidden):
    return self.linear(hidden) + self.scale * (hidden @ self.down.T @ self.up.T)


def merging_when(step, add=lambda self, product: self.linear.weight.__iadd__(product)):
    """A train that does what `step(self, mode)` says: 1 to merge, -1 to undo it, 0 for nothing."""

    def train(self, mode=True):
        nn.Module.train(self, mode)
        if sign := step(self, mode):
            with torch.no_grad():
                add(self, sign * self.scale * self.up @ self.down)
            self.is_merged = sign > 0
        return self

    return train


def as_it_should(self, mode):
    return 0 if self.is_merged != mode else -1 if mode else 1


def as_a_parameter(self, product):
    self.linear.weight = nn.Parameter(self.linear.weight + product)


def train_for_itself_only(self, mode=True):
    if sign := as_it_should(self, mode):
        with torch.no_grad():
            self.linear.weight += sign * self.scale * self.up @ self.down
        self.is_merged = sign > 0
    return self


def train_without_return(self, mode=True):
    references.MergingLinear.train(self, mode)


def train_that_marks_nothing(self, mode=True):
    references.MergingLinear.train(self, mode)
    self.is_merged = False
    return self


def forward_that_merges(self, hidden):
    if not self.training:
        weight = self.linear.weight + self.scale * self.up @ self.down
        return functional.linear(hidden, weight, self.linear.bias)
    return forward_that_adds(self, hidden)


class MergesWhenCalled(published.WrongMergingLinear):
    """Merges on the first call in evaluation mode."""

    def forward(self, hidden):
        if not self.training and not self.is_merged:
            self.eval()
        return super().forward(hidden)


MERGING_MISTAKES = (
    Mistake(
        "the wrong way round",
        merging_with(merging_when(lambda self, mode: 0 if self.is_merged == mode else 1 if mode else -1)),
        "after model.eval() the product is {yours} times in the weight, expected {expected}, since you merge when "
        "training begins. Which of the two modes is `mode` True?",
    ),
    Mistake(
        "in forward only",
        merging_with(nn.Module.train, forward_that_merges),
        "after model.eval() the product is {yours} times in the weight, expected {expected}: forward adds the two "
        "up in every call. The results are right, but is any time saved, and what is saved with the weights?",
    ),
    Mistake(
        "the mark not set",
        merging_with(train_that_marks_nothing),
        "after model.eval() the product is in the weight, but the layer does not know it: is_merged stays False, "
        "and forward adds it again",
        show=False,
    ),
    Mistake(
        "the mode not handed on",
        merging_with(train_for_itself_only),
        "the product is where it should be, but the layer itself still takes itself for training: who sets "
        "`training`, and the mode of the parts inside?",
        show=False,
    ),
    Mistake(
        "merged by any other call",
        merging_with(
            merging_when(lambda self, mode: -1 if mode and self.is_merged else 0 if self.is_merged else 1)
        ),
        "after a second model.train() the product is {yours} times in the weight, expected {expected}: what is "
        "not merged is merged in training, too. Of which case does your `else` not think?",
        show=lambda parts: parts["in the weight after a second model.train()"],
    ),
    Mistake(
        "the old weight learns",
        merging_with(merging_when(as_it_should, as_a_parameter)),
        "the numbers are right, but a new nn.Parameter learns: the old weight is no longer frozen. How is a "
        "weight changed without making a new one?",
        show=False,
    ),
    Mistake(
        "nothing given back",
        merging_with(train_without_return),
        "all is right but `layer = layer.train()`: train gives nothing back. What does nn.Module.train give?",
        show=False,
    ),
    Mistake(
        "merged when called",
        MergesWhenCalled,
        "after model.eval() the product is {yours} times in the weight, expected {expected}: it is merged at the first "
        "call. Who saves the weights before that saves the old ones",
    ),
    Mistake(
        "without a look at the mark",
        merging_with(train_without_a_mark),
        "after a second model.eval() the product is {yours} times in the weight, expected {expected}: eval may be called "
        "as often as one likes. Look whether it is there already",
        show=lambda parts: parts["in the weight after a second model.eval()"],
    ),
    Mistake(
        "never undone",
        merging_with(train_merging_only),
        "after model.train() the product is {yours} times in the weight, expected {expected}: training goes on with the "
        "weight merged, and the thin matrices get no gradient",
        show=lambda parts: parts["in the weight after model.train()"],
    ),
    Mistake(
        "without its scale",
        merging_with(train_without_a_scale),
        "after model.eval() the product is {yours} times in the weight, expected {expected}: the product is merged without "
        "its scale",
    ),
    Mistake(
        "added twice",
        merging_with(references.MergingLinear.train, forward_that_adds),
        "it is merged once, as it should be, but forward adds the product again: results in evaluation mode are not those "
        "of training",
        show=False,
    ),
)


class MergingByTwo(references.MergingLinear):
    """The same with two methods."""

    def train(self, mode=True):
        nn.Module.train(self, mode)
        if mode and self.is_merged:
            self.linear.weight.data -= self.scale * (self.up @ self.down).detach()
        if not mode and not self.is_merged:
            self.linear.weight.data += self.scale * (self.up @ self.down).detach()
        self.is_merged = not mode
        return self


EXERCISES = (
    Exercise(
        id="18.b2",
        name="MergingLinear",
        reference=references.MergingLinear,
        stub=planted(published.WrongMergingLinear),
        probe=probe_merging,
        hints=(
            "`help(nn.Module.eval)`: what does model.eval() call, and what does that call for the parts inside?",
            "model.eval() is model.train(False), and the parts get train(False) as well. Their eval is never called: move "
            "the merging into train.",
        ),
        mistakes=MERGING_MISTAKES,
        asks={
            "in the weight after model.eval()": "which method of the parts inside does model.eval() call?",
        },
        notice="the results were right all along, merged or not; only the time was lost, and whoever saved the weights of "
        "`linear` saved the untrained ones",
        difficulty=2,
        minutes=12,
        kind="bug",
        source="microsoft/LoRA, issues 34 (October 2022) and 61 (April 2023)",
        show=lambda parts: parts["in the weight after model.eval()"],
        variants=(MergingByTwo,),
    ),
)
