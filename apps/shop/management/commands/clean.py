"""`manage.py clean`: deletes ended logins at a given moment, and counts what that took."""

import json
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from apps.shop.management.commands._copies import LoginTable, count, tables

SESSIONS = "django_session"


class Command(BaseCommand):
    """Django's `clearsessions` for its sessions; one DELETE by the end column for tables that no package cleans."""

    help = "Deletes ended logins; prints seconds, statements and rows as JSON: clean --table django_session"
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What, and when."""
        parser.add_argument("--table", required=True)
        parser.add_argument("--after", type=Path, help="a FIFO: begins once somebody has opened and closed it")
        parser.add_argument("--until", type=Path, help="another one, likewise: counts what is left, and ends")

    def handle(self, *_: Any, table: str, after: Path | None, until: Path | None, **__: Any) -> None:
        """Connected before it waits, and counts at the end: between the two FIFOs is the deletion alone."""
        chosen = next((each for each in tables() if each.name == table), None)
        if chosen is None:
            raise CommandError(f"--table {table}: no table of logins of this strategy")
        before = count(chosen)
        if after is not None:
            self.stdout.write("waiting")
            self.stdout.flush()
            after.read_bytes()
        with _statements() as statements:
            began = time.monotonic()
            _delete_ended(chosen)
            seconds = time.monotonic() - began
        if until is not None:
            until.read_bytes()
        seen = {"seconds": seconds, "statements": len(statements), "removed": before - count(chosen)}
        self.stdout.write(json.dumps(seen))


def _delete_ended(table: LoginTable) -> None:
    if table.name == SESSIONS:
        call_command("clearsessions")
        return
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table.name} WHERE {table.ends} < {table.until('now()')}")  # noqa: S608


@contextmanager
def _statements() -> Iterator[list[str]]:
    seen: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        seen.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield seen
