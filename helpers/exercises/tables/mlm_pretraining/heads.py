"""Exercise 6.6. The two heads on the encoder."""

import torch
from torch import nn
from torch.nn import functional

from helpers.exercises.exercise import Exercise, Mistake, with_method
from helpers.exercises.tables.mlm_pretraining import small
from helpers.pretraining import IGNORE, BertForPreTraining, PreTrainingOutput

FORWARD = '''
def my_forward(self, ids, type_ids=None, attention_mask=None, positions=None):
    """-> PreTrainingOutput(token_logits, next_logits), (B, T, V) and (B, 2).

    self.bert(ids, type_ids, attention_mask) gives last_hidden_state (B, T, H) and pooled_output (B, H).
    Token head: self.transform, GELU, self.norm, then one score for each entry, with the token embeddings'
    own matrix, self.bert.embeddings.token.weight (V, H), and self.token_bias (V,). Next-sentence head:
    self.next_sentence. positions: (B, T) boolean; where given, token_logits is (M, V), for the M True ones.
    """
    ...
'''


def probe_forward(forward):
    model = small.model(kind=with_method(BertForPreTraining, "forward", forward))
    batch = small.batch(2, 0)
    ids, types, mask = batch["ids"], batch["type_ids"], batch["attention_mask"]
    with torch.no_grad():
        output = model(ids)
        yield "token scores", output.token_logits
        yield "scores of the pair", output.next_logits
        yield "token scores with segments", model(ids, types).token_logits
        yield "token scores with a mask", model(ids, types, mask).token_logits
        positions = batch["labels"] != IGNORE
        output = model(ids, types, mask, positions)
        yield "token scores at the positions", output.token_logits
        yield "scores of the pair, positions given", output.next_logits


def _forward(self, ids, type_ids=None, attention_mask=None, positions=None, *, token=None, pair=None, early=True,
             after=None):  # fmt: skip
    output = self.bert(ids, type_ids, attention_mask)
    hidden = output.last_hidden_state
    hidden = hidden[positions] if early and positions is not None else hidden
    hidden = token(self, hidden) if token else self.norm(functional.gelu(self.transform(hidden)))
    scores = functional.linear(hidden, self.bert.embeddings.token.weight, self.token_bias)
    scores = after(self, scores) if after else scores
    return PreTrainingOutput(scores, pair(self, output) if pair else self.next_sentence(output.pooled_output))


def forward_variant(**changes):
    def program(self, ids, type_ids=None, attention_mask=None, positions=None):
        return _forward(self, ids, type_ids, attention_mask, positions, **changes)

    return program


def forward_without_mask(self, ids, type_ids=None, attention_mask=None, positions=None):
    return _forward(self, ids, type_ids, None, positions)


def forward_without_segments(self, ids, type_ids=None, attention_mask=None, positions=None):
    return _forward(self, ids, None, attention_mask, positions)


def forward_mask_for_segments(self, ids, type_ids=None, attention_mask=None, positions=None):
    return _forward(self, ids, attention_mask, type_ids, positions)


def forward_everything_first(self, ids, type_ids=None, attention_mask=None, positions=None):
    output = _forward(self, ids, type_ids, attention_mask)
    return output if positions is None else output._replace(token_logits=output.token_logits[positions])


def forward_by_matmul(self, ids, type_ids=None, attention_mask=None, positions=None):
    output = self.bert(ids, type_ids, attention_mask)
    hidden = self.norm(nn.GELU()(self.transform(output.last_hidden_state)))
    logits = hidden @ self.bert.embeddings.token.weight.T + self.token_bias
    logits = logits if positions is None else logits[positions]
    return PreTrainingOutput(next_logits=self.next_sentence(output.pooled_output), token_logits=logits)


def one_token(parts):
    return parts["token scores"][0, 0, :3]


def pair_scores(parts):
    return parts["scores of the pair"][0]


def forward_if_positions(self, ids, type_ids=None, attention_mask=None, positions=None):
    output = self.bert(ids, type_ids, attention_mask)
    hidden = output.last_hidden_state
    if positions:
        hidden = hidden[positions]
    hidden = self.norm(functional.gelu(self.transform(hidden)))
    logits = functional.linear(hidden, self.bert.embeddings.token.weight, self.token_bias)
    return PreTrainingOutput(logits, self.next_sentence(output.pooled_output))


