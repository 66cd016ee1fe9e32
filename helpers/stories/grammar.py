"""The grammar of the story corpus in English: which latent choices there are, and which sentences they allow.

Left out on purpose: anything that would tie two sentences together other than through a latent choice. The
words are in `helpers/stories/words.py`, the machinery in `helpers/stories/tables.py`.
"""

from functools import cache

from helpers.stories import words
from helpers.stories.tables import Builder, Grammar, Role, Table


def _event(place: str, feelings: str) -> str:
    return f"{place}/{feelings.split()[0]}"


def _turn(feelings: str, number: int) -> str:
    return f"turn/{feelings.split()[0]}/{number}"


@cache
def events() -> dict[str, tuple[str, str, str]]:
    """Event -> the feeling it causes in nine cases of ten, in the tenth, and the place; turns included."""
    found = {}
    for place, (_, *rows) in words.SCENES.items():
        for feelings, *_ in rows:
            found[_event(place, feelings)] = (*feelings.split(), place)
    for rows in words.TURNS.values():
        for feelings, *lines in rows:
            for number in range(len(lines)):
                found[_turn(feelings, number)] = (*feelings.split(), "")
    return found


def _variables(build: Builder) -> None:
    free = {}
    build.variable("gender", [("girl", free, 1), ("boy", free, 1)])
    people = [(name, "girl") for name in words.GIRLS] + [(name, "boy") for name in words.BOYS]
    build.variable("name", [(name.lower(), {"gender": gender}, 1) for name, gender in people])
    build.variable("other_gender", [("girl", free, 1), ("boy", free, 1)])
    relations = [(word, {"other_gender": gender}, 1) for gender in words.RELATIONS
                 for word in words.RELATIONS[gender]]  # fmt: skip
    build.variable("relation", relations)
    pairs = [(name, other, gender) for name, gender in people for other, _ in people if other != name]
    build.variable("other", [
        (name.lower(), {"other_gender": gender, "name": other.lower()}, 1) for name, other, gender in pairs
    ])  # fmt: skip
    build.variable("animal", [(forms.split()[0], free, 1) for forms in words.ANIMALS.split("|")])
    build.variable("color", [(color, free, 1) for color in words.COLORS])
    build.variable("number", [("one", free, 1), ("many", free, 1)])
    counts = [("one", "one"), ("two", "many"), ("three", "many"), ("four", "many")]
    build.variable("count", [(count, {"number": number}, 1) for count, number in counts])

    build.variable("day", [(day, free, 1) for day in words.DAYTIMES])
    build.variable("scene", [(place, free, 1) for place in words.SCENES])
    things = [(thing.split()[2], {"scene": place}, 1) for place, (row, *_) in words.SCENES.items()
              for thing in row]  # fmt: skip
    build.variable("object", things)
    build.variable("amount", [("one", free, 1), ("many", free, 1)])
    build.variable("object_count", [("a", {"amount": "one"}, 1), *(
        (count, {"amount": "many"}, 1) for count in ("two", "three", "four")
    )])  # fmt: skip

    happenings = events()
    places = {event: place for event, (_, _, place) in happenings.items() if place}
    build.variable("event", [(event, {"scene": place}, 1) for event, place in places.items()])
    build.variable("turned", [("no", free, 3), ("yes", free, 1)])
    turns = [("none", {"turned": "no"}, 1)]
    for event in places:
        direction = "bad" if event.split("/")[1] in words.GOOD_FEELINGS else "good"
        for feelings, *lines in words.TURNS[direction]:
            for number in range(len(lines)):
                turns.append((_turn(feelings, number), {"turned": "yes", "event": event}, 1))
    build.variable("turn", turns)
    causes = []
    for event, (often, rarely, place) in happenings.items():
        wanted = {"event": event, "turn": "none"} if place else {"turn": event}
        causes += [(often, wanted, 9), (rarely, wanted, 1)]
    build.variable("feeling", causes)


