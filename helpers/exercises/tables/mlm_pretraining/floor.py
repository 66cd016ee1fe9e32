"""Exercise 6.15. The lowest loss that there can be."""

import math

import torch

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import mlm_pretraining as references

LOWEST = '''
def my_lowest_loss(chances):
    """The lowest mean loss, in nats, a float. chances (N, V): row i has the true probabilities of guess i.

    Nobody knows more than these probabilities, and the best guess says just them. 0 times the log of 0 is 0.
    """
    ...
'''


def probe_lowest(lowest_loss):
    yield "a coin", lowest_loss(torch.tensor([[0.5, 0.25, 0.25], [0.2, 0.5, 0.3]]))
    yield "one row", lowest_loss(torch.tensor([[0.7, 0.1, 0.2]]))
    third = [1 / 3, 1 / 3, 1 / 3, 0.0]
    yield (
        "with what cannot be",
        lowest_loss(torch.tensor([third, [0.0, 1.0, 0.0, 0.0], [0.0, 0.5, 0.5, 0.0]])),
    )


def entropies(chances):
    return -torch.xlogy(chances, chances).sum(dim=-1)


def coin(parts):
    return parts["a coin"]


LOWEST_MISTAKES = (
    Mistake(
        "mean over what is possible",
        lambda chances: -chances[chances > 0].log().mean().item(),
        "the first two guesses cost {yours}, expected {expected}: every possible entry counts the same. A word that comes twice as often is paid for twice as often",
        show=coin,
    ),
    Mistake(
        "base 2",
        lambda chances: entropies(chances).mean().item() / math.log(2),
        "the first two guesses cost {yours}, expected {expected}: that is in bits; the natural logarithm gives nats",
        show=coin,
    ),
    Mistake(
        "sign",
        lambda chances: -entropies(chances).mean().item(),
        "the first two guesses cost {yours}, expected {expected}: logs of probabilities are negative, and a loss is not",
        show=coin,
    ),
    Mistake(
        "sum over the guesses",
        lambda chances: entropies(chances).sum().item(),
        "the first two guesses cost {yours}, expected {expected}: the costs of the two are added up, and their mean is "
        "asked for",
        show=coin,
    ),
    Mistake(
        "mean over the entries",
        lambda chances: (entropies(chances) / chances.shape[1]).mean().item(),
        "the first two guesses cost {yours}, expected {expected}: you take the mean over the V entries as well. An "
        "expected loss is weighted by the probabilities already",
        show=coin,
    ),
    Mistake(
        "entropy of the mean",
        lambda chances: entropies(chances.mean(dim=0)).item(),
        "the first two guesses cost {yours}, expected {expected}: the tables are averaged first, as if nobody knew which "
        "gap it is. The text beside a gap tells more than that",
        show=coin,
    ),
    Mistake(
        "the likeliest entry's loss",
        lambda chances: -chances.amax(dim=-1).log().mean().item(),
        "the first two guesses cost {yours}, expected {expected}: that is the loss when the likeliest word was right. "
        "It is not always right",
        show=coin,
    ),
    Mistake(
        "logs not weighted",
        lambda chances: -chances.log().mean(dim=-1).mean().item(),
        "the first two guesses cost {yours}, expected {expected}: all logs count the same. What is rare is also rarely "
        "paid for",
        show=coin,
    ),
    Mistake(
        "share wrong",
        lambda chances: (1 - chances.amax(dim=-1)).mean().item(),
        "the first two guesses cost {yours}, expected {expected}: that is how often the best guess is wrong, and no loss "
        "in nats",
        show=coin,
    ),
    Mistake(
        "the log of nothing",
        lambda chances: -(chances * chances.log()).sum(dim=-1).mean().item(),
        "right while all is possible, but with what cannot be you give {yours}, expected {expected}: the log of 0 is "
        "minus infinity, and 0 times that is no number",
        show=lambda parts: parts["with what cannot be"],
    ),
    Mistake(
        "a little added",
        lambda chances: -(chances * (chances + 1e-3).log()).sum(dim=-1).mean().item(),
        "the first two guesses cost {yours}, expected {expected}: near, but no longer the lowest loss. Whatever is added "
        "to a probability within the log is missing in the result",
        show=coin,
    ),
    Mistake(
        "softmax of probabilities",
        lambda chances: -(chances * chances.log_softmax(dim=-1)).sum(dim=-1).mean().item(),
        "the first two guesses cost {yours}, expected {expected}: the chances are taken for scores and get a softmax, "
        "which makes them more alike. They are probabilities already",
        show=coin,
    ),
    Mistake(
        "exponential",
        lambda chances: entropies(chances).mean().exp().item(),
        "the first two guesses cost {yours}, expected {expected}: that is the perplexity, e to the power of the loss",
        show=coin,
    ),
)


EXERCISE = Exercise(
    id="6.15",
    name="lowest_loss",
    reference=references.lowest_loss,
    stub=LOWEST,
    probe=probe_lowest,
    hints=(
        "Of one row: with probability p(w) the word is w, and the best guess then pays −ln p(w). What is paid on the "
        "average?",
        "That is −Σ p ln p along each row; then the mean over the rows, and `.item()`.",
        "`torch.xlogy(p, p)` is p ln p, and 0 where p is 0; or take `chances.clamp(min=1e-30).log()`.",
    ),
    mistakes=LOWEST_MISTAKES,
    notice="a row with a single 1 costs nothing, and a row of V equal chances costs ln V: every entropy lies between",
    difficulty=2,
    minutes=8,
    show=coin,
    variants=(
        lambda chances: torch.distributions.Categorical(probs=chances).entropy().mean().item(),
        lambda chances: (
            sum(-sum(p * math.log(p) for p in r if p > 0) for r in chances.tolist()) / len(chances)
        ),
    ),
)
