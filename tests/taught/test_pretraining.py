"""Masking, sentence pairs, the loss and the loop: against the Transformers library, closed forms and loops.

Statistical bounds are 4 standard errors, with fixed seeds: a right implementation fails such a bound with
another seed once in 16,000 times, and `detectable` says which error a bound finds with probability 0.999.
"""

import copy
import math
import random
from itertools import islice, pairwise

import pytest
import torch
import transformers
from torch.nn import functional

from helpers import checkpoints
from helpers.encoder import Bert, BertConfig
from helpers.pretraining import (
    IGNORE,
    BertForPreTraining,
    PreTrainingLoss,
    choose_positions,
    fill_mask,
    linear_warm_up_and_decay,
    make_sentence_pairs,
    mask_tokens,
    mask_whole_words,
    mean_losses,
    pairs_to_batch,
    parameter_groups,
    pretrain,
    pretraining_batches,
    pretraining_loss,
    split_into_segments,
    update_weights,
)
from helpers.training.callbacks import keep_latest
from helpers.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer

WORDS = [f"{first}{second}" for first in "abcdefghij" for second in "klmnopqrst"]
VOCABULARY = [*SPECIAL_TOKENS, *WORDS, *(f"##{first}{second}" for first in "uvwxy" for second in "abcde")]
V = len(VOCABULARY)
FIRST_WORD, FIRST_PIECE = len(SPECIAL_TOKENS), len(SPECIAL_TOKENS) + len(WORDS)


@pytest.fixture
def tokenizer():
    return WordPieceTokenizer(VOCABULARY)


@pytest.fixture
def model():
    torch.manual_seed(0)
    config = BertConfig(
        V, hidden_size=32, num_layers=2, num_heads=4, intermediate_size=64, max_positions=64, dropout=0.0,
        init_std=None,
    )  # fmt: skip
    return BertForPreTraining(Bert(config))


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def random_texts(tokenizer, count, seed=0):
    """Ids with special tokens, words of one to four pieces, and padding of different lengths: (B, 64)."""
    dice, rows = random.Random(seed), []
    for _ in range(count):
        row = [tokenizer.id_of["[CLS]"]]
        length = dice.randint(20, 62)
        while len(row) < length:
            row += [dice.randrange(FIRST_WORD, FIRST_PIECE)]
            row += [dice.randrange(FIRST_PIECE, V) for _ in range(dice.choice([0, 0, 0, 1, 3]))]
        row = row[:length] + [tokenizer.id_of["[SEP]"]]
        rows.append(row + [tokenizer.id_of["[PAD]"]] * (64 - len(row)))
    return torch.tensor(rows)


def documents(count=8, segments=6, length=10, seed=0):
    """Documents of random word ids, cut into segments; every segment is different from all others."""
    dice = random.Random(seed)
    return [
        [[dice.randrange(FIRST_WORD, V) for _ in range(length)] for _ in range(segments)]
        for _ in range(count)
    ]


def some_batch(tokenizer, count=8, seed=0, lengths=(4, 24)):
    """A batch whose rows have very different lengths."""
    dice = random.Random(seed)

    def segment():
        return [dice.randrange(FIRST_WORD, V) for _ in range(dice.randint(*lengths))]

    pairs = [(segment(), segment(), index % 2) for index in range(count)]
    batch = pairs_to_batch(pairs, tokenizer)
    batch["ids"], batch["labels"] = mask_tokens(batch["ids"], tokenizer, generator=generator(seed))
    return batch


def standard_error(share, count):
    return math.sqrt(share * (1 - share) / count)


def detectable(share, count):
    """A true share this far away is found with probability 0.999 (4 standard errors, and 3.1 more)."""
    return 7.1 * standard_error(share, count)


def is_special(ids):
    return ids < len(SPECIAL_TOKENS)


# Masking


@pytest.mark.parametrize("mask", [mask_tokens, mask_whole_words])
def test_the_80_10_10_rule(tokenizer, mask):
    ids = random_texts(tokenizer, 15_000)
    corrupted, labels = mask(ids, tokenizer, generator=generator())
    chosen = labels != IGNORE
    count = chosen.sum().item()
    became_mask = (corrupted == tokenizer.id_of["[MASK]"])[chosen].sum().item()
    stayed = (corrupted == ids)[chosen].sum().item()
    # A random entry can be [MASK], or the token itself.
    for found, share in ((became_mask, 0.8 + 0.1 / V), (stayed, 0.1 + 0.1 / V)):
        assert abs(found / count - share) < 4 * standard_error(share, count)
        assert detectable(share, count) < 0.01


