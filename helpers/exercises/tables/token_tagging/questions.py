"""Notebook 13: questions before their answers."""

from helpers.exercises.question import Question

QUESTIONS = (
    Question(
        id="13.q1",
        text="Of the words of Wikipedia's running text, what share has a capital letter, in percent?",
        answer=16.4,
        tolerance=0.15,
        unit="%",
        because="one word in six. Who says \"lower\" to everything is right at five of six words.",
    ),
    Question(
        id="13.q2",
        text="`minilm` has an uncased vocabulary: its tokenizer makes all text lower case. Can its pretraining have taught it "
        "which words are written with a capital letter?",
        choices={
            "a": "yes: its pretraining text had capitals",
            "b": "no: it has never seen one, so it can know nothing that would help",
            "c": "not the capitals, but what goes with them: which words stand where names stand",
        },
        answer="c",
        because="it has never seen a capital letter, but it knows what a name looks like from the words around it, and "
        "that is what a few labels can be attached to.",
        wrong={
            "a": "the text had them, but the tokenizer took them away before the model read a word.",
            "b": "it has never seen one; but ask what words that are written large have in common, beside the letter.",
        },
    ),
    Question(
        id="13.q3",
        text="A text has 300 pieces, a window 62 of them, and neighbors share 16. How many windows are there?",
        answer=7,
        because="from one window to the next it is 62 - 16 = 46 places: (300 - 16) / 46 = 6.2, so 7 are needed.",
    ),
    Question(
        id="13.q4",
        text="The table of most frequent forms learns from thirteen times as much text as our live run of BERT. On words that "
        "neither has ever seen in training, which F1 does the table have?",
        choices={
            "a": "0: it has no entry for such a word, and says \"lower\"",
            "b": "about half of what it has on all words",
            "c": "the same as on all words",
        },
        answer="a",
        because="a word that it has never seen gets what most words seen once have, and that is \"lower\".",
        wrong={
            "b": "where would it come from? Think of what the table knows of a word that is not in it.",
            "c": "a table has nothing to go by but the word itself.",
        },
    ),
    Question(
        id="13.q5",
        text="The marks are taken away, too. What happens to the F1 of the capital letters?",
        choices={
            "a": "nothing: names are names",
            "b": "it falls, as the starts of sentences can no longer be seen",
            "c": "it rises: there are fewer tokens to read",
        },
        answer="b",
        because="a full stop gave away the next capital letter. Now the model has to find out where a sentence ends.",
        wrong={
            "a": "many capital letters stand where a sentence begins, not in names. How was that seen before?",
            "c": "fewer tokens, but they said something.",
        },
    ),
    Question(
        id="13.q6",
        text="A tagger of the stories is right at 9 of 10 words, and every entity has two words. If its errors fell on words at "
        "random, what share of the entities would it get wholly right, in percent?",
        answer=81,
        tolerance=0.02,
        unit="%",
        because="0.9 times 0.9: an entity counts only if all of its words are right.",
    ),
)
