"""The story corpus: the same everywhere, its grammar kept, its splits apart, its files up to date."""

import hashlib
import json
import re
from collections import Counter
from fractions import Fraction
from random import Random

import pytest

from helpers import data
from helpers import stories as corpus
from helpers.stories import samples, to_text, to_words
from helpers.stories import words as story_words
from helpers.stories.grammar import ENGLISH, events
from helpers.wordpiece import normalize, pre_tokenize

# The grammar is fixed: none of these numbers may change.
SHA256 = {
    "train": "91b2e50a97532776e69f48c2cd9c0f66b9bffd8bf7f26cdbc1a08d2068105f16",
    "validation": "c13066d4bc96c24c869c026773cd0ded699400e4019afbba73342d42f3048d05",
    "classification_train": "8e2a77f877da370c7d43e0dff4b7102d63b913a8494a3732a25ab83a1dc3f198",
    "classification_validation": "f46152a8b591fd3d08d0c7bc736d269ce40a72bb266f86a32b6068a952de0b1a",
    "classification_test": "1dc1b8b36b7f595999f9407f89f53c367be0045d6d7250c13ddd5f98f433efe1",
}
FIRST_1000 = "b1f7bf429d02d87bf3e82119e1b6e7da44e8473ef5c9a12076e321cf5fed5e07"

GIRLS, BOYS = set(story_words.GIRLS), set(story_words.BOYS)
GENDER = {"she": "girl", "her": "girl", "he": "boy", "his": "boy", "him": "boy"}
ANIMALS = [forms.split() for forms in story_words.ANIMALS.split("|")]


def sha256(stories):
    return hashlib.sha256("\n".join(story.text for story in stories).encode()).hexdigest()


def gender_of(name):
    return "girl" if name in GIRLS else "boy"


@pytest.fixture(scope="module")
def splits():
    return data.stories()


@pytest.fixture(scope="module")
def some(splits):
    return splits["train"][:3_000] + splits["validation"]


# The same on every machine


def test_first_stories_have_the_known_checksum():
    assert sha256(corpus.stories(1_000, seed=1)) == FIRST_1000


def test_every_split_has_the_known_checksum(splits):
    assert {name: sha256(stories) for name, stories in splits.items()} == SHA256
    assert {name: len(stories) for name, stories in splits.items()} == {
        name: count for name, (count, _) in corpus.SPLITS.items()
    }


def test_only_the_promised_method_of_random_is_used(monkeypatch):
    class OnlyRandom:  # the sequences of choice, shuffle and the like may change between versions
        def __init__(self, seed):
            self.random = Random(seed).random

    expected = corpus.stories(20, seed=1)
    monkeypatch.setattr("helpers.stories.story.random.Random", OnlyRandom)
    assert corpus.stories(20, seed=1) == expected


def test_a_larger_count_begins_with_the_same_stories():
    assert corpus.stories(30, seed=9)[:10] == corpus.stories(10, seed=9)
    assert corpus.stories(10, seed=9) != corpus.stories(10, seed=10)
    assert corpus.stories(0, seed=9) == []


def test_files_are_what_the_generator_writes():
    files = samples.files()
    assert {path.name for path in samples.FOLDER.iterdir()} == set(files)
    for name, content in files.items():
        assert (samples.FOLDER / name).read_text(encoding="utf-8") == content, name
    assert sum(len(content) for content in files.values()) < 700_000
    assert len(files["validation.jsonl"].splitlines()) == 1_000


def test_committed_validation_stories_are_the_split(splits):
    lines = (samples.FOLDER / "validation.jsonl").read_text(encoding="utf-8").splitlines()
    for line, story in zip(lines, splits["validation"], strict=True):
        assert json.loads(line) == {"feeling": story.feeling, "sentences": list(story.sentences)}


# How much there is


def test_size_of_the_training_text(splits):
    assert 9.5e6 < sum(len(story.text) + 1 for story in splits["train"]) < 10.5e6


def test_at_least_600_words_8_feelings_and_60_events(splits):
    words = Counter(word for story in splits["train"] for word in to_words(story.text) if word.isalpha())
    assert len(words) >= 600 and min(words.values()) >= 50
    assert {story.feeling for story in splits["train"]} == set(corpus.FEELINGS)
    assert len(corpus.FEELINGS) == 8
    causes = {story.choices["event"] for story in splits["train"]} | {
        story.choices["turn"] for story in splits["train"]
    }
    assert causes == set(events()) | {"none"} and len(events()) == 72 + 16


def test_words_of_other_splits_are_words_of_training(splits):
    known = {word for story in splits["train"] for word in to_words(story.text)}
    for stories in splits.values():
        assert {word for story in stories for word in to_words(story.text)} <= known


def test_five_to_twelve_sentences(splits):
    assert {len(story.sentences) for story in splits["train"]} == set(range(5, 13))
    assert max(len(to_words(story.text)) for story in splits["train"]) <= 125


