"""Taught in notebook 15 and not used again: three published bugs, repaired."""

import torch

__all__ = ["pick_answer", "no_answer_score", "pieces_to_read"]


def pick_answer(tokens: list[str], start: torch.Tensor, end: torch.Tensor) -> list[str]:
    """The tokens of the answer: those between the best start and the best end, (T,) logits each."""
    scores = (start[:, None] + end[None, :]).triu()  # row: start, column: end
    scores = scores.masked_fill(torch.ones_like(scores).tril(-1).bool(), -torch.inf)
    first, last = divmod(scores.argmax().item(), len(tokens))
    return tokens[first : last + 1]


def no_answer_score(windows: list[tuple[torch.Tensor, torch.Tensor]]) -> float:
    """The score of "no answer": the lowest of all windows, each a pair of logits (T,), [CLS] first."""
    lowest = None
    for start, end in windows:
        score = (start[0] + end[0]).item()
        if lowest is None or lowest > score:
            lowest = score
    return lowest


def pieces_to_read(
    question: list[str], context: list[str], max_length: int = 128, stride: int = 128
) -> list[list[str]]:
    """The context in pieces that fit beside the question; each begins `stride` tokens after the last."""
    room = max_length - len(question) - 3
    pieces, begin = [], 0
    while True:
        pieces.append(context[begin : begin + room])
        if begin + room >= len(context):
            return pieces
        begin += min(stride, room)
