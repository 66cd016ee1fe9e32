"""What a question is: a guess before the output that answers it."""

import math
import textwrap
from dataclasses import dataclass, field

from helpers.exercises.comparison import as_text

__all__ = ["Question"]

WIDTH = 98


@dataclass(frozen=True)
class Question:
    """A question that the learner answers before running the cell that shows the answer.

    id: "4.q1". text: the question. choices: {"a": text, "b": …}; empty for a question whose answer is a
    number or a word. answer: the key of the right choice, the number, or the word. because: why it is so.
    wrong: for each other choice, what is wrong about it. tolerance: how far off a number may be,
    as a share of the answer (0.1: a tenth). unit: printed behind numbers.
    """

    id: str
    text: str
    answer: str | float
    because: str
    choices: dict[str, str] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)
    tolerance: float = 0.0
    unit: str = ""

    def __post_init__(self):
        if self.choices and self.answer not in self.choices:
            raise ValueError(f"{self.id}: the answer {self.answer!r} is none of {sorted(self.choices)}")
        if set(self.wrong) != set(self.choices) - {self.answer}:
            raise ValueError(f"{self.id}: `wrong` explains {sorted(self.wrong)}, expected each wrong choice")

    @property
    def notebook(self) -> int:
        return int(self.id.partition(".")[0])

    @property
    def cell(self) -> str:
        """What stands in the notebook: the question as comments, and the call that takes the guess."""
        lines = textwrap.wrap(" ".join(self.text.split()), WIDTH, break_long_words=False)
        for key, choice in self.choices.items():
            lines += textwrap.wrap(f"  {key}  {choice}", WIDTH, subsequent_indent=" " * 5)
        return "\n".join(f"# {line}".rstrip() for line in lines) + f'\nguess("{self.id}", ...)'

    def answered(self, given) -> tuple[bool, str]:
        """Whether a guess is right, and what to say to it."""
        if self.choices:
            key = str(given).strip().strip("()").lower()
            if key not in self.choices:
                return False, f"choose one of {', '.join(self.choices)}, in quotes"
            return (True, self.because) if key == self.answer else (False, self.wrong[key])
        if isinstance(self.answer, str):
            right = str(given).strip().lower() == self.answer.lower()
            return (True, self.because) if right else (False, f"not {given!r}: think again, or run on")
        return self._number(given)

    def _number(self, given) -> tuple[bool, str]:
        try:
            number = float(str(given).strip().replace(",", "").rstrip("%"))
        except ValueError:
            return False, f"expected a number, not {given!r}"
        unit = f" {self.unit}" if self.unit else ""
        if math.isclose(number, self.answer, rel_tol=self.tolerance + 1e-9, abs_tol=1e-12):
            return True, f"it is {as_text(self.answer)}{unit}: {self.because}"
        if self.answer and number / self.answer > 0:
            ratio = number / self.answer
            far = f"{ratio:.3g} times" if ratio > 1 else f"1/{1 / ratio:.3g} of"
            size = "large" if ratio > 1 else "small"
            return False, f"{as_text(number)}{unit} is too {size}: {far} the answer"
        return False, f"{as_text(number)}{unit} is off by {abs(number - self.answer):.3g}{unit}"
