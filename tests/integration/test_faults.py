"""Real faults under a real load: who is answered, who is logged out, and that all accounts agree."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from apps.contract.registry import strategies
from authbench.backends.embedded import EmbeddedStack
from authbench.conformance.verification import Minted
from authbench.experiments.faults.measurement import measure
from authbench.experiments.faults.plan import FaultsPlan
from authbench.experiments.ground import Ground
from authbench.generator import Generator
from authbench.observed import Observation, observation_key
from authbench.progress import Silent

pytestmark = pytest.mark.slow
NAMES = ("session-db", "session-cache")
USERS, CREDENTIALS = 60, 70
PLAN = FaultsPlan.model_validate(
    {
        "kind": "faults",
        "fault": [
            {"part": "cache", "action": "flush", "at_s": 0.4},
            {"part": "cache", "action": "pause", "at_s": 0.4, "for_s": 1.4},
            {"part": "database", "action": "kill", "at_s": 0.4, "for_s": 0.3},
        ],
        "users": USERS,
        "rate_rps": 20.0,
        "after_s": 1.0,
        "stretch_s": 0.3,
        "at_once": 3,
        "controls": ["session-db"],
    }
)


@pytest.fixture(scope="module")
def stack() -> Iterator[EmbeddedStack]:
    with EmbeddedStack(strategies=[strategies()[name] for name in NAMES], replicas=2) as running:
        running.seed(users=CREDENTIALS + 10, orders=0)
        yield running


@pytest.fixture(scope="module")
def ground(stack: EmbeddedStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    paths = stack.mint_all(list(stack.strategies.values()), CREDENTIALS)
    with Generator(tmp_path_factory.mktemp("faults") / "generator.log") as generator:
        yield Ground(
            stack=stack,
            strategies=tuple(stack.strategies.values()),
            minted={name: Minted.read(path) for name, path in paths.items()},
            generator=generator,
            launches=1,
            seed=1,
            earlier=frozenset(),
            record=lambda _: None,
            watcher=Silent(),
        )


@pytest.fixture(scope="module")
def observed(ground: Ground) -> list[Observation]:
    rows: list[Observation] = []
    measure(_recording(ground, rows), PLAN)
    return rows


def _recording(ground: Ground, rows: list[Observation], *, done: bool = False) -> Ground:
    earlier = frozenset(observation_key("faults", 0, row.levels) for row in rows) if done else frozenset()
    return replace(ground, record=rows.append, earlier=earlier)


def values(rows: list[Observation], fault: str, strategy: str, engine: str = "shop") -> Any:
    wanted = (fault, strategy, engine)
    (row,) = [each for each in rows if tuple(each.levels[name] for name in ("fault", "strategy", "engine")) == wanted]
    return row.values


def test_every_request_ends_one_way_and_all_accounts_agree(observed: list[Observation]) -> None:
    assert len(observed) == 1 + 3 + 2  # under `paused` two engines and a control
    for row in observed:
        codes = {reason.code for reason in row.reasons}
        assert not codes & {"logs-disagree", "orders-disagree"}, row
        ended = [row.values[name] or 0.0 for name in ("ok", "refused", "failed", "unknown")]
        assert sum(ended) == row.values["sent"] > 0
        outcomes = json.loads(row.series["timeline"])["outcomes"]
        assert [sum(outcomes[name]) for name in ("ok", "refused", "failed", "unknown")] == ended


def test_no_acknowledged_order_is_lost_by_a_killed_database(observed: list[Observation]) -> None:
    for name in NAMES:
        found = values(observed, "database is killed", name)
        assert found["acknowledged"] > 0
        assert found["lost"] == 0
        assert found["failed"] + found["unknown"] > 0
        assert found["logged_out"] == found["refused"] == 0
        assert found["wrong_user"] == 0


def test_a_flushed_cache_logs_out_all_whose_session_it_kept(observed: list[Observation]) -> None:
    found = values(observed, "cache is flushed", "session-cache")
    assert found["logged_out"] == USERS
    assert found["forgotten"] == 0  # the server has forgotten them too
    assert found["refused"] > 0
    assert found["recovered_s"] is None


def test_whoever_does_not_need_the_part_does_not_notice(observed: list[Observation]) -> None:
    control = values(observed, "cache is paused", "session-db")
    assert (control["logged_out"], control["refused"], control["failed"], control["unknown"]) == (0, 0, 0, 0)
    assert control["ok"] == control["sent"]


def test_an_outage_is_no_refusal_on_the_shops_engine_and_one_on_djangos(observed: list[Observation]) -> None:
    ours = values(observed, "cache is paused", "session-cache")
    assert ours["refused"] == ours["deleted"] == ours["logged_out"] == 0
    assert ours["failed"] + ours["unknown"] > 0
    stock = values(observed, "cache is paused", "session-cache", "stock")
    assert stock["refused"] > 0
    assert stock["logged_out"] == stock["forgotten"] == stock["deleted"] > 0  # the sessions were there all the time


def test_what_was_observed_is_not_observed_again(ground: Ground, observed: list[Observation]) -> None:
    again = _recording(ground, list(observed), done=True)
    rows: list[Observation] = []
    measure(replace(again, record=rows.append), PLAN)
    assert rows == []


def test_nothing_of_it_stays_for_whoever_comes_next(stack: EmbeddedStack, observed: list[Observation]) -> None:
    assert stack.relay is None
    assert not any(tier in ("app", "auth") for tier in stack.tiers.values())
    for name in NAMES:
        assert "AUTHBENCH_REQUEST_LOG" not in stack.application(name).environment
        assert stack.application(name).environment.get("DJANGO_SETTINGS_MODULE") is None
