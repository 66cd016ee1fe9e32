"""Notebook 18: questions before the output."""

from helpers.exercises.question import Question

QUESTIONS = (
    Question(
        id="18.q1",
        text="A teacher is sure of an answer: 97% and 3%. Its logits are divided by the temperature 4 before the softmax. "
        "How many percent does the surer answer get now?",
        answer=70.5,
        tolerance=0.03,
        unit="%",
        because="the logits were ln(0.97 / 0.03) = 3.48 apart, and 0.87 are left.",
    ),
    Question(
        id="18.q2",
        text="The classifier has 22.7 million weights. A student keeps three of its six layers. How many percent of the "
        "weights does it keep?",
        answer=76.6,
        tolerance=0.04,
        unit="%",
        because="the token embeddings alone are half of all weights, and they are kept.",
    ),
    Question(
        id="18.q3",
        text="The student learns from sentences whose labels nobody looked at. What of these sentences does it need?",
        choices={
            "a": "what the teacher says of them",
            "b": "their labels, to know where the teacher errs",
            "c": "that they are the sentences the teacher was trained on",
        },
        answer="a",
        because="the targets are the teacher's logits and hidden states, and the teacher can be asked about any text.",
        wrong={
            "b": "where labels are there they can be added; but the loss that you wrote has no place for them.",
            "c": "rather not: on its own training sentences a teacher is surer than it will be on new ones.",
        },
    ),
    Question(
        id="18.q4",
        text="Half of the heads of every layer are taken out of the matrices. How many percent of a layer's products with "
        "weights does that save? (query, key, value and output are H × H, the two of the feed-forward block H × 4H.)",
        answer=16.7,
        tolerance=0.08,
        unit="%",
        because="attention has 4 of the 12 H², and half of them is gone: 2 of 12.",
    ),
    Question(
        id="18.q5",
        text="LoRA with r = 8 beside the query and value layers of all six layers, H = 384. How many weights do the thin "
        "matrices have?",
        answer=73728,
        tolerance=0.01,
        because="6 layers × 2 matrices × (8 × 384 + 384 × 8).",
    ),
    Question(
        id="18.q6",
        text="In a weight matrix one number is fifty times as large as all others. It gets 8 bits with one scale for the "
        "whole matrix. What happens?",
        choices={
            "a": "the large number is cut off, the others are as exact as ever",
            "b": "the large number is exact, and nearly all others share a handful of values",
            "c": "nothing: 256 values are enough for a matrix",
        },
        answer="b",
        because="the step is the range divided by 255, and the range is that of the one number.",
        wrong={
            "a": "it could be cut off, and some methods do; here the range is chosen so that everything fits.",
            "c": "256 values are spread evenly over the whole range. How many fall where the other numbers are?",
        },
    ),
    Question(
        id="18.q7",
        text="Texts are answered one at a time. Why does the 95th percentile of the time lie well above the median?",
        choices={
            "a": "the computer is disturbed now and then",
            "b": "some texts are longer",
            "c": "the model is unsure of some texts and thinks longer",
        },
        answer="b",
        because="the work grows with the number of tokens, and some sentences have three times as many as most.",
        wrong={
            "a": "that comes on top; but the same texts are slow in every round.",
            "c": "the same products are computed whatever comes out.",
        },
    ),
)
