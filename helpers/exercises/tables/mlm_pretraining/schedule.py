"""Exercise 6.9. The learning rate over the steps."""

import math

from helpers import pretraining
from helpers.exercises.exercise import Exercise, Mistake

SCHEDULE = '''
def my_linear_warm_up_and_decay(step, steps, warm_up):
    """The share of the learning rate at a step: up to 1 over the first `warm_up` of the run, then to 0.

    Steps count from 0. warm_up is a share of the run, below 1; 0 means none. How far the run is: (step + 1)
    / (steps + 1), so that neither the first step, 0, nor the last, steps - 1, has the rate 0. From step
    `steps` on: 0.
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
        "warm_up taken for steps",
        lambda step, steps, w: min((step + 1) / w if w else 1.0, max(0.0, (steps - step) / (steps - w))),
        "the shares of nine steps are {yours}, expected {expected}: warm_up is taken for a number of steps. Here it is a share of the run, 0.4 of it",
    ),
    Mistake(
        "warm_up of steps, progress of step",
        lambda step, steps, w: (
            (p := (step + 1) / (steps + 1))
            and (step / (w * steps) if w and step < w * steps else max(0.0, (1 - p) / (1 - w)))
        ),
        "the shares of nine steps are {yours}, expected {expected}: the rise counts from 0 in steps, the fall in (step + 1) / (steps + 1): the first step has the rate 0. One measure of how far the run is serves both",
    ),
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
        "a cosine",
        schedule_variant(
            fall=lambda p, w: 0.5 + 0.5 * math.cos(math.pi * min(1.0, max(0.0, (p - w) / (1 - w))))
        ),
        "the shares of nine steps are {yours}, expected {expected}: it falls along a cosine, which many runs use, too. "
        "Here a straight line is asked for",
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


EXERCISE = Exercise(
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
    notice="both cases are one: at every step it is the lower of the two lines that counts",
    difficulty=2,
    minutes=10,
    show=nine,
    variants=(schedule_by_cases, schedule_in_steps),
)
