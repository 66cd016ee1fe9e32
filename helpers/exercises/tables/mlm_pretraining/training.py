"""The training loop, in its parts: weight decay, the schedule, one step, the loop, and the measuring."""

from itertools import islice

import torch
from torch import nn

from helpers import pretraining
from helpers.encoder import evaluating
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.tables.mlm_pretraining import small
from helpers.pretraining import IGNORE, PreTrainingLoss, make_optimizer, pretraining_loss, update_weights

# 6.8 parameter_groups

GROUPS = '''
def my_parameter_groups(model, weight_decay):
    """For the optimizer: [{"params": [...], "weight_decay": ...}, {"params": [...], "weight_decay": 0.0}].

    The first group holds the matrices (embeddings among them), which decay; the second all biases and the
    scales and shifts of LayerNorm. Weights with requires_grad False are in neither.
    """
    ...
'''


class Mixed(nn.Module):
    """An embedding, a linear layer, a LayerNorm, a bias of its own, and a layer that is frozen."""

    def __init__(self):
        super().__init__()
        self.token = nn.Embedding(5, 3)
        self.layer = nn.Linear(3, 4)
        self.norm = nn.LayerNorm(4)
        self.token_bias = nn.Parameter(torch.zeros(5))
        self.frozen = nn.Linear(4, 2).requires_grad_(False)


def probe_groups(parameter_groups):
    model = Mixed()
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    groups = parameter_groups(model, 0.03)
    yield "number of groups", len(groups)
    for which, group in zip(("first", "second"), groups, strict=False):
        yield f"names in the {which} group", sorted(names[id(parameter)] for parameter in group["params"])
        yield f"decay of the {which} group", float(group["weight_decay"])


def _groups(model, weight_decay, *, decays=None, frozen=False, swap=False, second=0.0):
    named = [(n, m, p) for n, m, p in _with_modules(model) if frozen or p.requires_grad]
    first = [p for n, m, p in named if (decays(n, m, p) if decays else p.dim() > 1)]
    others = [p for n, m, p in named if not any(p is q for q in first)]
    groups = [{"params": first, "weight_decay": weight_decay}, {"params": others, "weight_decay": second}]
    return groups[::-1] if swap else groups


def _with_modules(model):
    for module_name, module in model.named_modules():
        for name, parameter in module.named_parameters(recurse=False):
            yield f"{module_name}.{name}", module, parameter


def groups_variant(**changes):
    return lambda model, weight_decay: _groups(model, weight_decay, **changes)


def first_group(parts):
    return parts["names in the first group"]


def second_group(parts):
    return parts["names in the second group"]


GROUPS_MISTAKES = (
    Mistake(
        "frozen weights",
        groups_variant(frozen=True),
        "the first group is {yours}, expected {expected}: frozen weights are in it, and would decay though they learn "
        "nothing",
        show=first_group,
    ),
    Mistake(
        "frozen weights among the others",
        groups_variant(frozen=True, decays=lambda n, m, p: p.dim() > 1 and p.requires_grad),
        "the first group is right, but the second is {yours}, expected {expected}: what is frozen belongs in neither",
        show=second_group,
    ),
    Mistake(
        "LayerNorm decays",
        groups_variant(decays=lambda n, m, p: "bias" not in n),
        "the first group is {yours}, expected {expected}: what is no bias is not yet a matrix. The scale of LayerNorm is "
        "a vector around 1, and decay would pull it to 0",
        show=first_group,
    ),
    Mistake(
        "only LayerNorm is spared",
        groups_variant(decays=lambda n, m, p: not isinstance(m, nn.LayerNorm)),
        "the first group is {yours}, expected {expected}: biases decay, too. Which property has every matrix, and no "
        "bias?",
        show=first_group,
    ),
    Mistake(
        "linear layers only",
        groups_variant(decays=lambda n, m, p: isinstance(m, nn.Linear) and p.dim() > 1),
        "the first group is {yours}, expected {expected}: the embeddings are a matrix, too, (V, H)",
        show=first_group,
    ),
    Mistake(
        "everything decays",
        groups_variant(decays=lambda n, m, p: True),
        "the first group is {yours}, expected {expected}: everything decays, and the second group is empty",
        show=first_group,
    ),
    Mistake(
        "groups exchanged",
        groups_variant(swap=True),
        "the first group is {yours}, expected {expected}: the two groups are exchanged",
        show=first_group,
    ),
    Mistake(
        "both decay",
        lambda model, weight_decay: _groups(model, weight_decay, second=weight_decay),
        "the groups are right, but the second one decays by {yours}, expected {expected}: then why two?",
        show=lambda parts: parts["decay of the second group"],
    ),
    Mistake(
        "one group",
        lambda model, weight_decay: _groups(model, weight_decay)[:1],
        "you give the matrices alone: what is in no group is never updated, so all biases would stay 0 for ever",
    ),
)

