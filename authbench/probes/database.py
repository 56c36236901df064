"""PostgreSQL's own counters for one strategy's database, and who is connected to it: one probe a server.

What can be read when: `pg_stat_statements.calls` is right as soon as a statement's transaction has been answered, and
`pg_stat_database.sessions` as soon as a new connection has first been idle. Both are read here. `xact_commit` and the
like are not: a backend flushes them at most once a second, and up to 10 s later when it goes idle.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import psycopg

from authbench.backends.embedded import EmbeddedStack
from authbench.records import Database
from authbench.stack import processes
from authbench.stack.databases import database_of
from authbench.stack.postgres import Postgres

NAME_BYTES = 63  # PostgreSQL cuts an application_name there

TOTALS = """
SELECT (SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements(false) WHERE dbid = %(id)s),
       pg_stat_get_db_sessions(%(id)s)
"""
CONNECTIONS = """
SELECT application_name, coalesce(state, 'starting'), count(*)
FROM pg_stat_activity
WHERE datid = %(id)s AND backend_type = 'client backend' AND application_name LIKE 'authbench:%%'
GROUP BY 1, 2
"""

Connections = Mapping[str, Mapping[str, int]]  # replica -> state -> connections


@dataclass(frozen=True, slots=True)
class Totals:
    """Running totals of one database."""

    statements: int
    sessions: int


class DatabaseProbe:
    """Reads one server through one connection to another database than any strategy's, so it never counts itself."""

    def __init__(self, stack: EmbeddedStack, server: Postgres | None = None) -> None:
        """`server`: the one that is read; None: the one that all strategies share."""
        self._stack = stack
        self._connection = (server or stack.postgres).connect()
        self._ids: dict[str, int] = {}
        self._names: dict[str, str] = {}
        self._strategy = ""
        self._before = Totals(0, 0)

    def close(self) -> None:
        """Closes its connection."""
        self._connection.close()

    def before(self, strategy: str) -> None:
        """Remembers the totals."""
        self._strategy = strategy
        service = self._stack.auth_service_of(strategy)
        processes_of_it = [*self._stack.replica_names(strategy), *([service] if service else [])]
        self._names = {f"authbench:{strategy}:{name}"[:NAME_BYTES]: name for name in processes_of_it}
        self._before = self.totals(strategy)

    def after(self, sampled: tuple[Connections, ...]) -> Database:
        """What has happened since; `sampled` is what `connections` gave meanwhile, at least once."""
        totals = self.totals(self._strategy)
        return summarise(sampled, totals.statements - self._before.statements, totals.sessions - self._before.sessions)

    def totals(self, strategy: str) -> Totals:
        """Statements and sessions of that strategy's database so far."""
        statements, sessions = self._connection.execute(TOTALS, {"id": self._id(strategy)}).fetchall()[0]
        assert isinstance(statements, int)
        assert isinstance(sessions, int)
        return Totals(statements, sessions)

    def connections(self) -> Connections:
        """Who is connected now. A name that no running replica has stands for itself."""
        found: dict[str, dict[str, int]] = {}
        for name, state, count in self._connection.execute(CONNECTIONS, {"id": self._id(self._strategy)}):
            assert isinstance(count, int)
            found.setdefault(self._names.get(str(name), str(name)), {})[str(state)] = count
        return found

    def backend_cpu_ns(self) -> int:
        """CPU time of its own backend so far, to be taken off the database's; 0 where it cannot be read."""
        return processes.cpu_ns([self._connection.info.backend_pid])

    def _id(self, strategy: str) -> int:
        if strategy not in self._ids:
            row = self._connection.execute(
                "SELECT oid::int8 FROM pg_database WHERE datname = %s", (database_of(strategy),)
            ).fetchone()
            if row is None:
                raise psycopg.OperationalError(f"there is no database {database_of(strategy)}")
            assert isinstance(row[0], int)
            self._ids[strategy] = row[0]
        return self._ids[strategy]


def session_probe(stack: EmbeddedStack) -> DatabaseProbe | None:
    """The probe of the sessions' own server; None where they have none."""
    store = stack.parts.sessions
    return None if store is None else DatabaseProbe(stack, store.databases.server)


def summarise(sampled: tuple[Connections, ...], statements: int, opened: int) -> Database:
    """One window's record from its samples, at least one, and its counts."""
    totals = [sum(sum(states.values()) for states in sample.values()) for sample in sampled]
    states: Counter[str] = Counter()
    replicas: dict[str, int] = {}
    for sample in sampled:
        for replica, by_state in sample.items():
            states.update(by_state)
            replicas[replica] = max(replicas.get(replica, 0), sum(by_state.values()))
    return Database(
        statements=statements,
        connections_peak=max(totals),
        connections_mean=sum(totals) / len(totals),
        connections_by_state={state: count / len(sampled) for state, count in sorted(states.items())},
        connections_by_replica=dict(sorted(replicas.items())),
        connections_opened=opened,
    )
