"""17.3: the learning rate rises, holds and falls."""

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import pretraining_at_scale as references

STUB = '''
def my_rise_hold_fall(step, steps, warm_up_steps, decay):
    """The share of the learning rate in step 1, 2, …, steps: it rises, holds, and falls.

    It rises in equal parts and is 1 in step `warm_up_steps`. It falls in equal parts over the last share
    `decay` of the steps; a step after the last, it would be 0.
    """
    ...
'''


def probe(share):
    return {
        f"step {step} of {steps}": float(share(step, steps, warm_up, decay))
        for steps, warm_up, decay, asked in (
            (100, 10, 0.4, (1, 4, 10, 11, 60, 61, 62, 80, 99, 100)),
            (30, 8, 0.9, (1, 4, 6, 8, 20, 30)),  # it falls before it has risen
        )
        for step in asked
    }


def rates(
    step, steps, warm_up, decay, *, rise=lambda s, w: s / w, fall=lambda s, n, d: (n + 1 - s) / (d * n)
):
    return min(1.0, rise(step, warm_up), fall(step, steps, decay))


def variant(**changes):
    return lambda step, steps, warm_up_steps, decay: rates(step, steps, warm_up_steps, decay, **changes)


def by_cases(step, steps, warm_up_steps, decay):
    if step <= warm_up_steps:
        return step / warm_up_steps
    return 1.0 if step <= steps - decay * steps else (steps + 1 - step) / (decay * steps)


def linear(step, steps, warm_up_steps, decay):
    return min(step / warm_up_steps, (steps + 1 - step) / (steps + 1 - warm_up_steps))


def at(*steps):
    return lambda parts: [parts[f"step {step} of 100"] for step in steps]


