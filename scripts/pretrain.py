"""Pretrain a BERT on real text: on one CPU, one GPU or several, and go on where the run was cut.

    python scripts/pretrain.py --out runs/first                    the course's text, on what this machine has
    python scripts/pretrain.py --out runs/first                    again: goes on where it was cut
    python scripts/pretrain.py --out runs/mine --text my_text.txt  your own text
    python scripts/pretrain.py --out runs/gpu --mixed-precision bf16 --batch-size 256 --learning-rate 1e-3
    torchrun --nproc-per-node 2 scripts/pretrain.py --out runs/two two processes, the same result

Only the masked-language-model loss, on packed rows without padding; the next-sentence head and the pooler
stay as they were drawn. `log.csv` and `tensorboard/` in the folder of the run have the curves, `states/` what
a resumed run needs, and `model/` the finished checkpoint, which AutoModelForMaskedLM opens.
"""

import argparse
import csv
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path

os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what deterministic GPU products ask for
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from filelock import FileLock, Timeout
from safetensors import SafetensorError
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader
from torch.utils.tensorboard import SummaryWriter

from helpers import checkpoints
from helpers.data.files import DataError, write_atomically
from helpers.encoder import Bert, BertConfig
from helpers.pretraining import IGNORE, BertForPreTraining, mask_tokens, parameter_groups
from helpers.training import corpus
from helpers.training.shortcuts import masked_token_logits
from helpers.training.starts import start_with_neighbors
from helpers.training.state import StateError, load_latest, save_state
from helpers.wordpiece import WordPieceTokenizer, train_wordpiece

COLUMNS = ("step", "tokens", "seconds", "learning_rate", "loss", "accuracy", "gradient_norm")
# What may differ when a run goes on: where it runs, how often it writes, and where it ends.
FREE = ("out", "steps", "minutes", "save_every", "evaluate_every", "workers", "accumulate", "cpu", "half")
NEW_MODEL = {"layers": 4, "hidden": 256, "heads": 4, "dropout": 0.1}  # of a model that is not --init
NEIGHBORS = (-1, 1, -2, 2)  # where the heads of --neighbors look, in tokens to the right
HEAD = ("transform", "norm", "token_bias")


class RunError(RuntimeError):
    """A run that can't start or go on; the message says why and what to do."""


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
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


def learning_rate_share(step: int, settings: argparse.Namespace) -> float:
    """The share of the learning rate in step 1, 2, …: it rises, holds, and falls to zero at the end.

    (Warner et al. 2024, ModernBERT, section 2.2.) While it holds it does not depend on the number of steps,
    so that number may be changed when a run goes on.
    """
    fall = settings.decay * settings.steps
    return min(1.0, step / max(settings.warm_up, 1), (settings.steps + 1 - step) / fall if fall else 1.0)


class Batches(torch.utils.data.Sampler):
    """For every step from `first` on: the places of the rows that one of `count` processes takes."""

    def __init__(self, first: int, steps: int, batch_size: int, index: int, count: int):
        self.steps, self.batch_size, self.index, self.count = range(first, steps), batch_size, index, count

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[list[int]]:
        for step in self.steps:
            places = range(step * self.batch_size, (step + 1) * self.batch_size)
            yield list(places[self.index :: self.count])


