"""What each strategy buys, measured on a running stack: `verify --security`, and scenarios with [semantics]."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
import psycopg

from apps.contract.registry import Strategy
from authbench.backends.embedded import EmbeddedStack
from authbench.conformance.checks import Subject
from authbench.conformance.verification import Minted, subject_of
from authbench.conformance.visitor import Answer
from authbench.expiry import first_expiry
from authbench.progress import Watcher
from authbench.scenario import SemanticsPlan
from authbench.semantics import caching, sizes, theft
from authbench.semantics.findings import EVENTS, Ability, Edge, Event, Obeyed, Semantics, Skew
from authbench.semantics.probands import Probands
from authbench.semantics.revocation import obeyed_after
from authbench.semantics.skew import AHEAD_S, skew_of

AT_ONCE = 4  # strategies: each polls for every event at a time, and the machine may have no more than two cores
NOTHING_CHANGED = theft.Altered(0, 0, 0)
UNKNOWN = Edge(bytes=None, status=None, tried_bytes=0)
Result = TypeVar("Result")
BEYOND_S = 2.0  # longer than a strategy says that a logout takes, so that its end is seen


@dataclass(frozen=True, slots=True)
class Contestant:
    """A verified strategy with the users that were set aside for it."""

    subject: Subject
    probands: Probands
    rows: Sequence[Mapping[str, Any]]  # as minted

    @property
    def name(self) -> str:
        """The strategy's."""
        return self.subject.strategy.name


def measure(
    stack: EmbeddedStack,
    strategies: Sequence[Strategy],
    minted: Mapping[str, Minted],
    plan: SemanticsPlan,
    watcher: Watcher,
) -> list[Semantics]:
    """A row a strategy, in the order given; the control, which knows no login, has none.

    Ends with replicas whose clocks disagree: whoever measures on starts fresh ones. A strategy that cannot be measured
    has the reason among its problems. Raises StackError where a part fails.
    """
    with httpx.Client(trust_env=False) as http:
        contestants = [
            _contestant(stack, http, each, minted[each.name]) for each in strategies if each.carrier != "none"
        ]
        watcher.phase("what each strategy buys: until when replicas obey, what a thief can do")
        elsewhere = _accepted_elsewhere(contestants)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            rows = list(pool.map(lambda each: _row(stack, each, elsewhere[each.name], plan), contestants))
        if stack.replicas > 1:
            watcher.phase("replicas whose clocks disagree")
            stack.start_replicas(ahead_s={stack.replicas: AHEAD_S})
            with ThreadPoolExecutor(AT_ONCE) as pool:
                skews = list(pool.map(lambda each: _skew(http, stack, each), contestants))
            rows = [_with_skew(row, skew) for row, skew in zip(rows, skews, strict=True)]
    return rows


def _contestant(stack: EmbeddedStack, http: httpx.Client, strategy: Strategy, minted: Minted) -> Contestant:
    password = stack.user_password
    subject = subject_of(http, strategy, stack.url(strategy.name), minted, password, stack.replicas)
    return Contestant(subject, Probands.read(strategy, minted.probands, password), minted.probands)


def _row(stack: EmbeddedStack, each: Contestant, accepted: tuple[str, ...], plan: SemanticsPlan) -> Semantics:
    subject, probands, strategy = each.subject, each.probands, each.subject.strategy
    attempts = Attempts()
    within_s = max(plan.within_s, strategy.revoked_within_s + BEYOND_S if strategy.revoked_within_s else 0.0)
    obeyed = _obeyed(attempts, subject, stack.dsn(strategy.name), probands, within_s, plan.poll_s)
    nothing: tuple[Ability, ...] = ()
    stolen = attempts.attempt("theft", lambda: theft.after_logout(subject, probands), nothing)
    replayed = attempts.attempt("replay", lambda: theft.is_replayed(subject, probands), True)
    fixated = attempts.attempt("fixation", lambda: theft.is_fixated(subject, probands), True)
    changed = attempts.attempt("changes", lambda: theft.altered(subject, probands.by_role["altered"]), NOTHING_CHANGED)
    none: dict[str, Answer] = {}
    answers = attempts.attempt("caching", lambda: caching.answers(subject, probands), none)
    storable, invariable = caching.lacking_no_store(answers), caching.lacking_vary(answers, strategy.carrier)
    limits = [
        attempts.attempt("sizes", lambda url=url: sizes.header_limit(url, strategy.carrier), UNKNOWN)  # type: ignore[misc]
        for url in (stack.url(strategy.name), stack.replica_urls(strategy.name)[0])
    ]
    refused: dict[int, int] = {}
    now = time.time()
    ends = first_expiry(each.rows, strategy.carrier, now)
    row = Semantics(
        strategy=strategy.name,
        obeyed=obeyed,
        poll_s=plan.poll_s,
        expires_in_s=None if ends is None else round(ends - now),
        stolen_after_logout=stolen,
        replayed=replayed,
        fixated=fixated,
        altered_tried=changed.tried,
        altered_accepted=changed.accepted,
        altered_as_others=changed.as_others,
        accepted_elsewhere=accepted,
        skew=None,
        credential_bytes=sizes.credential_sizes(probands),
        refused_sizes=attempts.attempt("sizes", lambda: sizes.refused_sizes(subject, probands), refused),
        header_at_balancer=limits[0],
        header_at_replica=limits[1],
        storable=tuple(storable),
        invariable=tuple(invariable),
    )
    return row.model_copy(update={"problems": (*attempts.failed, *failings(row, strategy))})


