"""Notebook 7: questions before the output."""

from helpers.exercises.question import Question

QUESTIONS = (
    Question(
        id="7.q1",
        text="At which kind of words is most missing to the perfect model?",
        choices={
            "a": "at *was* and *were*, whose subject stands several words away",
            "b": "at names",
            "c": "at colors, of which any would fit",
        },
        answer="b",
        because="names alone are about two fifths of what is missing.",
        wrong={
            "a": "the model is nearly perfect there: the subject always stands four words before.",
            "c": "colors are hard for the perfect model as well, so nothing is *missing*.",
        },
    ),
    Question(
        id="7.q2",
        text="A hidden name stands in the other half of the pair, too, in plain sight. How much easier is it for our "
        "model than one that stands nowhere else?",
        choices={
            "a": "far easier: it only has to copy",
            "b": "no easier",
            "c": "somewhat easier, half of the loss",
        },
        answer="b",
        because="it does not copy; both cost 3.3 to 3.4 nats.",
        wrong={
            "a": "so it is for the perfect model, and for a person. Look at the losses.",
            "c": "not even that.",
        },
    ),
    Question(
        id="7.q3",
        text="One head carries number. It is switched off; the right one of *was* and *were* had been preferred in 99 of "
        "100 gaps. In how many now?",
        choices={"a": "in none", "b": "in about 54", "c": "in about 90, since other heads take over"},
        answer="b",
        because="that is what a rule without eyes gets, always *was*: 54.0% of these gaps.",
        wrong={
            "a": "to be always wrong one must know what is right.",
            "c": "nothing has trained the others to take over.",
        },
    ),
    Question(
        id="7.q4",
        text="54% of both forms together are right without the head. And of *was* and *were* apart?",
        choices={
            "a": "about half of each: a coin toss",
            "b": "nearly all *was*, hardly any *were*",
            "c": "nearly all *were*, hardly any *was*",
        },
        answer="b",
        because="it says what is more frequent, as somebody would who does not see the animal.",
        wrong={
            "a": "a coin would be one way to get about 54% of both. There is another.",
            "c": "without a hint one says what is more frequent.",
        },
    ),
    Question(
        id="7.q5",
        text="A head of layer 1 is needed for *she* and *he*, and gives the names and pronouns that tell hardly any "
        "attention. Where does it look?",
        choices={
            "a": "at the token after such a word",
            "b": "at the token before such a word",
            "c": "evenly, at everything",
        },
        answer="b",
        because="layer 0 has told every token about its right neighbor, so the token before a name knows the name.",
        wrong={
            "a": "close. Which neighbor did the head of layer 0 look at from the start?",
            "c": "then it could not bring one word rather than another.",
        },
    ),
    Question(
        id="7.q6",
        text="The words of both halves are shuffled. Of the pairs (half of them true) our model judged 90.5% rightly. How "
        "many now?",
        choices={"a": "50%: it is no text any more", "b": "about three quarters", "c": "90%, as before"},
        answer="b",
        because="which words stand in the halves says much, in whatever order.",
        wrong={
            "a": "a table of word pairs gets 84% without any order.",
            "c": "the order counts as well, or shuffled text is too strange for it.",
        },
    ),
    Question(
        id="7.q7",
        text="The model is trained without the next-sentence loss, otherwise the same. What happens to the loss at hidden "
        "words?",
        choices={
            "a": "it is clearly worse: judging pairs teaches what a text is about",
            "b": "it is not worse, but lower",
            "c": "it is the same to the last digit, since the two losses have nothing in common",
        },
        answer="b",
        because="with each of three seeds: after so few steps the exercise costs the words more than it brings them.",
        wrong={
            "a": "so one thought in 2018. The next cell has the measurement.",
            "c": "both losses train the same encoder, so all its weights change.",
        },
    ),
)
