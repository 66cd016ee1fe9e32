"""Notebook 13: the tagger's forward and its loss."""

import torch
from torch.nn import functional

from helpers import tagging
from helpers.encoder import Bert, BertConfig
from helpers.exercises.exercise import Exercise, Mistake, with_method
from helpers.pretraining import IGNORE
from helpers.tagging import BertForTagging

BATCH = {  # B = 3, T = 6: two segments in the first text, padding behind the others
    "ids": torch.tensor([[2, 5, 3, 6, 7, 3], [2, 8, 9, 3, 0, 0], [2, 9, 6, 5, 3, 0]]),
    "type_ids": torch.tensor([[0, 0, 0, 1, 1, 1], [0] * 6, [0] * 6]),
    "attention_mask": torch.tensor([[1] * 6, [1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 0]]),
}
_ = IGNORE
LABELS = torch.tensor([[_, 2, _, 0, 3, _], [_, 1, _, _, _, _], [_, 3, 0, _, _, _]])


def fresh(rows: slice = slice(None)) -> dict[str, torch.Tensor]:
    """Copies of the batch's rows, which a program may change."""
    return {name: values[rows].clone() for name, values in BATCH.items()}


def small_tagger(kind: type = BertForTagging, dropout: float = 0.0) -> BertForTagging:
    """A tagger of four tags with H = 8 and large random weights, the same each time, in evaluation mode."""
    torch.manual_seed(4)
    bert = Bert(BertConfig(11, 8, 2, 2, 12, 16, dropout=0.0, init_std=0.5))
    model = kind(bert, 4, dropout)
    with torch.no_grad():
        model.classifier.weight.copy_(torch.randn(4, 8) / 2)
        model.classifier.bias.copy_(torch.linspace(-0.4, 0.5, 4))
    return model.eval()


# 13.2 BertForTagging.forward

FORWARD = '''
def my_tagger_forward(self, ids, type_ids=None, attention_mask=None):
    """The model's forward: ids (B, T) -> logits (B, T, C), C for each token.

    It has three parts: self.bert (called with the three inputs in this order; its result has a
    `last_hidden_state`, (B, T, H)), self.dropout, and self.classifier, the new linear layer.
    """
    ...
'''


def probe_forward(forward):
    model = small_tagger(with_method(BertForTagging, "forward", forward), 0.5)
    with torch.no_grad():
        yield (
            "in evaluation two calls agree",
            torch.equal(model(BATCH["ids"][:1].clone()), model(BATCH["ids"][:1].clone())),
        )
        yield "ids alone", model(BATCH["ids"][:1].clone())
        yield "with segments and a mask", model(**fresh())
    model.train()
    ids = BATCH["ids"][:1].repeat(40, 1)
    one, other = model(ids), model(ids)
    yield "in training two calls differ", not torch.equal(one, other)
    yield "in training logits stay different from 0", int((one == 0).sum())


def forward_with(
    vectors=lambda out: out.last_hidden_state, *, drop=True, end=lambda x: x, inputs=lambda i, t, m: (i, t, m)
):
    """The forward with other vectors, another end, without dropout, or with other inputs."""

    def forward(self, ids, type_ids=None, attention_mask=None):
        hidden = vectors(self.bert(*inputs(ids, type_ids, attention_mask)))
        return end(self.classifier(self.dropout(hidden) if drop else hidden))

    return forward


def forward_dropping_logits(self, ids, type_ids=None, attention_mask=None):
    return self.dropout(self.classifier(self.bert(ids, type_ids, attention_mask).last_hidden_state))


def forward_zeroing(self, ids, type_ids=None, attention_mask=None):
    logits = forward_with()(self, ids, type_ids, attention_mask)
    return logits if attention_mask is None else logits * attention_mask[:, :, None]


def first_token(parts):
    return parts["ids alone"][0, 1]


def padded_token(parts):
    return parts["with segments and a mask"][1, 1]


def second_segment(parts):
    return parts["with segments and a mask"][0, 3]


