"""Exercise 6.8. Which weights decay."""

import torch
from torch import nn

from helpers import pretraining
from helpers.exercises.exercise import Exercise, Mistake

GROUPS = '''
def my_parameter_groups(model, weight_decay):
    """For the optimizer: [{"params": [...], "weight_decay": ...}, {"params": [...], "weight_decay": 0.0}].

    The first group holds the matrices (embeddings among them), which decay; the second all biases and the
    scales and shifts of LayerNorm. Weights with requires_grad False are in neither.
    """
    ...
'''


class Mixed(nn.Module):
    """An embedding, a linear layer, a LayerNorm, a bias of its own, and a layer that is frozen."""

    def __init__(self):
        super().__init__()
        self.token = nn.Embedding(5, 3)
        self.layer = nn.Linear(3, 4)
        self.norm = nn.LayerNorm(4)
        self.token_bias = nn.Parameter(torch.zeros(5))
        self.frozen = nn.Linear(4, 2).requires_grad_(False)


def probe_groups(parameter_groups):
    model = Mixed()
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    groups = parameter_groups(model, 0.03)
    yield "number of groups", len(groups)
    for which, group in zip(("first", "second"), groups, strict=False):
        yield f"names in the {which} group", sorted(names[id(parameter)] for parameter in group["params"])
        yield f"decay of the {which} group", float(group["weight_decay"])


def _groups(model, weight_decay, *, decays=None, frozen=False, swap=False, second=0.0):
    named = [(n, m, p) for n, m, p in _with_modules(model) if frozen or p.requires_grad]
    first = [p for n, m, p in named if (decays(n, m, p) if decays else p.dim() > 1)]
    others = [p for n, m, p in named if not any(p is q for q in first)]
    groups = [{"params": first, "weight_decay": weight_decay}, {"params": others, "weight_decay": second}]
    return groups[::-1] if swap else groups


def _with_modules(model):
    for module_name, module in model.named_modules():
        for name, parameter in module.named_parameters(recurse=False):
            yield f"{module_name}.{name}", module, parameter


def groups_variant(**changes):
    return lambda model, weight_decay: _groups(model, weight_decay, **changes)


def first_group(parts):
    return parts["names in the first group"]


def second_group(parts):
    return parts["names in the second group"]


GROUPS_MISTAKES = (
    Mistake(
        "frozen weights",
        groups_variant(frozen=True),
        "the first group is {yours}, expected {expected}: frozen weights are in it, and would decay though they learn "
        "nothing",
        show=first_group,
    ),
    Mistake(
        "frozen weights among the others",
        groups_variant(frozen=True, decays=lambda n, m, p: p.dim() > 1 and p.requires_grad),
        "the first group is right, but the second is {yours}, expected {expected}: what is frozen belongs in neither",
        show=second_group,
    ),
    Mistake(
        "LayerNorm decays",
        groups_variant(decays=lambda n, m, p: "bias" not in n),
        "the first group is {yours}, expected {expected}: what is no bias is not yet a matrix. The scale of LayerNorm is "
        "a vector around 1, and decay would pull it to 0",
        show=first_group,
    ),
    Mistake(
        "only LayerNorm is spared",
        groups_variant(decays=lambda n, m, p: not isinstance(m, nn.LayerNorm)),
        "the first group is {yours}, expected {expected}: biases decay, too. Which property has every matrix, and no "
        "bias?",
        show=first_group,
    ),
    Mistake(
        "linear layers only",
        groups_variant(decays=lambda n, m, p: isinstance(m, nn.Linear) and p.dim() > 1),
        "the first group is {yours}, expected {expected}: the embeddings are a matrix, too, (V, H)",
        show=first_group,
    ),
    Mistake(
        "everything decays",
        groups_variant(decays=lambda n, m, p: True),
        "the first group is {yours}, expected {expected}: everything decays, and the second group is empty",
        show=first_group,
    ),
    Mistake(
        "groups exchanged",
        groups_variant(swap=True),
        "the first group is {yours}, expected {expected}: the two groups are exchanged",
        show=first_group,
    ),
    Mistake(
        "both decay",
        lambda model, weight_decay: _groups(model, weight_decay, second=weight_decay),
        "the groups are right, but the second one decays by {yours}, expected {expected}: then why two?",
        show=lambda parts: parts["decay of the second group"],
    ),
    Mistake(
        "one group",
        lambda model, weight_decay: _groups(model, weight_decay)[:1],
        "you give the matrices alone: what is in no group is never updated, so all biases would stay 0 for ever",
    ),
)


EXERCISE = Exercise(
    id="6.8",
    name="parameter_groups",
    reference=pretraining.parameter_groups,
    stub=GROUPS,
    probe=probe_groups,
    hints=(
        "Go through model.parameters() once. Two questions to each: does it learn, and is it a matrix?",
        "A matrix has two dimensions, a bias and the scale of LayerNorm have one: `parameter.dim()` says how many.",
    ),
    mistakes=GROUPS_MISTAKES,
    notice="no name need be looked at: the number of dimensions tells all, in any model made of such layers",
    difficulty=1,
    minutes=6,
    variants=(
        groups_variant(decays=lambda n, m, p: "norm" not in n and "bias" not in n),
        groups_variant(decays=lambda n, m, p: len(p.shape) == 2),
    ),
)
