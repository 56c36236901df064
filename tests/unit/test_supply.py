"""Which credentials the windows of a launch send, by working set."""

import pytest

from authbench.supply import EachOnce, Part, supply_of
from authbench.working_set import (
    HOT_USERS,
    PREPARED,
    REWARM_REQUESTS,
    UNIQUE_A_PROCESS,
    Extent,
    Launched,
    extent,
    fewest_sessions,
)

LAUNCHED = Launched(processes=2, windows=3)


def places(part: Part, sent: int, size: int) -> list[int]:
    """The places in the file that a window sends which has time for `sent` requests."""
    count = sent if part.most is None else min(sent, part.most)
    return [(part.first + i) % size for i in range(count)]


@pytest.mark.parametrize("kind", ["own", "hot"])
def test_own_and_hot_begin_every_window_at_the_start_of_the_file(kind):
    supply = supply_of(kind, PREPARED, LAUNCHED)
    for _ in range(2):
        assert supply.warm_up(400) == Part(0, 400)
        assert supply.window() == Part(0, None)
        supply.sent(123)


def test_extents():
    assert extent("own", 500, LAUNCHED) == Extent(PREPARED, 500)
    assert extent("hot", 500, LAUNCHED) == Extent(PREPARED, HOT_USERS)
    assert extent("unique", 9_999, LAUNCHED) == Extent(2 * UNIQUE_A_PROCESS, 2 * UNIQUE_A_PROCESS)
    assert extent("cold", 9_999, LAUNCHED) == Extent(9_999, 9_999)
    assert fewest_sessions("own", LAUNCHED) == 1


def test_unique_a_full_cache_has_dropped_each_credential_before_it_comes_again():
    """Round robin: each of two processes sees every other request, and a cache of less than UNIQUE_A_PROCESS no hit."""
    size = extent("unique", 9_999, LAUNCHED).requests
    supply = supply_of("unique", size, LAUNCHED)
    sent = places(supply.warm_up(400), size, size)
    supply.sent(len(sent))
    assert len(set(sent)) == size  # the cache is full before anything is measured
    for requests in (900, 5_000, 20, 1):
        for measured in (False, True):
            here = places(supply.window() if measured else supply.warm_up(20), requests, size)
            supply.sent(len(here))
            sent += here
    last: dict[int, int] = {}
    for at, place in enumerate(sent):
        assert at - last.get(place, -size) >= size
        last[place] = at


def test_unique_begins_a_launch_and_what_follows_the_generators_death_with_a_whole_round():
    supply = supply_of("unique", 4_000, LAUNCHED)
    for again in (supply.start_launch, supply.lost):
        assert supply.warm_up(400).most == 4_000
        supply.sent(4_000)
        assert supply.warm_up(20).most == 20
        again()
    assert supply.warm_up(400).most == 4_000


def test_cold_no_credential_is_sent_twice_in_a_launch():
    size = fewest_sessions("cold", LAUNCHED) + 7
    supply = supply_of("cold", size, LAUNCHED)
    for _ in range(2):
        supply.start_launch()
        sent = places(supply.warm_up(400), 400, size)
        for _ in range(LAUNCHED.windows):
            window = places(supply.window(), 100_000, size)
            supply.sent(len(window))
            sent += window
            assert len(window) >= 500
            sent += places(supply.warm_up(REWARM_REQUESTS), 100_000, 2 * size)
        assert len(set(sent)) == len(sent)
    with pytest.raises(AssertionError, match="planned"):
        supply.window()


def test_cold_a_window_after_the_generators_death_has_a_share_of_its_own():
    supply = EachOnce(10_000, LAUNCHED)
    lost = supply.window()
    supply.lost()
    after = supply.window()
    assert lost.first + lost.most <= after.first
