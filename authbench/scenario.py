"""A question, ready to run: what varies, what is held equal, how long each profile may take.

Plain frozen values; `authbench.scenario_file` makes them of a TOML file.
"""

import re
from collections.abc import Mapping
from itertools import product
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from authbench.deployment import Connections, Deployment, DistanceMs, Pooling, Secrets, Serving, SessionStore
from authbench.experiments.plans import ExperimentPlan
from authbench.records import Frozen, Level
from authbench.working_set import Launched, WorkingSet

VERIFICATIONS = 3  # users whose credentials verification uses: load is sent with nobody's that was renewed or ended
SET_ASIDE = 32  # users that live sessions leave to verification and to `authbench.semantics`
_RATE = re.compile(r"rate@(0\.\d+|1(?:\.0)?)")

# One [experiment], or several [[experiment]], each of a kind of its own; one after the other on the same stack.
Experiments = Annotated[
    tuple[ExperimentPlan, ...], BeforeValidator(lambda given: [given] if isinstance(given, dict) else given)
]
Name = Annotated[str, Field(min_length=1)]
Seconds = Annotated[float, Field(gt=0, le=600)]


class Factors(Frozen):
    """What the scenario varies, and the levels each factor takes."""

    strategy: Annotated[tuple[Name, ...], Field(min_length=1)]
    workload: Annotated[tuple[Name, ...], Field(min_length=1)]
    load: tuple[Name, ...]  # none: nothing is loaded, and [semantics] alone is the answer
    replicas: Annotated[tuple[Annotated[int, Field(ge=1, le=64)], ...], Field(min_length=1)] = (2,)
    # Empty: not varied, [stack] says how.
    serving: tuple[Serving, ...] = ()
    pooling: tuple[Pooling, ...] = ()
    distance_ms: tuple[DistanceMs, ...] = ()
    session_store: tuple[SessionStore, ...] = ()
    secrets: tuple[Secrets, ...] = ()
    connections: tuple[Connections, ...] = ()  # over [load].connections

    def varied(self) -> dict[str, tuple[Level, ...]]:
        """Factor -> levels, without those that are not varied."""
        return {name: levels for name, levels in self.model_dump().items() if levels or name == "load"}

    def deployments(self) -> tuple[Deployment, ...]:
        """All combinations of the levels that say how replicas run, in the file's order."""
        names = tuple(Deployment.model_fields)
        levels = [getattr(self, name) or (None,) for name in names]
        return tuple(Deployment(**dict(zip(names, each, strict=True))) for each in product(*levels))


class StackPlan(Frozen):
    """What is held equal on the server's side."""

    workers: Annotated[int, Field(ge=1, le=32)] = 1
    threads: Annotated[int, Field(ge=1, le=64)] = 4
    conn_max_age_s: Annotated[int, Field(ge=0)] = 60
    max_connections: Annotated[int, Field(ge=50, le=10_000)] | None = None  # of PostgreSQL; None: what replicas may use
    replica_cpus: Annotated[float, Field(gt=0, le=64)] | None = None  # budget of each, in cores, where it can be set


class Data(Frozen):
    """How much data stands in the stores before anything is measured."""

    users: Annotated[int, Field(ge=10, le=1_000_000)] = 10_000
    orders: Annotated[int, Field(ge=0, le=10_000_000)] = 100_000
    live_sessions: Annotated[int, Field(ge=10, le=1_000_000)] = 10_000


class LoadPlan(Frozen):
    """How requests are sent."""

    connections: Annotated[int, Field(ge=1, le=10_000)] = 16
    arrivals: Literal["constant", "poisson"] = "poisson"


class SemanticsPlan(Frozen):
    """What each strategy buys is measured too, before anything is loaded."""

    within_s: Annotated[float, Field(gt=0, le=600)] = 3.0  # an event that is not obeyed by then counts as not obeyed
    poll_s: Annotated[float, Field(ge=0.01, le=10)] = 0.05


