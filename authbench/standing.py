"""The stack alone: kept up for `authbench up`, or just long enough for `authbench verify`."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psycopg

from apps.contract.registry import Strategy
from authbench.attacks.campaign import campaign
from authbench.attacks.findings import Finding
from authbench.backends.embedded import EmbeddedStack
from authbench.conformance.outages import refused_in_outage
from authbench.conformance.verification import Verified
from authbench.machine import Cores
from authbench.progress import Watcher
from authbench.runner import interruptible
from authbench.scenario import Data, SemanticsPlan
from authbench.semantics.findings import Semantics
from authbench.semantics.measurement import measure
from authbench.setting_up import open_sessions, tell, verify_stack

SHOWN_USERS = 20
VERIFY_SESSIONS = 60  # one user with the permission, one without, and a one-time token for each attack


@contextmanager
def stand(chosen: Sequence[Strategy], replicas: int, watcher: Watcher) -> Iterator[dict[str, Any]]:
    """The stack, up and seeded, while the block runs; the value says how to reach it (DESIGN.md: `authbench up`).

    SIGTERM and SIGHUP end the block as ^C does. Raises StackError where a part does not come up.
    """
    with interruptible(), _up(chosen, replicas, watcher) as stack:
        watcher.phase("starting replicas")
        stack.start_replicas()
        yield {
            "strategies": {s.name: {"url": stack.url(s.name), "replicas": stack.replica_urls(s.name)} for s in chosen},
            "database": stack.dsn(chosen[0].name),
            "databases": {s.name: stack.dsn(s.name) for s in chosen},
            "cache": stack.cache_url,
            "users": _users(stack, chosen[0]),
        }


def verify_strategies(
    chosen: Sequence[Strategy], replicas: int, watcher: Watcher, plan: SemanticsPlan | None = None
) -> tuple[list[Verified], list[Finding], list[Semantics]]:
    """Brings the stack up, runs every check, takes it down.

    With a plan, attacks every strategy that has passed and measures what it buys.
    """
    with interruptible(), _up(chosen, replicas, watcher) as stack:
        watcher.phase("minting credentials")
        minted = open_sessions(stack, chosen, VERIFY_SESSIONS, probands=plan is not None)
        # After minting: what lives in a replica's memory is taken there when it starts.
        watcher.phase("starting replicas")
        stack.start_replicas()
        watcher.phase("verifying every strategy on every replica")
        verified = verify_stack(stack, chosen, minted, watcher)
        if plan is None:
            return list(verified.values()), [], []
        passed = [each.strategy for each in verified.values() if each.passed]
        findings = campaign(stack, passed, minted, watcher)
        watcher.phase("a cache that does not answer")
        for name, said in refused_in_outage(stack, passed, minted).items():
            verified[name] = replace(verified[name], problems=said)
            tell(verified[name], watcher)
        return list(verified.values()), findings, measure(stack, passed, minted, plan, watcher)


@contextmanager
def _up(chosen: Sequence[Strategy], replicas: int, watcher: Watcher) -> Iterator[EmbeddedStack]:
    # Nothing is timed here, so nothing is pinned.
    everywhere = Cores(tuple(sorted(os.sched_getaffinity(0))), None)
    watcher.phase("starting PostgreSQL, Valkey and nginx")
    with EmbeddedStack(strategies=chosen, replicas=replicas, cores=everywhere.stack) as stack:
        watcher.phase("seeding users and orders")
        stack.seed(users=Data().users, orders=Data().orders)
        yield stack


def _users(stack: EmbeddedStack, strategy: Strategy) -> list[dict[str, Any]]:
    with psycopg.connect(stack.dsn(strategy.name), application_name="authbench:up") as connection:
        rows = connection.execute(
            "SELECT username, granted FROM shop_user ORDER BY id LIMIT %s", (SHOWN_USERS,)
        ).fetchall()
    return [
        {"username": username, "password": stack.user_password, "permissions": list(granted)}
        for username, granted in rows
    ]
