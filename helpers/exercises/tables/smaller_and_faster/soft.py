"""Notebook 18: soft labels."""

import torch
from torch.nn import functional

from helpers import distillation
from helpers.exercises.exercise import Exercise, Mistake

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
    student = torch.tensor(
        [[1.0, 0.2, -1.0, 0.7, -0.4], [0.5, 2.0, -0.3, 1.1, 0.0], [0.3, -0.8, 1.6, -0.2, 0.9]]
    )
    teacher = torch.tensor(
        [[2.0, -1.0, 0.4, 0.1, 1.2], [0.2, 0.4, 1.5, -0.6, 0.8], [-0.5, 1.3, 0.6, 0.2, 2.1]]
    )
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
        "with the temperature 2 you get {yours}, expected {expected}: a fifth of it, and there are five classes. A "
        "divergence is a sum over the classes; only over the texts a mean is taken",
    ),
    Mistake(
        "sum over the texts",
        soft_with(reduce="sum"),
        "with the temperature 2 you get {yours}, expected {expected}: three times as much, and there are three texts. Larger "
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
        asks={
            "temperature 2": "go through it for one text: what is softened, what weighs each logarithm, over what goes the sum, "
            "over what the mean, and what multiplies it",
            "temperature 5": "temperature 2 was right: does everything follow the temperature that is given?",
        },
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
)
