"""Training: the course's own loop over texts or pairs of texts, best epoch chosen by macro-F1.

Support code. Steps, batches, schedule and loss are those of `helpers/classification.py`; what differs from
`fine_tune` there is that texts may be pairs, and that rare classes count as much as frequent ones when an
epoch is chosen.
"""

import copy
import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from torch.nn import functional

from helpers.classification import BertForClassification, FineTuning, labelled_batches, train_epoch
from helpers.encoder import Bert, evaluating
from helpers.everyday.examples import Pair
from helpers.everyday.grouping import call_in_tokens, groups_by_length
from helpers.everyday.scoring import macro_f1
from helpers.pretraining import precise
from helpers.wordpiece import Encoding, WordPieceTokenizer, pad_encodings

__all__ = ["Epoch", "encode_pairs", "logits_of", "new_classifier", "train_classifier", "usual_rate"]


class Epoch(NamedTuple):
    """What an epoch came to: mean loss of its steps in nats, and macro-F1 and loss on the validation part."""

    number: int
    train_loss: float
    validation_f1: float | None  # None: there is no validation part
    validation_loss: float | None


def usual_rate(bert: Bert) -> float:
    """The learning rate for an encoder of this size: small ones take larger steps.

    5e-5 and less for BERT's own sizes (Devlin et al. 2018, A.3); the others are those of notebook 08.
    """
    width = bert.config.hidden_size
    return 5e-4 if width <= 256 else 2e-4 if width <= 512 else 3e-5


def new_classifier(bert: Bert, classes: Sequence[str], seed: int = 0) -> BertForClassification:
    """A classifier on a pretrained encoder, its last layer drawn with the seed."""
    torch.manual_seed(seed)
    return BertForClassification(bert, len(classes), labels=classes)


def encode_pairs(
    pairs: Sequence[Pair], tokenizer: WordPieceTokenizer, max_length: int
) -> tuple[list[Encoding], int]:
    """Every text or pair in at most max_length tokens, and how many were cut."""
    found, cut = [], 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # counted here instead
        for text, second in pairs:
            encoding = tokenizer.encode(text, second, max_length)
            cut += encoding.truncated > 0
            found.append(replace(encoding, tokens=[], offsets=[]))  # four fifths of its memory, not needed
    return found, cut


@torch.no_grad()
def logits_of(
    model: BertForClassification, encodings: Sequence[Encoding], tokenizer: WordPieceTokenizer,
    on_texts: Callable[[int], None] = lambda count: None,
) -> torch.Tensor:  # fmt: skip
    """The logits for each encoding, (N, C), in its order; calls on_texts(count) for every batch."""
    device = next(model.parameters()).device
    # measured on CPUs alone; elsewhere as few calls as there can be
    call = call_in_tokens(model.bert.config.hidden_size) if device.type == "cpu" else math.inf
    order, found = [], [torch.zeros(0, model.classifier.out_features)]
    with evaluating(model):
        for group in groups_by_length([len(each.ids) for each in encodings], call):
            batch = pad_encodings([encodings[index] for index in group], tokenizer.id_of["[PAD]"])
            found.append(precise(model(**{name: v.to(device) for name, v in batch.items()})).cpu())
            order += group
            on_texts(len(group))
    return torch.cat(found)[torch.tensor(order, dtype=torch.long).argsort()]


def train_classifier(
    model: BertForClassification, tokenizer: WordPieceTokenizer,
    train: tuple[list[Encoding], list[int]], validation: tuple[list[Encoding], list[int]],
    plan: FineTuning, on_epoch: Callable[[Epoch], None] = lambda epoch: None,
    on_step: Callable[[int, float], None] | None = None,
) -> int:  # fmt: skip
    """Train on encodings and their labels, keep the weights of the best epoch; returns its number.

    The best is that with the highest macro-F1 on the validation part, of equals the one with the lower loss;
    the last one where that part is empty. FloatingPointError where the loss is not finite.
    """
    torch.manual_seed(plan.seed)
    optimizer, schedule = plan.optimizer(model, plan.epochs * math.ceil(len(train[0]) / plan.batch_size))
    steps, best = 0, None
    for number in range(1, plan.epochs + 1):
        batches = labelled_batches(*train, plan.batch_size, tokenizer)
        losses = train_epoch(model, batches, optimizer, schedule, steps, on_step)
        steps += len(losses)
        found = _validate(model, *validation, tokenizer) if validation[0] else (None, None)
        epoch = Epoch(number, sum(losses) / len(losses), *found)
        rank = (epoch.validation_f1, -epoch.validation_loss) if validation[0] else (number,)
        if best is None or rank > best[0]:
            best = rank, number, copy.deepcopy(model.state_dict())
        on_epoch(epoch)
    model.eval().load_state_dict(best[2])
    return best[1]


def _validate(
    model: BertForClassification, encodings: list[Encoding], labels: list[int], tokenizer: WordPieceTokenizer
) -> tuple[float, float]:
    """Macro-F1 and mean loss."""
    logits = logits_of(model, encodings, tokenizer)
    loss = functional.cross_entropy(logits, torch.tensor(labels)).item()
    return macro_f1(labels, logits.argmax(dim=-1).tolist()), loss
