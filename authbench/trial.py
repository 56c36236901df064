"""One trial: warm up, read the counters, fire, read them again, write down what happened."""

import os
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from authbench.analysis.bottleneck import limited_by
from authbench.analysis.validity import Limits, reasons_against
from authbench.backends.embedded import EmbeddedStack
from authbench.design import Planned, window_s
from authbench.generator import Fire, Generator, GeneratorDiedError, nothing_sent
from authbench.probes.bundle import Probes
from authbench.probes.orders import OrdersProbe
from authbench.records import Load, Sample, Tier, Trial
from authbench.scenario import Scenario
from authbench.supply import FromTheStart, Part, Supply
from authbench.working_set import REWARM_REQUESTS, WARM_UP_REQUESTS_A_WORKER

PILOT_WARM_UP_REQUESTS = 60
CREATING = "orders-create"  # the endpoint whose answers are compared with what the database holds
OPEN_MODEL_POOL = 64  # most connections of the open model; a request that finds none free waits, and is charged for it
DEATHS = 3  # of the generator without a whole window between them: then something ends it on purpose


@dataclass(frozen=True, slots=True)
class RequestFile:
    """The prepared requests of one strategy and workload."""

    path: Path
    credential_bytes: float
    expires_at: float | None = None  # Unix time at which its first credential expires; None: never
    supply: Supply = field(default_factory=FromTheStart)


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

    def start_launch(self, verified: Collection[str] | None = None) -> None:
        """Forgets what was warm: the processes are new. `verified`: strategies that conformance has passed now."""
        self._warm.clear()
        if verified is not None:
            self._verified = verified
        for file in self._files.values():
            file.supply.start_launch()

    def capacity_rps(self, strategy: str, workload: str, seconds: float) -> float:
        """Right answers a second in the closed model: the pilot's figure, never reported as a result."""
        file = self._files[strategy, workload]
        while True:
            try:
                self._send(file, self._saturate(strategy, file, file.supply.warm_up(PILOT_WARM_UP_REQUESTS)))
                plan = self._saturate(strategy, file, file.supply.window(), seconds)
                with self._stack.within_budget(strategy):
                    return self._send(file, plan).achieved_rps
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
        part = file.supply.window()
        plan = (
            self._saturate(cell.strategy, file, part, seconds)
            if rate_rps is None
            else self._rate(cell.strategy, file, part, rate_rps, seconds, seed)
        )
        started = datetime.now(UTC).isoformat(timespec="milliseconds")
        expires_in_s = None if file.expires_at is None else file.expires_at - time.time()
        orders = OrdersProbe(self._stack) if CREATING in self._scenario.workloads[cell.workload] else None
        if orders:
            orders.before(cell.strategy)
        self._probes.before(cell.strategy, (os.getpid(), self._generator.pid))
        with self._stack.within_budget(cell.strategy):
            load, death = self._fire(file, plan)
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
            session_database=readings.session_database,
            cache=readings.cache,
            auth_calls=readings.auth_calls,
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
            orders_kept=orders.after() if orders else None,
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

    def _fire(self, file: RequestFile, plan: Fire) -> tuple[Load, GeneratorDiedError | None]:
        """A measured window; an empty one, and why, where the generator died in it."""
        try:
            load = self._send(file, plan)
        except GeneratorDiedError as died:
            return nothing_sent(plan, self._generator.timer), died
        self._deaths = 0
        return load, None

    def _send(self, file: RequestFile, plan: Fire) -> Load:
        """Sends a part of the file. Raises GeneratorDiedError."""
        try:
            load = self._generator.fire(plan)
        except GeneratorDiedError:
            file.supply.lost()
            raise
        file.supply.sent(load.ok + load.refused + load.failed + load.unknown)
        return load

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
        each = min(self._scenario.stack.workers, self._stack.replica_cpus or self._stack_cores)
        return {"app": min(replicas * each, self._stack_cores), "cache": 1, "lb": 1}

    def _warm_up(self, strategy: str, workload: str) -> int:
        """Requests sent to warm the processes up; the balancer counts from before them."""
        key = (strategy, workload)
        file, stack = self._files[key], self._scenario.stack
        count = (
            REWARM_REQUESTS if key in self._warm else WARM_UP_REQUESTS_A_WORKER * stack.workers * self._stack.replicas
        )
        while True:
            self._probes.balancer.before()
            try:
                sent = self._send(file, self._saturate(strategy, file, file.supply.warm_up(count))).sent
            except GeneratorDiedError as died:
                self._revive(died)
            else:
                self._warm.add(key)
                return sent

    def _saturate(self, strategy: str, file: RequestFile, part: Part, duration_s: float | None = None) -> Fire:
        return Fire(
            url=self._stack.url(strategy),
            requests=str(file.path),
            first=part.first,
            model="saturate",
            connections=self._stack.deployment.connections or self._scenario.load.connections,
            duration_s=duration_s,
            count=part.most,
        )

    def _rate(self, strategy: str, file: RequestFile, part: Part, rate_rps: float, seconds: float, seed: int) -> Fire:
        return Fire(
            url=self._stack.url(strategy),
            requests=str(file.path),
            first=part.first,
            model="rate",
            connections=OPEN_MODEL_POOL,
            rate_rps=rate_rps,
            arrivals=self._scenario.load.arrivals,
            duration_s=seconds,
            count=part.most,
            seed=seed,
        )
