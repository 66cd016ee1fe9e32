"""Pretraining: hide words and let the model guess them, and ask whether two texts follow each other.

Left out: gradient accumulation, mixed precision and several devices.
"""

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice, pairwise
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from helpers.encoder import Bert, BertConfig, evaluating, initialize_weights
from helpers.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer, check_number, check_text, read_in_order

__all__ = [
    "IGNORE",
    "places_to_mask",
    "choose_positions",
    "corrupt",
    "mask_tokens",
    "choose_whole_words",
    "mask_whole_words",
    "split_into_segments",
    "make_sentence_pairs",
    "pairs_to_batch",
    "pretraining_batches",
    "PreTrainingOutput",
    "BertForPreTraining",
    "PreTrainingLoss",
    "check_batch",
    "pretraining_loss",
    "parameter_groups",
    "linear_warm_up_and_decay",
    "update_weights",
    "make_optimizer",
    "pretrain",
    "mean_losses",
    "check_tokenizer",
    "precise",
    "fill_mask",
]

IGNORE = -100  # the label of a position that is not guessed; PyTorch's cross-entropy skips it


def places_to_mask(
    ids: torch.Tensor, tokenizer: WordPieceTokenizer, rate: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Where no special token stands, (B, T) boolean, and how many of those to choose in each text, (B, 1).

    That is `rate` of them, rounded, at least one. Raises ValueError for a rate that is no share, and for
    other ids than torch.long: in fewer bits, there is no room for IGNORE, or none for the vocabulary.
    """
    found = (ids.dtype, *ids.shape) if isinstance(ids, torch.Tensor) else type(ids).__name__
    if found[0] != torch.long or len(found) != 3 or ids.numel() == 0:
        raise ValueError(f"ids must be a torch.long tensor of shape (B, T), B and T at least 1, not {found}")
    if not 0 < rate <= 1:
        raise ValueError(f"rate is a share of the tokens, above 0 and at most 1, not {rate}")
    special = torch.isin(ids, torch.tensor([tokenizer.id_of[token] for token in SPECIAL_TOKENS]))
    count = (rate * (~special).sum(dim=1, keepdim=True)).round().long().clamp(min=1)
    return ~special, count


def choose_positions(
    ids: torch.Tensor, tokenizer: WordPieceTokenizer, rate: float, generator: torch.Generator | None
) -> torch.Tensor:
    """Choose `rate` of the tokens of every text (at least one), never a special token: (B, T) boolean.

    Every token draws a number in [0, 1), and the smallest are chosen. ValueError as `places_to_mask`.
    """
    places, count = places_to_mask(ids, tokenizer, rate)
    draws = torch.rand(ids.shape, generator=generator).masked_fill(~places, 2.0)  # special tokens come last
    limit = draws.sort(dim=1).values.gather(1, count - 1)
    return (draws <= limit) & places


def corrupt(
    ids: torch.Tensor,
    chosen: torch.Tensor,
    tokenizer: WordPieceTokenizer,
    generator: torch.Generator | None,
    shares: tuple[float, float, float] = (0.8, 0.1, 0.1),
) -> tuple[torch.Tensor, torch.Tensor]:
    """Of the chosen tokens 80 % become [MASK], 10 % a random entry, 10 % stay: (corrupted, labels), (B, T).

    Devlin et al. 2018, section 3.1 (task 1) and appendix A.1; `shares` for others. The label of every other
    token is IGNORE. Raises ValueError for shares that are not three shares of the whole.
    """
    if len(shares) != 3 or min(shares) < 0 or not abs(sum(shares) - 1) < 1e-6:
        raise ValueError(f"shares are three numbers with the sum 1 ([MASK], random, unchanged), not {shares}")
    labels = ids.masked_fill(~chosen, IGNORE)
    draws = torch.rand(ids.shape, generator=generator)
    random_ids = torch.randint(len(tokenizer.vocabulary), ids.shape, generator=generator)
    corrupted = ids.masked_fill(chosen & (draws < shares[0]), tokenizer.id_of["[MASK]"])
    becomes_random = chosen & (draws >= shares[0]) & (draws < shares[0] + shares[1])
    return torch.where(becomes_random, random_ids, corrupted), labels


def mask_tokens(
    ids: torch.Tensor,
    tokenizer: WordPieceTokenizer,
    rate: float = 0.15,
    generator: torch.Generator | None = None,
    shares: tuple[float, float, float] = (0.8, 0.1, 0.1),
) -> tuple[torch.Tensor, torch.Tensor]:
    """Hide single tokens: ids (B, T) -> (corrupted ids, labels), both (B, T); shares as in `corrupt`."""
    chosen = choose_positions(ids, tokenizer, rate, generator)
    return corrupt(ids, chosen, tokenizer, generator, shares)


def choose_whole_words(
    ids: torch.Tensor, tokenizer: WordPieceTokenizer, rate: float, generator: torch.Generator | None
) -> torch.Tensor:
    """Choose words with all their pieces, together at most `rate` of the tokens of a text: (B, T) boolean.

    Words are taken in random order; one that would exceed the number is skipped, so that a text of long
    words may get none (google-research/bert, create_pretraining_data.py). ValueError as `places_to_mask`.
    """
    places, count = places_to_mask(ids, tokenizer, rate)
    continues = torch.tensor([token.startswith("##") for token in tokenizer.vocabulary])[ids]
    word_of = ((~continues).cumsum(dim=1) - 1).clamp(min=0)  # (B, T): the number of each piece's word
    sizes = torch.zeros_like(ids).scatter_add(1, word_of, places.long())  # (B, T): pieces of each word
    chosen, taken = torch.zeros_like(places), torch.zeros_like(count)
    for word in torch.rand(ids.shape, generator=generator).argsort(dim=1).split(1, dim=1):  # each (B, 1)
        size = sizes.gather(1, word)
        fits = taken + size <= count
        chosen.scatter_(1, word, fits)
        taken += size * fits
    return chosen.gather(1, word_of) & places


def mask_whole_words(
    ids: torch.Tensor,
    tokenizer: WordPieceTokenizer,
    rate: float = 0.15,
    generator: torch.Generator | None = None,
    shares: tuple[float, float, float] = (0.8, 0.1, 0.1),
) -> tuple[torch.Tensor, torch.Tensor]:
    """Hide all pieces of a word together: ids (B, T) -> (corrupted ids, labels); shares as in `corrupt`."""
    chosen = choose_whole_words(ids, tokenizer, rate, generator)
    return corrupt(ids, chosen, tokenizer, generator, shares)


def split_into_segments(tokens: Sequence, length: int) -> list[Sequence]:
    """Cut a document into segments of `length` tokens; a shorter rest at the end is dropped."""
    check_number("length", length, 1, whole=True)
    return [tokens[start : start + length] for start in range(0, len(tokens) - length + 1, length)]


def make_sentence_pairs(documents: Sequence[Sequence], seed: int) -> list[tuple]:
    """Pairs (first, second, label): label 0 if `second` follows `first`, 1 if it is from another document.

    Devlin et al. 2018, section 3.1 (task 2): half of the pairs are real. A document is a sequence
    of segments, in order. ValueError: fewer than two documents, or no two segments in a row.
    """
    dice = random.Random(seed)
    documents = [list(read_in_order(each, "a document")) for each in read_in_order(documents, "documents")]
    usable = [index for index, document in enumerate(documents) if document]
    if len(usable) < 2 or all(len(document) < 2 for document in documents):
        raise ValueError("sentence pairs need two documents with text, and two segments in one of them")
    pairs = []
    for index, document in enumerate(documents):
        for first, following in pairwise(document):
            if dice.random() < 0.5:
                pairs.append((first, following, 0))
            else:
                other = dice.choice(usable)
                while other == index:
                    other = dice.choice(usable)
                pairs.append((first, dice.choice(documents[other]), 1))
    return pairs


def pairs_to_batch(pairs: Sequence[tuple], tokenizer: WordPieceTokenizer) -> dict[str, torch.Tensor]:
    """`[CLS] first [SEP] second [SEP]` for pairs of id lists as from `make_sentence_pairs`, with padding.

    -> ids, type_ids, attention_mask (B, T) and next_labels (B,). Raises ValueError for an empty batch, and
    for pairs of something else, such as texts.
    """
    pairs = list(read_in_order(pairs, "the pairs"))
    if not pairs:
        raise ValueError("the batch is empty: it needs at least one pair")
    cls, sep = tokenizer.id_of["[CLS]"], tokenizer.id_of["[SEP]"]
    try:
        rows = [torch.tensor([cls, *first, sep, *second, sep]) for first, second, _ in pairs]
    except (TypeError, ValueError) as error:
        raise ValueError("a pair is (ids of the first segment, ids of the second, label)") from error
    segments = [torch.tensor([0] * (len(first) + 2) + [1] * (len(second) + 1)) for first, second, _ in pairs]
    return {
        "ids": pad_sequence(rows, batch_first=True, padding_value=tokenizer.id_of["[PAD]"]),
        "type_ids": pad_sequence(segments, batch_first=True),
        "attention_mask": pad_sequence([torch.ones_like(row) for row in rows], batch_first=True),
        "next_labels": torch.tensor([label for _, _, label in pairs]),
    }


def pretraining_batches(
    documents: Sequence[Sequence], tokenizer: WordPieceTokenizer, batch_size: int, seed: int, mask=mask_tokens
) -> Iterator[dict[str, torch.Tensor]]:
    """Batches for `pretrain`, without end: every epoch has new pairs, a new order and new masks.

    documents as in `make_sentence_pairs`, of token ids; mask: `mask_tokens` or `mask_whole_words`. The same
    seed gives the same batches. Pairs of similar length share a batch, which leaves hardly any padding.
    Masks drawn anew: Liu et al. 2019 (RoBERTa), section 4.1. ValueError for a batch_size below 1.
    """
    check_number("batch_size", batch_size, 1, whole=True)
    documents = [list(read_in_order(each, "a document")) for each in read_in_order(documents, "documents")]
    dice, generator = random.Random(seed), torch.Generator().manual_seed(seed)
    while True:
        pairs = make_sentence_pairs(documents, dice.getrandbits(32))
        dice.shuffle(pairs)
        pairs.sort(key=lambda pair: len(pair[0]) + len(pair[1]))  # pairs of equal length stay shuffled
        starts = list(range(0, len(pairs), batch_size))
        dice.shuffle(starts)
        for start in starts:
            batch = pairs_to_batch(pairs[start : start + batch_size], tokenizer)
            batch["ids"], batch["labels"] = mask(batch["ids"], tokenizer, generator=generator)
            yield batch


class PreTrainingOutput(NamedTuple):
    """What `BertForPreTraining` returns."""

    token_logits: torch.Tensor  # (B, T, V), or (M, V) for the M positions asked for
    next_logits: torch.Tensor  # (B, 2): follows, does not follow


class BertForPreTraining(nn.Module):
    """BERT with its two pretraining heads; the token head shares its weights with the token embeddings.

    Devlin et al. 2018, section 3.1, and google-research/bert, run_pretraining.py. ids, type_ids and
    attention_mask as in `Bert`; positions (B, T) boolean: where to predict tokens, default everywhere.
    """

    def __init__(self, bert: Bert):
        super().__init__()
        hidden_size = bert.config.hidden_size
        self.transform = nn.Linear(hidden_size, hidden_size)
        self.norm = nn.LayerNorm(hidden_size, eps=bert.config.norm_eps)
        self.token_bias = nn.Parameter(torch.zeros(bert.config.vocab_size))
        self.next_sentence = nn.Linear(hidden_size, 2)
        initialize_weights(self, bert.config.init_std)
        nn.init.normal_(self.next_sentence.weight, std=0.02)  # at first, both answers are about as likely
        self.bert = bert  # added last, so that its weights are not drawn anew

    def forward(self, ids, type_ids=None, attention_mask=None, positions=None) -> PreTrainingOutput:
        if positions is not None and getattr(positions, "dtype", None) != torch.bool:
            raise ValueError("positions must be a boolean tensor, True = predict: give positions.bool()")
        output = self.bert(ids, type_ids, attention_mask)
        hidden = output.last_hidden_state if positions is None else output.last_hidden_state[positions]
        hidden = self.norm(functional.gelu(self.transform(hidden)))  # (B, T, H) or (M, H)
        token_logits = functional.linear(hidden, self.bert.embeddings.token.weight, self.token_bias)
        return PreTrainingOutput(token_logits, self.next_sentence(output.pooled_output))


class PreTrainingLoss(NamedTuple):
    """The two losses in nats, each with the share of right answers: scalar tensors, floats in a history."""

    token_loss: torch.Tensor | float
    next_loss: torch.Tensor | float
    token_accuracy: torch.Tensor | float
    next_accuracy: torch.Tensor | float


def check_batch(batch: dict[str, torch.Tensor], vocab_size: int, pad_id: int | None = None) -> None:
    """Refuse a batch that can't be learned from, with a ValueError that says what was expected."""
    names = ("ids", "type_ids", "attention_mask", "labels", "next_labels")
    if missing := [name for name in names if name not in batch or not isinstance(batch[name], torch.Tensor)]:
        raise ValueError(f"a batch is a dictionary of tensors, and this one lacks {', '.join(missing)}")
    ids, labels, next_labels = batch["ids"], batch["labels"], batch["next_labels"]
    if ids.numel() == 0:
        raise ValueError("the batch is empty: it needs at least one pair")
    for name, shape in (("labels", ids.shape), ("attention_mask", ids.shape), ("next_labels", ids.shape[:1])):
        if batch[name].shape != shape or batch[name].is_floating_point():
            raise ValueError(
                f"{name} must be whole numbers of shape {tuple(shape)}, "
                f"not {batch[name].dtype} of shape {tuple(batch[name].shape)}"
            )
    wanted = labels != IGNORE
    if not wanted.any():
        raise ValueError("no position of the batch has a label: mask some tokens first")
    if (wanted & (batch["attention_mask"] == 0)).any():
        raise ValueError("a padding position has a label: padding is never masked")
    if not 0 <= labels[wanted].min() <= labels[wanted].max() < vocab_size:
        raise ValueError(f"labels must be {IGNORE} or lie in 0..{vocab_size - 1}, the entries")
    if not 0 <= next_labels.min() <= next_labels.max() <= 1:
        raise ValueError("next_labels must be 0 (follows) or 1 (does not follow)")
    if pad_id is not None and (labels == pad_id).any():
        raise ValueError(f"a label is {pad_id}, the model's pad_token_id: give it that of the tokenizer")


def pretraining_loss(model: BertForPreTraining, batch: dict[str, torch.Tensor]) -> PreTrainingLoss:
    """Cross-entropy at the masked positions only, and of the pair: each the mean over what is predicted.

    batch: ids, type_ids, attention_mask, labels (B, T), IGNORE where nothing is predicted, next_labels (B,).
    Computed on the device where the model is. Raises ValueError as `BertConfig.of`, `check_batch`, `Bert` do.
    """
    config, device = BertConfig.of(model), next(model.parameters()).device
    check_batch(batch, config.vocab_size, config.pad_token_id)
    batch = {name: values.to(device) for name, values in batch.items()}
    positions = batch["labels"] != IGNORE  # (B, T), M of them true
    output = model(batch["ids"], batch["type_ids"], batch["attention_mask"], positions)
    hidden_ids, next_labels = batch["labels"][positions].long(), batch["next_labels"].long()  # (M,), (B,)
    return PreTrainingLoss(
        functional.cross_entropy(output.token_logits, hidden_ids),
        functional.cross_entropy(output.next_logits, next_labels),
        (output.token_logits.argmax(dim=-1) == hidden_ids).float().mean(),
        (output.next_logits.argmax(dim=-1) == next_labels).float().mean(),
    )


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict]:
    """For the optimizer: matrices with weight decay, biases and LayerNorm without, no frozen weights."""
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return [
        {
            "params": [parameter for parameter in trainable if parameter.dim() > 1],
            "weight_decay": weight_decay,
        },
        {"params": [parameter for parameter in trainable if parameter.dim() <= 1], "weight_decay": 0.0},
    ]


