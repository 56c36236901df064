"""What one request asks of the stores, counted in this process: exact, the same every time."""

import io
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from django.db import connection
from django.db.backends.signals import connection_created
from psycopg.pq import TransactionStatus

from apps.contract.credentials import Credential
from apps.contract.endpoints import ENDPOINTS, RENEWING, SAFE_METHODS, to_json
from apps.services import in_process

HOST = "127.0.0.1"
READINGS, PAUSE_S = 20, 0.05  # at most, until what was seen has been counted
READING = 2  # of the transactions between two readings are the second half of one and the first half of the other
Application = Callable[[Mapping[str, Any], Callable[..., Any]], Any]
# Sent by `transaction.atomic` around others: they belong to a transaction and are not counted.
FRAMES = ("SAVEPOINT ", "RELEASE SAVEPOINT ", "ROLLBACK TO SAVEPOINT ")
# It reads a table: with no table's counts pending, PostgreSQL flushes nothing, and this transaction would be missing.
FLUSH = "SELECT pg_stat_force_next_flush() FROM pg_database WHERE datname = current_database()"
COMMITTED = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a request was answered."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def size_bytes(self) -> int:
        """Head and body, as HTTP/1.1 writes them; without what the server adds to the head."""
        return sum(len(name) + len(value) + 4 for name, value in self.headers) + len(self.body)


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen while a request was handled: statements, commands and calls, each in their order."""

    sql: tuple[str, ...]
    transactions: int
    cache: tuple[str, ...]
    auth: tuple[str, ...]  # requests to the strategy's auth service; what that asks of the stores is in the others
    connections: int  # opened to the database
    cache_connections: int  # opened to the cache


def environ(endpoint: str, credential: Credential, body: Mapping[str, Any] | None) -> dict[str, Any]:
    """The request as a WSGI server would hand it over (PEP 3333)."""
    target = ENDPOINTS[endpoint]
    page = None if target.method in SAFE_METHODS else f"http://{HOST}"
    if body is None and endpoint in RENEWING:
        body = credential.renewal()
    content = b"" if body is None else to_json(body)
    headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in credential.attach(page)}
    if body is not None:
        headers["CONTENT_TYPE"] = "application/json"
    return {
        "REQUEST_METHOD": target.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": target.path,
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": HOST,
        "CONTENT_LENGTH": str(len(content)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(content),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **headers,
    }


def handle(application: Application, request: dict[str, Any]) -> Reply:
    """The request through the whole application, with the end of the answer that a server sends."""
    begun: list[tuple[str, list[tuple[str, str]]]] = []
    response = application(request, lambda status, headers, _=None: begun.append((status, headers)))
    body = b"".join(response)
    response.close()
    status, headers = begun[0]
    return Reply(int(status.split()[0]), tuple(headers), body)


def see(act: Callable[[], Reply]) -> tuple[Reply, Seen]:
    """Handles a request and writes down what it asks of the stores.

    The number of transactions is compared with PostgreSQL's own count; RuntimeError where they differ.
    """
    with (
        _statements() as statements,
        _cache_commands() as (commands, opened),
        _connections() as connections,
        _auth_calls() as calls,
    ):
        before = _committed()
        statements.clear()
        connections.clear()
        reply = act()
        seen = [(idle, sql) for idle, sql in statements if not sql.startswith(FRAMES)]
        begun = sum(idle for idle, _ in statements)
        opened_here = len(connections)
        counted = _counted_since(before, begun)
    # Django sets up a new connection with a transaction of its own, which is no request's; reading may open one too.
    if not begun <= counted <= begun + len(connections):
        raise RuntimeError(f"{begun} transactions seen here, {counted} by PostgreSQL: does somebody else use it?")
    texts = tuple(" ".join(sql.split()) for _, sql in seen)
    return reply, Seen(texts, begun, tuple(commands), tuple(calls), opened_here, len(opened))


def record(endpoints: Mapping[str, Mapping[str, Any]]) -> str:
    """What was seen at each endpoint, as the text that people review."""
    return "\n".join(_paragraph(name, seen) for name, seen in endpoints.items())


def _paragraph(name: str, seen: Mapping[str, Any]) -> str:
    endpoint = ENDPOINTS[name]
    transactions = f"{seen['transactions']} transaction{'s' if seen['transactions'] != 1 else ''}"
    lines = [f"{endpoint.method} {endpoint.path} -> {seen['status']}, {transactions}"]
    lines += [f"  sql    {sql}" for sql in seen["sql"]]
    lines += [f"  cache  {command}" for command in seen["cache"]]
    lines += [f"  auth   {call}" for call in seen["auth"]]
    return "\n".join(lines) + "\n"


@contextmanager
def _statements() -> Iterator[list[tuple[bool, str]]]:
    """Statements, each with whether it began a transaction: psycopg sends BEGIN just before the first one."""
    seen: list[tuple[bool, str]] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        idle = connection.connection.info.transaction_status == TransactionStatus.IDLE
        seen.append((idle, sql))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield seen


@contextmanager
def _connections() -> Iterator[list[object]]:
    """One entry for each connection to the database that is opened meanwhile."""
    opened: list[object] = []

    def note(sender: object, **_: object) -> None:
        opened.append(sender)

    connection_created.connect(note)
    try:
        yield opened
    finally:
        connection_created.disconnect(note)


@contextmanager
def _cache_commands() -> Iterator[tuple[list[str], list[object]]]:
    """Names of the commands that redis-py sends, and the connections it opens; none where it is not loaded."""
    seen: list[str] = []
    opened: list[object] = []
    redis = sys.modules.get("redis")
    if redis is None:
        yield seen, opened
        return
    send, connect = redis.connection.AbstractConnection.send_command, redis.connection.Connection._connect

    def note(connection: Any, *args: Any, **options: Any) -> Any:
        seen.append(" ".join([args[0], *(a for a in args[1:] if a in ("EX", "NX", "XX"))]))
        return send(connection, *args, **options)

    def note_opened(connection: Any) -> Any:
        opened.append(connection)
        return connect(connection)

    with (
        patch.object(redis.connection.AbstractConnection, "send_command", note),
        patch.object(redis.connection.Connection, "_connect", note_opened),
    ):
        yield seen, opened


@contextmanager
def _auth_calls() -> Iterator[list[str]]:
    """Requests to the auth service, which management commands have in their own process."""
    seen: list[str] = []
    ask = in_process.ask

    def note(method: str, path: str, *args: Any, **options: Any) -> Any:
        seen.append(f"{method} {path}")
        return ask(method, path, *args, **options)

    with patch.object(in_process, "ask", note):
        yield seen


def _counted_since(before: int, begun: int) -> int:
    """Transactions since then. A connection that was closed meanwhile hands in its own only as its server ends."""
    for reading in range(1, READINGS + 1):
        counted = _committed() - before - reading * READING
        if counted >= begun:
            break
        time.sleep(PAUSE_S)
    return counted


def _committed() -> int:
    with connection.cursor() as cursor:
        cursor.execute(FLUSH)
        cursor.execute(COMMITTED)
        return int(cursor.fetchone()[0])
