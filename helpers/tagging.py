"""Tagging: a linear layer on BERT's vector of every token, one label for each word, at its first piece.

What goes with it: from words with tags to labels of pieces, windows for long texts, from pieces back to words
and characters, scores by tag and by entity. Left out: a conditional random field on top, nested entities.
"""

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

from helpers.classification import FineTuning, length_buckets
from helpers.encoder import Bert, evaluating, initialize_weights
from helpers.pretraining import IGNORE, check_tokenizer, precise, update_weights
from helpers.wordpiece import (
    Encoding,
    WordPieceTokenizer,
    check_number,
    check_text,
    pad_encodings,
    read_in_order,
)

__all__ = [
    "CASES",
    "case_of",
    "in_case",
    "TaggedText",
    "restore",
    "BertForTagging",
    "places_of_first_pieces",
    "first_piece_labels",
    "check_tagged",
    "windows",
    "Window",
    "cut_into_windows",
    "window_batches",
    "tagging_loss",
    "training_windows",
    "fine_tune_tagger",
    "most_context",
    "window_logits",
    "tag_logits",
    "predict_tags",
    "Scores",
    "tag_scores",
    "bio_tags",
    "entities_of",
    "entity_scores",
]

CASES = ("lower", "Capital", "UPPER", "miXed")


def case_of(word: str) -> str:
    """How the letters of a word are written, one of `CASES`; "lower" for a word without capital letters.

    A single letter is "lower" or "Capital". The classes are those of Lita et al. 2003.
    """
    letters = [letter for letter in word if letter.isalpha()]
    if not any(letter.isupper() for letter in letters):
        return "lower"
    if letters[0].isupper() and not any(letter.isupper() for letter in letters[1:]):
        return "Capital"
    return "UPPER" if all(letter.isupper() for letter in letters) else "miXed"


def in_case(word: str, case: str, spellings: Mapping[str, str] = {}) -> str:
    """A lower-case word in the case that a tag names.

    "miXed" does not say which letters: `spellings` may know ({"mcdonald": "McDonald"}), else the first one.
    """
    if case == "miXed" and word in spellings:
        return spellings[word]
    if case == "UPPER":
        return word.upper()
    first = next((place for place, letter in enumerate(word) if letter.isalpha()), 0)
    if case in ("Capital", "miXed"):
        return word[:first] + word[first : first + 1].upper() + word[first + 1 :]
    return word


class TaggedText(NamedTuple):
    """A text, where its words stand ([begin, end) in characters, in order), and a tag for each of them.

    Characters between the words, such as spaces and marks, have no tag.
    """

    text: str
    spans: list[tuple[int, int]]
    tags: list[int]  # 0 to C - 1


def restore(
    text: str, spans: Sequence[tuple[int, int]], cases: Sequence[str], stops: Sequence[str] | None = None,
    spellings: Mapping[str, str] = {},
) -> str:  # fmt: skip
    """The text with the words in their cases and, if given, what stands in `stops` right after each word.

    Everything between the words stays. A stop is written only where white space or the end follows.
    """
    stops = [""] * len(spans) if stops is None else stops
    made, done = "", 0
    for (begin, end), case, stop in zip(spans, cases, stops, strict=True):
        made += text[done:begin] + in_case(text[begin:end], case, spellings)
        made += stop if not text[end : end + 1].strip() else ""
        done = end
    return made + text[done:]


class BertForTagging(nn.Module):
    """BERT with a linear layer on the vector of every token: ids (B, T) -> logits (B, T, C) for C tags.

    Devlin et al. 2018, section 5.3. ids, type_ids and attention_mask as in `Bert`, whose pooler has no part
    in it. labels: the names of the tags, if they have any. ValueError as `BertForClassification`.
    """

    def __init__(
        self, bert: Bert, num_tags: int, dropout: float = 0.1, *, labels: Sequence[str] | None = None
    ):
        super().__init__()
        if num_tags < 2:
            raise ValueError(f"a tagger needs at least 2 tags, not {num_tags}")
        if labels is not None:
            labels = (labels,) if isinstance(labels, str) else tuple(read_in_order(labels, "the labels"))
            if not len(labels) == len(set(labels)) == num_tags:
                raise ValueError(f"{num_tags} tags need as many names, all different, not {labels!r}")
        self.labels = labels
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(bert.config.hidden_size, num_tags)
        initialize_weights(self, bert.config.init_std)
        self.bert = bert  # added last, so that its weights are not drawn anew

    def forward(self, ids, type_ids=None, attention_mask=None) -> torch.Tensor:
        hidden = self.bert(ids, type_ids, attention_mask).last_hidden_state  # (B, T, H)
        return self.classifier(self.dropout(hidden))  # (B, T, C)


