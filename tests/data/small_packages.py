"""Small packages made here, an index that holds them, and a look into the cache."""

import hashlib
import io
import os
import subprocess
import sys
import tarfile
import textwrap
import zipfile
from pathlib import Path

import pytest

from helpers import data
from helpers.data.catalogue import Member, Package

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


def ran(folder: Path) -> Path:
    """The file that is there when a program of a source archive in `folder` ran."""
    return folder.parent / "ran.txt"


def make_source_archive(folder: Path) -> Path:
    """A source archive whose build program, which pip would run for metadata, writes `ran(folder)`."""
    backend = f"""
        open({str(ran(folder))!r}, "w").close()

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


def in_new_process(code: str, package: Package, **options) -> subprocess.Popen:
    """Run `code` in a fresh Python in which "tiny" is in the catalogue."""
    imports = "from helpers import data\nfrom helpers.data.catalogue import Member, Package\n"
    code = imports + code.replace("@tiny", f"data.CATALOGUE['tiny'] = {package!r}")
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "errors": "replace"}
    return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, **pipes, **options)


def assert_nothing_kept() -> None:
    """No file but the lock, and no temporary folder, is in the cache."""
    left = [path for path in data.cache_folder().rglob("*") if path.suffix != ".lock"]
    assert [path for path in left if path != data.cache_folder() / "tiny"] == []


KINDS = ("byte order mark", "line ends", "cut", "bit", "empty", "zeros", "longer", "folder", "gone")


def damage(path: Path, kind: str, place: int) -> None:
    """Spoil a file in one of the KINDS of ways, somewhere that `place` (any number from 0) decides."""
    content = path.read_bytes()
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind != "gone":
        place %= len(content) * 8
        flipped = bytearray(content)
        flipped[place // 8] ^= 1 << place % 8
        spoilt = {
            "byte order mark": b"\xef\xbb\xbf" + content,
            "line ends": content.replace(b"\n", b"\r\n"),
            "cut": content[: place // 8],
            "bit": bytes(flipped),
            "empty": b"",
            "zeros": bytes(len(content)),
            "longer": content + content[: place // 8 + 1],
        }
        path.write_bytes(spoilt[kind])
