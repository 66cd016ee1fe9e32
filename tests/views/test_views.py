"""The attention views without a browser: what is read from models, what is stored, what is refused."""

import base64
import hashlib
import html
import io
import json
import re
import struct
import warnings
import zlib
from importlib import metadata
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification, BertModel

from helpers import checkpoints, views
from helpers.classification import BertForClassification
from helpers.encoder import Bert
from helpers.views import page as view_page
from helpers.views.data import MAX_WEIGHTS, read_model
from helpers.views.explorer import describe_head

ROOT = Path(__file__).resolve().parents[2]
TEXT, PAIR = "Tom lost the red ball in the park .", "He was sad ."
HOSTILE = [
    "</script><script>window.parent.pwned=1</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "'\"`${alert(1)}{{7*7}}",
    "&lt;b&gt;",
    "\u202eright to left\u2066",
    "\\u0041\\",
    "]]>",
    "<!--",
    "$\\frac{1}{0}$",
    "line\u2028one\ntwo\x00",
    "\U0001f600",
    "\ud800",
]


@pytest.fixture(scope="module")
def ours():
    return checkpoints.load("stories")


@pytest.fixture(scope="module")
def theirs(ours):
    folder = checkpoints.CHECKPOINTS / "stories"
    model = BertModel.from_pretrained(folder, attn_implementation="eager").eval()
    return model, AutoTokenizer.from_pretrained(folder)


def made_up(layers=2, heads=2, tokens=4, seed=0):
    return np.random.default_rng(seed).dirichlet(np.full(tokens, 0.3), (layers, heads, tokens))


def unpacked(view) -> tuple[dict, bytes]:
    """Header and numbers out of the page, as a browser finds them."""
    page = html.unescape(re.search(r'srcdoc="([^"]*)"', view.html)[1])
    packed = re.search(r'id="data">([^<]*)<', page)[1]
    content = zlib.decompress(base64.b64decode(packed))
    (length,) = struct.unpack("<I", content[:4])
    return json.loads(content[4 : 4 + length]), content[4 + length :]


# What is read


def test_attention_is_the_librarys(ours, theirs, quiet_libraries):
    model, tokenizer = theirs
    encoded = tokenizer(TEXT, PAIR, return_tensors="pt")
    with torch.no_grad():
        expected = torch.cat(model(**encoded, output_attentions=True).attentions).numpy()
    reading = read_model(*ours, TEXT, PAIR)
    assert reading.tokens == tokenizer.convert_ids_to_tokens(encoded["input_ids"][0])
    assert reading.second == encoded["token_type_ids"][0].tolist().index(1)
    np.testing.assert_allclose(reading.attention, expected, atol=1e-5)


@pytest.mark.parametrize("kind", ["ours", "our classifier", "the library's", "the library's classifier"])
def test_attention_follows_from_the_queries_and_keys(kind, ours, theirs, quiet_libraries):
    if kind.startswith("our"):
        bert, tokenizer = ours
        model = bert if kind == "ours" else BertForClassification(checkpoints.encoder_of(bert), 2)
    else:
        tokenizer = theirs[1]
        config = BertConfig.from_pretrained(checkpoints.CHECKPOINTS / "stories")
        torch.manual_seed(0)
        model = (BertModel if kind == "the library's" else BertForSequenceClassification)(config)
    reading = read_model(model, tokenizer, TEXT, vectors=True)
    scores = reading.queries @ reading.keys.swapaxes(-1, -2) / np.sqrt(reading.keys.shape[-1])
    np.testing.assert_allclose(torch.tensor(scores).softmax(-1), reading.attention, atol=1e-5)


def test_a_model_is_left_as_it_was(theirs, quiet_libraries):
    model = BertModel(BertConfig.from_pretrained(checkpoints.CHECKPOINTS / "stories"))
    model.train()
    model.pooler.eval()
    before = {name: module.training for name, module in model.named_modules()}
    implementation = model.config._attn_implementation
    assert implementation != "eager"  # otherwise this test would prove nothing
    first = read_model(model, theirs[1], TEXT, vectors=True)
    assert {name: module.training for name, module in model.named_modules()} == before
    assert model.config._attn_implementation == implementation
    assert not any(module._forward_hooks for module in model.modules() if isinstance(module, torch.nn.Linear))
    assert np.array_equal(first.attention, read_model(model, theirs[1], TEXT).attention)  # no dropout


def test_arrays_in_both_forms():
    weights, tokens = made_up(), list("abcd")
    by_layer = [torch.tensor(layer)[None] for layer in weights]
    first, second = (views.head_view(attention=form, tokens=tokens) for form in (weights, by_layer))
    assert first.html == second.html
    np.testing.assert_array_equal(first.reading.attention, weights.astype(np.float32))


