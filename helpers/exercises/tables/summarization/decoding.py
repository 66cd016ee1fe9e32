"""Notebook 16: what a decoder has and an encoder lacks: the causal mask, and attention to another text."""

import torch

from helpers.attention import MultiHeadSelfAttention, join_heads, scaled_dot_product_attention, split_heads
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import summarization as references

# 16.7 causal_mask

MASK = '''
def my_causal_mask(count):
    """(T, T) boolean, T = count: row i says which keys query i may see, its own place and those before.

    True is visible, as in notebook 4.
    """
    ...
'''


def probe_mask(causal_mask):
    yield "four places", causal_mask(4)
    yield "one place", causal_mask(1)


def rows(parts):
    return [
        "".join("x" if visible else "." for visible in row)
        for row in torch.as_tensor(parts["four places"]).tolist()
    ]


def ones(count):
    return torch.ones(count, count, dtype=torch.bool)


MASK_MISTAKES = (
    Mistake(
        "the other half",
        lambda count: ones(count).triu(),
        "four places give {yours}, expected {expected} (x is visible): each place sees itself and what comes after. Rows "
        "are queries, columns keys",
    ),
    Mistake(
        "not itself",
        lambda count: ones(count).tril(-1),
        "four places give {yours}, expected {expected} (x is visible): no place sees itself, and the first sees nothing at "
        "all: the softmax of a row without a key is not a number",
    ),
    Mistake(
        "one too far",
        lambda count: ones(count).tril(1),
        "four places give {yours}, expected {expected} (x is visible): each place sees the next one, too. That is the word "
        "it should predict",
    ),
    Mistake(
        "the meaning turned round",
        lambda count: ones(count).triu(1),
        "four places give {yours}, expected {expected} (x is visible): here True stands where nothing may be seen. That is "
        "the convention of some libraries; in this course True is visible",
    ),
    Mistake(
        "everything",
        ones,
        "four places give {yours}, expected {expected} (x is visible): everything sees everything, as in an encoder",
    ),
    Mistake(
        "only itself",
        lambda count: torch.eye(count).bool(),
        "four places give {yours}, expected {expected} (x is visible): each place sees itself alone",
    ),
)

# 16.8 cross_attention

CROSS = '''
def my_cross_attention(attention, hidden, memory):
    """Attention from one text to another: (B, T, H), and the probabilities (B, A, T, N).

    attention: a MultiHeadSelfAttention of notebook 4, with query, key, value and output (linear layers, H to
    H) and num_heads. hidden (B, T, H): the text that asks. memory (B, N, H): the text that answers; keys and
    values come from it. `split_heads`, `scaled_dot_product_attention` and `join_heads` are there.
    """
    ...
'''


def attention_and_texts():
    generator = torch.Generator().manual_seed(3)
    attention = MultiHeadSelfAttention(12, 3, dropout=0.0)
    for weight in attention.parameters():
        weight.data = torch.randn(weight.shape, generator=generator) * 0.4
    hidden, memory = (torch.randn(2, count, 12, generator=generator) for count in (4, 5))
    return attention.eval(), hidden, memory


def probe_cross(cross_attention):
    with torch.no_grad():
        output, probabilities = cross_attention(*attention_and_texts())
        yield "the probabilities", probabilities
        yield "the output", output


def cross_with(query="hidden", key="memory", value="memory", output=True, swap=False, split=split_heads):
    def program(attention, hidden, memory):
        texts = {"hidden": hidden, "memory": memory}
        layers = (attention.key, attention.query) if swap else (attention.query, attention.key)
        found = (layers[0](texts[query]), layers[1](texts[key]), attention.value(texts[value]))
        found = [split(each, attention.num_heads) for each in found]
        context, probabilities = scaled_dot_product_attention(*found)
        joined = join_heads(context)
        return attention.output(joined) if output else joined, probabilities

    return program


def cross_by(
    made=lambda attention, hidden, memory: (
        attention.query(hidden),
        attention.key(memory),
        attention.value(memory),
    ),
    join=join_heads,
):
    """The function with queries, keys and values made in another way, or the heads joined in another."""

    def program(attention, hidden, memory):
        heads = [split_heads(each, attention.num_heads) for each in made(attention, hidden, memory)]
        context, probabilities = scaled_dot_product_attention(*heads)
        return attention.output(join(context)), probabilities

    return program


def unscaled(attention, hidden, memory):
    query = split_heads(attention.query(hidden), attention.num_heads)
    key, value = (split_heads(each(memory), attention.num_heads) for each in (attention.key, attention.value))
    probabilities = (query @ key.transpose(-2, -1)).softmax(dim=-1)
    return attention.output(join_heads(probabilities @ value)), probabilities


