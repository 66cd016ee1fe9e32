"""A learner's function is run so that nothing it does harms the notebook.

Loops without an end are stopped from a second thread, without signals, so in any thread and on every system;
what is printed is caught; the state of the random number generators is put back.
"""

import contextlib
import ctypes
import functools
import io
import random
import sys
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Stopped", "Run", "run"]

AGAIN = 0.005  # seconds between two attempts to stop a loop that swallows the first
GIVE_UP = 30.0  # seconds after which the learner is told to interrupt the kernel


class Stopped(BaseException):
    """Ends a call that takes too long. No Exception, so that `except Exception` lets it through."""


@dataclass
class Run:
    """What a call gave: its value or its error, what it printed, how long it took, whether it was stopped."""

    value: Any = None
    error: BaseException | None = None
    printed: str = ""
    seconds: float = 0.0
    stopped: bool = False


class _Watch:
    """Raises Stopped in the thread that made it, again and again, from `seconds` on until `end` is called."""

    def __init__(self, seconds: float):
        self.seconds, self.target = seconds, threading.get_ident()
        self.running, self.ended = threading.Lock(), threading.Lock()
        self.running.acquire()
        self.ended.acquire()
        self.fired = self.over = False
        # A bare `except:` in a loop swallows it. When the swallowed one is thrown away, at the end of that
        # `except:`, it sends the next, which is raised where the loop jumps back: outside of the `try`. This
        # must be one call without a line of Python, in which the next would be raised and lost.
        self.kind = type("Stopped", (Stopped,), {})
        send = ctypes.pythonapi.PyThreadState_SetAsyncExc
        self.kind.__del__ = functools.partial(send, ctypes.c_ulong(self.target), ctypes.py_object(self.kind))
        threading.Thread(target=self._wait, daemon=True, name="time limit of an exercise").start()

    def _wait(self):
        wait, since, told = self.seconds, time.monotonic(), False
        while not self.running.acquire(timeout=wait):
            self.fired, wait = True, AGAIN
            _raise_in(self.target, self.kind)
            if not told and time.monotonic() - since > self.seconds + GIVE_UP:
                told = True
                words = "This call can't be stopped: choose Kernel, Interrupt (is there a bare `except:`?)."
                print(words, file=sys.__stderr__ or sys.stderr, flush=True)
        self.over = True
        self.ended.release()

    def end(self):
        """After this no Stopped comes any more; one that is on its way is caught here or taken back."""
        interrupted = False
        while True:
            try:
                if hasattr(self.kind, "__del__"):
                    del self.kind.__del__
                if self.running.locked():
                    self.running.release()
                if not self.over:
                    self.ended.acquire(timeout=1)
                if self.over:
                    _raise_in(self.target, None)
                    break
            except Stopped:
                continue
            except KeyboardInterrupt:  # first the watch has to end
                interrupted = True
        if interrupted:
            raise KeyboardInterrupt


def _raise_in(thread: int, kind: type[BaseException] | None) -> None:
    """Let `kind` be raised in a thread at its next line of Python; None takes back what is on its way."""
    what = ctypes.py_object(kind) if kind is not None else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), what)


def run(function: Callable[[], Any], seconds: float) -> Run:
    """Call a function for at most `seconds`. KeyboardInterrupt passes through, all other errors are kept."""
    result, heard = Run(), io.StringIO()
    with _untouched(), contextlib.redirect_stdout(heard), contextlib.redirect_stderr(heard):
        watch, start = _Watch(seconds), time.monotonic()
        try:
            try:
                result.value = function()
            finally:
                watch.end()
        except Stopped:
            pass
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            result.error = error
    result.seconds = time.monotonic() - start
    result.stopped = watch.fired
    if watch.fired:
        result.value = result.error = None
    result.printed = heard.getvalue()
    return result


@contextlib.contextmanager
def _untouched():
    """The random number generators and torch's settings are afterwards what they were."""
    torch, numpy = sys.modules.get("torch"), sys.modules.get("numpy")
    before = random.getstate()
    of_numpy = numpy.random.get_state() if numpy else None
    of_torch = torch.get_rng_state() if torch else None
    cuda = torch.cuda if torch and torch.cuda.is_initialized() else None
    of_cuda = cuda.get_rng_state_all() if cuda else None
    settings = (torch.is_grad_enabled(), torch.get_default_dtype()) if torch else None
    random.seed(0)
    if numpy:
        numpy.random.seed(0)
    if torch:
        torch.manual_seed(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        random.setstate(before)
        if numpy:
            numpy.random.set_state(of_numpy)
        if torch:
            torch.set_rng_state(of_torch)
            if cuda:
                cuda.set_rng_state_all(of_cuda)
            torch.set_grad_enabled(settings[0])
            torch.set_default_dtype(settings[1])
