"""A BERT made of the learner's own parts, where they exist, and of the course's where not.

The taught modules are loaded anew from their files, under other names, and import one another's copies; the
learner's functions that passed take the place of the course's in the copies. What a notebook has imported is
never touched.
"""

import builtins
import importlib
import importlib.util
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from types import ModuleType, SimpleNamespace

from helpers.exercises import limits, mine
from helpers.exercises.exercise import Exercise
from helpers.exercises.tables import EXERCISES

__all__ = ["Build", "my_tokenizer", "my_bert", "my_pretraining", "my_fine_tuning", "my_reading"]

HELPERS = Path(__file__).resolve().parents[1]
LEAST = 3.0  # seconds of the processor that each further check gets, besides three times those that ours took
# Each module after those that it imports.
TAUGHT = (
    "wordpiece", "embeddings", "attention", "encoder", "pretraining", "classification", "tagging", "reading"
)  # fmt: skip


def my_tokenizer() -> "Build":
    """The tokenizer and the training of its vocabulary, of your parts where there are any."""
    return Build("wordpiece")


def my_bert() -> "Build":
    """Embeddings, attention and the encoder, of your parts where there are any."""
    return Build("embeddings", "attention", "encoder")


def my_pretraining() -> "Build":
    """The encoder with its pretraining: masking, loss, schedule, loop."""
    return Build("embeddings", "attention", "encoder", "pretraining")


def my_fine_tuning() -> "Build":
    """The encoder with a classifier and its fine-tuning."""
    return Build("embeddings", "attention", "encoder", "classification")


def my_reading() -> "Build":
    """The encoder with the logits of start and end, and how answers are found and scored."""
    return Build("embeddings", "attention", "encoder", "reading")


