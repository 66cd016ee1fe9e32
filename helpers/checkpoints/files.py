"""The files of a checkpoint: their names, and reading that names a file which is missing or damaged.

Support code. SHA256SUMS is in the form that `sha256sum -c` reads.
"""

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path

from helpers.checkpoints.configuration import CheckpointError

WEIGHTS, TEXTS = "model.safetensors", ("config.json", "vocab.txt", "tokenizer_config.json")
SUMS = "SHA256SUMS"
FILES = (WEIGHTS, *TEXTS, SUMS)
MOST_TEXT = 100_000_000  # bytes; a text that is larger is compared as it is


def read(path: Path, reader: Callable, name: str | Path):
    """What `reader` makes of a file; CheckpointError naming the file where it is missing or damaged."""
    try:
        return reader(path)
    except FileNotFoundError:
        raise CheckpointError(
            f"{name} is no complete checkpoint: {path.name} is missing. Save or fetch it anew"
        ) from None
    except CheckpointError:
        raise
    except Exception as error:  # safetensors, json and the tokenizer raise classes of their own
        raise CheckpointError(
            f"{path.name} of {name} can't be read ({error}): it is damaged or was cut short. Save or fetch "
            "it anew (`python -m helpers.data --verify` does so for minilm)"
        ) from error


def read_json(path: Path) -> dict:
    """A JSON object; a byte order mark in front of it, as some editors write, does not matter."""
    content = json.loads(path.read_text(encoding="utf-8-sig"))
    if not isinstance(content, dict):
        raise ValueError("expected a JSON object")
    return content


def write_sums(folder: Path) -> None:
    """Note the SHA-256 of every file of a finished checkpoint beside them."""
    lines = [f"{_digest(folder / name)}  {name}\n" for name in (WEIGHTS, *TEXTS)]
    (folder / SUMS).write_bytes("".join(lines).encode())


def check_sums(folder: Path, name: str | Path) -> None:
    """Refuse files that are not those which `save` wrote; nothing to do where no SHA-256 were noted.

    A text whose line ends have changed, or that has a byte order mark now, is the same text.
    """
    if not (folder / SUMS).exists():
        return
    for file, wanted in read(folder / SUMS, _parse, name).items():
        found = read(folder / file, _digest, name)
        if found != wanted and not (file in TEXTS and read(folder / file, _digest_of_text, name) == wanted):
            raise CheckpointError(
                f"{file} of {name} is not what was saved (its SHA-256 is not the one in {SUMS}): it is "
                "damaged, or was changed since. Save or fetch it anew; after a change of your own, delete "
                f"{SUMS}"
            )


def _parse(path: Path) -> dict[str, str]:
    """The SHA-256 of each file."""
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    found = [re.fullmatch(r"([0-9a-f]{64}) [ *](\S+)", line) for line in lines]
    if not all(found) or sorted(match[2] for match in found) != sorted((WEIGHTS, *TEXTS)):
        raise ValueError(f"expected one SHA-256 for each of {', '.join((WEIGHTS, *TEXTS))}")
    return {match[2]: match[1] for match in found}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest_of_text(path: Path) -> str:
    if path.stat().st_size > MOST_TEXT:
        return _digest(path)
    content = path.read_bytes().removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
    return hashlib.sha256(content).hexdigest()