def test_labels_are_balanced(splits):
    for name in ("classification_train", "classification_test"):
        counts = Counter(story.feeling for story in splits[name])
        assert (
            0.09 < min(counts.values()) / len(splits[name]) <= max(counts.values()) / len(splits[name]) < 0.16
        )


# Splits apart


def test_no_story_stands_twice(splits):
    texts = [story.text for stories in splits.values() for story in stories]
    assert len(set(texts)) == len(texts)
    for story in splits["classification_train"][:500]:  # nor inside a longer one
        assert story.feeling not in to_words(story.text)
    beginnings = {
        " ".join(story.sentences[:count])
        for name in ("train", "validation") for story in splits[name]
        for count in range(4, len(story.sentences))
    }  # fmt: skip
    for name in ("classification_train", "classification_validation", "classification_test"):
        assert not beginnings & {story.text for story in splits[name]}


def test_share_of_three_sentence_windows_in_training(splits):
    share = corpus.shared_windows(splits["validation"], splits["train"])
    readme = (samples.FOLDER.parent / "README.md").read_text(encoding="utf-8")
    assert f"{share:.2%} of the three-sentence windows" in " ".join(readme.split())
    assert share < 0.05


def test_windows_are_counted_right():
    one, two = (corpus.Story(tuple(letters), "", {}, ()) for letters in ("abcd", "xbcdy"))
    assert corpus.shared_windows([one], [two]) == 0.5  # abc is not there, bcd is
    assert corpus.shared_windows([one], [two], size=2) == pytest.approx(2 / 3)


# The label


def test_classification_stories_do_not_tell(splits):
    telling = {word for words, *_ in story_words.FEELINGS.values() for word in words.split()}
    for name in ("classification_train", "classification_validation", "classification_test"):
        for story in splits[name]:
            assert not telling & set(to_words(story.text))
            assert story.roles[-1] in ("event", "turn")
    for story in splits["validation"]:
        said = telling & set(to_words(story.text))
        assert len(said) == 1 and said <= set(story_words.FEELINGS[story.feeling][0].split())


def test_ceiling_is_nine_tenths_and_the_best_guess_reaches_it(splits):
    assert corpus.ceiling() == Fraction(9, 10)
    stories = splits["train"]
    right = sum(corpus.usual_feeling(story) == story.feeling for story in stories) / len(stories)
    assert abs(right - 0.9) < 4 * (0.9 * 0.1 / len(stories)) ** 0.5


def test_every_cause_has_words_of_its_own():
    lines = [line for _, *rows in story_words.SCENES.values() for _, *lines in rows for line in lines]
    lines += [line for rows in story_words.TURNS.values() for _, *lines in rows for line in lines]
    assert len(set(lines)) == len(lines) == 2 * 72 + 16


def test_a_good_event_turns_bad_and_a_bad_one_good(some):
    good = set(story_words.GOOD_FEELINGS)
    turned = [story.choices for story in some if story.choices["turned"] == "yes"]
    assert abs(len(turned) / len(some) - 0.25) < 0.03
    for choices in turned:
        assert (choices["event"].split("/")[1] in good) != (choices["turn"].split("/")[1] in good)


# Agreement, checked with rules that know nothing of the grammar


def test_pronouns_agree_with_the_main_character(some):
    for story in some:
        main = re.search(
            r"\b(?:named )?([A-Z][a-z]+)\b(?=[ .])",
            story.sentences[0].replace("Once", "").replace("This", ""),
        ).group(1)
        assert main in GIRLS | BOYS, story.text
        for sentence in story.sentences:
            own = re.fullmatch(r"([A-Z]\w+)(?: put|, who had lost|, .*, opened) (her|his) .*", sentence)
            if own:  # the companion's hat, the companion's bag
                assert GENDER[own.group(2)] == gender_of(own.group(1)), sentence
                continue
            for word in to_words(sentence):
                if word in GENDER:
                    assert GENDER[word] == gender_of(main), story.text
                if word in ("girl", "boy") and "tall girl" not in sentence and "A boy" not in sentence:
                    assert word == gender_of(main), story.text


def test_two_people_only_and_their_relation(some):
    relation_gender = {"sister": "girl", "brother": "boy"}
    for story in some:
        names = [word for word in re.findall(r"[A-Z][a-z]+", story.text) if word in GIRLS | BOYS]
        assert len(set(names)) == 2, story.text
        for relation, name in re.findall(
            r"(sister|brother|cousin|friend|neighbor|classmate) ([A-Z]\w+)", story.text
        ):
            assert relation_gender.get(relation, gender_of(name)) == gender_of(name)