@pytest.mark.parametrize("mask", [mask_tokens, mask_whole_words])
@pytest.mark.parametrize("shares", [(1.0, 0.0, 0.0), (0.8, 0.1, 0.1), (0.5, 0.25, 0.25), (0.0, 0.0, 1.0)])
def test_other_shares(tokenizer, mask, shares):
    ids = random_texts(tokenizer, 8000)
    corrupted, labels = mask(ids, tokenizer, 0.3, generator(), shares)
    chosen = labels != IGNORE
    count = chosen.sum().item()
    masked = (corrupted == tokenizer.id_of["[MASK]"])[chosen].sum().item()
    stayed = (corrupted == ids)[chosen].sum().item()
    for found, share in ((masked, shares[0] + shares[1] / V), (stayed, shares[2] + shares[1] / V)):
        assert abs(found / count - share) <= 4 * standard_error(share, count)
        assert detectable(share, count) < 0.015
    assert torch.equal(labels[chosen], ids[chosen]) and torch.equal(corrupted[~chosen], ids[~chosen])


def test_the_shares_do_not_change_which_tokens_are_chosen(tokenizer):
    """Else shares could not be compared under the same masks."""
    ids = random_texts(tokenizer, 50)
    shares = [(1.0, 0.0, 0.0), (0.8, 0.1, 0.1), (0.0, 0.5, 0.5)]
    first, *others = (mask_tokens(ids, tokenizer, 0.15, generator(), share)[1] for share in shares)
    assert all(torch.equal(first, labels) for labels in others)


@pytest.mark.parametrize("mask", [mask_tokens, mask_whole_words])
@pytest.mark.parametrize(
    "shares", [(0.8, 0.1), (0.8, 0.1, 0.2), (1.1, -0.1, 0.0), (0, 0, 0), (0.8, 0.1, 0.05, 0.05), ()]
)
def test_bad_shares(tokenizer, mask, shares):
    with pytest.raises(ValueError, match="shares are three numbers with the sum 1"):
        mask(random_texts(tokenizer, 2), tokenizer, shares=shares)


def test_random_replacements_are_drawn_from_the_whole_vocabulary_evenly(tokenizer):
    ids = random_texts(tokenizer, 15_000)
    corrupted, labels = mask_tokens(ids, tokenizer, generator=generator())
    other = (labels != IGNORE) & (corrupted != ids) & (corrupted != tokenizer.id_of["[MASK]"])
    counts = torch.bincount(corrupted[other], minlength=V).double()
    assert counts[tokenizer.id_of["[MASK]"]] == 0
    counts = counts[torch.arange(V) != tokenizer.id_of["[MASK]"]]
    error = 4.5 * standard_error(1 / V, counts.sum().item())
    assert (abs(counts / counts.sum() - 1 / (V - 1)) < error).all()


@pytest.mark.parametrize("rate", [0.15, 0.3, 1.0])
def test_the_rate_is_met_in_every_text(tokenizer, rate):
    ids = random_texts(tokenizer, 300)
    _, labels = mask_tokens(ids, tokenizer, rate, generator())
    for row, found in zip(ids, (labels != IGNORE).sum(dim=1), strict=True):
        assert found == max(1, round(rate * (~is_special(row)).sum().item()))


def test_a_text_of_one_word_has_it_masked(tokenizer):
    batch = tokenizer.encode_batch(["ak", "bk"])
    _, labels = mask_tokens(batch["ids"], tokenizer)
    assert ((labels != IGNORE).sum(dim=1) == 1).all()


@pytest.mark.parametrize("mask", [mask_tokens, mask_whole_words])
def test_a_text_of_special_tokens_only_has_nothing_masked(tokenizer, mask):
    ids = tokenizer.encode_batch(["", "[MASK] [SEP]", "ak bk ck"])["ids"]
    corrupted, labels = mask(ids, tokenizer)
    assert ((labels != IGNORE).sum(dim=1) > 0).tolist() == [False, False, True]
    assert torch.equal(corrupted[:2], ids[:2])


@pytest.mark.parametrize("mask", [mask_tokens, mask_whole_words])
def test_special_tokens_and_padding_are_never_chosen_or_changed(tokenizer, mask):
    for seed in range(20):
        ids = random_texts(tokenizer, 100, seed)
        corrupted, labels = mask(ids, tokenizer, generator=generator(seed))
        special = is_special(ids)
        assert special.sum() > 1000
        assert (labels[special] == IGNORE).all() and (corrupted[special] == ids[special]).all()


