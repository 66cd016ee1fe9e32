"""What happens next? Asked before the output that answers it."""

from helpers.exercises.question import Question

QUESTIONS = (
    Question(
        id="6.q1",
        text="Of 100 words BERT chooses 15. How many of the 100 does the model then read as [MASK], on the average?",
        answer=12,
        tolerance=0.02,
        because="80% of the 15; of the other three one or two are some other word, the rest as they were.",
    ),
    Question(
        id="6.q2",
        text="A story has seven sentences, and segments have two. How many pairs of neighboring segments does it give?",
        answer=2,
        because="three segments, since the seventh sentence is dropped, and three in a row have two pairs of neighbors.",
    ),
    Question(
        id="6.q3",
        text="A model with V = 1,759 entries, H = 64 and L = 2 layers: how much of all its weights is the table of token "
        "embeddings, which both ends share?",
        choices={"a": "about a tenth", "b": "about half", "c": "nearly all, nine tenths or more"},
        answer="b",
        because="V · H is 113 thousand. A layer has about 12 H², 50 thousand, and there are two.",
        wrong={
            "a": "that is more like BERT-base, whose H is 768: there the layers, with 12 H² weights each, weigh more. "
            "Compare V · H with 2 · 12 H²",
            "c": "the layers are small, but not that small: compare V · H with 2 · 12 H²",
        },
    ),
    Question(
        id="6.q4",
        text="The schedule with 1,000 steps and a warm-up of 0.1: which share of the learning rate has step 550?",
        answer=0.5,
        tolerance=0.03,
        because="the fall goes from step 100 to step 1,000, and 550 is its middle.",
    ),
    Question(
        id="6.q5",
        text="A model with random weights, V = 1,759 entries. It has seen nothing. What is its masked loss, in nats, "
        "before the first step?",
        answer=7.47,
        tolerance=0.03,
        because="each entry gets about 1/V, so the loss is ln V = ln 1,759.",
    ),
    Question(
        id="6.q6",
        text="One batch of 16 pairs, again and again for 100 steps. The loss of a perfect model on new text is about 0.4 "
        "nats. Where does the masked loss on this batch end?",
        choices={
            "a": "above 4: a hundred steps are too few",
            "b": "near 0.4, for no model can be better than perfect",
            "c": "below 0.3",
        },
        answer="c",
        because="the floor holds for text that is new. What was there before can be known by heart, and then no word "
        "is a surprise.",
        wrong={
            "a": "it would be, with a new batch each time. Here there are only about two hundred gaps to learn, with two "
            "hundred thousand weights",
            "b": "the perfect model has not read the answers beforehand; this one has, a hundred times",
        },
    ),
    Question(
        id="6.q7",
        text="A batch reads or asks for a few hundred of the V = 1,759 entries. How many rows of the token embeddings get a "
        "gradient?",
        choices={
            "a": "those that are read",
            "b": "those that are read or asked for",
            "c": "all 1,759",
        },
        answer="c",
        because="the table is also the output matrix, and every entry has a score at every gap: softmax pushes down each "
        "one that was not the answer.",
        wrong={
            "a": "that would be so if it were only an input table. What else does the same matrix do?",
            "b": "what was not asked for has a score, too, and the loss wants it lower",
        },
    ),
    Question(
        id="6.q8",
        text="A model that only knows how frequent each entry is, without looking at the text at all: how does its masked "
        "loss compare with ln V = 7.47?",
        choices={
            "a": "about the same: it knows nothing of the gap",
            "b": "two nats lower",
            "c": "nearly zero, since few words are frequent",
        },
        answer="b",
        because="*the*, the full stop and a few dozen others make up much of a text, and it gives them their share.",
        wrong={
            "a": "7.47 is the loss of one who takes all entries to be equally likely. Are they?",
            "c": "even the most frequent word is right in one gap of ten or so",
        },
    ),
    Question(
        id="6.q9",
        text="The perfect model knows the whole grammar and reads everything visible in a pair. How many of the masked words "
        "does it get right?",
        choices={"a": "all of them", "b": "about four in five", "c": "about half"},
        answer="b",
        because="where several words are as likely as each other, nobody can know which of them stood there.",
        wrong={
            "a": "think of “the [MASK] was hungry” in a grammar with dogs, cats and hens",
            "c": "most words are decided by those around them: after *the girl*, *was* is hardly a guess",
        },
    ),
    Question(
        id="6.q10",
        text="From unigrams to the perfect model: how much of this way does a table go that looks at the two words beside the "
        "gap, and at nothing else?",
        choices={"a": "a fifth", "b": "half", "c": "four fifths"},
        answer="c",
        because="so “our model has gained 80%” would be no news, and every result below is also given from there.",
        wrong={
            "a": "a table does better: how many words would you guess from their two neighbors?",
            "b": "that is what one neighbor does; the second adds nearly as much as is left",
        },
    ),
    Question(
        id="6.q11",
        text="The token head's bias is set to the logs of the frequencies, all other weights stay random. What is the masked "
        "loss now?",
        choices={
            "a": "still ln V = 7.47",
            "b": "about 5.2, as the unigram's",
            "c": "lower than the unigram's",
        },
        answer="b",
        because="random scores are small beside the bias, so softmax gives nearly the frequencies themselves.",
        wrong={
            "a": "the bias is added to every score. What does softmax make of the logs of frequencies?",
            "c": "nothing in it has looked at the text yet",
        },
    ),
)