def linear_warm_up_and_decay(step: int, steps: int, warm_up: float) -> float:
    """The share of the learning rate at a step: up to 1 over the first `warm_up` of the run, then to 0.

    Raises ValueError for a warm_up that is no share, at least 0 and below 1, such as a number of steps.
    """
    check_number("warm_up, a share of the steps,", warm_up, 0, 1)
    progress = (step + 1) / (steps + 1)
    return min(progress / warm_up if warm_up else 1.0, max(0.0, (1 - progress) / (1 - warm_up)))


def update_weights(model: nn.Module, loss: torch.Tensor, optimizer, schedule, step: int) -> float:
    """One step of the optimizer, the gradient clipped to norm 1; returns the norm before clipping.

    Raises FloatingPointError, before any weight has changed, if the loss or the gradient is not finite, and
    ValueError if all weights are frozen, or gradients switched off.
    """
    if not torch.is_grad_enabled():
        raise ValueError("gradients are off: train outside of torch.no_grad() and torch.inference_mode()")
    if not loss.requires_grad:
        raise ValueError("all weights are frozen: call requires_grad_(True) on the parts that are to learn")
    optimizer.zero_grad()
    loss.backward()
    norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0).item()
    if not (torch.isfinite(loss) and norm < float("inf")):
        raise FloatingPointError(
            f"step {step}: the loss is {loss.item()}, the gradient norm {norm}; this step changed no "
            "weight. Lower the learning rate, or look for bad values in the batch"
        )
    optimizer.step()
    schedule.step()
    return norm


