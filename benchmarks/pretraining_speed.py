"""An efficiency ladder: from the Transformers library's BertForMaskedLM to our training, one step at a time.

    python benchmarks/pretraining_speed.py                     both shapes; writes pretraining_speed.csv
    python benchmarks/pretraining_speed.py --hidden 192        one shape of your own; writes nothing
    python benchmarks/pretraining_speed.py --seconds 20        a quicker look

The text are paragraphs of the Wikipedia slice, masked before the clock starts; it runs over loss, gradients,
clipping and optimizer. All rungs live in one process and take turns in an order that is drawn anew each
round, and so does the matrix product that is the machine's peak: what disturbs one disturbs all. Medians.
The share of the peak counts useful work only: real tokens, and logits where the loss looks at them.
Before that each rung shows that the loss is unchanged: same weights, same batch, same masks, no dropout.
"""

import argparse
import multiprocessing
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402
import transformers  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from benchmarks import timing  # noqa: E402
from helpers import checkpoints, data  # noqa: E402
from helpers.data.output import accept_any_text  # noqa: E402
from helpers.encoder import Bert, BertConfig  # noqa: E402
from helpers.pretraining import IGNORE, BertForPreTraining, mask_tokens  # noqa: E402
from helpers.training import cost  # noqa: E402
from helpers.training.options import count, number, threads  # noqa: E402
from helpers.training.shortcuts import masked_token_logits  # noqa: E402
from helpers.wordpiece import WordPieceTokenizer, train_wordpiece  # noqa: E402

FILE = ROOT / "benchmarks" / "results" / "pretraining_speed.csv"
ENTRIES, BATCHES = 8_000, 4
PEAK_SIZES = (1024, 2048)
# (hidden, layers, heads) of the two shapes, and whether memory is kept (see `timing.keep_memory`).
RUNS = (((128, 4, 2), False), ((256, 4, 4), False), ((256, 4, 4), True))
# Losses of the same weights may differ by rounding; training makes the differences grow.
FIRST_STEP, LATER_STEP, STEPS = 1e-5, 1e-3, 5


class Rung(NamedTuple):
    """One way to do the same training. `changes`: what it changes against the rung before it."""

    name: str
    changes: str = "order of the sums"
    library: bool = False
    written_out: bool = False  # the attention as it is taught, with its probabilities
    everywhere: bool = False  # logits at all positions, not only at the masked ones
    last_layer: bool = False  # computed at masked positions only (`helpers.training.shortcuts`)
    fused_adamw: bool = True
    padded: bool = False  # one paragraph in a row, instead of rows cut from running text
    dropout: float = 0.1
    bfloat16: bool = False


LADDER = (
    Rung("library, as it comes", "-", library=True, everywhere=True, fused_adamw=False, padded=True),
    Rung("ours, attention written out", written_out=True, everywhere=True, fused_adamw=False, padded=True),
    Rung("PyTorch's attention", everywhere=True, fused_adamw=False, padded=True),
    Rung(
        "logits at masked positions only", "leaves out what the loss ignores", fused_adamw=False, padded=True
    ),
    Rung("fused AdamW", padded=True),
    Rung("packed rows, no padding", "rows: running text, not paragraphs"),
    Rung("last layer at masked positions only", "leaves out what the loss ignores", last_layer=True),
    Rung("no dropout", "the training", last_layer=True, dropout=0.0),
    Rung("bfloat16 autocast", "the rounding", last_layer=True, dropout=0.0, bfloat16=True),
)
# The library given what a careful user gives it: packed rows and fused AdamW.
LIBRARY = Rung("library, packed, fused AdamW", "-", library=True, everywhere=True)
LIBRARY_NO_DROPOUT = LIBRARY._replace(name=LIBRARY.name + ", no dropout", dropout=0.0)
HEADLINES = ((LADDER[5], LIBRARY), (LADDER[6], LIBRARY), (LADDER[7], LIBRARY_NO_DROPOUT))


