"""What the text of a story tells about its label: the best possible guess, and how often it is right."""

from fractions import Fraction

from helpers.stories.grammar import ENGLISH, events
from helpers.stories.story import Story

__all__ = ["ceiling", "usual_feeling"]


def ceiling() -> Fraction:
    """The accuracy that no classifier of the stories without their feeling can exceed on average.

    Every event and every turn has sentences of its own, so the text tells which of them decides; that one
    causes its usual feeling in nine cases of ten and another one in the tenth (see `usual_feeling`).
    """
    table = {variable.name: variable.table for variable in ENGLISH.variables}
    index = {variable.name: number for number, variable in enumerate(ENGLISH.variables)}

    def best(latents: dict[str, str]) -> Fraction:
        urn = table["feeling"].urn({index[name]: value for name, value in latents.items()})
        return Fraction(max(urn.count(feeling) for feeling in urn), len(urn))

    shares = []
    for event in (event for event, (_, _, place) in events().items() if place):
        for turned in table["turned"].urn({}):  # every draw of an urn is equally likely
            turns = table["turn"].urn({index["turned"]: turned, index["event"]: event})
            shares.append(sum(best({"event": event, "turn": turn}) for turn in turns) / len(turns))
    return sum(shares) / len(shares)


def usual_feeling(story: Story) -> str:
    """The feeling that the deciding event or turn of a story causes most often: the best possible guess."""
    choices = story.choices
    return events()[choices["event"] if choices["turn"] == "none" else choices["turn"]][0]
