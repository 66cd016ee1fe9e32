"""A server on this machine for as long as a page of it is looked at, for tests and trials."""

import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

__all__ = ["free_port", "running"]


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens at now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextmanager
def running(
    command: Sequence[str], address: str, log: Path, patience: float, **process_options
) -> Iterator[None]:
    """Run a server until the block ends, which begins when the address answers; what it says goes to the log.

    patience: seconds to wait for the first answer. SystemExit, with the end of the log, for a server that
    ends before or gives none. process_options: those of subprocess.Popen.
    """
    with log.open("wb") as words:
        process = subprocess.Popen(command, stdout=words, stderr=words, **process_options)
    try:
        deadline = time.monotonic() + patience
        while not _answers(address):
            if process.poll() is not None or time.monotonic() > deadline:
                said = log.read_text(encoding="utf-8", errors="replace")[-1500:]
                what = "does not answer" if process.poll() is None else "ended"
                raise SystemExit(f"The server at {address} {what}: {said}")
            time.sleep(0.5)
        yield
    finally:
        process.terminate()
        process.wait(30)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5):
            return True
    except OSError:
        return False
