"""Notebook 8, "Break it": three published bugs, to be found and mended."""


import torch

from helpers.classification import classification_loss
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import classification_fine_tuning as references
from helpers.exercises.sources import planted
from helpers.exercises.tables.classification_fine_tuning import published
from helpers.exercises.tables.classification_fine_tuning.small import LABELS, PADDED, small_classifier

# 8.b1 the group without weight decay is empty


def probe_decay_groups(groups_of):
    model = small_classifier(layers=1)
    groups = groups_of(model, 0.25)
    names = {id(weight): name for name, weight in model.named_parameters()}
    times, decays = dict.fromkeys(names.values(), 0), {}
    for group in groups:
        for weight in group["params"]:
            times[names[id(weight)]] += 1
            decays[names[id(weight)]] = float(group["weight_decay"])
    kinds = {
        "a matrix": "bert.layers.0.attention.query.weight", "its bias": "bert.layers.0.attention.query.bias",
        "a gain": "bert.layers.0.attention_norm.weight", "a shift": "bert.layers.0.attention_norm.bias",
        "gain of the embeddings": "bert.embeddings.norm.weight", "classifier": "classifier.weight",
        "its own bias": "classifier.bias",
    }  # fmt: skip
    yield "weights in no group", sum(count == 0 for count in times.values())
    yield "weights in two groups", sum(count > 1 for count in times.values())
    yield "decay of", {kind: decays.get(name, "in no group") for kind, name in kinds.items()}
    yield "all", {name.replace(".", " "): decays.get(name) for name in times}


def groups_where(spare, keep=None):
    """Two groups: `spare` says of a name whether it goes without decay, `keep` whether it decays."""

    def groups_of(model, weight_decay=0.01):
        named = list(model.named_parameters())
        first = [weight for name, weight in named if (keep(name) if keep else not spare(name))]
        second = [weight for name, weight in named if spare(name)]
        return [{"params": first, "weight_decay": weight_decay}, {"params": second, "weight_decay": 0.0}]

    return groups_of


SPARED = ("bias", "norm.weight")


def spared(name):
    return any(end in name for end in SPARED)


GROUPS_MISTAKES = (
    Mistake(
        "half repaired: the first list",
        groups_where(lambda name: name in SPARED, keep=lambda name: not spared(name)),
        "{yours} weights are in no group now, and would never learn: they are taken out of the first list, but the second "
        "still asks whether the whole name is one of the two words",
        show=lambda parts: parts["weights in no group"],
    ),
    Mistake(
        "half repaired: the second list",
        groups_where(spared, keep=lambda name: name not in SPARED),
        "{yours} weights are in both groups now, which PyTorch refuses: the second list is right, and the first still "
        "holds everything",
        show=lambda parts: parts["weights in two groups"],
    ),
    Mistake(
        "turned round",
        groups_where(lambda name: not spared(name)),
        "now a bias decays by {yours[its bias]} and a matrix by {yours[a matrix]}: the two groups have changed places",
    ),
    Mistake(
        "biases alone",
        groups_where(lambda name: name.endswith("bias")),
        "the biases are spared now, but the gain of a LayerNorm still decays ({yours[a gain]}). Print the names of the gains "
        "in this model: the library's word LayerNorm is not in them, and the part behind the last dot is not enough",
    ),
    Mistake(
        "everything spared",
        groups_where(lambda name: any(end in name for end in ("bias", "weight"))),
        "now nothing decays, a matrix neither ({yours[a matrix]}, expected {expected[a matrix]}): every name ends in one "
        "of these",
    ),
    Mistake(
        "one of the norms",
        groups_where(lambda name: any(end in name for end in ("bias", ".norm.weight"))),
        "the gain after the embeddings is spared, but those in the layers decay ({yours[a gain]}): their names have "
        "something before `norm`",
    ),
)

# 8.b2 Adam without its correction


