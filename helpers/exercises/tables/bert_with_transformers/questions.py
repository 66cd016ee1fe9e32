"""Notebook 11: questions before the output."""

from helpers.exercises.question import Question

QUESTIONS = (
    Question(
        id="11.q1",
        text="The new layer is random, the two classes are equally frequent. At which loss (in nats) does the training "
        "begin? Give two digits.",
        answer=0.69,
        tolerance=0.06,
        unit="nats",
        because="who knows nothing says fifty-fifty, and minus the logarithm of 1/2 is ln 2.",
    ),
    Question(
        id="11.q2",
        text="The accuracy on the test part, computed by the `Trainer` itself, is right. We write its predictions in a "
        "table beside our sentences, row by row. How many rows have the label of their own sentence?",
        choices={
            "a": "all: otherwise the accuracy would be wrong",
            "b": "about half",
            "c": "none, since all rows are moved",
        },
        answer="b",
        because="predictions and labels were moved together; against the sentences they agree as often as by chance.",
        wrong={
            "a": "predictions and labels may both be in another order, the same one for both: the accuracy doesn't care.",
            "c": "with two classes a stranger's label is the same every second time.",
        },
    ),
    Question(
        id="11.q3",
        text="One step on eight sentences has the loss 0.73. The same eight as four batches of two, "
        "`gradient_accumulation_steps=4`: which loss does the installed `Trainer` log for a BERT classifier?",
        choices={
            "a": "0.73, as it should be",
            "b": "0.18, a quarter",
            "c": "2.9, four times as much",
        },
        answer="c",
        because="the four means are added up, and each of two parts leaves the division to the other.",
        wrong={
            "a": "that is what the arguments promise. Run on.",
            "b": "it is not divided too often, but not at all.",
        },
    ),
    Question(
        id="11.q4",
        text="Padded to 512 there are 64 times as many tokens to compute. How many times as long does a step take?",
        choices={
            "a": "64 times or more",
            "b": "as long as before: the mask leaves the padding out",
            "c": "longer, but clearly less than 64 times",
        },
        answer="c",
        because="a small step has a fixed part: every weight is read, and every weight gets a gradient.",
        wrong={
            "a": "so many more operations, yes; but what does a step do besides multiplying tokens?",
            "b": "the mask makes weights zero after they were computed; it spares no work.",
        },
    ),
    Question(
        id="11.q5",
        text="Five runs of one program with 50 labels, that differ only in the seed. How far apart are the best and the "
        "worst accuracy?",
        choices={"a": "less than a point", "b": "about two points", "c": "more than five points"},
        answer="c",
        because="with few labels the seed decides more than most settings that people compare.",
        wrong={
            "a": "that is so with all 7,411 labels.",
            "b": "more. Which 50 sentences are drawn hangs on the seed, too.",
        },
    ),
    Question(
        id="11.q6",
        text="AdamW without warm-up, the very first step. A weight whose gradient is a thousand times smaller than "
        "another's moves…",
        choices={
            "a": "a thousand times less",
            "b": "about as far, by the learning rate",
            "c": "not at all",
        },
        answer="b",
        because="the gradient is divided by its own size, so that only the sign is left.",
        wrong={
            "a": "so it would with plain gradient descent. What does Adam divide by?",
            "c": "it moves, and further than its gradient deserves.",
        },
    ),
    Question(
        id="11.q7",
        text="After twenty steps on two sentences the loss is 0.2 and both answers are right. Of 203 other sentences, how "
        "many are answered rightly?",
        choices={"a": "about 90%", "b": "about 70%", "c": "about 50%"},
        answer="c",
        because="two sentences were learned by heart, and nothing that the training printed could show that.",
        wrong={
            "a": "that would be better than notebook 8's classifier with seven thousand labels.",
            "b": "the encoder is good, but what can two labels say about other sentences?",
        },
    ),
)
