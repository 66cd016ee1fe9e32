"""Real weights by their names, comparing, and evaluation mode: exercises 5.8 to 5.10."""

from contextlib import contextmanager

import torch
from torch import nn

from helpers import encoder
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import encoder as references

# 5.8 load_layer

LOAD = '''
def my_load_layer(layer, weights, number):
    """Copy the sixteen tensors of the library's layer `number` into `layer`, an `EncoderLayer` of ours.

    weights: {name: tensor}, under the names above, such as "encoder.layer.0.output.dense.bias".
    """
    ...
'''
OURS = {
    "query": ("attention.query", "attention.self.query"),
    "key": ("attention.key", "attention.self.key"),
    "value": ("attention.value", "attention.self.value"),
    "output of attention": ("attention.output", "attention.output.dense"),
    "norm after attention": ("attention_norm", "attention.output.LayerNorm"),
    "widen": ("feed_forward.widen", "intermediate.dense"),
    "narrow": ("feed_forward.narrow", "output.dense"),
    "norm after the feed-forward block": ("feed_forward_norm", "output.LayerNorm"),
}


def some_weights():
    """Layers 0 and 1 of a small model under the library's names, every number random."""
    torch.manual_seed(5)
    layer = encoder.EncoderLayer(encoder.BertConfig(hidden_size=6, num_heads=3, intermediate_size=10))
    found = {}
    for number in (0, 1):
        for ours, theirs in OURS.values():
            for kind in ("weight", "bias"):
                like = getattr(layer.get_submodule(ours), kind)
                found[f"encoder.layer.{number}.{theirs}.{kind}"] = torch.randn(like.shape)
    return layer, found


def probe_load(load_layer):
    layer, weights = some_weights()
    load_layer(layer, weights, 1)
    for name, (ours, _) in OURS.items():
        module = layer.get_submodule(ours)
        yield name, {"weight": module.weight.detach().clone(), "bias": module.bias.detach().clone()}


def _load(layer, weights, number, *, exchanged=(), kinds=("weight", "bias"), left_out=(), turn=()):
    """Loading with one thing done in another way."""
    theirs_of = {name: theirs for name, (_, theirs) in OURS.items()}
    for one, other in [exchanged] if exchanged else []:
        theirs_of[one], theirs_of[other] = theirs_of[other], theirs_of[one]
    with torch.no_grad():
        for name, (ours, _) in OURS.items():
            for kind in kinds if name not in left_out else ():
                tensor = weights[f"encoder.layer.{number}.{theirs_of[name]}.{kind}"]
                tensor = tensor.T if name in turn and kind == "weight" else tensor
                getattr(layer.get_submodule(ours), kind).copy_(tensor)


def load_with(**changes):
    return lambda layer, weights, number: _load(layer, weights, number, **changes)


def load_without_no_grad(layer, weights, number):
    for ours, theirs in OURS.values():
        module = layer.get_submodule(ours)
        module.weight.copy_(weights[f"encoder.layer.{number}.{theirs}.weight"])
        module.bias.copy_(weights[f"encoder.layer.{number}.{theirs}.bias"])


def load_plain_tensors(layer, weights, number):
    for ours, theirs in OURS.values():
        layer.get_submodule(ours).weight = weights[f"encoder.layer.{number}.{theirs}.weight"]


def load_into_a_dict(layer, weights, number):
    state = layer.state_dict()
    for ours, theirs in OURS.values():
        for kind in ("weight", "bias"):
            state[f"{ours}.{kind}"] = weights[f"encoder.layer.{number}.{theirs}.{kind}"]


def load_by_state_dict(layer, weights, number):
    state = {
        f"{ours}.{kind}": weights[f"encoder.layer.{number}.{theirs}.{kind}"]
        for ours, theirs in OURS.values()
        for kind in ("weight", "bias")
    }
    layer.load_state_dict(state)


