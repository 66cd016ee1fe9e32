"""The attention views as a person meets them: in JupyterLab, in an exported page, with hostile text."""

import html
import os
import re
import shutil
import time

import nbformat
import numpy as np
import pytest
import torch
from nbconvert import HTMLExporter
from playwright.sync_api import expect
from transformers import AutoModel, AutoTokenizer

from conftest import PAIR, PATIENCE, ROOT, TEXT, Watched
from helpers import checkpoints, data, views
from tests.views.test_views import HOSTILE, made_up

NOTEBOOK = ROOT / "notebooks" / "10_attention_views.ipynb"
SENTENCE = "The cat sat on the mat because it was tired of the long day."  # of that notebook
STEP = 0.5 / 255 + 1e-4  # how far a drawn weight may be from the model's


def library(folder, *texts):
    """Tokens and attention (L, A, T, T) by the library."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    encoded = tokenizer(*texts, return_tensors="pt")
    with torch.no_grad():
        attentions = model(**encoded, output_attentions=True).attentions
    return tokenizer.convert_ids_to_tokens(encoded["input_ids"][0]), torch.cat(attentions).numpy()


@pytest.fixture(scope="module")
def expected(quiet_libraries):
    """The library's tokens and attention for the checkpoint and texts of the tests' notebook."""
    folder = checkpoints.CHECKPOINTS / "stories"
    return {"pair": library(folder, TEXT, PAIR), "text": library(folder, TEXT)}


def opacities(lines) -> np.ndarray:
    return np.array(lines.evaluate_all("lines => lines.map(line => +line.getAttribute('stroke-opacity'))"))


def thumbnail_lines(inside) -> np.ndarray:
    """The weight of every line in some thumbnails; lines of equal weight are one path."""
    paths = inside.locator("path[stroke-opacity]").evaluate_all(
        "paths => paths.map(path => "
        "[+path.getAttribute('stroke-opacity'), path.getAttribute('d').split('M').length - 1])"
    )
    weights, counts = np.array(paths).T
    return np.repeat(weights, counts.astype(int))


def ends(inside) -> dict[float, np.ndarray]:
    """Weight -> heights at which its lines begin and end in a thumbnail, (lines, 2)."""
    found = inside.locator("path[stroke-opacity]").evaluate_all(
        "paths => paths.map(path => [path.getAttribute('stroke-opacity'), path.getAttribute('d')])"
    )
    number = r"[-+.\de]+"
    line = re.compile(rf"M{number} ({number})L{number} ({number})")
    return {float(weight): np.array(line.findall(route), dtype=float) for weight, route in found}


def texts(locator) -> list[str]:
    return locator.evaluate_all("found => found.map(one => one.textContent)")


def check_head_view(view, tokens, attention):
    """Tokens and lines, then a head switched off, a token hovered over, another layer, part of a pair."""
    assert texts(view.locator("#left text")) == texts(view.locator("#right text")) == tokens
    lines, heads = view.locator("#attention line"), len(attention[0])
    assert np.abs(opacities(lines) - attention[0].ravel() / heads).max() <= STEP

    view.locator("svg > g:last-of-type rect").first.click()  # off
    drawn = opacities(lines).reshape(attention[0].shape)
    assert not drawn[0].any() and np.abs(drawn[1:] - attention[0][1:] / (heads - 1)).max() <= STEP

    view.locator("#left text").nth(2).hover()
    shown = view.locator("#attention line[visibility=visible]")
    assert set(shown.evaluate_all("all => all.map(one => one.getAttribute('left-token-index'))")) == {"2"}
    assert shown.count() == heads * len(tokens)
    boxes = view.locator("#right .attentionBoxes g").nth(1).locator("rect")
    drawn = boxes.evaluate_all("all => all.map(one => +one.style.opacity)")
    assert np.abs(np.array(drawn) - attention[0][1][2]).max() <= STEP

    view.get_by_label("Layer").select_option("1")
    assert (
        np.abs(opacities(lines).reshape(attention[1].shape)[1] - attention[1][1] / (heads - 1)).max() <= STEP
    )
    if view.locator("#filter").count():
        second = tokens.index("[SEP]") + 1
        view.get_by_label("Attention").select_option(label="Sentence A \u2192 Sentence B")
        assert texts(view.locator("#left text")) == tokens[:second]
        assert texts(view.locator("#right text")) == tokens[second:]
        drawn = opacities(lines).reshape(len(attention[1]), second, -1)
        assert np.abs(drawn[1] - attention[1][1, :second, second:] / (heads - 1)).max() <= STEP


def check_model_view(view, tokens, attention):
    """Every thumbnail has the lines that can be seen, and a click shows its tokens."""
    seen = attention > 0.5 / 255
    drawn = thumbnail_lines(view.locator("svg"))
    assert abs(len(drawn) - seen.sum()) <= 2  # a weight may lie just at the limit
    assert abs(drawn.sum() - attention[seen].sum()) <= STEP * seen.sum()
    assert abs(drawn.max() - attention.max()) <= STEP
    thumbnail = view.locator("#attn_background_1_1").locator("xpath=..")
    top, room = (float(thumbnail.locator("rect").first.get_attribute(name)) for name in ("y", "height"))
    step = (room - 10) / len(tokens)  # 5 pixels above and below the tokens
    for weight, lines in ends(thumbnail).items():
        rows, columns = ((lines - top - 5) / step - 0.5).round(6).T.astype(int)
        assert np.abs(attention[1, 1, rows, columns] - weight).max() <= STEP
    thumbnail.locator("rect").last.click()
    assert texts(view.locator("g.detail .token")) == [*tokens, *tokens]
    assert "Layer 1, Head 1" in texts(view.locator("text.detail"))
    group = view.locator(".attn-line-group").nth(3)
    wanted = attention[1, 1, 3][attention[1, 1, 3] > 0.5 / 255]
    assert abs(opacities(group.locator("line")).sum() - wanted.sum()) <= STEP * len(tokens)


def check_neuron_view(view, tokens, attention, layers=(1,), head=1):
    """The layers' own numbers in the menu, a head chosen, a token hovered over, and its query unfolded."""
    assert texts(view.locator("#layer option")) == [str(layer) for layer in layers]
    view.get_by_label("Layer").select_option(label=str(layers[-1]))
    view.get_by_label("Head").select_option(label=str(head))
    attention = attention[layers[-1], head]
    collapsed = view.locator("#collapsed")
    assert texts(collapsed.locator("#leftText text")) == tokens
    assert np.abs(opacities(collapsed.locator(".attn-line-group line")) - attention.ravel()).max() <= STEP
    row = collapsed.locator("#leftText > g").nth(3)
    row.locator("text").hover()
    row.locator("rect").last.click()  # the plus sign
    expanded = view.locator("#expanded")
    expect(expanded).to_have_attribute("visibility", "visible")
    expanded.locator("#leftText text").nth(3).hover()
    scores = np.array(
        expanded.locator("#dotproducts rect").evaluate_all("all => all.map(one => +one.dataset.value)")
    )
    weights = np.exp(scores - scores.max())
    np.testing.assert_allclose(weights / weights.sum(), attention[3], atol=2e-3)


