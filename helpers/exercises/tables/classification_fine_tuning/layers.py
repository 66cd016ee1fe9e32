"""Notebook 8: frozen layers, and learning rates that differ from layer to layer."""

from helpers import classification
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.tables.classification_fine_tuning.small import small_bert, small_classifier
from helpers.pretraining import parameter_groups

# 8.6 freeze_lower_layers

FREEZE = '''
def my_freeze_lower_layers(bert, count):
    """Freeze bert.embeddings and the first `count` of bert.layers; returns nothing."""
    ...
'''


def state(part) -> str:
    flags = {weight.requires_grad for weight in part.parameters()}
    return "partly frozen" if len(flags) > 1 else "trained" if True in flags else "frozen"


def probe_freeze(freeze):
    for count in (2, 0):
        bert = small_bert(layers=3)
        freeze(bert, count)
        yield (
            f"count = {count}",
            {"embeddings": state(bert.embeddings)}
            | {f"layer {number}": state(layer) for number, layer in enumerate(bert.layers)}
            | {"pooler": state(bert.pooler)},
        )
        yield (
            f"mode of the parts for count = {count}",
            "training" if all(m.training for m in bert.modules()) else "mixed",
        )
    bert = small_bert(layers=3)
    bert.pooler.requires_grad_(False)
    freeze(bert, 1)
    yield "a pooler that was frozen before", {"pooler": state(bert.pooler), "layer 2": state(bert.layers[2])}


def freezing(parts, how=lambda part: part.requires_grad_(False)):
    """A freeze of other parts, or in another way."""

    def freeze(bert, count):
        for part in parts(bert, count):
            how(part)

    return freeze


def lower(bert, count):
    return [bert.embeddings, *bert.layers[:count]]


def freeze_matrices_of_layers(bert, count):
    bert.embeddings.requires_grad_(False)
    for layer in bert.layers[:count]:
        matrices_only(layer)


def freeze_and_wake(bert, count):
    bert.requires_grad_(True)
    freezing(lower)(bert, count)


def by_attribute(part):
    part.requires_grad = False


def matrices_only(part):
    for weight in part.parameters():
        weight.requires_grad = weight.dim() < 2