def test_numbers_agree_with_nouns_and_verbs(some):
    seen = Counter()
    for story in some:
        no_owner = re.sub(r"The (girl|boy) with [^.]*", "", story.text)  # looked at further down
        for count, animal in re.findall(r"\b([Oo]ne|[Tt]wo|[Tt]hree|[Ff]our) (?:\w+ )?(\w+)", story.text):
            forms = next((forms for forms in ANIMALS if animal in forms), None)
            if forms:
                assert animal == forms[count.lower() != "one"], story.text
                seen["count"] += 1
        for animal, verb in re.findall(
            r"\b(\w+) (?:(?:of|behind|near|beside) the \w+ )?(was|were) ", no_owner
        ):
            forms = next((forms for forms in ANIMALS if animal in forms), None)
            if forms:
                assert verb == ("was", "were")[animal == forms[1]], story.text
                seen["was"] += 1
        for animal, verb in re.findall(r"\"My (\w+) \w+ (needs?|wants?)", story.text):
            forms = next(forms for forms in ANIMALS if animal in forms)
            assert verb.endswith("s") == (animal == forms[0]), story.text
            seen["speech"] += 1
        for subject in re.findall(r"The (?:girl|boy) with the [^.]* (was|were) ", story.text):
            assert subject == "was", story.text  # not "the girl with the two dogs were"
            seen["distance"] += 1
        for verb, count in re.findall(r"There (was|were) (\w+)", " ".join(story.sentences[:2])):
            assert (verb == "was") == (count in ("one", "a")), story.text
    assert min(seen.values()) > 100, seen


def test_things_keep_their_number(some):
    things = [thing.split() for row, *_ in story_words.SCENES.values() for thing in row]
    form = {thing[2]: ("was", "it") for thing in things} | {thing[3]: ("were", "they") for thing in things}
    for story in some:
        action = story.sentences[story.roles.index("action")]
        count, noun = re.search(r"\b(a|two|three|four) \w+ (\w+)", action).groups()
        assert (form[noun][0] == "was") == (count == "a"), action
        if "result" in story.roles:
            result = story.sentences[story.roles.index("result")]
            for said, verb in re.findall(r"The (\w+) (was|were)", result):
                assert said == noun and verb == form[noun][0]
            for said, pronoun, verb in re.findall(r"liked the (\w+) because (it|they) (was|were)", result):
                assert (said, verb, pronoun) == (noun, *form[noun])
            for them in re.findall(r"showed (it|them) to", result):
                assert (them == "it") == (form[noun][1] == "it")


def test_things_belong_to_their_places_and_verbs(some):
    for story in some:
        row, *_ = story_words.SCENES[story.choices["scene"]]
        action = to_words(story.sentences[story.roles.index("action")])
        base, past, one, many, *kinds = next(
            thing.split() for thing in row if thing.split()[2] in action or thing.split()[3] in action
        )
        assert (base if "wanted" in action else past) in action
        assert sum(kind in action for kind in kinds) >= 1
        assert story.choices["scene"] in to_words(story.sentences[story.roles.index("way")])


def test_one_time_of_day(some):
    for story in some:
        assert len({"morning", "afternoon"} & set(to_words(story.text))) <= 1, story.text


def test_articles_and_marks(some):
    for story in some:
        assert not re.search(r"\b[Aa] (?=[aeiou])|\b[Aa]n (?![aeiou]|hour)", story.text), story.text
        for sentence in story.sentences:
            assert re.fullmatch(r'"?[A-Z][\w ,."!]*[.!]', sentence) and "  " not in sentence, sentence
            assert sentence.count('"') in (0, 2) and not re.search(r" [.,!]", sentence), sentence


def test_names_are_no_other_words():
    names = {name.lower() for name in GIRLS | BOYS}
    assert len(names) == len(GIRLS) + len(BOYS) == 24 and not GIRLS & BOYS
    tables = [item for role in ENGLISH.roles for line, _, _ in role.templates.entries for item in line]
    literals = {item for item in tables if isinstance(item, str)}
    slots = [{word for word, _, _ in item.entries} for item in tables if not isinstance(item, str)]
    others = literals.union(*(words for words in slots if not words & names))
    assert not names & others


# Words and text


def test_words_are_the_tokenizers_words(some):
    for story in some[:300]:
        assert to_words(story.text) == pre_tokenize(normalize(story.text))


def test_text_and_words_go_both_ways(some):
    for story in some[:1_000]:
        for sentence in story.sentences:
            assert to_text(to_words(sentence)) == sentence
    assert to_words('"Look, Anna!" called [MASK].') == [
        '"',
        "look",
        ",",
        "anna",
        "!",
        '"',
        "called",
        "[MASK]",
        ".",
    ]


@pytest.mark.parametrize("call", [lambda: corpus.stories(-1, seed=0), lambda: corpus.split("trian")])
def test_bad_arguments_are_refused(call):
    with pytest.raises(ValueError, match="not -1|choose one of train, validation"):
        call()
