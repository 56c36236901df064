"""One trial: warm up, read the counters, fire, read them again, write down what happened."""

import os
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from authbench.analysis.bottleneck import limited_by
from authbench.analysis.validity import Limits, reasons_against
from authbench.backends.embedded import EmbeddedStack
from authbench.design import Planned, window_s
from authbench.generator import Fire, Generator, GeneratorDiedError
from authbench.histogram import new_histogram
from authbench.probes.bundle import Probes
from authbench.records import Load, Sample, Tier, Trial
from authbench.scenario import Scenario

WARM_UP_REQUESTS_A_WORKER = 200  # of processes that have not served this workload before
PILOT_WARM_UP_REQUESTS = 60
REWARM_REQUESTS = 20  # of processes that have: caches and kept connections come back
OPEN_MODEL_POOL = 64  # most connections of the open model; a request that finds none free waits, and is charged for it
DEATHS = 3  # of the generator without a whole window between them: then something ends it on purpose


@dataclass(frozen=True, slots=True)
class RequestFile:
    """The prepared requests of one strategy and workload."""

    path: Path
    credential_bytes: float
    expires_at: float | None = None  # Unix time at which its first credential expires; None: never


class Bench:
    """Measures planned trials on a running stack.

    `verified` names the strategies that conformance has passed. A generator that dies is started anew, up to DEATHS
    times in a row.
    """

    def __init__(
        self,
        scenario: Scenario,
        stack: EmbeddedStack,
        generator: Generator,
        files: Mapping[tuple[str, str], RequestFile],
        *,
        verified: Collection[str],
        limits: Limits | None = None,
        probes: Probes | None = None,
    ) -> None:
        self._scenario = scenario
        self._stack = stack
        self._generator = generator
        self._files = files
        self._verified = verified
        self._limits = limits
        self._probes = probes or Probes(stack)
        self._stack_cores = len(stack.cores) or os.cpu_count() or 1
        self._warm: set[tuple[str, str]] = set()
        self._deaths = 0  # of the generator, since its last whole window

    def start_launch(self) -> None:
        """Forgets what was warm: the processes are new."""
        self._warm.clear()

    def capacity_rps(self, strategy: str, workload: str, seconds: float) -> float:
        """Right answers a second in the closed model: the pilot's figure, never reported as a result."""
        while True:
            try:
                self._generator.fire(self._saturate(strategy, workload, count=PILOT_WARM_UP_REQUESTS))
                return self._generator.fire(self._saturate(strategy, workload, duration_s=seconds)).achieved_rps
            except GeneratorDiedError as died:
                self._revive(died)

    def measure(
        self, planned: Planned, *, number: int, attempt: int, rate_rps: float | None, seed: int
    ) -> tuple[Trial, list[Sample]]:
        """The trial's record, with the reasons why it does not count, and what was sampled meanwhile.

        `seed` draws the arrivals: the same for all cells of a block, so that they share one schedule.
        Raises GeneratorDiedError where the generator keeps dying.
        """
        cell = planned.cell
        seconds = window_s(self._scenario, cell)
        file = self._files[cell.strategy, cell.workload]
        warmed = self._warm_up(cell.strategy, cell.workload)
        plan = (
            self._saturate(cell.strategy, cell.workload, duration_s=seconds)
            if rate_rps is None
            else self._rate(cell.strategy, cell.workload, rate_rps, seconds, seed)
        )
        started = datetime.now(UTC).isoformat(timespec="milliseconds")
        expires_in_s = None if file.expires_at is None else file.expires_at - time.time()
        self._probes.before(cell.strategy, (os.getpid(), self._generator.pid))
        load, death = self._fire(plan)
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
            lb_expected=None if death else warmed + load.sent,
            resident_bytes=readings.resident_bytes,
            credential_bytes=file.credential_bytes,
            steal_share=readings.steal_share,
            throttled_s=readings.throttled_s,
            probe_cpu_s=readings.probe_cpu_s,
            replicas_restarted=readings.replicas_restarted,
            limited_by=limited_by(load, readings.cpu_s, self._stack_cores, self._tier_cores(cell.replicas)),
            others_cpu_share=readings.others_cpu_share,
        )
        reasons = reasons_against(
            trial,
            self._limits,
            expires_in_s=expires_in_s,
            verified=cell.strategy in self._verified,
            generator_died=str(death) if death else None,
        )
        if death:
            self._revive(death)
        return trial.model_copy(update={"reasons": reasons}), [
            Sample(trial=number, **sample) for sample in readings.samples
        ]

    def _fire(self, plan: Fire) -> tuple[Load, GeneratorDiedError | None]:
        """A measured window; an empty one, and why, where the generator died in it."""
        try:
            load = self._generator.fire(plan)
        except GeneratorDiedError as died:
            return nothing_sent(plan, self._generator.timer), died
        self._deaths = 0
        return load, None

    def _revive(self, died: GeneratorDiedError) -> None:
        """Starts the generator anew. Raises GeneratorDiedError where that has been done too often."""
        while True:
            self._deaths += 1
            if self._deaths >= DEATHS:
                raise GeneratorDiedError(
                    f"{died}, {DEATHS} times in a row; see dmesg for what ends it (memory, a limit)", died.log_tail
                ) from died
            try:
                self._generator.restart()
            except GeneratorDiedError as again:
                died = again
            else:
                self._stack.watch(self._generator.pid)
                return

    def _tier_cores(self, replicas: int) -> dict[Tier, float]:
        """Most cores that a tier can use by itself: Python runs on one core a process, Valkey commands on one."""
        return {"app": min(replicas * self._scenario.stack.workers, self._stack_cores), "cache": 1, "lb": 1}

    def _warm_up(self, strategy: str, workload: str) -> int:
        """Requests sent to warm the processes up; the balancer counts from before them."""
        key = (strategy, workload)
        stack = self._scenario.stack
        count = (
            REWARM_REQUESTS if key in self._warm else WARM_UP_REQUESTS_A_WORKER * stack.workers * self._stack.replicas
        )
        while True:
            self._probes.balancer.before()
            try:
                sent = self._generator.fire(self._saturate(strategy, workload, count=count)).sent
            except GeneratorDiedError as died:
                self._revive(died)
            else:
                self._warm.add(key)
                return sent

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


def nothing_sent(plan: Fire, timer: str) -> Load:
    """The record of a window of which nothing is known."""
    nothing = new_histogram().encode().decode()
    arrivals: Literal["constant", "poisson"] = "constant" if plan.arrivals == "constant" else "poisson"
    return Load(
        model=plan.model,
        target_rps=plan.rate_rps,
        connections=plan.connections,
        arrivals="closed" if plan.model == "saturate" else arrivals,
        window_s=0.0,
        sent=0,
        ok=0,
        refused=0,
        failed=0,
        unknown=0,
        offered_rps=0.0,
        achieved_rps=0.0,
        latency_hist=nothing,
        service_hist=nothing,
        lateness_hist=nothing,
        in_flight_mean=0.0,
        half_service_us=(0.0, 0.0),
        bytes_out=0,
        bytes_in=0,
        connections_opened=0,
        by_replica={},
        generator_cpu_s=0.0,
        generator_busy=0.0,
        timer=timer,
    )