def test_chosen_layers_and_heads_keep_their_numbers(ours):
    whole = read_model(*ours, TEXT)
    reading = views.head_view(*ours, TEXT, layers=1, heads=[1, 0]).reading
    assert (reading.layers, reading.heads) == ([1], [1, 0])
    np.testing.assert_array_equal(reading.attention[0], whole.attention[1][[1, 0]])


# What is stored


def test_numbers_survive_the_packing(ours):
    view = views.neuron_view(*ours, TEXT, layers=[0, 1])
    header, content = unpacked(view)
    layers, heads, length, width = header["shape"]
    count = layers * heads * length * length
    weights = np.frombuffer(content, np.uint8, count).reshape(layers, heads, length, length) / 255
    assert np.abs(weights - view.reading.attention).max() <= 0.5 / 255 + 1e-6
    vectors = np.frombuffer(content, "<i2", offset=count).reshape(2, layers, heads, length, width)
    for values, name in zip(vectors, ("queries", "keys"), strict=True):
        expected = getattr(view.reading, name)
        np.testing.assert_allclose(
            values * header["scales"][name], expected, atol=np.abs(expected).max() / 65000
        )
    assert header["tokens"] == view.reading.tokens


@pytest.mark.parametrize("kind", ["head", "model"])
def test_stored_size(kind):
    """12 layers, 12 heads, 40 tokens; random weights are the hardest to compress."""
    weights = np.random.default_rng(0).dirichlet(np.full(40, 0.5), (12, 12, 40))
    view = getattr(views, f"{kind}_view")(attention=weights, tokens=[f"token{i}" for i in range(40)])
    assert len(json.dumps(view.html)) + len(base64.b64encode(view.png)) < 800_000


def test_stored_size_of_a_neuron_view():
    numbers = np.random.default_rng(0).normal(size=(2, 1, 12, 40, 64))
    weights, tokens = made_up(1, 12, 40), ["word"] * 40
    view = views.neuron_view(attention=weights, tokens=tokens, queries=numbers[0], keys=numbers[1])
    assert len(json.dumps(view.html)) + len(base64.b64encode(view.png)) < 800_000


def test_no_string_reaches_the_page_but_escaped():
    size = len(HOSTILE)
    view = views.head_view(attention=made_up(1, 1, size), tokens=HOSTILE)
    assert unpacked(view)[0]["tokens"] == HOSTILE
    harmless = views.head_view(attention=made_up(1, 1, size), tokens=["word"] * size)
    for text in (view.html, html.unescape(re.search(r'srcdoc="([^"]*)"', view.html)[1])):
        for token in HOSTILE[:3]:
            assert token not in text
    tags = [re.findall(r"<[a-zA-Z!/]", v.html) for v in (view, harmless)]
    assert tags[0] == tags[1]
    view.html.encode()  # can be written to a file, whatever the tokens


def test_the_frame_is_closed():
    view = views.head_view(attention=made_up(), tokens=list("abcd"))
    assert re.findall(r'sandbox="([^"]*)"', view.html) == ["allow-scripts"]
    page = html.unescape(re.search(r'srcdoc="([^"]*)"', view.html)[1])
    assert "default-src 'none'" in page and not re.search(r'(src|href)\s*=\s*"', page)
    assert metadata.version("bertviz") in page and "Mike Bostock" in page and "jQuery" in page