FORWARD_MISTAKES = (
    Mistake(
        "transform skipped",
        forward_variant(token=lambda self, hidden: self.norm(functional.gelu(hidden))),
        "the first scores of the first token are {yours}, expected {expected}: self.transform is never used: the encoder's vectors go straight into GELU",
        show=one_token,
    ),
    Mistake(
        "norm first",
        forward_variant(token=lambda self, hidden: functional.gelu(self.transform(self.norm(hidden)))),
        "the first scores of the first token are {yours}, expected {expected}: the LayerNorm comes first, and should come last of the three",
        show=one_token,
    ),
    Mistake(
        "truth of a tensor",
        forward_if_positions,
        "`if positions:` asks whether a whole tensor is true, and of many numbers nobody can say that. What you want to know is whether it was given at all",
        raises=RuntimeError,
    ),
    Mistake(
        "no bias",
        forward_variant(after=lambda self, scores: scores - self.token_bias),
        "the first scores of the first token are {yours}, expected {expected}: each is off by the entry's own bias. "
        "What is added to the dot product?",
        show=one_token,
    ),
    Mistake(
        "no LayerNorm",
        forward_variant(token=lambda self, h: functional.gelu(self.transform(h))),
        "the first scores of the first token are {yours}, expected {expected}: the vector meets the embeddings without "
        "having been normalized",
        show=one_token,
    ),
    Mistake(
        "no GELU",
        forward_variant(token=lambda self, h: self.norm(self.transform(h))),
        "the first scores of the first token are {yours}, expected {expected}: no nonlinear function stands between the "
        "linear layer and the LayerNorm",
        show=one_token,
    ),
    Mistake(
        "LayerNorm before GELU",
        forward_variant(token=lambda self, h: functional.gelu(self.norm(self.transform(h)))),
        "the first scores of the first token are {yours}, expected {expected}: all steps are there, but two stand in the "
        "wrong order. What comes out of GELU is hardly ever negative; does it go to the embeddings like that?",
        show=one_token,
    ),
    Mistake(
        "ReLU",
        forward_variant(token=lambda self, h: self.norm(self.transform(h).relu())),
        "the first scores of the first token are {yours}, expected {expected}: you cut negative numbers off, as ReLU "
        "does. BERT's function is GELU",
        show=one_token,
    ),
    Mistake(
        "GELU approximated",
        forward_variant(
            token=lambda self, h: self.norm(functional.gelu(self.transform(h), approximate="tanh"))
        ),
        "the first scores of the first token are {yours}, expected {expected}: nearly right. This is the approximation of "
        "GELU by a tanh, and BERT's weights were made for GELU itself",
        show=one_token,
    ),
    Mistake(
        "tanh",
        forward_variant(token=lambda self, h: self.norm(self.transform(h).tanh())),
        "the first scores of the first token are {yours}, expected {expected}: tanh is the pooler's function; the token "
        "head has GELU",
        show=one_token,
    ),
    Mistake(
        "embeddings alone",
        forward_variant(token=lambda self, h: h),
        "the first scores of the first token are {yours}, expected {expected}: the encoder's vector goes straight to the "
        "embeddings, past the layer, GELU and LayerNorm of the head",
        show=one_token,
    ),
    Mistake(
        "probabilities",
        forward_variant(after=lambda self, scores: scores.softmax(dim=-1)),
        "the first scores of the first token are {yours}, expected {expected}: these are probabilities. Cross-entropy "
        "takes the softmax itself, and would take it a second time",
        show=one_token,
    ),
    Mistake(
        "pair from the unpooled [CLS]",
        forward_variant(pair=lambda self, output: self.next_sentence(output.last_hidden_state[:, 0])),
        "the token scores are right, but the pair's are {yours}, expected {expected}: you take the vector of [CLS] as the "
        "last layer gives it. Through which layer does it go first?",
        show=pair_scores,
    ),
    Mistake(
        "pair from the mean of all tokens",
        forward_variant(pair=lambda self, output: self.next_sentence(output.last_hidden_state.mean(dim=1))),
        "the token scores are right, but the pair's are {yours}, expected {expected}: you take the mean of all tokens. "
        "BERT lets one token speak for the pair",
        show=pair_scores,
    ),
    Mistake(
        "attention mask not passed on",
        forward_without_mask,
        "right without padding, but with a mask the scores are those without: it never reaches the encoder",
    ),
    Mistake(
        "segments not passed on",
        forward_without_segments,
        "right for one segment, but with two the scores are those of one: type_ids never reaches the encoder",
    ),
    Mistake(
        "mask and segments exchanged",
        forward_mask_for_segments,
        "right as long as neither is given, but mask and segments arrive at the encoder in each other's place. In which "
        "order does it take them?",
    ),
    Mistake(
        "positions not used",
        forward_variant(early=False),
        "`positions` has no effect: scores at all T places are the largest tensor of the model, and few are asked for",
    ),
)


EXERCISE = Exercise(
    id="6.6",
    name="BertForPreTraining.forward",
    reference=BertForPreTraining.forward,
    stub=FORWARD,
    probe=probe_forward,
    hints=(
        "Two heads, two lines of work: the tokens' vectors through three steps and then against the table; the "
        "pooled vector through one layer.",
        "A score is a dot product of the vector with an entry's embedding. One matrix product gives all V of them: "
        "(…, H) times (H, V).",
        "`functional.linear(hidden, weight, bias)` multiplies by the transposed weight. `tensor[positions]` with a "
        "boolean (B, T) picks M vectors out of (B, T, H); do it before the head, not after it.",
    ),
    mistakes=FORWARD_MISTAKES,
    notice="who picks the M vectors before the large product makes it for M tokens instead of B · T, a seventh "
    "of the work at a rate of 15%",
    difficulty=2,
    minutes=12,
    show=one_token,
    variants=(forward_everything_first, forward_by_matmul),
)
