"""A masked language model that writes: it learns at every mask rate, and fills texts of nothing but [MASK].

Left out: texts whose length the model chooses itself, and tokens that are hidden again after a second look.
"""

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from helpers.encoder import evaluating
from helpers.pretraining import IGNORE, check_tokenizer, precise
from helpers.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer, check_number

__all__ = [
    "spread_rates",
    "hide_at_rates",
    "diffusion_loss",
    "blank_texts",
    "check_settings",
    "positions_to_reveal",
    "guess_hidden",
    "write",
]


def spread_rates(count: int, generator: torch.Generator | None = None, most: float = 1.0) -> torch.Tensor:
    """A mask rate for each of so many texts, from 0 to `most`, spread evenly, in random order: (B, 1).

    Spread evenly, they make the loss of a batch less noisy (Sahoo et al. 2024, MDLM, appendix C).
    """
    order = torch.randperm(count, generator=generator)[:, None]
    return most * (1 - (order + torch.rand(1, generator=generator)) / count)


def hide_at_rates(
    ids: torch.Tensor,
    rates: torch.Tensor,
    tokenizer: WordPieceTokenizer,
    generator: torch.Generator | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Every token becomes [MASK] with the probability of its text's rate: corrupted, labels (B, T).

    ids (B, T), rates (B, 1). Special tokens stay; the label of a token that stays is IGNORE.
    """
    special = torch.isin(ids, torch.tensor([tokenizer.id_of[token] for token in SPECIAL_TOKENS]))
    hidden = (torch.rand(ids.shape, generator=generator) < rates) & ~special
    return ids.masked_fill(hidden, tokenizer.id_of["[MASK]"]), ids.masked_fill(~hidden, IGNORE)


def diffusion_loss(
    logits: torch.Tensor, labels: torch.Tensor, rates: torch.Tensor, tokens: int
) -> torch.Tensor:
    """The mean of 1 / rate times the cross-entropy at [MASK], for every token of the batch: nats per token.

    logits (M, V) of the M hidden places, labels (B, T), rates (B, 1), tokens: how many could have been
    hidden. Its expectation is an upper bound of -log p(text) per token (Sahoo et al. 2024, section 3.3).
    """
    hidden = labels != IGNORE  # (B, T), M of them True
    losses = functional.cross_entropy(logits, labels[hidden], reduction="none")  # (M,)
    return (losses / rates.expand_as(labels)[hidden]).sum() / tokens


def blank_texts(lengths: list[int], tokenizer: WordPieceTokenizer) -> dict[str, torch.Tensor]:
    """Texts of nothing but [MASK], so many tokens each: ids and attention_mask (B, T), T the longest + 2."""
    cls, mask, sep, pad = (tokenizer.id_of[name] for name in ("[CLS]", "[MASK]", "[SEP]", "[PAD]"))
    rows = [torch.tensor([cls, *[mask] * length, sep]) for length in lengths]
    ids = pad_sequence(rows, batch_first=True, padding_value=pad)
    return {"ids": ids, "attention_mask": (ids != pad).long()}


def check_settings(
    model: nn.Module, tokenizer: WordPieceTokenizer, steps: int, order: str, temperature: float
) -> None:
    """Refuse what can't be written with, with a ValueError that says what was expected."""
    check_tokenizer(tokenizer, model)
    check_number("steps", steps, 1, whole=True)
    check_number("temperature", temperature, 0)
    if order not in ("confidence", "random"):
        raise ValueError(f'order must be "confidence" or "random", not {order!r}')


def positions_to_reveal(scores: torch.Tensor, hidden: torch.Tensor, keep: torch.Tensor) -> torch.Tensor:
    """The hidden places with the highest scores, all but `keep` of each text: (B, T) boolean.

    scores (B, T), hidden (B, T) boolean, keep (B, 1): how many stay hidden. Equal scores: from the left.
    """
    ranks = (
        scores.masked_fill(~hidden, -torch.inf).argsort(dim=1, descending=True, stable=True).argsort(dim=1)
    )
    return hidden & (ranks < hidden.sum(dim=1, keepdim=True) - keep)


@torch.no_grad()
def guess_hidden(
    model: nn.Module, ids: torch.Tensor, attention_mask: torch.Tensor, tokenizer: WordPieceTokenizer,
    temperature: float, generator: torch.Generator | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:  # fmt: skip
    """A token for every [MASK], drawn from the model's probabilities, and how sure it is: (M,), (M,).

    At temperature 0 the likeliest. How sure is its probability at temperature 1, so that sharpening does not
    make all alike. A special token is never drawn.
    """
    hidden = ids == tokenizer.id_of["[MASK]"]  # (B, T), M of them True
    with evaluating(model):
        logits = precise(model(ids, None, attention_mask, hidden).token_logits)  # (M, V)
    logits[:, [tokenizer.id_of[token] for token in SPECIAL_TOKENS]] = -torch.inf
    chances = (logits / max(temperature, 1e-6)).softmax(dim=-1)
    guesses = torch.multinomial(chances, 1, generator=generator)  # (M, 1)
    return guesses[:, 0], logits.softmax(dim=-1).gather(1, guesses)[:, 0]


def write(
    model: nn.Module, tokenizer: WordPieceTokenizer, lengths: list[int], steps: int,
    order: str = "confidence", temperature: float = 1.0, generator: torch.Generator | None = None,
) -> list[list[int]]:  # fmt: skip
    """One text of each length (in tokens) from nothing but [MASK], in so many steps: token ids of each.

    In every step all hidden tokens are guessed at once, and some guesses stay: the surest (order
    "confidence"; Ghazvininejad et al. 2019; Nie et al. 2025, LLaDA), or any ("random"). Raises ValueError.
    """
    check_settings(model, tokenizer, steps, order, temperature)
    batch, sizes = blank_texts(lengths, tokenizer), torch.tensor(lengths)[:, None]  # (B, 1)
    ids = batch["ids"]
    for step in range(1, steps + 1):
        hidden = ids == tokenizer.id_of["[MASK]"]
        keep = sizes * (steps - step) // steps  # evenly: after half of the steps, half is still hidden
        if (hidden.sum(dim=1, keepdim=True) <= keep).all():
            continue  # more steps than tokens
        visible = batch["attention_mask"]
        guesses, chances = guess_hidden(model, ids, visible, tokenizer, temperature, generator)
        scores = torch.rand(ids.shape, generator=generator)
        if order == "confidence":
            scores = scores.masked_scatter(hidden, chances)
        shown = positions_to_reveal(scores, hidden, keep)
        ids = torch.where(shown, ids.masked_scatter(hidden, guesses), ids)
    return [row[1 : length + 1] for row, length in zip(ids.tolist(), lengths, strict=True)]
