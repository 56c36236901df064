"""Routing: who is logged out when a request meets another replica, and what a shared store costs as load rises."""

from collections import Counter
from collections.abc import Sequence

from authbench.analysis.findings import Sentence
from authbench.analysis.routing import KIND, Line, Logins, lines, logins, tail_of
from authbench.analysis.wording import certainty_of
from authbench.balancing import BALANCINGS
from authbench.observed import Observation
from authbench.records import Manifest
from reports.charts.canvas import caption, styled
from reports.charts.routing import PANELS, Bars, logins_chart, rise_chart
from reports.numbers import MISSING
from reports.palette import GREY, colour
from reports.sections.routing_words import (
    STRANGERS,
    by_share,
    knees,
    lost_at_event,
    lost_without_event,
    ms_interval,
    one_network,
    safe_strategies,
    share,
    vendors_claim,
)
from reports.sections.section import Found, Section, Table

SAFE = "all others"
NOTES = (
    "A login is one that the strategy's own code made beforehand, of the replica that the client met first: a password "
    "hash takes a third of a second and comes before everything measured here.",
    "Clients have addresses of their own in 127.0.0.0/8, no two in one network of 256 unless said: nginx sees them as "
    "it would see theirs. Behind another proxy it would see that proxy's, and send everybody to one replica.",
    "The balancer's cookie is a name that nginx tells with its first answer (its wheel has no `sticky`); "
    "session-locmem sets such a cookie itself when it logs a user in.",
    "A client whose login is lost drops its cookie, as the server's answer tells a browser to, and stays logged out.",
    "A replica that leaves is taken out of the balancer first, and then ended: nobody meets a dead one.",
)


def section(found: Found) -> Section | None:
    """None where the records hold no observation of this kind."""
    own = [row for row in found.observations if row.kind == KIND]
    if not own:
        return None
    counted, risen = logins(own), lines(own)
    tail = tail_of(risen)
    manifest = found.manifest
    with styled():
        charts = [logins_chart(_bars(manifest, counted), _methods(counted), caption(manifest))] if counted else []
        if tail is not None:
            places = {each.name: each.location for each in manifest.contenders}
            charts.append(rise_chart(risen, places, tail, caption(manifest)))
    tables = [_logins_table(counted)] if counted else []
    if tail is not None:
        tables.append(_rise_table(risen, tail))
    return Section(
        name=KIND,
        title="Routing: replicas that come and go",
        sentences=tuple(_sentences(own, counted, risen, tail, manifest)),
        tables=tuple(tables),
        charts=tuple(charts),
        notes=(*NOTES, *_invalid(found)),
    )


def _sentences(
    own: Sequence[Observation], counted: Sequence[Logins], risen: Sequence[Line], tail: str | None, manifest: Manifest
) -> list[Sentence]:
    least = min((each.logged_out.n for each in counted), default=0)
    told = [
        Sentence(text=text, certainty=certainty_of(least))
        for text in (
            lost_without_event(counted),
            lost_at_event(counted, "joins"),
            lost_at_event(counted, "leaves"),
            safe_strategies(counted),
            one_network(counted),
        )
        if text
    ]
    if not any(row.levels.get("part") == "load" for row in own):
        return told
    if tail is None:
        said = "Latency as load rises: too few samples in windows that count to say even a median at every rate."
        return [*told, Sentence(text=said, certainty="open")]
    certainty = certainty_of(min(point.launches for line in risen for point in line.points))
    told += [Sentence(text=text, certainty=certainty) for text in knees(risen, tail)]
    return [*told, Sentence(text=vendors_claim(risen, tail, manifest.machine), certainty="tentative")]


def _methods(counted: Sequence[Logins]) -> list[str]:
    seen = {each.method for each in counted}
    return [method for method in BALANCINGS if method in seen]


def _bars(manifest: Manifest, counted: Sequence[Logins]) -> list[Bars]:
    """A series for each strategy whose login one replica keeps, and one for the worst of all others."""
    places = {each.name: each.location for each in manifest.contenders}
    strangers = [each for each in counted if each.clients == STRANGERS]
    kept = [each for each in strangers if each.store == "replica"]
    series = [
        Bars(
            _name(strategy),
            colour(strategy, places.get(strategy, "")),
            {(each.method, each.event): each.logged_out for each in kept if each.strategy == strategy},
        )
        for strategy in sorted({each.strategy for each in kept}, reverse=True)
    ]
    others = [each for each in strangers if each.store != "replica"]
    worst = {
        (each.method, each.event): each.logged_out for each in sorted(others, key=lambda each: each.logged_out.value)
    }
    return [*series, Bars(SAFE, GREY, worst)] if worst else series


def _name(strategy: str) -> str:
    return f"{strategy}, unshared" if strategy == "session-file" else strategy


def _logins_table(counted: Sequence[Logins]) -> Table:
    """A row for each strategy, store and method; clients of one network are in a sentence."""
    rows: dict[tuple[str, str, str], dict[str, Logins]] = {}
    for each in counted:
        if each.clients == STRANGERS:
            rows.setdefault((each.strategy, each.store, each.method), {})[each.event] = each
    return Table(
        title="Users logged out, by strategy, method and event",
        head=("strategy", "login kept by", "method", "no event", "joins", "leaves", "refused", "answered elsewhere"),
        rows=tuple(
            (
                strategy,
                by_share(store),
                method,
                *(share(found[event].logged_out) if event in found else MISSING for event in PANELS),
                share(found["none"].refused) if "none" in found else MISSING,
                share(found["none"].moved) if "none" in found else MISSING,
            )
            for (strategy, store, method), found in sorted(rows.items(), key=lambda item: _place(*item[0]))
        ),
        note="Shares of users, with 95 % intervals over launches; without one where every launch counted the same. "
        "refused: share of requests, no event; answered elsewhere: users whom a replica answered that had not logged "
        "them in, no event.",
    )


def _place(strategy: str, store: str, method: str) -> tuple[object, ...]:
    """Those that one replica keeps first; methods in their own order."""
    return (store != "replica", strategy, store, [*BALANCINGS, method].index(method))


def _rise_table(risen: Sequence[Line], tail: str) -> Table:
    return Table(
        title="Latency as load rises",
        head=(
            "strategy",
            "method",
            "offered (1/s)",
            "answered in time",
            "p50 (ms)",
            f"{tail} (ms)",
            "stack's cores busy",
        ),
        rows=tuple(
            (
                line.strategy,
                line.method,
                f"{point.offered_rps:.0f}",
                f"{100 * point.achieved_share:.1f} %",
                ms_interval(point.quantiles["p50"].value),
                ms_interval(point.quantiles[tail].value),
                f"{100 * point.busy_share:.0f} %",
            )
            for line in risen
            for point in line.points
        ),
        note=f"Open model, Poisson arrivals, from the intended start; {tail} is the highest quantile that at least 50 "
        "samples lie beyond at every rate.",
    )


def _invalid(found: Found) -> tuple[str, ...]:
    codes = Counter(reason.code for row in found.observations if row.kind == KIND for reason in row.reasons)
    if not codes:
        return ()
    bad = sum(not row.valid for row in found.observations if row.kind == KIND)
    told = ", ".join(f"{code} {count}" for code, count in codes.most_common())
    return (f"{bad} observations do not count ({told}); authbench run --resume measures them again.",)
