"""What decides a run: the recipe of its row, the line of settings in the table, and the model it starts from.

Every value of such a line is text, "" where it does not matter. The recipes are those of notebooks 8 and 9.
"""

import hashlib

import torch

from helpers.classification import BertForClassification, FineTuning, freeze_lower_layers
from helpers.encoder import Bert
from helpers.studies import tasks
from helpers.studies.errors import RowError
from helpers.studies.prompts import MaskClassifier, MeanClassifier
from helpers.studies.tasks import Task

__all__ = ["CHANGES", "GRID", "OWN", "SETTINGS", "epochs_for", "plan_of", "settings_of", "starting_model"]

SETTINGS = (
    "task", "row", "checkpoint", "weights", "labels", "seed", "epochs", "batch_size", "learning_rate",
    "layer_decay", "frozen_layers", "warm_up", "weight_decay", "max_length", "reads",
)  # fmt: skip

TRAINED = ("random", "own", "ours", "trainer", "bert")  # the rows that take steps
OWN = {"movies": "wider_text", "stories": "stories_long"}
# What a row starts from, unless told otherwise: small encoders take larger steps and more of them.
SMALL = {"epochs": 4, "batch_size": 16, "learning_rate": 5e-4, "frozen_layers": "none"}
MEAN = SMALL | {"reads": "mean", "learning_rate": 2e-4}  # the long run on real text had no sentence pairs
RECIPES = {
    ("movies", "random"): MEAN,
    ("movies", "own"): MEAN,
    ("movies", "bert"): {"epochs": 3, "batch_size": 32, "learning_rate": 3e-5, "frozen_layers": "none"},
    ("stories", "random"): SMALL | {"epochs": 10, "reads": "[MASK]"},
    ("stories", "own"): SMALL | {"epochs": 10, "reads": "[MASK]"},
}
MINILM = {"epochs": 2, "batch_size": 32, "learning_rate": 2e-4, "frozen_layers": "3"}
COMMON = {"reads": "[CLS]", "layer_decay": 1.0, "warm_up": 0.1, "weight_decay": 0.01, "max_length": 128}
CHANGES = (
    "epochs", "batch_size", "learning_rate", "layer_decay", "warm_up", "weight_decay", "frozen_layers",
    "reads",
)  # fmt: skip
LEAST_STEPS = 100  # few labels get more epochs (Zhang et al. 2021, section 6; Mosbach et al. 2021, section 6)
GRID = {"learning_rate": (2e-5, 5e-5, 2e-4, 5e-4, 2e-3), "batch_size": (16, 32), "epochs": (1, 2, 4)}


def epochs_for(labels: int, batch_size: int, usual: int) -> int:
    """The usual number of epochs, or as many as LEAST_STEPS take."""
    steps = -(-labels // batch_size)  # in an epoch
    return max(usual, -(-LEAST_STEPS // steps))


def settings_of(
    row: str, task: Task, labels: int, seed: int, own: str | None = None, **changes: object
) -> dict[str, str]:
    """The line of a run before it runs: everything that decides it.

    own: the own checkpoint, by default the task's of OWN; the row `random` has its shape. changes: settings
    in place of the recipe's, for rows that are trained. RowError for what the row's encoder can't do,
    ValueError for a change that no recipe has.
    """
    unknown = changes.keys() - CHANGES
    if unknown:
        raise ValueError(f"no recipe has {sorted(unknown)[0]!r}: change {', '.join(CHANGES)}")
    run = dict.fromkeys(SETTINGS, "") | {"task": task.name, "row": row}
    if row in ("human", "perfect"):
        return run
    total = len(task.train.texts)
    # With all labels nothing is drawn in rows that are not trained by steps.
    run |= {"labels": labels, "seed": seed if row in TRAINED or labels < total else ""}
    if row in ("majority", "tfidf"):
        return {name: str(value) for name, value in run.items()}
    checkpoint = {"bert": "bert-base-uncased"}.get(row, "minilm")
    if row in ("random", "own"):
        checkpoint = own or OWN[task.name]
    bert, tokenizer, digest = tasks.load_encoder(checkpoint)
    run |= {"checkpoint": checkpoint, "max_length": min(COMMON["max_length"], bert.config.max_positions)}
    if row == "random":  # of the checkpoint only shape and vocabulary count
        shape = repr(bert.config) + "\n".join(tokenizer.vocabulary)
        digest = hashlib.sha256(shape.encode()).hexdigest()[:12]
    run["weights"] = digest
    if row in TRAINED:
        recipe = COMMON | RECIPES.get((task.name, row), MINILM) | changes
        if "epochs" not in changes:
            recipe["epochs"] = epochs_for(labels, recipe["batch_size"], recipe["epochs"])
        if recipe["frozen_layers"] != "none" and int(recipe["frozen_layers"]) > len(bert.layers):
            raise RowError(
                f"{checkpoint} has {len(bert.layers)} layers, {recipe['frozen_layers']} can't be frozen: "
                "choose a smaller --frozen-layers"
            )
        if not 0 <= recipe["warm_up"] < 1:
            raise ValueError(f"warm_up is a share of the steps, from 0 to below 1, not {recipe['warm_up']}")
        if row == "trainer" and recipe["layer_decay"] != 1:
            raise RowError("the Trainer row has one learning rate for all layers: leave --layer-decay away")
        if row == "trainer" and recipe["reads"] != "[CLS]":
            raise RowError("the library's classifier reads at [CLS]: leave --reads away, or the row trainer")
        run |= {name: recipe[name] for name in recipe if name != "max_length"}
    return {name: str(value) for name, value in run.items()}


def plan_of(run: dict) -> FineTuning:
    """The settings of a run, which are text, as the plan of the loop."""
    return FineTuning(
        epochs=int(run["epochs"]), batch_size=int(run["batch_size"]), warm_up=float(run["warm_up"]),
        learning_rate=float(run["learning_rate"]), weight_decay=float(run["weight_decay"]),
        max_length=int(run["max_length"]), seed=int(run["seed"]), layer_decay=float(run["layer_decay"]),
    )  # fmt: skip


def starting_model(task: Task, run: dict) -> BertForClassification:
    """The classifier of a run before its first step, with its lower layers frozen if the run says so."""
    pretrained, tokenizer, _ = tasks.load_encoder(run["checkpoint"])
    seed = int(run["seed"])
    torch.manual_seed(seed)
    bert = Bert(pretrained.config)
    if run["row"] != "random":
        bert.load_state_dict(pretrained.state_dict())
        torch.manual_seed(seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if run["reads"] == "[MASK]":
        model = MaskClassifier(bert, task.classes, tokenizer)
    else:
        model = {"mean": MeanClassifier, "[CLS]": BertForClassification}[run["reads"]](bert, task.classes)
    model.to(device)
    if run["frozen_layers"] != "none":
        freeze_lower_layers(model.bert, int(run["frozen_layers"]))
    return model
