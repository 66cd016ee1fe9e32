"""What a check says to programs that do what programs do: crash, loop, print, change what they are given."""

import textwrap
import threading
import time

import pytest
import torch

from helpers.exercises import judging, sources
from helpers.exercises.exercise import NOT_JUDGED, NOT_TRIED, NOT_YET, RIGHT, Exercise, Mistake, with_method

STUB = '''
def my_halves(numbers, ids):
    """Half of each number of (T, D) whose place is in ids; the others are 0."""
    ...
'''


def halves(numbers, ids):
    result = torch.zeros_like(numbers)
    result[ids] = numbers[ids] / 2
    return result


def probe(function):
    yield "two rows", function(torch.tensor([[1.0, 2.0, 5.0], [3.0, 4.0, 7.0]]), [1])
    yield "three rows", function(torch.tensor([[1.0, 6.0], [3.0, 9.0], [0.5, 4.0]]), [0, 2])


def doubled(numbers, ids):
    return 4 * halves(numbers, ids)


def others_kept(numbers, ids):
    result = numbers.clone()
    result[ids] /= 2
    return result


def ids_emptied(numbers, ids):
    result = halves(numbers, ids)
    ids.clear()
    return result


@pytest.fixture
def exercise():
    return Exercise(
        id="4.99",
        name="halves",
        reference=halves,
        stub=STUB,
        probe=probe,
        hints=("a", "b"),
        mistakes=(
            Mistake(
                "doubled", doubled, "you double: {yours}, not {expected}", show=lambda r: r["two rows"][1, 2]
            ),
            Mistake("others kept", others_kept, "the others stay: {yours} {where}, not {expected}"),
            Mistake("ids emptied", ids_emptied, "the caller's ids are gone"),
        ),
        notice="half of 1 is 0.5",
        difficulty=1,
        minutes=3,
        seconds=0.4,
    )


def said(exercise, function, status=NOT_YET):
    verdict = exercise.check(function)
    assert verdict.status == status, verdict
    return verdict.message


def written(source, name="my_halves", **space):
    """A function out of a text that linecache knows, as a notebook's cell is."""
    import linecache

    source, place = textwrap.dedent(source), f"<cell {len(linecache.cache)}>"
    linecache.cache[place] = (len(source), None, source.splitlines(keepends=True), place)
    exec(compile(source, place, "exec"), space)
    return space[name]


def test_right_and_mistakes(exercise):
    assert said(exercise, halves, RIGHT) == "right. Notice that half of 1 is 0.5"
    assert said(exercise, doubled) == "you double: 14, not 3.5"
    assert said(exercise, others_kept) == "the others stay: 1 two rows at [0, 0], not 0"
    assert said(exercise, ids_emptied) == "the caller's ids are gone"


def test_another_result_is_shown_where_it_differs(exercise):
    words = said(exercise, lambda numbers, ids: halves(numbers, ids) + 1)
    assert words.startswith("two rows: yours is 1 at [0, 0], expected 0 (6 of 6 numbers differ)")


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (
            lambda x: x.tolist(),
            "your result is a list of 2, expected a tensor of shape (2, 3) (torch.tensor or",
        ),
        (lambda x: x.numpy(), "your result is a numpy array of shape (2, 3), expected a tensor"),
        (lambda x: None, "your result is None, expected a tensor of shape (2, 3) (is a `return` missing?)"),
        (lambda x: x.sum().item(), "your result is a number (float), expected a tensor of shape (2, 3)"),
        (lambda x: x.T, "wrong shape (3, 2), expected (2, 3)"),
        (lambda x: x.bfloat16(), "your numbers are torch.bfloat16, expected torch.float32: half precision"),
        (lambda x: x.long(), "your numbers are torch.int64, expected torch.float32"),
        (lambda x: x.bool(), "your numbers are torch.bool, expected torch.float32"),
        (lambda x: (v for v in x), "your result is a generator, expected a tensor"),
    ],
)
def test_another_type(exercise, result, words):
    assert words in said(exercise, lambda numbers, ids: result(halves(numbers, ids)))


def test_doubles_and_other_right_ways_pass(exercise):
    said(exercise, lambda numbers, ids: halves(numbers.double(), ids), RIGHT)
    said(exercise, lambda *given, **more: halves(*given, **more), RIGHT)
    said(exercise, with_method(Halver, "__call__", lambda self, *given: halves(*given))(), RIGHT)


class Halver:
    pass


def test_an_input_that_is_changed_is_named(exercise):
    def in_place(numbers, ids):
        result = halves(numbers, ids)
        numbers.mul_(0)
        return result

    assert "changes its input `numbers`" in said(exercise, in_place)
    object.__setattr__(exercise, "changes", ("numbers",))
    said(exercise, in_place, RIGHT)


