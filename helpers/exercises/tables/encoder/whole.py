"""The mask, the pooler, and the whole encoder: exercises 5.5 to 5.7."""

import torch
from torch import nn

from helpers import encoder
from helpers.exercises.exercise import Exercise, Mistake, with_method
from helpers.exercises.references import encoder as references
from helpers.exercises.tables.encoder.blocks import randomized

# 5.5 visible_keys

VISIBLE = '''
def my_visible_keys(attention_mask):
    """(B, T), 1 visible and 0 padding -> boolean (B, 1, 1, T), True where a key is visible; None -> None."""
    ...
'''


def probe_visible(visible_keys):
    mask = torch.tensor([[1, 1, 1, 0], [1, 1, 0, 0]])  # B = 2, T = 4
    yield "two texts", visible_keys(mask)
    yield "a boolean mask", visible_keys(mask.bool())
    yield "no mask", visible_keys(None)


def second_text(parts):
    return parts["two texts"][1]


VISIBLE_MISTAKES = (
    Mistake(
        "an additive mask",
        lambda m: None if m is None else (1 - m[:, None, None].float()) * -1e9,
        "That is the mask that is added to the scores: 0 where a key is visible, a very negative number where not. Here truth values are asked for; attention makes the rest",
    ),
    Mistake(
        "floats",
        lambda m: None if m is None else m[:, None, None].float(),
        "0.0 and 1.0 are numbers. Attention wants truth values, True where a key is visible",
    ),
    Mistake(
        "queries hidden",
        lambda mask: None if mask is None else mask.bool()[:, None, :, None],
        "you hide queries: padding would ask nothing and still be read by every other token. Scores are "
        "(B, A, T, T), a row for each query. In which dimension do the keys lie?",
    ),
    Mistake(
        "inverted",
        lambda mask: None if mask is None else ~mask.bool()[:, None, None, :],
        "the second text, with two tokens and two [PAD], gets {yours}, expected {expected}: True stands for visible",
        show=second_text,
    ),
    Mistake(
        "still numbers",
        lambda mask: None if mask is None else mask[:, None, None, :],
        "the shape is right; attention wants truth values, so that nobody multiplies by them",
    ),
    Mistake(
        "added to the scores",
        lambda mask: None if mask is None else (1.0 - mask.float())[:, None, None, :] * -10000.0,
        "you make numbers to be added to the scores, as BERT's first code did. Ours says which keys are visible, and "
        "attention puts -inf where none is",
    ),
    Mistake(
        "one dimension missing",
        lambda mask: None if mask is None else mask.bool()[:, None, :],
        "(B, 1, T) would be lined up from the right: its B would meet the heads. Which two dimensions stand between "
        "B and the keys?",
    ),
    Mistake(
        "texts for queries",
        lambda mask: None if mask is None else mask.bool()[None, None],
        "B stands where the queries are: query 0 would see the keys of text 0, whatever text it belongs to",
    ),
    Mistake(
        "both queries and keys",
        lambda mask: None if mask is None else (mask.bool()[:, None] & mask.bool()[:, :, None])[:, None],
        "a row for each query is more than needed, and the queries at padding see nothing at all: softmax of -inf "
        "alone is no number. Hide keys only",
    ),
    Mistake(
        "as it came",
        lambda mask: None if mask is None else mask.bool(),
        "(B, T) would be lined up from the right with queries and keys, and its B with the queries. Two dimensions "
        "of length 1 have to stand between",
    ),
    Mistake(
        "a copy for every query",
        lambda mask: None if mask is None else mask.bool()[:, None, None, :].expand(-1, 1, mask.shape[1], -1),
        "right values, but a row for each query: a dimension of length 1 stretches by itself",
    ),
    Mistake(
        "None not expected",
        lambda mask: mask.bool()[:, None, None, :],
        "without padding there may be no mask: None stays None",
    ),
    Mistake(
        "everything visible without a mask",
        lambda mask: torch.ones(1, 1, 1, 1).bool() if mask is None else mask.bool()[:, None, None, :],
        "right with a mask; without one the answer is None, and attention then hides nothing",
    ),
)

