"""The article's claims: each ruling follows from the records, and from nothing else."""

from collections.abc import Mapping, Sequence

import pytest

from authbench.analysis.article.claim import Claim, Evidence
from authbench.analysis.article.claims import claims
from authbench.experiments.services import measures as services
from authbench.observed import Observation
from authbench.records import Level, Trial
from tests.unit.analysis.synthetic import TRUTHS, World, a_trial, changed, make

ROUTED = ("logged_out_share", "refused_share", "moved_share", "busiest_share")


def judged(trials: Sequence[Trial] = (), observations: Sequence[Observation] = ()) -> dict[str, Claim]:
    manifest, _, _ = make(World(launches=1, truths=TRUTHS[:2]))
    return {each.name: each for each in claims(Evidence(manifest, trials, observations))}


def connected(peaks: Mapping[tuple[str, str], int]) -> list[Trial]:
    base = a_trial()
    assert base.database is not None
    database = base.database.model_dump()
    return [
        changed(
            base,
            trial=number,
            cell={**base.cell, "strategy": strategy, "session_store": store},
            database={**database, "connections_peak": peak},
        )
        for number, ((strategy, store), peak) in enumerate(peaks.items())
    ]


def observed(
    kind: str, levels: Mapping[str, Level], values: Mapping[str, float | None], launch: int = 0
) -> Observation:
    return Observation(kind=kind, launch=launch, levels=levels, values=values)


def test_without_records_nothing_is_claimed() -> None:
    found = judged()
    assert len(found) == 6
    assert {each.ruling for each in found.values()} == {"not measured"}


@pytest.mark.parametrize(
    ("peaks", "ruling", "when"),
    [
        ((8, 16, 8), "holds only when", "a server of its own"),
        ((16, 32, 8), "holds", ""),
        ((8, 8, 8), "does not hold", ""),
    ],
)
def test_connections_double_where_they_were_counted_twice(peaks: tuple[int, int, int], ruling: str, when: str) -> None:
    beside, apart, row = peaks
    cells = {("session-db", "shared"): beside, ("session-db", "separate"): apart, ("jwt-row", "shared"): row}
    claim = judged(connected(cells))["twice the connections"]
    assert claim.ruling == ruling
    assert when in claim.when
    assert f"held {beside} connections" in claim.measured
    assert f"and {apart} with a server for it alone" in claim.measured


def routed(share: float, *, sticky: float = 0.0, left: float = 0.5) -> list[Observation]:
    found = []
    for strategy, store, method, event, value in (
        ("session-locmem", "replica", "round robin", "none", share),
        ("session-locmem", "replica", "cookie", "none", sticky),
        ("session-locmem", "replica", "cookie", "leaves", left),
        ("session-db", "shared", "round robin", "none", 0.0),
    ):
        levels = {"part": "logins", "strategy": strategy, "store": store, "method": method, "event": event}
        values = dict.fromkeys(ROUTED, value) | {"users": 24.0}
        found += [observed("routing", {**levels, "clients": "many networks"}, values, launch) for launch in (0, 1)]
    return found


@pytest.mark.parametrize(
    ("found", "ruling"),
    [(routed(0.9), "holds only when"), (routed(0.9, sticky=0.4), "holds"), (routed(0.0), "does not hold")],
)
def test_logins_break_where_users_were_logged_out(found: list[Observation], ruling: str) -> None:
    claim = judged(observations=found)["broken by the balancer"]
    assert claim.ruling == ruling
    assert claim.launches == 2
    assert ("90 % (session-locmem)" in claim.measured) == (ruling != "does not hold")


def meshed(calls: Mapping[str, Mapping[int, float]], checks: int | None = None) -> list[Observation]:
    return [
        observed(
            "services",
            {"checking": checking, "topology": f"chain-{size}"},
            {
                services.AUTH_CALLS.name: count,
                services.CHECKS.name: size if checks is None else checks,
                services.HEADER_BYTES.name: 700.0,
            },
        )
        for checking, by_size in calls.items()
        for size, count in by_size.items()
    ]


def test_look_ups_multiply_where_calls_grow_with_services() -> None:
    found = meshed({"session": {1: 2, 2: 4, 4: 8}, "forwarded-jwt": {1: 0, 2: 0, 4: 0}})
    claim = judged(observations=found)["multiplied by services"]
    assert claim.ruling == "holds only when"
    assert "forwarded-jwt" in claim.when
    assert "session 2 at 1, 4 at 2, 8 at 4" in claim.measured
    alone = judged(observations=meshed({"session": {1: 2, 2: 4}}))["multiplied by services"]
    assert alone.ruling == "holds"
    flat = judged(observations=meshed({"session": {1: 2, 2: 2}}))["multiplied by services"]
    assert flat.ruling == "does not hold"


@pytest.mark.parametrize(
    ("calls", "checks", "ruling"), [(0.0, None, "holds"), (1.0, None, "does not hold"), (0.0, 1, "does not hold")]
)
def test_a_token_is_verified_by_anyone_where_every_service_named_the_caller_and_asked_nobody(
    calls: float, checks: int | None, ruling: str
) -> None:
    found = meshed({"forwarded-jwt": {2: calls, 4: calls}}, checks)
    assert judged(observations=found)["verified by anyone with the key"].ruling == ruling


def frozen(held: Mapping[tuple[str, int], float]) -> list[Observation]:
    return [
        observed(
            "serverless",
            {"strategy": strategy, "conn_max_age_s": age, "concurrency": 4},
            {"instances": 4.0, "held_connections": connections},
        )
        for (strategy, age), connections in held.items()
    ]


@pytest.mark.parametrize(
    ("held", "ruling"),
    [
        ({("session-db", 60): 4.0, ("session-db", 0): 0.0, ("jwt-hs256", 60): 0.0}, "holds only when"),
        ({("session-db", 60): 4.0}, "holds"),
        ({("session-db", 60): 1.0}, "does not hold"),
    ],
)
def test_functions_multiply_what_frozen_instances_hold(held: Mapping[tuple[str, int], float], ruling: str) -> None:
    claim = judged(observations=frozen(held))["multiplied by functions"]
    assert claim.ruling == ruling
    assert "4 frozen instances of session-db" in claim.measured


def read(facts: Mapping[str, tuple[int, int]]) -> list[Observation]:
    return [
        observed("reading", {"strategy": name}, {"facts_readable": readable, "script_may_read": reach})
        for name, (readable, reach) in facts.items()
    ]


@pytest.mark.parametrize(
    ("facts", "ruling"),
    [
        ({"jwt-hs256": (3, 1), "jwt-cookie": (3, 0), "session-db": (0, 0)}, "holds only when"),
        ({"jwt-hs256": (3, 1), "session-cookie": (3, 0)}, "holds"),
        ({"jwt-hs256": (1, 1)}, "does not hold"),
        ({"jwt-cookie": (3, 0)}, "does not hold"),
    ],
)
def test_a_token_is_read_where_its_facts_stand_in_it_and_a_script_holds_it(
    facts: Mapping[str, tuple[int, int]], ruling: str
) -> None:
    assert judged(observations=read(facts))["read by the browser"].ruling == ruling


def test_observations_that_do_not_count_are_not_evidence() -> None:
    reason = {"code": "cpu-contended", "message": "somebody else"}
    found = [each.model_validate({**each.model_dump(), "reasons": [reason]}) for each in read({"jwt-hs256": (3, 1)})]
    assert judged(observations=found)["read by the browser"].ruling == "not measured"
