"""One fault as a scenario names it: which part of the stack, what is done to it, when, and for how long. Pure."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from apps.contract.registry import Strategy
from authbench.records import Frozen

Part = Literal["replica", "database", "cache", "auth", "files"]
# The network's names and meanings are Toxiproxy's (https://github.com/Shopify/toxiproxy#toxics).
NetworkAction = Literal["latency", "bandwidth", "reset_peer", "timeout", "down"]
Action = Literal[
    "kill",
    "pause",
    "restart",
    "flush",
    "latency",
    "bandwidth",
    "reset_peer",
    "timeout",
    "down",
    "exhaust",
    "fill",
    "skew",
]
Stream = Literal["downstream", "upstream"]  # what the store answers, or what it is sent
NETWORK: tuple[NetworkAction, ...] = get_args(NetworkAction)

PROCESS: tuple[Action, ...] = ("kill", "pause", "restart")
POSSIBLE: Mapping[Part, tuple[Action, ...]] = {
    "replica": (*PROCESS, "skew"),
    "database": (*PROCESS, *NETWORK, "exhaust"),
    "cache": (*PROCESS, *NETWORK, "flush"),
    "auth": PROCESS,
    "files": ("fill",),
}
# Action -> the parameters that it takes, and those of them that it cannot do without.
TAKES: Mapping[Action, tuple[str, ...]] = {
    "latency": ("latency_ms", "jitter_ms", "stream"),
    "bandwidth": ("rate_kbps", "stream"),
    "reset_peer": ("timeout_ms", "stream"),
    "timeout": ("timeout_ms", "stream"),
    "exhaust": ("connections_left",),
    "skew": ("ahead_s",),
}
NEEDS: Mapping[Action, str] = {"latency": "latency_ms", "bandwidth": "rate_kbps", "skew": "ahead_s"}
PARAMETERS = ("latency_ms", "jitter_ms", "rate_kbps", "timeout_ms", "connections_left", "ahead_s", "stream")
DONE: Mapping[Action, str] = {
    "kill": "is killed",
    "pause": "is paused",
    "restart": "restarts",
    "flush": "is flushed",
    "down": "is down",
    "fill": "are full",
}


class Fault(Frozen):
    """What is done to one part, from `at_s` after the load has begun, for `for_s`. Wrong combinations are one line.

    `for_s` says when `Injector.end` is to be called; a restart and a flush last as long as they last, whatever it says.
    """

    part: Part
    action: Action
    at_s: Annotated[float, Field(ge=0, le=3600)]
    for_s: Annotated[float, Field(ge=0, le=3600)] = 0.0
    number: Annotated[int, Field(ge=1, le=64)] = 1  # which replica, where one is meant
    stream: Stream | None = None  # which way a network fault works; None: downstream, as Toxiproxy has it
    latency_ms: Annotated[float, Field(ge=0, le=60_000)] | None = None  # added to everything that comes that way
    jitter_ms: Annotated[float, Field(ge=0, le=60_000)] | None = None  # each delay is drawn within latency ± jitter
    rate_kbps: Annotated[float, Field(gt=0, le=1_000_000)] | None = None  # KB/s (1,000 bytes a second) a connection
    timeout_ms: Annotated[float, Field(ge=0, le=3_600_000)] | None = None  # until a connection ends; timeout 0: never
    connections_left: Annotated[int, Field(ge=0, le=10_000)] | None = None  # for ordinary accounts; None: none
    ahead_s: Annotated[float, Field(ge=-10 * 86_400, le=10 * 86_400)] | None = None  # the clock; negative: behind

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        possible = POSSIBLE[self.part]
        if self.action not in possible:
            raise ValueError(f"{self.action} cannot be done to {self.part}: possible are {', '.join(possible)}")
        takes = TAKES.get(self.action, ())
        given = [name for name in PARAMETERS if getattr(self, name) is not None]
        if strange := [name for name in given if name not in takes]:
            raise ValueError(f"{self.part} {self.action} takes no {strange[0]}: it takes {', '.join(takes) or 'none'}")
        needed = NEEDS.get(self.action)
        if needed is not None and getattr(self, needed) is None:
            raise ValueError(f"{self.part} {self.action} needs {needed}")
        if self.part != "replica" and self.number != 1:
            raise ValueError(f"number = {self.number} names a replica, and there is one {self.part}")
        if (self.jitter_ms or 0) > (self.latency_ms or 0):
            raise ValueError(f"jitter_ms = {self.jitter_ms:g} is more than latency_ms: a delay cannot be negative")
        return self

    @property
    def name(self) -> str:
        """For people, tables and records: `cache restarts`, `database: latency 200 ms`. The same for the same fault."""
        what = f"replica {self.number}" if self.part == "replica" else self.part
        if self.action in DONE:
            return f"{what} {DONE[self.action]}"
        return f"{what}: {self._described()}" + (" upstream" if self.stream == "upstream" else "")

    def _described(self) -> str:
        match self.action:
            case "latency":
                jitter = f" ± {self.jitter_ms:g}" if self.jitter_ms else ""
                return f"latency {self.latency_ms:g}{jitter} ms"
            case "bandwidth":
                return f"bandwidth {self.rate_kbps:g} KB/s"
            case "exhaust":
                left = self.connections_left or 0
                return f"{left} connection{'' if left == 1 else 's'} left"
            case "skew":
                ahead = self.ahead_s or 0.0
                return f"clock {abs(ahead):g} s {'ahead' if ahead >= 0 else 'behind'}"
            case _:  # reset_peer, timeout
                return self.action + (f" {self.timeout_ms:g} ms" if self.timeout_ms else "")

    @property
    def through_relay(self) -> bool:
        """Whether it needs replicas that reach their stores through the relay (`Deployment.distance_ms`, 0 will do)."""
        return self.action in NETWORK

    def applies_to(self, strategy: Strategy) -> bool:
        """Whether that part is on the strategy's way: all have replicas, and read and write orders in the database."""
        match self.part:
            case "replica" | "database":
                return True
            case "cache":
                return "cache" in strategy.stores
            case "auth":
                return bool(strategy.service)
            case "files":
                return "file" in strategy.stores
