"""Data kept with a login: what a request carries and costs for it, and which limit it meets first."""

from collections.abc import Callable, Sequence

from authbench.analysis.estimate import Estimate
from authbench.analysis.findings import Certainty, Sentence
from authbench.analysis.wording import certainty_of, listed
from authbench.experiments.payload.measures import COOKIE_LIMIT_BYTES, Refuser
from reports.charts.canvas import caption
from reports.charts.payload import cpu_chart, wire_chart
from reports.numbers import DASH, count, plus_minus, whole
from reports.payloads import KIND, Course, Point, Refusal, courses
from reports.sections.section import Found, Section, Table

FLAT = 0.01  # bytes a byte of data: less is a key that does not grow
REFUSERS = {
    Refuser.BALANCER: "the load balancer",
    Refuser.SERVER: "the replica's HTTP server",
    Refuser.SHOP: "the application",
}
CREDENTIAL_NOTE = (
    "The header that carries it, line end included; mean of all users. † The stack lets it in, but the longest cookie "
    f"(name and value) is over the {COOKIE_LIMIT_BYTES:,} bytes that browsers keep (RFC 6265bis; seen in Chromium). "
    "✗ refused, with the status."
)
WIRE_NOTE = "Request and answer between client and load balancer, heads included; mean of all users."
STORE_NOTE = "What the store hands out a request, instead of the client; signed and encoded as the session engine does."
CPU_NOTE = "Whole stack; ± half the 95 % interval over launches. The last column: what 1,024 bytes more cost."


def section(found: Found) -> Section | None:
    """None where no payload was varied."""
    shown = courses(found.manifest, found.observations)
    if not shown:
        return None
    foot = caption(found.manifest)
    charts = (wire_chart(shown, foot), cpu_chart(shown, foot))
    return Section(
        name=KIND,
        title="Data kept with a login",
        sentences=(*_carried(shown), *_limits(shown), *_costs(shown, found.manifest.question.control)),
        tables=_tables(shown),
        charts=tuple(chart for chart in charts if chart is not None),
        notes=_notes(shown, found),
    )


# Sentences


def _carried(shown: Sequence[Course]) -> list[Sentence]:
    growing = [(c, c.carried_per_byte) for c in shown if (c.carried_per_byte or 0) > FLAT]
    flat = [c for c in shown if c.carried_per_byte is not None and c.carried_per_byte <= FLAT]
    kept = [c for c in flat if c.points[-1].loaded_bytes]
    told = []
    if growing:
        rates = ", ".join(f"{c.strategy} {rate:.2f}" for c, rate in growing if rate is not None)
        text = f"Bytes that every request carries for each byte of data kept with its login: {rates}."
        told.append(Sentence(text=text, certainty=_counted([c for c, _ in growing])))
    if kept:
        names = listed([c.strategy for c in kept])
        sizes = sorted({round(c.points[-1].credential_bytes) for c in kept})
        text = (
            f"{names} {_carry(len(kept))} {' to '.join(dict.fromkeys(f'{size:,}' for size in (sizes[0], sizes[-1])))} "
            "bytes whatever is kept; the data travel between store and replica instead."
        )
        told.append(Sentence(text=text, certainty=_counted(kept)))
    return told


