"""Notebook 19: what to guess before the output."""

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
        text="Encoders of 2, 4, 8, 16 and 32 layers, all with random weights, in BERT's order: the norm around the sum. What "
        "happens to the gradient of the last layer as the encoder gets deeper?",
        choices={
            "a": "it grows with the number of layers",
            "b": "it stays about the same",
            "c": "it falls with the number of layers",
        },
        answer="b",
        because="the norm after the last sum brings it back to the same length, so the last layer does not notice how many are below it.",
        wrong={
            "a": "what could the last layer notice of the layers below, if every sum before it has been normalized?",
            "c": "so it is in the other order, where the last block adds to a sum of many. Here each sum is normalized first",
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
    Question(
        id="19.q5",
        text="Notebook 6's live run got to 92% of the reachable gain in some two minutes of processor time. The record's model "
        "has the same size and reads the same text. How long does it take?",
        choices={"a": "nine tenths of that", "b": "about two thirds", "c": "less than half"},
        answer="c",
        because="it reads fewer than half as many stories: a start at the neighbors, Muon and a rate that has fallen to zero "
        "when the target is near make more of each of them.",
        wrong={
            "a": "leaving out the sentence pairs and the last layer at visible words alone saves more than that.",
            "b": "that is about what leaving out needless work saves; the optimizer and the schedule add as much.",
        },
    ),
)
