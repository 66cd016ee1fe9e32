"""The reading edition as a person meets it: every page in Chromium, without a network, light and dark."""

import functools
import itertools
import re
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urldefrag

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup
from playwright.sync_api import expect

from conftest import ROOT, Watched
from scripts.dev import badges
from scripts.site import build

NOTEBOOKS = {path.stem: path for path in sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))}
PAGES = ["index", *NOTEBOOKS]
VIEWED = "10_attention_views"
LAPTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 800}
RAW_TEX = re.compile(r"\$[^$\n]{1,80}\$|\\(?:frac|sum|mathbf|mathrm|sqrt|top|cdot|ln)\b|\\[(\[]")
# Thousands of words of code have a dozen colors: one of each is measured, in cells and in outputs.
EACH_KIND_ONCE = """() => {
  const seen = new Set();
  for (const word of document.querySelectorAll('.bd-article pre span[class]')) {
    const kind = `${word.className} ${Boolean(word.closest('.output'))} ${word.parentElement.className}`;
    if (seen.has(kind) && !word.querySelector('a')) word.replaceWith(...word.childNodes);
    seen.add(kind);
  }
  [...document.querySelectorAll('.bd-article mjx-container')].slice(3).forEach((formula) => formula.remove());
}"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *words):
        """Says nothing on the terminal."""


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The pages, made anew; a warning fails here."""
    folder = tmp_path_factory.mktemp("site") / "pages"
    assert build.main(["--out", str(folder)]) == 0
    return folder


@pytest.fixture(scope="module")
def address(site):
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


class Opened(Watched):
    """A page of the site that notes what it could not load and what its scripts complain of."""

    def __init__(self, browser, name, address, **options):
        super().__init__(browser, f"site-{name}", **options)
        self.troubles = []
        self.page.on("console", self.note_console)
        self.page.on("pageerror", lambda error: self.troubles.append(f"error: {error}"))
        self.page.on("requestfailed", lambda request: self.troubles.append(f"failed: {request.url}"))
        self.page.on("response", self.note_response)
        self.page.goto(f"{address}/{name}.html", wait_until="load")
        self.page.wait_for_function("!window.MathJax || !MathJax.startup || MathJax.startup.promise")
        self.page.evaluate("window.MathJax && MathJax.startup ? MathJax.startup.promise : null")
        self.page.wait_for_load_state("networkidle")

    def note_console(self, message):
        if message.type in ("error", "warning"):
            self.troubles.append(f"{message.type}: {message.text}")

    def note_response(self, response):
        if response.status >= 400:
            self.troubles.append(f"{response.status}: {response.url}")

    def at(self, size=LAPTOP, theme="light"):
        """The page at a size and in a theme, all folds open."""
        self.page.set_viewport_size(size)
        self.page.evaluate(
            "theme => { document.documentElement.dataset.theme = theme;"
            " document.querySelectorAll('.bd-article details').forEach(fold => { fold.open = true }) }",
            theme,
        )
        return self.page


@pytest.fixture(scope="module", params=PAGES)
def opened(request, browser, address):
    opened = Opened(browser, request.param, address)
    opened.stem = request.param
    yield opened
    opened.context.close()


@functools.cache
def read(site, name) -> BeautifulSoup:
    return BeautifulSoup((site / f"{name}.html").read_text("utf-8"), "html.parser")


@pytest.fixture(params=PAGES)
def soup(request, site):
    return request.param, read(site, request.param)


# Every page


def test_folds_open_at_one_button(opened):
    """First, as the page is loaded: folds are closed, one button opens all of them and closes them."""
    page = opened.page
    folds, button = page.locator(".bd-article details"), page.locator(".course-folds")
    assert page.locator(".bd-article details[open]").count() == 0
    if opened.stem in NOTEBOOKS:
        cells = nbformat.read(NOTEBOOKS[opened.stem], as_version=4).cells
        hidden = sum(bool(cell.metadata.get("jupyter", {}).get("source_hidden")) for cell in cells)
        solutions = sum(cell.source.count("<details>") for cell in cells if cell.cell_type == "markdown")
        assert folds.count() == 1 + hidden + solutions  # the set-up cell
        button.click()
        assert page.locator(".bd-article details[open]").count() == folds.count()
        button.click()
        assert page.locator(".bd-article details[open]").count() == 0


def test_everything_comes_from_here_and_without_complaint(opened):
    page = opened.at()
    page.evaluate("document.querySelectorAll('img').forEach(image => { image.loading = 'eager' })")
    page.wait_for_load_state("networkidle")
    blank = page.locator("img").evaluate_all(
        "all => all.filter(i => !(i.complete && i.naturalWidth)).map(i => i.src)"
    )
    assert (opened.elsewhere, opened.troubles, opened.dialogs, blank) == ([], [], [], [])