# 5.6 pooled_output

POOLED = '''
def my_pooled_output(hidden, pooler):
    """hidden (B, T, H), pooler: a linear layer from H to H -> one vector for each text, (B, H)."""
    ...
'''


def probe_pooled(pooled_output):
    torch.manual_seed(3)
    pooler = nn.Linear(4, 4)
    yield "two texts", pooled_output(torch.randn(2, 3, 4), pooler)


POOLED_MISTAKES = (
    Mistake(
        "no tanh",
        lambda hidden, pooler: pooler(hidden[:, 0]),
        "the first text gets {yours}, expected {expected}: one step is missing, the one that keeps every number "
        "between -1 and 1",
    ),
    Mistake(
        "tanh first",
        lambda hidden, pooler: pooler(torch.tanh(hidden[:, 0])),
        "the first text gets {yours}, expected {expected}: tanh comes before the linear layer, and should come last",
    ),
    Mistake(
        "linear layer missing",
        lambda hidden, pooler: torch.tanh(hidden[:, 0]),
        "the first text gets {yours}, expected {expected}: `pooler` was not used",
    ),
    Mistake(
        "mean of the tokens",
        lambda hidden, pooler: torch.tanh(pooler(hidden.mean(dim=1))),
        "the first text gets {yours}, expected {expected}: you average the tokens (padding would be among them). "
        "Which single token is asked?",
    ),
    Mistake(
        "last token",
        lambda hidden, pooler: torch.tanh(pooler(hidden[:, -1])),
        "the first text gets {yours}, expected {expected}: you take the last token, which in a batch may be [PAD]",
    ),
    Mistake(
        "sum of the tokens",
        lambda hidden, pooler: torch.tanh(pooler(hidden.sum(dim=1))),
        "the first text gets {yours}, expected {expected}: you add the tokens up, padding included. BERT's pooler "
        "reads one of them",
    ),
    Mistake(
        "token 1",
        lambda hidden, pooler: torch.tanh(pooler(hidden[:, 1])),
        "the first text gets {yours}, expected {expected}: you take the token behind [CLS]. Counting starts at 0",
    ),
    Mistake(
        "sigmoid",
        lambda hidden, pooler: torch.sigmoid(pooler(hidden[:, 0])),
        "the first text gets {yours}, expected {expected}: nothing is negative, so it is a sigmoid. tanh runs from "
        "-1 to 1",
    ),
    Mistake(
        "a dimension kept",
        lambda hidden, pooler: torch.tanh(pooler(hidden[:, :1])),
        "a slice keeps its dimension, and the result has one too many: take place 0 itself",
    ),
    Mistake(
        "largest number of the tokens",
        lambda hidden, pooler: torch.tanh(pooler(hidden.amax(dim=1))),
        "the first text gets {yours}, expected {expected}: you take the largest number over all tokens. BERT's "
        "pooler reads one token",
    ),
    Mistake(
        "every token",
        lambda hidden, pooler: torch.tanh(pooler(hidden)),
        "every token got a vector, and there should be one for each text",
    ),
    Mistake(
        "first text",
        lambda hidden, pooler: torch.tanh(pooler(hidden[0])),
        "the first dimension counts texts: hidden[0] is all of the first text. The tokens are in the second",
    ),
    Mistake(
        "GELU instead of tanh",
        lambda hidden, pooler: nn.functional.gelu(pooler(hidden[:, 0])),
        "the first text gets {yours}, expected {expected}: this looks like GELU. The pooler has another function",
    ),
)

# 5.7 Bert.forward