def slots(build: Builder) -> dict[str, Table]:
    """What can stand in braces in a template, each a Table of words."""
    free = {}

    def by(variable: str, **forms: str) -> Table:
        return build.table((word, {variable: value}, 1) for value, word in forms.items())

    def values(name: str) -> Table:
        return build.table(
            (value, {name: value}, 1)
            for value in dict.fromkeys(e[0] for e in build.variables[build.index[name]].table.entries)
        )

    people = [(name.lower(), {"name": name.lower()}) for name in words.GIRLS + words.BOYS]
    pronouns = [("she", {"gender": "girl"}), ("he", {"gender": "boy"})]
    animals = [forms.split() for forms in words.ANIMALS.split("|")]
    things = [thing.split() for row, *_ in words.SCENES.values() for thing in row]
    feelings = [(feeling, row[0].split()) for feeling, row in words.FEELINGS.items()]
    found = {
        "name": build.table((word, wanted, 1) for word, wanted in people),
        "s": build.table((word, wanted, 1) for word, wanted in pronouns + people),
        "she": by("gender", girl="she", boy="he"),
        "her": by("gender", girl="her", boy="his"),
        "obj": by("gender", girl="her", boy="him"),
        "girl": by("gender", girl="girl", boy="boy"),
        "friend": values("other"),
        "friends": by("other_gender", girl="her", boy="his"),
        "relation": values("relation"),
        "count": values("count"),
        "color": values("color"),
        "was": by("number", one="was", many="were"),
        "needs": build.table(
            [("needs", {"number": "one"}, 1), ("wants", {"number": "one"}, 1),
             ("need", {"number": "many"}, 1), ("want", {"number": "many"}, 1)]
        ),
        "animal": build.table(
            (form, {"animal": one, "number": number}, 1)
            for one, many in animals for form, number in ((one, "one"), (many, "many"))
        ),
        "day": values("day"),
        "place": values("scene"),
        "base": build.table((thing[0], {"object": thing[2]}, 1) for thing in things),
        "past": build.table((thing[1], {"object": thing[2]}, 1) for thing in things),
        "noun": build.table(
            (form, {"object": thing[2], "amount": amount}, 1)
            for thing in things for form, amount in ((thing[2], "one"), (thing[3], "many"))
        ),
        "kind": build.table((word, {"object": thing[2]}, 1) for thing in things for word in thing[4:]),
        "some": values("object_count"),
        "nwas": by("amount", one="was", many="were"),
        "it": by("amount", one="it", many="they"),
        "them": by("amount", one="it", many="them"),
        "feeling": build.table(
            # Of one, two or three words for a feeling, the first is drawn twice as often as each other.
            (word, {"feeling": feeling}, 12 // (len(names) + 1) * (1 if number else 2) if names[1:] else 12)
            for feeling, names in feelings for number, word in enumerate(names)
        ),
    }  # fmt: skip
    local = {name: build.table((word.lower(), free, 1) for word in line.split())
             for name, line in words.LOCAL.items()}  # fmt: skip
    return found | local


def roles(build: Builder) -> list[Role]:
    """The sentences of a story, in order: five are always there, seven can be missing."""
    named = slots(build)
    one, many = {"amount": "one"}, {"amount": "many"}
    alone, several = {"number": "one"}, {"number": "many"}
    free = {}

    def role(name: str, lines: list, **presence) -> Role:
        lines = [(line, free, 1) if isinstance(line, str) else (*line, 1) for line in lines]
        return build.role(name, lines, named, **presence)

    happenings = [
        (line, {"event": event})
        for place, (_, *rows) in words.SCENES.items() for feelings, *lines in rows
        for event in [_event(place, feelings)] for line in lines
    ]  # fmt: skip
    turns = [
        (line, {"turn": _turn(feelings, number)})
        for rows in words.TURNS.values() for feelings, *lines in rows for number, line in enumerate(lines)
    ]  # fmt: skip
    turns.append(("", {"turn": "none"}))  # never used: without a turn the sentence is not there
    reactions = [(line, {"feeling": name}) for name, (_, *lines) in words.FEELINGS.items() for line in lines]
    return [
        role("introduction", [
            "{name} was a {trait} {girl} .",
            "Once there was a {trait} {girl} named {name} .",
            "This is a story about a {girl} named {name} .",
            "{name} was {years} years old and lived near the {near} .",
            "{name} lived with {her} family in a {house} house near the {near} .",
        ]),
        role("pets", [
            "{she} had {count} {color} {animal} .",
            "{name} took good care of {count} {color} {animal} .",
            "{count} {color} {animal} {was} always with {obj} .",
            "There {was} {count} {color} {animal} that followed {obj} everywhere .",
        ], quarters=2),
        role("way", [
            "One {day} {s} {went} to the {place} with {her} {relation} {friend} .",
            "On {weekday} {s} and {her} {relation} {friend} {went} to the {place} .",
            "On {weekday} {her} {relation} {friend} took {obj} to the {place} .",
            "{her} {relation} {friend} was already at the {place} when {s} came .",
        ]),
        role("setting", [
            "It was a {weather} {day} in {season} .",
            "The {place} was {full} that {day} .",
            "It was {weather} , but the {place} was {full} .",
        ], quarters=2),
        role("action", [
            "First {s} {past} {some} {kind} {noun} .",
            "{s} wanted to {base} {some} {kind} {noun} .",
            "Together with {friend} , {s} {past} {some} {kind} {noun} .",
            "{s} {past} {some} {kind} {noun} and {friend} {watched} .",
        ]),
        role("result", [
            ("{friend} had never seen such a {kind} {noun} .", one),
            ("{friend} had never seen such {kind} {noun} .", many),
            "The {noun} {nwas} quite {kind} .",
            "{s} showed {them} to {friend} .",
            "{friend} liked the {noun} because {it} {nwas} so {kind} .",
        ], quarters=2),
        role("companion", [
            "{friend} put {friends} {wear} on a bench .",
            "{friend} , who had lost {friends} {lost} , looked under every bench .",
            "{friend} , the {relation} of {name} , opened {friends} bag .",
            '" {look} , {name} ! " called {friend} .',
        ], quarters=2),
        role("agreement", [
            ("The {girl} with the {color} {animal} was {mood} .", alone),
            ("The {girl} with the {count} {animal} was {mood} .", several),
            "The {animal} of the {girl} {was} {pet_mood} .",
            "The {animal} {behind} the {thing} {was} {pet_mood} .",
            '" My {animal} {always} {needs} {food} , " said {name} .',
        ], quarters=2),
        role("event", happenings),
        role("turn", turns, only_if={"turned": ("yes", "no")}),
        role("feeling", [
            "In the end {s} felt {very} {feeling} .",
            "{s} went to bed and was still {very} {feeling} .",
            "{s} had never been so {feeling} before .",
            "{friend} saw that {s} was {very} {feeling} .",
            '" I am so {feeling} ! " {s} told {friend} .',
        ]),
        role("reaction", reactions, quarters=2),
    ]  # fmt: skip


def english() -> Grammar:
    """The grammar of the corpus."""
    build = Builder()
    _variables(build)
    return Grammar(tuple(build.variables), tuple(roles(build)))


ENGLISH = english()
