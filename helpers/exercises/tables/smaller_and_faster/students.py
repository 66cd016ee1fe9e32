"""Notebook 18: soft labels, the layers of a student, hidden states."""

import torch
from torch.nn import functional

from helpers import distillation
from helpers.exercises.exercise import Exercise, Mistake

# 18.1 soft_label_loss

SOFT = '''
def my_soft_label_loss(student_logits, teacher_logits, temperature=2.0):
    """How far the student's softened probabilities are from the teacher's: a tensor with one number.

    logits: (B, C) each. Divide both by the temperature, softmax; then the Kullback-Leibler divergence of each
    text, the sum over the classes of p ln(p / q), p the teacher's and q the student's; the mean over the
    texts; times the square of the temperature.
    """
    ...
'''


def probe_soft(loss):
    student = torch.tensor([[1.0, 0.2, -1.0], [0.5, 2.0, -0.3]])
    teacher = torch.tensor([[2.0, -1.0, 0.4], [0.2, 0.4, 1.5]])
    yield "temperature 2", float(loss(student, teacher))
    yield "temperature 5", float(loss(student, teacher, 5.0))
    torch.manual_seed(1)
    yield "seven texts", float(loss(torch.randn(7, 4), torch.randn(7, 4), 3.0))


def soft_with(*, power=2, student=None, teacher=None, reduce="batchmean", turned=False):
    """The divergence with one thing done in another way."""

    def program(student_logits, teacher_logits, temperature=2.0):
        q = (
            student_logits / temperature if student is None else student(student_logits, temperature)
        ).log_softmax(-1)
        p = (
            teacher_logits / temperature if teacher is None else teacher(teacher_logits, temperature)
        ).log_softmax(-1)
        p, q = (q, p) if turned else (p, q)
        return temperature**power * functional.kl_div(q, p, reduction=reduce, log_target=True)

    return program


def cross_entropy(student_logits, teacher_logits, temperature=2.0):
    target = (teacher_logits / temperature).softmax(-1)
    return temperature**2 * functional.cross_entropy(student_logits / temperature, target)


def as_it_is(logits, temperature):
    return logits


def over_the_texts(student_logits, teacher_logits, temperature=2.0):
    p, q = ((logits / temperature).log_softmax(0) for logits in (teacher_logits, student_logits))
    return temperature**2 * functional.kl_div(q, p, reduction="batchmean", log_target=True)


SOFT_MISTAKES = (
    Mistake(
        "softmax over the texts",
        over_the_texts,
        "with the temperature 2 you get {yours}, expected {expected}: your probabilities sum to 1 over the texts. The "
        "classes are the last dimension",
    ),
    Mistake(
        "without the square",
        soft_with(power=0),
        "with the temperature 2 you get {yours}, expected {expected}: a quarter of it. Dividing by the temperature makes "
        "the gradients smaller by its square; what puts them back?",
    ),
    Mistake(
        "times the temperature once",
        soft_with(power=1),
        "with the temperature 2 you get {yours}, expected {expected}: half of it. The temperature comes in twice, once "
        "through the student's logits and once through the distance",
    ),
    Mistake(
        "mean over the classes, too",
        soft_with(reduce="mean"),
        "with the temperature 2 you get {yours}, expected {expected}: a third of it, and there are three classes. A "
        "divergence is a sum over the classes; only over the texts a mean is taken",
    ),
    Mistake(
        "sum over the texts",
        soft_with(reduce="sum"),
        "with the temperature 2 you get {yours}, expected {expected}: twice as much, and there are two texts. Larger "
        "batches would make larger steps",
    ),
    Mistake(
        "the other way round",
        soft_with(turned=True),
        "with the temperature 2 you get {yours}, expected {expected}: you measure the teacher by the student. The weights "
        "of the logarithms are the teacher's probabilities",
    ),
    Mistake(
        "a hard student",
        soft_with(student=as_it_is),
        "with the temperature 2 you get {yours}, expected {expected}: only the teacher's logits are divided. Then the "
        "student would learn to be unsure; both are softened",
    ),
    Mistake(
        "a hard teacher",
        soft_with(teacher=as_it_is),
        "with the temperature 2 you get {yours}, expected {expected}: only the student's logits are divided. Both are "
        "softened, so that equal logits have no distance",
    ),
    Mistake(
        "cross-entropy",
        cross_entropy,
        "with the temperature 2 you get {yours}, expected {expected}: that is the cross-entropy, which has the same "
        "gradient; but of a student that equals its teacher it is not 0",
    ),
    Mistake(
        "multiplied",
        soft_with(student=lambda x, t: x * t, teacher=lambda x, t: x * t),
        "with the temperature 2 you get {yours}, expected {expected}: the logits are multiplied, which makes the "
        "probabilities harder. What makes them softer?",
    ),
)

