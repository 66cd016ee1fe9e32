"""Notebook 10: questions before the output."""

from helpers.exercises.question import Question

QUESTIONS = (
    Question(
        id="10.q1",
        text="In head 11 of layer 5 the line from *it* ends at *cat*. Who else looks most at *cat* in this head?",
        choices={
            "a": "nobody: this head connects pronouns with what they mean",
            "b": "the verbs, *sat* and *tired*",
            "c": "most of the tokens",
        },
        answer="c",
        because="15 of the 17 tokens look there; the line from *it* says nothing about *it*.",
        wrong={
            "a": "one line can't tell that. Rest the mouse on other words, or run the cell below.",
            "b": "look at the marks and the articles as well: they look there, too.",
        },
    ),
    Question(
        id="10.q2",
        text="An even head gives each token of these texts a share of about 2.3%. What share of all attention is at "
        "[CLS], in the mean over the 72 heads?",
        choices={"a": "about as much, 2%", "b": "about 10%", "c": "about a third"},
        answer="c",
        because="a third of all attention is at one token, and that token is no word.",
        wrong={
            "a": "some heads look at neighbors, others broadly, but many have another favorite: look at the pictures.",
            "b": "it is more: look at the bright left edges in the still picture of all heads.",
        },
    ),
    Question(
        id="10.q3",
        text="The heads of type [CLS] give it half of their attention. How much of the lengths that they hand on comes "
        "from [CLS]?",
        choices={"a": "about half", "b": "nearly all of it", "c": "less than a tenth"},
        answer="c",
        because="what these heads fetch from [CLS] is short: a large weight of next to nothing.",
        wrong={
            "a": "that would be so if all values, sent through the matrix, had one length.",
            "b": "a place where so many look might hold a long vector. Here it is the other way round.",
        },
    ),
    Question(
        id="10.q4",
        text="A rival that does not read the sentence of the pronoun: always name the main person of the story. How often "
        "is it right?",
        choices={"a": "about half of the time", "b": "about 70%", "c": "about 90%"},
        answer="c",
        because="most pronouns mean the main person, so 84% for a head that was searched for among 24 is no proof yet.",
        wrong={
            "a": "that is a name drawn by chance. Whom are these stories about?",
            "b": "more: the friend gets only a few sentences of a story.",
        },
    ),
    Question(
        id="10.q5",
        text="Rollout multiplies the mean weights of all layers. To which token does it trace most of the last vector of "
        "*it*?",
        choices={"a": "*cat*", "b": "*it*, by the residual connections", "c": "[CLS]"},
        answer="c",
        because="in every layer a third of the attention goes to [CLS], and the product adds up all of it.",
        wrong={
            "a": "that was two or three heads of 72, and rollout begins with the mean over the heads.",
            "b": "of the half that is kept in each layer, little is left after six: a sixty-fourth, and what returns.",
        },
    ),
    Question(
        id="10.q6",
        text="Without head 3 of layer 1 nearly every second pronoun gets the wrong gender. The mean loss over all hidden "
        "words is 0.62 nats. By how much does it rise without this head?",
        choices={
            "a": "by about 0.1",
            "b": "it doubles",
            "c": "it is as bad as guessing by frequency, 5 nats",
        },
        answer="a",
        because="pronouns are a small part of all words; a mean does not show who lost what.",
        wrong={
            "b": "that is the cost of a head of layer 0. How many of the hidden words are pronouns?",
            "c": "that takes all heads of a layer but one.",
        },
    ),
    Question(
        id="10.q7",
        text="Replace all attention weights in all layers of the review classifier by even ones. Of its answers (two "
        "classes), how many stay the same?",
        choices={"a": "about half: it can only guess", "b": "about four in five", "c": "all of them"},
        answer="b",
        because="the words alone decide most reviews, and even attention still averages over the words.",
        wrong={
            "a": "without attention of its own the model still has the words and their places.",
            "c": "not quite: some answers need the words to be read together.",
        },
    ),
)
