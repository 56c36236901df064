"""What a rotation of keys does to users under load, and how long the old key goes on being accepted."""

from typing import Annotated, Literal

from pydantic import Field

from apps.contract.registry import Strategy
from authbench.experiments.plan import Plan

Way = Literal["overlap", "fallback", "at once"]
Family = Literal["hs256", "secret key", "jwks"]
Seconds = Annotated[float, Field(gt=0, le=120)]
WAYS: tuple[Way, ...] = ("overlap", "fallback", "at once")

START_S, START_PER_REPLICA_S = 1.0, 0.5
RESTART_S = 1.6  # of one replica, out of the balancer and back in it
MINT_S = 1.0


class RotationPlan(Plan):
    """What the experiment varies beside the strategy, and how its users behave."""

    kind: Literal["rotation"]
    way: Annotated[tuple[Way, ...], Field(min_length=1)] = WAYS
    # Requests that a page sends with the cookies it had when it began to load: two, of carriers that are a browser's.
    page: Annotated[tuple[Literal[1, 2], ...], Field(min_length=1)] = (1, 2)
    replicas: Annotated[int, Field(ge=2, le=8)] = 2
    users: Annotated[int, Field(ge=3, le=1_000)] = 30  # who are logged in with the old key when it begins
    renewing: Annotated[float, Field(ge=0, le=1)] = 2 / 3  # share of them who renew before the old key is dropped
    pages_rps: Annotated[float, Field(gt=0, le=500)] = 20.0
    logins_rps: Annotated[float, Field(gt=0, le=10)] = 1.0
    before_s: Seconds = 1.0
    between_s: Seconds = 1.0  # that a replica serves before the next one leaves the balancer
    settle_s: Seconds = 1.0  # between two steps; with published keys at least their greatest age
    after_s: Seconds = 2.0
    jwks_cooldown_s: Annotated[int, Field(ge=1, le=60)] = 1
    jwks_max_age_s: Annotated[int, Field(ge=1, le=60)] = 3

    def estimated_seconds(self, strategies: int, launches: int) -> float:
        """How long it takes on a machine of 2 cores, without starting and seeding the stack."""
        restarts = {"overlap": 3, "fallback": 2, "at once": 1}
        step_s = self.replicas * RESTART_S + (self.replicas - 1) * self.between_s
        one_page = 0.0
        for way in self.way:
            steps = restarts[way]
            cell = MINT_S + self.before_s + self.after_s + steps * step_s
            cell += (steps - 1) * (self.settle_s + self.users / self.pages_rps)
            one_page += START_S + strategies * (START_PER_REPLICA_S * self.replicas + cell)
        return launches * one_page * (1 + 0.5 * (len(self.page) - 1))


def family_of(strategy: Strategy) -> Family | None:
    """Which key the strategy's credentials hang on; None: none that can be rotated under load, and it is left out.

    A private key that its own replicas publish has a set of keys, any other has no former ones. A login in a process's
    memory goes with the process, whatever the key.
    """
    if strategy.location.startswith("token"):
        if not strategy.private_key:
            return "hs256"
        return "jwks" if strategy.service else None
    return "secret key" if strategy.carrier in ("cookie", "page") and not strategy.sticky else None
