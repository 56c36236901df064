"""A made-up run with known truth: CPU by tier, twins, launch effects of 1.5 %, window noise of 1 %. Seeded."""

import math
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from authbench.histogram import new_histogram
from authbench.records import (
    Cache,
    Contender,
    Database,
    Load,
    Machine,
    Manifest,
    Question,
    Reason,
    Sample,
    Tier,
    Trial,
)

LAUNCH_EFFECT = 0.015
WINDOW_NOISE = 0.01
REPLICAS = ("r1", "r2")


@dataclass(frozen=True)
class Truth:
    """What a strategy costs in this made-up world: CPU ms by tier, and counts a request to `whoami`."""

    name: str
    freshness: str
    carrier: str
    location: str
    twin: str | None
    lb: float
    app: float
    db: float
    cache: float
    sql: int
    commands: int
    transactions: int
    credential: int

    @property
    def cpu_ms(self) -> dict[Tier, float]:
        return {"lb": self.lb, "app": self.app, "db": self.db, "cache": self.cache}

    @property
    def total_ms(self) -> float:
        return self.lb + self.app + self.db + self.cache


# fmt: off
TRUTHS = (
    Truth("none", "none", "none", "none", None, 0.03, 0.18, 0, 0, 0, 0, 0, 0),
    Truth("session-db", "row", "cookie", "database", "session-db-claims", 0.03, 1.10, 0.37, 0, 2, 0, 2, 61),
    Truth("session-db-claims", "claims", "cookie", "database", "session-db", 0.03, 0.74, 0.21, 0, 1, 0, 1, 61),
    Truth("session-cache", "row", "cookie", "cache", "session-cache-claims", 0.03, 0.85, 0.17, 0.05, 1, 1, 1, 61),
    Truth("session-cache-claims", "claims", "cookie", "cache", "session-cache", 0.03, 0.39, 0, 0.05, 0, 1, 0, 61),
    Truth("session-cached-db", "row", "cookie", "cache+database", None, 0.03, 0.86, 0.17, 0.05, 1, 1, 1, 61),
    Truth("session-file", "row", "cookie", "file", None, 0.03, 0.83, 0.17, 0, 1, 0, 1, 61),
    Truth("session-cookie-claims", "claims", "cookie", "cookie", None, 0.03, 0.27, 0, 0, 0, 0, 0, 214),
    Truth("jwt-hs256", "claims", "bearer", "token", "jwt-row", 0.03, 0.30, 0, 0, 0, 0, 0, 402),
    Truth("jwt-row", "row", "bearer", "token", "jwt-hs256", 0.03, 0.76, 0.17, 0, 1, 0, 1, 402),
)
# fmt: on
WORK = {"whoami": 1.0, "orders": 1.6}  # times the CPU of `whoami`


@dataclass(frozen=True)
class World:
    """What to make. `broken` trials get a reason and are measured again, unless they are `stuck`."""

    seed: int = 7
    launches: int = 6
    blocks: int = 1
    workloads: tuple[str, ...] = ("whoami",)
    loads: tuple[str, ...] = ("saturate", "rate@0.3")
    requests: int = 800
    rate_rps: float = 180.0
    truths: tuple[Truth, ...] = TRUTHS
    broken: frozenset[int] = frozenset()
    stuck: frozenset[str] = frozenset()
    rejected: frozenset[str] = frozenset()
    factors: dict[str, float] = field(default_factory=dict)  # strategy -> known slow-down

    def __hash__(self) -> int:
        return hash(repr(self))


