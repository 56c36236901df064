"""`manage.py seed`: the same users and orders at every run, without randomness and without a clock."""

import os
from argparse import ArgumentParser
from typing import Any

from django.apps import apps
from django.contrib.auth.hashers import make_password
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from apps.contract.endpoints import PRICE_CENTS, VIEW_REPORTS
from apps.shop.granted import recompute
from apps.shop.models import User

PASSWORD_VARIABLE = "AUTHBENCH_USER_PASSWORD"  # noqa: S105
DEMO_PASSWORD = "correct horse battery staple"  # noqa: S105 - of made-up users in a throwaway database
# One salt of the hasher's own length, so that a login does not upgrade the hash: that would be a write no other has.
SALT = "authbenchSharedSalt001"
ANALYSTS_EVERY = 10

INSERT_USERS = """
INSERT INTO shop_user (id, password, is_superuser, username, first_name, last_name, email, is_staff, is_active,
                       date_joined, granted)
SELECT i, %s, false, 'user' || lpad(i::text, greatest(5, length(i::text)), '0'), '', '', '', false, true,
       timestamptz '2025-01-01 00:00:00+00', '{}'
FROM generate_series(1, %s) AS i
"""
INSERT_MEMBERS = """
INSERT INTO shop_user_groups (user_id, group_id) SELECT id, %s FROM shop_user WHERE id %% %s = 0
"""
INSERT_ORDERS = """
INSERT INTO shop_order (id, user_id, item, quantity, total_cents, created)
SELECT i, 1 + (i - 1) %% %s, 'item ' || (i %% 97), 1 + i %% 5, (1 + i %% 5) * %s,
       timestamptz '2025-01-01 00:00:00+00' + i * interval '1 minute'
FROM generate_series(1, %s) AS i
"""


def seeded_password() -> str:
    """The password of every seeded user."""
    return os.environ.get(PASSWORD_VARIABLE) or DEMO_PASSWORD


class Command(BaseCommand):
    """Users `user00001`…, every tenth of them an analyst who may view reports, all with one password."""

    help = "Fills an empty, migrated database: seed --users 10000 --orders 100000"
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How many of each."""
        parser.add_argument("--users", type=int, default=10_000)
        parser.add_argument("--orders", type=int, default=100_000)

    def handle(self, *_: Any, users: int, orders: int, **__: Any) -> None:
        """Refuses a database that already has users."""
        if users < 1 or orders < 0:
            raise CommandError("--users must be at least 1 and --orders at least 0")
        if User.objects.exists():
            raise CommandError("the database already has users; seed fills an empty one only")
        # One hash for all: 10,000 of Django's own would take 40 minutes of CPU, and nobody reads them.
        password = make_password(seeded_password(), salt=SALT)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(INSERT_USERS, [password, users])
            cursor.execute(INSERT_MEMBERS, [_analysts().pk, ANALYSTS_EVERY])
            recompute(range(ANALYSTS_EVERY, users + 1, ANALYSTS_EVERY))
            cursor.execute(INSERT_ORDERS, [users, PRICE_CENTS, orders])
            for table, last in (("shop_user", users), ("shop_order", orders)):
                if last:
                    cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [table, last])
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")  # as autovacuum would, but now and not in a measured window
        self.stdout.write(f"{users} users, {users // ANALYSTS_EVERY} of them analysts; {orders} orders")


def _analysts() -> Group:
    """The group, with its permission as Django keeps it."""
    create_permissions(apps.get_app_config("shop"), verbosity=0)
    group, _ = Group.objects.get_or_create(name="analysts")
    group.permissions.add(Permission.objects.get(content_type__app_label="shop", codename=VIEW_REPORTS))
    return group
