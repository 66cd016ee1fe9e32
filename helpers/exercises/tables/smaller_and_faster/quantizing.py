"""18.7: quantization done in other ways, rightly and wrongly."""

import torch

from helpers import compression
from helpers.compression import Quantized


def quantize_with(
    *,
    steps=255,
    most=127,
    zero=True,
    ends=None,
    round_zero=torch.round,
    to_whole=torch.round,
    rows=1,
    kind=torch.int8,
    clamp=True,
    lowest=-128,
):
    """Quantization with one thing done in another way."""

    def program(numbers, symmetric=False, by_row=False):
        if by_row and rows is not None:
            low, high = numbers.amin(rows, True), numbers.amax(rows, True)
        else:
            low, high = numbers.aminmax()
        if zero:
            low, high = low.clamp(max=0.0), high.clamp(min=0.0)
        if symmetric:
            scale = (torch.maximum(-low, high) if ends is None else ends(low, high)) / most
            zero_point = torch.zeros_like(low)
        else:
            scale = (high - low) / steps
            zero_point = round_zero(-128 - low / scale)
        values = to_whole(numbers / scale) + zero_point
        if kind == torch.uint8:
            values, zero_point = values + 128, zero_point + 128
            return Quantized(values.clamp(0, 255).to(kind), scale, zero_point)
        if not clamp:  # what does not fit begins again at the other end
            return Quantized(values.to(torch.int64).to(kind), scale, zero_point)
        return Quantized(values.clamp(lowest, 127).to(kind), scale, zero_point)

    return program


def always_symmetric(numbers, symmetric=False, by_row=False):
    return compression.quantize(numbers, True, by_row)


def never_symmetric(numbers, symmetric=False, by_row=False):
    return compression.quantize(numbers, False, by_row)


def one_scale_if_symmetric(numbers, symmetric=False, by_row=False):
    return compression.quantize(numbers, symmetric, by_row and not symmetric)


def by_row_never_symmetric(numbers, symmetric=False, by_row=False):
    return compression.quantize(numbers, symmetric and not by_row, by_row)


def in_another_order(numbers, symmetric=False, by_row=False):
    values, scale, zero_point = compression.quantize(numbers, symmetric, by_row)
    return Quantized(values, zero_point, scale)


def values_by(rule):
    """The right scale and zero point, and values by a rule of their own."""

    def program(numbers, symmetric=False, by_row=False):
        _, scale, zero_point = compression.quantize(numbers, symmetric, by_row)
        values = rule(numbers, scale, zero_point).clamp(-128, 127)
        return Quantized(values.to(torch.int8), scale, zero_point)

    return program


def zero_by(rule):
    """The usual way with a zero point of another rule, from low / scale."""

    def program(numbers, symmetric=False, by_row=False):
        _, scale, zero_point = compression.quantize(numbers, symmetric, by_row)
        if not symmetric:
            low = (numbers.amin(1, True) if by_row else numbers.min()).clamp(max=0.0)
            zero_point = rule(low / scale).round()
        values = (numbers / scale).round() + zero_point
        return Quantized(values.clamp(-128, 127).to(torch.int8), scale, zero_point)

    return program


def quantize_by_torch(numbers, symmetric=False, by_row=False):
    """The values by PyTorch's own, from scale and zero point of the course."""
    _, scale, zero_point = compression.quantize(numbers, symmetric, by_row)
    rows = [
        torch.fake_quantize_per_tensor_affine(row[None], float(s), int(z), -128, 127) / s + z
        for row, s, z in zip(
            numbers, scale.expand(len(numbers), 1), zero_point.expand(len(numbers), 1), strict=True
        )
    ]
    return Quantized(torch.cat(rows).round().to(torch.int8), scale, zero_point)
