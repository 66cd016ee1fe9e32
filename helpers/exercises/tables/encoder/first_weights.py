"""Where the weights start: exercise 5.4."""

import math

import torch
from torch import nn

from helpers import encoder
from helpers.exercises.exercise import Exercise, Mistake

# 5.4 initialize_weights

INITIALIZE = '''
def my_initialize_weights(model, std):
    """Draw all weights of linear and embedding layers from a normal distribution; biases become 0.

    std: its standard deviation; None: 1 / sqrt(number of inputs) for linear layers, 0.02 for embeddings.
    An embedding's row of [PAD] becomes 0: its number is `module.padding_idx`, None where there is none.
    Other parts, such as LayerNorm, stay as they are.
    """
    ...
'''


def some_model():
    """Linear layers (one of them deep inside), two tables, a norm; every weight is 3, so that a draw is seen."""
    inner = nn.Sequential(nn.Linear(400, 100), nn.LayerNorm(100))
    parts = {"widen": nn.Linear(100, 400), "inner": inner, "table": nn.Embedding(80, 50, padding_idx=3)}
    tables = {"positions": nn.Embedding(60, 50), "words": nn.Embedding(40, 50, padding_idx=0)}
    model = nn.ModuleDict(parts | tables)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(3.0)
    return model


def probe_initialize(initialize):
    """Sizes as shares of what is asked for, in wide bounds: the numbers drawn are everybody's own."""
    for name, std in (("with std 0.05", 0.05), ("with std None", None)):
        model = some_model()
        initialize(model, std)
        narrow, norm, table = model["inner"][0], model["inner"][1], model["table"].weight
        learned = torch.cat([table[:3], table[4:]])
        weights = {
            "widen": (model["widen"].weight, std or 0.1),
            "narrow": (narrow.weight, std or 0.05),
            "table": (learned, std or 0.02),
            "positions": (model["positions"].weight, std or 0.02),
        }
        yield f"sizes {name}", {part: (w.std() / wish).item() for part, (w, wish) in weights.items()}
        yield f"means {name}", {part: (w.mean() / wish).item() for part, (w, wish) in weights.items()}
        far = {part: (w.abs() > 1.8 * wish).float().mean() for part, (w, wish) in weights.items()}
        yield f"some lie beyond 1.8 std, {name}", bool(min(far.values()) > 0.02)
        biases = (model["widen"].bias, narrow.bias)
        yield f"biases are 0, {name}", all(bool((bias == 0).all()) for bias in biases)
        yield f"the row of [PAD] is 0, {name}", bool((table[3] == 0).all())
        yield f"no other row is 0, {name}", bool((learned != 0).any(dim=1).all())
        first = bool((model["words"].weight[0] == 0).all())
        yield f"the row of [PAD] is 0 where it is the first, {name}", first
        yield f"the norm is left alone, {name}", bool((norm.weight == 3).all() and (norm.bias == 3).all())


def _initialize(
    model, std, *, inputs=None, draw=nn.init.normal_, parts=None, bias=True, pad="row", kinds=None
):
    """The first weights with one thing done in another way."""
    kinds = kinds or (nn.Linear, nn.Embedding)
    with torch.no_grad():
        for module in (parts or nn.Module.modules)(model):
            if isinstance(module, nn.Linear) and nn.Linear in kinds:
                size = std or (inputs or (lambda m: 1 / math.sqrt(m.in_features)))(module)
                draw(module.weight, size)
                if bias:
                    module.bias.zero_()
            elif isinstance(module, nn.Embedding) and nn.Embedding in kinds:
                draw(module.weight, std or 0.02)
                if pad == "row" and module.padding_idx is not None:
                    module.weight[module.padding_idx].zero_()
                if pad == "truth" and module.padding_idx:
                    module.weight[module.padding_idx].zero_()
                if pad == "no question":
                    module.weight[module.padding_idx].zero_()
                if pad == "first":
                    module.weight[0].zero_()


def initialize_with(**changes):
    return lambda model, std: _initialize(model, std, **changes)


def normal(weight, size):
    return nn.init.normal_(weight, 0.0, size)


def initialize_norms_too(model, std):
    for module in model.modules():
        if getattr(module, "weight", None) is not None:
            nn.init.normal_(module.weight, std=std or 1 / math.sqrt(module.weight.shape[-1]))
        if getattr(module, "bias", None) is not None:
            nn.init.zeros_(module.bias)


def initialize_without_asking_for_none(model, std):
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=std)
        if isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)


