"""What a replica of another framework is told: the variables of docs/shop.md, without Django."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from apps.shop.environment import ImproperlyConfigured, former_keys, number, postgresql, required, signing_key

BOOT_ERROR = 3  # gunicorn's code for "do not start it again"
LOOPBACK = "127.0.0.1,localhost,[::1]"

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Told:
    """Everything that differs between replicas, strategies and stacks."""

    strategy: str
    replica: str
    allowed_hosts: tuple[str, ...]
    threads: int  # requests that may ask the database, or hash a password, at the same time
    connection_age_s: int  # how long a database connection is kept; 0: for one request
    jwt_lifetime_s: int
    jwt_key: bytes = field(repr=False)
    former_jwt_keys: tuple[bytes, ...] = field(repr=False)  # accepted, never signed with
    database: Mapping[str, Any] = field(repr=False)  # keywords for `psycopg.connect`


def read() -> Told:
    """The environment's variables. Raises ImproperlyConfigured with one line that shows no secret."""
    strategy = required("AUTHBENCH_STRATEGY")
    replica = os.environ.get("AUTHBENCH_REPLICA") or "0"
    return Told(
        strategy=strategy,
        replica=replica,
        allowed_hosts=tuple((os.environ.get("AUTHBENCH_ALLOWED_HOSTS") or LOOPBACK).split(",")),
        threads=number("AUTHBENCH_THREADS", 4, smallest=1),
        connection_age_s=number("AUTHBENCH_CONN_MAX_AGE", 60),
        jwt_lifetime_s=number("AUTHBENCH_JWT_LIFETIME_S", 900, smallest=1),
        jwt_key=signing_key("AUTHBENCH_JWT_KEY"),
        former_jwt_keys=former_keys("AUTHBENCH_JWT_KEY_FALLBACKS"),
        database=_keywords(postgresql("AUTHBENCH_DATABASE_URL", f"authbench:{strategy}:{replica}")),
    )


def start(make: Callable[[Told], Made]) -> Made:
    """What `make` makes of the variables; where one is wrong, one line on standard error and exit code 3."""
    try:
        return make(read())
    except ImproperlyConfigured as error:
        sys.stderr.write(f"shop: {error}\n")
        sys.exit(BOOT_ERROR)


def _keywords(django: Mapping[str, Any]) -> Mapping[str, Any]:
    """libpq's names for Django's settings. As in Django nothing is prepared, so that a pooler can stand between."""
    names = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    given = {keyword: django[name] for name, keyword in names.items() if django[name]}
    return {**given, **django["OPTIONS"], "autocommit": True, "prepare_threshold": None}