class Task(NamedTuple):
    """A rung with its model, its optimizer and its batches."""

    rung: Rung
    model: nn.Module
    loss: Callable[[dict], torch.Tensor]
    optimizer: torch.optim.Optimizer
    batches: list[dict[str, torch.Tensor]]


def make_batches(
    lines: list[list[int]], tokenizer: WordPieceTokenizer, length: int, rows: int, padded: bool
) -> list[dict[str, torch.Tensor]]:
    """BATCHES batches of (rows, length) masked ids: a line in each row with padding, or cut from all lines.

    lines hold the ids without special tokens. A padded row is [CLS] line [SEP], as long as the longest of
    its batch; a packed row is [CLS], then length - 2 tokens of running text, then [SEP].
    """
    cls, sep, pad = (tokenizer.id_of[token] for token in ("[CLS]", "[SEP]", "[PAD]"))
    if not padded:
        stream = [index for line in lines for index in line]
        lines = [stream[start : start + length - 2] for start in range(0, len(stream) - length, length - 2)]
    generator, batches = torch.Generator().manual_seed(1), []
    for start in range(0, BATCHES * rows, rows):
        chosen = [[cls, *line[: length - 2], sep] for line in lines[start : start + rows]]
        longest = max(map(len, chosen))
        ids = torch.tensor([row + [pad] * (longest - len(row)) for row in chosen])
        corrupted, labels = mask_tokens(ids, tokenizer, generator=generator)
        batch = {"ids": corrupted, "labels": labels}
        batches.append(batch | ({"attention_mask": (ids != pad).long()} if padded else {}))
    return batches


def read_text() -> tuple[list[list[int]], WordPieceTokenizer]:
    """The paragraphs of the Wikipedia slice as ids, in random order, and notebook 1's tokenizer for them."""
    texts = [part for article in data.wikipedia() for part in article.text.split("\n") if part.strip()]
    tokenizer = WordPieceTokenizer(train_wordpiece(texts, ENTRIES))
    random.Random(1).shuffle(texts)
    return [tokenizer.encode(text).ids[1:-1] for text in texts[:2000]], tokenizer


def ours_to_library(model: BertForPreTraining) -> nn.Module:
    """`transformers.BertForMaskedLM` with our weights and its default attention."""
    config = transformers.BertConfig(**checkpoints.their_config(model), attn_implementation="sdpa")
    theirs = transformers.BertForMaskedLM(config)
    renamed = {checkpoints.their_name(name): value for name, value in model.state_dict().items()}
    missing = theirs.load_state_dict(renamed, strict=False).missing_keys
    if any(not name.startswith("cls.predictions.decoder") for name in missing):  # those are tied
        raise RuntimeError(f"the library's model did not get all weights: {missing}")
    return theirs


def make_task(rung: Rung, config: BertConfig, batches: list[dict], dropout: float | None = None) -> Task:
    """Model, loss and optimizer of a rung: the same first weights for every rung of a configuration."""
    torch.manual_seed(0)
    dropout = rung.dropout if dropout is None else dropout
    model = BertForPreTraining(Bert(BertConfig(**{**vars(config), "dropout": dropout})))
    if rung.written_out:
        timing.write_out_attention(model.bert)
    model = (ours_to_library(model) if rung.library else model).train()

    def loss(batch: dict[str, torch.Tensor]) -> torch.Tensor:
        mask, labels = batch.get("attention_mask"), batch["labels"]
        if rung.library:
            return model(input_ids=batch["ids"], attention_mask=mask, labels=labels).loss
        positions = None if rung.everywhere else labels != IGNORE
        if rung.last_layer:
            logits = masked_token_logits(model, batch["ids"], positions, attention_mask=mask)
        else:
            logits = model(batch["ids"], attention_mask=mask, positions=positions).token_logits
        wanted = labels.flatten() if rung.everywhere else labels[positions]
        return functional.cross_entropy(logits.flatten(0, -2), wanted, ignore_index=IGNORE)

    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True if rung.fused_adamw else None)
    return Task(rung, model, loss, optimizer, batches)


