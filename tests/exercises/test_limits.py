"""A call that is stopped is stopped wherever it is just then, and nothing is raised or told elsewhere."""

import gc
import sys
import textwrap
import threading
import time
import weakref

import pytest

from helpers.exercises import limits

# Where Python throws away what is raised: destructors, callbacks of weak references and of the collector.
BODIES = {
    "weak references": """
        def drop(): pass
        while True:
            thing = Thing()
            watched = [weakref.ref(thing, lambda ref: drop()) for _ in range(5)]
    """,
    "a dictionary of weak keys": """
        found = weakref.WeakKeyDictionary()
        while True:
            thing = Thing()
            found[thing] = 1
    """,
    "destructors": """
        while True:
            [Slow() for _ in range(20)]
    """,
    "an endless destructor": "Endless()",
    "an endless callback": """
        thing = Thing()
        watched = weakref.ref(thing, lambda ref: Endless().__del__())
        del thing
        while True: pass
    """,
    "the collector": """
        while True:
            one, two = Slow(), Slow()
            one.other, two.other = two, one
            gc.collect(0)
    """,
    "a destructor that makes another error of it": """
        while True:
            Careful()
    """,
    "bare except": """
        while True:
            try: [Slow() for _ in range(5)]
            except: pass
    """,
    "generators": """
        def numbers():
            try: yield 1
            finally: sum(i for i in range(20))
        while True: next(numbers())
    """,
}


class Thing:
    pass


class Slow:
    def __del__(self):
        for _ in range(20):
            pass


class Endless:
    def __del__(self):
        while True:
            pass


class Careful:
    def __del__(self):
        try:
            for _ in range(50):
                pass
        except BaseException as error:
            raise RuntimeError("it went wrong") from error


def collecting(phase, info):
    for _ in range(10):
        pass


def program(body):
    space = globals() | {"gc": gc, "weakref": weakref}
    exec("def endless():\n" + textwrap.indent(textwrap.dedent(body), "    "), space)
    return space["endless"]


@pytest.fixture
def told(monkeypatch):
    """What reaches the hook that was there before: pytest's, in a test; Python's own, for a learner."""
    found = []
    hook = lambda thrown_away: found.append(thrown_away.exc_type.__name__)  # noqa: E731
    monkeypatch.setattr(sys, "unraisablehook", hook)
    yield found
    assert sys.unraisablehook is hook and not limits._watches


@pytest.fixture
def load():
    """Two threads that take turns with the call, more often than is usual."""
    busy, before = [True], sys.getswitchinterval()
    sys.setswitchinterval(2e-4)
    threads = [threading.Thread(target=lambda: [None for _ in iter(lambda: busy[0], False)]) for _ in "12"]
    for thread in threads:
        thread.start()
    yield
    busy.clear()
    busy.append(False)
    for thread in threads:
        thread.join()
    sys.setswitchinterval(before)


def nothing_comes_any_more():
    total = 0
    for number in range(2_000):
        total += number
    assert total == 1_999_000


@pytest.mark.parametrize("name", BODIES)
def test_a_stop_in_a_callback_or_destructor_is_silent(name, told, load, capfd):
    endless = program(BODIES[name])
    gc.callbacks.append(collecting)
    try:
        for _ in range(8):
            start = time.monotonic()
            found = limits.run(endless, 0.02)
            assert found.stopped and found.error is None and time.monotonic() - start < 3
            nothing_comes_any_more()
    finally:
        gc.callbacks.remove(collecting)
    assert told == [] and capfd.readouterr() == ("", "")


def test_a_call_that_ends_at_its_limit_is_not_stopped_later(told, load):
    for number in range(100):
        begun = time.monotonic()

        def waits(until=begun + 0.002 + number % 10 * 1e-4):
            while time.monotonic() < until:
                Slow()

        assert limits.run(waits, 0.002).error is None
        nothing_comes_any_more()
    assert told == []


def test_what_is_no_stop_is_told_as_before(told):
    class Wrong:
        def __del__(self):
            raise LookupError("mine")

    def in_another_thread():
        thread = threading.Thread(target=Wrong)
        thread.start()
        thread.join()

    limits.run(Wrong, 1.0)
    assert told == ["LookupError"]
    limits.run(in_another_thread, 1.0)
    assert told == ["LookupError"] * 2
    assert limits.run(lambda: [Wrong() for _ in iter(int, 1)], 0.05).stopped
    assert len(told) > 10 and set(told) == {"LookupError"}


def test_the_hook_from_before_is_not_disturbed(monkeypatch):
    """What stands in its place, such as pytest's, is no part of the learner's call."""
    begun, ended = [], []

    def slow(thrown_away):
        begun.append(1)
        for _ in range(200):
            pass
        ended.append(1)

    class Wrong:
        def __del__(self):
            raise LookupError

    monkeypatch.setattr(sys, "unraisablehook", slow)
    for _ in range(5):
        assert limits.run(lambda: [Wrong() for _ in iter(int, 1)], 0.02).stopped
    assert len(begun) == len(ended) > 5


def test_a_hook_that_was_set_meanwhile_stays(told, monkeypatch):
    before, theirs = sys.unraisablehook, []

    def sets():
        ours = sys.unraisablehook
        sys.unraisablehook = lambda thrown_away: (theirs.append(1), ours(thrown_away))

    limits.run(sets, 1.0)
    hook = sys.unraisablehook
    assert hook is not before
    for _ in range(3):
        assert limits.run(program(BODIES["destructors"]), 0.02).stopped and sys.unraisablehook is hook

    class Wrong:
        def __del__(self):
            raise LookupError

    Wrong()
    assert told == ["LookupError"] and theirs == [1]
    sys.unraisablehook = before


def test_calls_in_several_threads(told):
    endless, found = program(BODIES["weak references"]), []

    def some(seconds):
        found.extend(limits.within(endless, seconds).stopped for _ in range(5))

    threads = [threading.Thread(target=some, args=(0.02 + 0.013 * n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert found == [True] * 20 and told == []


def test_an_interrupt_while_a_watch_is_made_leaves_nothing_behind(told, monkeypatch):
    def interrupted(thread):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(threading.Thread, "start", interrupted)
        limits.run(lambda: 1, 1.0)


def test_a_limit_of_no_time_at_all(told):
    for _ in range(30):
        limits.run(lambda: 1, 1e-9)
        nothing_comes_any_more()


def test_patience_counts_the_time_of_the_processor():
    def waits():
        time.sleep(0.15)
        return 1

    found = limits.run(waits, 0.05, patience=5.0)
    assert found.value == 1 and not found.stopped and found.processor < 0.1 < found.seconds
    assert limits.run(program("while True: pass"), 0.05, patience=5.0).seconds < 3

    def waits_again():
        while True:
            time.sleep(0.01)

    assert limits.run(waits_again, 0.5, patience=0.2).stopped
