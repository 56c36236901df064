import random

import pytest

from authbench.relaying.toxic import KINDS, Toxic

MS = 1_000_000


def test_what_is_told_is_kept_in_the_loops_units() -> None:
    slow = Toxic.told({"kind": "latency", "latency_ms": 200, "jitter_ms": 0.5, "stream": "upstream"})
    assert slow == Toxic("latency", upstream=True, latency_ns=200 * MS, jitter_ns=MS // 2)
    assert Toxic.told({"kind": "bandwidth", "rate_kbps": 10}) == Toxic("bandwidth", bytes_per_s=10_000)
    assert Toxic.told({"kind": "timeout", "timeout_ms": 5}) == Toxic("timeout", timeout_ns=5 * MS)


@pytest.mark.parametrize(
    "word",
    [
        {"kind": "slicer"},
        {"kind": None},
        {"kind": "latency", "stream": "sideways"},
        {"kind": "latency", "latency_ms": -1},
        {"kind": "latency", "latency_ms": "soon"},
        {"kind": "latency", "latency_ms": True},
        {"kind": "timeout", "timeout_ms": float("inf")},
        {"kind": "timeout", "timeout_ms": float("nan")},
        {"kind": "bandwidth"},
    ],
)
def test_anything_else_is_refused(word: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"no toxic|no figure|needs"):
        Toxic.told(word)


def test_delays_lie_within_latency_and_jitter_and_fill_it() -> None:
    draw = random.Random(1)
    toxic = Toxic("latency", latency_ns=10 * MS, jitter_ns=4 * MS)
    delays = [toxic.delay_ns(draw) for _ in range(500)]
    assert 6 * MS <= min(delays) < 7 * MS
    assert 13 * MS < max(delays) <= 14 * MS
    assert {Toxic("latency", latency_ns=10 * MS).delay_ns(draw) for _ in range(5)} == {10 * MS}


def test_a_rate_is_kept_in_pieces_of_a_tenth_of_a_second() -> None:
    pieces = list(Toxic("bandwidth", bytes_per_s=1000).pieces(bytes(250)))
    assert [(len(piece), took_ns) for piece, took_ns in pieces] == [(100, 100 * MS), (100, 100 * MS), (50, 50 * MS)]
    assert [len(piece) for piece, _ in Toxic("bandwidth", bytes_per_s=1).pieces(b"ab")] == [1, 1]


def test_the_kinds_are_toxiproxys() -> None:
    assert KINDS == ("latency", "bandwidth", "reset_peer", "timeout", "down")
