"""Notebook 18: 8-bit numbers."""

import torch

from helpers import compression
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.tables.smaller_and_faster.quantizing import (
    always_symmetric,
    by_row_never_symmetric,
    in_another_order,
    never_symmetric,
    one_scale_if_symmetric,
    quantize_by_torch,
    quantize_with,
    values_by,
    zero_by,
)

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
    scale, zero = (torch.as_tensor(part, dtype=torch.float32) for part in (scale, zero_point))
    zero = zero.reshape(()) if zero.numel() == 1 else zero  # one 0 may serve all rows
    return {
        "scale": scale.flatten().tolist(),
        "zero": (zero if zero.numel() > 1 else zero.expand(scale.shape)).flatten().tolist(),
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


def part(name, key=None):
    return lambda parts: parts[name] if key is None else parts[name][key]


QUANTIZE_MISTAKES = (
    Mistake(
        "not rounded",
        values_by(lambda numbers, scale, zero: numbers / scale + zero),
        "scale and zero point are right, but the values are {yours}, expected {expected}: nothing rounds them, "
        "and int8 cuts the fractions off",
        show=part("values"),
    ),
    Mistake(
        "the zero point cut off",
        quantize_with(round_zero=torch.trunc),
        "the zero point is {yours}, expected {expected}: -27.7 became -27. Which whole number is nearest?",
        show=part("zero point"),
    ),
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
        asks={
            "values": "scale and zero point are right: in steps of scale, how far is a number from 0, which whole number is "
            "nearest to that, and what becomes of 0 itself?",
            "symmetric": "0 stays 0 here: which end is the farther one, and on which value should it come to lie?",
            "scale": "low is the smallest number, at most 0, and high the largest, at least 0: how many steps lie between their two "
            "values?",
        },
        notice="the error of each number is at most half a step (a whole one where the zero point was rounded), so the "
        "farthest number decides how exactly all others are kept",
        difficulty=3,
        minutes=15,
        show=part("scale"),
        variants=(quantize_by_torch,),
    ),
)