class Attempts:
    """Measurements that may fail by themselves: then one line says which and why."""

    def __init__(self) -> None:
        self.failed: list[str] = []

    def attempt(self, what: str, measure: Callable[[], Result], otherwise: Result) -> Result:
        """What was measured; `otherwise` where it could not be."""
        try:
            return measure()
        except (ValueError, KeyError, httpx.HTTPError, psycopg.Error) as error:
            self.failed.append(f"{what}: not measured ({error})")
            return otherwise


def failings(row: Semantics, strategy: Strategy) -> Iterator[str]:
    """What no strategy may do, whatever it is for: a line each."""
    if row.altered_as_others:
        yield f"a changed credential named another user ({row.altered_as_others} of {row.altered_tried})"
    if row.fixated:
        yield "a credential that was planted before the login names the victim after it"
    if row.storable:
        yield f"answers that a cache may keep: {', '.join(row.storable)}"
    if row.invariable:
        yield f"answers that do not say what they vary by: {', '.join(row.invariable)}"
    if row.accepted_elsewhere:
        yield f"its credential is let in at {', '.join(row.accepted_elsewhere)}"
    if strategy.one_time and row.replayed:
        yield "its one-time credential was accepted twice"
    logout = row.obeyed.get("logout")
    if strategy.revocable and (logout is None or logout.after_s is None):
        yield "declared revocable, but a copy was let in after the logout for as long as was looked"


def _obeyed(
    attempts: Attempts, subject: Subject, dsn: str, probands: Probands, within_s: float, poll_s: float
) -> dict[Event, Obeyed]:
    """All events side by side, each on a user of its own."""
    unknown = Obeyed(after_s=None, within_s=0.0)

    def one(event: Event) -> Obeyed:
        return attempts.attempt(
            event, lambda: obeyed_after(subject, dsn, probands, event, within_s=within_s, poll_s=poll_s), unknown
        )

    with ThreadPoolExecutor(len(EVENTS)) as pool:
        return dict(zip(EVENTS, pool.map(one, EVENTS), strict=True))


def _accepted_elsewhere(contestants: Sequence[Contestant]) -> dict[str, tuple[str, ...]]:
    """Strategy -> the others that let its credential in. Sent everywhere where that kind of credential is looked at."""
    accepted: dict[str, tuple[str, ...]] = {}
    for owner in contestants:
        credential = owner.probands.by_role["attacker"].credential
        others = (
            each.name
            for each in contestants
            if each is not owner
            and each.subject.strategy.carrier == owner.subject.strategy.carrier
            and each.subject.anonymous.as_bearer_of(credential).call("whoami").status == 200
        )
        accepted[owner.name] = tuple(others)
    return accepted


def _skew(http: httpx.Client, stack: EmbeddedStack, each: Contestant) -> Skew | str:
    try:
        return skew_of(http, stack, each.subject, each.probands)
    except (ValueError, httpx.HTTPError) as error:
        return f"clocks: not measured ({error})"


def _with_skew(row: Semantics, skew: Skew | str) -> Semantics:
    if isinstance(skew, str):
        return row.model_copy(update={"problems": (*row.problems, skew)})
    return row.model_copy(update={"skew": skew})
