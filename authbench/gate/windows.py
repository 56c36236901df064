"""Tier 2: CPU a request of base, twin and candidate, in short windows that alternate on processes launched afresh.

A window is some requests sent one after the other over one connection (closed model, c = 1); a round holds one window
of each arm in random order; a launch is ROUNDS rounds on the same processes. Windows are so short that the host's own
changes of speed, which last from tenths of a second to minutes, fall on all three alike, and a launch is summed up by
the 20 % trimmed mean of its rounds' log ratios (scipy.stats.trim_mean), so that a gust within one of them does not
count. What is left is what processes differ by, which is averaged over launches, the unit of replication (METHOD.md).
"""

import math
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from scipy import stats

from authbench.backends.embedded import EmbeddedStack
from authbench.conformance.verification import Minted
from authbench.errors import StackError
from authbench.gate.arms import ArmName, Arms
from authbench.generator import Fire, Generator
from authbench.probes.cpu import stolen
from authbench.records import Frozen, Tier
from authbench.stack import nginx, postgres, valkey
from authbench.workload import requests_of, write_requests

WINDOW_S = 0.015  # about; what counts is that all windows of a strategy hold the same requests
FEWEST_REQUESTS, MOST_REQUESTS = 8, 250
ROUNDS = 100
TRIMMED = 0.2  # of the rounds, at either end
WARM_UP_REQUESTS = 200
CREDENTIALS = 50
USERS, ORDERS = 200, 2_000
WORKLOAD: Mapping[str, int] = {"whoami": 1}


class Window(Frozen):
    """One window; one line of windows.jsonl."""

    stage: int
    launch: int
    round: int
    position: int  # in the round's random order
    strategy: str
    arm: ArmName
    requests: int
    ok: int
    window_s: float
    cpu_s: Mapping[Tier, float]
    steal_share: float  # of all cores' time; in ticks of 10 ms, so coarse for one window

    @property
    def cpu_ms_per_request(self) -> float:
        """CPU of the whole stack for each right answer."""
        return 1000 * sum(self.cpu_s.values()) / self.ok


Cost = Callable[[Window], float]


def cpu(window: Window) -> float:
    """CPU of the whole stack, ms a request."""
    return window.cpu_ms_per_request


def elapsed(window: Window) -> float:
    """Time from a request to its answer, ms: requests follow each other without a pause."""
    return 1000 * window.window_s / window.requests


@dataclass(frozen=True, slots=True)
class Prepared:
    """The request file of one variant."""

    url: str
    requests: Path


class Alternation:
    """Measures launches of some strategies' arms on a running, seeded stack whose replicas it owns."""

    def __init__(self, stack: EmbeddedStack, generator: Generator, arms: Sequence[Arms], seed: int) -> None:
        """Mints credentials. Raises StackError where a build cannot."""
        self._stack = stack
        self._generator = generator
        self._arms = arms
        self._order = random.Random(seed)  # noqa: S311 - an experiment's order, not a secret
        self._prepared = _prepare(stack, arms, seed)
        self._requests: dict[str, int] = {}  # strategy -> requests a window, the same for all launches

    def launch(
        self, stage: int, number: int, strategies: Sequence[str] | None = None, rounds: int = ROUNDS
    ) -> list[Window]:
        """Fresh processes of every arm, warmed up, then `rounds` rounds of each strategy (default: all) in turn.

        Raises StackError where an arm does not come up or answers wrongly.
        """
        self._stack.start_replicas(1)
        measured = [each for each in self._arms if strategies is None or each.strategy in strategies]
        for each in measured:
            self._warm_up(each)
        found: list[Window] = []
        for turn in range(rounds):
            for each in self._order.sample(measured, k=len(measured)):
                order = self._order.sample(tuple(each.variants), k=len(each.variants))
                for position, arm in enumerate(order):
                    window = self._window(each, arm)
                    found.append(Window(stage=stage, launch=number, round=turn, position=position, **window))
        self._stack.check()
        return found

    def _warm_up(self, each: Arms) -> None:
        for arm in each.variants:
            load = self._generator.fire(self._fire(each.variants[arm].name, WARM_UP_REQUESTS))
            if load.ok != load.sent:
                told = ", ".join(f"{kind} ({count})" for kind, count in load.failures.items())
                raise StackError(f"{each.strategy}, {arm}: {load.sent - load.ok} of {load.sent} answers wrong: {told}")
            if each.strategy not in self._requests:
                fitting = round(WINDOW_S * load.achieved_rps)
                self._requests[each.strategy] = min(max(fitting, FEWEST_REQUESTS), MOST_REQUESTS)

    def _window(self, each: Arms, arm: ArmName) -> dict[str, object]:
        name = each.variants[arm].name
        plan = self._fire(name, self._requests[each.strategy])
        before, ticks = self._cpu_ns(name), stolen(Path("/proc/stat").read_text())
        load = self._generator.fire(plan)
        after, later = self._cpu_ns(name), stolen(Path("/proc/stat").read_text())
        cpu_s: dict[Tier, float] = {}
        for service, ns in after.items():
            tier = self._stack.tiers[service]
            cpu_s[tier] = cpu_s.get(tier, 0.0) + (ns - before[service]) / 1e9
        passed = later[1] - ticks[1]
        return {
            "strategy": each.strategy,
            "arm": arm,
            "requests": load.sent,
            "ok": load.ok,
            "window_s": load.window_s,
            "cpu_s": cpu_s,
            "steal_share": (later[0] - ticks[0]) / passed if passed else 0.0,
        }

    def _cpu_ns(self, variant: str) -> dict[str, int]:
        services = (postgres.NAME, valkey.NAME, nginx.NAME, *self._stack.replica_names(variant))
        return {name: self._stack.running(name).cpu_ns() for name in services}

    def _fire(self, variant: str, count: int) -> Fire:
        prepared = self._prepared[variant]
        return Fire(url=prepared.url, requests=str(prepared.requests), model="saturate", connections=1, count=count)


def launch_log(windows: Iterable[Window], arm: ArmName, cost: Cost = cpu) -> float | None:
    """The launch's log ratio of the arm's cost to the base's; None without a round in which all answered rightly.

    `windows`: of one strategy and one launch.
    """
    logs = round_logs(windows, arm, cost)
    return float(stats.trim_mean(logs, TRIMMED)) if logs else None


def round_logs(windows: Iterable[Window], arm: ArmName, cost: Cost = cpu) -> list[float]:
    """The log ratio of each round in which all answered rightly.

    The base is measured twice, as base and as twin, so another arm is compared with the mean of both logs: a quarter
    less variance at no cost. The twin is compared with the base alone.
    """
    rounds: dict[int, dict[str, float]] = {}
    for window in windows:
        if window.ok == window.requests:
            rounds.setdefault(window.round, {})[window.arm] = math.log(cost(window))
    under: tuple[ArmName, ...] = ("base",) if arm == "twin" else ("base", "twin")
    return [
        found[arm] - fmean(found[each] for each in under) for found in rounds.values() if found.keys() >= {arm, *under}
    ]


def _prepare(stack: EmbeddedStack, arms: Sequence[Arms], seed: int) -> dict[str, Prepared]:
    variants = [variant for each in arms for variant in each.all()]
    minted = stack.mint_all(variants, CREDENTIALS + 1)
    prepared = {}
    for variant in variants:
        path = stack.folder / f"requests-{variant.name}.jsonl"
        rows = Minted.read(minted[variant.name]).rows
        write_requests(path, requests_of(rows, variant.strategy, stack.url(variant.name), WORKLOAD, seed))
        prepared[variant.name] = Prepared(stack.url(variant.name), path)
    return prepared