FREEZE_MISTAKES = (
    Mistake(
        "embeddings forgotten",
        freezing(lambda bert, count: bert.layers[:count]),
        "with count = 2 the embeddings are {yours[embeddings]}, expected {expected[embeddings]}: they lie below the "
        "first layer, and they are half of all weights",
    ),
    Mistake(
        "one layer too many",
        freezing(lambda bert, count: [bert.embeddings, *bert.layers[: count + 1]]),
        "with count = 2 of 3 layers, layer 2 is {yours[layer 2]}, expected {expected[layer 2]}: you freeze one layer too "
        "many. The layers count from 0",
    ),
    Mistake(
        "one layer too few",
        freezing(lambda bert, count: [bert.embeddings, *bert.layers[: max(0, count - 1)]]),
        "with count = 2 of 3 layers, layer 1 is {yours[layer 1]}, expected {expected[layer 1]}: you freeze one layer too "
        "few. How many layers are there below layer 2?",
    ),
    Mistake(
        "upper layers",
        freezing(lambda bert, count: [bert.embeddings, *bert.layers[len(bert.layers) - count :]]),
        "with count = 2 of 3 layers, layer 0 is {yours[layer 0]} and layer 2 {yours[layer 2]}: you freeze from above. "
        "Which layers have to change most for a new task?",
    ),
    Mistake(
        "upper layers, embeddings left",
        freezing(lambda bert, count: bert.layers[len(bert.layers) - count :]),
        "with count = 2 of 3 layers, layer 0 is {yours[layer 0]} and layer 2 {yours[layer 2]}: you freeze from above, and "
        "the embeddings are {yours[embeddings]}. What lies lowest?",
    ),
    Mistake(
        "the last so many, whatever so many is",
        freezing(lambda bert, count: [bert.embeddings, *bert.layers[-count:]]),
        "with count = 2 of 3 layers, layer 0 is {yours[layer 0]} and layer 2 {yours[layer 2]}: a negative number counts "
        "from the end of the list, so you freeze from above (and with 0, everything)",
    ),
    Mistake(
        "one layer alone",
        freezing(lambda bert, count: [bert.embeddings, *([bert.layers[count - 1]] if count else [])]),
        "with count = 2 of 3 layers, layer 0 is {yours[layer 0]}, expected {expected[layer 0]}: one layer is frozen, and "
        "all below it should be, too. `count` is a number of layers, not the number of one",
    ),
    Mistake(
        "matrices frozen, biases not",
        freeze_matrices_of_layers,
        "the embeddings are {yours[embeddings]}, but layer 0 is {yours[layer 0]}: its matrices are, or what is called "
        "weight. Biases learn as well",
    ),
    Mistake(
        "the others woken",
        freeze_and_wake,
        "right for a fresh encoder; but a pooler that somebody had frozen before is trained now: you switch all the "
        "others on. Asked for is only what to freeze",
    ),
    Mistake(
        "the others",
        freezing(lambda bert, count: bert.layers[count:]),
        "with count = 2 of 3 layers, layer 2 is {yours[layer 2]} and layer 0 {yours[layer 0]}: you freeze exactly what "
        "should learn",
    ),
    Mistake(
        "evaluation mode",
        freezing(lower, lambda part: part.eval()),
        "with count = 2, layer 0 is {yours[layer 0]}, expected {expected[layer 0]}: evaluation mode switches dropout off "
        "and nothing else; gradients flow as before",
    ),
    Mistake(
        "an attribute of the module",
        freezing(lower, by_attribute),
        "with count = 2, layer 0 is {yours[layer 0]} and everything else, too: a new attribute on a module does nothing, "
        "and Python doesn't complain. The flag belongs to each weight; which method of a module sets it for all?",
    ),
    Mistake(
        "biases forgotten",
        freezing(lower, matrices_only),
        "with count = 2, layer 0 is {yours[layer 0]}, expected {expected[layer 0]}: some of its weights still learn. "
        "There are biases and LayerNorms, too",
    ),
    Mistake(
        "everything",
        freezing(lambda bert, count: [bert]),
        "the whole encoder is frozen, layer 2 and the pooler, too ({yours[layer 2]}): `count` plays no part",
    ),
    Mistake(
        "pooler as well",
        freezing(lambda bert, count: [bert.embeddings, *bert.layers[:count], bert.pooler]),
        "right, but the pooler is {yours[pooler]}, expected {expected[pooler]}: it comes after all layers",
    ),
    Mistake(
        "token table alone",
        freezing(lambda bert, count: [bert.embeddings.token, *bert.layers[:count]]),
        "with count = 2 the embeddings are {yours[embeddings]}, expected {expected[embeddings]}: positions, segments and the "
        "LayerNorm belong to them as well",
    ),
)

# 8.7 layer_wise_groups

GROUPS = '''
def my_layer_wise_groups(model, learning_rate, weight_decay, layer_decay):
    """Groups for the optimizer, dicts with "params", "weight_decay" and "lr"; each weight is in one of them.

    Classifier (model.classifier) and pooler (model.bert.pooler) learn at `learning_rate`, the top one of
    model.bert.layers at `layer_decay` times that, and so on down; model.bert.embeddings are the slowest.
    `parameter_groups(part, weight_decay)` of notebook 6 gives a part's two groups, without "lr".
    """
    ...
'''


