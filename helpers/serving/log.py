"""Lines for the log that hold no text: addresses and statuses, kinds and places of errors.

The message of an unexpected error may quote the text that caused it, so it is left out wherever it comes
from, uvicorn and asyncio included.
"""

import logging
import sys
import traceback

__all__ = ["LOG", "REQUESTS", "number_of", "error_line", "keep_log", "request_line"]

LOG = logging.getLogger("helpers.serving")
REQUESTS = logging.getLogger("helpers.serving.requests")
ADDRESSES, LOGGED_METHODS = ("/classify", "/health"), ("GET", "HEAD", "POST")


class WithoutMessages(logging.Formatter):
    """Formats an exception as its kind and place."""

    def formatException(self, ei) -> str:
        return error_line(ei[1])


def keep_log(quiet: bool = False) -> None:
    """Write the log to stderr, each line with its time; quiet: without a line for each request."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(WithoutMessages("%(asctime)s %(message)s", "%H:%M:%S"))
    for name, level in {"helpers.serving": "INFO", "uvicorn": "WARNING", "asyncio": "WARNING"}.items():
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(level)
    REQUESTS.setLevel("WARNING" if quiet else "INFO")
    logging.raiseExceptions = False  # whoever read the log may have gone; the service goes on


def number_of(number: int, one: str, many: str) -> str:
    """A number with its words: "1 text is", "2 texts are"."""
    return f"{number} {one if number == 1 else many}"


def request_line(scope: dict, status: int | None, milliseconds: float) -> str:
    """A request in the log; addresses and methods that the service doesn't know are not repeated."""
    address = scope["path"] if scope["path"] in ADDRESSES else "another address"
    method = scope["method"] if scope["method"] in LOGGED_METHODS else "another method"
    texts = scope.get("state", {}).get("texts")
    found = "" if texts is None else f", {number_of(texts, 'text', 'texts')}"
    return f"{method} {address} {status}{found}, {milliseconds:.0f} ms"


def error_line(error: BaseException) -> str:
    """Kind and place of an error, without its message."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" in {frames[-1].filename}, line {frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"