def open_notebook(watched, lab, name):
    watched.page.goto(f"{lab}/lab/tree/notebooks/{name}?token=test&reset")
    watched.page.locator(".jp-Notebook .jp-Cell").first.wait_for()
    watched.page.locator(".jp-StatusBar-Widget").get_by_text("| Idle").wait_for()  # its kernel is connected


def menu(page, *path):
    page.get_by_role("menuitem", name=path[0], exact=True).first.click()
    for name in path[1:]:
        page.locator(".lm-Menu-item", has_text=re.compile(f"^{name}")).first.click()


def run_all(watched, seconds):
    """Run > Run All Cells; wait until every cell has run, and none with an error."""
    page = watched.page
    menu(page, "Run", "Run All Cells")
    end = time.time() + seconds
    while True:
        prompts = texts(page.locator(".jp-CodeCell .jp-InputPrompt"))
        prompts = [prompt for prompt in prompts if prompt]  # a folded cell shows none
        assert page.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.stderr']").count() == 0
        if prompts and all(re.fullmatch(r"\[\d+\]:", prompt) for prompt in prompts):
            return
        assert time.time() < end, prompts
        page.wait_for_timeout(100)


def test_three_views_in_jupyterlab(watch, lab, written, expected):
    watched = watch()
    open_notebook(watched, lab, written.name)
    run_all(watched, PATIENCE)
    started = time.time()
    for kind in ("head", "model", "neuron"):
        watched.view(kind)
    print(f"\nall three views drawn {time.time() - started:.1f} s after the last cell had run;", end=" ")
    for kind in ("head", "model", "neuron"):
        milliseconds = watched.view(kind).locator("html").get_attribute("data-drawn")
        print(f"{kind} view: {milliseconds} ms", end="  ")
        watched.keep(kind)
    assert watched.page.locator(".jp-OutputArea img").count() == 3  # a picture with each
    check_head_view(watched.view("head"), *expected["pair"])
    watched.keep("head-used")
    check_model_view(watched.view("model"), *expected["text"])
    watched.keep("model-used")
    check_neuron_view(watched.view("neuron"), *expected["text"])
    watched.keep("neuron-used")
    assert not watched.elsewhere and not watched.dialogs

    # Saved, closed, opened again in another browser: the server has signed it, so it is trusted.
    menu(watched.page, "File", "Save Notebook")
    watched.page.locator(".jp-mod-dirty").wait_for(state="detached")
    again = watch()
    open_notebook(again, lab, written.name)
    check_head_view(again.view("head"), *expected["pair"])
    check_model_view(again.view("model"), *expected["text"])
    check_neuron_view(again.view("neuron"), *expected["text"])


