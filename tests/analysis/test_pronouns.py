"""Pronouns of the stories: the person meant by hand, and the gap against the library's own model."""

import numpy as np
import pytest
import torch

from helpers import checkpoints, stories
from helpers.analysis import pronouns


@pytest.fixture(scope="module")
def model_and_tokenizer():
    return checkpoints.load("stories")


@pytest.fixture(scope="module")
def items(model_and_tokenizer):
    told = stories.stories(20, seed=3)
    return [item for story in told for item in pronouns.pronouns(story, model_and_tokenizer[1])]


def test_every_item_names_both_and_hides_a_pronoun(items):
    assert len(items) > 50
    for item in items:
        assert item.tokens[item.place] in ("she", "her", "he", "his", "him")
        assert item.meant and item.other and not set(item.meant) & set(item.other)
        (meant,), (other,) = ({item.tokens[at] for at in places} for places in (item.meant, item.other))
        assert meant != other


def test_the_companion_s_own_sentences_turn_the_people_round(model_and_tokenizer):
    tokenizer = model_and_tokenizer[1]
    turned = kept = 0
    for story in stories.stories(60, seed=4):
        own = {s for s, role in zip(story.sentences, story.roles, strict=True) if role == "companion"}
        for item in pronouns.pronouns(story, tokenizer):
            meant = item.tokens[item.meant[0]]
            assert meant in (story.choices["name"], story.choices["other"])
            if meant == story.choices["other"]:
                turned += 1
                assert any(sentence in " ".join(item.halves) for sentence in own)
            else:
                kept += 1
    assert 0 < turned < kept


def test_at_gaps_is_one_text_at_a_time_with_the_library(model_and_tokenizer, items):
    model, tokenizer = model_and_tokenizer
    some = items[:70]  # more than one batch
    model.train()
    chances, looks = pronouns.at_gaps(model, tokenizer, some)
    assert model.training
    model.eval()
    theirs = checkpoints.to_transformers(model)
    for at in (0, 5, 69):
        encoding = tokenizer.encode(*some[at].halves)
        ids = torch.tensor([encoding.ids])
        ids[0, some[at].place] = tokenizer.id_of["[MASK]"]
        with torch.no_grad():
            found = theirs(ids, token_type_ids=torch.tensor([encoding.type_ids]), output_attentions=True)
        expected = found.prediction_logits[0, some[at].place].softmax(dim=-1)
        torch.testing.assert_close(chances[at], expected, atol=1e-5, rtol=0)
        row = torch.cat(found.attentions)[:, :, some[at].place].numpy()
        length = len(encoding.ids)
        np.testing.assert_allclose(looks[at][..., :length], row, atol=1e-5)
        assert not looks[at][..., length:].any()
