"""Notebook 15, "Break it": three published bugs, to be found and mended."""

import copy

import torch

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import question_answering as references
from helpers.exercises.sources import planted
from helpers.exercises.tables.question_answering import published

# 15.b1 start and end are chosen each by itself

TOKENS = ["[CLS]", "who", "[SEP]", "anna", "sings", "and", "ben", "sleeps", "[SEP]"]


def probe_pick(pick):
    start = torch.tensor([0.0, -1, -2, 2.5, 3.4, -1, 4, 0.3, -2])
    end = torch.tensor([0.5, -2, -1, 3.5, 3.3, -1, 1, 2.5, -3])
    yield "best end before best start", list(pick(list(TOKENS), start, end))
    yield "in order", list(pick(list(TOKENS), start, start.flip(0)))
    one = torch.full((9,), -5.0)
    one[6] = 2.0
    yield "one token", list(pick(list(TOKENS), one, one.clone()))
    yield "logits below 0", list(pick(list(TOKENS), start - 9, end - 9))
    torch.manual_seed(3)
    yield "random logits", [list(pick(list(TOKENS), *torch.randn(2, 9))) for _ in range(4)]


def pair(tokens, start, end, allowed):
    spans = [
        (start[i] + end[j], i, j) for i in range(len(tokens)) for j in range(len(tokens)) if allowed(i, j)
    ]
    _, first, last = max(spans, key=lambda span: span[0])
    return tokens[first : last + 1]


def end_behind_the_start(tokens, start, end):
    first = int(torch.argmax(start))
    return tokens[first : first + int(torch.argmax(end[first:])) + 1]


def start_before_the_end(tokens, start, end):
    last = int(torch.argmax(end))
    return tokens[int(torch.argmax(start[: last + 1])) : last + 1]


def sorted_ends(tokens, start, end):
    first, last = sorted((int(torch.argmax(start)), int(torch.argmax(end))))
    return tokens[first : last + 1]


def one_token_instead(tokens, start, end):
    first, last = int(torch.argmax(start)), int(torch.argmax(end))
    return tokens[first : max(first, last) + 1]


def zeros_below(tokens, start, end):
    first, last = divmod(int((start[:, None] + end[None, :]).triu().argmax()), len(tokens))
    return tokens[first : last + 1]


def crossed(parts):
    return parts["best end before best start"]


PICK_MISTAKES = (
    Mistake(
        "end behind the best start",
        end_behind_the_start,
        "{yours} comes out, expected {expected}: the answer is no longer empty, but the best start is taken before any end "
        "is looked at. Which pair has the largest sum?",
        show=crossed,
    ),
    Mistake(
        "start before the best end",
        start_before_the_end,
        "{yours} comes out, expected {expected}: the best end is taken before any start is looked at",
        show=crossed,
    ),
    Mistake(
        "exchanged",
        sorted_ends,
        "{yours} comes out, expected {expected}: where the end stands before the start, the two are exchanged. Now the "
        "answer begins where the model says that it ends",
        show=crossed,
    ),
    Mistake(
        "one token instead",
        one_token_instead,
        "{yours} comes out, expected {expected}: an empty answer is replaced by the token at the best start. The symptom "
        "is gone; the best pair is still not looked for",
        show=crossed,
    ),
    Mistake(
        "end strictly behind",
        lambda tokens, start, end: pair(tokens, start, end, lambda i, j: i < j),
        "an answer of one token comes out as {yours}, expected {expected}: the table of pairs has lost its diagonal",
        show=lambda parts: parts["one token"],
    ),
    Mistake(
        "all pairs",
        lambda tokens, start, end: pair(tokens, start, end, lambda i, j: True),
        "still empty: {yours!r}, expected {expected}. All pairs are compared, also those whose end stands before their "
        "start, and such a one wins",
        show=crossed,
    ),
    Mistake(
        "zeros below the diagonal",
        zeros_below,
        "where all logits are below 0 you get {yours!r}, expected {expected}: `triu` puts zeros below the "
        "diagonal, and there zero is the largest sum. What can never win?",
        show=lambda parts: parts["logits below 0"],
    ),
    Mistake(
        "all tokens instead",
        lambda tokens, start, end: published.wrong_pick_answer(tokens, start, end) or tokens,
        "{yours} comes out, expected {expected}: an empty answer is replaced by all tokens. The best pair is "
        "still not looked for",
        show=crossed,
    ),
    Mistake(
        "the last token cut off",
        lambda tokens, start, end: references.pick_answer(tokens, start, end)[:-1],
        "{yours!r} comes out, expected {expected}: the pair is right, but a slice ends before its second "
        "number",
        show=crossed,
    ),
)

# 15.b2 the highest score of "no answer" instead of the lowest


def logits(cls, total=6):
    start, end = torch.full((total,), 9.0), torch.full((total,), 9.0)
    start[3], end[2] = -4.0, -5.0
    start[4], end[4], end[5] = -6.0, -5.5, -8.0
    start[0], end[0] = cls
    return start, end


