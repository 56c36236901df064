"""Statements and cache commands of each endpoint, counted by the stores themselves, against the declaration."""

from collections.abc import Callable, Iterator
from typing import Protocol

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


ReadCounts = Callable[[], StoreCounts]
# Ends the session it is called with, so it can be asked once a credential; login is the same.
ONCE = frozenset({"login", "logout", "refresh"})


def count_operations(subject: Subject, read: ReadCounts) -> dict[str, tuple[float, float]]:
    """Endpoint -> (SQL statements, cache commands) a request, through the load balancer.

    Nobody else may use the strategy's stores meanwhile. Every endpoint is asked once before it is counted, on every
    replica, since first requests open connections.
    """
    counted: dict[str, tuple[float, float]] = {}
    for name in subject.strategy.operations:
        repeats = 1 if name in ONCE else REPEATS
        ask = _asker(subject, name)
        if name not in ONCE:
            for _ in range(2 * subject.replicas):
                ask()
        before = read()
        for _ in range(repeats):
            ask()
        after = read()
        counted[name] = ((after.sql - before.sql) / repeats, (after.cache - before.cache) / repeats)
    return counted


def differs_from_declaration(subject: Subject, counted: dict[str, tuple[float, float]]) -> Iterator[str]:
    """One line an endpoint whose counts are not the declared ones."""
    for name, declared in subject.strategy.operations.items():
        sql, cache = counted[name]
        if (sql, cache) != (declared.sql, declared.cache):
            endpoint = ENDPOINTS[name]
            yield (
                f"{endpoint.method} {endpoint.path}: {sql:g} SQL statements and {cache:g} cache commands a request, "
                f"declared {declared.sql} and {declared.cache}"
            )


def _asker(subject: Subject, endpoint: str) -> Callable[[], object]:
    if endpoint == "login":
        return lambda: subject.anonymous.as_bearer_of(subject.anonymous.credential).log_in(subject.customer)
    if endpoint in ("logout", "refresh") and subject.keeps_state:
        # A session of its own, so that ending it disturbs nothing; the login happens before the count.
        visitor = subject.anonymous.as_bearer_of(subject.anonymous.credential)
        visitor.log_in(subject.customer)
        return lambda: visitor.call(endpoint)
    caller = subject.visitor(subject.analyst if endpoint == "reports-sales" else subject.customer)
    return lambda: caller.call(endpoint, REQUEST_BODIES.get(endpoint))
