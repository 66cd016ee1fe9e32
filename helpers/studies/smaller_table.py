"""What the table of notebook 18 says: each point over its seeds, beside its teacher; lines and a picture.

Speeds are shares of the teacher's, which was timed in turns with the point: a busy machine slows down both.
"""

from collections.abc import Iterator, Mapping
from functools import cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter, ScalarFormatter

from helpers.analysis.comparison import Difference, compare_runs
from helpers.plotting import COLOURS
from helpers.studies.smaller import FORMS, POINTS, base_of
from helpers.studies.tables import RunTable, TableError, number_in

__all__ = ["Points"]

# The marks of the forms; weights in single precision are circles.
MARKS = {"": ("o", 0), "bf16": ("^", 3), "int8": ("D", 4), "onnx": ("v", 2), "onnx int8": ("s", 1)}


class Points:
    """The points of a table in the order of the study; raises TableError where there is no teacher."""

    def __init__(self, table: RunTable):
        self.table = table
        self.lines = {point: found for point in POINTS if (found := table.matching(point=point))}
        if "teacher" not in self.lines:
            raise TableError(f"{table.path} has no line of a teacher: make one with scripts/compress.py")
        self.difference = cache(self._difference)

    def __iter__(self) -> Iterator[str]:
        return iter(self.lines)

    def column(self, point: str, name: str) -> np.ndarray:
        """A column of the table, one number for each seed of a point."""
        return np.array([number_in(line, name) for line in self.lines[point]])

    def has(self, name: str) -> list[str]:
        """The points for which a column was measured."""
        return [point for point, lines in self.lines.items() if all(line[name] for line in lines)]

    def times_as_fast(self, point: str, name: str, base: str | None = None) -> float:
        """How many times as fast as its teacher by a column on speed, the median over the seeds.

        base: the teacher's column, where it is another one.
        """
        ratios = self.column(point, name) / self.column(point, f"teacher_{base or name}")
        return float(np.median(1 / ratios if name.endswith("_ms") else ratios))

    def right(self, point: str) -> np.ndarray:
        """1 for right and 0 for wrong answers, of every seed and test sentence: (seeds, N)."""
        return np.array([self.table.points(line) for line in self.lines[point]])

    def _difference(self, point: str) -> Difference:
        """A point's share of right answers less the teacher's, its interval over sentences and seeds.

        Where both have the same seeds, seed by seed: a student shares its data with its own teacher.
        """
        seeds = [[line["seed"] for line in self.lines[each]] for each in (point, "teacher")]
        return compare_runs(self.right(point), self.right("teacher"), same_seeds=seeds[0] == seeds[1])

    def as_text(self) -> str:
        """The table, a line for each point: points are percent, speeds times as fast as the teacher."""
        head = (
            f"{'':<20}seeds    MB  right  beside the teacher    calibration   one text: median, 95th   many"
        )
        return "\n".join([head, *map(self._line, self)])

    def _line(self, point: str) -> str:
        size, share, error = (
            self.column(point, name).mean() for name in ("megabytes", "accuracy", "calibration_error")
        )
        mean, low, high = (100 * number for number in self.difference(point))
        against = "" if point == "teacher" else f"{mean:+5.1f} ({low:+5.1f} to {high:+4.1f})"
        names = ("median_ms", "p95_ms", "sorted_by_length")
        median, slow, many = (self.times_as_fast(point, name) for name in names)
        return (
            f"{point:<20}{len(self.lines[point]):>5} {size:>5.1f} {share:>6.1%}  {against:<22}"
            f"{100 * error:>9.1f} {median:>19.1f} {slow:>6.1f} {many:>6.1f}"
        )

    def draw(
        self,
        axis: Axes,
        name: str,
        ends: str | None = None,
        labels: Mapping[str, tuple[int, int]] | None = None,
    ) -> None:
        """Accuracy (%) by the speed in a column, teacher = 1; a mark's area is the size of the file.

        A bar is the interval of the difference from the teacher. Forms are joined to the weights that they
        were made of. ends: a column to which a thick line leads. labels: the points to name, each by the name
        of its weights, and where: points right of the mark and above it.
        """
        for point in self:
            base, place = base_of(point), self._place(point, name)
            marker, number = MARKS[point.removeprefix(base).strip()]
            found, colour = self.difference(point), COLOURS[number]
            line = {"color": colour, "alpha": 0.6}
            if point != "teacher":
                bar = [[100 * (found.mean - found.low)], [100 * (found.high - found.mean)]]
                axis.errorbar(*place, yerr=bar, linewidth=0.7, linestyle="", **line)
            if base != point and base in self.lines:
                ways = zip(self._place(base, name), place, strict=True)
                axis.plot(*ways, color="0.6", linewidth=0.7, linestyle="-", zorder=0)
            if ends:
                way = [place[0], self.times_as_fast(point, ends)], [place[1]] * 2
                axis.plot(*way, linewidth=2.5, linestyle="-", **line)
            area = max(4 * self.column(point, "megabytes").mean(), 14)
            axis.scatter(*place, s=area, marker=marker, color=colour, alpha=0.8, edgecolor="white")
            if offset := (labels or {}).get(point):
                axis.annotate(base, place, xytext=offset, textcoords="offset points", fontsize=8)
        right = 100 * self.column("teacher", "accuracy").mean()
        axis.axhline(right, color="0.5", linewidth=0.8, linestyle=":", zorder=0)
        axis.set_xscale("log")
        axis.xaxis.set_major_formatter(ScalarFormatter())
        axis.xaxis.set_minor_formatter(NullFormatter())

    def _place(self, point: str, name: str) -> tuple[float, float]:
        return self.times_as_fast(point, name), 100 * self.column(point, "accuracy").mean()


assert set(MARKS) == {"", *FORMS}
