"""More logins of the same shape: copies, under other keys, of rows and cache entries that a strategy has made itself.

A login through a strategy's own code takes a millisecond and more, so a million of them would take half an hour. What
is made that way are some logins; the server copies them, each copy with a key of its own and of the same length.
"""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection

LAPSED_OVER_S = 14 * 24 * 3600  # logins that have ended did so over this time
LAPSE_MS = 1000  # until a cache entry that is to end ends
AT_ONCE = 1000  # cache entries a script call: the server answers nobody else meanwhile
COPIED = 100  # values that cache entries are copies of, at most
UTF8 = "convert_to(%(salt)s::text || i, 'UTF8')"


@dataclass(frozen=True, slots=True)
class LoginTable:
    """One row a login. `drawn`: column -> SQL for a value that no other row has, of row number `i` and a salt."""

    name: str
    drawn: Mapping[str, str]
    ends: str  # the column that says until when
    unix: bool = False  # whether that is in Unix seconds

    def until(self, moment: str) -> str:
        """SQL of a moment as the column keeps it."""
        return f"extract(epoch FROM {moment})::bigint" if self.unix else moment

    @property
    def kept_until(self) -> str:
        """SQL of the moment that the copied row ends at."""
        return f"to_timestamp(m.{self.ends})" if self.unix else f"m.{self.ends}"


LOGIN_TABLES = (
    LoginTable("django_session", {"session_key": "md5(%(salt)s::text || i)"}, "expire_date"),
    LoginTable(
        "families_family",
        {"id": "md5(%(salt)s::text || i)::uuid", "current": f"sha256({UTF8})"},
        "ends",
    ),
    LoginTable(
        "knox_authtoken",
        {
            "digest": f"left(encode(sha512({UTF8}), 'hex'), length(m.digest))",
            "token_key": "left(md5(%(salt)s::text || i), length(m.token_key))",
        },
        "expiry",
    ),
    LoginTable("opaque_tokens_accesstoken", {"digest": f"sha256({UTF8})"}, "expires", unix=True),
)

# Ended logins first, then live ones, as in a table that has grown with time. The logins that were made by the
# strategy's own code stand at even distances among the live ones, so that reading them reads all parts of the table.
COPY = """
INSERT INTO {table} ({columns})
SELECT {values}
FROM generate_series(1, %(ended)s + %(live)s) AS i
CROSS JOIN LATERAL (SELECT (i - %(ended)s - 1) / %(step)s AS place) AS p
CROSS JOIN LATERAL (
  SELECT i > %(ended)s AND (i - %(ended)s - 1) %% %(step)s = 0 AND p.place < %(made)s AS own
) AS o
JOIN made AS m ON m.n = CASE WHEN o.own THEN p.place ELSE i %% %(made)s END
"""
ENDED_AT = f"now() - make_interval(secs => 60 + (%(ended)s - i) * {LAPSED_OVER_S}.0 / %(ended)s)"
# From half of a login's time on, evenly: all are live for as long as anybody looks.
ENDS_AT = "now() + ({kept} - now()) * (0.5 + 0.5 * (i - %(ended)s)::float / %(live)s)"

SET_MANY = """
for i = tonumber(ARGV[2]), tonumber(ARGV[3]) do
  local key = KEYS[1] .. string.sub(redis.sha1hex(ARGV[1] .. i), 1, tonumber(ARGV[4]))
  redis.call('SET', key, ARGV[6 + i % (#ARGV - 5)], 'PX', ARGV[5])
end
"""


def tables() -> list[LoginTable]:
    """Those that this database has."""
    present = set(connection.introspection.table_names())
    return [table for table in LOGIN_TABLES if table.name in present]


def count(table: LoginTable) -> int:
    """Rows in it."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table.name}")  # noqa: S608 - a name of LOGIN_TABLES
        return int(cursor.fetchone()[0])


def empty(table: LoginTable) -> None:
    """Gives its space back as well."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {table.name}")


def copy_rows(table: LoginTable, live: int, ended: int) -> None:
    """Has the table hold exactly that many rows; those that it holds, at most `live`, stay among the live ones."""
    with connection.cursor() as cursor:
        columns = [column.name for column in connection.introspection.get_table_description(cursor, table.name)]
        source = f"SELECT row_number() OVER (ORDER BY ctid) - 1 AS n, * FROM {table.name}"  # noqa: S608
        cursor.execute(f"CREATE TEMPORARY TABLE made AS {source}")
        cursor.execute("CREATE UNIQUE INDEX ON made (n)")
        cursor.execute("ANALYZE made")
        cursor.execute("SELECT count(*) FROM made")
        made = cursor.fetchone()[0]
        cursor.execute(f"TRUNCATE {table.name}")
        values = ", ".join(_value(table, column) for column in columns)
        numbers = {"live": live, "ended": ended, "made": made, "step": live // made, "salt": secrets.token_hex(8)}
        cursor.execute(COPY.format(table=table.name, columns=", ".join(columns), values=values), numbers)
        cursor.execute("DROP TABLE made")


def _value(table: LoginTable, column: str) -> str:
    if column == table.ends:
        moment = f"CASE WHEN i <= %(ended)s THEN {ENDED_AT} ELSE {ENDS_AT.format(kept=table.kept_until)} END"
        other = table.until(moment)
    else:
        other = table.drawn.get(column, f"m.{column}")
    return f"CASE WHEN o.own THEN m.{column} ELSE {other} END"


def copy_entries(client: Any, keys: list[str], prefix: str, live: int, ended: int) -> None:
    """Adds that many entries beside `keys`, with their values, prefix, length of key and time to live.

    The ended ones live for LAPSE_MS: the server removes them by itself.
    """
    script = client.register_script(SET_MANY)
    length, lives_ms = len(keys[0]) - len(prefix), max(map(client.pttl, keys))
    values = client.mget(keys[:COPIED])
    salt = secrets.token_hex(8)
    # The live ones first: none of the others has to wait long for its end.
    for first, last, ends_ms in _portions(live, ended, lives_ms):
        script(keys=[prefix], args=[salt, first, last, length, ends_ms, *values])


def _portions(live: int, ended: int, lives_ms: int) -> Iterator[tuple[int, int, int]]:
    """First and last number, and milliseconds to live, of each script call."""
    for low, high, ends_ms in ((1, live, lives_ms), (live + 1, live + ended, LAPSE_MS)):
        for first in range(low, high + 1, AT_ONCE):
            yield first, min(first + AT_ONCE - 1, high), ends_ms
