"""What a rotation of keys does to users under load, and how long the old key goes on being accepted."""

from typing import Annotated, Literal

from pydantic import Field

from authbench.experiments.plan import Plan

Way = Literal["overlap", "fallback", "at once"]
Family = Literal["hs256", "secret key", "jwks"]
Name = Annotated[str, Field(min_length=1)]
Names = tuple[Name, ...]
Seconds = Annotated[float, Field(gt=0, le=120)]
WAYS: tuple[Way, ...] = ("overlap", "fallback", "at once")

HS256: Names = (
    "jwt-hs256",
    "jwt-row",
    "jwt-cached",
    "jwt-denylist",
    "jwt-refresh",
    "jwt-once",
    "jwt-cookie",
    "drf-jwt",
    "drf-simplejwt",
    "drf-simplejwt-stateless",
    "starlette-jwt",
    "apistar-jwt",
)
SECRET_KEY: Names = (
    "session-db",
    "session-db-claims",
    "session-cache",
    "session-cache-claims",
    "session-cached-db",
    "session-file",
    "session-cookie",
    "session-cookie-claims",
    "session-page",
    "drf-session",
)
JWKS: Names = ("jwt-jwks",)

START_S, START_PER_REPLICA_S = 1.0, 0.5
RESTART_S = 1.6  # of one replica, out of the balancer and back in it
MINT_S = 1.0


class RotationPlan(Plan):
    """What the experiment varies beside the strategy, and how its users behave."""

    kind: Literal["rotation"]
    way: Annotated[tuple[Way, ...], Field(min_length=1)] = WAYS
    # Requests that a page sends with the cookies it had when it began to load: two, of carriers that are a browser's.
    page: Annotated[tuple[Literal[1, 2], ...], Field(min_length=1)] = (1, 2)
    # Which key a strategy's credentials hang on; strategies of the scenario that are in none of these are left out.
    hs256: Names = HS256
    secret_key: Names = SECRET_KEY
    jwks: Names = JWKS
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

    def family_of(self, strategy: str) -> Family | None:
        """Which key its credentials hang on; None: it takes no part."""
        families: tuple[tuple[Family, Names], ...] = (
            ("hs256", self.hs256),
            ("secret key", self.secret_key),
            ("jwks", self.jwks),
        )
        return next((family for family, names in families if strategy in names), None)

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
