"""What an error of Python, NumPy or PyTorch tells a beginner: one sentence for each of the usual ones.

Used where a learner's function raises an error that no mistake of the exercise's table explains.
"""

import re

__all__ = ["explained"]

EXPLANATIONS = (  # (pattern of "Type: text", sentence; {1}, {2} are the pattern's groups)
    # shapes
    (
        r"mat1 and mat2 shapes cannot be multiplied \((\d+)x(\d+) and (\d+)x(\d+)\)",
        "In a matrix product the left table's columns ({2}) must be as many as the right one's rows ({3}): are they in "
        "the wrong order, or must one be turned round?",
    ),
    (
        r"Expected size for first two dimensions of batch2|size mismatch, got|inconsistent tensor size|"
        r"matmul: Input operand|batch1 and batch2",
        "In a matrix product the last dimension of the left must be as long as the last but one of the right: print both "
        "shapes. Must one be turned round (only its last two dimensions)?",
    ),
    (
        r"The size of tensor a \((\d+)\) must match the size of tensor b \((\d+)\)|operands could not be broadcast",
        "Two tables meet whose shapes don't fit: counted from the last dimension, two sizes must be equal or one of them "
        "1. Print both shapes: is a dimension of one missing (`keepdim`, `None`), or are two exchanged?",
    ),
    (
        r"view size is not compatible",
        "`view` only reads the numbers anew, in the order in which they lie, and exchanged dimensions no longer lie in "
        "reading order; `reshape` copies where it must",
    ),
    (
        r"Dimension out of range \(expected to be in range of \[-(\d+), \d+\], but got (-?\d+)\)",
        "A tensor with {1} dimensions has no dimension {2}. Counted from the end, -1 is the last, however many stand in "
        "front",
    ),
    (
        r"shape '(.+)' is invalid for input of size (\d+)|don't multiply up to the size of dim|"
        r"cannot reshape array of size",
        "The sizes that you ask for, multiplied, don't give as many numbers as there are",
    ),
    (
        r"expanded size of the tensor|shape mismatch: value tensor|could not broadcast input array",
        "What you write has another shape than the place where it is to stand: print both shapes",
    ),
    (
        r"stack expects each tensor to be equal size|expected sequence of length \d+ at dim|Sizes of tensors must match|"
        r"inhomogeneous shape",
        "Rows of different lengths don't make one tensor: what makes them equally long?",
    ),
    (
        r"non-empty TensorList|non-empty list of Tensors|need at least one array",
        "Nothing was collected that could be put together: does the loop run, and does its condition ever hold?",
    ),
    (r"shape of the mask (\[.*?\])", "A table of true and false as an index must have the shape of what it picks from; "
     "`masked_fill` and `torch.where` take one that is broadcast"),  # fmt: skip
    # kinds of numbers
    (
        r"got float|'float' object cannot be interpreted|slice indices must be integers|list indices must be integers.*float|"
        r"type 'float'|only integers, slices",
        "A size or an index must be a whole number, and `/` gives a float even where nothing is left over; `//` gives a "
        "whole one",
    ),
    (
        r"return_types\.(max|min|sort|topk|median)",
        "With `dim`, `{1}` gives back two tensors, the numbers and their places: `.values` are the numbers (`amax` and "
        "`amin` give only these)",
    ),
    (
        r"scalar types: Long|used as indices must be|expected scalar type Long|must be long, int",
        "Rows are looked up by whole numbers, and these are floats (`torch.zeros` makes floats): `dtype=torch.long`, or "
        "`torch.zeros_like` of the ids",
    ),
    (
        r"expected m1 and m2 to have the same dtype|expected scalar type (\w+) but found|must have the same dtype",
        "In a product both sides must be numbers of one kind: whole numbers become floats by `.float()`",
    ),
    (
        r"mean\(\): could not infer output dtype|Input dtype must be either a floating point",
        "A mean of whole numbers or of true and false is none of them: `.float()` first",
    ),
    (r"can't be cast to the desired output type", "A tensor of whole numbers can't take in floats: make a new one"),
    (
        r"elements? cannot be converted to Scalar|only one element tensors can be converted|only length-1 arrays|"
        r"only 0-dimensional arrays",
        "Here a single number is needed, and this is a tensor of several: which one, or should it be a sum or a mean?",
    ),
    (
        r"Boolean value of Tensor with more than one|truth value of an array",
        "A whole table of true and false is neither true nor false: `is not None` asks whether there is one, `.any()` and "
        "`.all()` ask about its entries, and `&`, `|`, `~` take the place of `and`, `or`, `not`",
    ),
    # None and other things that are not what one thinks
    (
        r"NoneType",
        "Something is None here: a parameter that may be None, a method that changes a thing and gives back nothing (as "
        "`append` and `sort` do), or a function without `return`",
    ),
    (
        r"cannot assign module before Module",
        "A module is set up before it gets its parts: keep the stub's first line",
    ),
    (
        r"not enough values to unpack \(expected (\d+), got (\d+)\)|too many values to unpack \(expected (\d+)",
        "There are more or fewer things than names before the `=`: print what stands behind it, or its shape",
    ),
    (
        r"'(\w+)' object is not iterable|cannot unpack non-iterable (\w+)|'(int|float|bool|method)' object is not "
        r"subscriptable|iteration over a 0-d|invalid index of a 0-dim|object of type '(int|float)' has no len",
        "You go through, or take a part of, something that is a single thing: what does this name hold? Print it",
    ),
    (
        r"'([\w.]+)' object is not callable",
        "Round brackets call a function, square ones take a part: either they are the wrong ones, or a name that was a "
        "function has got another value",
    ),
    (
        r"'([\w.]+)' object has no attribute '(\w+)'",
        "A {1} has no `{2}`: is this the kind of thing that you think it is? `type(…)` says so",
    ),
    (r"unhashable type: '(\w+)'", "A {1} can be changed, so it can't be a key or lie in a set; a tuple or a string can"),
    (
        r"'(str|tuple|range)' object does not support item assignment",
        "A {1} can't be changed in place: make a new one, or work on a list",
    ),
    (
        r"'(\w+)' object cannot be interpreted as an integer",
        "`range` and sizes want a whole number, and this is a {1}: its length, perhaps? Or go through the thing itself",
    ),
    (
        r"can only concatenate (\w+) \(not \"(\w+)\"\)|must be str, not|expected str instance, (\w+) found",
        "`+` and `join` put together things of one kind: a single thing goes into a list by `append` or in brackets, and a "
        "number becomes text by `str`",
    ),
    (
        r"unsupported operand type\(s\) for (.+): '(.+)' and '(.+)'",
        "`{1}` doesn't know what to do with a {2} and a {3}: is one of them not what you think?",
    ),
    (r"not supported between instances of '(\w+)' and '(\w+)'", "A {1} and a {2} can't be put in order: print both"),
    (
        r"expected a character, but string of length|argument must be a unicode character",
        "That function takes a single character, and it got none or several: one at a time",
    ),
    # places
    (
        r"index (-?\d+) is out of bounds for (?:dimension|axis) (\d+) with size (\d+)",
        "Places count from 0, so of {3} the last is {3} - 1: is {1} a place of that dimension, or were two exchanged?",
    ),
    (
        r"index out of range in self",
        "A row was asked for that the table doesn't have: rows count from 0. Which numbers go in?",
    ),
    (
        r"(list|string|tuple) index out of range|too many indices",
        "There is no such place: places count from 0, the last is the length minus 1, and an empty one has none at all. "
        "Which of the check's cases is shorter than you thought?",
    ),
    (
        r"^KeyError",
        "The dictionary has no such key. If it should begin with it: `.get(key, 0)`, a Counter and a defaultdict do",
    ),
    (r"substring not found|is not in list|not in tuple|x not in list", "It isn't there: ask with `in` first"),
    (
        r"pop from (an )?empty|index out of range|argument is empty|arg is an empty sequence|iterable argument is empty",
        "There may be nothing left to take: what should happen then?",
    ),
    (r"changed size during iteration", "While you go through it, it must not grow or shrink: go through a copy"),
    (
        r"^UnboundLocalError|cannot access local variable",
        "On this way through the function the name never got a value: is it set only in a branch or a loop that wasn't "
        "run, or after it is used?",
    ),
    # numbers
    (r"division by zero|ZeroDivisionError", "In one of the check's cases what you divide by is 0: ask before you divide"),
    (
        r"math domain error|expected a positive input|expected a nonnegative input",
        "A logarithm of 0 and a root of a negative number don't exist: which of the check's cases has a 0?",
    ),
    # gradients
    (
        r"leaf Variable that requires grad",
        "Parameters are changed outside of the gradient's sight: `with torch.no_grad():`",
    ),
    (
        r"requires grad. Use tensor.detach|Can't call numpy\(\) on Tensor that requires grad",
        "A tensor that gradients flow through is taken out of their sight first: `.detach()`",
    ),
    (
        r"does not require grad and does not have a grad_fn",
        "No gradient can come back: somewhere it was cut off (`detach`, `item`, `no_grad`), or nothing learned went in",
    ),
    (r"backward through the graph a second time", "Each loss goes back once: compute it anew before the next `backward`"),
)  # fmt: skip


def explained(error: BaseException) -> str | None:
    """What the error probably comes from, and what to look at; None for one that is not among the usual."""
    words = f"{type(error).__name__}: {error}"
    for pattern, sentence in EXPLANATIONS:
        if found := re.search(pattern, words):
            groups = [words, *(group or "" for group in found.groups())]
            return re.sub(r"\{(\d)\}", lambda at, groups=groups: groups[int(at[1])], sentence)
    return None
