"""Notebook 18: a published fault of a student's loss."""

import torch
from torch import nn
from torch.nn import functional

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import smaller_and_faster as references
from helpers.exercises.sources import planted
from helpers.exercises.tables.smaller_and_faster import published


def probe_two_parts(loss):
    torch.manual_seed(8)
    student, teacher, inputs = nn.Linear(4, 3), nn.Linear(4, 3), torch.randn(6, 4)
    labels = torch.tensor([0, 2, 1, 1, 0, 2])
    whole = loss(student, teacher, inputs, labels)
    yield "the loss", float(whole)
    yield "soft labels alone", float(loss(student, teacher, inputs, labels, temperature=3.0, share=1.0))
    whole.backward()
    yield "the student learns", student.weight.grad is not None
    yield "the teacher learns", teacher.weight.grad is not None
    student.zero_grad()
    loss(student, teacher, inputs, labels, share=1.0).backward()
    yield "what the student learns from soft labels alone", student.weight.grad[0]
    with torch.no_grad():
        gap = functional.cross_entropy(student(inputs), labels) / 2
    yield "of a student that is its teacher", float(loss(student, student, inputs, labels) - gap)


def two_parts_with(found=None, targets=None, soft=None, frozen=True):
    def program(student, teacher, inputs, labels, temperature=5.0, share=0.5):
        with torch.no_grad() if frozen else torch.enable_grad():
            said = teacher(inputs)
        logits = student(inputs)
        q = (logits if found is None else found(logits, said)) / temperature
        p = (said if targets is None else targets(logits, said)) / temperature
        p, q = p.log_softmax(-1), q.log_softmax(-1)
        gap = (soft or (lambda p, q: (p.exp() * (p - q)).sum(-1).mean()))(p, q)
        return share * temperature**2 * gap + (1 - share) * functional.cross_entropy(logits, labels)

    return program


def the_loss(parts):
    return parts["the loss"]


def shares_exchanged(student, teacher, inputs, labels, temperature=5.0, share=0.5):
    return references.two_part_loss(student, teacher, inputs, labels, temperature, 1 - share)


def log_target_forgotten(p, q):
    return functional.kl_div(q, p, reduction="batchmean")


def labels_softened(student, teacher, inputs, labels, temperature=5.0, share=0.5):
    soft = references.two_part_loss(student, teacher, inputs, labels, temperature, 1.0)
    return share * soft + (1 - share) * functional.cross_entropy(student(inputs) / temperature, labels)


def student_not_softened(student, teacher, inputs, labels, temperature=5.0, share=0.5):
    return two_parts_with(found=lambda logits, said: temperature * logits)(
        student, teacher, inputs, labels, temperature, share
    )


TWO_PART_MISTAKES = (
    Mistake(
        "the student detached",
        two_parts_with(found=lambda logits, said: logits.detach()),
        "the loss is right, but from soft labels alone the student learns {yours}, expected {expected}: what cuts "
        "its logits off from its weights?",
        show=lambda parts: parts["what the student learns from soft labels alone"],
    ),
    Mistake(
        "the student not softened",
        student_not_softened,
        "the loss is {yours}, expected {expected}: the student is in it now, but at temperature 1 beside a "
        "softened teacher. Which line had the division?",
    ),
    Mistake(
        "the labels softened",
        labels_softened,
        "the loss is {yours}, expected {expected}: the cross-entropy with the labels has the temperature in it, "
        "too. That line had no fault",
    ),
    Mistake(
        "logarithms taken for probabilities",
        two_parts_with(soft=log_target_forgotten),
        "the loss is {yours}, expected {expected}: kl_div is not told any more that its second place has "
        "logarithms",
    ),
    Mistake(
        "shares exchanged",
        shares_exchanged,
        "with half and half all is right, but of soft labels alone you make {yours}, expected {expected}: `share` "
        "is the soft labels' part",
        show=lambda parts: parts["soft labels alone"],
    ),
    Mistake(
        "both of the student",
        two_parts_with(targets=lambda logits, said: logits),
        "the loss is {yours}, expected {expected}: now both sides are the student's, and the divergence of a thing from "
        "itself is 0 again",
    ),
    Mistake(
        "exchanged",
        two_parts_with(found=lambda logits, said: said, targets=lambda logits, said: logits),
        "the loss is {yours}, expected {expected}: the student's probabilities weigh the logarithms now. The one that is "
        "learned from stands in the second place of kl_div",
    ),
    Mistake(
        "as a cross-entropy",
        two_parts_with(soft=lambda p, q: -(p.exp() * q).sum(-1).mean()),
        "the loss is {yours}, expected {expected}: the symptom is gone, but the soft part is a cross-entropy now, which "
        "does not end at 0. The line with the fault is another one",
    ),
    Mistake(
        "mean over the classes",
        two_parts_with(soft=lambda p, q: (p.exp() * (p - q)).mean()),
        "the loss is {yours}, expected {expected}: the student is in it now, but the divergence is averaged over the "
        "classes, too",
    ),
    Mistake(
        "without no_grad",
        two_parts_with(frozen=False),
        "the loss is right, but now gradients reach the teacher: it would come to meet its student. The guard was not the "
        "fault",
        show=False,
    ),
)

EXERCISES = (
    Exercise(
        id="18.b1",
        name="two_part_loss",
        reference=references.two_part_loss,
        stub=planted(published.wrong_two_part_loss),
        probe=probe_two_parts,
        hints=(
            "Print `soft` for a student and a teacher that differ. When is a divergence 0?",
            "Follow the names: what is `found` computed from, and where does `logits` go?",
        ),
        mistakes=TWO_PART_MISTAKES,
        asks={
            "the loss": "two parts are added, soft labels and labels, and only one of the lines had a fault: which did you "
            "change?",
        },
        notice="the labels alone still taught the student, so no accuracy gave the fault away; a loss that should fall and "
        "is 0 from the first step does",
        difficulty=1,
        minutes=6,
        kind="bug",
        source="labmlai/annotated_deep_learning_paper_implementations, issue 66 (July 2021)",
        show=the_loss,
        variants=(two_parts_with(),),
    ),
)
