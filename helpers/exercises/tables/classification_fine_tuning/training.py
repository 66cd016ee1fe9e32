"""Notebook 8, first part: the classifier's forward, its loss, one step of training."""

import math

import torch
from torch.nn import functional

from helpers import classification
from helpers.classification import BertForClassification
from helpers.exercises.exercise import Exercise, Mistake, with_method
from helpers.exercises.references import classification_fine_tuning as references
from helpers.exercises.tables.classification_fine_tuning.small import (
    LABELS,
    PADDED,
    as_classifier,
    small_bert,
    small_classifier,
)

# 8.1 BertForClassification.forward

FORWARD = '''
def my_classifier_forward(self, ids, type_ids=None, attention_mask=None):
    """The model's forward: ids (B, T) -> logits (B, C).

    It has three parts: self.bert (called with the three inputs in this order; its result has a
    `pooled_output`, (B, H)), self.dropout, and self.classifier, the new linear layer.
    """
    ...
'''


def probe_forward(forward):
    kind = with_method(BertForClassification, "forward", forward)
    model = as_classifier(kind, small_bert(), 3, 0.5).eval()
    with torch.no_grad():
        yield "ids alone", model(PADDED["ids"][2:3])
        yield "with segments and a mask", model(**PADDED)
    many = as_classifier(kind, small_bert(), 3, 0.5)  # in training mode
    ids = PADDED["ids"][[0, 2]].repeat(60, 1)
    one, other = many(ids), many(ids)
    yield "in training two calls differ", not torch.equal(one, other)
    yield "in training logits stay different from 0", int((one == 0).sum())


def _bert(self, ids, type_ids, attention_mask):
    return self.bert(ids, type_ids, attention_mask)


def forward_with(*, vector=None, end=lambda logits: logits, drop=True):
    """The forward with another vector, another end, or without dropout."""

    def forward(self, ids, type_ids=None, attention_mask=None):
        output = _bert(self, ids, type_ids, attention_mask)
        chosen = output.pooled_output if vector is None else vector(output)
        return end(self.classifier(self.dropout(chosen) if drop else chosen))

    return forward


def forward_without_mask(self, ids, type_ids=None, attention_mask=None):
    return self.classifier(self.dropout(self.bert(ids, type_ids).pooled_output))


def forward_without_types(self, ids, type_ids=None, attention_mask=None):
    return self.classifier(self.dropout(self.bert(ids, attention_mask=attention_mask).pooled_output))


def forward_with_inputs_exchanged(self, ids, type_ids=None, attention_mask=None):
    return self.classifier(self.dropout(self.bert(ids, attention_mask, type_ids).pooled_output))


def forward_dropping_logits(self, ids, type_ids=None, attention_mask=None):
    return self.dropout(self.classifier(_bert(self, ids, type_ids, attention_mask).pooled_output))


def forward_dropping_twice(self, ids, type_ids=None, attention_mask=None):
    return self.dropout(
        self.classifier(self.dropout(_bert(self, ids, type_ids, attention_mask).pooled_output))
    )


def forward_with_mean_of_real(self, ids, type_ids=None, attention_mask=None):
    hidden = _bert(self, ids, type_ids, attention_mask).last_hidden_state
    mask = (torch.ones_like(ids) if attention_mask is None else attention_mask)[:, :, None]
    return self.classifier(self.dropout((hidden * mask).sum(dim=1) / mask.sum(dim=1)))


def forward_without_classifier(self, ids, type_ids=None, attention_mask=None):
    return self.dropout(_bert(self, ids, type_ids, attention_mask).pooled_output)


def first_logits(parts):
    return parts["ids alone"][0]


def second_text(parts):
    return parts["with segments and a mask"][1]


