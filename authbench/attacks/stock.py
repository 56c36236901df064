"""What a strategy's stores hold, counted past the strategy: rows by table, keys of its cache, files of its folder."""

from collections.abc import Mapping
from pathlib import Path

import psycopg
import redis
from psycopg import sql

TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"


def stock(dsn: str, cache_url: str, folder: Path) -> Mapping[str, int]:
    """Store -> entries. Raises psycopg.Error or redis.RedisError where a store does not answer."""
    with psycopg.connect(dsn, autocommit=True, application_name="authbench:attacks") as connection:
        tables = [name for (name,) in connection.execute(TABLES).fetchall()]
        rows = {f"table {name}": _count(connection, name) for name in tables}
    with redis.Redis.from_url(cache_url) as cache:
        keys = int(cache.dbsize())
    return {**rows, "the cache": keys, "the session folder": sum(1 for _ in folder.iterdir())}


def _count(connection: psycopg.Connection[tuple[object, ...]], table: str) -> int:
    query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(str(row[0]))
