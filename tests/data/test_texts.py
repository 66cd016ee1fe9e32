"""What the real data are (fetched by `make lab` and `make test`, or here), and how their texts are read."""

import json
import re
import tarfile
from collections import Counter
from itertools import pairwise

import pytest
from small_packages import ROOT, sha256

from helpers import data
from helpers.data import gutenberg, rated_sentences, wikitext
from helpers.data.paragraphs import misaligned

# Wikitext


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("'''Bold''' and ''italic'' [[link]]s, [[page|a name]].", "Bold and italic links, a name."),
        ("One.\nStill one.\n\n== Heading ==\nTwo.", "One. Still one.\n\nTwo."),
        ("Before.\n* item one.\n# item two.\n: indented.\nAfter.", "Before.\n\nAfter."),
        ("Text.<ref>{{cite web|title=x}}</ref> More.<ref name=a/>", "Text. More."),
        ("[[File:x.png|thumb|A [[caption]].]]\nText.\n[[Category:Things]]\n[[fr:Chose]]", "Text."),
        ("{| class=x\n! head\n|-\n| cell.\n|}\nText.", "Text."),
        ("He ({{IPA-en|x}}; {{lang|el|ἀρχή}}; {{born}}) ran {{convert|5|mi|km}}.", "He (ἀρχή) ran 5 mi."),
        ("Ada ( {{x}}; {{y}} ) is {{convert|55|to|80|cm}} long .", "Ada is 55 to 80 cm long."),
        ("Fish&nbsp;&amp; chips<!-- no --> cost <math>x^2</math> H<sub>2</sub>O.", "Fish & chips cost H2O."),
        ("{{Infobox|a=b\n|c=d}}\n\nMay refer to:\n* [[A]]", ""),
    ],
)
def test_wikitext_becomes_prose(source, text):
    assert wikitext.plain_text(source) == text


# Books: what a file of the package looks like, and what is kept of it

BOOK = """[A Book by Somebody 1900]

To the reader, who should not be here at all.

CHAPTER I

THE FIRST TITLE

[Illustration: a tree.]

It was late--very late, and
the _old_ clock had
stopped.

"No?" she said.

   A verse that is set off,
   And has another line.

  A letter, which is also set off
  but which is prose for all that, since its lines
  begin with small letters.

    *    *    *

CHAPTER II

THE SECOND TITLE

He left.

FINIS

*** END OF THE PROJECT GUTENBERG EBOOK A BOOK ***

CHAPTER III

You may copy it.
"""


def chapters_of(text, heading=r"CHAPTER [IVXL]+", title_follows=True):
    return list(gutenberg._chapters(text, gutenberg._Form("", "", 1900, heading, title_follows)))


def test_a_book_becomes_chapters_of_joined_paragraphs():
    letter = "A letter, which is also set off but which is prose for all that, since its lines begin"
    assert chapters_of(BOOK) == [
        'It was late—very late, and the old clock had stopped.\n\n"No?" she said.\n\n'
        f"{letter} with small letters.",
        "He left.",
    ]


def test_a_play_in_a_book_is_left_out():
    text = "THE TREE.\n\nIt was an old tree.\n\nTHE KING.\n\nSCENE I.\n\nKing. I am the king of them.\n"
    assert chapters_of(text, r"THE [A-Z]+\.", title_follows=False) == ["It was an old tree."]


# The real data (fetched by `make lab` and `make test`, or here)

COUNTS = {  # rows, then sentences in train, validation and test
    "movies": (10_605, 7_432, 1_021, 2_150),
    "products": (3_708, 2_579, 383, 725),
    "editorials": (5_190, 3_557, 503, 1_059),
    "tweets": (4_200, 2_833, 434, 778),
}
CHECKSUMS = {
    "movies": "6f702fdf23a8d45f ff7afd623065f281 88ffc7f01f510ba9",
    "products": "a9da40c35e3a5e70 ec9bca2379f1ea49 a4d10a3ea08c0b4c",
    "editorials": "abfb550f121c783d c683153261309eec c805efba15c78af6",
    "tweets": "43fe83bf17e53c00 b4dad194161a09b6 5a2d92929b96334f",
}


@pytest.fixture(scope="module")
def all_reviews():
    return {domain: data.reviews(domain) for domain in COUNTS}


