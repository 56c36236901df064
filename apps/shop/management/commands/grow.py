"""`manage.py grow`: the strategy's own store with exactly so many logins, live and ended, as after months of use."""

import json
import time
from argparse import ArgumentParser
from importlib import import_module
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from apps.shop.management.commands._copies import AT_ONCE, copy_entries, copy_rows, count, empty, tables

LAPSED_WITHIN_S = 120.0
PAUSE_S = 0.05


class Command(BaseCommand):
    """Logins of the strategy's own code, as `mint` makes them, then copies of them wherever the strategy keeps them.

    Ended logins stay in a table until somebody deletes them; a cache removes them by itself, and the command waits for
    that. A strategy that keeps nothing gets nothing. Prints what stands where as JSON.
    """

    help = "Empties the strategy's store and fills it: grow --live 100 --ended 900 --made 50 --out FILE"
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How many, and where the credentials of those made by the strategy's own code go."""
        parser.add_argument("--live", type=int, required=True)
        parser.add_argument("--ended", type=int, required=True)
        parser.add_argument("--made", type=int, required=True, help="of the live ones, by the strategy's own code")
        parser.add_argument("--out", type=Path, required=True)

    def handle(self, *_: Any, live: int, ended: int, made: int, out: Path, **__: Any) -> None:
        """All logins that were there before are gone afterwards."""
        if not 1 <= made <= live or ended < 0:
            raise CommandError("--made must be 1 to --live, and --ended at least 0")
        present = tables()
        for table in present:
            empty(table)
        cached = "cache" in settings.STRATEGY["stores"]
        if cached:
            caches["default"].clear()
        call_command("mint", count=made, out=out)
        kept = [table for table in present if count(table)]
        for table in kept:
            with transaction.atomic():
                copy_rows(table, live, ended)
        keys = _grow_cache(live, ended, made) if cached else 0
        self.stdout.write(json.dumps({"tables": {table.name: count(table) for table in kept}, "keys": keys}))


def _grow_cache(live: int, ended: int, made: int) -> int:
    """Entries that stand in the strategy's own part of the cache in the end: the live ones."""
    store = import_module(settings.SESSION_ENGINE).SessionStore
    cache = caches[settings.SESSION_CACHE_ALIAS]
    client = cache._cache.get_client(None, write=True)
    prefix = cache.make_key(store.cache_key_prefix)
    keys = [key.decode() for key in client.scan_iter(f"{prefix}*", count=1000)]
    if len(keys) != made:
        raise CommandError(f"{len(keys)} sessions in the cache after {made} logins: this strategy keeps none there")
    copy_entries(client, keys, prefix, live - made, ended)
    deadline = time.monotonic() + LAPSED_WITHIN_S
    while (left := int(client.dbsize())) > live:
        if time.monotonic() > deadline:
            raise CommandError(f"{left - live} ended cache entries were not removed within {LAPSED_WITHIN_S:.0f} s")
        time.sleep(PAUSE_S)
        for _ in client.scan_iter(count=AT_ONCE):
            pass  # who looks at an ended entry has it removed: on a busy core its own turn comes minutes later
    return left