FORWARD = '''
def my_bert_forward(
    self, ids, type_ids=None, attention_mask=None, output_hidden_states=False, output_attentions=False
):
    """ids, type_ids, attention_mask: (B, T), the last two may be None -> `BertOutput`.

    First `check_inputs`. hidden_states: what the embeddings give, then what each layer gives, a list of
    L + 1; attentions: the probabilities of each layer, a list of L. Both None unless asked for.
    The parts: self.config, self.embeddings(ids, type_ids), self.layers, self.pooler.
    """
    ...
'''


def probe_forward(forward):
    torch.manual_seed(4)
    config = encoder.BertConfig(
        vocab_size=20, hidden_size=6, num_layers=3, num_heads=3, intermediate_size=10, max_positions=8
    )
    bert = with_method(encoder.Bert, "forward", forward)(config)
    randomized(bert).eval()
    ids = torch.tensor([[2, 7, 5, 11, 3], [2, 9, 3, 0, 0]])  # B = 2, T = 5
    mask = (ids != 0).long()
    unasked = bert(ids)
    yield "last hidden state", unasked.last_hidden_state
    yield "pooled output", unasked.pooled_output
    yield "with a second segment", bert(ids, torch.tensor([[0, 0, 1, 1, 1], [0] * 5])).last_hidden_state
    yield "with padding", bert(ids, None, mask).last_hidden_state[mask.bool()]
    asked = bert(ids, None, mask, True, True)
    for name, found in (("hidden states", asked.hidden_states), ("attentions", asked.attentions)):
        yield f"kind of {name}", "a list" if isinstance(found, list | tuple) else type(found).__name__
    yield "number of hidden states", len(asked.hidden_states)
    yield "hidden states", [state[mask.bool()] for state in asked.hidden_states]
    yield "attentions", list(asked.attentions)
    given = {"hidden states": unasked.hidden_states, "attentions": unasked.attentions}
    yield "without being asked", {name: "None" if found is None else "given" for name, found in given.items()}
    try:
        bert(ids + 15)
        yield "ids outside the vocabulary", "taken"
    except Exception as error:
        yield "ids outside the vocabulary", f"refused, {type(error).__name__}"


def _forward(self, ids, type_ids=None, attention_mask=None, states=False, attentions=False, **changes):
    """The forward pass with one thing done in another way."""
    if changes.get("check", True):
        encoder.check_inputs(ids, type_ids, attention_mask, self.config)
    mask = None if attention_mask is None else changes.get("mask", references.visible_keys)(attention_mask)
    hidden = self.embeddings(ids, type_ids if changes.get("types", True) else None)
    embedded, kept, looked = hidden, [], []
    kept += [hidden] if changes.get("keep_embeddings", True) else []
    for layer in changes.get("layers", lambda layers: layers)(self.layers):
        hidden, probabilities = layer(
            embedded if changes.get("start_over") else hidden, mask, changes.get("ask", attentions)
        )
        if states or changes.get("always"):
            kept.append(hidden)
        looked.append(probabilities)
    kept += [hidden] * changes.get("last_again", 0)
    pooled = changes.get("pool", references.pooled_output)(hidden, self.pooler)
    pooled = references.pooled_output(embedded, self.pooler) if changes.get("pool_embedded") else pooled
    kept = kept if states or changes.get("always") else None
    return encoder.BertOutput(hidden, pooled, kept, looked if attentions or changes.get("always") else None)


def forward_with(**changes):
    return lambda self, ids, types=None, mask=None, states=False, looks=False: _forward(
        self, ids, types, mask, states, looks, **changes
    )


def forward_without_mask(self, ids, types=None, mask=None, states=False, looks=False):
    return _forward(self, ids, types, None, states, looks)


def forward_plain_tuple(self, ids, types=None, mask=None, states=False, looks=False):
    return tuple(_forward(self, ids, types, mask, states, looks))


def forward_states_before_the_layer(self, ids, types=None, mask=None, states=False, looks=False):
    found = _forward(self, ids, types, mask, states, looks)
    return found._replace(hidden_states=found.hidden_states[:-1] if states else None)


