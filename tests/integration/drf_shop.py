"""Two replicas of one of Django REST framework's strategies, for as long as a module's tests need them."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from apps.contract.credentials import load
from apps.contract.registry import Strategy, strategies
from authbench.conformance.visitor import Visitor
from tests.integration.drf_expected import SEMANTICS, Semantics
from tests.integration.shop_stack import ROOT, ShopStack

ANALYST = 10


@dataclass(frozen=True, slots=True)
class Shop:
    """Two replicas of one strategy, and what clients of the first ten users hold."""

    stack: ShopStack
    strategy: Strategy
    urls: tuple[str, str]
    http: httpx.Client
    minted: tuple[dict[str, object], ...]

    @property
    def module(self) -> str:
        return self.strategy.settings.rpartition(".")[2]

    @property
    def expected(self) -> Semantics:
        return SEMANTICS[self.strategy.name]

    def stranger(self) -> Visitor:
        return Visitor(self.http, self.urls[0], self.strategy)

    def client(self, user_id: int) -> Visitor:
        """A client with the user's minted credential."""
        return self.stranger().as_bearer_of(load(self.strategy.carrier, self.minted[user_id - 1]))

    def elsewhere(self, client: Visitor) -> Visitor:
        """The same credential at the other replica."""
        return Visitor(self.http, self.urls[1], self.strategy, client.credential)

    def told_by(self, program: str) -> dict[str, Any]:
        """What a program prints that runs as a replica does."""
        done = subprocess.run(
            [sys.executable, "-m", program],
            cwd=ROOT,
            env=self.stack.environment(self.module),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    def tell_database(self, statement: str) -> None:
        self.stack._client("psql", "-c", statement, self.module)


@pytest.fixture(name="shop", scope="module", params=SEMANTICS)
def drf_shop(request: pytest.FixtureRequest, shop_stack: ShopStack) -> Iterator[Shop]:
    strategy = strategies()[request.param]
    module = shop_stack.create_database(strategy.settings.rpartition(".")[2])
    if strategy.own_tables:
        shop_stack.manage(module, "migrate", "--verbosity", "0")
    out = shop_stack.folder / f"{module}.jsonl"
    shop_stack.manage(module, "mint", "--count", str(ANALYST), "--out", str(out))
    minted = tuple(json.loads(line)["credential"] for line in out.read_text(encoding="utf-8").splitlines())
    with ExitStack() as running:
        first, second = (running.enter_context(shop_stack.replica(module, module, name)) for name in ("r0", "r1"))
        # As the load balancer tells replicas that the client came by TLS.
        http = running.enter_context(httpx.Client(headers={"X-Forwarded-Proto": "https"}))
        yield Shop(shop_stack, strategy, (first, second), http, minted)
