"""Notebook 10: what a head hands on, a head switched off, rollout."""

import numpy as np
import torch

from helpers.attention import MultiHeadSelfAttention
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import attention_views as references

# 10.4 shares_handed_on

HANDED = '''
def my_shares_handed_on(weights, values, mixing):
    """weights (A, T, T), values (A, T, D), mixing (H, A · D), the output layer's weight -> shares (A, T, T).

    In row i of a head, column j: the length of what it hands on to token i from token j, divided by the
    sum of these lengths over all j. A part is weight times value, sent through the head's own columns of
    `mixing`.
    """
    ...
'''


def probe_handed(shares_handed_on):
    torch.manual_seed(5)
    yield (
        "one head",
        shares_handed_on(
            torch.tensor([[[0.5, 0.5], [0.2, 0.8]]]),
            torch.tensor([[[1.0, 0.0], [0.0, 1.0]]]),
            torch.tensor([[3.0, 0.0], [4.0, 1.0]]),
        ),
    )
    weights, values = torch.randn(3, 4, 4).softmax(-1), torch.randn(3, 4, 2)  # A = 3, T = 4, D = 2
    yield "three heads", shares_handed_on(weights, values, torch.randn(6, 6))


def first_row_handed(parts):
    return parts["one head"][0, 0]


def three_heads(parts):
    return parts["three heads"][1, 0]


def _hand(weights, values, mixing, *, cut=None, length=None, combine=None, share=None):
    """shares_handed_on with one step done in another way."""
    columns = (cut or (lambda m, a: m.unflatten(1, (a, -1))))(mixing, len(values))
    sent = torch.einsum("atd,had->ath", values, columns)
    lengths = (length or (lambda x: x.norm(dim=-1)))(sent)
    handed = (combine or (lambda w, x: w * x[:, None, :]))(weights, lengths)
    return (share or (lambda h: h / h.sum(dim=-1, keepdim=True)))(handed)


def hand(**changes):
    return lambda weights, values, mixing: _hand(weights, values, mixing, **changes)


def handed_without_mixing(weights, values, mixing):
    handed = weights * values.norm(dim=-1)[:, None, :]
    return handed / handed.sum(dim=-1, keepdim=True)


def _shares(handed):
    return handed / handed.sum(dim=-1, keepdim=True)


def handed_in_loops(weights, values, mixing):
    found, size = torch.zeros_like(weights), values.shape[-1]
    for a in range(len(values)):
        block = mixing[:, a * size : (a + 1) * size]
        for i in range(weights.shape[1]):
            parts = [(block @ (weights[a, i, j] * values[a, j])).norm() for j in range(weights.shape[2])]
            found[a, i] = torch.stack(parts) / sum(parts)
    return found


