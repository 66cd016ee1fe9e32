"""What to guess in notebook 2."""

from helpers.exercises.question import Question

QUESTIONS = (
    Question(
        id="2.q1",
        text="The slice has 30,298 distinct words. How many of them occur only once?",
        choices={"a": "about 1 of 100", "b": "about 1 of 10", "c": "nearly half"},
        answer="c",
        because="45 of 100. It is so in every text: the rare words are many.",
        wrong={
            "a": "many more. How often did you meet the word `capillary` in this month?",
            "b": "more still: names, foreign words, numbers, compounds.",
        },
    ),
    Question(
        id="2.q2",
        text="In the ten words hat hats hat that chat chats cat cats cat bat, cut into characters, how often does the most "
        "frequent pair of neighbors occur?",
        answer=10,
        because="##a ##t stands in every one of the ten words. `h ##a` and `c ##a` are rarer, for each needs its own first "
        "letter.",
    ),
    Question(
        id="2.q3",
        text="After ##a ##t, which pair do you expect to be joined next: one at the beginning of a word, or one inside?",
        choices={
            "a": "c ##at, as in cat",
            "b": "##h ##at, as in chat",
            "c": "##at ##s, as in cats",
            "d": "h ##at, as in hat",
        },
        answer="b",
        because="all four occur three times. ##h is older than c, h and ##at, and among equals the older one wins.",
        wrong={
            "a": "it occurs three times, but so do three others: the tie is broken by the age of the first piece.",
            "c": "it occurs three times, but ##at is the youngest piece of all, and older ones win.",
            "d": "`hat` comes soon, but h, like every letter at the beginning of a word, has a higher number than ##h.",
        },
    ),
    Question(
        id="2.q4",
        text="The slice has 30,000 distinct words, and 7,500 joins are wanted. How long would the trainer take that counts all "
        "pairs again before each join?",
        choices={"a": "seconds", "b": "minutes to an hour", "c": "days"},
        answer="b",
        because="some tenths of a second for one join, times 7,500.",
        wrong={
            "a": "for each join it walks through 30,000 words. Multiply that by 7,500.",
            "c": "Python is not that slow: it deals with a few million pieces in a second.",
        },
    ),
    Question(
        id="2.q5",
        text="`hats`, cut into h a t s, and the pair `a t` is joined. How many pairs of neighbors beside it change?",
        answer=2,
        because="the one at the left, h a, and the one at the right, t s; the pair itself is gone.",
    ),
    Question(
        id="2.q6",
        text="Which join of the 7,527 on Wikipedia is the first one, so the most frequent pair of characters of all?",
        choices={"a": "t ##h", "b": "##i ##n", "c": "##s ##t", "d": "q ##u"},
        answer="a",
        because="`the`, `that`, `this`, `they`: the word `the` alone is one of sixteen words.",
        wrong={
            "b": "##in is among the first ten. Which word is the most frequent of all, and how does it begin?",
            "c": "it isn't among the first twenty. Which word is the most frequent of all, and how does it begin?",
            "d": "nearly every q is followed by u, but there are few of them: frequency counts, not how surely one follows the "
            "other.",
        },
    ),
    Question(
        id="2.q7",
        text="The library's trainer gets the same text and the same size, 8,000. How many of its entries will ours lack?",
        choices={"a": "none", "b": "a handful", "c": "several hundred"},
        answer="b",
        because="the same rule, but ties are broken in another way, and near the end there are many of them.",
        wrong={
            "a": "if both broke ties alike, yes. The library's choice depends on the order in which a hash table lists pairs.",
            "c": "one other choice can lead to more of them, but most ties are only postponed: both pairs are joined, one after the "
            "other.",
        },
    ),
    Question(
        id="2.q8",
        text="How many tokens does a word of running text become with 8,000 entries, on the text that they were learned from? (A "
        "tenth more or less is right.)",
        answer=1.21,
        tolerance=0.1,
        because="the frequent words are entries, and they make up most of the text.",
    ),
    Question(
        id="2.q9",
        text="With 8,000 entries a word of the slice is 1.21 tokens. How many with 16,000?",
        choices={"a": "0.6", "b": "1.10", "c": "1.21, no more is to be gained"},
        answer="b",
        because="only rare words are left to gain by, and they are rare.",
        wrong={
            "a": "no word has less than one token.",
            "c": "a little more is to be gained: there are 30,298 distinct words, and 8,000 entries are not enough for all.",
        },
    ),
    Question(
        id="2.q10",
        text="`film`, directly followed by two emoji that no tokenizer has seen in training. Which of the three still knows that "
        "there is a film?",
        choices={"a": "WordPiece alone", "b": "byte-level BPE and Unigram", "c": "all three", "d": "none"},
        answer="b",
        because="WordPiece gives up the whole word; the other two give up less, or nothing.",
        wrong={
            "a": "think of notebook 1: what becomes of a word of which a part fits nothing?",
            "c": "think of notebook 1: what does WordPiece make of a word of which a part fits nothing?",
            "d": "byte-level BPE starts from bytes, and every text is made of bytes.",
        },
    ),
)
