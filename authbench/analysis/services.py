"""What the `services` experiment found: exact counts, latency and CPU by topology, and what one more service adds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from authbench.analysis.estimate import Estimate, mean
from authbench.analysis.estimate import Observation as Value
from authbench.analysis.findings import Quantile
from authbench.analysis.latency import quantiles
from authbench.analysis.line import slopes
from authbench.analysis.settled import settled
from authbench.experiments.services import measures
from authbench.experiments.services.plan import CHECKINGS, services_of, shape_of
from authbench.histogram import decode
from authbench.observed import Measure, Observation

PARTS: tuple[Measure, ...] = (
    measures.GATEWAY_CPU,
    measures.SERVICES_CPU,
    measures.AUTH_CPU,
    measures.DATABASE_CPU,
)

MOST: tuple[Measure, ...] = (measures.DATABASE_CONNECTIONS, measures.KEPT, measures.OPENED)


@dataclass(frozen=True, slots=True)
class Seen:
    """One way at one topology, over all launches."""

    topology: str
    counts: Mapping[str, tuple[float, ...]]  # exact measure -> the values that launches had, each once, ascending
    most: Mapping[str, float]  # measure -> the most of any launch: connections
    p50: Quantile | None  # None: no launch counts
    cpu: Estimate | None
    parts: Mapping[str, float]  # measure of PARTS -> mean over launches, ms
    launches: int  # that were observed, disturbed ones too: their counts are right

    @property
    def services(self) -> int:
        """That a request passes."""
        return services_of(self.topology)

    @property
    def is_chain(self) -> bool:
        """Whether they come one after the other."""
        return shape_of(self.topology)[0] == "chain"

    def count(self, measure: Measure) -> float | None:
        """An exact count, the greatest where launches differ; None where none was had."""
        return max(self.counts.get(measure.name, ()), default=None)

    @property
    def differing(self) -> tuple[str, ...]:
        """Exact measures that were not the same at every launch."""
        return tuple(name for name, values in self.counts.items() if len(values) > 1)


@dataclass(frozen=True, slots=True)
class Course:
    """One way to check, over all topologies: chains first, each shape by size."""

    checking: str
    seen: tuple[Seen, ...]
    added_ms: Estimate | None  # median latency that each more service of a chain adds
    added_cpu_ms: Estimate | None

    @property
    def chains(self) -> tuple[Seen, ...]:
        """Those topologies, by length."""
        return tuple(each for each in self.seen if each.is_chain)

    @property
    def longest(self) -> Seen:
        """The longest chain, else the widest fan-out."""
        return max(self.chains or self.seen, key=lambda each: each.services)

    @property
    def calls(self) -> tuple[float, float] | None:
        """(a service, a request) such that every count of calls is `a service × services + a request`; else None."""
        points = {each.services: each.count(measures.AUTH_CALLS) for each in self.seen}
        known = {services: calls for services, calls in points.items() if calls is not None}
        if len(known) < 2 or len(known) < len(points):
            return None
        first, last = min(known), max(known)
        a_service = (known[last] - known[first]) / (last - first)
        a_request = known[first] - a_service * first
        if any(abs(a_service * n + a_request - calls) > 1e-9 for n, calls in known.items()):
            return None
        return a_service, a_request


def courses(observations: Iterable[Observation]) -> tuple[Course, ...]:
    """One a way, in the plan's order; empty where the experiment was not run."""
    rows = settled(observations, _has_counts)
    found = []
    for checking in CHECKINGS:
        own = [row for row in rows if row.levels["checking"] == checking]
        if own:
            found.append(_course(checking, own))
    return tuple(found)


def slope(by_launch: Mapping[int, Mapping[int, float]], unit: str) -> Estimate | None:
    """What one more adds, over launches, from launch -> number -> value: a straight line (least squares) a launch.

    A launch that lacks one of the numbers is left out: its line would be another's. None with fewer than two numbers.
    """
    numbers = {number for values in by_launch.values() for number in values}
    if len(numbers) < 2:
        return None
    whole = {launch: values for launch, values in by_launch.items() if values.keys() == numbers}
    return mean([Value(launch, 0, each) for launch, each in sorted(slopes(whole).items())], unit)


def _has_counts(each: Observation) -> bool:
    """Those whose counts are void say nothing."""
    return each.kind == measures.KIND and not any(reason.code in measures.VOID for reason in each.reasons)


def _course(checking: str, rows: Sequence[Observation]) -> Course:
    by_topology: dict[str, list[Observation]] = {}
    for row in rows:
        by_topology.setdefault(str(row.levels["topology"]), []).append(row)
    seen = [_seen(topology, own) for topology, own in by_topology.items()]
    return Course(
        checking=checking,
        seen=tuple(sorted(seen, key=lambda each: (not each.is_chain, each.services))),
        added_ms=slope(_over_chains(rows, measures.P50), "ms"),
        added_cpu_ms=slope(_over_chains(rows, measures.CPU), "ms"),
    )


def _seen(topology: str, rows: Sequence[Observation]) -> Seen:
    valid = [row for row in rows if row.valid]
    counts = {each.name: _values(rows, each) for each in measures.EXACT}
    most = {each.name: _values(rows, each) for each in MOST}
    parts = {each.name: _values(valid, each) for each in PARTS}
    histograms = [decode(row.histograms[measures.LATENCY]) for row in valid if measures.LATENCY in row.histograms]
    cpu = [Value(row.launch, 0, value) for row in valid if (value := row.values.get(measures.CPU.name)) is not None]
    return Seen(
        topology=topology,
        counts={name: tuple(sorted(set(values))) for name, values in counts.items() if values},
        most={name: max(values) for name, values in most.items() if values},
        p50=quantiles(histograms).get("p50") if histograms else None,
        cpu=mean(cpu, "ms"),
        parts={name: fmean(values) for name, values in parts.items() if values},
        launches=len({row.launch for row in rows}),
    )


def _values(rows: Iterable[Observation], measure: Measure) -> list[float]:
    return [value for row in rows if (value := row.values.get(measure.name)) is not None]


def _over_chains(rows: Iterable[Observation], measure: Measure) -> dict[int, dict[int, float]]:
    """launch -> services -> value, of chains that count."""
    found: dict[int, dict[int, float]] = {}
    for row in rows:
        value, (shape, size) = row.values.get(measure.name), shape_of(str(row.levels["topology"]))
        if row.valid and shape == "chain" and value is not None:
            found.setdefault(row.launch, {})[size] = value
    return found
