"""The perfect model of the stories against brute force: every story of a small grammar, written out."""

import itertools
import math
import random
from collections import Counter, defaultdict
from fractions import Fraction

import pytest

from helpers import stories
from helpers.pretraining import split_into_segments
from helpers.stories import MASK, posterior, to_words
from helpers.stories.grammar import ENGLISH
from helpers.stories.pairs import pair_windows
from helpers.stories.reader import Reader
from helpers.stories.tables import Builder, Grammar

FREE = {}


def small_grammar() -> Grammar:
    """All that the real one has, with few words: agreement, turns, sentences that look alike."""
    build = Builder()
    build.variable("gender", [("girl", FREE, 1), ("boy", FREE, 2)])
    names = [("ann", "girl"), ("eve", "girl"), ("bob", "boy")]
    build.variable("name", [(name, {"gender": gender}, 1) for name, gender in names])
    build.variable("other", [(one, {"name": two}, 1) for one, _ in names for two, _ in names if one != two])
    build.variable("number", [("one", FREE, 1), ("many", FREE, 1)])
    build.variable("event", [("win", FREE, 1), ("loss", FREE, 1)])
    build.variable("turned", [("no", FREE, 3), ("yes", FREE, 1)])
    turns = [("none", {"turned": "no"}, 1), ("up", {"turned": "yes", "event": "loss"}, 1),
             ("down", {"turned": "yes", "event": "win"}, 1)]  # fmt: skip
    build.variable("turn", turns)
    feelings = []
    for cause, often, rarely in (("win", "glad", "proud"), ("loss", "sad", "mad")):
        feelings += [
            (often, {"event": cause, "turn": "none"}, 3),
            (rarely, {"event": cause, "turn": "none"}, 1),
        ]
    feelings += [("glad", {"turn": "up"}, 4), ("sad", {"turn": "down"}, 3), ("mad", {"turn": "down"}, 1)]
    build.variable("feeling", feelings)

    people = [(name, {"name": name}, 1) for name, _ in names]
    pronouns = [("she", {"gender": "girl"}, 1), ("he", {"gender": "boy"}, 1)]
    slots = {
        "s": build.table(pronouns + people),
        "name": build.table(people),
        "friend": build.table((name, {"other": name}, 1) for name, _ in names),
        "dogs": build.table([("dog", {"number": "one"}, 1), ("dogs", {"number": "many"}, 1)]),
        "was": build.table([("was", {"number": "one"}, 1), ("were", {"number": "many"}, 1)]),
        "day": build.table([("today", FREE, 2), ("now", FREE, 1)]),
        "feeling": build.table((value, {"feeling": value}, 1) for value in ("glad", "proud", "sad", "mad")),
    }
    roles = [
        build.role("start", [("{s} ran .", FREE, 1), ("{name} met {friend} .", FREE, 2)], slots),
        build.role("pets", [("the {dogs} {was} {day} .", FREE, 1),
                            ("{dogs} ran .", FREE, 1)], slots, quarters=1),
        build.role("event", [("{s} won .", {"event": "win"}, 1),
                             ("{s} lost .", {"event": "loss"}, 1)], slots),
        build.role("turn", [("{s} won .", {"turn": "up"}, 1), ("{s} fell {day} .", {"turn": "down"}, 1),
                            ("", {"turn": "none"}, 1)], slots, only_if={"turned": ("yes", "no")}),
        build.role("end", [("{s} was {feeling} .", FREE, 1), ("{feeling} !", FREE, 1)], slots, quarters=3),
    ]  # fmt: skip
    return Grammar(tuple(build.variables), tuple(roles))


def every_story(grammar: Grammar) -> dict[tuple, Fraction]:
    """{(sentences, latent choices): probability}, by trying every draw that the generator can make."""
    found = defaultdict(Fraction)

    def latents(held: list, share: Fraction) -> None:
        if len(held) == len(grammar.variables):
            sentences(tuple(held), 0, (), share)
            return
        urn = grammar.variables[len(held)].table.urn(held)
        for value, count in Counter(urn).items():
            latents([*held, value], share * Fraction(count, len(urn)))

    def sentences(held: tuple, role: int, written: tuple, share: Fraction) -> None:
        if role == len(grammar.roles):
            found[written, held] += share
            return
        there = grammar.roles[role].presence.urn(held)
        if False in there:
            sentences(held, role + 1, written, share * Fraction(there.count(False), len(there)))
        if True in there:
            lines = grammar.roles[role].templates.urn(held)
            for line, count in Counter(lines).items():
                each = share * Fraction(there.count(True), len(there)) * Fraction(count, len(lines))
                urns = [(item,) if isinstance(item, str) else item.urn(held) for item in line]
                for chosen in itertools.product(*map(Counter, urns)):
                    weight = math.prod(
                        Fraction(urn.count(word), len(urn)) for urn, word in zip(urns, chosen, strict=True)
                    )
                    sentences(held, role + 1, (*written, chosen), each * weight)

    latents([], Fraction(1))
    return found


