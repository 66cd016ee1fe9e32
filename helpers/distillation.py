"""Distillation: a small classifier learns from what a large one, its teacher, says of texts without labels.

Left out: attention maps as targets, a projection between hidden states of different width, several teachers.
"""

import copy
import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence

from helpers.classification import BertForClassification, FineTuning, length_buckets
from helpers.encoder import evaluating
from helpers.pretraining import update_weights
from helpers.wordpiece import Encoding, pad_encodings

__all__ = [
    "soft_label_loss",
    "layers_to_keep",
    "keep_layers",
    "hidden_state_loss",
    "Taught",
    "teacher_answers",
    "distillation_loss",
    "distill",
]


def soft_label_loss(
    student_logits: torch.Tensor, teacher_logits: torch.Tensor, temperature: float = 2.0
) -> torch.Tensor:
    """How far the student's softened probabilities are from the teacher's: one number, in nats.

    logits: (B, C) each. Kullback-Leibler divergence of softmax(logits / temperature), mean over the batch,
    times temperature² (Hinton, Vinyals and Dean 2015, section 2).
    """
    teacher = (teacher_logits.float() / temperature).log_softmax(dim=-1)  # (B, C)
    student = (student_logits.float() / temperature).log_softmax(dim=-1)
    divergence = (teacher.exp() * (teacher - student)).sum(dim=-1)  # (B,)
    return temperature**2 * divergence.mean()


def layers_to_keep(total: int, count: int) -> list[int]:
    """The places, from 0, of `count` of `total` layers: the last of each of `count` blocks of layers.

    The uniform mapping of TinyBERT (Jiao et al. 2020, section 4.1). Raises ValueError for a count that is
    not 1 to `total`.
    """
    if not 1 <= count <= total:
        raise ValueError(f"{count} of {total} layers can't be kept: choose from 1 to {total}")
    return [total * block // count - 1 for block in range(1, count + 1)]


def keep_layers(model: BertForClassification, places: Sequence[int]) -> BertForClassification:
    """A copy of a classifier with only these of its layers, in this order; all its weights are trained."""
    if not places or not set(places) <= set(range(len(model.bert.layers))):
        raise ValueError(f"the model has layers 0 to {len(model.bert.layers) - 1}, not {list(places)}")
    student = copy.deepcopy(model).requires_grad_(True)
    student.bert.layers = nn.ModuleList(copy.deepcopy(student.bert.layers[place]) for place in places)
    student.bert.config = dataclasses.replace(model.bert.config, num_layers=len(places))
    return student


def hidden_state_loss(
    student: torch.Tensor, teacher: torch.Tensor, attention_mask: torch.Tensor
) -> torch.Tensor:
    """Mean squared difference of hidden states (B, T, …, H), over the tokens that are no padding.

    attention_mask (B, T): 1 for tokens. TinyBERT, equation 8 (Jiao et al. 2020).
    """
    visible = attention_mask.bool()
    return (student.float() - teacher.float())[visible].square().mean()  # of all (tokens, H)


class Taught(NamedTuple):
    """What a teacher says of one text."""

    logits: torch.Tensor  # (C,)
    hidden: torch.Tensor  # (T, K, H), bfloat16: its hidden states after K of its layers


@torch.no_grad()
def teacher_answers(
    teacher: BertForClassification, encodings: list[Encoding], pad_id: int, places: Sequence[int] = ()
) -> list[Taught]:
    """The teacher's logits for each text, and its hidden states after the layers at `places`."""
    order = sorted(range(len(encodings)), key=lambda index: len(encodings[index].ids))
    found: list = [None] * len(encodings)
    with evaluating(teacher):
        for start in range(0, len(order), 64):
            chosen = order[start : start + 64]
            batch = pad_encodings([encodings[index] for index in chosen], pad_id)
            batch = {name: values.to(teacher.classifier.weight.device) for name, values in batch.items()}
            output = teacher.bert(**batch, output_hidden_states=True)
            logits = teacher.classifier(output.pooled_output).float()  # (B, C)
            states = [output.hidden_states[place + 1] for place in places]
            states = torch.stack(states, dim=2) if states else output.last_hidden_state[:, :, None][:, :, :0]
            for row, index in enumerate(chosen):
                tokens = len(encodings[index].ids)
                found[index] = Taught(logits[row].clone(), states[row, :tokens].bfloat16())
    return found


def distillation_loss(
    student: BertForClassification, batch: dict[str, torch.Tensor], taught: Sequence[Taught],
    temperature: float = 2.0, hidden_weight: float = 1.0,
) -> torch.Tensor:  # fmt: skip
    """Soft labels, and `hidden_weight` times the distance of the student's last K layers from the teacher's.

    batch: inputs (B, T); taught: what the teacher said of these texts, with K hidden states each, in order.
    """
    device = student.classifier.weight.device
    batch = {name: values.to(device) for name, values in batch.items()}
    said = torch.stack([each.logits for each in taught]).to(device)  # (B, C)
    count = taught[0].hidden.shape[1]  # K
    if count == 0 or hidden_weight == 0:
        return soft_label_loss(student(**batch), said, temperature)
    output = student.bert(**batch, output_hidden_states=True)
    logits = student.classifier(student.dropout(output.pooled_output))
    teacher = pad_sequence([each.hidden for each in taught], batch_first=True).to(device)  # (B, T, K, H)
    own = torch.stack(output.hidden_states[-count:], dim=2)  # (B, T, K, H)
    distance = hidden_state_loss(own, teacher, batch["attention_mask"])
    return soft_label_loss(logits, said, temperature) + hidden_weight * distance


def distill(
    student: BertForClassification, encodings: list[Encoding], taught: Sequence[Taught], pad_id: int,
    plan: FineTuning, temperature: float = 2.0, hidden_weight: float = 1.0,
    on_step: Callable[[int, float], None] = lambda step, loss: None,
) -> list[float]:  # fmt: skip
    """Train a student on texts without labels, from what its teacher said of them; every step's loss.

    At the end the student is in evaluation mode. Calls on_step(step, loss); raises as `update_weights` does.
    """
    torch.manual_seed(plan.seed)
    lengths = [len(encoding.ids) for encoding in encodings]
    optimizer, schedule = plan.optimizer(student, plan.epochs * math.ceil(len(lengths) / plan.batch_size))
    student.train()
    losses: list[float] = []
    for _ in range(plan.epochs):
        for indices in length_buckets(lengths, plan.batch_size):
            batch = pad_encodings([encodings[index] for index in indices], pad_id)
            told = [taught[index] for index in indices]
            loss = distillation_loss(student, batch, told, temperature, hidden_weight)
            update_weights(student, loss, optimizer, schedule, len(losses) + 1)
            losses.append(loss.item())
            on_step(len(losses), losses[-1])
    student.eval()
    return losses
