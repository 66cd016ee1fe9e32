"""19.3: the gated feed-forward block."""

import torch
from torch.nn import functional

from helpers import modern
from helpers.exercises.exercise import Exercise, Mistake, with_method
from helpers.exercises.tables.encoder.blocks import randomized

STUB = '''
def my_gated_forward(self, hidden):
    """(B, T, H) -> (B, T, H): what is widened passes through GELU, is multiplied by the gate, and narrowed.

    self.widen and self.gate are linear layers from H numbers to the inner width, self.narrow one back.
    """
    ...
'''


def probe(forward):
    torch.manual_seed(1)
    block = randomized(with_method(modern.GatedFeedForward, "forward", forward)(6, 5))
    yield "two texts", block(torch.randn(2, 4, 6))
    yield "one token of zeros", block(torch.zeros(1, 1, 6))


def variant(inside):
    """A block from what it does with what is widened and the gate, before it narrows."""
    return lambda self, hidden: self.narrow(inside(self.widen(hidden), self.gate(hidden)))


def shown(parts):
    return parts["two texts"][0, 0, :3]


EXERCISE = Exercise(
    id="19.3",
    name="GatedFeedForward.forward",
    reference=modern.GatedFeedForward.forward,
    stub=STUB,
    probe=probe,
    show=shown,
    hints=(
        "Both `self.widen` and `self.gate` read the same hidden; their results have the same shape.",
        "GELU is for what is widened only; `*` multiplies number by number.",
    ),
    mistakes=(
        Mistake(
            "GELU on the gate",
            variant(lambda wide, gate: wide * functional.gelu(gate)),
            "the first token becomes {yours}, expected {expected}: GELU has gone to the gate. Weights that were trained the other "
            "way round would not fit",
        ),
        Mistake(
            "GELU on both",
            variant(lambda wide, gate: functional.gelu(wide) * functional.gelu(gate)),
            "the first token becomes {yours}, expected {expected}: the gate passes through GELU, too. It stays linear, so that it can "
            "turn a number's sign",
        ),
        Mistake(
            "GELU around the product",
            variant(lambda wide, gate: functional.gelu(wide * gate)),
            "the first token becomes {yours}, expected {expected}: GELU comes after the product, and belongs before it",
        ),
        Mistake(
            "no GELU",
            variant(lambda wide, gate: wide * gate),
            "the first token becomes {yours}, expected {expected}: there is no GELU (that is a bilinear block, also in the paper)",
        ),
        Mistake(
            "no gate",
            lambda self, hidden: self.narrow(functional.gelu(self.widen(hidden))),
            "the first token becomes {yours}, expected {expected}: this is the block of 2018. What multiplies?",
        ),
        Mistake(
            "added",
            variant(lambda wide, gate: functional.gelu(wide) + gate),
            "the first token becomes {yours}, expected {expected}: the gate is added. A gate multiplies",
        ),
        Mistake(
            "sigmoid",
            variant(lambda wide, gate: wide * torch.sigmoid(gate)),
            "the first token becomes {yours}, expected {expected}: sigmoid of the gate is the first gated unit (Dauphin et al. "
            "2017). GeGLU has GELU, on the other factor",
        ),
        Mistake(
            "sigmoid on the gate, too",
            variant(lambda wide, gate: functional.gelu(wide) * torch.sigmoid(gate)),
            "the first token becomes {yours}, expected {expected}: the gate passes through a sigmoid. In GeGLU it stays linear",
        ),
        Mistake(
            "another GELU",
            variant(lambda wide, gate: functional.gelu(wide, approximate="tanh") * gate),
            "the first token becomes {yours}, expected {expected}: nearly. That is the approximation of GELU by tanh; the exact "
            "one is asked for",
        ),
        Mistake(
            "SiLU",
            variant(lambda wide, gate: functional.silu(wide) * gate),
            "the first token becomes {yours}, expected {expected}: with SiLU it is SwiGLU, which NeoBERT has. Here it is GELU",
        ),
        Mistake(
            "ReLU",
            variant(lambda wide, gate: functional.relu(wide) * gate),
            "the first token becomes {yours}, expected {expected}: ReLU makes 0 of every negative number; GELU nearly",
        ),
        Mistake(
            "widened twice",
            lambda self, hidden: self.narrow(functional.gelu(self.widen(hidden)) * self.widen(hidden)),
            "the first token becomes {yours}, expected {expected}: both factors come from self.widen. The gate has weights of its own",
        ),
        Mistake(
            "the gate twice",
            lambda self, hidden: self.narrow(functional.gelu(self.gate(hidden)) * self.gate(hidden)),
            "the first token becomes {yours}, expected {expected}: both factors come from self.gate. Where is what is widened?",
        ),
        Mistake(
            "the gate alone",
            lambda self, hidden: self.narrow(functional.gelu(self.gate(hidden))),
            "the first token becomes {yours}, expected {expected}: only the gate is there. What does it multiply?",
        ),
        Mistake(
            "GELU before the layer",
            lambda self, hidden: self.narrow(self.widen(functional.gelu(hidden)) * self.gate(hidden)),
            "the first token becomes {yours}, expected {expected}: hidden passes through GELU before it is widened. Which comes first?",
        ),
        Mistake(
            "GELU at the end",
            lambda self, hidden: functional.gelu(self.narrow(self.widen(hidden) * self.gate(hidden))),
            "the first token becomes {yours}, expected {expected}: GELU comes last, on what is narrowed, so a block could hardly "
            "subtract anything. On what does it belong?",
        ),
        Mistake(
            "each narrowed by itself",
            lambda self, hidden: (
                self.narrow(functional.gelu(self.widen(hidden))) * self.narrow(self.gate(hidden))
            ),
            "the first token becomes {yours}, expected {expected}: the two are narrowed one by one and multiplied after that. Over "
            "how many numbers should the gate decide?",
        ),
        Mistake(
            "tanh on the gate",
            variant(lambda wide, gate: functional.gelu(wide) * torch.tanh(gate)),
            "the first token becomes {yours}, expected {expected}: the gate passes through tanh. What does it pass through in GeGLU?",
        ),
        Mistake(
            "the input added",
            lambda self, hidden: (
                hidden + self.narrow(functional.gelu(self.widen(hidden)) * self.gate(hidden))
            ),
            "the first token becomes {yours}, expected {expected}: the input is added here already. The layer does it",
        ),
        Mistake(
            "not narrowed",
            lambda self, hidden: functional.gelu(self.widen(hidden)) * self.gate(hidden),
            "the result has the inner width: it is not narrowed yet",
        ),
    ),
    asks={
        "two texts": "two factors meet: what passes through GELU, what does not, and is it narrowed before or "
        "after they are multiplied?",
    },
    notice="a token of zeros stays zero: without biases nothing is added to it",
    difficulty=1,
    minutes=5,
    variants=(variant(lambda wide, gate: gate * functional.gelu(wide)),),
)
