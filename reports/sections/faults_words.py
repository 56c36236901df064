"""The faults section's sentences: each says what was counted under one fault, and no more."""

from collections.abc import Iterable, Sequence

from authbench.analysis.faults import Suffered
from authbench.analysis.wording import listed
from authbench.experiments.faults.measures import (
    ACKNOWLEDGED,
    DURING,
    FORGOTTEN,
    KEPT,
    KEPT_LOST,
    LASTED,
    LOST,
    OF_ANOTHER,
    RECOVERED,
    REFUSED,
    UNTOLD,
)

AT_ONCE_S = 0.2  # a handful of requests: no share
FEW = 0.005  # of users: not one in 200


def kept_answering(fault: str, rows: Sequence[Suffered]) -> str:
    """Whose users noticed nothing, and whose did; controls are left out."""
    affected = [row for row in rows if row.role == "affected"]
    calm = [row.name for row in affected if row.kept_answering]
    hit = [
        f"{row.name} {_held(row)}" + (", though not all of it was so" if row.worst.get(KEPT_LOST.name, 0) > 0 else "")
        for row in affected
        if not row.kept_answering
    ]
    told = []
    if calm:
        told.append(f"every request of {listed(calm)} was answered right")
    if hit:
        told.append(f"answered right while it held: {', '.join(hit)}")
    return f"{_when(fault)}: {'; '.join(told)}." if told else ""


def logged_out(fault: str, rows: Sequence[Suffered]) -> str:
    """Who has to log in again though nobody ended her login; empty where nobody has."""
    told = []
    for row in rows:
        share, forgotten = row.out_share, row.value(FORGOTTEN) or 0.0
        if share is None or share == 0:
            continue
        still = f" ({forgotten:.0f} of them though the server still knows their login)" if forgotten >= 1 else ""
        told.append(f"{percent(share)} of the users of {row.name}{still}")
    return f"{_when(fault)}: {'; '.join(told)} had to log in again afterwards." if told else ""


def refused(fault: str, rows: Sequence[Suffered]) -> str:
    """Whom an outage looked like a refusal to, though the login outlived it: 401 where 503 was meant."""
    told = [
        f"{row.name} ({row.value(REFUSED) or 0:.0f} requests a launch)"
        for row in rows
        if (row.value(REFUSED) or 0) > 0 and (row.out_share == 0 or (row.value(FORGOTTEN) or 0) >= 1)
    ]
    if not told:
        return ""
    return f"{_when(fault)}: good logins were answered 401 or 403, as if they had ended, by {listed(told)}."


def recovered(fault: str, rows: Sequence[Suffered]) -> str:
    """Who took longest from the fault's end on, and who did not come back within what was watched."""
    affected = [row for row in rows if row.role == "affected" and not row.kept_answering]
    away = [row.name for row in affected if row.missing.get(RECOVERED.name)]
    slow = [
        f"{row.name} {row.value(RECOVERED):.1f} s"
        for row in affected
        if row.name not in away and (row.value(RECOVERED) or 0) >= 0.05
    ]
    told = []
    if slow:
        told.append(f"until all was right again it took {', '.join(slow)} after its end")
    if away:
        told.append(f"users of {listed(away)} were still answered wrong when the watch ended")
    return f"{_when(fault)}: {'; '.join(told)}." if told else ""


def orders(rows: Iterable[Suffered]) -> str:
    """Acknowledged orders that are gone, over all faults."""
    every = list(rows)
    made = sum((row.value(ACKNOWLEDGED) or 0) * row.launches for row in every)
    lost = [row for row in every if row.worst.get(LOST.name, 0) > 0]
    if not lost:
        return f"All of {made:.0f} orders that clients were told of were read back: none was lost under any fault."
    told = ", ".join(f"{row.name} ({row.fault}: up to {row.worst[LOST.name]:.0f} a launch)" for row in lost)
    return f"Orders that clients had been told of were gone afterwards: {told}."


def untold(rows: Iterable[Suffered]) -> str:
    """Orders that stand though the client heard nothing, or an error: who orders again has two."""
    found = [row for row in rows if row.worst.get(UNTOLD.name, 0) > 0]
    if not found:
        return ""
    by_fault: dict[str, list[str]] = {}
    for row in found:
        by_fault.setdefault(row.fault, []).append(f"{row.name} {row.value(UNTOLD):.1f}")
    told = "; ".join(f"{fault}: {', '.join(names)}" for fault, names in by_fault.items())
    return f"Orders were made of which the client was not told (a launch): {told}. Whoever orders again has two."


def kept_lost(rows: Iterable[Suffered]) -> str:
    """Whose answer said that a preference was kept, and it was not."""
    told = [
        f"{row.name} ({row.fault}: {row.value(KEPT_LOST) or 0:.0f} of {row.value(KEPT) or 0:.0f} users a launch)"
        for row in rows
        if (row.value(KEPT_LOST) or 0) > 0
    ]
    return f"Preferences that clients had been told were kept were gone afterwards: {listed(told)}." if told else ""


def of_another(rows: Iterable[Suffered]) -> str:
    """Answers with another user's data: the one thing that no fault excuses."""
    found = [f"{row.name} ({row.fault})" for row in rows if row.worst.get(OF_ANOTHER.name, 0) > 0]
    return f"Answers named another user: {listed(found)}." if found else ""


def percent(share: float) -> str:
    """`50 %`; what is not quite all or not quite nothing does not look like it."""
    if 0 < share < FEW:
        return "under 1 %"
    return "over 99 %" if 1 - FEW < share < 1 else f"{100 * share:.0f} %"


def _held(row: Suffered) -> str:
    share = row.value(DURING)
    over_at_once = (row.value(LASTED) or 0.0) < AT_ONCE_S
    return "(over at once)" if share is None or over_at_once else percent(share)


def _when(fault: str) -> str:
    """`When the cache restarts`; `Under “cache: timeout”`."""
    return f"Under “{fault}”" if ": " in fault else f"When {_the(fault)}"


def _the(fault: str) -> str:
    """`the cache restarts`, but `replica 1 is killed`."""
    part, _, rest = fault.partition(" ")
    named = {"auth": "the auth service", "files": "the session files' disk", "replica": "replica"}
    return f"{named.get(part, f'the {part}')} {rest.replace('are full', 'is full')}"
