"""What one trial wrote down, and how a result folder is read (`authbench.journal` writes it).

The schema is versioned: a reader refuses a folder written by a newer one. Histograms are HdrHistogram V2 payloads in
base64 (1 µs to 60 s, 3 significant digits), so that trials merge by addition and no percentile is ever averaged.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from authbench.errors import UsageError

SCHEMA_VERSION = 1
MANIFEST_FILE = "manifest.json"
TRIALS_FILE = "trials.jsonl"
SERIES_FILE = "series.jsonl"

Level = str | int | float
Row = TypeVar("Row", bound="Frozen")
LoadModel = Literal["saturate", "rate"]
Tier = Literal["lb", "app", "db", "cache", "auth", "vault", "generator"]
CpuSource = Literal["cgroup-v1", "cgroup-v2", "schedstat"]


class Frozen(BaseModel):
    """Plain frozen values; an unknown key is an error, never ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Load(Frozen):
    """What the generator saw in one window. The window starts and ends with no request in flight."""

    model: LoadModel
    target_rps: float | None  # the plan's rate; None under `saturate`
    connections: int  # most connections open at once; the c of the closed model
    arrivals: Literal["constant", "poisson", "closed"]
    window_s: float  # first send to last answer
    sent: int
    ok: int
    refused: int  # 401 or 403 to a request that should have been let in
    failed: int  # a wrong status, a body that names another user, a broken answer
    unknown: int  # no answer: reset, closed, timed out
    offered_rps: float
    achieved_rps: float  # right answers a second
    latency_hist: str  # from the INTENDED start
    service_hist: str  # from the actual send
    lateness_hist: str  # actual send minus intended start
    in_flight_mean: float  # time integral of requests in flight over the window
    half_service_us: tuple[float, float]  # mean service time of the window's two halves
    bytes_out: int
    bytes_in: int
    connections_opened: int
    by_replica: Mapping[str, int]  # right answers by the X-Replica header
    generator_cpu_s: float
    generator_busy: float  # share of one core
    timer: str  # what woke the dispatcher: `timerfd`, or the fallback's name
    failures: Mapping[str, int] = {}  # the first few kinds of failure, with counts
    service_us_by_replica: Mapping[str, float] = {}  # mean of right answers; empty in records of before
    created: int = 0  # requests that create an order, acknowledged with 201
    created_unsure: int = 0  # and those without such an answer: the order may be there or not


class Database(Frozen):
    """PostgreSQL, as its own counters tell it, for the strategy's own database."""

    statements: int  # pg_stat_statements.calls, without BEGIN/COMMIT
    connections_peak: int
    connections_mean: float
    connections_by_state: Mapping[str, float]  # mean by pg_stat_activity.state
    connections_by_replica: Mapping[str, int]  # peak
    connections_opened: int  # pg_stat_database.sessions


class Cache(Frozen):
    """Valkey, as INFO commandstats and CLIENT LIST tell it. The probe's own commands are not counted."""

    commands: int
    by_command: Mapping[str, int]
    connections_peak: int


class Reason(Frozen):
    """Why a trial does not count: a stable code for tools, one sentence for people."""

    code: str
    message: str


class Trial(Frozen):
    """One measured window of one cell in one block."""

    schema_version: int = SCHEMA_VERSION
    trial: int  # running number in this folder
    block: int
    launch: int  # which group of fresh processes; the unit of replication
    position: int  # place in the block's random order
    attempt: int  # 0, or how often this cell of this block had been measured before
    cell: Mapping[str, Level]  # factor -> level; always holds strategy, workload, load, replicas
    started_utc: str
    load: Load
    cpu_s: Mapping[Tier, float]  # CPU seconds of the window by tier
    cpu_source: CpuSource
    replica_cpu_s: Mapping[str, float]
    database: Database | None
    cache: Cache | None
    lb_requests: int | None  # the load balancer's own count for warm-up and window together
    lb_expected: int | None  # the generator's
    resident_bytes: Mapping[str, int]  # by replica
    credential_bytes: float  # mean bytes of the header that carries the credential, name and line end included
    steal_share: float
    throttled_s: float
    probe_cpu_s: float  # what reading the counters cost, charged to the bench
    replicas_restarted: int = 0
    limited_by: str  # app CPU, database, cache, generator, offered rate, …
    reasons: tuple[Reason, ...] = ()
    auth_calls: int | None = None  # requests to the strategy's auth service; None: it has none
    session_database: Database | None = None  # the sessions' own server; None: they stand in `database`
    orders_kept: int | None = None  # rows that the window has added, read back after it; None: it creates none
    others_cpu_share: float | None = None  # of the stack's cores' time, by processes that are not ours; None: unknown

    @property
    def valid(self) -> bool:
        """Whether this trial may be ranked."""
        return not self.reasons

    @property
    def strategy(self) -> str:
        """The strategy's canonical name."""
        return str(self.cell["strategy"])

    def key(self) -> tuple[object, ...]:
        """What identifies the measurement, whatever the attempt."""
        return (self.launch, self.block, *sorted(self.cell.items()))


