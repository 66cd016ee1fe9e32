"""Files made from fetched ones: kept with a record of their content, and made anew unless it fits."""

import hashlib
import json
from pathlib import Path

from helpers.data.files import sha256_of, write_atomically

__all__ = ["damaged_derived", "discard", "read_derived", "write_derived"]

_RECORD = ".record"


def write_derived(path: Path, content: bytes, source: str) -> None:
    """Write lines that were made from the file with the SHA-256 `source`, then their record beside them."""
    record = {"sha256": _digest(content), "rows": content.count(b"\n"), "made_from": source}
    write_atomically(path, content)
    write_atomically(_record(path), (json.dumps(record) + "\n").encode())


def read_derived(path: Path, source: str) -> bytes | None:
    """What `write_derived` wrote there, or None where it must be made anew."""
    record = _read_record(path)
    if record.get("made_from") != source or not path.exists():
        return None
    content = path.read_bytes()
    fits = record.get("sha256") == _digest(content) and record.get("rows") == content.count(b"\n")
    return content if fits else None


def damaged_derived(folder: Path) -> list[str]:
    """Names of the derived files in `folder` that are gone, or are not what their record says."""
    paths = [record.with_name(record.name.removesuffix(_RECORD)) for record in folder.glob(f"*{_RECORD}")]
    damaged = (path for path in paths if _read_record(path).get("sha256") != (sha256_of(path) or None))
    return sorted(path.name for path in damaged)


def discard(path: Path) -> None:
    """Remove a file, and its record where it has one."""
    path.unlink(missing_ok=True)
    _record(path).unlink(missing_ok=True)


def _read_record(path: Path) -> dict:
    """The record of a derived file; empty where it is missing or damaged (a byte order mark is no damage)."""
    try:
        record = json.loads(_record(path).read_text(encoding="utf-8-sig"))
    except (FileNotFoundError, ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def _record(path: Path) -> Path:
    return path.with_name(path.name + _RECORD)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
