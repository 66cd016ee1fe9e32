"""What the probes of notebook 6 share: a vocabulary, a measured share, a small model and its batches."""

import torch

from helpers import pretraining
from helpers.encoder import Bert, BertConfig
from helpers.wordpiece import WordPieceTokenizer

WORDS = [f"word{number}" for number in range(45)]
# The special tokens stand in the middle: a program that takes 0 for [PAD], or 103 for [MASK], is found out.
TOKENIZER = WordPieceTokenizer([*WORDS[:5], "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS[5:]])
PAD, UNK, CLS, SEP, MASK = (TOKENIZER.id_of[t] for t in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"))

# The first optimizer of a process makes torch import a lot, for seconds on a busy computer: not within the time
# that a learner's function has, where the import would be cut off.
torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)


class About:
    """A measured number; equal to another one within `bound`, since learners draw in another order."""

    def __init__(self, value: float, bound: float):
        self.value, self.bound = float(value), bound

    def __eq__(self, other) -> bool:
        return isinstance(other, About) and abs(self.value - other.value) <= self.bound

    __hash__ = None

    def __str__(self) -> str:
        return f"{self.value:.2f}"

    __repr__ = __str__


def rows(lengths, size: int, seed: int = 0) -> torch.Tensor:
    """Texts of so many words, [CLS] and [SEP] around them, padded to `size`: (B, size)."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.full((len(lengths), size), PAD)
    for row, length in enumerate(lengths):
        words = torch.randint(10, len(TOKENIZER.vocabulary), (length,), generator=generator)
        ids[row, : length + 2] = torch.tensor([CLS, *words.tolist(), SEP])
    return ids


def shape_of(result):
    """Zeros of a result's shape and kind, so that a wrong one is told in words; other things as they are."""
    return torch.zeros_like(result) if isinstance(result, torch.Tensor) else result


def model(dropout: float = 0.0, kind: type = pretraining.BertForPreTraining):
    """One layer, H = 6, two heads, and no weight that is 0 or 1."""
    torch.manual_seed(5)
    config = BertConfig(
        vocab_size=11, hidden_size=6, num_layers=1, num_heads=2, intermediate_size=12, max_positions=9,
        dropout=dropout, init_std=None,
    )  # fmt: skip
    made = kind(Bert(config))
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape))
    return made.eval()


def batch(texts: int, seed: int) -> dict[str, torch.Tensor]:
    """A batch for that model: T = 7, the last text with padding, more labels in some texts than in others."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(2, 11, (texts, 7), generator=generator)
    labels = torch.full_like(ids, pretraining.IGNORE)
    for row in range(texts):
        places = [1, 3, 4][: 1 + (row + seed) % 3]
        labels[row, places] = torch.randint(2, 11, (len(places),), generator=generator)
    mask = torch.ones_like(ids)
    mask[-1, 5:] = 0
    types = torch.zeros_like(ids)
    types[:, 3:] = 1
    next_labels = torch.tensor([(row + seed) % 2 for row in range(texts)])
    return {
        "ids": ids,
        "type_ids": types,
        "attention_mask": mask,
        "labels": labels,
        "next_labels": next_labels,
    }


def shorter(batch: dict[str, torch.Tensor], size: int) -> dict[str, torch.Tensor]:
    """The same batch with T = `size`."""
    return {name: values[:, :size] if values.dim() == 2 else values for name, values in batch.items()}
