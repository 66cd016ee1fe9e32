"""Notebook 9: a temperature, and how far confidence is from accuracy."""

import numpy as np

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import evaluation_and_explanation as references

# 9.5 choose_temperature

TEMPERATURE = '''
def my_choose_temperature(probabilities, labels, test_probabilities, test_labels):
    """The temperature that makes the validation part's cross-entropy smallest.

    probabilities (N, C), labels (N,): the validation part; the other two: the test part. Tried are the
    temperatures np.geomspace(0.2, 5, 1601). The logarithms of the probabilities may be taken for the logits.
    """
    ...
'''


def too_sure(seed: int, factor: float, count: int = 240):
    """Probabilities (N, 3) whose logits are `factor` times what they should be, and labels."""
    dice = np.random.default_rng(seed)
    logits = 1.5 * dice.normal(size=(count, 3)) + np.array([0.8, 0.0, -0.5])
    honest = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (dice.random((count, 1)) > honest.cumsum(axis=1)).sum(axis=1)
    sharp = np.exp(factor * logits)
    return sharp / sharp.sum(axis=1, keepdims=True), labels


def probe_temperature(choose):
    test = too_sure(9, 1.3)
    yield "logits twice as large", float(choose(*too_sure(1, 2.0), *test))
    yield "logits half as large", float(choose(*too_sure(2, 0.5), *test))
    yield "another test part", float(choose(*too_sure(1, 2.0), *too_sure(4, 0.7)))


TRIED = np.geomspace(0.2, 5, 1601)


def losses_of(probabilities, labels, tried=TRIED, log=True):
    logits = (np.log(probabilities) if log else probabilities)[:, :, None] / tried
    log_sums = np.log(np.exp(logits).sum(axis=1))
    return log_sums - logits[np.arange(len(labels)), labels]  # (N, temperatures)


def least(losses):
    return TRIED[losses.argmin()]


def by_probabilities_divided(p, y, *_):
    return least(np.mean([-np.log(p[np.arange(len(y)), y])[:, None] + np.log(TRIED)[None]], axis=(0, 1)))


def over_all(p, y):
    logits = np.log(p)[:, :, None] / TRIED
    return np.log(np.exp(logits).sum(axis=(0, 1))) - logits[np.arange(len(y)), y].mean(axis=0)


def by_calibration(p, y, *_):
    gaps = []
    for temperature in TRIED[::20]:
        q = np.exp(np.log(p) / temperature)
        q /= q.sum(axis=1, keepdims=True)
        gaps.append(references.calibration_error(q, y))
    return TRIED[::20][int(np.argmin(gaps))]


def by_squares(p, y, *_):
    found = []
    for temperature in TRIED[::10]:
        q = np.exp(np.log(p) / temperature)
        q /= q.sum(axis=1, keepdims=True)
        found.append(((q - np.eye(3)[y]) ** 2).sum(axis=1).mean())
    return TRIED[::10][int(np.argmin(found))]


def twice(parts):
    return parts["logits twice as large"]


TEMPERATURE_MISTAKES = (
    Mistake(
        "on the test part",
        lambda p, y, q, z: least(losses_of(q, z).mean(axis=0)),
        "logits that are twice too large give the temperature {yours}, expected {expected}: it is chosen on the test part. "
        "A number that was fitted there says nothing about how well it fits",
    ),
    Mistake(
        "on both parts",
        lambda p, y, q, z: least(losses_of(np.concatenate([p, q]), np.concatenate([y, z])).mean(axis=0)),
        "logits that are twice too large give {yours}, expected {expected}: both parts are used. The test part has to stay "
        "out of every choice",
    ),
    Mistake(
        "upside down",
        lambda p, y, *_: 1 / least(losses_of(p, y).mean(axis=0)),
        "logits that are twice too large give {yours}, expected {expected}: your temperature multiplies the logits. Above 1 "
        "it should make probabilities milder",
    ),
    Mistake(
        "probabilities divided",
        by_probabilities_divided,
        "you get {yours}, expected {expected}, the end of the range: either the probabilities themselves are divided, and their "
        "rows don't sum to 1 any more, or it is the accuracy that you compare, which no temperature changes",
    ),
    Mistake(
        "probabilities taken for logits",
        lambda p, y, *_: least(losses_of(p, y, log=False).mean(axis=0)),
        "logits that are twice too large give {yours}, expected {expected}: softmax is applied to the probabilities. What "
        "makes logits of them?",
    ),
    Mistake(
        "the largest loss",
        lambda p, y, *_: TRIED[losses_of(p, y).mean(axis=0).argmax()],
        "you get {yours}, expected {expected}: that is where the loss is largest",
    ),
    Mistake(
        "the loss instead of the temperature",
        lambda p, y, *_: losses_of(p, y).mean(axis=0).min(),
        "logits that are twice too large give {yours}, expected {expected}: that is the smallest loss; asked for is the "
        "temperature at which it is reached",
    ),
    Mistake(
        "its number in the list",
        lambda p, y, *_: losses_of(p, y).mean(axis=0).argmin(),
        "you give {yours}, expected {expected}: the place in the list of temperatures, not the temperature there",
    ),
    Mistake(
        "nothing changed",
        lambda *parts: 1.0,
        "logits that are twice too large give {yours}, expected {expected}: a temperature of 1 leaves everything as it is",
    ),
    Mistake(
        "calibration error",
        by_calibration,
        "logits that are twice too large give {yours}, expected {expected}: you look for the smallest calibration error, "
        "which jumps about by chance. The cross-entropy is smooth",
    ),
    Mistake(
        "squared distance",
        by_squares,
        "logits that are twice too large give {yours}, expected {expected}: you make the squared distance smallest (the "
        "Brier score). Close, but asked for is the cross-entropy",
    ),
    Mistake(
        "all rows together sum to 1",
        lambda p, y, *_: least(losses_of(p, y).mean(axis=0) * 0 + over_all(p, y)),
        "logits that are twice too large give {yours}, expected {expected}: the probabilities of all texts together sum to 1. "
        "Each text has a sum of its own",
    ),
)

