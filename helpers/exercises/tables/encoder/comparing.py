"""Comparing results, and looking at a model: exercises 5.9 and 5.10."""

from contextlib import contextmanager

import torch
from torch import nn

from helpers import encoder
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import encoder as references

# 5.9 visible_difference

DIFFERENCE = '''
def my_visible_difference(a, b, visible):
    """The largest difference between two results, as a float.

    a and b: hidden states (B, T, H), of which only visible tokens count, or pooled outputs (B, H).
    visible: boolean (B, T), True at tokens that are no padding.
    """
    ...
'''


def two_results():
    torch.manual_seed(6)
    a = torch.randn(2, 3, 4)
    b = a + 0.1 * torch.randn(2, 3, 4)
    b[0, 1, 2] = a[0, 1, 2] + 0.75  # the largest, where a is smaller
    b[1, 0, 1] = a[1, 0, 1] - 0.5
    b[1, 2] = a[1, 2] + 7.0  # padding
    return a, b, torch.tensor([[True, True, True], [True, True, False]])


def probe_difference(visible_difference):
    a, b, visible = two_results()
    yield "hidden states", visible_difference(a, b, visible)
    near = a + 0.3 * (visible[..., None].logical_not())  # apart at padding only, and by little
    yield "the other way round", visible_difference(b.where(visible[..., None], near), a, visible)
    larger = a[:, 0] + torch.tensor([0.25, 0.5, 0.875, 0.375])
    yield "pooled outputs", visible_difference(a[:, 0], larger, visible)


def of_states(function):
    """A difference whose `function` sees the numbers that count."""
    return lambda a, b, visible: function(a[visible], b[visible]) if a.dim() == 3 else function(a, b)


def hidden_states(parts):
    return parts["hidden states"]


DIFFERENCE_MISTAKES = (
    Mistake(
        "length of a token's difference",
        of_states(lambda a, b: (a - b).norm(dim=-1).max().item()),
        "the hidden states are apart by {yours}, expected {expected}: you take the length of a token's difference; asked for is the largest single number",
    ),
    Mistake(
        "largest length",
        of_states(lambda a, b: abs(a.norm(dim=-1) - b.norm(dim=-1)).max().item()),
        "the hidden states are apart by {yours}, expected {expected}: you compare the lengths of vectors, and two vectors of one length may point anywhere",
    ),
    Mistake(
        "padding counted",
        lambda a, b, visible: (a - b).abs().max().item(),
        "the hidden states are apart by {yours}, expected {expected}: the larger one stands at padding, where nobody "
        "reads",
    ),
    Mistake(
        "padding alone",
        lambda a, b, visible: ((a - b)[~visible] if a.dim() == 3 else a - b).abs().max().item(),
        "the hidden states are apart by {yours}, expected {expected}: you look at the padding only",
    ),
    Mistake(
        "difference of the largest",
        of_states(lambda a, b: abs(a.max() - b.max()).item()),
        "the hidden states are apart by {yours}, expected {expected}: you subtract the largest number of one from the largest "
        "of the other, and these may stand at different places. First the differences, then the largest of them",
    ),
    Mistake(
        "sign kept",
        of_states(lambda a, b: (a - b).max().item()),
        "the hidden states are apart by {yours}, expected {expected}: where b is the larger one, a - b is negative "
        "and never the largest",
    ),
    Mistake(
        "sign taken off too late",
        of_states(lambda a, b: (a - b).max().abs().item()),
        "the hidden states are apart by {yours}, expected {expected}: you take the sign off after you have chosen "
        "the largest. First off, then choose: which order is that here?",
        show=lambda parts: parts["hidden states"],
    ),
    Mistake(
        "mean",
        of_states(lambda a, b: (a - b).abs().mean().item()),
        "the hidden states are apart by {yours}, expected {expected}: the mean hides one bad number among many good "
        "ones, and it is the bad one that you are looking for",
    ),
    Mistake(
        "difference of the largest, signs left out",
        of_states(lambda a, b: (a.abs().max() - b.abs().max()).abs().item()),
        "the hidden states are apart by {yours}, expected {expected}: you compare the largest number of each. They "
        "may stand in different places",
    ),
    Mistake(
        "sum",
        of_states(lambda a, b: (a - b).abs().sum().item()),
        "the hidden states are apart by {yours}, expected {expected}: this is the sum of all differences",
    ),
    Mistake(
        "length of the difference",
        of_states(lambda a, b: (a - b).norm().item()),
        "the hidden states are apart by {yours}, expected {expected}: this is the length of the whole difference, "
        "which grows with the number of tokens",
    ),
    Mistake(
        "squared",
        of_states(lambda a, b: ((a - b) ** 2).max().item()),
        "the hidden states are apart by {yours}, expected {expected}: you square the differences, which makes small "
        "ones look much smaller",
    ),
    Mistake(
        "sign kept in hidden states",
        lambda a, b, visible: ((a - b)[visible].max() if a.dim() == 3 else (a - b).abs().max()).item(),
        "pooled outputs are right; the hidden states are apart by {yours}, expected {expected}: their sign was not "
        "taken off",
    ),
    Mistake(
        "sign kept in pooled outputs",
        lambda a, b, visible: ((a - b)[visible].abs().max() if a.dim() == 3 else (a - b).max()).item(),
        "hidden states are right; the pooled outputs are apart by {yours}, expected {expected}: their sign was not "
        "taken off",
        show=lambda parts: parts["pooled outputs"],
    ),
    Mistake(
        "relative",
        of_states(lambda a, b: ((a - b).abs() / b.abs()).max().item()),
        "the hidden states are apart by {yours}, expected {expected}: you divide by b, and a number near 0 then "
        "makes anything large",
    ),
    Mistake(
        "pooled outputs not expected",
        lambda a, b, visible: (a - b)[visible].abs().max().item(),
        "a pooled output has no tokens: (B, H), and nothing to leave out",
    ),
    Mistake(
        "still a tensor",
        of_states(lambda a, b: (a - b).abs().max()),
        "the number is right, and it is to be compared and printed",
    ),
)

