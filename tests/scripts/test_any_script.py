"""What holds for every program that a learner starts: it prints any text, and its waiting threads sleep."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.dev.run_notebooks import ONE_THREAD

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = (
    "pretrain",
    "pretrain_stories",
    "ablate_stories",
    "fine_tune",
    "fine_tuning_studies",
    "own_tables",
    "tag_text",
    "summaries",
    "trials",
    "modern_trials",
    "classify",
    "question_answering",
    "serve",
    "write_stories",
)
DEV = ("run_notebooks", "sync_cells", "badges", "try_colab", "check_resuming")
BENCHMARKS = (
    "pretraining_cost",
    "pretraining_gpu",
    "pretraining_race",
    "pretraining_speed",
    "retrieval",
    "serving",
    "speedrun",
    "waiting",
)
PROGRAMS = [
    *(f"scripts.{name}" for name in SCRIPTS),
    *(f"scripts.dev.{name}" for name in DEV),
    *(f"benchmarks.{name}" for name in BENCHMARKS),
    "helpers.stories.__main__",
]

# Asks each program, under a name that the output's encoding lacks, for its help, then has it print the name.
ASKING = """
import importlib, json, sys
name = chr(0x4E2D) + ".py"
for program in json.loads(sys.argv[1]):
    main = importlib.import_module(program).main
    sys.stdout.reconfigure(errors="strict")
    sys.argv = [name, "--help"]
    print("==", program)
    try:
        main()
    except (SystemExit, UnicodeEncodeError) as error:
        print("--", type(error).__name__, getattr(error, "code", ""))
    try:
        print(name)
    except UnicodeEncodeError:
        print("not printed")
"""

# Says what OpenMP would find, at the moment when somebody asks for torch, and ends there.
LOOKING = """
import importlib, os, sys
class Looking:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            print(os.environ.get("OMP_WAIT_POLICY"), flush=True)
            os._exit(0)
sys.meta_path.insert(0, Looking())
importlib.import_module(sys.argv[1])
"""


def run(code, argument, variables):
    command = [sys.executable, "-c", code, argument]
    return subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=True).stdout


def test_no_text_stops_a_program():
    shown = run(ASKING, json.dumps(PROGRAMS), os.environ | {"PYTHONIOENCODING": "cp1252"})
    parts = shown.split("== ")[1:]
    assert [part.split()[0] for part in parts] == PROGRAMS
    for part in parts:
        assert "usage: " in part and part.endswith("-- SystemExit 0\n\\u4e2d.py\n"), part
    assert all(r"usage: \u4e2d.py" in part for part in parts[:-1])  # the last one has a name of its own


@pytest.mark.parametrize("name", SCRIPTS)
def test_threads_that_wait_sleep(name):
    """A user's own choice stays."""
    assert ONE_THREAD["OMP_WAIT_POLICY"] == "PASSIVE"
    clean = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    assert run(LOOKING, f"scripts.{name}", clean) == "PASSIVE\n"
    assert run(LOOKING, f"scripts.{name}", clean | {"OMP_WAIT_POLICY": "ACTIVE"}) == "ACTIVE\n"
