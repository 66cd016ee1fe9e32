"""Draw the picture of the README from the real model: pieces, attention, and the distance from the reference.

python scripts/dev/draw_overview.py        writes notebooks/images/overview.png
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import matplotlib  # noqa: E402

matplotlib.use("Agg")

import matplotlib.pyplot as plt  # noqa: E402
import torch  # noqa: E402
from transformers import BertModel  # noqa: E402

from helpers import checkpoints, data, plotting  # noqa: E402

TEXT = "The tokenizer splits embeddings, and attention reassembles them."
PICTURE = ROOT / "notebooks" / "images" / "overview.png"


def draw_pieces(axis, encoding, text: str) -> None:
    """The sentence with its WordPiece tokens and ids: one coloured box per token."""
    axis.set_axis_off()
    axis.set(ylim=(0, 4))
    axis.text(0, 3.4, text, fontsize=12)
    shades = ("#dbe8f3", "#f6dfc6")
    left = 0.0
    for place, (token, index) in enumerate(zip(encoding.tokens, encoding.ids, strict=True)):
        width = 1.9 + 1.02 * len(token)
        box = dict(boxstyle="round,pad=0.02,rounding_size=0.3", facecolor=shades[place % 2], edgecolor="0.4")
        axis.add_patch(matplotlib.patches.FancyBboxPatch((left, 1.55), width - 0.4, 0.95, **box))
        axis.text(
            left + width / 2 - 0.2,
            2.0,
            token,
            ha="center",
            va="center",
            fontsize=9,
            family="DejaVu Sans Mono",
        )
        axis.text(
            left + width / 2 - 0.2, 1.15, str(index), ha="center", va="center", fontsize=7.5, color="0.35"
        )
        left += width
    axis.set_xlim(0, left)
    axis.set_title("1. Your WordPiece tokenizer: the ids equal the library's", loc="left")


def draw_distance(axis, ours, theirs) -> None:
    """The largest difference from the reference after each layer, on a logarithmic axis."""
    pairs = zip(ours.hidden_states, theirs.hidden_states, strict=True)
    largest = [(mine - reference).abs().max().item() for mine, reference in pairs]
    names = ["embeddings", *(f"layer {number}" for number in range(1, len(largest)))]
    axis.plot(largest, names, "o", color=plotting.COLOURS[2], markersize=9)
    for place in (place for place, value in enumerate(largest) if value == 0):  # no place on such an axis
        axis.text(1.5e-8, place, "0: the same bits", va="center", fontsize="small", color=plotting.COLOURS[2])
    axis.grid(axis="y", alpha=0.3)
    axis.axvline(1e-5, color=plotting.COLOURS[1], linestyle="--")
    axis.annotate("the notebooks assert 1e-5", (1e-5, 0), xytext=(-6, 0), textcoords="offset points",
                  rotation=90, ha="right", va="top", fontsize="small", color=plotting.COLOURS[1])  # fmt: skip
    axis.set(xscale="log", xlim=(1e-8, 1e-4), xlabel="largest difference from transformers.BertModel")
    axis.invert_yaxis()
    axis.set_title("3. Your encoder equals the reference", loc="left")


def main() -> None:
    plotting.use_course_style()
    torch.manual_seed(0)
    model, tokenizer = checkpoints.load("minilm")
    batch = tokenizer.encode_batch([TEXT])
    reference = BertModel.from_pretrained(data.fetch("minilm"), attn_implementation="eager").eval()
    with torch.no_grad():
        ours = model(**batch, output_hidden_states=True, output_attentions=True)
        theirs = reference(
            batch["ids"], attention_mask=batch["attention_mask"], token_type_ids=batch["type_ids"],
            output_hidden_states=True,
        )  # fmt: skip
    encoding = tokenizer.encode(TEXT)
    figure, axes = plt.subplot_mosaic(
        [["pieces", "pieces"], ["attention", "distance"]], figsize=(10.5, 6.6), height_ratios=[1, 3.6],
        width_ratios=[1.25, 1],
    )  # fmt: skip
    draw_pieces(axes["pieces"], encoding, TEXT)
    layer, head = sharpest_head(ours.attentions)
    plotting.heat_map(
        ours.attentions[layer][0, head], encoding.tokens, encoding.tokens, axis=axes["attention"]
    )
    axes["attention"].set_title("2. Your attention: a head that looks at the token before", loc="left")
    axes["attention"].tick_params(labelsize=8)
    draw_distance(axes["distance"], ours, theirs)
    figure.savefig(PICTURE, dpi=110, bbox_inches="tight", pad_inches=0.1)
    print(f"wrote {PICTURE.relative_to(ROOT)}")


def sharpest_head(attentions) -> tuple[int, int]:
    """Layer and head that look most firmly at one neighbour: the mean weight on the previous token."""
    weight = torch.stack([layer[0].diagonal(offset=-1, dim1=1, dim2=2).mean(dim=1) for layer in attentions])
    return divmod(weight.argmax().item(), weight.shape[1])


if __name__ == "__main__":
    main()