# 5.10 evaluating

EVALUATING = '''
from contextlib import contextmanager


@contextmanager
def my_evaluating(model):
    """`with my_evaluating(model):` no dropout inside; afterwards every part is in the mode in which it was.

    Also after an error inside. What stands inside the `with` runs where `yield` stands.
    """
    ...
    yield
    ...
'''


class Interruption(Exception):
    """An error of the probe's own."""


def mixed_model():
    """Six parts; one group rests, and in it one part is in training."""
    inner = nn.Sequential(nn.Dropout(), nn.Sequential(nn.Linear(2, 2), nn.Dropout()))
    model = nn.Sequential(nn.Linear(2, 2), inner).train()
    inner.eval()
    inner[1].training = True
    return model


def modes(model):
    return ["training" if part.training else "evaluation" for part in model.modules()]


def probe_evaluating(evaluating):
    model = mixed_model()
    with evaluating(model):
        yield "inside", modes(model)
    yield "afterwards", modes(model)
    model = mixed_model()
    came_out = False
    try:
        with evaluating(model):
            raise Interruption
    except Interruption:
        came_out = True
    yield "an error inside comes out", came_out
    yield "after an error", modes(model)
    resting = mixed_model().eval()
    with evaluating(resting):
        pass
    yield "of a model that was in evaluation", modes(resting)


@contextmanager
def evaluating_then_train(model):
    model.eval()
    try:
        yield
    finally:
        model.train()


@contextmanager
def evaluating_one_mode(model):
    mode = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(mode)


@contextmanager
def evaluating_one_mode_without_finally(model):
    mode = model.training
    model.eval()
    yield
    model.train(mode)


def evaluating_without_decorator(model):
    before = [(part, part.training) for part in model.modules()]
    model.eval()
    yield
    for part, mode in before:
        part.training = mode


@contextmanager
def evaluating_in_training(model):
    before = [(part, part.training) for part in model.modules()]
    model.train()
    try:
        yield
    finally:
        for part, mode in before:
            part.training = mode


@contextmanager
def evaluating_not_restored(model):
    model.eval()
    yield


@contextmanager
def evaluating_nothing(model):
    yield


evaluating_without_finally = contextmanager(evaluating_without_decorator)


@contextmanager
def evaluating_silencing_errors(model):
    before = [(part, part.training) for part in model.modules()]
    model.eval()
    try:
        yield
    except Exception:
        pass
    for part, mode in before:
        part.training = mode


@contextmanager
def evaluating_children_only(model):
    before = [(part, part.training) for part in [model, *model.children()]]
    model.eval()
    try:
        yield
    finally:
        for part, mode in before:
            part.training = mode


@contextmanager
def evaluating_the_top_only(model):
    before = [(part, part.training) for part in model.modules()]
    model.training = False
    try:
        yield
    finally:
        for part, mode in before:
            part.training = mode


@contextmanager
def evaluating_without_yield(model):
    model.eval()
    return iter(())


@contextmanager
def evaluating_by_name(model):
    before = {name: part.training for name, part in model.named_modules()}
    try:
        model.train(False)
        yield model
    finally:
        for name, part in model.named_modules():
            part.training = before[name]


