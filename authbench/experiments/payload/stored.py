"""What a store keeps of each login, and what it hands out at each request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import psycopg

from apps.contract.registry import Strategy
from authbench.backends.embedded import EmbeddedStack
from authbench.errors import StackError

SESSION_COOKIE = "__Host-sessionid"  # SESSION_COOKIE_NAME of apps/shop/settings.py, which this must not import
ROWS = """
SELECT count(*), avg(pg_column_size(session_data))::float, avg(octet_length(session_data))::float
FROM django_session WHERE session_key = ANY(%s)
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """Mean bytes a login: as kept, and as they travel to the replica. Both 0 where the client keeps it all."""

    kept: float = 0.0
    loaded: float = 0.0


def stored(stack: EmbeddedStack, strategy: Strategy, rows: Sequence[Mapping[str, Any]]) -> Stored:
    """Reads the sessions of these minted rows where the strategy keeps them. Raises StackError where one is missing."""
    if strategy.location not in ("database", "cache", "file"):
        return Stored()
    keys = [str(row["credential"]["cookies"][SESSION_COOKIE]) for row in rows]
    try:
        if strategy.location == "database":
            return _in_database(stack.dsn(strategy.name), keys)
        sizes = _in_cache(stack, strategy, keys) if strategy.location == "cache" else _in_files(stack, strategy, keys)
    except OSError as error:
        raise StackError(f"{strategy.name}: a session that was minted is not in its store ({error})") from error
    return Stored(fmean(sizes), fmean(sizes))


def _in_database(dsn: str, keys: Sequence[str]) -> Stored:
    """The column as it is on disk (long values out of line), and the text that a SELECT answers."""
    with psycopg.connect(dsn) as connection:
        found = connection.execute(ROWS, [list(keys)]).fetchone()
    if found is None or found[0] != len(keys):
        raise StackError(f"{len(keys)} sessions were minted, {found and found[0]} are in the database")
    return Stored(kept=found[1], loaded=found[2])


def _in_cache(stack: EmbeddedStack, strategy: Strategy, keys: Sequence[str]) -> list[int]:
    """STRLEN of each session's value. Its key is Django's, which ends with the session's."""
    client = stack.valkey.connect()
    try:
        client.select(list(stack.strategies).index(strategy.name))
        first = next(iter(client.scan_iter(match=f"*{keys[0]}", count=1_000)), None)
        if first is None:
            raise StackError(f"{strategy.name}: a session that was minted is not in the cache")
        prefix = str(first).removesuffix(keys[0])
        sizes = [int(client.strlen(prefix + key)) for key in keys]  # a pipeline would take another connection
    finally:
        client.close()
    if not all(sizes):
        raise StackError(f"{strategy.name}: {sizes.count(0)} of {len(keys)} minted sessions are not in the cache")
    return sizes


def _in_files(stack: EmbeddedStack, strategy: Strategy, keys: Sequence[str]) -> list[int]:
    folder = stack.folder / "sessions" / strategy.name
    return [(folder / f"{SESSION_COOKIE}{key}").stat().st_size for key in keys]
