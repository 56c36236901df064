"""What the load balancer and the applications wrote down themselves, against what clients saw. All must agree. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from authbench.experiments.faults.crowd.outcome import Ended
from authbench.records import Reason

BALANCERS_OWN = ("502", "504")  # what nginx answers where the replica gave no answer


@dataclass(frozen=True, slots=True)
class Passed:
    """One line of the load balancer's log."""

    status: str  # that the client was sent; 499: it had gone
    upstream: str  # that the last replica asked gave; `-`: none was asked, or none answered


Balancer = Mapping[str, Sequence[Passed]]  # X-Request-ID -> its lines
Application = Mapping[str, Sequence[str]]  # X-Request-ID -> statuses


def passed(lines: Iterable[str]) -> dict[str, list[Passed]]:
    """The load balancer's lines `<id> <status> <upstream's status>`; where several were asked, the last counts."""
    found: dict[str, list[Passed]] = {}
    for line in lines:
        identity, status, *upstream = line.split()
        found.setdefault(identity, []).append(Passed(status, upstream[-1] if upstream else "-"))
    return found


def answered(lines: Iterable[str]) -> dict[str, list[str]]:
    """The applications' lines `<id> <status>`."""
    found: dict[str, list[str]] = {}
    for line in lines:
        identity, status = line.split()
        found.setdefault(identity, []).append(status)
    return found


def disagreements(ended: Sequence[Ended], balancer: Balancer, application: Application) -> tuple[Reason, ...]:
    """A reason a kind of disagreement, with how many there are; none: every outcome stands in both logs as it must.

    Whatever a client has a whole answer to, the balancer logged once, with that status; where it came from a replica,
    the application logged it too. What never left stands nowhere. Of what a client does not know, logs may say
    anything, but once. Ids that nobody sent stand nowhere.
    """
    found: dict[str, list[str]] = {}
    for each in ended:
        lines, own = balancer.get(each.identity, ()), application.get(each.identity, ())
        if len(lines) > 1 or len(own) > 1:
            found.setdefault("a request stands there twice", []).append(each.identity)
        elif each.status:
            _compare(each, lines, own, found)
        elif each.judged.detail == "not sent" and (lines or own):
            found.setdefault("a request that was not sent stands there", []).append(each.identity)
    sent = {each.identity for each in ended}
    if strange := [identity for identity in (*balancer, *application) if identity not in sent]:
        found["a request that nobody sent stands there"] = strange
    return tuple(
        Reason(code="logs-disagree", message=f"{kind}: {len(which)} requests, {which[0]} the first")
        for kind, which in found.items()
    )


def _compare(each: Ended, lines: Sequence[Passed], own: Sequence[str], found: dict[str, list[str]]) -> None:
    status = str(each.status)
    if not lines:
        found.setdefault("an answer is not in the load balancer's log", []).append(each.identity)
        return
    (line,) = lines
    if line.status != status:
        found.setdefault("the load balancer logged another status", []).append(each.identity)
    elif each.outcome == "ok" and list(own) != [status]:
        found.setdefault("a right answer is not in the application's log", []).append(each.identity)
    elif line.upstream == status and status not in BALANCERS_OWN and list(own) != [status]:
        found.setdefault("an answer is not in the application's log", []).append(each.identity)
