"""Parameters and multiply-adds in closed form: exercises 5.11 and 5.12."""

from helpers.encoder import BertConfig
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import encoder as references

SMALL = BertConfig(
    vocab_size=50, hidden_size=6, num_layers=5, num_heads=3, intermediate_size=14, max_positions=9, num_segments=3
)  # fmt: skip

# 5.11 count_parameters

PARAMETERS = '''
def my_count_parameters(config):
    """The numbers that are learned, by kind of block and over all layers: a dict with the keys

    "embeddings" (with their LayerNorm), "attention", "feed-forward", "LayerNorm" (of the layers), "pooler".
    config.vocab_size, max_positions, num_segments, hidden_size, num_layers, intermediate_size say how large.
    """
    ...
'''


def probe_parameters(count_parameters):
    return count_parameters(SMALL)


def counts_with(**changes):
    """The right counts, but for some: {kind: function of the configuration}."""

    def count(config):
        found = references.count_parameters(config)
        for kind, function in changes.items():
            found[kind.replace("_", "-")] = function(config)
        return found

    return count


def pieces(config):
    return (
        config.vocab_size + config.max_positions + config.num_segments,
        config.hidden_size,
        config.num_layers,
        config.intermediate_size,
    )


def without_biases(config):
    n, H, L, F = pieces(config)
    norms = {"LayerNorm": L * 4 * H}
    return {"embeddings": n * H + 2 * H, "attention": L * 4 * H * H} | {
        "feed-forward": L * 2 * H * F, **norms, "pooler": H * H
    }  # fmt: skip


