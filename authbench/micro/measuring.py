"""Launches of the micro-benchmarks: processes started afresh, in an order drawn anew, a file each."""

import importlib.util
import os
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from apps.contract.registry import Strategy
from authbench.backends.embedded import EmbeddedStack
from authbench.errors import StackError
from authbench.machine import Cores
from authbench.progress import Watcher
from authbench.stack.replicas import INHERITED, ROOT
from authbench.stack.service import Service
from authbench.stack.stack import Stack

FOLDER = "loadtests/micro"
TOKENS, LOGINS = ("test_tokens.py", "test_floor.py", "test_keys.py"), ("test_logins.py",)
# Of the packages that are weighed, as imported; `authbench micro` is an extra (pyproject.toml).
NEEDED = ("pytest", "pytest_benchmark", "joserfc", "authlib", "jose", "oxyjwt")
USERS, ORDERS = 100, 400
TOKENS_S, LOGIN_S = 25.0, 4.0  # of a launch, at the usual precision, on the machine that estimates were made on
# Locust's plugin takes --host and patches sockets; pytest's cache would be written into the source tree.
PYTEST = ("-m", "pytest", "-q", "-p", "no:locust", "-p", "no:pytest-locust", "-p", "no:cacheprovider", "-W", "ignore")


@dataclass(frozen=True, slots=True)
class MicroOrder:
    """What is measured, how often, and where it is written."""

    strategies: tuple[Strategy, ...]  # whose logins are recognised in process; none: tokens and floors only
    launches: int
    longest_s: float  # of one benchmark of a token
    rounds: int  # of one benchmark of a login
    seed: int
    folder: Path

    def estimated_seconds(self) -> float:
        """How long it takes."""
        return self.launches * (TOKENS_S * self.longest_s / 0.25 + LOGIN_S * len(self.strategies))


def why_not() -> str | None:
    """Why micro-benchmarks cannot run here; None where they can."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    return f"not installed: {', '.join(missing)}; install authbench[micro]" if missing else None


def measure(order: MicroOrder, cores: Cores, watcher: Watcher) -> Mapping[int, Sequence[Path]]:
    """Launch -> its files, written by pytest-benchmark, as `pytest-benchmark compare` reads them.

    Raises StackError where one fails.
    """
    draw = random.Random(order.seed)  # noqa: S311 - an experiment's order, not a secret
    written: dict[int, list[Path]] = {}
    core = {"AUTHBENCH_MICRO_CORE": str(cores.stack[0])} if cores.stack else {}
    with _ready(order, cores, watcher) as (stack, logins):
        for launch in range(1, order.launches + 1):
            services = [_tokens(stack, order), *logins]
            draw.shuffle(services)
            written[launch] = []
            for service in services:
                watcher.phase(f"launch {launch} of {order.launches}: {service.name}")
                told = {"PYTHONHASHSEED": str(draw.randrange(2**32)), "AUTHBENCH_MICRO_SEED": str(draw.random())}
                output = order.folder / f"launch-{launch:02}-{service.name}.json"
                stack.run(
                    replace(
                        service,
                        command=(*service.command, "--benchmark-json", str(output)),
                        environment={**service.environment, **told, **core},
                    )
                )
                if not output.is_file():
                    raise StackError(f"{service.name}: wrote no {output.name}")
                written[launch].append(output)
            watcher.measured(launch, order.launches)
    return written


class Runs(Protocol):
    """What commands are run on: a stack, with stores or without."""

    cores: tuple[int, ...]

    def log(self, name: str) -> Path:
        """Where a command of that name writes."""
        ...

    def run(self, command: Service) -> None:
        """Runs it to its end. Raises StackError where its exit code is not 0."""
        ...


@contextmanager
def _ready(order: MicroOrder, cores: Cores, watcher: Watcher) -> Iterator[tuple[Runs, list[Service]]]:
    """What runs the benchmarks, and a command a strategy; with strategies, on stores that are up and seeded."""
    if not order.strategies:
        with Stack(cores.stack) as bare:
            yield bare, []
        return
    watcher.phase("starting PostgreSQL and Valkey")
    with EmbeddedStack(strategies=order.strategies, replicas=1, cores=cores.stack) as stack:
        watcher.phase("seeding users and orders")
        stack.seed(users=USERS, orders=ORDERS)
        yield stack, [_login(stack, strategy, order.rounds) for strategy in order.strategies]


def _tokens(stack: Runs, order: MicroOrder) -> Service:
    bounds = ("--benchmark-max-time", str(order.longest_s), "--benchmark-min-rounds", "5", "--benchmark-disable-gc")
    return Service(
        name="tokens",
        tier="app",
        command=(sys.executable, *PYTEST, *(f"{FOLDER}/{name}" for name in TOKENS), *bounds),
        folder=ROOT,
        log=stack.log("tokens"),
        environment={name: os.environ[name] for name in INHERITED if name in os.environ},
        cores=stack.cores,
    )


def _login(stack: EmbeddedStack, strategy: Strategy, rounds: int) -> Service:
    """In the environment of the strategy's management commands, which ask its services in this same process."""
    told = stack.command(strategy.name, "operations")
    in_process = {"AUTHBENCH_AUTH_URL": "in-process:", "AUTHBENCH_EDGE": "in-process"}
    return replace(
        told,
        name=strategy.name,
        command=(sys.executable, *PYTEST, *(f"{FOLDER}/{name}" for name in LOGINS), "--benchmark-disable-gc"),
        environment={**told.environment, **in_process, "AUTHBENCH_MICRO_ROUNDS": str(rounds)},
    )
