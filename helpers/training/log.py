"""The curves of a run: a line of `log.csv` for each report, and the same numbers for TensorBoard.

Support code. A run that goes on cuts off the lines after its state, so that no step stands there twice.
"""

from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from helpers.data.files import write_atomically
from helpers.training.files import csv_lines
from helpers.training.settings import RunError

__all__ = ["COLUMNS", "Log", "read_log"]

COLUMNS = ("step", "tokens", "seconds", "learning_rate", "loss", "accuracy", "gradient_norm")


def read_log(path: Path) -> list[dict]:
    """The whole lines of a log, none where there is no file. RunError for a file that is no log."""
    if not path.exists():
        return []
    try:
        rows = csv_lines(path)
    except (OSError, ValueError) as error:
        raise RunError(f"{path} can't be read ({error}): put the run's log back, or move it away") from error
    if rows and "step" not in rows[0]:
        raise RunError(
            f"{path} has no column named step, only {', '.join(map(str, rows[0]))[:80]}: put the run's log "
            "back, or move it away"
        )
    return list(filter(_is_whole, rows))


def _is_whole(row: dict) -> bool:
    """Whether a line was written to its end: a full disk can cut one short."""
    return None not in row.values() and row["step"].isdecimal() and len(row["step"]) < 16


class Log:
    """`log.csv` and TensorBoard; lines after the step from which a run goes on are cut off."""

    def __init__(self, folder: Path, names: list[str], step: int):
        self.path = folder / "log.csv"
        self.columns = [*COLUMNS, *(f"{name}_{what}" for name in names for what in ("loss", "accuracy"))]
        rows = [row for row in read_log(self.path) if int(row["step"]) <= step]
        lines = [
            ",".join(self.columns),
            *(",".join(row.get(name) or "" for name in self.columns) for row in rows),
        ]
        write_atomically(self.path, ("\n".join(lines) + "\n").encode())
        self.board = SummaryWriter(folder / "tensorboard", purge_step=step + 1)

    def write(self, values: dict[str, float]) -> None:
        """A line; columns without a value stay empty."""
        shown = {
            name: str(value) if isinstance(value, int) else f"{value:.6g}" for name, value in values.items()
        }
        with open(self.path, "a", encoding="utf-8", newline="") as file:
            file.write(",".join(shown.get(name, "") for name in self.columns) + "\n")
        for name, value in values.items():
            if name != "step":
                self.board.add_scalar(name, value, values["step"])
        self.board.flush()