@pytest.mark.parametrize("kind", ["head", "model", "neuron"])
def test_the_picture_is_small_light_and_quiet(kind):
    size = len(HOSTILE)
    extra = (
        {"queries": np.ones((1, 1, size, 4)), "keys": np.ones((1, 1, size, 4))} if kind == "neuron" else {}
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        view = getattr(views, f"{kind}_view")(attention=made_up(1, 1, size), tokens=HOSTILE, **extra)
        picture = Image.open(io.BytesIO(view.png))
    assert len(view.png) <= 60_000
    assert min(picture.convert("RGB").getpixel((0, 0))) > 235  # opaque and light: readable in a dark theme


def test_two_outputs_are_displayed(ours, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda *args, **kwargs: shown.append((args[0], kwargs)))
    view = views.head_view(*ours, TEXT)
    view._ipython_display_()
    (live, _), (still, options) = shown
    assert view.html in live["text/html"] and still["image/png"] == view.png
    assert "tom" in options["metadata"]["image/png"]["alt"]


class Unpacked(metadata.PathDistribution):
    """A package as pip lays it out, of which one script is changed or missing."""

    @property
    def version(self):
        return "1.9.0"


@pytest.fixture
def another_bertviz(tmp_path, monkeypatch):
    """A function that puts a bertviz 1.9.0, with changed scripts, in the place of the installed one."""

    def install(change):
        real = metadata.distribution("bertviz")
        (tmp_path / "bertviz").mkdir()
        for kind in view_page.CHANGES:
            script = Path(real.locate_file(f"bertviz/{kind}_view.js")).read_text(encoding="utf-8")
            (tmp_path / "bertviz" / f"{kind}_view.js").write_text(change(script), encoding="utf-8")
        package = Unpacked(tmp_path / "bertviz-1.9.0.dist-info")
        monkeypatch.setattr(view_page.metadata, "distribution", lambda name: package)

    return install


# The scripts of bertviz 1.4.0 and 1.4.1, which are the same.
TRIED_SCRIPTS = {
    "head": "32885444af280c1745d0552da79d8dbad6ce52b5a6b4bd1ef5384cc4a917d7c0",
    "model": "a22b6b559eebfb3898ff9b45930ca7a16f9e5fe9040b968d92e8c10991ea353c",
    "neuron": "87a134cd9eaa05a26538f1297708dc03970a9d55c45fda749f75985d1994a9f4",
}


@pytest.mark.parametrize("kind", TRIED_SCRIPTS)
def test_the_installed_scripts_are_those_that_were_tried(kind):
    path = metadata.distribution("bertviz").locate_file(f"bertviz/{kind}_view.js")
    assert hashlib.sha256(Path(path).read_bytes()).hexdigest() == TRIED_SCRIPTS[kind]


@pytest.mark.parametrize("kind", TRIED_SCRIPTS)
def test_scripts_that_can_not_be_changed_are_noticed(another_bertviz, kind):
    another_bertviz(lambda script: script.replace("params = ", "parameters = "))
    words = rf"bertviz 1\.9\.0 is installed, and its {kind}_view\.js .* of bertviz 1\.4\.1.*bertviz==1\.4\.1"
    with pytest.raises(RuntimeError, match=words):
        view_page.bertviz_script(kind)


@pytest.mark.parametrize("kind", TRIED_SCRIPTS)
def test_another_version_with_the_same_places_will_do(another_bertviz, kind):
    another_bertviz(lambda script: script + "\n// new")
    assert view_page.bertviz_script(kind).endswith("// new")


def test_without_bertviz_the_way_out_is_named(monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(view_page.metadata, "distribution", missing)
    monkeypatch.setattr(view_page.metadata, "version", missing)
    view_page.code.cache_clear()
    with pytest.raises(RuntimeError, match="bertviz.* is not installed.*pip install .*bertviz==1.4.1"):
        _ = views.head_view(attention=made_up(), tokens=list("abcd")).html


# The panel


def test_the_panel_follows_its_controls(ours):
    panel = views.explorer({"stories": ours, "long": checkpoints.load("stories_long")}, TEXT)
    box = panel.controls()
    text, row, known, about, image = box.children
    model, layer, head = row.children
    assert known.value == "Models: 0 stories, 1 long"
    first = image.value
    layer.value, head.value = 1, 1
    assert "stories, layer 1, head 1" in about.value and image.value != first
    model.value, head.value = 1, 3
    wanted = read_model(*panel.models["long"], TEXT)
    np.testing.assert_array_equal(panel.reading.attention, wanted.attention)
    assert "long, layer 1, head 3" in about.value
    model.value = 0  # it has no head 3: its last one is shown, and the control says so
    assert head.value == 1 and "stories, layer 1, head 1" in about.value
    text.value = "word " * 100
    assert "give a text shorter" in about.value or "positions" in about.value  # refused, and told
    text.value = "He was sad ."
    assert panel.reading.tokens[1] == "he" and "layer 1, head 1" in about.value


def said_by_itself(box) -> dict:
    """What the installed ipywidgets, 7 or 8, says of a widget that is displayed."""
    if hasattr(box, "_repr_mimebundle_"):
        bundle = box._repr_mimebundle_()
    else:
        shown = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("ipywidgets.widgets.widget.display", lambda data, **_: shown.append(data))
            box._ipython_display_()
        (bundle,) = shown
    return bundle["application/vnd.jupyter.widget-view+json"]


def test_the_panel_is_stored_without_widget_state(ours, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda *args, **kwargs: shown.append(args[0]))
    panel = views.explorer({"stories": ours}, TEXT)
    box = panel.controls()
    monkeypatch.setattr(panel, "controls", lambda: box)
    panel._ipython_display_()
    assert "image/png" in shown[0] and "while the notebook runs" in shown[1]["text/plain"]
    panel = shown[1]["application/vnd.jupyter.widget-view+json"]
    assert panel == said_by_itself(box) and panel["model_id"] == box.model_id
    shown.clear()
    monkeypatch.setenv("BERT_COURSE_STILL", "1")
    views.explorer({"stories": ours}, TEXT)._ipython_display_()
    assert len(shown) == 1 and "image/png" in shown[0]


@pytest.mark.parametrize(
    ("shift", "words"), [(-1, "the previous token"), (1, "the next token"), (0, "its own position")]
)
def test_types_of_heads(shift, words):
    tokens = ["[CLS]", "a", "b", "c", "d", "[SEP]"]
    attention = np.eye(6)[np.clip(np.arange(6) + shift, 0, 5)]
    assert f"looks at {words}" in describe_head(attention, tokens)
    even = np.full((6, 6), 1 / 6)
    assert describe_head(even, tokens).startswith("broad, entropy 1.79 of at most 1.79")


def test_notebook_10_stores_five_views_with_the_notices_of_their_libraries():
    stored = nbformat.read(ROOT / "notebooks" / "10_attention_views.ipynb", as_version=4)
    outputs = [output.get("data", {}) for cell in stored.cells for output in cell.get("outputs", [])]
    pages = [html.unescape(data["text/html"]) for data in outputs if "srcdoc" in data.get("text/html", "")]
    assert len(pages) == 5
    for page in pages:
        for notice in (
            "Jesse Vig",
            "Apache License",
            "Mike Bostock",
            "Redistributions",
            "OpenJS",
            "Permission",
        ):
            assert notice in page
    assert "widgets" not in stored.metadata


# What is refused


def test_too_much_is_refused_with_the_way_out():
    with pytest.raises(
        ValueError, match=rf"12 layers x 12 heads x 50 x 50 .*at most {MAX_WEIGHTS:,}.*layers="
    ):
        views.model_view(attention=made_up(12, 12, 50), tokens=["a"] * 50)
    views.model_view(attention=made_up(12, 12, 50), tokens=["a"] * 50, layers=[0, 1])
    big = np.ones((4, 12, 40, 64))
    with pytest.raises(ValueError, match="numbers in queries and keys"):
        views.neuron_view(attention=made_up(4, 12, 40), tokens=["a"] * 40, queries=big, keys=big, layers=None)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "either model, tokenizer and text, or attention and tokens"),
        ({"attention": made_up()}, "either model"),
        ({"attention": made_up(), "tokens": list("abc")}, r"for 3 tokens.*\(2, 2, 4, 4\)"),
        ({"attention": made_up(), "tokens": [1, 2, 3, 4]}, "list of strings"),
        ({"attention": made_up() * 2, "tokens": list("abcd")}, "between 0 and 1"),
        ({"attention": made_up() * np.nan, "tokens": list("abcd")}, "between 0 and 1"),
        (
            {"attention": made_up(), "tokens": list("abcd"), "layers": [2]},
            r"layers=\[2\] must name some of 0 to 1",
        ),
        ({"attention": made_up(), "tokens": list("abcd"), "heads": []}, r"heads=\[\]"),
        ({"attention": made_up(), "tokens": list("abcd"), "heads": [0, 0]}, "each once"),
    ],
)
def test_bad_arguments(arguments, words):
    with pytest.raises(ValueError, match=words):
        views.head_view(**arguments)