FORWARD_MISTAKES = (
    Mistake(
        "the pooled output",
        forward_with(lambda out: out.pooled_output),
        "That is the vector at [CLS] after the pooler: one answer for the whole text. Here every token needs one",
    ),
    Mistake(
        "the pooled output for all",
        forward_with(lambda out: out.pooled_output[:, None].expand_as(out.last_hidden_state)),
        "the logits of the first word are {yours}, expected {expected}: every token gets the same answer, that of [CLS]. "
        "The encoder has a vector for each of them",
        show=first_token,
    ),
    Mistake(
        "without dropout",
        forward_with(drop=False),
        "right in evaluation mode, but in training two calls agree: self.dropout has no part in it",
        show=False,
    ),
    Mistake(
        "dropout on the logits",
        forward_dropping_logits,
        "right in evaluation mode, but in training {yours} logits are 0, expected {expected}: dropout belongs before the "
        "linear layer, on the vectors",
        show=lambda parts: parts["in training logits stay different from 0"],
    ),
    Mistake(
        "softmax at the end",
        forward_with(end=lambda x: x.softmax(dim=-1)),
        "the logits of the first word are {yours}, expected {expected}: yours are probabilities. The loss takes the softmax "
        "itself",
        show=first_token,
    ),
    Mistake(
        "mask not passed on",
        forward_with(inputs=lambda ids, types, mask: (ids, types)),
        "right for a text alone, but a word of a padded one gets {yours}, expected {expected}: the encoder is not told what "
        "is padding",
        show=padded_token,
    ),
    Mistake(
        "segments not passed on",
        forward_with(inputs=lambda ids, types, mask: (ids, None, mask)),
        "right for single texts, but a word of a second text gets {yours}, expected {expected}: which of the inputs tells "
        "the two texts of a pair apart?",
        show=second_segment,
    ),
    Mistake(
        "segments and mask exchanged",
        forward_with(inputs=lambda ids, types, mask: (ids, mask, types)),
        "Are segments and mask passed on in the order in which self.bert takes them?",
        show=False,
    ),
    Mistake(
        "ids alone passed on",
        forward_with(inputs=lambda ids, types, mask: (ids,)),
        "right for a text alone, but a word of a second text gets {yours}, expected {expected}: of three "
        "inputs the encoder gets one",
        show=second_segment,
    ),
    Mistake(
        "padding set to 0",
        forward_zeroing,
        "right for a text alone, but at padding you give {yours}, expected {expected}: nothing needs to be "
        "done there, since the loss leaves padding out",
        show=lambda parts: parts["with segments and a mask"][1, 4],
    ),
)

# 13.4 tagging_loss

LOSS = '''
def my_tagging_loss(model, batch, labels):
    """Mean cross-entropy in nats over all tokens of the batch that have a label: a tensor with one number.

    batch: the model's inputs under their names, so model(**batch) gives the logits (B, T, C).
    labels: (B, T), 0 to C - 1, or IGNORE (-100) where nothing is asked.
    """
    ...
'''


def probe_loss(loss_of):
    model = small_tagger()
    yield "three texts", loss_of(model, fresh(), LABELS.clone())
    yield "one text", loss_of(model, fresh(slice(1)), LABELS[:1].clone())
    twice = {name: torch.cat([rows, rows[1:2]]) for name, rows in BATCH.items()}
    yield "a text twice", loss_of(model, twice, torch.cat([LABELS, LABELS[1:2]]))
    loss_of(model, fresh(), LABELS.clone()).backward()
    yield "gradient of the bias", model.classifier.bias.grad.clone()


def loss_with(score):
    def loss_of(model, batch, labels):
        return score(model(**batch), labels)

    return loss_of


def every_token(logits, labels):
    total = functional.cross_entropy(
        logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORE, reduction="sum"
    )
    return total / labels.numel()


def mean_of_means(logits, labels):
    return torch.stack(
        [functional.cross_entropy(rows, row) for rows, row in zip(logits, labels, strict=True)]
    ).mean()


def by_selection(logits, labels):
    asked = labels != IGNORE
    return functional.cross_entropy(logits[asked], labels[asked])


