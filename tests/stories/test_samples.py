"""`python -m helpers.stories`: the committed files, written and compared in whatever state they are."""

import errno
import sys

import pytest

from helpers.stories import samples
from helpers.stories.__main__ import main


@pytest.fixture(scope="module")
def contents():
    return samples.files()


@pytest.fixture
def folder(contents, tmp_path, monkeypatch):
    """The files as they are written anew, in a folder of this test's own; drawn once for all tests."""
    monkeypatch.setattr("helpers.stories.__main__.files", lambda: contents)
    monkeypatch.setattr(samples, "FOLDER", tmp_path / "stories")
    monkeypatch.setattr(sys, "argv", ["stories"])
    assert main() == 0
    monkeypatch.setattr(sys, "argv", ["stories", "--check"])
    return samples.FOLDER


def test_what_is_written_passes_the_check_and_has_no_windows_line_ends(folder, contents, capsys):
    assert main() == 0 and capsys.readouterr() == ("", "")
    assert {path.name: path.read_bytes().decode() for path in folder.iterdir()} == contents


@pytest.mark.parametrize(
    "change",
    [lambda text: b"\xef\xbb\xbf" + text, lambda text: text.replace(b"\n", b"\r\n")],
    ids=["byte order mark", "line ends"],
)
def test_what_editors_add_is_no_difference(folder, change):
    path = folder / "validation.jsonl"
    path.write_bytes(change(path.read_bytes()))
    assert main() == 0


@pytest.mark.parametrize("place", [0, 1, 77, 12_345])
@pytest.mark.parametrize("kind", ["cut", "bit", "empty", "gone", "not utf-8"])
def test_other_content_is_named(folder, capsys, kind, place):
    path = folder / "validation.jsonl"
    content = bytearray(path.read_bytes())
    if kind == "bit":
        content[place] ^= 1
    elif kind == "not utf-8":
        content[place] = 0xFF
    path.write_bytes(content[:place] if kind == "cut" else b"" if kind == "empty" else content)
    if kind == "gone":
        path.unlink()
    assert main() == 1
    assert capsys.readouterr().err == "different from what the generator draws: validation.jsonl\n"


@pytest.mark.parametrize("arguments", [["stories"], ["stories", "--check"]])
def test_a_folder_in_the_place_of_a_file(folder, monkeypatch, capsys, arguments):
    (folder / "validation.jsonl").unlink()
    (folder / "validation.jsonl").mkdir()
    monkeypatch.setattr(sys, "argv", arguments)
    assert main() == 1
    assert "validation.jsonl" in (said := capsys.readouterr().err) and "that it is a file" in said
    assert not list(folder.glob("*.partial"))


def test_a_full_disk_leaves_the_file_of_before(folder, monkeypatch, capsys):
    def fail(*paths):
        raise OSError(errno.ENOSPC, "No space left on device", str(paths[1]))

    before = (folder / "validation.jsonl").read_bytes()
    monkeypatch.setattr(samples.os, "replace", fail)
    monkeypatch.setattr(sys, "argv", ["stories"])
    assert main() == 1
    assert "validation.jsonl" in (said := capsys.readouterr().err) and "Make room" in said
    assert (folder / "validation.jsonl").read_bytes() == before and not list(folder.glob("*.partial"))