@pytest.fixture(scope="module")
def articles():
    return data.wikipedia()


def test_minilm_is_the_well_known_checkpoint():
    folder = data.fetch("minilm")
    assert data.verify("minilm") == []
    vocabulary = (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()
    assert len(vocabulary) == 30_522 and vocabulary[103] == "[MASK]"
    config = json.loads((folder / "config.json").read_text())
    assert (config["num_hidden_layers"], config["hidden_size"], config["num_attention_heads"]) == (6, 384, 12)


def test_wikipedia_is_the_stated_slice(articles):
    dump = data.fetch("wikipedia") / data.CATALOGUE["wikipedia"].members[0].name
    pages = list(wikitext.articles(dump))
    assert len(pages) == 106 and pages[0][0] == "Anarchism"
    assert len(articles) == 103  # three pages are nothing but lists
    assert {title for title, _ in pages} - {article.title for article in articles} == {
        "Ada",
        "Alien",
        "List of anthropologists",
    }


def test_wikipedia_text_is_prose(articles):
    text = "\n\n".join(article.text for article in articles)
    assert 2_500_000 < len(text) < 2_570_000
    assert 395_000 < len(text.split()) < 405_000
    markup = "[[ ]] {{ }} {| <ref </ == '' &nbsp; http Category: File:".split()
    assert [mark for mark in [*markup, "( ", " )", " ,"] if mark in text] == []
    assert "\n\n\n" not in text and "\x00" not in text


def test_wikipedia_is_read_from_the_cache_in_no_time(articles, monkeypatch, capsys):
    monkeypatch.setattr("helpers.data.articles._parse", None)  # would fail if the dump were parsed again
    assert data.wikipedia() == articles
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("domain", COUNTS)
def test_reviews_have_the_stated_counts(all_reviews, domain):
    rows, *counts = COUNTS[domain]
    assert len(rated_sentences._rated_sentences(rated_sentences._REVIEW_FILES[domain])) == rows
    assert [len(split) for split in all_reviews[domain].values()] == counts
    assert list(all_reviews[domain]) == ["train", "validation", "test"]
    for count, share in zip(counts, (0.7, 0.1, 0.2), strict=True):
        assert abs(count / sum(counts) - share) < 0.02


@pytest.mark.parametrize("domain", COUNTS)
def test_splits_stay_what_they_are(all_reviews, domain):
    splits = all_reviews[domain].values()
    texts = ["\n".join(sorted(review.text for review in split)) for split in splits]
    assert [sha256(text.encode())[:16] for text in texts] == CHECKSUMS[domain].split()


def test_no_sentence_is_in_two_splits_of_any_domain(all_reviews):
    sentences = {"train": set(), "validation": set(), "test": set()}
    for domain in all_reviews.values():
        keys = [data.normalized(review.text) for split in domain.values() for review in split]
        assert len(keys) == len(set(keys)) and "" not in keys  # nor twice in one domain
        for name, split in domain.items():
            sentences[name] |= {data.normalized(review.text) for review in split}
    assert not sentences["train"] & sentences["validation"]
    assert not sentences["train"] & sentences["test"]
    assert not sentences["validation"] & sentences["test"]


def test_sentences_that_differ_in_case_space_or_punctuation_share_a_split():
    assert data.normalized("  It's GOOD -- really!") == "it s good really"
    assert data.split_of("It's GOOD!") == data.split_of("it's good")


def test_rating_is_the_mean_of_single_ratings_and_decides_the_label(all_reviews):
    for domain in all_reviews.values():
        for review in (review for split in domain.values() for review in split):
            assert review.rating == pytest.approx(sum(review.ratings) / len(review.ratings))
            assert len(review.ratings) >= 15 and all(-4 <= rating <= 4 for rating in review.ratings)
            assert review.label == (None if review.rating == 0 else int(review.rating > 0))
            assert review.text == review.text.strip() != "" and "\t" not in review.text


@pytest.mark.parametrize("domain", COUNTS)
def test_published_means_agree_with_the_single_ratings_but_for_199_tweets(domain):
    stem = rated_sentences._REVIEW_FILES[domain]
    sentences = rated_sentences._rated_sentences(stem)
    with tarfile.open(data.fetch("reviews") / "hutto_ICWSM_2014.tar.gz") as archive:
        content = archive.extractfile(f"hutto_ICWSM_2014/{stem}_GroundTruth.txt").read().decode("utf-8-sig")
    published = [float(line.split("\t")[1]) for line in content.split("\r\n") if line]
    means = [sum(ratings) / len(ratings) for _, ratings in sentences]
    differing = [(a, b) for a, b in zip(published, means, strict=True) if abs(a - b) > 1e-3]
    assert len(differing) == (199 if domain == "tweets" else 0)
    assert all(a * b > 0 for a, b in differing)  # no label depends on which one is used


BOOKS = {  # chapters, words
    "Emma": (55, 157_804),
    "Persuasion": (24, 83_250),
    "Sense and Sensibility": (50, 118_437),
    "Stories to Tell to Children": (47, 44_011),
    "The Adventures of Buster Bear": (23, 15_450),
    "Alice's Adventures in Wonderland": (12, 25_486),
    "The Ball and the Cross": (20, 79_242),
    "The Wisdom of Father Brown": (12, 71_517),
    "The Man Who Was Thursday": (15, 57_326),
    "The Parent's Assistant": (13, 147_419),
    "Moby Dick": (136, 207_401),
}


@pytest.fixture(scope="module")
def all_books():
    return data.books()


def test_books_have_the_stated_chapters_and_words(all_books):
    counts = {book.title: (len(book.chapters), len(" ".join(book.chapters).split())) for book in all_books}
    assert counts == BOOKS
    readme = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    for title, (chapters, words) in BOOKS.items():
        assert re.search(rf"^\| {re.escape(title)}, .* \| {chapters} \| {words:,} \|", readme, re.M), title


def test_books_are_prose_without_page_furniture(all_books):
    paragraphs = [text for book in all_books for chapter in book.chapters for text in chapter.split("\n\n")]
    assert len(paragraphs) > 15_000 and not [text for text in paragraphs if "\n" in text or "  " in text]
    wrong = r"Gutenberg|eBook|^CHAPTER|^Chapter|^VOLUME|\[Illustration|--|[_|{}<~]|FINIS|THE END"
    assert [text for text in paragraphs if re.search(wrong, text)] == []
    sizes = sorted(len(text) for text in paragraphs)
    assert 100 < sizes[len(sizes) // 2] < 400 and sizes[-1] < 15_000  # a letter in Emma


def test_leads_are_the_stated_ones():
    leads = data.leads()
    assert len(leads) == len({lead.title for lead in leads}) == 10_033
    assert 770_000 < sum(len(lead.text.split()) for lead in leads) < 780_000
    titles = {lead.title: lead.text for lead in leads}
    assert titles["Charisma"] == "Charisma is a personal quality of magnetic charm, persuasion, or appeal."
    assert all(lead.text and lead.text == " ".join(lead.text.split()) for lead in leads)
    marks = ("( ", "()", " ,", "\u200b", "<", "{{")
    assert sum(any(mark in lead.text for mark in marks) for lead in leads) < 10


LABELLED = {  # rows, different ones, those of the smallest class, the SHA-256 of all columns
    "messages": (5_574, 5_130, 747, "66af6207f7c0289f"),
    "questions": (15_452, 5_376, 241, "ab6c7e764b813176"),
}


@pytest.mark.parametrize("name", LABELLED)
def test_labelled_texts_are_the_stated_ones(name):
    rows = getattr(data, name)()
    smallest = min(Counter(row.label for row in rows).values())
    digest = sha256("\n".join("\t".join(row) for row in rows).encode())[:16]
    assert (len(rows), len({data.normalized(row.text) for row in rows}), smallest, digest) == LABELLED[name]
    readme = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    assert re.search(rf"^\| `{name}\(\)` \| {len(rows):,} \| {LABELLED[name][1]:,} \|", readme, re.M)


def test_messages_have_no_line_of_the_file_inside_and_end_where_the_file_ends():
    messages = data.messages()
    assert not [message for message in messages if "\n" in message.text or "\t" in message.text]
    assert messages[0].text.startswith("Go until jurong point, crazy..") and messages[0].label == "ham"
    assert messages[-1].text == "Rofl. Its true to its name"


def test_questions_are_five_training_sets_each_inside_the_next():
    questions, sets, start = data.questions(), [], 0
    for size in (1_000, 2_000, 3_000, 4_000, 5_452):
        sets.append({question.text for question in questions[start : start + size]})
        start += size
    assert start == len(questions) and all(one < other for one, other in pairwise(sets))
    assert {question.fine.split(":")[0] for question in questions} == {
        question.label for question in questions
    }


@pytest.fixture(scope="module")
def asked():
    return data.question_paragraphs()


ASKED = {"train": (62, 2_344, 12_131), "validation": (15, 596, 2_859), "test": (19, 708, 3_511)}


def test_questions_have_the_stated_counts(asked):
    readme = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    for name, counts in ASKED.items():
        split = asked[name]
        titles = {paragraph.title for paragraph in split}
        assert (len(titles), len(split), sum(len(p.questions) for p in split)) == counts
        assert re.search(rf"^\| {name} \| {counts[0]} \| {counts[1]:,} \| {counts[2]:,} \|", readme, re.M), (
            name
        )


def test_no_article_and_no_paragraph_is_in_two_splits_of_the_questions(asked):
    for part in ("title", "text"):
        seen = [{getattr(paragraph, part) for paragraph in split} for split in asked.values()]
        assert sum(map(len, seen)) == len(set.union(*seen))
    for name, split in asked.items():
        assert {data.split_of(paragraph.title) for paragraph in split} == {name}


def test_answers_stand_where_they_are_said_to_stand(asked):
    found = [question for split in asked.values() for paragraph in split for question in paragraph.questions]
    assert len(found) == len({question.id for question in found}) == 18_501
    for paragraph in (paragraph for split in asked.values() for paragraph in split):
        for question in paragraph.questions:
            assert question.answers and question.text == question.text.strip() != ""
            for answer in question.answers:
                end = answer.start + len(answer.text)
                assert paragraph.text[answer.start : end] == answer.text != ""
    left_out = misaligned()
    assert len(left_out) == 23 and all(there != answer.text for _, there, answer in left_out)
    assert "Marxism–Leninism" in {paragraph.title for paragraph in asked["test"]}


PAPERS = {  # papers, sentences, those marked for each aspect, the SHA-256 of all there is
    "train": (100, 3_868, 455, 723, 459, "c8f8e693bd8fb0b3"),
    "validation": (50, 1_978, 196, 324, 217, "9f0dcdc1aed5088d"),
    "test": (100, 3_766, 414, 605, 435, "e27a0cde2a710c7d"),
}


@pytest.fixture(scope="module")
def all_papers():
    return data.papers()


@pytest.mark.parametrize("part", PAPERS)
def test_papers_are_the_stated_ones(all_papers, part):
    sentences = [sentence for paper in all_papers[part] for sentence in paper.sentences]
    marked = Counter(aspect for sentence in sentences for aspect in sentence.aspects)
    digest = sha256(json.dumps(all_papers[part]).encode())[:16]
    counts = (len(all_papers[part]), len(sentences), *(marked[aspect] for aspect in data.ASPECTS))
    assert (*counts, digest) == PAPERS[part]
    readme = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    assert f"| {part} | {' | '.join(f'{count:,}' for count in counts)} |" in readme


def test_papers_have_all_their_parts_and_none_is_in_two_splits(all_papers):
    every = [paper for part in all_papers.values() for paper in part]
    assert len({paper.id for paper in every}) == len({data.normalized(p.title) for p in every}) == 250
    for paper in every:
        assert [section for section in data.SECTIONS if section in {s.section for s in paper.sentences}] == [
            *data.SECTIONS
        ]
        assert all(9 <= len(paper.summaries[aspect].split()) <= 25 for aspect in data.ASPECTS)
    where = {}
    for part, found in all_papers.items():
        for paper in found:
            for sentence in paper.sentences:
                where.setdefault(data.normalized(sentence.text), set()).add(part)
    assert sum(len(parts) > 1 for parts in where.values()) == 17


def test_downloads_and_disk_use_keep_their_promises(articles):
    for on_demand, most in ((False, 130e6), (True, 450e6)):
        names = [name for name, package in data.CATALOGUE.items() if package.on_demand == on_demand]
        assert sum(data.CATALOGUE[name].archive_size for name in names) < most
        kept = [path for name in names for path in data.fetch(name).iterdir()]
        assert sum(path.stat().st_size for path in kept if path.suffix != ".safetensors") < 32e6
