"""The course's own text: Wikipedia articles and rated sentences, and what of them is held out.

Support code. The stored run on real text was trained on it, so it stays as it is.
"""

import random
from collections.abc import Iterable, Iterator, Sequence

from helpers import data
from helpers.training.overlap import Sentences

__all__ = [
    "DOMAINS",
    "HELD_OUT",
    "articles",
    "documents",
    "held_out_articles",
    "held_out_reviews",
    "in_hundreds",
    "reviews",
    "unseen_reviews",
]

# Articles on which the long run is measured; they are in no training text, nor in that of the tokenizer.
HELD_OUT = (
    "Aardvark", "Abacus", "Acid", "Aikido", "Alphabet", "Altruism", "Andorra", "Animal Farm", "Asphalt",
    "Astronaut",
)  # fmt: skip
DOMAINS = ("movies", "products", "editorials", "tweets")


def documents() -> list[str]:
    """Wikipedia without `HELD_OUT`, and the training split of all reviews, shuffled.

    So every shard of rows has some of each kind.
    """
    found = [article.text for article in articles()]
    for sentences in reviews():
        found += in_hundreds(sentences)
    random.Random(0).shuffle(found)
    return found


def articles() -> list[data.Article]:
    """Wikipedia without `HELD_OUT`."""
    return [article for article in data.wikipedia() if article.title not in HELD_OUT]


def reviews() -> list[list[str]]:
    """The training sentences of each domain.

    A sentence that has one of the validation or test split inside it, of five words or more, is left out.
    """
    splits = [data.reviews(domain) for domain in DOMAINS]
    unseen = Sentences(unseen_reviews(splits))
    return [[r.text for r in split["train"] if not unseen.are_inside(r.text)] for split in splits]


def unseen_reviews(splits: Iterable[dict[str, list[data.Review]]]) -> list[str]:
    """The validation and test sentences of all domains, each as `data.reviews` gives it."""
    return [r.text for split in splits for name in ("validation", "test") for r in split[name]]


def held_out_articles() -> list[str]:
    return [article.text for article in data.wikipedia() if article.title in HELD_OUT]


def held_out_reviews() -> list[str]:
    """The validation split of all domains."""
    splits = (data.reviews(domain)["validation"] for domain in DOMAINS)
    return [text for split in splits for text in in_hundreds([review.text for review in split])]


def in_hundreds(sentences: Sequence[str]) -> Iterator[str]:
    """Documents of a hundred sentences, a line each."""
    for start in range(0, len(sentences), 100):
        yield "\n".join(sentences[start : start + 100])
