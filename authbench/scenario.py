"""A question as a TOML file: what varies, what is held equal, how long each profile may take.

`load_scenario` turns the file into one frozen `Scenario`, with a profile and `--set` applied. Every mistake names the
file, the key and the nearest right name.
"""

import difflib
import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from apps.contract.endpoints import ENDPOINTS
from authbench.errors import UsageError
from authbench.records import Frozen, Level
from authbench.working_set import Launched, WorkingSet, fewest_sessions

SCENARIOS = Path(__file__).parent.parent / "scenarios"
PROFILES = ("quick", "standard", "thorough")
# `login` hashes a password, `healthz` asks the stores: neither is a request of a logged-in user.
LOADABLE = tuple(name for name in ENDPOINTS if name in ("whoami", "orders", "orders-create", "public"))

VERIFICATIONS = 3  # users whose credentials verification uses: load is sent with nobody's that was renewed or ended
SET_ASIDE = 32  # users that live sessions leave to verification and to `authbench.semantics`
_RATE = re.compile(r"rate@(0\.\d+|1(?:\.0)?)")

Name = Annotated[str, Field(min_length=1)]
Seconds = Annotated[float, Field(gt=0, le=600)]


class Factors(Frozen):
    """What the scenario varies, and the levels each factor takes."""

    strategy: Annotated[tuple[Name, ...], Field(min_length=1)]
    workload: Annotated[tuple[Name, ...], Field(min_length=1)]
    load: tuple[Name, ...]  # none: nothing is loaded, and [semantics] alone is the answer
    replicas: Annotated[tuple[Annotated[int, Field(ge=1, le=64)], ...], Field(min_length=1)] = (2,)


class StackPlan(Frozen):
    """What is held equal on the server's side."""

    workers: Annotated[int, Field(ge=1, le=32)] = 1
    threads: Annotated[int, Field(ge=1, le=64)] = 4
    conn_max_age_s: Annotated[int, Field(ge=0)] = 60


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
    profiles: Profiles


class Cell(Frozen):
    """One combination of levels."""

    strategy: str
    workload: str
    load: str
    replicas: int

    @property
    def rate_share(self) -> float | None:
        """Share of the lowest capacity at which the open model sends; None in the closed model."""
        return rate_share(self.load)

    def levels(self) -> dict[str, Level]:
        """Factor -> level, as records keep it."""
        return self.model_dump()


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
            Cell(strategy=strategy, workload=workload, load=load, replicas=replicas)
            for replicas, strategy, workload, load in product(f.replicas, f.strategy, f.workload, f.load)
        )


def scenario_names() -> list[str]:
    """Names of the scenarios that come with authbench."""
    return sorted(path.stem for path in SCENARIOS.glob("*.toml"))


def load_scenario(
    name: str,
    profile: str = "standard",
    *,
    known_strategies: Collection[str],
    known_metrics: Collection[str],
    overrides: Mapping[str, Sequence[str]] | None = None,
) -> Scenario:
    """The scenario of that name (or TOML path) with its profile and `--set factor=level,level` applied.

    Raises UsageError: no such scenario, profile, key, strategy, workload, metric or level.
    """
    path = _path(name)
    document = _parse(path)
    if profile not in PROFILES:
        raise UsageError(f"--profile {profile}: no such profile{_nearest(profile, PROFILES)}")
    chosen: Profile = getattr(document.profiles, profile)
    factors = _apply(document.factors, chosen, overrides or {}, path)
    live = chosen.live_sessions or document.data.live_sessions
    scenario = Scenario(
        name=path.stem,
        profile_name=profile,
        question=document.question,
        control=document.control,
        reference=document.reference,
        margin=document.margin,
        answers=document.answers,
        factors=factors,
        workloads=document.workloads,
        credentials=document.credentials,
        stack=document.stack,
        data=document.data.model_copy(
            update={
                "live_sessions": min(live, document.data.users - (SET_ASIDE if document.semantics else VERIFICATIONS)),
                "orders": document.data.orders if chosen.orders is None else chosen.orders,
            }
        ),
        load=document.load,
        semantics=document.semantics,
        profile=chosen,
    )
    _check_names(document, path, known_strategies, known_metrics)
    for levels in (
        document.factors,
        *(_apply(document.factors, p, {}, path) for p in document.profiles.all()),
        factors,
    ):
        _check_levels(levels, document, path, known_strategies)
    _check_sessions(scenario, path)
    return scenario


def rate_share(load: str) -> float | None:
    """0.3 for `rate@0.3`, None for `saturate`. Raises ValueError for anything else."""
    if load == "saturate":
        return None
    match = _RATE.fullmatch(load)
    if match is None or float(match[1]) == 0:
        raise ValueError(load)
    return float(match[1])


