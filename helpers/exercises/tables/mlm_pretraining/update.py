"""Exercise 6.10. One step of the optimizer."""

import torch
from torch import nn

from helpers import pretraining
from helpers.exercises.exercise import Exercise, Mistake

UPDATE = '''
def my_update_weights(model, loss, optimizer, schedule, step):
    """One step of the optimizer, the gradient clipped to norm 1; returns the norm before clipping, a float.

    nn.utils.clip_grad_norm_(model.parameters(), 1.0) clips, and gives that norm. If the loss or the norm is
    not finite: FloatingPointError, before any weight has changed. The schedule steps after the optimizer.
    """
    ...
'''


def probe_update(update_weights):
    torch.manual_seed(2)
    model = nn.Linear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (1 + step))
    inputs = torch.tensor([[1.0, 2.0, -1.0], [0.5, -1.5, 2.0]])

    def loss(factor=1.0):
        return factor * (model(inputs) ** 2).sum()

    before = model.weight.detach().clone()
    norm = update_weights(model, loss(), optimizer, schedule, 1)
    yield "the norm", norm
    yield "how far the weights moved", torch.linalg.norm(model.weight.detach() - before).item()
    yield "weights after one step", model.weight.detach().clone()
    yield "rate after one step", float(optimizer.param_groups[0]["lr"])
    second = update_weights(model, loss(0.01), optimizer, schedule, 2)
    yield "the norm of a small gradient", float(second)
    yield "weights after two steps", model.weight.detach().clone()
    after = model.weight.detach().clone()
    yield "a loss that is not finite", _stops(update_weights, model, loss(float("inf")), optimizer, schedule)
    yield "weights after that", bool((model.weight.detach() == after).all())
    with torch.no_grad():
        model.weight.copy_(after)
    root = (model(inputs)[0, 0] * 0).abs().sqrt()  # the loss is 0, its gradient is not a number
    yield "a gradient that is not finite", _stops(update_weights, model, root, optimizer, schedule)
    yield "weights at the end", bool((model.weight.detach() == after).all())
    with torch.no_grad():
        model.weight.copy_(after)
    infinite = (model.weight[0, 0] - model.weight[0, 0].detach()).sqrt()
    yield "a gradient that is infinite", _stops(update_weights, model, infinite, optimizer, schedule)


def _stops(update_weights, model, loss, optimizer, schedule):
    try:
        update_weights(model, loss, optimizer, schedule, 3)
    except Exception as error:
        return type(error).__name__
    return "goes on"


STEPS = ("zero", "backward", "clip", "check", "optimizer", "schedule")


def update_in_order(*order, clip=None, result=None, finite=None, error=FloatingPointError):
    """The steps of an update, in some order, some of them left out."""

    def program(model, loss, optimizer, schedule, step):
        norm = torch.tensor(0.0)
        for name in order:
            if name == "zero":
                optimizer.zero_grad()
            elif name == "backward":
                loss.backward()
            elif name == "clip":
                norm = (clip or (lambda p: nn.utils.clip_grad_norm_(p, 1.0)))(list(model.parameters()))
            elif name == "check":
                good = (
                    finite(loss, norm)
                    if finite
                    else bool(torch.isfinite(loss)) and bool(torch.isfinite(norm))
                )
                if not good:
                    raise error(f"step {step}")
            elif name == "optimizer":
                optimizer.step()
            else:
                schedule.step()
        return result(model, norm) if result else float(norm)

    return program


def norm_of(parameters):
    gradients = [p.grad.norm() for p in parameters if p.grad is not None]
    return torch.stack(gradients).norm() if gradients else torch.tensor(0.0)


def clip_by_value(parameters):
    norm = norm_of(parameters)
    nn.utils.clip_grad_value_(parameters, 1.0)
    return norm


def always_length_one(parameters):
    norm = norm_of(parameters)
    for parameter in parameters:
        parameter.grad /= norm
    return norm


def clip_by_hand(parameters):
    norm = norm_of(parameters)
    for parameter in parameters:
        if parameter.grad is not None and norm > 1:
            parameter.grad /= norm + 1e-6
    return norm


def moved(parts):
    return parts["how far the weights moved"]


