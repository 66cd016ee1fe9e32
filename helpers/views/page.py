"""A page that draws attention with bertviz's own JavaScript, alone: no network, no access to the notebook.

The page holds d3, jQuery and one of bertviz's scripts, compressed, and the numbers, quantized and compressed:
weights to 1/255, queries and keys to 1/32767 of the largest. Whatever text is shown is inside the compressed
part too, so no token can be taken for HTML; bertviz writes tokens as text. The page stands in a sandboxed
frame without an origin, and its own policy forbids scripts to load or send anything.

bertviz's scripts come from the installed package; d3 and jQuery, which no package has, from `helpers.data`.
"""

import base64
import functools
import html
import json
import re
import struct
import zlib
from importlib import metadata
from pathlib import Path

import numpy as np

from helpers import data
from helpers.views.data import Reading

TEMPLATE = Path(__file__).with_suffix(".html")
# bertviz's sizes in pixels, from the constants at the top of its scripts.
WIDTHS = {"model": 970, "neuron": 1000}
LABEL_WIDTHS = {"head": 110, "model": 80, "neuron": 120}
MODEL_COLUMNS = 8  # it shares its width out among so many heads at least; two heads would be drawn huge
TRIED = "1.4.1"  # the version of bertviz that the views were last tried with
# What is changed in bertviz's scripts. The neuron view takes its parameters from the window already.
PARAMETERS = ("params = PYTHON_PARAMS;", "params = window.bertviz_params;")
CHANGES = {
    "head": [PARAMETERS],
    "model": [PARAMETERS, ("renderThumbnail(i, j);", "bertviz_later(config.svg, renderThumbnail, i, j);")],
    "neuron": [("params = window.bertviz_params", "params = window.bertviz_params")],
}


def page(kind: str, reading: Reading, title: str) -> str:
    """The whole HTML page of one view; kind: "head", "model" or "neuron"."""
    fields = {
        "CODE": code(kind),  # first: it says what is wrong where bertviz is missing
        "TITLE": html.escape(title),
        "BERTVIZ": metadata.version("bertviz"),
        "OVERHANG": str(_overhang(kind, reading.tokens)),
        "WIDTH": str(_width(kind, reading)),
        "DATA": pack(kind, reading),
    }
    template = TEMPLATE.read_text(encoding="utf-8")
    return re.sub(r"@([A-Z]+)@", lambda match: fields[match[1]], template)


def frame(kind: str, reading: Reading, title: str) -> str:
    """The frame with the page in it, to be put into any HTML."""
    width = _width(kind, reading) + 2 * _overhang(kind, reading.tokens) + 16
    style = (
        f"width:100%;max-width:{width + 20}px;height:{height(kind, reading)}px;border:1px solid #bbb;"
        "background:#fff;color-scheme:light"
    )
    source = html.escape(page(kind, reading, title))
    name = html.escape(title)
    return f'<iframe sandbox="allow-scripts" title="{name}" style="{style}" srcdoc="{source}"></iframe>'


def height(kind: str, reading: Reading) -> int:
    """Pixels that nothing is cut off in, a scroll bar for narrow windows included."""
    layers, length = len(reading.layers), len(reading.tokens)
    if kind == "head":
        drawn = 22.5 * length + 30
    elif kind == "neuron":
        drawn = 26 * length + 100
    else:
        thumbnails = layers * (length * 84 / _columns(reading) + 10) + 38
        drawn = max(thumbnails, 18 * length + 55)
    return round(drawn) + 28 + 16 + 24  # the menus, the margins, a scroll bar


@functools.cache
def code(kind: str) -> str:
    """jQuery, d3 and bertviz's script for one view, compressed."""
    libraries = [
        (data.fetch(name) / file).read_text(encoding="utf-8")
        for name, file in (("jquery", "jquery.js"), ("d3", "d3.v5.min.js"))
    ]
    return _compressed("\n".join(libraries).encode() + b"\0" + bertviz_script(kind).encode())


def bertviz_script(kind: str) -> str:
    """One script of the installed package, changed as CHANGES says; nothing of the package is imported.

    Raises RuntimeError where the package is missing or its script can't be changed so, with the way out.
    """
    way_out = f"Run: python -m pip install --force-reinstall --no-deps bertviz=={TRIED}"
    try:
        package = metadata.distribution("bertviz")
    except metadata.PackageNotFoundError:
        raise RuntimeError(f"bertviz, whose scripts draw the views, is not installed. {way_out}") from None
    path = Path(package.locate_file(f"bertviz/{kind}_view.js"))
    script = path.read_text(encoding="utf-8") if path.is_file() else ""
    for old, new in CHANGES[kind]:
        if script.count(old) != 1:
            raise RuntimeError(
                f"bertviz {package.version} is installed, and its {kind}_view.js is not the one that the "
                f"views were tried with, that of bertviz {TRIED}. {way_out}"
            )
        script = script.replace(old, new)
    return script


def pack(kind: str, reading: Reading) -> str:
    """Header and numbers, compressed; `read` in the template is the way back."""
    vectors = {"queries": reading.queries, "keys": reading.keys} if kind == "neuron" else {}
    scales = {name: max(float(np.abs(values).max()), 1e-9) / 32767 for name, values in vectors.items()}
    header = {
        "kind": kind,
        "tokens": reading.tokens,
        "layers": reading.layers,
        "heads": reading.heads,
        "sentence_b": reading.second,
        "shape": [*reading.attention.shape[:3], vectors["keys"].shape[-1] if vectors else 0],
        "scales": scales,
        "columns": _columns(reading),
    }
    parts = [np.round(np.clip(reading.attention, 0, 1) * 255).astype(np.uint8).tobytes()]
    parts += [np.round(values / scales[name]).astype("<i2").tobytes() for name, values in vectors.items()]
    text = json.dumps(header).encode()
    return _compressed(struct.pack("<I", len(text)) + text + b"".join(parts))


def _compressed(content: bytes) -> str:
    return base64.b64encode(zlib.compress(content, 9)).decode()


def _columns(reading: Reading) -> int:
    return max(len(reading.heads), MODEL_COLUMNS)


def _overhang(kind: str, tokens: list[str]) -> int:
    """Pixels that the longest token needs beyond the room that bertviz gives it, within reason."""
    return max(0, min(400, round(9 * max(map(len, tokens))) - LABEL_WIDTHS[kind]))


def _width(kind: str, reading: Reading) -> int:
    if kind == "head":
        menus = 330 if reading.second is None else 420
        return max(menus, 20 * len(reading.heads))
    return WIDTHS[kind]