FORWARD_MISTAKES = (
    Mistake(
        "softmax at the end",
        forward_with(end=lambda logits: logits.softmax(dim=-1)),
        "the logits of a text are {yours}, expected {expected}: yours are probabilities. The loss and the reader of "
        "the logits take the softmax themselves; what does the linear layer give before it?",
    ),
    Mistake(
        "log softmax at the end",
        forward_with(end=lambda logits: logits.log_softmax(dim=-1)),
        "the logits of a text are {yours}, expected {expected}: yours are logarithms of probabilities. Logits are what "
        "the linear layer gives, nothing after it",
    ),
    Mistake(
        "[CLS] without the pooler",
        forward_with(vector=lambda output: output.last_hidden_state[:, 0]),
        "the logits of a text are {yours}, expected {expected}: you take the encoder's vector at [CLS] as it is. "
        "BERT's classifier reads it after the pooler; which part of the encoder's result is that?",
    ),
    Mistake(
        "mean of all vectors",
        forward_with(vector=lambda output: output.last_hidden_state.mean(dim=1)),
        "the logits of a text are {yours}, expected {expected}: you take the mean over all tokens, padding too. "
        "The formula has one vector c for a sentence; from which token does it come?",
    ),
    Mistake(
        "the last token",
        forward_with(vector=lambda output: output.last_hidden_state[:, -1]),
        "the logits of a text are {yours}, expected {expected}: you read the last token, which is [SEP] or even "
        "padding. Where does BERT collect what it knows of the whole sentence?",
    ),
    Mistake(
        "mask not passed on",
        forward_without_mask,
        "right for a text alone, but one with padding behind it gets {yours}, expected {expected}: the encoder is "
        "not told what is padding. Which of the three inputs says that?",
        show=second_text,
    ),
    Mistake(
        "segments not passed on",
        forward_without_types,
        "right for one segment, but a text with two gets the logits {yours}, expected {expected}: type_ids does not "
        "reach the encoder",
        show=lambda parts: parts["with segments and a mask"][0],
    ),
    Mistake(
        "mask and segments exchanged",
        forward_with_inputs_exchanged,
        "The encoder takes ids, type_ids and attention_mask in this order; it got your mask as segments and the "
        "segments as mask",
    ),
    Mistake(
        "no dropout",
        forward_with(drop=False),
        "right in evaluation mode, but in training two calls give the same logits: nothing is dropped. What stands "
        "between the pooled output and the linear layer?",
    ),
    Mistake(
        "dropout on the logits",
        forward_dropping_logits,
        "right in evaluation mode, but in training {yours} logits of 360 are exactly 0: you drop answers instead of "
        "inputs. Which vector should go through the dropout?",
        show=lambda parts: parts["in training logits stay different from 0"],
    ),
    Mistake(
        "no linear layer",
        forward_without_classifier,
        "The result has H numbers for each text; something still has to make one number for each class of them",
    ),
    Mistake(
        "the class instead of the logits",
        forward_with(end=lambda logits: logits.argmax(dim=-1)),
        "You give back which class is largest; training needs the numbers themselves, for there is no gradient "
        "through a choice",
    ),
    Mistake(
        "mean of the real tokens",
        forward_with_mean_of_real,
        "the logits of a text are {yours}, expected {expected}: you take the mean over its tokens. That is another good "
        "classifier (an exercise of notebook 9), but BERT's own reads one vector; which?",
    ),
    Mistake(
        "tanh once more",
        forward_with(vector=lambda output: output.pooled_output.tanh()),
        "the logits of a text are {yours}, expected {expected}: there is one tanh too many. The pooler has one inside",
    ),
    Mistake(
        "ReLU after the pooler",
        forward_with(vector=lambda output: output.pooled_output.relu()),
        "the logits of a text are {yours}, expected {expected}: negative numbers of the pooled output are lost on the way to "
        "the linear layer",
    ),
    Mistake(
        "dropout twice",
        forward_dropping_twice,
        "right in evaluation mode, but in training {yours} logits of 360 are exactly 0: you drop twice, before the linear "
        "layer and after it",
        show=lambda parts: parts["in training logits stay different from 0"],
    ),
    Mistake(
        "the whole result",
        lambda self, ids, type_ids=None, attention_mask=None: self.classifier(
            self.dropout(_bert(self, ids, type_ids, attention_mask))
        ),
        "The encoder gives back several things under names; one of them, the pooled output, is the vector that goes on",
    ),
    Mistake(
        "ids alone passed on",
        lambda self, ids, type_ids=None, attention_mask=None: self.classifier(
            self.dropout(self.bert(ids).pooled_output)
        ),
        "right for a text alone, but one with padding behind it gets {yours}, expected {expected}: the encoder gets the ids "
        "and neither segments nor mask",
        show=second_text,
    ),
    Mistake(
        "every token's logits",
        forward_with(vector=lambda output: output.last_hidden_state),
        "You give logits for every token; a sentence has one answer, read at one place",
    ),
)