def prepare_text(
    settings: argparse.Namespace, tokenizer: WordPieceTokenizer | None
) -> tuple[WordPieceTokenizer, list, dict[str, list]]:
    """The tokenizer, the shards of training rows, and the held-out shards by name, made or found again.

    tokenizer: that of --init, or None.
    """
    out, length = settings.out, settings.length

    def training() -> Iterator[str]:
        return corpus.text_documents(settings.text) if settings.text else corpus.training_documents()

    vocabulary = out / "vocab.txt"
    if tokenizer is None and (settings.tokenizer or vocabulary.exists()):
        tokenizer = WordPieceTokenizer.from_file(settings.tokenizer or vocabulary)
    elif tokenizer is None:
        print(f"training the tokenizer: {settings.vocab_size} entries", flush=True)
        tokenizer = WordPieceTokenizer(train_wordpiece(first_characters(training()), settings.vocab_size))
    if not vocabulary.exists():
        tokenizer.save(vocabulary)
    source = json.dumps([[str(Path(name).resolve()), os.path.getsize(name)] for name in settings.text or ()])
    rows = corpus.rows_on_disk(training(), tokenizer, length, out / "rows" / "training", source)
    if settings.text:
        held_out = {"text": corpus.text_documents(settings.text, held_out=True)}
    else:
        held_out = corpus.held_out_documents()
    shards = {}
    for name, documents in held_out.items():
        try:
            shards[name] = corpus.rows_on_disk(documents, tokenizer, length, out / "rows" / name, source)
        except corpus.ShortTextError as error:
            print(f"nothing is held out to measure on: {error}", flush=True)
    return tokenizer, rows, shards


def first_characters(documents: Iterator[str], count: int = 20_000_000) -> Iterator[str]:
    """Documents until `count` characters are together: enough for a vocabulary, and they fit into memory."""
    for document in documents:
        yield document
        count -= len(document)
        if count < 0:
            return


def make_model(
    settings: argparse.Namespace, tokenizer: WordPieceTokenizer, rows: list, start: nn.Module | None
) -> BertForPreTraining:
    """The model as the run begins: a new one, or `start`, that of --init; a new token head if it has none."""
    torch.manual_seed(settings.seed)
    if start is None:
        bert = Bert(
            BertConfig(
                len(tokenizer.vocabulary), settings.hidden, settings.layers, settings.heads,
                4 * settings.hidden, settings.length, dropout=settings.dropout, init_std=None,
            )
        )  # fmt: skip
        if settings.neighbors:
            start_with_neighbors(bert, NEIGHBORS[: settings.heads])
    else:
        bert = checkpoints.encoder_of(start)
        if bert.config.max_positions < settings.length:
            raise RunError(
                f"{settings.init} has fewer positions than --length {settings.length}: make it less"
            )
    if isinstance(start, BertForPreTraining):
        model = start
    else:
        model = BertForPreTraining(bert)
        with torch.no_grad():  # start at the unigram loss
            model.token_bias.copy_(log_frequencies(rows, len(tokenizer.vocabulary)))
    for part in (model.next_sentence, model.bert.pooler):
        part.requires_grad_(False)
    return model


def log_frequencies(rows: list, vocab_size: int) -> torch.Tensor:
    """The logarithm of every entry's share of the tokens in the first rows, one added to each count: (V,)."""
    counts = torch.ones(vocab_size, dtype=torch.double)
    for shard in rows[:8]:
        for part in shard.with_format("torch").iter(1024):
            counts += torch.bincount(part["ids"].flatten(), minlength=vocab_size)
    return (counts / counts.sum()).log().float()


def make_optimizer(settings: argparse.Namespace, model: BertForPreTraining) -> torch.optim.Optimizer:
    """AdamW; the token head and the embeddings may have learning rates of their own."""
    tables = {f"{name}.weight" for name, module in model.named_modules() if isinstance(module, nn.Embedding)}
    peaks = {}
    for name, weight in model.named_parameters():
        peaks[id(weight)] = settings.learning_rate
        if name in tables:
            peaks[id(weight)] *= settings.embedding_rate
        elif name.startswith(HEAD) and settings.head_learning_rate:
            peaks[id(weight)] = settings.head_learning_rate
    groups = [
        group | {"params": [weight for weight in group["params"] if peaks[id(weight)] == peak], "peak": peak}
        for group in parameter_groups(model, settings.weight_decay)
        for peak in sorted(set(peaks.values()))
    ]
    return torch.optim.AdamW(groups, lr=settings.learning_rate, betas=(0.9, 0.98), fused=True)