# 9.6 calibration_error

ERROR = '''
def my_calibration_error(probabilities, labels, bins=10):
    """The expected calibration error: the mean distance of accuracy from mean confidence in `bins` groups.

    probabilities (N, C), labels (N,), arrays. The groups have equal size (as nearly as possible): the least
    confident texts are in the first, the most confident in the last.
    """
    ...
'''


def probe_error(error):
    probabilities, labels = too_sure(57, 0.8, 24)
    yield "four groups of six", float(error(probabilities, labels, 4))
    yield "two groups", float(error(probabilities, labels, 2))
    probabilities, labels = too_sure(12, 0.4, 60)
    yield "ten groups", float(error(probabilities, labels))
    # Eight texts whose probabilities are honest, three sure ones that err: who loses three loses the error.
    sure = np.array([0.5] * 8 + [0.97, 0.98, 0.99])
    found = float(error(np.stack([sure, 1 - sure], axis=1), np.array([0, 1] * 4 + [1] * 3), 4))
    yield "eleven texts in four groups give more than 0.2", found > 0.2


def error_with(
    probabilities,
    labels,
    bins=10,
    *,
    confidence=None,
    order=True,
    gap=abs,
    mean=np.mean,
    groups=None,
    right=None,
):
    """The error with one thing done in another way."""
    sure = confidence(probabilities, labels) if confidence else probabilities.max(axis=1)
    right = right(probabilities, labels) if right else probabilities.argmax(axis=1) == labels
    places = sure.argsort() if order else np.arange(len(sure))
    parts = groups(sure, bins) if groups else np.array_split(places, bins)
    gaps = [gap(right[part].mean() - sure[part].mean()) for part in parts if len(part)]
    return float(mean(gaps))


def changed(**options):
    return lambda *args, **kwargs: error_with(*args, **kwargs, **options)


def equal_width(sure, bins):
    numbers = np.minimum((sure * bins).astype(int), bins - 1)
    return [np.flatnonzero(numbers == number) for number in range(bins)]


def equal_width_weighted(probabilities, labels, bins=10):
    sure, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    parts = [part for part in equal_width(sure, bins) if len(part)]
    return float(sum(len(part) * abs(right[part].mean() - sure[part].mean()) for part in parts) / len(sure))


def text_by_text(probabilities, labels, bins=10):
    return float(np.abs((probabilities.argmax(axis=1) == labels) - probabilities.max(axis=1)).mean())


def whole_groups_alone(probabilities, labels, bins=10):
    size = len(labels) // bins
    order = probabilities.max(axis=1).argsort()[: size * bins]
    return error_with(probabilities[order], labels[order], bins)


def four(parts):
    return parts["four groups of six"]


