"""Tier 0: exact counts of one request, taken in process by each build's own `manage.py operations`. Pure.

The base is counted twice, as base and as twin: a figure that differs between the two is not exact here, and says so.
"""

from collections.abc import Callable, Mapping
from typing import Any

from authbench.gate.gated import GATED
from authbench.gate.limits import Limits
from authbench.gate.result import GateRow

Operations = Mapping[str, Any]  # what the command prints

# Asked again and again by a logged-in user; the others change what they work on (login draws, logout ends).
ENDPOINTS = ("whoami", "orders", "orders-create", "reports-sales", "public")
READ: Mapping[str, Callable[[Mapping[str, Any]], float | None]] = {
    "statements_per_request": lambda seen: len(seen["sql"]),
    "transactions_per_request": lambda seen: seen["transactions"],
    "connections_opened_per_request": lambda seen: seen.get("connections"),
    "cache_commands_per_request": lambda seen: len(seen["cache"]),
    "cache_connections_opened_per_request": lambda seen: seen.get("cache_connections"),
    "answer_bytes": lambda seen: seen.get("answer_bytes"),
    "python_calls_per_request": lambda seen: seen.get("calls"),
    "bytecodes_per_request": lambda seen: seen.get("bytecodes"),
}


def count_rows(
    strategy: str, base: Operations, twin: Operations, candidate: Operations, limits: Limits
) -> tuple[GateRow, ...]:
    """A row for every endpoint and count; a wrong status of the candidate is a regression of its own."""
    rows = [_credential(strategy, base, candidate, limits)]
    for endpoint in ENDPOINTS:
        ours, again, theirs = (side["endpoints"].get(endpoint) for side in (base, twin, candidate))
        if ours is None or again is None:
            continue  # new in the candidate
        if theirs is None:
            rows.append(_status(strategy, endpoint, ours["status"], None))
            continue
        if ours["status"] != theirs["status"]:
            rows.append(_status(strategy, endpoint, ours["status"], theirs["status"]))
        for metric, read in READ.items():
            values = (read(ours), read(again), read(theirs))
            rows.append(_row(strategy, endpoint, metric, values, limits))
    return tuple(rows)


def uncounted(strategy: str, base: str | None, candidate: str | None) -> GateRow:
    """The row of a strategy that one of the builds cannot count, with that build's reason.

    An old base that cannot is no fault of the candidate; a candidate that cannot where the base can does not count.
    """
    row = _status(strategy, "all", None, None).model_copy(update={"metric": "exact counts"})
    if base is not None:
        return row.but("not compared", f"the base cannot be counted: {base}")
    return row.but("invalid", f"the candidate cannot be counted: {candidate or 'it could the second time'}")


def _row(
    strategy: str, endpoint: str, metric: str, values: tuple[float | None, float | None, float | None], limits: Limits
) -> GateRow:
    base, twin, candidate = values
    limit = limits.of(strategy, metric)
    row = GateRow(
        tier=0,
        strategy=strategy,
        endpoint=endpoint,
        metric=metric,
        unit=GATED[metric].unit,
        base=base,
        candidate=candidate,
        limit=limit.told(),
        outcome="pass",
        why="as before",
    )
    if base is None or candidate is None:
        return row.but("not compared", f"the {'base' if base is None else 'candidate'} gives no such figure")
    if GATED[metric].judged == "exact" and base != twin:
        return row.but("not compared", f"not exact here: the base itself gives {base:g} and {_told(twin)}")
    if base:
        row = row.model_copy(update={"ratio": candidate / base})
    if not limit.allows(base, candidate):
        return row.but("regression", f"{candidate - base:+g} {GATED[metric].unit} a request, over {limit.told()}")
    if candidate != base:
        return row.but("pass", f"{candidate - base:+g} {GATED[metric].unit} a request")
    return row


def _credential(strategy: str, base: Operations, candidate: Operations, limits: Limits) -> GateRow:
    values = (base.get("credential_bytes"), base.get("credential_bytes"), candidate.get("credential_bytes"))
    return _row(strategy, "whoami", "credential_bytes", values, limits)


def _told(value: float | None) -> str:
    return "none" if value is None else f"{value:g}"


def _status(strategy: str, endpoint: str, base: int | None, candidate: int | None) -> GateRow:
    return GateRow(
        tier=0,
        strategy=strategy,
        endpoint=endpoint,
        metric="status",
        unit="",
        base=base,
        candidate=candidate,
        limit="the same",
        outcome="regression",
        why=f"answers {candidate} where the base answers {base}" if candidate else "the candidate has no such endpoint",
    )
