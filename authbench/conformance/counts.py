"""Statements and cache commands of each endpoint, counted by the stores themselves, against the declaration."""

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from apps.contract.endpoints import ENDPOINTS
from authbench.conformance.checks import REQUEST_BODIES, Subject

REPEATS = 4  # spread over the replicas by the balancer; a count that differs between them shows as a fraction


class StoreCounts(Protocol):
    """Running totals, as PostgreSQL and Valkey count them."""

    @property
    def sql(self) -> int:
        """Statements of the strategy's database, without BEGIN and COMMIT."""
        ...

    @property
    def cache(self) -> int:
        """Commands of all strategies."""
        ...

    @property
    def auth(self) -> int:
        """Requests to the strategy's auth service."""
        ...


class Counted(NamedTuple):
    """What one request to an endpoint asked of the stores; a fraction where replicas differ."""

    sql: float
    cache: float
    auth: float


ReadCounts = Callable[[], StoreCounts]
# One session is made, renewed and ended, each counted once: a login costs a password hash.
LIFE = ("login", "refresh", "logout")


def count_operations(subject: Subject, read: ReadCounts) -> dict[str, Counted]:
    """Endpoint -> what a request asks of the stores, sent through the load balancer.

    Nobody else may use the strategy's stores meanwhile. Other endpoints than LIFE's are asked on every replica before
    they are counted, since first requests open connections.
    """
    counted: dict[str, Counted] = {}
    for name in subject.strategy.operations:
        if name not in LIFE:
            ask = _asker(subject, name)
            for _ in range(2 * subject.replicas):
                ask()
            counted[name] = _count(ask, read, REPEATS)
    visitor = subject.anonymous.as_bearer_of(subject.anonymous.credential)
    for name in LIFE:
        if name == "login":
            counted[name] = _count(lambda: visitor.log_in(subject.customer), read, 1)
        else:
            counted[name] = _count(lambda name=name: visitor.call(name), read, 1)  # type: ignore[misc]
    return {name: counted[name] for name in subject.strategy.operations}


def differs_from_declaration(subject: Subject, counted: dict[str, Counted]) -> Iterator[str]:
    """One line an endpoint whose counts are not the declared ones."""
    for name, declared in subject.strategy.operations.items():
        seen = counted[name]
        if seen != (declared.sql, declared.cache, declared.auth):
            endpoint = ENDPOINTS[name]
            yield (
                f"{endpoint.method} {endpoint.path}: {seen.sql:g} SQL statements, {seen.cache:g} cache commands and "
                f"{seen.auth:g} auth calls a request, declared {declared.sql}, {declared.cache} and {declared.auth}"
            )


def _count(ask: Callable[[], object], read: ReadCounts, repeats: int) -> Counted:
    before = read()
    for _ in range(repeats):
        ask()
    after = read()
    return Counted(
        (after.sql - before.sql) / repeats,
        (after.cache - before.cache) / repeats,
        (after.auth - before.auth) / repeats,
    )


def _asker(subject: Subject, endpoint: str) -> Callable[[], object]:
    caller = subject.visitor(subject.analyst if endpoint == "reports-sales" else subject.customer)
    return lambda: caller.call(endpoint, REQUEST_BODIES.get(endpoint))
