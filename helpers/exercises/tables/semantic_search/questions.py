"""Notebook 14: questions before their answers."""

from helpers.exercises.question import Question

QUESTIONS = (
    Question(
        id="14.q1",
        text="Two paragraphs at random, from different articles, get vectors from a BERT that has only learned to guess hidden "
        "words. What is their cosine, on average?",
        choices={
            "a": "near 0: they have nothing in common",
            "b": "near 0.5",
            "c": "near -0.5: they are opposites",
        },
        answer="b",
        because="all its vectors share a common part. A cosine of 0.5 says nothing until one knows what is usual.",
        wrong={
            "a": "so it would be if the vectors pointed everywhere. They lie in a cone.",
            "c": "different is not opposite, and many vectors can't all be opposite to each other.",
        },
    ),
    Question(
        id="14.q2",
        text="People wrote the questions while they looked at the paragraph. For which method is that an advantage?",
        choices={
            "a": "for search by words",
            "b": "for search by meaning",
            "c": "for neither",
        },
        answer="a",
        because="who has the text in view takes its words, names above all, and a search by words lives on those.",
        wrong={
            "b": "it helps here least: paraphrases are what search by meaning is good at, and there are few.",
            "c": "look at which words a question and its paragraph share.",
        },
    ),
    Question(
        id="14.q3",
        text="Two rankings are joined by places. One puts the right paragraph first for four questions of five, the other for "
        "two of three. What is the joined one?",
        choices={
            "a": "between the two: it is a mean",
            "b": "a little better than both, if they err on different questions",
            "c": "as good as the better one, whatever they say",
        },
        answer="b",
        because="a paragraph that both put near the top beats one that a single method puts first.",
        wrong={
            "a": "a mean of scores for the same questions is no mean of the shares that are right.",
            "c": "if both made the same mistakes, nothing would change. What if they differ?",
        },
    ),
    Question(
        id="14.q4",
        text="A million paragraphs, 384 numbers each, four bytes a number. How much memory do their vectors need, in GB?",
        answer=1.536,
        tolerance=0.05,
        unit="GB",
        because="1,000,000 · 384 · 4 bytes; half of it with two bytes a number, a quarter with one.",
    ),
    Question(
        id="14.q5",
        text="50 labeled sentences. How many pairs of two different sentences can be made of them?",
        answer=1225,
        tolerance=0.0,
        because="50 · 49 / 2. The step by contrast learns from pairs, and there are many more of them than labels.",
    ),
)
