"""Exercise 6.11. The training loop."""

from itertools import islice

import torch

from helpers import pretraining
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.tables.mlm_pretraining import small
from helpers.pretraining import PreTrainingLoss, make_optimizer, pretraining_loss, update_weights

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
    yield "losses told", [tuple(losses) if isinstance(losses, tuple) else losses for _, losses in seen]
    yield "training mode", model.training
    yield "a weight afterwards", model.next_sentence.weight.detach().clone()
    model, _, _ = run(stream(), 3, next_sentence=0.1, weight_decay=0.0)
    yield "a weight with next_sentence=0.1", model.next_sentence.weight.detach().clone()
    yield "nobody is told", len(pretrain(small.model(), list(stream()), 2))
    try:
        run(stream(), 6)
        yield "too few batches", "goes on"
    except (ValueError, StopIteration) as error:
        yield "too few batches", type(error).__name__


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


def loop_until_it_breaks(
    model, batches, steps, learning_rate=1e-3, on_step=None, next_sentence=1.0, **options
):
    stream = iter(batches)
    taken = [next(stream) for _ in range(steps)]
    return _loop(model, taken, steps, learning_rate, on_step, next_sentence, **options)


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


def loop_with_own_backward(
    model, batches, steps, learning_rate=1e-3, on_step=None, next_sentence=1.0, **options
):
    optimizer, schedule = make_optimizer(model, steps, learning_rate, **options)
    for step, batch in enumerate(islice(batches, steps), 1):
        losses = pretraining_loss(model, batch)
        loss = losses.token_loss + next_sentence * losses.next_loss
        loss.backward()
        update_weights(model, loss, optimizer, schedule, step)


LOOP_MISTAKES = (
    Mistake(
        "one number a step",
        loop_variant(keep=lambda history, losses: (losses.token_loss + losses.next_loss).item()),
        "the history holds one number for each step; asked for are all four of a batch, as a PreTrainingLoss",
        raises=TypeError,
    ),
    Mistake(
        "gradient computed twice",
        loop_with_own_backward,
        "`update_weights` computes the gradient itself; computed before, the graph is used up",
        raises=RuntimeError,
    ),
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
        "the stream's own end",
        loop_until_it_breaks,
        "the run is right, but with five batches for six steps it ends with StopIteration, which a loop around it would "
        "take for its own end: a sentence is of more use",
    ),
    Mistake(
        "one number told",
        loop_variant(told=lambda losses: (losses.token_loss + losses.next_loss).item()),
        "the history is right, but `on_step` is told one number: it wants all four, as they stand in the history",
    ),
    Mistake(
        "tensors told",
        loop_variant(told=lambda losses: losses),
        "the history is right, but `on_step` is told tensors: who collects them would hold every step's computation",
    ),
)


EXERCISE = Exercise(
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
)
