"""Output that no text can stop."""

import sys

__all__ = ["accept_any_text"]


def accept_any_text() -> None:
    r"""Let a program print whatever it is given: what the terminal's encoding lacks is written as \u4e2d.

    For the first line of a program's main(). Without it a path with such letters ends the program with a
    UnicodeEncodeError where output is in an old encoding (Windows, pipes, the C locale).
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # not in notebooks, nor where tests read along
            stream.reconfigure(errors="backslashreplace")