# 6.9 linear_warm_up_and_decay

SCHEDULE = '''
def my_linear_warm_up_and_decay(step, steps, warm_up):
    """The share of the learning rate at a step: up to 1 over the first `warm_up` of the run, then to 0.

    Steps count from 0. warm_up is a share of the run, below 1; 0 means none. How far the run is: (step + 1)
    / (steps + 1), so that neither the first step, 0, nor the last, steps - 1, has the rate 0. After that: 0.
    """
    ...
'''


def probe_schedule(share):
    yield "nine steps, 0.4 of them warm-up", [float(share(step, 9, 0.4)) for step in range(9)]
    yield "after the last step", [float(share(step, 9, 0.4)) for step in (9, 12)]
    yield "a hundred steps", [float(share(step, 99, 0.1)) for step in (0, 4, 9, 10, 54, 98)]
    yield "without warm-up", [float(share(step, 4, 0.0)) for step in range(5)]


def _schedule(step, steps, warm_up, progress=None, rise=None, fall=None, join=min):
    p = progress(step, steps) if progress else (step + 1) / (steps + 1)
    up = rise(p, warm_up) if rise else (p / warm_up if warm_up else 1.0)
    return join(up, fall(p, warm_up) if fall else max(0.0, (1 - p) / (1 - warm_up)))


def schedule_variant(**changes):
    return lambda step, steps, warm_up: _schedule(step, steps, warm_up, **changes)


def schedule_by_cases(step, steps, warm_up):
    p = (step + 1) / (steps + 1)
    if p >= 1:
        return 0.0
    return p / warm_up if p < warm_up else (1 - p) / (1 - warm_up)


def schedule_in_steps(step, steps, warm_up):
    first = warm_up * (steps + 1)
    done = step + 1
    return done / first if done <= first else max(0, steps + 1 - done) / (steps + 1 - first)


def nine(parts):
    return parts["nine steps, 0.4 of them warm-up"]


