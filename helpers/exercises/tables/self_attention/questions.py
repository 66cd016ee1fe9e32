"""What to guess in notebook 4."""

from helpers.exercises.question import Question

QUESTIONS = (
    Question(
        id="4.q1",
        text="Large scores make softmax decide. Of the two numbers 2 and 4, softmax gives the larger one 0.88. What "
        "does it give the larger one of 20 and 40?",
        choices={"a": "0.88, the ratio is the same", "b": "almost 1", "c": "about 0.98"},
        answer="b",
        because="only the difference counts, and it has grown from 2 to 20: e to the power of -20 is nearly nothing.",
        wrong={
            "a": "softmax looks at differences, not at ratios. What is the difference of 20 and 40?",
            "c": "0.98 belongs to a difference of 4. What is the difference of 20 and 40?",
        },
    ),
    Question(
        id="4.q2",
        text="The score of *river* for *bank* is that of *bank* for *river*, 2. *river* is most like itself, with 4, and "
        "*bank* with 3. Which weight is larger: the one that *bank* gives *river*, or the one that *river* gives *bank*?",
        choices={"a": "they are equal, as the scores are", "b": "bank's for river", "c": "river's for bank"},
        answer="b",
        because="each row is divided by a sum of its own, and *river*, with its 4, keeps more for itself.",
        wrong={
            "a": "the scores are equal. Are the sums, by which the two rows are divided?",
            "c": "*river* has a score of 4 with itself, *bank* only 3: who keeps more for itself?",
        },
    ),
    Question(
        id="4.q3",
        text="A query and a key have D = 64 independent numbers of mean 0 and variance 1 each. Their dot product has mean "
        "0, too. What is its variance?",
        answer=64,
        tolerance=0.02,
        because="each of the 64 products has variance 1, and variances of independent terms add up.",
    ),
    Question(
        id="4.q4",
        text="Four keys have the same score, so each gets the weight 0.25. Now two of them are hidden before softmax. "
        "What does each of the other two get?",
        answer=0.5,
        tolerance=0.001,
        because="softmax shares out a 1 among those that are left.",
    ),
    Question(
        id="4.q5",
        text="A row in which all four keys are hidden: which weights does our function give?",
        choices={"a": "0, all four", "b": "0.25, all four", "c": "no numbers at all (NaN)"},
        answer="c",
        because="every exponential is 0, and so is their sum: 0 / 0.",
        wrong={
            "a": "each exponential is 0, but softmax still divides by their sum.",
            "b": "each exponential is 0. What is their sum, by which softmax divides?",
        },
    ),
    Question(
        id="4.q6",
        text="Two texts of 5 tokens with H = 12 go through a module with A = 3 heads. How many probabilities does it "
        "compute?",
        answer=150,
        because="2 texts, 3 heads, and a table of 5 times 5 for each. H does not appear.",
    ),
    Question(
        id="4.q7",
        text="A module with H = 768 and one head has 2.4 million parameters. How many has one with twelve heads?",
        choices={"a": "twelve times as many", "b": "a twelfth", "c": "as many"},
        answer="c",
        because="the layers stay H times H; twelve heads only cut their results into narrower pieces.",
        wrong={
            "a": "each head would then be as wide as H. How many numbers has a head?",
            "b": "one head needs a twelfth of the rows. And all twelve together?",
        },
    ),
    Question(
        id="4.q8",
        text="The five tokens of a text are put in another order before attention (no positions have been added). What "
        "becomes of the results?",
        choices={
            "a": "all of them change",
            "b": "they are the same, in the new order",
            "c": "nothing: not even their order changes",
        },
        answer="b",
        because="a dot product asks what a token is, never where it stands.",
        wrong={
            "a": "each token still meets the same others. Which number would be another one?",
            "c": "row i belongs to the token at place i, and another one stands there now.",
        },
    ),
    Question(
        id="4.q9",
        text="The linear layers need 4 T H² multiply-adds, the two steps with the T × T table 2 T² H. For H = 384, from how "
        "many tokens on does the table cost more?",
        answer=768,
        tolerance=0.002,
        because="they are equal at T = 2 H.",
        unit="tokens",
    ),
    Question(
        id="4.q10",
        text="Of all attention in the middle layers, to which of these goes the largest part?",
        choices={"a": "the previous token", "b": "the next token", "c": "[CLS]", "d": "[SEP]"},
        answer="c",
        because="nearly half of it, ten times what an equal share would be.",
        wrong={
            "a": "some heads do little else, but on average the previous token gets a tenth or less.",
            "b": "a few heads look there; on average it is a tenth or less.",
            "d": "so it is in the original BERT; this model, made for sentence vectors, has another favorite.",
        },
    ),
    Question(
        id="4.q11",
        text="So many tokens look at [CLS]. How long is its value vector in those layers, beside the other tokens' values?",
        choices={"a": "longer", "b": "about as long", "c": "much shorter"},
        answer="c",
        because="what it hands over is nearly nothing: a head that looks there has turned itself down.",
        wrong={
            "a": "much attention need not mean that much is taken over. Which use could a head have for a key with "
            "nothing behind it?",
            "b": "a value is a layer of its own: it can be small where the key is attractive.",
        },
    ),
    Question(
        id="4.q12",
        text="'The trophy did not fit in the suitcase because it was too big': this head lets *it* look at *trophy*. Now "
        "'big' becomes 'small', and *it* means the suitcase. Where does *it* look?",
        choices={"a": "at suitcase", "b": "still at trophy", "c": "at both alike"},
        answer="b",
        because="the head goes for the noun that comes first; the meaning was ours.",
        wrong={
            "a": "that would be a head that has understood the sentence. One example had looked like it.",
            "c": "it would be undecided then. The cell shows how decided it is.",
        },
    ),
)
