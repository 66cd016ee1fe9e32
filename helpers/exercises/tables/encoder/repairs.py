"""Three published bugs, planted in the encoder: 5.b1 to 5.b3."""

import copy
import linecache
from collections.abc import Callable

import torch
from torch import nn

from helpers import encoder
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import encoder as references
from helpers.exercises.tables.encoder.blocks import randomized

__all__ = ["EXERCISES", "planted"]


def run(stub: str) -> Callable:
    """The program that a stub defines, with the names of helpers/encoder.py at hand."""
    space, text = dict(vars(encoder)) | {"copy": copy}, stub.strip("\n")
    name = f"<a program with a bug, {hash(text)}>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)  # its source can be had
    exec(compile(text, name, "exec"), space)
    return next(thing for name, thing in space.items() if name.startswith("my_"))


def planted(exercise_id: str) -> Callable:
    """The program of a workshop as it stands in its cell, with its bug: to show what the bug does."""
    stubs = {exercise.id: exercise.stub for exercise in EXERCISES}
    if exercise_id not in stubs:
        raise ValueError(f"no bug {exercise_id!r} is planted here: choose one of {', '.join(stubs)}")
    return run(stubs[exercise_id])


def edited(stub: str, *changes: tuple[str, str]) -> Callable:
    """The program of a stub after changes of its text, each (old, new)."""
    for old, new in changes:
        if old not in stub:
            raise ValueError(f"{old!r} does not stand in the stub: change both together")
        stub = stub.replace(old, new)
    return run(stub)


# 5.b1: the epsilon that was not passed on

EPSILON = '''
def my_layer_from(config):
    """A fresh encoder layer: hidden (B, T, H) -> hidden (B, T, H), and probabilities if asked for."""

    class Layer(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = MultiHeadSelfAttention(config.hidden_size, config.num_heads, config.dropout)
            self.attention_norm = nn.LayerNorm(config.hidden_size)
            self.feed_forward = FeedForward(config.hidden_size, config.intermediate_size)
            self.feed_forward_norm = nn.LayerNorm(config.hidden_size)
            self.dropout = nn.Dropout(config.dropout)

        def forward(self, hidden, mask=None, return_probabilities=False):
            attended, probabilities = self.attention(hidden, mask, return_probabilities)
            hidden = self.attention_norm(hidden + self.dropout(attended))
            hidden = self.feed_forward_norm(hidden + self.dropout(self.feed_forward(hidden)))
            return hidden, probabilities

    return Layer()
'''


def probe_epsilon(layer_from):
    for name, eps in (("BERT's epsilon", 1e-12), ("another epsilon", 0.5)):
        torch.manual_seed(7)
        sizes = {"hidden_size": 6, "num_heads": 3, "intermediate_size": 10, "norm_eps": eps}
        right = encoder.EncoderLayer(encoder.BertConfig(**sizes))
        with torch.no_grad():  # small sums, so that epsilon shows in both norms
            for parameter in randomized(right).parameters():
                parameter.mul_(0.05)
        layer = layer_from(encoder.BertConfig(**sizes))
        layer.load_state_dict(right.state_dict())
        hidden = 0.01 * torch.randn(2, 4, 6)  # (B, T, H)
        yield f"{name}, in evaluation", 100 * layer.eval()(hidden)[0]
        yield f"{name}, with everything dropped", 100 * _all_dropped(layer)(hidden)[0]


def _all_dropped(layer):
    for part in layer.train().modules():
        if isinstance(part, nn.Dropout):
            part.p = 1.0
    layer.attention.dropout = 0.0
    return layer


def small_token(parts):
    return parts["BERT's epsilon, in evaluation"][0, 0, :3]


ATTENTION_EPS = (
    "attention_norm = nn.LayerNorm(config.hidden_size)",
    "attention_norm = nn.LayerNorm(config.hidden_size, eps={})",
)
FEED_FORWARD_EPS = (
    "feed_forward_norm = nn.LayerNorm(config.hidden_size)",
    "feed_forward_norm = nn.LayerNorm(config.hidden_size, eps={})",
)


def with_eps(attention=None, feed_forward=None, *more):
    changes = [(ATTENTION_EPS, attention), (FEED_FORWARD_EPS, feed_forward)]
    return edited(EPSILON, *((old, new.format(eps)) for (old, new), eps in changes if eps), *more)


