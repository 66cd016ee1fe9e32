"""Questions that people asked about paragraphs of Wikipedia, with the answers that others marked in them."""

import json
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote

from helpers.data.catalogue import CATALOGUE
from helpers.data.fetching import fetch, read_checked
from helpers.data.files import unexpected
from helpers.data.rated_sentences import split_of

__all__ = ["Answer", "AnsweredQuestion", "Paragraph", "misaligned", "question_paragraphs"]


class Answer(NamedTuple):
    """An answer: the characters `start` to `start + len(text)` of the paragraph, which are `text`."""

    text: str
    start: int


class AnsweredQuestion(NamedTuple):
    """A question and what one person or more marked as its answer, often the same words."""

    id: str
    text: str
    answers: tuple[Answer, ...]


class Paragraph(NamedTuple):
    """A paragraph of the Wikipedia article `title`, and the questions that were asked about it."""

    title: str
    text: str
    questions: tuple[AnsweredQuestion, ...]


def question_paragraphs() -> dict[str, list[Paragraph]]:
    """Paragraphs with their questions: "train", "validation", "test", each with articles of its own.

    96 articles, 3,648 paragraphs, 18,501 questions; the split is that of the article's title (`split_of`), so
    about 70, 10 and 20 % of the articles. Answers that do not stand where the file says are left out
    (`misaligned` has them), so every `Answer` fits its paragraph. Fetched at the first call: 358 MB, of which
    14 MB are kept. Whoever made the files asks that they never become pretraining text. Raises DataError.
    Source: Rajpurkar et al. (2016), the development set of SQuAD 1.1; Miller et al. (2020), "New Wikipedia".
    """
    splits = {"train": [], "validation": [], "test": []}
    for title, text, asked in _entries():
        kept = [
            AnsweredQuestion(id_, words, tuple(answer for answer in answers if _fits(answer, text)))
            for id_, words, answers in asked
        ]
        splits[split_of(title)].append(Paragraph(title, text, tuple(q for q in kept if q.answers)))
    return splits


def misaligned() -> list[tuple[str, str, Answer]]:
    """What `question_paragraphs` leaves out: (question id, what stands there instead, answer)."""
    return [
        (id_, text[max(answer.start, 0) :][: len(answer.text)], answer)
        for _, text, asked in _entries()
        for id_, _, answers in asked
        for answer in answers
        if not _fits(answer, text)
    ]


def _fits(answer: Answer, text: str) -> bool:
    return bool(answer.text) and answer.start >= 0 and text.startswith(answer.text, answer.start)


def _entries() -> Iterator[tuple[str, str, list[tuple[str, str, list[Answer]]]]]:
    """(title, paragraph, [(id, question, answers)]) in the order of the files, as they are there."""
    fetch("questions")
    for member in CATALOGUE["questions"].members:
        try:
            for article in json.loads(read_checked("questions", member).decode("utf-8-sig"))["data"]:
                title = unquote(article["title"]).replace("_", " ")
                for paragraph in article["paragraphs"]:
                    asked = [
                        (asked["id"], " ".join(asked["question"].split()), _answers(asked))
                        for asked in paragraph["qas"]
                    ]
                    yield title, paragraph["context"], asked
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise unexpected("questions", f"{member.name} holds no questions ({error!r})") from error


def _answers(asked: dict) -> list[Answer]:
    return [Answer(answer["text"], answer["answer_start"]) for answer in asked["answers"]]
