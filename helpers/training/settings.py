"""The settings of a long run: read from its arguments, checked, and kept in the folder of the run.

Support code. A run that goes on must have the settings with which it began, but for those in `FREE`.
"""

import argparse
import json
from pathlib import Path

from filelock import FileLock, Timeout

from helpers.data.files import write_atomically

__all__ = ["FREE", "RunError", "arguments", "lock", "settle"]

# What may differ when a run goes on: where it runs, how often it writes, and where it ends.
FREE = ("out", "steps", "minutes", "save_every", "evaluate_every", "workers", "accumulate", "cpu", "half")
NEW_MODEL = {"layers": 4, "hidden": 256, "heads": 4, "dropout": 0.1}  # of a model that is not --init


class RunError(RuntimeError):
    """A run that can't start or go on; the message says why and what to do."""


def arguments(given: list[str] | None = None, description: str | None = None) -> argparse.Namespace:
    """The settings in a command's arguments, by default this process's own; a wrong one ends the process."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    add = parser.add_argument
    add("--out", type=Path, required=True, help="folder of the run; if it holds one, that run goes on")
    add("--text", nargs="+", metavar="FILE", help="plain-text files instead of the course's text")
    add("--tokenizer", metavar="VOCAB_TXT", help="a vocabulary; without it one is trained on the text")
    add("--vocab-size", type=int, default=8000, help="entries of the vocabulary that is trained")
    add("--init", help="go on from a checkpoint: minilm, a folder, or a BERT of the model hub")
    add("--layers", type=int, help="of a new model: 4 unless given")
    add("--hidden", type=int, help="hidden size: 256 unless given; feed-forward blocks are 4 times as wide")
    add("--heads", type=int, help="attention heads: 4 unless given")
    add("--dropout", type=float, help="0.1 unless given")
    add("--neighbors", action="store_true",
        help="heads of a new model begin by looking at the neighbors: for small batches")  # fmt: skip
    add("--length", type=int, default=128, help="tokens in a row")
    add("--mask-rate", type=float, default=0.15, help="share of the tokens that is hidden in training")
    add("--mask-shares", type=float, nargs=3, default=(0.8, 0.1, 0.1), metavar="SHARE",
        help="of the hidden tokens: [MASK], a random entry, unchanged")  # fmt: skip
    add("--steps", type=int, default=10_000)
    add("--batch-size", type=int, default=32, help="rows in a step, over all processes")
    add("--accumulate", type=int, default=1, help="parts in which a process computes its share of a step")
    add("--learning-rate", type=float, default=1e-3)
    add("--head-learning-rate", type=float, help="for the token head, where it is new and the encoder is not")
    add("--embedding-rate", type=float, default=1.0,
        help="the embeddings learn so many times as fast as the rest: 4 helps small models")  # fmt: skip
    add("--warm-up", type=int, default=500, help="steps in which the learning rate rises")
    add("--decay", type=float, default=0.5, help="last share of the steps, in which it falls to zero")
    add("--weight-decay", type=float, default=0.01)
    add("--mixed-precision", choices=("no", "bf16", "fp16"), help="default: what accelerate is set to")
    add("--half", action="store_true", help="store the finished checkpoint in 16 bits (fp16)")
    add("--seed", type=int, default=0)
    add("--minutes", type=float, help="stop after so many minutes, with the state saved, to go on later")
    add("--save-every", type=int, default=500, help="steps between two states, a multiple of --log-every")
    add("--log-every", type=int, default=50)
    add("--evaluate-every", type=int, default=500)
    add("--workers", type=int, default=0, help="processes that prepare batches; a GPU needs a few")
    add("--cpu", action="store_true", help="stay on the CPU even where there is a GPU")
    return check(parser, parser.parse_args(given))


def check(parser: argparse.ArgumentParser, settings: argparse.Namespace) -> argparse.Namespace:
    for name, value in NEW_MODEL.items():
        if settings.init and getattr(settings, name) is not None:
            parser.error(f"--init brings its own shape and dropout: leave --{name} away")
        if getattr(settings, name) is None:
            setattr(settings, name, value)
    for name in ("steps", "batch_size", "accumulate", "save_every", "log_every", "evaluate_every", "layers",
                 "hidden", "heads", "length"):  # fmt: skip
        if getattr(settings, name) < 1:
            parser.error(f"--{name.replace('_', '-')} must be at least 1, not {getattr(settings, name)}")
    if settings.save_every % settings.log_every:
        parser.error(
            "--save-every must be a multiple of --log-every: a state begins with a new line of the log"
        )
    if not 0 < settings.mask_rate <= 1 or not 0 <= settings.decay <= 1:
        parser.error("--mask-rate and --decay are shares, from 0 to 1")
    if settings.length < 3:
        parser.error("--length must be at least 3: [CLS], a token and [SEP]")
    if settings.hidden % settings.heads:
        parser.error(f"--hidden {settings.hidden} can't be shared out evenly among --heads {settings.heads}")
    if not 0 <= settings.dropout < 1 or not settings.learning_rate > 0:
        parser.error("--dropout is a share below 1, and --learning-rate is above 0")
    if not 0 <= settings.seed < 2**31 or settings.workers < 0:
        parser.error("--seed lies between 0 and 2 ** 31, and --workers is not negative")
    if min(settings.mask_shares) < 0 or abs(sum(settings.mask_shares) - 1) > 1e-6:
        parser.error("--mask-shares are three shares with the sum 1: [MASK], a random entry, unchanged")
    for name in [*(settings.text or ()), *([settings.tokenizer] if settings.tokenizer else ())]:
        if not Path(name).is_file():
            parser.error(f"there is no file {name}")
    if settings.init and settings.neighbors:
        parser.error("--neighbors is for a new model: leave it away with --init")
    if settings.neighbors and settings.hidden // settings.heads % 2:
        parser.error(f"--neighbors needs heads of an even width, not {settings.hidden // settings.heads}")
    if settings.init and settings.tokenizer:
        parser.error("--init brings its own vocabulary: leave --tokenizer away")
    return settings


def lock(out: Path) -> FileLock:
    """Keep a second run out of the folder; the system gives the lock back however this run ends."""
    out.mkdir(parents=True, exist_ok=True)
    held = FileLock(out / ".lock")
    try:
        held.acquire(timeout=0)
    except Timeout:
        raise RunError(f"another run is writing to {out}: wait for it, or choose another --out") from None
    return held


def settle(settings: argparse.Namespace) -> None:
    """Keep what decides the result of a new run, and refuse to go on with a run under other settings."""
    path = settings.out / "settings.json"
    now = json.loads(json.dumps(vars(settings), default=str))
    if path.exists() and (settings.out / "vocab.txt").exists():  # else nothing has been made of them yet
        before = json.loads(path.read_text(encoding="utf-8"))
        changed = [name for name in now if name not in FREE and now[name] != before.get(name)]
        if changed:
            raise RunError(
                f"{settings.out} holds a run with other settings: "
                + ", ".join(f"{name} was {before.get(name)}, now {now[name]}" for name in changed)
                + ". Give the same ones to go on, or another --out"
            )
    settings.out.mkdir(parents=True, exist_ok=True)
    write_atomically(path, (json.dumps(now, indent=2) + "\n").encode())
