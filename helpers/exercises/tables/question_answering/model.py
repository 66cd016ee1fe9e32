"""Notebook 15, the model: two logits for every token, and the loss of their two places."""

import torch
from torch.nn import functional

from helpers import reading
from helpers.encoder import Bert, BertConfig
from helpers.exercises.exercise import Exercise, Mistake, with_method
from helpers.reading import BertForQuestionAnswering, SpanLogits

# 15.1 BertForQuestionAnswering.forward

FORWARD = '''
def my_reader_forward(self, ids, type_ids=None, attention_mask=None):
    """The model's forward: ids (B, T) -> SpanLogits(start, end), each (B, T).

    It has two parts: self.bert (called with the three inputs in this order; its result has a
    `last_hidden_state`, (B, T, H)), and self.span, a linear layer from H numbers to 2.
    """
    ...
'''

PADDED = {  # B = 3, T = 7: a question and a context each, padding behind two of them
    "ids": torch.tensor([[2, 5, 3, 6, 7, 9, 3], [2, 8, 3, 6, 3, 0, 0], [2, 9, 6, 3, 10, 3, 0]]),
    "type_ids": torch.tensor([[0, 0, 0, 1, 1, 1, 1], [0, 0, 0, 1, 1, 0, 0], [0, 0, 0, 0, 1, 1, 0]]),
    "attention_mask": torch.tensor([[1] * 7, [1, 1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1, 0]]),
}


def small_reader(kind: type = BertForQuestionAnswering) -> BertForQuestionAnswering:
    """A reader with H = 8 and large random weights, the same each time."""
    torch.manual_seed(4)
    model = kind(Bert(BertConfig(11, 8, 2, 2, 12, 16, dropout=0.0, init_std=0.5)))
    with torch.no_grad():
        model.span.weight.copy_(torch.randn(2, 8) / 2)
        model.span.bias.copy_(torch.tensor([-0.4, 0.7]))
    return model.eval()


@torch.no_grad()
def probe_forward(forward):
    model = small_reader(with_method(BertForQuestionAnswering, "forward", forward))
    start, end = model(PADDED["ids"][:1].clone())
    yield "start logits of a text alone", start
    yield "end logits of a text alone", end
    start, end = model(PADDED["ids"][:1].clone(), PADDED["type_ids"][:1].clone())
    yield "start logits with two segments", start
    start, end = model(**{name: values.clone() for name, values in PADDED.items()})
    yield "start logits of a batch", start
    yield "end logits of a batch", end
    yield "its name", type(model(**PADDED)).__name__


def forward_with(*, hidden=lambda self, *inputs: self.bert(*inputs).last_hidden_state, after=lambda x: x,
                 cut=lambda both: both.unbind(dim=-1)):  # fmt: skip
    """The forward with other vectors, something behind the linear layer, or another cut."""

    def forward(self, ids, type_ids=None, attention_mask=None):
        return SpanLogits(*cut(after(self.span(hidden(self, ids, type_ids, attention_mask)))))

    return forward


def exchanged(both):
    start, end = both.unbind(dim=-1)
    return end, start


def forward_masking(self, ids, type_ids=None, attention_mask=None):
    found = forward_with()(self, ids, type_ids, attention_mask)
    if attention_mask is None:
        return found
    return SpanLogits(*(logits.masked_fill(attention_mask == 0, -torch.inf) for logits in found))


def first_token(parts):
    return parts["start logits of a text alone"][0, :3]