def probe_groups(groups_of):
    model = small_classifier(layers=3)
    groups = groups_of(model, 0.1, 0.01, 0.5)
    names = {id(weight): name for name, weight in model.named_parameters()}
    rates, decays, times = {}, {}, dict.fromkeys(names.values(), 0)
    for group in groups:
        for weight in group["params"]:
            name = names[id(weight)]
            times[name] += 1
            rates.setdefault(name, float(group.get("lr", 0.0)))
            decays.setdefault(name, float(group.get("weight_decay", -1.0)))
    parts = {
        "classifier": "classifier.weight", "pooler": "bert.pooler.weight", "top layer": "bert.layers.2.attention.key.weight",
        "layer 1": "bert.layers.1.feed_forward.widen.weight", "layer 0": "bert.layers.0.attention.query.weight",
        "embeddings": "bert.embeddings.token.weight",
    }  # fmt: skip
    yield "learning rates", {part: rates.get(name, 0.0) for part, name in parts.items()}
    yield "groups that a weight is in", {"fewest": min(times.values()), "most": max(times.values())}
    yield "all rates", {name: rates.get(name) for name in times}
    yield "weight decay", {name.replace(".", " "): decays.get(name) for name in times}


def groups_with(
    *, rate=lambda rate, decay, height: rate * decay**height, parts=None, groups=parameter_groups
):
    """Groups with another rate for a height (0: top), other parts, or another decay."""

    def groups_of(model, learning_rate, weight_decay, layer_decay):
        found = []
        for height, at_height in enumerate((parts or by_height)(model)):
            for part in at_height:
                for group in groups(part, weight_decay):
                    found.append(group | {"lr": rate(learning_rate, layer_decay, height)})
        return found

    return groups_of


def by_height(model):
    return [
        [model.classifier, model.bert.pooler],
        *([layer] for layer in model.bert.layers[::-1]),
        [model.bert.embeddings],
    ]


def one_group(part, weight_decay):
    return [{"params": list(part.parameters()), "weight_decay": weight_decay}]


def no_decay(part, weight_decay):
    return [{"params": list(part.parameters()), "weight_decay": 0.0}]


def groups_with_falling_decay(model, learning_rate, weight_decay, layer_decay):
    found = []
    for height, parts in enumerate(by_height(model)):
        for part in parts:
            for group in parameter_groups(part, weight_decay * layer_decay**height):
                found.append(group | {"lr": learning_rate})
    return found


