"""Notebook 18: 8-bit numbers, and the rank of a time."""

import math

import numpy as np
import torch

from helpers import compression
from helpers.compression import Quantized
from helpers.exercises.exercise import Exercise, Mistake

# 18.7 quantize

QUANTIZE = '''
def my_quantize(numbers, symmetric=False, by_row=False):
    """Numbers (rows, columns) in 8 bits: a Quantized of values (int8), scale and zero_point.

    low and high are the smallest and the largest number, but low is at most 0 and high at least 0.
    Usual: scale = (high - low) / 255, zero_point = -128 - low / scale, rounded; then low becomes -128.
    symmetric: zero_point = 0, scale = the larger of -low and high, divided by 127.
    values: numbers / scale, rounded, plus zero_point, between -128 and 127.
    by_row: low and high of each row, shapes (rows, 1); `numbers.amin(1, True)` keeps the dimension.
    """
    ...
'''


def numbers_of(quantized):
    values, scale, zero_point = quantized
    return {
        "scale": torch.as_tensor(scale, dtype=torch.float32).flatten().tolist(),
        "zero": torch.as_tensor(zero_point, dtype=torch.float32).flatten().tolist(),
        "values": torch.as_tensor(values).tolist(),
    }


def probe_quantize(quantize):
    mixed = torch.tensor([[0.9, -1.31, 0.17], [2.03, 0.0, -0.52]])
    found = numbers_of(quantize(mixed))
    yield "scale", found["scale"]
    yield "zero point", found["zero"]
    yield "values", found["values"]
    yield "kind of the values", str(quantize(mixed).values.dtype)
    yield "symmetric", numbers_of(quantize(mixed, symmetric=True))
    yield "above zero", numbers_of(quantize(torch.tensor([[3.1, 4.0, 5.3], [4.4, 3.3, 3.9]])))
    yield "by row", numbers_of(quantize(mixed, by_row=True))
    yield "symmetric by row", numbers_of(quantize(mixed, symmetric=True, by_row=True))
    yield "halves at both ends", numbers_of(quantize(torch.tensor([[-1.5, 253.5]])))


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


def part(name, key=None):
    return lambda parts: parts[name] if key is None else parts[name][key]


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


