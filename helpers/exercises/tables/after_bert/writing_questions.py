"""Notebook 19: questions on the speedrun and on writing, before the output."""

from helpers.exercises.question import Question

QUESTIONS = (
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
    Question(
        id="19.q6",
        text="Every token is [MASK], and all are drawn in one step, each from the model's own probabilities at its place. "
        "What comes out?",
        choices={
            "a": "a story, since the model has learned from stories alone",
            "b": "words that stand well at their places and do not fit each other",
            "c": "the same story every time, the likeliest one",
        },
        answer="b",
        because="each token is drawn without knowing what its neighbors have drawn: every place follows its own frequencies.",
        wrong={
            "a": "the model knows what fits what, but nothing is visible yet that anything could fit.",
            "c": "tokens are drawn, not taken by their probability alone, and at first hundreds are possible.",
        },
    ),
    Question(
        id="19.q7",
        text="Two ways to write in 64 steps: the surest guesses stay in each step, or any. What does the first way do to "
        "the stories?",
        choices={
            "a": "better grammar, and as many different sentences",
            "b": "better grammar, and fewer different sentences",
            "c": "worse grammar, since the hard words are left to the end",
        },
        answer="b",
        because="the model is surest of what is frequent, and what has been shown draws more of the same after it.",
        wrong={
            "a": "what is taken first is not a fair sample any more: the surest is the most frequent.",
            "c": "at the end most of the story is visible, which makes hard words easier.",
        },
    ),
)