# 8.2 classification_loss

LOSS = '''
def my_classification_loss(model, batch, labels):
    """Mean cross-entropy of a batch in nats: a tensor with one number.

    batch: the model's inputs under their names, so model(**batch) gives the logits (B, C).
    labels: (B,), 0 to C - 1.
    """
    ...
'''


def probe_loss(loss_of):
    model = small_classifier().eval()
    one = {name: values[2:3] for name, values in PADDED.items()}
    first = loss_of(model, one, LABELS[2:3])
    yield "one text", first
    loss = loss_of(model, dict(PADDED), LABELS)
    yield "four texts", loss
    yield "a gradient flows back", isinstance(loss, torch.Tensor) and loss.requires_grad


def _rows(model, batch):
    return model(**batch).softmax(dim=-1)


def picked(make):
    """A loss made of the probabilities of the right classes."""
    return lambda model, batch, labels: make(_rows(model, batch)[torch.arange(len(labels)), labels])


def one_hot_loss(model, batch, labels):
    targets = functional.one_hot(labels, 3).float()
    return functional.binary_cross_entropy_with_logits(model(**batch), targets)


@torch.no_grad()
def loss_without_gradient(model, batch, labels):
    return functional.cross_entropy(model(**batch), labels)


def of_four(parts):
    return parts["four texts"]


