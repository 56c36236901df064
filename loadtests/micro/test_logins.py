"""What recognising a login costs in process, without server and network, with the strategy's own stores.

Runs in the environment of one strategy's replica (`authbench micro` gives it one, with a seeded database): the shop's
code is loaded by name, as its servers load it, and the strategy is what the settings say.
"""

import os
from collections.abc import Callable
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest

if "AUTHBENCH_STRATEGY" not in os.environ:
    pytest.skip("no strategy: `authbench micro` runs these in a replica's environment", allow_module_level=True)
STRATEGY = os.environ["AUTHBENCH_STRATEGY"]
WARM_UP = 20
ROUNDS = int(os.environ.get("AUTHBENCH_MICRO_ROUNDS", "200"))


@pytest.fixture(scope="module")
def shop() -> SimpleNamespace:
    """Django, ready, and what of the shop is measured."""
    import_module("django").setup()
    operations = import_module("apps.shop.management.commands.operations")
    return SimpleNamespace(
        settings=import_module("django.conf").settings,
        user=operations.analyst(),
        repeatable=operations.repeatable,
        environ=import_module("apps.shop.observation").environ,
        credential=operations._credential,
        authenticator=import_module("apps.strategies._authenticator").authenticator(),
        string=import_module("django.utils.module_loading").import_string,
        request=import_module("django.core.handlers.wsgi").WSGIRequest,
    )


def measure(benchmark: Any, group: str, prepare: Callable[[], Callable[[], Any]]) -> Any:
    """`prepare` makes each round ready, outside of its time; every round has a credential or a session of its own."""
    benchmark.group = group
    benchmark.extra_info["subject"] = STRATEGY
    return benchmark.pedantic(
        lambda act: act(), setup=lambda: ((prepare(),), {}), rounds=ROUNDS, warmup_rounds=WARM_UP, iterations=1
    )


@pytest.mark.parametrize("endpoint", ["public", "whoami"])
def test_handle(benchmark: Any, shop: SimpleNamespace, endpoint: str) -> None:
    """The whole application: middleware, routing, authentication, view, answer."""
    reply = measure(benchmark, f"handle {endpoint}", shop.repeatable(endpoint, shop.user))
    assert reply.status == 200


def test_authenticate(benchmark: Any, shop: SimpleNamespace) -> None:
    """The strategy's authenticator alone, on a request that the middleware before it has prepared."""
    if STRATEGY == "none":
        pytest.skip("there is nobody to recognise")
    layers = [shop.string(name) for name in shop.settings.MIDDLEWARE if "contrib" in name]
    before = [layer for made in layers if (layer := getattr(made(lambda _: None), "process_request", None))]

    def prepare() -> Callable[[], Any]:
        request = shop.request(shop.environ("whoami", shop.credential(shop.user), None))
        for process in before:
            process(request)
        return lambda: shop.authenticator.authenticate(request)

    caller = measure(benchmark, "authenticate", prepare)
    assert caller.username == shop.user.username


@pytest.mark.parametrize("what", ["load", "save"])
def test_session(benchmark: Any, shop: SimpleNamespace, what: str) -> None:
    """Django's session of the strategy's engine, as it holds a login: read from its store, or written back there."""
    if not STRATEGY.startswith("session-") or STRATEGY.endswith("-claims") or STRATEGY == "session-page":
        pytest.skip("has no session engine of its own")
    store = import_module(shop.settings.SESSION_ENGINE).SessionStore

    def prepare() -> Callable[[], Any]:
        key = dict(shop.credential(shop.user).jar)[shop.settings.SESSION_COOKIE_NAME]
        if what == "load":
            return store(key).load
        session = store(key)
        session["preferences"] = {"theme": "dark"}
        return session.save

    loaded = measure(benchmark, f"session {what}", prepare)
    assert what == "save" or loaded["_auth_user_id"] == str(shop.user.pk)
