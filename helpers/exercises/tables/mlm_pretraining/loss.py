"""Exercise 6.7. The two losses, and the shares of right answers."""

import math

import torch
from torch import nn
from torch.nn import functional

from helpers import pretraining
from helpers.encoder import BertConfig
from helpers.exercises.exercise import Exercise, Mistake
from helpers.pretraining import IGNORE, PreTrainingLoss, PreTrainingOutput

LOSS = '''
def my_pretraining_loss(model, batch):
    """-> PreTrainingLoss(token_loss, next_loss, token_accuracy, next_accuracy), four tensors with one number.

    batch: ids, type_ids, attention_mask, labels (B, T), IGNORE where nothing is asked, next_labels (B,).
    model(ids, type_ids, attention_mask, positions) gives token_logits (M, V), at the M True positions, and
    next_logits (B, 2). Each loss is the mean cross-entropy over what is asked, each accuracy the share right.
    """
    ...
'''


class Known(nn.Module):
    """A model whose answers can be worked out by hand: scores by the id that is read, its segment and the mask."""

    config = BertConfig(vocab_size=4, hidden_size=4, num_heads=1, pad_token_id=3)

    def __init__(self):
        super().__init__()
        self.scores = nn.Parameter(
            torch.tensor(
                [[1.0, 0.0, -1.0, 0.5], [0.2, 2.0, 0.4, 0.0], [-0.5, 0.3, 1.5, 0.1], [0.9, -0.2, 0.3, 2.2]]
            )
        )
        self.pair = nn.Parameter(torch.tensor([[0.8, -0.3], [-1.0, 0.6]]))

    def forward(self, ids, type_ids=None, attention_mask=None, positions=None):
        types = torch.zeros_like(ids) if type_ids is None else type_ids
        mask = torch.ones_like(ids) if attention_mask is None else attention_mask
        seen = (ids * mask).sum(dim=1, keepdim=True)[..., None] / 10
        logits = self.scores[ids] * (1 + seen) + 0.7 * types[..., None] * self.scores[0]
        pairs = self.pair[types.sum(dim=1) % 2] * (1 + seen[:, 0])
        return PreTrainingOutput(logits if positions is None else logits[positions], pairs)


def known_batch():
    return {
        "ids": torch.tensor([[0, 2, 1, 0, 2, 1], [2, 1, 0, 3, 3, 3], [1, 0, 2, 2, 1, 3]]),
        "type_ids": torch.tensor([[0, 0, 0, 1, 1, 1], [0, 1, 1, 0, 0, 0], [0, 0, 1, 1, 1, 0]]),
        "attention_mask": torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0], [1, 1, 1, 1, 1, 0]]),
        "labels": torch.tensor(
            [
                [IGNORE, 0, 1, IGNORE, 2, 1],
                [IGNORE, 2, IGNORE, IGNORE, IGNORE, IGNORE],
                [IGNORE, IGNORE, 2, 0, IGNORE, IGNORE],
            ]
        ),
        "next_labels": torch.tensor([1, 1, 0]),
    }


def probe_loss(pretraining_loss):
    model = Known()
    losses = pretraining_loss(model, known_batch())
    yield "token loss", losses.token_loss
    yield "loss of the pairs", losses.next_loss
    yield "share of tokens right", losses.token_accuracy
    yield "share of pairs right", losses.next_accuracy
    yield "a gradient can be taken", losses.token_loss.requires_grad and losses.next_loss.requires_grad
    few = {name: values[1:] for name, values in known_batch().items()}
    yield "token loss of two texts", pretraining_loss(model, few).token_loss


def _loss(model, batch, *, where=None, tokens=None, pairs=None, arguments=None, right=None):
    labels, next_labels = batch["labels"], batch["next_labels"]
    given = arguments(batch) if arguments else (batch["ids"], batch["type_ids"], batch["attention_mask"])
    logits, next_logits = model(*given)
    asked = where(batch) if where else labels != IGNORE
    wanted = torch.where(labels == IGNORE, batch["ids"], labels)[asked]
    token_loss = (tokens or functional.cross_entropy)(logits[asked], wanted)
    next_loss = (pairs or functional.cross_entropy)(next_logits, next_labels)
    hits = right(logits, labels) if right else (logits[asked].argmax(dim=-1) == wanted).float().mean()
    return PreTrainingLoss(
        token_loss, next_loss, hits, (next_logits.argmax(dim=-1) == next_labels).float().mean()
    )


def loss_variant(**changes):
    return lambda model, batch: _loss(model, batch, **changes)


