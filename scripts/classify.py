"""A classifier of texts from your own table, for everyday use.

    python scripts/classify.py train FILE --text COLUMN --label COLUMN --out FOLDER
    python scripts/classify.py predict FOLDER FILE --text COLUMN --out FILE
    python scripts/classify.py evaluate FOLDER FILE --text COLUMN --label COLUMN

FILE is a .csv (comma, semicolon or tab, found out), a .tsv, or JSON lines (.jsonl, .ndjson) in UTF-8, unless
--encoding names another. The first line holds the names of the columns. Nothing but an empty cell is missing:
"nan" and "N/A" are texts.

train keeps copies of a text on one side of the split, fine-tunes minilm (--model: another BERT, by folder or
by its name on the model hub), measures macro-F1 on texts that it never saw, beside tuned word counts, and
writes a folder that the Transformers library opens, with a model card. predict writes as many rows as it
reads, with all their columns. Every file and folder is written whole or not at all, and nothing is replaced
without --force.

Exit codes: 0, all went well; 1, what was given can't be used, in a sentence; 2, wrong options; 130,
interrupted.
"""

import argparse
import os
import shlex
import signal
import sys
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: see helpers/environment.py
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch

from helpers.checkpoints import CheckpointError
from helpers.data import DataError
from helpers.data.output import accept_any_text
from helpers.environment import DEVICE_VARIABLE, choose_device, keep_libraries_quiet
from helpers.everyday import Choices, InputError, evaluate, predict, train
from helpers.training import options as kinds


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, words: str, writes: str | None):
        part = commands.add_parser(name, help=words, description=words, allow_abbrev=False)
        if name != "train":
            part.add_argument("folder", metavar="FOLDER", help="the classifier, as train wrote it")
        part.add_argument("file", metavar="FILE", help="the table: .csv, .tsv, .jsonl or .ndjson")
        part.add_argument("--text", required=True, metavar="COLUMN", help="the column with the texts")
        part.add_argument("--second", metavar="COLUMN", help="the second texts, where pairs are classified")
        if name != "predict":
            part.add_argument("--label", required=True, metavar="COLUMN", help="the column with the labels")
            part.add_argument("--merge-labels", action="store_true",
                              help="labels that differ in case or blanks alone are one class")  # fmt: skip
        part.add_argument("--out", required=name != "evaluate", metavar=writes,
                          help={"train": "where the classifier is written",
                                "predict": "the table with the answers: .csv (always commas), .tsv (tabs), "
                                           ".jsonl or .ndjson; always in UTF-8, whatever FILE is in",
                                "evaluate": "the figures as .json, too"}[name])  # fmt: skip
        part.add_argument("--force", action="store_true", help="replace what --out names")
        part.add_argument(
            "--encoding", default="utf-8", help="of FILE; default: utf-8, with or without a mark"
        )
        part.add_argument("--threads", type=kinds.threads(), default=2, help="of the processor; default: 2")
        return part

    learn = command("train", "train a classifier on a table and save it", "FOLDER").add_argument
    learn("--model", default="minilm", help="the start: minilm, a folder, or a name on the model hub")
    learn("--epochs", type=kinds.count(), help="default: 3, more where there are few texts")
    learn("--learning-rate", type=kinds.number(above=0), help="default: by the size of the encoder")
    learn("--batch-size", type=kinds.count(), default=32, help="texts in a step; default: 32")
    learn(
        "--max-length", type=kinds.count(3), default=128, help="tokens of a text that are read; default: 128"
    )
    learn("--seed", type=kinds.seed(), default=0, help="of the split, the new weights and the order of texts")
    command("predict", "write a table with a classifier's answers", "FILE")
    command("evaluate", "compare a classifier's answers with labels", "FILE")
    return parser.parse_args(given)


def run(options: argparse.Namespace, command: str) -> None:
    try:
        device = str(choose_device(os.environ.get(DEVICE_VARIABLE)))
    except (RuntimeError, ValueError) as error:
        raise InputError(str(error)) from None
    shared = {"force": options.force, "device": device, "say": lambda line: print(line, flush=True)}
    if options.command == "train":
        chosen = {name: vars(options)[name] for name in Choices.__dataclass_fields__}
        train(options.file, options.out, Choices(**chosen), command=command, **shared)
    elif options.command == "predict":
        predict(options.folder, options.file, options.out, options.text, options.second,
                encoding=options.encoding, **shared)  # fmt: skip
    else:
        evaluate(options.folder, options.file, options.text, options.label, options.second, out=options.out,
                 merge_labels=options.merge_labels, encoding=options.encoding, **shared)  # fmt: skip


def main(given: list[str] | None = None) -> int:
    accept_any_text()
    options = arguments(given)
    torch.set_num_threads(options.threads)
    keep_libraries_quiet()
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # cleans up on its way
    command = shlex.join(["python", "scripts/classify.py", *(sys.argv[1:] if given is None else given)])
    try:
        run(options, command)
        sys.stdout.flush()
    except (InputError, CheckpointError, DataError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except (MemoryError, torch.OutOfMemoryError):
        print("error: out of memory: cut the table into parts, or make --batch-size or --max-length smaller",
              file=sys.stderr)  # fmt: skip
        return 1
    except KeyboardInterrupt:
        print("interrupted: nothing half-written was kept", file=sys.stderr)
        return 130
    except BrokenPipeError:  # whoever read along has gone, as head does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    finally:
        signal.signal(signal.SIGTERM, before)
    return 0


if __name__ == "__main__":
    sys.exit(main())
