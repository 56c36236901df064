"""The users that semantics are measured on: set aside before credentials are made, so that nobody else uses them."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from apps.contract.credentials import Credential, load
from apps.contract.endpoints import VIEW_REPORTS
from apps.contract.registry import Strategy
from authbench.conformance.checks import caller_of
from authbench.conformance.visitor import User

# Who is needed, each for one purpose: the first four change, so that nobody may share them.
ROLES = (
    *("logout", "deactivation", "password change", "permission change"),
    *("stolen", "replayed", "altered", "victim", "attacker", "guest"),
)
CONSONANTS, VOWELS = "bcdfghjklmnprstvwz", "aeiou"
VERBS = ("add", "change", "delete", "view")  # Django's own
MANY_PERMISSIONS = (10, 100, 300, 1000)  # what users of a large organisation carry, and more
COUNT = len(ROLES) + len(MANY_PERMISSIONS)

GRANT = "UPDATE shop_user SET granted = %s WHERE id = %s"


@dataclass(frozen=True, slots=True)
class Proband:
    """A user with a credential of its own."""

    user: User
    credential: Credential


@dataclass(frozen=True, slots=True)
class Probands:
    """The users of one strategy, by role and by number of permissions."""

    by_role: Mapping[str, Proband]
    by_permissions: Mapping[int, Proband]

    @classmethod
    def read(cls, strategy: Strategy, rows: Sequence[Mapping[str, Any]], password: str) -> "Probands":
        """From the minted rows of exactly the users that `grant_permissions` has prepared."""
        found = [
            Proband(User(caller_of(dict(row)), password), load(strategy.carrier, row["credential"])) for row in rows
        ]
        return cls(
            dict(zip(ROLES, found, strict=False)),
            dict(zip(MANY_PERMISSIONS, found[len(ROLES) :], strict=True)),
        )


def grant_permissions(dsn: str, first_id: int) -> None:
    """Gives the users from `first_id` on what they need, before their credentials are made.

    Raises psycopg.Error where the database does not answer.
    """
    with psycopg.connect(dsn, application_name="authbench:semantics") as connection:
        for place in range(len(ROLES)):
            connection.execute(GRANT, ([VIEW_REPORTS], first_id + place))
        for place, many in enumerate(MANY_PERMISSIONS, start=len(ROLES)):
            connection.execute(GRANT, (permissions(many), first_id + place))


def permissions(many: int) -> list[str]:
    """That many codenames, VIEW_REPORTS among them, the same at every call.

    A verb and a made-up noun of eight letters, about as hard to compress as those of a real project: numbered ones
    would make compressed session cookies look smaller than they are.
    """
    draw = random.Random(1)  # noqa: S311 - no secret
    names = {VIEW_REPORTS}
    while len(names) < many:
        syllables = (draw.choice(CONSONANTS) + draw.choice(VOWELS) for _ in range(4))
        names.add(f"{draw.choice(VERBS)}_{''.join(syllables)}")
    return sorted(names)