def forward_states_before_the_layer_always(self, ids, types=None, mask=None, states=False, looks=False):
    found = _forward(self, ids, types, mask, True, looks, always=True)
    return found._replace(hidden_states=found.hidden_states[:-1])


def forward_states_stacked(self, ids, types=None, mask=None, states=False, looks=False):
    found = _forward(self, ids, types, mask, states, looks)
    return found._replace(hidden_states=torch.stack(found.hidden_states) if states else None)


def forward_lists_exchanged(self, ids, types=None, mask=None, states=False, looks=False):
    found = _forward(self, ids, types, mask, states, looks)
    return found._replace(hidden_states=found.attentions, attentions=found.hidden_states)


def forward_attentions_always(self, ids, types=None, mask=None, states=False, looks=False):
    found = _forward(self, ids, types, mask, states, looks)
    return found._replace(attentions=found.attentions or [None] * len(self.layers))


def forward_states_strung_together(self, ids, types=None, mask=None, states=False, looks=False):
    found = _forward(self, ids, types, mask, states, looks)
    first, *others = found.hidden_states or [None]
    return found._replace(
        hidden_states=[first, *(text for state in others for text in state)] if states else None
    )


def forward_pair_not_taken_apart(self, ids, types=None, mask=None, states=False, looks=False):
    hidden = self.embeddings(ids, types)
    for layer in self.layers:
        hidden = layer(hidden, mask)
    return encoder.BertOutput(hidden, hidden[:, 0])


def first_cls(parts):
    return parts["last hidden state"][0, 0, :3]


def first_pooled(parts):
    return parts["pooled output"][0, :3]


def padded_cls(parts):
    return parts["with padding"][5, :3]


def forward_last_attention(self, ids, types=None, mask=None, states=False, looks=False):
    found = _forward(self, ids, types, mask, states, looks)
    return found._replace(attentions=found.attentions[-1:] if looks else None)


def forward_last_state(self, ids, types=None, mask=None, states=False, looks=False):
    found = _forward(self, ids, types, mask, states, looks)
    return found._replace(hidden_states=found.hidden_states[-1:] if states else None)


