"""Notebook 12: questions before the output."""

from helpers.exercises.question import Question

QUESTIONS = (
    Question(
        id="12.q1",
        text="A text message has room for 160 characters, a long one is sent in several parts. The longest text of this "
        "table has 28,174. What happened?",
        choices={
            "a": "somebody sent a very long message",
            "b": "the file has another encoding than the one it was read with",
            "c": "one cell holds many rows of the original",
        },
        answer="c",
        because="a quotation mark that nothing closes makes a reader go on over line breaks, and no error is raised.",
        wrong={
            "a": "it would have been sent in more than 170 parts.",
            "b": "a wrong encoding spoils single characters, or is an error; it makes no text thousands of characters "
            "longer.",
        },
    ),
    Question(
        id="12.q2",
        text="Of 747 spam messages 629 are left without equal ones. How many are left if of each group of near "
        "duplicates one stays?",
        answer=384,
        tolerance=0.15,
        because="spam is sent many times, each time a little changed.",
    ),
    Question(
        id="12.q3",
        text="Now the whole experiment on three tables: all messages, only different ones, one of each group of near "
        "duplicates. Which has the highest F1 of spam?",
        choices={
            "a": "all messages",
            "b": "one of each group: the training part is the cleanest",
            "c": "they are equal within the noise",
        },
        answer="a",
        because="some of the test's answers are known by heart there.",
        wrong={
            "b": "cleaner training is one thing; but what did the other two tables ask in the test?",
            "c": "spam with a near duplicate in training was found more often. What share of the test's spam is that?",
        },
    ),
    Question(
        id="12.q4",
        text="A program always says ham, on a test part of which 92% are ham. Its accuracy is 92%. What is its macro-F1, in "
        "percent?",
        answer=47.9,
        tolerance=0.05,
        unit="%",
        because="the F1 of spam is 0, that of ham 2 × 0.92 / (0.92 + 1) = 0.96, and the mean is half of it.",
    ),
    Question(
        id="12.q5",
        text="A lost message costs ten times as much as spam that is let through. Where is the best threshold for "
        "*spam*?",
        choices={
            "a": "above one half: it must be surer before it takes a message away",
            "b": "below one half: all spam should be found",
            "c": "at one half: the classes are what they are",
        },
        answer="a",
        because="at p = 10/11 both faults cost the same on average.",
        wrong={
            "b": "then more ham would be lost, and that is the dear fault.",
            "c": "one half is best for equal prices only.",
        },
    ),
    Question(
        id="12.q6",
        text="Which kinds of questions does a classifier most often take for each other? (ABBR an "
        "abbreviation, DESC a description, ENTY a thing, HUM a person, LOC a place, NUM a number)",
        choices={
            "a": "HUM and LOC, both of which are names",
            "b": "NUM and LOC",
            "c": "ABBR and DESC, which both begin with What",
        },
        answer="c",
        because="who, where and how many give the others away; What … may ask for a thing, an explanation or an abbreviation.",
        wrong={
            "a": "the answers look alike, but the classifier reads the questions: Who … and Where …",
            "b": "How many … and Where … are easy to tell apart.",
        },
    ),
)
