"""Tables and caches that grow, and storms of logins: what is varied beside the strategy."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from authbench.experiments.plan import Plan
from authbench.records import Frozen

Cleaning = Literal["none", "running"]
Rows = Annotated[int, Field(ge=100, le=10_000_000)]
Share = Annotated[float, Field(ge=0, le=0.99)]
Seconds = Annotated[float, Field(gt=0, le=600)]
Rate = Annotated[float, Field(gt=0, le=100_000)]

START_S = 3.0  # of fresh replicas
GROW_S, GROW_ROW_S = 2.5, 22e-6  # filling a store, its files, VACUUM before and after
LOGIN_S = 0.45  # Django's default hasher, on one core


class StormPlan(Frozen):
    """Logins by password while other users, who are logged in, go on."""

    in_flight: Annotated[tuple[Annotated[int, Field(ge=1, le=256)], ...], Field(min_length=1)]
    logins: Annotated[int, Field(ge=2, le=10_000)]  # of the window that counts what one login costs
    rate_rps: Rate  # of whoami meanwhile, open model
    seconds: Seconds  # of that window


class GrowthPlan(Plan):
    """`rows`: stored logins, live and ended together; none: tables are left alone, and `storm` is the whole answer."""

    kind: Literal["growth"]
    rows: tuple[Rows, ...] = ()
    expired: Annotated[tuple[Share, ...], Field(min_length=1)] = (0.0,)  # ended ones among them
    cleaning: Annotated[tuple[Cleaning, ...], Field(min_length=1)] = ("none",)
    sessions: Annotated[int, Field(ge=50, le=100_000)] = 1_000  # live ones that requests are sent with, at most
    closed_s: Seconds = 1.0
    open_s: Seconds = 1.0
    rate_rps: Rate = 100.0
    storm: StormPlan | None = None

    @model_validator(mode="after")
    def _asks_one_thing(self) -> Self:
        if not self.rows and self.storm is None:
            raise ValueError("neither rows nor storm: nothing would be measured")
        if self.rows and self.storm is not None:
            raise ValueError("rows and storm: whoever fills a store empties it of the logins that a storm needs")
        return self

    def estimated_seconds(self, strategies: int, launches: int) -> float:
        """How long it takes on a machine of 2 cores, without starting and seeding the stack."""
        windows_s = self.closed_s + len(self.cleaning) * self.open_s
        level_s = sum((GROW_S + windows_s + rows * GROW_ROW_S) * len(self.expired) for rows in self.rows)
        storm_s = 0.0
        if self.storm is not None:
            hashing_s = self.storm.logins * LOGIN_S
            storm_s = self.closed_s + hashing_s + (1 + len(self.storm.in_flight)) * (self.storm.seconds + 3.0)
        return launches * (START_S + strategies * (level_s + storm_s))