FORWARD_MISTAKES = (
    Mistake(
        "the last attention alone",
        forward_last_attention,
        "A single layer's probabilities are in the list; each layer has its own, so the list grows inside the loop",
        show=False,
    ),
    Mistake(
        "the last hidden state alone",
        forward_last_state,
        "there are {yours} hidden states, expected {expected}, L + 1: only what the last layer gives is kept. The list grows inside the loop",
        show=lambda parts: parts["number of hidden states"],
    ),
    Mistake(
        "one layer again and again",
        forward_with(layers=lambda layers: [layers[0]] * len(layers)),
        "[CLS] of the first text becomes {yours}, expected {expected}: it went through the first layer three times. "
        "Each layer has weights of its own",
    ),
    Mistake(
        "last layer missed",
        forward_with(layers=lambda layers: list(layers)[:-1]),
        "[CLS] of the first text becomes {yours}, expected {expected}: that is its state after two of three layers",
    ),
    Mistake(
        "every layer starts over",
        forward_with(start_over=True),
        "[CLS] of the first text becomes {yours}, expected {expected}: each layer gets the embeddings, so only the "
        "last one counts. What should it get?",
    ),
    Mistake(
        "layers from the top",
        forward_with(layers=reversed),
        "[CLS] of the first text becomes {yours}, expected {expected}: the layers are run from the last to the first",
    ),
    Mistake(
        "pair not taken apart",
        forward_pair_not_taken_apart,
        "a layer returns two things, the vectors and the probabilities; the next layer wants the first",
    ),
    Mistake(
        "pooled by the mean",
        forward_with(pool=lambda hidden, pooler: torch.tanh(pooler(hidden.mean(dim=1)))),
        "the hidden state is right, the pooled output begins with {yours}, expected {expected}: it should be made "
        "of the first token, not of the mean",
        show=first_pooled,
    ),
    Mistake(
        "pooled without tanh",
        forward_with(pool=lambda hidden, pooler: pooler(hidden[:, 0])),
        "the hidden state is right, the pooled output begins with {yours}, expected {expected}: tanh is missing",
        show=first_pooled,
    ),
    Mistake(
        "[CLS] itself as pooled output",
        forward_with(pool=lambda hidden, pooler: hidden[:, 0]),
        "the hidden state is right, the pooled output begins with {yours}, expected {expected}: it is the vector of "
        "[CLS] as it stands, without the pooler",
        show=first_pooled,
    ),
    Mistake(
        "pooled from the embeddings",
        forward_with(pool_embedded=True),
        "the hidden state is right, the pooled output begins with {yours}, expected {expected}: it was made of the "
        "embeddings, before any layer. It comes from the last state",
        show=first_pooled,
    ),
    Mistake(
        "type_ids forgotten",
        forward_with(types=False),
        "right for a single text, but the second segment makes no difference: who needs type_ids?",
    ),
    Mistake(
        "mask forgotten",
        forward_without_mask,
        "right without padding, but with it [CLS] of the second text becomes {yours}, expected {expected}: it reads "
        "the [PAD]s, since the mask never reaches a layer",
        show=padded_cls,
    ),
    Mistake(
        "mask inverted in the encoder",
        forward_with(mask=lambda mask: ~mask.bool()[:, None, None, :]),
        "right without padding, but with it [CLS] of the second text becomes {yours}, expected {expected}: it reads "
        "nothing but [PAD]s. True should stand for visible",
        show=padded_cls,
    ),
    Mistake(
        "mask on the queries",
        forward_with(mask=lambda mask: mask.bool()[:, None, :, None]),
        "right without padding, but with it [CLS] of the second text becomes {yours}, expected {expected}: the mask "
        "hides queries, so [PAD] is still read. (B, 1, 1, T) hides keys",
        show=padded_cls,
    ),
    Mistake(
        "mask of numbers",
        forward_with(mask=lambda mask: mask[:, None, None, :]),
        "attention takes a mask of truth values only",
    ),
    Mistake(
        "mask as it came",
        forward_with(mask=lambda mask: mask.bool()),
        "(B, T) can't be lined up with scores (B, A, T, T): it takes two dimensions between",
    ),
    Mistake(
        "embeddings not among the hidden states",
        forward_with(keep_embeddings=False),
        "there are {yours} hidden states, expected {expected}, L + 1: the first is what the embeddings give",
        show=lambda parts: parts["number of hidden states"],
    ),
    Mistake(
        "last state twice",
        forward_with(last_again=1),
        "there are {yours} hidden states, expected {expected}, L + 1: the last one stands there twice",
        show=lambda parts: parts["number of hidden states"],
    ),
    Mistake(
        "last state missing",
        forward_states_before_the_layer,
        "there are {yours} hidden states, expected {expected}, L + 1: those before each layer, so what the last "
        "layer gives is missing",
        show=lambda parts: parts["number of hidden states"],
    ),
    Mistake(
        "states in one tensor",
        forward_states_stacked,
        "the hidden states are one {yours}, expected {expected} of L + 1 tensors: put together, they would be copied, "
        "and could not be taken one by one without a thought of dimensions",
        show=lambda parts: parts["kind of hidden states"],
    ),
    Mistake(
        "the two lists exchanged",
        forward_lists_exchanged,
        "`BertOutput` takes the hidden states before the attentions: there are {yours} hidden states now, expected "
        "{expected}. Named arguments are safer than places",
        show=lambda parts: parts["number of hidden states"],
    ),
    Mistake(
        "attentions without being asked",
        forward_attentions_always,
        "right if everything is asked for; but attentions are given even where nobody asked, a list of Nones: one "
        "None then",
    ),
    Mistake(
        "last state missing, and always given",
        forward_states_before_the_layer_always,
        "{yours} hidden states instead of {expected}, L + 1: the state is noted before each layer, so the last is "
        "missing; and the lists are given even where nobody asked",
        show=lambda parts: parts["number of hidden states"],
    ),
    Mistake(
        "texts strung together",
        forward_states_strung_together,
        "there are {yours} hidden states, expected {expected}: a list to which a tensor is added with += takes its "
        "texts one by one. Append the tensor as a whole",
        show=lambda parts: parts["number of hidden states"],
    ),
    Mistake(
        "layers not asked for probabilities",
        forward_with(ask=False),
        "the hidden states are right; asked for attentions, you return {yours}: a layer gives its probabilities "
        "only if its third argument says so",
        show=lambda parts: parts["attentions"],
    ),
    Mistake(
        "given without being asked",
        forward_with(always=True),
        "all is right if everything is asked for; but hidden states and attentions are given even where nobody "
        "asked, and keep a lot of memory: None then",
    ),
    Mistake(
        "inputs not checked",
        forward_with(check=False),
        "right for good input, but ids outside the vocabulary are {yours}, expected {expected}: which function "
        "refuses them, with a sentence?",
        show=lambda parts: parts["ids outside the vocabulary"],
    ),
    Mistake(
        "plain tuple",
        forward_plain_tuple,
        "give the results back as `BertOutput(…)`, so that each has its name",
    ),
)

