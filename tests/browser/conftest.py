"""A real Chromium without any network but this machine, and JupyterLab on a free port of it.

Run by `make test-browser`; a plain `pytest` leaves this folder out. BROWSER names another Chromium;
SCREENSHOTS another folder for the pictures, which are kept (default: tests/browser/screenshots).
"""

import os
import sys
from pathlib import Path

import nbclient
import nbformat
import pytest
from playwright.sync_api import Browser, Error, Page, sync_playwright

from scripts.dev import local_server
from scripts.dev.chromium import launch

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = Path(os.environ.get("SCREENSHOTS") or Path(__file__).parent / "screenshots")
PATIENCE = 180  # seconds, for machines that have other work
TEXT, PAIR = "Tom lost the red ball in the park .", "He was sad ."
CELLS = [
    "from helpers import checkpoints, views\nmodel, tokenizer = checkpoints.load('stories')\n"
    f"text, pair = {TEXT!r}, {PAIR!r}",
    "views.head_view(model, tokenizer, text, pair)",
    "views.model_view(model, tokenizer, text)",
    "views.neuron_view(model, tokenizer, text, layers=[1])",
]


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        try:
            browser = launch(playwright)
        except LookupError as error:
            pytest.fail(str(error))
        yield browser
        browser.close()


class Watched:
    """A page that notes every request to elsewhere and every dialog, and keeps pictures."""

    def __init__(self, browser: Browser, name: str, **options):
        self.context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
        self.name, self.dialogs, self.elsewhere = name, [], []
        self.context.route("**/*", self.guard)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE * 1000)
        self.page.on("dialog", self.note_dialog)

    def guard(self, route):
        url = route.request.url
        if url.startswith(("http://127.0.0.1:", "file:", "data:", "blob:", "about:")):
            route.continue_()
        else:
            self.elsewhere.append(url)
            route.abort()

    def note_dialog(self, dialog):
        self.dialogs.append(dialog.message)
        dialog.dismiss() if dialog.type != "beforeunload" else dialog.accept()

    def view(self, kind: str, number: int = 0):
        """The inside of a view, once it is drawn."""
        frame = self.page.locator(f'iframe[title^="Attention, {kind} view"]').nth(number)
        frame.scroll_into_view_if_needed()
        inside = frame.content_frame
        inside.locator("html[data-drawn]").wait_for(state="attached")
        return inside

    def keep(self, what: str, **options):
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{self.name}-{what}.png", **options)


@pytest.fixture
def watch(browser, request):
    """Makes a watched page; afterwards keeps a last picture and closes it."""
    made = []

    def make(**options) -> Watched:
        made.append(Watched(browser, request.node.name.replace("/", "-"), **options))
        return made[-1]

    yield make
    for watched in made:
        try:
            watched.keep("end")
        except Error:
            pass  # a page that hangs has no picture; its test has said why
        watched.context.close()


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A copy of the course's folder as far as a notebook needs it, for notebooks of the tests."""
    folder = tmp_path_factory.mktemp("course")
    for name in ("helpers", "data", "requirements.txt", "constraints.txt", "pyproject.toml"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "notebooks").mkdir()
    return folder / "notebooks"


@pytest.fixture(scope="session")
def written(folder) -> Path:
    """A notebook with the three views, not yet run."""
    path = folder / "three_views.ipynb"
    setup = (ROOT / "scripts" / "dev" / "setup_cell.py").read_text(encoding="utf-8")
    cells = [nbformat.v4.new_code_cell(source) for source in (setup, *CELLS)]
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": spec}), path)
    return path


@pytest.fixture(scope="session")
def executed(written) -> Path:
    """The same notebook, run without a browser; no server has signed it, so it is not trusted."""
    notebook = nbformat.read(written, as_version=4)
    nbclient.NotebookClient(
        notebook, timeout=PATIENCE, resources={"metadata": {"path": written.parent}}
    ).execute()
    path = written.with_name("executed.ipynb")
    nbformat.write(notebook, path)
    return path


@pytest.fixture(scope="session")
def lab(folder, tmp_path_factory):
    """The address of a JupyterLab that serves `folder`, with settings of its own."""
    port = local_server.free_port()
    home = tmp_path_factory.mktemp("jupyter")
    places = {f"JUPYTER_{name}_DIR": str(home / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    places["JUPYTERLAB_SETTINGS_DIR"] = places["JUPYTERLAB_WORKSPACES_DIR"] = str(home / "lab")
    quiet = home / "lab" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    quiet.parent.mkdir(parents=True)
    quiet.write_text('{"fetchNews": "false", "checkForUpdates": false}')
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ServerApp.ip=127.0.0.1"]
    command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0", "--IdentityProvider.token=test"]
    command += [f"--ServerApp.root_dir={folder.parent}"]
    command += ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    base, options = f"http://127.0.0.1:{port}", {"env": os.environ | places, "cwd": folder.parent}
    with local_server.running(command, f"{base}/api", home / "log.txt", PATIENCE, **options):
        yield base
