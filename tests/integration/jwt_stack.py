"""Replicas of the strategies with PyJWT, the service that publishes keys, and a client's few moves."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import jwt

from apps.contract.credentials import Bearer
from apps.contract.endpoints import PROBLEM_JSON
from tests.integration.shop_stack import PASSWORD, SIGNING_KEYS, ShopStack, carried

CUSTOMER = "user00001"
NOWHERE = "http://127.0.0.1:1"


class JwtStack:
    """One replica of each strategy, and the service that publishes keys."""

    def __init__(self, shop: ShopStack, names: Sequence[str], exits: ExitStack) -> None:
        self.shop = shop
        self.keys = shop.folder / SIGNING_KEYS
        self.service = exits.enter_context(self.publisher("service")) if "jwt-jwks" in names else NOWHERE
        replicas = [self.replica(name) for name in names]
        with ThreadPoolExecutor() as pool:
            self.urls = dict(zip(names, pool.map(lambda replica: replica.__enter__(), replicas), strict=True))
        exits.callback(_stop, replicas)

    def replica(self, name: str, replica: str = "r0", **more: str) -> Any:
        module = name.replace("-", "_")
        if replica == "r0":
            self.shop.create_database(module)
            if name == "jwt-refresh":
                self.shop.manage(module, "migrate", "--verbosity", "0")
        told = {"AUTHBENCH_AUTH_URL": self.service} | more
        return self.shop.replica(module, module, replica, **told)

    def publisher(self, replica: str) -> Any:
        told = {"AUTHBENCH_URLCONF": "apps.services.jwks", "AUTHBENCH_AUTH_URL": NOWHERE}
        return self.shop.replica("jwt_jwks", "jwt_jwks", replica, **told)

    def sql(self, name: str, statement: str) -> None:
        self.shop._client("psql", "-v", "ON_ERROR_STOP=1", "-c", statement, name.replace("-", "_"))


def _stop(replicas: list[Any]) -> None:
    """All at once: each takes its time to end what it was doing."""
    with ThreadPoolExecutor(len(replicas)) as pool:
        list(pool.map(lambda replica: replica.__exit__(None, None, None), replicas))


@contextmanager
def jwt_stack_up(shop: ShopStack, names: Sequence[str]) -> Iterator[JwtStack]:
    """Replicas of these strategies."""
    with ExitStack() as exits:
        yield JwtStack(shop, names, exits)


def enter(url: str, username: str = CUSTOMER) -> httpx.Response:
    answer = httpx.post(f"{url}/api/login", json={"username": username, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return answer


def token_of(answer: httpx.Response) -> str:
    return answer.json().get("access_token") or answer.cookies["__Host-token"]


def following(answer: httpx.Response) -> str:
    """The next token of an answer."""
    token = Bearer().absorb(answer.headers.multi_items(), b"").access_token
    assert token, answer.headers
    return token


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def held(name: str, token: str) -> dict[str, str]:
    return carried({"cookies": {"__Host-token": token}}) if name == "jwt-cookie" else bearer(token)


def who(url: str, headers: dict[str, str], query: str = "") -> int:
    answer = httpx.get(f"{url}/api/whoami{query}", headers=headers)
    if answer.status_code != 200:
        assert answer.headers["Content-Type"] == PROBLEM_JSON
        assert ("WWW-Authenticate" in answer.headers) == (answer.status_code == 401)
    return answer.status_code


def claims_in(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def at_once(count: int, ask: Callable[[], httpx.Response]) -> list[httpx.Response]:
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda _: ask(), range(count)))
