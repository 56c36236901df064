"""What is done to which part while users go on asking, and how they ask."""

import math
from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from apps.contract.registry import Strategy
from authbench.experiments.plan import Plan
from authbench.faults.fault import Fault, Part

Engine = Literal["shop", "stock"]  # the shop's own session engine (or there is none), or Django's in its place
LoggedOut = Literal["stays out", "logs in"]
Asked = Literal["whoami", "orders", "orders-create", "preferences"]
Seconds = Annotated[float, Field(gt=0, le=600)]

Name = Annotated[str, Field(min_length=1)]

ROUND_S, STRATEGY_S = 0.9, 0.75  # of starting processes and of users who look whether they are still logged in
CONCERNED: Mapping[Part, float] = {"replica": 1.0, "database": 1.0, "cache": 0.5, "auth": 0.2, "files": 0.1}  # share


class FaultsPlan(Plan):
    """Every fault hits every strategy that has the part on its way, once a launch, under the same load."""

    kind: Literal["faults"]
    fault: Annotated[tuple[Fault, ...], Field(min_length=1)]
    rate_rps: Annotated[float, Field(gt=0, le=1000)] = 30.0  # of each strategy; Poisson arrivals, open model
    shares: Mapping[Asked, Annotated[int, Field(ge=0, le=100)]] = {
        "whoami": 2,
        "orders": 1,
        "orders-create": 2,
        "preferences": 1,
    }
    users: Annotated[int, Field(ge=10, le=10_000)] = 120  # of each strategy, each with a login of her own
    timeout_s: Seconds = 2.0  # until a client gives up waiting
    after_s: Seconds = 3.0  # watched after the fault's end
    stretch_s: Seconds = 0.5  # recovered: so long a stretch, at least, follows the last request that went wrong
    bin_s: Annotated[float, Field(ge=0.01, le=10)] = 0.1  # of the time line
    at_once: Annotated[int, Field(ge=1, le=8)] = 4  # strategies side by side in one round
    engines: Annotated[tuple[Engine, ...], Field(min_length=1)] = ("shop", "stock")
    logged_out: LoggedOut = "stays out"  # what a client does whom an answer has told that she is logged out
    controls: tuple[
        Name, ...
    ] = ()  # of these, one without the part takes part in the first launch, beside those with it

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        twice = [name for name, times in Counter(fault.name for fault in self.fault).items() if times > 1]
        if twice:
            raise ValueError(f"the fault {twice[0]!r} stands there twice")
        if not any(self.shares.values()):
            raise ValueError("shares: nothing is asked")
        # A user asks nothing more while she waits: her one-time token, or her cookie, is in the answer.
        waiting = math.ceil(1.5 * self.rate_rps * self.timeout_s)
        if self.users < waiting:
            raise ValueError(f"users = {self.users}: where nobody is answered, {waiting} wait at once (rate, timeout)")
        if self.stretch_s > self.after_s:
            raise ValueError("stretch_s is longer than after_s: no recovery would be seen")
        return self

    def endpoints(self, strategy: Strategy) -> tuple[Asked, ...]:
        """Each as often as its share says; where nobody logs in, nothing is kept with a login either."""
        asked = [name for name, share in self.shares.items() for _ in range(share)]
        return tuple("whoami" if name == "preferences" and strategy.carrier == "none" else name for name in asked)

    def estimated_seconds(self, strategies: int, launches: int) -> float:
        """How long it takes on a machine of 2 cores, without starting and seeding the stack."""
        return launches * sum(self._fault_s(fault, strategies) for fault in self.fault)

    def _fault_s(self, fault: Fault, strategies: int) -> float:
        """Of one fault in one launch."""
        concerned = max(1, round(CONCERNED[fault.part] * strategies))
        engines = 2 if "stock" in self.engines and fault.part == "cache" and fault.action != "flush" else 1
        rounds = engines * math.ceil(concerned / self.at_once)
        each = ROUND_S + fault.at_s + fault.for_s + self.after_s
        return rounds * each + engines * concerned * STRATEGY_S
