"""The curves of a run: a line of `log.csv` for each report, and the same numbers for TensorBoard.

Support code. A run that goes on cuts off the lines after its state, so that no step stands there twice.
"""

import csv
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from helpers.data.files import write_atomically

__all__ = ["COLUMNS", "Log"]

COLUMNS = ("step", "tokens", "seconds", "learning_rate", "loss", "accuracy", "gradient_norm")


class Log:
    """`log.csv` and TensorBoard; lines after the step from which a run goes on are cut off."""

    def __init__(self, folder: Path, names: list[str], step: int):
        self.path = folder / "log.csv"
        self.columns = [*COLUMNS, *(f"{name}_{what}" for name in names for what in ("loss", "accuracy"))]
        rows = []
        if self.path.exists():
            with open(self.path, encoding="utf-8", newline="") as file:
                rows = filter(self.is_whole, csv.DictReader(file))
                rows = [row for row in rows if int(row["step"]) <= step]
        lines = [
            ",".join(self.columns),
            *(",".join(row.get(name) or "" for name in self.columns) for row in rows),
        ]
        write_atomically(self.path, ("\n".join(lines) + "\n").encode())
        self.board = SummaryWriter(folder / "tensorboard", purge_step=step + 1)

    @staticmethod
    def is_whole(row: dict) -> bool:
        """Whether a line was written to its end: a full disk can cut one short."""
        return None not in row.values() and row["step"].isdecimal()

    def write(self, values: dict[str, float]) -> None:
        shown = {
            name: str(value) if isinstance(value, int) else f"{value:.6g}" for name, value in values.items()
        }
        with open(self.path, "a", encoding="utf-8", newline="") as file:
            file.write(",".join(shown.get(name, "") for name in self.columns) + "\n")
        for name, value in values.items():
            if name != "step":
                self.board.add_scalar(name, value, values["step"])
        self.board.flush()