def test_untrusted_then_trusted(watch, lab, executed, expected):
    """A notebook from elsewhere shows pictures only, until its reader trusts it."""
    watched = watch()
    open_notebook(watched, lab, executed.name)
    page = watched.page
    expect(page.locator(".jp-OutputArea img").first).to_be_visible()
    assert page.locator("iframe[srcdoc]").count() == 0
    watched.keep("untrusted")
    menu(page, "View", "Activate Command Palette")
    page.locator(".lm-CommandPalette-input").fill("trust notebook")
    page.locator(".lm-CommandPalette-item", has_text="Trust Notebook").first.click()
    page.locator(".jp-Dialog button.jp-mod-accept").click()
    check_head_view(watched.view("head"), *expected["pair"])
    check_neuron_view(watched.view("neuron"), *expected["text"])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_exported_page(watch, executed, expected, theme, tmp_path):
    """All three views on one page from the disk, which can reach nothing else."""
    body, _ = HTMLExporter(theme=theme).from_notebook_node(nbformat.read(executed, as_version=4))
    (tmp_path / "page.html").write_text(body, encoding="utf-8")
    watched = watch(color_scheme=theme)
    watched.page.goto((tmp_path / "page.html").as_uri(), wait_until="domcontentloaded")
    for kind in ("head", "model", "neuron"):
        ink, paper = (
            watched.view(kind)
            .locator("body")
            .evaluate("body => [getComputedStyle(body).color, getComputedStyle(body).backgroundColor]")
        )
        assert (ink, paper) == ("rgb(17, 17, 17)", "rgb(255, 255, 255)")  # in both themes
    watched.keep("page", full_page=True)
    check_head_view(watched.view("head"), *expected["pair"])
    check_model_view(watched.view("model"), *expected["text"])
    check_neuron_view(watched.view("neuron"), *expected["text"])
    assert not watched.dialogs


def write_page(path, *shown) -> str:
    marks = (
        "<script>window.pwned = 0; window.addEventListener('message', () => { window.pwned = 1 })</script>"
    )
    body = "".join(view.html for view in shown)
    path.write_text(f"<!DOCTYPE html><meta charset=utf-8>{marks}{body}", encoding="utf-8")
    return path.as_uri()


