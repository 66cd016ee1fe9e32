"""Reading: two logits for every token, where the answer to a question starts in a text and where it ends.

    question, context -> windows that overlap -> logits of start and end -> best span -> its characters

Left out: answers that are no span of the context (yes and no, counts, several spans at once).
"""

import math
import re
import string
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

from helpers.classification import FineTuning, length_buckets
from helpers.encoder import Bert, evaluating, initialize_weights
from helpers.pretraining import check_tokenizer, precise, update_weights
from helpers.wordpiece import (
    Encoding,
    WordPieceTokenizer,
    assemble,
    check_number,
    check_text,
    pad_encodings,
    read_in_order,
)

__all__ = [
    "ReadingExample",
    "check_reading",
    "SpanLogits",
    "BertForQuestionAnswering",
    "span_loss",
    "Reading",
    "window_starts",
    "encode_windows",
    "context_places",
    "span_to_tokens",
    "answer_windows",
    "reading_batches",
    "train_reader",
    "best_span",
    "answer_logits",
    "SpanAnswer",
    "choose_answer",
    "read_answers",
    "answer_texts",
    "normalize_answer",
    "exact_match",
    "f1_score",
    "ReadingScores",
    "score_answers",
    "choose_threshold",
]


class ReadingExample(NamedTuple):
    """A question about a context; `answers`: spans (start, end) of its characters, each of them right.

    Without a span the context does not say the answer. The order of the spans is kept: training takes the
    first that a window holds.
    """

    question: str
    context: str
    answers: Sequence[tuple[int, int]] = ()

    @property
    def truths(self) -> list[str]:
        """The right answers as texts; [""] where there is none, as in SQuAD 2.0."""
        return [self.context[start:end] for start, end in self.answers] or [""]


def check_reading(examples: Iterable[ReadingExample]) -> list[ReadingExample]:
    """The examples as a list; ValueError for none, for what is no text, and for spans outside the context."""
    found = [ReadingExample(*example) for example in read_in_order(examples, "the examples")]
    if not found:
        raise ValueError("there are no questions: give at least one ReadingExample(question, context)")
    for row, (question, context, answers) in enumerate(found):
        check_text(question, f"the question in row {row} (from 0)")
        check_text(context, f"the context in row {row} (from 0)")
        for start, end in answers:
            if not 0 <= start < end <= len(context):
                raise ValueError(
                    f"the answer ({start}, {end}) in row {row} (from 0) is no span of its context of "
                    f"{len(context)} characters: start and end count from 0, and end is behind the last"
                )
    return found


class SpanLogits(NamedTuple):
    """The result of a reader: for every token, how well the answer starts and how well it ends there."""

    start: torch.Tensor  # (B, T)
    end: torch.Tensor  # (B, T)


class BertForQuestionAnswering(nn.Module):
    """BERT with one linear layer that gives every token two logits: ids (B, T) -> `SpanLogits`.

    Devlin et al. 2018, section 4.2. ids, type_ids and attention_mask as in `Bert`. The pooler is not used.
    """

    def __init__(self, bert: Bert):
        super().__init__()
        self.span = nn.Linear(bert.config.hidden_size, 2)
        initialize_weights(self, bert.config.init_std)
        self.bert = bert  # added last, so that its weights are not drawn anew

    def forward(self, ids, type_ids=None, attention_mask=None) -> SpanLogits:
        hidden = self.bert(ids, type_ids, attention_mask).last_hidden_state  # (B, T, H)
        start, end = self.span(hidden).unbind(dim=-1)  # each (B, T)
        return SpanLogits(start, end)


