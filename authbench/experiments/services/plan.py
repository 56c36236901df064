"""One request through chains and fan-outs of services: how they check the caller, and how long each is measured."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from authbench.experiments.plan import Plan

Checking = Literal["session", "introspection", "forwarded-jwt", "exchanged-jwt", "edge-header"]
CHECKINGS: tuple[Checking, ...] = ("session", "introspection", "forwarded-jwt", "exchanged-jwt", "edge-header")
MOST_SERVICES = 16
_NAME = re.compile(r"(chain|fan-out)-([1-9][0-9]?)")

START_S, START_PER_SERVICE_S = 0.5, 0.25  # of fresh processes
USUAL_REQUEST_S = 0.0016  # of CPU, for each service that a request passes, where one core has them all
PER_WINDOW_S = 0.12  # reading the counters around it, and a short warm-up


def shape_of(topology: str) -> tuple[str, int]:
    """`fan-out-4` is ("fan-out", 4). Raises ValueError for what is no topology."""
    match = _NAME.fullmatch(topology)
    if match is None:
        raise ValueError("a topology is chain-n or fan-out-n, such as chain-4")
    return match[1], int(match[2])


def services_of(topology: str) -> int:
    """How many services a request passes: the n of `chain-n`; of `fan-out-n` the one that asks n others counts too."""
    shape, size = shape_of(topology)
    return size if shape == "chain" else size + 1


def _checked(topology: str) -> str:
    if services_of(topology) > MOST_SERVICES:
        raise ValueError(f"more than {MOST_SERVICES} services")
    return topology


Topology = Annotated[str, AfterValidator(_checked)]
Seconds = Annotated[float, Field(gt=0, le=600)]


class ServicesPlan(Plan):
    """What the experiment varies, and how each combination is measured."""

    kind: Literal["services"]
    checking: Annotated[tuple[Checking, ...], Field(min_length=1)] = CHECKINGS
    topology: Annotated[tuple[Topology, ...], Field(min_length=1)]
    users: Annotated[int, Field(ge=1, le=10_000)] = 200  # whose requests are sent, in turn
    warm_up_requests: Annotated[int, Field(ge=1, le=10_000)] = 200  # through the longest topology of each shape
    rate_rps: Annotated[float, Field(gt=0, le=10_000)]  # open model, evenly spaced: the same for all
    rate_s: Seconds
    closed_s: Seconds
    connections: Annotated[int, Field(ge=1, le=64)] = 4  # of the closed model
    attempts: Annotated[int, Field(ge=1, le=10)] = 3  # at a window that the machine has disturbed

    @property
    def services(self) -> int:
        """Of the largest topology: all of them run as long as any is measured."""
        return max(map(services_of, self.topology))

    @property
    def rate_requests(self) -> int:
        """Of one window of the open model."""
        return max(1, round(self.rate_rps * self.rate_s))

    def estimated_seconds(self, strategies: int, launches: int) -> float:  # noqa: ARG002 - ways share them
        """How long it takes on a machine of 2 cores, without starting and seeding the stack."""
        start = START_S + START_PER_SERVICE_S * (self.services + 1)
        warm_up = self.warm_up_requests * self.services * USUAL_REQUEST_S
        windows = len(self.topology) * (self.rate_s + self.closed_s + 2 * PER_WINDOW_S)
        return launches * len(self.checking) * (start + warm_up + windows)
