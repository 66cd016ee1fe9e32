"""The questions of notebook 19's first half: a modern encoder."""

from helpers.exercises.question import Question

QUESTIONS = (
    Question(
        id="19.q1",
        text="A query stands at place 3 and a key at place 7; both are turned by their places. Now both move 400 places "
        "to the right. What happens to their score?",
        choices={
            "a": "it becomes smaller: far places count less",
            "b": "it stays the same",
            "c": "it becomes another number, that of the new places",
        },
        answer="b",
        because="both are turned by 400 places more, and turning two vectors alike does not change the angle between them.",
        wrong={
            "a": "the score falls with the distance of the two, and that is still four",
            "c": "this is what a table of positions does. What changes between two vectors that are both turned further by the same angle?",
        },
    ),
    Question(
        id="19.q2",
        text="Twelve layers, random weights, one batch. In BERT's order (the norm around the sum), how do the gradients of "
        "the last layer compare with those of the first, on average over the weights?",
        choices={
            "a": "they are several times as large",
            "b": "they are about the same",
            "c": "they are several times as small",
        },
        answer="a",
        because="on its way down the gradient passes two norms in every layer, and each scales it down: the sum that it divides by is "
        "longer than each of its parts.",
        wrong={
            "b": "so it is in the other order. Here a norm stands on the way from each layer to the one below",
            "c": "a gradient that grew on its way down would be larger in the first layer. What does dividing by a length do to it?",
        },
    ),
    Question(
        id="19.q3",
        text="BERT-Base has 110 million weights. How many of them are biases, of linear layers and norms?",
        choices={"a": "one in a thousand", "b": "one in a hundred", "c": "one in ten"},
        answer="a",
        because="a linear layer from H to H numbers has H times H weights and only H biases.",
        wrong={
            "b": "count one layer: how many weights has a matrix of 768 by 768, and how many biases go with it?",
            "c": "then a bias would do the work of ten weights. How many weights lead into one number of a layer, and how many biases?",
        },
    ),
    Question(
        id="19.q4",
        text="A text of 2,048 tokens, a window of 128. A mask is put on PyTorch's attention, so that every token sees 129 tokens "
        "instead of 2,048. How much of the time is saved?",
        choices={"a": "nearly all: 15 parts of 16", "b": "about half", "c": "nothing"},
        answer="c",
        because="all scores are computed first, and the mask throws most of them away afterwards.",
        wrong={
            "a": "so much less is needed. Is it also less that is computed, before the mask hides it?",
            "b": "what would be left out of the computation? The mask says what to throw away, not what to skip",
        },
    ),
)
