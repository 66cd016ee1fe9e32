"""What a notebook cost is told at the end of a test run, in whichever process its cells ran."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("processes", ["0", "2"])
def test_seconds_and_memory_are_told(tmp_path, processes):
    notebook = "notebooks/00_start_here.ipynb"
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n", processes, notebook]
    result = subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout
    (costs,) = re.findall(r"^00_start_here\.ipynb +([\d.]+) s +(\d+) MB$", result.stdout, re.M)
    assert float(costs[0]) > 0.5 and int(costs[1]) > 50
    assert re.search(rf"^all +{costs[0]} s +{costs[1]} MB$", result.stdout, re.M)


def test_a_part_that_is_not_there():
    command = [sys.executable, "-m", "pytest", "--part", "nothing"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 4 and "there is no part 'nothing': choose wordpiece" in result.stderr
