"""What a long run holds between two steps: processes and device, where it stands, and what it has measured.

Support code. `scripts/pretrain.py` is the loop around it. A run is a context: at its end the folder's lock,
the signals and PyTorch's settings are given back.
"""

import argparse
import os
import signal
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial

import psutil
import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from torch.utils.data import DataLoader

from helpers import checkpoints
from helpers.pretraining import IGNORE, BertForPreTraining, mask_tokens
from helpers.training.folder import changes, lock, settle
from helpers.training.log import Log, read_log
from helpers.training.model import (
    MaskedOnly,
    bias_share,
    config_of,
    masked_loss,
    measure,
    refuse_too_large,
)
from helpers.training.optimizer import learning_rate_share, make_optimizer
from helpers.training.rows import Batches, MaskedRows
from helpers.training.settings import RunError
from helpers.training.state import load_latest, save_state, wait_for_first
from helpers.wordpiece import WordPieceTokenizer

__all__ = ["Run"]

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def is_lack_of_memory(error: BaseException | None) -> bool:
    """Whether the machine or the GPU could not give the memory that was asked for."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)


class Run:
    """A run in the folder `settings.out`, which is kept from other runs until this one ends.

    `begin` brings it to its latest state; then every batch of `batches` asks for an `update`, and where it is
    due for a `report` and a `save`. Raises RunError for what can't run or go on.
    """

    def __init__(self, settings: argparse.Namespace):
        self.settings, self.step, self.stopping = settings, 0, False
        if settings.mixed_precision == "fp16" and (settings.cpu or not torch.cuda.is_available()):
            raise RunError("fp16 needs a GPU: on the CPU, use --mixed-precision bf16 or none")
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # for GPU products that repeat
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
        if not settings.init:
            entries = 1 if settings.tokenizer else settings.vocab_size
            refuse_too_large(config_of(settings, entries), self.memory())
        self.lock = self.log = None

    def __enter__(self) -> "Run":
        # Everything that decides the result repeats; on a GPU some operations can't, and PyTorch names them.
        self.deterministic = (
            torch.are_deterministic_algorithms_enabled(),
            torch.is_deterministic_algorithms_warn_only_enabled(),
        )
        torch.use_deterministic_algorithms(True, warn_only=self.accelerator.device.type != "cpu")
        self.handlers = {name: signal.signal(name, self.stop) for name in SIGNALS}
        try:
            if self.main:
                self.lock = lock(self.settings.out)
                self.decided = settle(self.settings)
        except BaseException:
            self.__exit__()
            raise
        self.accelerator.wait_for_everyone()
        return self

    def __exit__(self, kind: type | None = None, error: BaseException | None = None, *_) -> None:
        if self.log is not None:
            self.log.board.close()
        if self.lock is not None:
            self.lock.release()
        for name, handler in self.handlers.items():
            signal.signal(name, signal.SIG_DFL if handler is None else handler)
        torch.use_deterministic_algorithms(self.deterministic[0], warn_only=self.deterministic[1])
        if is_lack_of_memory(error):
            raise RunError(
                f"there is not memory enough for this run ({str(error)[:200] or 'no more'}): take a smaller "
                "--batch-size, more parts (--accumulate), shorter rows or a smaller model"
            ) from error

    def memory(self) -> int:
        """Bytes of the GPU or of the machine that a process can have."""
        device = self.accelerator.device
        if device.type == "cuda":
            return torch.cuda.get_device_properties(device).total_memory
        return psutil.virtual_memory().total // self.accelerator.num_processes

    def stop(self, *_) -> None:
        """After the current step: save the state and end. A second signal ends at once."""
        self.stopping = True
        for name in SIGNALS:
            signal.signal(name, signal.SIG_DFL)

    def say(self, text: str) -> None:
        self.accelerator.print(text, flush=True)

    def main_process_first(self) -> AbstractContextManager:
        """The main process does what stands in this context before the others: it writes what they read."""
        return self.accelerator.main_process_first()

    def begin(
        self,
        model: BertForPreTraining,
        tokenizer: WordPieceTokenizer,
        shards: list,
        held_out: dict[str, list],
    ) -> None:
        """Take up the model and the rows, and bring the run to its latest state, or to step 0."""
        settings, accelerator = self.settings, self.accelerator
        mask = partial(mask_tokens, rate=settings.mask_rate, shares=tuple(settings.mask_shares))
        self.tokenizer, self.held_out = tokenizer, held_out
        self.rows = MaskedRows(shards, tokenizer, settings.seed, mask)
        self.plain = model
        self.model, self.optimizer = accelerator.prepare(
            MaskedOnly(self.plain), make_optimizer(settings, self.plain)
        )
        with accelerator.main_process_first():  # it sets damaged states aside
            states = settings.out / "states"
            state = load_latest(states, self.plain, self.optimizer.optimizer, self.say)
        if self.main and not state:
            wait_for_first(states, any(int(row["step"]) for row in read_log(settings.out / "log.csv")))
        if self.main and (changed := changes(state.get("settings", self.decided), self.decided)):
            raise RunError(
                f"the states in {states} were made under other settings than settings.json has: {changed}"
            )
        self.step, self.seconds = state.get("step", 0), state.get("seconds", 0.0)
        self.plain.bert.bias_share = bias_share(self.step, settings)
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

    def batches(self) -> Iterator[dict[str, torch.Tensor]]:
        """This process's share of the rows of every step that is left: ids and labels (B, T)."""
        settings, accelerator = self.settings, self.accelerator
        sampler = Batches(self.step, settings.steps, settings.batch_size, accelerator.process_index,
                          accelerator.num_processes)  # fmt: skip
        loader = DataLoader(self.rows, batch_sampler=sampler, num_workers=settings.workers,
                            pin_memory=accelerator.device.type == "cuda")  # fmt: skip
        self.model.train()
        self.begun = time.monotonic() - self.seconds
        self.limit = time.monotonic() + 60 * settings.minutes if settings.minutes else float("inf")
        yield from loader

    def update(self, batch: dict[str, torch.Tensor]) -> None:
        """One step: the weights change; loss, right answers, count and gradient norm are added up."""
        settings, accelerator = self.settings, self.accelerator
        self.step += 1
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
        self.plain.bert.bias_share = bias_share(self.step, settings)
        self.sums = self.sums + torch.stack([totals[0], totals[1], count, norm]).float().cpu()
        self.since += 1
        self.seconds = time.monotonic() - self.begun

    def refuse_bad_numbers(self, loss: torch.Tensor, norm: torch.Tensor) -> None:
        """RunError for a loss or a gradient norm that is not finite; no weight has changed in that step."""
        scaled = self.accelerator.scaler is not None  # fp16: the scaler skips a step that overflows
        if torch.isfinite(loss) and (scaled or torch.isfinite(norm)):
            return
        raise RunError(
            f"step {self.step}: the loss is {loss.item()}, the gradient norm {norm.item()}; this step "
            "changed no weight, and the last state is whole. Lower --learning-rate, use bf16 instead of "
            "fp16, or look for bad values in the text"
        )

    def must_stop(self) -> bool:
        """Whether any process has been told to stop or is out of time: all stop after the same step."""
        now = self.stopping or time.monotonic() > self.limit
        return bool(self.accelerator.reduce(torch.tensor(float(now), device=self.accelerator.device), "sum"))

    def is_due(self, every: int) -> bool:
        """Whether something is due that is done every so many steps, and after the last."""
        return self.step % every == 0 or self.step == self.settings.steps

    def report(self) -> None:
        """A line of the log: means since the last one, and on held-out rows where that is due."""
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
        if self.main and self.is_due(settings.evaluate_every):
            for name, shards in self.held_out.items():
                most = None if self.step == settings.steps else 256
                found = measure(self.plain, shards, self.tokenizer, self.accelerator.device, most)
                values |= {f"{name}_{what}": value for what, value in found.items()}
        if self.main:
            self.log.write(values)
            shown = (f"{name} {value:.6g}" for name, value in values.items())
            print("  ".join(shown), flush=True)

    def save(self) -> None:
        """The state after this step, for a run that goes on from here."""
        if self.main:
            more = {"seconds": self.seconds, "sums": self.sums.tolist(), "since": self.since}
            more["settings"] = self.decided
            if self.accelerator.scaler is not None:
                more["scaler"] = self.accelerator.scaler.state_dict()
            save_state(self.settings.out / "states", self.step, self.plain, self.optimizer.optimizer, more)
        self.accelerator.wait_for_everyone()

    def export(self) -> None:
        """The finished checkpoint, which the Transformers library opens, too."""
        if self.main:
            dtype = torch.float16 if self.settings.half else None
            checkpoints.save(self.plain, self.tokenizer, self.settings.out / "model", dtype)
            self.say(f"the checkpoint is in {self.settings.out / 'model'}")