HANDED_MISTAKES = (
    Mistake(
        "the weights themselves",
        lambda weights, values, mixing: weights.clone(),
        "the first row of the one head is {yours}, expected {expected}: these are the weights. Token 0 is handed on "
        "as (3, 4), of length 5, token 1 as (0, 1), of length 1",
    ),
    Mistake(
        "without the output matrix",
        handed_without_mixing,
        "the first row of the one head is {yours}, expected {expected}: you measure the values as they are, both of "
        "length 1. What happens to them before they reach the hidden state?",
    ),
    Mistake(
        "matrix transposed",
        hand(cut=lambda mixing, a: mixing.T.unflatten(1, (a, -1))),
        "the first row of the one head is {yours}, expected {expected}: the matrix is used the wrong way round. A head "
        "reads with its columns, and `mixing` has one row for each number of the result",
    ),
    Mistake(
        "lengths not divided",
        hand(share=lambda handed: handed),
        "the first row of the one head is {yours}, expected {expected}: these are lengths, which don't add up to 1. "
        "What makes a share of a length?",
    ),
    Mistake(
        "weights left out",
        hand(combine=lambda weights, lengths: lengths[:, None, :].expand_as(weights)),
        "right where both weights are equal, but the second row of the one head is {yours}, expected {expected}: it is "
        "the same in every row. What does the head multiply a value with before it adds up?",
        show=lambda parts: parts["one head"][0, 1],
    ),
    Mistake(
        "columns add up",
        hand(share=lambda handed: handed / handed.sum(dim=-2, keepdim=True)),
        "the first row of the one head is {yours}, expected {expected}: your columns add up to 1. The sum goes over "
        "the tokens that are looked at, for each token that looks",
    ),
    Mistake(
        "squared lengths",
        hand(length=lambda sent: sent.square().sum(dim=-1)),
        "the first row of the one head is {yours}, expected {expected}: 25 to 1 is the ratio of the squares; the "
        "lengths are 5 and 1",
    ),
    Mistake(
        "sums of absolute numbers",
        hand(length=lambda sent: sent.abs().sum(dim=-1)),
        "the first row of the one head is {yours}, expected {expected}: you take 3 + 4 for the length of (3, 4); the "
        "length that Pythagoras means is 5",
    ),
    Mistake(
        "all heads added up",
        lambda weights, values, mixing: _shares(
            weights * (values.transpose(0, 1).flatten(1) @ mixing.T).norm(dim=-1)
        ),
        "right for one head, but of three heads the second has {yours} in its first row, expected {expected}: you send "
        "the values of all heads through the matrix together, so every head gets the lengths of the sum. Each head has "
        "columns of its own",
        show=three_heads,
    ),
    Mistake(
        "mean instead of length",
        hand(length=lambda sent: sent.mean(dim=-1)),
        "the first row of the one head is {yours}, expected {expected}: you take the mean of the numbers; a length is the "
        "root of the sum of their squares",
    ),
    Mistake(
        "heads interleaved",
        hand(cut=lambda mixing, a: mixing.unflatten(1, (-1, a)).transpose(1, 2)),
        "right for one head, but of three heads the second has {yours} in its first row, expected {expected}: heads "
        "stand side by side in the columns, D for the first, then D for the second. You deal the columns out in turn",
        show=three_heads,
    ),
    Mistake(
        "the first head's columns for all",
        hand(cut=lambda mixing, a: mixing.unflatten(1, (a, -1))[:, :1].expand(-1, a, -1)),
        "right for one head, but of three heads the second has {yours} in its first row, expected {expected}: it is "
        "sent through the columns of the first",
        show=three_heads,
    ),
    Mistake(
        "shares of the whole table",
        hand(share=lambda h: h / h.sum(dim=(-2, -1), keepdim=True)),
        "the first row of the one head is {yours}, expected {expected}: all shares of a table add up to 1. Each row, the token "
        "that looks, shares out a 1 of its own",
    ),
    Mistake(
        "shares among the heads",
        hand(share=lambda h: h / h.sum(dim=0, keepdim=True)),
        "the first row of the one head is {yours}, expected {expected}: you divide by the sum over the heads; the sum goes over "
        "the tokens that are looked at",
    ),
    Mistake(
        "softmax of the lengths",
        hand(share=lambda h: h.softmax(dim=-1)),
        "the first row of the one head is {yours}, expected {expected}: softmax of the lengths is no share of them: a share is a "
        "length divided by the sum of lengths",
    ),
    Mistake(
        "divided by the largest",
        hand(share=lambda h: h / h.amax(dim=-1, keepdim=True)),
        "the first row of the one head is {yours}, expected {expected}: you divide by the largest length of the row, so the "
        "shares don't add up to 1",
    ),
    Mistake(
        "the largest number of a vector",
        hand(length=lambda x: x.abs().amax(dim=-1)),
        "the first row of the one head is {yours}, expected {expected}: you take the largest number of a vector for its length",
    ),
    Mistake(
        "values brought to length 1",
        lambda weights, values, mixing: _hand(
            weights, values / values.norm(dim=-1, keepdim=True), mixing
        ),
        "right where values have length 1; of three heads the second has {yours} in its first row, expected {expected}: you "
        "bring the values to length 1 first, and a short value hands on little",
        show=three_heads,
    ),
)

# 10.5 switch_off

SWITCH = '''
def my_switch_off(attention, head):
    """From now on nothing that this head finds is handed on.

    attention: a layer's MultiHeadSelfAttention, with `num_heads` and `output`, its last linear layer.
    Gives back the handle of the hook, whose remove() ends it.
    """
    ...
'''


class Removed:
    """A handle that does nothing."""

    def remove(self):
        pass


