"""Storms of logins: what one costs with Django's own hasher, and what many at once do to everybody else."""

import hashlib
import math
import os
import random
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from apps.contract.registry import Strategy
from authbench.errors import StackError
from authbench.experiments.ground import Ground
from authbench.experiments.growth.measures import KIND, LATENCY
from authbench.experiments.growth.plan import GrowthPlan, StormPlan
from authbench.experiments.growth.requests import write_logins, write_whoami
from authbench.experiments.growth.windows import POOL, Window, Windows
from authbench.generator import Fire, Generator
from authbench.histogram import decode
from authbench.observed import Observation
from authbench.probes.counts import StoreReader
from authbench.records import Level, Load, Reason
from authbench.stack.databases import database_of

ATTEMPTS = 2  # of a window that the machine has disturbed
AFTER_S = 1.0  # the storm outlasts the window by so much
BEGUN_NS = 50_000_000  # CPU time of the replicas: then passwords are being hashed
BEGUN_WITHIN_S = 20.0
PAUSE_S = 0.01
# What is a fault of other windows is what a storm does: replicas that cannot follow, and halves that differ.
EXPECTED = frozenset({"rate-not-reached", "unsteady"})


class Storm:
    """All of one launch."""

    def __init__(self, ground: Ground, plan: GrowthPlan, windows: Windows, launch: int) -> None:
        self._ground, self._plan, self._windows, self._launch = ground, plan, windows, launch
        self._open = [each for each in ground.strategies if plan.storm is not None and not self._is_done(each)]

    @property
    def done(self) -> bool:
        """Whether all was observed already."""
        return not self._open

    def measure(self, order: random.Random) -> None:
        """Each strategy once, in an order of its own."""
        plan = self._plan.storm
        if plan is None or self.done:
            return
        own = os.sched_getaffinity(0)  # the bench stands on the generator's core, where there is one
        with Generator(self._ground.stack.folder / "storm.log", min(own) if len(own) == 1 else None) as stormer:
            self._ground.stack.watch(stormer.pid)
            for strategy in order.sample(self._open, k=len(self._open)):
                self._ground.watcher.phase(f"launch {self._launch + 1}: {strategy.name}, logins by password")
                self._strategy(strategy, plan, stormer)

    def _strategy(self, strategy: Strategy, plan: StormPlan, stormer: Generator) -> None:
        stack, name = self._ground.stack, strategy.name
        rows = self._ground.minted[name].unverified
        whoami, logins = stack.folder / f"storm-{name}.jsonl", stack.folder / f"storm-logins-{name}.jsonl"
        write_whoami(whoami, rows, strategy, stack.url(name), self._ground.seed)
        write_logins(logins, rows, stack.user_password)
        self._windows.warm_up(name, "whoami", whoami)
        closed = self._windows.closed(name, whoami, duration_s=self._plan.closed_s)
        asked = self._windows.fire(strategy, closed, ATTEMPTS)
        self._record({"strategy": name, "endpoint": "whoami"}, {"cpu_ms": asked.cpu_ms()}, asked.reasons)
        self._login_cost(strategy, plan, logins)
        calm = self._windows.fire(strategy, self._open_plan(strategy, plan, whoami), ATTEMPTS)
        self._record({"strategy": name, "in_flight": 0}, _latency(calm), calm.reasons, calm)
        for in_flight in plan.in_flight:
            seconds = plan.seconds + AFTER_S
            fire = self._windows.closed(name, logins, duration_s=seconds, connections=in_flight)
            with _beside(stormer, fire) as stormed:
                self._until_hashing(name)
                window = self._windows.fire(strategy, self._open_plan(strategy, plan, whoami))
            load = stormed[0]
            values = {**_latency(window), "per_second": load.achieved_rps}
            reasons = [each for each in window.reasons if each.code not in EXPECTED]
            if load.ok < load.sent:
                reasons.append(Reason(code="errors", message=f"{load.sent - load.ok} of {load.sent} logins went wrong"))
            self._record({"strategy": name, "in_flight": in_flight}, values, tuple(reasons), window)

    def _login_cost(self, strategy: Strategy, plan: StormPlan, logins: Path) -> None:
        """A window of logins alone, as many at once as the greatest storm has; every count is theirs."""
        name = strategy.name
        self._windows.warm_up(name, "login", logins, most=2 * self._ground.stack.replicas)
        fire = self._windows.closed(name, logins, count=plan.logins, connections=max(plan.in_flight))
        with StoreReader(self._ground.stack) as reader:
            before = reader.of(name)()
            window = self._windows.fire(strategy, fire)
            commands = reader.of(name)().cache - before.cache
        iterations = self._iterations(name)
        values = {
            "cpu_ms": window.cpu_ms(),
            "db_ms": window.cpu_ms("db"),
            "per_second": window.load.achieved_rps,
            "statements": window.each(window.counts.statements),
            "written": window.each(window.counts.written),
            "commands": window.each(commands),
            "iterations": iterations,
            "hash_ms": hash_ms(iterations),
        }
        reasons = tuple(each for each in window.reasons if each.code != "unsteady")  # a handful of requests
        self._record({"strategy": name, "endpoint": "login"}, values, reasons, window)

    def _iterations(self, strategy: str) -> int:
        """Of the stored passwords' hash. Raises StackError where it is not Django's default, PBKDF2 with SHA-256."""
        with self._ground.stack.postgres.connect(database_of(strategy)) as connection:
            row = connection.execute("SELECT password FROM shop_user ORDER BY id LIMIT 1").fetchone()
        algorithm, iterations, *_ = str(row[0] if row else "").split("$")
        if algorithm != "pbkdf2_sha256":
            raise StackError(f"{strategy}: passwords are hashed with {algorithm!r}, not with Django's default hasher")
        return int(iterations)

    def _until_hashing(self, strategy: str) -> None:
        """Until its replicas have used the CPU that only a hash uses. Raises StackError where they do not."""
        deadline, begun = time.monotonic() + BEGUN_WITHIN_S, self._used_ns(strategy)
        while self._used_ns(strategy) - begun < BEGUN_NS:
            if time.monotonic() > deadline:
                raise StackError(f"{strategy}: no password was hashed within {BEGUN_WITHIN_S:.0f} s")
            time.sleep(PAUSE_S)

    def _used_ns(self, strategy: str) -> int:
        stack = self._ground.stack
        return sum(stack.running(name).cpu_ns() for name in stack.replica_names(strategy))

    def _open_plan(self, strategy: Strategy, plan: StormPlan, path: Path) -> Fire:
        seed, rate = self._ground.seed + self._launch, plan.rate_rps
        # A connection for each request of the window, should none be answered: nobody waits for one.
        pool = max(POOL, math.ceil(2 * rate * plan.seconds))
        return self._windows.open(
            strategy.name, path, rate_rps=rate, duration_s=plan.seconds, seed=seed, connections=pool
        )

    def _record(
        self,
        levels: Mapping[str, Level],
        values: Mapping[str, float | None],
        reasons: tuple[Reason, ...],
        window: Window | None = None,
    ) -> None:
        histograms = {} if window is None else {LATENCY: window.load.latency_hist}
        launch = self._launch
        self._ground.record(
            Observation(kind=KIND, launch=launch, levels=levels, values=values, reasons=reasons, histograms=histograms)
        )

    def _is_done(self, strategy: Strategy) -> bool:
        assert self._plan.storm is not None
        counts = (0, *self._plan.storm.in_flight)
        levels: list[dict[str, Level]] = [{"endpoint": name} for name in ("whoami", "login")]
        levels += [{"in_flight": count} for count in counts]
        name = strategy.name
        return all(self._ground.is_done(KIND, self._launch, {"strategy": name, **each}) for each in levels)


def hash_ms(iterations: int) -> float:
    """CPU time of one hash of a password by the function that Django calls, in milliseconds."""
    password, salt = secrets.token_bytes(16), secrets.token_bytes(22)
    began = time.thread_time_ns()
    hashlib.pbkdf2_hmac("sha256", password, salt, iterations)
    return (time.thread_time_ns() - began) / 1e6


def _latency(window: Window) -> dict[str, float | None]:
    median = decode(window.load.latency_hist).quantile_us(0.5)
    load = window.load
    return {
        "p50_ms": None if median is None else median / 1000,
        "offered_rps": load.offered_rps,
        "answered": load.ok / load.sent if load.sent else None,
    }


@contextmanager
def _beside(generator: Generator, plan: Fire) -> Iterator[list[Load]]:
    """Fires while the block runs, and to its own end; the list then holds what it saw. Raises what firing raises."""
    seen: list[Load] = []
    failed: list[BaseException] = []

    def fire() -> None:
        try:
            seen.append(generator.fire(plan))
        except BaseException as error:  # told to whoever waits
            failed.append(error)

    thread = threading.Thread(target=fire, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        thread.join()
    if failed:
        raise failed[0]