def load_with_data(layer, weights, number):
    for ours, theirs in OURS.values():
        module = layer.get_submodule(ours)
        module.weight.data = weights[f"encoder.layer.{number}.{theirs}.weight"].clone()
        module.bias.data = weights[f"encoder.layer.{number}.{theirs}.bias"].clone()


def load_their_names(layer, weights, number):
    prefix = f"encoder.layer.{number}."
    layer.load_state_dict({n.removeprefix(prefix): w for n, w in weights.items() if n.startswith(prefix)})


def first_bias(name):
    return lambda parts: parts[name]["bias"][:3]


LOAD_MISTAKES = (
    Mistake(
        "query and key exchanged",
        load_with(exchanged=("query", "key")),
        "the bias of our query begins with {yours}, expected {expected}: query and key have changed places, and every "
        "shape fits",
        show=first_bias("query"),
    ),
    Mistake(
        "key and value exchanged",
        load_with(exchanged=("key", "value")),
        "the bias of our key begins with {yours}, expected {expected}: key and value have changed places",
        show=first_bias("key"),
    ),
    Mistake(
        "norms in each other's place",
        load_with(exchanged=("norm after attention", "norm after the feed-forward block")),
        "the bias of attention_norm begins with {yours}, expected {expected}: the two LayerNorms have changed "
        "places. Which of the library's two modules named `output` belongs to attention?",
        show=first_bias("norm after attention"),
    ),
    Mistake(
        "the two outputs exchanged",
        load_with(exchanged=("output of attention", "narrow")),
        "a tensor does not fit into its place. Two modules are named `output`: the one under `attention` is attention's "
        "output layer (H to H), the other one is `narrow` (4H to H), and `intermediate` is `widen`. No weight has to "
        "be turned over: PyTorch keeps it as (outputs, inputs), and so does this file",
    ),
    Mistake(
        "always layer 0",
        lambda layer, weights, number: _load(layer, weights, 0),
        "asked for layer 1, you copied layer 0: the bias of the query begins with {yours}, expected {expected}. "
        "Where in the name does the number stand?",
        show=first_bias("query"),
    ),
    Mistake(
        "biases not loaded",
        load_with(kinds=("weight",)),
        "the weights are copied, the biases still random: the query's begins with {yours}, expected {expected}. "
        "Sixteen tensors, eight of each kind",
        show=first_bias("query"),
    ),
    Mistake(
        "norms not loaded",
        load_with(left_out=("norm after attention", "norm after the feed-forward block")),
        "the linear layers are right, the LayerNorms still as they were made: the first one's bias begins with "
        "{yours}, expected {expected}",
        show=first_bias("norm after attention"),
    ),
    Mistake(
        "square weights turned over",
        load_with(turn=("query", "key", "value", "output of attention")),
        "the rows of the query's weight are its columns: {where} yours is {yours}, expected {expected}. PyTorch keeps "
        "a weight as (outputs, inputs), and so does this file",
        show=False,
    ),
    Mistake(
        "gradients not switched off",
        load_without_no_grad,
        "PyTorch watches parameters in order to compute gradients, and copying into one is nothing to be learned "
        "from: under which `with` does it look away?",
    ),
    Mistake(
        "a tensor for a parameter",
        load_plain_tensors,
        "a parameter can't be replaced by a plain tensor: write the numbers into the one that is there",
    ),
    Mistake(
        "written into a dict",
        load_into_a_dict,
        "nothing was copied: the query's bias begins with {yours}, expected {expected}. `state_dict()` gives you a "
        "dict of its own, and what you put into it stays there until it is loaded; and loading with strict=False "
        "passes in silence over names that the layer does not have",
        show=first_bias("query"),
    ),
    Mistake(
        "their names",
        load_their_names,
        "those are the library's names, and our layer has its own: which of ours stands for which of theirs?",
    ),
)

# 5.9 visible_difference