class Sample(Frozen):
    """One reading of the sampled counters during a trial; one line of series.jsonl."""

    trial: int
    at_s: float  # since the window's start
    connections: Mapping[str, Mapping[str, int]]  # replica -> state -> connections
    cache_connections: int | None = None
    session_connections: Mapping[str, Mapping[str, int]] | None = None  # at the sessions' own server


class Machine(Frozen):
    """Where it was measured."""

    cpu_model: str
    cores: int
    memory_bytes: int
    kernel: str
    system: str
    python: str
    hypervisor: str | None  # a shared machine's noise is part of the result
    pinning: str  # which cores served the stack and which the generator


class Contender(Frozen):
    """A strategy as the run knew it, so that a report needs no registry."""

    name: str
    carrier: str
    freshness: str
    location: str
    twin: str | None
    summary: str
    operations: Mapping[str, Mapping[str, int]]  # endpoint -> sql, cache, transactions, auth, as verified
    verified: bool
    problems: tuple[str, ...] = ()  # why it is not measured, a line a failed check
    unavailable: str | None = None  # why it cannot run on this machine; None: it can


class Question(Frozen):
    """The part of a scenario that a reader needs to understand the answer."""

    name: str
    question: str
    profile: str
    control: str  # strategy that does no authentication
    reference: str  # strategy that ratios are quoted to
    margin: float  # `equivalent` means the whole interval within 1 ± margin
    factors: Mapping[str, tuple[Level, ...]]
    launches: int  # planned
    answers: tuple[str, ...]  # metric names


class Manifest(Frozen):
    """Everything needed to understand or repeat a run. Never a secret."""

    schema_version: int = SCHEMA_VERSION
    authbench: str
    command: str
    question: Question
    scenario: Mapping[str, object]  # the TOML as run, with --set and --profile applied
    seed: int
    started_utc: str
    git_commit: str | None
    git_dirty: bool | None
    machine: Machine
    versions: Mapping[str, str]  # part or library -> version
    settings: Mapping[str, Mapping[str, str]]  # part -> setting -> value
    softened: tuple[str, ...]  # what production would run and this stack does not, a sentence each
    contenders: tuple[Contender, ...]
    rates_rps: Mapping[str, float] = {}  # workload -> open-model rate, as the pilot found it
    warnings: tuple[str, ...] = ()


def read_manifest(folder: Path) -> Manifest:
    """Raises UsageError where the folder holds no manifest that this version can read."""
    path = folder / MANIFEST_FILE
    if not path.is_file():
        raise UsageError(f"{folder}: no {MANIFEST_FILE} here; name a result folder such as results/compare-…")
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(
            f"{path}: not a manifest this authbench can read ({'.'.join(map(str, first['loc']))}: {first['msg']})"
        ) from error


def read_trials(folder: Path) -> list[Trial]:
    """All trials of a result folder, in the order measured; a torn last line is left out.

    Raises UsageError where the folder holds no records, or records of a newer schema.
    """
    path = folder / TRIALS_FILE
    if not path.is_file():
        raise UsageError(f"{folder}: no {TRIALS_FILE} here; name a result folder such as results/compare-…")
    return read_rows(Trial, path)


def read_rows(row: type[Row], path: Path) -> list[Row]:
    """Every whole line of a file of such rows; a torn last one is left out.

    Raises UsageError where a line is not such a row, or one of a newer schema.
    """
    return [_parse(row, line, path, number) for number, line in _lines(path)]


def read_series(folder: Path) -> list[Sample]:
    """All samples of a result folder; empty where none were taken.

    Samples are written before their trial: those of a trial that was lost in between are left out.
    """
    path = folder / SERIES_FILE
    if not path.is_file():
        return []
    kept = {trial.trial for trial in read_trials(folder)} if (folder / TRIALS_FILE).is_file() else set()
    return [sample for sample in read_rows(Sample, path) if sample.trial in kept]


def next_trial_number(folder: Path) -> int:
    """A number above that of every trial and sample in the folder: what was lost must not be charged to another."""
    trials = read_trials(folder) if (folder / TRIALS_FILE).is_file() else []
    samples = read_rows(Sample, folder / SERIES_FILE) if (folder / SERIES_FILE).is_file() else []
    return max([trial.trial for trial in trials] + [sample.trial for sample in samples], default=-1) + 1


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(path.read_bytes().splitlines(keepends=True), start=1):
        if line.endswith(b"\n") and line.strip():
            yield number, line


def _parse(row: type[Row], line: bytes, path: Path, number: int) -> Row:
    try:
        return row.model_validate_json(line)
    except ValidationError as error:
        written = re.search(rb'"schema_version":\s*(\d+)', line)
        if written and int(written[1]) > SCHEMA_VERSION:
            raise UsageError(
                f"{path}:{number}: written by schema {int(written[1])}, this authbench reads up to {SCHEMA_VERSION}; "
                "use a newer authbench"
            ) from error
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{path}:{number}: not a record ({where}: {first['msg']})") from error