def probe_score(score):
    yield "one window", score([logits((1.5, 0.25))])
    yield (
        "the answer stands in the second",
        score([logits(cls) for cls in ((2.5, 3.5), (-2.0, -1.25), (4.0, 3.5), (1.0, 4.25))]),
    )
    yield "the answer stands in the first", score([logits((-3.0, 0.5)), logits((1.0, 0.5))])
    yield (
        "the answer stands in the last",
        score([logits((0.25, 3.0)), logits((5.0, 0.5)), logits((0.5, -1.5))]),
    )


def sums(windows):
    return [(start[0] + end[0]).item() for start, end in windows]


def second(parts):
    return parts["the answer stands in the second"]


SCORE_MISTAKES = (
    Mistake(
        "the last window",
        lambda windows: sums(windows)[-1],
        "the score is {yours}, expected {expected}: the last window's is kept, whatever it is",
        show=second,
    ),
    Mistake(
        "the first window",
        lambda windows: sums(windows)[0],
        "the score is {yours}, expected {expected}: nothing is compared any more, and the first stays",
        show=second,
    ),
    Mistake(
        "the mean",
        lambda windows: sum(sums(windows)) / len(windows),
        "the score is {yours}, expected {expected}: windows without the answer rightly say that they have none. One that "
        "has it is enough; in the mean it is outvoted",
        show=second,
    ),
    Mistake(
        "the lowest of each end",
        lambda windows: (
            min(start.min().item() for start, _ in windows) + min(end.min().item() for _, end in windows)
        ),
        "with three windows the last of which has the answer, you get {yours}, expected {expected}: the lowest start logit "
        "and the lowest end logit come from different places. The sum at [CLS] of one window is one number",
        show=lambda parts: parts["the answer stands in the last"],
    ),
    Mistake(
        "begins with zero",
        lambda windows: min([0.0, *sums(windows)]),
        "with one window the score is {yours}, expected {expected}: the comparison begins with 0, which is no window's "
        "score",
        show=lambda parts: parts["one window"],
    ),
    Mistake(
        "still the highest",
        lambda windows: max(sums(windows)),
        "the score is {yours}, expected {expected}: that is the highest of all windows. What would one that "
        "has the answer say?",
        show=second,
    ),
    Mistake(
        "the smallest without its sign",
        lambda windows: min(sums(windows), key=abs),
        "with the answer in the first of two windows the score is {yours}, expected {expected}: you compare "
        "without the sign",
        show=lambda parts: parts["the answer stands in the first"],
    ),
    Mistake(
        "the sum over the windows",
        lambda windows: sum(sums(windows)),
        "the score is {yours}, expected {expected}: the windows' scores are added up. The lowest of them is "
        "asked for",
        show=second,
    ),
    Mistake(
        "[CLS] of different windows",
        lambda windows: (
            min(start[0].item() for start, _ in windows) + min(end[0].item() for _, end in windows)
        ),
        "with the answer in the last of three windows the score is {yours}, expected {expected}: the lowest "
        "start and the lowest end at [CLS] come from different windows",
        show=lambda parts: parts["the answer stands in the last"],
    ),
    Mistake(
        "the lowest token",
        lambda windows: min((start + end).min().item() for start, end in windows),
        "with one window the score is {yours}, expected {expected}: you look at all tokens. 'No answer' is "
        "the score at [CLS]",
        show=lambda parts: parts["one window"],
    ),
)

# 15.b3 tokens between the pieces are skipped

QUESTION, CONTEXT = [f"q{i}" for i in range(7)], [f"c{i}" for i in range(40)]


def probe_pieces(pieces):
    def borders(*inputs):
        found = pieces(*copy.deepcopy(inputs))
        return [(piece[0], piece[-1]) if piece else () for piece in found]

    yield "short", borders(QUESTION, CONTEXT[:8], 20, 6)
    yield "stride below the room", borders(QUESTION, CONTEXT, 20, 6)
    yield "stride above the room", borders(QUESTION, CONTEXT, 20, 16)
    read = {token for piece in pieces([*QUESTION], [*CONTEXT], 20, 16) for token in piece}
    yield "tokens that nobody reads", len(set(CONTEXT) - read)
    yield (
        "longest piece and its question",
        max(len(piece) for piece in pieces([*QUESTION], [*CONTEXT], 20, 16)) + 7 + 3,
    )
    yield "a longer question", borders(QUESTION * 2, CONTEXT[:10], 20, 16)


def pieces_with(question, context, max_length=128, stride=128, *, room=None, step=min):
    room = (room or (lambda: max_length - len(question) - 3))()
    found, begin = [], 0
    while True:
        found.append(context[begin : begin + room])
        if begin + room >= len(context):
            return found
        begin += step(stride, room)


def larger_pieces(question, context, max_length=128, stride=128):
    return pieces_with(
        question, context, max_length, stride, room=lambda: max(stride, max_length - len(question) - 3)
    )


def too_far(parts):
    return parts["stride above the room"]