def test_formulas_are_set(opened):
    page = opened.at()
    unset = page.locator(".bd-article .math").evaluate_all(
        "all => all.filter(m => !m.querySelector('mjx-container')).map(m => m.textContent)"
    )
    assert unset == [] and page.locator("mjx-merror").count() == 0
    prose = page.evaluate(
        """() => { const copy = document.querySelector('.bd-article').cloneNode(true);
                   copy.querySelectorAll('pre, code, script, mjx-container, .output')
                     .forEach(e => e.remove());
                   return copy.textContent }"""
    )
    assert RAW_TEX.findall(prose) == []


def test_no_line_of_code_is_cut_off(opened):
    found = (
        opened.at()
        .locator(".bd-article div.highlight pre")
        .evaluate_all(
            "all => all.filter(p => !p.closest('.output') && p.scrollWidth > p.clientWidth)"
            ".map(p => [p.scrollWidth, p.clientWidth, p.textContent.slice(0, 60)])"
        )
    )
    assert found == []


def test_a_phone_needs_no_sideways_scroll(opened):
    page = opened.at(PHONE)
    page.wait_for_timeout(200)
    wide, room = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    beyond = page.evaluate(
        """room => [...document.querySelectorAll('.bd-main *')].filter(e => {
             if (e.getBoundingClientRect().right <= room + 1 || !e.getClientRects().length) return false;
             if (getComputedStyle(e).visibility === 'hidden') return false;
             for (let up = e.parentElement; up; up = up.parentElement)
               if (getComputedStyle(up).overflowX !== 'visible') return false;
             return true }).slice(0, 5).map(e => e.outerHTML.slice(0, 120))""",
        room,
    )
    opened.keep("phone")
    assert wide <= room and beyond == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_contrast_and_names(opened, theme):
    """axe finds nothing serious; what stands in frames is tested by itself."""
    page = opened.at(theme=theme)
    opened.keep(theme)
    page.evaluate(EACH_KIND_ONCE)
    options = {"resultTypes": ["violations"], "iframes": False}
    if theme == "dark":  # colors are all that differs
        options["runOnly"] = ["color-contrast", "link-in-text-block"]
    found = Axe().run(page, options=options).response["violations"]
    bad = [
        (rule["id"], node["html"][:160], node["any"][0]["message"][:160] if node["any"] else "")
        for rule in found
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"][:3]
    ]
    assert bad == []


def test_outputs_stand_on_the_page_in_the_dark(opened):
    papers = (
        opened.at(theme="dark")
        .locator(".cell_output .text_html")
        .evaluate_all("all => all.map(o => getComputedStyle(o).backgroundColor)")
    )
    assert set(papers) <= {"rgba(0, 0, 0, 0)"}


def test_links_and_anchors_lead_somewhere(soup, site):
    stem, page = soup
    ids = {stem: {tag["id"] for tag in page.find_all(id=True)}}
    here = f"https://github.com/{badges.repository()}"
    for link in page.find_all("a", href=True):
        path, anchor = urldefrag(unquote(link["href"]))
        if path.startswith(here):
            kind, _, place = path.removeprefix(here).strip("/").partition("/main/")
            assert kind in ("", "blob", "tree") and (ROOT / place).exists(), link
        elif not re.match(r"[a-z]+:", path):
            target = site / (path or f"{stem}.html")
            assert target.is_file(), link
            if anchor and target.suffix == ".html":
                name = target.stem
                if name not in ids:
                    ids[name] = {tag["id"] for tag in read(site, name).find_all(id=True)}
                assert anchor in ids[name], link


def test_pictures_have_a_text_in_their_place(soup):
    """A text of its own for each: words, not a file's name."""
    _, page = soup
    article = page.find(class_="bd-article")
    texts = [(image.get("alt") or "").strip() for image in article.find_all("img")]
    for text in texts:
        assert len(text.split()) >= 3 and not re.search(r"\.(png|svg)$|^<|\\\w|\$", text), text
    assert len(set(texts)) >= 0.9 * len(texts)


# What only some pages have


def hrefs(links) -> list[str]:
    return links.evaluate_all("all => all.map(a => a.getAttribute('href'))")


def test_the_start_page_leads_to_every_notebook_and_ways_through(browser, address):
    opened = Opened(browser, "index", address)
    article = opened.page.locator(".bd-article")
    ways = article.locator("section#three-ways-through li")
    assert ways.count() == 3 and "11" in ways.nth(2).inner_text()
    linked, aside = hrefs(article.locator("a")), hrefs(opened.page.locator(".bd-sidebar-primary a"))
    assert {f"{stem}.html" for stem in NOTEBOOKS} <= set(aside)
    assert {f"{stem}.html" for stem in list(NOTEBOOKS)[:9]} <= set(linked)
    core = hrefs(ways.first.locator("a"))
    assert [name[:2] for name in core] == ["01", "03", "04", "05", "06", "08"]
    opened.context.close()


