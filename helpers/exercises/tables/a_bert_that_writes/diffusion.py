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
    learns = isinstance(loss, torch.Tensor) and loss.requires_grad
    yield "a gradient comes back", learns
    if learns:
        yield "the gradient at the rarest [MASK]", torch.autograd.grad(loss, leaf)[0][-1]
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


def loss_of_a_mean(weigh):
    """The losses averaged by cross_entropy before the weights come in."""

    def program(logits, labels, rates, tokens):
        hidden = labels != IGNORE
        if not hidden.any():
            return logits.sum()
        weights = (1 / rates).expand_as(labels)[hidden]
        return weigh(functional.cross_entropy(logits, labels[hidden]), weights, tokens)

    return program


def loss_of_a_table(logits, labels, rates, tokens):
    losses = functional.cross_entropy(logits, labels[labels != IGNORE], reduction="none")
    return (losses / rates).sum() / tokens


def over(count):
    """The right sum, divided by another number."""
    return lambda logits, labels, rates, tokens: (
        tokens * loss_with()(logits, labels, rates, tokens) / count(labels)
    )


def at_the_wrong_texts(rates, labels, hidden):
    return 1 / rates.repeat(labels.shape[1], 1).view_as(labels)[hidden]


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
        "weights after the mean",
        loss_of_a_mean(lambda mean, weights, tokens: (mean * weights).sum() / tokens),
        "three texts give {yours}, expected {expected}: the losses were averaged before they met their weights, so each "
        "weight multiplies the same number. What does cross_entropy do when no reduction is asked for?",
        show=three,
    ),
    Mistake(
        "a plain cross-entropy",
        loss_of_a_mean(lambda mean, weights, tokens: mean),
        "three texts give {yours}, expected {expected}: that is the mean over the gaps, without weights, the loss of BERT. "
        "What do `rates` and `tokens` change?",
        show=three,
    ),
    Mistake(
        "the mean rate",
        loss_with(weight=lambda rates, labels, hidden: 1 / rates.mean()),
        "three texts give {yours}, expected {expected}: all losses are divided by the mean of the rates. Whose rate belongs to "
        "a gap?",
        show=three,
    ),
    Mistake(
        "each loss with every rate",
        loss_of_a_table,
        "three texts give {yours}, expected {expected}: (M,) and (B, 1) make a table (B, M), each loss divided by every "
        "text's rate. Which one of them is its own?",
        show=three,
    ),
    Mistake(
        "rates of other texts",
        loss_with(weight=at_the_wrong_texts),
        "three texts give {yours}, expected {expected}: the rates run along the gaps text after text, 0.4, 0.8, 0.25, 0.4, …. "
        "The gaps of one text stand next to each other, and all have its rate",
        show=three,
    ),
    Mistake(
        "divided by all places",
        over(lambda labels: labels.numel()),
        "three texts give {yours}, expected {expected}: you divide by B * T = 15. How many of them could have been hidden?",
        show=three,
    ),
    Mistake(
        "divided by the texts",
        over(lambda labels: len(labels)),
        "three texts give {yours}, expected {expected}: you divide by the number of texts; wanted is the mean for a token",
        show=three,
    ),
    Mistake(
        "divided by the weights",
        loss_with(
            weight=lambda rates, labels, hidden: (w := 1 / rates.expand_as(labels)[hidden]) / w.sum(),
            mean=lambda weighted, tokens: weighted.sum(),
        ),
        "three texts give {yours}, expected {expected}: a weighted mean, divided by the sum of the weights. That sum is "
        "`tokens` on average only; by which of the two is the loss divided?",
        show=three,
    ),
    Mistake(
        "the share that was hidden",
        loss_with(
            weight=lambda rates, labels, hidden: (
                1 / hidden.float().mean(dim=1, keepdim=True).expand_as(labels)[hidden]
            )
        ),
        "three texts give {yours}, expected {expected}: you divide by the share of places that happened to be hidden. Asked "
        "for is the rate at which they were",
        show=three,
    ),
    Mistake(
        "the share that stays",
        loss_with(weight=lambda rates, labels, hidden: 1 / (1 - rates).expand_as(labels)[hidden]),
        "three texts give {yours}, expected {expected}: you divide by 1 - rate, the share that can be read. For which tokens "
        "does a gap stand?",
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
        asks={
            "one text": "here all gaps have the rate 0.8, and 5 tokens could have been hidden: what is added up, and by what is "
            "it divided?",
            "three texts": "one text alone was right: does each loss meet the rate of its own text, and is their sum divided "
            "by `tokens`, once?",
            "a gradient comes back": "the number is right, but nothing can learn from it: where does the tensor become a plain "
            "number (`item`, `float`, `torch.tensor`)?",
            "nothing hidden": "there are no losses here, and the sum of none is 0; a mean over none is NaN",
        },
        notice="where nothing is hidden the loss is 0: such a text teaches nothing, and its rate is rare",
        difficulty=2,
        minutes=12,
        variants=(loss_by_rows,),
    ),
)
