"""Four ways to learn from a table of `helpers.studies.own_tables`, the rows of notebook 12's results.

    majority  the shares of the classes
    linear    words, pairs of words and pieces of words, weighted by rarity, and logistic regression
    frozen    minilm's mean vectors, and logistic regression
    minilm    fine-tuned by the Transformers library's Trainer

Choices (features, strength, epoch) are made on the validation part, by macro-F1.
"""

import tempfile
import warnings
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np

from helpers import data
from helpers.studies.own_tables import Table, load, macro_f1
from helpers.studies.recipes import epochs_for
from helpers.wordpiece import TruncationWarning

__all__ = ["LEARNERS", "SETTINGS", "Answer", "Buckets", "fine_tune", "run_method", "settings_of"]

LEARNERS = ("majority", "linear", "frozen", "minilm")
SETTINGS = ("task", "method", "labels", "seed", "epochs", "batch_size", "learning_rate", "frozen_layers")
PLAN = {"epochs": 2, "batch_size": 32, "learning_rate": 2e-4, "frozen_layers": 3}
STRENGTHS = (1, 10, 100)
MAX_LENGTH = {"neighbors": 128}  # tokens of a pair; of a text 64: 98% and more of them are shorter


class Answer(NamedTuple):
    """Probabilities (N, C) of the validation and of the test part, and what was chosen."""

    validation: np.ndarray
    test: np.ndarray
    chosen: str = ""


def settings_of(task: str, method: str, labels: int, seed: int) -> dict[str, str]:
    """The line of a run before it runs: everything that decides it."""
    total = len(load(task).train)
    line = dict.fromkeys(SETTINGS, "") | {"task": task, "method": method, "labels": labels}
    if labels < total or method == "minilm":
        line["seed"] = seed
    if method == "minilm":
        plan = PLAN | ({"batch_size": 16} if labels < 1000 else {})
        # few labels get more epochs, as in notebook 9
        line |= plan | {"epochs": epochs_for(labels, plan["batch_size"], plan["epochs"])}
    return {name: str(value) for name, value in line.items()}


def run_method(line: dict[str, str]) -> Answer:
    """What the method of a line says after it has learned from the line's training rows."""
    table = load(line["task"]).drawn(int(line["labels"]), int(line["seed"] or 0))
    if line["method"] == "minilm":
        return fine_tune(table, int(line["seed"]), int(line["epochs"]), int(line["batch_size"]))
    return {"majority": _majority, "linear": _linear, "frozen": _frozen}[line["method"]](table)


def _majority(table: Table) -> Answer:
    shares = np.bincount(table.labels("train"), minlength=len(table.classes)) / len(table.train)
    return Answer(*(np.tile(shares, (len(part), 1)) for part in (table.validation, table.test)))


def _linear(table: Table) -> Answer:
    """Words, pairs of words and pieces of words, weighted by their rarity, and logistic regression."""
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_union

    pair = "second" in table.train
    least = 2 if len(table.train) >= 1000 else 1
    views = {
        "words": TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        "characters": TfidfVectorizer(
            analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=least
        ),
    }
    views["words and characters"] = make_union(*views.values())
    candidates = {}
    for name, view in views.items():
        texts = table.train["text"].tolist() + (table.train["second"].tolist() if pair else [])
        view.fit(texts)
        inputs = []
        for part in (table.train, table.validation, table.test):
            found = view.transform(part["text"])
            if pair:  # the second text, and what both share
                second = view.transform(part["second"])
                both = found.multiply(second).tocsr()
                found = hstack([second, both, 10 * both.sum(axis=1)]).tocsr()
            inputs.append(found)
        candidates[name] = inputs
    return _best(table, candidates, STRENGTHS)


def _frozen(table: Table) -> Answer:
    """minilm as it is: the mean vector of each text, and logistic regression."""
    vectors, inputs = _vectors(table.name), []
    for part in (table.train, table.validation, table.test):
        found = np.stack([vectors[text] for text in part["text"]])
        if "second" in part:  # as Conneau et al. 2017: the difference and the product of both
            second = np.stack([vectors[text] for text in part["second"]])
            product = found * second
            found = np.hstack([abs(found - second), product, product.sum(axis=1, keepdims=True)])
        inputs.append(found)
    return _best(table, {"mean": inputs}, STRENGTHS)


@cache
def _vectors(name: str) -> dict[str, np.ndarray]:
    """The mean vector (H,) of minilm, of length 1, for every text of a table."""
    from helpers.studies.rows import features
    from helpers.studies.tasks import load_encoder

    table = load(name)
    columns = [name for name in ("text", "second") if name in table.train]
    parts = (table.train, table.validation, table.test)
    texts = list(dict.fromkeys(text for part in parts for column in columns for text in part[column]))
    bert, tokenizer, _ = load_encoder("minilm")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TruncationWarning)  # a few texts are longer than 128 tokens
        found = features(bert, texts, tokenizer)["mean"]
    return dict(zip(texts, found / np.linalg.norm(found, axis=1, keepdims=True), strict=True))


