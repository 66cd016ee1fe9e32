"""Notebook 0: one exercise and one question, to see how they work."""

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.question import Question
from helpers.exercises.references import start_here as references

WIDTH = '''
def my_head_width(hidden_size, num_heads):
    """How many of a token's H = hidden_size numbers each of A = num_heads heads gets: a whole number.

    Raises ValueError where they can't be shared evenly.
    """
    ...
'''


def probe_width(head_width):
    yield "H = 768, A = 12", head_width(768, 12)
    yield "H = 20, A = 5", head_width(20, 5)
    for hidden_size, num_heads in ((11, 4), (4, 8)):
        try:
            found = repr(head_width(hidden_size, num_heads))
        except ValueError:
            found = "an error"
        except Exception:
            found = "another error"
        yield f"H = {hidden_size}, A = {num_heads}", found


def base(parts):
    return parts["H = 768, A = 12"]


def uneven(parts):
    return parts["H = 11, A = 4"]


def width_printed(hidden_size, num_heads):
    print(references.head_width(hidden_size, num_heads))


def width_with_no_error_raised(hidden_size, num_heads):
    if hidden_size % num_heads:
        return ValueError("not even")
    return hidden_size // num_heads


def width_none(hidden_size, num_heads):
    if hidden_size % num_heads == 0:
        return hidden_size // num_heads
    return None


def width_refused_the_wrong_way_round(hidden_size, num_heads):
    if num_heads % hidden_size:
        raise ValueError("not even")
    return hidden_size // num_heads


def width_with_another_error(hidden_size, num_heads):
    if hidden_size % num_heads:
        raise Exception("can't be shared evenly")
    return hidden_size // num_heads


WIDTH_MISTAKES = (
    Mistake(
        "no check",
        lambda hidden_size, num_heads: hidden_size // num_heads,
        "right where it can be shared, but 11 numbers for 4 heads give {yours}, expected an error: three numbers would "
        "belong to no head. What is left over by a division tells",
        show=uneven,
    ),
    Mistake(
        "a float",
        lambda hidden_size, num_heads: hidden_size / num_heads,
        "for 12 heads of 768 numbers together the value is right, but / makes a float of it (64.0), and "
        "sizes are whole numbers. Python has a second sign for division",
    ),
    Mistake(
        "rounded",
        lambda hidden_size, num_heads: round(hidden_size / num_heads),
        "11 numbers for 4 heads give {yours}, expected an error: rounding hides that they can't be shared (so does int)",
        show=uneven,
    ),
    Mistake(
        "the remainder",
        lambda hidden_size, num_heads: hidden_size % num_heads,
        "768 numbers for 12 heads give {yours}, expected {expected}: that is what is left over, not what each gets",
    ),
    Mistake(
        "the other way round",
        lambda hidden_size, num_heads: num_heads // hidden_size,
        "768 numbers for 12 heads give {yours}, expected {expected}: you divide the heads by the numbers",
    ),
    Mistake(
        "multiplied",
        lambda hidden_size, num_heads: hidden_size * num_heads,
        "768 numbers for 12 heads give {yours}, expected {expected}: the heads share the numbers, they don't each get "
        "all of them",
    ),
    Mistake(
        "printed instead of returned",
        width_printed,
        "your function prints the number and gives back nothing; `return` gives it back",
    ),
    Mistake(
        "None instead of an error",
        width_none,
        "right where it can be shared, but 11 numbers for 4 heads give {yours}, expected an error: who calls it would go "
        "on with nothing. `raise ValueError(…)` stops, and says why",
        show=uneven,
    ),
    Mistake(
        "the error returned",
        width_with_no_error_raised,
        "right where it can be shared, but for 11 numbers and 4 heads an error is *returned*, as if it were a result. "
        "`raise` throws it",
    ),
    Mistake(
        "refused the wrong way round",
        width_refused_the_wrong_way_round,
        "768 numbers can be shared among 12 heads, and yours refuses them: % gives what is left over when the *first* number "
        "is divided by the second",
        raises=ValueError,
    ),
    Mistake(
        "only fewer numbers than heads refused",
        lambda hidden_size, num_heads: (
            references.head_width(hidden_size // num_heads * num_heads, num_heads)
            if hidden_size >= num_heads
            else references.head_width(hidden_size, num_heads)
        ),
        "11 numbers for 4 heads give {yours}, expected an error: you refuse only where there are more heads than numbers. It is "
        "the rest of the division that counts",
        show=uneven,
    ),
    Mistake(
        "a multiple",
        lambda hidden_size, num_heads: references.head_width(hidden_size, num_heads) * num_heads // 12,
        "20 numbers for 5 heads give {yours}, expected {expected}: the 12 heads of BERT-base stand in your function; the number "
        "of heads comes in as num_heads",
        show=lambda parts: parts["H = 20, A = 5"],
    ),
    Mistake(
        "another error",
        width_with_another_error,
        "11 numbers for 4 heads are refused, but with another error than a ValueError. Who calls your function waits for that "
        "one: it says that a value is wrong",
    ),
)

EXERCISES = (
    Exercise(
        id="0.1",
        name="head_width",
        reference=references.head_width,
        stub=WIDTH,
        probe=probe_width,
        hints=(
            "D = H / A, and `//` divides whole numbers into a whole number. Try it: does 11 // 4 tell that something is "
            "left over?",
            '`hidden_size % num_heads` is what is left over; where it is not 0, `raise ValueError("…")`.',
        ),
        mistakes=WIDTH_MISTAKES,
        notice="bert-base and minilm have twelve heads each, and so heads of 64 and of 32 numbers",
        difficulty=1,
        minutes=4,
        show=base,
        variants=(
            lambda hidden_size, num_heads: (
                divmod(hidden_size, num_heads)[0]
                if hidden_size // num_heads * num_heads == hidden_size
                else int("not even")
            ),
        ),
    ),
)

QUESTIONS = (
    Question(
        id="0.q1",
        text="In 32-bit floats, what is (100,000,000 + 1) − 100,000,000?",
        choices={"a": "1", "b": "0", "c": "about 1, with an error of some percent"},
        answer="b",
        because="a 32-bit float keeps about seven digits, and the 1 would be the ninth: it is lost in the first addition.",
        wrong={
            "a": "with whole numbers, and with 64 bits, yes. How many digits does a 32-bit float keep?",
            "c": "there is nothing between: either the 1 is kept or it is rounded away.",
        },
    ),
)