class Profile(Frozen):
    """How much time is given to the question. Rules are the same in all; only precision differs."""

    launches: Annotated[int, Field(ge=2, le=1000)]
    blocks_per_launch: Annotated[int, Field(ge=1, le=1000)] = 1
    attempts: Annotated[int, Field(ge=1, le=10)] = 3  # how often a cell of a block is measured before it is given up
    saturate_s: Seconds
    rate_s: Seconds
    strategy: tuple[Name, ...] | None = None
    workload: tuple[Name, ...] | None = None
    load: tuple[Name, ...] | None = None
    replicas: tuple[int, ...] | None = None
    live_sessions: Annotated[int, Field(ge=10, le=1_000_000)] | None = None
    orders: Annotated[int, Field(ge=0, le=10_000_000)] | None = None
    serving: tuple[Serving, ...] | None = None
    pooling: tuple[Pooling, ...] | None = None
    distance_ms: tuple[DistanceMs, ...] | None = None
    session_store: tuple[SessionStore, ...] | None = None
    secrets: tuple[Secrets, ...] | None = None
    connections: tuple[Connections, ...] | None = None
    experiment: Mapping[str, Any] = {}  # keys of [experiment], over what stands there; of several: by kind


class Profiles(Frozen):
    """The three amounts of time."""

    quick: Profile
    standard: Profile
    thorough: Profile

    def all(self) -> tuple[Profile, ...]:
        """Quick, standard, thorough."""
        return (self.quick, self.standard, self.thorough)


class Document(Frozen):
    """The TOML file as written."""

    question: Name
    control: Name
    reference: Name
    margin: Annotated[float, Field(gt=0, lt=1)] = 0.03
    answers: tuple[Name, ...]
    factors: Factors
    workloads: Mapping[str, Mapping[str, Annotated[int, Field(ge=1)]]]
    credentials: Mapping[str, WorkingSet] = {}  # by workload; `own` where it is not named
    stack: StackPlan = StackPlan()
    data: Data = Data()
    load: LoadPlan = LoadPlan()
    semantics: SemanticsPlan | None = None
    experiment: Experiments = ()
    profiles: Profiles


class Cell(Frozen):
    """One combination of levels."""

    strategy: str
    workload: str
    load: str
    deployment: Deployment = Deployment()

    @property
    def replicas(self) -> int:
        """Of each strategy."""
        return self.deployment.replicas

    @property
    def rate_share(self) -> float | None:
        """Share of the lowest capacity at which the open model sends; None in the closed model."""
        return rate_share(self.load)

    def levels(self) -> dict[str, Level]:
        """Factor -> level, as records keep it."""
        return {"strategy": self.strategy, "workload": self.workload, "load": self.load, **self.deployment.levels()}


class Scenario(Frozen):
    """A question, ready to run: one profile chosen, every name checked."""

    name: str
    profile_name: str
    question: str
    control: str
    reference: str
    margin: float
    answers: tuple[str, ...]
    factors: Factors
    workloads: Mapping[str, Mapping[str, int]]
    credentials: Mapping[str, WorkingSet] = {}
    stack: StackPlan
    data: Data
    load: LoadPlan
    semantics: SemanticsPlan | None = None
    experiment: Experiments = ()
    profile: Profile

    def launched(self) -> Launched:
        """What a launch has of a strategy at most."""
        windows = len(self.factors.load) * self.profile.blocks_per_launch * self.profile.attempts
        return Launched(max(self.factors.replicas) * self.stack.workers, windows)

    def working_set(self, workload: str) -> WorkingSet:
        """Which credentials the workload's requests carry."""
        return self.credentials.get(workload, "own")

    def cells(self) -> tuple[Cell, ...]:
        """All combinations of levels, in the file's order."""
        f = self.factors
        return tuple(
            Cell(strategy=strategy, workload=workload, load=load, deployment=deployment)
            for deployment, strategy, workload, load in product(f.deployments(), f.strategy, f.workload, f.load)
        )


def rate_share(load: str) -> float | None:
    """0.3 for `rate@0.3`, None for `saturate`. Raises ValueError for anything else."""
    if load == "saturate":
        return None
    match = _RATE.fullmatch(load)
    if match is None or float(match[1]) == 0:
        raise ValueError(load)
    return float(match[1])
