"""The queue: who is answered with whom, in which order, and what an error, a stop and a full queue do."""

import asyncio
import threading

import pytest

from helpers.serving.batching import Batcher, QueueFull, Stopping, answers_or_errors


class Work:
    """Squares numbers, keeps every batch, fails where it meets 13, and waits while the gate is shut."""

    def __init__(self):
        self.batches, self.threads, self.gate = [], set(), threading.Event()
        self.gate.set()

    def __call__(self, items):
        assert self.gate.wait(20)
        self.batches.append(list(items))
        self.threads.add(threading.current_thread().name)
        if 13 in items:
            raise ValueError("13")
        return [item * item for item in items]


def run(coroutine_function, work=None, **options):
    """Run a coroutine function of (batcher, work), and return the work."""
    work = work or Work()

    async def main():
        async with Batcher(work, **options) as batcher:
            await coroutine_function(batcher, work)

    asyncio.run(asyncio.wait_for(main(), 30))
    return work


async def until(condition):
    while not condition():
        await asyncio.sleep(0.001)


def test_items_that_wait_are_one_batch():
    async def ask(batcher, work):
        work.gate.clear()
        first = batcher.submit([1])
        await until(lambda: not batcher._queue)  # the thread has it
        others = [batcher.submit([number]) for number in range(2, 12)]
        assert batcher.waiting == 11
        work.gate.set()
        found = [await future for futures in (first, *others) for future in futures]
        assert found == [number * number for number in range(1, 12)]
        await asyncio.sleep(0)
        assert (batcher.batches, batcher.answered, batcher.waiting) == (4, 11, 0)

    work = run(ask, most=4)
    assert work.batches == [[1], [2, 3, 4, 5], [6, 7, 8, 9], [10, 11]]
    assert len(work.threads) == 1 and "MainThread" not in work.threads


def test_a_large_request_is_spread_and_shares_its_last_batch():
    async def ask(batcher, work):
        many, one = batcher.submit(list(range(5))), batcher.submit([7])
        assert await asyncio.gather(*many, *one) == [0, 1, 4, 9, 16, 49]

    assert run(ask, most=3).batches == [[0, 1, 2], [3, 4, 7]]


def test_the_oldest_waits_for_others():
    async def ask(batcher, work):
        loop = asyncio.get_running_loop()
        began = loop.time()
        first = batcher.submit([1])
        await asyncio.sleep(0.05)
        await asyncio.gather(*first, *batcher.submit([2]))
        assert loop.time() - began > 0.49

    assert run(ask, most=3, wait=0.5).batches == [[1, 2]]


def test_a_full_batch_waits_for_nothing():
    async def ask(batcher, work):
        assert await asyncio.gather(*batcher.submit([3, 4, 5])) == [9, 16, 25]

    assert run(ask, most=3, wait=1_000).batches == [[3, 4, 5]]


def test_an_error_harms_its_own_item_alone():
    async def ask(batcher, work):
        requests = [batcher.submit(items) for items in ([1, 2], [13], [3], [4, 5, 6])]
        found = [await asyncio.gather(*futures, return_exceptions=True) for futures in requests]
        assert found[0] + found[2] + found[3] == [1, 4, 9, 16, 25, 36]
        assert isinstance(found[1][0], ValueError)

    work = run(ask, most=8)
    assert work.batches[0] == [1, 2, 13, 3, 4, 5, 6] and len(work.batches) == 1 + 2 * 3 - 1 + 1


def test_errors_that_work_returns_and_answers_that_are_missing():
    assert [str(found) for found in answers_or_errors(lambda items: [KeyError(1)] * len(items), [1])] == ["1"]
    found = answers_or_errors(lambda items: items[:2], [1, 2, 3])
    assert found == [1, 2, 3]  # halved until nothing is missing
    (error,) = answers_or_errors(lambda items: [], [1])
    assert isinstance(error, RuntimeError) and "0 answers to 1 items" in str(error)


def test_a_full_queue_takes_all_of_a_request_or_nothing():
    async def ask(batcher, work):
        work.gate.clear()
        kept = batcher.submit([1, 2, 3])
        with pytest.raises(QueueFull) as full:
            batcher.submit([4, 5])
        assert (full.value.waiting, full.value.room, full.value.seconds) == (3, 4, 1)
        kept += batcher.submit([6])
        work.gate.set()
        assert await asyncio.gather(*kept) == [1, 4, 9, 36]
        assert await batcher.submit([4])[0] == 16  # there is room again

    run(ask, room=4)


def test_who_has_gone_is_not_computed():
    async def ask(batcher, work):
        work.gate.clear()
        first = batcher.submit([1])
        await until(lambda: not batcher._queue)
        gone, stayed = batcher.submit([2, 3]), batcher.submit([4])
        for future in (*gone, *first):  # the first is being computed: its answer goes nowhere
            future.cancel()
        await asyncio.sleep(0)
        assert batcher.waiting == 1
        work.gate.set()
        assert await stayed[0] == 16

    assert run(ask).batches == [[1], [4]]


def test_a_stop_answers_what_was_accepted_and_takes_no_more():
    async def ask(batcher, work):
        work.gate.clear()
        kept = batcher.submit([1, 2, 3])
        batcher.close()
        with pytest.raises(Stopping):
            batcher.submit([4])
        assert not await batcher.drain(0.01)
        work.gate.set()
        assert await batcher.drain(20) and [future.result() for future in kept] == [1, 4, 9]

    run(ask, most=2, wait=100)  # nor does it wait for more


def test_a_stop_that_is_cut_short_says_so_to_all_that_wait():
    async def ask(batcher, work):
        work.gate.clear()
        kept = batcher.submit([1, 2, 3])
        await until(lambda: len(batcher._queue) == 1)
        batcher.close()
        batcher.give_up()
        assert not await batcher.drain(0.01)  # a batch that runs comes to its end
        work.gate.set()
        found = await asyncio.gather(*kept, return_exceptions=True)
        assert found[:2] == [1, 4] and isinstance(found[2], Stopping)

    run(ask, most=2)


def test_the_time_until_there_is_room():
    async def ask(batcher, work):
        assert batcher.seconds_to_wait() == 1
        work.gate.clear()
        futures = batcher.submit([1])
        await asyncio.sleep(0.2)
        work.gate.set()
        await futures[0]
        work.gate.clear()
        futures = batcher.submit(list(range(12)))
        assert 3 <= batcher.seconds_to_wait() <= 60  # 12 items, about 0.2 seconds each
        work.gate.set()
        await asyncio.gather(*futures)

    run(ask)
