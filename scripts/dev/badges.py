"""Write the repository's address, which stands in pyproject.toml, wherever else it is needed.

    python scripts/dev/badges.py            rewrite the set-up cell, the Colab badges and the READMEs
    python scripts/dev/badges.py --check    only say where another address stands

A fork changes the one line `repository = ...` under [tool.course] and runs this once.
"""

import argparse
import re
import sys
import tomllib
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from helpers.data.output import accept_any_text  # noqa: E402

ADDRESS = re.compile(r"https://github\.com/([A-Za-z0-9-]+/[A-Za-z0-9._-]+?)(?:\.git)?/?")
REPOSITORY_LINE = re.compile(r'^REPOSITORY = "([^"]*)"$', re.M)
BADGE = re.compile(r"\[!\[Open in Colab\]\([^)]*\)\]\([^)]*\)")
TEXTS = ("README.md", "data/README.md", "CONTRIBUTING.md", "CHANGELOG.md", "CITATION.cff")


def repository(root: Path = ROOT) -> str:
    """OWNER/REPO from pyproject.toml. Raises SystemExit for an address that Colab cannot open."""
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    address = settings["tool"]["course"]["repository"]
    match = ADDRESS.fullmatch(address)
    if not match:
        raise SystemExit(
            f"repository in pyproject.toml is {address!r}, expected https://github.com/OWNER/REPO: "
            "Colab's badges open notebooks from GitHub only."
        )
    return match[1]


def badge(slug: str, name: str, image: str = "images/colab-badge.svg") -> str:
    link = f"https://colab.research.google.com/github/{slug}/blob/main/notebooks/{name}"
    return f"[![Open in Colab]({image})]({link})"


def moved(text: str, old: str, new: str) -> str:
    """The text with addresses of the repository `old` made addresses of `new`."""
    return re.sub(rf"(github\.com/|/github/){re.escape(old)}(?![\w.-]*[\w-])", rf"\g<1>{new}", text)


def wanted_files(root: Path = ROOT) -> dict[Path, str]:
    """{file: the text it should have} for every file that names the repository."""
    slug = repository(root)
    cell_path = root / "scripts" / "dev" / "setup_cell.py"
    cell = cell_path.read_text(encoding="utf-8")
    old = ADDRESS.fullmatch(REPOSITORY_LINE.search(cell)[1])[1]
    new_cell = REPOSITORY_LINE.sub(f'REPOSITORY = "https://github.com/{slug}"', cell)
    texts = [root / name for name in TEXTS if (root / name).is_file()]
    wanted = {path: moved(path.read_text(encoding="utf-8"), old, slug) for path in texts}
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        wanted[path] = _notebook_text(path, old, slug, cell.rstrip("\n"), new_cell.rstrip("\n"))
    wanted[cell_path] = new_cell  # last: it holds the old address, which an interrupted run needs again
    return wanted


def _notebook_text(path: Path, old: str, slug: str, old_cell: str, new_cell: str) -> str:
    notebook = nbformat.read(path, as_version=4)
    original = nbformat.writes(notebook)
    has_badge = False
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = BADGE.sub(badge(slug, path.name), moved(cell.source, old, slug))
            has_badge = has_badge or bool(BADGE.search(cell.source))
        elif cell.source.rstrip("\n") == old_cell:
            cell.source = new_cell
    if not has_badge:
        first = nbformat.v4.new_markdown_cell(badge(slug, path.name), id="colab-badge")
        notebook.cells.insert(0, first)
    text = nbformat.writes(notebook)
    return path.read_text(encoding="utf-8") if text == original else text.rstrip("\n") + "\n"


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    accept_any_text()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing")
    check = parser.parse_args(arguments).check
    stale = {p: text for p, text in wanted_files(root).items() if p.read_text(encoding="utf-8") != text}
    for path, text in stale.items():
        print(f"{'another address stands in' if check else 'rewritten:'} {path.relative_to(root)}")
        if not check:
            part = path.with_name(path.name + ".tmp")
            part.write_text(text, encoding="utf-8", newline="\n")
            part.replace(path)
    print(f"{len(stale)} files {'to change' if check else 'changed'} for {repository(root)}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
