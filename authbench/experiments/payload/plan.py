"""Data of 0.1 to 6 KB beside a login: bytes on the wire, CPU, and the limits that it meets."""

from typing import Annotated, Literal

from pydantic import Field

from authbench.experiments.plan import Plan

# On a quiet machine of 2 cores.
MINT_S = 0.9  # a management command: a strategy and a level
START_S = 0.8  # a replica
SETTLE_S = 0.6  # around a window: the counted pass, first requests, counters

Size = Annotated[int, Field(ge=0, le=65_536)]


class PayloadPlan(Plan):
    """What the experiment varies beside the strategy."""

    kind: Literal["payload"]
    payload_bytes: Annotated[tuple[Size, ...], Field(min_length=1)]  # beside the login's own data
    users: Annotated[int, Field(ge=1, le=100_000)] = 200  # logins a strategy and level, each with a payload of its own
    connections: Annotated[int, Field(ge=1, le=1_000)] = 8  # c of the closed model
    window_s: Annotated[float, Field(gt=0, le=600)] = 0.5  # in which CPU a request is measured
    attempts: Annotated[int, Field(ge=1, le=10)] = 2  # at a window that something else on the machine disturbed

    def estimated_seconds(self, strategies: int, launches: int) -> float:
        """How long it takes on a machine of 2 cores, without starting and seeding the stack."""
        each = strategies * len(self.payload_bytes)
        return each * MINT_S + launches * (strategies * START_S + each * (self.window_s + SETTLE_S))
