"""Notebook 18: the hidden states of a student."""

import torch

from helpers import distillation
from helpers.exercises.exercise import Exercise, Mistake

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
        "not divided",
        lambda student, teacher, attention_mask: visible(student, teacher, attention_mask).square().sum(),
        "a short and a long text give {yours}, expected {expected}: that is the sum of all squares, so a long "
        "batch would count more. By how many numbers is it to be divided?",
    ),
    Mistake(
        "not divided by the tokens",
        lambda student, teacher, attention_mask: (
            visible(student, teacher, attention_mask).square().mean(-1).sum()
        ),
        "a short and a long text give {yours}, expected {expected}: you take the mean over H and add up the "
        "tokens. Over what does the mean go besides H?",
    ),
    Mistake(
        "the first token",
        lambda student, teacher, attention_mask: squares(student, teacher)[:, 0].mean(),
        "a short and a long text give {yours}, expected {expected}: only the first token of each text, [CLS], is "
        "compared. Which tokens can teach besides it?",
    ),
    Mistake(
        "the mask as places",
        lambda student, teacher, attention_mask: squares(student, teacher)[attention_mask].mean(),
        "a short and a long text give {yours}, expected {expected}: with whole numbers in brackets you pick texts "
        "1 and 0 of the batch again and again. Of what kind must a mask be that picks by yes and no?",
    ),
    Mistake(
        "the mask inverted bit by bit",
        lambda student, teacher, attention_mask: squares(student, teacher)[~attention_mask].mean(),
        "a short and a long text give {yours}, expected {expected}: ~ of the whole number 1 is -2, a place "
        "counted from the end. What kind of number does ~ turn into its opposite?",
    ),
    Mistake(
        "the square of the mean",
        lambda student, teacher, attention_mask: visible(student, teacher, attention_mask).mean().square(),
        "a short and a long text give {yours}, expected {expected}: the mean comes before the square, so that "
        "differences up and down cancel. Which comes first?",
    ),
    Mistake(
        "lengths",
        lambda student, teacher, attention_mask: (
            visible(student, teacher, attention_mask).norm(dim=-1).mean()
        ),
        "a short and a long text give {yours}, expected {expected}: that is the mean length of the tokens' "
        "differences, with a root in it. Where is the square asked for?",
    ),
    Mistake(
        "half of it",
        lambda student, teacher, attention_mask: (
            visible(student, teacher, attention_mask).square().mean() / 2
        ),
        "a short and a long text give {yours}, expected {expected}: half of it. A half is often put before a "
        "square, so that its slope has none; is it asked for here?",
    ),
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
        asks={
            "a short and a long text": "six tokens of three numbers each can be seen: which differences count, what is done with each "
            "of them, and by how many is the sum divided",
        },
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