FORWARD_MISTAKES = (
    Mistake(
        "start and end exchanged",
        forward_with(cut=exchanged),
        "the first start logits are {yours}, expected {expected}: those are the end logits. Column 0 of the layer is "
        "the start, as in the library, whose weights should mean the same",
        show=first_token,
    ),
    Mistake(
        "reshaped instead of split",
        forward_with(cut=lambda both: both.reshape(2, both.shape[0], both.shape[1])),
        "the first start logits are {yours}, expected {expected}: (B, T, 2) is read as if it were (2, B, T), so start "
        "and end of one token come to stand at two tokens. Which dimension has the two logits in it?",
        show=first_token,
    ),
    Mistake(
        "softmax over the tokens",
        forward_with(after=lambda both: both.softmax(dim=1)),
        "the first start logits are {yours}, expected {expected}: yours are probabilities, which add up to 1 over the "
        "tokens. The loss takes the softmax itself, and windows are compared by what is before it",
        show=first_token,
    ),
    Mistake(
        "softmax over the pair",
        forward_with(after=lambda both: both.softmax(dim=-1)),
        "the first start logits are {yours}, expected {expected}: a softmax over the two logits of a token asks whether "
        "the answer rather starts or rather ends there. No softmax belongs here",
        show=first_token,
    ),
    Mistake(
        "pooled vector for every token",
        forward_with(
            hidden=lambda self, ids, *rest: (
                self.bert(ids, *rest).pooled_output[:, None].expand(-1, ids.shape[1], -1)
            )
        ),
        "the first start logits are {yours}, expected {expected}: they are the same for every token, for you take the "
        "one vector of the pooler. Which part of the result has a vector for each token?",
        show=first_token,
    ),
    Mistake(
        "segments not passed on",
        forward_with(hidden=lambda self, ids, types, mask: self.bert(ids, None, mask).last_hidden_state),
        "right for one segment; with two the start logits begin with {yours}, expected {expected}: the encoder is not "
        "told what is question and what is context",
        show=lambda parts: parts["start logits with two segments"][0, :3],
    ),
    Mistake(
        "mask not passed on",
        forward_with(hidden=lambda self, ids, types, mask: self.bert(ids, types).last_hidden_state),
        "right for a text alone; one with padding behind it begins with {yours}, expected {expected}: the encoder is "
        "not told what is padding",
        show=lambda parts: parts["start logits of a batch"][1, :3],
    ),
    Mistake(
        "one tensor",
        lambda self, ids, type_ids=None, attention_mask=None: self.span(
            self.bert(ids, type_ids, attention_mask).last_hidden_state
        ),
        "too many values to unpack: one tensor (B, T, 2) comes back, and the caller wants two of (B, T) under their "
        "names. A tensor's unbind(dim) cuts it along a dimension",
        raises=ValueError,
    ),
    Mistake(
        "one column for both",
        forward_with(cut=lambda both: (both[..., 0], both[..., 0])),
        "the start logits are right, but the end logits begin with {yours}, expected {expected}: both come "
        "from column 0",
        show=lambda parts: parts["end logits of a text alone"][0, :3],
    ),
    Mistake(
        "segments and mask exchanged",
        forward_with(hidden=lambda self, ids, types, mask: self.bert(ids, mask, types).last_hidden_state),
        "right for one segment; with two the start logits begin with {yours}, expected {expected}: segments "
        "are given where self.bert takes the mask, or the other way round",
        show=lambda parts: parts["start logits with two segments"][0, :3],
    ),
    Mistake(
        "padding gets minus infinity",
        forward_masking,
        "right for a text alone; at padding you give {yours}, expected {expected}: what is allowed is decided "
        "later, where the best span is looked for",
        show=lambda parts: parts["start logits of a batch"][1, 5:],
    ),
)

# 15.2 span_loss

LOSS = '''
def my_span_loss(logits, starts, ends):
    """The mean of two cross-entropies over the tokens, in nats: a tensor with one number.

    logits: SpanLogits, its `start` and `end` (B, T) each. starts, ends: (B,), the place of the right token.
    """
    ...
'''


def probe_loss(loss):
    torch.manual_seed(2)
    logits = SpanLogits(3 * torch.randn(2, 5), 2 * torch.randn(2, 5))
    yield "answer at the same token", loss(logits, torch.tensor([3, 1]), torch.tensor([3, 1]))
    yield "answer of several tokens", loss(logits, torch.tensor([1, 0]), torch.tensor([4, 2]))
    yield "an end that is hard to find", loss(logits, logits.start.argmax(dim=1), logits.end.argmin(dim=1))
    known = SpanLogits(*(torch.zeros(3, 8) for _ in range(2)))
    yield "eight tokens, no idea", loss(known, torch.tensor([0, 3, 4]), torch.tensor([0, 7, 4]))


def cross(logits, places, **options):
    return functional.cross_entropy(logits, places, **options)


def two(parts):
    return parts["answer of several tokens"]