@cache
def make(world: World = World()) -> tuple[Manifest, tuple[Trial, ...], tuple[Sample, ...]]:
    """Manifest, trials and samples of that world, in the order they would have been measured."""
    random = np.random.default_rng(world.seed)
    trials: list[Trial] = []
    samples: list[Sample] = []
    measured = [truth for truth in world.truths if truth.name not in world.rejected]
    for launch in range(world.launches):
        bias = {truth.name: math.exp(random.normal(0, LAUNCH_EFFECT)) for truth in measured}
        for block in range(launch * world.blocks, (launch + 1) * world.blocks):
            cells = [(t, w, load) for t in measured for w in world.workloads for load in world.loads]
            for position, which in enumerate(random.permutation(len(cells))):
                truth, workload, load = cells[which]
                slow = world.factors.get(truth.name, 1.0) * bias[truth.name] * WORK.get(workload, 1.0)
                slow *= math.exp(random.normal(0, WINDOW_NOISE))
                for attempt in range(2):
                    bad = len(trials) in world.broken or (truth.name in world.stuck and load == "saturate")
                    where = (launch, block, position, attempt)
                    trials.append(_trial(world, random, len(trials), where, truth, workload, load, slow, bad))
                    samples += _samples(random, trials[-1])
                    if not bad:
                        break
    return manifest(world), tuple(trials), tuple(samples)


def manifest(world: World = World()) -> Manifest:
    """The manifest of that world."""
    names = tuple(truth.name for truth in world.truths)
    factors = {"strategy": names, "workload": world.workloads, "load": world.loads, "replicas": (len(REPLICAS),)}
    return Manifest(
        authbench="0.1.0",
        command="authbench run compare --profile quick --seed 7",
        question=Question(
            name="compare",
            question="What does each place for the proof of a login cost a request, and how much is the user row?",
            profile="quick",
            control="none",
            reference="session-db",
            margin=0.03,
            factors=factors,
            launches=world.launches,
            answers=("cpu_ms_per_request", "latency_p50_ms", "latency_p99_ms", "connections_peak"),
        ),
        scenario={"workloads": {"whoami": {"whoami": 1}, "orders": {"orders": 1}}, "stack": {"workers": 1}},
        seed=world.seed,
        started_utc="2025-01-31T12:00:00Z",
        git_commit="0123456789abcdef0123456789abcdef01234567",
        git_dirty=False,
        machine=Machine(
            cpu_model="Example CPU at 2.4 GHz",
            cores=2,
            memory_bytes=8 * 2**30,
            kernel="6.1.0",
            system="Debian GNU/Linux 12",
            python="3.11.7",
            hypervisor="kvm",
            pinning="stack on core 0, generator on core 1",
        ),
        versions={"postgresql": "18.0", "valkey": "8.1.4", "nginx": "1.29.1", "django": "5.2.8", "pyjwt": "2.10.1"},
        settings={"postgresql": {"shared_buffers": "128MB", "fsync": "on"}, "gunicorn": {"threads": "4"}},
        softened=("TLS is not used between any two parts.", "The database runs on the same machine as the replicas."),
        contenders=tuple(_contender(truth, truth.name not in world.rejected) for truth in world.truths),
        rates_rps={"whoami": world.rate_rps},
        warnings=(),
    )


def histogram_of(values_us: np.ndarray) -> str:
    """A record's payload of these values."""
    recorder = new_histogram()
    for value in values_us:
        recorder.record_value(max(int(value), 1))
    return str(recorder.encode().decode())


def a_trial(**changes: object) -> Trial:
    """One valid `rate` trial with changes: keys of `Trial`, or `load__…` for keys of its load."""
    _, trials, _ = make(World(launches=1, truths=TRUTHS[:2], loads=("rate@0.3",)))
    return changed(trials[0], **changes)


def changed(trial: Trial, /, **changes: object) -> Trial:
    """The trial with changes, validated anew."""
    load = {key.removeprefix("load__"): value for key, value in changes.items() if key.startswith("load__")}
    own = {key: value for key, value in changes.items() if not key.startswith("load__")}
    dumped = trial.model_dump()
    return Trial.model_validate({**dumped, "load": {**dumped["load"], **load}, **own})


def _contender(truth: Truth, verified: bool) -> Contender:
    counts = {"sql": truth.sql, "cache": truth.commands, "transactions": truth.transactions}
    return Contender(
        name=truth.name,
        carrier=truth.carrier,
        freshness=truth.freshness,
        location=truth.location,
        twin=truth.twin,
        summary=f"identity from {truth.location}",
        operations={"whoami": counts, "orders": {**counts, "sql": truth.sql + 1}},
        verified=verified,
        problems=() if verified else ("whoami answered 200 to a credential with one character changed",),
    )