def _limits(shown: Sequence[Course]) -> list[Sentence]:
    told = []
    for course in shown:
        if (point := course.first_dropped) is not None and point.cookie_bytes is not None:
            fits = _fits(course.fits_bytes(COOKIE_LIMIT_BYTES, "cookie_bytes"))
            text = (
                f"{course.strategy}: browsers drop the cookie from {point.payload_bytes:,} bytes of data on: "
                f"{point.cookie_bytes:,} bytes > {COOKIE_LIMIT_BYTES:,}{fits}."
            )
            told.append(Sentence(text=text, certainty=_counted([course])))
        if (point := course.first_refused) is not None and point.balanced is not None:
            limit = point.balancer_limit_bytes
            beyond = "" if limit is None or point.header_bytes <= limit else f", and the longest let in has {limit:,}"
            fits = "" if limit is None else _fits(course.fits_bytes(limit, "header_bytes"))
            text = (
                f"{course.strategy}: refused by {_by(point.balanced)} from {point.payload_bytes:,} bytes of data on: "
                f"a header line of {point.header_bytes:,} bytes{beyond}{fits}. {_past_the_balancer(point.direct)}"
            )
            told.append(Sentence(text=text, certainty=_counted([course])))
    if not told:
        most = max(point.payload_bytes for course in shown for point in course.points)
        text = f"No strategy met a limit with up to {most:,} bytes of data."
        told.append(Sentence(text=text, certainty=_counted(shown)))
    return told


def _costs(shown: Sequence[Course], control: str) -> list[Sentence]:
    sloped = [(course, course.us_per_kb) for course in shown if course.us_per_kb is not None]
    if not sloped:
        return [
            Sentence(text="What more data cost in CPU cannot be said: no launch's windows count.", certainty="open")
        ]
    told = []
    for certain in (True, False):
        group = [(c, cost) for c, cost in sloped if c.strategy != control and cost.excludes(0) == certain]
        if not group:
            continue
        listed = ", ".join(f"{c.strategy} {_microseconds(cost)}" for c, cost in group)
        text = f"CPU a request that 1,024 bytes more of data cost: {listed}."
        if not certain:
            text = f"Not told apart from no cost at all: {listed} a request and 1,024 bytes."
        launches = min(cost.n for _, cost in group)
        told.append(Sentence(text=text, certainty=certainty_of(launches) if certain else "open"))
    null = next((cost for c, cost in sloped if c.strategy == control), None)
    if null is not None and told:
        stray = "" if not null.excludes(0) else " That is not zero: something else moved with the size."
        text = f"The control carries no data and shows {_microseconds(null)} for them: noise of that size.{stray}"
        told.append(Sentence(text=text, certainty="open" if stray else certainty_of(null.n)))
    return told


# Tables


def _tables(shown: Sequence[Course]) -> tuple[Table, ...]:
    sizes = sorted({point.payload_bytes for course in shown for point in course.points})
    stored = [course for course in shown if any(point.loaded_bytes for point in course.points)]
    tables = [
        _by_size("Bytes that a request carries for its login", shown, sizes, _credential, CREDENTIAL_NOTE),
        _by_size("Bytes on the wire a request", shown, sizes, _wire, WIRE_NOTE),
        _by_size("CPU a request (ms)", shown, sizes, lambda point: plus_minus(point.cpu_ms), CPU_NOTE, _slope),
        _limit_table(shown),
    ]
    if stored:
        loaded = _by_size(
            "Bytes loaded from the store a request", stored, sizes, lambda point: whole(point.loaded_bytes), STORE_NOTE
        )
        tables.insert(2, loaded)
    return tuple(tables)


def _by_size(
    title: str,
    shown: Sequence[Course],
    sizes: Sequence[int],
    cell: Callable[[Point], str],
    note: str,
    last: Callable[[Course], str] | None = None,
) -> Table:
    rows = []
    for course in shown:
        cells = {point.payload_bytes: cell(point) for point in course.points}
        more = () if last is None else (last(course),)
        rows.append((course.strategy, *(cells.get(size, DASH) for size in sizes), *more))
    head = ("strategy", *(f"{size:,} B" for size in sizes), *(() if last is None else ("µs a KB",)))
    return Table(title, head, tuple(rows), note)