DIFFERENCE = '''
def my_visible_difference(a, b, visible):
    """The largest difference between two results, as a float.

    a and b: hidden states (B, T, H), of which only visible tokens count, or pooled outputs (B, H).
    visible: boolean (B, T), True at tokens that are no padding.
    """
    ...
'''


def two_results():
    torch.manual_seed(6)
    a = torch.randn(2, 3, 4)
    b = a + 0.1 * torch.randn(2, 3, 4)
    b[0, 1, 2] = a[0, 1, 2] + 0.75  # the largest, where a is smaller
    b[1, 0, 1] = a[1, 0, 1] - 0.5
    b[1, 2] = a[1, 2] + 7.0  # padding
    return a, b, torch.tensor([[True, True, True], [True, True, False]])


def probe_difference(visible_difference):
    a, b, visible = two_results()
    yield "hidden states", visible_difference(a, b, visible)
    near = a + 0.3 * (visible[..., None].logical_not())  # apart at padding only, and by little
    yield "the other way round", visible_difference(b.where(visible[..., None], near), a, visible)
    larger = a[:, 0] + torch.tensor([0.25, 0.5, 0.875, 0.375])
    yield "pooled outputs", visible_difference(a[:, 0], larger, visible)


def of_states(function):
    """A difference whose `function` sees the numbers that count."""
    return lambda a, b, visible: function(a[visible], b[visible]) if a.dim() == 3 else function(a, b)


def hidden_states(parts):
    return parts["hidden states"]


DIFFERENCE_MISTAKES = (
    Mistake(
        "padding counted",
        lambda a, b, visible: (a - b).abs().max().item(),
        "the hidden states are apart by {yours}, expected {expected}: the larger one stands at padding, where nobody "
        "reads",
    ),
    Mistake(
        "padding alone",
        lambda a, b, visible: ((a - b)[~visible] if a.dim() == 3 else a - b).abs().max().item(),
        "the hidden states are apart by {yours}, expected {expected}: you look at the padding only",
    ),
    Mistake(
        "sign kept",
        of_states(lambda a, b: (a - b).max().item()),
        "the hidden states are apart by {yours}, expected {expected}: where b is the larger one, a - b is negative "
        "and never the largest",
    ),
    Mistake(
        "sign taken off too late",
        of_states(lambda a, b: (a - b).max().abs().item()),
        "the hidden states are apart by {yours}, expected {expected}: you take the sign off after you have chosen "
        "the largest. First off, then choose: which order is that here?",
        show=lambda parts: parts["hidden states"],
    ),
    Mistake(
        "mean",
        of_states(lambda a, b: (a - b).abs().mean().item()),
        "the hidden states are apart by {yours}, expected {expected}: the mean hides one bad number among many good "
        "ones, and it is the bad one that you are looking for",
    ),
    Mistake(
        "difference of the largest",
        of_states(lambda a, b: (a.abs().max() - b.abs().max()).abs().item()),
        "the hidden states are apart by {yours}, expected {expected}: you compare the largest number of each. They "
        "may stand in different places",
    ),
    Mistake(
        "sum",
        of_states(lambda a, b: (a - b).abs().sum().item()),
        "the hidden states are apart by {yours}, expected {expected}: this is the sum of all differences",
    ),
    Mistake(
        "length of the difference",
        of_states(lambda a, b: (a - b).norm().item()),
        "the hidden states are apart by {yours}, expected {expected}: this is the length of the whole difference, "
        "which grows with the number of tokens",
    ),
    Mistake(
        "relative",
        of_states(lambda a, b: ((a - b).abs() / b.abs()).max().item()),
        "the hidden states are apart by {yours}, expected {expected}: you divide by b, and a number near 0 then "
        "makes anything large",
    ),
    Mistake(
        "pooled outputs not expected",
        lambda a, b, visible: (a - b)[visible].abs().max().item(),
        "a pooled output has no tokens: (B, H), and nothing to leave out",
    ),
    Mistake(
        "still a tensor",
        of_states(lambda a, b: (a - b).abs().max()),
        "the number is right, and it is to be compared and printed",
    ),
)