def test_a_view_of_the_input():
    exercise = Exercise(
        id="4.98", name="first", reference=lambda x: x[:1].clone(), stub="def my_first(x): ...",
        probe=lambda first: first(torch.tensor([2.0, 3.0])), hints=("a", "b"), mistakes=(), notice="x",
        difficulty=1, minutes=3, fresh=True,
    )  # fmt: skip
    assert "shares its memory with the input `x`" in said(exercise, lambda x: x[:1])
    said(exercise, lambda x: x[:1] * 1, RIGHT)


def test_what_is_printed_is_caught_and_shown_only_when_wrong(exercise, capsys):
    def talks(numbers, ids):
        print("here I am\n" * 30)
        return halves(numbers, ids)

    assert "here" not in said(exercise, talks, RIGHT)
    words = said(exercise, lambda numbers, ids: talks(numbers, ids) + 1)
    assert "(It printed: here I am here I am" in words and words.endswith("…)") and len(words) < 250
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            "return numbers / zero",
            "NameError: name 'zero' is not defined (line 3 of your cell: `return numbers",
        ),
        ("return numbers[7]", "IndexError: index 7 is out of bounds for dimension 0 with size 2 (line 3"),
        ("raise KeyError", "KeyError: no message (line 3"),
        ("return my_halves(numbers, ids)", "RecursionError: your function calls itself without an end"),
        ("exit()", "it calls exit(): give the result back with `return`"),
        ("assert ids == 0, 'no'", "AssertionError: no (line 3"),
    ],
)
def test_an_error_of_the_learner_is_one_line(exercise, body, words):
    function = written(f"# my try\ndef my_halves(numbers, ids):\n    {body}")
    message = said(exercise, function)
    assert words in message and "\n" not in message and "Traceback" not in message


def test_an_error_after_a_difference_tells_the_difference(exercise):
    function = written("""
        def my_halves(numbers, ids):
            if len(ids) > 1:
                raise ValueError("only one id")
            return numbers
    """)
    assert said(exercise, function).startswith("two rows: yours is 1 at [0, 0]")


def test_parameters(exercise):
    for text in ("def my_halves(numbers): return numbers", "def my_halves(): return 1"):
        words = said(exercise, written(text))
        assert "TypeError: my_halves() takes" in words and "called as my_halves(numbers, ids)" in words
    words = said(exercise, written("def my_halves(numbers, ids, more): return numbers"))
    assert "missing 1 required positional argument: 'more'. It is called as my_halves(numbers, ids)" in words


@pytest.mark.parametrize("given", [None, ..., 3, "my_halves", torch.zeros(2)])
def test_no_function(exercise, given):
    assert 'give it the function itself, check("4.99", my_halves), not' in said(exercise, given)


@pytest.mark.parametrize(
    "body",
    [
        "...",
        "pass",
        "'''Other words.'''",
        "'''Words.'''\n    ...",
        "raise NotImplementedError",
        "raise NotImplementedError('later')",
        "# nothing yet\n    ...",
    ],
)
def test_not_tried(exercise, body):
    assert said(exercise, written(f"def my_halves(numbers, ids):\n    {body}"), NOT_TRIED) == "not tried yet"


def test_tried(exercise):
    said(exercise, written("def my_halves(numbers, ids):\n    return None"))
    said(exercise, written("def my_halves(numbers, ids):\n    ...\n    return numbers"))


def test_not_tried_without_a_source(exercise):
    space = {}
    exec(STUB, space)
    said(exercise, space["my_halves"], NOT_TRIED)
    exec("def my_halves(numbers, ids): return numbers", space)
    said(exercise, space["my_halves"])


def test_a_buggy_program_as_stub_is_not_tried_until_it_is_edited(exercise):
    program = "def my_halves(numbers, ids):\n    '''Doc.'''\n    return numbers / 2\n"
    bug = Exercise(**{
        **{n: getattr(exercise, n) for n in ("reference", "probe", "hints", "mistakes", "notice")},
        **{"id": "4.b9", "name": "halves", "stub": program, "difficulty": 1, "minutes": 5},
        **{"kind": "bug", "source": "nobody, 2020"},
    })  # fmt: skip
    said(bug, written(program), NOT_TRIED)
    said(bug, written(program.replace("Doc.", "Doc") + "    # a remark\n"), NOT_TRIED)
    said(bug, written(program.replace("/ 2", "/ 4")))
    with pytest.raises(ValueError, match="a bug needs the source"):
        Exercise(**{**{n: getattr(bug, n) for n in bug.__dataclass_fields__}, "source": ""})


# Loops without an end


