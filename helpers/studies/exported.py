"""A classifier as a file that other programs run: ONNX, in single precision or with 8-bit matrices.

Left out: graphs that the encoder's checks would need; what is exported takes its inputs as they are.
"""

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import nn

from helpers.classification import BertForClassification
from helpers.encoder import evaluating

__all__ = ["Plain", "OnnxClassifier", "export_onnx", "quantize_onnx"]

INPUTS = ("ids", "type_ids", "attention_mask")


class Plain(nn.Module):
    """A classifier without the checks of its inputs: ids, type_ids, attention_mask (B, T) -> logits (B, C).

    The checks look at the numbers in the inputs, and an exporter knows only their shapes.
    """

    def __init__(self, model: BertForClassification):
        super().__init__()
        self.bert, self.classifier = model.bert, model.classifier

    def forward(
        self, ids: torch.Tensor, type_ids: torch.Tensor, attention_mask: torch.Tensor
    ) -> torch.Tensor:
        hidden = self.bert.embeddings(ids, type_ids)  # (B, T, H)
        mask = attention_mask.bool()[:, None, None, :]
        for layer in self.bert.layers:
            hidden, _ = layer(hidden, mask)
        return self.classifier(torch.tanh(self.bert.pooler(hidden[:, 0])))


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what exporters say of packages that are not needed and of steps that are not wanted."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def export_onnx(model: BertForClassification, path: str | Path) -> Path:
    """Write a classifier as one ONNX file for texts of any number and length; the path.

    The model's mode stays as it was. Its names of classes are not part of the file.
    """
    path = Path(path)
    example = tuple(torch.full((2, 7), value) for value in (1, 0, 1))  # three tensors, none of them twice
    most = model.bert.config.max_positions
    dims = {0: torch.export.Dim("texts", min=1), 1: torch.export.Dim("tokens", min=2, max=most)}
    with evaluating(model), _quiet():
        program = torch.onnx.export(
            Plain(model).eval(), example, dynamo=True, input_names=INPUTS,
            output_names=("logits",), dynamic_shapes=dict.fromkeys(INPUTS, dims), verbose=False,
        )  # fmt: skip
        program.save(str(path), external_data=False)
    return path


def quantize_onnx(path: str | Path, target: str | Path) -> Path:
    """Write the same graph with 8-bit matrices, a scale for each output; inputs are quantized on the way."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with _quiet():
        quantize_dynamic(path, target, weight_type=QuantType.QInt8, per_channel=True)
    return Path(target)


class OnnxClassifier:
    """An ONNX file, run by onnxruntime: inputs as `pad_encodings` gives them -> logits (B, C)."""

    def __init__(self, path: str | Path, threads: int = 1):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def __call__(self, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
        given = {name: batch[name].numpy().astype(np.int64) for name in INPUTS}
        return torch.from_numpy(self.session.run(None, given)[0])
