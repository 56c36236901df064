"""Data beside a login, on a real stack: what grows by how much, what does not, and who refuses what."""

import os
from collections.abc import Iterator, Mapping

import pytest

from apps.contract.registry import strategies
from authbench.backends.embedded import EmbeddedStack
from authbench.experiments.ground import Ground
from authbench.experiments.payload.measurement import measure
from authbench.experiments.payload.measures import MEASURES, Refuser
from authbench.experiments.payload.plan import PayloadPlan
from authbench.generator import Generator
from authbench.machine import split_cores
from authbench.observed import Observation
from authbench.progress import Silent
from authbench.runner import pinned

pytestmark = pytest.mark.slow
STRATEGIES = ("session-db", "session-cookie-claims", "jwt-hs256")
SMALL, LARGE = 100, 6_144
PLAN = PayloadPlan(kind="payload", payload_bytes=(SMALL, LARGE), users=12, connections=2, window_s=0.1, attempts=1)
Seen = Mapping[tuple[str, int], Observation]


@pytest.fixture(scope="module")
def seen() -> Iterator[Seen]:
    """Everything observed on one launch."""
    chosen = tuple(strategies()[name] for name in STRATEGIES)
    rows: list[Observation] = []
    cores = split_cores(frozenset(os.sched_getaffinity(0)))
    with pinned(cores), EmbeddedStack(strategies=chosen, replicas=1, cores=cores.stack) as stack:
        stack.seed(users=20, orders=20)
        with Generator(stack.folder / "generator.log", cores.generator) as generator:
            ground = Ground(stack, chosen, {}, generator, 1, 1, frozenset(), rows.append, Silent())
            measure(ground, PLAN)
    yield {(str(row.levels["strategy"]), int(row.levels["payload_bytes"])): row for row in rows}


def test_every_combination_is_observed_once_and_answers_name_the_right_user(seen: Seen) -> None:
    assert set(seen) == {(name, size) for name in STRATEGIES for size in (SMALL, LARGE)}
    # Whether something else ran on the machine is not what is tested; a wrong answer would be an `errors`.
    assert {reason.code for row in seen.values() for reason in row.reasons} <= {
        "steal",
        "cpu-contended",
        "unsteady",
        "littles-law",
    }
    known = {each.name for each in MEASURES}
    assert all(row.values.keys() <= known for row in seen.values())


def test_a_session_in_the_database_is_carried_by_a_key_of_the_same_size(seen: Seen) -> None:
    small, large = seen["session-db", SMALL].values, seen["session-db", LARGE].values
    for measure_ in ("credential_bytes", "header_bytes", "cookie_bytes", "request_bytes", "answer_bytes"):
        assert small[measure_] == large[measure_]
    assert small["credential_bytes"] == len("Cookie: __Host-sessionid=\r\n") + 32
    assert small["request_bytes"] == small["credential_bytes"] + _bare(seen)
    # base64 of what deflate leaves of 6,044 characters in 93 even ones: 6.54 of 8 bits each
    grown = (large["loaded_bytes"] - small["loaded_bytes"]) / (LARGE - SMALL)
    assert 6.5 / 8 * 4 / 3 < grown < 6.8 / 8 * 4 / 3
    assert large["stored_bytes"] == large["loaded_bytes"]  # PostgreSQL finds nothing to compress in it


def test_a_token_grows_by_four_characters_for_three_bytes(seen: Seen) -> None:
    small, large = seen["jwt-hs256", SMALL].values, seen["jwt-hs256", LARGE].values
    assert large["header_bytes"] - small["header_bytes"] == pytest.approx((LARGE - SMALL) * 4 / 3, abs=1)
    assert small["cookie_bytes"] is None
    assert small["request_bytes"] == small["credential_bytes"] + _bare(seen)
    assert small["stored_bytes"] == small["loaded_bytes"] == 0


def test_a_session_in_a_cookie_is_compressed_before_it_is_encoded(seen: Seen) -> None:
    small, large = seen["session-cookie-claims", SMALL].values, seen["session-cookie-claims", LARGE].values
    grown = (large["credential_bytes"] - small["credential_bytes"]) / (LARGE - SMALL)
    assert 6.5 / 8 * 4 / 3 < grown < 6.8 / 8 * 4 / 3
    assert large["cookie_bytes"] == large["header_bytes"] - len("Cookie: =\r\n")
    assert large["cookie_bytes"] > 4_096  # no browser keeps it
    assert large["request_bytes"] == large["credential_bytes"] + _bare(seen)  # and yet the stack lets it in


def test_a_header_line_over_the_stack_s_limit_is_refused_and_nothing_is_loaded(seen: Seen) -> None:
    for (name, size), row in seen.items():
        refused = (name, size) == ("jwt-hs256", LARGE)
        assert row.values["balancer_status"] == (400 if refused else 200)
        assert row.values["balancer_refuser"] == (Refuser.BALANCER if refused else Refuser.NOBODY)
        assert row.values["replica_status"] == (431 if refused else 200)
        assert row.values["replica_refuser"] == (Refuser.SERVER if refused else Refuser.NOBODY)
        assert ("request_bytes" in row.values) == ("cpu_ms" in row.values) == (not refused)
        # nginx's buffer of 8,192 bytes and gunicorn's limit_request_field_size of 8,190
        assert row.values["balancer_limit_bytes"] == row.values["replica_limit_bytes"] == 8_190
    assert seen["jwt-hs256", LARGE].values["header_bytes"] > 8_190


def _bare(seen: Seen) -> float:
    """Bytes of a request without its credential: the same for all."""
    (bare,) = {
        request - row.values["credential_bytes"]
        for row in seen.values()
        if (request := row.values.get("request_bytes")) is not None
    }
    return bare