def _limit_table(shown: Sequence[Course]) -> Table:
    rows = []
    for course in shown:
        dropped, refused = course.first_dropped, course.first_refused
        longest = course.points[-1]
        limits = [each for each in (longest.balancer_limit_bytes, longest.replica_limit_bytes) if each is not None]
        fits = [course.fits_bytes(COOKIE_LIMIT_BYTES, "cookie_bytes")]
        fits += [course.fits_bytes(limit, "header_bytes") for limit in limits]
        found = [each for each in fits if each is not None]
        rows.append(
            (
                course.strategy,
                DASH if course.carried_per_byte is None else f"{course.carried_per_byte:.2f}",
                DASH if dropped is None else f"{dropped.payload_bytes:,} B",
                DASH if refused is None else f"{refused.payload_bytes:,} B",
                DASH if refused is None or refused.balanced is None else _by(refused.balanced),
                DASH if refused is None or refused.direct is None else _by(refused.direct),
                f"≈ {min(found):,} B" if found else f"> {longest.payload_bytes:,} B",
            )
        )
    head = (
        "strategy",
        "carried a byte",
        "cookie dropped from",
        "refused from",
        "refused by",
        "at a replica",
        "data that fits",
    )
    note = (
        "The first of the payloads tried that meets each limit; what fits lies on the line between it and the one "
        f"before. {DASH}: not met."
    )
    return Table("Which limit is met, and where", head, tuple(rows), note)


def _notes(shown: Sequence[Course], found: Found) -> tuple[str, ...]:
    limits = {(p.balancer_limit_bytes, p.replica_limit_bytes) for c in shown for p in c.points}
    told = [
        f"Longest header line that reaches the application: {balancer:,} bytes through the load balancer, {replica:,} "
        "at a replica (its end included; found by bisection)."
        for balancer, replica in sorted((b, r) for b, r in limits if b is not None and r is not None)
    ]
    differing = [c.strategy for c in shown if not all(point.agree for point in c.points)]
    if differing:
        told.append(f"Counts that were not the same at every launch (the last is shown): {', '.join(differing)}.")
    uncounted = sum(1 for each in found.observations if each.kind == KIND and each.reasons)
    if uncounted:
        told.append(f"{uncounted} observations were disturbed: their CPU does not count, their bytes do.")
    told.append(
        "The data are random text of printable ASCII, one of its own for each user: where Django's signing compresses, "
        "it saves a sixth of it. What applications keep mostly shrinks more, so that more of it fits."
    )
    told.append("All on one machine over loopback: bytes cost no time on a wire here, and no link is filled by them.")
    return tuple(told)


# Words


def _credential(point: Point) -> str:
    mark = " †" if point.dropped else ""
    if point.balanced is not None:
        mark += f" ✗ {point.balanced.status or 'closed'}"
    return f"{whole(point.credential_bytes)}{mark}"


def _wire(point: Point) -> str:
    if point.request_bytes is None or point.answer_bytes is None:
        return DASH
    return f"{whole(point.request_bytes)} + {whole(point.answer_bytes)}"


def _slope(course: Course) -> str:
    return DASH if course.us_per_kb is None else _microseconds(course.us_per_kb).removesuffix(" µs")


def _microseconds(cost: Estimate) -> str:
    half = None if cost.low is None or cost.high is None else (cost.high - cost.low) / 2
    return f"{cost.value:+.1f}{'' if half is None else f' ± {half:.1f}'} µs"


def _by(refusal: Refusal) -> str:
    return f"{REFUSERS[refusal.refuser]} ({'connection closed' if refusal.status is None else refusal.status})"


def _past_the_balancer(direct: Refusal | None) -> str:
    return "A replica asked directly lets it in." if direct is None else f"Asked directly: {_by(direct)}."


def _fits(size: int | None) -> str:
    return "" if size is None else f"; about {count(size)} bytes of data fit"


def _carry(number: int) -> str:
    return "carries" if number == 1 else "carry"


def _counted(shown: Sequence[Course]) -> Certainty:
    """Of counts: open where launches disagree."""
    points = [point for course in shown for point in course.points]
    return certainty_of(min(point.launches for point in points)) if all(point.agree for point in points) else "open"