@pytest.fixture(scope="module")
def grammar():
    return small_grammar()


@pytest.fixture(scope="module")
def reader(grammar):
    return Reader(grammar)


@pytest.fixture(scope="module")
def texts(grammar):
    """{sentences: probability} of all stories of the small grammar."""
    found = defaultdict(float)
    for (sentences, _), share in every_story(grammar).items():
        found[sentences] += float(share)
    assert sum(found.values()) == pytest.approx(1) and len(found) > 2_000
    return dict(found)


def joined(sentences: tuple) -> tuple[str, ...]:
    return tuple(word for sentence in sentences for word in sentence)


def hide(words: tuple, dice: random.Random, rate: float) -> list[str]:
    return [MASK if dice.random() < rate else word for word in words]


def brute_force(cases: dict[tuple, float], words: list[str]) -> tuple[float, dict]:
    """P(the visible words) and P(each hidden word | them) from {text: probability}."""
    total, found = 0.0, {i: defaultdict(float) for i, word in enumerate(words) if word == MASK}
    for text, share in cases.items():
        if len(text) == len(words) and all(a in (MASK, b) for a, b in zip(words, text, strict=True)):
            total += share
            for i in found:
                found[i][text[i]] += share
    return total, {i: {word: share / total for word, share in each.items()} for i, each in found.items()}


def check(reading, cases, words):
    total, expected = brute_force(cases, words)
    assert reading.probability == pytest.approx(total, rel=1e-9)
    assert reading.words.keys() == expected.keys()
    for place, shares in reading.words.items():
        assert shares == pytest.approx(expected[place], rel=1e-9, abs=1e-12)
        assert sum(shares.values()) == pytest.approx(1)


def sample(cases: dict, dice: random.Random, count: int) -> list:
    return dice.choices(list(cases), weights=list(cases.values()), k=count)


@pytest.mark.parametrize("rate", [0.0, 0.15, 0.5, 1.0])
def test_whole_stories_equal_brute_force(reader, texts, rate):
    dice, cases = random.Random(1), defaultdict(float)
    for sentences, share in texts.items():
        cases[joined(sentences)] += share
    for text in sample(cases, dice, 25):
        words = hide(text, dice, rate)
        check(posterior.read(reader, words, posterior.whole_story), cases, words)


@pytest.mark.parametrize("size", [1, 2])
def test_windows_equal_brute_force(reader, texts, size):
    dice, cases = random.Random(2), defaultdict(float)
    for sentences, share in texts.items():
        starts = range(len(sentences) - size + 1)
        for start in starts:
            cases[joined(sentences[start : start + size])] += share / len(starts)
    for text in sample(cases, dice, 40):
        words = hide(text, dice, dice.random())
        check(posterior.read(reader, words, posterior.any_window(size)), cases, words)


@pytest.mark.parametrize("limit", [1, 4, 7, 9])
def test_stories_that_are_cut_equal_brute_force(reader, texts, limit):
    dice, cases = random.Random(3), defaultdict(float)
    for sentences, share in texts.items():
        if len(joined(sentences)) >= limit:
            cases[joined(sentences)[:limit]] += share
    for text in sample(cases, dice, 25):
        words = hide(text, dice, dice.random())
        check(posterior.read(reader, words, posterior.whole_story, cut=True), cases, words)


