"""Scenario files: TOML, checked, with a profile and `--set` applied.

`load_scenario` turns a file into one frozen `Scenario`. Every mistake names file, key and nearest right name.
"""

import difflib
import tomllib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import TypeAdapter, ValidationError

from apps.contract.endpoints import ENDPOINTS
from authbench.errors import UsageError
from authbench.experiments.plans import ExperimentPlan
from authbench.scenario import SET_ASIDE, VERIFICATIONS, Document, Factors, Profile, Scenario, rate_share
from authbench.working_set import fewest_sessions

SCENARIOS = Path(__file__).parent.parent / "scenarios"
PLANS = get_args(get_args(ExperimentPlan)[0])
PROFILES = ("quick", "standard", "thorough")
# `login` hashes a password, `healthz` asks the stores: neither is a request of a logged-in user.
LOADABLE = tuple(name for name in ENDPOINTS if name in ("whoami", "orders", "orders-create", "public"))


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
        experiment=_experiments(document, profile, path),
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
    # An experiment's place among several says less than its kind.
    key = ".".join(part for part in first["loc"] if isinstance(part, str))
    if first["type"] == "extra_forbidden":
        return f"{path}: unknown key {key!r}{_nearest(str(first['loc'][-1]), _known_keys(first['loc'][:-1]))}"
    if first["type"] == "missing":
        return f"{path}: key {key!r} is missing"
    return f"{path}: key {key!r}: {first['msg']}, not {first['input']!r}"


def _known_keys(location: Sequence[int | str]) -> list[str]:
    model: Any
    if location[:1] == ("experiment",):
        (model,) = (each for each in PLANS if each.model_fields["kind"].annotation == Literal[location[-1]])
        return list(model.model_fields)
    model = Document
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


def _experiments(document: Document, profile: str, path: Path) -> tuple[ExperimentPlan, ...]:
    """Every [experiment] with what the profile says otherwise."""
    plans: TypeAdapter[ExperimentPlan] = TypeAdapter(ExperimentPlan)
    given: Mapping[str, Any] = getattr(document.profiles, profile).experiment
    where = f"{path}: key 'profiles.{profile}.experiment"
    kinds = [each.kind for each in document.experiment]
    if len(set(kinds)) != len(kinds):
        raise UsageError(f"{path}: key 'experiment': a kind stands there twice: {', '.join(kinds)}")
    by_kind = {kinds[0]: given} if len(kinds) == 1 and given else given
    if unknown := by_kind.keys() - set(kinds):
        raise UsageError(f"{where}': there is no experiment {min(unknown)!r} to change")
    found = []
    for each in document.experiment:
        try:
            found.append(plans.validate_python({**each.model_dump(), **by_kind.get(each.kind, {})}))
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"][1:])  # without the kind
            said = "no such key" if first["type"] == "extra_forbidden" else f"{first['msg']}, not {first['input']!r}"
            raise UsageError(f"{where}.{key}': {said}") from error
    return tuple(found)


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
    for experiment in document.experiment:
        for strategy in experiment.strategy:
            _check(path, f"experiment.{experiment.kind}.strategy", strategy, known_strategies, "strategy")
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
    if not factors.load and document.semantics is None and not document.experiment:
        said = "is empty and there is neither [semantics] nor [experiment]: nothing is measured"
        raise UsageError(f"{path}: key 'factors.load' {said}")
    if factors.load and all(rate_share(load) is not None for load in factors.load):
        raise UsageError(f"{path}: key 'factors.load' lacks 'saturate'; CPU a request is read from it")


def _check(path: Path, key: str, name: str, known: Collection[str], kind: str) -> None:
    if name not in known:
        raise UsageError(f"{path}: key {key!r}: unknown {kind} {name!r}{_nearest(name, list(known))}")
