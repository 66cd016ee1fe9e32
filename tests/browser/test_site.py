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
from opened_pages import LAPTOP, PHONE, Opened, cut_off, hrefs, raw_formulas, read, serious, too_wide
from playwright.sync_api import expect

from conftest import ROOT
from scripts.dev import badges
from scripts.site import build

NOTEBOOKS = {path.stem: path for path in sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))}
PAGES = ["index", *NOTEBOOKS]
VIEWED = "10_attention_views"


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


@pytest.fixture(scope="module", params=PAGES)
def opened(request, browser, address):
    opened = Opened(browser, request.param, address)
    opened.stem = request.param
    yield opened
    opened.context.close()


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
    assert raw_formulas(opened.at()) == []


def test_no_line_of_code_is_cut_off(opened):
    assert cut_off(opened.at()) == []


def test_a_phone_needs_no_sideways_scroll(opened):
    page = opened.at(PHONE)
    opened.keep("phone")
    assert too_wide(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_contrast_and_names(opened, theme):
    """axe finds nothing serious; what stands in frames is tested by itself."""
    page = opened.at(theme=theme)
    opened.keep(theme)
    assert serious(page, colors_only=theme == "dark") == []  # names don't change with the theme


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
            assert kind in ("", "issues") or kind in ("blob", "tree") and (ROOT / place).exists(), link
            if anchor and not place:
                headings = re.findall(r"^#+ (.*)$", (ROOT / "README.md").read_text("utf-8"), re.M)
                assert anchor in {heading.lower().replace(" ", "-") for heading in headings}, link
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
    assert len(set(texts)) == len(texts)


def test_what_is_wrong_is_found(browser, address):
    """What the tests above rely on: each finds the fault that it looks for."""
    opened = Opened(browser, "04_self_attention", address)
    page = opened.at()
    assert (raw_formulas(page), cut_off(page), too_wide(page)) == ([], [], [])
    assert serious(page) == []  # takes most words out
    page.evaluate(
        """() => { const article = document.querySelector('.bd-article');
          article.insertAdjacentHTML('beforeend', `<p>$x_i$</p><p style="color: #999">pale</p>
            <p style="width: 500px">wide</p><img src="_static/absent.png">`);
          document.querySelector('.cell_input pre').append('x'.repeat(130)); }"""
    )
    page.wait_for_load_state("networkidle")
    assert raw_formulas(page)[-1] == "$x_i$" and len(cut_off(page)) == 1
    # The longer line made its cell scroll, which a keyboard can't reach here.
    wanted = {"color-contrast", "image-alt", "scrollable-region-focusable"}
    assert {found[0] for found in serious(page)} == wanted
    assert any("wide" in found for found in too_wide(opened.at(PHONE)))
    assert any("absent.png" in trouble for trouble in opened.troubles)
    opened.context.close()


# What only some pages have


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