LOSS_MISTAKES = (
    Mistake(
        "labels unused",
        lambda model, batch, labels: -model(**batch).log_softmax(dim=-1).mean(),
        "one text has the loss {yours}, expected {expected}: it is the mean of -ln p over all classes, and the labels play no part. Which class of each text counts?",
        show=lambda parts: parts["one text"],
    ),
    Mistake(
        "every label one",
        lambda model, batch, labels: functional.cross_entropy(model(**batch), model(**batch).argmax(dim=-1)),
        "one text has the loss {yours}, expected {expected}: the model is compared with its own answer, so it is always right. What is it to be compared with?",
        show=lambda parts: parts["one text"],
    ),
    Mistake(
        "the batch in one piece",
        lambda model, batch, labels: functional.cross_entropy(model(batch), labels),
        "The batch is a dict of three inputs, and the model wants them one by one, each under its name",
        raises=ValueError,
    ),
    Mistake(
        "softmax twice",
        lambda model, batch, labels: functional.cross_entropy(_rows(model, batch), labels),
        "four texts have the loss {yours}, expected {expected}: there is a softmax before cross_entropy, which has one "
        "inside. With two, a model that is certain and right can't get below 0.55 with three classes",
    ),
    Mistake(
        "sum",
        picked(lambda right: -right.log().sum()),
        "right for one text, but four have the loss {yours}, expected {expected}: you add up, so a larger batch would "
        "make larger steps. What is asked for is the mean",
        show=of_four,
    ),
    Mistake(
        "bits",
        picked(lambda right: -right.log2().mean()),
        "four texts have the loss {yours}, expected {expected}: yours is 1.44 times as large, since it counts in bits. "
        "Nats come from the natural logarithm",
    ),
    Mistake(
        "decimal logarithm",
        picked(lambda right: -right.log10().mean()),
        "four texts have the loss {yours}, expected {expected}: that is the logarithm to the base of ten; nats come "
        "from the natural one",
    ),
    Mistake(
        "sign",
        picked(lambda right: right.log().mean()),
        "four texts have the loss {yours}, expected {expected}: the sign is turned, so training would make the right "
        "class less likely",
    ),
    Mistake(
        "no logarithm",
        picked(lambda right: 1 - right.mean()),
        "four texts have the loss {yours}, expected {expected}: you take 1 - p, which is never above 1. Cross-entropy "
        "has no upper end for certainty in the wrong class; which function of p does that?",
    ),
    Mistake(
        "logits of the right class",
        lambda model, batch, labels: functional.nll_loss(model(**batch), labels),
        "four texts have the loss {yours}, expected {expected}: you take the right class's logit alone, and what the "
        "others got plays no part. What makes probabilities of logits?",
    ),
    Mistake(
        "each class by itself",
        one_hot_loss,
        "four texts have the loss {yours}, expected {expected}: each class is asked by itself, yes or no. Here exactly "
        "one is right, and they share out the probability 1",
    ),
    Mistake(
        "share of wrong answers",
        lambda model, batch, labels: (model(**batch).argmax(dim=-1) != labels).float().mean(),
        "four texts have the loss {yours}, expected {expected}: that is the share of wrong answers. It does not change "
        "when a weight moves a little, so it has no gradient",
    ),
    Mistake(
        "mask forgotten",
        lambda model, batch, labels: functional.cross_entropy(model(batch["ids"]), labels),
        "right for a text without padding, but four of different lengths have the loss {yours}, expected {expected}: "
        "hand the model all inputs of the batch, not the ids alone",
        show=of_four,
    ),
    Mistake(
        "a loss for each text",
        lambda model, batch, labels: functional.cross_entropy(model(**batch), labels, reduction="none"),
        "You give one loss for each text; training lowers a single number",
    ),
    Mistake(
        "labels counted from 1",
        lambda model, batch, labels: functional.cross_entropy(model(**batch), labels - 1),
        "The labels count from 0, as the columns of the logits do: nothing is to be taken from them",
    ),
    Mistake(
        "without a gradient",
        loss_without_gradient,
        "the number is right, but no gradient flows back from it: the graph was cut off on the way, so nothing could "
        "be learned",
    ),
    Mistake(
        "softmax over the batch",
        lambda model, batch, labels: (
            -(model(**batch).softmax(dim=0)[torch.arange(len(labels)), labels].log().mean())
        ),
        "four texts have the loss {yours}, expected {expected}: the probabilities of a class sum to 1 over the batch. Who "
        "shares out a probability of 1, the texts or the classes of one text?",
    ),
    Mistake(
        "sigmoid",
        lambda model, batch, labels: (
            -(model(**batch).sigmoid()[torch.arange(len(labels)), labels].log().mean())
        ),
        "four texts have the loss {yours}, expected {expected}: a sigmoid looks at one logit alone. With C classes the others "
        "count as well",
    ),
    Mistake(
        "logarithm of the mean",
        picked(lambda right: -right.mean().log()),
        "right for one text, but four have the loss {yours}, expected {expected}: you take the mean first and the logarithm "
        "then. One text that is certain and wrong would hardly count",
        show=of_four,
    ),
    Mistake(
        "entropy",
        lambda model, batch, labels: -(_rows(model, batch).log().mul(_rows(model, batch)).sum(dim=-1).mean()),
        "four texts have the loss {yours}, expected {expected}: that is how undecided the model is, and the labels play no "
        "part in it",
    ),
    Mistake(
        "squared distance",
        lambda model, batch, labels: functional.mse_loss(
            model(**batch), functional.one_hot(labels, 3).float()
        ),
        "four texts have the loss {yours}, expected {expected}: that is the squared distance of the logits from 0 and 1. "
        "Logits have no such aim; probabilities have",
    ),
    Mistake(
        "divided twice",
        lambda model, batch, labels: functional.cross_entropy(model(**batch), labels) / len(labels),
        "right for one text, but four have the loss {yours}, expected {expected}: cross_entropy gives the mean already, and "
        "you divide it once more by the number of texts",
        show=of_four,
    ),
)

# 8.3 training_step

STEP = '''
def my_training_step(model, batch, labels, optimizer):
    """One step of training on one batch: returns the loss of the batch before the step, as a float.

    `classification_loss(model, batch, labels)` is the loss. The optimizer already knows the model's weights;
    a gradient that an earlier batch left in them must not count.
    """
    ...
'''


def probe_step(step):
    model = small_classifier()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    passes, moves = [], []
    optimizer.register_step_post_hook(lambda *_: moves.append(1))
    hook = model.classifier.bias.register_hook(lambda gradient: passes.append(1))
    halves = [{n: v[rows] for n, v in PADDED.items()} for rows in (slice(0, 2), slice(2, 4))]
    for number, (batch, labels) in enumerate(zip(halves, LABELS.split(2), strict=True), 1):
        which = ("", "first", "second")[number]
        yield f"loss of the {which} batch", step(model, batch, labels, optimizer)
        yield f"bias after the {which} step", model.classifier.bias.detach().clone()
        yield f"embeddings after the {which} step", model.bert.embeddings.token.weight.detach().clone()
    hook.remove()
    yield "gradients computed", len(passes)
    yield "steps of the optimizer", len(moves)
    yield "mode", "training" if model.training else "evaluation"
    model = small_classifier()
    for weight in model.parameters():
        weight.grad = torch.full_like(weight, 0.1)
    step(model, *((halves[0], LABELS[:2])), torch.optim.SGD(model.parameters(), lr=0.5))
    yield "bias after a step with an old gradient in it", model.classifier.bias.detach().clone()


