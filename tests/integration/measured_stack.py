"""A bench on a small real stack, and ways to disturb one of its windows."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from apps.contract.registry import strategies
from authbench.analysis.validity import Limits
from authbench.backends.embedded import EmbeddedStack
from authbench.conformance.verification import Minted
from authbench.design import Planned
from authbench.generator import Fire, Generator
from authbench.machine import split_cores
from authbench.metric import METRICS
from authbench.probes.bundle import Probes
from authbench.records import Load, Sample, Trial
from authbench.runner import pinned
from authbench.scenario import Cell, Scenario
from authbench.scenario_file import load_scenario
from authbench.setting_up import open_sessions, prepare_requests
from authbench.trial import Bench, RequestFile

SCENARIO = """
question = "Does every rule fire?"
control = "session-db"
reference = "session-db"
answers = ["cpu_ms_per_request"]
[factors]
strategy = ["session-db", "jwt-hs256"]
workload = ["whoami"]
load = ["saturate", "rate@0.3"]
replicas = [2]
[workloads.whoami]
whoami = 1
[data]
users = 40
orders = 40
live_sessions = 20
[profiles.quick]
launches = 2
saturate_s = 1.0
rate_s = 1.0
[profiles.standard]
launches = 2
saturate_s = 1.0
rate_s = 1.0
[profiles.thorough]
launches = 2
saturate_s = 1.0
rate_s = 1.0
"""
WORKLOAD = "whoami"
RATE_RPS = 60.0  # far below what the stack can do, on a loud machine too


class DisturbedGenerator(Generator):
    """The real generator; runs `meanwhile` beside each measured window, and waits for its end."""

    meanwhile: Callable[[], None] | None = None

    def fire(self, plan: Fire) -> Load:
        if plan.duration_s is None or self.meanwhile is None:
            return super().fire(plan)
        disturber = threading.Thread(target=self.meanwhile)
        disturber.start()
        try:
            return super().fire(plan)
        finally:
            disturber.join()


class Laboratory:
    """A running stack with sessions and tokens minted, and a generator."""

    def __init__(self, stack: EmbeddedStack, scenario: Scenario, generator: DisturbedGenerator, seed: int = 1) -> None:
        self.stack = stack
        self.scenario = scenario
        self.generator = generator
        self.minted: Mapping[str, Minted] = {}
        self.files: dict[tuple[str, str], RequestFile] = {}
        self._trials = 0
        self._seed = seed

    def mint(self) -> None:
        begun = time.time()
        contenders = list(self.stack.strategies.values())
        self.minted = open_sessions(self.stack, contenders, self.scenario.data.live_sessions)
        self.files = prepare_requests(self.stack, self.scenario, contenders, self.minted, self._seed, begun)

    def file_of(self, name: str, strategy: str, rows: list[Mapping[str, Any]]) -> RequestFile:
        """Requests of other minted rows."""
        folder = self.stack.folder / name
        folder.mkdir(exist_ok=True)
        minted = {strategy: Minted(tuple(rows), {})}
        chosen = [self.stack.strategies[strategy]]
        made = prepare_requests(self.stack, self.scenario, chosen, minted, self._seed, time.time(), folder=folder)
        return made[strategy, WORKLOAD]

    def bench(
        self, *, verified: tuple[str, ...] | None = None, limits: Limits | None = None, probes: Probes | None = None
    ) -> Bench:
        names = tuple(self.stack.strategies) if verified is None else verified
        return Bench(
            self.scenario, self.stack, self.generator, self.files, verified=names, limits=limits, probes=probes
        )

    def measure(
        self,
        strategy: str = "session-db",
        *,
        rate_rps: float | None = RATE_RPS,
        meanwhile: Callable[[], None] | None = None,
        file: RequestFile | None = None,
        bench: Bench | None = None,
    ) -> Trial:
        """One trial, disturbed by `meanwhile`, which starts with its window."""
        return self.measure_with_samples(strategy, rate_rps=rate_rps, meanwhile=meanwhile, file=file, bench=bench)[0]

    def measure_with_samples(
        self,
        strategy: str,
        *,
        rate_rps: float | None,
        meanwhile: Callable[[], None] | None,
        file: RequestFile | None = None,
        bench: Bench | None = None,
    ) -> tuple[Trial, list[Sample]]:
        before = dict(self.files)
        if file is not None:
            self.files[strategy, WORKLOAD] = file
        load = "saturate" if rate_rps is None else "rate@0.3"
        planned = Planned(0, 0, 0, Cell(strategy=strategy, workload=WORKLOAD, load=load))
        self._trials += 1
        self.generator.meanwhile = meanwhile
        try:
            return (bench or self.bench()).measure(
                planned, number=self._trials, attempt=0, rate_rps=rate_rps, seed=self._seed
            )
        finally:
            self.generator.meanwhile = None
            self.files.update(before)

    @contextmanager
    def balancing(self, edit: Callable[[str], str]) -> Iterator[None]:
        """nginx with its configuration edited while the block runs."""
        path = self.stack.nginx.configuration_file
        before = path.read_text(encoding="utf-8")
        generation = self.stack.nginx.generation() or ""
        edited = edit(before)
        assert edited != before
        self._serve(path, edited.replace(f'"{generation}"', f'"{generation}-edited"'), f"{generation}-edited")
        try:
            yield
        finally:
            self._serve(path, before, generation)

    def _serve(self, path: Path, text: str, generation: str) -> None:
        path.write_text(text, encoding="utf-8")
        balancer = self.stack.running("nginx")
        workers = balancer.pids() - {balancer.pid}
        balancer.send(signal.SIGHUP)
        wait_until(lambda: self.stack.nginx.generation() == generation and not workers & balancer.pids())

    def mint_short_lived(self, strategy: str, lifetime_s: int) -> list[Mapping[str, Any]]:
        """Tokens that end soon, made by the strategy's own code with a replica's own environment."""
        pid = self.stack.running(self.stack.replica_names(strategy)[0]).pid
        pairs = Path(f"/proc/{pid}/environ").read_bytes().decode().rstrip("\0").split("\0")
        environment = dict(pair.split("=", 1) for pair in pairs) | {"AUTHBENCH_JWT_LIFETIME_S": str(lifetime_s)}
        out = self.stack.folder / "short-lived.jsonl"
        subprocess.run(
            [sys.executable, "-m", "apps.shop.manage", "mint", "--count", "20", "--out", str(out)],
            env=environment,
            cwd=Path(f"/proc/{pid}/cwd").resolve(),
            check=True,
            timeout=60,
        )
        return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]


@contextmanager
def laboratory(folder: Path) -> Iterator[Laboratory]:
    """Started, seeded and minted; the generator and this process on the last core, the stack on the others."""
    path = folder / "rules.toml"
    path.write_text(SCENARIO, encoding="utf-8")
    scenario = load_scenario(str(path), "quick", known_strategies=strategies().keys(), known_metrics=METRICS.keys())
    cores = split_cores(frozenset(os.sched_getaffinity(0)))
    chosen = [strategies()[name] for name in scenario.factors.strategy]
    with pinned(cores), EmbeddedStack(strategies=chosen, replicas=2, cores=cores.stack) as stack:
        stack.seed(users=scenario.data.users, orders=scenario.data.orders)
        stack.start_replicas()
        with DisturbedGenerator(stack.folder / "generator.log", cores.generator) as generator:
            made = Laboratory(stack, scenario, generator)
            made.mint()
            yield made


def codes(trial: Trial) -> set[str]:
    """The codes of its reasons."""
    return {reason.code for reason in trial.reasons}


def send_all(pids: set[int], number: signal.Signals) -> None:
    """The signal to every one of them."""
    for pid in pids:
        os.kill(pid, number)


def wait_until(question: Callable[[], bool], within_s: float = 30.0) -> None:
    """Asks until the answer is yes."""
    deadline = time.monotonic() + within_s
    while not question():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def upstream(text: str, strategy: str, edit: Callable[[str], str]) -> str:
    """The configuration with one strategy's upstream edited."""
    return re.sub(rf"upstream {strategy} {{.*?\n  }}", lambda found: edit(found[0]), text, count=1, flags=re.DOTALL)


@contextmanager
def busy_loop(cores: tuple[int, ...]) -> Iterator[None]:
    """A process that uses one of these cores up, and has begun to."""
    code = f"import os; os.sched_setaffinity(0, {set(cores[:1])}); print(flush=True)\nwhile True: pass"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            yield
        finally:
            process.kill()
