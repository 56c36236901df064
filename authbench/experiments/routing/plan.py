"""How requests find a replica, and what happens to logins where a replica joins or leaves."""

from typing import Annotated, Literal

from pydantic import Field

from authbench.balancing import BALANCINGS, Balancing
from authbench.experiments.plan import Plan

Event = Literal["none", "joins", "leaves"]
FileStore = Literal["shared", "unshared"]
EVENTS: tuple[Event, ...] = ("none", "joins", "leaves")
REPLICAS = 3  # of each strategy: two serve until the third joins, three until the first leaves
Name = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=1, le=100_000)]
Share = Annotated[float, Field(gt=0, le=10)]

START_S, START_PER_REPLICA_S = 1.0, 0.5
SWITCH_S, REQUEST_S = 0.15, 0.002  # of the balancer to another configuration; of a client, one after the other
PER_WINDOW_S = 0.1
USUAL_CAPACITY_RPS = 700.0  # of the slowest strategy, on the machine that estimates were made on


class RoutingPlan(Plan):
    """What the experiment varies beside the strategy."""

    kind: Literal["routing"]
    method: Annotated[tuple[Balancing, ...], Field(min_length=1)] = BALANCINGS
    session_file: Annotated[tuple[FileStore, ...], Field(min_length=1)] = ("shared", "unshared")
    users: Annotated[int, Field(ge=4, le=10_000)] = 60  # clients who log in, for each strategy, method and event
    requests: Annotated[int, Field(ge=1, le=100)] = 4  # of each after logging in, the event in between
    in_flight: Annotated[int, Field(ge=1, le=64)] = 4  # clients at once, so that "least connections" has a choice
    # Latency as load rises: each of these under the method named; rates are shares of what `pilot` can serve.
    loaded: tuple[tuple[Name, Balancing], ...] = (
        ("session-locmem", "cookie"),
        ("session-cache", "round robin"),
        ("session-db", "round robin"),
    )
    pilot: Name = "session-db"
    rate_share: tuple[Share, ...] = (0.1, 0.3, 0.5, 0.7, 0.9, 1.1)
    rate_requests: Count = 900  # fewest of a window, so that the launches together support a p99
    rate_s: Annotated[float, Field(gt=0, le=600)] = 1.0  # shortest window
    pilot_s: Annotated[float, Field(gt=0, le=60)] = 1.0

    def estimated_seconds(self, strategies: int, launches: int) -> float:
        """How long it takes on a machine of 2 cores, without starting and seeding the stack."""
        stores = strategies + len(self.session_file) - 1
        start = START_S + START_PER_REPLICA_S * REPLICAS * strategies
        switches = SWITCH_S * 3 * len(self.method) * len(self.session_file)
        clients = stores * len(self.method) * len(EVENTS) * self.users * (1 + self.requests) * REQUEST_S
        windows = sum(
            max(self.rate_s, self.rate_requests / (share * USUAL_CAPACITY_RPS)) + PER_WINDOW_S
            for share in self.rate_share
        )
        return launches * (start + switches + clients + len(self.loaded) * windows) + self.pilot_s
