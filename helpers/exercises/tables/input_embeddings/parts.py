"""BertEmbeddings.__init__: what it is made of."""

from torch import nn

from helpers.embeddings import BertEmbeddings
from helpers.exercises.exercise import Exercise, Mistake, with_method

PARTS = '''
def my_embeddings_init(self, vocab_size, hidden_size, max_positions=512, num_segments=2,
                       dropout=0.1, norm_eps=1e-12, pad_token_id=0):
    """Make self.token, self.position, self.segment, self.norm and self.dropout from PyTorch's layers.

    pad_token_id: the entry of self.token that learns nothing by its look-up; None: there is no such entry.
    One that is none of 0, 1, ... vocab_size - 1 is refused with a ValueError.
    """
    nn.Module.__init__(self)  # in a class: super().__init__()
    ...
'''


def probe_parts(function):
    cls = with_method(BertEmbeddings, "__init__", function)
    made = cls(11, 8, 9, 3, 0.25, 1e-6, 4)
    yield "shapes", {name: tuple(tensor.shape) for name, tensor in made.state_dict().items()}
    yield "entry that learns nothing", made.token.padding_idx
    yield "epsilon of the norm", f"{made.norm.eps:.0e}"
    yield "share that dropout drops", made.dropout.p
    plain = cls(7, 4)
    sizes = (plain.position.num_embeddings, plain.segment.num_embeddings)
    yield "by default", (*sizes, plain.dropout.p, f"{plain.norm.eps:.0e}", plain.token.padding_idx)
    yield "the last entry may be [PAD]", cls(7, 4, pad_token_id=6).token.padding_idx
    yield "without [PAD]", cls(7, 4, pad_token_id=None).token.padding_idx
    yield "refused", [_refuses(cls, pad) for pad in (7, 12, -1)]


def _refuses(cls, pad):
    try:
        cls(7, 4, pad_token_id=pad)
    except ValueError:
        return True
    except Exception as error:
        return type(error).__name__
    return False


def _parts(self, vocab_size, hidden_size, max_positions=512, num_segments=2, dropout=0.1, norm_eps=1e-12,
           pad_token_id=0, *, change=None, low=0, high=0, strict=True):  # fmt: skip
    nn.Module.__init__(self)
    if strict and pad_token_id is not None and not low <= pad_token_id < vocab_size + high:
        raise ValueError("pad_token_id must be an entry")
    self.token = nn.Embedding(vocab_size, hidden_size, padding_idx=pad_token_id)
    self.position = nn.Embedding(max_positions, hidden_size)
    self.segment = nn.Embedding(num_segments, hidden_size)
    self.norm = nn.LayerNorm(hidden_size, eps=norm_eps)
    self.dropout = nn.Dropout(dropout)
    if change:
        change(self, vocab_size, hidden_size, max_positions, num_segments, dropout, norm_eps)


def made(**options):
    def init(self, vocab_size, hidden_size, max_positions=512, num_segments=2, dropout=0.1, norm_eps=1e-12,
             pad_token_id=0):  # fmt: skip
        sizes = (vocab_size, hidden_size, max_positions, num_segments, dropout, norm_eps, pad_token_id)
        _parts(self, *sizes, **options)

    return init


def without_pad(self, vocab_size, hidden_size, *rest):
    self.token = nn.Embedding(vocab_size, hidden_size)


def exchanged(self, vocab_size, hidden_size, max_positions, num_segments, *rest):
    self.position = nn.Embedding(num_segments, hidden_size)
    self.segment = nn.Embedding(max_positions, hidden_size)


def turned(self, vocab_size, hidden_size, max_positions, num_segments, *rest):
    self.position = nn.Embedding(hidden_size, max_positions)


def own_epsilon(self, vocab_size, hidden_size, *rest):
    self.norm = nn.LayerNorm(hidden_size)


def own_share(self, *rest):
    self.dropout = nn.Dropout()


def norm_of_positions(self, vocab_size, hidden_size, max_positions, *rest):
    self.norm = nn.LayerNorm(max_positions, eps=rest[-1])


def segment_forgotten(self, *rest):
    del self.segment


def init_that_stumbles_over_none(self, vocab_size, hidden_size, max_positions=512, num_segments=2, dropout=0.1,
                                 norm_eps=1e-12, pad_token_id=0):  # fmt: skip
    if not 0 <= pad_token_id < vocab_size:
        raise ValueError("pad_token_id must be an entry")
    _parts(self, vocab_size, hidden_size, max_positions, num_segments, dropout, norm_eps, pad_token_id)


def init_with_super(self, vocab_size, hidden_size, *sizes, **more):
    super().__init__()


