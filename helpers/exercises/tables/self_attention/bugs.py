"""Break it: three published bugs of attention, with their checks."""

import inspect

import torch

from helpers.attention import MultiHeadSelfAttention
from helpers.embeddings import BertEmbeddings
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import self_attention as references
from helpers.exercises.tables.self_attention import broken


def module_with_random_weights(dropout=0.0):
    """An attention module with H = 12 and A = 3, in evaluation mode."""
    module = MultiHeadSelfAttention(12, 3, dropout).eval().requires_grad_(False)
    for parameter in module.parameters():
        parameter.copy_(0.6 * torch.randn(parameter.shape))
    return module


# 4.b1 the mask of another text


def probe_batch(attend):
    torch.manual_seed(5)
    module, hidden = module_with_random_weights(), torch.randn(2, 4, 12)  # B = 2, T = 4
    yield "one text", attend(module, hidden[:1], torch.tensor([[1, 1, 1, 0]]))
    yield "two texts of one length", attend(module, hidden, torch.ones(2, 4, dtype=torch.long))
    result = attend(module, hidden, torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]]))
    yield "the first of two lengths", result[0]
    yield "the second of two lengths", result[1, :2]  # nobody reads the rows of padding


def _in_one_batch(module, hidden, attention_mask, *, masks=None, back=None):
    A, B = module.num_heads, len(hidden)
    mask = attention_mask.bool()
    mask = masks(mask, A, B) if masks else mask.repeat(A, 1)
    parts = [references.split_heads(layer(hidden), A) for layer in (module.query, module.key, module.value)]
    folded = [part.transpose(0, 1).flatten(0, 1) for part in parts]
    context, _ = references.scaled_dot_product_attention(*folded, mask[:, None, :])
    heads = back(context, A) if back else context.unflatten(0, (A, -1)).transpose(0, 1)
    return module.output(references.join_heads(heads))


def batched(**options):
    return lambda module, hidden, attention_mask: _in_one_batch(module, hidden, attention_mask, **options)


def repaired_by_the_order_of_the_heads(module, hidden, attention_mask):
    A = module.num_heads
    parts = [references.split_heads(layer(hidden), A) for layer in (module.query, module.key, module.value)]
    mask = attention_mask.bool().repeat_interleave(A, dim=0)[:, None, :]
    context, _ = references.scaled_dot_product_attention(*(part.flatten(0, 1) for part in parts), mask)
    return module.output(references.join_heads(context.unflatten(0, (-1, A))))


def both_orders_changed(module, hidden, attention_mask):
    A = module.num_heads
    parts = [references.split_heads(layer(hidden), A) for layer in (module.query, module.key, module.value)]
    mask = attention_mask.bool().repeat(A, 1)[:, None, :]
    context, _ = references.scaled_dot_product_attention(*(part.flatten(0, 1) for part in parts), mask)
    return module.output(references.join_heads(context.unflatten(0, (-1, A))))


def first_of_two(parts):
    return parts["the first of two lengths"][0, :3]


def second_of_two(parts):
    return parts["the second of two lengths"][0, :3]