EPSILON_MISTAKES = (
    Mistake(
        "the bug itself",
        with_eps("1e-5", "1e-5"),
        "the symptom is still there: a token of small numbers becomes {yours}, expected {expected}. Which setting "
        "of a part is not taken from config, so that PyTorch's own default is used?",
    ),
    Mistake(
        "second norm still wrong",
        with_eps("config.norm_eps"),
        "better, but a token of small numbers still becomes {yours}, expected {expected}: the same thing happens a "
        "second time",
    ),
    Mistake(
        "first norm still wrong",
        with_eps(None, "config.norm_eps"),
        "the upper half of the layer is mended; a token of small numbers becomes {yours}, expected {expected}: the "
        "same thing happens further up in the program",
    ),
    Mistake(
        "written in as a number",
        with_eps("1e-12", "1e-12"),
        "right for BERT. A model with another epsilon in its configuration gets BERT's all the same: where does this "
        "number belong?",
        show=False,
    ),
    Mistake(
        "no norms at all",
        with_eps(
            None,
            None,
            ("self.attention_norm(hidden + self.dropout(attended))", "hidden + self.dropout(attended)"),
            (
                "self.feed_forward_norm(hidden + self.dropout(self.feed_forward(hidden)))",
                "hidden + self.dropout(self.feed_forward(hidden))",
            ),
        ),
        "now nothing is normalized: a token of small numbers becomes {yours}, expected {expected}. The norms stand "
        "in the right place; how they are made is the question",
    ),
    Mistake(
        "norm before the block, in the repair",
        with_eps(
            "config.norm_eps",
            "config.norm_eps",
            (
                "attended, probabilities = self.attention(hidden, mask",
                "attended, probabilities = self.attention(self.attention_norm(hidden), mask",
            ),
            ("self.attention_norm(hidden + self.dropout(attended))", "hidden + self.dropout(attended)"),
            (
                "self.feed_forward_norm(hidden + self.dropout(self.feed_forward(hidden)))",
                "hidden + self.dropout(self.feed_forward(self.feed_forward_norm(hidden)))",
            ),
        ),
        "the making of the norms is mended, but `forward`, which was right, has changed: a token of small numbers "
        "becomes {yours}, expected {expected}",
    ),
)

# 5.b2: loaded, then drawn anew

DRAWN = '''
def my_classifier_from(config, weights, num_classes):
    """A trained encoder with a fresh layer for classes on top: a ModuleDict with "bert" and "classify".

    weights: the state dict of a trained `Bert`.
    """
    bert = Bert(config)
    bert.load_state_dict(weights)
    classify = nn.Linear(config.hidden_size, num_classes)
    model = nn.ModuleDict({"bert": bert, "classify": classify})
    initialize_weights(model, config.init_std)
    return model.eval()
'''


def probe_drawn(classifier_from):
    torch.manual_seed(8)
    config = encoder.BertConfig(
        vocab_size=9, hidden_size=24, num_layers=1, num_heads=3, intermediate_size=10, max_positions=8
    )
    weights = {name: tensor.clone() for name, tensor in randomized(encoder.Bert(config)).state_dict().items()}
    model = classifier_from(config, weights, 60)
    state = model["bert"].state_dict()
    yield (
        "tensors of the encoder",
        f"{sum(torch.equal(state[n], weights[n]) for n in weights)} of {len(weights)}",
    )
    fresh = model["classify"]
    yield "the new layer's weights", "about 0.02" if 0.015 < fresh.weight.std() < 0.025 else "another size"
    yield "the new layer's bias is 0", bool((fresh.bias == 0).all())
    yield "in evaluation", not any(part.training for part in model.modules())


def as_loaded(parts):
    return parts["tensors of the encoder"]


DRAW_ALL = "initialize_weights(model, config.init_std)"