def _trial(
    world: World,
    random: np.random.Generator,
    number: int,
    where: tuple[int, int, int, int],
    truth: Truth,
    workload: str,
    load: str,
    slow: float,
    bad: bool,
) -> Trial:
    launch, block, position, attempt = where
    n = world.requests
    cpu_s = {tier: ms * slow * n / 1000 for tier, ms in truth.cpu_ms.items() if ms}
    total_s = sum(cpu_s.values())
    rate = world.rate_rps if load != "saturate" else n / (total_s / 0.95)
    window = n / rate
    service = random.lognormal(math.log(900 + 1000 * truth.total_ms * slow), 0.35, n)
    if load == "saturate":
        service *= 16e6 / rate / service.mean()
    late = random.uniform(5, 40, n)
    latency = service + late if load != "saturate" else service
    extra = 1 if workload == "orders" else 0
    return Trial(
        trial=number,
        block=block,
        launch=launch,
        position=position,
        attempt=attempt,
        cell={"strategy": truth.name, "workload": workload, "load": load, "replicas": len(REPLICAS)},
        started_utc=f"2025-01-31T12:{number // 60 % 60:02d}:{number % 60:02d}Z",
        load=Load(
            model="saturate" if load == "saturate" else "rate",
            target_rps=None if load == "saturate" else rate,
            connections=16,
            arrivals="closed" if load == "saturate" else "poisson",
            window_s=window,
            sent=n,
            ok=n,
            refused=0,
            failed=0,
            unknown=0,
            offered_rps=rate,
            achieved_rps=rate,
            latency_hist=histogram_of(latency),
            service_hist=histogram_of(service),
            lateness_hist=histogram_of(late),
            in_flight_mean=float(rate * latency.mean() / 1e6),
            half_service_us=(float(service[: n // 2].mean()), float(service[n // 2 :].mean())),
            bytes_out=n * (120 + truth.credential),
            bytes_in=n * (330 + 900 * extra),
            connections_opened=16,
            by_replica={"r1": n // 2, "r2": n - n // 2},
            generator_cpu_s=n * 0.0002,
            generator_busy=0.3,
            timer="timerfd",
        ),
        cpu_s={**cpu_s, "generator": n * 0.0002},
        cpu_source="schedstat",
        replica_cpu_s=dict.fromkeys(REPLICAS, cpu_s["app"] / 2),
        database=Database(
            statements=n * (truth.sql + extra),
            connections_peak=8 if truth.sql + extra else 0,
            connections_mean=7.5 if truth.sql + extra else 0.0,
            connections_by_state={"idle": 6.5, "active": 1.0} if truth.sql + extra else {},
            connections_by_replica=dict.fromkeys(REPLICAS, 4) if truth.sql + extra else {},
            connections_opened=0,
        ),
        cache=Cache(commands=n * truth.commands, by_command={"get": n * truth.commands}, connections_peak=8)
        if truth.commands
        else None,
        lb_requests=n + 400,
        lb_expected=n + 400,
        resident_bytes=dict.fromkeys(REPLICAS, 61000000 + 1000 * position),
        credential_bytes=float(truth.credential),
        steal_share=0.0,
        throttled_s=0.0,
        probe_cpu_s=0.004,
        limited_by="app CPU" if load == "saturate" else "offered rate",
        reasons=(Reason(code="steal", message="steal 4.1%, over 2%"),) if bad else (),
    )


def _samples(random: np.random.Generator, trial: Trial) -> list[Sample]:
    used = trial.database is not None and trial.database.connections_peak > 0
    found = []
    for step in range(8):
        active = int(random.integers(0, 3)) if used else 0
        states = {"active": active, "idle": 4 - active} if used else {}
        at = trial.load.window_s * step / 8
        connections = dict.fromkeys(REPLICAS, states)
        found.append(Sample(trial=trial.trial, at_s=at, connections=connections, cache_connections=8))
    return found