def cut_in_rows(hidden, num_heads):
    batch, count, size = hidden.shape
    return hidden.reshape(batch, num_heads, count, size // num_heads)


def with_einsum(attention, hidden, memory):
    shape = (attention.num_heads, -1)
    query = attention.query(hidden).unflatten(2, shape)
    key, value = attention.key(memory).unflatten(2, shape), attention.value(memory).unflatten(2, shape)
    scores = torch.einsum("btad,bnad->batn", query, key) / query.shape[-1] ** 0.5
    probabilities = scores.softmax(dim=-1)
    return attention.output(torch.einsum("batn,bnad->btad", probabilities, value).flatten(2)), probabilities


def first_row(parts):
    return [round(float(p), 3) for p in parts["the probabilities"][0, 0, 0]]


def first_output(parts):
    return [round(float(x), 3) for x in parts["the output"][0, 0, :3]]


CROSS_MISTAKES = (
    Mistake(
        "attention to itself",
        cross_with(key="hidden", value="hidden"),
        "the first query has the probabilities {yours}, expected {expected}: keys and values come from `hidden`, which is "
        "self-attention. What is asked for stands in `memory`",
    ),
    Mistake(
        "the memory asks",
        cross_with(query="memory", key="hidden", value="hidden"),
        "the first query has the probabilities {yours}, expected {expected}: the queries come from `memory`, and the result "
        "has a vector for each of its places. Who wants to know something?",
    ),
    Mistake(
        "query and key exchanged",
        cross_with(swap=True),
        "the first query has the probabilities {yours}, expected {expected}: the layer of the keys makes your queries, and "
        "the other way round",
    ),
    Mistake(
        "without the output layer",
        cross_with(output=False),
        "the probabilities are right, but the output begins with {yours}, expected {expected}: the last linear layer, which "
        "mixes the heads, is missing",
        show=first_output,
    ),
    Mistake(
        "not scaled",
        unscaled,
        "the first query has the probabilities {yours}, expected {expected}: the scores are not divided by the root of D",
    ),
    Mistake(
        "cut into heads by rows",
        cross_with(split=cut_in_rows),
        "the first query has the probabilities {yours}, expected {expected}: the heads got numbers of other tokens. "
        "`split_heads` cuts each token's H numbers",
    ),
    Mistake(
        "everything from memory",
        cross_with(query="memory"),
        "the first query has the probabilities {yours}, expected {expected}: queries, keys and values all come from "
        "`memory`, so nothing of the summary goes in",
    ),
    Mistake(
        "values by the key layer",
        cross_by(
            lambda attention, hidden, memory: (
                attention.query(hidden),
                attention.key(memory),
                attention.key(memory),
            )
        ),
        "the probabilities are right, but the output begins with {yours}, expected {expected}: the values are "
        "made by the layer of the keys",
        show=first_output,
    ),
    Mistake(
        "memory itself for values",
        cross_by(lambda attention, hidden, memory: (attention.query(hidden), attention.key(memory), memory)),
        "the probabilities are right, but the output begins with {yours}, expected {expected}: `memory` "
        "itself is averaged. Which layer makes values of it?",
        show=first_output,
    ),
    Mistake(
        "no layers",
        cross_by(lambda attention, hidden, memory: (hidden, memory, memory)),
        "the first query has the probabilities {yours}, expected {expected}: the texts are compared as they "
        "are, without the layers for query and key",
    ),
    Mistake(
        "hidden added",
        lambda attention, hidden, memory: (lambda found: (found[0] + hidden, found[1]))(
            references.cross_attention(attention, hidden, memory)
        ),
        "the probabilities are right, but the output begins with {yours}, expected {expected}: `hidden` is "
        "added. The residual connection comes after this step, as in notebook 5",
        show=first_output,
    ),
    Mistake(
        "heads read as tokens",
        cross_by(join=lambda context: context.reshape(context.shape[0], context.shape[2], -1)),
        "the probabilities are right, but the output begins with {yours}, expected {expected}: (B, A, T, D) "
        "is read as (B, T, H) as it lies in memory, so tokens and heads are mixed. What does `join_heads` "
        "exchange first?",
        show=first_output,
    ),
)

EXERCISES = (
    Exercise(
        id="16.7",
        name="causal_mask",
        reference=references.causal_mask,
        stub=MASK,
        probe=probe_mask,
        hints=(
            "Write down the rows for T = 3: what may the first place see, what the second, what the third?",
            "PyTorch's `tril()` keeps the lower triangle of a matrix, diagonal included: of what matrix do you want it?",
        ),
        mistakes=MASK_MISTAKES,
        notice="with this mask all places of a text are trained at once, each as if the text ended there",
        difficulty=1,
        minutes=4,
        show=rows,
        variants=(lambda count: torch.arange(count)[None, :] <= torch.arange(count)[:, None],),
    ),
    Exercise(
        id="16.8",
        name="cross_attention",
        reference=references.cross_attention,
        stub=CROSS,
        probe=probe_cross,
        hints=(
            "It is self-attention of notebook 4 with two texts in the place of one: which of query, key, value come from "
            "which text?",
            "`query = split_heads(attention.query(hidden), attention.num_heads)`, key and value likewise from `memory`; then "
            "scaled_dot_product_attention, join_heads, and attention.output.",
        ),
        mistakes=CROSS_MISTAKES,
        notice="T and N need not be equal: each of T queries shares its attention out among N keys",
        difficulty=2,
        minutes=10,
        show=first_row,
        variants=(with_einsum,),
    ),
)