def a_step(order: str, *, sign: float = 1.0, own=None, late=False, before=None):
    """A step whose parts come in another order: l(oss), z(ero), b(ackward), s(tep)."""

    def step(model, batch, labels, optimizer):
        optimizer = own(model) if own else optimizer
        if before:
            before(model)
        for letter in order:
            if letter == "l":
                loss = classification.classification_loss(model, batch, labels)
            elif letter == "z":
                optimizer.zero_grad()
            elif letter == "b":
                (sign * loss).backward()
            elif letter == "s":
                optimizer.step()
        if late:
            loss = classification.classification_loss(model, batch, labels)
        return loss.item()

    return step


def first_bias(parts):
    return parts["bias after the first step"]


def second_bias(parts):
    return parts["bias after the second step"]


STEP_MISTAKES = (
    Mistake(
        "emptied only after the step",
        a_step("lbsz"),
        "right as long as all steps are yours; but where something else has left a gradient in the weights (a measurement, "
        "an interrupted batch) the bias becomes {yours}, expected {expected}. When must the gradients be empty?",
        show=lambda parts: parts["bias after a step with an old gradient in it"],
    ),
    Mistake(
        "gradients pile up",
        a_step("lbs"),
        "the first step is right, but after the second the bias is {yours}, expected {expected}: the gradient of the "
        "first batch still counts. backward() adds to what is there; who takes it away?",
        show=second_bias,
    ),
    Mistake(
        "zeroed before the step",
        a_step("lbzs"),
        "no weight has moved: the bias is {yours}, expected {expected}. The gradients are computed and then thrown "
        "away before the optimizer has used them",
        show=first_bias,
    ),
    Mistake(
        "no step",
        a_step("lzb"),
        "no weight has moved: the bias is {yours}, expected {expected}. The gradients are there; who moves the weights "
        "by them?",
        show=first_bias,
    ),
    Mistake(
        "no backward",
        a_step("lzs"),
        "no weight has moved: the bias is {yours}, expected {expected}. No gradient was computed, and the optimizer has "
        "nothing to go by. What computes gradients of a loss?",
        show=first_bias,
    ),
    Mistake(
        "step before backward",
        a_step("lszb"),
        "after the first batch the bias is {yours}, expected {expected}: the optimizer steps before the gradients of "
        "this batch are there, so each batch moves the weights one call too late",
        show=first_bias,
    ),
    Mistake(
        "uphill",
        a_step("lzbs", sign=-1.0),
        "after the first step the bias is {yours}, expected {expected}: it moved the other way, and the loss grows",
        show=first_bias,
    ),
    Mistake(
        "two steps",
        a_step("lzbss"),
        "after the first step the bias is {yours}, expected {expected}: it moved twice as far as it should have",
        show=first_bias,
    ),
    Mistake(
        "an optimizer of its own",
        a_step("lzbs", own=lambda model: torch.optim.AdamW(model.parameters(), lr=1e-3)),
        "after the first step the bias is {yours}, expected {expected}: a new optimizer made the step, with settings "
        "of its own, and would forget at each call what it knew. Use the one that is handed over",
        show=first_bias,
    ),
    Mistake(
        "loss after the step",
        a_step("lzbs", late=True),
        "the weights are right, but the loss of the first batch is {yours}, expected {expected}: you measure it again "
        "after the step. Twice the work, and too good: the model has just seen this batch",
        show=lambda parts: parts["loss of the first batch"],
    ),
    Mistake(
        "evaluation mode",
        a_step("lzbs", before=lambda model: model.eval()),
        "the weights are right here, where there is no dropout, but the model is left in evaluation mode, so a real "
        "one would train without it",
    ),
    Mistake(
        "times the batch size",
        lambda *args: 2 * a_step("lzbs")(*args),
        "the weights are right, but the loss of the first batch is {yours}, expected {expected}: two texts, and twice the "
        "loss. classification_loss is a mean already",
        show=lambda parts: parts["loss of the first batch"],
    ),
    Mistake(
        "divided by the batch size",
        lambda *args: a_step("lzbs", sign=0.5)(*args) / 2,
        "after the first step the bias is {yours}, expected {expected}: it moved half as far. The loss is a mean over the "
        "batch already, there is nothing to divide",
        show=first_bias,
    ),
    Mistake(
        "loss without a gradient",
        torch.no_grad()(a_step("lzbs")),
        "Gradients are switched off while the loss is computed, so there is nothing that backward() could go back through",
    ),
    Mistake(
        "step at the beginning",
        a_step("szlb"),
        "after the first batch the bias is {yours}, expected {expected}: the step comes first, before there is a gradient of "
        "this batch. The weights move when the next batch comes",
        show=first_bias,
    ),
)