def span_loss(logits: SpanLogits, starts: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
    """The mean of two cross-entropies over the tokens, in nats; starts and ends (B,) are places of tokens.

    Devlin et al. 2018, section 4.2. Raises ValueError for places outside the T tokens.
    """
    total = logits.start.shape[1]  # T
    for places in (starts, ends):
        if not 0 <= places.min() <= places.max() < total:
            raise ValueError(f"places of tokens go from 0 to {total - 1}, not {places.tolist()}")
    device = logits.start.device
    start_loss = functional.cross_entropy(logits.start, starts.to(device))
    end_loss = functional.cross_entropy(logits.end, ends.to(device))
    return (start_loss + end_loss) / 2


@dataclass(frozen=True)
class Reading(FineTuning):
    """How to cut a context into windows, how long an answer may be, and how to train a reader."""

    epochs: int = 2
    batch_size: int = 16
    max_length: int = 256  # tokens of a window: question, piece of the context, three special tokens
    overlap: int = 64  # tokens of the context that a window shares with the next
    max_question: int = 64  # tokens; the rest of a longer question is cut off
    max_answer: int = 30  # tokens
    keep_empty: bool = True  # train on windows that hold no answer, too
    head_rate: float = 1.0  # learning rate of the new layer by that of the encoder

    def __post_init__(self):
        super().__post_init__()
        check_number("head_rate", self.head_rate, 0)
        for name, least in {"overlap": 0, "max_question": 1, "max_answer": 1}.items():
            check_number(name, getattr(self, name), least, whole=True)
        if self.patience is not None:
            raise ValueError("a reader is trained for all its epochs: leave patience at None")

    def optimizer(self, model: BertForQuestionAnswering, steps: int) -> tuple:
        """AdamW and the schedule of its learning rates, as in notebook 8; the new layer has its own rate."""
        optimizer, schedule = super().optimizer(model, steps)
        for place, group in enumerate(optimizer.param_groups):
            if any(weight is new for weight in group["params"] for new in model.span.parameters()):
                schedule.base_lrs[place] *= self.head_rate
                group["lr"] *= self.head_rate
        return optimizer, schedule


def window_starts(count: int, room: int, overlap: int) -> list[int]:
    """Where windows of `room` tokens begin so that `count` tokens are covered and neighbors share `overlap`.

    Any span of at most overlap + 1 tokens lies whole in some window. Raises ValueError where room is not
    above overlap: the windows would not get on.
    """
    if room <= overlap:
        raise ValueError(
            f"a window has room for {room} tokens of the context, and shares {overlap} with the next: make "
            "max_length larger, or overlap smaller"
        )
    step = room - overlap
    return [0, *range(step, max(count - overlap, 0), step)]


def encode_windows(
    question: str, context: str, tokenizer: WordPieceTokenizer, plan: Reading = Reading()
) -> list[Encoding]:
    """`[CLS] question [SEP] piece of the context [SEP]` for each piece; offsets count in the whole context.

    Raises ValueError as `window_starts` does.
    """
    first = tokenizer.pieces(question)[: plan.max_question]
    second = tokenizer.pieces(context)
    room = plan.max_length - len(first) - 3
    return [
        assemble(first, second[start : start + room], None, tokenizer.id_of)
        for start in window_starts(len(second), room, plan.overlap)
    ]


def context_places(window: Encoding) -> range:
    """The places of the context's tokens: those of segment 1 but for the last `[SEP]`."""
    return range(window.type_ids.index(1), len(window.ids) - 1)


def span_to_tokens(window: Encoding, span: tuple[int, int]) -> tuple[int, int]:
    """The first and last token of a span of the context's characters; (0, 0), `[CLS]`: not whole in there."""
    begin, end = span
    places = context_places(window)
    offsets = window.offsets
    inside = [place for place in places if offsets[place][0] < end and offsets[place][1] > begin]
    if not inside or offsets[places[0]][0] > begin or offsets[places[-1]][1] < end:
        return 0, 0
    return inside[0], inside[-1]


def answer_windows(
    examples: Iterable[ReadingExample], tokenizer: WordPieceTokenizer, plan: Reading
) -> tuple[list[Encoding], list[tuple[int, int]]]:
    """The windows of all examples, and for each the tokens of an answer that is whole in there, or (0, 0).

    Raises ValueError where plan.keep_empty is off and no window holds an answer.
    """
    windows, spans = [], []
    for example in check_reading(examples):
        for window in encode_windows(example.question, example.context, tokenizer, plan):
            found = (span_to_tokens(window, answer) for answer in example.answers)
            span = next((span for span in found if span != (0, 0)), (0, 0))
            if plan.keep_empty or span != (0, 0):
                windows.append(window)
                spans.append(span)
    if not windows:
        raise ValueError("no window holds an answer: train on examples with answers, or with keep_empty=True")
    return windows, spans


def reading_batches(
    windows: list[Encoding], spans: list[tuple[int, int]], batch_size: int, pad_id: int
) -> Iterator[tuple[dict[str, torch.Tensor], torch.Tensor, torch.Tensor]]:
    """All windows once, in batches of similar length: inputs (B, T), starts (B,), ends (B,)."""
    for chosen in length_buckets([len(window.ids) for window in windows], batch_size):
        starts, ends = torch.tensor([spans[index] for index in chosen]).unbind(dim=-1)
        yield pad_encodings([windows[index] for index in chosen], pad_id), starts, ends


def train_reader(
    model: BertForQuestionAnswering, examples: Iterable[ReadingExample], tokenizer: WordPieceTokenizer,
    plan: Reading = Reading(), on_step: Callable[[int, float], None] = lambda *_: None,
) -> list[float]:  # fmt: skip
    """Train a reader for plan.epochs; returns the loss of every step, and calls on_step(step, loss).

    Raises ValueError as `check_reading`, `encode_windows`, `check_tokenizer`; else as `update_weights`.
    """
    check_tokenizer(tokenizer, model)
    windows, spans = answer_windows(examples, tokenizer, plan)
    torch.manual_seed(plan.seed)
    optimizer, schedule = plan.optimizer(model, plan.epochs * math.ceil(len(windows) / plan.batch_size))
    device, losses = next(model.parameters()).device, []
    for _ in range(plan.epochs):
        model.train()
        for batch, starts, ends in reading_batches(windows, spans, plan.batch_size, tokenizer.id_of["[PAD]"]):
            logits = model(**{name: values.to(device) for name, values in batch.items()})
            loss = span_loss(logits, starts, ends)
            update_weights(model, loss, optimizer, schedule, len(losses) + 1)
            losses.append(loss.item())
            on_step(len(losses), losses[-1])
    model.eval()
    return losses


def best_span(
    start: torch.Tensor, end: torch.Tensor, allowed: range, max_tokens: int
) -> tuple[float, int, int]:
    """The span of tokens with the largest start logit + end logit: (score, first token, last token).

    start, end: (T,). Only tokens in `allowed`, first <= last, at most max_tokens; -inf where there is none.
    """
    if len(allowed) == 0:
        return -math.inf, 0, 0
    inside = slice(allowed.start, allowed.stop)
    scores = start[inside, None] + end[None, inside]  # (N, N): first token, last token
    possible = torch.ones_like(scores, dtype=torch.bool).triu().tril(max_tokens - 1)
    scores = scores.masked_fill(~possible, -math.inf)
    first, last = divmod(scores.argmax().item(), len(allowed))
    return scores[first, last].item(), allowed.start + first, allowed.start + last


@torch.no_grad()
def answer_logits(
    model: BertForQuestionAnswering, windows: list[Encoding], pad_id: int, batch_size: int = 32
) -> list[SpanLogits]:
    """The two logits of every token of each window, (T,) each, computed in batches of similar length."""
    device = next(model.parameters()).device
    order = sorted(range(len(windows)), key=lambda index: len(windows[index].ids))
    found = [None] * len(windows)
    with evaluating(model):
        for begin in range(0, len(order), batch_size):
            chosen = order[begin : begin + batch_size]
            batch = pad_encodings([windows[index] for index in chosen], pad_id)
            logits = model(**{name: values.to(device) for name, values in batch.items()})
            for index, start, end in zip(chosen, *(precise(part).cpu() for part in logits), strict=True):
                length = len(windows[index].ids)  # what is behind it is padding
                found[index] = SpanLogits(start[:length], end[:length])
    return found


class SpanAnswer(NamedTuple):
    """The best span of a context, and by how much its score is above that of "no answer"."""

    text: str
    span: tuple[int, int]  # of the context's characters
    margin: float  # logits; below 0: the reader would rather say that there is none


def choose_answer(
    context: str, windows: list[Encoding], logits: list[SpanLogits], max_tokens: int = 30
) -> SpanAnswer:
    """The span with the largest sum of two logits over all windows, and its margin over "no answer".

    Sums of logits are compared as they are: a softmax within each window would make every window equally
    sure. "No answer" has the two logits at `[CLS]`; the window least in favor of it decides (as in the
    script for SQuAD 2.0 of google-research/bert).
    """
    nothing = min((start[0] + end[0]).item() for start, end in logits)
    best, text, span = -math.inf, "", (0, 0)
    for window, (start, end) in zip(windows, logits, strict=True):
        score, first, last = best_span(start, end, context_places(window), max_tokens)
        if score > best:
            best, span = score, (window.offsets[first][0], window.offsets[last][1])
            text = context[slice(*span)]
    return SpanAnswer(text, span, best - nothing)


def read_answers(
    model: BertForQuestionAnswering, examples: Iterable[ReadingExample], tokenizer: WordPieceTokenizer,
    plan: Reading = Reading(),
) -> list[SpanAnswer]:  # fmt: skip
    """The reader's best answer to every question; the examples' own answers are not looked at.

    Raises ValueError as `check_reading`, `encode_windows` and `check_tokenizer` do.
    """
    check_tokenizer(tokenizer, model)
    examples = check_reading(examples)
    windows = [encode_windows(each.question, each.context, tokenizer, plan) for each in examples]
    flat = [window for group in windows for window in group]
    logits = iter(answer_logits(model, flat, tokenizer.id_of["[PAD]"]))
    return [
        choose_answer(example.context, group, [next(logits) for _ in group], plan.max_answer)
        for example, group in zip(examples, windows, strict=True)
    ]


def answer_texts(answers: Iterable[SpanAnswer], threshold: float = 0.0) -> list[str]:
    """What the reader says: the text of each answer, "" where its margin is not above the threshold.

    threshold=-math.inf: always a text.
    """
    return [answer.text if answer.margin > threshold else "" for answer in answers]


def normalize_answer(text: str) -> str:
    """Lower case, without ASCII punctuation and the words a, an, the, single spaces: what SQuAD compares.

    Rajpurkar et al. 2016, section 6.1, and its evaluation script.
    """
    without_marks = text.lower().translate(str.maketrans("", "", string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", without_marks).split())


def exact_match(answer: str, truths: Iterable[str]) -> float:
    """1.0 if the normalized answer is one of the normalized truths, else 0.0; "" is "no answer"."""
    return float(normalize_answer(answer) in [normalize_answer(truth) for truth in truths])


def f1_score(answer: str, truths: Iterable[str]) -> float:
    """The largest F1 of the words shared with a truth, both normalized; with an empty one 1.0 or 0.0.

    F1 = 2 x shared / (words of the answer + words of the truth); a word counts as often as it is in both.
    """
    found, best = normalize_answer(answer).split(), 0.0
    for words in (normalize_answer(truth).split() for truth in truths):
        shared = sum((Counter(found) & Counter(words)).values())
        score = 2 * shared / (len(found) + len(words)) if found and words else float(found == words)
        best = max(best, score)
    return best


class ReadingScores(NamedTuple):
    """Exact match and F1, from 0 to 1: means, and one value for each question."""

    exact: float
    f1: float
    each_exact: list[float]
    each_f1: list[float]


def score_answers(texts: Iterable[str], examples: Iterable[ReadingExample]) -> ReadingScores:
    """One text for each example, "" for "no answer", against its truths; ValueError for unequal numbers."""
    texts, examples = list(read_in_order(texts, "the texts")), check_reading(examples)
    if len(texts) != len(examples):
        raise ValueError(f"{len(texts)} texts for {len(examples)} questions: give one for each")
    exact = [exact_match(text, each.truths) for text, each in zip(texts, examples, strict=True)]
    f1 = [f1_score(text, each.truths) for text, each in zip(texts, examples, strict=True)]
    return ReadingScores(sum(exact) / len(exact), sum(f1) / len(f1), exact, f1)


def choose_threshold(answers: Sequence[SpanAnswer], examples: Iterable[ReadingExample]) -> float:
    """The threshold of `answer_texts` with the highest exact match; choose it on questions kept for that."""
    examples = check_reading(examples)
    texts = score_answers([answer.text for answer in answers], examples).each_exact
    silent = [exact_match("", example.truths) for example in examples]
    right, best = sum(texts), (sum(texts), -math.inf)
    rows = sorted(zip(answers, texts, silent, strict=True), key=lambda row: row[0].margin)
    for place, (answer, text, nothing) in enumerate(rows):  # one more question is not answered
        right += nothing - text
        following = rows[place + 1][0].margin if place + 1 < len(rows) else answer.margin + 1
        if right > best[0] and following > answer.margin:
            best = right, (answer.margin + following) / 2
    return best[1]