def _best(table: Table, candidates: dict[str, list], strengths: tuple[float, ...]) -> Answer:
    """The features and the strength with the best macro-F1 on the validation part; the first of several."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    best, highest = None, -1.0
    for name, (train, validation, test) in candidates.items():
        for strength in strengths:
            model = LogisticRegression(C=strength, solver="liblinear", max_iter=1000)
            if len(table.classes) > 2:
                model = OneVsRestClassifier(model)
            model.fit(train, table.labels("train"))
            answer = Answer(*(_all_classes(model, x, len(table.classes)) for x in (validation, test)))
            found = macro_f1(table.labels("validation"), answer.validation.argmax(axis=1))
            if found > highest:
                best, highest = answer._replace(chosen=f"{name}, C {strength}"), found
    return best


def _all_classes(model, inputs, classes: int) -> np.ndarray:
    """Probabilities (N, C), zero for a class that the model never saw."""
    found = np.zeros((inputs.shape[0], classes))
    found[:, model.classes_] = model.predict_proba(inputs)
    return found


def fine_tune(table: Table, seed: int, epochs: int, batch_size: int) -> Answer:
    """minilm with a layer on top, trained by the Transformers library's `Trainer`; the best epoch is kept."""
    import torch
    import transformers
    from datasets import Dataset

    folder = data.fetch("minilm").as_posix()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, model_max_length=512)
    names = dict(enumerate(table.classes))
    transformers.set_seed(seed)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        folder,
        num_labels=len(names),
        id2label=names,
        label2id={name: number for number, name in names.items()},
    )
    for part in (model.bert.embeddings, *model.bert.encoder.layer[: PLAN["frozen_layers"]]):
        part.requires_grad_(False)

    def rows(part: str) -> tuple[Dataset, np.ndarray]:
        """The rows, the shortest first, and the place of each in the table."""
        frame = getattr(table, part)
        second = [frame["second"].tolist()] if "second" in frame else []
        most = MAX_LENGTH.get(table.name, 64)
        columns = tokenizer(frame["text"].tolist(), *second, truncation=True, max_length=most)
        order = np.argsort([len(ids) for ids in columns["input_ids"]], kind="stable")
        return Dataset.from_dict({**columns, "labels": table.labels(part).tolist()}).select(order), order

    sets = {part: rows(part) for part in ("train", "validation", "test")}
    lengths = [len(ids) for ids in sets["train"][0]["input_ids"]]

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        arguments = transformers.TrainingArguments(
            output_dir=place, seed=seed, num_train_epochs=epochs, per_device_train_batch_size=batch_size,
            per_device_eval_batch_size=64, learning_rate=PLAN["learning_rate"], warmup_steps=0.1,
            weight_decay=0.01, eval_strategy="epoch", save_strategy="epoch", save_total_limit=1,
            save_only_model=True, load_best_model_at_end=True, metric_for_best_model="macro_f1",
            logging_strategy="no", report_to="none", disable_tqdm=True, dataloader_pin_memory=False,
            use_cpu=not torch.cuda.is_available(),
        )  # fmt: skip
        trainer = transformers.Trainer(
            model, arguments, train_dataset=sets["train"][0], eval_dataset=sets["validation"][0],
            processing_class=tokenizer,
            compute_metrics=lambda found: {
                "macro_f1": macro_f1(found.label_ids, found.predictions.argmax(axis=-1))
            },
        )  # fmt: skip
        trainer.remove_callback(transformers.PrinterCallback)
        trainer.get_train_dataloader = lambda: torch.utils.data.DataLoader(
            sets["train"][0], batch_sampler=Buckets(lengths, batch_size), collate_fn=trainer.data_collator
        )
        trainer.train()

        def probabilities(part: str) -> np.ndarray:
            found, order = sets[part]
            logits = torch.tensor(trainer.predict(found).predictions).double()
            return logits.softmax(dim=-1).numpy()[np.argsort(order)]

        return Answer(probabilities("validation"), probabilities("test"))


class Buckets:
    """A batch sampler for PyTorch's DataLoader: batches of similar length, in each epoch others (notebook 8).

    The Trainer's own "group_by_length" sorts dozens of batches from long texts to short ones and leaves them
    in that order. Where length tells the class, whole stretches of steps then see one class only.
    """

    def __init__(self, lengths: list[int], batch_size: int):
        self.lengths, self.batch_size = lengths, batch_size

    def __len__(self) -> int:
        return -(-len(self.lengths) // self.batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        from helpers.classification import length_buckets

        return iter(length_buckets(self.lengths, self.batch_size))