def nearest(name: str, known: Collection[str]) -> str | None:
    """The known name that `name` was most likely meant to be."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return close[0] if close else None


def _nearest(name: str, known: Collection[str]) -> str:
    close = nearest(name, known)
    return f"; did you mean {close!r}?" if close else f"; known are {', '.join(sorted(known))}"


def _path(name: str) -> Path:
    path = Path(name) if name.endswith(".toml") else SCENARIOS / f"{name}.toml"
    if not path.is_file():
        raise UsageError(f"no scenario {name!r}{_nearest(name, scenario_names())}")
    return path


def _parse(path: Path) -> Document:
    try:
        return Document.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not TOML: {error}") from error
    except OSError as error:
        raise UsageError(f"{path}: cannot read: {error.strerror}") from error
    except ValidationError as error:
        raise UsageError(_explain(error, path)) from error


def _explain(error: ValidationError, path: Path) -> str:
    # A mistyped key shows twice, as unknown and as missing: the first says what to do.
    first = min(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"{path}: unknown key {key!r}{_nearest(str(first['loc'][-1]), _known_keys(first['loc'][:-1]))}"
    if first["type"] == "missing":
        return f"{path}: key {key!r} is missing"
    return f"{path}: key {key!r}: {first['msg']}, not {first['input']!r}"


def _known_keys(location: Sequence[int | str]) -> list[str]:
    model: Any = Document
    for part in location:
        model = model.model_fields[str(part)].annotation
    return list(model.model_fields)


def _apply(factors: Factors, profile: Profile, overrides: Mapping[str, Sequence[str]], path: Path) -> Factors:
    levels: dict[str, Any] = factors.model_dump()
    levels |= {name: getattr(profile, name) for name in levels if getattr(profile, name) is not None}
    for name, values in overrides.items():
        if name not in levels:
            raise UsageError(f"--set {name}: no such factor{_nearest(name, list(levels))}")
        levels[name] = tuple(values)
    for name, values in levels.items():
        if len(set(values)) != len(values):
            raise UsageError(f"{path}: factor {name!r} names a level twice: {', '.join(map(str, values))}")
    try:
        return Factors.model_validate(levels)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        where = f"--set {name}" if name in overrides else f"{path}: key 'factors.{name}'"
        raise UsageError(f"{where}: {first['msg']}, not {first['input']!r}") from error


def _check_names(
    document: Document, path: Path, known_strategies: Collection[str], known_metrics: Collection[str]
) -> None:
    for workload, shares in document.workloads.items():
        for endpoint in shares:
            _check(path, f"workloads.{workload}", endpoint, LOADABLE, "endpoint")
    for workload in document.credentials:
        _check(path, "credentials", workload, document.workloads, "workload")
    for key in ("control", "reference"):
        _check(path, key, getattr(document, key), known_strategies, "strategy")
    for metric in document.answers:
        _check(path, "answers", metric, known_metrics, "metric")


def _check_sessions(scenario: Scenario, path: Path) -> None:
    for workload in scenario.factors.workload:
        kind, live = scenario.working_set(workload), scenario.data.live_sessions
        needed = fewest_sessions(kind, scenario.launched())
        if live < needed:
            raise UsageError(
                f"{path}: key 'credentials.{workload}': {kind!r} needs {needed} live sessions "
                f"in profile {scenario.profile_name!r}, there are {live} (data.live_sessions, fewer than data.users)"
            )


def _check_levels(factors: Factors, document: Document, path: Path, known_strategies: Collection[str]) -> None:
    for strategy in factors.strategy:
        _check(path, "factors.strategy", strategy, known_strategies, "strategy")
    for workload in factors.workload:
        _check(path, "factors.workload", workload, document.workloads, "workload")
    for load in factors.load:
        try:
            rate_share(load)
        except ValueError:
            raise UsageError(
                f"{path}: key 'factors.load': level {load!r} is neither 'saturate' nor 'rate@S' with 0 < S <= 1"
            ) from None
    if not factors.load and document.semantics is None:
        raise UsageError(f"{path}: key 'factors.load' is empty and there is no [semantics]: nothing is measured")
    if factors.load and all(rate_share(load) is not None for load in factors.load):
        raise UsageError(f"{path}: key 'factors.load' lacks 'saturate'; CPU a request is read from it")


def _check(path: Path, key: str, name: str, known: Collection[str], kind: str) -> None:
    if name not in known:
        raise UsageError(f"{path}: key {key!r}: unknown {kind} {name!r}{_nearest(name, list(known))}")
