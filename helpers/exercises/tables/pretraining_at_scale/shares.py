"""17.5: the loss of a process, so that the average over processes is right."""

import torch

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import pretraining_at_scale as references

STUB = '''
def my_losses_to_average(token_losses):
    """A loss for each process, a list of tensors without dimensions; given are those of its hidden tokens.

    Their average over the processes must be the mean over the hidden tokens of all processes.
    """
    ...
'''


def losses():
    return [torch.tensor([2.0, 4.5]), torch.tensor([6.0]), torch.tensor([1.0, 1.5, 2.5, 7.0, 0.5])]


def probe(to_average):
    yield "three processes", [float(loss) for loss in to_average(losses())]
    yield "one process", [float(loss) for loss in to_average([torch.tensor([2.0, 5.0, 0.5])])]
    waiting = [part.requires_grad_() for part in losses()]
    sum(to_average(waiting)).backward()
    yield "gradients of the tokens' losses", [part.grad.mean().item() for part in waiting]


def averaged(parts):
    return sum(parts["three processes"]) / 3


EXERCISE = Exercise(
    id="17.5",
    name="losses_to_average",
    reference=references.losses_to_average,
    stub=STUB,
    probe=probe,
    hints=(
        "Begin at the end: the average of three numbers is a third of their sum. What must the three numbers add up to?",
        "Each process has a sum of losses; all are divided by the same count. Which one?",
        "P times the own sum, divided by the number of hidden tokens of all processes.",
    ),
    mistakes=(
        Mistake(
            "each its own mean",
            lambda parts: [part.mean() for part in parts],
            "averaged, yours give {yours}, expected {expected}, the mean of all eight: a process with a single hidden "
            "token counts as much as one with five. By what must all of them divide?",
            show=averaged,
        ),
        Mistake(
            "not multiplied by the number of processes",
            lambda parts: [part.sum() / sum(map(len, parts)) for part in parts],
            "averaged, yours give {yours}, expected {expected}: their sum is right, but averaging divides by the "
            "number of processes once more",
            show=averaged,
        ),
        Mistake(
            "sums",
            lambda parts: [part.sum() for part in parts],
            "averaged, yours give {yours}, expected {expected}: these are sums, which grow with the batch",
            show=averaged,
        ),
        Mistake(
            "own count, times the processes",
            lambda parts: [len(parts) * part.mean() for part in parts],
            "averaged, yours give {yours}, expected {expected}: each divides by its own count, and the factor for the "
            "processes comes on top",
            show=averaged,
        ),
        Mistake(
            "divided by the processes",
            lambda parts: [part.sum() / sum(map(len, parts)) / len(parts) for part in parts],
            "averaged, yours give {yours}, expected {expected}: you divide by the number of processes, and averaging "
            "does so again. Which way does the factor go?",
            show=averaged,
        ),
        Mistake(
            "average count",
            lambda parts: [part.sum() / len(parts[0]) for part in parts],
            "averaged, yours give {yours}, expected {expected}: all divide by 2, the count of the first process (or "
            "the average count without its fraction). By which count can all of them divide?",
            show=averaged,
        ),
        Mistake(
            "everyone the mean of all",
            lambda parts: [torch.cat(list(parts)).mean() for _ in parts],
            "averaged, yours are right, but each process would need the losses of all others for that, and its "
            "gradient would come from tokens that it does not have. Use the own sum",
        ),
        Mistake(
            "numbers without a gradient",
            lambda parts: [len(parts) * part.sum().item() / sum(map(len, parts)) for part in parts],
            "the numbers are right, but they are no tensors any more, so nothing can be learned from them",
            raises=AttributeError,
        ),
        Mistake(
            "one number",
            lambda parts: torch.cat(list(parts)).mean(),
            "one number is given back, and each process needs one of its own: a list",
            raises=TypeError,
        ),
        Mistake(
            "not added up",
            lambda parts: [len(parts) * part / sum(map(len, parts)) for part in parts],
            "each process has a number for each of its tokens, and should have one: their sum",
            raises=ValueError,
        ),
        Mistake(
            "largest count",
            lambda parts: [len(parts) * part.sum() / (len(parts) * max(map(len, parts))) for part in parts],
            "averaged, yours give {yours}, expected {expected}: you divide as if every process had as many hidden "
            "tokens as the one with the most",
            show=averaged,
        ),
        Mistake(
            "by the number of processes",
            lambda parts: [part.sum() / len(parts) for part in parts],
            "averaged, yours give {yours}, expected {expected}: you divide by the number of processes, and tokens "
            "are to be averaged. How many are there?",
            show=averaged,
        ),
        Mistake(
            "the mean of the means",
            lambda parts: [torch.stack([part.mean() for part in parts]).mean() for _ in parts],
            "averaged, yours give {yours}, expected {expected}: all have the mean of the processes' means, so a "
            "token counts the more the fewer are beside it",
            show=averaged,
        ),
        Mistake(
            "the sum of all by the own count",
            lambda parts: [torch.cat(list(parts)).sum() / len(part) for part in parts],
            "averaged, yours give {yours}, expected {expected}: the losses of all processes are divided by the "
            "tokens of one",
            show=averaged,
        ),
    ),
    notice="every hidden token has the same weight in the gradient now, one eighth, whichever process it lies on",
    difficulty=1,
    minutes=8,
    variants=(
        lambda token_losses: [
            part.mean() * len(part) * len(token_losses) / sum(p.numel() for p in token_losses)
            for part in token_losses
        ],
        lambda token_losses: [
            part.sum() / (torch.cat(list(token_losses)).numel() / len(token_losses)) for part in token_losses
        ],
    ),
)