DRAWN_MISTAKES = (
    Mistake(
        "the bug, still there",
        edited(DRAWN, (DRAW_ALL, "initialize_weights(model, 0.02)")),
        "of the encoder's tensors {yours} are those that were loaded, expected {expected}: something writes over "
        "them. Which line comes after loading and touches every part?",
    ),
    Mistake(
        "line deleted",
        edited(DRAWN, (f"    {DRAW_ALL}\n", "")),
        "the encoder is as it was loaded. But the new layer now starts as PyTorch makes it, and not from 0.02 and "
        "0: that line had a task, too",
    ),
    Mistake(
        "encoder drawn, new layer not",
        edited(DRAWN, (DRAW_ALL, "initialize_weights(bert, config.init_std)")),
        "of the encoder's tensors {yours} are those that were loaded, expected {expected}: you draw the part that "
        "was trained, and leave the one that is new",
    ),
    Mistake(
        "not in evaluation",
        edited(DRAWN, (DRAW_ALL, "initialize_weights(classify, config.init_std)"), ("model.eval()", "model")),
        "the weights are right; what comes back is in training mode now, with dropout, and it was in evaluation",
    ),
    Mistake(
        "weights drawn, bias left",
        edited(DRAWN, (DRAW_ALL, "nn.init.normal_(classify.weight, std=config.init_std)")),
        "the encoder and the new weights are right; the new layer's bias should start at 0",
    ),
    Mistake(
        "loaded before and lost",
        edited(
            DRAWN,
            ("    bert.load_state_dict(weights)\n", ""),
            (DRAW_ALL, "initialize_weights(classify, config.init_std)"),
        ),
        "of the encoder's tensors {yours} are those of `weights`, expected {expected}: nothing loads them any more",
    ),
)


def loads_last(config, weights, num_classes):
    bert, classify = encoder.Bert(config), nn.Linear(config.hidden_size, num_classes)
    model = nn.ModuleDict({"bert": bert, "classify": classify})
    encoder.initialize_weights(model, config.init_std)
    bert.load_state_dict(weights)
    return model.eval()


# 5.b3: layers that begin alike

CLONES = '''
import copy


def my_stack(config):
    """The layers of a new encoder: a ModuleList of config.num_layers, each with weights of its own."""
    layer = EncoderLayer(config)
    initialize_weights(layer, config.init_std)
    return nn.ModuleList(copy.deepcopy(layer) for _ in range(config.num_layers))
'''


def probe_clones(stack):
    config = encoder.BertConfig(hidden_size=36, num_heads=3, intermediate_size=40, num_layers=4)
    layers = stack(config)
    kind = type(layers).__name__
    yield "kind", kind
    yield "number of layers", len(layers)
    yield "parameters", len({id(parameter) for layer in layers for parameter in layer.parameters()})
    queries = [layer.attention.query.weight.detach() for layer in layers]
    yield "different weights of the query", len({tuple(weight.flatten().tolist()) for weight in queries})
    sizes = [weight.std().item() for layer in layers for weight in linear_weights(layer)]
    yield "weights of 0.02", f"{sum(0.017 < size < 0.023 for size in sizes)} of {len(sizes)}"
    biases = [bias for layer in layers for name, bias in layer.named_parameters() if name.endswith("bias")]
    yield "biases that are 0", f"{sum(bool((bias == 0).all()) for bias in biases)} of {len(biases)}"


def linear_weights(layer):
    return [part.weight for part in layer.modules() if isinstance(part, nn.Linear)]


def different(parts):
    return parts["different weights of the query"]


ALL_COPIES = "return nn.ModuleList(copy.deepcopy(layer) for _ in range(config.num_layers))"
AS_A_LOOP = """layers = nn.ModuleList()
    for _ in range(config.num_layers):
        layers.append(copy.deepcopy(layer))
    return layers"""
FRESH = ("copy.deepcopy(layer) for _", "EncoderLayer(config) for _")