SCHEDULE_MISTAKES = (
    Mistake(
        "never zero",
        schedule_variant(fall=lambda p, w: max(0.0, 1 - p + w)),
        "the shares of nine steps are {yours}, expected {expected}: the line falls as steeply as without warm-up, from a "
        "later place, and so ends far above 0. How long does the fall have, when the rise has taken its share?",
        show=nine,
    ),
    Mistake(
        "falling from the start",
        schedule_variant(fall=lambda p, w: max(0.0, 1 - p)),
        "the shares of nine steps are {yours}, expected {expected}: the fall begins at step 0 already, so the rate never "
        "comes up to 1",
        show=nine,
    ),
    Mistake(
        "the first step lost",
        schedule_variant(progress=lambda step, steps: step / steps),
        "the shares of nine steps are {yours}, expected {expected}: the first step has the share 0, and moves nothing",
        show=nine,
    ),
    Mistake(
        "one step behind",
        schedule_variant(progress=lambda step, steps: step / (steps + 1)),
        "the shares of nine steps are {yours}, expected {expected}: everything comes one step late, and the first step "
        "moves nothing",
        show=nine,
    ),
    Mistake(
        "the last step lost",
        schedule_variant(progress=lambda step, steps: (step + 1) / steps),
        "the shares of nine steps are {yours}, expected {expected}: at the last step the share is 0 already, so the last "
        "batch teaches nothing",
        show=nine,
    ),
    Mistake(
        "no fall",
        schedule_variant(fall=lambda p, w: 1.0),
        "the shares of nine steps are {yours}, expected {expected}: after the warm-up the rate stays up, and the last "
        "steps never settle",
        show=nine,
    ),
    Mistake(
        "no warm-up",
        schedule_variant(rise=lambda p, w: 1.0, fall=lambda p, w: max(0.0, min(1.0, (1 - p) / (1 - w)))),
        "the shares of nine steps are {yours}, expected {expected}: the run starts with the full rate",
        show=nine,
    ),
    Mistake(
        "the larger of the two",
        schedule_variant(join=max),
        "the shares of nine steps are {yours}, expected {expected}: of the rising and the falling line the larger one is "
        "taken. Which of them limits the rate at the start?",
        show=nine,
    ),
    Mistake(
        "rise, then a full fall",
        lambda step, steps, warm_up: (
            (step + 1) / (steps + 1) / warm_up
            if (step + 1) / (steps + 1) < warm_up
            else max(0.0, 1 - (step + 1) / (steps + 1))
        ),
        "the shares of nine steps are {yours}, expected {expected}: at the end of the warm-up the share jumps down: the "
        "falling line must begin at 1 just there",
        show=nine,
    ),
    Mistake(
        "below zero",
        schedule_variant(fall=lambda p, w: (1 - p) / (1 - w)),
        "right within the run, but after it the shares are {yours}, expected {expected}: a negative rate would climb "
        "*up* the loss",
        show=lambda parts: parts["after the last step"],
    ),
    Mistake(
        "warm-up of 0",
        schedule_variant(rise=lambda p, w: p / w),
        "that is the division by a warm-up of 0, which should mean: none",
        raises=ZeroDivisionError,
    ),
)

# 6.10 update_weights

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


def _stops(update_weights, model, loss, optimizer, schedule):
    try:
        update_weights(model, loss, optimizer, schedule, 3)
    except FloatingPointError:
        return "FloatingPointError"
    return "goes on"


STEPS = ("zero", "backward", "clip", "check", "optimizer", "schedule")


def update_in_order(*order, clip=None, result=None, finite=None):
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
                    raise FloatingPointError(f"step {step}")
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

# 6.11 pretrain

LOOP = '''
def my_pretrain(
    model, batches, steps, learning_rate=1e-3, on_step=None, next_sentence=1.0, **options
):
    """Train for `steps` batches; returns the history: a PreTrainingLoss of four floats for each step.

    make_optimizer(model, steps, learning_rate, **options) gives optimizer and schedule;
    pretraining_loss(model, batch) the losses; update_weights(model, loss, optimizer, schedule, step) makes a
    step. The loss is the tokens' and next_sentence times that of the pairs. Steps are counted from 1; after
    each, on_step(step, losses) is called, if there is one, with floats. ValueError for too few batches.
    """
    ...
'''


def probe_loop(pretrain):
    def run(batches, steps, **options):
        model, seen = small.model(), []
        history = pretrain(
            model, batches, steps, 0.02, lambda step, losses: seen.append((step, losses)), **options
        )
        return model, seen, history

    def stream():
        return (small.batch(3, seed) for seed in range(5))

    model, seen, history = run(stream(), 3, warm_up=0.5)
    yield "length of the history", len(history)
    yield "the first losses", tuple(history[0])
    yield "the history", [tuple(losses) for losses in history]
    yield "named losses", [hasattr(losses, "token_loss") for losses in history]
    yield "steps told", [step for step, _ in seen]
    yield "losses told", [tuple(losses) for _, losses in seen]
    yield "training mode", model.training
    yield "a weight afterwards", model.next_sentence.weight.detach().clone()
    model, _, _ = run(stream(), 3, next_sentence=0.1, weight_decay=0.0)
    yield "a weight with next_sentence=0.1", model.next_sentence.weight.detach().clone()
    yield "nobody is told", len(pretrain(small.model(), list(stream()), 2))
    try:
        run(stream(), 6)
        yield "too few batches", "goes on"
    except ValueError:
        yield "too few batches", "ValueError"