def places_of_first_pieces(
    offsets: Sequence[tuple[int, int]], spans: Sequence[tuple[int, int]]
) -> list[int | None]:
    """For each word the number of the first token that begins inside it; None where no token does.

    offsets: [begin, end) of every token in the text, empty for special tokens; both in order.
    """
    found, place = [], 0
    for begin, end in spans:
        while place < len(offsets) and (offsets[place][0] < begin or offsets[place][0] == offsets[place][1]):
            place += 1
        found.append(place if place < len(offsets) and offsets[place][0] < end else None)
    return found


def first_piece_labels(
    offsets: Sequence[tuple[int, int]], spans: Sequence[tuple[int, int]], tags: Sequence[int]
) -> list[int]:
    """A label for each token: a word's tag at its first piece, `IGNORE` everywhere else."""
    labels = [IGNORE] * len(offsets)
    for place, tag in zip(places_of_first_pieces(offsets, spans), tags, strict=True):
        if place is not None:
            labels[place] = tag
    return labels


def check_tagged(examples: Iterable[TaggedText], num_tags: int) -> list[TaggedText]:
    """The examples as a list; ValueError for spans that are no words of the text, and tags outside 0..C-1."""
    examples = [TaggedText(*example) for example in read_in_order(examples, "the examples")]
    for row, (text, spans, tags) in enumerate(examples):
        where = f"example {row} (from 0)"
        check_text(text, f"the text of {where}")
        if len(spans) != len(tags):
            raise ValueError(f"{where} has {len(spans)} words, but {len(tags)} tags: give one for each word")
        edges = [0, *(edge for span in spans for edge in span), len(text)]
        if any(later < earlier for earlier, later in zip(edges, edges[1:], strict=False)):
            raise ValueError(f"{where}: spans must lie in the text of {len(text)} characters, in order")
        wrong = [tag for tag in tags if tag not in range(num_tags)]
        if wrong:
            raise ValueError(f"{where}: tags must be 0 to {num_tags - 1}, not {wrong[0]!r}")
    return examples


def windows(count: int, size: int, overlap: int = 0) -> list[tuple[int, int]]:
    """[begin, end) of windows of at most `size` places over `count`; neighbors share `overlap` of them.

    ValueError unless 0 <= overlap < size.
    """
    check_number("size", size, 1, whole=True)
    check_number("overlap", overlap, 0, size, whole=True)
    starts = range(0, max(count - overlap, min(count, 1)), size - overlap)
    return [(start, min(start + size, count)) for start in starts]


class Window(NamedTuple):
    """A part of an encoded text that a model reads alone: [CLS], the pieces begin to end, [SEP]."""

    encoding: Encoding
    labels: list[int]  # one for each token of the encoding, IGNORE where nothing is asked
    begin: int  # among the pieces of the whole text, without [CLS]
    end: int


def cut_into_windows(
    example: TaggedText, tokenizer: WordPieceTokenizer, max_length: int, overlap: int = 0
) -> list[Window]:
    """The windows of a text, each of at most max_length tokens; offsets stay those of the whole text.

    Labels are found before the text is cut: a window may begin in the middle of a word.
    """
    whole = tokenizer.encode(example.text)
    labels = first_piece_labels(whole.offsets, example.spans, example.tags)

    def part(values: list, begin: int, end: int) -> list:
        return [values[0], *values[1 + begin : 1 + end], values[-1]]

    found = []
    for begin, end in windows(len(whole.ids) - 2, max_length - 2, overlap):
        lists = (whole.ids, whole.type_ids, whole.attention_mask, whole.tokens, whole.offsets)
        encoding = Encoding(*(part(values, begin, end) for values in lists))
        found.append(Window(encoding, part(labels, begin, end), begin, end))
    return found


