"""A learner's function is run so that nothing it does harms the notebook.

Loops without an end are stopped from a second thread, without signals, so in any thread and on every system;
what is printed is caught; the state of the random number generators is put back.

A stop is raised between two steps of Python, wherever the call is just then. In a destructor or a callback
Python throws it away and tells sys.unraisablehook: while a call runs, that hook keeps silent about ours, and
the next stop follows at once. Nothing is raised before the call begins or after it has ended.
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

__all__ = ["Stopped", "Run", "run", "within"]

AGAIN = 0.005  # seconds between two attempts to stop a loop that swallows the first
LOOK = 0.05  # seconds between two looks at the processor time of a call that gets more time
GIVE_UP = 30.0  # seconds after which the learner is told to interrupt the kernel


class Stopped(BaseException):
    """Ends a call that takes too long. No Exception, so that `except Exception` lets it through."""


@dataclass
class Run:
    """What a call gave: its value or its error, what it printed, how long it took, whether it was stopped.

    seconds: by the clock. processor: those in which this process had a processor, all threads together; far
    below `seconds` where the machine is busy with other things, or the call waits.
    """

    value: Any = None
    error: BaseException | None = None
    printed: str = ""
    seconds: float = 0.0
    processor: float = 0.0
    stopped: bool = False


class _Watch:
    """Raises its kind of Stopped in the thread that made it, again and again, while `on` is true.

    From `seconds` on; with a `patience` only when the process has had the processor for so long, or when
    `patience` seconds have gone by.
    """

    def __init__(self, seconds: float, patience: float | None):
        self.seconds, self.patience = seconds, patience or 0.0
        self.running, self.ended = threading.Lock(), threading.Lock()
        self.running.acquire()
        self.ended.acquire()
        self.on = self.started = self.fired = self.over = False
        # A bare `except:` in a loop swallows it. When the swallowed one is thrown away, at the end of that
        # `except:`, it sends the next, which is raised where the loop jumps back: outside of the `try`. This
        # must be one call without a line of Python, in which the next would be raised and lost.
        self.kind = type("Stopped", (Stopped,), {})
        self.thread = threading.get_ident()
        raise_in = functools.partial(ctypes.pythonapi.PyThreadState_SetAsyncExc, ctypes.c_ulong(self.thread))
        self.send = functools.partial(raise_in, ctypes.py_object(self.kind))
        self.take_back = functools.partial(raise_in, None)
        self.kind.__del__ = self.send

    def start(self) -> None:
        _silence_begins(self)
        threading.Thread(target=self._wait, daemon=True, name="time limit of an exercise").start()
        self.started = True

    def _wait(self):
        wait, since, before, told = self.seconds, time.monotonic(), time.process_time(), False
        while not self.running.acquire(timeout=wait):
            gone = time.monotonic() - since
            if not self.fired and gone < self.patience and time.process_time() - before < self.seconds:
                wait = LOOK
                continue
            self.fired, wait = True, AGAIN
            if self.on:  # the watched thread gets no turn between this look and the sending
                self.send()
            if not told and gone > self.seconds + GIVE_UP:
                told = True
                words = "This call can't be stopped: choose Kernel, Interrupt (is there a bare `except:`?)."
                print(words, file=sys.__stderr__ or sys.stderr, flush=True)
        self.over = True
        self.ended.release()

    def end(self) -> None:
        """The thread that watches has ended when this returns, and nothing is on its way."""
        try:
            self.running.release()
            while self.started and not self.over:
                try:
                    self.ended.acquire(timeout=1)
                except self.kind:
                    pass
            self.take_back()
        finally:
            _silence_ends(self)


_watches: list[_Watch] = []  # those of the calls that run now, in any thread
_hooks: list[Callable] = []  # ours, and the one whose place it took
_lock = threading.Lock()


def _silence_begins(watch: _Watch) -> None:
    with _lock:
        if not _watches:
            previous = sys.unraisablehook
            sys.unraisablehook = functools.partial(_unraisable, previous)
            _hooks[:] = [sys.unraisablehook, previous]
        _watches.append(watch)


def _silence_ends(watch: _Watch) -> None:
    """After the last call the hook from before is put back; one that was set meanwhile stays, with ours."""
    with _lock:
        if watch in _watches:
            _watches.remove(watch)
            if not _watches and sys.unraisablehook is _hooks[0]:
                sys.unraisablehook = _hooks[1]


def _unraisable(previous: Callable, thrown_away) -> None:
    """Say nothing of a Stopped, nor of what came of one; the hook from before gets the rest, undisturbed."""
    error = thrown_away.exc_value
    while error is not None:
        if isinstance(error, Stopped):
            return
        error = error.__context__
    here = [watch for watch in _watches if watch.on and watch.thread == threading.get_ident()]
    for watch in here:
        watch.on = False
        watch.take_back()
    try:
        previous(thrown_away)
    finally:
        for watch in here:
            watch.on = True


def within(function: Callable[[], Any], seconds: float, patience: float | None = None) -> Run:
    """Call a function for at most `seconds`. KeyboardInterrupt passes through, all other errors are kept.

    patience: with it, `seconds` are those of the processor, and `patience` the most by the clock: for a call
    that a busy machine must not stop.
    """
    result, watch = Run(), _Watch(seconds, patience)
    try:
        watch.start()
        start, before = time.monotonic(), time.process_time()
        try:
            watch.on = True
            try:
                result.value = function()
            finally:  # up to the last of these lines there is no step at which anything could be raised
                watch.on = False
                del watch.kind.__del__
                watch.take_back()
        except KeyboardInterrupt:
            raise
        except watch.kind:
            pass
        except BaseException as error:
            result.error = error
        result.seconds, result.processor = time.monotonic() - start, time.process_time() - before
    finally:
        watch.end()
    result.stopped = watch.fired
    if watch.fired:
        result.value = result.error = None
    return result


def run(function: Callable[[], Any], seconds: float, patience: float | None = None) -> Run:
    """The same, its printing caught, with random numbers that begin anew and go on afterwards as before."""
    heard, errors = io.StringIO(), io.StringIO()
    with _untouched(), contextlib.redirect_stdout(heard), contextlib.redirect_stderr(errors):
        result = within(function, seconds, patience)
    # Where a stop strikes the hook itself, Python writes of it to stderr.
    result.printed = heard.getvalue() + ("" if result.stopped else errors.getvalue())
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