def test_hostile_strings(watch, tmp_path):
    """Shown as they are; nothing of them runs, and the frame reaches neither the page nor a server."""
    size = len(HOSTILE)
    weights, vectors = made_up(2, 2, size), np.ones((2, 2, size, 4))
    shown = [
        views.head_view(attention=weights, tokens=HOSTILE),
        views.model_view(attention=weights, tokens=HOSTILE),
        views.neuron_view(attention=weights, tokens=HOSTILE, queries=vectors, keys=vectors),
    ]
    watched = watch()
    watched.page.goto(write_page(tmp_path / "hostile.html", *shown))
    # A lone half of a surrogate pair comes back from the browser as the replacement character.
    tokens = [token.encode(errors="replace").decode().replace("?", "\ufffd") for token in HOSTILE]
    head, model, neuron = (watched.view(kind) for kind in ("head", "model", "neuron"))
    model.locator("#attn_background_0_0").locator("xpath=..").locator("rect").last.click()
    for drawn in (
        texts(head.locator("#left text")),
        texts(model.locator("g.detail .token"))[:size],
        texts(neuron.locator("#collapsed #rightText text")),
    ):
        assert [text.replace("\ud800", "\ufffd") for text in drawn] == tokens
    for inside in (head, model, neuron):
        assert inside.locator("img, iframe, object, embed, a, form").count() == 0
        assert inside.locator("script").count() == 5  # two of data, three of code: none from a token
    watched.keep("hostile", full_page=True)
    tries = head.locator("body").evaluate(
        """async () => {
             const tried = {}, policy = [];
             document.addEventListener("securitypolicyviolation", event => policy.push(event.blockedURI));
             for (const [name, act] of Object.entries({
               parent: () => parent.document.title, storage: () => localStorage.length,
               cookie: () => document.cookie, fetch: () => fetch("http://127.0.0.1:9/"),
               socket: () => new Promise((opened, failed) => {
                 const socket = new WebSocket("ws://127.0.0.1:9/");
                 socket.onopen = opened; socket.onerror = failed;
               }),
             })) { try { await act(); tried[name] = "done"; } catch (error) { tried[name] = "refused"; } }
             await new Promise(soon => setTimeout(soon, 200));
             return {...tried, origin: self.origin, policy: policy.join(" ")};
           }"""
    )
    # Nobody listens at these addresses: that it was the frame's policy which refused, the browser says.
    assert "http://127.0.0.1:9" in tries["policy"] and "ws://127.0.0.1:9" in tries.pop("policy")
    assert set(tries.values()) == {"refused", "null"} and tries["origin"] == "null"
    assert watched.page.evaluate("window.pwned") == 0 and not watched.dialogs and not watched.elsewhere


def test_hostile_strings_do_run_where_nothing_is_done(watch, tmp_path):
    """What the test above relies on: pasted into the page as they are, the same strings run."""
    watched = watch()
    (tmp_path / "open.html").write_text("<script>var x = '" + HOSTILE[0] + "'</script>" + HOSTILE[1])
    watched.page.goto((tmp_path / "open.html").as_uri())
    watched.page.wait_for_timeout(500)
    assert watched.page.evaluate("window.pwned") == 1 and watched.dialogs == ["1"]


def test_a_browser_that_cannot_decompress_is_told(watch, tmp_path):
    """The frame's first script takes away what an old browser lacks."""
    address = write_page(tmp_path / "old.html", views.head_view(attention=made_up(), tokens=list("abcd")))
    page, head = (tmp_path / "old.html").read_text(encoding="utf-8"), html.escape("<head>")
    assert page.count(head) == 1
    lack = html.escape("<script>delete window.DecompressionStream</script>")
    (tmp_path / "old.html").write_text(page.replace(head, head + lack), encoding="utf-8")
    watched = watch()
    watched.page.goto(address)
    status = watched.page.locator("iframe").content_frame.locator("#status")
    expect(status).to_contain_text("cannot decompress it")
    expect(status).to_contain_text("The picture beside it shows the same attention")


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_cut_off(watch, tmp_path, width):
    """At a laptop's width all is seen; at a phone's the frame scrolls sideways, never up and down."""
    tokens = ["word"] * 30 + ["internationalization", "w"]
    weights, vectors = made_up(3, 12, 32), np.ones((3, 12, 32, 8))
    shown = [
        views.head_view(attention=weights, tokens=tokens),
        views.model_view(attention=weights, tokens=tokens),
        views.neuron_view(attention=weights, tokens=tokens, queries=vectors, keys=vectors),
    ]
    watched = watch()
    watched.page.set_viewport_size({"width": width, "height": 800})
    watched.page.goto(write_page(tmp_path / "sizes.html", *shown))
    for kind in ("head", "model", "neuron"):
        inside = watched.view(kind).locator("html")
        tall, room, wide, across = inside.evaluate(
            "e => [e.scrollHeight, e.clientHeight, e.scrollWidth, e.clientWidth]"
        )
        assert tall <= room, kind
        assert wide <= across or width == 390, kind
        edges = (
            watched.view(kind)
            .locator("svg text")
            .evaluate_all(
                "all => [Math.min(...all.map(t => t.getBoundingClientRect().left)), "
                "Math.max(...all.map(t => t.getBoundingClientRect().right))]"
            )
        )
        assert edges[0] >= 0 and edges[1] <= max(wide, across), kind
    watched.keep("sizes", full_page=True)