class Build:
    """Fresh copies of the taught modules, such as `build.encoder`, with the learner's parts in them.

    modules: those whose exercises count; all are copied. ours: ids of exercises for which the course's
    version is taken though the learner has one. parts: {id: "yours" or "ours"}. faults: sentences on parts
    that can't be put in.
    """

    def __init__(self, *modules: str, ours: Iterable[str] = ()):
        self.modules, self.left_out = modules, frozenset(ours)
        self.parts: dict[str, str] = {}
        self.faults: list[str] = []
        self._copies: dict[str, ModuleType] = {}
        self._spaces: list[dict] = []
        kept = mine.kept()
        exercises = [e for e in EXERCISES.values() if e.kind == "write" and module_of(e) in TAUGHT]
        for name in TAUGHT:
            copy = self._copies[name] = self._load(name)
            for exercise in (e for e in exercises if module_of(e) == name):
                placed = exercise.id in kept and exercise.id not in self.left_out
                placed = placed and self._place(exercise, copy)
                if name in modules:
                    self.parts[exercise.id] = "yours" if placed else "ours"
        self._share()

    def __getattr__(self, name: str) -> ModuleType:
        try:
            return self.__dict__["_copies"][name]
        except KeyError:
            raise AttributeError(f"there is no part {name!r}: choose one of {', '.join(TAUGHT)}") from None

    def _load(self, name: str) -> ModuleType:
        """One module anew from its file, importing the copies of those before it."""
        path = HELPERS / f"{name}.py"
        spec = importlib.util.spec_from_file_location(f"yours.{name}", path)
        copy = importlib.util.module_from_spec(spec)
        copy.__dict__["__builtins__"] = vars(builtins) | {"__import__": self._import}
        sys.modules[copy.__name__] = copy  # dataclasses look their module up
        exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), copy.__dict__)
        return copy

    def _import(self, name, space=None, local=None, names=(), level=0):
        """What `import` does in a copy: helpers.attention is the copy of it."""
        if name.startswith("helpers.") and name.removeprefix("helpers.") in self._copies and names:
            return self._copies[name.removeprefix("helpers.")]
        found = builtins.__import__(name, space, local, names, level)
        if name == "helpers" and names and any(n in self._copies for n in names):
            real = {n: getattr(found, n) for n in names if n not in self._copies}
            return SimpleNamespace(**real, **{n: self._copies[n] for n in names if n in self._copies})
        return found

    def _place(self, exercise: Exercise, copy: ModuleType) -> bool:
        """Put the learner's part in the place of the course's; whether it was done."""
        space = dict(copy.__dict__)
        try:
            function = mine.define(exercise, space)
        except ValueError as error:
            self.faults.append(str(error))
            return False
        *outer, name = exercise.name.split(".")
        owner = copy
        for part in outer:
            owner = getattr(owner, part)
        before = vars(owner).get(name)
        if isinstance(before, staticmethod | classmethod):
            function = type(before)(function)
        setattr(owner, name, function)
        self._spaces.append(space)
        for space in self._spaces:  # a learner's part that uses another one gets that one
            if not outer:
                space[name] = function
        return True

    def _share(self) -> None:
        """A kept part brings along the taught functions that it calls: the build's take their place."""
        for copy in self._copies.values():
            taught = {name: vars(copy)[name] for name in copy.__all__ if callable(vars(copy)[name])}
            for space in self._spaces:
                space.update(taught)

    def without(self, *ids: str) -> "Build":
        """The same once more, with the course's version for these exercises."""
        return Build(*self.modules, ours=self.left_out | set(ids))

    def yours(self) -> list[str]:
        return [name for name, whose in self.parts.items() if whose == "yours"]

    def table(self) -> None:
        """Print which parts are yours and which ours."""
        width = max((len(EXERCISES[name].name) for name in self.parts), default=0)
        for name, whose in self.parts.items():
            print(f"{name:<6} {EXERCISES[name].name:<{width}}  {whose}")
        print(f"{len(self.yours())} of {len(self.parts)} parts are yours")
        for words in self.faults:
            print(f"left out: {words}")

    def model(self, model):
        """A model of the course made again of these parts, with the same weights, in evaluation mode."""
        encoder = getattr(model, "bert", model)
        bert = self.encoder.Bert(self.encoder.BertConfig(**asdict(encoder.config)))
        kind = type(model).__name__
        if kind == "BertForPreTraining":
            made = self.pretraining.BertForPreTraining(bert)
        elif kind == "BertForClassification":
            made = self.classification.BertForClassification(
                bert, model.classifier.out_features, model.dropout.p, labels=model.labels
            )
        elif kind == "BertForQuestionAnswering":
            made = self.reading.BertForQuestionAnswering(bert)
        else:
            made = bert
        made.load_state_dict(model.state_dict())
        return made.eval()

    def tokenizer(self, tokenizer):
        """A tokenizer of the course made again of these parts, with the same vocabulary."""
        return self.wordpiece.WordPieceTokenizer(tokenizer.vocabulary, **tokenizer.options)

    def prove(self, check: Callable[["Build"], None], seconds: float = 120.0) -> "Build":
        """Run check(build), which raises an error where something is not as it should be.

        Where it does, ours are put back one part at a time until it is known which of yours is to blame; that
        is printed, and the build that passes is returned. Raises the error where none of yours is to blame.
        seconds: of the processor, after which a check is stopped; a loop without an end is a fault.
        """
        if not self.yours():
            check(self)
            return self
        error = _fault(check, self, seconds)
        if error is None:
            return self
        guilty = self._guilty(check, seconds)
        if not guilty:
            raise error
        words = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        for name in guilty:
            exercise = EXERCISES[name]
            print(f"your {exercise.learner} ({name}) breaks it ({words}); ours is taken: look at it again")
        return self.without(*guilty)

    def _guilty(self, check: Callable[["Build"], None], seconds: float) -> list[str]:
        """The fewest of the learner's parts that have to go, found one at a time."""
        mine_here, start = self.yours(), time.process_time()
        if _fault(check, self.without(*mine_here), seconds):
            return []
        limit = min(seconds, LEAST + 3 * (time.process_time() - start))

        def passes(build: Build) -> bool:
            return _fault(check, build, limit) is None

        for name in mine_here:
            if passes(self.without(name)):
                return [name]
        alone = [n for n in mine_here if not passes(self.without(*(o for o in mine_here if o != n)))]
        return alone or mine_here


def _fault(check: Callable[[Build], None], build: Build, seconds: float) -> BaseException | None:
    """The error that check(build) ends with; a TimeoutError where it has no end, None where all is well."""
    found = limits.within(lambda: check(build), seconds, patience=5 * seconds)
    return TimeoutError(f"it did not end within {seconds:.2g} s") if found.stopped else found.error


def module_of(exercise: Exercise) -> str:
    """The taught module that holds an exercise's right function; "" for one that is in none."""
    name = (getattr(exercise.reference, "__module__", "") or "").removeprefix("helpers.")
    if name in TAUGHT and hasattr(importlib.import_module(f"helpers.{name}"), exercise.name.split(".")[0]):
        return name
    return ""
