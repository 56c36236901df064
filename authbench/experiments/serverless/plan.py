"""The application as a function: cold starts, frozen instances, and the connections that they hold."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from authbench.experiments.plan import Plan

# On a quiet machine of 2 cores, one of them the functions'.
COLD_S = 0.6  # an instance from its start to its first answer
WARM_S = 0.008  # a request, freezing included
AUTH_S = 1.5  # auth services, once a launch

Instances = Annotated[int, Field(ge=1, le=64)]
Seconds = Annotated[int, Field(ge=0, le=3_600)]


class ServerlessPlan(Plan):
    """What the experiment varies beside the strategy."""

    kind: Literal["serverless"]
    # Requests that arrive together, one burst after the other, ascending: the instances of one are there for the next.
    concurrency: Annotated[tuple[Instances, ...], Field(min_length=1)] = (1, 4, 8, 16)
    conn_max_age_s: Annotated[tuple[Seconds, ...], Field(min_length=1)] = (0, 60)  # Django's CONN_MAX_AGE
    warm_requests: Annotated[int, Field(ge=1, le=10_000)] = 40  # of one instance, one after the other
    attempts: Annotated[int, Field(ge=1, le=10)] = 2  # at a first instance that something else disturbed
    # After so long PostgreSQL ends an idle connection: what a frozen instance's next request meets. None: not tried.
    idle_session_timeout_s: Annotated[float, Field(gt=0, le=60)] | None = 0.5

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if self.concurrency[0] != 1 or list(self.concurrency) != sorted(set(self.concurrency)):
            raise ValueError("concurrency ascends from 1: one instance's cold start is measured alone")
        return self

    def estimated_seconds(self, strategies: int, launches: int) -> float:
        """How long it takes on a machine of 2 cores, without starting and seeding the stack."""
        burst = COLD_S * max(self.concurrency) + WARM_S * (self.warm_requests + sum(self.concurrency))
        timeout = 0.0 if self.idle_session_timeout_s is None else 2 * (COLD_S + self.idle_session_timeout_s)
        each = len(self.conn_max_age_s) * burst + timeout
        return strategies * COLD_S + launches * (AUTH_S + strategies * each)
