"""What the reading edition makes of a notebook on its way to a page; the pages themselves: tests/browser."""

import nbformat
import pytest
import yaml

from scripts.dev import badges
from scripts.site import pages
from scripts.site.alternatives import alternative, last_sentences, plain, words_of

ROOT = pages.ROOT
ADDRESS = "https://github.com/someone/a-fork"
PICTURE = nbformat.v4.new_output("display_data", {"image/png": "iVBORw0KGgo="})


def code(source, *outputs, **metadata):
    return nbformat.v4.new_code_cell(source, outputs=list(outputs), metadata=metadata)


def prepared(*cells):
    cells = [nbformat.v4.new_markdown_cell(cell) if isinstance(cell, str) else cell for cell in cells]
    return pages.prepared(nbformat.v4.new_notebook(cells=cells), ADDRESS).cells


def test_folds():
    setup, version, shown = prepared(
        code("# Set-up: find the course\nimport os"),
        code("def taught(): ...", jupyter={"source_hidden": True}),
        code("1 + 1"),
    )
    for cell, words in ((setup, pages.FOLDED_SETUP), (version, pages.FOLDED_VERSION)):
        assert cell.metadata.tags == ["hide-input"] and cell.metadata.mystnb["code_prompt_show"] == words
    assert shown.metadata.tags == []


def test_stored_notebooks_have_the_folds_that_are_looked_for():
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = pages.prepared(nbformat.read(path, as_version=4), ADDRESS).cells
        folds = [cell.metadata.mystnb.get("code_prompt_show") for cell in cells if cell.cell_type == "code"]
        assert folds.count(pages.FOLDED_SETUP) == 1, path.name
        prose = [cell.source for cell in cells if cell.cell_type == "markdown"]
        assert not any("three dots opens" in text or "](../" in text for text in prose), path.name
        said = sum(text.count(pages.UNFOLD_HERE) for text in prose)
        assert said == folds.count(pages.FOLDED_VERSION), path.name


def test_links_into_the_repository():
    text, *_ = prepared("See [a](../data/README.md), [b](../helpers#top) and [c](04_self_attention.ipynb).")
    assert text.source == (
        f"See [a]({ADDRESS}/blob/main/data/README.md), [b]({ADDRESS}/tree/main/helpers#top) "
        "and [c](04_self_attention.ipynb)."
    )
    with pytest.raises(ValueError, match="there is no helpers/absent.py: mend the link"):
        prepared("[a](../helpers/absent.py)")


def test_a_fold_ends_below_its_text_and_a_shell_line_is_no_python():
    text, *_ = prepared(
        "<details>\n\n```python\nimport os\n!ls\n```\nDone.\n</details>\n\n```python\nx = 1\n```\n!"
    )
    assert text.source == (
        "<details>\n\n```text\nimport os\n!ls\n```\nDone.\n\n</details>\n\n```python\nx = 1\n```\n!"
    )


@pytest.mark.parametrize("apart", [True, False])
def test_the_badge_stands_under_the_title(apart):
    badge, words = badges.badge("someone/a-fork", "a.ipynb"), "# Title\n\nWords."
    cells = prepared(*([badge, words] if apart else [f"{badge}\n\n{words}"]))
    assert "\n".join(cell.source for cell in cells).strip() == f"# Title\n\n{badge}\n\nWords."


# Figures


def test_a_figure_is_told_by_its_words_and_the_prose_after_it():
    source = (
        'fig, ax = plt.subplots()\nax.plot(x, y, label="our model")\nax.plot(x, z, label=f"{name}")\n'
        'ax.set(title="Falling", xlabel="step", ylabel="loss\\n(nats)")\nax.legend(title="no title")'
    )
    assert words_of(source) == {
        "title": ["Falling"],
        "x": ["step"],
        "y": ["loss (nats)"],
        "label": ["our model"],
    }
    after = "The **curve** falls to $\\ln 2$ ([paper](https://x.org)). Then it stays."
    assert alternative(source, "Before.", after) == (
        "Figure. Falling. Axes across: step; upward: loss (nats). Legend: our model. "
        "The curve falls to ln 2 (paper). Then it stays."
    )


