"""Real weights by their names: exercise 5.8."""

import torch

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
    return layer, dict(sorted(found.items()))  # as in the file: by name, which is not the order of our parts


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


def load_in_the_order_of_the_file(layer, weights, number):
    theirs = [tensor for name, tensor in weights.items() if name.startswith(f"encoder.layer.{number}.")]
    with torch.no_grad():
        for parameter, tensor in zip(layer.parameters(), theirs, strict=True):
            parameter.copy_(tensor)


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
        "in the order of the file",
        load_in_the_order_of_the_file,
        "the tensors of the file are sorted by name, ours by when they were made: only the names say what belongs "
        "where",
    ),
    Mistake(
        "their names",
        load_their_names,
        "those are the library's names, and our layer has its own: which of ours stands for which of theirs?",
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
        notice="the names tell how the library nests its modules: `attention.output.dense` is the `dense` of the `output` of `attention`",
        difficulty=2,
        minutes=15,
        changes=("layer",),
        variants=(load_by_state_dict, load_with_data),
    ),
)