EXERCISES = (
    Exercise(
        id="5.5",
        name="visible_keys",
        reference=references.visible_keys,
        stub=VISIBLE,
        probe=probe_visible,
        hints=(
            "The scores are (B, A, T, T): text, head, query, key. A dimension of length 1 stretches over all.",
            "`None` in square brackets makes a dimension of length 1, `.bool()` makes truth values; first of all, "
            "None goes back as None.",
        ),
        mistakes=VISIBLE_MISTAKES,
        notice="it holds B times T values, and serves A times T times as many scores",
        difficulty=1,
        minutes=5,
        variants=(
            lambda mask: None if mask is None else (mask == 1).unsqueeze(1).unsqueeze(1),
            lambda mask: mask if mask is None else mask.view(mask.shape[0], 1, 1, -1) > 0,
        ),
    ),
    Exercise(
        id="5.6",
        name="pooled_output",
        reference=references.pooled_output,
        stub=POOLED,
        probe=probe_pooled,
        hints=(
            "Three steps: the vector of the first token of every text, the linear layer, tanh.",
            "`hidden[:, 0]` has the shape (B, H).",
        ),
        mistakes=POOLED_MISTAKES,
        notice="the other tokens count, too: attention has brought what they know to [CLS]",
        difficulty=1,
        minutes=4,
        show=lambda parts: parts["two texts"][0],
        variants=(
            lambda hidden, pooler: torch.tanh(pooler(hidden))[:, 0],
            lambda hidden, pooler: torch.stack([pooler(text[0]).tanh() for text in hidden]),
        ),
    ),
    Exercise(
        id="5.7",
        name="Bert.forward",
        reference=encoder.Bert.forward,
        stub=FORWARD,
        probe=probe_forward,
        hints=(
            "Inputs checked, mask made, embeddings, one layer after the other, pooled output, `BertOutput`. Write "
            "it first without hidden_states and attentions, and run the check.",
            "A layer is called as `layer(hidden, mask, output_attentions)` and returns two things. Keep the states "
            "in a list that begins with the embeddings.",
            "`BertOutput(hidden, pooled, states if output_hidden_states else None, …)` at the end; the mask and the "
            "pooled output as in the two exercises before.",
        ),
        mistakes=FORWARD_MISTAKES,
        notice="ids go in once, at the bottom; from there to the pooler everything is (B, T, H)",
        difficulty=3,
        minutes=20,
        show=first_cls,
        variants=(forward_with(), forward_with(pool=lambda hidden, pooler: pooler(hidden)[:, 0].tanh())),
    ),
)