@pytest.mark.parametrize("after", ["", "## A heading", "- a list", "| a | table |", "<details>"])
def test_a_figure_without_words_is_told_by_the_prose_before_it(after):
    before = "First a map. Where do the heads look:\n\n*Write yours first. The course's version is below.*"
    assert alternative("draw(weights)", before, after) == "Figure. First a map. Where do the heads look."
    assert alternative("draw(weights)", "", after) == "Figure, drawn by the cell above."


def test_a_long_text_is_cut_at_a_word():
    text = alternative("draw()", "", "word " * 200)
    assert len(text) <= 400 and text.endswith("word …")


def test_plain_and_last_sentence():
    assert (
        plain("`x` is *one* of **two**, `my_name` and $p_j \\cdot x$")
        == "x is one of two, my_name and p_j cdot x"
    )
    assert last_sentences("One. Two: see.\n\n## Heading") == "One. Two: see."
    assert last_sentences("No.\n\nFirst. " + "Long " * 20 + "one.\n\n- item") == "Long " * 20 + "one."
    assert last_sentences("One. (An aside of twenty seconds.)") == "One."


def test_what_a_figure_says_of_itself_comes_first():
    own = nbformat.v4.new_output(
        "display_data", {"image/png": "iVBORw0KGgo="}, metadata={"image/png": {"alt": "A head."}}
    )
    first, second = prepared(code("draw()", own), "After it.", code("draw()", PICTURE))[::2]
    assert first.metadata.mystnb["image"] == {"alt": "A head."}
    assert second.metadata.mystnb["image"] == {"alt": "Figure. After it."}


def test_words_of_a_function_that_draws():
    draw = code("def draw(ax):\n    ax.set(title='Drawn elsewhere')")
    *_, figure = prepared(draw, code("!ls"), code("draw(axes)", PICTURE))
    assert figure.metadata.mystnb["image"] == {"alt": "Figure. Drawn elsewhere."}


# The start page


def test_the_start_page_follows_the_notebooks_that_are_there(tmp_path):
    first = nbformat.v4.new_markdown_cell(
        "## The map\n\n![A way](images/a.svg)\n\n| notebook |\n| --- |\n| [1. One](01_one.ipynb) |\n\n"
        "- **the core**: 1, 2 and 30. Then 1.\n- **the whole**: in order."
    )
    for name in ("00_start", "01_one", "02_two"):
        path = tmp_path / f"{name}.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=[first]), path)
    template = "@PICTURE@ @WAYS@ @MAP@ @PAGES@ @START@ @ADDRESS@"
    page = pages.start_page(template, tmp_path, ADDRESS)
    assert "![A way](images/a.svg)" in page and "| [1. One](01_one.ipynb) |" in page
    assert "- **the core**: [1](01_one.ipynb), [2](02_two.ipynb) and 30. Then 1." in page
    assert page.endswith(f"00_start\n01_one\n02_two 00_start {ADDRESS}")


def test_the_start_page_has_three_ways():
    template = (ROOT / "scripts" / "site" / "index.md").read_text(encoding="utf-8")
    page = pages.start_page(template, ROOT / "notebooks", ADDRESS)
    assert page.count("\n- **") == 3 and "@" not in page.replace("@example", "")
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        assert f"\n{path.stem}\n" in page


def test_the_workflow_publishes_what_make_site_makes():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "pages.yml").read_text(encoding="utf-8"))
    build, publish = workflow["jobs"]["build"], workflow["jobs"]["publish"]
    assert [step["run"] for step in build["steps"] if "run" in step] == ["make site"]
    (uploaded,) = [step["with"]["path"] for step in build["steps"] if "upload" in step.get("uses", "")]
    assert uploaded == "build/site" and publish["needs"] == "build"
    assert publish["permissions"] == {"pages": "write", "id-token": "write"}