def loss_of_clamped(model, batch):
    logits = model(batch["ids"], batch["type_ids"], batch["attention_mask"])[0]
    return functional.cross_entropy(logits.flatten(0, 1), batch["labels"].clamp(min=0).flatten())


def loss_over_all_positions(model, batch):
    found = _loss(model, batch)
    return found._replace(token_loss=found.token_loss * (batch["labels"] != IGNORE).float().mean())


def loss_by_text(model, batch):
    rows = [{name: values[i : i + 1] for name, values in batch.items()} for i in range(len(batch["ids"]))]
    losses = torch.stack([_loss(model, row).token_loss for row in rows])
    return _loss(model, batch)._replace(token_loss=losses.mean())


def loss_shifted(model, batch):
    logits, labels = model(batch["ids"], batch["type_ids"], batch["attention_mask"])[0], batch["labels"]
    shifted = functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())
    return _loss(model, batch)._replace(token_loss=shifted)


def loss_by_flatten(model, batch):
    logits, pairs = model(batch["ids"], batch["type_ids"], batch["attention_mask"])
    labels = batch["labels"]
    token_loss = functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORE)
    next_loss = -pairs.log_softmax(dim=-1).gather(1, batch["next_labels"][:, None]).mean()
    hits = (logits.argmax(-1) == labels).sum() / (labels != IGNORE).sum()
    return PreTrainingLoss(
        token_loss, next_loss, hits, (pairs.argmax(-1) == batch["next_labels"]).double().mean()
    )


def two_softmaxes(logits, labels):
    return functional.cross_entropy(logits.softmax(dim=-1), labels)


def not_logarithms(logits, labels):
    return functional.nll_loss(logits, labels)


def token_loss(parts):
    return parts["token loss"]


def next_loss(parts):
    return parts["loss of the pairs"]


def loss_at_mask(model, batch):
    logits = model(batch["ids"], batch["type_ids"], batch["attention_mask"])[0]
    where = batch["attention_mask"].bool()
    hits = (logits.argmax(dim=-1) == batch["labels"])[where].float().mean()
    return _loss(model, batch)._replace(token_accuracy=hits)


