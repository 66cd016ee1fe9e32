"""The points of the study of notebook 18 in a form that runs, and what is measured of each.

bf16        the weights and the arithmetic in half precision
int8        PyTorch's own linear layers of 8-bit numbers
onnx        a graph, run by onnxruntime
onnx int8   the same with 8-bit matrices
"""

import copy
import io
import tempfile
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from helpers.analysis.calibration import expected_calibration_error
from helpers.studies import tasks
from helpers.studies.exported import OnnxClassifier, export_onnx, quantize_onnx
from helpers.studies.smaller import Study, base_of
from helpers.studies.speed import Runner, Speed, logits_in_order, measure_speed, runner_of
from helpers.studies.tables import circumstances

__all__ = ["DOMAINS", "RESULTS", "Made", "dynamic_int8", "made", "measure_point"]

DOMAINS = ("products", "editorials", "tweets")
SPEEDS = tuple(Speed._fields)
RESULTS = (
    "weights", "megabytes", "accuracy", "loss", "calibration_error",
    *(f"accuracy_{name}" for name in DOMAINS), *SPEEDS, *(f"teacher_{name}" for name in SPEEDS),
    "seconds", "threads", "torch", "transformers",
)  # fmt: skip
# Asked about other domains, too: the ends of the picture.
ELSEWHERE = (
    "tfidf", "teacher", "student 3", "student 3 onnx int8", "more 3 onnx int8", "student 2 onnx int8",
    "teacher onnx int8", "pruned onnx int8",
)  # fmt: skip
TIMED, ROUNDS = 64, 2  # texts, and how often each is given


class Made(NamedTuple):
    """A point: from texts to logits, how many numbers it holds, and how large its file is."""

    runner: Runner
    weights: int
    megabytes: float


def dynamic_int8(model: nn.Module) -> nn.Module:
    """PyTorch's own: a copy whose linear layers have 8-bit matrices, inputs quantized as they come."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it will move to another package
        return torch.ao.quantization.quantize_dynamic(model.eval(), {nn.Linear}, dtype=torch.qint8)


def made(study: Study, point: str) -> Made:
    """A point of a study, ready to be asked."""
    if point == "tfidf":
        return _tfidf(study)
    model = study.model(base_of(point)).eval()
    weights = sum(weight.numel() for weight in model.parameters())
    form = point.removeprefix(base_of(point)).strip()
    if form == "bf16":
        model = copy.deepcopy(model).bfloat16()
    elif form == "int8":
        model = dynamic_int8(model)
    elif form:
        run, size = _exported(model, form)
        return Made(runner_of(run, study.tokenizer(point), study.length(point)), weights, size)
    return Made(runner_of(model, study.tokenizer(point), study.length(point)), weights, _megabytes(model))


def _megabytes(model: nn.Module) -> float:
    file = io.BytesIO()
    torch.save(model.state_dict(), file)  # measured, never read
    return file.tell() / 1e6


def _exported(model: nn.Module, form: str) -> tuple[OnnxClassifier, float]:
    with tempfile.TemporaryDirectory() as folder:
        path = export_onnx(model, Path(folder) / "model.onnx")
        if form == "onnx int8":
            path = quantize_onnx(path, Path(folder) / "int8.onnx")
        return OnnxClassifier(path, torch.get_num_threads()), path.stat().st_size / 1e6


def _tfidf(study: Study) -> Made:
    """The word counts of notebook 8, their strength chosen on the validation part."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2 if study.labels >= 1000 else 1)
    counts, held_out = words.fit_transform(study.train.texts), words.transform(study.validation.texts)
    found = [LogisticRegression(C=strength, solver="liblinear", tol=1e-6).fit(counts, study.train.labels)
             for strength in (1, 3, 10, 30)]  # fmt: skip
    best = max(found, key=lambda each: each.score(held_out, study.validation.labels))

    def runner(texts: list[str]) -> torch.Tensor:
        logits = torch.from_numpy(best.decision_function(words.transform(texts))).float()
        return torch.stack([-logits / 2, logits / 2], dim=-1)

    names = sum(len(name.encode()) for name in words.vocabulary_)
    return Made(runner, best.coef_.size + 1, (names + 8 * (best.coef_.size + 1)) / 1e6)


def measure_point(study: Study, point: str, timed: int = TIMED) -> tuple[dict[str, str], np.ndarray]:
    """The columns RESULTS of a point but its seconds, and its answers to the test sentences (N,).

    Its speed is measured in turns with the teacher of the same seed, on `timed` test sentences.
    """
    found = made(study, point)
    line: dict[str, object] = {"weights": found.weights, "megabytes": f"{found.megabytes:.3f}"}
    test = study.task.test
    logits, labels = logits_in_order(found.runner, test.texts), torch.tensor(test.labels)
    line |= {
        "accuracy": f"{(logits.argmax(dim=-1) == labels).float().mean().item():.6f}",
        "loss": f"{functional.cross_entropy(logits, labels).item():.6f}",
        "calibration_error": f"{expected_calibration_error(logits.softmax(dim=-1), labels):.6f}",
    }
    if point in ELSEWHERE:
        for name in DOMAINS:
            other = tasks.load_task(name).test
            right = logits_in_order(found.runner, other.texts).argmax(dim=-1) == torch.tensor(other.labels)
            line[f"accuracy_{name}"] = f"{right.float().mean().item():.6f}"
    some = test.texts[:: max(1, len(test.texts) // timed)][:timed]
    runners = {"point": found.runner, "teacher": made(study, "teacher").runner}
    speeds = measure_speed(runners, some, ROUNDS)
    for prefix, name in (("", "point"), ("teacher_", "teacher")):
        line |= {f"{prefix}{field}": f"{value:.4f}" for field, value in speeds[name]._asdict().items()}
    line |= circumstances(0.0)
    return {name: str(value) for name, value in line.items()}, logits.argmax(dim=-1).numpy()
