"""What one window of load is to be: the `fire` command, checked."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

Model = Literal["rate", "saturate"]
Arrivals = Literal["constant", "poisson"]
LONGEST_S = 24 * 3600.0
MOST_REQUESTS = 20_000_000


class PlanError(ValueError):
    """A plan that cannot be carried out; the message is one clear line."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One window of load. `duration_s` and `count` bound it, whichever comes first; at least one is given."""

    url: str
    requests: str  # path of the requests file
    model: Model
    connections: int  # cap of the pool in `rate`, c in `saturate`
    rate_rps: float | None = None
    arrivals: Arrivals = "poisson"
    duration_s: float | None = None
    count: int | None = None
    timeout_s: float = 10.0
    seed: int = 0
    first: int = 0  # the place in the file that the window starts at; it goes on in a cycle
    elsewhere: bool = False  # the target is not loopback, and has said that it may be loaded

    def __post_init__(self) -> None:
        """Raises PlanError where a value cannot be used."""
        origin(self.url)
        _require(self.model in get_args(Model), f"model {self.model!r}: rate or saturate")
        _require(self.arrivals in get_args(Arrivals), f"arrivals {self.arrivals!r}: constant or poisson")
        _require(_positive(self.connections) and isinstance(self.connections, int), "connections: 1 or more")
        _require(_positive(self.timeout_s), "timeout_s: more than 0")
        _require(self.duration_s is not None or self.count is not None, "give duration_s, count or both")
        _require(
            self.duration_s is None or (_positive(self.duration_s) and self.duration_s <= LONGEST_S),
            f"duration_s: more than 0, at most {LONGEST_S:.0f}",
        )
        _require(self.count is None or (_positive(self.count) and isinstance(self.count, int)), "count: 1 or more")
        _require(isinstance(self.first, int) and self.first >= 0, "first: 0 or more")
        if self.model == "rate":
            _require(self.rate_rps is not None and _positive(self.rate_rps), "model rate needs rate_rps above 0")
            by_time = (self.duration_s or LONGEST_S) * (self.rate_rps or 0)
            planned = by_time if self.count is None else min(by_time, self.count)
            _require(planned <= MOST_REQUESTS, f"more than {MOST_REQUESTS} requests planned")


def parse(command: Mapping[str, Any]) -> Plan:
    """The plan in a `fire` command. Raises PlanError for unknown or missing keys and unusable values."""
    known = {field.name for field in fields(Plan)}
    unknown = sorted(set(command) - known)
    _require(not unknown, f"unknown key {', '.join(unknown)}")
    try:
        return Plan(**{key: value for key, value in command.items() if value is not None})
    except TypeError as error:
        raise PlanError(f"not a plan: {error}") from error


def origin(url: str) -> tuple[str, int]:
    """Host and port of an http URL. Raises PlanError for anything else."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise PlanError(f"url {url!r}: {error}") from error
    _require(parts.scheme == "http" and bool(parts.hostname), f"url {url!r}: http://host:port is what can be loaded")
    return parts.hostname or "", port or 80


def host_header(url: str) -> str:
    """The Host header's value for a URL: as written, without the user part."""
    return urlsplit(url).netloc.rpartition("@")[2]


def _positive(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < float("inf")


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise PlanError(message)
