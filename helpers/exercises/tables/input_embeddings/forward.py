"""BertEmbeddings.forward: what it computes."""

import torch
from torch import nn

from helpers.embeddings import BertEmbeddings
from helpers.exercises.exercise import Exercise, Mistake, with_method

FORWARD = '''
def my_embeddings_forward(self, ids, type_ids=None):
    """ids and type_ids (B, T) -> (B, T, H): the sum of three tables, LayerNorm, dropout.

    type_ids None: every token belongs to segment 0. More tokens than self.position has rows
    (self.position.num_embeddings) are refused with a ValueError.
    """
    ...
'''


def probe_forward(function):
    torch.manual_seed(1)
    made = with_method(BertEmbeddings, "forward", function)(11, 4, 6, 3, 0.25)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.copy_(torch.randn(parameter.shape))
    ids, types = torch.tensor([[1, 7, 7, 5], [4, 2, 9, 3]]), torch.tensor([[0, 0, 1, 2], [0, 1, 1, 1]])
    made.eval()
    with torch.no_grad():
        yield "a text", made(ids[:1], types[:1])
        yield "two texts", made(ids, types)
        yield "without segments", made(ids)
        yield "as many tokens as positions are refused", _refuses_length(made, 1, 6)
        yield "more texts than positions are refused", _refuses_length(made, 8, 3)
        yield "one token more is refused", _refuses_length(made, 2, 7)
        pair, whole = (torch.tensor([[2, 8, 6, 1]]).expand(100, -1) for _ in range(2))
        rested = made(pair, torch.ones_like(pair))
        trained = made.train()(whole, torch.ones_like(whole))
        kept = trained != 0
        yield "training differs from evaluation", not bool(torch.allclose(trained, rested))
        yield "dropped in training", round(1 - kept.float().mean().item(), 1)
        yield (
            "the kept are those of evaluation, scaled",
            bool(((trained - rested / 0.75)[kept].abs() < 1e-4).all()),
        )


def _refuses_length(module, texts, length):
    try:
        module(torch.ones(texts, length, dtype=torch.long))
    except ValueError:
        return True
    except Exception:
        return False
    return False


def _forward(
    self,
    ids,
    type_ids=None,
    *,
    first=0,
    limit=0,
    order=None,
    finish=None,
    factor=1.0,
    refuse=True,
    count=None,
):
    length = count(ids) if count else ids.shape[1]
    if refuse and length > self.position.num_embeddings + limit:
        raise ValueError("more tokens than positions")
    types = torch.zeros_like(ids) if type_ids is None else type_ids
    places = order(ids) if order else torch.arange(first, first + ids.shape[1])
    everything = factor * self.token(ids) + self.segment(types)
    everything = everything + self.position(places % self.position.num_embeddings)
    return finish(self, everything) if finish else self.dropout(self.norm(everything))


def going(**options):
    return lambda self, ids, type_ids=None: _forward(self, ids, type_ids, **options)


def forward_without_segments(self, ids, type_ids=None):
    return self.dropout(self.norm(self.token(ids) + self.position(torch.arange(ids.shape[1]))))


def forward_segments_left_out_when_none(self, ids, type_ids=None):
    if type_ids is not None or ids.shape[1] > self.position.num_embeddings:
        return _forward(self, ids, type_ids)
    return self.dropout(self.norm(self.token(ids) + self.position(torch.arange(ids.shape[1]))))


def forward_needs_segments(self, ids, type_ids=None):
    if ids.shape[1] > self.position.num_embeddings:
        raise ValueError("more tokens than positions")
    return self.dropout(
        self.norm(self.token(ids) + self.segment(type_ids) + self.position(torch.arange(ids.shape[1])))
    )


