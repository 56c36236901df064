"""What one request asks of the interpreter: exact counts, and nothing left switched on."""

import gc
import sys
from collections.abc import Callable, Iterator
from random import SystemRandom
from typing import Any

import pytest

from apps.shop import interpreter
from apps.shop.interpreter import Act, count_bytecodes, count_calls, fewest, same_twice


@pytest.fixture(autouse=True)
def _tracers_of_somebody_else() -> Iterator[None]:
    """A coverage tool's tracer goes on after the test."""
    trace, profile = sys.gettrace(), sys.getprofile()
    yield
    sys.setprofile(profile)
    sys.settrace(trace)


@pytest.fixture(autouse=True, scope="module")
def _what_other_tests_keep() -> Iterator[None]:
    """Every count begins with a collection, which would look at all that the whole suite has loaded."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


BOTH = pytest.mark.parametrize("count", [count_calls, count_bytecodes])


def nothing() -> None:
    pass


def nested(depth: int) -> None:
    if depth:
        nested(depth - 1)


def loop(turns: int) -> int:
    total = 0
    for turn in range(turns):
        total += turn
    return total


def calling(times: int) -> None:
    for _ in range(times):
        nothing()


def generating(values: int) -> Iterator[int]:
    yield from range(values)


def falling() -> None:
    nothing()
    raise LookupError("in the middle of a request")


def test_an_empty_function_is_one_call() -> None:
    assert count_calls(nothing) == 1


def test_every_function_entered_counts_itself_included() -> None:
    assert [count_calls(lambda depth=depth: nested(depth)) for depth in (0, 1, 5, 50)] == [2, 3, 7, 52]
    assert count_calls(lambda: calling(10)) == 12


def test_functions_in_c_do_not_count() -> None:
    assert count_calls(lambda: [len("x"), sorted([3, 1]), "a".upper(), max(1, 2)]) == 1


def test_a_function_that_c_code_calls_back_counts() -> None:
    def key(value: int) -> int:
        return -value

    assert count_calls(lambda: sorted([1, 2, 3], key=key)) == 4


def test_a_loop_is_not_seen_by_calls_but_by_bytecodes() -> None:
    assert count_calls(lambda: loop(0)) == count_calls(lambda: loop(1_000))
    assert count_bytecodes(lambda: loop(0)) < count_bytecodes(lambda: loop(1_000))


def test_more_turns_add_the_same_number_of_bytecodes_each() -> None:
    counts = [count_bytecodes(lambda turns=turns: loop(turns)) for turns in (0, 1, 2, 10, 100, 1_000)]
    a_turn = counts[1] - counts[0]
    assert a_turn > 2
    assert counts == [counts[0] + turns * a_turn for turns in (0, 1, 2, 10, 100, 1_000)]


def test_an_empty_function_has_few_bytecodes_and_more_work_more() -> None:
    assert 2 <= count_bytecodes(nothing) <= 5
    assert count_bytecodes(lambda: calling(2)) - count_bytecodes(lambda: calling(1)) >= count_bytecodes(nothing)


@BOTH
@pytest.mark.parametrize("act", [nothing, lambda: nested(20), lambda: loop(99), lambda: list(generating(7))])
def test_the_same_request_gives_the_same_count_however_often(count: Callable[[Act], int], act: Act) -> None:
    act()
    assert len({count(act) for _ in range(20)}) == 1


@BOTH
def test_how_long_the_process_has_run_that_code_does_not_matter(count: Callable[[Act], int]) -> None:
    """The interpreter specialises what it runs often; a count is of the code as written."""

    def fresh() -> int:
        total = 0
        for turn in range(50):
            total += turn * 2
        return total

    first = count(fresh)
    for _ in range(200):
        fresh()
    assert count(fresh) == first


@BOTH
def test_the_draws_of_a_session_key_do_not_count(count: Callable[[Act], int]) -> None:
    """How many there are is a matter of chance: some are rejected."""
    secret = SystemRandom()

    def draw(times: int) -> Act:
        def act() -> None:
            for _ in range(times):
                secret.getrandbits(6)

        return act

    if count is count_calls:
        assert count(draw(50)) == count(draw(0)) == 1
    else:
        one, two, three = (count(draw(times)) for times in (1, 2, 3))
        assert three - two == two - one < 15  # the loop's own


class OneAfterAnother:
    """A count that gives these values in turn."""

    def __init__(self, *values: int) -> None:
        self.values = list(values)
        self.prepared = 0

    def prepare(self) -> Act:
        self.prepared += 1
        return nothing

    def count(self, act: Act) -> int:
        assert act is nothing
        return self.values.pop(0)


def test_the_fewest_of_some_counts_is_of_requests_prepared_each_time_anew() -> None:
    given = OneAfterAnother(9, 7, 8, 7, 9)
    assert fewest(given.count, given.prepare) == 7
    assert given.prepared == 5
    given = OneAfterAnother(3, 2)
    assert fewest(given.count, given.prepare, times=2) == 2


@pytest.mark.parametrize(("values", "told"), [((7, 7), 7), ((7, 8), None), ((0, 0), 0)])
def test_a_count_that_differs_the_second_time_is_none(values: tuple[int, int], told: int | None) -> None:
    given = OneAfterAnother(*values)
    assert same_twice(given.count, given.prepare) == told
    assert given.prepared == 2


def test_a_request_that_is_really_counted_is_the_same_twice() -> None:
    assert same_twice(count_calls, lambda: lambda: nested(3)) == 5
    state = iter(range(10))
    assert same_twice(count_calls, lambda: lambda: nested(next(state))) is None


@BOTH
@pytest.mark.parametrize("act", [nothing, falling])
def test_nothing_is_traced_afterwards_and_the_collector_runs_again(count: Callable[[Act], int], act: Act) -> None:
    sys.settrace(None)
    sys.setprofile(None)
    if act is falling:
        with pytest.raises(LookupError):
            count(act)
    else:
        count(act)
    assert (sys.gettrace(), sys.getprofile(), gc.isenabled()) == (None, None, True)


@BOTH
def test_the_collector_does_not_run_meanwhile(count: Callable[[Act], int]) -> None:
    seen: list[bool] = []
    collected: list[str] = []

    def note(phase: str, info: dict[str, Any]) -> None:
        collected.append(phase)

    def act() -> None:
        seen.append(gc.isenabled())
        gc.callbacks.append(note)
        for _ in range(5_000):
            [[] for _ in range(2)]
        gc.callbacks.remove(note)

    count(act)
    assert (seen, collected) == ([False], [])


@BOTH
def test_what_a_finaliser_does_is_not_the_next_requests(count: Callable[[Act], int]) -> None:
    class Loud:
        def __init__(self) -> None:
            self.me = self  # a ring: only the collector frees it

        def __del__(self) -> None:
            nested(30)

    quiet = count(nothing)
    Loud()
    assert count(nothing) == quiet


def test_the_code_that_is_left_out_is_that_of_the_systems_random_source() -> None:
    assert interpreter.DRAW is SystemRandom.getrandbits.__code__
