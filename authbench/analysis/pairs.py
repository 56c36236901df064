"""Twins: two strategies that differ in freshness only, so that the user row's cost stands by itself."""

from collections.abc import Iterable, Mapping, Sequence

from authbench.analysis.estimate import Observation, difference, geometric_mean
from authbench.analysis.findings import Pair
from authbench.records import Contender


def twins(contenders: Iterable[Contender]) -> tuple[tuple[Contender, Contender], ...]:
    """(claims, row) for every two contenders that name each other, or of which one names the other."""
    known = {contender.name: contender for contender in contenders}
    found: dict[str, tuple[Contender, Contender]] = {}
    for contender in known.values():
        twin = known.get(contender.twin or "")
        if twin is None:
            continue
        by_freshness = {contender.freshness: contender, twin.freshness: twin}
        if {"claims", "row"} <= by_freshness.keys():
            found.setdefault(by_freshness["claims"].name, (by_freshness["claims"], by_freshness["row"]))
    return tuple(found.values())


def pairs(contenders: Sequence[Contender], cpu: Mapping[str, Sequence[Observation]], control: str) -> tuple[Pair, ...]:
    """A pair for every two twins that both have CPU figures, the cheapest place first."""
    found = []
    for claims, row in twins(contenders):
        ours, theirs = cpu.get(claims.name, ()), cpu.get(row.name, ())
        claims_ms, row_ms = geometric_mean(ours, "ms"), geometric_mean(theirs, "ms")
        if claims_ms is None or row_ms is None:
            continue
        found.append(
            Pair(
                location=claims.location,
                claims=claims.name,
                row=row.name,
                claims_ms=claims_ms,
                row_ms=row_ms,
                user_row_ms=difference(theirs, ours, "ms"),
                location_ms=difference(ours, cpu.get(control, ()), "ms"),
            )
        )
    return tuple(sorted(found, key=lambda pair: (pair.claims_ms.value, pair.claims)))
