"""Latency as load rises: a shared store behind round robin against local memory behind a sticky cookie."""

import os
from collections.abc import Mapping
from pathlib import Path
from random import Random

from apps.contract.endpoints import ROUTE_COOKIE
from apps.contract.registry import Strategy
from authbench.analysis.fidelity import too_many_errors, wrong_user
from authbench.analysis.validity import Limits, generator_busy, generator_late, littles_law_broken
from authbench.balancing import Balancing
from authbench.experiments.ground import Ground
from authbench.experiments.routing.measures import ACHIEVED, BUSY, LATENCY, OFFERED, P50, P99
from authbench.experiments.routing.plan import RoutingPlan
from authbench.experiments.watched import Watch
from authbench.generator import Fire
from authbench.histogram import decode
from authbench.observed import Observation
from authbench.probes.cpu import CpuUse
from authbench.records import Level, Load, Reason
from authbench.stack.replicas import replica_name
from authbench.trial import OPEN_MODEL_POOL
from authbench.workload import requests_of, write_requests

MEMBERS = (1, 2)  # as many as METHOD.md's other scenarios compare
WARM_UP_REQUESTS = 200 * len(MEMBERS)
CONNECTIONS = 16  # of the closed model
ATTEMPTS = 2  # at a window that other processes, or the hypervisor, disturbed
DISTURBED = frozenset({"steal", "cpu-contended"})


class Rise:
    """Measures every rate on every loaded strategy, once a launch; all get the same rates, in requests a second."""

    def __init__(self, ground: Ground, plan: RoutingPlan) -> None:
        known = {strategy.name: strategy for strategy in ground.strategies}
        self._ground = ground
        self._plan = plan
        self._loaded = [(known[name], method) for name, method in plan.loaded if name in known]
        self._files = {strategy.name: self._prepared(strategy) for strategy, _ in self._loaded}
        self._capacity_rps: float | None = None
        self._watch = Watch(ground.stack, ground.generator)

    def levels(self) -> list[dict[str, Level]]:
        """What one launch records."""
        return [
            _levels(strategy, method, share) for strategy, method in self._loaded for share in self._plan.rate_share
        ]

    def carry_out(self, launch: int, draw: Random) -> None:
        """Records what was not recorded before, on the replicas that run."""
        ground, plan = self._ground, self._plan
        ground.stack.balance({strategy.name: method for strategy, method in self._loaded}, MEMBERS)
        for strategy, _ in self._loaded:
            ground.generator.fire(self._fire(strategy, count=WARM_UP_REQUESTS))
        capacity = self._capacity_rps = self._capacity_rps or self._pilot()
        for share in sorted(plan.rate_share):
            for strategy, method in draw.sample(self._loaded, k=len(self._loaded)):
                levels = _levels(strategy, method, share)
                if ground.is_done(plan.kind, launch, levels):
                    continue
                ground.watcher.phase(f"launch {launch + 1}: {strategy.name}, {share:g} of {capacity:.0f} requests/s")
                self._record(strategy, levels, launch, round(share * capacity, 1), draw.randrange(1 << 30))
        ground.stack.check()

    def _record(self, strategy: Strategy, levels: Mapping[str, Level], launch: int, rate_rps: float, seed: int) -> None:
        for _ in range(ATTEMPTS):
            load, use, reasons = self._window(strategy, rate_rps, seed)
            if not any(reason.code in DISTURBED for reason in reasons):
                break
        latency = decode(load.latency_hist)
        values = {
            OFFERED.name: load.offered_rps,
            ACHIEVED.name: load.achieved_rps,
            P50.name: _ms(latency.quantile_us(0.5)),
            P99.name: _ms(latency.quantile_us(0.99)),
            BUSY.name: sum(use.cpu_s.values()) / load.window_s / (len(self._ground.stack.cores) or os.cpu_count() or 1),
        }
        self._ground.record(
            Observation(
                kind=self._plan.kind,
                launch=launch,
                levels=levels,
                values=values,
                reasons=reasons,
                histograms={LATENCY: load.latency_hist},
            )
        )

    def _window(self, strategy: Strategy, rate_rps: float, seed: int) -> tuple[Load, CpuUse, tuple[Reason, ...]]:
        """One window of the open model. A rate that is not reached is an answer here, no reason against it."""
        seconds = max(self._plan.rate_s, self._plan.rate_requests / rate_rps)
        plan = self._fire(strategy, rate_rps=rate_rps, duration_s=seconds, seed=seed)
        seen = self._watch.fire(strategy.name, plan)
        return seen.load, seen.use, (*load_problems(seen.load), *seen.disturbed)

    def _pilot(self) -> float:
        """Requests a second that the pilot's strategy serves in the closed model; no result."""
        self._ground.watcher.phase(f"finding what {self._plan.pilot} can serve")
        chosen = next((each for each, _ in self._loaded if each.name == self._plan.pilot), self._loaded[0][0])
        return self._ground.generator.fire(self._fire(chosen, duration_s=self._plan.pilot_s)).achieved_rps

    def _prepared(self, strategy: Strategy) -> Path:
        """Requests of the users whose login a member keeps."""
        path = self._ground.stack.folder / f"rise-{strategy.name}.jsonl"
        members = [replica_name(strategy.name, number) for number in MEMBERS]
        rows = [
            row
            for row in self._ground.minted[strategy.name].unverified
            if row["credential"].get("cookies", {}).get(ROUTE_COOKIE, members[0]) in members
        ]
        url = self._ground.stack.url(strategy.name)
        write_requests(path, requests_of(rows, strategy, url, {"whoami": 1}, self._ground.seed))
        return path

    def _fire(
        self,
        strategy: Strategy,
        *,
        rate_rps: float | None = None,
        duration_s: float | None = None,
        count: int | None = None,
        seed: int = 0,
    ) -> Fire:
        return Fire(
            url=self._ground.stack.url(strategy.name),
            requests=str(self._files[strategy.name]),
            model="saturate" if rate_rps is None else "rate",
            connections=CONNECTIONS if rate_rps is None else OPEN_MODEL_POOL,
            rate_rps=rate_rps,
            duration_s=duration_s,
            count=count,
            seed=seed,
        )


def load_problems(load: Load) -> tuple[Reason, ...]:
    """What speaks against a window, though it need not have kept up with its rate.

    Where all connections were in use, requests started late because of the server: that is its latency, no fault.
    """
    limits = Limits()
    rules = [generator_busy, too_many_errors, wrong_user, littles_law_broken]
    full_us = 1e6 * OPEN_MODEL_POOL / max(load.achieved_rps, 1.0)  # Little: the latency with every connection in use
    if (decode(load.latency_hist).quantile_us(0.99) or 0.0) < full_us:
        rules.append(generator_late)
    return tuple(reason for rule in rules if (reason := rule(load, limits)) is not None)


def _levels(strategy: Strategy, method: Balancing, share: float) -> dict[str, Level]:
    return {"part": "load", "strategy": strategy.name, "method": method, "rate_share": share}


def _ms(microseconds: float | None) -> float | None:
    return None if microseconds is None else microseconds / 1000
