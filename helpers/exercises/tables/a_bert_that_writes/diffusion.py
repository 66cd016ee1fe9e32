"""Exercise 20.2. The loss of a masked diffusion model."""

import torch
from torch.nn import functional

from helpers import writing
from helpers.exercises.exercise import Exercise, Mistake
from helpers.pretraining import IGNORE

LOSS = '''
def my_diffusion_loss(logits, labels, rates, tokens):
    """The mean of 1 / rate times the cross-entropy at [MASK], over all tokens of the batch: one number.

    logits (M, V): the scores at the M hidden places, row by row in the order of the batch. labels (B, T):
    the original ids there, IGNORE elsewhere. rates (B, 1): the rate at which each text was hidden.
    tokens: how many tokens could have been hidden; those that stayed count with a loss of 0.
    """
    ...
'''


def given():
    labels = torch.full((3, 5), IGNORE)
    labels[0, [1, 3]] = torch.tensor([4, 2])
    labels[1, [0, 1, 2, 4]] = torch.tensor([1, 5, 3, 6])
    labels[2, 2] = 2
    logits = torch.randn(7, 7, generator=torch.Generator().manual_seed(11))
    return logits, labels, torch.tensor([[0.4], [0.8], [0.25]]), 13


def probe_loss(diffusion_loss):
    logits, labels, rates, tokens = given()
    yield "one text", float(diffusion_loss(logits[2:6], labels[1:2], rates[1:2], 5))
    yield "three texts", float(diffusion_loss(logits, labels, rates, tokens))
    leaf = logits.clone().requires_grad_(True)
    loss = diffusion_loss(leaf, labels, rates, tokens)
    gradient = (
        torch.autograd.grad(loss, leaf)[0] if isinstance(loss, torch.Tensor) and loss.requires_grad else None
    )
    yield "the gradient at the rarest [MASK]", None if gradient is None else gradient[-1]
    yield "nothing hidden", float(diffusion_loss(logits[:0], torch.full((2, 4), IGNORE), rates[:2], 8))


def loss_with(
    weight=lambda rates, labels, hidden: 1 / rates.expand_as(labels)[hidden], mean=lambda x, n: x.sum() / n
):
    def program(logits, labels, rates, tokens):
        hidden = labels != IGNORE
        losses = functional.cross_entropy(logits, labels[hidden], reduction="none")
        return mean(weight(rates, labels, hidden) * losses, tokens)

    return program


def loss_by_rows(logits, labels, rates, tokens):
    total, begin = logits.new_zeros(()), 0
    for row, rate in zip(labels, rates[:, 0], strict=True):
        wanted = row[row != IGNORE]
        some = logits[begin : begin + len(wanted)]
        total = total + functional.cross_entropy(some, wanted, reduction="sum") / rate
        begin += len(wanted)
    return total / tokens


def loss_with_one_mean(logits, labels, rates, tokens):
    wanted = labels[labels != IGNORE]
    if not len(wanted):
        return logits.sum()
    return functional.cross_entropy(logits, wanted) * (1 / rates).mean() * len(wanted) / tokens


def loss_of_means(logits, labels, rates, tokens):
    hidden, losses = labels != IGNORE, []
    begin = 0
    for row, rate in zip(labels, rates[:, 0], strict=True):
        count = int((row != IGNORE).sum())
        if count:
            losses.append(functional.cross_entropy(logits[begin : begin + count], row[row != IGNORE]) / rate)
        begin += count
    return torch.stack(losses).sum() / len(hidden) if losses else logits.sum()


def three(parts):
    return parts["three texts"]


LOSS_MISTAKES = (
    Mistake(
        "without weights",
        loss_with(weight=lambda rates, labels, hidden: 1.0),
        "three texts give {yours}, expected {expected}: every gap counts the same. At a rate of 0.25 only one token in "
        "four is a gap: each has to stand for four",
        show=three,
    ),
    Mistake(
        "times the rate",
        loss_with(weight=lambda rates, labels, hidden: rates.expand_as(labels)[hidden]),
        "three texts give {yours}, expected {expected}: you multiply by the rate instead of dividing by it",
        show=three,
    ),
    Mistake(
        "mean over the gaps",
        loss_with(mean=lambda weighted, tokens: weighted.mean() if len(weighted) else weighted.sum()),
        "three texts give {yours}, expected {expected}: you divide by the number of gaps. Weighted by 1 / rate they "
        "already stand for all tokens: divide by those",
        show=three,
    ),
    Mistake(
        "sum",
        loss_with(mean=lambda weighted, tokens: weighted.sum()),
        "three texts give {yours}, expected {expected}: that is the sum over the batch; wanted is the mean for a token",
        show=three,
    ),
    Mistake(
        "weights that add up to one",
        loss_with(
            mean=lambda weighted, tokens: weighted.sum() / tokens,
            weight=lambda rates, labels, hidden: (1 / rates.expand_as(labels)[hidden]) / (1 / rates).mean(),
        ),
        "three texts give {yours}, expected {expected}: the weights are divided by their mean. They are not a matter of "
        "taste: with 1 / rate as it is, the loss bounds -log p",
        show=three,
    ),
    Mistake(
        "one weight for the batch",
        loss_with_one_mean,
        "three texts give {yours}, expected {expected}: the mean weight multiplies the mean loss. The rarest gaps weigh "
        "most: weigh each before adding them up",
        show=three,
    ),
    Mistake(
        "a mean for each text",
        loss_of_means,
        "three texts give {yours}, expected {expected}: within each text you take the mean over its gaps and then "
        "divide by the rate, so the number of gaps is taken out twice",
        show=three,
    ),
)

EXERCISES = (
    Exercise(
        id="20.2",
        name="diffusion_loss",
        reference=writing.diffusion_loss,
        stub=LOSS,
        probe=probe_loss,
        hints=(
            'One loss for each gap first: cross_entropy with reduction="none" gives (M,).',
            "The weight of a gap is that of its text: bring rates to the shape of labels, and pick the same places.",
            "(losses / rates.expand_as(labels)[hidden]).sum() / tokens, with hidden = labels != IGNORE.",
        ),
        mistakes=LOSS_MISTAKES,
        notice="where nothing is hidden the loss is 0: such a text teaches nothing, and its rate is rare",
        difficulty=2,
        minutes=12,
        variants=(loss_by_rows,),
    ),
)
