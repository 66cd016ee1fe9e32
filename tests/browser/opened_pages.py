"""A page of the reading edition, opened, and what can be wrong with it: each check returns what it finds."""

import functools
import re
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup

from conftest import Watched

LAPTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 800}
RAW_TEX = re.compile(r"\$[^$\n]{1,80}\$|\\(?:frac|sum|mathbf|mathrm|sqrt|top|cdot|ln)\b|\\[(\[]")
# A page has thousands of words in a few dozen kinds (element, class, style, what they stand in): three of
# each are enough to measure contrast. What is inside is looked at first; what holds another element stays.
EACH_KIND_THRICE = """() => {
  const seen = new Map();
  const name = (e) => (e ? `${e.tagName}.${e.className} ${e.getAttribute('style') || ''}` : '');
  [...document.querySelectorAll('.bd-article mjx-container')].slice(3).forEach((formula) => formula.remove());
  const kinds = ':is(p, li, td, th, pre, code, span, a, b, strong, em)';
  for (const word of [...document.querySelectorAll(`.bd-article ${kinds}`)].reverse()) {
    if (word.childElementCount) continue;
    const kind = [word, word.parentElement, word.closest('.output, details, table')].map(name).join(' < ');
    seen.set(kind, (seen.get(kind) || 0) + 1);
    if (seen.get(kind) > 3) word.remove();
  }
}"""


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
        # Colors that fade into each other are measured when they have arrived.
        self.page.add_style_tag(content="* { transition: none !important; animation: none !important }")

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


def raw_formulas(page) -> list[str]:
    """TeX that a reader would see as it is written."""
    unset = page.locator(".bd-article .math").evaluate_all(
        "all => all.filter(m => !m.querySelector('mjx-container')).map(m => m.textContent)"
    )
    wrong = page.locator("mjx-merror").evaluate_all("all => all.map(e => e.textContent)")
    prose = page.evaluate(
        """() => { const copy = document.querySelector('.bd-article').cloneNode(true);
                   copy.querySelectorAll('pre, code, script, mjx-container, .output')
                     .forEach(e => e.remove());
                   return copy.textContent }"""
    )
    return unset + wrong + RAW_TEX.findall(prose)


def cut_off(page) -> list:
    """Blocks of code that have to be scrolled sideways; outputs may."""
    return page.locator(".bd-article div.highlight pre").evaluate_all(
        "all => all.filter(p => !p.closest('.output') && p.scrollWidth > p.clientWidth)"
        ".map(p => [p.scrollWidth, p.clientWidth, p.textContent.slice(0, 60)])"
    )


def too_wide(page) -> list:
    """What makes the page wider than the window, or is beyond its edge and can't be scrolled to."""
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
    return beyond + [f"the page is {wide} wide"] * (wide > room)


def serious(page, colors_only: bool = False) -> list:
    """What axe finds serious or critical; to measure colors, most words are taken out of the page."""
    found = [] if colors_only else _axe(page, {"rules": {"color-contrast": {"enabled": False}}})
    page.evaluate(EACH_KIND_THRICE)
    return found + _axe(page, {"runOnly": ["color-contrast", "link-in-text-block"]})


def _axe(page, options) -> list:
    options = {"resultTypes": ["violations"], "iframes": False} | options
    return [
        (rule["id"], node["html"][:160], node["any"][0]["message"][:160] if node["any"] else "")
        for rule in Axe().run(page, options=options).response["violations"]
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"][:3]
    ]


def hrefs(links) -> list[str]:
    return links.evaluate_all("all => all.map(a => a.getAttribute('href'))")


@functools.cache
def read(site: Path, name: str) -> BeautifulSoup:
    return BeautifulSoup((site / f"{name}.html").read_text("utf-8"), "html.parser")