def test_from_page_to_page(site):
    """Next, from the start page to the last notebook, and back."""
    for before, after in itertools.pairwise(PAGES):
        assert read(site, before).find("a", class_="right-next")["href"] == f"{after}.html"
        assert read(site, after).find("a", class_="left-prev")["href"] == f"{before}.html"


def test_views_are_alive(browser, address):
    """As many as are stored; lines are drawn in each, in both themes, and the frame answers to a click."""
    stored = NOTEBOOKS[VIEWED].read_text(encoding="utf-8").count("<iframe ")
    for theme in ("light", "dark"):
        opened = Opened(browser, VIEWED, address)
        frames = opened.at(theme=theme).locator(".bd-article iframe")
        assert frames.count() == stored > 0
        for number in range(stored):
            frames.nth(number).scroll_into_view_if_needed()
            inside = frames.nth(number).content_frame
            inside.locator("html[data-drawn]").wait_for(state="attached")
            assert inside.locator("svg line, svg path").count() > 20
            paper = inside.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
            assert paper == "rgb(255, 255, 255)"
        head = opened.view("head")
        lines = head.locator("#attention line")
        before = lines.evaluate_all("all => all.map(line => line.getAttribute('stroke-opacity')).join()")
        head.get_by_label("Layer").select_option("1")
        assert before != lines.evaluate_all(
            "all => all.map(line => line.getAttribute('stroke-opacity')).join()"
        )
        opened.keep(theme)
        assert (opened.elsewhere, opened.troubles) == ([], [])
        opened.context.close()


def test_search_finds_whole_word_masking(browser, address, site):
    """Pages where the words stand together come first."""
    phrase = re.compile(r"whole\W{1,3}word\W{1,3}masking", re.I)
    opened = Opened(browser, "index", address)
    opened.page.keyboard.press("Control+k")
    field = opened.page.locator("#pst-search-dialog input[type=search]")
    field.fill("whole-word masking")
    field.press("Enter")
    opened.page.wait_for_url("**/search.html?*")
    expect(opened.page.locator("#search-results ul[data-sorted]")).to_be_visible()
    found = hrefs(opened.page.locator("#search-results ul.search > li > a"))
    found = list(dict.fromkeys(href.split(".")[0] for href in found))
    texts = {name: read(site, name).find(class_="bd-article").get_text() for name in PAGES}
    together = {name for name, text in texts.items() if phrase.search(text)}
    assert together and set(found[: len(together)]) == together
    opened.keep("found")
    assert (opened.elsewhere, opened.troubles) == ([], [])
    opened.context.close()


def test_copy_download_and_colab(browser, address, site):
    stem, slug = "04_self_attention", badges.repository()
    opened = Opened(browser, stem, address, permissions=["clipboard-read", "clipboard-write"])
    page = opened.page
    cells = nbformat.read(NOTEBOOKS[stem], as_version=4).cells
    second = [cell.source for cell in cells if cell.cell_type == "code"][1]
    cell = page.locator(".cell_input").nth(1)
    cell.hover()
    cell.locator("button.copybtn").click()
    assert page.evaluate("navigator.clipboard.readText()").strip() == second.strip()
    assert page.locator(".output button.copybtn").count() == 0
    colab = f"https://colab.research.google.com/github/{slug}/blob/main/notebooks/{stem}.ipynb"
    links = page.locator("a").evaluate_all("all => all.map(a => a.href)")
    assert links.count(colab) == 2  # under the title and in the header
    download = page.locator("a.btn-download-source-button").get_attribute("href")
    assert (site / download).read_bytes() == NOTEBOOKS[stem].read_bytes()  # as it is stored
    opened.context.close()


@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["laptop", "phone"])
def test_contents_of_a_page_are_behind_a_button(browser, address, size):
    opened = Opened(browser, "04_self_attention", address)
    page = opened.at(size)
    page.locator(".article-header-buttons .secondary-toggle").click()
    contents = page.locator("dialog#pst-secondary-sidebar-modal")
    expect(contents).to_be_visible()
    box = contents.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= size["width"] and box["height"] > 400
    opened.keep(f"contents-{size['width']}")
    contents.locator("a", has_text="Query, key, value").click()
    page.wait_for_url("**#query-key-value")
    assert opened.troubles == []
    opened.context.close()


def test_the_theme_follows_the_reader(browser, address):
    for scheme in ("light", "dark"):
        opened = Opened(browser, "index", address, color_scheme=scheme)
        assert opened.page.locator("html").get_attribute("data-theme") == scheme
        opened.context.close()