def probe_switch(switch_off):
    torch.manual_seed(0)
    block, states = MultiHeadSelfAttention(12, 3).eval(), torch.randn(1, 5, 12)  # T = 5, A = 3, D = 4
    with torch.no_grad():
        block.output.bias.copy_(torch.linspace(1, 2, 12))
        full, mixing = block(states, return_probabilities=True)
        value = block.value(states).unflatten(2, (3, 4)).transpose(1, 2)  # (1, A, T, D)
        found = mixing @ value
        for head in (1, 2):
            handle = switch_off(block, head)
            taken = (full - block(states)[0])[0]
            parts = [found[0, h] @ block.output.weight[:, 4 * h : 4 * h + 4].T for h in range(3)]
            handle.remove()
            yield f"taken away with head {head}", taken
            yield f"its parts {head}", [round((taken - part).norm().item(), 3) < 1e-4 for part in parts]
        yield "after remove()", bool((block(states)[0] - full).abs().max() < 1e-6)


def first_numbers(parts):
    return parts["taken away with head 1"][0, :3]


def _hook(change):
    """A pre-hook on the output layer that makes `change(context, head, D)` of what the heads found."""

    def program(attention, head):
        size = attention.output.in_features // attention.num_heads
        return attention.output.register_forward_pre_hook(
            lambda layer, inputs: (change(inputs[0].clone(), head, size),)
        )

    return program


def blank(context, where):
    context[..., where] = 0
    return context


def blank_tokens(context, where):
    context[:, where] = 0
    return context


def silence_result_of(layer, attention, head):
    """Zeros in the head's places of what one of the linear layers gives."""
    size = attention.output.in_features // attention.num_heads

    def silence(layer, inputs, result):
        return blank(result.clone(), slice(head * size, (head + 1) * size))

    return layer.register_forward_hook(silence)


def switch_after_mixing(attention, head):
    return silence_result_of(attention.output, attention, head)


def switch_without_return(attention, head):
    def silence(layer, inputs):
        blank(inputs[0].clone(), slice(head * 4, head * 4 + 4))

    return attention.output.register_forward_pre_hook(silence)


def switch_for_good(attention, head):
    size = attention.output.in_features // attention.num_heads
    with torch.no_grad():
        attention.output.weight[:, head * size : (head + 1) * size] = 0
    return Removed()


def switch_rows_of_weight(attention, head):
    size = attention.output.in_features // attention.num_heads
    weight = attention.output.weight.detach()
    block = slice(head * size, (head + 1) * size)
    kept = weight[block].clone()
    with torch.no_grad():
        weight[block] = 0

    class Handle:
        def remove(self):
            weight[block] = kept

    return Handle()


def switch_without_handle(attention, head):
    references.switch_off(attention, head)


def switch_the_keys(attention, head):
    return silence_result_of(attention.key, attention, head)


def switch_the_values(attention, head):
    """Right, in another way: without values a head has nothing to hand on."""
    return silence_result_of(attention.value, attention, head)