CLONES_MISTAKES = (
    Mistake(
        "clones as before",
        edited(CLONES, (ALL_COPIES, AS_A_LOOP)),
        "of four layers {yours} has weights of its own, expected {expected}: the others are copies of what was drawn "
        "once. When should the drawing happen?",
    ),
    Mistake(
        "one layer four times",
        edited(CLONES, (ALL_COPIES, "return nn.ModuleList([layer] * config.num_layers)")),
        "there are {yours} parameters in all, expected {expected}: it is the same layer four times, as in ALBERT. "
        "Alike at the start was the symptom; now they stay alike for ever",
        show=lambda parts: parts["parameters"],
    ),
    Mistake(
        "fresh layers, not drawn",
        edited(CLONES, FRESH),
        "each layer is a new one; but only the first, which nobody uses, went through `initialize_weights`: of the "
        "weights {yours} have the size asked for, expected {expected}",
        show=lambda parts: parts["weights of 0.02"],
    ),
    Mistake(
        "one of the clones drawn anew",
        edited(
            CLONES,
            (ALL_COPIES, AS_A_LOOP.replace("return", "initialize_weights(layers[0], 0.02)\n    return")),
        ),
        "{yours} different layers, expected {expected}: one was drawn anew, the others are still copies",
    ),
    Mistake(
        "another size",
        edited(
            CLONES,
            (ALL_COPIES, AS_A_LOOP.replace("return", "initialize_weights(layers, None)\n    return")),
        ),
        "every layer is drawn by itself, but of the weights {yours} have the size that config.init_std asks for, "
        "expected {expected}",
        show=lambda parts: parts["weights of 0.02"],
    ),
    Mistake(
        "a list",
        lambda config: list(right_stack(config)),
        "a plain list: PyTorch would not find the layers in it, neither for training nor for saving",
        show=False,
    ),
)


def right_stack(config):
    layers = nn.ModuleList(encoder.EncoderLayer(config) for _ in range(config.num_layers))
    encoder.initialize_weights(layers, config.init_std)
    return layers


def drawn_one_by_one(config):
    layers = nn.ModuleList()
    for _ in range(config.num_layers):
        layers.append(encoder.EncoderLayer(config))
        encoder.initialize_weights(layers[-1], config.init_std)
    return layers


def drawn_after_copying(config):
    layers = nn.ModuleList(copy.deepcopy(encoder.EncoderLayer(config)) for _ in range(config.num_layers))
    encoder.initialize_weights(layers, config.init_std)
    return layers


EXERCISES = (
    Exercise(
        id="5.b1",
        kind="bug",
        name="mended_layer_from",
        source="keras-team/keras-hub, issue 642 and pull request 665 (January 2023)",
        reference=references.mended_layer_from,
        stub=EPSILON,
        probe=probe_epsilon,
        hints=(
            "The embeddings agree, the first layer does not, and the difference is small: nothing is exchanged or "
            "missing. Some number is slightly other than the weights expect.",
            "Compare how each part is made with `BertConfig`: which setting of it is never read?",
        ),
        mistakes=EPSILON_MISTAKES,
        notice="the embeddings had the right epsilon all the time: a default that is passed on in one place and "
        "forgotten in the next",
        difficulty=2,
        minutes=8,
        show=small_token,
        variants=(with_eps("config.norm_eps", "config.norm_eps"),),
    ),
    Exercise(
        id="5.b2",
        kind="bug",
        name="mended_classifier_from",
        source="huggingface/picotron, issue 32 (May 2025); huggingface/transformers, issue 46620 (June 2026)",
        reference=references.mended_classifier_from,
        stub=DRAWN,
        probe=probe_drawn,
        hints=(
            "Everything was loaded, and nothing of it is left. What happens between loading and `return`?",
            "Only the new layer needs weights drawn for it; or the order of two lines is the other way round.",
        ),
        mistakes=DRAWN_MISTAKES,
        notice="no message told of it, and fine-tuning would have worked, only as badly as without pretraining",
        difficulty=1,
        minutes=6,
        show=as_loaded,
        variants=(
            loads_last,
            edited(DRAWN, (DRAW_ALL, "initialize_weights(classify, config.init_std)")),
            edited(DRAWN, (DRAW_ALL, f"{DRAW_ALL}\n    bert.load_state_dict(weights)")),
        ),
    ),
    Exercise(
        id="5.b3",
        kind="bug",
        name="mended_stack",
        source="pytorch/pytorch, issue 86274 (October 2022)",
        reference=references.mended_stack,
        stub=CLONES,
        probe=probe_clones,
        hints=(
            "How often is a layer made, and how often are its weights drawn?",
            "Make every layer by itself, and draw the weights of all of them.",
        ),
        mistakes=CLONES_MISTAKES,
        notice="copies with weights of their own are not shared: training would part them, from a needlessly poor start",
        difficulty=1,
        minutes=6,
        show=different,
        variants=(right_stack, drawn_one_by_one, drawn_after_copying),
    ),
)
