"""Classification: a linear layer on BERT's `[CLS]` output, fine-tuned together with the encoder.

Left out: several labels for one text, regression, and labels for single tokens.
"""

import copy
import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from numbers import Real
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

from helpers.encoder import Bert, evaluating, initialize_weights
from helpers.pretraining import (
    check_tokenizer,
    linear_warm_up_and_decay,
    parameter_groups,
    precise,
    update_weights,
)
from helpers.wordpiece import (
    Encoding,
    TruncationWarning,
    WordPieceTokenizer,
    check_number,
    check_texts,
    pad_encodings,
    read_in_order,
)

__all__ = [
    "BertForClassification",
    "Examples",
    "rater_agreement",
    "check_examples",
    "classification_loss",
    "encode_texts",
    "class_logits",
    "predict",
    "Evaluation",
    "evaluate",
    "length_buckets",
    "labelled_batches",
    "freeze_lower_layers",
    "train_epoch",
    "layer_wise_groups",
    "FineTuning",
    "check_and_encode",
    "fine_tune",
]


class BertForClassification(nn.Module):
    """BERT with a linear layer on its pooled output: ids (B, T) -> logits (B, C) for C classes.

    Devlin et al. 2018, section 4.1. ids, type_ids and attention_mask as in `Bert`. labels: the names of the
    classes, if they have any. Raises ValueError for fewer than two classes, or not one name for each.
    """

    def __init__(
        self, bert: Bert, num_classes: int, dropout: float = 0.1, *, labels: Sequence[str] | None = None
    ):
        super().__init__()
        if num_classes < 2:
            raise ValueError(f"a classifier needs at least 2 classes, not {num_classes}")
        if labels is not None:
            labels = (labels,) if isinstance(labels, str) else tuple(read_in_order(labels, "the labels"))
            if not len(labels) == len(set(labels)) == num_classes:
                raise ValueError(f"{num_classes} classes need as many names, all different, not {labels!r}")
        self.labels = labels
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(bert.config.hidden_size, num_classes)
        initialize_weights(self, bert.config.init_std)
        self.bert = bert  # added last, so that its weights are not drawn anew

    def forward(self, ids, type_ids=None, attention_mask=None) -> torch.Tensor:
        pooled = self.bert(ids, type_ids, attention_mask).pooled_output  # (B, H)
        return self.classifier(self.dropout(pooled))  # (B, C)


class Examples(NamedTuple("Examples", [("texts", list[str]), ("labels", list[int])])):
    """Texts and their classes, 0 to C - 1, each read by position into a list, whatever holds them."""

    def __new__(cls, texts: Iterable[str], labels: Iterable[int]):
        texts, labels = list(read_in_order(texts, "the texts")), read_in_order(labels, "the labels")
        numbers = [each.item() if getattr(each, "ndim", None) == 0 else each for each in labels]
        return super().__new__(cls, texts, numbers)  # numbers of NumPy and PyTorch are Python's now


def rater_agreement(ratings: Sequence[int], zero: float = 0.5) -> float:
    """The share of a sentence's raters who have the sign of the others' mean; a rating of 0 counts `zero`.

    Where the others' mean is exactly 0, there is no truth, and that judgment is left out. Raises ValueError
    if none is left, and for a rating that is no number.
    """
    ratings, points = list(read_in_order(ratings, "the ratings")), []
    if not all(isinstance(rating, Real) and abs(rating) < float("inf") for rating in ratings):
        raise ValueError(f"ratings must be numbers, not {ratings}: leave out those that are missing")
    ratings = list(map(float, ratings))  # the sum of numbers of few bits, such as int8, could overflow
    for rating in ratings:
        others = sum(ratings) - rating  # the sum has the sign of the mean
        if others != 0:
            points.append(zero if rating == 0 else float((rating > 0) == (others > 0)))
    if not points:
        raise ValueError("no rater of the sentence has others to be compared with: leave the sentence out")
    return sum(points) / len(points)


