"""What a program says when it refuses its options."""

from collections.abc import Callable, Sequence

import pytest


def refusal(main: Callable, options: Sequence[str], capsys: pytest.CaptureFixture) -> str:
    """The last line on the error stream; fails unless the program ends as argparse ends it, with code 2."""
    with pytest.raises(SystemExit) as caught:
        main(list(options))
    assert caught.value.code == 2
    return capsys.readouterr().err.splitlines()[-1]
