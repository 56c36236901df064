"""The plan refuses what cannot be measured, in one line; cells and companies follow from it alone."""

from random import Random

import pytest
from pydantic import ValidationError

from apps.contract.registry import strategies
from authbench.experiments.faults.cell import cells_of, companies, stock_settings
from authbench.experiments.faults.crowd.arrivals import arrivals
from authbench.experiments.faults.plan import FaultsPlan
from authbench.faults.fault import Fault
from authbench.stack.replicas import ROOT

RESTART = {"part": "cache", "action": "restart", "at_s": 1.0}
KILL = {"part": "database", "action": "kill", "at_s": 1.0, "for_s": 1.0}
FLUSH = {"part": "cache", "action": "flush", "at_s": 1.0}
NAMES = ("session-db", "session-cache", "session-cached-db", "jwt-hs256", "none")
ALL = [strategies()[name] for name in NAMES]


def plan(*faults: dict[str, object], **more: object) -> FaultsPlan:
    return FaultsPlan.model_validate({"kind": "faults", "fault": faults or (RESTART,), **more})


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"fault": (RESTART, RESTART)}, "'cache restarts' stands there twice"),
        ({"users": 20, "rate_rps": 30, "timeout_s": 2}, "90 wait at once"),
        ({"stretch_s": 5.0, "after_s": 3.0}, "no recovery would be seen"),
        ({"shares": {"whoami": 0}}, "nothing is asked"),
        ({"fault": ()}, "at least 1"),
    ],
)
def test_it_refuses_what_makes_no_sense(more: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        FaultsPlan.model_validate({"kind": "faults", "fault": (RESTART,), **more})


def test_a_part_concerns_those_that_have_it_and_the_others_once() -> None:
    found = [list(cells_of(Fault(**RESTART), ALL, plan(controls=NAMES), launch)) for launch in (0, 1)]  # type: ignore[arg-type]
    affected = [(cell.strategy.name, cell.engine) for cell in found[1]]
    assert affected == [
        ("session-cache", "shop"),
        ("session-cache", "stock"),
        ("session-cached-db", "shop"),
        ("session-cached-db", "stock"),
    ]
    controls = [cell.strategy.name for cell in found[0] if not cell.affected]
    assert controls == ["session-db", "jwt-hs256", "none"]
    assert {cell.levels()["role"] for cell in found[0]} == {"affected", "control"}


def test_an_empty_cache_is_no_question_of_the_engine() -> None:
    cells = list(cells_of(Fault(**FLUSH), ALL, plan(FLUSH, controls=NAMES), 0))  # type: ignore[arg-type]
    assert {(cell.strategy.name, cell.engine) for cell in cells} == {
        ("session-cache", "shop"),
        ("session-cached-db", "shop"),
    }


def test_a_company_has_each_strategy_once_and_all_come_to_their_turn() -> None:
    cells = list(cells_of(Fault(**RESTART), ALL, plan(controls=NAMES), 0))  # type: ignore[arg-type]
    cells = [cell for cell in cells if cell.strategy.name != "none"]
    found = list(companies(cells, 3, Random(1)))
    assert [len(company) for company in found] == [3, 3]  # both engines of both, and two controls
    assert sorted(id(cell) for company in found for cell in company) == sorted(map(id, cells))
    for company in found:
        assert len({cell.strategy.name for cell in company}) == len(company) <= 3


def test_stock_settings_differ_in_the_engine_alone() -> None:
    found = {name: stock_settings(each) for name, each in strategies().items() if stock_settings(each)}
    assert set(found) == {"session-cache", "session-cache-claims", "session-cached-db", "session-file"}
    for name, module in found.items():
        text = (ROOT / (str(module).replace(".", "/") + ".py")).read_text(encoding="utf-8")
        _, first, last = [line for line in text.splitlines() if line]
        assert first == f"from apps.strategies.{name.replace('-', '_')} import *"
        assert last.startswith('SESSION_ENGINE = "django.contrib.sessions.backends.')


def test_arrivals_are_the_same_for_one_seed_and_keep_the_shares() -> None:
    endpoints = plan().endpoints(strategies()["session-db"])
    one, other = (arrivals(30.0, endpoints, Random(5)) for _ in range(2))
    first = [next(one) for _ in range(600)]
    assert first == [next(other) for _ in range(600)]
    asked = [endpoint for _, endpoint in first]
    assert {name: asked.count(name) for name in set(asked)} == {
        "whoami": 200,
        "orders": 100,
        "orders-create": 200,
        "preferences": 100,
    }
    assert 15 < first[-1][0] < 27  # 20 s on average
    assert "preferences" not in plan().endpoints(strategies()["none"])


def test_the_estimate_grows_with_what_is_asked() -> None:
    assert plan(RESTART, KILL).estimated_seconds(4, 2) > plan(KILL).estimated_seconds(4, 2) > 0
    assert plan(KILL).estimated_seconds(8, 2) > plan(KILL).estimated_seconds(4, 2)