def _loop(model, batches, steps, learning_rate=1e-3, on_step=None, next_sentence=1.0, *, start=1, weight=None,
          make=None, anew=False, train=True, keep=None, cut=True, few=True, told=None, **options):  # fmt: skip
    make = make or make_optimizer
    optimizer, schedule = make(model, steps, learning_rate, **options)
    if train:
        model.train()
    history = []
    for step, batch in enumerate(islice(batches, steps) if cut else batches, start):
        if anew:
            optimizer, schedule = make(model, steps, learning_rate, **options)
        losses = pretraining_loss(model, batch)
        loss = losses.token_loss + (weight(next_sentence) if weight else next_sentence) * losses.next_loss
        update_weights(model, loss, optimizer, schedule, step)
        history.append(
            keep(history, losses) if keep else PreTrainingLoss(*(value.item() for value in losses))
        )
        if on_step:
            on_step(step, told(losses) if told else history[-1])
    if few and len(history) < steps:
        raise ValueError("too few batches")
    return history


def loop_variant(**changes):
    def program(model, batches, steps, learning_rate=1e-3, on_step=None, next_sentence=1.0, **options):
        return _loop(model, batches, steps, learning_rate, on_step, next_sentence, **changes, **options)

    return program


def loop_measured_after(
    model, batches, steps, learning_rate=1e-3, on_step=None, next_sentence=1.0, **options
):
    history = []

    def note(step, losses):
        pass

    taken = list(islice(batches, steps))
    if len(taken) < steps:
        raise ValueError("too few batches")
    optimizer, schedule = make_optimizer(model, steps, learning_rate, **options)
    model.train()
    for step, batch in enumerate(taken, 1):
        losses = pretraining_loss(model, batch)
        update_weights(model, losses.token_loss + next_sentence * losses.next_loss, optimizer, schedule, step)
        with torch.no_grad():
            history.append(PreTrainingLoss(*(value.item() for value in pretraining_loss(model, batch))))
        (on_step or note)(step, history[-1])
    return history


def loop_first_batch_only(
    model, batches, steps, learning_rate=1e-3, on_step=None, next_sentence=1.0, **options
):
    taken = list(batches)
    if len(taken) < steps:
        raise ValueError("too few batches")
    return _loop(model, taken[:1] * steps, steps, learning_rate, on_step, next_sentence, **options)


def loop_without_options(
    model, batches, steps, learning_rate=1e-3, on_step=None, next_sentence=1.0, **options
):
    return _loop(model, batches, steps, learning_rate, on_step, next_sentence)


def loop_with_next(model, batches, steps, learning_rate=1e-3, on_step=None, next_sentence=1.0, **options):
    """Right: batches fetched one by one."""
    optimizer, schedule = make_optimizer(model, steps, learning_rate, **options)
    model.train()
    stream, history = iter(batches), []
    while len(history) < steps:
        batch = next(stream, None)
        if batch is None:
            raise ValueError(f"only {len(history)} batches")
        a, b, c, d = pretraining_loss(model, batch)
        update_weights(model, a + b * next_sentence, optimizer, schedule, len(history) + 1)
        history.append(PreTrainingLoss(a.item(), b.item(), c.item(), d.item()))
        if on_step is not None:
            on_step(len(history), history[-1])
    return history


def losses_of_the_run(parts):
    return [round(losses[0], 3) for losses in parts["the history"]]