LOSS_MISTAKES = (
    Mistake(
        "one score of two",
        loss_variant(
            pairs=lambda logits, labels: functional.binary_cross_entropy_with_logits(
                logits[:, 1], labels.float()
            )
        ),
        "the loss of the pairs is {yours}, expected {expected}: only the second score is looked at, as if there were one. Two scores are two classes, like V scores",
        show=next_loss,
    ),
    Mistake(
        "losses and shares in another order",
        lambda model, batch: PreTrainingLoss(*(_loss(model, batch)[i] for i in (0, 2, 1, 3))),
        "the loss of the pairs is {yours}, expected {expected}: the four stand in another order. First the two losses, then the two shares",
        show=next_loss,
    ),
    Mistake(
        "pairs first",
        lambda model, batch: PreTrainingLoss(*(_loss(model, batch)[i] for i in (1, 0, 3, 2))),
        "the token loss is {yours}, expected {expected}: that of the pairs stands in its place. In which order are the four named?",
        show=token_loss,
    ),
    Mistake(
        "labels asked for at every text place",
        loss_at_mask,
        "the losses are right, but the share of tokens right is {yours}, expected {expected}: you ask at every place with text; most of them have no label, and IGNORE is never the answer",
        show=lambda parts: parts["share of tokens right"],
    ),
    Mistake(
        "a plain tuple",
        lambda model, batch: tuple(_loss(model, batch)),
        "Four numbers without names are given back; a PreTrainingLoss has a name for each",
        raises=AttributeError,
    ),
    Mistake(
        "all positions in the mean",
        loss_over_all_positions,
        "the token loss is {yours}, expected {expected}: the sum is divided by all B · T places, and only seven were "
        "asked for. A loss that shrinks with longer padding says nothing",
        show=token_loss,
    ),
    Mistake(
        "every token asked for",
        loss_variant(where=lambda batch: batch["ids"] >= 0),
        "the token loss is {yours}, expected {expected}: every place is asked for, padding as well. At most of them the "
        "answer can be read in the input",
        show=token_loss,
    ),
    Mistake(
        "every text asked for",
        loss_variant(where=lambda batch: batch["attention_mask"] == 1),
        "the token loss is {yours}, expected {expected}: every place with text is asked for, and at most of them the "
        "answer can be read in the input. Which places have a label?",
        show=token_loss,
    ),
    Mistake(
        "unasked places as entry 0",
        lambda model, batch: _loss(model, batch)._replace(token_loss=loss_of_clamped(model, batch)),
        "the token loss is {yours}, expected {expected}: where nothing is asked you ask for entry 0. What does "
        "cross-entropy leave out by itself?",
        show=token_loss,
    ),
    Mistake(
        "inverted",
        loss_variant(where=lambda batch: batch["labels"] == IGNORE),
        "the token loss is {yours}, expected {expected}: exactly the places that are *not* asked for are counted",
        show=token_loss,
    ),
    Mistake(
        "a mean of means",
        loss_by_text,
        "the token loss is {yours}, expected {expected}: you take the mean of each text, then the mean of these, so a "
        "word in a text with one gap counts four times as much as one in a text with four",
        show=token_loss,
    ),
    Mistake(
        "a sum",
        loss_variant(tokens=lambda a, b: functional.cross_entropy(a, b, reduction="sum")),
        "the token loss is {yours}, expected {expected}: you add up. Then the step would grow with the number of gaps",
        show=token_loss,
    ),
    Mistake(
        "softmax twice",
        loss_variant(tokens=two_softmaxes),
        "the token loss is {yours}, expected {expected}: cross-entropy takes scores and makes probabilities of them "
        "itself; yours get a second softmax, which hardly leaves a difference between them",
        show=token_loss,
    ),
    Mistake(
        "no logarithms",
        loss_variant(tokens=not_logarithms),
        "the token loss is {yours}, expected {expected}: minus the mean *score* of the right entry is no loss; it "
        "would fall without end if all scores grew. It takes log-probabilities, or another function",
        show=token_loss,
    ),
    Mistake(
        "base 2",
        loss_variant(tokens=lambda a, b: functional.cross_entropy(a, b) / math.log(2)),
        "the token loss is {yours}, expected {expected}: that is in bits. Nats are asked for",
        show=token_loss,
    ),
    Mistake(
        "shifted by one",
        loss_shifted,
        "the token loss is {yours}, expected {expected}: the scores at a place are compared with the label of the next "
        "one, as a left-to-right model does it. BERT answers at the gap itself",
        show=token_loss,
    ),
    Mistake(
        "one answer of the pairs ignored",
        loss_variant(pairs=lambda a, b: functional.cross_entropy(a, b, ignore_index=0)),
        "the token loss is right, but that of the pairs is {yours}, expected {expected}: pairs with the label 0 are left "
        "out, and 0 is one of the two answers",
        show=next_loss,
    ),
    Mistake(
        "no mask, no segments",
        loss_variant(arguments=lambda batch: (batch["ids"],)),
        "the token loss is {yours}, expected {expected}: the model gets the ids alone, and takes padding for text and "
        "both segments for one",
        show=token_loss,
    ),
    Mistake(
        "no mask",
        loss_variant(arguments=lambda batch: (batch["ids"], batch["type_ids"])),
        "the token loss is {yours}, expected {expected}: the model is not told what is padding",
        show=token_loss,
    ),
    Mistake(
        "mask and segments exchanged",
        loss_variant(arguments=lambda batch: (batch["ids"], batch["attention_mask"], batch["type_ids"])),
        "the token loss is {yours}, expected {expected}: mask and segments reach the model in each other's place",
        show=token_loss,
    ),
    Mistake(
        "accuracy over all places",
        loss_variant(right=lambda logits, labels: (logits.argmax(dim=-1) == labels).float().mean()),
        "the losses are right, but the share of tokens right is {yours}, expected {expected}: it is a share of all "
        "places, and only seven were asked for",
        show=lambda parts: parts["share of tokens right"],
    ),
    Mistake(
        "numbers without gradient",
        lambda model, batch: PreTrainingLoss(*(value.detach() for value in _loss(model, batch))),
        "the numbers are right, but no gradient can be taken from them: they have been detached from the weights. "
        "That is for the history of a run, after the step",
    ),
)


EXERCISE = Exercise(
    id="6.7",
    name="pretraining_loss",
    reference=pretraining.pretraining_loss,
    stub=LOSS,
    probe=probe_loss,
    hints=(
        "First find the positions, then ask the model for scores there, then take the labels at the same places.",
        '`batch["labels"] != IGNORE` is (B, T), True at M places; `labels[positions]` are the M hidden ids, in the '
        "order of the scores.",
        "`functional.cross_entropy(logits, labels)` takes scores (M, V) and ids (M,), and gives the mean. For the "
        "share right compare `logits.argmax(dim=-1)` with the labels.",
    ),
    mistakes=LOSS_MISTAKES,
    notice="B, T and padding are nowhere in it: only what was asked counts, so longer padding changes nothing",
    difficulty=2,
    minutes=12,
    variants=(loss_by_flatten, loss_variant()),
)
