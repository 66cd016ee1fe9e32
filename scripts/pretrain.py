"""Pretrain a BERT on real text: on one CPU, one GPU or several, and go on where the run was cut.

    python scripts/pretrain.py --out runs/first                    the course's text, on what this machine has
    python scripts/pretrain.py --out runs/first                    again: goes on where it was cut
    python scripts/pretrain.py --out runs/wider --corpus wider     with books and Wikipedia leads (50 MB)
    python scripts/pretrain.py --out runs/mine --text my_text.txt  your own text
    python scripts/pretrain.py --out runs/gpu --mixed-precision bf16 --batch-size 256 --learning-rate 1e-3
    torchrun --nproc-per-node 2 scripts/pretrain.py --out runs/two two processes, the same result

Only the masked-language-model loss, on packed rows without padding; the next-sentence head and the pooler
stay as they were drawn. `log.csv` and `tensorboard/` in the folder of the run have the curves, `states/` what
a resumed run needs, and `model/` the finished checkpoint, which AutoModelForMaskedLM opens.
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what deterministic GPU products ask for
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: see helpers/environment.py
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from safetensors import SafetensorError

from helpers import checkpoints
from helpers.data.files import DataError
from helpers.data.output import accept_any_text
from helpers.training.corpus import CorpusError
from helpers.training.engine import Run
from helpers.training.model import make_model
from helpers.training.prepare import prepare_text
from helpers.training.settings import RunError, arguments
from helpers.training.state import StateError

ERRORS = (RunError, StateError, DataError, CorpusError, checkpoints.CheckpointError, OSError, SafetensorError)


def main(given: list[str] | None = None) -> int:
    accept_any_text()
    settings = arguments(given, __doc__)
    try:
        with Run(settings) as run:
            with run.main_process_first():
                start, tokenizer = checkpoints.load(settings.init) if settings.init else (None, None)
                tokenizer, rows, held_out = prepare_text(settings, tokenizer)
            run.begin(make_model(settings, tokenizer, rows, start), tokenizer, rows, held_out)
            for batch in run.batches():
                run.update(batch)
                stopped = run.must_stop()
                if run.is_due(settings.log_every):
                    run.report()
                if run.is_due(settings.save_every) or stopped:
                    run.save()
                if stopped:
                    break
            if run.step < settings.steps:
                run.say(
                    f"stopped after step {run.step} of {settings.steps}: the same command goes on from there"
                )
                return 3
            run.export()
    except ERRORS as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
