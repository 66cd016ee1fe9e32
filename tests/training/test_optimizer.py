"""The learning rate and the optimizer of the long run."""

import pytest

from helpers.training.optimizer import learning_rate_share
from helpers.training.settings import arguments


def test_the_learning_rate_rises_holds_and_falls_to_zero():
    settings = arguments(["--out=x", "--steps=100", "--warm-up-steps=10", "--decay=0.2"])
    shares = [learning_rate_share(step, settings) for step in range(1, 101)]
    assert shares[:10] == pytest.approx([number / 10 for number in range(1, 11)])
    assert shares[9:81] == [1.0] * 72
    assert shares[80:] == pytest.approx([number / 20 for number in range(20, 0, -1)])
    longer = arguments(["--out=x", "--steps=1000", "--warm-up-steps=10", "--decay=0.2"])
    assert [learning_rate_share(step, longer) for step in range(1, 81)] == shares[:80]
