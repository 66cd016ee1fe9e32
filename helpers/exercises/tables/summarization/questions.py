"""Notebook 16: questions before the output."""

from helpers.exercises.question import Question

QUESTIONS = (
    Question(
        id="16.q1",
        text="Of all sentences of the training papers, what share is marked for at least one aspect, in percent?",
        answer=41.7,
        tolerance=0.15,
        unit="%",
        because="abstract, introduction and conclusion are the parts in which a paper speaks about itself.",
    ),
    Question(
        id="16.q2",
        text="In which section is the share of marked sentences highest?",
        choices={"a": "the abstract", "b": "the introduction", "c": "the conclusion"},
        answer="a",
        because="it is a summary already, by the authors themselves.",
        wrong={
            "b": "it also tells the field and the work of others, in many sentences that nobody marks.",
            "c": "it repeats what was done and came out, but it also thanks and looks ahead.",
        },
    ),
    Question(
        id="16.q3",
        text="The words of a summary are shuffled at random. Which measure stays exactly as it was?",
        choices={"a": "ROUGE-1", "b": "ROUGE-2", "c": "ROUGE-L"},
        answer="a",
        because="it counts single words, wherever they stand.",
        wrong={
            "b": "it counts pairs of neighbors, and shuffling parts them.",
            "c": "a common subsequence has its words in the same order in both texts.",
        },
    ),
    Question(
        id="16.q4",
        text="Ten sentences of each paper: the first ten, or the ten that TextRank finds most central. Which are marked more "
        "often, so clearly that it should hold for other papers?",
        choices={
            "a": "the first ten",
            "b": "neither: the interval of the difference includes zero",
            "c": "the central ones",
        },
        answer="b",
        because="the central ones are ahead by four points, from -0.6 to +8.2. The first ten reach into the introduction, "
        "where the field is told; but the very first ones are good.",
        wrong={
            "a": "an abstract has six sentences; what comes next?",
            "c": "they are, in these hundred papers; the interval says whether others would agree.",
        },
    ),
    Question(
        id="16.q5",
        text="Logistic regression that sees place and length, but no word. Its precision at 10?",
        choices={
            "a": "about 41%, as by chance",
            "b": "about 60%, as the rankers without labels",
            "c": "about 70%, above all of them",
        },
        answer="c",
        because="papers have a form, and its writers keep to it: the abstract, the end of the introduction, the conclusion.",
        wrong={
            "a": "look at the figure above: the shares differ from place to place.",
            "b": "lead knows one rule about places. This model learned many from marks.",
        },
    ),
    Question(
        id="16.q6",
        text="The greedy choice knows the written summary, and takes three sentences for the highest ROUGE-1. What ROUGE-1 "
        "does it reach?",
        choices={"a": "about 0.9", "b": "about 0.55", "c": "about 0.35"},
        answer="b",
        because="the people who wrote the summaries used words of their own, and the sentences bring much besides.",
        wrong={
            "a": "then the written summaries would be nearly copied from the papers.",
            "c": "three sentences at random have about as much.",
        },
    ),
    Question(
        id="16.q7",
        text="Attention with a causal mask reads eight tokens. The token at place 5 (from 0) is exchanged for another one. At "
        "how many of the eight places does the output change?",
        answer=3,
        because="places 5, 6 and 7 see it, those before do not.",
    ),
)