@pytest.mark.parametrize("kind", ["head", "model"])
def test_the_largest_view(watch, tmp_path, kind):
    """12 layers, 12 heads, 40 tokens: all of it is drawn, within two seconds if two cores have the time."""
    weights = np.random.default_rng(0).dirichlet(np.full(40, 0.2), (12, 12, 40)).astype(np.float32)
    quantized = np.round(weights * 255) / 255
    view = getattr(views, f"{kind}_view")(attention=weights, tokens=[f"token{i}" for i in range(40)])
    watched = watch()
    started = time.time()
    watched.page.goto(write_page(tmp_path / "large.html", view))
    inside = watched.view(kind)
    seconds, load = time.time() - started, os.getloadavg()[0]
    print(f"\n{kind} view of 12 x 12 x 40: {seconds:.1f} s, load {load:.1f}", end=" ")
    assert seconds < 2 or load > 2
    if kind == "head":
        assert inside.locator("svg line").count() == 12 * 40 * 40
    else:
        drawn = thumbnail_lines(inside.locator("svg"))
        np.testing.assert_allclose(np.sort(drawn), np.sort(quantized[quantized > 0]), atol=1e-6)


@pytest.fixture(scope="module")
def course_notebook(folder):
    return shutil.copy2(NOTEBOOK, folder / NOTEBOOK.name)


@pytest.fixture(scope="module")
def run_notebook(browser, lab, course_notebook):
    """Notebook 10, opened in JupyterLab and run from the first cell to the last."""
    watched = Watched(browser, NOTEBOOK.stem)
    open_notebook(watched, lab, NOTEBOOK.name)
    menu(watched.page, "Kernel", "Restart Kernel and Clear Outputs of All Cells")
    watched.page.locator(".jp-Dialog button.jp-mod-accept").click()
    started = time.time()
    run_all(watched, 5 * PATIENCE)
    print(
        f"\n{NOTEBOOK.stem} run in JupyterLab: {time.time() - started:.0f} s, load {os.getloadavg()[0]:.1f}"
    )
    yield watched
    watched.context.close()


def test_views_of_notebook_10(run_notebook, quiet_libraries):
    """Each view is drawn, answers to the mouse, and shows the library's own numbers."""
    watched, folder = run_notebook, data.fetch("minilm")
    assert watched.page.locator("iframe[title^='Attention,']").count() == 5
    tokens, attention = library(folder, SENTENCE)
    check_head_view(watched.view("head"), tokens, attention)
    watched.keep("head")
    check_model_view(watched.view("model"), tokens, attention)
    watched.keep("model")
    check_neuron_view(watched.view("neuron"), tokens, attention, layers=(0, 2), head=4)
    watched.keep("neuron")
    first, second = SENTENCE.split(" because ")
    tokens, attention = library(folder, first + ".", second)
    view = watched.view("head", 1)
    assert texts(view.locator("#layer option")) == ["5"] and texts(view.locator("#left text")) == tokens
    drawn = opacities(view.locator("#attention line"))
    assert np.abs(drawn - attention[5].ravel() / len(attention[5])).max() <= STEP
    watched.keep("pair")
    tokens = texts(watched.view("head", 2).locator("#left text"))
    half = tokens.index("[SEP]")
    halves = " ".join(tokens[1:half]), " ".join(tokens[half + 1 : -1])
    found, attention = library(checkpoints.CHECKPOINTS / "stories_long", *halves)
    drawn = opacities(watched.view("head", 2).locator("#attention line"))
    assert found == tokens and np.abs(drawn - attention[1].ravel() / len(attention[1])).max() <= STEP
    watched.keep("story")
    assert not watched.dialogs and not watched.elsewhere