def test_other_models_and_texts_are_refused(ours):
    with pytest.raises(TypeError, match="Linear is no BERT"):
        views.head_view(torch.nn.Linear(1, 1), ours[1], TEXT)
    with pytest.raises(ValueError, match="as strings, not list"):
        views.head_view(*ours, [TEXT])
    assert isinstance(checkpoints.encoder_of(ours[0]), Bert)


def test_a_name_that_the_panel_does_not_have_leaves_it_as_it_was(ours):
    panel = views.explorer({"stories": ours}, TEXT)
    reading = panel.reading
    for text, name, error in (("a dog", "zzz", ValueError), (["a", "dog"], "stories", ValueError)):
        with pytest.raises(error, match="no model 'zzz': it has 'stories'|as strings, not list"):
            panel.select(text, name, 0, 0)
        assert (panel.text, panel.name, panel.reading) == (TEXT, "stories", reading)
    panel.models["broken"] = (torch.nn.Linear(1, 1), ours[1])
    with pytest.raises(TypeError, match="is no BERT"):
        panel.select("a dog", "broken", 0, 0)
    assert (panel.text, panel.name, panel.reading) == (TEXT, "stories", reading)
    panel.select("He was sad .", "stories", 1, 0)
    assert panel.text == "He was sad ." and panel.layer == 1
