"""Sphinx's settings for the reading edition; scripts/site/build.py calls Sphinx with them."""

import sys
from importlib.util import find_spec
from pathlib import Path

import nbformat
from docutils import nodes

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from scripts.dev import badges  # noqa: E402
from scripts.site import pages  # noqa: E402

SLUG = badges.repository()
ADDRESS = f"https://github.com/{SLUG}"

project = "BERT from the Ground Up"
author = "the course's contributors"
copyright = "the course's contributors, Apache License 2.0; sources and licenses: see the repository"
language = "en"
extensions = ["myst_nb", "sphinx_copybutton"]
source_suffix = {".ipynb": "myst-nb", ".md": "myst-nb"}

# Stored outputs: a page shows what the notebook shows.
nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 4
myst_dmath_double_inline = True

# Code can be copied with a button; outputs need none.
copybutton_selector = ":not(.output) > div.highlight pre"

html_theme = "sphinx_book_theme"
html_title = project
html_static_path = ["static"]
html_css_files = ["course.css"]
html_js_files = ["course.js"]
html_favicon = "static/favicon.svg"
html_sourcelink_suffix = ""  # the download button gives the notebook under its own name
html_last_updated_fmt = None
html_show_sphinx = False
html_use_index = False
html_context = {"default_mode": "auto"}  # light or dark, as the reader's system is
html_theme_options = {
    "repository_url": ADDRESS,
    "repository_branch": "main",
    "path_to_docs": "notebooks",
    "use_repository_button": True,
    "use_download_button": True,
    "use_fullscreen_button": False,
    "launch_buttons": {"colab_url": "https://colab.research.google.com"},
    "navbar_persistent": [],
    "show_navbar_depth": 1,
    "show_toc_level": 1,
    "toc_title": "On this page",
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}

# Formulas are set by MathJax from the page's own host: what is needed of it comes out of a package.
MATHJAX = Path(find_spec("sphinx-mathjax-offline").submodule_search_locations[0]) / "static" / "mathjax"
MATHJAX_PARTS = ("tex-chtml.js", "output/chtml/fonts", "input/tex/extensions", "a11y", "sre")
LANGUAGES = ("base.json", "en.json", "nemeth.json")  # of its speech for screen readers
mathjax_path = "mathjax/tex-chtml.js"


def prepare(app, name, source):
    """A notebook's text on its way to the parser."""
    if Path(app.env.doc2path(name)).suffix == ".ipynb":
        notebook = nbformat.reads(source[0], as_version=4)
        source[0] = nbformat.writes(pages.prepared(notebook, ADDRESS))


def number_pictures(app, doctree, name):
    """Pictures of one cell share what is said of it; each says which it is."""
    for cell in doctree.findall(nodes.container):
        pictures = list(cell.findall(nodes.image)) if cell.get("nb_element") == "cell_code" else []
        for number, picture in enumerate(pictures, 1) if len(pictures) > 1 else ():
            picture["alt"] += f" Picture {number} of {len(pictures)}."


def copy_mathjax(app, error):
    """MathJax's files into the finished site."""
    if error is None:
        target = Path(app.outdir) / "_static" / "mathjax"
        for part in MATHJAX_PARTS:
            found = [MATHJAX / part] if (MATHJAX / part).is_file() else sorted((MATHJAX / part).rglob("*"))
            for path in found:
                if path.is_file() and not ("mathmaps" in path.parts and path.name not in LANGUAGES):
                    place = target / path.relative_to(MATHJAX)
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.write_bytes(path.read_bytes())


def setup(app):
    app.connect("source-read", prepare)
    app.connect("doctree-resolved", number_pictures)
    app.connect("build-finished", copy_mathjax)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
