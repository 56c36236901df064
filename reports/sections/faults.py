"""Faults: who was answered, who was logged out, whose orders were lost, while a part failed under load."""

import re
from collections import Counter
from collections.abc import Sequence

from authbench.analysis.estimate import Estimate
from authbench.analysis.faults import Suffered, suffered
from authbench.analysis.findings import Sentence
from authbench.analysis.settled import settled
from authbench.analysis.wording import certainty_of
from authbench.experiments.faults.measures import (
    AFTER,
    ANSWERING,
    BEFORE,
    DURING,
    FAILED,
    KIND,
    LASTED,
    LOGGED_OUT,
    LOST,
    RECOVERED,
    REFUSED,
    TOOK_BEFORE,
    TOOK_DURING,
    UNKNOWN,
    UNTOLD,
    USERS,
)
from authbench.observed import Measure
from reports.charts.canvas import caption, styled
from reports.charts.faults import timeline_chart
from reports.numbers import MISSING
from reports.sections.faults_words import (
    kept_answering,
    kept_lost,
    logged_out,
    of_another,
    orders,
    percent,
    recovered,
    refused,
    untold,
)
from reports.sections.section import Found, Section, Table

NEVER = "never"
NOTES = (
    "Every request ends as exactly one of: right (the right status, and the body names the right user), refused (401 "
    "or 403), failed (an error, or it could not be sent), unknown (no whole answer). The load balancer's log and the "
    "applications' own hold the same or the observation does not count.",
    "Nobody logs out in this experiment: every refusal is wrong, and so is every user who has to log in again. After "
    "the load each user asks once more who she is; a login counts as lost where that is answered 401.",
    "Clients keep what answers tell them to keep and drop what answers delete; whoever is told that she is logged "
    "out stays so, unless the plan says that she logs in again.",
    "Orders are read back from the database by the id of the request that ordered them. PostgreSQL keeps a commit "
    "before it says so while this is measured (synchronous_commit on), and is killed, not cut off from power (fsync "
    "off).",
    "Strategies of one fault run side by side on one machine, on two fresh replicas each; counts bear that, times are "
    "this machine's.",
    "(Django's engine): the same strategy on django.contrib.sessions' own session engine, in place of the shop's, "
    "which answers 503 where its store does not answer.",
)


def section(found: Found) -> Section | None:
    """None where the records hold no observation of this kind."""
    if not any(row.kind == KIND for row in found.observations):
        return None
    seen = suffered(found.observations)
    by_fault: dict[str, list[Suffered]] = {}
    for row in sorted(seen, key=_place):
        by_fault.setdefault(row.fault, []).append(row)
    with styled():
        charts = tuple(
            timeline_chart(fault, rows, caption(found.manifest), f"faults-{_slug(fault)}")
            for fault, rows in by_fault.items()
        )
    return Section(
        name=KIND,
        title="Faults: what users notice of a bad day",
        sentences=tuple(_sentences(by_fault)),
        tables=tuple(_table(fault, rows) for fault, rows in by_fault.items()),
        charts=charts,
        notes=(*NOTES, *_invalid(found)),
    )


def _sentences(by_fault: dict[str, list[Suffered]]) -> list[Sentence]:
    everything = [row for rows in by_fault.values() for row in rows]
    over_all = (of_another, orders, untold, kept_lost)
    told = [(text, everything) for say in over_all if (text := say(everything))]
    for fault, rows in by_fault.items():
        for say in (kept_answering, logged_out, refused, recovered):
            if text := say(fault, rows):
                told.append((text, rows))
    return [Sentence(text=text, certainty=certainty_of(_launches(rows))) for text, rows in told if rows]


def _launches(rows: Sequence[Suffered]) -> int:
    """Fewest of those that are told of; a control runs once, and nothing is told of it alone."""
    return min((row.launches for row in rows if row.role == "affected"), default=0)


def _table(fault: str, rows: Sequence[Suffered]) -> Table:
    lasted = [held.value for row in rows if (held := row.estimates.get(LASTED.name)) is not None]
    users = max((row.value(USERS) or 0.0) for row in rows)
    return Table(
        title=f"{fault[0].upper()}{fault[1:]}",
        head=(
            "strategy",
            "median answer before, while it held (ms)",
            "right before",
            "while it held",
            "afterwards",
            "refused",
            "failed",
            "unknown",
            "answered again (s)",
            "right again (s)",
            "have to log in again",
            "orders lost",
            "made, not told",
        ),
        rows=tuple(_row(row) for row in rows),
        note=f"It held for {min(lasted, default=0):.1f} to {max(lasted, default=0):.1f} s. Requests and orders a "
        f"launch; have to log in again: of {users:.0f} users. answered again, right again: from the fault's end until "
        "no request failed any more, and until none went wrong; never: not within what was watched. 95 % intervals "
        "over launches; without one where every launch counted the same. In brackets: the part is not on its way, one "
        "launch.",
    )


def _row(row: Suffered) -> tuple[str, ...]:
    return (
        f"({row.name})" if row.role == "control" else row.name,
        f"{_ms(row.value(TOOK_BEFORE))}, {_ms(row.value(TOOK_DURING))}",
        *(_share(row.estimates.get(each.name)) for each in (BEFORE, DURING, AFTER)),
        *(_figure(row, each) for each in (REFUSED, FAILED, UNKNOWN)),
        *(_figure(row, each, decimals=1) for each in (ANSWERING, RECOVERED)),
        *(_figure(row, each) for each in (LOGGED_OUT, LOST, UNTOLD)),
    )


def _figure(row: Suffered, measure: Measure, decimals: int = 0) -> str:
    """`12 [9, 15]`; `never` where no launch has a value, and how many have none where some have."""
    estimate, missing = row.estimates.get(measure.name), row.missing.get(measure.name, 0)
    if estimate is None:
        return NEVER if measure in (ANSWERING, RECOVERED) else MISSING
    value = f"{estimate.value:.{decimals}f}"
    if estimate.low is not None and estimate.high is not None and estimate.low != estimate.high:
        value += f" [{estimate.low:.{decimals}f}, {estimate.high:.{decimals}f}]"
    return f"{value}, {missing}× {NEVER}" if missing else value


def _ms(value: float | None) -> str:
    return MISSING if value is None else f"{value:.0f}"


def _share(estimate: Estimate | None) -> str:
    if estimate is None:
        return MISSING
    if estimate.low is None or estimate.high is None or estimate.low == estimate.high:
        return percent(estimate.value)
    return f"{percent(estimate.value)} [{100 * estimate.low:.0f}, {100 * estimate.high:.0f}]"


def _place(row: Suffered) -> tuple[object, ...]:
    """Those with the part on their way first, a strategy's two engines together."""
    parts = ("replica", "database", "cache", "auth", "files")
    return (parts.index(row.part), row.fault, row.role != "affected", row.strategy, row.engine)


def _slug(fault: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", fault.lower()).strip("-")


def _invalid(found: Found) -> tuple[str, ...]:
    own = [row for row in found.observations if row.kind == KIND]
    bad = [row for row in settled(own, lambda _: True) if not row.valid]
    if not bad:
        return ()
    codes = Counter(reason.code for row in bad for reason in row.reasons)
    told = ", ".join(f"{code} {count}" for code, count in codes.most_common())
    return (f"{len(bad)} observations do not count ({told}); authbench run --resume measures them again.",)