QUANTIZE_MISTAKES = (
    Mistake(
        "127 steps",
        quantize_with(steps=127),
        "the scale is {yours}, expected {expected}: from low to high there are 127 steps with you. How many from "
        "-128 to 127?",
    ),
    Mistake(
        "scale and zero point exchanged",
        in_another_order,
        "the scale is {yours}, expected {expected}: that is the zero point. In which order does a Quantized have "
        "its three?",
    ),
    Mistake(
        "the sign of low",
        zero_by(lambda low: -128 + low),
        "the zero point is {yours}, expected {expected}: low is below 0 and makes it smaller still. Then low "
        "would become what, instead of -128?",
        show=part("zero point"),
    ),
    Mistake(
        "128 above",
        zero_by(lambda low: 128 - low),
        "the zero point is {yours}, expected {expected}: low would become 128. To which end does it belong?",
        show=part("zero point"),
    ),
    Mistake(
        "the zero point taken away",
        values_by(lambda numbers, scale, zero: (numbers / scale).round() - zero),
        "scale and zero point are right, but the values are {yours}, expected {expected}: the zero point is "
        "subtracted. What should the number 0 become?",
        show=part("values"),
    ),
    Mistake(
        "the zero point left out",
        values_by(lambda numbers, scale, zero: (numbers / scale).round()),
        "scale and zero point are right, but the values are {yours}, expected {expected}: the number 0 becomes 0. "
        "What should it become?",
        show=part("values"),
    ),
    Mistake(
        "times the scale",
        values_by(lambda numbers, scale, zero: (numbers * scale).round() + zero),
        "scale and zero point are right, but the values are {yours}, expected {expected}: how many steps of this "
        "size are in a number?",
        show=part("values"),
    ),
    Mistake(
        "rounded down",
        quantize_with(to_whole=torch.floor),
        "scale and zero point are right, but the values are {yours}, expected {expected}: every fraction goes "
        "down, so all numbers come out a little too low on average. Which whole number is nearest?",
        show=part("values"),
    ),
    Mistake(
        "the lowest value unused",
        quantize_with(lowest=-127),
        "scale and zero point are right, but the values are {yours}, expected {expected}: nothing is below -127. "
        "What should low become?",
        show=part("values"),
    ),
    Mistake(
        "the nearer end",
        quantize_with(ends=lambda low, high: torch.minimum(-low, high)),
        "the usual way is right, but the symmetric scale is {yours}, expected {expected}: the nearer end sets it, "
        "so the farther one is cut off",
        show=part("symmetric", "scale"),
    ),
    Mistake(
        "the whole range",
        quantize_with(ends=lambda low, high: (high - low) / 2),
        "the usual way is right, but the symmetric scale is {yours}, expected {expected}: you share out high - "
        "low. When 0 stays 0, how far must 127 steps reach?",
        show=part("symmetric", "scale"),
    ),
    Mistake(
        "symmetric has one scale",
        one_scale_if_symmetric,
        "each of the two alone is right, but symmetric by row has the scales {yours}, expected {expected}: what "
        "does your symmetric branch do with `by_row`?",
        show=part("symmetric by row", "scale"),
    ),
    Mistake(
        "by row is not symmetric",
        by_row_never_symmetric,
        "each of the two alone is right, but symmetric by row has the scales {yours}, expected {expected}: what "
        "does your branch for rows do with `symmetric`?",
        show=part("symmetric by row", "scale"),
    ),
    Mistake(
        "256 steps",
        quantize_with(steps=256),
        "the scale is {yours}, expected {expected}: 256 whole numbers have 255 steps between them",
    ),
    Mistake(
        "always symmetric",
        always_symmetric,
        "the scale is {yours}, expected {expected}: that is the symmetric one, which leaves the numbers below the smallest "
        "unused. Here low and high have each an end of their own",
    ),
    Mistake(
        "uint8",
        quantize_with(kind=torch.uint8),
        "the zero point is {yours}, expected {expected}: that is for 0 to 255. Here the values are -128 to 127",
        show=part("zero point"),
    ),
    Mistake(
        "a fraction for zero",
        quantize_with(round_zero=lambda values: values),
        "the zero point is {yours}, expected {expected}: it is not rounded, so 0 itself would not be a whole number, and "
        "padding would become something",
        show=part("zero point"),
    ),
    Mistake(
        "cut off",
        quantize_with(to_whole=torch.trunc),
        "scale and zero point are right, but the values are {yours}, expected {expected}: fractions are cut off, not "
        "rounded, which doubles the largest error and pulls everything towards 0",
        show=part("values"),
    ),
    Mistake(
        "other kind",
        quantize_with(kind=torch.int32),
        "all numbers are right, but they are kept as {yours}, expected {expected}: in 32 bits nothing is saved",
        show=part("kind of the values"),
    ),
    Mistake(
        "never symmetric",
        never_symmetric,
        "the usual way is right, but asked for `symmetric` you give the zero point {yours}, expected {expected}",
        show=part("symmetric", "zero"),
    ),
    Mistake(
        "128 steps to a side",
        quantize_with(most=128),
        "the usual way is right, but the symmetric scale is {yours}, expected {expected}: the largest number would become "
        "128, which is no int8",
        show=part("symmetric", "scale"),
    ),
    Mistake(
        "high only",
        quantize_with(ends=lambda low, high: high),
        "one matrix is right, but by row the symmetric scales are {yours}, expected {expected}: you look at the largest "
        "number only. A row may have its farthest number below 0",
        show=part("symmetric by row", "scale"),
    ),
    Mistake(
        "without zero",
        quantize_with(zero=False),
        "where all numbers are above 0 the scale is {yours}, expected {expected}: 0 is left out of the range, so it can't "
        "be said exactly any more. Let low be at most 0",
        show=part("above zero", "scale"),
    ),
    Mistake(
        "by column",
        quantize_with(rows=0),
        "one scale for all is right, but by row you have the scales {yours}, expected {expected}: a scale for each column",
        show=part("by row", "scale"),
    ),
    Mistake(
        "not between -128 and 127",
        quantize_with(clamp=False),
        "all is right but where both ends are halves: the values are {yours}, expected {expected}. 128 does not fit into "
        "int8 and becomes -128, so the largest number turns into the smallest. Keep them between before you convert",
        show=part("halves at both ends", "values"),
    ),
    Mistake(
        "never by row",
        quantize_with(rows=None),
        "one scale for all is right, but by row you have the scales {yours}, expected {expected}: one for each row is "
        "asked for",
        show=part("by row", "scale"),
    ),
)


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


# 18.8 nearest_rank

RANK = '''
def my_nearest_rank(values, share):
    """The smallest of the values that at least this share of them do not exceed.

    values: any numbers, in any order, not to be changed; share from 0 to 1. Of 40 values and share 0.95 it is
    the 38th smallest, of 0.5 the 20th; of share 0 the smallest.
    """
    ...
'''


def probe_rank(rank):
    values = [7.5, 1.0, 12.0, 3.0, 4.0, 2.5, 9.0, 8.0, 6.0, 5.0]
    for share in (0.5, 0.95, 0.81, 1.0, 0.0):
        yield f"share {share}", float(rank(list(values), share))
    yield "seven values, the median", float(rank([3.0, 30.0, 1.0, 4.0, 15.0, 9.0, 26.0], 0.5))


def clipped(place, values):
    return sorted(values)[min(max(place, 0), len(values) - 1)]


def ranked(values, share):
    return max(math.ceil(share * len(values)), 1)