def initialize_by_apply(model, std):
    model.apply(lambda module: _initialize(module, std, draw=normal, parts=lambda m: [m]))


def initialize_sizes_of_copies(model, std):
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Embedding):
            weight = torch.randn_like(module.weight) * (std or 0.02)  # noqa: F841  drawn, and forgotten
        if isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)


def initialize_embeddings_by_width(model, std):
    _initialize(model, std, draw=normal)
    for module in model.modules():
        if isinstance(module, nn.Embedding) and std is None:
            rows = module.weight.data
            rows *= 1 / math.sqrt(module.embedding_dim) / 0.02


def initialize_embeddings_by_rows(model, std):
    _initialize(model, std, draw=normal)
    for module in model.modules():
        if isinstance(module, nn.Embedding) and std is None:
            module.weight.data *= 1 / math.sqrt(module.num_embeddings) / 0.02


def initialize_embeddings_always_alike(model, std):
    _initialize(model, std, draw=normal)
    _initialize(model, 0.02, draw=normal, kinds=(nn.Embedding,))


def initialize_every_parameter(model, std):
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=std or 0.02)


def initialize_watched(model, std):
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=std or 1 / math.sqrt(module.in_features))
            nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=std or 0.02)
            if module.padding_idx is not None:
                module.weight[module.padding_idx] = 0


def sizes_of_none(parts):
    return parts["sizes with std None"]


def sizes_of_std(parts):
    return parts["sizes with std 0.05"]