@pytest.mark.parametrize("mask", [mask_tokens, mask_whole_words])
def test_labels_are_the_hidden_tokens_and_the_rest_is_as_it_was(tokenizer, mask):
    ids = random_texts(tokenizer, 200)
    before = ids.clone()
    corrupted, labels = mask(ids, tokenizer, generator=generator())
    chosen = labels != IGNORE
    assert torch.equal(ids, before), "the caller's tensor is changed"
    assert torch.equal(labels[chosen], ids[chosen]) and torch.equal(corrupted[~chosen], ids[~chosen])
    assert torch.equal(torch.where(chosen, labels, corrupted), ids)


def test_every_position_is_chosen_equally_often(tokenizer):
    ids = torch.randint(FIRST_WORD, V, (20_000, 40), generator=generator())
    shares = choose_positions(ids, tokenizer, 0.15, generator()).double().mean(dim=0)
    assert (abs(shares - 0.15) < 4.5 * standard_error(0.15, len(ids))).all()


def words_of(row):
    """The positions of the words of one text, by a plain loop; special tokens belong to none."""
    words, open_word = [], False
    for position, token in enumerate(row.tolist()):
        if token < FIRST_WORD:
            open_word = False
        elif token >= FIRST_PIECE and open_word:
            words[-1].append(position)
        else:
            words.append([position])
            open_word = True
    return words


def test_whole_words_are_masked_whole(tokenizer):
    ids = random_texts(tokenizer, 500)
    _, labels = mask_whole_words(ids, tokenizer, generator=generator())
    chosen = labels != IGNORE
    several = 0
    for row, row_chosen in zip(ids, chosen, strict=True):
        for word in words_of(row):
            assert len(set(row_chosen[word].tolist())) == 1, "a word is masked in part"
            several += len(word) > 1 and row_chosen[word[0]].item()
    assert several > 500
    places = (~is_special(ids)).sum(dim=1)
    missing = (0.15 * places).round().clamp(min=1) - chosen.sum(dim=1)
    assert (missing >= 0).all() and missing.double().mean() < 0.1, "the rate at most, and nearly always met"


def test_single_tokens_split_words(tokenizer):
    """The counterpart of the test above: its check does find words masked in part."""
    ids = random_texts(tokenizer, 500)
    chosen = mask_tokens(ids, tokenizer, generator=generator())[1] != IGNORE
    found = [
        len(set(row[word].tolist())) for text, row in zip(ids, chosen, strict=True) for word in words_of(text)
    ]
    assert found.count(2) > 500


