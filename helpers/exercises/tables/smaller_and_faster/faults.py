"""Notebook 18: two published faults."""

import torch
from torch import nn
from torch.nn import functional

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import smaller_and_faster as references
from helpers.exercises.sources import planted
from helpers.exercises.tables.smaller_and_faster import published

# 18.b1 two_part_loss


def probe_two_parts(loss):
    torch.manual_seed(8)
    student, teacher, inputs = nn.Linear(4, 3), nn.Linear(4, 3), torch.randn(6, 4)
    labels = torch.tensor([0, 2, 1, 1, 0, 2])
    whole = loss(student, teacher, inputs, labels)
    yield "the loss", float(whole)
    yield "soft labels alone", float(loss(student, teacher, inputs, labels, temperature=3.0, share=1.0))
    whole.backward()
    yield "the student learns", student.weight.grad is not None
    yield "the teacher learns", teacher.weight.grad is not None
    student.zero_grad()
    loss(student, teacher, inputs, labels, share=1.0).backward()
    yield "what the student learns from soft labels alone", student.weight.grad[0]
    with torch.no_grad():
        gap = functional.cross_entropy(student(inputs), labels) / 2
    yield "of a student that is its teacher", float(loss(student, student, inputs, labels) - gap)


def two_parts_with(found=None, targets=None, soft=None, frozen=True):
    def program(student, teacher, inputs, labels, temperature=5.0, share=0.5):
        with torch.no_grad() if frozen else torch.enable_grad():
            said = teacher(inputs)
        logits = student(inputs)
        q = (logits if found is None else found(logits, said)) / temperature
        p = (said if targets is None else targets(logits, said)) / temperature
        p, q = p.log_softmax(-1), q.log_softmax(-1)
        gap = (soft or (lambda p, q: (p.exp() * (p - q)).sum(-1).mean()))(p, q)
        return share * temperature**2 * gap + (1 - share) * functional.cross_entropy(logits, labels)

    return program


def the_loss(parts):
    return parts["the loss"]


def shares_exchanged(student, teacher, inputs, labels, temperature=5.0, share=0.5):
    return references.two_part_loss(student, teacher, inputs, labels, temperature, 1 - share)


def log_target_forgotten(p, q):
    return functional.kl_div(q, p, reduction="batchmean")


def labels_softened(student, teacher, inputs, labels, temperature=5.0, share=0.5):
    soft = references.two_part_loss(student, teacher, inputs, labels, temperature, 1.0)
    return share * soft + (1 - share) * functional.cross_entropy(student(inputs) / temperature, labels)


def student_not_softened(student, teacher, inputs, labels, temperature=5.0, share=0.5):
    return two_parts_with(found=lambda logits, said: temperature * logits)(
        student, teacher, inputs, labels, temperature, share
    )


TWO_PART_MISTAKES = (
    Mistake(
        "the student detached",
        two_parts_with(found=lambda logits, said: logits.detach()),
        "the loss is right, but from soft labels alone the student learns {yours}, expected {expected}: what cuts "
        "its logits off from its weights?",
        show=lambda parts: parts["what the student learns from soft labels alone"],
    ),
    Mistake(
        "the student not softened",
        student_not_softened,
        "the loss is {yours}, expected {expected}: the student is in it now, but at temperature 1 beside a "
        "softened teacher. Which line had the division?",
    ),
    Mistake(
        "the labels softened",
        labels_softened,
        "the loss is {yours}, expected {expected}: the cross-entropy with the labels has the temperature in it, "
        "too. That line had no fault",
    ),
    Mistake(
        "logarithms taken for probabilities",
        two_parts_with(soft=log_target_forgotten),
        "the loss is {yours}, expected {expected}: kl_div is not told any more that its second place has "
        "logarithms",
    ),
    Mistake(
        "shares exchanged",
        shares_exchanged,
        "with half and half all is right, but of soft labels alone you make {yours}, expected {expected}: `share` "
        "is the soft labels' part",
        show=lambda parts: parts["soft labels alone"],
    ),
    Mistake(
        "both of the student",
        two_parts_with(targets=lambda logits, said: logits),
        "the loss is {yours}, expected {expected}: now both sides are the student's, and the divergence of a thing from "
        "itself is 0 again",
    ),
    Mistake(
        "exchanged",
        two_parts_with(found=lambda logits, said: said, targets=lambda logits, said: logits),
        "the loss is {yours}, expected {expected}: the student's probabilities weigh the logarithms now. The one that is "
        "learned from stands in the second place of kl_div",
    ),
    Mistake(
        "as a cross-entropy",
        two_parts_with(soft=lambda p, q: -(p.exp() * q).sum(-1).mean()),
        "the loss is {yours}, expected {expected}: the symptom is gone, but the soft part is a cross-entropy now, which "
        "does not end at 0. The line with the fault is another one",
    ),
    Mistake(
        "mean over the classes",
        two_parts_with(soft=lambda p, q: (p.exp() * (p - q)).mean()),
        "the loss is {yours}, expected {expected}: the student is in it now, but the divergence is averaged over the "
        "classes, too",
    ),
    Mistake(
        "without no_grad",
        two_parts_with(frozen=False),
        "the loss is right, but now gradients reach the teacher: it would come to meet its student. The guard was not the "
        "fault",
        show=False,
    ),
)

# 18.b2 MergingLinear


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
        id="18.b1",
        name="two_part_loss",
        reference=references.two_part_loss,
        stub=planted(published.wrong_two_part_loss),
        probe=probe_two_parts,
        hints=(
            "Print `soft` for a student and a teacher that differ. When is a divergence 0?",
            "Follow the names: what is `found` computed from, and where does `logits` go?",
        ),
        mistakes=TWO_PART_MISTAKES,
        notice="the labels alone still taught the student, so no accuracy gave the fault away; a loss that should fall and "
        "is 0 from the first step does",
        difficulty=1,
        minutes=6,
        kind="bug",
        source="labmlai/annotated_deep_learning_paper_implementations, issue 66 (July 2021)",
        show=the_loss,
        variants=(two_parts_with(),),
    ),
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
