r"""Two studies of fine-tuning for notebooks 8 and 9: other domains, and what goes wrong step by step.

    python scripts/fine_tuning_studies.py --study domains --seeds 0 1 2 --csv benchmarks/results/domains.csv
    python scripts/fine_tuning_studies.py --study curves --csv benchmarks/results/fine_tuning_curves.csv
    python scripts/fine_tuning_studies.py --study domains --csv benchmarks/results/domains.csv --report
    python scripts/fine_tuning_studies.py --study curves --report \
        --csv benchmarks/results/fine_tuning_curves.csv

domains: `minilm`, fine-tuned on movie sentences with the recipe of the row `ours` of scripts/fine_tune.py,
answers the test parts of all four domains. Then that model goes on learning with each of the other domains,
whose validation part chooses the epoch, and answers that domain's test part and the movies' again: what it
has gained and what it has forgotten. In `trained_on`, "movies + tweets" is one after the other for minilm and
both at once for tfidf. `majority` is the most frequent class of a domain's training part, `human` one person
as in scripts/fine_tune.py. `epochs` and `validation_accuracy` are those of the last domain. The answers are
stored beside the table (helpers/studies/tables.py).

curves: loss, gradient norm before clipping and learning rate of every step, and now and then the accuracy on
movie sentences of the validation part, for single runs under the plans of helpers/studies/curves.py. The
forgetting plans train a model that was tuned on movies with tweets.

Runs that are there already are left out, so an interrupted series goes on with the same command; a model that
missing runs start from is trained again.
"""

import argparse
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: see helpers/environment.py
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


from helpers.studies.curves import PLANS, CurveStudy
from helpers.studies.domains import DomainStudy, Labels
from helpers.studies.errors import run_script
from helpers.studies.reports import report_curves, report_domains
from helpers.studies.tables import ensure_writable
from helpers.training import options as kinds

DEFAULTS = {
    "domains": {"csv": Path("runs/domains.csv"), "seeds": [0, 1, 2], "labels": 2000, "domain_labels": 1000},
    "curves": {
        "csv": Path("runs/fine_tuning_curves.csv"), "seeds": [0], "labels": 1000, "plans": list(PLANS),
        "epochs": 3, "every": 12, "validation": 400,
    },
}  # fmt: skip


def run(options: argparse.Namespace) -> None:
    """Compute what is missing in the table, seed by seed."""
    if options.study == "domains":
        study = DomainStudy(options.csv, Labels(options.labels, options.domain_labels))
    else:
        study = CurveStudy(
            options.csv, options.labels, options.epochs, options.every, options.validation, options.plans
        )
    if options.report:
        return report_domains(study.table) if options.study == "domains" else report_curves(study.csv)

    ensure_writable(options.csv)
    for seed in options.seeds:
        known = {}  # the model that several parts of the study start from
        for part in study.parts:
            missing = study.missing(part, seed)
            if not missing:
                continue
            began = time.perf_counter()
            found = study.compute(part, seed, known)
            print(study.write(missing, found, time.perf_counter() - began), flush=True)


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    add = parser.add_argument
    add("--study", choices=tuple(DEFAULTS), required=True)
    add("--csv", type=kinds.growing_table(), help="default: runs/domains.csv or runs/fine_tuning_curves.csv")
    add("--seeds", type=kinds.seed(), nargs="+", help="default: 0 1 2 for domains, 0 for curves")
    add("--labels", type=kinds.count(2),
        help="movie sentences to train with; default: 2000, for curves 1000 (tweets, too)")  # fmt: skip
    add("--domain-labels", type=kinds.count(2), help="domains: sentences of each other domain; default: 1000")
    add("--plans", nargs="+", choices=tuple(PLANS), help="curves: default: all", metavar="PLAN")
    add("--epochs", type=kinds.count(), help="curves: default: 3, which is 96 steps")
    add("--every", type=kinds.count(), help="curves: steps from one measurement to the next; default: 12")
    add("--validation", type=kinds.count(), help="curves: movie sentences to measure with; default: 400")
    add("--threads", type=kinds.threads(), default=2)
    add("--report", action="store_true", help="compute nothing: print what the table says")
    options = parser.parse_args(given)
    other = {"domains": "curves", "curves": "domains"}[options.study]
    for name in DEFAULTS[other].keys() - DEFAULTS[options.study].keys():
        if getattr(options, name) is not None:
            parser.error(f"--{name.replace('_', '-')} is for --study {other}: leave it away")
    for name, value in DEFAULTS[options.study].items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    if options.report and not options.csv.exists():
        parser.error(f"there is no table {options.csv} to report on")
    return options


def main(given: list[str] | None = None) -> int:
    return run_script(given, arguments, run)


if __name__ == "__main__":
    sys.exit(main())