LOOPS = {
    "plain": "while True: pass",
    "except Exception": "while True:\n  try:\n   1 / 0\n  except Exception: pass",
    "bare except": "while True:\n  try:\n   sum(range(50))\n  except: pass",
    "bare except around": "while True:\n  try:\n   while True: sum(range(50))\n  except: pass",
    "finally": "while True:\n  try:\n   sum(range(50))\n  finally: continue",
    "tensors": "x = torch.ones(3)\n while True: x = x + 1",
    "recursion in a loop": "def f(n): return 0 if n == 0 else f(n - 1)\n while True: f(50)",
}


def endless(loop):
    return written(f"import torch\ndef my_halves(numbers, ids):\n {LOOPS[loop]}")


@pytest.mark.parametrize("loop", LOOPS)
def test_a_loop_without_an_end_is_stopped(exercise, loop):
    start = time.monotonic()
    words = said(exercise, endless(loop))
    assert words.startswith("it did not end within") and time.monotonic() - start < 3
    total = 0
    for number in range(200_000):  # nothing is on its way any more
        total += number
    assert total == 19_999_900_000
    said(exercise, halves, RIGHT)


def test_a_mistake_without_an_end_has_its_message(exercise):
    mistakes = (*exercise.mistakes, Mistake("endless", endless("plain"), "The ids never run out."))
    object.__setattr__(exercise, "mistakes", mistakes)
    words = said(exercise, endless("finally"))
    assert "does each loop come nearer to its end?" in words and words.endswith(" The ids never run out.")
    assert said(exercise, lambda numbers, ids: halves(numbers, ids) + 1).startswith("two rows: yours is 1")


def test_in_a_thread(exercise):
    found = []
    thread = threading.Thread(target=lambda: found.append(exercise.check(endless("bare except"))))
    thread.start()
    thread.join(10)
    assert not thread.is_alive() and "did not end" in found[0].message


def test_one_long_call_is_told_afterwards(exercise):
    def sleeps(numbers, ids):
        time.sleep(0.6)
        return halves(numbers, ids)

    assert "did not end within" in said(exercise, sleeps)


def test_a_right_function_that_needs_long_the_first_time(exercise):
    """The first optimizer of a kernel imports for seconds; that is nobody's loop without an end."""
    waits = [0.6]

    def imports(numbers, ids):
        time.sleep(waits.pop() if waits else 0)
        return halves(numbers, ids)

    object.__setattr__(exercise, "reference", imports)
    start = time.monotonic()
    assert said(exercise, endless("plain")).startswith("it did not end within 0.4 s")
    assert not waits and time.monotonic() - start < 3
    waits.append(0.6)
    said(exercise, doubled)


def test_a_machine_that_is_too_busy_gives_no_verdict(exercise, monkeypatch):
    monkeypatch.setattr(judging, "MOST_ON_A_BUSY_MACHINE", 0.01)
    object.__setattr__(exercise, "reference", lambda *given: time.sleep(0.2) or halves(*given))
    for function in (halves, doubled):
        words = said(exercise, function, NOT_JUDGED)
        assert words.startswith("this machine is so busy that the right function did not end within 0")


def test_a_function_that_a_busy_machine_stops_is_called_once_more(exercise):
    waits = [0.6]

    def slow(numbers, ids):
        time.sleep(waits.pop() if waits else 0)
        return halves(numbers, ids)

    said(exercise, slow, RIGHT)
    words = said(exercise, lambda numbers, ids: time.sleep(0.3) or halves(numbers, ids))
    assert words.startswith("it did not end within 0.4 s") and "(It had the processor for 0" in words


def test_a_mistake_is_known_on_a_busy_machine(exercise, monkeypatch):
    monkeypatch.setattr(judging, "MOST_FOR_A_MISTAKE", 0.02)
    slow = Mistake("slow", lambda *given: time.sleep(0.05) or doubled(*given), "you double")
    object.__setattr__(exercise, "mistakes", (slow,))
    assert said(exercise, doubled) == "you double"


def test_a_mistake_that_was_stopped_is_tried_once_more(exercise):
    """A pause of the process, for its garbage or another thread's work, can stop a mistake that does end."""
    tries = []

    def pauses(numbers, ids):
        tries.append(0)
        end = time.process_time() + (0.7 if len(tries) == 1 else 0)
        while time.process_time() < end:
            pass
        return doubled(numbers, ids)

    object.__setattr__(exercise, "mistakes", (Mistake("pauses", pauses, "you double"),))
    assert said(exercise, doubled) == "you double" and len(tries) > 1


def test_a_mistake_without_an_end_is_waited_for_once(exercise, monkeypatch):
    monkeypatch.setattr(judging, "MOST_FOR_A_MISTAKE", 0.05)
    never = Mistake("never", endless("plain"), "it never ends")
    object.__setattr__(exercise, "mistakes", (never,))
    assert "never" not in said(exercise, doubled) and judging._endless.count(never) == 1
    start = time.process_time()
    said(exercise, doubled)
    assert time.process_time() - start < 4 * 0.05 and judging._endless.count(never) == 1


