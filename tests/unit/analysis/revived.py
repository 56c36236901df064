"""Observations of a made-up `revival` run: known counts, as one launch each."""

from collections.abc import Mapping

from authbench.observed import Observation
from authbench.records import Level

Values = Mapping[str, float | None]


def after(  # one launch's logouts, and what became of them
    strategy: str,
    event: str,
    revived: int,
    *,
    launch: int = 0,
    users: int = 10,
    others_in: int = 10,
    oldest_ms: float | None = None,
    asked: str = "whoami",
) -> Observation:
    values: dict[str, float | None] = {
        "logouts": users,
        "acknowledged": users,
        "revived": revived,
        "others": 10.0,
        "others_accepted": others_in,
    }
    if event.startswith("database"):
        values["oldest_revived_ms"] = oldest_ms
    return _observation({"part": "event", "strategy": strategy, "event": event, "asked": asked}, values, launch)


def at(
    part: str, strategy: str, request: str, step: int, operation: str, values: Values, *, launch: int = 0
) -> Observation:
    """One operation that a request was stopped in front of."""
    levels: dict[str, Level] = {
        "part": part,
        "strategy": strategy,
        "request": request,
        "step": step,
        "store": "database" if " " in operation else "cache",
        "operation": operation,
        "asked": "whoami",
    }
    return _observation(levels, values, launch)


def _observation(levels: Mapping[str, Level], values: Values, launch: int) -> Observation:
    return Observation(kind="revival", launch=launch, levels=levels, values=values)