INITIALIZE_MISTAKES = (
    Mistake(
        "1 / n",
        initialize_with(draw=normal, inputs=lambda m: 1 / m.in_features),
        "with std=None the weights of a layer with 100 inputs have {yours[widen]} of the size asked for: 1/n is the "
        "square of it. Which of the two does a standard deviation want, the variance or its root?",
        show=sizes_of_none,
    ),
    Mistake(
        "number of outputs",
        initialize_with(draw=normal, inputs=lambda m: 1 / math.sqrt(m.out_features)),
        "with std=None the layer from 100 to 400 numbers gets weights of {yours[widen]} the size asked for, the one "
        "from 400 to 100 of {yours[narrow]}: you count the outputs. How many products does one output add up?",
        show=sizes_of_none,
    ),
    Mistake(
        "inputs and outputs averaged",
        initialize_with(draw=normal, inputs=lambda m: math.sqrt(2 / (m.in_features + m.out_features))),
        "with std=None the layer from 100 to 400 numbers gets weights of {yours[widen]} the size asked for, the one "
        "from 400 to 100 of {yours[narrow]}: this is Xavier's average of inputs and outputs; asked for is the "
        "number of inputs alone",
        show=sizes_of_none,
    ),
    Mistake(
        "root of 2 / n",
        initialize_with(draw=normal, inputs=lambda m: math.sqrt(2 / m.in_features)),
        "with std=None the weights are {yours[widen]} times as large as asked for: the 2 belongs to layers that are "
        "followed by ReLU, which throws half away",
        show=sizes_of_none,
    ),
    Mistake(
        "embeddings by their width",
        initialize_embeddings_by_width,
        "with std=None the embeddings are {yours[table]} times as large as asked for: a look-up adds nothing up, so "
        "there is no number of inputs. They get 0.02",
        show=sizes_of_none,
    ),
    Mistake(
        "embeddings by their number of rows",
        initialize_embeddings_by_rows,
        "with std=None the embeddings are {yours[table]} times as large as asked for: you count the rows of the "
        "table. A look-up takes one of them and adds nothing up; they get 0.02",
        show=sizes_of_none,
    ),
    Mistake(
        "0.02 for None",
        lambda model, std: _initialize(model, std or 0.02, draw=normal),
        "with std=None the weights of a layer with 100 inputs have {yours[widen]} of the size asked for: None means "
        "that each linear layer gets a size of its own, by its inputs",
        show=sizes_of_none,
    ),
    Mistake(
        "embeddings always 0.02",
        initialize_embeddings_always_alike,
        "with std=0.05 the embeddings have {yours[table]} of the size asked for: 0.02 is theirs only if std is None",
    ),
    Mistake(
        "every parameter drawn",
        initialize_every_parameter,
        "the sizes are those of std, but everything was drawn: biases, the row of [PAD], the norm. Ask each part what "
        "it is",
    ),
    Mistake(
        "written without nn.init",
        initialize_watched,
        "PyTorch watches parameters, and writing into one is nothing to be differentiated: the functions of nn.init "
        "take care of that, or `with torch.no_grad():` does",
    ),
    Mistake(
        "uniform",
        initialize_with(draw=lambda weight, size: nn.init.uniform_(weight, -size, size)),
        "the weights have {yours[widen]} of the size asked for, and none is larger than std: you draw evenly from "
        "an interval, not from a normal distribution",
        show=sizes_of_std,
    ),
    Mistake(
        "std taken for the variance",
        initialize_with(draw=lambda weight, size: normal(weight, math.sqrt(size))),
        "with std=0.05 the weights are {yours[widen]} times as large as asked for: you take the root of std. A "
        "standard deviation is no variance",
        show=sizes_of_std,
    ),
    Mistake(
        "mean and std exchanged",
        initialize_with(draw=lambda weight, size: nn.init.normal_(weight, size)),
        "with std=0.05 the weights are {yours[widen]} times as large as asked for: the number was taken for the "
        "mean. What does the first place after the tensor stand for?",
        show=sizes_of_std,
    ),
    Mistake(
        "children only",
        initialize_with(draw=normal, parts=nn.Module.children),
        "the linear layer inside a group was not drawn: its weights have {yours[narrow]} times the size asked for. "
        "`children` gives the outermost parts, and you want all of them, however deep",
        show=sizes_of_std,
    ),
    Mistake(
        "embeddings forgotten",
        initialize_with(draw=normal, kinds=(nn.Linear,)),
        "the linear layers are drawn, the tables of embeddings still have their old weights: all {yours[table]} "
        "times the size asked for",
        show=sizes_of_std,
    ),
    Mistake(
        "drawn and not put into place",
        initialize_sizes_of_copies,
        "biases are 0, but the weights are still the old ones: you draw new tensors and don't write them into the "
        "layers. Functions of nn.init whose name ends in _ change the tensor that they are given",
        show=False,
    ),
    Mistake(
        "biases left",
        initialize_with(draw=normal, bias=False),
        "the weights are right; the biases of linear layers are not 0: were they left as they were, or drawn, too?",
    ),
    Mistake(
        "row of [PAD] left",
        initialize_with(draw=normal, pad="nothing"),
        "the weights are right; but the row of [PAD] was drawn with the others, and should be 0",
    ),
    Mistake(
        "first row for [PAD]",
        initialize_with(draw=normal, pad="first"),
        "row 0 of the tables became 0. Which row is that of [PAD], the table itself knows",
    ),
    Mistake(
        "number 0 taken for none",
        initialize_with(draw=normal, pad="truth"),
        "right for a table whose [PAD] has the number 3; where it is 0, as in BERT's own vocabulary, its row was drawn. "
        "An `if` takes 0 for False: ask whether it is None",
    ),
    Mistake(
        "a table without [PAD] wiped out",
        initialize_with(draw=normal, pad="no question"),
        "the table of positions is 0 everywhere: it has no [PAD], its padding_idx is None, and a tensor with None "
        "in square brackets is the whole tensor",
    ),
    Mistake(
        "norms drawn as well",
        initialize_norms_too,
        "the norm was drawn too: everything that has a weight was. LayerNorm starts from 1 and 0, as PyTorch makes it",
    ),
    Mistake(
        "None not asked for",
        initialize_without_asking_for_none,
        "std can be None, and then its size depends on the layer",
    ),
)

EXERCISES = (
    Exercise(
        id="5.4",
        name="initialize_weights",
        reference=encoder.initialize_weights,
        stub=INITIALIZE,
        probe=probe_initialize,
        hints=(
            "`model.modules()` goes through all parts, however deep; `isinstance(module, nn.Linear)` asks what one is.",
            "`nn.init.normal_(tensor, std=…)` and `nn.init.zeros_(tensor)` write into a tensor. A linear layer knows "
            "its inputs as `module.in_features`.",
            "Two cases in the loop. Linear: normal_ with `std or 1 / math.sqrt(module.in_features)`, then the bias. "
            "Embedding: normal_ with `std or 0.02`, then the row of [PAD], if padding_idx is not None.",
        ),
        mistakes=INITIALIZE_MISTAKES,
        notice="nothing was said of LayerNorm: it starts as the identity, scale 1 and shift 0, and PyTorch makes it so",
        difficulty=2,
        minutes=12,
        tolerance=0.16,
        show=sizes_of_std,
        variants=(
            initialize_by_apply,
            initialize_with(
                draw=lambda weight, size: nn.init.trunc_normal_(weight, 0.0, size, -2 * size, 2 * size)
            ),
        ),
    ),
)
