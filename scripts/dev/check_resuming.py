"""Kill a pretraining run again and again, and compare its end with that of a run that nobody disturbed.

    python scripts/dev/check_resuming.py               20 kills, about three minutes on two cores
    python scripts/dev/check_resuming.py --kills 200   an evening

A small run of scripts/pretrain.py, with dropout, is killed (SIGKILL) at random moments: one in five counted
from its start, the others while it trains and saves. After one kill in four the newest state is cut short as
well. At the end the weights, the optimizer's moments and the log must be those of the undisturbed run, bit
for bit. Prints a table; the exit code is 1 if anything differs.
"""

import argparse
import csv
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from helpers import stories  # noqa: E402
from helpers.data.output import accept_any_text  # noqa: E402

STEPS = 400
RUN = f"""--cpu --vocab-size 400 --layers 2 --hidden 128 --heads 4 --dropout 0.1 --length 32 --batch-size 16
    --warm-up-steps 20 --steps {STEPS} --log-every 2 --save-every 4 --evaluate-every 40""".split()
STATE_FILES = ("model.safetensors", "optimizer.safetensors", "state.json")


class Run:
    """A run in a folder, started as often as it takes; what it says goes to a file beside the folder."""

    def __init__(self, out: Path, text: Path, threads: int):
        self.out, self.said = out, out.with_suffix(".txt")
        self.command = [sys.executable, str(ROOT / "scripts" / "pretrain.py"), "--out", str(out)]
        self.command += ["--text", str(text), *RUN]
        # Threads that wait leave the core to others: with two runs on two cores it is many times faster.
        self.environment = os.environ | {
            "OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "passive", "HF_HUB_OFFLINE": "1",
        }  # fmt: skip

    def start(self) -> subprocess.Popen:
        with open(self.said, "wb") as file:
            return subprocess.Popen(self.command, stdout=file, stderr=subprocess.STDOUT, env=self.environment)

    def words(self) -> str:
        return self.said.read_text(encoding="utf-8", errors="replace")

    def wait_for(self, words: str, process: subprocess.Popen) -> None:
        while process.poll() is None and words not in self.words():
            time.sleep(0.005)

    def log(self) -> list[dict]:
        path = self.out / "log.csv"
        if not path.exists():
            return []
        with open(path, encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))

    def states(self) -> list[Path]:
        return sorted((self.out / "states").glob("step-*"))

    def resumed_from(self) -> str:
        words = self.words()
        return words.split("from step ")[1].split()[0] if "from step " in words else "-"


def kill(run: Run, moment: float, training: bool) -> int:
    """Start the run, kill it some seconds after its start or its first step; the exit code."""
    process = run.start()
    try:
        if training:
            run.wait_for("from step ", process)
        deadline = time.monotonic() + moment
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.001)
    finally:
        process.kill()
        process.wait()
    return process.returncode


def cut_short(run: Run, dice: random.Random) -> str:
    """Cut one file of the newest state short if there is another state: its name, or nothing."""
    states = run.states()
    if len(states) < 2:
        return ""
    path = states[-1] / dice.choice(STATE_FILES)
    content = path.read_bytes()
    path.write_bytes(content[: dice.randrange(len(content) - 1)])
    return f"{path.parent.name}/{path.name}"


def differences(one: Run, other: Run) -> list[str]:
    """What is not the same, bit for bit, at the end of two runs."""
    last = f"states/step-{STEPS:08}"
    files = ("model/model.safetensors", f"{last}/model.safetensors", f"{last}/optimizer.safetensors")
    found = [name for name in files if (one.out / name).read_bytes() != (other.out / name).read_bytes()]
    logs = [[{**row, "seconds": ""} for row in run.log()] for run in (one, other)]
    return found + (["log.csv"] if logs[0] != logs[1] else [])


def main() -> int:
    accept_any_text()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, help="of the random moments; default another each time")
    settings = parser.parse_args()
    seed = settings.seed if settings.seed is not None else random.SystemRandom().randrange(2**31)
    dice, begun = random.Random(seed), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "stories.txt"
        text.write_text("\n\n".join(story.text for story in stories.split("validation")), encoding="utf-8")
        whole, run = (Run(Path(folder) / name, text, settings.threads) for name in ("whole", "killed"))
        process = whole.start()
        whole.wait_for("from step ", process)
        set_up = time.monotonic() - begun
        if process.wait() != 0:
            print(whole.words())
            return 1
        training = float(whole.log()[-1]["seconds"])
        print(
            f"undisturbed: {STEPS} steps in {training:.1f} s after {set_up:.1f} s of set-up; "
            f"seed of the moments {seed}, {settings.threads} threads\n"
        )
        wrong = kill_often(run, settings.kills, training, set_up, dice)
        process = run.start()
        if process.wait() != 0:
            wrong.append(f"the last start ended with {process.returncode}:\n{run.words()}")
        else:
            print(f"\nthe last start went on from step {run.resumed_from()} and ended")
            wrong += differences(whole, run)
        print(f"{time.monotonic() - begun:.0f} s in all")
    print(f"DIFFERENT: {'; '.join(wrong)}" if wrong else "the same weights, moments and log, bit for bit")
    return 1 if wrong else 0


def kill_often(run: Run, kills: int, training: float, set_up: float, dice: random.Random) -> list[str]:
    """The disturbed run: a line of the table for each kill; what went wrong."""
    print("kill  after             from step  log's last  states  unfinished  cut short")
    wrong, cut = [], ""
    for number in range(1, kills + 1):
        trains = number > 1 and dice.random() < 0.8
        # So that about three quarters of the steps are done when the last kill comes.
        moment = dice.uniform(0, 1.9 * training / kills if trains else set_up)
        code = kill(run, moment, trains)
        if code == 0:
            print(f"{number:4}  the run had ended before the kill")
            break
        if code not in (-9, 1) or "error: " in run.words() or "Traceback" in run.words():
            wrong.append(f"start {number} ended with {code}:\n{run.words()}")
            break
        if cut and run.resumed_from() != "-":
            if f"{Path(cut).parent.name} is damaged" not in run.words():
                wrong.append(f"{cut} was cut short and not named")
            cut = ""
        log, left = run.log(), len(list((run.out / "states").glob(".unfinished-*")))
        last = log[-1]["step"] if log else "-"
        states = " ".join(str(int(path.name[5:])) for path in run.states()) or "-"
        shown = cut_short(run, dice) if not cut and dice.random() < 0.25 else ""
        cut = cut or shown
        after = f"{moment:.2f} s of {'training' if trains else 'set-up'}"
        print(f"{number:4}  {after:16}  {run.resumed_from():>9}  {last:>10}  {states:>7}  {left:10}  {shown}")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