def test_panel_of_notebook_10_by_keyboard(run_notebook, quiet_libraries):
    """A sentence typed, then model, layer and head chosen, with Tab and the arrow keys alone."""
    page = run_notebook.page
    panel = page.locator(".jupyter-widgets.widget-vbox")
    panel.scroll_into_view_if_needed()
    picture, keys = panel.locator("img"), page.keyboard
    before = picture.get_attribute("src")
    panel.locator("input[type=text]").focus()
    keys.press("Control+a")
    keys.type("Tom lost the ball.")
    keys.press("Enter")
    expect(panel).to_contain_text("minilm, layer 0, head 2: previous, 100%")
    keys.press("Tab")
    keys.press("ArrowUp")
    expect(panel).to_contain_text("real_text, layer 0, head 2: other", timeout=PATIENCE * 1000)
    keys.press("ArrowUp")
    expect(panel).to_contain_text("stories_long, layer 0, head 2: other")
    keys.press("Tab")
    keys.press("ArrowUp")
    expect(panel).to_contain_text("stories_long, layer 1, head 2: other")
    keys.press("ArrowDown")
    keys.press("Tab")
    keys.press("ArrowDown")
    expect(panel).to_contain_text("stories_long, layer 0, head 1: next")
    tokens, attention = library(checkpoints.CHECKPOINTS / "stories_long", "Tom lost the ball.")
    words = range(1, len(tokens) - 2)  # the last word has no next one
    here = np.mean([attention[0, 1, word, word + 1] for word in words])
    expect(panel).to_contain_text(f"in this text {here:.0%}")
    assert picture.get_attribute("src") != before
    run_notebook.keep("panel")


def test_notebook_10_dark(run_notebook):
    """In JupyterLab's dark theme the frames stay light, dark ink on white."""
    page = run_notebook.page
    menu(page, "Settings", "Theme", "JupyterLab Dark")
    for kind, count in (("head", 3), ("model", 1), ("neuron", 1)):
        for number in range(count):
            colors = (
                run_notebook.view(kind, number)
                .locator("body")
                .evaluate("body => [getComputedStyle(body).color, getComputedStyle(body).backgroundColor]")
            )
            assert colors == ["rgb(17, 17, 17)", "rgb(255, 255, 255)"]
            page.wait_for_timeout(500)  # to be painted, too
            run_notebook.keep(f"dark-{kind}-{number}")
    page.locator(".jupyter-widgets.widget-vbox").scroll_into_view_if_needed()
    run_notebook.keep("dark-panel")


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_stored_notebook_10_exported(watch, tmp_path, theme, width):
    """The outputs as they are stored, on a page: all views drawn, at a laptop's and a phone's width."""
    body, _ = HTMLExporter(theme=theme).from_notebook_node(nbformat.read(NOTEBOOK, as_version=4))
    (tmp_path / "page.html").write_text(body, encoding="utf-8")
    watched = watch(color_scheme=theme)
    watched.page.set_viewport_size({"width": width, "height": 900})
    watched.page.goto((tmp_path / "page.html").as_uri(), wait_until="domcontentloaded")
    for kind, count in (("head", 3), ("model", 1), ("neuron", 1)):
        for number in range(count):
            watched.view(kind, number)
            watched.page.wait_for_timeout(500)  # to be painted, too
            watched.keep(f"{kind}-{number}")
    for number, image in enumerate(watched.page.locator(".jp-OutputArea img").all()):
        image.scroll_into_view_if_needed()
        watched.keep(f"figure-{number}")
    assert not watched.dialogs