def check_examples(examples: Examples, num_classes: int) -> None:
    """Raise ValueError for an empty set, unequal numbers, a text that is none, or labels outside 0..C-1."""
    texts, labels = Examples(*examples)
    texts = list(check_texts(texts))
    if len(texts) == 0:
        raise ValueError("there are no examples: give at least one text with its label")
    if len(texts) != len(labels):
        raise ValueError(f"{len(texts)} texts, but {len(labels)} labels: each text needs one label")
    good = [isinstance(label, Real) and label in range(num_classes) for label in labels]
    if not all(good):
        raise ValueError(
            f"labels must be 0 to {num_classes - 1} for {num_classes} classes, but {good.count(False)} are "
            f"not, such as {labels[good.index(False)]!r} in row {good.index(False)} (from 0): correct or "
            "leave out those examples"
        )


def classification_loss(
    model: BertForClassification, batch: dict[str, torch.Tensor], labels: torch.Tensor
) -> torch.Tensor:
    """Mean cross-entropy of a batch in nats, labels (B,), computed on the device where the model is."""
    if not 0 <= labels.min() <= labels.max() < model.classifier.out_features:
        raise ValueError(f"labels must be 0 to {model.classifier.out_features - 1}, not {labels.tolist()}")
    device = next(model.parameters()).device
    logits = model(**{name: values.to(device) for name, values in batch.items()})  # (B, C)
    return functional.cross_entropy(logits, labels.to(device).long())


