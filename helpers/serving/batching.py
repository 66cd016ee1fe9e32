"""The queue: texts that wait are answered together, in one thread beside the event loop.

    requests  a  b b b     c  d          each item has a future of its own
    queue     a  b b b  |  c  d          a batch: at most `most` items, first come, first served
    thread    [a b b b] -> answers       the event loop takes further requests meanwhile

A batch begins when the thread is free and either `most` items wait or the oldest has waited for `wait`
seconds. So a busy service never waits on purpose: while a batch is computed, the next one gathers. Where a
batch fails, it is halved until the items that fail are alone; the others get their answers.

Left out: priorities. What is read at once inside a batch, `helpers.everyday.grouping` decides by length.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

__all__ = ["Batcher", "QueueFull", "Stopping", "answers_or_errors"]


class QueueFull(Exception):
    """No room for these items; `seconds`: when there may be some."""

    def __init__(self, waiting: int, room: int, seconds: int):
        super().__init__(f"{waiting} items wait already, at most {room} may")
        self.waiting, self.room, self.seconds = waiting, room, seconds


class Stopping(Exception):
    """The queue takes no more items, or gave up those that waited."""


class Waiting(NamedTuple):
    item: object
    answer: asyncio.Future
    since: float


def answers_or_errors(work: Callable[[Sequence], Sequence], items: Sequence) -> list:
    """One answer or exception for each item: a batch that fails is halved until those that fail are alone."""
    try:
        found = list(work(items))
        if len(found) != len(items):
            raise RuntimeError(f"{len(found)} answers to {len(items)} items")
        return found
    except Exception as error:
        if len(items) == 1:
            return [error]
    half = len(items) // 2  # outside of the handler: the failed batch's tensors are free again
    return [*answers_or_errors(work, items[:half]), *answers_or_errors(work, items[half:])]


class Batcher:
    """Answers items in batches: `async with Batcher(work) as batcher: futures = batcher.submit(items)`.

    work: a function of a list of items that returns an answer, or an exception, for each; it runs in one
    thread, always the same. most: items in a batch; wait: seconds; room: items that are accepted and not yet
    answered. begin: called once in that thread. `batches` and `answered` count what was done.
    """

    def __init__(
        self, work: Callable[[Sequence], Sequence], most: int = 32, wait: float = 0.0, room: int = 512,
        begin: Callable[[], None] = lambda: None,
    ):  # fmt: skip
        self.most, self.wait, self.room = most, wait, room
        self.batches = self.answered = 0
        self.accepting = False
        self._work = work
        self._queue: deque[Waiting] = deque()
        self._open: set[asyncio.Future] = set()
        self._thread = ThreadPoolExecutor(1, "batches", begin)
        self._seconds = 0.0  # of an item, lately

    @property
    def waiting(self) -> int:
        """Items that are accepted and not yet answered."""
        return len(self._open)

    async def __aenter__(self) -> "Batcher":
        self._loop, self._arrived = asyncio.get_running_loop(), asyncio.Event()
        self.accepting = True
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_) -> None:
        """Give up what still waits, and let a batch that runs come to its end."""
        self.close()
        self.give_up()
        self._task.cancel()
        await asyncio.wait([self._task])
        await asyncio.to_thread(self._thread.shutdown)

    def submit(self, items: Sequence) -> list[asyncio.Future]:
        """A future for each item, all or none; QueueFull or Stopping. A cancelled future is not computed."""
        if not self.accepting:
            raise Stopping("the queue takes no more items")
        if self.waiting + len(items) > self.room:
            raise QueueFull(self.waiting, self.room, self.seconds_to_wait())
        now = self._loop.time()
        futures = [self._loop.create_future() for _ in items]
        for item, future in zip(items, futures, strict=True):
            self._open.add(future)
            future.add_done_callback(self._open.discard)
            self._queue.append(Waiting(item, future, now))
        self._arrived.set()
        return futures

    def seconds_to_wait(self) -> int:
        """Whole seconds until what waits now will be answered, at the speed of the last batches; 1 to 60."""
        return min(60, max(1, math.ceil(self.waiting * self._seconds)))

    def close(self) -> None:
        """Take no more items. What waits is answered, without waiting for more."""
        self.accepting = False
        self._arrived.set()

    def give_up(self) -> None:
        """Let everything that still waits fail with Stopping; a batch that runs goes on."""
        while self._queue:
            future = self._queue.popleft().answer
            if not future.done():
                future.set_exception(Stopping("the service was stopped before it came to this item"))

    async def drain(self, seconds: float) -> bool:
        """Wait until everything is answered, for so many seconds at most; whether it is."""
        if self._open:
            await asyncio.wait(set(self._open), timeout=seconds)
        return not self._open

    async def _run(self) -> None:
        while True:
            batch = await self._next()
            began = time.perf_counter()
            found = await self._loop.run_in_executor(
                self._thread, answers_or_errors, self._work, [each.item for each in batch]
            )
            seconds = (time.perf_counter() - began) / len(batch)
            self._seconds = seconds if not self.batches else 0.8 * self._seconds + 0.2 * seconds
            self.batches += 1
            self.answered += len(batch)
            for each, answer in zip(batch, found, strict=True):
                if each.answer.done():  # whoever asked has gone
                    continue
                if isinstance(answer, Exception):
                    each.answer.set_exception(answer)
                else:
                    each.answer.set_result(answer)

    async def _next(self) -> list[Waiting]:
        """The items of the next batch, at least one."""
        while True:
            await self._gathered()
            batch = []
            while self._queue and len(batch) < self.most:
                each = self._queue.popleft()
                if not each.answer.done():
                    batch.append(each)
            if batch:
                return batch

    async def _gathered(self) -> None:
        """Return when a batch waits, or what is there has waited long enough."""
        while not self._queue:
            await self._arrival()
        end = self._queue[0].since + self.wait
        while len(self._queue) < self.most and self.accepting and (left := end - self._loop.time()) > 0:
            try:
                async with asyncio.timeout(left):
                    await self._arrival()
            except TimeoutError:
                return

    async def _arrival(self) -> None:
        self._arrived.clear()
        await self._arrived.wait()