LOSS_MISTAKES = (
    Mistake(
        "sum of the two",
        lambda logits, starts, ends: cross(logits.start, starts) + cross(logits.end, ends),
        "the loss is {yours}, expected {expected}: yours is the sum of the two, twice as much. As a loss it would do, "
        "but it would be no mean over the two questions, and not the library's",
        show=two,
    ),
    Mistake(
        "start alone",
        lambda logits, starts, ends: cross(logits.start, starts),
        "the loss is {yours}, expected {expected}: that is the loss of the start alone. Nobody teaches the end logits",
        show=two,
    ),
    Mistake(
        "both at the start",
        lambda logits, starts, ends: (cross(logits.start, starts) + cross(logits.end, starts)) / 2,
        "right where the answer is one token; else {yours}, expected {expected}: the end logits are compared with the "
        "starts",
        show=two,
    ),
    Mistake(
        "exchanged",
        lambda logits, starts, ends: (cross(logits.start, ends) + cross(logits.end, starts)) / 2,
        "right where the answer is one token; else {yours}, expected {expected}: starts and ends have changed places",
        show=two,
    ),
    Mistake(
        "softmax before it",
        lambda logits, starts, ends: (
            (cross(logits.start.softmax(-1), starts) + cross(logits.end.softmax(-1), ends)) / 2
        ),
        "the loss is {yours}, expected {expected}: cross_entropy has a softmax inside, and there is another one before "
        "it",
        show=two,
    ),
    Mistake(
        "sum over the batch",
        lambda logits, starts, ends: (
            (cross(logits.start, starts, reduction="sum") + cross(logits.end, ends, reduction="sum")) / 2
        ),
        "the loss is {yours}, expected {expected}: it is summed over the batch, so a batch of 32 would pull twice as "
        "hard as one of 16",
        show=two,
    ),
    Mistake(
        "yes or no at every token",
        lambda logits, starts, ends: (
            (
                functional.binary_cross_entropy_with_logits(
                    logits.start, functional.one_hot(starts, logits.start.shape[1]).float()
                )
                + functional.binary_cross_entropy_with_logits(
                    logits.end, functional.one_hot(ends, logits.end.shape[1]).float()
                )
            )
            / 2
        ),
        "the loss is {yours}, expected {expected}: yours asks every token by itself whether it is the one. BERT has the "
        "tokens compete: one softmax over all T of them",
        show=two,
    ),
    Mistake(
        "end alone",
        lambda logits, starts, ends: cross(logits.end, ends),
        "the loss is {yours}, expected {expected}: that is the loss of the end alone. Nobody teaches the "
        "start logits",
        show=two,
    ),
    Mistake(
        "only one of them halved",
        lambda logits, starts, ends: cross(logits.start, starts) + cross(logits.end, ends) / 2,
        "the loss is {yours}, expected {expected}: only the second is divided by 2. Division comes before "
        "addition",
        show=two,
    ),
    Mistake(
        "the larger of the two",
        lambda logits, starts, ends: torch.maximum(cross(logits.start, starts), cross(logits.end, ends)),
        "the loss is {yours}, expected {expected}: that is the larger of the two, so only one of them is "
        "taught in a step",
        show=lambda parts: parts["an end that is hard to find"],
    ),
    Mistake(
        "the logits added",
        lambda logits, starts, ends: cross(logits.start + logits.end, starts),
        "the loss is {yours}, expected {expected}: the logits are added before the loss. Start and end are "
        "two questions, each with an answer of its own",
        show=two,
    ),
    Mistake(
        "the wrong sign",
        lambda logits, starts, ends: (-cross(logits.start, starts) - cross(logits.end, ends)) / 2,
        "the loss is {yours}, expected {expected}: minus the loss. A loss gets smaller as the right token "
        "gets likelier",
        show=two,
    ),
)

EXERCISES = (
    Exercise(
        id="15.1",
        name="BertForQuestionAnswering.forward",
        reference=BertForQuestionAnswering.forward,
        stub=FORWARD,
        probe=probe_forward,
        hints=(
            "Two steps: a vector for every token from the encoder, then the linear layer, which works on the last "
            "dimension whatever stands before it.",
            "The layer gives (B, T, 2). Two tensors of (B, T) come out of it by taking index 0 and index 1 of the last "
            "dimension, or both at once with `.unbind(dim=-1)`.",
        ),
        mistakes=FORWARD_MISTAKES,
        notice="the same 2 times H + 2 weights are used at every token: whether a text has 20 tokens or 400, nothing is "
        "added",
        difficulty=1,
        minutes=6,
        variants=(
            lambda self, ids, type_ids=None, attention_mask=None: SpanLogits(
                *(
                    self.bert(ids, type_ids, attention_mask).last_hidden_state @ self.span.weight.T
                    + self.span.bias
                ).permute(2, 0, 1)
            ),
            lambda self, ids, type_ids=None, attention_mask=None: SpanLogits(
                *(
                    self.span(self.bert(ids, type_ids, attention_mask).last_hidden_state)[..., index]
                    for index in (0, 1)
                )
            ),
        ),
    ),
    Exercise(
        id="15.2",
        name="span_loss",
        reference=reading.span_loss,
        stub=LOSS,
        probe=probe_loss,
        hints=(
            "Each half is a classification: T classes, the tokens, of which one is right. Notebook 8 has the loss of a "
            "classification.",
            "`functional.cross_entropy(logits.start, starts)` is one half; the other is made in the same way; the "
            "result is their mean.",
        ),
        mistakes=LOSS_MISTAKES,
        notice="a reader that knows nothing has the loss ln T: here ln 8 for eight tokens",
        difficulty=1,
        minutes=5,
        variants=(
            lambda logits, starts, ends: (
                -torch.stack(
                    [
                        part.log_softmax(dim=1).gather(1, places[:, None]).mean()
                        for part, places in zip(logits, (starts, ends), strict=True)
                    ]
                ).mean()
            ),
        ),
    ),
)
