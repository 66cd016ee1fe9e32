"""The ablation table of notebook 7: the live run's recipe with one thing changed, several seeds a row.

Support code. All rows read the same number of tokens, `SHARE` of what the recipe reads, and warm up and decay
over the same shares of their steps. `scripts/ablate_stories.py` is the loop over rows and seeds.
"""

import time

from helpers.studies.story_runs import RECIPE, Task, measurements, run

__all__ = ["COLUMNS", "ROWS", "SHARE", "identity", "measure", "other_batch_size", "settings_of"]

SHARE = 0.25  # of the recipe's steps
COLUMNS = (
    "row", "settings", "seed", "steps", "tokens", "cpu_seconds", "token_loss", "token_accuracy", "next_loss",
    "next_accuracy", "gain", "unigram_loss", "perfect_loss", "command",
)  # fmt: skip


def other_batch_size(size: int) -> dict:
    """Batches of another size, as many tokens in all, and the rate times the root of the ratio of sizes.

    The root is the rule for Adam of Malladi et al. 2022, who scale its betas, too; those stay here.
    """
    ratio = size / RECIPE["batch_size"]
    return {
        "batch_size": size,
        "steps": round(RECIPE["steps"] / ratio),
        "learning_rate": RECIPE["learning_rate"] * ratio**0.5,
    }


ROWS = {
    "recipe": {},
    "BERT: 15 %, 80 / 10 / 10": {"mask_rate": 0.15, "shares": (0.8, 0.1, 0.1)},
    "no start at frequencies": {"start_at_frequencies": False},
    "batch 32": other_batch_size(32),
    "batch 64": other_batch_size(64),
    "no next-sentence loss": {"next_sentence": 0.0},
    "batch 8": other_batch_size(8),
    "mask 15 %": {"mask_rate": 0.15},
    "80 / 10 / 10": {"shares": (0.8, 0.1, 0.1)},
    "4 heads": {"num_heads": 4},
    "init 0.02 everywhere": {"init_std": 0.02},
    "embeddings not faster": {"embedding_rate": 1.0},
    "dropout 0.1": {"dropout": 0.1},
    "mask 50 %": {"mask_rate": 0.5},
    # Without a perfect model, so without a gain: these two compare with each other only.
    "pieces, tokens masked": {"vocab_size": 500},
    "pieces, whole words masked": {"vocab_size": 500, "mask": "whole words"},
}


def settings_of(row: str, share: float = SHARE) -> dict:
    """All settings of a row, as `run` takes them; `share` of the steps."""
    settings = RECIPE | ROWS[row]
    return settings | {"steps": max(1, round(share * settings["steps"]))}


def identity(row: str, seed: int, share: float = SHARE) -> dict[str, str]:
    """The cells by which a run is found again, as text: a change of the recipe makes other runs."""
    settings = settings_of(row, share)
    shown = ", ".join(f"{name} {settings[name]}" for name in sorted(settings) if name != "steps")
    return {"row": row, "settings": shown, "seed": str(seed), "steps": str(settings["steps"])}


def measure(task: Task, row: str, seed: int, share: float = SHARE) -> dict:
    """Train from random weights and measure once, at the end, on all validation pairs: cells by column."""
    settings, found = settings_of(row, share), {}
    begun = time.process_time()

    def write(step, tokens, _, model):
        found.update(tokens=tokens, cpu_seconds=time.process_time() - begun)
        values = measurements(task, model, whole=True)
        found.update({name: value for name, value in values.items() if name in COLUMNS})

    run(task, settings, seed, settings["steps"], write)
    return found
