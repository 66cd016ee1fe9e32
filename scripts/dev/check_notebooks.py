"""Read the stored notebooks as a visitor would, and say what would put the visitor off.

    python scripts/dev/check_notebooks.py           all notebooks
    python scripts/dev/check_notebooks.py 01 03     the ones whose names begin so

Nothing is run. Checked are: outputs stored by one fresh run, no stderr and no errors, cells short enough,
tags spelled right, outputs without paths of one machine, nothing loaded from the web, images with alt text.
"""

import html
import json
import re
import sys
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from helpers.data.output import accept_any_text  # noqa: E402

LONGEST_CELL = 25
LONGEST_CLASS = 45
LARGEST_FILE = 1_000_000
# Five live views of attention, which carry their libraries and numbers.
LARGER_FILES = {"10_attention_views.ipynb": 2_000_000}
IGNORE_OUTPUT = "nbval-ignore-output"
# Folders that exist on one machine only; a line that names them cannot repeat elsewhere.
MACHINE_PATHS = re.compile(
    r"/home/\w|/root/|/Users/\w|/tmp/|/private/var/|[A-Z]:\\\\?Users|site-packages|ipykernel_"
)
WEB_SOURCE = re.compile(r"""\ssrc\s*=\s*\\?["']?\s*((?:https?:)?//[^/"'\s\\>]+)""", re.I)
MARKDOWN_IMAGE = re.compile(r"!\[([^\]]*)\]\(\s*<?([^)\s>]+)")
HTML_IMAGE = re.compile(r"<img\b[^>]*>", re.I)
# tqdm's: "100%|██████| 27.8M/27.8M [00:00<00:00" with a known end, "106 articles [00:05, " without one.
PROGRESS_BAR = re.compile(r"\d%\|.*\[\d+:\d\d<|\[\d+:\d\d, ")
MARKER = re.compile(r"#\s*(NBVAL_\w*|PYTEST_VALIDATE\w*)")


def problems(path: Path) -> list[str]:
    """Everything that is wrong with one stored notebook, a sentence for each."""
    notebook = nbformat.read(path, as_version=4)
    found = []
    largest = LARGER_FILES.get(path.name, LARGEST_FILE)
    if path.stat().st_size >= largest:
        found.append(f"the file has {path.stat().st_size} bytes, at most {largest} are wanted")
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code, 1):
        found += [f"code cell {number} {problem}" for problem in code_problems(cell, number)]
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type == "markdown":
            found += [f"cell {number} {problem}" for problem in image_problems(cell.source, path.parent)]
    return found


def code_problems(cell, number: int) -> list[str]:
    """What is wrong with one code cell, which is the `number`th of its notebook."""
    found = []
    if cell.execution_count != number:
        found.append(f"has execution count {cell.execution_count}, expected {number}: run the notebook whole")
    lines = cell.source.count("\n") + 1
    most = LONGEST_CLASS if re.search(r"^class\s", cell.source, re.M) else LONGEST_CELL
    if lines > most:
        found.append(f"has {lines} lines, at most {most} are wanted")
    if re.search(r"^\s*from\s+\S+\s+import\s+\*", cell.source, re.M):
        found.append("imports with a star: name what it needs")
    if cell.source.rstrip().endswith(";"):
        found.append("ends in a semicolon, which nbval does not heed: end a figure with plt.show()")
    if MARKER.search(cell.source):
        found.append(f"holds a marker comment, which is easily mistyped: use the tag {IGNORE_OUTPUT}")
    tags = cell.metadata.get("tags", [])
    found += [f"has the tag {tag!r}, only {IGNORE_OUTPUT} is used" for tag in tags if tag != IGNORE_OUTPUT]
    if IGNORE_OUTPUT in tags and has_text(cell) and "assert" not in cell.source:
        found.append("has an ignored output and asserts nothing: assert what it shows")
    for output in cell.outputs:
        found += output_problems(output)
    return found


def has_text(cell) -> bool:
    """True where an output holds more than pictures, so that there would be something to compare."""
    kinds = [output.get("data", {"stream": ""}) for output in cell.outputs]
    return any(not any(kind.startswith("image/") for kind in data) for data in kinds)


def output_problems(output) -> list[str]:
    found = []
    if output.output_type == "error":
        found.append(f"stores an error: {output.ename}: {output.evalue}")
    if output.output_type == "stream" and output.name == "stderr":
        found.append(f"stores stderr: {output.text[:80]!r}")
    data = {k: v for k, v in output.get("data", {}).items() if k not in ("image/png", "image/jpeg")}
    texts = [output.get("text", ""), *(v if isinstance(v, str) else json.dumps(v) for v in data.values())]
    for text in texts:
        if match := MACHINE_PATHS.search(text):
            around = text[max(0, match.start() - 20) : match.end() + 30]
            found.append(f"shows a path of one machine: {around!r}")
        if PROGRESS_BAR.search(text):
            found.append("stores a progress bar: run it again, now that what it shows is done")
        hosts = sorted(set(WEB_SOURCE.findall(html.unescape(text))))
        found += [f"shows something loaded from {host}" for host in hosts]
    if "application/vnd.jupyter.widget-view+json" in data:
        found.append("stores a live widget, which is dead in a file")
    return found


def image_problems(source: str, folder: Path) -> list[str]:
    """Images of a markdown cell that come from the web, are not there, or have no alt text."""
    images = [(alt, target) for alt, target in MARKDOWN_IMAGE.findall(source)]
    for tag in HTML_IMAGE.findall(source):
        attributes = {k.lower(): v for k, v in re.findall(r"""(\w+)\s*=\s*["']([^"']*)["']""", tag)}
        images.append((attributes.get("alt", ""), attributes.get("src", "")))
    found = []
    for alt, target in images:
        if re.match(r"(https?:)?//|data:", target):
            found.append(f"has an image from the web: {target[:60]}")
        elif not (folder / target).is_file():
            found.append(f"has an image that is not there: {target}")
        if not alt.strip():
            found.append(f"has an image without alt text: {target[:60]}")
    return found


def main(names: list[str]) -> int:
    accept_any_text()
    paths = sorted((ROOT / "notebooks").glob("*.ipynb"))
    paths = [p for p in paths if not names or any(p.name.startswith(Path(name).name) for name in names)]
    found = [f"{path.name}: {problem}" for path in paths for problem in problems(path)]
    for line in found:
        print(f"  ! {line}")
    print(f"{len(paths)} notebooks read, {len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
