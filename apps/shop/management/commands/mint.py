"""`manage.py mint`: credentials of many users, made by the strategy's own code without their passwords."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from apps.contract.endpoints import to_json
from apps.shop.models import User
from apps.strategies._authenticator import authenticator


class Command(BaseCommand):
    """A line a user: id, username, permissions, and the credential as `apps.contract.credentials.load` reads it."""

    help = "Writes credentials of the first users to a file that only its owner can read: mint --count 1000 --out FILE"
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How many, and where to."""
        parser.add_argument("--count", type=int, default=1000)
        parser.add_argument("--out", type=Path, required=True)

    def handle(self, *_: Any, count: int, out: Path, **__: Any) -> None:
        """Replaces the file."""
        users = list(User.objects.order_by("pk")[:count])
        if len(users) < count or count < 1:
            raise CommandError(f"--count {count}: the database has {len(users)} of these users")
        # Nobody logs in here, so nobody's last login changes.
        user_logged_in.disconnect(dispatch_uid="update_last_login")
        # Statements are sent without waiting for each one's answer; the first that fails ends the transaction.
        with transaction.atomic(), connection.connection.pipeline():
            lines = [_line(user) for user in users]
        out.unlink(missing_ok=True)
        with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(b"\n".join(lines) + b"\n")


def _line(user: User) -> bytes:
    caller, credential = authenticator().mint(user)
    return to_json(
        {
            "id": caller.id,
            "username": caller.username,
            "permissions": list(caller.permissions),
            "credential": credential,
        }
    )
