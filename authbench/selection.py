"""What the user chose by name: strategies, a scenario with its overrides, and what there is to choose from."""

from typing import Any

from apps.contract.registry import Strategy, strategies
from authbench.design import estimated_seconds
from authbench.errors import UsageError
from authbench.metric import METRICS
from authbench.scenario import Scenario
from authbench.scenario_file import load_scenario, nearest


def chosen_scenario(name: str, profile: str, names: str | None, levels: list[str]) -> Scenario:
    """The scenario with `--strategies` and `--set` applied. Raises UsageError with the nearest right name."""
    overrides: dict[str, list[str]] = {}
    for each in levels:
        factor, equals, values = each.partition("=")
        if not equals or not values:
            raise UsageError(f"--set {each}: write factor=level,level")
        overrides[factor.strip()] = [value.strip() for value in values.split(",")]
    if names is not None:
        overrides["strategy"] = [strategy.name for strategy in chosen_strategies(names.split(","))]
    return load_scenario(
        name,
        profile,
        known_strategies=strategies().keys(),
        known_metrics=METRICS.keys(),
        overrides=overrides,
    )


def chosen_strategies(names: list[str]) -> list[Strategy]:
    """The strategies of these names, all where there are none. Raises UsageError with the nearest right name."""
    known = strategies()
    if not names:
        return list(known.values())
    for name in names:
        if name not in known:
            close = nearest(name, known)
            hint = f"did you mean {close!r}?" if close else "see `authbench list`"
            raise UsageError(f"no strategy {name!r}; {hint}")
    return [known[name] for name in dict.fromkeys(names)]


def listed_strategy(strategy: Strategy) -> dict[str, Any]:
    """One row of `authbench list --json`, as DESIGN.md fixes it, and why the strategy cannot run now, if it cannot."""
    from authbench.availability import availability  # noqa: PLC0415 - it knows how environments are built

    return {
        "name": strategy.name,
        "carrier": strategy.carrier,
        "freshness": strategy.freshness,
        "stores": list(strategy.stores),
        "needs": list(strategy.needs),
        "summary": strategy.summary,
        "unavailable": availability(strategy),
    }


def listed_scenario(name: str) -> dict[str, Any]:
    """One row of `authbench list --json`; the estimate is of the profile `standard`."""
    scenario = chosen_scenario(name, "standard", None, [])
    return {
        "name": name,
        "question": scenario.question,
        "cells": len(scenario.cells()),
        "estimated_seconds": round(estimated_seconds(scenario)),
    }
