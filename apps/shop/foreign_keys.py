"""Foreign keys checked within the statement that sets them, not at COMMIT.

Django defers them. PostgreSQL then runs the check as a statement of its own, and pg_stat_statements counts it like one
that a replica had sent. Migration 0002 says so of the shop's orders; this reaches the tables of installed packages too.
"""

from typing import Any

from django.db import connections

IMMEDIATE = """
DO $$
DECLARE key record;
BEGIN
    FOR key IN SELECT conrelid::regclass AS table_name, conname FROM pg_constraint WHERE contype = 'f' AND condeferrable
    LOOP
        EXECUTE format('ALTER TABLE %s ALTER CONSTRAINT %I NOT DEFERRABLE', key.table_name, key.conname);
    END LOOP;
END $$
"""


def check_at_once(using: str, **_: Any) -> None:
    """For every foreign key of the database, after `migrate` has made its tables."""
    with connections[using].cursor() as cursor:
        cursor.execute(IMMEDIATE)
