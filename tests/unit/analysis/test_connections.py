"""What each way to serve and to pool promises, and which windows its connections may be read from."""

import pytest

from authbench.analysis.connections import Sizes, Way, readable, turned_away, way_of
from authbench.records import Reason
from tests.unit.analysis.synthetic import World, changed, make

SIZES = Sizes(workers=2, threads=4, pool=3, proxied=5)


@pytest.mark.parametrize(
    ("serving", "pooling", "expected"),
    [
        ("threads", "new", 3 * 2 * 4),
        ("threads", "persistent", 3 * 2 * 4),
        ("threads", "pool", 3 * 2 * 3),
        ("sync", "persistent", 3 * 2 * 4),
        ("sync", "pool", 3 * (2 * 4) * 3),  # a pool in every process
        ("asgi", "persistent", 32),
        ("asgi", "pool", 3 * 2 * 3),
        ("asgi", "pgbouncer", 5),
        ("sync", "pgbouncer", 5),
    ],
)
def test_the_formula(serving: str, pooling: str, expected: int) -> None:
    assert Way(serving, pooling, replicas=3, in_flight=32).expected(SIZES) == expected


def test_a_busy_machine_spoils_time_and_not_counts() -> None:
    _, (first, second, third, *_), _ = make(World(launches=2, loads=("saturate",)))
    busy = changed(first, reasons=(Reason(code="cpu-contended", message="others"),))
    wrong = changed(second, reasons=(Reason(code="errors", message="503"), Reason(code="steal", message="x")))
    assert readable([busy, wrong, third]) == [busy, third]
    again = changed(first, attempt=1, trial=99)
    assert readable([busy, again]) == [again]


def test_windows_that_were_turned_away_are_those_with_503() -> None:
    _, (first, second, *_), _ = make(World(launches=2, loads=("saturate",)))
    away = changed(first, load__failures={"status 503": 7})
    assert turned_away([away, second, changed(second, load__failures={"status 500": 1})]) == [away]


def test_what_is_not_varied_is_gunicorns_threads_with_persistent_connections() -> None:
    _, (first, *_), _ = make(World(launches=2, loads=("saturate",)))
    assert (way_of(first).serving, way_of(first).pooling) == ("threads", "persistent")
    asgi = changed(first, cell={**first.cell, "serving": "asgi", "pooling": "pool"})
    assert (way_of(asgi).serving, way_of(asgi).pooling) == ("asgi", "pool")