LOOP_MISTAKES = (
    Mistake(
        "evaluation mode",
        loop_variant(train=False),
        "the numbers are right, but the model is left as it came, in evaluation mode: with dropout in it, none would be "
        "dropped. Who switches it over?",
    ),
    Mistake(
        "pairs not weighted",
        loop_variant(weight=lambda share: 1.0),
        "right with the usual weight, but `next_sentence=0.1` changes nothing: the loss of the pairs always counts whole",
    ),
    Mistake(
        "pairs left out",
        loop_variant(weight=lambda share: 0.0),
        "the token losses of the steps are {yours}, expected {expected}: the pairs have no part in the gradient, so "
        "the second head learns nothing",
        show=losses_of_the_run,
    ),
    Mistake(
        "a new optimizer for each step",
        loop_variant(anew=True),
        "the token losses of the steps are {yours}, expected {expected}: optimizer and schedule are made anew in each "
        "step. They forget their running means, and the warm-up never gets beyond its first step",
        show=losses_of_the_run,
    ),
    Mistake(
        "no end",
        loop_variant(cut=False),
        "your history has {yours} steps, expected {expected}: you go on as long as there are batches, and the stream of "
        "this notebook has no end",
        show=lambda parts: parts["length of the history"],
    ),
    Mistake(
        "steps from 0",
        loop_variant(start=0),
        "the run is right, but `on_step` is told the steps {yours}, expected {expected}",
        show=lambda parts: parts["steps told"],
    ),
    Mistake(
        "tensors kept",
        loop_variant(keep=lambda history, losses: losses),
        "right but for the type: a history of tensors keeps the whole computation of every step in memory",
    ),
    Mistake(
        "a history of sums",
        loop_variant(
            keep=lambda history, losses: PreTrainingLoss(
                *(v.item() + (history[-1][i] if history else 0.0) for i, v in enumerate(losses))
            )
        ),
        "the token losses of the steps are {yours}, expected {expected}: each is the sum of all so far",
        show=losses_of_the_run,
    ),
    Mistake(
        "losses after the step",
        loop_measured_after,
        "the token losses of the steps are {yours}, expected {expected}: they are measured after each step, on the "
        "batch that was just learned. That looks better, and costs a second pass",
        show=losses_of_the_run,
    ),
    Mistake(
        "one batch",
        loop_first_batch_only,
        "the token losses of the steps are {yours}, expected {expected}: every step is made with the first batch",
        show=losses_of_the_run,
    ),
    Mistake(
        "options lost",
        loop_without_options,
        "the token losses of the steps are {yours}, expected {expected}: `warm_up=0.5` had no effect. Where do the "
        "options go?",
        show=losses_of_the_run,
    ),
    Mistake(
        "too few batches",
        loop_variant(few=False),
        "the run is right, but with five batches for six steps it ends without a word, and the schedule is cut off in "
        "the middle",
    ),
    Mistake(
        "tensors told",
        loop_variant(told=lambda losses: losses),
        "the history is right, but `on_step` is told tensors: who collects them would hold every step's computation",
    ),
)

# 6.12 mean_losses

MEAN = '''
def my_mean_losses(model, batches):
    """-> PreTrainingLoss of four floats over all batches: every hidden token and every pair counts the same.

    pretraining_loss(model, batch) gives a batch's means. `with evaluating(model):` puts the model into
    evaluation mode and afterwards back; no gradients are needed. ValueError if there are no batches.
    """
    ...
'''


def probe_mean(mean_losses):
    batches = [small.batch(2, 0), small.batch(5, 1), small.shorter(small.batch(3, 4), 5)]
    model = small.model(dropout=0.5)
    losses = mean_losses(model, batches)
    yield "token loss", float(losses.token_loss)
    yield "loss of the pairs", float(losses.next_loss)
    yield "share of tokens right", float(losses.token_accuracy)
    yield "share of pairs right", float(losses.next_accuracy)
    yield "numbers", [isinstance(value, float) for value in losses]
    model.train()
    again = mean_losses(model, iter(batches))
    yield "token loss of a model in training mode", float(again.token_loss)
    yield "mode afterwards", model.training
    try:
        mean_losses(model, [])
        yield "no batches", "goes on"
    except ValueError:
        yield "no batches", "ValueError"