LOSS_MISTAKES = (
    Mistake(
        "mean over all tokens",
        loss_with(every_token),
        "the loss is {yours}, expected {expected}: you divide by all tokens, also those that nothing was asked of. More "
        "padding would make it smaller",
    ),
    Mistake(
        "mean of the texts' means",
        loss_with(mean_of_means),
        "right for one text, but for three the loss is {yours}, expected {expected}: you take each text's mean first, so a "
        "word of a short text counts more than one of a long text",
    ),
    Mistake(
        "sum",
        loss_with(lambda logits, labels: every_token(logits, labels) * labels.numel()),
        "the loss is {yours}, expected {expected}: that is the sum over the words. It would grow with the batch",
    ),
    Mistake(
        "what is not asked counts as tag 0",
        loss_with(
            lambda logits, labels: functional.cross_entropy(
                logits.flatten(0, 1), labels.flatten().clamp(min=0)
            )
        ),
        "the loss is {yours}, expected {expected}: tokens without a label count as if their tag were 0. The model would learn "
        "to say 0 at [CLS], at padding and at every second piece",
    ),
    Mistake(
        "tag 0 is left out",
        loss_with(lambda logits, labels: functional.cross_entropy(logits[labels > 0], labels[labels > 0])),
        "the loss is {yours}, expected {expected}: you leave out the words with tag 0, too. IGNORE is another number",
    ),
    Mistake(
        "softmax first",
        loss_with(lambda logits, labels: by_selection(logits.softmax(dim=-1), labels)),
        "the loss is {yours}, expected {expected}: `cross_entropy` takes the softmax itself, and you give it probabilities",
    ),
    Mistake(
        "rows and columns mixed",
        loss_with(
            lambda logits, labels: functional.cross_entropy(
                logits.transpose(0, 1).flatten(0, 1), labels.flatten()
            )
        ),
        "the loss is {yours}, expected {expected}: logits and labels are not in the same order. Flatten both from (B, T)",
    ),
    Mistake(
        "labels of the other order",
        loss_with(lambda logits, labels: functional.cross_entropy(logits.flatten(0, 1), labels.T.flatten())),
        "the loss is {yours}, expected {expected}: the labels are read column by column, the logits row by "
        "row",
    ),
    Mistake(
        "only the ids",
        lambda model, batch, labels: by_selection(model(batch["ids"]), labels),
        "the loss is {yours}, expected {expected}: the model is given the ids alone. What else is in the "
        "batch?",
    ),
    Mistake(
        "divided by the texts",
        loss_with(lambda logits, labels: every_token(logits, labels) * labels.shape[1]),
        "the loss is {yours}, expected {expected}: the sum over the words is divided by the number of texts",
    ),
    Mistake(
        "divided by all but padding",
        lambda model, batch, labels: (
            every_token(model(**batch), labels) * labels.numel() / batch["attention_mask"].sum()
        ),
        "the loss is {yours}, expected {expected}: you divide by all tokens that are no padding. How many of "
        "them have a label?",
    ),
)

EXERCISES = (
    Exercise(
        id="13.2",
        name="BertForTagging.forward",
        reference=tagging.BertForTagging.forward,
        stub=FORWARD,
        probe=probe_forward,
        hints=(
            "It is the classifier of notebook 8 with another vector: not one for the text, but one for each token.",
            "`self.bert(ids, type_ids, attention_mask).last_hidden_state` is (B, T, H). A linear layer works on the last "
            "axis, whatever stands before it.",
        ),
        mistakes=FORWARD_MISTAKES,
        notice="the linear layer is the same for all tokens: what differs is the vector",
        difficulty=1,
        minutes=4,
        seconds=10.0,
        asks={
            "in evaluation two calls agree": "something is dropped at random also in evaluation mode. self.dropout knows the "
            "mode of its model; a dropout made in forward does not",
        },
        show=first_token,
        variants=(forward_with(),),
    ),
    Exercise(
        id="13.4",
        name="tagging_loss",
        reference=tagging.tagging_loss,
        stub=LOSS,
        probe=probe_loss,
        hints=(
            "`functional.cross_entropy` wants a row of C logits for each label: (N, C) and (N,). How do you get there from "
            "(B, T, C) and (B, T)?",
            "`logits.flatten(0, 1)` and `labels.flatten()`; its `ignore_index` is -100 unless you say otherwise.",
        ),
        mistakes=LOSS_MISTAKES,
        notice="-100 is PyTorch's own default for what a loss leaves out; that is why you meet it everywhere",
        difficulty=1,
        minutes=6,
        seconds=10.0,
        show=lambda parts: parts["three texts"],
        variants=(
            loss_with(by_selection),
            loss_with(lambda logits, labels: functional.cross_entropy(logits.transpose(1, 2), labels)),
        ),
    ),
)