UPDATE_MISTAKES = (
    Mistake(
        "no zero_grad",
        update_in_order(*STEPS[1:]),
        "right for one step, but the norm of the second gradient is {yours}, expected {expected}: it still holds that of "
        "the first, for `backward` adds to what is there",
        show=lambda parts: parts["the norm of a small gradient"],
    ),
    Mistake(
        "zero_grad after backward",
        update_in_order("backward", "zero", "clip", "check", "optimizer", "schedule"),
        "the weights moved by {yours}, expected {expected}: the gradient is emptied after it was computed. When is it to "
        "be empty?",
        show=moved,
    ),
    Mistake(
        "clipped before backward",
        update_in_order("zero", "clip", "backward", "check", "optimizer", "schedule"),
        "the weights moved by {yours}, expected {expected}: clipping comes before there is a gradient, and does nothing",
        show=moved,
    ),
    Mistake(
        "not clipped",
        update_in_order(*STEPS, clip=norm_of),
        "the norm is right, but the weights moved by {yours}, expected {expected}: the gradient goes to the optimizer at "
        "its full length",
        show=moved,
    ),
    Mistake(
        "each number clipped",
        update_in_order(*STEPS, clip=clip_by_value),
        "the weights moved by {yours}, expected {expected}: each number of the gradient is cut to between −1 and 1, "
        "which turns its direction. The gradient as a whole is to have the length 1",
        show=moved,
    ),
    Mistake(
        "small gradients stretched",
        update_in_order(*STEPS, clip=always_length_one),
        "right for a large gradient, but a small one is stretched to length 1 as well: clipping only shortens",
    ),
    Mistake(
        "norm after clipping",
        update_in_order(*STEPS, result=lambda model, norm: float(norm_of(model.parameters()))),
        "the norm is {yours}, expected {expected}: you measure after clipping, so it is never more than 1, and nobody "
        "sees the strange batch",
        show=lambda parts: parts["the norm"],
    ),
    Mistake(
        "norm as a tensor",
        update_in_order(*STEPS, result=lambda model, norm: norm),
        "right but for its type: a log wants a number",
    ),
    Mistake(
        "schedule before optimizer",
        update_in_order("zero", "backward", "clip", "check", "schedule", "optimizer"),
        "the weights moved by {yours}, expected {expected}: the schedule goes first, so the first step is made with the "
        "rate of the second, and the first rate is never used",
        show=moved,
    ),
    Mistake(
        "schedule forgotten",
        update_in_order(*STEPS[:-1]),
        "the step is right, but after it the rate is {yours}, expected {expected}: who moves the schedule on?",
        show=lambda parts: parts["rate after one step"],
    ),
    Mistake(
        "optimizer forgotten",
        update_in_order("zero", "backward", "clip", "check", "schedule"),
        "the weights moved by {yours}, expected {expected}: the gradient is there, and nobody steps",
        show=moved,
    ),
    Mistake(
        "never stopped",
        update_in_order("zero", "backward", "clip", "optimizer", "schedule"),
        "the steps are right, but with a loss that is infinite it goes on: one such step makes all weights “not a "
        "number”, and every later loss as well",
    ),
    Mistake(
        "only “not a number” is looked at",
        update_in_order(*STEPS, finite=lambda loss, norm: not bool(torch.isnan(norm))),
        "a gradient that is not a number stops it, but one that is infinite does not: after clipping it is 0 or not a "
        "number. Which test finds both?",
    ),
    Mistake(
        "another error",
        update_in_order(*STEPS, error=ValueError),
        "it stops at the right time, but with a ValueError: the inputs were well formed, and it is the numbers that ran "
        "away. Python has an error for that",
    ),
    Mistake(
        "stopped too late",
        update_in_order("zero", "backward", "clip", "optimizer", "schedule", "check"),
        "it stops, but after the optimizer's step: the weights are spoiled already, and what was saved next would be, too",
    ),
    Mistake(
        "only the loss is looked at",
        update_in_order(*STEPS, finite=lambda loss, norm: bool(torch.isfinite(loss))),
        "a loss that is infinite stops it, but a gradient that is not a number does not: a finite loss may have one",
    ),
)


EXERCISE = Exercise(
    id="6.10",
    name="update_weights",
    reference=pretraining.update_weights,
    stub=UPDATE,
    probe=probe_update,
    hints=(
        "Five steps in order: empty the gradients, compute them, clip them, let the optimizer step, then the "
        "schedule. Where does the look at the numbers belong?",
        "`clip_grad_norm_` gives the norm before clipping, as a tensor; `.item()` makes a number of it. A number "
        "that is not finite is no longer `< float('inf')`.",
        '`raise FloatingPointError(f"step {step}: …")` stands before `optimizer.step()`.',
    ),
    mistakes=UPDATE_MISTAKES,
    notice="neither infinity nor “not a number” is below infinity: one comparison, `norm < inf`, finds both",
    difficulty=2,
    minutes=10,
    show=moved,
    variants=(
        update_in_order("backward", "clip", "check", "optimizer", "schedule", "zero"),
        update_in_order(*STEPS, clip=clip_by_hand),
    ),
)