@pytest.mark.parametrize("mask", [mask_tokens, mask_whole_words])
def test_masks_repeat_from_a_seed_and_change_with_it(tokenizer, mask):
    ids = random_texts(tokenizer, 50)
    first, again, other = (mask(ids, tokenizer, generator=generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(first[0], again[0]) and torch.equal(first[1], again[1])
    assert not torch.equal(first[1], other[1])


@pytest.mark.parametrize("rate", [0, -0.1, 1.5, float("nan")])
def test_bad_rate(tokenizer, rate):
    with pytest.raises(ValueError, match="rate is a share"):
        mask_tokens(random_texts(tokenizer, 2), tokenizer, rate)


# Sentence pairs


def test_segments_are_the_document_in_order_without_the_rest():
    assert split_into_segments(list("abcdefgh"), 3) == [list("abc"), list("def")]
    assert split_into_segments(list("abcdef"), 3) == [list("abc"), list("def")]
    assert split_into_segments(list("ab"), 3) == []


def test_half_of_the_pairs_are_real_and_false_ones_come_from_other_documents():
    texts = documents(count=50, segments=201, length=2)
    numbered = [[(d, s) for s in range(len(text))] for d, text in enumerate(texts)]
    pairs = make_sentence_pairs(numbered, seed=3)
    assert [first for first, _, _ in pairs] == [pair[0] for text in numbered for pair in pairwise(text)]
    for (document, segment), second, label in pairs:
        if label == 0:
            assert second == (document, segment + 1)
        else:
            assert second[0] != document
    share = sum(label for _, _, label in pairs) / len(pairs)
    assert abs(share - 0.5) < 4 * standard_error(0.5, len(pairs))
    assert detectable(0.5, len(pairs)) < 0.04
    others = [second for _, second, label in pairs if label]
    assert {document for document, _ in others} == set(range(50))


def test_pairs_repeat_from_a_seed():
    texts = documents()
    assert make_sentence_pairs(texts, 1) == make_sentence_pairs(texts, 1) != make_sentence_pairs(texts, 2)


@pytest.mark.parametrize(
    "texts",
    [[], [[1, 2, 3]], [[1, 2, 3], []], [[1], [2], [3]]],
    ids=["no document", "one document", "one document with text", "documents of one segment"],
)
def test_documents_that_give_no_pairs(texts):
    with pytest.raises(ValueError, match="two documents with text, and two segments"):
        make_sentence_pairs(texts, 0)


def test_a_batch_of_pairs_is_what_the_library_makes(tokenizer):
    dice = random.Random(0)
    texts = [" ".join(dice.choices(WORDS, k=dice.randint(1, 9))) for _ in range(20)]
    pairs = [
        ([tokenizer.id_of[word] for word in a.split()], [tokenizer.id_of[word] for word in b.split()], i % 2)
        for i, (a, b) in enumerate(pairwise(texts))
    ]
    ours = pairs_to_batch(pairs, tokenizer)
    library = transformers.BertTokenizer(vocab=tokenizer.id_of)
    theirs = library(texts[:-1], texts[1:], padding=True, return_tensors="pt")
    assert torch.equal(ours["ids"], theirs["input_ids"])
    assert torch.equal(ours["type_ids"], theirs["token_type_ids"])
    assert torch.equal(ours["attention_mask"], theirs["attention_mask"])
    assert ours["next_labels"].tolist() == [label for _, _, label in pairs]


def test_a_batch_of_no_pairs(tokenizer):
    with pytest.raises(ValueError, match="the batch is empty"):
        pairs_to_batch([], tokenizer)


def test_batches_go_on_with_new_masks_and_repeat_from_a_seed(tokenizer):
    texts = documents(count=4, segments=5)  # 16 pairs: an epoch has 3 batches of 6, the last one shorter
    first, again = (list(islice(pretraining_batches(texts, tokenizer, 6, seed), 6)) for seed in (1, 1))
    assert [len(batch["ids"]) for batch in first] == [6, 6, 4] * 2
    for one, other in zip(first, again, strict=True):
        assert all(torch.equal(one[name], other[name]) for name in one)
    other = next(pretraining_batches(texts, tokenizer, 6, 2))
    assert not torch.equal(first[0]["labels"], other["labels"])

    def masks_of(batches):
        """The firsts of the pairs of an epoch, with where they are masked."""
        return {
            (tuple(torch.where(labels != IGNORE, labels, ids)[1:11].tolist()), tuple(labels[1:11].tolist()))
            for batch in batches
            for ids, labels in zip(batch["ids"], batch["labels"], strict=True)
        }

    one, two = masks_of(first[:3]), masks_of(first[3:])
    assert {ids for ids, _ in one} == {ids for ids, _ in two}, "each epoch has every first segment"
    assert len(one & two) < len(one) / 2, "the second epoch must not repeat the masks of the first"


# The model and its loss


def twin(model):
    """The library's model with the same weights."""
    return checkpoints.to_transformers(model)


def their_outputs(theirs, batch):
    return theirs(
        input_ids=batch["ids"], token_type_ids=batch["type_ids"], attention_mask=batch["attention_mask"],
        labels=batch["labels"], next_sentence_label=batch["next_labels"],
    )  # fmt: skip


def test_logits_are_the_library_s(model, tokenizer):
    batch = some_batch(tokenizer)
    ours = model(batch["ids"], batch["type_ids"], batch["attention_mask"])
    theirs = their_outputs(twin(model), batch)
    real = batch["attention_mask"].bool()
    torch.testing.assert_close(ours.token_logits[real], theirs.prediction_logits[real], atol=1e-5, rtol=0)
    torch.testing.assert_close(ours.next_logits, theirs.seq_relationship_logits, atol=1e-5, rtol=0)


def test_logits_at_some_positions_are_those_of_everywhere(model, tokenizer):
    batch = some_batch(tokenizer)
    inputs = (batch["ids"], batch["type_ids"], batch["attention_mask"])
    positions = batch["labels"] != IGNORE
    everywhere = model(*inputs).token_logits[positions]
    torch.testing.assert_close(model(*inputs, positions).token_logits, everywhere, atol=1e-6, rtol=0)


def test_loss_and_gradients_are_the_library_s(model, tokenizer):
    theirs = twin(model)
    batch = some_batch(tokenizer, count=16)
    losses = pretraining_loss(model, batch)
    (losses.token_loss + losses.next_loss).backward()
    reference = their_outputs(theirs, batch).loss
    reference.backward()
    assert abs(losses.token_loss + losses.next_loss - reference).item() < 1e-5
    gradients = dict(theirs.named_parameters())
    compared = 0
    for name, parameter in model.named_parameters():
        their_gradient = gradients[checkpoints.their_name(name)].grad
        torch.testing.assert_close(
            parameter.grad, their_gradient, atol=1e-5, rtol=1e-4, msg=f"{name} differs"
        )
        compared += 1
    assert compared == len(gradients)


def test_the_loss_is_a_mean_over_masked_positions_not_over_texts(model, tokenizer):
    """Fails for a mean over each text (or each padded text) first, which weighs short texts too much."""
    batch = some_batch(tokenizer, lengths=(1, 28))
    logits = model(batch["ids"], batch["type_ids"], batch["attention_mask"]).token_logits.log_softmax(-1)
    in_texts = [
        [-logits[row, place, label].item() for place, label in enumerate(labels) if label != IGNORE]
        for row, labels in enumerate(batch["labels"].tolist())
    ]
    everything = [loss for losses in in_texts for loss in losses]
    ours = pretraining_loss(model, batch).token_loss.item()
    assert ours == pytest.approx(sum(everything) / len(everything), abs=1e-5)
    by_text = sum(sum(losses) / len(losses) for losses in in_texts) / len(in_texts)
    with_padding = sum(everything) / batch["ids"].numel()
    assert abs(ours - by_text) > 1e-3 and abs(ours - with_padding) > 1


# Two published bugs, each as a small wrong loss, and the checks that pass for ours and fail for them.


def mean_over_all_positions(model, batch):
    """The masked loss averaged before the padding and the unmasked positions are taken out: over B * T."""
    output = model(batch["ids"], batch["type_ids"], batch["attention_mask"])
    losses = functional.cross_entropy(output.token_logits.transpose(1, 2), batch["labels"], reduction="none")
    return losses.mean(), functional.cross_entropy(output.next_logits, batch["next_labels"])


def mean_then_mask(model, batch):
    """The mean over all positions of the batch, and only then the weights of the masked ones."""
    output = model(batch["ids"], batch["type_ids"], batch["attention_mask"])
    wanted = batch["labels"] != IGNORE
    labels = batch["labels"].masked_fill(~wanted, 0)
    mean = functional.cross_entropy(output.token_logits.transpose(1, 2), labels)
    return (mean * wanted).sum() / wanted.sum(), functional.cross_entropy(
        output.next_logits, batch["next_labels"]
    )


def mean_of_the_means_of_texts(model, batch):
    output = model(batch["ids"], batch["type_ids"], batch["attention_mask"])
    losses = functional.cross_entropy(output.token_logits.transpose(1, 2), batch["labels"], reduction="none")
    by_text = losses.sum(dim=1) / (batch["labels"] != IGNORE).sum(dim=1)
    return by_text.mean(), functional.cross_entropy(output.next_logits, batch["next_labels"])


def swallows(label):
    """The loss of the pairs with an `ignore_index` that is one of the two answers."""

    def wrong(model, batch):
        output = model(batch["ids"], batch["type_ids"], batch["attention_mask"])
        token_loss = functional.cross_entropy(output.token_logits.transpose(1, 2), batch["labels"])
        return token_loss, functional.cross_entropy(
            output.next_logits, batch["next_labels"], ignore_index=label
        )

    return wrong


def ours(model, batch):
    return pretraining_loss(model, batch)[:2]


def is_the_library_s_loss(loss, model, tokenizer):
    """The check: equal to `transformers.BertForPreTraining`, for texts of very different lengths."""
    batch = some_batch(tokenizer, lengths=(1, 28))
    return abs(sum(loss(model, batch)).item() - their_outputs(twin(model), batch).loss.item()) < 1e-4


def learns_both_answers(loss, model, tokenizer):
    """The check: from pairs of one answer alone, either one, that answer becomes the likelier one."""
    for label in (0, 1):
        learner = copy.deepcopy(model)
        batch = some_batch(tokenizer) | {"next_labels": torch.full((8,), label)}
        optimizer = torch.optim.SGD(learner.parameters(), lr=0.1)
        for _ in range(10):
            optimizer.zero_grad()
            next_loss = loss(learner, batch)[1]
            next_loss.backward()
            optimizer.step()
        if not (torch.isfinite(next_loss) and pretraining_loss(learner, batch).next_accuracy == 1):
            return False
    return True


def test_our_loss_passes_the_checks_that_published_bugs_fail(model, tokenizer):
    assert is_the_library_s_loss(ours, model, tokenizer) and learns_both_answers(ours, model, tokenizer)
    for wrong in (mean_over_all_positions, mean_then_mask, mean_of_the_means_of_texts):
        assert not is_the_library_s_loss(wrong, model, tokenizer), wrong.__name__
    for label in (0, 1):
        assert not learns_both_answers(swallows(label), model, tokenizer), label
        assert not is_the_library_s_loss(swallows(label), model, tokenizer), label


def test_more_padding_changes_nothing(model, tokenizer):
    batch = some_batch(tokenizer)
    padding = {"ids": tokenizer.id_of["[PAD]"], "type_ids": 0, "attention_mask": 0, "labels": IGNORE}
    longer = batch | {
        name: torch.nn.functional.pad(batch[name], (0, 5), value=value) for name, value in padding.items()
    }
    for short, long in zip(pretraining_loss(model, batch), pretraining_loss(model, longer), strict=True):
        assert short.item() == pytest.approx(long.item(), abs=1e-5)


@pytest.mark.parametrize("label", [0, 1])
def test_both_answers_about_the_pair_are_learned(model, tokenizer, label):
    """Fails for an ignore_index that swallows one of the classes."""
    batch = some_batch(tokenizer) | {"next_labels": torch.full((8,), label)}
    loss = pretraining_loss(model, batch).next_loss
    loss.backward()
    assert torch.isfinite(loss) and model.next_sentence.bias.grad.abs().min() > 0.1
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    optimizer.step()
    logits = pretraining_loss(model, batch)
    assert logits.next_loss < loss and logits.next_accuracy == 1


def test_accuracies_count_right_answers(model, tokenizer):
    batch = some_batch(tokenizer)
    output = model(batch["ids"], batch["type_ids"], batch["attention_mask"])
    right = wrong = 0
    for logits, labels in zip(output.token_logits, batch["labels"], strict=True):
        for place in range(len(labels)):
            if labels[place] != IGNORE:
                hit = logits[place].argmax() == labels[place]
                right, wrong = right + hit.item(), wrong + (not hit)
    assert pretraining_loss(model, batch).token_accuracy.item() == pytest.approx(right / (right + wrong))


def test_the_token_head_shares_the_embeddings(model):
    names = dict(model.named_parameters())
    assert sum(parameter.shape == (V, 32) for parameter in names.values()) == 1
    assert names["bert.embeddings.token.weight"] is model.bert.embeddings.token.weight


@pytest.mark.parametrize("init_std", [None, 0.02])
@pytest.mark.parametrize("vocab_size", [130, 3000])
def test_the_first_loss_is_that_of_knowing_nothing(tokenizer, init_std, vocab_size):
    torch.manual_seed(1)
    config = BertConfig(vocab_size, 64, 2, 4, 256, 64, init_std=init_std)
    losses = pretraining_loss(BertForPreTraining(Bert(config)).eval(), some_batch(tokenizer, 32))
    assert losses.token_loss.item() == pytest.approx(math.log(vocab_size), rel=0.03)
    assert losses.next_loss.item() == pytest.approx(math.log(2), rel=0.05)


def changed(name, change):
    def make(batch):
        values = batch[name].clone()
        return batch | {name: change(values, batch)}

    return make


def put(value, place):
    def change(values, batch):
        values[place(batch)] = value
        return values

    return change


def first_label(batch):
    return tuple(place[0] for place in (batch["labels"] != IGNORE).nonzero(as_tuple=True))


def first_padding(batch):
    return tuple(place[0] for place in (batch["attention_mask"] == 0).nonzero(as_tuple=True))


BAD_BATCHES = {
    "an id outside the vocabulary": (changed("ids", put(V, lambda b: (0, 1))), f"ids must lie in 0..{V - 1}"),
    "a negative id": (changed("ids", put(-1, lambda b: (0, 1))), "ids must lie in"),
    "no masked position": (
        changed("labels", lambda values, _: torch.full_like(values, IGNORE)), "mask some tokens first"
    ),
    "a label outside the vocabulary": (changed("labels", put(V, first_label)), f"lie in 0..{V - 1}"),
    "a negative label": (changed("labels", put(-1, first_label)), f"lie in 0..{V - 1}"),
    "a label at padding": (changed("labels", put(7, first_padding)), "a padding position has a label"),
    "labels of another shape": (
        changed("labels", lambda values, _: values[:, 1:]), "labels must be whole numbers of shape"
    ),
    "a mask of another shape": (
        changed("attention_mask", lambda values, _: values[:, 1:]),
        "attention_mask must be whole numbers of shape",
    ),
    "answers that are no whole numbers": (
        changed("next_labels", lambda values, _: values.float()), "next_labels must be whole numbers"
    ),
    "a third answer about a pair": (changed("next_labels", put(2, lambda b: 0)), "0 (follows) or 1"),
    "too few answers": (changed("next_labels", lambda values, _: values[1:]), "next_labels must be"),
    "an empty batch": (lambda b: {name: values[:0] for name, values in b.items()}, "the batch is empty"),
    "a text that is all padding": (
        lambda b: b
        | {
            "attention_mask": torch.cat([b["attention_mask"][:-1], torch.zeros_like(b["ids"][:1])]),
            "labels": torch.cat([b["labels"][:-1], torch.full_like(b["ids"][:1], IGNORE)]),
        },
        "no visible token",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("make", "words"), BAD_BATCHES.values(), ids=BAD_BATCHES)
def test_bad_batches_are_refused_before_anything_is_learned(model, tokenizer, make, words):
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(ValueError) as caught:
        pretrain(model, [make(some_batch(tokenizer))], steps=1)
    assert words in str(caught.value)
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_more_tokens_than_positions(model, tokenizer):
    with pytest.raises(ValueError, match="64"):
        pretraining_loss(model, some_batch(tokenizer, lengths=(40, 45)))


# The loop


def test_training_is_what_the_library_s_model_does_in_a_plain_loop(model, tokenizer):
    theirs, steps, rate = twin(model).train(), 5, 1e-3
    batches = list(islice(pretraining_batches(documents(), tokenizer, 8, 0), steps))
    decayed = [p for p in theirs.parameters() if p.dim() > 1]
    others = [p for p in theirs.parameters() if p.dim() <= 1]
    optimizer = torch.optim.AdamW([{"params": decayed}, {"params": others, "weight_decay": 0.0}], lr=rate)
    optimizer.param_groups[0]["weight_decay"] = 0.01
    expected = []
    for step, batch in enumerate(batches, 1):
        share = min(step / (steps + 1) / 0.1, (1 - step / (steps + 1)) / 0.9)
        for group in optimizer.param_groups:
            group["lr"] = rate * share
        optimizer.zero_grad()
        loss = their_outputs(theirs, batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(theirs.parameters(), 1.0)
        optimizer.step()
        expected.append(loss.item())
    history = pretrain(model, batches, steps, rate)
    assert [losses.token_loss + losses.next_loss for losses in history] == pytest.approx(expected, abs=1e-4)


def test_the_learning_rate_is_the_library_s_schedule():
    steps = 40
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = transformers.get_linear_schedule_with_warmup(optimizer, 10, steps + 10)
    optimizer.step()
    theirs = []
    for _ in range(steps + 9):
        schedule.step()
        theirs.append(schedule.get_last_lr()[0])
    ours = [linear_warm_up_and_decay(step, steps + 9, 10 / (steps + 10)) for step in range(steps + 9)]
    assert ours == pytest.approx(theirs) and max(ours) == 1 and 0 < min(ours)


def test_weight_decay_is_for_matrices_and_each_weight_is_in_one_group(model):
    model.bert.layers[0].requires_grad_(False)
    decayed, others = parameter_groups(model, 0.01)
    assert (decayed["weight_decay"], others["weight_decay"]) == (0.01, 0.0)
    grouped = [id(parameter) for parameter in decayed["params"] + others["params"]]
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    assert sorted(grouped) == sorted(id(p) for p in model.parameters() if p.requires_grad)
    assert all(names[id(p)].endswith("weight") and "norm" not in names[id(p)] for p in decayed["params"])
    assert all(names[id(p)].endswith("bias") or "norm" in names[id(p)] for p in others["params"])


def test_one_batch_can_be_learned_by_heart(model, tokenizer):
    batch = some_batch(tokenizer)
    history = pretrain(model, [batch] * 150, 150, 3e-3)
    assert history[0].token_loss > 4 and history[-1].token_loss < 0.1
    assert history[-1].token_accuracy == 1 and history[-1].next_accuracy == 1


def test_on_step_is_called_after_each_step_with_its_losses(model, tokenizer):
    seen = []
    batches = pretraining_batches(documents(), tokenizer, 8, 0)
    history = pretrain(model, batches, 4, on_step=lambda step, losses: seen.append((step, losses)))
    assert seen == list(enumerate(history, 1))
    assert all(isinstance(losses, PreTrainingLoss) for losses in history)
    assert all(isinstance(value, float) for losses in history for value in losses)


@pytest.mark.parametrize("count", [0, 3])
def test_fewer_batches_than_steps(model, tokenizer, count):
    batches = list(islice(pretraining_batches(documents(), tokenizer, 8, 0), count))
    with pytest.raises(ValueError, match=f"asked for 5 steps, but there were only {count} batches"):
        pretrain(model, batches, 5)


@pytest.mark.parametrize("steps", [0, -1])
def test_no_steps(model, steps):
    with pytest.raises(ValueError, match="steps must be at least 1"):
        pretrain(model, [], steps)


def test_a_gradient_that_is_not_finite_changes_no_weight(model):
    before = copy.deepcopy(model.state_dict())
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    schedule = torch.optim.lr_scheduler.ConstantLR(optimizer)
    for bad in (float("nan"), float("inf")):
        with pytest.raises(FloatingPointError, match=f"step 12: the loss is {bad}"):
            update_weights(model, (model.token_bias.sum() + 1) * bad, optimizer, schedule, 12)
    root = (model.token_bias.sum() - model.token_bias.sum()).abs().sqrt()  # 0, with an infinite slope
    with pytest.raises(FloatingPointError, match="step 13: the loss is 0.0, the gradient norm (nan|inf)"):
        update_weights(model, root, optimizer, schedule, 13)
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_a_loss_that_is_not_finite_stops_and_leaves_the_last_good_checkpoint(model, tokenizer, tmp_path):
    folder, kept = tmp_path / "latest", {}
    save = keep_latest(folder, model, tokenizer, every=2)

    def save_then_break(step, losses):
        save(step, losses)
        if step == 4:
            kept.update(copy.deepcopy(model.state_dict()))
        if step == 5:
            with torch.no_grad():
                model.transform.weight.fill_(float("inf"))

    with pytest.raises(FloatingPointError, match="step 6: the loss is nan"):
        pretrain(model, pretraining_batches(documents(), tokenizer, 8, 0), 20, on_step=save_then_break)
    loaded, loaded_tokenizer = checkpoints.load(folder)
    assert loaded_tokenizer.vocabulary == VOCABULARY
    assert all(torch.equal(kept[name], tensor) for name, tensor in loaded.state_dict().items())
    assert [path.name for path in tmp_path.iterdir()] == ["latest"], "something half-written is left"
    batches = list(islice(pretraining_batches(documents(), tokenizer, 8, 1), 2))
    assert math.isfinite(mean_losses(loaded, batches).token_loss)


def test_saving_at_a_bad_interval(model, tokenizer, tmp_path):
    with pytest.raises(ValueError, match="at least 1 step"):
        keep_latest(tmp_path, model, tokenizer, every=0)


# Measuring and asking


def test_mean_losses_weigh_every_token_and_every_pair_the_same(model, tokenizer):
    batches = [some_batch(tokenizer, count, seed, lengths) for count, seed, lengths in
               ((12, 0, (20, 28)), (2, 1, (1, 3)), (5, 2, (8, 12)))]  # fmt: skip
    model.train()
    found = mean_losses(model, batches)
    assert model.training, "the mode of the model is left as it was"
    losses, pair_losses = [], []
    for batch in batches:
        output = model(batch["ids"], batch["type_ids"], batch["attention_mask"])
        chosen = batch["labels"] != IGNORE
        logs = output.token_logits.log_softmax(-1)[chosen]
        losses += [-log[label].item() for log, label in zip(logs, batch["labels"][chosen], strict=True)]
        pair_logs = output.next_logits.log_softmax(-1)
        pair_losses += [-log[i].item() for log, i in zip(pair_logs, batch["next_labels"], strict=True)]
    assert found.token_loss == pytest.approx(sum(losses) / len(losses), abs=1e-5)
    assert found.next_loss == pytest.approx(sum(pair_losses) / len(pair_losses), abs=1e-5)
    with pytest.raises(ValueError, match="no batches"):
        mean_losses(model, [])


def test_measuring_switches_dropout_off(tokenizer):
    model = BertForPreTraining(Bert(BertConfig(V, 32, 2, 4, 64, 64, dropout=0.5))).train()
    batch = some_batch(tokenizer)
    assert mean_losses(model, [batch]) == mean_losses(model, [batch])


def test_the_library_s_pipeline_fills_masks_alike(model, tokenizer, tmp_path):
    with torch.no_grad():
        model.token_bias.normal_(generator=generator())  # so that answers differ clearly
    checkpoints.save(model, tokenizer, tmp_path / "model")
    pipeline = transformers.pipeline("fill-mask", str(tmp_path / "model"))
    text = "ak bl [MASK] ct dk"
    (ours,) = fill_mask(model, tokenizer, text)
    theirs = pipeline(text)
    assert [token for token, _ in ours] == [answer["token_str"] for answer in theirs]
    assert [p for _, p in ours] == pytest.approx([answer["score"] for answer in theirs], abs=1e-5)


def test_every_mask_is_filled(model, tokenizer):
    answers = fill_mask(model, tokenizer, "[MASK] bl [MASK]", count=V)
    assert [len(answer) for answer in answers] == [V, V]
    for answer in answers:
        chances = [chance for _, chance in answer]
        assert sum(chances) == pytest.approx(1, abs=1e-4) and chances == sorted(chances, reverse=True)


def test_a_text_without_a_mask(model, tokenizer):
    with pytest.raises(ValueError, match=r"no \[MASK\] in 'ak bl'"):
        fill_mask(model, tokenizer, "ak bl")


@pytest.mark.parametrize("batch_size", [0, -1])
def test_a_batch_size_below_one_is_refused(tokenizer, batch_size):
    with pytest.raises(ValueError, match="batch_size must be at least 1"):
        next(pretraining_batches(documents(), tokenizer, batch_size, 0))
