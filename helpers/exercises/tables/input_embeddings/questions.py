"""What to guess in notebook 3."""

from helpers.exercises.question import Question

QUESTIONS = (
    Question(
        id="3.q1",
        text="A row of the table should learn nothing: that of [PAD], id 0, with padding_idx=0. In a batch of two texts "
        "[PAD] stands at two places, the token 'cat' at three, and each place sends back a gradient of ones. Which "
        "gradients do the rows of [PAD] and 'cat' get?",
        choices={"a": "2 and 3", "b": "0 and 3", "c": "0 and 1", "d": "0 and a third of 3"},
        answer="b",
        because="a row adds up what all its places send back, and padding_idx keeps [PAD] out of it.",
        wrong={
            "a": "without padding_idx it would be 2. What is that argument for?",
            "c": "1 is what a single place sends back. Do the other two count for nothing?",
            "d": "an average would be 1. The gradient of a sum of places is the sum of their gradients.",
        },
    ),
    Question(
        id="3.q2",
        text="Two rows of minilm's token table, of two words that have nothing to do with each other: how large is their "
        "cosine, on average?",
        choices={"a": "about 0.5", "b": "about -1, they are opposites", "c": "close to 0"},
        answer="c",
        because="among 384 directions there is room for nearly a right angle between any two words.",
        wrong={
            "a": "0.5 would be an angle of 60 degrees, rather alike. Among 384 directions there is more room.",
            "b": "only one row can be the opposite of a given one; unrelated is something else than opposite.",
        },
    ),
    Question(
        id="3.q3",
        text="Nobody told the model that place 7 lies beside place 8. For how many of the 512 places is a neighboring "
        "place the one with the most similar row?",
        choices={"a": "hardly any", "b": "about half", "c": "nearly all"},
        answer="c",
        because="training found it out: what stands at neighboring places is used alike.",
        wrong={
            "a": "hardly any is what random rows give. Were these trained for nothing?",
            "b": "more: text gives every place the same reason to be like its neighbors.",
        },
    ),
    Question(
        id="3.q4",
        text="The two rows of minilm's segment table say 'first text' and 'second text'. What do you expect of their "
        "cosine, in a model that was tuned on single sentences?",
        choices={"a": "near 1: nearly the same row", "b": "near 0", "c": "near -1: opposites"},
        answer="a",
        because="who reads one sentence at a time has little use for telling two texts apart.",
        wrong={
            "b": "near 0 is what two unrelated rows have. What did the tuning on single sentences ask of them?",
            "c": "opposites would tell the texts apart best. What did the tuning on single sentences ask of them?",
        },
    ),
    Question(
        id="3.q5",
        text="BERT's three tables all start at the size 0.02. Which share of the square of the sum is the token row's, "
        "before any training? (A number in percent.)",
        answer=33.3,
        tolerance=0.06,
        unit="%",
        because="three independent rows of one size add up to three times the square of one.",
    ),
    Question(
        id="3.q6",
        text="LayerNorm of [2, 4, 6, 8], with gain 1 and bias 0: what becomes of the 2? (The mean is 5, the variance 5.)",
        answer=-1.342,
        tolerance=0.01,
        because="(2 - 5) / √5.",
    ),
    Question(
        id="3.q7",
        text="Before LayerNorm all numbers of a token are multiplied by 7, and 100 is added to each. What comes out?",
        choices={
            "a": "7 times as much",
            "b": "7 times as much, and 100 more",
            "c": "the same as before",
            "d": "numbers much closer to 0, since the spread is larger",
        },
        answer="c",
        because="the mean takes the 100 away, and the spread, 7 times as large, takes the 7.",
        wrong={
            "a": "the spread is 7 times as large as well, and LayerNorm divides by it.",
            "b": "what happens to a shift of all numbers when the mean is taken away?",
            "d": "the numbers are 7 times as large and so is the spread: what is left of the 7?",
        },
    ),
    Question(
        id="3.q8",
        text="minilm has 22.7 million parameters in all, in six layers and the embeddings. Which share of them are the "
        "embeddings?",
        choices={"a": "a tenth", "b": "half", "c": "nine tenths"},
        answer="b",
        because="30,522 rows of 384 numbers are 11.7 million.",
        wrong={
            "a": "30,522 rows of 384 numbers: how many millions are that?",
            "c": "each of the six layers has 1.8 million. What is left for the embeddings?",
        },
    ),
)
