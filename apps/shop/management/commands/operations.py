"""`manage.py operations`: what each endpoint asks of the stores, as exact counts and as a list to review."""

import json
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.contract.credentials import Credential, anonymous, load
from apps.contract.endpoints import ENDPOINTS
from apps.shop.management.commands.seed import ANALYSTS_EVERY, seeded_password
from apps.shop.models import Order, User
from apps.shop.observation import Reply, count_calls, environ, handle, record, see
from apps.shop.wsgi import application
from apps.strategies._authenticator import authenticator

WARM_UP = 3
USERNAME = f"user{ANALYSTS_EVERY:05}"  # the first analyst: every endpoint answers
BODIES: Mapping[str, Mapping[str, Any]] = {
    "orders-create": {"item": "observed", "quantity": 1},
    "preferences": {"theme": "dark"},
}


class Command(BaseCommand):
    """Sends requests through the whole application, in this process, to the strategy's real stores."""

    help = "Counts SQL statements, transactions, cache commands and Python calls of every endpoint, as JSON"
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """JSON, or the record that people review."""
        parser.add_argument("--text", action="store_true", help="statements and commands only, to review and compare")

    def handle(self, *_: Any, text: bool, **__: Any) -> None:
        """Needs a seeded database that nobody else uses; it gains some sessions."""
        try:
            user = User.objects.get(username=USERNAME)
        except User.DoesNotExist:
            raise CommandError(f"there is no {USERNAME}: run seed first") from None
        observed = {name: _observe(name, user) for name in ENDPOINTS if name != "healthz"}
        Order.objects.filter(
            item=BODIES["orders-create"]["item"]
        ).delete()  # so that the next run lists the same orders
        if text:
            self.stdout.write(record(observed), ending="")
        else:
            self.stdout.write(json.dumps({"strategy": settings.STRATEGY_NAME, "endpoints": observed}, indent=2))


def _observe(name: str, user: User) -> dict[str, Any]:
    act = _repeatable(name, user)
    for _ in range(WARM_UP if name != "login" else 1):  # a password hash takes a third of a second
        act()()
    reply, seen = see(act())
    return {"status": reply.status, **asdict(seen), "calls": count_calls(act())}


def _repeatable(name: str, user: User) -> Callable[[], Callable[[], Reply]]:
    """Prepares a request each time it is called, with a credential that no earlier one has renewed or ended."""
    strategy = settings.STRATEGY
    body = BODIES.get(name)
    if name == "login":
        body = {"username": user.username, "password": seeded_password()}

    def prepare() -> Callable[[], Reply]:
        credential = _credential(user) if ENDPOINTS[name].authenticated else anonymous(strategy["carrier"])
        request = environ(name, credential, body)
        return lambda: handle(application, request)

    return prepare


def _credential(user: User) -> Credential:
    return load(settings.STRATEGY["carrier"], authenticator().mint(user)[1])
