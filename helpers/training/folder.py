"""The folder of a long run: kept from other runs, and the settings with which it began.

Support code. A run that goes on must have the settings with which it began, but for those in `FREE`, and the
same text.
"""

import argparse
import json
from pathlib import Path

from filelock import FileLock, Timeout

from helpers.data.files import sha256_of, write_atomically
from helpers.training.files import read_object
from helpers.training.settings import RunError

__all__ = ["FREE", "changes", "deciding", "lock", "settle"]

# What may differ when a run goes on: where it runs, how often it writes, and where it ends.
FREE = ("out", "steps", "minutes", "save_every", "evaluate_every", "workers", "accumulate", "cpu", "half")
MADE = ("vocab.txt", "rows", "states", "log.csv")  # what a run writes once it has its settings
PATHS = ("text", "tokenizer")
RENAMED = {"warm_up_steps": "warm_up"}  # what runs that began before called it
# What runs had before these could be set.
ADDED = {"corpus": "course", "optimizer": "adamw", "fade_steps": 0, "shrink_by_layer": False}
HASHES = "text_sha256"  # of every text file; runs that began before they were kept have none


def lock(out: Path) -> FileLock:
    """Keep a second run out of the folder; the system gives the lock back however this run ends."""
    out.mkdir(parents=True, exist_ok=True)
    held = FileLock(out / ".lock")
    try:
        held.acquire(timeout=0)
    except Timeout:
        raise RunError(f"another run is writing to {out}: wait for it, or choose another --out") from None
    return held


def deciding(settings: argparse.Namespace) -> dict:
    """What decides the result of a run, as JSON would give it back; the text files by their SHA-256, too."""
    known = json.loads(json.dumps(vars(settings), default=str))
    known[HASHES] = [sha256_of(Path(name)) for name in settings.text or ()]
    return {name: value for name, value in known.items() if name not in FREE}


def changes(before: dict, now: dict) -> str:
    """What is not as it was before, in words; "" where all is."""
    found = []
    for name, value in now.items():
        usual = value if name == HASHES else ADDED.get(name, before.get(RENAMED.get(name)))
        was = before.get(name, usual)
        if name in PATHS:  # ./a.txt is a.txt
            was, value = _paths(was), _paths(value)
        if was != value and name == HASHES:
            found.append("the content of the text has changed")
        elif was != value:
            found.append(f"{name} was {was}, now {value}")
    return ", ".join(found)


def _paths(value: object) -> object:
    if isinstance(value, list):
        return [_paths(name) for name in value]
    return str(Path(value)) if isinstance(value, str) else value


def settle(settings: argparse.Namespace) -> dict:
    """Keep the settings of a new run; refuse to go on with a run under others. -> what decides the result.

    RunError, too, where the settings of a run are gone or can't be read.
    """
    path, now = settings.out / "settings.json", deciding(settings)
    if any((settings.out / name).exists() for name in MADE):  # else nothing has been made of them yet
        try:
            before = read_object(path)
        except FileNotFoundError:
            raise RunError(
                f"{settings.out} holds a run, but its settings.json is gone: put it back, or choose another "
                "--out"
            ) from None
        except (OSError, ValueError) as error:
            raise RunError(
                f"the settings of the run, {path}, can't be read ({error}): put the file back as it was, or "
                "choose another --out"
            ) from error
        if changed := changes(before, now):
            raise RunError(
                f"{settings.out} holds a run with other settings: {changed}. Give the same ones to go on, or "
                "another --out"
            )
    everything = json.loads(json.dumps(vars(settings), default=str)) | now
    write_atomically(path, (json.dumps(everything, indent=2) + "\n").encode())
    return now
