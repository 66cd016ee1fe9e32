"""What to guess in notebook 1."""

from helpers.exercises.question import Question

QUESTIONS = (
    Question(
        id="1.q1",
        text="Take all words of 4,772 paragraphs of Wikipedia, and then read movie reviews. How many words of the reviews stand "
        "nowhere in those paragraphs?",
        choices={"a": "about 1 of 100", "b": "about 1 of 20", "c": "about 1 of 6"},
        answer="c",
        because="17 of 100. New words never end, and here a comma that touches a word makes it another one.",
        wrong={
            "a": "that would be convenient. But think of names, of rare words, and of `film,` with its comma, which is a word of its "
            "own here.",
            "b": "more. Think of names, of slang, and of `film,` with its comma, which is a word of its own here.",
        },
    ),
    Question(
        id="1.q2",
        text="BERT's vocabulary has 30,522 entries, frequent words and pieces. How is `unaffable` cut by longest match first?",
        choices={
            "a": "un ##aff ##able",
            "b": "una ##ffa ##ble",
            "c": "unaffable, in one piece",
            "d": "[UNK]",
        },
        answer="b",
        because="`una` is an entry and longer than `un`, so it is taken; grammar has no say.",
        wrong={
            "a": "that is how a person would cut it. The rule takes the longest entry, and `una` is one.",
            "c": "it is rather rare in the text that the vocabulary was learned from.",
            "d": "[UNK] is for words of which a part matches nothing, and all single letters are entries.",
        },
    ),
    Question(
        id="1.q3",
        text="Lower-case a text, split it at spaces, and cut each word by longest match first. For how many of 100 movie-review "
        "sentences is the result what BERT's tokenizer gives?",
        choices={"a": "about 70", "b": "about 30", "c": "about 1"},
        answer="c",
        because="nearly every sentence ends in a full stop, and `film.` with its stop is another word than `film`.",
        wrong={
            "a": "most words come out right, but a sentence has twenty of them, and one that touches a comma is enough.",
            "b": "fewer: is there a sentence without a full stop?",
        },
    ),
    Question(
        id="1.q4",
        text="NFD takes characters apart. Of how many characters is `½` after it?",
        choices={"a": "one, it stays", "b": "three: 1, a stroke, 2"},
        answer="a",
        because="NFD takes apart only what is the same character written in another way. `½` is merely similar to 1/2; for that "
        "there are NFKC and NFKD.",
        wrong={"b": "that is what NFKD would do, which also replaces what is merely similar."},
    ),
    Question(
        id="1.q5",
        text="`Cafe`, then an accent as a character of its own, then `!`. Normalized it is `cafe!`, five characters. Which index in "
        "the original does the `!` remember?",
        answer=5,
        because="C, a, f, e are 0 to 3, the accent is 4. It has left no character, but it still takes up its place.",
    ),
    Question(
        id="1.q6",
        text="Two texts, `abcdefgh` and `xyz`, one token per letter, and room for 5. What does *longest first* keep?",
        choices={"a": "abc xy", "b": "ab xyz", "c": "abcde and nothing", "d": "abcd x"},
        answer="a",
        because="the longer one is cut to 3, and then both pay in turn; the one that was longer keeps one more.",
        wrong={
            "b": "nearly: when both have 3 left, the short one pays next.",
            "c": "that would cut the short text first.",
            "d": "that is in proportion. The rule cuts the longer one only until both are equally long.",
        },
    ),
    Question(
        id="1.q7",
        text="`experiment` is one token of BERT's vocabulary. How many does the typo `experimant` become?",
        choices={"a": "1", "b": "2", "c": "3 or more"},
        answer="c",
        because="`ex ##per ##iman ##t`: the long entry no longer fits, and what fits instead is short.",
        wrong={
            "a": "no entry is spelled so: nobody puts typos into a vocabulary, unless they are frequent.",
            "b": "a stem and an ending would be nice. But greedy takes what is longest, and then has to go on with the rest.",
        },
    ),
    Question(
        id="1.q8",
        text="Encode a paragraph of Wikipedia and decode its ids again. How many of the 4,772 paragraphs come back exactly as they "
        "were?",
        choices={"a": "nearly all", "b": "about half", "c": "none"},
        answer="c",
        because="capitals are gone, and every comma has a space before it now.",
        wrong={
            "a": "what did normalizing do to the first letter of each sentence?",
            "b": "is there a paragraph without a capital letter and without a comma or full stop?",
        },
    ),
)
