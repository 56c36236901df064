"""Real replicas and stores: what comes back after a fault or a race is what each store's nature lets come back."""

from collections.abc import Iterator
from typing import cast

import pytest

from apps.contract.registry import strategies
from authbench.backends.embedded import EmbeddedStack
from authbench.conformance.verification import Minted
from authbench.experiments.ground import Ground
from authbench.experiments.revival.measurement import measure
from authbench.experiments.revival.plan import RevivalPlan
from authbench.generator import Generator
from authbench.observed import Observation
from authbench.progress import Silent

pytestmark = pytest.mark.slow
CACHED, ONCE, REFRESH, DENIED = "session-cached-db", "jwt-once", "jwt-refresh", "jwt-denylist"
USERS, CREDENTIALS = 5, 90
PLAN = RevivalPlan(
    kind="revival",
    event=("none", "cache flush", "cache restart", "database crash, commits kept"),
    race=("preferences", "logout"),
    users=USERS,
    times=1,
)


@pytest.fixture(scope="module")
def stack() -> Iterator[EmbeddedStack]:
    with EmbeddedStack(
        strategies=[strategies()[name] for name in (CACHED, ONCE, REFRESH, DENIED)], replicas=2
    ) as running:
        running.seed(users=CREDENTIALS, orders=0)
        yield running


@pytest.fixture(scope="module")
def observed(stack: EmbeddedStack) -> list[Observation]:
    """One launch of the experiment."""
    rows: list[Observation] = []
    paths = stack.mint_all(list(stack.strategies.values()), CREDENTIALS)
    ground = Ground(
        stack=stack,
        strategies=tuple(stack.strategies.values()),
        minted={name: Minted.read(path) for name, path in paths.items()},
        generator=cast(Generator, None),  # nothing is loaded
        launches=1,
        seed=1,
        earlier=frozenset(),
        record=rows.append,
        watcher=Silent(),
    )
    planned = stack.deployment
    measure(ground, PLAN)
    assert (stack.deployment, stack.relay) == (planned, None)  # as before
    return rows


def after(observed: list[Observation], strategy: str, event: str) -> tuple[float, ...]:
    """Logouts that were acknowledged, undone, and others still logged in."""
    (row,) = [row for row in observed if (row.levels["strategy"], row.levels.get("event")) == (strategy, event)]
    return tuple(row.values[name] or 0.0 for name in ("acknowledged", "revived", "others_accepted"))


def places(observed: list[Observation], part: str, strategy: str, request: str) -> list[Observation]:
    """The operations that the request was stopped in front of."""
    wanted = (part, strategy, request)
    return [
        row for row in observed if (row.levels["part"], row.levels["strategy"], row.levels.get("request")) == wanted
    ]


def totals(rows: list[Observation], *names: str) -> tuple[float, ...]:
    return tuple(sum(row.values[name] or 0.0 for row in rows) for name in names)


@pytest.mark.parametrize("strategy", [CACHED, ONCE, REFRESH, DENIED])
def test_a_logout_holds_where_nothing_happens(observed: list[Observation], strategy: str) -> None:
    assert after(observed, strategy, "none") == (USERS, 0, USERS)


@pytest.mark.parametrize("strategy", [CACHED, REFRESH])
def test_a_killed_database_that_keeps_its_commits_keeps_logouts(observed: list[Observation], strategy: str) -> None:
    assert after(observed, strategy, "database crash, commits kept") == (USERS, 0, USERS)


@pytest.mark.parametrize("event", ["cache flush", "cache restart"])
def test_a_cache_that_forgets_gives_back_what_it_alone_had_taken(observed: list[Observation], event: str) -> None:
    assert after(observed, ONCE, event) == (USERS, USERS, USERS)
    assert after(observed, CACHED, event) == (USERS, 0, USERS)  # the database still knows, of both kinds of user


def test_a_write_that_fills_the_cache_after_the_logout_brings_the_session_back(observed: list[Observation]) -> None:
    rows = places(observed, "race", CACHED, "preferences")
    operations = ["GET", "SELECT shop_user", "BEGIN", "UPDATE django_session", "COMMIT", "SET"]
    assert [row.levels["operation"] for row in rows] == operations
    assert [row.values["acknowledged"] for row in rows] == [1.0] * len(rows)
    # At the COMMIT the logout waits for the row: which of the two reaches the cache last is nobody's promise.
    assert [row.values["waited"] for row in rows] == [0, 0, 0, 0, 1, 0]
    assert [row.values["revived"] for row in rows if not row.values["waited"]] == [0, 0, 0, 0, 1]


def test_a_logout_that_a_refresh_overtakes_is_not_called_done(observed: list[Observation]) -> None:
    rows = places(observed, "race", DENIED, "logout")
    assert [row.levels["operation"] for row in rows] == ["GET", "SET"]
    assert totals(rows, "logouts", "acknowledged", "other_ok") == (2, 0, 2)
    families = places(observed, "race", REFRESH, "logout")  # whose logout ends what was renewed as well
    assert totals(families, "logouts", "acknowledged", "other_ok", "revived_renewed") == (1, 1, 1, 0)


def test_a_token_for_one_request_is_good_for_one_of_two(observed: list[Observation]) -> None:
    rows = places(observed, "twice", ONCE, "whoami")
    assert [row.levels["operation"] for row in rows] == ["SET"]
    assert totals(rows, "pairs", "both_accepted", "one_accepted", "living") == (1, 0, 1, 1)


def test_a_refresh_token_in_two_requests_ends_the_family(observed: list[Observation]) -> None:
    rows = places(observed, "twice", REFRESH, "refresh")
    assert [row.levels["operation"] for row in rows] == ["SELECT families_family", "UPDATE families_family"]
    assert totals(rows, "pairs", "both_accepted", "one_accepted", "living") == (2, 0, 2, 0)


@pytest.mark.parametrize("strategy", [CACHED, ONCE, REFRESH])
def test_a_logout_that_broke_off_is_an_outage_to_its_client(observed: list[Observation], strategy: str) -> None:
    rows = places(observed, "half", strategy, "logout")
    assert len(rows) == {CACHED: 5, ONCE: 1, REFRESH: 1}[strategy]
    logouts, told, failed, undone, forgotten = totals(rows, "logouts", "acknowledged", "failed", "revived", "forgotten")
    assert (logouts, told, failed, undone, forgotten) == (len(rows), 0, len(rows), 0, 0)


def test_a_cached_session_survives_the_logout_that_reached_its_row_alone(observed: list[Observation]) -> None:
    *_, last = places(observed, "half", CACHED, "logout")
    assert (last.levels["operation"], last.values["still_accepted"]) == ("DEL", 1.0)
