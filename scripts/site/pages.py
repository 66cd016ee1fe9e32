"""What the reading edition makes of a stored notebook, and its start page. Nothing is executed.

The notebooks themselves stay as they are, and are what the download button gives. On the way to the page
the set-up cell and the course's versions of exercises are folded, figures get a text in their place, and
links to files of the repository lead to its address.
"""

import re
from pathlib import Path

import nbformat

from scripts.dev.badges import BADGE
from scripts.site.alternatives import alternative, definitions, with_what_it_calls

ROOT = Path(__file__).resolve().parents[2]
SETUP = "# Set-up:"
FOLDED_SETUP = "Set-up: find the course, check the packages"
FOLDED_VERSION = "The course's version"
# In JupyterLab a folded cell shows three dots; on the page it says what it is.
HOW_TO_UNFOLD = re.compile(r"\*Write yours first\. The course's version is folded in the next cell:[^*]*\*")
UNFOLD_HERE = "*Write yours first. The course's version is folded below.*"
REPOSITORY_LINK = re.compile(r"\]\(\.\./([^)\s]*)\)")
# A fence with a line for the shell, "!…", is no Python.
SHELL_FENCE = re.compile(r"^(```)python(?=\n(?:(?!```).*\n)*?[!%])", re.M)
IMAGES = ("image/png", "image/jpeg", "image/svg+xml")


def prepared(notebook, address: str, root: Path = ROOT):
    """The notebook as its page wants it; the given one is changed and returned.

    address: https://github.com/OWNER/REPO. Raises ValueError for a link to a file that is not there.
    """
    defined = {}
    prose = ["", *(c.source if c.cell_type == "markdown" else "" for c in notebook.cells), ""]
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type == "markdown":
            cell.source = prepared_prose(cell.source, address, root)
        elif cell.cell_type == "code":
            before = next((text for text in reversed(prose[:number]) if text), "")
            defined |= definitions(cell.source)
            prepare_code(cell, defined, before, prose[number + 1])
    move_badge(notebook)
    return notebook


def prepared_prose(source: str, address: str, root: Path) -> str:
    """Links into the repository made addresses, and what is said of folds true on a page."""

    def link(match):
        path, hash_mark, place = match[1].partition("#")
        if not (root / path).exists():
            raise ValueError(f"a notebook links to ../{match[1]}, and there is no {path}: mend the link")
        kind = "tree" if (root / path).is_dir() else "blob"
        return f"]({address}/{kind}/main/{path}{hash_mark}{place})"

    source = HOW_TO_UNFOLD.sub(UNFOLD_HERE, REPOSITORY_LINK.sub(link, source))
    source = SHELL_FENCE.sub(r"\1text", source)
    # An HTML tag right below a paragraph would become a part of it, and the fold end too early.
    return re.sub(r"([^\n])\n</details>", r"\1\n\n</details>", source)


def prepare_code(cell, defined: dict[str, str], before: str, after: str) -> None:
    """Fold what is to be folded, and give figures their text. defined: the functions of the cells so far."""
    tags, settings = cell.metadata.setdefault("tags", []), cell.metadata.setdefault("mystnb", {})
    if cell.source.startswith(SETUP):
        fold = FOLDED_SETUP
    elif cell.metadata.get("jupyter", {}).get("source_hidden"):
        fold = FOLDED_VERSION
    else:
        fold = None
    if fold:
        tags.append("hide-input")
        settings["code_prompt_show"] = settings["code_prompt_hide"] = fold
    pictures = [
        (output, kind) for output in cell.outputs for kind in IMAGES if kind in output.get("data", {})
    ]
    if pictures:
        own = [output.metadata.get(kind, {}).get("alt", "") for output, kind in pictures]
        told = alternative(with_what_it_calls(cell.source, defined), before, after)
        settings["image"] = {"alt": "; ".join(filter(None, own)) or told}


def move_badge(notebook) -> None:
    """Colab's badge under the title, since a page begins with its title."""
    found = next((BADGE.search(c.source) for c in notebook.cells if BADGE.search(c.source)), None)
    prose = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    for cell in prose:
        cell.source = BADGE.sub("", cell.source).strip("\n")
    if found:
        titled = next(cell for cell in prose if re.search(r"^# ", cell.source, re.M))
        titled.source = re.sub(r"^(# .*)$", rf"\1\n\n{found[0]}", titled.source, count=1, flags=re.M)


def start_page(template: str, folder: Path, address: str) -> str:
    """The start page: the template, with the map and the ways through that the first notebook gives."""
    names = sorted(path.stem for path in folder.glob("[0-9][0-9]_*.ipynb"))
    cells = nbformat.read(folder / f"{names[0]}.ipynb", as_version=4).cells
    map_cell = next(c.source for c in cells if c.cell_type == "markdown" and "## The map" in c.source)
    lines = map_cell.splitlines()
    rows = [line for line in lines if line.startswith("|")]
    ways = [line for line in lines if line.startswith("- **")]
    picture = next(line for line in lines if line.startswith("!["))
    fields = {
        "PAGES": "\n".join(names),
        "MAP": "\n".join(rows),
        "WAYS": "\n".join(way(line, names) for line in ways),
        "PICTURE": picture,
        "START": names[0],
        "ADDRESS": address,
    }
    return re.sub(r"@([A-Z]+)@", lambda match: fields[match[1]], template)


def way(line: str, names: list[str]) -> str:
    """One way through, the numbers in its first sentence made links to the notebooks."""
    by_number = {int(name[:2]): name for name in names}

    def link(match):
        name = by_number.get(int(match[0]))
        return f"[{match[0]}]({name}.ipynb)" if name else match[0]

    sentence, dot, rest = line.partition(". ")
    return re.sub(r"\b\d{1,2}\b", link, sentence) + dot + rest
