"""Try the attention views in the classic notebook page, 6.5, with ipywidgets 7: Colab's versions of both.

    python scripts/dev/try_classic.py                        three views, and the panel of notebook 10
    python scripts/dev/try_classic.py --environment FOLDER   keep the environment there, for the next time
    python scripts/dev/try_classic.py --pictures FOLDER      keep what the page looks like

The environment holds that page, IPython and ipywidgets; everything else is linked from this Python. Needs
Chromium and what requirements-dev.txt lists, as the browser tests do; the page has no network.
"""

import argparse
import os
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
from playwright.sync_api import Error, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
from helpers.data.output import accept_any_text  # noqa: E402
from scripts.dev import local_server  # noqa: E402
from scripts.dev.chromium import launch  # noqa: E402

VERSIONS = Path(__file__).with_name("colab_versions.txt")
FROM_COLAB = ("notebook", "ipywidgets", "ipython")
BESIDES = ("setuptools<81",)  # the page looks for its extensions with pkg_resources, which later ones lack
PATIENCE = 240  # seconds
HERE = ("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:", "about:")
KINDS = ("head", "model", "neuron")
CELLS = (
    "from helpers import checkpoints, views\nmodel, tokenizer = checkpoints.load('stories')\n"
    "text = 'Tom lost the red ball in the park .'",
    "views.head_view(model, tokenizer, text)",
    "views.model_view(model, tokenizer, text)",
    "views.neuron_view(model, tokenizer, text, layers=[1])",
    "views.Explorer({'stories': (model, tokenizer)}, text, describe=views.describe_head)",
    "import IPython, ipywidgets\nprint('versions', IPython.__version__, ipywidgets.__version__)",
)


def main(arguments: list[str] | None = None) -> int:
    accept_any_text()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--environment", type=Path, help="keep the environment in this folder")
    parser.add_argument("--pictures", type=Path, help="keep pictures of the page in this folder")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as work:
        work = Path(work).resolve()
        python = make_environment((options.environment or work / "environment").resolve())
        with server(python, work) as address:
            problems = look(address, options.pictures)
    for problem in problems:
        print(f"NO  {problem}")
    print(f"{len(problems)} problems")
    return int(bool(problems))


def make_environment(folder: Path) -> Path:
    """An environment with Colab's page around the packages of this Python; its Python."""
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        lines = VERSIONS.read_text(encoding="utf-8").splitlines()
        wanted = [line for line in lines if line.split("==")[0].lower() in FROM_COLAB]
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*command, *wanted, *BESIDES], check=True)
        ask = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
        place = Path(subprocess.run(ask, check=True, capture_output=True, text=True).stdout.strip())
        # A .pth file adds its folder behind the environment's own packages, so these come first.
        (place / "course.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return python


@contextmanager
def server(python: Path, work: Path) -> Iterator[str]:
    """The classic notebook server over a folder with the notebook of CELLS; the notebook's address."""
    folder = work / "course"
    (folder / "notebooks").mkdir(parents=True)
    for name in ("helpers", "data", "requirements.txt", "constraints.txt", "pyproject.toml"):
        (folder / name).symlink_to(ROOT / name)
    setup = (ROOT / "scripts" / "dev" / "setup_cell.py").read_text(encoding="utf-8")
    cells = [nbformat.v4.new_code_cell(source) for source in (setup, *CELLS)]
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": spec})
    nbformat.write(notebook, folder / "notebooks" / "views.ipynb")
    port = local_server.free_port()
    places = {f"JUPYTER_{name}_DIR": str(work / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    places["PATH"] = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
    command = [str(python), "-m", "notebook", "--no-browser", "--ip=127.0.0.1", f"--port={port}"]
    command += ["--NotebookApp.token=", "--allow-root", f"--notebook-dir={folder}"]
    base, options = f"http://127.0.0.1:{port}", {"env": os.environ | places, "cwd": folder}
    with local_server.running(command, f"{base}/api", work / "log.txt", PATIENCE, **options):
        yield f"{base}/notebooks/notebooks/views.ipynb"


def look(address: str, pictures: Path | None) -> list[str]:
    """Run all cells in Chromium; what is wrong with the views and the panel, a sentence each."""
    problems, elsewhere = [], []
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(PATIENCE * 1000)
        page.on("request", lambda r: elsewhere.append(r.url) if not r.url.startswith(HERE) else None)
        page.goto(address)
        page.locator(".cell").first.wait_for()
        page.wait_for_function("() => window.Jupyter?.notebook?.kernel?.is_connected()")
        page.evaluate("() => Jupyter.notebook.execute_all_cells()")
        page.get_by_text("versions ", exact=False).locator("visible=true").last.wait_for()
        print(page.locator(".output_text").filter(has_text="versions").inner_text().strip())
        problems += [f"a cell failed: {words}" for words in page.locator(".output_error").all_inner_texts()]
        for kind in KINDS:
            frame = page.locator(f'iframe[title^="Attention, {kind} view"]')
            try:
                frame.first.scroll_into_view_if_needed()
                inside = frame.first.content_frame
                inside.locator("html[data-drawn]").wait_for(state="attached", timeout=60_000)
                lines = inside.locator("line, path[stroke-opacity]").count()
                print(f"{kind} view: {lines} lines and paths drawn")
                problems += [] if lines > 20 else [f"the {kind} view has only {lines} lines"]
            except Error as error:
                problems.append(f"the {kind} view is not drawn: {error.message.splitlines()[0]}")
        problems += panel(page)
        if pictures:
            pictures.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=pictures / "classic.png")
        browser.close()
    return problems + [f"asked another host: {url}" for url in elsewhere]


def panel(page) -> list[str]:
    """The next layer is chosen with the arrow key; what the panel says has to follow."""
    box = page.locator(".widget-vbox").first
    try:
        box.wait_for(timeout=60_000)
        box.scroll_into_view_if_needed()
        box.locator("input[type=number]").nth(1).focus()
        page.keyboard.press("ArrowUp")
        box.get_by_text("layer 1, head 0").wait_for(timeout=60_000)
    except Error as error:
        return [f"the panel does not answer: {error.message.splitlines()[0]}"]
    print("the panel answers")
    return []


if __name__ == "__main__":
    raise SystemExit(main())