def encode_texts(texts: Iterable[str], tokenizer: WordPieceTokenizer, max_length: int) -> list[Encoding]:
    """Encode every text; one warning says how many of them were cut to max_length tokens."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # one for all texts instead of one for each
        encodings = [tokenizer.encode(text, max_length=max_length) for text in check_texts(texts)]
    cut = sum(encoding.truncated > 0 for encoding in encodings)
    if cut:
        message = f"{cut} of {len(encodings)} texts are longer than {max_length} tokens and were cut"
        warnings.warn(message, TruncationWarning, stacklevel=2)
    return encodings


@torch.no_grad()
def class_logits(
    model: BertForClassification, texts: Iterable[str], tokenizer: WordPieceTokenizer, max_length: int = 128
) -> torch.Tensor:
    """The logits of the classes for each text, (N, C), computed in batches of similar length.

    The model stays as it was, the mode of every part included. ValueError: no texts, or as `check_texts` and
    `check_tokenizer` do.
    """
    check_tokenizer(tokenizer, model)
    encodings = encode_texts(texts, tokenizer, max_length)
    if not encodings:
        raise ValueError("there are no texts to predict: give at least one")
    device = next(model.parameters()).device
    order = sorted(range(len(encodings)), key=lambda index: len(encodings[index].ids))
    found = []
    with evaluating(model):
        for start in range(0, len(order), 64):
            chosen = [encodings[index] for index in order[start : start + 64]]
            batch = pad_encodings(chosen, tokenizer.id_of["[PAD]"])
            found.append(model(**{name: values.to(device) for name, values in batch.items()}))  # (B, C)
    return precise(torch.cat(found).cpu())[torch.tensor(order).argsort()]  # in the order of the texts again


def predict(
    model: BertForClassification, texts: Iterable[str], tokenizer: WordPieceTokenizer, max_length: int = 128
) -> torch.Tensor:
    """The probabilities of the classes for each text, (N, C); ValueError as `class_logits`."""
    return class_logits(model, texts, tokenizer, max_length).softmax(dim=-1)


class Evaluation(NamedTuple):
    """The result of `evaluate`."""

    accuracy: float
    loss: float  # mean cross-entropy in nats
    probabilities: torch.Tensor  # (N, C)


def evaluate(
    model: BertForClassification, examples: Examples, tokenizer: WordPieceTokenizer, max_length: int = 128
) -> Evaluation:
    """Accuracy and mean loss on examples; raises ValueError as `check_examples` and `class_logits` do.

    The loss is computed from the logits: a probability may be too small for a number, its logarithm is not.
    """
    check_tokenizer(tokenizer, model)
    examples = Examples(*examples)
    check_examples(examples, model.classifier.out_features)
    logits = class_logits(model, examples.texts, tokenizer, max_length)
    labels = torch.tensor([int(label) for label in examples.labels])
    accuracy = (logits.argmax(dim=-1) == labels).float().mean().item()
    loss = functional.cross_entropy(logits, labels).item()
    return Evaluation(accuracy, loss, logits.softmax(dim=-1))


def length_buckets(lengths: Sequence[int], batch_size: int) -> list[list[int]]:
    """Batches of indices in random order, each of texts of similar length, to compute little padding.

    Texts are shuffled, sorted by length within groups of 50 batches, and the batches shuffled again.
    """
    check_number("batch_size", batch_size, 1, whole=True)
    lengths = list(read_in_order(lengths, "the lengths"))
    order = torch.randperm(len(lengths)).tolist()
    group = 50 * batch_size
    batches = []
    for start in range(0, len(order), group):
        by_length = sorted(order[start : start + group], key=lambda index: lengths[index])
        batches += [by_length[first : first + batch_size] for first in range(0, len(by_length), batch_size)]
    return [batches[index] for index in torch.randperm(len(batches))]


def labelled_batches(
    encodings: list[Encoding], labels: Sequence[int], batch_size: int, tokenizer: WordPieceTokenizer
) -> Iterator[tuple[dict[str, torch.Tensor], torch.Tensor]]:
    """All texts once, in the batches of `length_buckets`: inputs (B, T) and their labels (B,).

    Raises ValueError unless there are as many labels as encodings, all of them whole numbers.
    """
    labels = Examples((), labels).labels
    if len(labels) != len(encodings) or not all(isinstance(x, Real) and x % 1 == 0 for x in labels):
        raise ValueError(f"{len(encodings)} texts need as many labels, whole numbers, not {labels!r:.60}")
    for indices in length_buckets([len(encoding.ids) for encoding in encodings], batch_size):
        batch = pad_encodings([encodings[index] for index in indices], tokenizer.id_of["[PAD]"])
        yield batch, torch.tensor([int(labels[index]) for index in indices])


def freeze_lower_layers(bert: Bert, count: int) -> None:
    """Keep the embeddings and the first `count` layers as they are: no gradients, less time and memory."""
    if not 0 <= count <= len(bert.layers):
        raise ValueError(f"there are {len(bert.layers)} layers, {count} of them can't be frozen")
    for part in (bert.embeddings, *bert.layers[:count]):
        part.requires_grad_(False)


def train_epoch(
    model: BertForClassification, batches: Iterable, optimizer: torch.optim.Optimizer, schedule,
    steps_done: int = 0, on_step: Callable[[int, float], None] | None = None,
) -> list[float]:  # fmt: skip
    """Show the model every batch of `labelled_batches` once; returns the loss of each step.

    Steps are counted on from `steps_done`. Raises FloatingPointError as `update_weights` does.
    """
    model.train()
    losses = []
    for step, (batch, labels) in enumerate(batches, steps_done + 1):
        loss = classification_loss(model, batch, labels)
        update_weights(model, loss, optimizer, schedule, step)
        losses.append(loss.item())
        if on_step is not None:
            on_step(step, losses[-1])
    return losses


def layer_wise_groups(
    model: BertForClassification, learning_rate: float, weight_decay: float, layer_decay: float
) -> list[dict]:
    """For the optimizer: each layer learns `layer_decay` times as fast as the one above it.

    Classifier and pooler have the learning rate, the top layer `layer_decay` times that, and so on down to
    the embeddings (Howard and Ruder 2018, section 3.2; for BERT, Sun et al. 2019, section 5.3.4).
    """
    below = [model.bert.embeddings, *model.bert.layers]  # lowest first
    inside = {id(weight) for part in below for weight in part.parameters()}
    top = nn.ParameterList(weight for weight in model.parameters() if id(weight) not in inside)
    groups = []
    for height, part in enumerate(reversed([*below, top])):
        for group in parameter_groups(part, weight_decay):
            groups.append(group | {"lr": learning_rate * layer_decay**height})
    return groups


@dataclass(frozen=True)
class FineTuning:
    """How to fine-tune. Devlin et al. 2018 (A.3) try 2 to 4 epochs, batches of 16 or 32, 2e-5 to 5e-5."""

    epochs: int = 3
    batch_size: int = 32
    learning_rate: float = 5e-5
    layer_decay: float = 1.0  # learning rate of a layer by that of the layer above; 1: all the same
    warm_up: float = 0.1  # share of the steps
    weight_decay: float = 0.01
    patience: int | None = None  # stop after so many epochs without a better one; None: never
    max_length: int = 128  # tokens
    seed: int = 0  # of the order of the texts and of dropout

    def __post_init__(self):
        for name, least in {"epochs": 1, "batch_size": 1, "max_length": 1, "patience": 1, "seed": 0}.items():
            if getattr(self, name) is not None or name != "patience":
                check_number(name, getattr(self, name), least, whole=True)
        for name in ("learning_rate", "weight_decay", "layer_decay"):
            check_number(name, getattr(self, name), 0)
        check_number("warm_up, a share of the steps,", self.warm_up, 0, 1)
        if not 0 < self.layer_decay <= 1:
            raise ValueError(f"layer_decay is above 0 and at most 1, not {self.layer_decay}")

    def optimizer(self, model: BertForClassification, steps: int) -> tuple:
        """AdamW with the settings of notebook 6, and the schedule of its learning rates."""
        groups = layer_wise_groups(model, self.learning_rate, self.weight_decay, self.layer_decay)
        optimizer = torch.optim.AdamW(groups, lr=self.learning_rate, betas=(0.9, 0.98), fused=True)
        factor = partial(linear_warm_up_and_decay, steps=steps, warm_up=self.warm_up)
        return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


def check_and_encode(
    model: BertForClassification, train: Examples, validation: Examples, tokenizer: WordPieceTokenizer,
    max_length: int,
) -> list[Encoding]:  # fmt: skip
    """The encodings of `train`, after everything was checked that could stop a run halfway: ValueError."""
    check_tokenizer(tokenizer, model)
    train, validation, encodings = Examples(*train), Examples(*validation), []
    for examples in (train, validation):
        check_examples(examples, model.classifier.out_features)
        encodings.append(encode_texts(examples.texts, tokenizer, max_length))
    classes = {int(label) for label in train.labels}
    if len(classes) < 2:
        raise ValueError(f"all training labels are {classes.pop()}: give examples of at least two classes")
    longest = max(len(encoding.ids) for part in encodings for encoding in part)
    if longest > model.bert.config.max_positions:
        raise ValueError(
            f"a text has {longest} tokens, the model {model.bert.config.max_positions} positions: "
            "choose a smaller max_length"
        )
    return encodings[0]


def fine_tune(
    model: BertForClassification, train: Examples, validation: Examples, tokenizer: WordPieceTokenizer,
    plan: FineTuning = FineTuning(), on_epoch: Callable = lambda *_: None, on_step: Callable | None = None,
) -> list[float]:  # fmt: skip
    """Fine-tune on `train`, keep the weights of the epoch best on `validation`; returns every step's loss.

    Calls on_epoch(epoch, evaluation), on_step(step, loss); raises as check_and_encode, update_weights do."""
    train, validation = Examples(*train), Examples(*validation)
    encodings = check_and_encode(model, train, validation, tokenizer, plan.max_length)
    torch.manual_seed(plan.seed)
    optimizer, schedule = plan.optimizer(model, plan.epochs * math.ceil(len(encodings) / plan.batch_size))
    losses, best = [], None  # accuracy, epoch and weights
    try:
        for epoch in range(1, plan.epochs + 1):
            batches = labelled_batches(encodings, train.labels, plan.batch_size, tokenizer)
            losses += train_epoch(model, batches, optimizer, schedule, len(losses), on_step)
            result = evaluate(model, validation, tokenizer, plan.max_length)
            if best is None or result.accuracy > best[0]:
                best = result.accuracy, epoch, copy.deepcopy(model.state_dict())
            on_epoch(epoch, result)
            if plan.patience and epoch - best[1] >= plan.patience:
                break
    finally:  # also when an epoch breaks off
        model.eval().load_state_dict(best[2] if best else model.state_dict())
    return losses
