"""Muon for the layers, heads that begin at the neighbors, no sentence pairs, fewer steps.

What the live run does and this does not: the next-sentence loss, the last layer at words that nobody asks
for, and one mask rate throughout. The matrices of the layers learn by Muon (Jordan et al. 2024), all of one
shape in one product, since small matrices one by one cost more than their work.
"""

import torch
from torch import nn
from torch.nn import functional

from helpers.encoder import Bert, BertConfig, evaluating
from helpers.pretraining import IGNORE, BertForPreTraining, mask_tokens, pretraining_batches
from helpers.studies.story_runs import token_counts
from helpers.training.shortcuts import masked_token_logits
from helpers.training.starts import log_frequencies, start_with_neighbors

WHO = "the course"
WHAT = "Muon, neighbors at the start, masks from 40 to 20%, no sentence pairs"

STEPS, BATCH, WARM_UP = 3600, 16, 0.02
RATE, MUON_RATE, TOKEN_RATE, POSITION_RATE = 2e-3, 8e-3, 1e-2, 2e-3
FIRST_MASKS, LAST_MASKS = 0.4, 0.2
MEASURED = [*range(400, 2800, 400), *range(2800, STEPS + 1, 50)]
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # Jordan et al. 2024


class Muon:
    """Muon for many small matrices: those of one shape (or its transpose) are made orthogonal together."""

    def __init__(self, weights, rate, momentum=0.95, weight_decay=0.01):
        self.rate, self.momentum, self.weight_decay = rate, momentum, weight_decay
        self.groups = {}
        for weight in weights:
            self.groups.setdefault(tuple(sorted(weight.shape)), []).append(weight)
        self.means = {shape: torch.zeros(len(group), *shape) for shape, group in self.groups.items()}

    @torch.no_grad()
    def step(self, share):
        a, b, c = NEWTON_SCHULZ
        for shape, group in self.groups.items():
            wide = [weight.shape == shape for weight in group]
            gradient = torch.stack(
                [w.grad if is_wide else w.grad.T for w, is_wide in zip(group, wide, strict=True)]
            )
            mean = self.means[shape].lerp_(gradient, 1 - self.momentum)
            update = gradient.lerp(mean, self.momentum)
            update /= update.norm(dim=(1, 2), keepdim=True) + 1e-7
            for _ in range(5):
                square = update @ update.mT
                update = torch.baddbmm(
                    update, torch.baddbmm(square, square, square, beta=b, alpha=c), update, beta=a
                )
            size = (
                self.rate * share * 0.2 * max(shape) ** 0.5
            )  # as large as AdamW's (Liu et al. 2025, section 2.2)
            for weight, own, is_wide in zip(group, update, wide, strict=True):
                weight.mul_(1 - self.rate * share * self.weight_decay)
                weight.sub_(own if is_wide else own.T, alpha=size)


def make_model(data, seed):
    torch.manual_seed(seed)
    size = len(data.tokenizer.vocabulary)
    longest = max(len(segment) for document in data.documents for segment in document)
    bert = Bert(BertConfig(size, 64, 2, 4, 256, 2 * longest + 3, dropout=0.0, init_std=None))
    start_with_neighbors(bert, (-1, 1), later=1.0)
    model = BertForPreTraining(bert)
    with torch.no_grad():
        model.token_bias.copy_(log_frequencies(token_counts(data.documents, size)))
    for part in (model.next_sentence, bert.pooler):
        part.requires_grad_(False)
    return model


def make_optimizers(model):
    embeddings = model.bert.embeddings
    matrices = [weight for weight in model.bert.layers.parameters() if weight.dim() == 2]
    taken = {id(weight) for weight in (*matrices, embeddings.token.weight, embeddings.position.weight)}
    rest = [weight for weight in model.parameters() if weight.requires_grad and id(weight) not in taken]
    groups = [
        {"params": [embeddings.token.weight], "lr": TOKEN_RATE, "weight_decay": 0.01},
        {"params": [embeddings.position.weight], "lr": POSITION_RATE, "weight_decay": 0.0},
        {"params": rest, "lr": RATE, "weight_decay": 0.0},
    ]
    adamw = torch.optim.AdamW(groups, betas=(0.9, 0.98), fused=True)
    for group in adamw.param_groups:
        group["peak"] = group["lr"]
    return adamw, Muon(matrices, MUON_RATE)


def train(data, seed, measure):
    model, place = make_model(data, seed), [0.0]
    adamw, muon = make_optimizers(model)
    weights = [weight for weight in model.parameters() if weight.requires_grad]

    def hide(ids, tokenizer, generator):
        rate = FIRST_MASKS + place[0] * (LAST_MASKS - FIRST_MASKS)
        return mask_tokens(ids, tokenizer, rate, generator, (1.0, 0.0, 0.0))

    def predict(ids, type_ids, attention_mask, positions):
        with evaluating(model):
            return masked_token_logits(model, ids, positions, type_ids, attention_mask)

    batches = pretraining_batches(data.documents, data.tokenizer, BATCH, seed, mask=hide)
    for step in range(1, STEPS + 1):
        place[0] = step / (STEPS + 1)
        share = min(1.0, place[0] / WARM_UP, (1 - place[0]) / (1 - WARM_UP))
        batch = next(batches)
        positions = batch["labels"] != IGNORE
        logits = masked_token_logits(
            model, batch["ids"], positions, batch["type_ids"], batch["attention_mask"]
        )
        functional.cross_entropy(logits, batch["labels"][positions]).backward()
        if not torch.isfinite(nn.utils.clip_grad_norm_(weights, 1.0)):
            raise FloatingPointError(f"step {step}: the gradient is not finite")
        for group in adamw.param_groups:
            group["lr"] = group["peak"] * share
        adamw.step()
        muon.step(share)
        adamw.zero_grad()
        model.zero_grad()
        if step in MEASURED:
            measure(predict, step)