EXERCISE = Exercise(
    id="17.3",
    name="rise_hold_fall",
    reference=references.rise_hold_fall,
    stub=STUB,
    probe=probe,
    hints=(
        "Write down the two lines apart from each other: one that rises through 1 at step `warm_up_steps`, one that "
        "falls. Between them the share is 1. Which of the three numbers counts in a step?",
        "The falling line is 0 at step `steps + 1`, and it takes `decay * steps` steps from 1 down to there.",
        "The share is the smallest of three numbers.",
    ),
    mistakes=(
        Mistake(
            "falls to decay",
            lambda s, n, w, d: s / w if s < w else 1 - (1 - d) * (s - w) / (n - w),
            "in steps 11 and 60 you give {yours}, expected {expected}: it falls as soon as it has risen, from 1 to `decay`. Here `decay` is the share of the steps over which it falls, to 0",
            show=at(11, 60),
        ),
        Mistake(
            "decays by a factor",
            lambda s, n, w, d: (
                s / w if s < w else 1.0 if s <= n * (1 - d) else d ** ((s - n * (1 - d)) / (n * d))
            ),
            "in steps 80 and 100 you give {yours}, expected {expected}: it falls by a factor at each step; asked for are equal parts, a straight line",
            show=at(80, 100),
        ),
        Mistake(
            "fall one step early",
            lambda s, n, w, d: (
                1.0 if w <= s <= n * (1 - d) else s / w if s < w else (n + 1 - s) / (n + 1 - n * (1 - d))
            ),
            "in steps 61 and 62 you give {yours}, expected {expected}: your fall begins one step early and takes one step more. It takes `decay` of the steps: from which step, at 1, to which, at 0?",
            show=at(61, 62),
        ),
        Mistake(
            "decay of what is left after the warm-up",
            lambda s, n, w, d: min(1.0, s / w, (n + 1 - s) / (d * (n - w))),
            "in steps 62 and 80 you give {yours}, expected {expected}: you take the share of the steps after the warm-up; it is one of all steps",
            show=at(62, 80),
        ),
        Mistake(
            "nothing left at the end",
            lambda s, n, w, d: s / w if s < w else 1.0 if s <= n * (1 - d) else 0.0,
            "in steps 62 and 80 you give {yours}, expected {expected}: it holds and then drops to 0 at once: in the last share `decay` it falls in equal parts",
            show=at(62, 80),
        ),
        Mistake(
            "steps from 0",
            variant(rise=lambda s, w: (s - 1) / w),
            "in steps 1 and 10 you give {yours}, expected {expected}: the first step has a rate of 0 and teaches "
            "nothing. Steps are counted from 1",
            show=at(1, 10),
        ),
        Mistake(
            "the last step at 0",
            variant(fall=lambda s, n, d: (n - s) / (d * n)),
            "in steps 99 and 100 you give {yours}, expected {expected}: the last step has a rate of 0 and is lost. "
            "Zero is reached only after it",
            show=at(99, 100),
        ),
        Mistake(
            "it never falls",
            variant(fall=lambda s, n, d: 1.0),
            "in steps 62 and 100 you give {yours}, expected {expected}: the rate rises and holds. What becomes of it "
            "in the last share of the steps?",
            show=at(62, 100),
        ),
        Mistake(
            "it rises without a limit",
            lambda step, steps, warm_up, decay: min(step / warm_up, (steps + 1 - step) / (decay * steps)),
            "in steps 11 and 60 you give {yours}, expected {expected}: between rise and fall the share holds, at 1",
            show=at(11, 60),
        ),
        Mistake(
            "no warm-up",
            variant(rise=lambda s, w: 1.0),
            "in steps 1 and 4 you give {yours}, expected {expected}: the rate is full from the first step on",
            show=at(1, 4),
        ),
        Mistake(
            "it begins to fall at `decay`",
            variant(fall=lambda s, n, d: (n + 1 - s) / ((1 - d) * n)),
            "in steps 60 and 80 you give {yours}, expected {expected}: the fall takes the wrong share of the steps. "
            "`decay` is the share of the steps in which it falls, and they are the last ones",
            show=at(60, 80),
        ),
        Mistake(
            "it falls from the top on",
            linear,
            "in steps 11 and 60 you give {yours}, expected {expected}: this is BERT's own schedule, which falls as "
            "soon as it has risen. Here it holds first",
            show=at(11, 60),
        ),
        Mistake(
            "cases in which rise and fall never meet",
            by_cases,
            "right for a long run, but in one of 30 steps with a warm-up of 8 and decay 0.9, step 8 gets {yours}, "
            "expected {expected}: there it already falls while it still rises. Which of the two should count?",
            show=lambda parts: parts["step 8 of 30"],
        ),
        Mistake(
            "the product",
            lambda step, steps, warm_up, decay: (
                min(1.0, step / warm_up) * min(1.0, (steps + 1 - step) / (decay * steps))
            ),
            "right for a long run, but where rise and fall overlap you multiply them: step 6 of 30 gets {yours}, "
            "expected {expected}. Only the smaller one counts",
            show=lambda parts: parts["step 6 of 30"],
        ),
        Mistake(
            "half a cosine",
            lambda step, steps, warm_up, decay: rates(
                step,
                steps,
                warm_up,
                decay,
                fall=lambda s, n, d: (
                    0.5 - 0.5 * __import__("math").cos(3.14159 * min(1, (n + 1 - s) / (d * n)))
                ),
            ),
            "in steps 80 and 99 you give {yours}, expected {expected}: that is the curve of a cosine. Here it falls "
            "in equal parts",
            show=at(80, 99),
        ),
        Mistake(
            "a step ahead",
            variant(rise=lambda s, w: (s + 1) / w),
            "in steps 1 and 4 you give {yours}, expected {expected}: the rise is a step ahead. Steps are counted from 1",
            show=at(1, 4),
        ),
        Mistake(
            "the fall by percent",
            variant(fall=lambda s, n, d: (n + 1 - s) / n),
            "in steps 60 and 80 you give {yours}, expected {expected}: the fall begins with the run and takes all of "
            "it. In how many steps should it get from 1 to 0?",
            show=at(60, 80),
        ),
        Mistake(
            "the largest",
            lambda s, n, w, d: max(1.0, s / w, (n + 1 - s) / (d * n)),
            "in steps 1 and 100 you give {yours}, expected {expected}: you take the largest of the three numbers. "
            "Which one holds the rate down in the first step?",
            show=at(1, 100),
        ),
        Mistake(
            "whole numbers",
            lambda s, n, w, d: rates(s, n, w, d, rise=lambda s, w: s // w),
            "in steps 1 and 4 you give {yours}, expected {expected}: // cuts the share down to a whole number",
            show=at(1, 4),
        ),
        Mistake(
            "a step late",
            lambda s, n, w, d: rates(s, n, w, d, rise=lambda s, w: s / (w + 1)),
            "in steps 4 and 10 you give {yours}, expected {expected}: your rise takes one step more. In which "
            "step should it reach 1?",
            show=at(4, 10),
        ),
        Mistake(
            "warm-up as a share",
            lambda s, n, w, d: rates(s, n, w, d, rise=lambda s, w: s / (w * n)),
            "in steps 1 and 10 you give {yours}, expected {expected}: `warm_up_steps` is a number of steps "
            "already, no share of them",
            show=at(1, 10),
        ),
    ),
    notice="as long as it holds, `steps` does not enter: a run may be made longer or shorter until the fall begins",
    difficulty=2,
    minutes=10,
    variants=(
        variant(),
        lambda step, steps, warm_up_steps, decay: max(
            0.0, 1 - max(0.0, 1 - step / warm_up_steps, 1 - (steps + 1 - step) / (decay * steps))
        ),
    ),
)
