"""Notebook 15: questions before their answers."""

from helpers.exercises.question import Question

QUESTIONS = (
    Question(
        id="15.q1",
        text="A new reader knows nothing: its two logits hardly differ from token to token. What is its loss for windows "
        "of 53 tokens, in nats?",
        answer=3.97,
        tolerance=0.03,
        unit="nats",
        because="each token gets about 1/53, start and end alike, and ln 53 is 3.97. The mean of two equal numbers is "
        "that number.",
    ),
    Question(
        id="15.q2",
        text="A context of 75 tokens, windows with room for 41 of them, an overlap of 20. How many windows are there?",
        answer=3,
        because="they begin 41 - 20 = 21 tokens apart, at 0, 21 and 42, and the third reaches the end: 42 + 41 is above 75.",
    ),
    Question(
        id="15.q3",
        text="The best span of one window has the logits 5 and 4, in the other 2 and 2. The second window has nothing else "
        "to offer, so a softmax within it gives its span more. Which span is the answer?",
        choices={
            "a": "that of the second window: the model is surer of it",
            "b": "that of the first: the sums of logits are compared, 9 against 4",
            "c": "neither: logits of two windows can't be compared",
        },
        answer="b",
        because="the same weights made all logits, so they say how well a span fits, wherever it stands; a softmax within "
        "a window divides by what else happens to be there.",
        wrong={
            "a": "it is surer only of this: nothing else in that window is better. How good is the best of a poor choice?",
            "c": "they come from the same two weight vectors, and training has set them against the same [CLS].",
        },
    ),
    Question(
        id="15.q4",
        text='The truth is "red house", the answer "in the old red house". What is the F1?',
        answer=0.667,
        tolerance=0.005,
        because="the answer has four words without its article, the truth two, and two are shared: 2 x 2 / (4 + 2).",
    ),
    Question(
        id="15.q5",
        text="Two readers learn from the same 6,000 questions: one was pretrained on stories, the other begins with random "
        "weights. What do you expect at the end?",
        choices={
            "a": "the pretrained one is far ahead: the other can't read",
            "b": "the pretrained one is ahead, but the other one reads, too",
            "c": "no difference: 6,000 questions are enough for both",
        },
        answer="b",
        because="so many questions about so simple a language teach it nearly alone; the pretrained one ends some "
        "points higher, mostly where persons have to be told apart.",
        wrong={
            "a": "in notebook 9 random weights caught up where labels were many. Are 6,000 many for this language?",
            "c": "one of the two has never seen a story before, and has to learn its words from questions alone. Is "
            "nothing of that left after 560 steps?",
        },
    ),
    Question(
        id="15.q6",
        text="Of all sentences of a paragraph, the one that shares the rarest words with the question is chosen. In what "
        "percentage of the questions does it hold the answer?",
        answer=83,
        tolerance=0.1,
        unit="%",
        because="who asks about a paragraph takes words from it. A data set in which the question came first is harder.",
    ),
    Question(
        id="15.q7",
        text="This reader was trained on windows of 64 tokens. The test's paragraphs have some 150 tokens, so windows of "
        "384 would hold nearly all of them whole. What if the same reader reads them so?",
        choices={
            "a": "it gets better: it sees the whole paragraph at once",
            "b": "no difference: the weights are the same",
            "c": "it gets worse: it never had so many tokens to choose from",
        },
        answer="c",
        because="six times as many tokens are compared, over distances that training never showed; with windows like those "
        "of its training a reader does best.",
        wrong={
            "a": "it sees more, but has it learned to use so much? Compare with what it was shown in training.",
            "b": "the weights are, but not what they are given: attention and the choice of a span run over all tokens "
            "of a window.",
        },
    ),
    Question(
        id="15.q8",
        text="With the right paragraph given, the reader gets a certain share of the questions right. Now three paragraphs "
        "are searched for it, and the right one is mostly among them. What happens to the share?",
        choices={
            "a": "it rises: three paragraphs hold more answers than one",
            "b": "it stays: where the right one is among the three, the reader takes its answer from there",
            "c": "it falls, by more than the paragraphs that were not found",
        },
        answer="c",
        because="what is not found can't be read, and what is found has to win against the best spans of two wrong "
        "paragraphs: this reader never learned to say that a paragraph has no answer.",
        wrong={
            "a": "only one of them was marked as right. What do the other two add?",
            "b": "it would, if the reader were sure of nothing in the wrong ones. Was it ever shown a paragraph without "
            "an answer?",
        },
    ),
)