@pytest.mark.parametrize("own_stranger", [False, True])
def test_pairs_equal_brute_force(reader, texts, own_stranger):
    texts = {sentences: share for sentences, share in texts.items() if len(sentences) >= 2}
    near, firsts, seconds = (defaultdict(float) for _ in range(3))
    all_texts = Counter()
    for sentences, share in texts.items():
        starts = range(len(sentences) - 1)
        for start in starts:
            one, two = sentences[start], sentences[start + 1]
            near[one, two] += share / len(starts)
            firsts[one] += share / len(starts)
            if not own_stranger:
                seconds[two] += share / len(starts)
        for sentence in sentences:
            all_texts[sentence] += share / len(sentences)
    if own_stranger:
        seconds = all_texts
    stranger = posterior.any_window(1) if own_stranger else None
    dice, cases = random.Random(4), defaultdict(float)
    for one, two in itertools.product(firsts, seconds):
        cases[one, two] = 0.3 * near.get((one, two), 0.0) + 0.7 * firsts[one] * seconds[two]
    for one, two in sample(cases, dice, 40):
        words = hide(one + two, dice, 0.3)
        first, second = words[: len(one)], words[len(one) :]
        same_size = {a + b: share for (a, b), share in cases.items() if len(a) == len(one)}
        total, _ = brute_force(same_size, words)
        reading, chance = posterior.read_pair(
            reader, first, second, posterior.neighbours(1, 1), 0.3, stranger
        )
        check(reading, same_size, words)
        next_to = {a + b: share for (a, b), share in near.items() if len(a) == len(one)}
        assert chance == pytest.approx(0.3 * brute_force(next_to, words)[0] / total, abs=1e-12)


@pytest.mark.parametrize("size", [1, 2])
def test_pairs_as_make_sentence_pairs_makes_them_equal_brute_force(reader, texts, size):
    """Every two segments in a row are a pair; a false second is any segment of any story."""
    near, firsts, seconds, lengths = (defaultdict(float) for _ in range(4))
    for sentences, share in texts.items():
        lengths[len(sentences)] += share
        segments = [joined(segment) for segment in split_into_segments(sentences, size)]
        for one, two in itertools.pairwise(segments):
            near[one, two] += share
        for segment in segments:
            seconds[segment] += share / len(segments)
    mean = sum(near.values())
    for (one, _), share in near.items():
        firsts[one] += share / mean
    dice = random.Random(8)
    truth = sample(near, dice, 10) + list(
        zip(sample(firsts, dice, 10), sample(seconds, dice, 10), strict=True)
    )
    for one, two in truth:
        words = hide(one + two, dice, 0.3)
        halves = words[: len(one)], words[len(one) :]
        fits = [[text for text in texts_of if len(text) == len(half) and all(
                    a in (MASK, b) for a, b in zip(half, text, strict=True))]
                for texts_of, half in ((firsts, halves[0]), (seconds, halves[1]))]  # fmt: skip
        cases = {}
        for pair in itertools.product(*fits):
            cases[pair[0] + pair[1]] = (
                0.5 * near.get(pair, 0.0) / mean + 0.5 * firsts[pair[0]] * seconds[pair[1]]
            )
        pairs, stranger = pair_windows(size, lengths)
        reading, chance = posterior.read_pair(reader, *halves, pairs, 0.5, stranger)
        check(reading, cases, words)
        joint = sum(0.5 * near.get(pair, 0.0) / mean for pair in itertools.product(*fits))
        assert chance == pytest.approx(joint / sum(cases.values()), abs=1e-12)


# The real grammar


@pytest.fixture(scope="module")
def some():
    return stories.stories(120, seed=77)


def test_one_hidden_word_of_a_real_story_equals_trying_every_word(some):
    """P(word | the rest) from the probabilities of whole texts without any hidden word."""
    vocabulary = sorted({word for story in stories.stories(2_000, 1) for word in to_words(story.text)})
    dice = random.Random(5)
    for story in some[:3]:
        words = to_words(story.text)
        for place in dice.sample(range(len(words)), 2):
            found = posterior.masked_word_distribution([*words[:place], MASK, *words[place + 1 :]])[place]
            shares = {}
            for word in {*vocabulary, *found}:
                try:
                    changed = [*words[:place], word, *words[place + 1 :]]
                    reading = posterior.read(posterior._reader(), changed, posterior.whole_story)
                    shares[word] = reading.probability
                except ValueError:
                    pass
            expected = {word: share / sum(shares.values()) for word, share in shares.items()}
            assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("kind", ["whole", "cut", "window", "pair"])
