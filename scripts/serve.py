"""A classifier of scripts/classify.py as an HTTP service.

    python scripts/serve.py FOLDER

FOLDER is what `scripts/classify.py train` wrote. The service listens on 127.0.0.1, port 8000, until SIGTERM
or SIGINT (Ctrl-C). In another window:

    curl http://127.0.0.1:8000/health
    curl -H "Content-Type: application/json" -d '{"text": "URGENT! Text CLAIM to 81010 now"}' \\
         http://127.0.0.1:8000/classify

    {"answers": [{"label": "spam", "probability": 0.987251, "probabilities": {"ham": 0.012749,
      "spam": 0.987251}, "cut": false}]}

{"texts": ["...", "..."]} asks for several answers, in the order of the texts. A classifier of pairs wants
"second" beside "text", "seconds" beside "texts". "cut" says that a text has more tokens than the classifier
reads.

Requests that wait are answered in one batch of --batch-size texts at most. While the model reads one, the
next one gathers; a --wait of some milliseconds makes batches larger where the model is free, and every answer
later. Each request gets its own answers; a text that can't be classified does not harm the others of its
batch. With 32 clients and a fine-tuned minilm on one core, batches answer 1.6 times as many texts in a
second, for 0.6 of the processor time each (benchmarks/serving.py); a single client gains nothing.

A request that can't be answered gets a status and {"error": "a sentence"}: 400, no JSON; 404 and 405, no such
address or method; 408 and 413, too slow or too much (--max-...); 415, other content; 422, JSON without texts;
503 with Retry-After, too many texts wait, or the service is stopping. A stop answers what was accepted, and
gives 503 to what comes later.

The log, on stderr, has a line for each request: address, status, number of texts, time. Texts and answers are
written nowhere. There is no password and no encryption: before you name another --host, put a reverse proxy
with both in front of it.

Exit codes: 0, stopped by a signal, everything accepted was answered or refused; 1, the folder or the port
can't be used, in a sentence; 2, wrong options; 128 and the signal's number, a second signal cut the stop
short; 130, interrupted before it began.
"""

import argparse
import asyncio
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: see helpers/environment.py
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch

from helpers.checkpoints import CheckpointError
from helpers.data.output import accept_any_text
from helpers.environment import DEVICE_VARIABLE, choose_device, keep_libraries_quiet
from helpers.everyday import InputError
from helpers.everyday.grouping import BATCH
from helpers.serving import Limits, keep_log, listen, load_service, serve
from helpers.training import options as kinds


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    add, usual = parser.add_argument, Limits()
    add("folder", metavar="FOLDER", help="the classifier, as scripts/classify.py train wrote it")
    add(
        "--host", default="127.0.0.1", help="the address to listen on; default: 127.0.0.1, this machine alone"
    )
    add("--port", type=kinds.count(0, 65535), default=8000, help="default: 8000; 0: any free one")
    add("--batch-size", type=kinds.count(1, BATCH), default=32, help="texts in a batch at most; default: 32")
    add("--wait", type=kinds.number(least=0, most=10_000), default=0.0, metavar="MILLISECONDS",
        help="how long a text waits for others while the model is free; default: 0, not at all")  # fmt: skip
    add("--threads", type=kinds.threads(), default=2, help="of the processor; default: 2")
    add("--max-texts", type=kinds.count(), default=usual.texts,
        help=f"in a request; default: {usual.texts}")  # fmt: skip
    add("--max-characters", type=kinds.count(), default=usual.characters,
        help=f"of a text; default: {usual.characters:,}")  # fmt: skip
    add("--max-bytes", type=kinds.count(), default=usual.bytes,
        help=f"of a request's body; default: {usual.bytes:,}")  # fmt: skip
    add("--max-waiting", type=kinds.count(), default=usual.waiting,
        help=f"texts of all requests that are not answered yet; default: {usual.waiting}")  # fmt: skip
    add("--max-stop", type=kinds.number(least=0), default=usual.stop, metavar="SECONDS",
        help=f"how long a stop waits for answers; default: {usual.stop:g}")  # fmt: skip
    add("--quiet", action="store_true", help="no line in the log for each request")
    options = parser.parse_args(given)
    if options.max_waiting < options.max_texts:
        parser.error("--max-waiting must be at least --max-texts: a request of the largest kind must fit in")
    return options


def run(options: argparse.Namespace) -> int | None:
    try:
        device = str(choose_device(os.environ.get(DEVICE_VARIABLE)))
    except (RuntimeError, ValueError) as error:
        raise InputError(str(error)) from None
    limits = Limits(
        texts=options.max_texts, characters=options.max_characters, bytes=options.max_bytes,
        waiting=options.max_waiting, stop=options.max_stop,
    )  # fmt: skip
    service = load_service(
        options.folder, limits, batch_size=options.batch_size, wait=options.wait / 1000,
        threads=options.threads, device=device,
    )  # fmt: skip
    with listen(options.host, options.port) as listening:
        return asyncio.run(serve(service, listening))


def main(given: list[str] | None = None) -> int:
    accept_any_text()
    options = arguments(given)
    torch.set_num_threads(options.threads)
    keep_libraries_quiet()
    keep_log(options.quiet)
    try:
        hurried = run(options)
    except (InputError, CheckpointError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted before the service had begun", file=sys.stderr)
        return 130
    return 128 + hurried if hurried else 0


if __name__ == "__main__":
    sys.exit(main())