def _mean(model, batches, *, weights=None, mode=evaluating, divide=None, empty=True):
    sums, counts = [0.0] * 4, [0.0] * 4
    for batch in batches:
        with torch.no_grad(), mode(model):
            losses = pretraining_loss(model, batch)
        tokens, pairs = int((batch["labels"] != IGNORE).sum()), len(batch["next_labels"])
        found = weights(batch, tokens, pairs) if weights else (tokens, pairs, tokens, pairs)
        for i, (value, weight) in enumerate(zip(losses, found, strict=True)):
            sums[i] += value.item() * weight
            counts[i] += weight
    if not counts[0]:
        if empty:
            raise ValueError("there are no batches")
        return PreTrainingLoss(0.0, 0.0, 0.0, 0.0)
    return PreTrainingLoss(*(divide(a, b) if divide else a / b for a, b in zip(sums, counts, strict=True)))


def mean_variant(**changes):
    return lambda model, batches: _mean(model, batches, **changes)


class for_good:
    """Evaluation mode that is never taken back."""

    def __init__(self, model):
        model.eval()

    def __enter__(self):
        return None

    def __exit__(self, *error):
        return None


class as_it_is(for_good):
    def __init__(self, model):
        pass


class training_afterwards:
    def __init__(self, model):
        self.model = model.eval()

    def __enter__(self):
        return None

    def __exit__(self, *error):
        self.model.train()


def mean_of_one_list(model, batches):
    with torch.no_grad(), evaluating(model):
        found = [
            (pretraining_loss(model, b), int((b["labels"] != IGNORE).sum()), len(b["ids"])) for b in batches
        ]
    if not found:
        raise ValueError("no batches")
    tokens, pairs = sum(n for _, n, _ in found), sum(n for _, _, n in found)
    return PreTrainingLoss(
        sum(float(loss.token_loss) * n for loss, n, _ in found) / tokens,
        sum(float(loss.next_loss) * n for loss, _, n in found) / pairs,
        sum(float(loss.token_accuracy) * n for loss, n, _ in found) / tokens,
        sum(float(loss.next_accuracy) * n for loss, _, n in found) / pairs,
    )


def mean_token_loss(parts):
    return parts["token loss"]


MEAN_MISTAKES = (
    Mistake(
        "a mean of means",
        mean_variant(weights=lambda batch, tokens, pairs: (1, 1, 1, 1)),
        "the token loss is {yours}, expected {expected}: every batch counts the same, so a word in a batch with few gaps "
        "counts more than one in a batch with many. With what do you weigh?",
        show=mean_token_loss,
    ),
    Mistake(
        "weighed by pairs",
        mean_variant(weights=lambda batch, tokens, pairs: (pairs,) * 4),
        "the token loss is {yours}, expected {expected}: you weigh with the number of pairs. That is right for the "
        "pairs' loss; for the tokens', what is counted?",
        show=mean_token_loss,
    ),
    Mistake(
        "weighed by hidden tokens",
        mean_variant(weights=lambda batch, tokens, pairs: (tokens,) * 4),
        "the token loss is right, but that of the pairs is {yours}, expected {expected}: there each pair counts the same, "
        "however many words are hidden in it",
        show=lambda parts: parts["loss of the pairs"],
    ),
    Mistake(
        "weighed by all tokens",
        mean_variant(
            weights=lambda batch, tokens, pairs: (batch["ids"].numel(), pairs, batch["ids"].numel(), pairs)
        ),
        "the token loss is {yours}, expected {expected}: you weigh with all B · T places. The mean of a batch was taken "
        "over how many?",
        show=mean_token_loss,
    ),
    Mistake(
        "sums",
        mean_variant(divide=lambda a, b: a),
        "the token loss is {yours}, expected {expected}: it is a sum over all hidden tokens, and was not divided",
        show=mean_token_loss,
    ),
    Mistake(
        "training mode",
        mean_variant(mode=as_it_is),
        "right for a model in evaluation mode, but one in training mode is measured with dropout: every measurement "
        "would give another number",
    ),
    Mistake(
        "left in evaluation mode",
        mean_variant(mode=for_good),
        "the numbers are right, but a model that was in training mode is in evaluation mode afterwards: from the first "
        "measurement on, the run would go on without dropout",
    ),
    Mistake(
        "no batches",
        mean_variant(empty=False),
        "right but for an empty list, for which it gives a perfect loss of 0: nothing was measured",
    ),
)

