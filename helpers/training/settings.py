"""The settings of a long run: read from its arguments, and checked before anything begins.

Support code. How they are kept in the folder of the run is the business of `helpers.training.folder`.
"""

import argparse
import math

from helpers.training import options
from helpers.training.corpus import CORPORA
from helpers.training.optimizer import OPTIMIZERS
from helpers.training.options import file, folder, number, seed

__all__ = ["RunError", "arguments"]

NEW_MODEL = {"layers": 4, "hidden": 256, "heads": 4, "dropout": 0.1}  # of a model that is not --init
MOST_TOKENS = 2**24  # in a step: four times as many as RoBERTa's, Liu et al. 2019, table 4


class RunError(RuntimeError):
    """A run that can't start or go on; the message says why and what to do."""


def arguments(given: list[str] | None = None, description: str | None = None) -> argparse.Namespace:
    """The settings in a command's arguments, by default this process's own; a wrong one ends the process."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    add = parser.add_argument
    share, positive, count = number(least=0, most=1), number(above=0), options.count
    add("--out", type=folder(), required=True, help="folder of the run; if it holds one, that run goes on")
    add("--text", type=file(), nargs="+", metavar="FILE",
        help="plain-text files instead of the course's text")  # fmt: skip
    add("--corpus", choices=CORPORA, default=CORPORA[0],
        help="the course's own text, or wider: with books and Wikipedia leads (50 MB)")  # fmt: skip
    add("--tokenizer", type=file(), metavar="VOCAB_TXT",
        help="a vocabulary; without it one is trained on the course's text, or on --text")  # fmt: skip
    add("--vocab-size", type=count(1, 10_000_000), default=8000,
        help="entries of the vocabulary that is trained")  # fmt: skip
    add("--init", help="go on from a checkpoint: minilm, a folder, or a BERT of the model hub")
    add("--layers", type=count(1, 1000), help="of a new model: 4 unless given")
    add("--hidden", type=count(1, 65_536),
        help="hidden size: 256 unless given; feed-forward blocks are 4 times as wide")  # fmt: skip
    add("--heads", type=count(1, 1024), help="attention heads: 4 unless given")
    add("--dropout", type=number(least=0, below=1), help="0.1 unless given")
    add("--neighbors", action="store_true",
        help="heads of a new model begin by looking at the neighbors: for small batches")  # fmt: skip
    add("--fade-steps", type=count(0), default=0,
        help="steps over which a bias that shows each head one place beside its token fades to nothing")
    add("--shrink-by-layer", action="store_true",
        help="blocks of a new model begin by adding 1 / sqrt(2 layers) of what they would")
    add("--length", type=count(3, 65_536), default=128, help="tokens in a row, [CLS] and [SEP] among them")
    add("--mask-rate", type=number(above=0, most=1), default=0.15,
        help="share of the tokens that is hidden in training")  # fmt: skip
    add("--mask-shares", type=share, nargs=3, default=(0.8, 0.1, 0.1), metavar="SHARE",
        help="of the hidden tokens: [MASK], a random entry, unchanged")  # fmt: skip
    add("--steps", type=count(), default=10_000)
    add("--batch-size", type=count(), default=32, help="rows in a step, over all processes")
    add("--accumulate", type=count(), default=1, help="parts in which a process computes its share of a step")
    add("--optimizer", choices=OPTIMIZERS, default="adamw",
        help="muon: for the matrices of the layers, AdamW for the rest")  # fmt: skip
    add("--learning-rate", type=positive, default=1e-3)
    add("--head-learning-rate", type=positive,
        help="for the token head, where it is new and the encoder is not")  # fmt: skip
    add("--embedding-rate", type=positive, default=1.0,
        help="the embeddings learn so many times as fast as the rest: 4 helps small models")  # fmt: skip
    add("--warm-up-steps", type=count(0), default=500, help="steps in which the learning rate rises")
    add("--decay", type=share, default=0.5, help="last share of the steps, in which it falls to zero")
    add("--weight-decay", type=number(least=0), default=0.01)
    add("--mixed-precision", choices=("no", "bf16", "fp16"), help="default: what accelerate is set to")
    add("--half", action="store_true", help="store the finished checkpoint in 16 bits (fp16)")
    add("--seed", type=seed(), default=0)
    add("--minutes", type=positive, help="stop after so many minutes, with the state saved, to go on later")
    add("--save-every", type=count(), default=500, help="steps between two states, a multiple of --log-every")
    add("--log-every", type=count(), default=50)
    add("--evaluate-every", type=count(), default=500)
    add("--workers", type=count(0, 256), default=0, help="processes that prepare batches; a GPU needs a few")
    add("--cpu", action="store_true", help="stay on the CPU even where there is a GPU")
    return check(parser, parser.parse_args(given))


def check(parser: argparse.ArgumentParser, settings: argparse.Namespace) -> argparse.Namespace:
    """Fill in what a new model has by default, and refuse settings that do not go together."""
    for name, value in NEW_MODEL.items():
        if settings.init and getattr(settings, name) is not None:
            parser.error(f"--init brings its own shape and dropout: leave --{name} away")
        if getattr(settings, name) is None:
            setattr(settings, name, value)
    if settings.init == "":
        parser.error("--init must name a checkpoint, not be empty: leave it away for a new model")
    if settings.text and settings.corpus != CORPORA[0]:
        parser.error(f"--text brings its own text: leave --corpus {settings.corpus} away")
    if settings.save_every % settings.log_every:
        parser.error(
            "--save-every must be a multiple of --log-every: a state begins with a new line of the log"
        )
    if settings.hidden % settings.heads:
        parser.error(f"--hidden {settings.hidden} can't be shared out evenly among --heads {settings.heads}")
    if abs(sum(settings.mask_shares) - 1) > 1e-6:
        parser.error("--mask-shares are three shares with the sum 1: [MASK], a random entry, unchanged")
    if settings.batch_size * settings.length > MOST_TOKENS:
        parser.error(
            f"--batch-size {settings.batch_size} rows of --length {settings.length} are more than "
            f"{MOST_TOKENS:,} tokens in a step: take fewer rows"
        )
    if not math.isfinite(settings.learning_rate * settings.embedding_rate):
        parser.error("--learning-rate times --embedding-rate must be a finite number: lower one of them")
    for name in ("neighbors", "shrink_by_layer", "fade_steps"):
        if settings.init and getattr(settings, name):
            parser.error(f"--{name.replace('_', '-')} is for a new model: leave it away with --init")
    if settings.fade_steps >= settings.steps:
        parser.error("--fade-steps must be less than --steps: a finished model has no bias")
    if settings.neighbors and settings.hidden // settings.heads % 2:
        parser.error(f"--neighbors needs heads of an even width, not {settings.hidden // settings.heads}")
    if settings.init and settings.tokenizer:
        parser.error("--init brings its own vocabulary: leave --tokenizer away")
    return settings
