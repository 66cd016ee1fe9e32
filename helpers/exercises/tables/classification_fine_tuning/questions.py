"""Notebook 8: questions before their answers."""

from helpers.exercises.question import Question

QUESTIONS = (
    Question(
        id="8.q1",
        text="The encoder has 22.7 million weights, with H = 384 numbers in the pooled output. How many new weights does "
        "the classifier for two classes need?",
        answer=770,
        because="W has 2 times 384, and the bias 2.",
    ),
    Question(
        id="8.q2",
        text="Before training, the new layer's weights are random and small. Where is the loss of the first steps?",
        choices={
            "a": "near 0: the encoder knows English already",
            "b": "near 0.69, as for fifty-fifty",
            "c": "far above 1: random answers are often wrong with certainty",
        },
        answer="b",
        because="small weights make two logits that hardly differ, so both classes get about one half, and -ln(1/2) is 0.69.",
        wrong={
            "a": "the encoder knows English, but the layer that makes an answer of it knows nothing yet.",
            "c": "certainty needs logits far apart. How far apart are they if the weights of the last layer are about 0.02?",
        },
    ),
    Question(
        id="8.q3",
        text="A model predicts twice for the same sentence. It was left in training mode. What is different?",
        choices={
            "a": "nothing: without optimizer.step() no weight changes",
            "b": "the probabilities differ from call to call",
            "c": "the second answer is better, since it has seen the sentence",
        },
        answer="b",
        because="in training mode dropout sets other numbers to 0 at each call.",
        wrong={
            "a": "no weight changes, that is right; but something else in the model is drawn anew at each call.",
            "c": "a model learns by steps of the optimizer, not by reading.",
        },
    ),
    Question(
        id="8.q4",
        text="The sentences have 27 tokens on average. Many programs pad each to a fixed length, such as 128. What share of "
        "what is then computed is padding, in percent?",
        answer=79,
        tolerance=0.05,
        unit="%",
        because="27 of 128 are real. It is almost five times the work.",
    ),
    Question(
        id="8.q5",
        text="Three of six layers are frozen, and the embeddings. What does a training step save?",
        choices={
            "a": "about half: half of the layers need nothing any more",
            "b": "about a third: the frozen layers still compute forward",
            "c": "nothing: frozen weights are computed as before",
        },
        answer="b",
        because="forward is a third of a step's work and backward two thirds; freezing half of the layers takes half of "
        "the backward part away.",
        wrong={
            "a": "the frozen layers need no backward pass, but the layers above need what they give: which part remains?",
            "c": "their forward pass is as before, but gradients stop above them. How much of a step is backward?",
        },
    ),
    Question(
        id="8.q6",
        text="`wider_text`, our own small encoder, has read 3.7 million tokens of books, Wikipedia and reviews. Fine-tuned on "
        "all movie sentences, how does it do beside word counts (TF-IDF)?",
        choices={
            "a": "far above: it reads whole sentences",
            "b": "about the same",
            "c": "no better than always the same class",
        },
        answer="b",
        because="a few million tokens are little: many words that praise or blame were met a handful of times.",
        wrong={
            "a": "reading whole sentences helps who knows the words. How often does *tedious* stand in a few million tokens?",
            "c": "7,411 labels alone teach a good deal, even to random weights: look at the second rung.",
        },
    ),
    Question(
        id="8.q7",
        text="A run's loss rests at 0.69 and its accuracy at 55%. Four causes are thinkable. Which one can it not be?",
        choices={
            "a": "a learning rate that is far too low",
            "b": "a learning rate that is too high",
            "c": "labels that belong to other sentences",
            "d": "a model that has learned its training sentences by heart",
        },
        answer="d",
        because="by heart means a training loss near 0. The other three all look like knowing nothing.",
        wrong={
            "a": "with 2e-6 nothing happens, and the loss stays at ln 2: the curve below shows it.",
            "b": "after a jump the loss can come to rest exactly there: the curve below shows it.",
            "c": "from wrong labels nothing can be learned, so the best that is left is the share of the classes.",
        },
    ),
)