ERROR_MISTAKES = (
    Mistake(
        "with a sign",
        changed(gap=lambda gap: gap),
        "four groups give {yours}, expected {expected}: groups that are too sure and groups that are not sure enough cancel. "
        "A distance has no sign",
    ),
    Mistake(
        "sign dropped at the end",
        changed(gap=lambda gap: gap, mean=lambda gaps: abs(np.mean(gaps))),
        "four groups give {yours}, expected {expected}: the sign is dropped after the mean, when groups have already "
        "cancelled (or all texts are in one group). It is dropped for each group",
    ),
    Mistake(
        "not sorted",
        changed(order=False),
        "four groups give {yours}, expected {expected}: the groups are taken as the texts come, so each has sure and unsure "
        "ones. What puts them in order first?",
    ),
    Mistake(
        "groups of equal width",
        equal_width_weighted,
        "four groups give {yours}, expected {expected}: your groups cover equal parts of the scale from 0 to 1 and have "
        "different sizes. Here each should hold as many texts as the others",
    ),
    Mistake(
        "a rest that is in no group",
        whole_groups_alone,
        "right where the groups come out even; but of eleven texts in four groups three are in none, the most confident "
        "ones. Some groups have to be larger by one",
        show=False,
    ),
    Mistake(
        "squares",
        changed(gap=lambda gap: gap**2),
        "four groups give {yours}, expected {expected}: you square the distances, which makes small ones vanish",
    ),
    Mistake(
        "largest distance",
        changed(mean=max),
        "four groups give {yours}, expected {expected}: that is the worst group; the mean over the groups is asked for",
    ),
    Mistake(
        "sum",
        changed(mean=sum),
        "four groups give {yours}, expected {expected}: the distances are added up, so more groups would make any model "
        "worse",
    ),
    Mistake(
        "text by text",
        text_by_text,
        "four groups give {yours}, expected {expected}: you compare each text by itself, and a single answer is right or "
        "wrong, never 80% right. Only a group has an accuracy",
    ),
    Mistake(
        "probability of the right class",
        changed(confidence=lambda p, y: p[np.arange(len(y)), y]),
        "four groups give {yours}, expected {expected}: you take the probability of the right class. Confidence is that of "
        "the class that the model *answers*; it knows no labels",
    ),
    Mistake(
        "probability of the last class",
        changed(confidence=lambda p, y: p[:, -1]),
        "four groups give {yours}, expected {expected}: you take the probability of one fixed class. Confidence is that of "
        "the class that the model answers",
    ),
    Mistake(
        "confidences sorted alone",
        lambda p, y, bins=10: float(
            np.mean(
                [
                    abs((p.argmax(1) == y)[part].mean() - np.sort(p.max(1))[part].mean())
                    for part in np.array_split(np.arange(len(y)), bins)
                ]
            )
        ),
        "four groups give {yours}, expected {expected}: the confidences are sorted, the answers are not, so a group has the "
        "confidence of some texts and the accuracy of others. What sorts both in the same way?",
    ),
    Mistake(
        "mean of all classes",
        lambda p, y, bins=10: float(
            np.mean(
                [
                    abs((p.argmax(1) == y)[part].mean() - p[part].mean())
                    for part in np.array_split(p.max(1).argsort(), bins)
                ]
            )
        ),
        "four groups give {yours}, expected {expected}: the mean runs over all classes, and that is always 1 / C. Confidence "
        "is the largest of a text's probabilities",
    ),
)

EXERCISES = (
    Exercise(
        id="9.5",
        name="choose_temperature",
        reference=references.choose_temperature,
        stub=TEMPERATURE,
        probe=probe_temperature,
        hints=(
            "A loop: for each temperature, divide the logits, take the softmax, and measure the mean of -ln p of the right "
            "class. Which of the four arguments play a part in it?",
            "`np.log(probabilities) / temperature` are the new logits; `np.exp` and a division by the row sums make "
            "probabilities of them.",
            "`probabilities[np.arange(len(labels)), labels]` picks the right class of each row; `np.argmin` of the losses "
            "says which temperature.",
        ),
        mistakes=TEMPERATURE_MISTAKES,
        notice="a logarithm of the probabilities does for the logits, since what they differ by is the same for all "
        "classes of a text, and softmax takes no notice of that",
        difficulty=2,
        minutes=12,
        tolerance=0.005,
        show=twice,
        variants=(
            lambda p, y, *_: min(
                np.geomspace(0.2, 5, 1601),
                key=lambda t: np.mean(
                    np.log((p ** (1 / t)).sum(axis=1)) - np.log(p[np.arange(len(y)), y]) / t
                ),
            ),
            lambda p, y, *_: least(losses_of(p, y).sum(axis=0)),
        ),
    ),
    Exercise(
        id="9.6",
        name="calibration_error",
        reference=references.calibration_error,
        stub=ERROR,
        probe=probe_error,
        hints=(
            "Three numbers for each text first: its confidence, the answer, whether that is right. Then bring the texts "
            "into the order of their confidence.",
            "`confidence.argsort()` gives the numbers of the texts from the least to the most confident, and "
            "`np.array_split(…, bins)` cuts them into groups.",
            "For each group the distance of two means, without its sign; then the mean of the distances.",
        ),
        mistakes=ERROR_MISTAKES,
        notice="even honest probabilities have an error above 0 here, since a group of six can't be right on 75% of its "
        "texts: that is the noise floor, measured below",
        difficulty=2,
        minutes=10,
        show=four,
        variants=(
            changed(),
            lambda p, y, bins=10: sum(
                len(part) / len(y) * abs((p.argmax(1) == y)[part].mean() - p.max(1)[part].mean())
                for part in np.split(np.argsort(p.max(1)), [len(y) * k // bins for k in range(1, bins)])
            ),
        ),
    ),
)