def test_many_calls_at_the_edge_of_the_limit(exercise):
    """An end that falls together with the limit leaves no exception behind."""
    object.__setattr__(exercise, "seconds", 0.02)

    def waits(numbers, ids):
        start = time.monotonic()
        while time.monotonic() - start < 0.01:
            pass
        return halves(numbers, ids)

    statuses = {exercise.check(waits).status for _ in range(60)}
    assert statuses <= {NOT_YET, RIGHT}


def test_the_keyboard_interrupts(exercise):
    def interrupted(numbers, ids):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        exercise.check(interrupted)


def test_random_numbers_go_on_as_if_nothing_had_been_checked(exercise):
    torch.manual_seed(7)
    wanted = torch.randn(3)
    torch.manual_seed(7)
    exercise.check(lambda numbers, ids: halves(numbers, ids) + torch.randn(1))
    torch.testing.assert_close(torch.randn(3), wanted)


def test_settings_are_put_back(exercise):
    def careless(numbers, ids):
        torch.set_grad_enabled(False)
        torch.set_default_dtype(torch.float64)
        return halves(numbers, ids)

    exercise.check(careless)
    assert torch.is_grad_enabled() and torch.get_default_dtype() == torch.float32


def test_a_probe_that_fails_is_told_and_not_raised(exercise):
    object.__setattr__(exercise, "reference", lambda numbers, ids: 1 / 0)
    words = said(exercise, doubled, NOT_JUDGED)
    assert words.startswith("the check itself failed (RuntimeError: the right function fails")


def test_an_error_is_matched_by_its_text_or_by_its_type(exercise):
    def strict(numbers, ids):
        raise ValueError("ids must be a tensor")

    def other(numbers, ids):
        raise ValueError("ids must be something else")

    by_text = Mistake("strict", strict, "a list will do")
    object.__setattr__(exercise, "mistakes", (by_text,))
    assert said(exercise, strict).endswith(". A list will do") and "A list" not in said(exercise, other)
    by_type = Mistake("strict", strict, "a list will do", raises=ValueError)
    object.__setattr__(exercise, "mistakes", (by_type,))
    assert said(exercise, other).endswith(". A list will do")


def test_a_class():
    class Counter:
        def __init__(self, start):
            self.start = start

        def next(self):
            self.start += 1
            return self.start

    def from_ten(counter):
        one = counter(10)
        return [one.next(), one.next()]

    stub = "class MyCounter:\n    def __init__(self, start): ...\n\n    def next(self): ..."
    exercise = Exercise(
        id="4.97", name="Counter", reference=Counter, stub=stub, probe=from_ten, hints=("a", "b"), notice="x",
        mistakes=(), difficulty=1, minutes=3,
    )  # fmt: skip
    said(exercise, written(stub, "MyCounter"), NOT_TRIED)
    mine = written(stub.replace("start): ...", "start):\n        self.start = start"), "MyCounter")
    assert "item 0: your result is None" in said(exercise, mine)
    tail = "class MyCounter(Base):\n    def next(self):\n        return self.nothing"
    words = said(exercise, written(tail, "MyCounter", Base=Counter))
    assert "no attribute 'nothing' (line 3 of your cell" in words
    said(exercise, Counter, RIGHT)


def test_sameness(exercise):
    right = judging.outcome_of(exercise, halves)
    assert judging.same(exercise, right, judging.outcome_of(exercise, halves))
    for mistake in exercise.mistakes:
        assert not judging.same(exercise, right, judging.outcome_of(exercise, mistake.function))


CLASS_STUB = '''
class MyCounter(Base):
    """Counts."""

    def __init__(self, start):
        super().__init__()
        ...

    def next(self):
        """The next number."""
        ...
'''


@pytest.mark.parametrize(
    ("old", "new", "tried"),
    [
        ("Counts.", "Words.", False),
        ('        """The next number."""\n', "", False),
        ("        super().__init__()\n", "", False),
        ('next number."""\n        ...', 'next number."""\n        return 1', True),
        ("()\n        ...", "()\n        self.start = start", True),
        ('next number."""\n        ...', 'next number."""\n        return self.start', True),
    ],
)
def test_a_class_without_a_source(old, new, tried):
    space = {"Base": object}
    assert old in CLASS_STUB
    exec(CLASS_STUB.replace(old, new), space)
    assert sources.source_of(space["MyCounter"]) is None
    assert sources.is_untouched(space["MyCounter"], CLASS_STUB, "MyCounter") is not tried


def test_a_function_without_a_source_is_told_by_its_constants():
    space = {}
    for body, tried in (("...", False), ("'''Doc.'''", False), ("return 1", True), ("return text", True)):
        exec(f"def my_text(text): {body}", space)
        stub = "def my_text(text):\n    '''A.'''\n    ..."
        assert sources.is_untouched(space["my_text"], stub, "my_text") is not tried
