"""What to guess in notebook 5 before it is shown."""

from helpers.exercises.question import Question

QUESTIONS = (
    Question(
        id="5.q1",
        text="ReLU makes 0 of every negative number. What does GELU make of -1?",
        choices={
            "a": "0, as well",
            "b": "about -0.16",
            "c": "about 0.16",
            "d": "-1: it is not far from zero",
        },
        answer="b",
        because="Φ(-1), the share of a normal variable below -1, is 0.16, and -1 times it is -0.16.",
        wrong={
            "a": "only far below zero does GELU come near to 0. How large is Φ(-1)?",
            "c": "that is Φ(-1). What is it multiplied by?",
            "d": "-1 passes whole only if Φ(-1) were 1. Is most of a bell curve below -1, or above?",
        },
    ),
    Question(
        id="5.q2",
        text="A feed-forward block gets two texts of four tokens, and we change token 0 of each. In how many of the four "
        "places does the output change?",
        answer=1,
        because="the block looks at each token alone; only attention carries something from one to another.",
    ),
    Question(
        id="5.q3",
        text="We multiply the input of an encoder layer by 100. What becomes of the variance of a token in its output?",
        choices={"a": "10,000 times as large", "b": "100 times as large", "c": "it stays 1"},
        answer="c",
        because="the last thing in a layer is a LayerNorm, and a fresh one has scale 1.",
        wrong={
            "a": "that holds for the sum in front of the last step. What is the last step of a layer?",
            "b": "a variance would grow by the square; but what is the last step of a layer?",
        },
    ),
    Question(
        id="5.q4",
        text="A linear layer has 32 inputs of size 1 and weights with standard deviation 0.02. What is the standard "
        "deviation of its outputs?",
        answer=0.113,
        tolerance=0.05,
        because="0.02 times the root of 32, a ninth of what came in.",
    ),
    Question(
        id="5.q5",
        text="An encoder of L = 2 layers is asked for all hidden states. How many does it return?",
        answer=3,
        because="what the embeddings give, and what each of the two layers gives.",
    ),
    Question(
        id="5.q6",
        text="In a layer with real weights we exchange the query's and the key's linear layer, by mistake. What happens?",
        choices={
            "a": "an error: the shapes don't fit",
            "b": "nothing: q times k is k times q",
            "c": "the outputs change in the sixth decimal",
            "d": "the outputs change visibly, without an error",
        },
        answer="d",
        because="every shape fits, but now what a token looks for and what it offers have changed roles.",
        wrong={
            "a": "both are linear layers from H to H numbers: is there anything that would not fit?",
            "b": "for one number, yes. But the score of *bank* with *river* becomes that of *river* with *bank*: the "
            "table of scores is transposed, and softmax goes along its rows",
            "c": "that would be rounding. The table of scores is transposed: are its rows what its columns were?",
        },
    ),
    Question(
        id="5.q7",
        text="The same weights, the same texts: how far apart will your encoder and the library's be after six layers?",
        choices={
            "a": "by a few percent of the values",
            "b": "by a few millionths at most",
            "c": "by nothing at all, whichever way the library computes attention",
        },
        answer="b",
        because="both do the same arithmetic in single precision; where sums are added up in another order, the last "
        "digit differs.",
        wrong={
            "a": "what would have to be different? The formulas are the same, and so are the weights",
            "c": "the same formula can be computed in another order, and floats then differ in their last digit",
        },
    ),
    Question(
        id="5.q8",
        text="We take the position embeddings away. What do *dog bites man* and *man bites dog* then have in common?",
        choices={
            "a": "nothing: attention still knows which word comes first",
            "b": "the same vectors, in another order",
            "c": "only the vector of [CLS]",
        },
        answer="b",
        because="attention takes keys as a set, and everything else looks at one token alone.",
        wrong={
            "a": "from what would it know? Look for the place of a token in the formulas of attention",
            "c": "[CLS] has the same vector, yes. But is there anything by which *dog* could know its place?",
        },
    ),
    Question(
        id="5.q9",
        text="Which part of bert-base holds the most parameters?",
        choices={"a": "the embeddings", "b": "attention", "c": "the feed-forward blocks", "d": "the pooler"},
        answer="c",
        because="a layer has 8 H² there and 4 H² in attention, and twelve layers outweigh the table of 30,522 tokens.",
        wrong={
            "a": "30,522 rows of 768 numbers: 23 million. What do twelve layers of 12 H² have?",
            "b": "four linear layers from H to H: 4 H². What does the feed-forward block have?",
            "d": "one linear layer from H to H, and only once",
        },
    ),
    Question(
        id="5.q10",
        text="At BERT's full length of 512 tokens, which share of all multiply-adds is the part that grows with T²?",
        choices={"a": "about a tenth", "b": "about a half", "c": "nearly all"},
        answer="a",
        because="for each token it takes 2 T H beside 12 H² in the linear layers, and 2 T is little beside 12 · 768.",
        wrong={
            "b": "for each token: 2 T H in this part, 12 H² in the linear layers. Put T = 512 and H = 768 in",
            "c": "the square counts only when T is large beside H. Put T = 512 and H = 768 into 2 T H and 12 H²",
        },
    ),
    Question(
        id="5.q11",
        text="*bank* by the river and *bank* with the money: what is the cosine of their two token embeddings, before "
        "positions are added?",
        answer=1,
        because="one entry of the vocabulary, one vector, whatever the sentence.",
    ),
    Question(
        id="5.q12",
        text="After six layers, the vectors of *bank* find a neighbor of their own meaning in 12 of 12 cases. In how many, "
        "do you think, does the full stop at the end of the same sentences?",
        choices={"a": "about 5, which is chance", "b": "about 8", "c": "11 or 12"},
        answer="c",
        because="it has read the whole sentence as well, and knows the topic.",
        wrong={
            "a": "a full stop means nothing by itself; but what has it collected in six layers?",
            "b": "more: it looks at the same words as *bank* does",
        },
    ),
)