def train_step(task: Task, step: int) -> float:
    """Loss, gradients, clipping, optimizer; returns the loss before the update."""
    task.optimizer.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, enabled=task.rung.bfloat16):
        loss = task.loss(task.batches[step % len(task.batches)])
    loss.backward()
    nn.utils.clip_grad_norm_(task.model.parameters(), 1.0)
    task.optimizer.step()
    return loss.item()


def timed_step(task: Task) -> Callable[[int], int]:
    """A function for `take_turns`: one step, which returns how many real tokens it read."""
    real = [int(batch.get("attention_mask", torch.ones_like(batch["ids"])).sum()) for batch in task.batches]

    def work(turn: int) -> int:
        train_step(task, turn)
        return real[turn % len(real)]

    return work


def losses_of(rung: Rung, config: BertConfig, batches: list[dict], steps: int = STEPS) -> list[float]:
    """The losses of the first steps, without dropout."""
    task = make_task(rung, config, batches, dropout=0.0)
    return [train_step(task, step) for step in range(steps)]


def pad_further(batch: dict[str, torch.Tensor], extra: int) -> dict[str, torch.Tensor]:
    """The same packed rows with `extra` padded positions at the end."""
    padding = (0, extra)
    return {
        "ids": functional.pad(batch["ids"], padding),
        "labels": functional.pad(batch["labels"], padding, value=IGNORE),
        "attention_mask": functional.pad(torch.ones_like(batch["ids"]), padding),
    }


def differences(config: BertConfig, padded: list[dict], packed: list[dict]) -> dict[str, tuple[float, float]]:
    """For each rung the difference of its loss from the library's, at the first and at the last of STEPS.

    A packed rung is compared on its own rows with the library, which gets them padded further. Raises
    AssertionError where a rung that only reorders sums goes beyond FIRST_STEP or LATER_STEP.
    """
    longer = [pad_further(batch, 16) for batch in packed]
    wanted = {True: losses_of(LADDER[0], config, padded), False: losses_of(LADDER[0], config, longer)}
    found = {}
    for rung in (*LADDER[1:], LIBRARY):
        losses = losses_of(rung, config, padded if rung.padded else packed)
        apart = [abs(mine - theirs) for mine, theirs in zip(losses, wanted[rung.padded], strict=True)]
        found[rung.name] = (apart[0], apart[-1])
        if not rung.bfloat16:
            assert apart[0] < FIRST_STEP and max(apart) < LATER_STEP, (rung.name, apart)
    return found


def flops_per_token(rung: Rung, config: BertConfig, length: int) -> float:
    """The work that the rung can't do without: no padding, no logits that the loss ignores."""
    flops, hidden = cost.training_flops(config, length), config.hidden_size
    if rung.last_layer:  # queries, attention, output and feed-forward are for the predicted tokens only
        flops -= 6 * (1 - cost.PREDICTED) * 2 * hidden * (hidden + length + config.intermediate_size)
    return flops