EXERCISES = (
    Exercise(
        id="8.1",
        name="BertForClassification.forward",
        reference=BertForClassification.forward,
        stub=FORWARD,
        probe=probe_forward,
        hints=(
            "Follow the figure from left to right: what does the encoder give, and what comes after it?",
            "Three parts, one after the other: the pooled output, dropout on it, the linear layer. Softmax belongs to "
            "the loss.",
            "`self.bert(ids, type_ids, attention_mask).pooled_output` is the vector (B, H) that goes through the other "
            "two.",
        ),
        mistakes=FORWARD_MISTAKES,
        notice="no token but [CLS] is read here; whatever a sentence says has to reach that place through attention",
        difficulty=1,
        minutes=5,
        show=first_logits,
        variants=(
            lambda self, ids, type_ids=None, attention_mask=None: (
                functional.dropout(
                    self.bert(ids, type_ids=type_ids, attention_mask=attention_mask)[1],
                    self.dropout.p,
                    self.training,
                )
                @ self.classifier.weight.T
                + self.classifier.bias
            ),
            lambda self, ids, type_ids=None, attention_mask=None: self.classifier(
                self.dropout(
                    torch.tanh(
                        self.bert.pooler(self.bert(ids, type_ids, attention_mask).last_hidden_state[:, 0])
                    )
                )
            ),
        ),
    ),
    Exercise(
        id="8.2",
        name="classification_loss",
        reference=classification.classification_loss,
        stub=LOSS,
        probe=probe_loss,
        hints=(
            "Two steps: the logits of the batch, then the mean of -ln p over its texts, p being the probability of the "
            "right class.",
            "`functional.cross_entropy` takes logits and labels and does softmax, logarithm, choice and mean at once. "
            "What must therefore not be done before it?",
        ),
        mistakes=LOSS_MISTAKES,
        notice="the loss of one text depends on all logits of that text, not only on that of the right class: to raise "
        "one probability, the others have to fall",
        difficulty=1,
        minutes=6,
        show=of_four,
        variants=(
            lambda model, batch, labels: (
                -(model(**batch).log_softmax(dim=-1).gather(1, labels[:, None]).squeeze(1).mean())
            ),
            lambda model, batch, labels: functional.nll_loss(model(**batch).log_softmax(dim=-1), labels),
            lambda model, batch, labels: (
                sum(
                    -math.log(math.e) * row.log_softmax(dim=-1)[label]
                    for row, label in zip(model(**batch), labels, strict=True)
                )
                / len(labels)
            ),
        ),
    ),
    Exercise(
        id="8.3",
        name="training_step",
        reference=references.training_step,
        stub=STEP,
        probe=probe_step,
        hints=(
            "Four things have to happen, and their order matters: the loss, old gradients away, new gradients, the "
            "weights moved.",
            "The optimizer has `zero_grad()` and `step()`, the loss has `backward()`. `.item()` makes a float of the loss.",
        ),
        mistakes=STEP_MISTAKES,
        notice="the loss that you return is that of the weights before the step: a loss curve is always one step late",
        difficulty=1,
        minutes=6,
        tolerance=1e-4,
        show=first_bias,
        variants=(a_step("zlbs"), a_step("lzbsz")),
    ),
)