EXERCISES = (
    Exercise(
        id="6.8",
        name="parameter_groups",
        reference=pretraining.parameter_groups,
        stub=GROUPS,
        probe=probe_groups,
        hints=(
            "Go through model.parameters() once. Two questions to each: does it learn, and is it a matrix?",
            "A matrix has two dimensions, a bias and the scale of LayerNorm have one: `parameter.dim()` says how many.",
        ),
        mistakes=GROUPS_MISTAKES,
        notice="no name was looked at: the number of dimensions tells all, in any model made of such layers",
        difficulty=1,
        minutes=6,
        variants=(
            groups_variant(decays=lambda n, m, p: "norm" not in n and "bias" not in n),
            groups_variant(decays=lambda n, m, p: len(p.shape) == 2),
        ),
    ),
    Exercise(
        id="6.9",
        name="linear_warm_up_and_decay",
        reference=pretraining.linear_warm_up_and_decay,
        stub=SCHEDULE,
        probe=probe_schedule,
        hints=(
            "Draw it: a line from (0, 0) to (warm_up, 1), and one from there to (1, 0). What is the height of each at p?",
            "The rising line is p / warm_up; the falling one goes from 1 to 0 while p goes from warm_up to 1.",
            "At each p the lower of the two lines counts; where warm_up is 0, leave the first one out; below 0 nothing.",
        ),
        mistakes=SCHEDULE_MISTAKES,
        notice="“the smaller of two lines” needs no case for where they meet",
        difficulty=2,
        minutes=10,
        show=nine,
        variants=(schedule_by_cases, schedule_in_steps),
    ),
    Exercise(
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
        notice="infinity and “not a number” both fail `norm < inf`, so one comparison finds both",
        difficulty=2,
        minutes=10,
        show=moved,
        variants=(
            update_in_order("backward", "clip", "check", "optimizer", "schedule", "zero"),
            update_in_order(*STEPS, clip=clip_by_hand),
        ),
    ),
    Exercise(
        id="6.11",
        name="pretrain",
        reference=pretraining.pretrain,
        stub=LOOP,
        probe=probe_loop,
        hints=(
            "Before the loop: optimizer and schedule, training mode, an empty history. In the loop: losses, one loss, "
            "step, history, on_step.",
            "The stream of batches has no end. `islice(batches, steps)` takes so many from it; `enumerate(…, 1)` counts.",
            "`PreTrainingLoss(*(value.item() for value in losses))` makes floats of the four tensors.",
        ),
        mistakes=LOOP_MISTAKES,
        notice="nothing in it is about language: whatever gives a loss is trained by the same ten lines",
        difficulty=3,
        minutes=15,
        variants=(loop_with_next, loop_variant()),
    ),
    Exercise(
        id="6.12",
        name="mean_losses",
        reference=pretraining.mean_losses,
        stub=MEAN,
        probe=probe_mean,
        hints=(
            "A batch's mean times the number of things that it is a mean of gives back its sum. Add these up, then divide.",
            "Token loss and token accuracy are means over the labels that are not IGNORE; the other two over the pairs.",
            "`with torch.no_grad(), evaluating(model):` around the call of pretraining_loss.",
        ),
        mistakes=MEAN_MISTAKES,
        notice="cut the same texts into other batches, and the result is the same: that is what a measurement needs",
        difficulty=2,
        minutes=12,
        variants=(mean_of_one_list, mean_variant()),
    ),
)