def one_layer(config):
    found = references.count_parameters(config)
    layers = ("attention", "feed-forward", "LayerNorm")
    return {kind: count // config.num_layers if kind in layers else count for kind, count in found.items()}


def the_dict(parts):
    return parts


PARAMETERS_MISTAKES = (
    Mistake(
        "both biases of width H",
        counts_with(
            feed_forward=lambda c: c.num_layers * 2 * (c.hidden_size * c.intermediate_size + c.hidden_size)
        ),
        "the feed-forward blocks have {yours[feed-forward]}, expected {expected[feed-forward]}: a bias has as many numbers as its layer gives out, and the first one gives out the intermediate size",
    ),
    Mistake(
        "no biases",
        without_biases,
        "attention has {yours[attention]}, expected {expected[attention]}: a linear layer from n to m numbers has nm "
        "weights, and what else?",
    ),
    Mistake(
        "one layer",
        one_layer,
        "attention has {yours[attention]}, expected {expected[attention]}: that is one layer of five",
    ),
    Mistake(
        "output layer of attention forgotten",
        counts_with(attention=lambda c: c.num_layers * 3 * (c.hidden_size**2 + c.hidden_size)),
        "attention has {yours[attention]}, expected {expected[attention]}: query, key and value are three; which "
        "linear layer mixes the heads?",
    ),
    Mistake(
        "multiplied by the heads",
        counts_with(attention=lambda c: c.num_layers * c.num_heads * 4 * (c.hidden_size**2 + c.hidden_size)),
        "attention has {yours[attention]}, expected {expected[attention]}: the heads share the H numbers, they "
        "don't multiply them",
    ),
    Mistake(
        "one of two layers of the feed-forward block",
        counts_with(feed_forward=lambda c: c.num_layers * (c.hidden_size + 1) * c.intermediate_size),
        "a feed-forward block widens and narrows: {yours[feed-forward]} in all layers, expected "
        "{expected[feed-forward]}",
    ),
    Mistake(
        "biases of the feed-forward block alike",
        counts_with(feed_forward=lambda c: 2 * c.num_layers * (c.hidden_size + 1) * c.intermediate_size),
        "the feed-forward blocks have {yours[feed-forward]}, expected {expected[feed-forward]}: a bias is as long as "
        "the output, and the two outputs differ",
    ),
    Mistake(
        "4 H instead of the configured width",
        counts_with(feed_forward=lambda c: c.num_layers * (8 * c.hidden_size**2 + 5 * c.hidden_size)),
        "the feed-forward blocks have {yours[feed-forward]}, expected {expected[feed-forward]}: 4 H is BERT's custom, "
        "and this model has another width, config.intermediate_size",
    ),
    Mistake(
        "LayerNorm of the embeddings counted again",
        counts_with(LayerNorm=lambda c: (2 * c.num_layers + 1) * 2 * c.hidden_size),
        "LayerNorm has {yours[LayerNorm]}, expected {expected[LayerNorm]}: that of the embeddings is counted with them",
    ),
    Mistake(
        "segments forgotten",
        counts_with(embeddings=lambda c: (c.vocab_size + c.max_positions + 2) * c.hidden_size),
        "the embeddings have {yours[embeddings]}, expected {expected[embeddings]}: there are three tables, of tokens, "
        "positions and segments, and LayerNorm",
    ),
    Mistake(
        "positions forgotten",
        counts_with(embeddings=lambda c: (c.vocab_size + c.num_segments + 2) * c.hidden_size),
        "the embeddings have {yours[embeddings]}, expected {expected[embeddings]}: which of the three tables has "
        "max_positions rows?",
    ),
    Mistake(
        "LayerNorm of the embeddings forgotten",
        counts_with(embeddings=lambda c: pieces(c)[0] * c.hidden_size),
        "the embeddings have {yours[embeddings]}, expected {expected[embeddings]}: their sum is normalized, too, with "
        "scale and shift",
    ),
    Mistake(
        "one LayerNorm a layer",
        counts_with(LayerNorm=lambda c: c.num_layers * 2 * c.hidden_size),
        "LayerNorm has {yours[LayerNorm]}, expected {expected[LayerNorm]}: each layer has two of them, each with a "
        "scale and a shift",
    ),
    Mistake(
        "a pooler in every layer",
        counts_with(pooler=lambda c: c.num_layers * (c.hidden_size**2 + c.hidden_size)),
        "the pooler has {yours[pooler]}, expected {expected[pooler]}: there is one, above all layers",
    ),
    Mistake(
        "pooler without bias",
        counts_with(pooler=lambda c: c.hidden_size**2),
        "the pooler has {yours[pooler]}, expected {expected[pooler]}: it is a linear layer with a bias",
    ),
    Mistake(
        "the total",
        lambda config: sum(references.count_parameters(config).values()),
        "that is the total, and right; asked for is a dict with the five parts",
    ),
)

# 5.12 count_multiply_adds

MULTIPLY_ADDS = '''
def my_count_multiply_adds(config, tokens):
    """The multiply-adds for one text of `tokens` tokens, over all layers: a dict with the keys

    "attention: linear layers" (query, key, value, output), "attention: T x T" (the scores, and probabilities
    times values), "feed-forward", "pooler". Biases, softmax, GELU and LayerNorm are not counted.
    """
    ...
'''
LINEAR, SQUARE = "attention: linear layers", "attention: T x T"


def probe_multiply_adds(count_multiply_adds):
    return count_multiply_adds(SMALL, 7)


def work_with(kind, factor):
    """The right counts, but for one kind: its count times a factor that depends on the configuration."""

    def count(config, tokens):
        found = references.count_multiply_adds(config, tokens)
        return found | {kind: int(found[kind] * factor(config, tokens))}

    return count


def doubled(config, tokens):
    return {kind: 2 * count for kind, count in references.count_multiply_adds(config, tokens).items()}


def of_one_token(config, tokens):
    return references.count_multiply_adds(config, 1)


def of_one_layer(config, tokens):
    found = references.count_multiply_adds(config, tokens)
    return {kind: n if kind == "pooler" else n // config.num_layers for kind, n in found.items()}


MULTIPLY_ADDS_MISTAKES = (
    Mistake(
        "linear layers for one token",
        lambda config, tokens: (
            (found := references.count_multiply_adds(config, tokens))
            | {"attention: linear layers": found["attention: linear layers"] // tokens}
        ),
        "the linear layers of attention take {yours[attention: linear layers]}, expected {expected[attention: linear layers]}: that is for one token. Each goes through them",
    ),
    Mistake(
        "feed-forward for one token",
        lambda config, tokens: (
            (found := references.count_multiply_adds(config, tokens))
            | {"feed-forward": found["feed-forward"] // tokens}
        ),
        "the feed-forward blocks take {yours[feed-forward]}, expected {expected[feed-forward]}: that is for one token. Each goes through them",
    ),
    Mistake(
        "operations instead of multiply-adds",
        doubled,
        "the feed-forward blocks take {yours[feed-forward]}, expected {expected[feed-forward]}: you count a "
        "multiplication and an addition as two, as FLOPs are counted. Here the pair counts once",
    ),
    Mistake(
        "one token",
        of_one_token,
        "the feed-forward blocks take {yours[feed-forward]}, expected {expected[feed-forward]}: that is the work for "
        "one token of seven",
    ),
    Mistake(
        "one layer of five",
        of_one_layer,
        "the feed-forward blocks take {yours[feed-forward]}, expected {expected[feed-forward]}: that is the work of "
        "one layer of five",
    ),
    Mistake(
        "three linear layers",
        work_with(LINEAR, lambda c, t: 0.75),
        "the linear layers of attention take {yours[attention: linear layers]}, expected "
        "{expected[attention: linear layers]}: the output layer is missing",
    ),
    Mistake(
        "every head takes all of H",
        work_with(LINEAR, lambda c, t: c.num_heads),
        "the linear layers of attention take {yours[attention: linear layers]}, expected "
        "{expected[attention: linear layers]}: all heads together make H numbers, not each",
    ),
    Mistake(
        "biases added",
        lambda config, tokens: (
            references.count_multiply_adds(config, tokens)
            | {
                LINEAR: config.num_layers * 4 * tokens * (config.hidden_size**2 + config.hidden_size),
                "pooler": config.hidden_size**2 + config.hidden_size,
            }
        ),
        "the linear layers of attention take {yours[attention: linear layers]}, expected "
        "{expected[attention: linear layers]}: a bias is added, without a multiplication, and not counted",
    ),
    Mistake(
        "T x T in the linear layers",
        work_with(LINEAR, lambda c, t: t / c.hidden_size),
        "the linear layers of attention take {yours[attention: linear layers]}, expected "
        "{expected[attention: linear layers]}: each token goes through them alone, H times H for each",
    ),
    Mistake(
        "H squared for T squared",
        work_with(SQUARE, lambda c, t: c.hidden_size / t),
        "T x T takes {yours[attention: T x T]}, expected {expected[attention: T x T]}: here queries meet keys, T times "
        "T of them, and each meeting takes H products over all heads",
    ),
    Mistake(
        "one product of two",
        work_with(SQUARE, lambda c, t: 0.5),
        "T x T takes {yours[attention: T x T]}, expected {expected[attention: T x T]}: there are two such products. "
        "After softmax, what are the probabilities multiplied by?",
    ),
    Mistake(
        "D of one head",
        work_with(SQUARE, lambda c, t: 1 / c.num_heads),
        "T x T takes {yours[attention: T x T]}, expected {expected[attention: T x T]}: that is one head. A heads of D "
        "numbers each are H",
    ),
    Mistake(
        "all heads of H numbers",
        work_with(SQUARE, lambda c, t: c.num_heads),
        "T x T takes {yours[attention: T x T]}, expected {expected[attention: T x T]}: each head multiplies vectors "
        "of D numbers, not of H",
    ),
    Mistake(
        "T once",
        work_with(SQUARE, lambda c, t: 1 / t),
        "T x T takes {yours[attention: T x T]}, expected {expected[attention: T x T]}: every query meets every key. "
        "How many pairs are those?",
    ),
    Mistake(
        "half a feed-forward block",
        work_with("feed-forward", lambda c, t: 0.5),
        "the feed-forward blocks take {yours[feed-forward]}, expected {expected[feed-forward]}: widening is half of "
        "it",
    ),
    Mistake(
        "pooler at every token",
        work_with("pooler", lambda c, t: t),
        "the pooler takes {yours[pooler]}, expected {expected[pooler]}: it reads one token",
    ),
    Mistake(
        "pooler in every layer",
        work_with("pooler", lambda c, t: c.num_layers),
        "the pooler takes {yours[pooler]}, expected {expected[pooler]}: it comes once, after the last layer",
    ),
    Mistake(
        "the sum",
        lambda config, tokens: sum(references.count_multiply_adds(config, tokens).values()),
        "the sum is right; asked for is a dict with its four parts",
    ),
)

EXERCISES = (
    Exercise(
        id="5.11",
        name="count_parameters",
        reference=references.count_parameters,
        stub=PARAMETERS,
        probe=probe_parameters,
        hints=(
            "A linear layer from n to m numbers has nm + m, LayerNorm 2H, a table of n rows nH. Which of them are in "
            "each block, and how often?",
            "Attention: four linear layers from H to H. Feed-forward: one from H to 4H and one back. Two LayerNorms a "
            "layer. Three tables and one LayerNorm in the embeddings.",
        ),
        mistakes=PARAMETERS_MISTAKES,
        notice="the number of heads does not appear: one or twelve, attention has the same weights",
        difficulty=2,
        minutes=10,
        show=the_dict,
        variants=(
            lambda config: {
                "embeddings": sum(pieces(config)[:1]) * config.hidden_size + 2 * config.hidden_size,
                "attention": sum(
                    4 * config.hidden_size * (config.hidden_size + 1) for _ in range(config.num_layers)
                ),
                "feed-forward": config.num_layers
                * (
                    2 * config.hidden_size * config.intermediate_size
                    + config.intermediate_size
                    + config.hidden_size
                ),
                "LayerNorm": 4 * config.hidden_size * config.num_layers,
                "pooler": config.hidden_size * (config.hidden_size + 1),
            },
        ),
    ),
    Exercise(
        id="5.12",
        name="count_multiply_adds",
        reference=references.count_multiply_adds,
        stub=MULTIPLY_ADDS,
        probe=probe_multiply_adds,
        hints=(
            "A linear layer from n to m numbers is a product of (T × n) with (n × m): Tnm. Which four does attention "
            "have, which two the feed-forward block?",
            "Scores of one head: (T × D) times (D × T). Context of one head: (T × T) times (T × D). And there are A "
            "heads, with A · D = H.",
        ),
        mistakes=MULTIPLY_ADDS_MISTAKES,
        notice="only one of the four grows with the square of T",
        difficulty=2,
        minutes=10,
        show=the_dict,
        variants=(
            lambda config, T: {
                LINEAR: 4 * config.num_layers * T * config.hidden_size**2,
                SQUARE: sum(
                    2 * T * T * (config.hidden_size // config.num_heads)
                    for _ in range(config.num_heads * config.num_layers)
                ),
                "feed-forward": 2 * T * config.hidden_size * config.intermediate_size * config.num_layers,
                "pooler": config.hidden_size**2,
            },
        ),
    ),
)