RANK_MISTAKES = (
    Mistake(
        "share 0",
        lambda values, share: sorted(values)[math.ceil(share * len(values)) - 1],
        "all is right but share 0: you give {yours}, expected {expected}. 0 of the values is place -1, and in "
        "Python that is the last one",
        show=lambda parts: parts["share 0.0"],
    ),
    Mistake(
        "one too high, and past the end",
        lambda values, share: sorted(values)[math.ceil(share * len(values))],
        "of ten values the median is {yours}, expected {expected}, and with share 1 there is no such place at "
        "all: places count from 0. Where does the fifth of ten stand?",
    ),
    Mistake(
        "the share above",
        lambda values, share: sorted(values)[ranked(values, 1 - share) - 1],
        "the median is right, but with share 0.95 you give {yours}, expected {expected}: 95% of the values lie "
        "above it. Which side is asked for?",
        show=lambda parts: parts["share 0.95"],
    ),
    Mistake(
        "in percent",
        lambda values, share: sorted(values)[ranked(values, share / 100) - 1],
        "of ten values the median is {yours}, expected {expected}: you divide by 100. Is 0.5 the half or half a "
        "percent?",
    ),
    Mistake(
        "always the median",
        lambda values, share: sorted(values)[ranked(values, 0.5) - 1],
        "the median is right, but with share 0.95 you give {yours}, expected {expected}: what does `share` "
        "change?",
        show=lambda parts: parts["share 0.95"],
    ),
    Mistake(
        "the rank itself",
        lambda values, share: ranked(values, share),
        "the median is right by chance, but with share 0.95 you give {yours}, expected {expected}: that is a "
        "rank, the how manieth. Which value has it?",
        show=lambda parts: parts["share 0.95"],
    ),
    Mistake(
        "the largest",
        lambda values, share: max(values),
        "of ten values the median is {yours}, expected {expected}: that is the largest. What does `share` change?",
    ),
    Mistake(
        "one too high",
        lambda values, share: clipped(math.ceil(share * len(values)), values),
        "of ten values the median is {yours}, expected {expected}: one too high. The fifth smallest of ten stands at place "
        "4, since places count from 0",
    ),
    Mistake(
        "rounded down",
        lambda values, share: clipped(int(share * len(values)) - 1, values),
        "the median is right, but with share 0.95 you give {yours}, expected {expected}: nine of ten are 90%, and that is "
        "less than 95%. Round up",
        show=lambda parts: parts["share 0.95"],
    ),
    Mistake(
        "between two",
        lambda values, share: float(np.quantile(values, share)),
        "of ten values the median is {yours}, expected {expected}: a mean of two neighbors, a time that nothing took. "
        "Asked for is one of the values",
    ),
    Mistake(
        "not sorted",
        lambda values, share: list(values)[max(math.ceil(share * len(values)), 1) - 1],
        "of ten values the median is {yours}, expected {expected}: the fifth in the order in which they came",
    ),
    Mistake(
        "largest first",
        lambda values, share: sorted(values, reverse=True)[max(math.ceil(share * len(values)), 1) - 1],
        "of ten values the median is {yours}, expected {expected}: sorted from the largest down, so 0.95 would be nearly "
        "the fastest",
    ),
    Mistake(
        "the mean",
        lambda values, share: sum(values) / len(values),
        "of ten values the median is {yours}, expected {expected}: that is their mean, which one slow answer moves",
    ),
    Mistake(
        "share of the range",
        lambda values, share: min(values) + share * (max(values) - min(values)),
        "of ten values the median is {yours}, expected {expected}: a point between the smallest and the largest. How many "
        "values lie below does not matter there",
    ),
    Mistake(
        "rounded to the nearest",
        lambda values, share: clipped(round(share * len(values)) - 1, values),
        "the first two are right, but with share 0.81 you give {yours}, expected {expected}: eight of ten do not reach 81%",
        show=lambda parts: parts["share 0.81"],
    ),
)

EXERCISES = (
    Exercise(
        id="18.7",
        name="quantize",
        reference=compression.quantize,
        stub=QUANTIZE,
        probe=probe_quantize,
        hints=(
            "First low and high, of all numbers or of each row; `clamp(max=0.0)` and `clamp(min=0.0)` bring 0 in.",
            "Then scale and zero_point by the two rules, and at the end "
            "`((numbers / scale).round() + zero_point).clamp(-128, 127).to(torch.int8)`.",
        ),
        mistakes=QUANTIZE_MISTAKES,
        notice="the error of each number is at most half a step (a whole one where the zero point was rounded), so the "
        "farthest number decides how exactly all others are kept",
        difficulty=3,
        minutes=15,
        show=part("scale"),
        variants=(quantize_by_torch,),
    ),
    Exercise(
        id="18.8",
        name="nearest_rank",
        reference=compression.nearest_rank,
        stub=RANK,
        probe=probe_rank,
        hints=(
            "Sort a copy; how many values are at least this share of them? Round up.",
            "`sorted(values)[max(math.ceil(share * len(values)), 1) - 1]`.",
        ),
        mistakes=RANK_MISTAKES,
        notice="a mean hides the slow answers, and it is the slow ones that people remember",
        difficulty=1,
        minutes=6,
        show=lambda parts: parts["share 0.5"],
        variants=(lambda values, share: float(np.quantile(values, share, method="inverted_cdf")),),
    ),
)