def switch_by_mask(attention, head):
    size = attention.output.in_features // attention.num_heads
    keep = (torch.arange(attention.output.in_features) // size != head).float()
    return attention.output.register_forward_pre_hook(lambda layer, inputs: inputs[0] * keep)


def switch_with_compensation(attention, head):
    def hook(layer, inputs):
        heads = inputs[0].clone().unflatten(-1, (attention.num_heads, -1))
        heads[..., head, :] = 0
        return (heads.flatten(-2) * attention.num_heads / (attention.num_heads - 1),)

    return attention.output.register_forward_pre_hook(hook)


SWITCH_MISTAKES = (
    Mistake(
        "after the output layer",
        switch_after_mixing,
        "with head 1 off, what is missing begins with {yours}, expected {expected}: you make zeros of the output "
        "layer's result, in which every number already comes from all heads (and from the bias). Where do the heads "
        "still stand side by side?",
    ),
    Mistake(
        "every A-th number",
        _hook(lambda context, head, size: blank(context, slice(head, None, context.shape[-1] // size))),
        "with head 1 off, what is missing begins with {yours}, expected {expected}: you take every third number, one "
        "of each head's. The D numbers of one head stand side by side",
    ),
    Mistake(
        "the head's number as the place",
        _hook(lambda context, head, size: blank(context, slice(head, head + size))),
        "with head 1 off, what is missing begins with {yours}, expected {expected}: D numbers are zero, but they "
        "begin at number 1. Where does the second head begin, if each has D numbers?",
    ),
    Mistake(
        "as many numbers as heads",
        _hook(
            lambda context, head, size: blank(
                context, slice(head * (count := context.shape[-1] // size), (head + 1) * count)
            )
        ),
        "with head 1 off, what is missing begins with {yours}, expected {expected}: you blank A numbers from head · A on. "
        "A counts the heads; how many numbers does each of them have?",
    ),
    Mistake(
        "one number of the head",
        _hook(lambda context, head, size: blank(context, head * size)),
        "with head 1 off, what is missing begins with {yours}, expected {expected}: a single number is zero, the head's "
        "first; it has D of them",
    ),
    Mistake(
        "the heads before it, too",
        _hook(lambda context, head, size: blank(context, slice(0, (head + 1) * size))),
        "with head 1 off, what is missing begins with {yours}, expected {expected}: the heads before it are off as well",
    ),
    Mistake(
        "counted from one",
        _hook(lambda context, head, size: blank(context, slice((head - 1) * size, head * size))),
        "with head 1 off, what is missing begins with {yours}, expected {expected}: it is head 0 that is off. Heads "
        "count from 0",
    ),
    Mistake(
        "all others off",
        _hook(lambda context, head, size: context * (torch.arange(context.shape[-1]) // size == head)),
        "with head 1 off, what is missing begins with {yours}, expected {expected}: all heads but this one are off",
    ),
    Mistake(
        "tokens instead of numbers",
        _hook(lambda context, head, size: blank_tokens(context, slice(head * size, (head + 1) * size))),
        "with head 1 off, what is missing begins with {yours}, expected {expected}: you blank tokens, and every head of "
        "them. Which of the three dimensions holds the heads?",
    ),
    Mistake(
        "nothing returned",
        switch_without_return,
        "with head 1 off, what is missing begins with {yours}, expected {expected}: nothing has changed. The layer gets "
        "what the hook returns, and keeps its own input where that is None",
    ),
    Mistake(
        "rows of the weight",
        switch_rows_of_weight,
        "with head 1 off, what is missing begins with {yours}, expected {expected}: you blank rows of the output "
        "layer's weight, which make numbers of the result. A head is read by columns",
    ),
    Mistake(
        "the keys",
        switch_the_keys,
        "with head 1 off, what is missing begins with {yours}, expected {expected}: without keys (or queries) all its scores "
        "are equal, so the head looks evenly at all tokens, but it still hands on their mean",
    ),
    Mistake(
        "for good",
        switch_for_good,
        "the head is off, but with head 2 off afterwards, what is missing begins with {yours}, expected {expected}: "
        "after `remove()` the first head is still gone, since its weights were overwritten. Change what passes "
        "through, not the weights",
        show=lambda parts: parts["taken away with head 2"][0, :3],
    ),
    Mistake(
        "handle not given back",
        switch_without_handle,
        "the hook is in place, but nobody can take it away: give back what the registration gives you",
    ),
    Mistake(
        "the others made larger",
        switch_with_compensation,
        "with head 1 off, what is missing begins with {yours}, expected {expected}: the other heads are made larger to make up "
        "for it, as in dropout. Here they stay as they are",
    ),
)

# 10.6 roll_out

ROLLOUT = '''
def my_roll_out(weights):
    """weights (L, T, T), NumPy: every layer's mean over its heads -> the rollout of each layer, (L, T, T)."""
    ...
'''


def probe_rollout(roll_out):
    weights = np.random.default_rng(0).dirichlet(np.full(4, 0.3), size=(3, 4))  # L = 3, T = 4
    for count, name in ((1, "one layer"), (2, "two layers"), (3, "three layers")):
        yield name, np.asarray(roll_out(weights[:count].copy()))


def self_share(parts):
    return parts["one layer"][0, 0, 0]


def second_layer(parts):
    return parts["two layers"][1, 2]


def _rolled(mix, join=lambda step, before: step @ before):
    def program(weights):
        reached = []
        for number, layer in enumerate(weights):
            step = mix(layer, number)
            reached.append(join(step, reached[-1]) if reached else step)
        return np.stack(reached)

    return program


def half(layer, number):
    return 0.5 * layer + 0.5 * np.eye(len(layer))


def _first_twice(weights):
    first = half(weights[0], 0)
    return np.stack([reached @ first for reached in references.roll_out(weights)])


def with_start(weights):
    reached = [np.eye(weights.shape[-1])]
    for layer in weights:
        reached.append(half(layer, 0) @ reached[-1])
    return np.stack(reached)


def rollout_mixed_at_the_end(weights):
    result, rolled, same = [], np.eye(weights.shape[1]), np.eye(weights.shape[1])
    for table in weights:
        rolled = table @ rolled
        result.append(0.5 * rolled + 0.5 * same)
    return np.stack(result)


ROLLOUT_MISTAKES = (
    Mistake(
        "no residual",
        _rolled(lambda layer, number: layer),
        "after one layer token 0 has the share {yours} of itself, expected {expected}: only the attention is "
        "multiplied. What else of a token reaches the next layer?",
    ),
    Mistake(
        "no halves",
        _rolled(lambda layer, number: layer + np.eye(len(layer))),
        "after one layer token 0 has {yours} of itself, expected {expected}: rows add up to 2, and to 4 after the next "
        "layer. What it was and what attention brings are half each",
    ),
    Mistake(
        "only half of the attention",
        _rolled(lambda layer, number: 0.5 * layer + np.eye(len(layer))),
        "after one layer token 0 has {yours} of itself, expected {expected}: the other part is halved as well, so that "
        "rows add up to 1",
    ),
    Mistake(
        "ones everywhere",
        _rolled(lambda layer, number: 0.5 * layer + 0.5),
        "after one layer the row of token 0 is {yours}, expected {expected}: "
        "a half is added to every entry. A token keeps half of *itself*: where in the table is that?",
        show=lambda parts: parts["one layer"][0, 0],
    ),
    Mistake(
        "other order",
        _rolled(half, join=lambda step, before: before @ step),
        "right for one layer, but after two the row of token 2 is {yours}, expected {expected}: the product is the "
        "wrong way round. The row that comes out belongs to a token of the upper layer, so its matrix stands left",
        show=second_layer,
    ),
    Mistake(
        "entry by entry",
        _rolled(half, join=lambda step, before: step * before),
        "right for one layer, but after two the row of token 2 is {yours}, expected {expected}: entries are multiplied "
        "one by one, which knows only ways that stay in one column. All ways over a token in between must be added up",
        show=second_layer,
    ),
    Mistake(
        "transposed",
        _rolled(half, join=lambda step, before: step.T @ before),
        "right for one layer, but after two the row of token 2 is {yours}, expected {expected}: the upper table is turned "
        "over, so it is asked by columns",
        show=second_layer,
    ),
    Mistake(
        "added up",
        _rolled(half, join=lambda step, before: step + before),
        "right for one layer, but after two the row of token 2 is {yours}, expected {expected}: layers are added up, so "
        "rows add up to 2. One layer reads what the other has made: that is a product",
        show=second_layer,
    ),
    Mistake(
        "the first layer twice",
        _first_twice,
        "after one layer token 0 has {yours} of itself, expected {expected}: the lowest layer is multiplied with itself. "
        "Does the loop begin where the start has ended?",
    ),
    Mistake(
        "each layer by itself",
        _rolled(half, join=lambda step, before: step),
        "right for one layer, but after two the row of token 2 is {yours}, expected {expected}: that is the second "
        "layer alone. What of the layers below it?",
        show=second_layer,
    ),
    Mistake(
        "columns divided",
        lambda weights: references.roll_out(weights / weights.sum(axis=1, keepdims=True)),
        "after one layer token 0 has {yours} of itself, expected {expected}: you made columns add up to 1. The weights "
        "are shares of a row already and need nothing",
    ),
    Mistake(
        "residual once",
        _rolled(lambda layer, number: layer if number else half(layer, 0)),
        "right for one layer, but after two the row of token 2 is {yours}, expected {expected}: the residual connection "
        "passes by every layer, not the first alone",
        show=second_layer,
    ),
    Mistake(
        "the start counted in",
        with_start,
        "your first table is the one before any layer; there is one for each layer, so it is left out",
    ),
    Mistake(
        "the last layer only",
        lambda weights: references.roll_out(weights)[-1],
        "that is one table; asked for is one for each layer, from the lowest to the highest",
    ),
    Mistake(
        "the residual at the end",
        rollout_mixed_at_the_end,
        "right for one layer, but after two the row of token 2 is {yours}, expected {expected}: the tables are multiplied as they "
        "are, and the identity is mixed in at the end. Each layer has its own residual connection: mix first, then multiply",
        show=lambda parts: parts["two layers"][1][2],
    ),
)

EXERCISES = (
    Exercise(
        id="10.4",
        name="shares_handed_on",
        reference=references.shares_handed_on,
        stub=HANDED,
        probe=probe_handed,
        hints=(
            "Take one head by itself. A weight is a number, so it can wait: first send every value through the head's D "
            "columns of the matrix and measure the length of each result. Then come the weights, then the shares.",
            "`mixing.unflatten(1, (A, -1))` cuts the columns into heads, (H, A, D). Then "
            "`torch.einsum('atd,had->ath', …)` sends the values of every head through its own; or loop over the heads "
            "with slices of D columns.",
            "There is one length for each token that is looked at, (A, T): it must line up with the last dimension of the "
            "weights, so it needs a dimension of size 1 in the middle.",
        ),
        mistakes=HANDED_MISTAKES,
        notice="no weight has changed, and yet the ranks can: with a long value a token of small weight gives the most",
        asks={
            "one head": "The length of weight times (the columns of `mixing` times the value), divided by the sum of the row",
            "three heads": "Each head goes through its own D columns of `mixing`",
        },
        difficulty=3,
        minutes=20,
        show=first_row_handed,
        variants=(handed_in_loops,),
    ),
    Exercise(
        id="10.5",
        name="switch_off",
        reference=references.switch_off,
        stub=SWITCH,
        probe=probe_switch,
        hints=(
            "Where do the heads stand side by side, D numbers each? Just before `attention.output`. Which of its A · D "
            "inputs belong to this head?",
            "`attention.output.register_forward_pre_hook(function)` calls function(layer, inputs) before that layer; "
            "inputs is a tuple with one tensor, (B, T, A · D), and what the function returns is used instead.",
            "Make a copy, set the D numbers from head · D on to zero along the last dimension, return it; and return the "
            "handle that the registration gives.",
        ),
        mistakes=SWITCH_MISTAKES,
        notice="the bias of the output layer stays: it belongs to no head",
        asks={
            "taken away with head 1": "The D numbers of this head become 0, and all others stay exactly as they were: nothing makes up for it",
            "its parts 1": "Only this head's D numbers are missing",
            "after remove()": "After `remove()` everything is as before",
        },
        difficulty=2,
        minutes=12,
        show=first_numbers,
        variants=(switch_the_values, switch_by_mask),
    ),
    Exercise(
        id="10.6",
        name="roll_out",
        reference=references.roll_out,
        stub=ROLLOUT,
        probe=probe_rollout,
        hints=(
            "The two formulas are the program: one line makes M of every layer, a loop multiplies. `np.eye(T)` is I.",
            "Begin with the lowest layer's M; every further layer's M stands to the left of what has been reached. "
            "Keep each step, and stack them at the end.",
        ),
        mistakes=ROLLOUT_MISTAKES,
        notice="the rows of a product of such tables add up to one again, so each is a share of the input tokens",
        asks={
            "one layer": "Half of the table of weights plus half of the identity",
            "two layers": "Each layer is mixed with the identity first, and only then multiplied with the result of the layers below",
        },
        difficulty=1,
        minutes=10,
        show=self_share,
        variants=(
            lambda weights: with_start(weights)[1:],
            lambda weights: np.stack(
                [
                    np.linalg.multi_dot([half(w, 0) for w in weights[: n + 1]][::-1])
                    if n
                    else half(weights[0], 0)
                    for n in range(len(weights))
                ]
            ),
        ),
    ),
)