PARTS_MISTAKES = (
    Mistake(
        "no entry that learns nothing",
        made(change=without_pad),
        "`pad_token_id` has no effect: [PAD] would learn from every place that is only filling. Which argument of "
        "`nn.Embedding` says that an entry learns nothing?",
    ),
    Mistake(
        "positions and segments exchanged",
        made(change=exchanged),
        "your position table has as many rows as there should be segments: the two are exchanged",
    ),
    Mistake(
        "table turned round",
        made(change=turned),
        "a table has a row for each thing that is looked up, and H numbers in a row: first the number of rows",
    ),
    Mistake(
        "the norm's own epsilon",
        made(change=own_epsilon),
        "`norm_eps` has no effect: `nn.LayerNorm` takes 1e-5 by itself, and BERT was trained with 1e-12",
    ),
    Mistake(
        "dropout's own share",
        made(change=own_share),
        "`dropout` has no effect: `nn.Dropout` drops half by itself",
    ),
    Mistake(
        "norm of the wrong size",
        made(change=norm_of_positions),
        "the norm should have a gain and a bias for each of the H numbers of a vector",
    ),
    Mistake(
        "no segment table",
        made(change=segment_forgotten),
        "a part is missing: what tells the first text of a pair from the second?",
    ),
    Mistake(
        "nothing refused",
        made(strict=False),
        "a `pad_token_id` that is no entry should raise a ValueError before the tables are made; for 7, 12 and -1 in a "
        "vocabulary of 7 yours refuses {yours}, expected {expected} (-1 would count from the end)",
        show=lambda parts: parts["refused"],
    ),
    Mistake(
        "entry 0 refused",
        made(low=1),
        "a `pad_token_id` is refused that is an entry: which are the smallest and the largest number that you let pass? The entries "
        "are 0 to vocab_size - 1, and 0, where BERT keeps [PAD], is one like others",
        raises=ValueError,
    ),
    Mistake(
        "one past the end allowed",
        made(high=1),
        "a vocabulary of 7 has the entries 0 to 6; of 7, 12 and -1 yours refuses {yours}, expected {expected}",
        show=lambda parts: parts["refused"],
    ),
    Mistake(
        "None not expected",
        init_that_stumbles_over_none,
        "None says that no entry is filling; ask for that before you compare it with numbers",
        raises=TypeError,
    ),
    Mistake(
        "super() outside of a class",
        init_with_super,
        "Python's `super()` works only where a class is written down, and this function stands alone: keep the stub's first line, "
        "which says the same",
    ),
    Mistake(
        "0 is always the filling",
        made(change=lambda self, V, H, P, S, *rest: setattr(self, "token", nn.Embedding(V, H, padding_idx=0))),
        "with pad_token_id=4 the entry that learns nothing is {yours}, expected {expected}: it is always 0, whatever "
        "`pad_token_id` says",
        show=lambda parts: parts["entry that learns nothing"],
    ),
    Mistake(
        "always 512 positions",
        made(change=lambda self, V, H, P, S, *rest: setattr(self, "position", nn.Embedding(512, H))),
        "your position table always has 512 rows: `max_positions` has no effect",
    ),
    Mistake(
        "always two segments",
        made(change=lambda self, V, H, P, S, *rest: setattr(self, "segment", nn.Embedding(2, H))),
        "your segment table always has 2 rows: `num_segments` has no effect",
    ),
    Mistake(
        "always a tenth dropped",
        made(change=lambda self, V, H, P, S, *rest: setattr(self, "dropout", nn.Dropout(0.1))),
        "`dropout` has no effect: with 0.25, {yours} is dropped, expected {expected}",
        show=lambda parts: parts["share that dropout drops"],
    ),
    Mistake(
        "always 1e-12",
        made(change=lambda self, V, H, P, S, *rest: setattr(self, "norm", nn.LayerNorm(H, eps=1e-12))),
        "the norm's epsilon is {yours}, expected {expected}: 1e-12 is only the default, and `norm_eps` has no effect",
        show=lambda parts: parts["epsilon of the norm"],
    ),
    Mistake(
        "as many positions as entries",
        made(change=lambda self, V, H, P, S, *rest: setattr(self, "position", nn.Embedding(V, H))),
        "your position table has as many rows as the vocabulary: it needs one for each place, `max_positions`",
    ),
    Mistake(
        "dropout as a number",
        made(change=lambda self, *sizes: (delattr(self, "dropout"), setattr(self, "dropout", sizes[4]))),
        "self.dropout should be a layer, nn.Dropout of that share: it knows whether the module is in training",
    ),
)

EXERCISE = Exercise(
    id="3.9",
    name="BertEmbeddings.__init__",
    reference=BertEmbeddings.__init__,
    stub=PARTS,
    probe=probe_parts,
    hints=(
        "Five lines, one for each part, and a question about `pad_token_id` before them. The three tables are "
        "`nn.Embedding(rows, numbers in a row)`.",
        "`nn.Embedding` takes `padding_idx`, `nn.LayerNorm` takes `eps`, `nn.Dropout` the share.",
        "`0 <= pad_token_id < vocab_size` asks whether it is an entry; None must not get that far.",
    ),
    mistakes=PARTS_MISTAKES,
    notice="nothing was computed yet: a module's __init__ only makes the parts, and forward uses them",
    asks={
        "shapes": "self.token, self.position and self.segment are tables (rows, H), self.norm is over H",
        "entry that learns nothing": "pad_token_id goes to the token table as its padding_idx",
        "epsilon of the norm": "norm_eps goes to nn.LayerNorm as its eps",
        "share that dropout drops": "dropout goes to nn.Dropout",
        "refused": "Refused with a ValueError are numbers that are no entry: below 0, or vocab_size and above",
    },
    difficulty=2,
    minutes=8,
    variants=(made(),),
)
