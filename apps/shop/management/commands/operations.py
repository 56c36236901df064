"""`manage.py operations`: what each endpoint asks of stores and interpreter: exact counts, and a list to review."""

import json
import os
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from dataclasses import asdict
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.contract.credentials import Credential, anonymous, load, wire_bytes
from apps.contract.endpoints import ENDPOINTS
from apps.shop.interpreter import count_bytecodes, count_calls, fewest, same_twice
from apps.shop.management.commands.seed import ANALYSTS_EVERY, seeded_password
from apps.shop.models import Order, User
from apps.shop.observation import Reply, environ, handle, record, see
from apps.strategies._authenticator import authenticator

application = import_module(
    os.environ.get("AUTHBENCH_WSGI") or "apps.shop.wsgi"
).application  # as the replicas serve it
WARM_UP = 3
USERNAME = f"user{ANALYSTS_EVERY:05}"  # the first analyst: every endpoint answers
BODIES: Mapping[str, Mapping[str, Any]] = {
    "orders-create": {"item": "observed", "quantity": 1},
    "preferences": {"theme": "dark"},
}


class Command(BaseCommand):
    """Sends requests through the whole application, in this process, to the strategy's real stores."""

    help = "Counts statements, transactions, connections, cache commands, bytes, calls and bytecodes a request, as JSON"
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """JSON, or the record that people review."""
        known = [name for name in ENDPOINTS if name != "healthz"]
        parser.add_argument("endpoints", nargs="*", help=f"which of {', '.join(known)}; default: all")
        parser.add_argument("--text", action="store_true", help="statements and commands only, to review and compare")
        parser.add_argument(
            "--stores-only", action="store_true", help="leave out calls and bytecodes, which take longest"
        )

    def handle(self, *_: Any, endpoints: list[str], text: bool, stores_only: bool, **__: Any) -> None:
        """Needs a seeded database that nobody else uses; it gains some sessions."""
        user = analyst()
        known = [name for name in ENDPOINTS if name != "healthz"]
        if unknown := sorted(set(endpoints) - set(known)):
            raise CommandError(f"no endpoint {', '.join(unknown)}; known are {', '.join(known)}")
        observed = {name: _observe(name, user, interpreter=not (text or stores_only)) for name in endpoints or known}
        Order.objects.filter(
            item=BODIES["orders-create"]["item"]
        ).delete()  # so that the next run lists the same orders
        if text:
            self.stdout.write(record(observed), ending="")
        else:
            size = wire_bytes(_credential(user))
            seen = {"strategy": settings.STRATEGY_NAME, "credential_bytes": size, "endpoints": observed}
            self.stdout.write(json.dumps(seen, indent=2))


def analyst() -> User:
    """The user who is observed. Raises CommandError where the database is not seeded."""
    try:
        return User.objects.get(username=USERNAME)
    except User.DoesNotExist:
        raise CommandError(f"there is no {USERNAME}: run seed first") from None


def _observe(name: str, user: User, *, interpreter: bool) -> dict[str, Any]:
    act = repeatable(name, user)
    for _ in range(WARM_UP if name != "login" else 1):  # a password hash takes a third of a second
        act()()
    reply, seen = see(act())
    counted = {"status": reply.status, **asdict(seen), "answer_bytes": reply.size_bytes}
    if name == "login" or not interpreter:  # once is long enough, and what draws and hashes does not count
        return {**counted, "calls": None, "bytecodes": None}
    return {**counted, "calls": same_twice(count_calls, act), "bytecodes": fewest(count_bytecodes, act)}


def repeatable(name: str, user: User) -> Callable[[], Callable[[], Reply]]:
    """A function that prepares a request, with a credential that no earlier one has renewed or ended."""
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