PIECES_MISTAKES = (
    Mistake(
        "always the room",
        lambda *inputs: pieces_with(*inputs, step=lambda stride, room: room),
        "nothing is skipped, but with a stride of 6 the pieces are {yours}, expected {expected}: the stride is not used any "
        "more, and no two pieces overlap",
        show=lambda parts: parts["stride below the room"],
    ),
    Mistake(
        "larger pieces",
        larger_pieces,
        "nothing is skipped, but question and piece have {yours} tokens together, expected {expected}: what does not fit "
        "into the model was made longer",
        show=lambda parts: parts["longest piece and its question"],
    ),
    Mistake(
        "question forgotten",
        lambda question, context, max_length=128, stride=128: pieces_with([], context, max_length, stride),
        "question and piece have {yours} tokens together, expected {expected}: the piece is cut as if there were no "
        "question beside it",
        show=lambda parts: parts["longest piece and its question"],
    ),
    Mistake(
        "one less than the room",
        lambda *inputs: pieces_with(*inputs, step=lambda stride, room: min(stride, room - 1) or 1),
        "the pieces begin and end at {yours}, expected {expected}: a step of just the room skips nothing",
        show=too_far,
    ),
    Mistake(
        "the larger of the two",
        lambda *inputs: pieces_with(*inputs, step=max),
        "with a stride of 6 the pieces are {yours}, expected {expected}: of stride and room you take the larger one",
        show=lambda parts: parts["stride below the room"],
    ),
    Mistake(
        "nothing behind the first",
        lambda question, context, max_length=128, stride=128: [context[: max_length - len(question) - 3]],
        "{yours} tokens are read by nobody, expected {expected}: after the first piece the loop ends",
        show=lambda parts: parts["tokens that nobody reads"],
    ),
    Mistake(
        "a stride for an overlap",
        lambda *inputs: pieces_with(*inputs, step=lambda stride, room: max(room - stride, 1)),
        "with a stride of 6 the pieces are {yours}, expected {expected}: you take the stride for what two "
        "pieces share. Here it is how far it is to the next one",
        show=lambda parts: parts["stride below the room"],
    ),
    Mistake(
        "a special token too few",
        lambda question, context, max_length=128, stride=128: pieces_with(
            [*question, ""][2:], context, max_length, stride
        ),
        "question and piece have {yours} tokens together, expected {expected}: one special token is not "
        "counted",
        show=lambda parts: parts["longest piece and its question"],
    ),
    Mistake(
        "half the room",
        lambda *inputs: pieces_with(*inputs, step=lambda stride, room: min(stride, room // 2)),
        "the pieces begin and end at {yours}, expected {expected}: your step is half of what was read, so "
        "nearly everything is read twice",
        show=too_far,
    ),
)

EXERCISES = (
    Exercise(
        id="15.b1",
        name="pick_answer",
        reference=references.pick_answer,
        stub=planted(published.wrong_pick_answer),
        probe=probe_pick,
        hints=(
            "Nothing says that the token with the best end logit stands behind the token with the best start logit. What "
            "does the slice tokens[6:4] give?",
            "A table of all pairs, `start[:, None] + end[None, :]`; what is below the diagonal may not win; argmax counts "
            "through the rows, so divmod by the number of tokens gives row and column.",
        ),
        mistakes=PICK_MISTAKES,
        notice="the pair with the largest sum need hold neither the best start nor the best end",
        difficulty=2,
        minutes=12,
        kind="bug",
        source="documentation of the Transformers library, June 2021: huggingface/transformers, issue 12254",
        variants=(lambda tokens, start, end: pair(tokens, start, end, lambda i, j: i <= j),),
    ),
    Exercise(
        id="15.b2",
        name="no_answer_score",
        reference=references.no_answer_score,
        stub=planted(published.wrong_no_answer_score),
        probe=probe_score,
        hints=(
            "Run it on paper for the scores 7.5, -3.25, 7.5. Which of the three comes out, and which should?",
            "It is a single character, in the line with the comparison.",
        ),
        mistakes=SCORE_MISTAKES,
        notice="a name, lowest, and a docstring can say one thing and the comparison another; with one window for each "
        "text, which is what SQuAD mostly has, nothing shows it",
        difficulty=1,
        minutes=5,
        kind="bug",
        source="run_qa.py of the Transformers library, December 2020: huggingface/transformers, pull request 9067",
        variants=(lambda windows: min(sums(windows)),),
    ),
    Exercise(
        id="15.b3",
        name="pieces_to_read",
        reference=references.pieces_to_read,
        stub=planted(published.wrong_pieces_to_read),
        probe=probe_pieces,
        hints=(
            "Max_length 20, a question of 7 tokens: how many tokens of the context fit, and where does the second piece "
            "begin with a stride of 16?",
            "A step must not be longer than what was read. An error instead of a shorter step would be right as well, "
            "but the check wants the step.",
        ),
        mistakes=PIECES_MISTAKES,
        notice="the longer the question, the less room is left: the same settings skip tokens for one question and not for "
        "another",
        difficulty=1,
        minutes=8,
        kind="bug",
        source="squad.py of the Transformers library, January 2020: huggingface/transformers, issue 2548; the same in FARM: "
        "deepset-ai/FARM, issue 536",
        variants=(pieces_with,),
    ),
)