GROUPS_MISTAKES = (
    Mistake(
        "embeddings forgotten",
        groups_with(parts=lambda model: by_height(model)[:-1]),
        "the embeddings learn at {yours[embeddings]}, expected {expected[embeddings]}: they are in no group, so nothing ever moves them. They lie below the lowest layer",
    ),
    Mistake(
        "classifier forgotten",
        groups_with(parts=lambda model: [[model.bert.pooler], *by_height(model)[1:]]),
        "the classifier learns at {yours[classifier]}, expected {expected[classifier]}: it is in no group. It is the one part that must learn",
    ),
    Mistake(
        "the decay of weights instead of the rate",
        groups_with_falling_decay,
        "the top layer learns at {yours[top layer]}, expected {expected[top layer]}, as all parts do: the factor is applied to the weight decay. It is the learning rate that should fall",
    ),
    Mistake(
        "factor divided by the height",
        groups_with(rate=lambda rate, decay, height: rate * decay / height if height else rate),
        "layer 0 learns at {yours[layer 0]}, expected {expected[layer 0]}: the factor comes once and is then divided by the number of steps down. It should multiply once for each step",
    ),
    Mistake(
        "factor times the height",
        groups_with(rate=lambda rate, decay, height: rate * decay * height if height else rate),
        "layer 0 learns at {yours[layer 0]}, expected {expected[layer 0]}: multiplied by the height, the rates grow downward. A factor comes once more with each step: that is a power",
    ),
    Mistake(
        "from below",
        groups_with(parts=lambda model: by_height(model)[::-1]),
        "with a factor of 0.5 the embeddings learn at {yours[embeddings]} and the classifier at {yours[classifier]}: the "
        "rates fall from below to above. Which layers should keep most of what they know?",
    ),
    Mistake(
        "rates grow downward",
        groups_with(rate=lambda rate, decay, height: rate * decay**-height),
        "with a factor of 0.5 the top layer learns at {yours[top layer]}, expected {expected[top layer]}: each layer "
        "should be slower than the one above it, and yours is faster",
    ),
    Mistake(
        "pooler forgotten",
        groups_with(
            parts=lambda model: [
                [model.classifier],
                *([e] for e in model.bert.layers[::-1]),
                [model.bert.embeddings],
            ]
        ),
        "the pooler learns at {yours[pooler]}, expected {expected[pooler]}: it is in no group, so nothing ever moves it. It stands between the layers and the "
        "classifier",
    ),
    Mistake(
        "pooler below the classifier",
        groups_with(
            parts=lambda model: [
                [model.classifier],
                [model.bert.pooler],
                *([e] for e in model.bert.layers[::-1]),
                [model.bert.embeddings],
            ]
        ),
        "the pooler learns at {yours[pooler]}, expected {expected[pooler]}: it counts as a step of its own, so everything "
        "below is slower by one factor. Pooler and classifier share the full rate",
    ),
    Mistake(
        "top layer at the full rate",
        groups_with(rate=lambda rate, decay, height: rate * decay ** max(0, height - 1)),
        "the top layer learns at {yours[top layer]}, expected {expected[top layer]}: you are one step behind. How far "
        "below the classifier is the top layer?",
    ),
    Mistake(
        "classifier slowed down as well",
        groups_with(rate=lambda rate, decay, height: rate * decay ** (height + 1)),
        "the classifier learns at {yours[classifier]}, expected {expected[classifier]}: at the top the factor has not "
        "been applied yet. What is its power there?",
    ),
    Mistake(
        "multiples instead of powers",
        groups_with(rate=lambda rate, decay, height: rate * (1 - (1 - decay) * height)),
        "the embeddings learn at {yours[embeddings]}, expected {expected[embeddings]}: the rate falls by the same amount "
        "at each step, and here it should fall by the same factor",
    ),
    Mistake(
        "one step for all layers",
        groups_with(rate=lambda rate, decay, height: rate * decay ** min(1, height)),
        "layer 0 learns at {yours[layer 0]}, expected {expected[layer 0]}: all layers have the rate of the top one. The "
        "factor comes once for each step down",
    ),
    Mistake(
        "embeddings with the first layer",
        groups_with(
            parts=lambda model: [*by_height(model)[:-2], [model.bert.layers[0], model.bert.embeddings]]
        ),
        "the embeddings learn at {yours[embeddings]}, expected {expected[embeddings]}: they are one step below the "
        "lowest layer",
    ),
    Mistake(
        "factor without the rate",
        groups_with(rate=lambda rate, decay, height: decay**height),
        "the classifier learns at {yours[classifier]}, expected {expected[classifier]}: those are the shares of the "
        "learning rate; the rate itself is missing",
    ),
    Mistake(
        "decay on every weight",
        groups_with(groups=one_group),
        "the rates are right, but biases and LayerNorms decay, too ({where} has {yours}, expected {expected}). "
        "parameter_groups keeps them apart",
        show=False,
    ),
    Mistake(
        "no decay at all",
        groups_with(groups=no_decay),
        "the rates are right, but no weight decays ({where} has {yours}, expected {expected}): `weight_decay` is not "
        "used",
        show=False,
    ),
    Mistake(
        "weights in two groups",
        groups_with(parts=lambda model: [*by_height(model), [model.bert]]),
        "some weights stand in {yours[most]} groups, expected {expected[most]}: PyTorch refuses that. Once everything has "
        "been handed out part by part, nothing is left over",
        show=lambda parts: parts["groups that a weight is in"],
    ),
    Mistake(
        "layers from below",
        groups_with(
            parts=lambda model: [
                [model.classifier, model.bert.pooler],
                *([e] for e in model.bert.layers),
                [model.bert.embeddings],
            ]
        ),
        "layer 0 learns at {yours[layer 0]} and the top layer at {yours[top layer]}: you go through the layers from below. "
        "Which one is next to the pooler?",
    ),
    Mistake(
        "no rate at the top",
        lambda model, rate, decay, layer_decay: [
            {k: v for k, v in group.items() if k != "lr" or v < rate}
            for group in groups_with()(model, rate, decay, layer_decay)
        ],
        'the groups of the classifier have no "lr" ({yours[classifier]}, expected {expected[classifier]}): what else would '
        "the optimizer take for them than its own setting? Write it down for each group",
    ),
    Mistake(
        "divided by the height",
        groups_with(rate=lambda rate, decay, height: rate / (1 + height * decay)),
        "the embeddings learn at {yours[embeddings]}, expected {expected[embeddings]}: the rate is divided by something that "
        "grows with the height. Each step down should multiply by the factor once more",
    ),
    Mistake(
        "factor taken away",
        groups_with(rate=lambda rate, decay, height: rate - height * decay),
        "the top layer learns at {yours[top layer]}, expected {expected[top layer]}: the factor is taken away from the rate "
        "at each step, and it should multiply it",
    ),
)


