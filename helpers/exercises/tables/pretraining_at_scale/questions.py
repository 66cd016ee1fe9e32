"""The questions of notebook 17."""

from helpers.exercises.question import Question

QUESTIONS = (
    Question(
        id="17.q1",
        text="Paragraphs, cut at 64 tokens, come 16 together in random order, filled up to the longest of the 16. What "
        "share of the computed positions is padding?",
        choices={"a": "a few in a hundred", "b": "nearly half", "c": "nine in ten"},
        answer="b",
        because="most reviews are single sentences of some twenty tokens, and in nearly every group one text is long.",
        wrong={
            "a": "that would need texts of equal length. How likely is it that one of 16 is much longer than the rest?",
            "c": "a row is at most 64 tokens, and a sentence has some twenty: how much of the row is empty then?",
        },
    ),
    Question(
        id="17.q2",
        text="A model gives all 8,000 entries the same probability. What is its loss, in nats?",
        answer=8.987,
        tolerance=0.02,
        unit="nats",
        because="the loss is minus the logarithm of 1 / 8,000, which is ln 8,000.",
    ),
    Question(
        id="17.q3",
        text="At step 3,000 the bias that showed the heads where to look is gone. What does the loss do in the thousand "
        "steps around it?",
        choices={
            "a": "it goes on falling; the bias was small by then",
            "b": "it rises, and comes back within some hundred steps",
            "c": "it goes back to the unigrams and stays",
        },
        answer="b",
        because="the heads had leaned on what was left of the bias to the end, and have to find the places by "
        "themselves; the layers above know already what to do with what arrives.",
        wrong={
            "a": "even a tenth of the bias tells a head which of two neighbors to prefer, and the heads lean on it",
            "c": "then nothing would have been learned in 3,000 steps but to wait for the bias: would the layers above "
            "forget what a neighbor says?",
        },
    ),
    Question(
        id="17.q4",
        text="The second stage reads articles and reviews, and no books. What becomes of the accuracy on the held-out "
        "chapters of books, 38% after the first stage?",
        choices={
            "a": "it rises: more training is better",
            "b": "it stays: the books are learned",
            "c": "it falls by several points",
        },
        answer="c",
        because="every step fits the weights to what is read now; what is not read any more is overwritten bit by bit.",
        wrong={
            "a": "training makes a model better on the text that it reads. Which text is that now?",
            "b": "the same weights serve all texts, and they go on changing",
        },
    ),
    Question(
        id="17.q5",
        text="On one kind of hidden token of the articles the table of two neighbors is ahead of the model. On which?",
        choices={
            "a": "punctuation",
            "b": "function words",
            "c": "pieces inside words",
            "d": "content words",
        },
        answer="c",
        because="most pieces between two pieces have been seen in just that place, and a table forgets nothing.",
        wrong={
            "a": "where a sentence ends depends on more than two neighbors: here the model is far ahead",
            "b": "grammar reaches over several words: here the model is ahead",
            "d": "both are bad at them, and the rest of the row helps a little. The table gets nothing from it",
        },
    ),
    Question(
        id="17.q6",
        text="One run went through undisturbed; the other was killed, lost its newest state, and went on from the one "
        "before. How far apart are the finished weights?",
        choices={
            "a": "not at all: the same bytes",
            "b": "about 1e-7, by rounding",
            "c": "as two runs with different seeds",
        },
        answer="a",
        because="order, masks and dropout follow from the seed and the step, so the second run did the same sums again.",
        wrong={
            "b": "rounding differs where sums are done in another order. Are they?",
            "c": "what would have to be drawn anew for that? Everything random follows from seed and step",
        },
    ),
    Question(
        id="17.q7",
        text="In the sentences of the text with the word queen, two in three of the he and she words are she words. "
        "What does the model put into the gaps of our six sentences about a queen?",
        choices={"a": "mostly she, as the text", "b": "mostly he", "c": "both alike"},
        answer="b",
        because="the sentences are of a kind in which the text nearly always has he, and the one word queen weighs less.",
        wrong={
            "a": "it would have to hear the one word above all that is usual in such sentences",
            "c": "it leans to one side. Which of the two is more frequent in the whole text?",
        },
    ),
)
