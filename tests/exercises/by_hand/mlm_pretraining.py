"""Notebook 6, solved by a reader from its stubs and the text above them: no line is the course's."""

import random
from itertools import islice, pairwise

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from helpers.encoder import evaluating
from helpers.pretraining import (
    IGNORE,
    PreTrainingLoss,
    PreTrainingOutput,
    choose_positions,
    make_optimizer,
    places_to_mask,
    pretraining_loss,
    update_weights,
)
from helpers.wordpiece import SPECIAL_TOKENS


def my_places_to_mask(ids, tokenizer, rate):
    special = torch.tensor([tokenizer.id_of[t] for t in SPECIAL_TOKENS])
    places = ~torch.isin(ids, special)
    count = (places.sum(dim=1, keepdim=True) * rate).round().long()
    count[count < 1] = 1
    return places, count


def my_choose_positions(ids, tokenizer, rate, generator):
    places, count = places_to_mask(ids, tokenizer, rate)
    draws = torch.rand(ids.shape, generator=generator)
    draws[~places] = 1
    rank = draws.argsort(dim=1).argsort(dim=1)
    return rank < count


def my_corrupt(ids, chosen, tokenizer, generator, shares=(0.8, 0.1, 0.1)):
    labels = torch.full_like(ids, IGNORE)
    labels[chosen] = ids[chosen]
    new = ids.clone()
    die = torch.rand(ids.shape, generator=generator)
    m = chosen & (die < shares[0])
    r = chosen & (die >= shares[0]) & (die < shares[0] + shares[1])
    new[m] = tokenizer.id_of["[MASK]"]
    new[r] = torch.randint(len(tokenizer.vocabulary), ids.shape, generator=generator)[r]
    return new, labels


def my_make_sentence_pairs(documents, seed):
    dice = random.Random(seed)
    out = []
    for i, doc in enumerate(documents):
        for x, y in pairwise(doc):
            if dice.random() < 0.5:
                out.append((x, y, 0))
            else:
                others = [q for j, q in enumerate(documents) if j != i and len(q) > 0]
                out.append((x, dice.choice(dice.choice(others)), 1))
    return out


def my_pairs_to_batch(pairs, tokenizer):
    C, S = tokenizer.id_of["[CLS]"], tokenizer.id_of["[SEP]"]
    ids, types, masks, nl = [], [], [], []
    for x, y, label in pairs:
        row = [C] + list(x) + [S] + list(y) + [S]
        ids.append(torch.tensor(row))
        types.append(torch.tensor([0] * (len(x) + 2) + [1] * (len(y) + 1)))
        masks.append(torch.ones(len(row), dtype=torch.long))
        nl.append(label)
    return {
        "ids": pad_sequence(ids, batch_first=True, padding_value=tokenizer.id_of["[PAD]"]),
        "type_ids": pad_sequence(types, batch_first=True),
        "attention_mask": pad_sequence(masks, batch_first=True),
        "next_labels": torch.tensor(nl),
    }


def my_forward(self, ids, type_ids=None, attention_mask=None, positions=None):
    out = self.bert(ids, type_ids, attention_mask)
    h = out.last_hidden_state
    h = self.norm(functional.gelu(self.transform(h)))
    t = functional.linear(h, self.bert.embeddings.token.weight, self.token_bias)
    if positions is not None:
        t = t[positions]
    return PreTrainingOutput(t, self.next_sentence(out.pooled_output))


def my_pretraining_loss(model, batch):
    pos = batch["labels"] != IGNORE
    out = model(batch["ids"], batch["type_ids"], batch["attention_mask"], pos)
    w = batch["labels"][pos]
    ta = (out.token_logits.argmax(-1) == w).float().mean()
    na = (out.next_logits.argmax(-1) == batch["next_labels"]).float().mean()
    return PreTrainingLoss(
        functional.cross_entropy(out.token_logits, w),
        functional.cross_entropy(out.next_logits, batch["next_labels"]),
        ta,
        na,
    )


def my_parameter_groups(model, weight_decay):
    yes, no = [], []
    for name, p in model.named_parameters():
        if not p.requires_grad:
            continue
        (no if "bias" in name or "norm" in name else yes).append(p)
    return [{"params": yes, "weight_decay": weight_decay}, {"params": no, "weight_decay": 0.0}]


def my_linear_warm_up_and_decay(step, steps, warm_up):
    far = (step + 1) / (steps + 1)
    if far < warm_up:
        return far / warm_up
    return max(0, (1 - far) / (1 - warm_up))


def my_update_weights(model, loss, optimizer, schedule, step):
    if not torch.isfinite(loss):
        raise FloatingPointError("loss is not finite")
    optimizer.zero_grad()
    loss.backward()
    n = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    if not torch.isfinite(n):
        raise FloatingPointError("norm")
    optimizer.step()
    schedule.step()
    return n.item()


def my_pretrain(model, batches, steps, learning_rate=1e-3, on_step=None, next_sentence=1.0, **options):
    model.train()
    optimizer, schedule = make_optimizer(model, steps, learning_rate, **options)
    history = []
    step = 0
    for batch in islice(batches, steps):
        step += 1
        loss = pretraining_loss(model, batch)
        update_weights(model, loss.token_loss + next_sentence * loss.next_loss, optimizer, schedule, step)
        loss = PreTrainingLoss(*[x.item() for x in loss])
        history.append(loss)
        if on_step:
            on_step(step, loss)
    if step < steps:
        raise ValueError("too few")
    return history


def my_mean_losses(model, batches):
    tl = nl = ta = na = 0.0
    n = m = 0
    with torch.no_grad(), evaluating(model):
        for b in batches:
            r = pretraining_loss(model, b)
            t = (b["labels"] != IGNORE).sum().item()
            p = len(b["next_labels"])
            tl += r[0].item() * t
            ta += r[2].item() * t
            nl += r[1].item() * p
            na += r[3].item() * p
            n += t
            m += p
    return PreTrainingLoss(tl / n, nl / m, ta / n, na / m)


def my_unigram_logs(documents, vocab_size):
    counts = torch.ones(vocab_size)
    for d in documents:
        for s in d:
            for t in s:
                counts[t] += 1
    return (counts / counts.sum()).log()


def my_mix_counts(counts, simpler):
    p = 3 * simpler
    if counts is not None:
        for e, c in counts.items():
            p[e] += c
    return p / p.sum()


def my_lowest_loss(chances):
    return -torch.where(chances > 0, chances * chances.log(), 0).sum(1).mean().item()


def my_hide_words(ids, tokenizer, rate, generator):
    chosen = choose_positions(ids, tokenizer, rate, generator)
    labels = ids.clone()
    labels[~chosen] = IGNORE
    read = ids.clone()
    read[chosen] = tokenizer.id_of["[MASK]"]
    return read, labels


def my_token_loss_of_slots(logits, labels, weights):
    losses = functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none")
    losses = losses * weights.flatten()
    return losses.sum() / weights.sum()


def my_two_losses(token_logits, labels, next_logits, next_labels):
    criterion = nn.CrossEntropyLoss(ignore_index=0)
    return criterion(token_logits.flatten(0, 1), labels.flatten()), nn.CrossEntropyLoss()(
        next_logits, next_labels
    )
