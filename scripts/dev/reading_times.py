"""How long a beginner reads each notebook: prose, formulas, figures, and code line by line.

    python scripts/dev/reading_times.py           a table of all notebooks
    python scripts/dev/reading_times.py 01 03     the ones whose names begin so

Counted is a first reading up to the exercises, without the set-up cell; running, exercises, detours (headed
*Optional*), *Break it*, the learner's own cells (stubs, guesses), the folded cells that solve them and the
cells of checks with their wrong programs are not: exercises give their own minutes. Prose: 150 words a
minute; adults read general non-fiction in English at 238 (Brysbaert 2019, "How many words do we read per
minute?"), and prose about code, with its names and numbers, is slower. Code: eight seconds a line, which is
450 lines an hour, the pace at which reviewers still find faults (Cohen 2006, "Best Kept Secrets of Peer
Code Review", recommends at most 300 to 500). A displayed formula takes 20 seconds, a table's row 5, a
figure 30, an output line 1 (at most 15 for one cell).
"""

import re
import sys
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from helpers.data.output import accept_any_text  # noqa: E402
from scripts.dev import sync_exercises  # noqa: E402
from scripts.dev.run_notebooks import find  # noqa: E402

WORDS_A_MINUTE = 150
SECONDS = {"code line": 8, "formula": 20, "table row": 5, "figure": 30, "output line": 1}
MOST_SECONDS_OF_OUTPUT = 15
SET_UP = "# Set-up:"
CHECKS = re.compile(r"^(?:def|class) (?:test|wrong)_|^must_fail\(", re.M)
HEADING = re.compile(r"^(#+) +(.*)", re.M)


def read_cells(cells):
    """The cells of a first reading: no set-up, no optional detour, nothing from the exercises on."""
    detour = 0  # the level of the heading under which everything is optional
    for cell in cells:
        if cell.cell_type == "markdown":
            for marks, title in HEADING.findall(cell.source):
                if title.startswith("Exercises"):
                    return
                if detour and len(marks) <= detour:
                    detour = 0
                if not detour and title.lower().startswith(("optional", "break it")):
                    detour = len(marks)
        code = cell.cell_type == "code"
        skipped = code and (CHECKS.search(cell.source) or sync_exercises.kind(cell.source))
        skipped = skipped or code and sync_exercises.is_folded(cell)
        if not detour and not skipped and not cell.source.startswith(SET_UP):
            yield cell


def course_cells(cells) -> int:
    """How many cells there are besides stubs, guesses, and what stands under headings *Break it*."""
    count, level = 0, 0  # the level of the heading under which a bug is looked for
    for cell in cells:
        if cell.cell_type == "markdown" and (heading := HEADING.search(cell.source)):
            if not level or len(heading[1]) <= level:
                level = len(heading[1]) if heading[2].startswith("Break it") else 0
        count += not level and not (cell.cell_type == "code" and sync_exercises.kind(cell.source))
    return count


def minutes(path: Path) -> float:
    """What a first reading of a stored notebook takes, in minutes."""
    return sum(map(seconds_of, read_cells(nbformat.read(path, as_version=4).cells))) / 60


def seconds_of(cell) -> float:
    """Reading time of one cell with its stored output."""
    if cell.cell_type == "markdown":
        return _seconds_of_prose(cell.source)
    lines = [line for line in cell.source.splitlines() if line.strip()]
    return len(lines) * SECONDS["code line"] + min(_seconds_of_outputs(cell.outputs), _most(cell.outputs))


def _seconds_of_prose(text: str) -> float:
    formulas = re.findall(r"\$\$.+?\$\$", text, re.S)
    rows = re.findall(r"^\|.*\|\s*$", text, re.M)
    figures = re.findall(r"!\[", text)
    plain = re.sub(r"\$\$.+?\$\$|^\|.*\|\s*$|!?\[([^\]]*)\]\([^)]*\)", r" \1 ", text, flags=re.S | re.M)
    prose = 60 / WORDS_A_MINUTE * len(re.findall(r"\w[\w'’-]*", plain))
    other = len(formulas) * SECONDS["formula"] + len(rows) * SECONDS["table row"]
    return prose + other + len(figures) * SECONDS["figure"]


def _seconds_of_outputs(outputs) -> float:
    return sum(
        SECONDS["figure"]
        if _is_figure(output)
        else len(_text(output).splitlines()) * SECONDS["output line"]
        for output in outputs
    )


def _most(outputs) -> float:
    figures = sum(map(_is_figure, outputs))
    return MOST_SECONDS_OF_OUTPUT + figures * SECONDS["figure"]


def _is_figure(output) -> bool:
    return any(kind.startswith("image/") or kind == "text/html" for kind in output.get("data", {}))


def _text(output) -> str:
    return output.get("text") or output.get("data", {}).get("text/plain", "")


def rounded(path: Path) -> int:
    """Minutes as the maps give them, to the next five."""
    return 5 * max(1, round(minutes(path) / 5))


def main(names: list[str]) -> int:
    accept_any_text()
    for path in find(names):
        cells = nbformat.read(path, as_version=4).cells
        count = f"{course_cells(cells):4} cells, {len(cells):4} with exercises"
        print(f"{path.stem:<34} {minutes(path):6.1f} minutes {count}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
