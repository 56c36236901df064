"""The routing section's sentences: each says what was counted, and no more."""

from collections.abc import Iterable, Iterator, Sequence

from authbench.analysis.estimate import Estimate
from authbench.analysis.routing import KNEE_TIMES, Line, Logins
from authbench.balancing import BALANCINGS
from authbench.records import Machine
from reports.numbers import ms

BUSY = 0.9  # of the stack's cores: from there on, the machine is the limit
STRANGERS, OFFICE = "many networks", "one network"
KEEPERS = {"replica": "one replica", "shared": "all replicas", "client": "the client"}
EVENTS = {"joins": "When a third replica joined two", "leaves": "When one of three replicas left"}


def by_share(store: str) -> str:
    """Who keeps logins, in words."""
    return KEEPERS.get(store, store)


def share(estimate: Estimate) -> str:
    """`33 %`, with the interval where launches differ."""
    value = f"{100 * estimate.value:.0f} %"
    if estimate.low is None or estimate.high is None or estimate.low == estimate.high:
        return value
    return f"{value} [{100 * estimate.low:.0f}, {100 * estimate.high:.0f}]"


def ms_interval(estimate: Estimate) -> str:
    """`1.24 [1.20, 1.29]`; the value alone where there is no interval."""
    if estimate.low is None or estimate.high is None:
        return ms(estimate.value)
    return f"{ms(estimate.value)} [{ms(estimate.low)}, {ms(estimate.high)}]"


def lost_without_event(counted: Sequence[Logins]) -> str:
    """Who is logged out though no replica comes or goes; empty where it was not counted."""
    told = list(_by_strategy(_kept_by_one(counted, "none")))
    if not told:
        return ""
    return f"Where one replica keeps a login and none comes or goes, users were logged out: {'; '.join(told)}."


def lost_at_event(counted: Sequence[Logins], event: str) -> str:
    """Who is logged out where a replica joins or leaves, under the methods that lose nobody without."""
    steady = {(each.strategy, each.method) for each in _kept_by_one(counted, "none") if each.logged_out.value == 0}
    told = list(_by_strategy(e for e in _kept_by_one(counted, event) if (e.strategy, e.method) in steady))
    if not told:
        return ""
    return f"{EVENTS[event]}, methods that log nobody out otherwise logged out: {'; '.join(told)}."


def safe_strategies(counted: Sequence[Logins]) -> str:
    """Strategies whose login every replica can check, and how often their users met another replica."""
    others = [each for each in counted if each.store != "replica" and each.clients == STRANGERS]
    if not others:
        return ""
    lost = [each for each in others if each.logged_out.value > 0]
    moved = max(each.moved.value for each in others)
    names = ", ".join(sorted({_named(each) for each in others}))
    if not lost:
        return (
            f"No user of {names} was logged out under any method or event, though under some up to "
            f"{100 * moved:.0f} % of them were answered by a replica that had not logged them in."
        )
    named = ", ".join(f"{_named(each)} ({each.method}, {each.event}: {share(each.logged_out)})" for each in lost)
    return f"Users were logged out although every replica can check their login: {named}."


def one_network(counted: Sequence[Logins]) -> str:
    """What a balancer by address does with clients of one network; empty where that was not counted."""
    office = [each for each in counted if each.clients == OFFICE]
    methods = [method for method in BALANCINGS if any(each.method == method for each in office)]
    if not methods:
        return ""
    told = []
    for method in methods:
        busiest = [each.busiest.value for each in office if each.method == method]
        low, high = min(busiest), max(busiest)
        span = f"{100 * high:.0f} %" if high - low < 0.005 else f"{100 * low:.0f} to {100 * high:.0f} %"
        told.append(f"{method} sent {span} of their requests to one of two replicas")
    return (
        f"Clients of one network of 256 addresses: {', '.join(told)} (ip_hash looks at the first three octets of an "
        "IPv4 address only)."
    )


def knees(risen: Sequence[Line], tail: str) -> Iterator[str]:
    """Latency at the lowest rate, and where it bends."""
    first = risen[0].points[0].offered_rps
    low = ", ".join(
        f"{line.strategy} ({line.method}) {ms_interval(line.points[0].quantiles['p50'].value)}" for line in risen
    )
    yield f"At {first:.0f} requests/s, the lowest rate offered, the median was, in ms: {low}."
    told = []
    for line in risen:
        knee, before = line.knee(tail), line.before_knee(tail)
        if knee is None:
            last = line.points[-1]
            told.append(
                f"{line.strategy} has none up to {last.offered_rps:.0f} requests/s "
                f"({tail} {ms_interval(last.quantiles[tail].value)} ms)"
            )
        elif before is None:
            told.append(f"{line.strategy} is past it at {knee.offered_rps:.0f} requests/s, the lowest rate")
        else:
            told.append(
                f"{line.strategy} between {before.offered_rps:.0f} and {knee.offered_rps:.0f} requests/s "
                f"({tail} {ms(before.quantiles[tail].value.value)} and {ms(knee.quantiles[tail].value.value)} ms)"
            )
    rule = f"{tail} over {KNEE_TIMES:g} times that of the lowest rate, or the rate not kept up"
    yield f"The knee ({rule}): {'; '.join(told)}."


def vendors_claim(risen: Sequence[Line], tail: str, machine: Machine) -> str:
    """What a vendor's table says, against what this machine can show."""
    bends = [knee for line in risen if (knee := line.knee(tail)) is not None]
    claim = (
        "A vendor's table shows 6 ms against a knee at about 1,000 requests/s. On this machine "
        f"({machine.cores} cores: {machine.pinning}; loopback) "
    )
    if not bends:
        return claim + "no strategy reached a knee within the rates offered, so this run cannot place it."
    busy = min(knee.busy_share for knee in bends)
    if busy >= BUSY:
        limit = f"the stack's cores were {100 * busy:.0f} % busy or more at each knee: the CPU's knee, not the store's"
    else:
        limit = f"the stack's cores were {100 * busy:.0f} % busy at one knee: CPU alone does not explain that one"
    return (
        claim + f"{limit}; on another machine it lies elsewhere, and a network's round trip to the store is not in it."
    )


def _kept_by_one(counted: Iterable[Logins], event: str) -> list[Logins]:
    return [e for e in counted if e.store == "replica" and e.event == event and e.clients == STRANGERS]


def _by_strategy(rows: Iterable[Logins]) -> Iterator[str]:
    """`session-locmem: round robin 88 %, cookie 0 %`."""
    by_name: dict[str, list[Logins]] = {}
    for row in rows:
        by_name.setdefault(_named(row), []).append(row)
    for name, own in sorted(by_name.items(), reverse=True):
        ordered = sorted(own, key=lambda each: BALANCINGS.index(each.method))
        yield f"{name}: {', '.join(f'{each.method} {share(each.logged_out)}' for each in ordered)}"


def _named(row: Logins) -> str:
    if row.strategy != "session-file":
        return row.strategy
    return "session-file (a folder each)" if row.store == "replica" else "session-file (one folder)"