def test_the_loss_of_the_perfect_model_is_its_own_entropy(some, kind):
    """What the model expects to lose is what it loses on the generator's stories, within four errors."""
    dice, surprises = random.Random(6), []
    for story in some:
        start = dice.randrange(len(story.sentences) - 4)
        lines = [to_words(line) for line in story.sentences]
        words = [word for line in lines for word in line]
        if kind == "window":
            words = [word for line in lines[start : start + 5] for word in line]
        elif kind == "cut":
            words = words[:30]
        elif kind == "pair":
            first, second = lines[start] + lines[start + 1], lines[start + 2] + lines[start + 3]
            if dice.random() < 0.5:  # the same place in another story
                other = dice.choice([each for each in some if len(each.sentences) == len(story.sentences)])
                second = to_words(" ".join(other.sentences[start + 2 : start + 4]))
            words = first + second
        hidden = hide(tuple(words), dice, 0.2)
        if kind == "pair":
            halves = hidden[: len(first)], hidden[len(first) :]
            shares = posterior.pair_distribution(*halves, posterior.neighbours(2, 2))[0]
        else:
            options = {"window": {"window": posterior.any_window(5)}, "cut": {"cut": True}}.get(kind, {})
            shares = posterior.masked_word_distribution(hidden, **options)
        loss = sum(-math.log(each[words[place]]) for place, each in shares.items())
        entropy = sum(
            -share * math.log(share) for each in shares.values() for share in each.values() if share
        )
        surprises.append(loss - entropy)
    mean = sum(surprises) / len(surprises)
    error = math.sqrt(sum((each - mean) ** 2 for each in surprises)) / len(surprises)
    assert abs(mean) < 4 * error


def test_agreement_is_certain():
    story = (
        "Anna was a kind girl. [MASK] had two black [MASK]. One morning she walked to the park with her "
        "friend Ben. The park was noisy that [MASK]. First she flew a red kite. The [MASK] near the tree "
        "[MASK] asleep."
    )
    shares = posterior.masked_word_distribution(to_words(story), cut=True)
    pronoun, animals, day, again, verb = shares.values()
    for shares, word in ((pronoun, "she"), (day, "morning"), (verb, "were")):
        assert shares == pytest.approx({word: 1.0})
    assert animals == pytest.approx(again) and len(animals) == 10 and animals["dogs"] == pytest.approx(0.1)
    with pytest.raises(ValueError, match="cannot write these words"):  # a girl's name with "boy"
        posterior.masked_word_distribution(to_words(story.replace("girl", "boy")), cut=True)


def test_neighbours_are_recognised(some):
    right = []
    for story, other in itertools.pairwise(some):
        first, second = (to_words(" ".join(story.sentences[a : a + 2])) for a in (0, 2))
        stranger = to_words(" ".join(other.sentences[2:4]))
        for words, label in ((second, True), (stranger, False)):
            near = posterior.pair_distribution(first, words, posterior.neighbours(2, 2))[1]
            right.append((near > 0.5) == label)
    assert sum(right) / len(right) > 0.95


def test_the_classifier_knows_the_cause(some):
    for story in stories.stories(100, seed=78, say_feeling=False):
        shares = posterior.feeling_distribution(to_words(story.text))
        assert sum(shares.values()) == pytest.approx(1)
        best = max(shares, key=shares.get)
        assert best == stories.usual_feeling(story) and shares[best] == pytest.approx(0.9)
        assert shares.get(story.feeling, 0) > 0


@pytest.mark.parametrize("words", [[], ["anna"], to_words("Anna was a kind boy."), ["[MASK]"] * 4])
def test_what_the_grammar_cannot_write_is_refused(words):
    with pytest.raises(ValueError, match="cannot write these words"):
        posterior.masked_word_distribution(words)


def test_the_readers_know_all_of_the_grammar():
    latents = posterior._reader().latents
    tables = [role.presence for role in ENGLISH.roles] + [role.templates for role in ENGLISH.roles]
    tables += list(dict.fromkeys(
        item for role in ENGLISH.roles for line, _, _ in role.templates.entries
        for item in line if not isinstance(item, str)
    ))  # fmt: skip
    dice = random.Random(7)
    for _ in range(300):
        drawn = ENGLISH.draw_latents(dice.choice)
        for table in tables:
            assert len(table.urn(drawn)) == latents.total(table)
