"""What the records say of data kept with a login: a course of sizes, costs and limits a strategy, as plain values."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from authbench.analysis.estimate import Estimate, geometric_mean, mean
from authbench.analysis.estimate import Observation as Value
from authbench.analysis.line import slopes
from authbench.analysis.settled import settled
from authbench.experiments.payload.measures import COOKIE_LIMIT_BYTES, DISTURBED, Refuser
from authbench.observed import Observation
from authbench.records import Manifest

KIND = "payload"
KB = 1_024  # bytes


@dataclass(frozen=True, slots=True)
class Refusal:
    """Where a request is stopped. `status` None: the connection was closed."""

    refuser: Refuser
    status: int | None


@dataclass(frozen=True, slots=True)
class Point:
    """One strategy with one payload. Bytes are those of every launch, where `agree`; else of the last."""

    payload_bytes: int
    launches: int
    agree: bool  # all launches counted the same
    credential_bytes: float
    header_bytes: int  # the longest
    cookie_bytes: int | None
    request_bytes: float | None  # None: refused
    answer_bytes: float | None
    stored_bytes: float
    loaded_bytes: float
    balanced: Refusal | None  # through the load balancer
    direct: Refusal | None  # at a replica
    balancer_limit_bytes: int | None  # the longest header line that passes; None: none is sent, or none was refused
    replica_limit_bytes: int | None
    cpu_ms: Estimate | None

    @property
    def dropped(self) -> bool:
        """A browser does not keep it."""
        return self.cookie_bytes is not None and self.cookie_bytes > COOKIE_LIMIT_BYTES


@dataclass(frozen=True, slots=True)
class Course:
    """One strategy over all payloads, ascending."""

    strategy: str
    location: str
    freshness: str
    points: tuple[Point, ...]
    us_per_kb: Estimate | None  # CPU microseconds a request that 1,024 bytes more cost; None: fewer than two payloads

    @property
    def first_refused(self) -> Point | None:
        """The smallest payload that is not let in through the load balancer."""
        return next((point for point in self.points if point.balanced is not None), None)

    @property
    def first_dropped(self) -> Point | None:
        """The smallest payload whose cookie a browser does not keep."""
        return next((point for point in self.points if point.dropped), None)

    @property
    def carried_per_byte(self) -> float | None:
        """Bytes that a request grows by for each byte of data, from the first payload to the last; None: one only."""
        first, last = self.points[0], self.points[-1]
        more = last.payload_bytes - first.payload_bytes
        return (last.credential_bytes - first.credential_bytes) / more if more else None

    def fits_bytes(self, limit: int, size: str) -> int | None:
        """Data that just fits, on the line between the two payloads around the limit; None where none meets it."""
        before: Point | None = None
        for point in self.points:
            length = getattr(point, size)
            if length is None:
                return None
            if length > limit:
                if before is None:
                    return None
                shorter = getattr(before, size)
                share = (limit - shorter) / (length - shorter)
                return int(before.payload_bytes + share * (point.payload_bytes - before.payload_bytes))
            before = point
        return None


def courses(manifest: Manifest, observations: Iterable[Observation]) -> tuple[Course, ...]:
    """Strategies in the manifest's order. Empty where nothing of the kind was observed."""
    by_strategy: dict[str, list[Observation]] = {}
    for each in settled(observations, _has_counts):
        by_strategy.setdefault(str(each.levels["strategy"]), []).append(each)
    return tuple(
        _course(contender.name, contender.location, contender.freshness, by_strategy[contender.name])
        for contender in manifest.contenders
        if contender.name in by_strategy
    )


def slope(by_launch: Mapping[int, Mapping[int, float]]) -> Estimate | None:
    """CPU microseconds a KB over launches, from launch -> payload -> ms: a straight line (least squares) a launch.

    A launch that lacks the smallest or the largest payload is left out: a short line's slope is chance.
    """
    sizes = {size for costs in by_launch.values() for size in costs}
    if len(sizes) < 2:
        return None
    whole = {n: costs for n, costs in by_launch.items() if {min(sizes), max(sizes)} <= costs.keys()}
    return mean([Value(n, 0, 1e3 * KB * each) for n, each in sorted(slopes(whole).items())], "µs/KB")


def _has_counts(each: Observation) -> bool:
    """Those with no counts at all say nothing."""
    return each.kind == KIND and all(reason.code in DISTURBED for reason in each.reasons)


def _course(strategy: str, location: str, freshness: str, rows: Sequence[Observation]) -> Course:
    by_payload: dict[int, list[Observation]] = {}
    costs: dict[int, dict[int, float]] = {}
    for row in rows:
        size, cpu_ms = int(row.levels["payload_bytes"]), row.values.get("cpu_ms")
        by_payload.setdefault(size, []).append(row)
        if row.valid and cpu_ms is not None:
            costs.setdefault(row.launch, {})[size] = cpu_ms
    points = tuple(_point(size, by_payload[size]) for size in sorted(by_payload))
    return Course(strategy, location, freshness, points, slope(costs))


def _point(payload_bytes: int, rows: Sequence[Observation]) -> Point:
    last = rows[-1].values
    timed = [row for row in rows if row.valid]
    cpu = [Value(row.launch, 0, cost) for row in timed if (cost := row.values.get("cpu_ms")) is not None]
    return Point(
        payload_bytes=payload_bytes,
        launches=len({row.launch for row in rows}),
        agree=all(_counts(row) == _counts(rows[-1]) for row in rows),
        credential_bytes=last["credential_bytes"] or 0.0,
        header_bytes=_whole(last["header_bytes"]) or 0,
        cookie_bytes=_whole(last["cookie_bytes"]),
        request_bytes=last.get("request_bytes"),
        answer_bytes=last.get("answer_bytes"),
        stored_bytes=last["stored_bytes"] or 0.0,
        loaded_bytes=last["loaded_bytes"] or 0.0,
        balanced=_refusal(last, "balancer"),
        direct=_refusal(last, "replica"),
        balancer_limit_bytes=_whole(last["balancer_limit_bytes"]),
        replica_limit_bytes=_whole(last["replica_limit_bytes"]),
        cpu_ms=geometric_mean(cpu, "ms"),
    )


def _counts(row: Observation) -> dict[str, float | None]:
    """What must be the same at every launch."""
    return {name: value for name, value in row.values.items() if name != "requests" and not name.startswith("cpu_ms")}


def _refusal(values: Mapping[str, float | None], place: str) -> Refusal | None:
    refuser = Refuser(int(values[f"{place}_refuser"] or 0))
    return None if refuser is Refuser.NOBODY else Refusal(refuser, _whole(values[f"{place}_status"]))


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)