# 5.10 evaluating

EVALUATING = '''
from contextlib import contextmanager


@contextmanager
def my_evaluating(model):
    """`with my_evaluating(model):` no dropout inside; afterwards every part is in the mode in which it was.

    Also after an error inside. What stands inside the `with` runs where `yield` stands.
    """
    ...
    yield
    ...
'''


class Interruption(Exception):
    """An error of the probe's own."""


def mixed_model():
    """Six parts; one group rests, and in it one part is in training."""
    inner = nn.Sequential(nn.Dropout(), nn.Sequential(nn.Linear(2, 2), nn.Dropout()))
    model = nn.Sequential(nn.Linear(2, 2), inner).train()
    inner.eval()
    inner[1].training = True
    return model


def modes(model):
    return ["training" if part.training else "evaluation" for part in model.modules()]


def probe_evaluating(evaluating):
    model = mixed_model()
    with evaluating(model):
        yield "inside", modes(model)
    yield "afterwards", modes(model)
    model = mixed_model()
    came_out = False
    try:
        with evaluating(model):
            raise Interruption
    except Interruption:
        came_out = True
    yield "an error inside comes out", came_out
    yield "after an error", modes(model)
    resting = mixed_model().eval()
    with evaluating(resting):
        pass
    yield "of a model that was in evaluation", modes(resting)


@contextmanager
def evaluating_then_train(model):
    model.eval()
    try:
        yield
    finally:
        model.train()


@contextmanager
def evaluating_one_mode(model):
    mode = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(mode)


@contextmanager
def evaluating_not_restored(model):
    model.eval()
    yield


@contextmanager
def evaluating_nothing(model):
    yield


@contextmanager
def evaluating_without_finally(model):
    before = [(part, part.training) for part in model.modules()]
    model.eval()
    yield
    for part, mode in before:
        part.training = mode


@contextmanager
def evaluating_silencing_errors(model):
    before = [(part, part.training) for part in model.modules()]
    model.eval()
    try:
        yield
    except Exception:
        pass
    for part, mode in before:
        part.training = mode


@contextmanager
def evaluating_children_only(model):
    before = [(part, part.training) for part in [model, *model.children()]]
    model.eval()
    try:
        yield
    finally:
        for part, mode in before:
            part.training = mode


@contextmanager
def evaluating_the_top_only(model):
    before = [(part, part.training) for part in model.modules()]
    model.training = False
    try:
        yield
    finally:
        for part, mode in before:
            part.training = mode


@contextmanager
def evaluating_without_yield(model):
    model.eval()
    return iter(())


@contextmanager
def evaluating_by_name(model):
    before = {name: part.training for name, part in model.named_modules()}
    try:
        model.train(False)
        yield model
    finally:
        for name, part in model.named_modules():
            part.training = before[name]