def forward_in_another_order(self, ids, type_ids=None):
    T = ids.shape[1]
    if T > self.position.num_embeddings:
        raise ValueError(f"{T} tokens are too many")
    hidden = self.position.weight[:T] + self.token(ids)
    hidden = hidden + (self.segment.weight[0] if type_ids is None else self.segment(type_ids))
    return self.dropout(self.norm(hidden))


def first_vector(parts):
    return parts["a text"][0, 0]


FORWARD_MISTAKES = (
    Mistake(
        "dropout before the norm",
        going(finish=lambda self, x: self.norm(self.dropout(x))),
        "right in evaluation, but in training the kept numbers aren't those of evaluation divided by 1 - p: the "
        "norm comes after dropout and sees other sums each time. What is the last step in the picture at the top?",
    ),
    Mistake(
        "no dropout",
        going(finish=lambda self, x: self.norm(x)),
        "right in evaluation; in training a share of {yours} is dropped, expected {expected}: the last layer, which "
        "takes numbers away, isn't used",
        show=lambda parts: parts["dropped in training"],
    ),
    Mistake(
        "no norm",
        going(finish=lambda self, x: self.dropout(x)),
        "the first vector is {yours}, expected {expected}: that is the bare sum. Which layer brings it to a standard "
        "form?",
    ),
    Mistake(
        "norm of the tokens only",
        lambda self, ids, type_ids=None: _forward(
            self, ids, type_ids, finish=lambda s, x: s.dropout(s.norm(s.token(ids)) + (x - s.token(ids)))
        ),  # fmt: skip
        "the first vector is {yours}, expected {expected}: you normalize the token row and then add the others. The "
        "norm belongs to the sum",
    ),
    Mistake(
        "positions from one",
        going(first=1),
        "the first vector is {yours}, expected {expected}: it got the position row 1. The first place is 0",
    ),
    Mistake(
        "positions looked up by id",
        going(order=lambda ids: ids),
        "the first vector is {yours}, expected {expected}: its position row was looked up by its id. Only the shape of "
        "`ids` knows how many places there are",
    ),
    Mistake(
        "the number of the text as position",
        going(order=lambda ids: torch.arange(ids.shape[0])[:, None]),
        "the first vector may be right, but the second is {yours}, expected {expected}: its position row is that of the "
        "text's number in the batch. Which dimension of `ids` runs along the text?",
        show=lambda parts: parts["a text"][0, 1],
    ),
    Mistake(
        "no segments",
        forward_without_segments,
        "the first vector is {yours}, expected {expected}: the segment's row is missing in the sum",
    ),
    Mistake(
        "segment row missing where no segments are given",
        forward_segments_left_out_when_none,
        "right with segments; without them the first vector is {yours}, expected {expected}: None says segment 0, and "
        "segment 0 has a row, too, which is not zero",
        show=lambda parts: parts["without segments"][0, 0],
    ),
    Mistake(
        "segments needed",
        forward_needs_segments,
        "`type_ids` may be None. What does every token of a single text get?",
        raises=TypeError,
    ),
    Mistake(
        "times the root of H",
        going(factor=2.0),
        "the first vector is {yours}, expected {expected}: the token row was multiplied, by √H it seems, as in the "
        "Transformer before BERT",
    ),
    Mistake(
        "too many tokens not refused",
        going(refuse=False),
        "a text with one token more than there are positions should raise a ValueError that says so. An IndexError "
        "from deep inside helps nobody, and a text that is cut without a word is worse",
    ),
    Mistake(
        "the last position refused",
        going(limit=-1),
        "as many tokens as there are positions still fit: refuse only more",
    ),
    Mistake(
        "texts counted instead of tokens",
        going(count=lambda ids: ids.shape[0]),
        "you refuse by the number of texts in the batch; what must not exceed the positions is the number of tokens. "
        "Which dimension of `ids` is that?",
    ),
    Mistake(
        "segment 1 where none are given",
        lambda self, ids, type_ids=None: _forward(
            self, ids, torch.ones_like(ids) if type_ids is None else type_ids
        ),
        "right with segments; without them the first vector is {yours}, expected {expected}: a single text is the first "
        "text, and counting starts at 0",
        show=lambda parts: parts["without segments"][0, 0],
    ),
    Mistake(
        "each table normalized",
        lambda self, ids, type_ids=None: _forward(
            self,
            ids,
            type_ids,
            finish=lambda s, x: s.dropout(
                s.norm(s.token(ids))
                + s.norm(s.segment(torch.zeros_like(ids) if type_ids is None else type_ids))
                + s.norm(s.position(torch.arange(ids.shape[1])))
            ),
        ),
        "the first vector is {yours}, expected {expected}: you normalize each of the three rows and add them up. Their "
        "sizes among each other get lost; first the sum, then the norm",
    ),
    Mistake(
        "dropout in evaluation",
        going(finish=lambda self, x: nn.functional.dropout(self.norm(x), self.dropout.p)),
        "in evaluation the first vector is {yours}, expected {expected}: numbers are dropped, for a function knows no "
        "evaluation mode. The layer `self.dropout` does",
    ),
    Mistake(
        "segment 0 for all",
        lambda self, ids, type_ids=None: _forward(self, ids),
        "`type_ids` has no effect: the third token of the first text is {yours}, expected {expected}. Every token gets the "
        "row of segment 0",
        show=lambda parts: parts["a text"][0, 2],
    ),
    Mistake(
        "position 0 for all",
        going(order=lambda ids: torch.zeros_like(ids)),
        "the first vector is right, but the second is {yours}, expected {expected}: every token got the position row 0",
        show=lambda parts: parts["a text"][0, 1],
    ),
    Mistake(
        "refused the wrong way round",
        going(count=lambda ids: 12 - ids.shape[1]),
        "a text of 4 tokens is refused, though there are 6 positions: more tokens than positions are too many, not fewer",
        raises=ValueError,
    ),
    Mistake(
        "positions left out",
        lambda self, ids, type_ids=None: (
            _forward(self, ids, type_ids)
            if ids.shape[1] > self.position.num_embeddings
            else self.dropout(
                self.norm(
                    self.token(ids) + self.segment(torch.zeros_like(ids) if type_ids is None else type_ids)
                )
            )
        ),
        "the first vector is {yours}, expected {expected}: no position row is in it",
    ),
    Mistake(
        "segments after the norm",
        lambda self, ids, type_ids=None: _forward(
            self,
            ids,
            type_ids,
            finish=lambda self, x: self.dropout(
                self.norm(x - (s := self.segment(torch.zeros_like(ids) if type_ids is None else type_ids))) + s
            ),
        ),
        "the first vector is {yours}, expected {expected}: the segment's row is added after the norm. All three rows come before "
        "it",
    ),
)

EXERCISE = Exercise(
    id="3.10",
    name="BertEmbeddings.forward",
    reference=BertEmbeddings.forward,
    stub=FORWARD,
    probe=probe_forward,
    hints=(
        "Three questions first: are there too many tokens, are there segments, which places are there? Then the "
        "sum of exercise 3.6, and the two layers.",
        "`self.token(ids)` looks rows up, and so do the other two tables. `torch.zeros_like(ids)` is segment 0 for "
        "every token.",
        "In the picture at the top, LayerNorm comes before dropout.",
    ),
    mistakes=FORWARD_MISTAKES,
    notice="it asks nothing about its neighbors: each token's vector is computed alone",
    asks={
        "a text": "Token, position and segment row are added, and the norm comes after the sum",
        "two texts": "Each text begins anew at position 0",
        "without segments": "Without type_ids every token gets the row of segment 0",
        "one token more is refused": "More tokens than the position table has rows are refused with a ValueError",
        "dropped in training": "In training self.dropout takes away its share of the result, at the very end",
    },
    difficulty=2,
    minutes=10,
    show=first_vector,
    variants=(forward_in_another_order,),
)