BATCH_MISTAKES = (
    Mistake(
        "still the mask of another text",
        lambda *arguments: broken.my_attend_in_one_batch(*arguments),
        "the first text's first token still begins with {yours}, expected {expected}: some of its heads get the mask of "
        "the second text. Write down for two texts and three heads which text each row of the folded dimension "
        "belongs to, and which text each row of the mask",
    ),
    Mistake(
        "no mask",
        batched(masks=lambda mask, A, B: torch.ones(A * B, mask.shape[1], dtype=torch.bool)),
        "the first text is right, but now the second sees its padding: its first token begins with {yours}, expected "
        "{expected}",
        show=second_of_two,
    ),
    Mistake(
        "the first text's mask for all",
        batched(masks=lambda mask, A, B: mask[:1].expand(A * B, -1)),
        "the first text is right, but the second gets the first one's mask: alone, a text of three tokens and one of "
        "padding, it was right; here its first token begins with {yours}, expected {expected}",
        show=second_of_two,
    ),
    Mistake(
        "what all texts have",
        batched(masks=lambda mask, A, B: mask.all(dim=0).expand(A * B, -1)),
        "the second text is right, but the first sees only as many tokens as the second has: it begins with {yours}, "
        "expected {expected}",
    ),
    Mistake(
        "unfolded in another order",
        batched(back=lambda context, A: context.unflatten(0, (-1, A))),
        "even without padding two texts are now mixed up: the heads are put back in another order than they were taken "
        "apart. Either both change, or the mask",
        show=lambda parts: parts["two texts of one length"][0, 0, :3],
    ),
    Mistake(
        "results of padding made zero",
        lambda module, hidden, mask: broken.my_attend_in_one_batch(module, hidden, mask) * mask[..., None],
        "you make the results at the padding zero, which nobody reads; the first text still begins with {yours}, "
        "expected {expected}",
        show=first_of_two,
    ),
    Mistake(
        "both orders changed",
        both_orders_changed,
        "you changed the order of the heads and that of the masks, so they still don't fit: the first text begins with "
        "{yours}, expected {expected}. One of the two was enough",
    ),
)

# 4.b2 a mask that hides nothing


def probe_from_ids(attend):
    torch.manual_seed(6)
    embeddings = BertEmbeddings(9, 12, 8, dropout=0.0).requires_grad_(False)
    for table in (embeddings.token.weight, embeddings.position.weight):
        table.copy_(torch.randn(table.shape))
    embeddings.token.weight[0] = 0  # [PAD]
    embeddings.token.weight[4] -= embeddings.token.weight[4].mean()  # a word whose numbers sum to 0
    attention = module_with_random_weights()
    yield "no padding", attend(embeddings, attention, torch.tensor([[5, 2, 7]]))
    result = attend(embeddings, attention, torch.tensor([[3, 8, 1, 6], [5, 2, 0, 0]]))
    yield "the longer text", result[0]
    yield "the shorter text", result[1, :2]  # nobody reads the rows of padding
    result = attend(embeddings, attention, torch.tensor([[5, 4, 0, 0]]))
    yield "a word whose numbers sum to 0", result[0, :2]


def _from_ids(embeddings, attention, ids, *, see=None, change=None):
    places = torch.arange(ids.shape[1])
    hidden = embeddings.token(ids) + embeddings.position(places)
    hidden = change(hidden, ids) if change else hidden
    visible = see(embeddings, ids) if see else ids != 0
    return attention(hidden, visible[:, None, None, :])[0]


def from_ids(**options):
    return lambda embeddings, attention, ids: _from_ids(embeddings, attention, ids, **options)


def everything(embeddings, ids):
    return torch.ones_like(ids, dtype=torch.bool)


def shorter(parts):
    return parts["the shorter text"][0, :3]


FROM_IDS_MISTAKES = (
    Mistake(
        "nothing hidden",
        lambda *arguments: broken.my_attend_from_ids(*arguments),
        "the shorter text still begins with {yours}, expected {expected}: the padding is still seen. For one place of "
        "padding, print what is compared with 0: what was added to the row of zeros?",
    ),
    Mistake(
        "padding made zero, not hidden",
        from_ids(see=everything, change=lambda hidden, ids: hidden * (ids != 0)[..., None]),
        "the shorter text begins with {yours}, expected {expected}: the vectors of the padding are zero now, but their "
        "keys still have scores (that of their bias) and take their share of the weights",
    ),
    Mistake(
        "inverted",
        from_ids(see=lambda embeddings, ids: ids == 0),
        "now the words are hidden and the padding is seen; and a text without padding has nothing left to look at",
    ),
    Mistake(
        "rows that sum to zero",
        from_ids(see=lambda embeddings, ids: embeddings.token(ids).sum(dim=-1).abs() > 1e-5),
        "the padding is hidden, but so is a word whose numbers happen to sum to 0: beside it the text begins with "
        "{yours}, expected {expected}. What says without doubt that a place is padding?",
        show=lambda parts: parts["a word whose numbers sum to 0"][0, :3],
    ),
    Mistake(
        "the last places of every text",
        from_ids(see=lambda embeddings, ids: (ids != 0).all(dim=0).expand(ids.shape)),
        "the shorter text is right, but the longer one begins with {yours}, expected {expected}: it was cut to the "
        "length of the shorter",
        show=lambda parts: parts["the longer text"][0, :3],
    ),
    Mistake(
        "positions left out",
        lambda embeddings, attention, ids: attention(
            embeddings.token(ids), (embeddings.token(ids).abs().sum(dim=-1) > 0)[:, None, None, :]
        )[0],
        "the padding is hidden, but attention no longer gets the positions: even without padding the text begins with "
        "{yours}, expected {expected}",
        show=lambda parts: parts["no padding"][0, 0, :3],
    ),
    Mistake(
        "rows that sum to less than zero",
        from_ids(see=lambda embeddings, ids: embeddings.token(ids).sum(dim=-1) > 0),
        "the padding is hidden, but so are words whose numbers sum to less than 0: even without padding the text begins with "
        "{yours}, expected {expected}",
        show=lambda parts: parts["no padding"][0, 0, :3],
    ),
)

