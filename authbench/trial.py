"""One trial: warm up, read the counters, fire, read them again, write down what happened."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from authbench.analysis.bottleneck import limited_by
from authbench.analysis.validity import reasons_against
from authbench.backends.embedded import EmbeddedStack
from authbench.design import Planned, window_s
from authbench.generator import Fire, Generator
from authbench.probes.bundle import Probes
from authbench.records import Sample, Tier, Trial
from authbench.scenario import Scenario

WARM_UP_REQUESTS_A_WORKER = 200  # of processes that have not served this workload before
PILOT_WARM_UP_REQUESTS = 60
REWARM_REQUESTS = 20  # of processes that have: caches and kept connections come back
OPEN_MODEL_POOL = 64  # most connections of the open model; a request that finds none free waits, and is charged for it


@dataclass(frozen=True, slots=True)
class RequestFile:
    """The prepared requests of one strategy and workload."""

    path: Path
    credential_bytes: float


class Bench:
    """Measures planned trials on a running stack."""

    def __init__(
        self,
        scenario: Scenario,
        stack: EmbeddedStack,
        generator: Generator,
        files: Mapping[tuple[str, str], RequestFile],
    ) -> None:
        self._scenario = scenario
        self._stack = stack
        self._generator = generator
        self._files = files
        self._probes = Probes(stack)
        self._stack_cores = len(stack.cores) or os.cpu_count() or 1
        self._warm: set[tuple[str, str]] = set()

    def start_launch(self) -> None:
        """Forgets what was warm: the processes are new."""
        self._warm.clear()

    def capacity_rps(self, strategy: str, workload: str, seconds: float) -> float:
        """Right answers a second in the closed model: the pilot's figure, never reported as a result."""
        self._generator.fire(self._saturate(strategy, workload, count=PILOT_WARM_UP_REQUESTS))
        return self._generator.fire(self._saturate(strategy, workload, duration_s=seconds)).achieved_rps

    def measure(
        self, planned: Planned, *, number: int, attempt: int, rate_rps: float | None, seed: int
    ) -> tuple[Trial, list[Sample]]:
        """The trial's record, with the reasons why it does not count, and what was sampled meanwhile.

        `seed` draws the arrivals: the same for all cells of a block, so that they share one schedule.
        """
        cell = planned.cell
        seconds = window_s(self._scenario, cell)
        self._probes.balancer.before()
        warmed = self._warm_up(cell.strategy, cell.workload)
        plan = (
            self._saturate(cell.strategy, cell.workload, duration_s=seconds)
            if rate_rps is None
            else self._rate(cell.strategy, cell.workload, rate_rps, seconds, seed)
        )
        started = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._probes.before(cell.strategy)
        load = self._generator.fire(plan)
        readings = self._probes.after()
        trial = Trial(
            trial=number,
            block=planned.block,
            launch=planned.launch,
            position=planned.position,
            attempt=attempt,
            cell=cell.levels(),
            started_utc=started,
            load=load,
            cpu_s={**readings.cpu_s, "generator": load.generator_cpu_s},
            cpu_source=readings.cpu_source,
            replica_cpu_s=readings.replica_cpu_s,
            database=readings.database,
            cache=readings.cache,
            lb_requests=self._probes.balancer.after(),
            lb_expected=warmed + load.sent,
            resident_bytes=readings.resident_bytes,
            credential_bytes=self._files[cell.strategy, cell.workload].credential_bytes,
            steal_share=readings.steal_share,
            throttled_s=readings.throttled_s,
            probe_cpu_s=readings.probe_cpu_s,
            replicas_restarted=readings.replicas_restarted,
            limited_by="",
        )
        trial = trial.model_copy(
            update={
                "limited_by": limited_by(load, trial.cpu_s, self._stack_cores, self._tier_cores(cell.replicas)),
                "reasons": reasons_against(trial),
            }
        )
        return trial, [Sample(trial=number, **sample) for sample in readings.samples]

    def _tier_cores(self, replicas: int) -> dict[Tier, float]:
        """Most cores that a tier can use by itself: Python runs on one core a process, Valkey commands on one."""
        return {"app": min(replicas * self._scenario.stack.workers, self._stack_cores), "cache": 1, "lb": 1}

    def _warm_up(self, strategy: str, workload: str) -> int:
        """Requests sent to warm the processes up."""
        key = (strategy, workload)
        stack = self._scenario.stack
        count = (
            REWARM_REQUESTS if key in self._warm else WARM_UP_REQUESTS_A_WORKER * stack.workers * self._stack.replicas
        )
        self._warm.add(key)
        return self._generator.fire(self._saturate(strategy, workload, count=count)).sent

    def _saturate(
        self, strategy: str, workload: str, *, duration_s: float | None = None, count: int | None = None
    ) -> Fire:
        return Fire(
            url=self._stack.url(strategy),
            requests=str(self._files[strategy, workload].path),
            model="saturate",
            connections=self._scenario.load.connections,
            duration_s=duration_s,
            count=count,
        )

    def _rate(self, strategy: str, workload: str, rate_rps: float, seconds: float, seed: int) -> Fire:
        return Fire(
            url=self._stack.url(strategy),
            requests=str(self._files[strategy, workload].path),
            model="rate",
            connections=OPEN_MODEL_POOL,
            rate_rps=rate_rps,
            arrivals=self._scenario.load.arrivals,
            duration_s=seconds,
            seed=seed,
        )