def probe_adam(step):
    torch.manual_seed(7)
    weight, gradients = torch.tensor([0.5, -1.0, 2.0]), torch.randn(40, 3) * torch.tensor([1.0, 0.01, 30.0])
    state, rate, sizes = {}, 0.01, []
    trace = []
    for gradient in gradients:
        new = step(weight, gradient, state, rate)
        sizes.append(((new - weight).abs() / rate).detach())
        weight = new
        trace.append(weight.detach().clone())
    yield "first steps, in learning rates", [round(float(size.mean()), 2) for size in sizes[:4]]
    yield "weights after one step", trace[0]
    yield "weights after three steps", trace[2]
    yield "weights after forty steps", trace[-1]
    moved = step(torch.tensor([1.0]), torch.tensor([0.5]), {}, 0.1, 0.5, 0.75)
    yield "one step with other betas", moved


def adam_with(mean_by=None, square_by=None, *, rate=None, root_of=True, kept=False):
    """Adam with another correction of the two averages; rate: a factor for a number of steps."""

    def step(weight, gradient, state, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
        steps = state.get("steps", 0) + 1
        mean = beta1 * state.get("mean", 0.0) + (1 - beta1) * gradient
        square = beta2 * state.get("square", 0.0) + (1 - beta2) * gradient**2
        if not kept:
            state.update(steps=steps, mean=mean, square=square)
        mean = mean_by(mean, beta1, steps) if mean_by else mean
        square = square_by(square, beta2, steps) if square_by and root_of else square
        if kept:
            state.update(steps=steps, mean=mean, square=square)
        root = square.sqrt()
        if square_by and not root_of:
            root = square_by(root, beta2, steps)
        factor = rate(steps) if rate else 1.0
        return weight - factor * learning_rate * mean / (root + epsilon)

    return step


def by(average, beta, steps):
    return average / (1 - beta**steps)


def steps_shown(parts):
    return parts["first steps, in learning rates"]


ADAM_MISTAKES = (
    Mistake(
        "corrected as in the first step",
        adam_with(lambda a, beta, n: a / (1 - beta), lambda a, beta, n: a / (1 - beta)),
        "the first step is right, but then they go {yours}, expected {expected}: what is missing at the start grows less with every step, and your divisor stays the same. What happens to the share of the 0 in the average after n steps?",
    ),
    Mistake(
        "betas exchanged",
        adam_with(lambda a, beta, n: by(a, 0.999, n), lambda a, beta, n: by(a, 0.9, n)),
        "the first steps are now {yours} learning rates long, expected {expected}: each average is corrected with the beta of the other",
    ),
    Mistake(
        "mean alone",
        adam_with(by),
        "the first steps are now {yours} learning rates long, expected {expected}: you have corrected the mean of the "
        "gradients, which is a tenth of what it should be, and not that of the squares, which is a thousandth",
    ),
    Mistake(
        "squares alone",
        adam_with(None, by),
        "the first steps are now {yours} learning rates long, expected {expected}: you have corrected one of the two "
        "averages, and the other began at 0, too",
    ),
    Mistake(
        "warm-up instead",
        adam_with(rate=lambda steps: min(1.0, steps / 10)),
        "the first steps are {yours} learning rates long, expected {expected}: a warm-up hides it, and was what saved the "
        "original. Both averages begin at 0 and are too small at first, by factors that can be computed",
    ),
    Mistake(
        "a fixed factor",
        adam_with(rate=lambda steps: 10**-0.5),
        "the first step is right now, but then they go {yours}, expected {expected}: the averages are too small by "
        "factors that change with each step",
    ),
    Mistake(
        "corrected averages kept",
        adam_with(by, by, kept=True),
        "the first step is right, but then they go {yours}, expected {expected}: you keep the corrected averages in "
        "`state`, so the next step corrects them once more",
    ),
    Mistake(
        "multiple instead of power",
        adam_with(
            lambda m, beta, n: m / abs(1 - beta * n + 1e-3), lambda s, beta, n: s / abs(1 - beta * n + 1e-3)
        ),
        "the first steps are {yours} learning rates long, expected {expected}: beta times the number of steps is not what "
        "is missing. After n steps with beta each, how much of the start (0) is left in an average?",
    ),
    Mistake(
        "correction outside the root",
        adam_with(by, by, root_of=False),
        "the first steps are {yours} learning rates long, expected {expected}: you divide the root of the squares. It is "
        "the average under the root that is too small",
    ),
    Mistake(
        "multiplied",
        adam_with(lambda m, beta, n: m * (1 - beta**n), lambda s, beta, n: s * (1 - beta**n)),
        "the first steps are {yours} learning rates long, expected {expected}: the averages are too small already, and "
        "you make them smaller",
    ),
)

# 8.b3 frozen is not frozen


def probe_tune_the_top(tune):
    model = small_classifier(layers=3)
    parts = {"embeddings": model.bert.embeddings}
    parts |= {f"layer {number}": layer for number, layer in enumerate(model.bert.layers)}
    parts |= {"pooler": model.bert.pooler, "classifier": model.classifier}
    before = {
        name: torch.nn.utils.parameters_to_vector(part.parameters()).detach() for name, part in parts.items()
    }
    halves = [({n: v[i : i + 2] for n, v in PADDED.items()}, LABELS[i : i + 2]) for i in (0, 2)]
    losses = tune(model, halves * 3, 0.01)
    after = {
        name: torch.nn.utils.parameters_to_vector(part.parameters()).detach() for name, part in parts.items()
    }
    yield "steps", len(losses)
    yield "moved", {n: "moved" if bool((after[n] != before[n]).any()) else "still" for n in parts}
    yield "losses", [round(float(loss), 4) for loss in losses]
    yield "how far the classifier moved", (after["classifier"] - before["classifier"]).norm()


def tuning(freeze, *, finish=None):
    """The run with another way to freeze, or with something at its end."""

    def tune(model, batches, learning_rate=0.01):
        freeze(model)
        kept = finish and finish(model)
        optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate)
        losses = []
        for batch, labels in batches:
            loss = classification_loss(model, batch, labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        if kept:
            kept()
        return losses

    return tune


def below_the_top(model):
    return [model.bert.embeddings, *model.bert.layers[:-1]]


def frozen(parts):
    return lambda model: [part.requires_grad_(False) for part in parts(model)]


def put_back(model):
    saved = [(part, {n: v.clone() for n, v in part.state_dict().items()}) for part in below_the_top(model)]
    return lambda: [part.load_state_dict(state) for part, state in saved]


FROZEN_MISTAKES = (
    Mistake(
        "the layers alone",
        tuning(frozen(lambda model: model.bert.layers[:-1])),
        "the lower layers stand still now, but the embeddings have {yours[embeddings]}: they lie below all layers",
    ),
    Mistake(
        "the pooler as well",
        tuning(frozen(lambda model: [*below_the_top(model), model.bert.pooler])),
        "now the pooler stands still, too ({yours[pooler]}, expected {expected[pooler]}): it is above the last layer and should learn",
    ),
    Mistake(
        "evaluation mode",
        tuning(lambda model: [part.eval() for part in below_the_top(model)]),
        "the embeddings have {yours[embeddings]} as before. Evaluation mode stops dropout alone, a new attribute on a "
        "module stops nothing, and what is frozen after the steps is too late; which flag do the weights have?",
    ),
    Mistake(
        "embeddings alone",
        tuning(frozen(lambda model: [model.bert.embeddings])),
        "the embeddings stand still now, but layer 0 has {yours[layer 0]}: the loop goes over more than one part",
    ),
    Mistake(
        "whole encoder",
        tuning(frozen(lambda model: [model.bert])),
        "now the last layer stands still, too ({yours[layer 2]}, expected {expected[layer 2]}): the whole encoder is "
        "frozen",
    ),
    Mistake(
        "all layers",
        tuning(frozen(lambda model: [model.bert.embeddings, *model.bert.layers])),
        "now the last layer stands still, too ({yours[layer 2]}, expected {expected[layer 2]}), only the pooler and the "
        "classifier learn: the slice was right as it was",
    ),
    Mistake(
        "everything",
        tuning(frozen(lambda model: [model])),
        "Now every weight is frozen, the classifier, too, and the loss has nothing that it could change",
    ),
    Mistake(
        "put back afterwards",
        tuning(lambda model: None, finish=put_back),
        "nothing has moved in the end, since you put the old weights back; but the upper layer was trained on top of "
        "embeddings that moved (losses {yours}, expected {expected}), and doesn't fit those that are there now",
        show=lambda parts: parts["losses"],
    ),
)


def tune_with_other_weights_only(model, batches, learning_rate=0.01):
    low = {id(weight) for part in below_the_top(model) for weight in part.parameters()}
    upper = [weight for weight in model.parameters() if id(weight) not in low]
    optimizer = torch.optim.AdamW(upper, lr=learning_rate)
    losses = []
    for batch, labels in batches:
        loss = classification_loss(model, batch, labels)
        model.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def frozen_weight_by_weight(model):
    for part in below_the_top(model):
        for weight in part.parameters():
            weight.requires_grad = False


EXERCISES = (
    Exercise(
        id="8.b1",
        name="decay_groups",
        kind="bug",
        source="namisan/mt-dnn, pull request 37 (May 2019), in the training code of MT-DNN",
        reference=references.decay_groups,
        stub=planted(published.wrong_decay_groups),
        probe=probe_decay_groups,
        hints=(
            "How many weights are in the second group? Print its length.",
            "Print a name of `model.named_parameters()`, and ask by hand whether it is `in` the tuple.",
            "`in` asks whether the whole name is one of the two words. A string can be asked how it ends, or whether a "
            "word stands in it; both lists must ask the same.",
        ),
        mistakes=GROUPS_MISTAKES,
        notice="nothing could have told you but the count of the second group: weights that decay a little too much "
        "raise no error and hardly move the loss",
        difficulty=1,
        minutes=8,
        show=lambda parts: parts["decay of"],
        variants=(
            groups_where(spared),
            lambda model, weight_decay=0.01: [
                {"params": [p for p in model.parameters() if p.dim() > 1], "weight_decay": weight_decay},
                {"params": [p for p in model.parameters() if p.dim() < 2], "weight_decay": 0.0},
            ],
        ),
    ),
    Exercise(
        id="8.b2",
        name="adam_step",
        kind="bug",
        source="google-research/bert, optimization.py and issue 153 (November 2018); Zhang et al. 2021, section 4",
        reference=references.adam_step,
        stub=planted(published.wrong_adam_step),
        probe=probe_adam,
        hints=(
            "Follow the very first step by hand, with the gradient 1: what are `mean` and `square`, and what is the step?",
            "Both averages start at 0. After n steps a share of beta to the n of that 0 is still in them, so they are too "
            "small by the factor 1 - beta ** n.",
            "Divide each average by its factor, under new names: `state` must keep the uncorrected ones.",
        ),
        mistakes=ADAM_MISTAKES,
        notice="the factor of the squares is still 0.63 after a thousand steps: with few labels, the whole run is over "
        "before the correction is",
        difficulty=2,
        minutes=12,
        changes=("state",),
        tolerance=1e-4,
        show=steps_shown,
        variants=(
            adam_with(by, by),
            adam_with(by, lambda root, beta, steps: root / (1 - beta**steps) ** 0.5, root_of=False),
        ),
    ),
    Exercise(
        id="8.b3",
        name="tune_the_top",
        kind="bug",
        source="huggingface/transformers, issue 95 (December 2018, found out in March 2019)",
        reference=references.tune_the_top,
        stub=planted(published.wrong_tune_the_top),
        probe=probe_tune_the_top,
        hints=(
            "The run looks as it should. What was asked for, and how would you see whether it was done?",
            "Print `requires_grad` of a weight of the embeddings after the loop at the top. A module is no tensor.",
            "`requires_grad` belongs to the weights; `part.requires_grad_(False)`, with its underscore, goes through them.",
        ),
        mistakes=FROZEN_MISTAKES,
        notice="Python lets you set any attribute on a module, so the line looked as if it worked; a count of what is "
        "trained would have shown it at once",
        difficulty=1,
        minutes=8,
        tolerance=2e-4,
        show=lambda parts: parts["moved"],
        variants=(tuning(frozen_weight_by_weight), tune_with_other_weights_only),
    ),
)