@contextmanager
def evaluating_from_above(model):
    before = [(part, part.training) for part in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for part, mode in before:  # the outer part first, so that the inner ones have the last word
            part.train(mode)


def afterwards(parts):
    return parts["afterwards"]


EVALUATING_MISTAKES = (
    Mistake(
        "train afterwards",
        evaluating_then_train,
        "afterwards the modes are {yours}, expected {expected}: `train()` wakes every part, those as well that "
        "somebody had put to rest before",
    ),
    Mistake(
        "one mode for all",
        evaluating_one_mode,
        "afterwards the modes are {yours}, expected {expected}: every part got the mode of the model as a whole. "
        "(`part.train(mode)` sets whatever is inside that part, too; its attribute `training` is its own.)",
    ),
    Mistake(
        "one mode for all, and no finally",
        evaluating_one_mode_without_finally,
        "afterwards the modes are {yours}, expected {expected}: every part got the mode of the model as a whole, and "
        "after an error inside nothing is given back at all",
    ),
    Mistake(
        "the line above taken away",
        evaluating_without_decorator,
        "a function with a `yield` is not yet a thing for `with`: the line `@contextmanager` above it makes one of it",
    ),
    Mistake(
        "training inside",
        evaluating_in_training,
        "inside the modes are {yours}, expected {expected}: `train()` switches dropout on",
        show=lambda parts: parts["inside"][:3],
    ),
    Mistake(
        "children noted only",
        evaluating_children_only,
        "afterwards the modes are {yours}, expected {expected}: the parts inside of parts were not noted. `children` "
        "gives only the outermost",
    ),
    Mistake(
        "never given back",
        evaluating_not_restored,
        "afterwards the modes are as `eval()` left them: {yours}, expected {expected}. They have to be noted before "
        "`eval()`, and given back after the `yield`",
    ),
    Mistake(
        "nothing switched",
        evaluating_nothing,
        "inside the modes are {yours}, expected {expected}: before the `yield` nothing has switched dropout off",
        show=lambda parts: parts["inside"],
    ),
    Mistake(
        "only the outermost part switched",
        evaluating_the_top_only,
        "inside the modes are {yours}, expected {expected}: setting `training` concerns one part alone. Dropout sits "
        "inside",
        show=lambda parts: parts["inside"],
    ),
    Mistake(
        "no finally",
        evaluating_without_finally,
        "right, until an error happens inside: then the modes are {yours}, expected {expected}. An error at the "
        "`yield` skips the lines below it, unless they stand in a `finally`",
        show=lambda parts: parts["after an error"],
    ),
    Mistake(
        "error swallowed",
        evaluating_silencing_errors,
        "the modes are right, but an error that happens inside disappears: nobody would learn of it. Give the modes "
        "back, and let the error go on",
    ),
    Mistake(
        "no yield",
        evaluating_without_yield,
        "without a `yield` there is no place at which the lines of the `with` could run",
    ),
)

EXERCISES = (
    Exercise(
        id="5.9",
        name="visible_difference",
        reference=references.visible_difference,
        stub=DIFFERENCE,
        probe=probe_difference,
        hints=(
            "A boolean (B, T) in square brackets behind a tensor (B, T, H) leaves the vectors where it is True.",
            "Differences, without their sign, the largest, as a number: `abs`, `max`, `item`. `a.dim()` says how many "
            "dimensions there are.",
        ),
        mistakes=DIFFERENCE_MISTAKES,
        notice="one wrong number among millions decides; a mean would have hidden it",
        difficulty=1,
        minutes=6,
        show=hidden_states,
        variants=(
            of_states(lambda a, b: float((b - a).abs().amax())),
            lambda a, b, visible: max(
                abs(x - y)
                for x, y in zip(
                    (a[visible] if a.dim() == 3 else a).flatten().tolist(),
                    (b[visible] if b.dim() == 3 else b).flatten().tolist(),
                    strict=True,
                )
            ),
            lambda a, b, visible: (
                torch.where(visible[..., None] if a.dim() == 3 else torch.tensor(True), (a - b).abs(), 0.0)
                .max()
                .item()
            ),
        ),
    ),
    Exercise(
        id="5.10",
        name="evaluating",
        reference=encoder.evaluating,
        stub=EVALUATING,
        probe=probe_evaluating,
        hints=(
            "`model.modules()` goes through all parts, the model itself first; each has an attribute `training`.",
            "Note (part, part.training) for all of them, then `model.eval()`, then `yield`, then give each its mode.",
            "`try:` around the `yield`, and `finally:` around what gives the modes back.",
        ),
        mistakes=EVALUATING_MISTAKES,
        notice="a `finally` runs even when an error passes through, and does not stop it",
        difficulty=2,
        minutes=12,
        show=afterwards,
        variants=(evaluating_by_name, evaluating_from_above),
    ),
)
