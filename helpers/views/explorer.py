"""A panel to look into heads: type a sentence, choose model, layer and head, see the weights and their type.

Widgets live only beside a running kernel. So the panel comes in two outputs: a picture of its first state,
which is stored and seen everywhere, and the widgets, which `make run` leaves out.
"""

import os
import textwrap
from collections.abc import Callable, Mapping

import numpy as np
from matplotlib.figure import Figure

from helpers.plotting import heat_map
from helpers.views.data import Reading, check_size, read_model
from helpers.views.pictures import labels, small_png

Describe = Callable[[np.ndarray, list[str], str, int, int], str]


class Explorer:
    """Tokens, heat map, type and score of one head at a time; `views.explorer` makes one.

    models: name -> (model, tokenizer). describe: as for `views.explorer`, one line about a head.
    All controls are reached by the Tab key and changed by the arrow keys or by typing. The model is chosen by
    number: JupyterLab takes the arrow keys for itself at lists and buttons, but not at number fields.
    """

    def __init__(self, models: Mapping[str, tuple], text: str, describe: Describe):
        if not models:
            raise ValueError("give at least one model: {name: (model, tokenizer)}.")
        self.models, self.describe = dict(models), describe
        self.name, self.text, self.layer, self.head = next(iter(models)), text, 0, 0
        self.reading = self.read()

    def read(self) -> Reading:
        reading = read_model(*self.models[self.name], self.text)
        check_size(reading)
        return reading

    @property
    def line(self) -> str:
        """What is known of the chosen head, in one line."""
        weights, place = self.reading.attention[self.layer, self.head], (self.name, self.layer, self.head)
        about = self.describe(weights, self.reading.tokens, *place)
        return "{}, layer {}, head {}: ".format(*place) + about

    @property
    def png(self) -> bytes:
        """The chosen head's weights as a heat map."""
        names = labels(self.reading)
        side = 2.0 + 0.2 * len(names)
        figure = Figure(figsize=(side + 0.8, side), layout="constrained")
        title = "\n".join(textwrap.wrap(self.line, round(12 * side)))
        heat_map(self.reading.attention[self.layer, self.head], names, names, title, figure.subplots())
        return small_png(figure)

    def controls(self):
        """The live panel, an ipywidgets box."""
        import ipywidgets as widgets

        layers, heads = (size - 1 for size in self.reading.attention.shape[:2])
        text = widgets.Text(self.text, description="Text", continuous_update=False, layout={"width": "95%"})
        names = list(self.models)
        model = widgets.BoundedIntText(names.index(self.name), min=0, max=len(names) - 1, description="Model")
        known = widgets.Label("Models: " + ", ".join(f"{number} {name}" for number, name in enumerate(names)))
        layer = widgets.BoundedIntText(self.layer, min=0, max=layers, description="Layer")
        head = widgets.BoundedIntText(self.head, min=0, max=heads, description="Head")
        fit = {"width": "auto", "max_width": "100%", "align_self": "flex-start"}
        about, image = widgets.Label(self.line), widgets.Image(value=self.png, format="png", layout=fit)

        def update(change):
            try:
                self.select(text.value, names[model.value], layer.value, head.value)
            except ValueError as error:  # a text too long to draw, for instance
                about.value = str(error)
                return
            layer.max, head.max = (size - 1 for size in self.reading.attention.shape[:2])
            layer.value, head.value = self.layer, self.head
            about.value, image.value = self.line, self.png

        for control in (text, model, layer, head):
            control.observe(update, "value")
        row = widgets.HBox([model, layer, head], layout={"flex_flow": "row wrap"})
        return widgets.VBox([text, row, known, about, image])

    def select(self, text: str, name: str, layer: int, head: int) -> None:
        """Show another text, model or head; a number beyond the model's last one means its last one.

        ValueError for another name than the panel's, and as `head_view`; then the panel stays as it was.
        """
        if name not in self.models:
            raise ValueError(f"the panel has no model {name!r}: it has {', '.join(map(repr, self.models))}")
        before = self.text, self.name
        if (text, name) != before:
            self.text, self.name = text, name
            try:
                self.reading = self.read()
            except BaseException:
                self.text, self.name = before
                raise
        layers, heads = self.reading.attention.shape[:2]
        self.layer, self.head = min(layer, layers - 1), min(head, heads - 1)

    def _ipython_display_(self) -> None:
        from IPython.display import display

        still = {"image/png": self.png, "text/plain": self.line}
        display(still, raw=True, metadata={"image/png": {"alt": self.line}})
        if os.environ.get(
            "BERT_COURSE_STILL"
        ):  # set where the outputs are stored: no widget outlives its kernel
            return
        # What ipywidgets 7 (Colab's) and 8 both say of a widget; their own methods for it differ.
        panel = {"version_major": 2, "version_minor": 0, "model_id": self.controls().model_id}
        note = "The panel itself is here while the notebook runs; its first state stands above."
        display({"application/vnd.jupyter.widget-view+json": panel, "text/plain": note}, raw=True)


def describe_head(attention: np.ndarray, tokens: list[str], *_) -> str:
    """Where a head looks most, of six places, in multiples of what even attention would put there."""
    length = len(tokens)
    rows, columns = np.indices((length, length))
    special = {name: np.array(tokens)[columns] == name for name in ("[CLS]", "[SEP]")}
    places = {
        "the previous token": columns == rows - 1,
        "the next token": columns == rows + 1,
        "its own position": columns == rows,
        **{name: where & (columns != rows) for name, where in special.items()},
        "equal tokens elsewhere": (np.array(tokens)[rows] == np.array(tokens)[columns]) & (columns != rows),
    }
    shares = {name: (attention * where).sum() / length for name, where in places.items()}
    even = {name: where.sum() / length**2 for name, where in places.items()}
    name = max(shares, key=lambda place: shares[place])
    entropy = -(attention * np.log(np.maximum(attention, 1e-12))).sum(axis=1).mean()
    breadth = f"entropy {entropy:.2f} of at most {np.log(length):.2f} nats"
    if shares[name] < max(0.2, 3 * even[name]):
        return f"broad, {breadth}"
    return f"looks at {name}: {shares[name]:.0%} of its weight, evenly it were {even[name]:.0%}; {breadth}"
