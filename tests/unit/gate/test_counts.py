"""Exact counts of both builds, side by side."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pytest

from authbench.gate.counts import ENDPOINTS, READ, count_rows
from authbench.gate.gated import GATED
from authbench.gate.limits import Limit, Limits
from authbench.gate.result import GateRow
from tests.unit.gate.made import operations

EXACT = [name for name in READ if GATED[name].judged == "exact"]
RATIO = [name for name in READ if GATED[name].judged == "ratio"]
KEYS = {
    "connections_opened_per_request": "connections",
    "cache_connections_opened_per_request": "cache_connections",
    "answer_bytes": "answer_bytes",
    "python_calls_per_request": "calls",
    "bytecodes_per_request": "bytecodes",
}


def without(told: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    """What an older build prints."""
    endpoints = {
        name: {key: value for key, value in seen.items() if key not in keys} for name, seen in told["endpoints"].items()
    }
    return {**{key: value for key, value in told.items() if key not in keys}, "endpoints": endpoints}


def rows_of(base: Any, candidate: Any, twin: Any = None, limits: Limits | None = None) -> dict[str, GateRow]:
    """The rows of whoami by metric."""
    found = count_rows("jwt", base, base if twin is None else twin, candidate, limits or Limits())
    return {row.metric: row for row in found if row.endpoint == "whoami"}


def test_every_endpoint_has_every_count_and_the_credential_once() -> None:
    rows = count_rows("jwt", operations(), operations(), operations(), Limits())
    assert len(rows) == 1 + len(ENDPOINTS) * len(READ)
    assert {row.endpoint for row in rows} == set(ENDPOINTS)
    assert {row.metric for row in rows} == {*READ, "credential_bytes"}
    assert {(row.tier, row.outcome, row.why, row.interval, row.launches) for row in rows} == {
        (0, "pass", "as before", None, None)
    }
    assert all(row.unit == GATED[row.metric].unit for row in rows)


@pytest.mark.parametrize(
    ("changes", "metric", "why"),
    [
        ({"sql": ["a", "b", "c"]}, "statements_per_request", "+1 statements a request, over +0"),
        ({"transactions": 4}, "transactions_per_request", "+2 transactions a request, over +0"),
        ({"connections": 2}, "connections_opened_per_request", "+1 connections a request, over +0"),
        ({"cache": ["GET", "SET"]}, "cache_commands_per_request", "+1 commands a request, over +0"),
        ({"cache_connections": 1}, "cache_connections_opened_per_request", "+1 connections a request, over +0"),
        ({"answer_bytes": 301}, "answer_bytes", "+1 bytes a request, over +0"),
        ({"calls": 1031}, "python_calls_per_request", "+31 calls a request, over +3 %"),
        ({"bytecodes": 20_601}, "bytecodes_per_request", "+601 bytecodes a request, over +3 %"),
    ],
)
def test_more_than_allowed_is_a_regression_of_that_figure_alone(changes: dict[str, Any], metric: str, why: str) -> None:
    rows = rows_of(operations(), operations(**changes))
    assert (rows[metric].outcome, rows[metric].why) == ("regression", why)
    assert {row.outcome for name, row in rows.items() if name != metric} == {"pass"}


def test_a_longer_credential_is_a_regression() -> None:
    row = rows_of(operations(), {**operations(), "credential_bytes": 260})["credential_bytes"]
    assert (row.outcome, row.base, row.candidate, row.ratio) == ("regression", 210, 260, pytest.approx(260 / 210))


@pytest.mark.parametrize(
    ("changes", "metric", "why"),
    [
        ({"sql": []}, "statements_per_request", "-2 statements a request"),
        ({"answer_bytes": 1}, "answer_bytes", "-299 bytes a request"),
        ({"calls": 500}, "python_calls_per_request", "-500 calls a request"),
    ],
)
def test_fewer_pass_with_the_change_told(changes: dict[str, Any], metric: str, why: str) -> None:
    row = rows_of(operations(), operations(**changes))[metric]
    assert (row.outcome, row.why) == ("pass", why)


@pytest.mark.parametrize("metric", RATIO)
def test_calls_and_bytecodes_may_grow_by_three_percent(metric: str) -> None:
    key = KEYS[metric]
    at, over = operations(**{key: 20_600}), operations(**{key: 20_601})
    base = operations(**{key: 20_000})
    assert (rows_of(base, at)[metric].outcome, rows_of(base, at)[metric].why[:4]) == ("pass", "+600")
    assert rows_of(base, over)[metric].outcome == "regression"
    assert rows_of(base, at)[metric].ratio == pytest.approx(1.03)


@pytest.mark.parametrize(
    ("changes", "metric"),
    [
        ({"sql": ["a"]}, "statements_per_request"),
        ({"transactions": 3}, "transactions_per_request"),
        ({"answer_bytes": 299}, "answer_bytes"),
        ({"connections": 0}, "connections_opened_per_request"),
    ],
)
def test_a_count_that_differs_between_the_base_and_its_twin_is_not_compared(
    changes: dict[str, Any], metric: str
) -> None:
    row = rows_of(operations(), operations(**changes), twin=operations(**changes))[metric]
    assert row.outcome == "not compared"
    assert "not exact here: the base itself gives" in row.why
    assert (row.base, row.candidate) != (None, None)


def test_both_figures_of_the_base_are_named_where_they_differ() -> None:
    row = rows_of(operations(), operations(), twin=operations(transactions=5))["transactions_per_request"]
    assert row.why == "not exact here: the base itself gives 2 and 5"


def test_a_figure_that_the_twin_lacks_is_not_told_as_zero() -> None:
    row = rows_of(operations(), operations(), twin=operations(answer_bytes=None))["answer_bytes"]
    assert row.outcome == "not compared"
    assert "300 and 0" not in row.why


def test_the_twin_has_no_say_in_what_is_judged_by_a_share() -> None:
    rows = rows_of(operations(), operations(), twin=operations(calls=1001, bytecodes=20_007))
    assert {rows[name].outcome for name in RATIO} == {"pass"}


@pytest.mark.parametrize("metric", RATIO)
@pytest.mark.parametrize("side", ["base", "candidate"])
def test_a_count_that_is_not_the_same_twice_is_not_compared(metric: str, side: str) -> None:
    null = operations(**{KEYS[metric]: None})
    row = rows_of(*((null, operations()) if side == "base" else (operations(), null)))[metric]
    assert (row.outcome, row.ratio) == ("not compared", None)
    assert row.why == f"the {side} gives no such figure"


@pytest.mark.parametrize("metric", [*KEYS, "credential_bytes"])
@pytest.mark.parametrize("older", ["base", "candidate", "both"])
def test_what_an_older_build_does_not_print_is_not_compared(metric: str, older: str) -> None:
    old = without(operations(), KEYS.get(metric, metric))
    base = old if older in ("base", "both") else operations()
    candidate = old if older in ("candidate", "both") else operations()
    rows = rows_of(base, candidate)
    assert rows[metric].outcome == "not compared"
    assert {row.outcome for name, row in rows.items() if name != metric} == {"pass"}


def test_what_the_base_does_not_print_is_not_told_as_varying() -> None:
    row = rows_of(without(operations(), "connections"), operations())["connections_opened_per_request"]
    assert "twice" not in row.why
    assert "base" in row.why


def test_a_figure_that_was_zero_has_no_ratio_and_may_not_grow() -> None:
    row = rows_of(operations(cache=[]), operations(cache=["GET"]))["cache_commands_per_request"]
    assert (row.outcome, row.ratio, row.base, row.candidate) == ("regression", None, 0, 1)
    assert rows_of(operations(cache=[]), operations(cache=[]))["cache_commands_per_request"].outcome == "pass"


def test_another_status_is_a_regression_of_its_own() -> None:
    rows = rows_of(operations(), operations(status=500))
    assert (rows["status"].outcome, rows["status"].why) == ("regression", "answers 500 where the base answers 200")
    assert (rows["status"].base, rows["status"].candidate, rows["status"].limit) == (200, 500, "the same")
    assert set(rows) == {"status", "credential_bytes", *READ}
    assert "status" not in rows_of(operations(status=403), operations(status=403))


def test_limits_decide_on_each_strategy_and_figure() -> None:
    limits = Limits(
        max_regression=0.5,
        metrics={"answer_bytes": Limit(kind="share", most=0.1)},
        strategies={"jwt": {"statements_per_request": Limit(kind="count", most=1)}},
    )
    more = operations(sql=["a", "b", "c"], answer_bytes=330, calls=1500, cache=["GET", "GET"])
    rows = rows_of(operations(), more, limits=limits)
    assert {name for name, row in rows.items() if row.outcome == "regression"} == {"cache_commands_per_request"}
    assert rows["statements_per_request"].limit == "+1"
    assert rows["answer_bytes"].limit == "+10 %"
    other = count_rows("session-db", operations(), operations(), more, limits)
    assert "statements_per_request" in {row.metric for row in other if row.outcome == "regression"}


def test_an_endpoint_that_nobody_printed_is_no_row() -> None:
    told = operations()
    del told["endpoints"]["reports-sales"]
    rows = count_rows("jwt", told, told, told, Limits())
    assert {row.endpoint for row in rows} == set(ENDPOINTS) - {"reports-sales"}


def test_an_endpoint_that_the_candidate_lost_is_told() -> None:
    told = operations()
    del told["endpoints"]["orders"]
    rows = count_rows("jwt", operations(), operations(), told, Limits())
    assert [row for row in rows if row.endpoint == "orders" and row.outcome != "pass"]


def test_neither_side_is_changed() -> None:
    base, candidate = operations(), operations(sql=[])
    before = deepcopy((base, candidate))
    rows_of(base, candidate)
    assert (base, candidate) == before