def groups_weight_by_weight(model, learning_rate, weight_decay, layer_decay):
    count, groups = len(model.bert.layers), []
    for name, weight in model.named_parameters():
        height = 0
        if name.startswith("bert.embeddings"):
            height = count + 1
        elif name.startswith("bert.layers."):
            height = count - int(name.split(".")[2])
        decay = 0.0 if name.endswith(("bias", "norm.weight")) else weight_decay
        groups.append({"params": [weight], "lr": learning_rate * layer_decay**height, "weight_decay": decay})
    return groups


EXERCISES = (
    Exercise(
        id="8.6",
        name="freeze_lower_layers",
        reference=classification.freeze_lower_layers,
        stub=FREEZE,
        probe=probe_freeze,
        hints=(
            "Which parts are they? Go through them in a loop; `bert.layers` can be sliced like a list.",
            "A weight has the flag `requires_grad`; a module has the method `requires_grad_(…)`, which sets it for all "
            "of its weights.",
        ),
        mistakes=FREEZE_MISTAKES,
        notice="count = 0 still freezes the embeddings, and gradients have nowhere to go below the lowest trained "
        "layer, so the backward pass stops there by itself",
        difficulty=1,
        minutes=6,
        show=lambda parts: parts["count = 2"],
        variants=(
            freezing(
                lower, lambda part: [setattr(weight, "requires_grad", False) for weight in part.parameters()]
            ),
            lambda bert, count: [
                weight.requires_grad_(False)
                for name, weight in bert.named_parameters()
                if name.startswith(("embeddings", *(f"layers.{number}." for number in range(count))))
            ],
        ),
    ),
    Exercise(
        id="8.7",
        name="layer_wise_groups",
        reference=classification.layer_wise_groups,
        stub=GROUPS,
        probe=probe_groups,
        hints=(
            "Write down the parts from top to bottom, with the number of steps that each lies below the classifier. "
            "What is the rate after k steps?",
            "A list of (part, height) pairs, then a loop: for each part the two groups of parameter_groups, each with "
            '"lr" added.',
            '`group | {"lr": …}` makes a new dict with one more entry; `enumerate(reversed(model.bert.layers), 1)` '
            "counts the layers from the top.",
        ),
        mistakes=GROUPS_MISTAKES,
        notice="with six layers and a factor of 0.8 the embeddings learn at a fifth of the rate, and freezing is the "
        "same idea with factors 1 and 0",
        difficulty=2,
        minutes=12,
        show=lambda parts: parts["learning rates"],
        variants=(groups_weight_by_weight, groups_with()),
    ),
)
