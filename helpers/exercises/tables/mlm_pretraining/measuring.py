"""Exercise 6.12. Mean losses over batches of different size."""

import torch

from helpers import pretraining
from helpers.encoder import evaluating
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.tables.mlm_pretraining import small
from helpers.pretraining import IGNORE, PreTrainingLoss, pretraining_loss

MEAN = '''
def my_mean_losses(model, batches):
    """-> PreTrainingLoss of four floats over all batches: every hidden token and every pair counts the same.

    pretraining_loss(model, batch) gives a batch's means. `with evaluating(model):` puts the model into
    evaluation mode and afterwards back; no gradients are needed. An error if there are no batches.
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
    yield "training mode of a model that was not", model.training
    model.train()
    again = mean_losses(model, iter(batches))
    yield "token loss of a model in training mode", float(again.token_loss)
    yield "mode afterwards", model.training
    try:
        mean_losses(model, [])
        yield "no batches", "goes on"
    except Exception:
        yield "no batches", "an error"


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


def mean_counted_first(model, batches):
    tokens = sum(int((batch["labels"] != IGNORE).sum()) for batch in batches)
    pairs = sum(len(batch["next_labels"]) for batch in batches)
    found = _mean(model, batches, empty=False)
    return found if tokens and pairs and any(found) else found[0] / 0


MEAN_MISTAKES = (
    Mistake(
        "places with text as weights",
        mean_variant(weights=lambda b, tokens, pairs: (int(b["attention_mask"].sum()), pairs) * 2),
        "the token loss is {yours}, expected {expected}: you weigh with the number of tokens in the texts. A batch's mean is one over the hidden tokens",
        show=lambda parts: parts["token loss"],
    ),
    Mistake(
        "gone through twice",
        mean_counted_first,
        "the batches are gone through twice, once to count and once to add up, and of a stream nothing is left for the second time",
        raises=ZeroDivisionError,
    ),
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
        "always in training mode afterwards",
        mean_variant(mode=training_afterwards),
        "the numbers are right, but a model that was in evaluation mode is in training mode afterwards: put it back as "
        "it came",
    ),
    Mistake(
        "no batches",
        mean_variant(empty=False),
        "right but for an empty list, for which it gives a perfect loss of 0: nothing was measured",
    ),
)


EXERCISE = Exercise(
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
    notice="the result stays the same when the same texts are cut into other batches: that is what a measurement needs",
    difficulty=2,
    minutes=12,
    variants=(mean_of_one_list, mean_variant()),
)
