"""Notebook 9: questions before their answers."""

from helpers.exercises.question import Question

QUESTIONS = (
    Question(
        id="9.q1",
        text="Eight of ten sentences were judged right. How low may the true accuracy well be: what is the lower end of "
        "Wilson's 95% interval, in percent?",
        answer=49,
        tolerance=0.15,
        unit="%",
        because="ten sentences say little. A model no better than a coin gives eight or more right about once in twenty.",
    ),
    Question(
        id="9.q2",
        text="Three seeds with another setting came out 1.2, 0.8 and 2.9 points better than three without. The bootstrap says "
        "+0.9 to +2.6 for the mean. What does Student's t say?",
        choices={
            "a": "the same: it is the same data",
            "b": "a narrower interval, since it assumes a normal distribution",
            "c": "a much wider one, which holds zero",
        },
        answer="c",
        because="t is 4.3 for three runs, since three numbers hardly know their own spread; the bootstrap can't draw a number "
        "that was not among the three.",
        wrong={
            "a": "the data are the same; what is asked of them is not. The bootstrap never draws anything but these three.",
            "b": "for many runs, t would be about as wide as the bootstrap. What happens to t when there are three?",
        },
    ),
    Question(
        id="9.q3",
        text="One person rates a film sentence, and the mean of the others is taken as the truth. On what share of the "
        "sentences is that person right, in percent?",
        answer=92.5,
        tolerance=0.025,
        unit="%",
        because="people agree on most sentences, but not on all: this is the mark that a classifier is measured against.",
    ),
    Question(
        id="9.q4",
        text="A model is perfectly calibrated: its 80% are right in exactly 80% of all sentences that there are. On 2,141 test "
        "sentences in ten groups, what does its expected calibration error come to?",
        choices={"a": "0", "b": "about 2 points", "c": "about 10 points"},
        answer="b",
        because="a group of 214 sentences scatters by chance, and distances have no sign, so they don't cancel.",
        wrong={
            "a": "in the long run, yes; but 214 sentences are a sample, and the distance of each group counts without a sign.",
            "c": "a share of 214 sentences has a standard deviation of about 3 points, and only the mean distance counts.",
        },
    ),
    Question(
        id="9.q5",
        text="The model was trained on film sentences, half of them positive; of the tweets 73% are positive. Which does better "
        "on tweets?",
        choices={
            "a": "the model, since praise is praise",
            "b": "the rule that always says positive",
            "c": "both about the same",
        },
        answer="b",
        because="it is right on 73%, and the model is far below: tweets praise in other words, and the model expects as much "
        "blame as praise.",
        wrong={
            "a": "it knows how reviewers praise. How do people praise in a tweet, and how often?",
            "c": "the rule has 73% without reading a word; the model doesn't know how frequent each class is here.",
        },
    ),
    Question(
        id="9.q6",
        text="Integrated gradients give every word a score. What do the scores of a sentence add up to?",
        choices={
            "a": "1, like attention",
            "b": "the logit of the answer minus the other logit",
            "c": "that, minus the same for a text without content",
        },
        answer="c",
        because="a slope, added up along the way, is the change from the start of the way to its end.",
        wrong={
            "a": "attention is shared out and sums to 1; these scores have signs and the unit of logits.",
            "b": "the path does not begin at 0: its start has an output, too.",
        },
    ),
    Question(
        id="9.q7",
        text="With 50 labels, fine-tuning names the right one of eight feelings in 48% of the stories. How often is the "
        "*pretraining head* right, without any label and any training?",
        choices={
            "a": "one time in eight",
            "b": "about as often, in 48%",
            "c": "nearly always when it is possible, in 88%",
        },
        answer="c",
        because="its pretraining was to fill such gaps; the new layer of fine-tuning has to find again what the old one knew.",
        wrong={
            "a": "that is chance. Has the pretrained model never seen a sentence that says how somebody feels?",
            "b": "what did fine-tuning put in the place of the head that fills gaps, and what did that know?",
        },
    ),
)