def window_batches(
    cut: Sequence[Window], batch_size: int, tokenizer: WordPieceTokenizer
) -> Iterator[tuple[dict[str, torch.Tensor], torch.Tensor]]:
    """All windows once, in the batches of `length_buckets`: inputs and labels, each (B, T)."""
    for indices in length_buckets([len(window.labels) for window in cut], batch_size):
        chosen = [cut[index] for index in indices]
        batch = pad_encodings([window.encoding for window in chosen], tokenizer.id_of["[PAD]"])
        length = batch["ids"].shape[1]
        rows = [window.labels + [IGNORE] * (length - len(window.labels)) for window in chosen]
        yield batch, torch.tensor(rows)


def tagging_loss(model: BertForTagging, batch: dict[str, torch.Tensor], labels: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy in nats over the tokens with a label (B, T) that is not `IGNORE`.

    ValueError if there is no such token: the mean of nothing is no number.
    """
    if not (labels != IGNORE).any():
        raise ValueError("no token of the batch has a label: leave such a batch out")
    device = next(model.parameters()).device
    logits = model(**{name: values.to(device) for name, values in batch.items()})  # (B, T, C)
    return functional.cross_entropy(logits.flatten(0, 1), labels.to(device).flatten(), ignore_index=IGNORE)


def training_windows(
    examples: Iterable[TaggedText], tokenizer: WordPieceTokenizer, num_tags: int, max_length: int
) -> list[Window]:
    """All windows with a label; ValueError as `check_tagged`, and if there is none."""
    examples = check_tagged(examples, num_tags)
    cut = [window for example in examples for window in cut_into_windows(example, tokenizer, max_length)]
    cut = [window for window in cut if set(window.labels) != {IGNORE}]
    if not cut:
        raise ValueError("there is nothing to learn from: give at least one text with a tagged word")
    return cut


def fine_tune_tagger(
    model: BertForTagging, examples: Iterable[TaggedText], tokenizer: WordPieceTokenizer,
    plan: FineTuning, on_step: Callable[[int, float], None] = lambda *_: None,
) -> list[float]:  # fmt: skip
    """Fine-tune for the plan's epochs (its patience is not used); returns the loss of each step.

    The model ends in evaluation mode. ValueError as `check_tokenizer` and `training_windows`.
    """
    check_tokenizer(tokenizer, model)
    cut = training_windows(examples, tokenizer, model.classifier.out_features, plan.max_length)
    torch.manual_seed(plan.seed)
    optimizer, schedule = plan.optimizer(model, plan.epochs * math.ceil(len(cut) / plan.batch_size))
    losses = []
    model.train()
    try:
        for _ in range(plan.epochs):
            for batch, labels in window_batches(cut, plan.batch_size, tokenizer):
                loss = tagging_loss(model, batch, labels)
                update_weights(model, loss, optimizer, schedule, len(losses) + 1)
                losses.append(loss.item())
                on_step(len(losses), losses[-1])
    finally:  # also when a step breaks off
        model.eval()
    return losses


def most_context(place: int, spans: Sequence[tuple[int, int]]) -> int:
    """The number of the window in which a place has most neighbors on its poorer side; the first of equals.

    Devlin et al. 2018 choose so among overlapping windows (run_squad.py of google-research/bert).
    """
    rooms = [min(place - begin, end - 1 - place) for begin, end in spans]
    return max(range(len(rooms)), key=rooms.__getitem__)


@torch.no_grad()
def window_logits(
    model: BertForTagging, cut: Sequence[Window], tokenizer: WordPieceTokenizer
) -> list[torch.Tensor]:
    """The logits of each window's tokens, padding included, computed in batches of similar length."""
    device, found = next(model.parameters()).device, [torch.empty(0)] * len(cut)
    order = sorted(range(len(cut)), key=lambda index: len(cut[index].labels))
    with evaluating(model):
        for start in range(0, len(order), 32):
            chosen = order[start : start + 32]
            batch = pad_encodings([cut[index].encoding for index in chosen], tokenizer.id_of["[PAD]"])
            logits = model(**{name: values.to(device) for name, values in batch.items()})  # (B, T, C)
            for index, rows in zip(chosen, precise(logits.cpu()), strict=True):
                found[index] = rows
    return found


def tag_logits(
    model: BertForTagging, examples: Iterable[tuple[str, Sequence]], tokenizer: WordPieceTokenizer,
    max_length: int = 128, overlap: int = 32,
) -> list[torch.Tensor]:  # fmt: skip
    """For each text, with the spans of its words, the logits (words, C); zeros for a word without a piece.

    A word is answered in the window where it has the `most_context`. The model stays as it was, the mode of
    every part included. ValueError as `check_tokenizer`, `check_tagged`.
    """
    check_tokenizer(tokenizer, model)
    blank = check_tagged((TaggedText(text, s, [0] * len(s)) for text, s, *_ in examples), 1)
    cut = [cut_into_windows(example, tokenizer, max_length, overlap) for example in blank]
    answers, found = iter(window_logits(model, [w for parts in cut for w in parts], tokenizer)), []
    for (text, spans, _), parts in zip(blank, cut, strict=True):
        logits = [next(answers) for _ in parts]
        rows = torch.zeros(len(spans), model.classifier.out_features)
        reach = [(window.begin, window.end) for window in parts]
        for word, place in enumerate(places_of_first_pieces(tokenizer.encode(text).offsets, spans)):
            if place is not None:  # place 0 is [CLS]
                best = most_context(place - 1, reach)
                rows[word] = logits[best][place - reach[best][0]]
        found.append(rows)
    return found


def predict_tags(
    model: BertForTagging, examples: Iterable[tuple[str, Sequence]], tokenizer: WordPieceTokenizer,
    max_length: int = 128, overlap: int = 32,
) -> list[list[int]]:  # fmt: skip
    """The likeliest tag of every word of every text; arguments and errors as `tag_logits`."""
    found = tag_logits(model, examples, tokenizer, max_length, overlap)
    return [logits.argmax(dim=-1).tolist() for logits in found]


class Scores(NamedTuple):
    """Precision, recall and their harmonic mean, F1; 0.0 where nothing was found or nothing was there."""

    precision: float
    recall: float
    f1: float

    @classmethod
    def of(cls, right: int, found: int, there: int) -> "Scores":
        return cls(right / found if found else 0.0, right / there if there else 0.0,
                   2 * right / (found + there) if found + there else 0.0)  # fmt: skip


def tag_scores(truth: Sequence, predicted: Sequence, tags: Collection) -> Scores:
    """Scores of some tags together: of one with tags=(1,), of all that matter with the others left out."""
    pairs = list(zip(truth, predicted, strict=True))
    right = sum(true == guessed and true in tags for true, guessed in pairs)
    found, there = (sum(pair[side] in tags for pair in pairs) for side in (1, 0))
    return Scores.of(right, found, there)


def bio_tags(count: int, entities: Iterable[tuple[str, int, int]]) -> list[str]:
    """Entities (kind, begin, end) among `count` words as tags: B-kind at the first, I-kind inside, else O.

    ValueError for entities that overlap or reach beyond the words (Ramshaw and Marcus 1995; here IOB2).
    """
    tags = ["O"] * count
    for kind, begin, end in entities:
        if not 0 <= begin < end <= count or set(tags[begin:end]) != {"O"}:
            raise ValueError(
                f"{kind} from {begin} to {end} overlaps another entity or the {count} words' end"
            )
        tags[begin:end] = [f"B-{kind}"] + [f"I-{kind}"] * (end - begin - 1)
    return tags


def entities_of(tags: Sequence[str]) -> list[tuple[str, int, int]]:
    """The entities (kind, begin, end) that tags name; an I- that continues nothing begins one (conlleval)."""
    found = []
    for place, tag in enumerate(tags):
        start, _, kind = tag.partition("-")
        if start == "I" and found and found[-1][0] == kind and found[-1][2] == place:
            found[-1] = (kind, found[-1][1], place + 1)
        elif start in ("B", "I"):
            found.append((kind, place, place + 1))
    return found


def entity_scores(truth: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> Scores:
    """Scores of whole entities over several texts: kind, first and last word must all be right."""
    right = found = there = 0
    for true, guessed in zip(truth, predicted, strict=True):
        true, guessed = set(entities_of(true)), set(entities_of(guessed))
        right, found, there = right + len(true & guessed), found + len(guessed), there + len(true)
    return Scores.of(right, found, there)