# 4.b3 evaluation that is never the same


def probe_fast(attend):
    torch.manual_seed(7)
    module, hidden = module_with_random_weights(dropout=0.4), torch.randn(2, 5, 12)
    visible = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]).bool()[:, None, None, :]
    yield "evaluation", attend(module, hidden)
    yield "evaluation with a mask", attend(module, hidden, visible)
    yield "the share to drop is what it was", module.dropout
    with torch.enable_grad():
        yield "evaluation with gradients", attend(module, hidden.clone().requires_grad_())
    module.train()
    with torch.enable_grad():
        one, other = attend(module, hidden, visible), attend(module, hidden, visible)
    yield "two steps of training differ", not torch.equal(one, other)
    with torch.no_grad():
        one, other = attend(module, hidden), attend(module, hidden)
    yield "and without gradients, too", not torch.equal(one, other)
    yield "it is still in training mode", module.training


def _fast(module, hidden, mask=None, *, share=None, before=None):
    if before:
        before(module)
    dropout = share(module) if share else (module.dropout if module.training else 0.0)
    parts = [
        references.split_heads(layer(hidden), module.num_heads)
        for layer in (module.query, module.key, module.value)
    ]
    context = torch.nn.functional.scaled_dot_product_attention(*parts, mask, dropout)
    return module.output(references.join_heads(context))


def fast(**options):
    return lambda module, hidden, mask=None: _fast(module, hidden, mask, **options)


def set_to_zero_in_evaluation(module):
    if not module.training:
        module.dropout = 0.0
    return module.dropout


def in_evaluation_begin(parts):
    return parts["evaluation"][0, 0, :3]


FAST_MISTAKES = (
    Mistake(
        "still dropping",
        lambda *arguments: broken.my_attend_fast(*arguments),
        "in evaluation the first token begins with {yours}, expected {expected}, and with other numbers the next time. "
        "`nn.Dropout` knows of evaluation mode; does a function?",
    ),
    Mistake(
        "never dropping",
        fast(share=lambda module: 0.0),
        "evaluation is right, but now nothing is dropped in training: two steps give the same. That cures the symptom",
    ),
    Mistake(
        "the wrong way round",
        fast(share=lambda module: 0.0 if module.training else module.dropout),
        "in evaluation the first token begins with {yours}, expected {expected}: it is dropped in evaluation and not in "
        "training",
    ),
    Mistake(
        "the share forgotten for good",
        fast(share=set_to_zero_in_evaluation),
        "evaluation is right, but it sets the module's share to {yours} (before: {expected}): training that goes on "
        "afterwards drops nothing any more. Megatron-LM had this one, too (pull request 411)",
        show=lambda parts: parts["the share to drop is what it was"],
    ),
    Mistake(
        "evaluation mode for good",
        fast(before=lambda module: module.eval()),
        "evaluation is right, but after one call the module is in evaluation mode for good, and training goes on "
        "without dropout. Who decides about the mode?",
    ),
    Mistake(
        "where gradients are needed",
        fast(share=lambda module: module.dropout if torch.is_grad_enabled() else 0.0),
        "right without gradients; but evaluation may need gradients (notebook 9 explains decisions with them), and then "
        "yours drops: {where} yours is {yours}, expected {expected}. Two switches, for two things",
        show=False,
    ),
    Mistake(
        "a seed",
        fast(share=lambda module: module.dropout, before=lambda module: torch.manual_seed(0)),
        "with a seed evaluation repeats, but it still drops: the first token begins with {yours}, expected {expected}. "
        "And every step of training drops the same now",
    ),
    Mistake(
        "the mask lost",
        lambda module, hidden, mask=None: _fast(module, hidden, None),
        "without a mask it is right; with one, the mask is lost on the way",
    ),
)

