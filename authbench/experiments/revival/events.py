"""Users log out and are told so; then something happens to a store: whose login is back?"""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from apps.contract.credentials import Credential
from authbench.backends.embedded import EmbeddedStack
from authbench.conformance.outcome import Outcome
from authbench.experiments.revival import measures
from authbench.experiments.revival.clients import Clients, outcome_of
from authbench.experiments.revival.logins import Login, Logins
from authbench.experiments.revival.plan import Event
from authbench.faults.fault import Fault
from authbench.faults.injector import Injector
from authbench.observed import Measure
from authbench.records import Level

FLUSHED = Fault(part="cache", action="flush", at_s=0)
RESTARTED = Fault(part="cache", action="restart", at_s=0)
CRASHED = Fault(part="database", action="kill", at_s=0)
TOLD: Mapping[Outcome, Measure] = {
    "ok": measures.ACKNOWLEDGED,
    "refused": measures.REFUSED,
    "failed": measures.FAILED,
    "unknown": measures.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Ended:
    """One logout: what its client was told and holds since, and when it was (a monotonic time)."""

    login: Login
    outcome: Outcome
    left: Credential
    at: float


@dataclass(frozen=True, slots=True)
class Party:
    """Users of one strategy before an event: some have logged out, the others have not."""

    clients: Clients
    ended: Sequence[Ended]
    others: Sequence[Login]


def levels(clients: Clients, event: Event) -> dict[str, Level]:
    """Factor -> level, as records keep it."""
    return {"part": "event", "strategy": clients.strategy.name, "event": event, "asked": clients.asked}


def concerns(event: Event, clients: Clients) -> bool:
    """Whether it can make a difference: something was ended at all, and the store that fails may know of it."""
    stores = clients.strategy.stores
    if event == "none":
        return True
    return clients.ends_something and ("cache" in stores if event.startswith("cache") else stores != ("cache",))


def log_out(clients: Clients, logins: Logins, users: int, before: Callable[[], None] = lambda: None) -> Party:
    """So many users log out, one after the other, and as many do not. `before`: done when their logins are there."""
    leaving, others = (taken := logins.take(2 * users))[:users], taken[users:]
    before()
    ended = []
    for login in leaving:
        answer, left = clients.call(login.credential, "logout")
        ended.append(Ended(login, outcome_of(answer), left, time.monotonic()))
    return Party(clients, ended, others)


def seen(party: Party, crashed_at: float | None = None) -> dict[str, float | None]:
    """Asks every replica about each of them, once the strategy has had the time that it declares for a revocation."""
    within_s = party.clients.strategy.revoked_within_s
    if within_s and party.ended:
        time.sleep(max(party.ended[-1].at + within_s - time.monotonic(), 0))
    accepted = [each for each in party.ended if party.clients.is_accepted(each.login)]
    back = [each for each in accepted if each.outcome == "ok"]
    told = Counter(each.outcome for each in party.ended)
    values: dict[str, float | None] = {
        measures.LOGOUTS.name: float(len(party.ended)),
        **{measure.name: float(told[outcome]) for outcome, measure in TOLD.items()},
        measures.REVIVED.name: float(len(back)),
        measures.ALIVE.name: float(len(accepted) - len(back)),
        measures.FORGOTTEN.name: float(sum(not each.left.attach() for each in accepted)),
        measures.OTHERS.name: float(len(party.others)),
        measures.OTHERS_IN.name: float(sum(party.clients.is_accepted(each) for each in party.others)),
    }
    if crashed_at is not None:
        values[measures.OLDEST_MS.name] = 1000 * (crashed_at - min(each.at for each in back)) if back else None
    return values


def crash(stack: EmbeddedStack, clients: Clients, logins: Logins, users: int, *, kept: bool) -> dict[str, float | None]:
    """Users log out; PostgreSQL and all its processes are killed right after the last answer, and come back.

    `kept`: the replicas, started afresh, wait until a commit is written (not: on the disk, fsync stays off).
    """
    name = clients.strategy.name
    stack.keep_commits(name, keep=kept)  # of connections to come, and a replica's threads open theirs when first asked
    try:
        for number in range(1, stack.replicas + 1):  # an earlier crash has broken their connections
            stack.begin_replica(name, number, {})
        with Injector(stack, name) as injector:
            party = log_out(clients, logins, users, before=lambda: flush_commits(stack))
            crashed_at = time.monotonic()
            injector.begin(CRASHED)
            injector.end(CRASHED)
    finally:
        stack.keep_commits(name, keep=False)
    return seen(party, crashed_at)


def flush_commits(stack: EmbeddedStack) -> None:
    """What was committed before is written: a commit that waits for the log takes all before it along."""
    with stack.postgres.connect() as connection:
        connection.execute("SET synchronous_commit = on")
        connection.execute("SELECT pg_current_xact_id()")
