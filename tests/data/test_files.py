"""Files: written whole or not at all."""

import errno

import pytest

from helpers.data import files
from helpers.data.files import DataError


def test_full_disk_leaves_the_file_of_before(tmp_path, monkeypatch):
    def fail(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "articles.jsonl"
    files.write_atomically(path, b"before")
    monkeypatch.setattr(files.os, "fsync", fail)
    with pytest.raises(DataError, match="no room left on the disk"):
        files.write_atomically(path, b"after")
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"before"]
