"""Wrong programs must fail: a check that a wrong program passes proves nothing about the right one.

Called by the notebooks, which show such programs (`wrong_split_heads`) beside their checks
(`test_split_heads`). A check takes the program that it is to judge, so that both can be handed to it.
"""

from collections.abc import Callable


def must_fail(check: Callable, *programs: Callable) -> None:
    """Print what `check` says of each wrong program; AssertionError if one of them passes.

    A check fails by an AssertionError with a message; an error of another kind comes through, since it says
    that the check could not judge.
    """
    for program in programs:
        try:
            check(program)
        except AssertionError as error:
            if not str(error).strip():
                silent = f"{check.__name__} refuses {program.__name__} without a word."
                raise AssertionError(silent) from error
            print(f"{program.__name__}: {error}")
        else:
            raise AssertionError(f"{program.__name__} is wrong, and {check.__name__} lets it pass.")
