"""The study of notebook 18: one classifier made smaller and faster in many ways, each measured.

A point is one way. `Study` trains the points of a seed from one teacher, which is trained once:

    teacher               minilm, fine-tuned
    student 3, student 2  that many of its layers, distilled from soft labels and hidden states
    more 3                as student 3, from as many texts again, which have no labels
    soft 3                distilled from soft labels alone
    labels 3              the same layers of minilm, fine-tuned on labels alone
    pruned                the teacher with half of its heads and units, then distilled
    narrow                the course's own small encoder, distilled from soft labels
    lora                  minilm with thin matrices that learn, merged

`tfidf`, and the weights of these points in another form ("student 3 onnx int8"), stand in smaller_forms.py.
"""

import copy
import warnings
from collections.abc import Sequence
from contextlib import nullcontext
from functools import cached_property

import torch

from helpers.classification import (
    BertForClassification,
    FineTuning,
    encode_texts,
    fine_tune,
    labelled_batches,
)
from helpers.compression import add_lora, importance, merge_lora, most_important, prune
from helpers.distillation import Taught, distill, keep_layers, layers_to_keep, teacher_answers
from helpers.studies import recipes, tasks
from helpers.studies.errors import RowError
from helpers.studies.prompts import MeanClassifier
from helpers.wordpiece import WordPieceTokenizer

__all__ = [
    "FORMS", "HIDDEN_WEIGHT", "KEPT", "MAX_LENGTH", "POINTS", "SETTINGS", "TEMPERATURE", "Study", "base_of",
    "settings_of",
]  # fmt: skip

TRAINED = {
    "teacher": 1, "student 3": 2, "student 2": 2, "more 3": 2, "labels 3": 2, "soft 3": 2, "narrow": 3,
    "pruned": 1, "lora": 1,
}  # fmt: skip
FORMS = ("onnx int8", "onnx", "int8", "bf16")  # longest first
# The points in the order in which they matter: first the picture's ends, then what explains them.
POINTS = (
    "teacher", "student 3", "student 3 onnx int8", "more 3", "more 3 onnx int8", "tfidf", "student 2",
    "student 2 onnx int8", "labels 3", "teacher onnx int8", "teacher bf16", "pruned", "teacher onnx",
    "teacher int8", "pruned onnx int8", "narrow", "soft 3", "lora",
)  # fmt: skip
SETTINGS = ("task", "point", "seed", "labels", "epochs", "precision")
MAX_LENGTH = recipes.COMMON["max_length"]
TEMPERATURE, HIDDEN_WEIGHT, KEPT = 2.0, 1.0, 0.5
STATES = (1, 2, 3, 5)  # the layers after which some student imitates its teacher


def settings_of(point: str, seed: int, labels: int, precision: str = "fp32") -> dict[str, str]:
    """The line of a point before it is made. precision: that of the training."""
    base = base_of(point)
    line = {"task": "movies", "point": point, "seed": seed, "labels": labels, "epochs": TRAINED.get(base, "")}
    return {name: str(value) for name, value in (line | {"precision": precision}).items()}


def base_of(point: str) -> str:
    """The point whose weights these are: "student 3" for "student 3 onnx int8"."""
    form = next((form for form in FORMS if point.endswith(f" {form}")), "")
    return point.removesuffix(f" {form}") if form else point


def _forgetful(tokenizer: WordPieceTokenizer) -> WordPieceTokenizer:
    """The tokenizer without the memory that `tasks` gives it: where time is measured, a text is new."""
    again = copy.copy(tokenizer)
    vars(again).pop("encode", None)
    return again