@contextmanager
def evaluating_from_above(model):
    before = [(part, part.training) for part in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for part, mode in before:  # the outer part first, so that the inner ones have the last word
            part.train(mode)


def afterwards(parts):
    return parts["afterwards"]


EVALUATING_MISTAKES = (
    Mistake(
        "train afterwards",
        evaluating_then_train,
        "afterwards the modes are {yours}, expected {expected}: `train()` wakes every part, those as well that "
        "somebody had put to rest before",
    ),
    Mistake(
        "one mode for all",
        evaluating_one_mode,
        "afterwards the modes are {yours}, expected {expected}: every part got the mode of the model as a whole. "
        "(`part.train(mode)` sets whatever is inside that part, too; its attribute `training` is its own.)",
    ),
    Mistake(
        "children noted only",
        evaluating_children_only,
        "afterwards the modes are {yours}, expected {expected}: the parts inside of parts were not noted. `children` "
        "gives only the outermost",
    ),
    Mistake(
        "never given back",
        evaluating_not_restored,
        "afterwards the modes are as `eval()` left them: {yours}, expected {expected}. They have to be noted before "
        "`eval()`, and given back after the `yield`",
    ),
    Mistake(
        "nothing switched",
        evaluating_nothing,
        "inside the modes are {yours}, expected {expected}: before the `yield` nothing has switched dropout off",
        show=lambda parts: parts["inside"],
    ),
    Mistake(
        "only the outermost part switched",
        evaluating_the_top_only,
        "inside the modes are {yours}, expected {expected}: setting `training` concerns one part alone. Dropout sits "
        "inside",
        show=lambda parts: parts["inside"],
    ),
    Mistake(
        "no finally",
        evaluating_without_finally,
        "right, until an error happens inside: then the modes are {yours}, expected {expected}. An error at the "
        "`yield` skips the lines below it, unless they stand in a `finally`",
        show=lambda parts: parts["after an error"],
    ),
    Mistake(
        "error swallowed",
        evaluating_silencing_errors,
        "the modes are right, but an error that happens inside disappears: nobody would learn of it. Give the modes "
        "back, and let the error go on",
    ),
    Mistake(
        "no yield",
        evaluating_without_yield,
        "without a `yield` there is no place at which the lines of the `with` could run",
    ),
)

EXERCISES = (
    Exercise(
        id="5.8",
        name="load_layer",
        reference=references.load_layer,
        stub=LOAD,
        probe=probe_load,
        hints=(
            "First a table: for each of our eight modules (attention.query … feed_forward_norm) the library's name. "
            "The order in which the picture at the top runs through them helps.",
            "`layer.get_submodule('attention.query')` finds a module by its name; it has `weight` and `bias`. "
            'f"encoder.layer.{number}.{theirs}.weight" is the library\'s name.',
            "`module.weight.copy_(tensor)` writes into a parameter, inside of `with torch.no_grad():`.",
        ),
        mistakes=LOAD_MISTAKES,
        notice="no error would have told you of query and key exchanged: that two shapes fit proves little",
        difficulty=2,
        minutes=15,
        changes=("layer",),
        variants=(load_by_state_dict, load_with_data),
    ),
    Exercise(
        id="5.9",
        name="visible_difference",
        reference=references.visible_difference,
        stub=DIFFERENCE,
        probe=probe_difference,
        hints=(
            "A boolean (B, T) in square brackets behind a tensor (B, T, H) leaves the vectors where it is True.",
            "Differences, without their sign, the largest, as a number: `abs`, `max`, `item`. `a.dim()` says how many "
            "dimensions there are.",
        ),
        mistakes=DIFFERENCE_MISTAKES,
        notice="one wrong number among millions decides; a mean would have hidden it",
        difficulty=1,
        minutes=6,
        show=hidden_states,
        variants=(
            of_states(lambda a, b: float((b - a).abs().amax())),
            lambda a, b, visible: max(
                abs(x - y)
                for x, y in zip(
                    (a[visible] if a.dim() == 3 else a).flatten().tolist(),
                    (b[visible] if b.dim() == 3 else b).flatten().tolist(),
                    strict=True,
                )
            ),
            lambda a, b, visible: (
                torch.where(visible[..., None] if a.dim() == 3 else torch.tensor(True), (a - b).abs(), 0.0)
                .max()
                .item()
            ),
        ),
    ),
    Exercise(
        id="5.10",
        name="evaluating",
        reference=encoder.evaluating,
        stub=EVALUATING,
        probe=probe_evaluating,
        hints=(
            "`model.modules()` goes through all parts, the model itself first; each has an attribute `training`.",
            "Note (part, part.training) for all of them, then `model.eval()`, then `yield`, then give each its mode.",
            "`try:` around the `yield`, and `finally:` around what gives the modes back.",
        ),
        mistakes=EVALUATING_MISTAKES,
        notice="a `finally` runs even when an error passes through, and does not stop it",
        difficulty=2,
        minutes=12,
        show=afterwards,
        variants=(evaluating_by_name, evaluating_from_above),
    ),
)
