"""Three published bugs of question answering, as they stand in the workshop of notebook 15: small programs."""

import torch

__all__ = ["wrong_pick_answer", "wrong_no_answer_score", "wrong_pieces_to_read"]


def wrong_pick_answer(tokens, start, end):
    """The tokens of the answer: those between the best start and the best end, (T,) logits each."""
    first = torch.argmax(start)
    last = torch.argmax(end) + 1
    return tokens[first:last]


def wrong_no_answer_score(windows):
    """The score of "no answer": the lowest of all windows, each a pair of logits (T,), [CLS] first."""
    lowest = None
    for start, end in windows:
        score = (start[0] + end[0]).item()
        if lowest is None or lowest < score:
            lowest = score
    return lowest


def wrong_pieces_to_read(question, context, max_length=128, stride=128):
    """The context in pieces that fit beside the question; each begins `stride` tokens after the last."""
    room = max_length - len(question) - 3
    pieces, begin = [], 0
    while True:
        pieces.append(context[begin : begin + room])
        if begin + room >= len(context):
            return pieces
        begin += stride