class Study:
    """The points of one seed. precision: "bf16" trains under autocast, which some processors do faster."""

    def __init__(self, seed: int, labels: int | None = None, precision: str = "fp32"):
        self.task = tasks.load_task("movies")
        self.seed, self.precision = seed, precision
        self.labels = len(self.task.train.texts) if labels is None else labels
        if not 2 <= self.labels <= len(self.task.train.texts):
            raise RowError(f"--labels is 2 to {len(self.task.train.texts):,}, not {self.labels:,}")
        self.train = tasks.subset(self.task.train, self.labels, seed)
        self.validation = tasks.subset(
            self.task.validation, min(self.labels, len(self.task.validation.texts)), seed
        )
        self._models: dict[str, BertForClassification] = {}
        self._said: list[Taught] = []
        self._tokenizers = {
            name: _forgetful(tasks.load_encoder(name)[1]) for name in ("minilm", recipes.OWN["movies"])
        }

    def _half(self):
        """Half precision while a model is trained; copies of weights that will change must not be kept."""
        if self.precision == "fp32":
            return nullcontext()
        return torch.autocast("cpu", torch.bfloat16, cache_enabled=False)

    def tokenizer(self, point: str) -> WordPieceTokenizer:
        return self._tokenizers[recipes.OWN["movies"] if base_of(point) == "narrow" else "minilm"]

    def length(self, point: str) -> int:
        """The most tokens that the point's encoder reads."""
        own = tasks.load_encoder(recipes.OWN["movies"])[0].config.max_positions
        return min(MAX_LENGTH, own) if base_of(point) == "narrow" else MAX_LENGTH

    def model(self, name: str) -> BertForClassification:
        """A trained point, made once."""
        if name not in self._models:
            make = {
                "teacher": self._teacher,
                "narrow": self._narrow,
                "pruned": self._pruned,
                "lora": self._lora,
            }
            kind, _, count = name.partition(" ")
            self._models[name] = self._student(kind, int(count)) if count else make[name]()
        return self._models[name]

    def _plan(self, name: str, rate: float) -> FineTuning:
        return FineTuning(
            epochs=TRAINED[name],
            batch_size=32,
            learning_rate=rate,
            max_length=self.length(name),
            seed=self.seed,
        )

    def _start(self, frozen_layers: str) -> BertForClassification:
        run = recipes.settings_of("ours", self.task, self.labels, self.seed, frozen_layers=frozen_layers)
        return recipes.starting_model(self.task, run)

    def _teacher(self) -> BertForClassification:
        """The classifier of notebook 8."""
        model = self._start(recipes.MINILM["frozen_layers"])
        with self._half():
            plan = self._plan("teacher", recipes.MINILM["learning_rate"])
            fine_tune(model, self.train, self.validation, self.tokenizer("teacher"), plan)
        return model

    @cached_property
    def _encodings(self):
        return encode_texts(self.train.texts, self.tokenizer("teacher"), MAX_LENGTH)

    @property
    def _pad(self) -> int:
        return self.tokenizer("teacher").id_of["[PAD]"]

    def _told(self, places: Sequence[int] = ()) -> list[Taught]:
        """What the teacher says of the training texts, with its hidden states after these layers.

        It is asked once, for all layers that some student imitates; these states are let go with the last.
        """
        if not self._said or (places and not self._said[0].hidden.shape[1]):
            with self._half():
                self._said = teacher_answers(self.model("teacher"), self._encodings, self._pad, STATES)
        if not places and {"student 3", "more 3", "student 2"} <= set(self._models):
            self._said = [Taught(each.logits, each.hidden[:, :0].clone()) for each in self._said]
        chosen = [STATES.index(place) for place in places]
        return [Taught(each.logits, each.hidden[:, chosen]) for each in self._said]

    def _others(self) -> list[str]:
        """As many training texts again as the teacher learned from, which nobody needs to label."""
        known = set(self.train.texts)
        return [text for text in self.task.train.texts if text not in known][: self.labels]

    def _student(self, kind: str, count: int) -> BertForClassification:
        teacher = self.model("teacher")
        places = layers_to_keep(len(teacher.bert.layers), count)
        if kind == "labels":  # the same layers as they were before the teacher's training
            student = keep_layers(self._start("none"), places)
        else:
            student = keep_layers(teacher, places)
        student.bert.embeddings.requires_grad_(False)
        name = f"{kind} {count}"
        with self._half():
            if kind == "labels":
                fine_tune(student, self.train, self.validation, self.tokenizer(name), self._plan(name, 2e-4))
                return student
            told, encodings = self._told(() if kind == "soft" else places), self._encodings
            if kind == "more":
                others = encode_texts(self._others(), self.tokenizer(name), MAX_LENGTH)
                told = told + teacher_answers(teacher, others, self._pad, places)
                encodings = encodings + others
            distill(student, encodings, told, self._pad, self._plan(name, 3e-4), TEMPERATURE, HIDDEN_WEIGHT)
        return student

    def _pruned(self) -> BertForClassification:
        teacher, tokenizer = self.model("teacher"), self.tokenizer("teacher")
        some = tasks.subset(self.train, min(512, self.labels), self.seed)
        torch.manual_seed(self.seed)
        batches = labelled_batches(
            encode_texts(some.texts, tokenizer, MAX_LENGTH), some.labels, 32, tokenizer
        )
        heads, units = (most_important(each, KEPT) for each in importance(teacher, batches))
        model = prune(teacher, heads, units).requires_grad_(True)
        model.bert.embeddings.requires_grad_(False)
        with self._half():
            distill(model, self._encodings, self._told(), self._pad, self._plan("pruned", 2e-4), TEMPERATURE)
        return model

    def _narrow(self) -> BertForClassification:
        """The course's own encoder, which has another vocabulary: only soft labels can be handed on."""
        bert = tasks.load_encoder(recipes.OWN["movies"])[0]
        torch.manual_seed(self.seed)
        model = MeanClassifier(type(bert)(bert.config), 2)
        model.bert.load_state_dict(bert.state_dict())
        tokenizer = self.tokenizer("narrow")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # some long texts are cut: its encoder has 64 positions
            encodings = encode_texts(self.train.texts, tokenizer, self.length("narrow"))
        with self._half():
            pad = tokenizer.id_of["[PAD]"]
            distill(model, encodings, self._told(), pad, self._plan("narrow", 3e-4), TEMPERATURE)
        return model

    def _lora(self) -> BertForClassification:
        torch.manual_seed(self.seed)
        model = add_lora(self._start("none"))
        model.bert.pooler.requires_grad_(True)
        with self._half():
            fine_tune(model, self.train, self.validation, self.tokenizer("lora"), self._plan("lora", 1e-3))
        return merge_lora(model)