class MaskedOnly(nn.Module):
    """The model as training calls it: ids and positions (B, T) -> token scores (M, V) at those positions."""

    def __init__(self, model: BertForPreTraining):
        super().__init__()
        self.model = model

    def forward(self, ids: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        return masked_token_logits(self.model, ids, positions)


def masked_loss(model: nn.Module, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """The sum of the losses at the masked positions of a batch, and the number of right answers there."""
    positions = batch["labels"] != IGNORE
    logits, hidden = model(batch["ids"], positions).float(), batch["labels"][positions]
    return functional.cross_entropy(logits, hidden, reduction="sum"), (logits.argmax(-1) == hidden).sum()


@torch.no_grad()
def measure(model: BertForPreTraining, shards: list, tokenizer, device, most: int | None = None) -> dict:
    """Loss and accuracy on held-out rows, 15 % of the tokens behind [MASK], always the same ones."""
    mask = partial(mask_tokens, rate=0.15, shares=(1.0, 0.0, 0.0))
    rows = corpus.MaskedRows(shards, tokenizer, seed=0, mask=mask)
    places = range(min(len(rows), most or len(rows)))
    model.eval()
    loss = right = count = 0.0
    for start in range(0, len(places), 32):
        examples = [rows[place] for place in places[start : start + 32]]
        batch = {name: torch.stack([row[name] for row in examples]).to(device) for name in examples[0]}
        more_loss, more_right = masked_loss(MaskedOnly(model), batch)
        loss, right = loss + more_loss.item(), right + more_right.item()
        count += (batch["labels"] != IGNORE).sum().item()
    model.train()
    return {"loss": loss / count, "accuracy": right / count}


class Log:
    """`log.csv` and TensorBoard; lines after the step from which a run goes on are cut off."""

    def __init__(self, folder: Path, names: list[str], step: int):
        self.path = folder / "log.csv"
        self.columns = [*COLUMNS, *(f"{name}_{what}" for name in names for what in ("loss", "accuracy"))]
        rows = []
        if self.path.exists():
            with open(self.path, encoding="utf-8", newline="") as file:
                rows = filter(self.is_whole, csv.DictReader(file))
                rows = [row for row in rows if int(row["step"]) <= step]
        lines = [
            ",".join(self.columns),
            *(",".join(row.get(name) or "" for name in self.columns) for row in rows),
        ]
        write_atomically(self.path, ("\n".join(lines) + "\n").encode())
        self.board = SummaryWriter(folder / "tensorboard", purge_step=step + 1)

    @staticmethod
    def is_whole(row: dict) -> bool:
        """Whether a line was written to its end: a full disk can cut one short."""
        return None not in row.values() and row["step"].isdecimal()

    def write(self, values: dict[str, float]) -> None:
        shown = {
            name: str(value) if isinstance(value, int) else f"{value:.6g}" for name, value in values.items()
        }
        with open(self.path, "a", encoding="utf-8", newline="") as file:
            file.write(",".join(shown.get(name, "") for name in self.columns) + "\n")
        for name, value in values.items():
            if name != "step":
                self.board.add_scalar(name, value, values["step"])
        self.board.flush()


class Run:
    """Everything between two steps: where the run stands, and what has been measured since the last line."""

    def __init__(self, settings: argparse.Namespace):
        self.settings = settings
        if settings.mixed_precision == "fp16" and (settings.cpu or not torch.cuda.is_available()):
            raise RunError("fp16 needs a GPU: on the CPU, use --mixed-precision bf16 or none")
        self.accelerator = Accelerator(
            mixed_precision=settings.mixed_precision, cpu=settings.cpu,
            kwargs_handlers=[DistributedDataParallelKwargs(gradient_as_bucket_view=True)],
        )  # fmt: skip
        self.main = self.accelerator.is_main_process
        if settings.batch_size % self.accelerator.num_processes:
            raise RunError(
                f"--batch-size {settings.batch_size} can't be shared out evenly among "
                f"{self.accelerator.num_processes} processes: choose a multiple"
            )
        # Everything that decides the result repeats; on a GPU some operations can't, and PyTorch names them.
        torch.use_deterministic_algorithms(True, warn_only=self.accelerator.device.type != "cpu")
        self.stopping = False
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, self.stop)

    def stop(self, *_) -> None:
        """After the current step: save the state and end. A second signal ends at once."""
        self.stopping = True
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, signal.SIG_DFL)

    def say(self, text: str) -> None:
        self.accelerator.print(text, flush=True)

    def set_up(self) -> None:
        settings, accelerator = self.settings, self.accelerator
        if self.main:
            self.lock = lock(settings.out)
            settle(settings)
        accelerator.wait_for_everyone()
        try:
            with accelerator.main_process_first():
                start, tokenizer = checkpoints.load(settings.init) if settings.init else (None, None)
                self.tokenizer, shards, self.held_out = prepare_text(settings, tokenizer)
        except ValueError as error:  # of the tokenizer's trainer, or of a vocabulary
            raise RunError(str(error)) from error
        mask = partial(mask_tokens, rate=settings.mask_rate, shares=tuple(settings.mask_shares))
        self.rows = corpus.MaskedRows(shards, self.tokenizer, settings.seed, mask)
        self.plain = make_model(settings, self.tokenizer, shards, start)
        self.model, self.optimizer = accelerator.prepare(
            MaskedOnly(self.plain), make_optimizer(settings, self.plain)
        )
        with accelerator.main_process_first():  # it sets damaged states aside
            state = load_latest(settings.out / "states", self.plain, self.optimizer.optimizer, self.say)
        self.step, self.seconds = state.get("step", 0), state.get("seconds", 0.0)
        # What has been measured since the last line of the log, if the run stopped between two lines.
        self.sums, self.since = torch.tensor(state.get("sums", [0.0] * 4)), state.get("since", 0)
        if accelerator.scaler is not None and "scaler" in state:
            accelerator.scaler.load_state_dict(state["scaler"])
        self.log = Log(settings.out, list(self.held_out), self.step) if self.main else None
        self.say(
            f"{len(self.rows):,} rows of {settings.length} tokens, "
            f"{sum(weight.numel() for weight in self.plain.parameters()):,} weights, "
            f"{accelerator.num_processes} × {accelerator.device.type}, from step {self.step}"
        )

    def train(self) -> bool:
        """Train to the last step; False if the run stopped before it."""
        settings, accelerator = self.settings, self.accelerator
        sampler = Batches(self.step, settings.steps, settings.batch_size, accelerator.process_index,
                          accelerator.num_processes)  # fmt: skip
        loader = DataLoader(self.rows, batch_sampler=sampler, num_workers=settings.workers,
                            pin_memory=accelerator.device.type == "cuda")  # fmt: skip
        self.model.train()
        begun = time.monotonic() - self.seconds
        limit = begun + self.seconds + 60 * settings.minutes if settings.minutes else float("inf")
        for batch in loader:
            self.step += 1
            self.sums, self.since = self.sums + self.update(batch), self.since + 1
            self.seconds = time.monotonic() - begun
            last, stopped = self.step == settings.steps, self.must_stop(time.monotonic() > limit)
            if self.step % settings.log_every == 0 or last:
                self.report(last)
            if self.step % settings.save_every == 0 or last or stopped:
                self.save()
            if stopped:
                break
        return self.step >= settings.steps

    def update(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """One step: summed loss, right answers and count over all processes, and the gradient norm: (4,)."""
        settings, accelerator = self.settings, self.accelerator
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * learning_rate_share(self.step, settings)
        # Dropout's numbers follow from the step and the process, so a resumed run draws the same ones.
        torch.manual_seed((settings.seed * 1_000_003 + self.step) * 4_096 + accelerator.process_index)
        batch = {name: values.to(accelerator.device) for name, values in batch.items()}
        count = accelerator.reduce((batch["labels"] != IGNORE).sum().float(), "sum")
        totals = torch.zeros(2, device=accelerator.device)
        chunks = zip(*(values.chunk(settings.accumulate) for values in batch.values()), strict=True)
        parts = [dict(zip(batch, chunk, strict=True)) for chunk in chunks]
        for number, part in enumerate(parts, 1):
            with accelerator.no_sync(self.model) if number < len(parts) else nullcontext():
                with accelerator.autocast():
                    loss, right = masked_loss(self.model, part)
                # Gradients are averaged over processes; the loss is a mean over the masked tokens of all.
                accelerator.backward(loss / count * accelerator.num_processes)
            totals += torch.stack([loss.detach(), right.float()])
        norm = accelerator.clip_grad_norm_(self.model.parameters(), 1.0)
        totals = accelerator.reduce(totals, "sum")
        self.refuse_bad_numbers(totals[0] / count, norm)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return torch.stack([totals[0], totals[1], count, norm]).float().cpu()

    def refuse_bad_numbers(self, loss: torch.Tensor, norm: torch.Tensor) -> None:
        scaled = self.accelerator.scaler is not None  # fp16: the scaler skips a step that overflows
        if torch.isfinite(loss) and (scaled or torch.isfinite(norm)):
            return
        raise RunError(
            f"step {self.step}: the loss is {loss.item()}, the gradient norm {norm.item()}; this step "
            "changed no weight, and the last state is whole. Lower --learning-rate, use bf16 instead of "
            "fp16, or look for bad values in the text"
        )

    def must_stop(self, out_of_time: bool) -> bool:
        """Whether any process has been told to stop or is out of time: all stop after the same step."""
        mine = torch.tensor(float(self.stopping or out_of_time), device=self.accelerator.device)
        return bool(self.accelerator.reduce(mine, "sum"))

    def report(self, last: bool) -> None:
        settings = self.settings
        loss, right, count, norm = self.sums.tolist()
        values = {
            "step": self.step,
            "tokens": self.step * settings.batch_size * settings.length,
            "seconds": self.seconds,
            "learning_rate": settings.learning_rate * learning_rate_share(self.step, settings),
            "loss": loss / count,
            "accuracy": right / count,
            "gradient_norm": norm / self.since,
        }
        self.sums, self.since = torch.zeros(4), 0
        if self.main and (self.step % settings.evaluate_every == 0 or last):
            for name, shards in self.held_out.items():
                most = None if self.step == settings.steps else 256
                found = measure(self.plain, shards, self.tokenizer, self.accelerator.device, most)
                values |= {f"{name}_{what}": value for what, value in found.items()}
        if self.main:
            self.log.write(values)
            shown = (f"{name} {value:.6g}" for name, value in values.items())
            print("  ".join(shown), flush=True)

    def save(self) -> None:
        if self.main:
            more = {"seconds": self.seconds, "sums": self.sums.tolist(), "since": self.since}
            if self.accelerator.scaler is not None:
                more["scaler"] = self.accelerator.scaler.state_dict()
            save_state(self.settings.out / "states", self.step, self.plain, self.optimizer.optimizer, more)
        self.accelerator.wait_for_everyone()

    def export(self) -> None:
        if self.main:
            dtype = torch.float16 if self.settings.half else None
            checkpoints.save(self.plain, self.tokenizer, self.settings.out / "model", dtype)
            self.say(f"the checkpoint is in {self.settings.out / 'model'}")


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


def main() -> int:
    settings = arguments()
    try:
        run = Run(settings)
        run.set_up()
        if not run.train():
            run.say(f"stopped after step {run.step} of {settings.steps}: the same command goes on from there")
            return 3
        run.export()
    except (
        RunError,
        StateError,
        DataError,
        OSError,
        SafetensorError,
        corpus.CorpusError,
        checkpoints.CheckpointError,
    ) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
