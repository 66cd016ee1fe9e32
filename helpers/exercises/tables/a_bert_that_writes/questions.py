"""Notebook 20: what to guess before the output."""

from helpers.exercises.question import Question

QUESTIONS = (
    Question(
        id="20.q1",
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
        id="20.q2",
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
