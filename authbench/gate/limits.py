"""How much of each figure may be lost: from the command line and from a TOML file, every name checked."""

import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from authbench.errors import UsageError
from authbench.gate.gated import GATED
from authbench.records import Frozen
from authbench.scenario_file import nearest

MAX_REGRESSION = 0.03  # METHOD.md, tier 2
_SHARE = re.compile(r"(\d+(?:\.\d+)?(?:e-?\d+)?)\s*(%?)", re.ASCII)


class Limit(Frozen):
    """The most that a figure may grow: by a share of the base's value, or by a count a request."""

    kind: Literal["share", "count"]
    most: float

    def allows(self, base: float, candidate: float) -> bool:
        """Whether the candidate's exact value is within the limit."""
        allowed = base * (1 + self.most) if self.kind == "share" else base + self.most
        return candidate <= allowed + 1e-9 * max(1.0, abs(allowed))

    def told(self) -> str:
        """`+3 %`, `+0`."""
        return f"+{100 * self.most:g} %" if self.kind == "share" else f"+{self.most:g}"


class Limits(Frozen):
    """The limits of one gate. The most specific wins: strategy and metric, then metric, then the general one."""

    max_regression: float = MAX_REGRESSION
    metrics: Mapping[str, Limit] = {}
    strategies: Mapping[str, Mapping[str, Limit]] = {}

    def of(self, strategy: str, metric: str) -> Limit:
        """The limit on that metric of that strategy."""
        found = self.strategies.get(strategy, {}).get(metric) or self.metrics.get(metric)
        if found is not None:
            return found
        if GATED[metric].judged == "exact":
            return Limit(kind="count", most=0)
        return Limit(kind="share", most=max(self.max_regression, GATED[metric].allowed or 0.0))


def limits_from(
    path: Path | None, max_regression: str | None, each: Sequence[str], known_strategies: Collection[str]
) -> Limits:
    """The file's limits, then the command line's over them.

    `each`: `metric=5%` or `strategy:metric=5%`; a value without % is a count for exact metrics and a share otherwise.
    Raises UsageError for an unknown key, strategy or metric, and for a value that is no share.
    """
    limits = Limits() if path is None else _read(path, known_strategies)
    if max_regression is not None:
        limits = limits.model_copy(update={"max_regression": share(max_regression, "--max-regression")})
    metrics = dict(limits.metrics)
    strategies = {name: dict(found) for name, found in limits.strategies.items()}
    for text in each:
        where = f"--limit {text}"
        left, equals, value = text.rpartition("=")
        strategy, colon, metric = left.rpartition(":")
        if not equals:
            raise UsageError(f"{where}: write metric=5% or strategy:metric=5%")
        _known_metric(metric, where)
        if colon:
            _known_strategy(strategy, known_strategies, where)
            strategies.setdefault(strategy, {})[metric] = _limit(metric, value, where)
        else:
            metrics[metric] = _limit(metric, value, where)
    return limits.model_copy(update={"metrics": metrics, "strategies": strategies})


def share(value: str | float, where: str) -> float:
    """0.05 for `5%`, `5 %` and 0.05. Raises UsageError outside 0 to 1."""
    text = str(value).strip()
    found = _SHARE.fullmatch(text)
    if found is None or isinstance(value, bool):
        raise UsageError(f"{where}: {value!r} is no share; write 5% or 0.05")
    number = float(found[1]) / (100 if found[2] else 1)
    if not 0 <= number <= 1:
        raise UsageError(f"{where}: {value!r} is {100 * number:g} %; a share lies between 0% and 100%")
    return number


def _read(path: Path, known_strategies: Collection[str]) -> Limits:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not TOML: {error}") from error
    except OSError as error:
        raise UsageError(f"{path}: cannot read: {error.strerror}") from error
    for key in document:
        _known(key, ("max_regression", "metrics", "strategies"), "key", str(path))
    general = document.get("max_regression", MAX_REGRESSION)
    strategies = {}
    for name, tables in _table(document.get("strategies", {}), f"{path}: strategies").items():
        _known_strategy(name, known_strategies, str(path))
        strategies[name] = _metrics(tables, f"{path}: strategies.{name}")
    return Limits(
        max_regression=share(general, f"{path}: max_regression"),
        metrics=_metrics(document.get("metrics", {}), f"{path}: metrics"),
        strategies=strategies,
    )


def _metrics(tables: Any, where: str) -> dict[str, Limit]:
    found = {}
    for name, table in _table(tables, where).items():
        _known_metric(name, where)
        entries = _table(table, f"{where}.{name}")
        for key in entries:
            _known(key, ("max_regression", "max_increase"), "key", f"{where}.{name}")
        if len(entries) != 1:
            raise UsageError(f"{where}.{name}: give max_regression (a share) or max_increase (a count), one of them")
        key, value = next(iter(entries.items()))
        if key == "max_regression":
            found[name] = Limit(kind="share", most=share(value, f"{where}.{name}.{key}"))
        else:
            found[name] = _count(name, value, f"{where}.{name}.{key}")
    return found


def _limit(metric: str, value: str, where: str) -> Limit:
    if GATED[metric].judged == "exact" and "%" not in value:
        return _count(metric, value, where)
    return Limit(kind="share", most=share(value, where))


def _count(metric: str, value: str | float, where: str) -> Limit:
    if GATED[metric].judged != "exact":
        raise UsageError(f"{where}: {metric} is no count a request; give max_regression, such as 5%")
    try:
        number = -1 if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = -1
    if not 0 <= number < float("inf"):
        raise UsageError(f"{where}: {value!r} is no count; write 0, 1, …")
    return Limit(kind="count", most=number)


def _table(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise UsageError(f"{where}: must be a table, not {value!r}")
    return value


def _known_metric(name: str, where: str) -> None:
    _known(name, GATED, "metric", where)


def _known_strategy(name: str, known: Collection[str], where: str) -> None:
    _known(name, known, "strategy", where)


def _known(name: str, known: Collection[str], kind: str, where: str) -> None:
    if name not in known:
        close = nearest(name, known)
        hint = f"did you mean {close!r}?" if close else f"known are {', '.join(sorted(known))}"
        raise UsageError(f"{where}: no {kind} {name!r}; {hint}")