def measure(options: argparse.Namespace, shape: tuple[int, int, int], kept: bool) -> list[dict]:
    """The table of one shape; called in a process of its own, as `timing.keep_memory` can't be undone."""
    torch.set_num_threads(options.threads)
    if kept and not timing.keep_memory():
        print("memory can't be kept here: this needs glibc (Linux)")
        return []
    hidden, layers, heads = shape
    lines, tokenizer = read_text()
    config = BertConfig(len(tokenizer.vocabulary), hidden, layers, heads, 4 * hidden, options.length + 16,
                        init_std=None)  # fmt: skip
    padded, packed = (
        make_batches(lines, tokenizer, options.length, options.rows, way) for way in (True, False)
    )
    few = [
        [{name: values[:8] for name, values in batch.items()} for batch in way] for way in (padded, packed)
    ]
    apart = {} if kept else differences(config, *few)
    rungs = [rung for rung in (*LADDER, LIBRARY, LIBRARY_NO_DROPOUT) if not (kept and rung.padded)]
    if not timing.bfloat16_is_fast():
        print("bfloat16 is left out: this processor has no instructions for it")
        rungs = [rung for rung in rungs if not rung.bfloat16]
    tasks = {rung.name: make_task(rung, config, padded if rung.padded else packed) for rung in rungs}
    work = {name: timed_step(task) for name, task in tasks.items()}
    rates, rounds = timing.take_turns(
        work | {size: timing.matrix_product(size) for size in PEAK_SIZES}, options.seconds
    )
    peak = max(rates[size] for size in PEAK_SIZES)
    setting = (
        f"{layers} layers, hidden {hidden}, {heads} heads, V {config.vocab_size:,}, T {options.length}, "
        f"B {options.rows}" + (", memory kept" if kept else "")
    )
    return [
        {
            "setting": setting,
            "rung": rung.name,
            "changes": rung.changes,
            "tokens_per_second": f"{rates[rung.name]:.0f}",
            "share_of_peak": f"{rates[rung.name] * flops_per_token(rung, config, options.length) / peak:.3f}",
            "first_loss_apart": f"{apart[rung.name][0]:.1e}" if rung.name in apart else "",
            "last_loss_apart": f"{apart[rung.name][1]:.1e}" if rung.name in apart else "",
            "peak_gflops": f"{peak / 1e9:.1f}",
            "threads": options.threads,
            "rounds": rounds,
        }
        for rung in rungs
    ]


def show(rows: list[dict]) -> None:
    """Print the table of one setting, with the gain of each rung over the one before it, and headlines."""
    if not rows:
        return
    speed = {row["rung"]: float(row["tokens_per_second"]) for row in rows}
    print(f"\n{rows[0]['setting']}; {rows[0]['threads']} threads, matrix product "
          f"{rows[0]['peak_gflops']} GFLOP/s, medians of {rows[0]['rounds']} rounds")  # fmt: skip
    print(f"{'':<41}{'tokens/s':>9}{'gain':>6}{'of peak':>9}{'loss apart: first, last step':>30}  changes")
    before = None
    for row in rows:
        now = speed[row["rung"]]
        gain = f"{now / before:.2f}" if before and row["changes"] != "-" else ""
        apart = ", ".join(filter(None, (row["first_loss_apart"], row["last_loss_apart"])))
        print(f"{row['rung']:<41}{now:9,.0f}{gain:>6}{float(row['share_of_peak']):9.0%}{apart:>30}  "
              f"{row['changes']}")  # fmt: skip
        before = now
    for ours, library in HEADLINES:
        ratio = speed[ours.name] / speed[library.name]
        print(f"{ratio:.2f} times as fast as BertForMaskedLM, both packed, same masks, fused AdamW, "
              f"dropout {ours.dropout}: {ours.name}")  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    accept_any_text()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--hidden", type=count(), help="measure one shape of this hidden size, store nothing")
    parser.add_argument("--layers", type=count(), default=4)
    parser.add_argument("--heads", type=count(), help="default: hidden / 64")
    parser.add_argument("--length", type=count(3), default=128, help="tokens of a row, T")
    parser.add_argument("--rows", type=count(), default=32, help="rows of a batch, B")
    parser.add_argument("--keep-memory", action="store_true", help="with --hidden: keep memory between steps")
    parser.add_argument("--threads", type=threads(), default=2)
    parser.add_argument("--seconds", type=number(above=0), default=65,
                        help="how long the rungs of a shape take turns")  # fmt: skip
    options = parser.parse_args(arguments)
    runs, table = RUNS, []
    if options.hidden:
        heads = options.heads or max(1, options.hidden // 64)
        runs = [((options.hidden, options.layers, heads), options.keep_memory)]
    for shape, kept in runs:
        with multiprocessing.get_context("spawn").Pool(1) as process:
            rows = process.apply(measure, (options, shape, kept))
        show(rows)
        table += rows
    if not options.hidden:
        timing.store(FILE, table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