# 18.2 layers_to_keep

LAYERS = '''
def my_layers_to_keep(total, count):
    """The places, from 0, of `count` of `total` layers, a list of whole numbers.

    Think of the layers in `count` blocks, one above the other, as equal as can be: block b (from 1) ends
    before place total * b / count, rounded down. Kept is the last layer of each block.
    """
    ...
'''


def probe_layers(keep):
    for total, count in ((6, 3), (6, 2), (12, 5), (6, 4), (5, 1)):
        yield f"{count} of {total}", list(keep(total, count))


def three(parts):
    return parts["3 of 6"]


LAYERS_MISTAKES = (
    Mistake(
        "rounded to the nearest",
        lambda total, count: [round(total * block / count) - 1 for block in range(1, count + 1)],
        "three and two of six layers are right, but five of twelve are {yours}, expected {expected}: a block's end is "
        "rounded to the nearest place. It is rounded down: `//`",
        show=lambda parts: parts["5 of 12"],
    ),
    Mistake(
        "the lowest",
        lambda total, count: list(range(count)),
        "three of six layers are {yours}, expected {expected}: the lowest ones. The layer below the classifier is not "
        "among them, and it is the one whose output the classifier knows",
    ),
    Mistake(
        "the highest",
        lambda total, count: list(range(total - count, total)),
        "three of six layers are {yours}, expected {expected}: the highest ones. They expect what the lower layers would "
        "have made of the text; spread them over the whole height",
    ),
    Mistake(
        "the first of each block",
        lambda total, count: [total * block // count for block in range(count)],
        "three of six layers are {yours}, expected {expected}: the first of each block. The last one holds what the whole "
        "block has come to",
    ),
    Mistake(
        "counted from 1",
        lambda total, count: [total * block // count for block in range(1, count + 1)],
        "three of six layers are {yours}, expected {expected}: counted from 1. Places count from 0, so there is no layer 6",
    ),
    Mistake(
        "both ends",
        lambda total, count: [round(n * (total - 1) / max(count - 1, 1)) for n in range(count)],
        "three of six layers are {yours}, expected {expected}: spread from the first to the last. Asked for are blocks, "
        "and the last layer of each",
    ),
    Mistake(
        "blocks of whole size",
        lambda total, count: [total // count * block - 1 for block in range(1, count + 1)],
        "three of six are right, but five of twelve are {yours}, expected {expected}: you round the size of a block, and "
        "the top layers are lost. Round each block's end",
        show=lambda parts: parts["5 of 12"],
    ),
    Mistake(
        "rounded up",
        lambda total, count: [-(-total * block // count) - 1 for block in range(1, count + 1)],
        "three of six are right, but five of twelve are {yours}, expected {expected}: the ends of the blocks are rounded "
        "up. Rounded down is asked for",
        show=lambda parts: parts["5 of 12"],
    ),
)

# 18.3 hidden_state_loss

HIDDEN = '''
def my_hidden_state_loss(student, teacher, attention_mask):
    """Mean squared difference of two hidden states, over the tokens that are no padding: one number.

    student, teacher: (B, T, H). attention_mask (B, T): 1 for tokens, 0 for padding. The mean goes over all
    numbers of all visible tokens of the batch.
    """
    ...
'''


def probe_hidden(loss):
    torch.manual_seed(2)
    student, teacher = torch.randn(2, 4, 3), torch.randn(2, 4, 3)
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])
    yield "a short and a long text", float(loss(student, teacher, mask))
    yield "no padding", float(loss(student, teacher, torch.ones(2, 4, dtype=torch.long)))
    other = teacher.clone()
    other[1, 2:] = 50.0
    yield "other padding", float(loss(student, other, mask))


def squares(student, teacher):
    return (student - teacher).square()


def per_text(student, teacher, attention_mask):
    seen = squares(student, teacher).mean(-1) * attention_mask
    return (seen.sum(1) / attention_mask.sum(1)).mean()


def visible(student, teacher, attention_mask):
    return (student - teacher)[attention_mask.bool()]


HIDDEN_MISTAKES = (
    Mistake(
        "padding counts",
        lambda student, teacher, attention_mask: squares(student, teacher).mean(),
        "a short and a long text give {yours}, expected {expected}: the places of padding count like tokens. What stands "
        "there nobody reads, so nobody should learn it",
    ),
    Mistake(
        "divided by all places",
        lambda student, teacher, attention_mask: (
            squares(student, teacher) * attention_mask[..., None]
        ).mean(),
        "a short and a long text give {yours}, expected {expected}: padding adds 0, but it is counted in the mean, so the "
        "loss falls with every place of padding",
    ),
    Mistake(
        "sum over H",
        lambda student, teacher, attention_mask: (
            visible(student, teacher, attention_mask).square().sum(-1).mean()
        ),
        "a short and a long text give {yours}, expected {expected}: the squares of a token are added up, three times as "
        "much here. With H = 384 the hidden states would drown the soft labels",
    ),
    Mistake(
        "mean of the texts' means",
        per_text,
        "a short and a long text give {yours}, expected {expected}: each text has the same say, so a token of a short text "
        "counts more. The mean goes over all tokens of the batch",
    ),
    Mistake(
        "absolute",
        lambda student, teacher, attention_mask: visible(student, teacher, attention_mask).abs().mean(),
        "a short and a long text give {yours}, expected {expected}: differences without their sign are averaged, not their "
        "squares",
    ),
    Mistake(
        "with a root",
        lambda student, teacher, attention_mask: (
            visible(student, teacher, attention_mask).square().mean().sqrt()
        ),
        "a short and a long text give {yours}, expected {expected}: the root of the mean. Its gradient has the same "
        "length however near the student is",
    ),
    Mistake(
        "padding only",
        lambda student, teacher, attention_mask: (
            squares(student, teacher)[attention_mask == 0].sum()
            / max(3 * int((attention_mask == 0).sum()), 1)
        ),
        "a short and a long text give {yours}, expected {expected}: the mask is the wrong way round. 1 stands for tokens",
    ),
)

EXERCISES = (
    Exercise(
        id="18.1",
        name="soft_label_loss",
        reference=distillation.soft_label_loss,
        stub=SOFT,
        probe=probe_soft,
        hints=(
            "Logarithms first: `log_softmax(dim=-1)` of both, divided by the temperature before. ln(p / q) is their "
            "difference.",
            "`(p.exp() * (p - q)).sum(dim=-1)` is the divergence of each text, where p and q are the logarithms.",
        ),
        mistakes=SOFT_MISTAKES,
        notice="with logits far apart a teacher says nearly what the labels say; the temperature brings back what it "
        "knows besides",
        difficulty=2,
        minutes=10,
        show=lambda parts: parts["temperature 2"],
        variants=(
            soft_with(),
            lambda student_logits, teacher_logits, temperature=2.0: (
                temperature**2
                * functional.kl_div(
                    functional.log_softmax(student_logits / temperature, -1),
                    functional.softmax(teacher_logits / temperature, -1),
                    reduction="batchmean",
                )
            ),
        ),
    ),
    Exercise(
        id="18.2",
        name="layers_to_keep",
        reference=distillation.layers_to_keep,
        stub=LAYERS,
        probe=probe_layers,
        hints=(
            "Block b of 3 blocks of 6 layers ends before places 2, 4 and 6; its last layer is one below.",
            "`total * block // count - 1` for block in 1 to count.",
        ),
        mistakes=LAYERS_MISTAKES,
        notice="the top layer is always kept: its output is what the pooler and the classifier were trained on",
        difficulty=1,
        minutes=5,
        show=three,
        variants=(lambda total, count: [int(total * (n + 1) / count + 1e-9) - 1 for n in range(count)],),
    ),
    Exercise(
        id="18.3",
        name="hidden_state_loss",
        reference=distillation.hidden_state_loss,
        stub=HIDDEN,
        probe=probe_hidden,
        hints=(
            "A boolean mask (B, T) picks the rows of visible tokens out of a tensor (B, T, H).",
            "`(student - teacher)[attention_mask.bool()]` is (visible tokens, H): square it, take the mean.",
        ),
        mistakes=HIDDEN_MISTAKES,
        notice="a pair of logits says which side a text is on; a hidden state says it in H numbers for every token",
        difficulty=1,
        minutes=6,
        show=lambda parts: parts["a short and a long text"],
        variants=(
            lambda student, teacher, attention_mask: (
                (squares(student, teacher) * attention_mask[..., None]).sum()
                / (attention_mask.sum() * student.shape[-1])
            ),
        ),
    ),
)
