"""Notebook 9: how often one rater is right by the others."""

from helpers import classification
from helpers.exercises.exercise import Exercise, Mistake

# 9.4 rater_agreement

AGREEMENT = '''
def my_rater_agreement(ratings, zero=0.5):
    """The share of a sentence's raters who have the sign of the mean of the *other* raters.

    A rating of 0 counts `zero`. Where the others' mean is exactly 0, that rater's judgment is left out.
    """
    ...
'''


def probe_agreement(agreement):
    yield "three of one mind", float(agreement([3, 2, 1]))
    yield "one against two", float(agreement([4, -3, -3]))
    yield "two against three", float(agreement([4, 4, -1, -1, -1]))
    yield "nobody hesitates", float(agreement([4, -2, -1, 3, -3, 1]))
    yield "one hesitates", float(agreement([3, 1, 1, -2, 0]))
    yield "two hesitate", float(agreement([1, 0, 2, -3, 0, 1, 2]))
    yield "a hesitation counts a fifth", float(agreement([1, 0, 2, -3, 0, 1, 2], 0.2))


def agreement_with(
    ratings, zero=0.5, *, own=False, zero_is=None, tie="left out", truth=lambda others: sum(others), of_all=False,
    hesitation="counts", share=True, alike=True,
):  # fmt: skip
    """Agreement with one thing done in another way."""
    zero = zero if zero_is is None else zero_is
    points = []
    for place, rating in enumerate(ratings):
        others = list(ratings) if own else [*ratings[:place], *ratings[place + 1 :]]
        if not alike:
            others = [other for other in ratings if other != rating]
        right = truth(others)
        if right == 0 and tie == "left out":
            continue
        if rating == 0 and hesitation == "left out":
            continue
        if right == 0 and rating != 0:
            points.append({"wrong": 0.0, "half": 0.5}[tie])
        else:
            points.append(zero if rating == 0 else float((rating > 0) == (right > 0)))
    return sum(points) / (len(ratings) if of_all else len(points)) if share else sum(points)


def changed(**options):
    return lambda *args, **kwargs: agreement_with(*args, **kwargs, **options)


def signs(others):
    return sum((rating > 0) - (rating < 0) for rating in others)


AGREEMENT_MISTAKES = (
    Mistake(
        "own rating in the mean",
        changed(own=True),
        "of the raters 4, -3, -3 the share {yours} agrees, expected {expected}: each one's own rating is in the mean, so "
        "everybody agrees a little with themselves",
        show=lambda parts: parts["one against two"],
    ),
    Mistake(
        "zero counted wrong",
        changed(zero_is=0.0),
        "of the raters 3, 1, 1, -2, 0 the share {yours} agrees, expected {expected}: a rating of 0 counts as wrong. Whoever "
        "had to decide would be right half of the time",
    ),
    Mistake(
        "zero counted right",
        changed(zero_is=1.0),
        "of the raters 3, 1, 1, -2, 0 the share {yours} agrees, expected {expected}: a rating of 0 counts as right, so one "
        "agrees by not deciding",
    ),
    Mistake(
        "hesitation left out",
        changed(hesitation="left out"),
        "of the raters 1, 0, 2, -3, 0, 1, 2 the share {yours} agrees, expected {expected}: those who rated 0 are left out. "
        "Left out is a judgment without a truth, not one without an opinion",
        show=lambda parts: parts["two hesitate"],
    ),
    Mistake(
        "a half, whatever is asked for",
        changed(zero_is=0.5),
        "right as long as a rating of 0 counts a half; with zero = 0.2 the share is {yours}, expected {expected}: the "
        "parameter is not used",
        show=lambda parts: parts["a hesitation counts a fifth"],
    ),
    Mistake(
        "tie counted wrong",
        changed(tie="wrong"),
        "of the raters 3, 1, 1, -2, 0 the share {yours} agrees, expected {expected}: for the rater of 3 the others add up "
        "to 0, so there is nothing to agree with. That judgment counts neither as wrong nor below the line",
    ),
    Mistake(
        "tie counted half",
        changed(tie="half"),
        "of the raters 3, 1, 1, -2, 0 the share {yours} agrees, expected {expected}: where the others' mean is 0, you count "
        "a half; that judgment is to be left out",
    ),
    Mistake(
        "majority of the signs",
        changed(truth=signs),
        "of the raters 4, 4, -1, -1, -1 the share {yours} agrees, expected {expected}: you ask which sign is more "
        "frequent among the others (or take their median). A 4 weighs more than a -1 in their mean",
        show=lambda parts: parts["two against three"],
    ),
    Mistake(
        "number instead of share",
        changed(share=False),
        "three of one mind give {yours}, expected {expected}: that is how many agree, and asked for is their share",
        show=lambda parts: parts["three of one mind"],
    ),
    Mistake(
        "others with the same rating left out",
        lambda ratings, zero=0.5: agreement_with(ratings, zero, alike=False),
        "of the raters 4, 4, -1, -1, -1 the share {yours} agrees, expected {expected}: whoever gave the same rating is left "
        "out with the rater. The others are all but one person, not all but one number",
        show=lambda parts: parts["two against three"],
    ),
)

EXERCISES = (
    Exercise(
        id="9.4",
        name="rater_agreement",
        reference=classification.rater_agreement,
        stub=AGREEMENT,
        probe=probe_agreement,
        hints=(
            "Take one rater at a time. What is the sum of the others? It has the sign of their mean.",
            "Three cases for each rater: the others add up to 0 (left out), the own rating is 0 (counts `zero`), or both "
            "have a sign (1 if it is the same).",
            "`others = sum(ratings) - rating`; collect the points in a list, and divide by how many there are.",
        ),
        mistakes=AGREEMENT_MISTAKES,
        notice="a rater who hesitates on a sentence with a tie is left out too: where there is no truth, nobody is half "
        "right",
        difficulty=2,
        minutes=10,
        show=lambda parts: parts["one hesitates"],
        variants=(
            changed(),
            lambda ratings, zero=0.5: (
                sum(
                    zero if rating == 0 else (rating * (sum(ratings) - rating) > 0)
                    for rating in ratings
                    if rating != sum(ratings)
                )
                / sum(rating != sum(ratings) for rating in ratings)
            ),
        ),
    ),
)