EXERCISES = (
    Exercise(
        id="4.b1",
        name="attend_in_one_batch",
        reference=references.attend_in_one_batch,
        kind="bug",
        source="lsdefine/attention-is-all-you-need-keras, issue 36 (2020)",
        stub=inspect.getsource(broken.my_attend_in_one_batch),
        probe=probe_batch,
        hints=(
            "One text alone is right, and so are texts of one length. What is different for a text whose neighbor is "
            "shorter?",
            "Number the A · B rows: which text is row 1 after `folded`, and whose mask is row 1 of `mask`?",
            "`repeat_interleave` repeats each row in place: text 0 three times, then text 1. `repeat` goes through all "
            "rows and begins again.",
        ),
        mistakes=BATCH_MISTAKES,
        notice="shapes said nothing: both orders have A · B rows. Only a batch of unlike texts tells them apart",
        asks={
            "one text": "With a single text nothing was wrong: what you changed should leave it as it was",
            "two texts of one length": "Without padding nothing was wrong: the heads must be put back in the order in which they were folded",
        },
        difficulty=2,
        minutes=10,
        show=first_of_two,
        variants=(repaired_by_the_order_of_the_heads, batched()),
    ),
    Exercise(
        id="4.b2",
        name="attend_from_ids",
        reference=references.attend_from_ids,
        kind="bug",
        source="Kyubyong/transformer, issue 33 (2018)",
        stub=inspect.getsource(broken.my_attend_from_ids),
        probe=probe_from_ids,
        hints=(
            "Print `visible` for a text with padding. How many places are False?",
            "The row of [PAD] in the token table is zero. Is that what the line sums up?",
            "The ids know which places are padding, before anything is added.",
        ),
        mistakes=FROM_IDS_MISTAKES,
        notice="a mask is best made from the ids, where padding is still padding; guessed from vectors it fails without "
        "an error",
        asks={
            "no padding": "Without padding every token is visible, whatever its numbers are: does yours hide a word?",
            "the longer text": "Each text hides its own padding",
            "a word whose numbers sum to 0": "A word may have numbers that sum to 0, or to less, and still is a word",
        },
        difficulty=1,
        minutes=8,
        show=shorter,
        variants=(from_ids(see=lambda embeddings, ids: embeddings.token(ids).abs().sum(dim=-1) > 0),),
    ),
    Exercise(
        id="4.b3",
        name="attend_fast",
        reference=references.attend_fast,
        kind="bug",
        source="huggingface/pytorch-image-models, pull request 1978 (2023); pytorch/pytorch, issue 124464 (2024)",
        stub=inspect.getsource(broken.my_attend_fast),
        probe=probe_fast,
        hints=(
            "What in this program draws random numbers, and who tells it that training is over?",
            "A function has no mode. `module.training` says which mode the module is in.",
        ),
        mistakes=FAST_MISTAKES,
        notice="PyTorch's documentation says so in a sentence: the function drops whatever share it is given. The same "
        "bug was found in many projects",
        asks={
            "evaluation": "In evaluation nothing is dropped",
            "evaluation with a mask": "The mask still hides keys",
            "evaluation with gradients": "Whether gradients are wanted has nothing to do with the mode",
            "two steps of training differ": "In training the share module.dropout is dropped",
        },
        difficulty=1,
        minutes=6,
        show=in_evaluation_begin,
        variants=(fast(), fast(share=lambda module: module.dropout * module.training)),
    ),
)
