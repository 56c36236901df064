import threading
from concurrent.futures import ThreadPoolExecutor

from apps.strategies._tokens import Claims
from apps.strategies._tokens_remembered import Remembering


class Counting:
    """A verifier that knows tokens named `good…` and counts how often it is asked."""

    def __init__(self, nbf: int = 0, exp: int = 100) -> None:
        self.asked: list[str] = []
        self.times = {"nbf": nbf, "exp": exp}

    def verify(self, token: str) -> Claims | None:
        self.asked.append(token)
        return {"jti": token, **self.times} if token.startswith("good") else None


class Clock:
    """A clock that is set."""

    now = 50.0

    def __call__(self) -> float:
        return self.now


def test_a_token_is_verified_once() -> None:
    counting = Counting()
    remembering = Remembering(counting, 4, Clock())
    assert {remembering.verify("good")["jti"] for _ in range(10)} == {"good"}  # type: ignore[index]
    assert counting.asked == ["good"]


def test_a_refusal_is_never_remembered() -> None:
    counting = Counting()
    remembering = Remembering(counting, 4, Clock())
    assert [remembering.verify("bad") for _ in range(3)] == [None] * 3
    assert counting.asked == ["bad"] * 3
    assert len(remembering) == 0


def test_nothing_outlives_exp_or_comes_before_nbf() -> None:
    counting, clock = Counting(nbf=10, exp=100), Clock()
    remembering = Remembering(counting, 4, clock)
    for now, asked in ((50.0, 1), (99.999, 1), (10.0, 1), (9.999, 2), (50.0, 2), (100.0, 3), (1000.0, 4)):
        clock.now = now
        remembering.verify("good")
        assert len(counting.asked) == asked, now


def test_what_has_expired_is_dropped_when_it_is_refused() -> None:
    counting, clock = Counting(exp=100), Clock()
    remembering = Remembering(counting, 4, clock)
    remembering.verify("good")
    clock.now = 100.0
    counting.verify = lambda token: None  # type: ignore[method-assign]
    assert remembering.verify("good") is None
    assert len(remembering) == 0


def test_the_longest_unused_goes_first() -> None:
    counting = Counting()
    remembering = Remembering(counting, 2, Clock())
    for token in ("good1", "good2", "good1", "good3", "good1", "good2"):
        remembering.verify(token)
    assert counting.asked == ["good1", "good2", "good3", "good2"]
    assert len(remembering) == 2


def test_one_token_more_than_there_is_room_for_in_turn_never_hits() -> None:
    """The cliff of every cache of the last used ones: 1,024 in turn are verified once, 1,025 each time."""
    for tokens, verified in ((1024, 1024), (1025, 10 * 1025)):
        counting = Counting()
        remembering = Remembering(counting, 1024, Clock())
        for _ in range(10):
            for number in range(tokens):
                remembering.verify(f"good{number}")
        assert len(counting.asked) == verified
        assert len(remembering) == 1024


def test_it_does_not_keep_a_token() -> None:
    """A memory dump shows no credential: keys are digests."""
    remembering = Remembering(Counting(), 4, Clock())
    remembering.verify("good")
    assert [len(key) for key in remembering._held] == [32]
    assert b"good" not in b"".join(remembering._held)


def test_threads_share_it_within_its_bound() -> None:
    remembering = Remembering(Counting(), 16, Clock())
    start = threading.Barrier(8)

    def work(offset: int) -> bool:
        start.wait()
        return all(
            remembering.verify(token)["jti"] == token  # type: ignore[index]
            for number in range(2000)
            if (token := f"good{(number * 7 + offset) % 40}")
        )

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(8)))
    assert len(remembering) == 16