def make_optimizer(
    model: nn.Module, steps: int, learning_rate: float, warm_up: float = 0.1, weight_decay: float = 0.01,
    embedding_rate: float = 1.0,
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:  # fmt: skip
    """AdamW; the rate warms up, then decays (as Devlin et al. 2018, A.2, who warm up over 1 % of the run).

    Embeddings learn `embedding_rate` times as fast; beta 2 is 0.98 (Liu et al. 2019, 3.1). Raises ValueError.
    """
    check_number("steps", steps, 1, whole=True)
    rates = {"learning_rate": learning_rate, "weight_decay": weight_decay, "embedding_rate": embedding_rate}
    for name, value in rates.items():
        check_number(name, value, 0)
    matrices, others = parameter_groups(model, weight_decay)
    tables = {id(module.weight) for module in model.modules() if isinstance(module, nn.Embedding)}
    embeddings = matrices | {"params": [weight for weight in matrices["params"] if id(weight) in tables]}
    embeddings["lr"] = learning_rate * embedding_rate
    matrices["params"] = [weight for weight in matrices["params"] if id(weight) not in tables]
    groups = [matrices, embeddings, others]
    optimizer = torch.optim.AdamW(groups, lr=learning_rate, betas=(0.9, 0.98), fused=True)
    factor = partial(linear_warm_up_and_decay, steps=steps, warm_up=warm_up)
    return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


def pretrain(
    model: BertForPreTraining, batches: Iterable[dict[str, torch.Tensor]], steps: int,
    learning_rate: float = 1e-3, on_step: Callable[[int, PreTrainingLoss], None] | None = None,
    next_sentence: float = 1.0, **options,
) -> list[PreTrainingLoss]:  # fmt: skip
    """Train for `steps` batches, each as in `pretraining_loss`; returns the losses of each step, as floats.

    on_step(step, losses) is called after each step, to print, plot or save. next_sentence: weight of that
    loss; options: as in `make_optimizer`. ValueError for too few batches; errors of `update_weights`.
    """
    optimizer, schedule = make_optimizer(model, steps, learning_rate, **options)
    check_number("next_sentence", next_sentence, 0)
    model.train()
    history = []
    for step, batch in enumerate(islice(read_in_order(batches, "the batches"), steps), 1):
        losses = pretraining_loss(model, batch)
        loss = losses.token_loss + next_sentence * losses.next_loss
        update_weights(model, loss, optimizer, schedule, step)
        history.append(PreTrainingLoss(*(value.item() for value in losses)))
        if on_step is not None:
            on_step(step, history[-1])
    if len(history) < steps:
        raise ValueError(f"asked for {steps} steps, but there were only {len(history)} batches")
    return history


@torch.no_grad()
def mean_losses(model: BertForPreTraining, batches: Iterable[dict[str, torch.Tensor]]) -> PreTrainingLoss:
    """The losses over several batches without training: every masked token and every pair counts the same."""
    sums, counts = torch.zeros(4, dtype=torch.double), torch.zeros(4, dtype=torch.double)
    for batch in read_in_order(batches, "the batches"):
        with evaluating(model):
            losses = pretraining_loss(model, batch)
        tokens, pairs = (batch["labels"] != IGNORE).sum().item(), len(batch["next_labels"])
        weights = torch.tensor([tokens, pairs, tokens, pairs])  # in the order of PreTrainingLoss
        sums += weights * torch.tensor([value.item() for value in losses])
        counts += weights
    if not counts.any():
        raise ValueError("there are no batches: give at least one")
    return PreTrainingLoss(*(sums / counts).tolist())


def check_tokenizer(tokenizer: WordPieceTokenizer, model: nn.Module | BertConfig) -> None:
    """Raise ValueError for the tokenizer of another model: ids would mean other words, without an error."""
    config = BertConfig.of(model)
    if not hasattr(tokenizer, "vocabulary"):
        found = type(tokenizer).__name__
        raise ValueError(f"give a WordPieceTokenizer, as from_file makes one of a vocab.txt, not {found}")
    entries, pad_id = len(tokenizer.vocabulary), tokenizer.id_of["[PAD]"]
    if entries != config.vocab_size:
        raise ValueError(
            f"tokenizer with {entries:,} entries, model with {config.vocab_size:,}: load both from one "
            "checkpoint"
        )
    if config.pad_token_id not in (None, pad_id):
        raise ValueError(
            f"[PAD] is entry {pad_id} of the tokenizer, but entry {config.pad_token_id} of the model, which "
            f"would never learn it: load both from one checkpoint, or set pad_token_id={pad_id}"
        )


def precise(logits: torch.Tensor) -> torch.Tensor:
    """Logits in single precision at least: a half-precision model's are made so, others stay as they are."""
    return logits.to(torch.promote_types(logits.dtype, torch.float32))


@torch.no_grad()
def fill_mask(
    model: BertForPreTraining, tokenizer: WordPieceTokenizer, text: str, count: int = 5
) -> list[list[tuple[str, float]]]:
    """For every `[MASK]` in the text, the `count` likeliest entries and their probabilities, the best first.

    Raises ValueError for a text without `[MASK]`, and as `check_tokenizer` does.
    """
    check_tokenizer(tokenizer, model)
    check_number("count", count, 1, len(tokenizer.vocabulary) + 1, whole=True)
    device = next(model.parameters()).device
    batch = {name: values.to(device) for name, values in tokenizer.encode_batch([check_text(text)]).items()}
    positions = batch["ids"] == tokenizer.id_of["[MASK]"]  # (1, T)
    if not positions.any():
        raise ValueError(f"there is no [MASK] in {text!r}: put one where a word is to be guessed")
    with evaluating(model):
        logits = model(**batch, positions=positions).token_logits  # (M, V)
    best = precise(logits).softmax(dim=-1).topk(count)  # (M, count)
    return [
        [(tokenizer.vocabulary[index], chance) for index, chance in zip(indices, chances, strict=True)]
        for indices, chances in zip(best.indices.tolist(), best.values.tolist(), strict=True)
    ]
