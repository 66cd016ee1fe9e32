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


def divergence(weigh=lambda logits, temperature: (logits / temperature).softmax(-1), soft=None):
    """The sum of p ln(p / q) with other weights p, or other logarithms."""

    def program(student_logits, teacher_logits, temperature=2.0):
        said = soft or (lambda logits, temperature: (logits / temperature).log_softmax(-1))
        gap = said(teacher_logits, temperature) - said(student_logits, temperature)
        return temperature**2 * (weigh(teacher_logits, temperature) * gap).sum(-1).mean()

    return program


def given_to_kl_div(student=torch.log_softmax, teacher=torch.softmax, **options):
    """kl_div with other things in its two places."""

    def program(student_logits, teacher_logits, temperature=2.0):
        found, wanted = student(student_logits / temperature, -1), teacher(teacher_logits / temperature, -1)
        return temperature**2 * functional.kl_div(found, wanted, reduction="batchmean", **options)

    return program


def divided_after(logits, temperature):
    return (logits.softmax(-1) / temperature).log()


SOFT_MISTAKES = (
    Mistake(
        "divided after softmax",
        divergence(lambda x, t: x.softmax(-1) / t, divided_after),
        "with the temperature 2 you get {yours}, expected {expected}: the probabilities are divided, so they no "
        "longer sum to 1. Where does the temperature go in before softmax?",
    ),
    Mistake(
        "weights not softened",
        divergence(lambda x, t: x.softmax(-1)),
        "with the temperature 2 you get {yours}, expected {expected}: the logarithms are softened, and the "
        "weights are the teacher's probabilities at temperature 1. Is it the same p in both places?",
    ),
    Mistake(
        "without weights",
        divergence(lambda x, t: torch.ones_like(x)),
        "with the temperature 2 you get {yours}, expected {expected}: you add up the differences of the "
        "logarithms as they are. By what is each ln(p / q) weighed?",
    ),
    Mistake(
        "weighed by the student",
        lambda s, t, temperature=2.0: divergence(lambda x, t: (s / t).softmax(-1))(s, t, temperature),
        "with the temperature 2 you get {yours}, expected {expected}: the student's probabilities weigh ln(p / "
        "q). Whose probabilities does the sum begin with?",
    ),
    Mistake(
        "no temperature",
        lambda s, t, temperature=2.0: divergence()(s, t, 1.0),
        "with the temperature 2 you get {yours}, expected {expected}: the temperature comes in nowhere. In which "
        "three places does it stand?",
    ),
    Mistake(
        "the square alone",
        lambda s, t, temperature=2.0: temperature**2 * divergence()(s, t, 1.0),
        "with the temperature 2 you get {yours}, expected {expected}: the result is multiplied by the square, but "
        "no logit is divided. What should the square make up for?",
    ),
    Mistake(
        "divided by the square",
        lambda s, t, temperature=2.0: divergence()(s, t, temperature) / temperature**4,
        "with the temperature 2 you get {yours}, expected {expected}: a sixteenth of it: you divide by the "
        "square. Dividing the logits has made the gradients small already",
    ),
    Mistake(
        "probabilities in the place of logarithms",
        given_to_kl_div(student=torch.softmax),
        "with the temperature 2 you get {yours}, expected {expected}: below 0, which no divergence is. kl_div "
        "wants the logarithms of the student's probabilities; what did it get?",
    ),
    Mistake(
        "logarithms of the teacher",
        given_to_kl_div(teacher=torch.log_softmax),
        "with the temperature 2 you get {yours}, expected {expected}: kl_div took the teacher's logarithms for "
        "probabilities. With what option does it take them as they are?",
    ),
    Mistake(
        "the logits' own distance",
        lambda s, t, temperature=2.0: functional.mse_loss(s, t),
        "with the temperature 2 you get {yours}, expected {expected}: the mean square of what the logits differ "
        "by. Two sets of logits that differ by a constant say the same; is that 0 here?",
    ),
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
        "every so many",
        lambda total, count: list(range(total))[total // count - 1 :: total // count],
        "three of six are right, but five of twelve are {yours}, expected {expected}: every second layer, as many "
        "as there are. What if total / count is no whole number?",
        show=lambda parts: parts["5 of 12"],
    ),
    Mistake(
        "blocks counted from 0",
        lambda total, count: [total * block // count - 1 for block in range(count)],
        "three of six layers are {yours}, expected {expected}: no place is below 0, and the top layer is missing. "
        "From which number do you count the blocks?",
    ),
    Mistake(
        "blocks of the last place",
        lambda total, count: [(total - 1) * block // count for block in range(1, count + 1)],
        "three of six are right, but five of twelve are {yours}, expected {expected}: you divide total - 1 into "
        "blocks. Is the 1 to be taken away before the division or after?",
        show=lambda parts: parts["5 of 12"],
    ),
    Mistake(
        "the middle of each block",
        lambda total, count: [(2 * block + 1) * total // (2 * count) for block in range(count)],
        "two of six layers are {yours}, expected {expected}: the middle of each block. Which of a block's layers "
        "has seen all the others?",
        show=lambda parts: parts["2 of 6"],
    ),
    Mistake(
        "total and count exchanged",
        lambda total, count: [count * block // total - 1 for block in range(1, count + 1)],
        "three of six layers are {yours}, expected {expected}: in which of the two places does `total` stand, "
        "above or below the line?",
    ),
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
