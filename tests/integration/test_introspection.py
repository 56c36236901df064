"""Opaque tokens without a balancer: one auth service, two replicas that always ask it and two that keep answers."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import psycopg
import pytest

from apps.contract.endpoints import PROBLEM_JSON
from tests.integration.shop_stack import PASSWORD, ROOT, ShopStack, free_port, running, shop_stack, until  # noqa: F401

pytestmark = pytest.mark.slow
ASKING, KEEPING = "opaque_introspection", "opaque_introspection_cached"
KEPT_S = 3  # longer than a few requests take, shorter than anybody's patience
GUNICORN = [sys.executable, "-m", "gunicorn", "-c", "apps/shop/gunicorn.conf.py", "apps.shop.wsgi", "--bind"]
LARGEST_BODY = 16 * 1024


@dataclass(frozen=True, slots=True)
class Stack:
    """One database, and those who use it."""

    shop: ShopStack
    port: int  # of the service
    process: subprocess.Popen[bytes] | None = None
    asking: Sequence[str] = ()
    keeping: Sequence[str] = ()

    @property
    def service(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def secret(self) -> str:
        """What its callers know."""
        return self.shop.environment(ASKING)["AUTHBENCH_SERVICE_SECRET"]

    def calls(self) -> int:
        """How many it has answered."""
        return int(httpx.get(f"{self.service}/calls").json()["calls"])

    def introspect(self, body: bytes, content_type: str = "application/x-www-form-urlencoded") -> httpx.Response:
        """Its answer to a caller that knows the secret."""
        headers = bearer(self.secret) | {"Content-Type": content_type}
        return httpx.post(f"{self.service}/introspect", content=body, headers=headers)

    @contextmanager
    def serving(self) -> Iterator[subprocess.Popen[bytes]]:
        """The service's process, which has no service to ask: its address is its own."""
        more = {"AUTHBENCH_URLCONF": "apps.services.introspection", "AUTHBENCH_AUTH_URL": self.service}
        environment = self.shop.environment(ASKING, **more)
        with (
            (self.shop.folder / "service.log").open("ab") as log,
            running([*GUNICORN, f"127.0.0.1:{self.port}"], env=environment, cwd=ROOT, stderr=log) as process,
        ):
            until(lambda: listens(self.port) and httpx.get(f"{self.service}/healthz").status_code == 200, "the service")
            yield process


@pytest.fixture(scope="module")
def stack(shop_stack: ShopStack) -> Iterator[Stack]:  # noqa: F811
    shop_stack.create_database(ASKING)
    shop_stack.manage(ASKING, "migrate", "--verbosity", "0")
    made = Stack(shop_stack, free_port())
    told = {"AUTHBENCH_AUTH_URL": made.service, "AUTHBENCH_INTROSPECTION_CACHE_S": str(KEPT_S)}
    with made.serving() as process, ExitStack() as up:
        replicas = [
            up.enter_context(shop_stack.replica(module, ASKING, f"r{number}", **told))
            for module in (ASKING, KEEPING)
            for number in (1, 2)
        ]
        yield replace(made, process=process, asking=replicas[:2], keeping=replicas[2:])


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


def enter(url: str, user: int) -> str:
    told = {"username": f"user{user:05}", "password": PASSWORD}
    return str(httpx.post(f"{url}/api/login", json=told, timeout=30).raise_for_status().json()["access_token"])


def who(url: str, text: str) -> int:
    return httpx.get(f"{url}/api/whoami", headers=bearer(text), timeout=30).status_code


def test_an_ended_login_is_refused_at_once_or_when_kept_answers_are_too_old(stack: Stack) -> None:
    one, other = stack.asking
    held = enter(one, 1)
    assert [who(url, held) for url in (one, other)] == [200, 200]
    assert httpx.post(f"{one}/api/logout", headers=bearer(held)).status_code == 200
    assert [who(url, held) for url in (one, other)] == [401, 401]

    one, other = stack.keeping
    ended, banned, lively = enter(one, 1), enter(one, 2), enter(one, 3)
    assert {who(url, text) for url in (one, other) for text in (ended, banned, lively)} == {200}
    kept = time.monotonic()
    assert httpx.post(f"{one}/api/logout", headers=bearer(ended)).status_code == 200
    with psycopg.connect(stack.shop.environment(ASKING)["AUTHBENCH_DATABASE_URL"]) as connection:
        connection.execute("UPDATE shop_user SET is_active = false WHERE username = 'user00002'")
    assert who(one, ended) == 401  # this process has dropped its answer
    seen = [who(other, ended), who(other, banned)]
    put = httpx.put(f"{other}/api/preferences", json={"theme": "dark"}, headers=bearer(ended))
    assert [*seen, put.status_code] == [200, 200, 200] or time.monotonic() > kept + KEPT_S
    assert httpx.post(f"{other}/api/refresh", headers=bearer(banned)).status_code == 401  # never by a kept answer
    until(lambda: (who(other, ended), who(one, banned), who(other, banned)) == (401, 401, 401), "the end")
    assert who(other, lively) == 200


def test_what_cannot_be_a_token_costs_no_call_and_a_good_one_is_asked_about_once(stack: Stack) -> None:
    url = stack.asking[0]
    held = enter(url, 4)
    before = stack.calls()
    for text in ("x", "a" * 42, "a" * 44, "a" * 8000, "%00" * 20, "ü" * 43, "a" * 42 + "=", "token=" + held):
        raw = [(b"Authorization", f"Bearer {text}".encode("latin-1"))]
        assert httpx.get(f"{url}/api/whoami", headers=raw).status_code == 401, text[:50]
    assert httpx.get(f"{url}/api/whoami?access_token={held}").status_code == 401
    assert stack.calls() == before
    assert [who(url, held), stack.calls() - before] == [200, 1]
    assert [who(url, "a" * 43), stack.calls() - before] == [401, 2]


def test_the_service_takes_a_small_form_with_a_token_and_nothing_else(stack: Stack) -> None:
    held = enter(stack.asking[0], 5)
    good = stack.introspect(f"token={held}&token_type_hint=access_token".encode())
    assert (good.status_code, good.headers["Cache-Control"], good.json()["sub"]) == (200, "no-store", "5")
    for body in (b"token=%00", b"token=%FF", b"token=", f"token={held}%00".encode(), b"token=" + b"a" * 9000):
        answer = stack.introspect(body)
        assert (answer.status_code, answer.content) == (200, b'{"active":false}'), body[:50]
    parts = b'--b\r\nContent-Disposition: form-data; name="t"\r\n\r\n'
    for status, body, content_type in (
        (400, b"", "application/x-www-form-urlencoded"),
        (400, b"\0\xff", "application/x-www-form-urlencoded"),
        (400, b'{"token":"x"}', "application/json"),
        (400, b"token=x", "application/x-www-form-urlencoded; charset=utf-16"),
        (400, b"&".join([b"a="] * 2000), "application/x-www-form-urlencoded"),
        (400, parts, "multipart/form-data"),
        (400, parts, "multipart/form-data; boundary=b"),
        (413, b"token=" + b"a" * LARGEST_BODY, "application/x-www-form-urlencoded"),
        (413, parts + b"a" * LARGEST_BODY + b"\r\n--b--\r\n", "multipart/form-data; boundary=b"),
    ):
        answer = stack.introspect(body, content_type)
        assert (answer.status_code, answer.headers["Content-Type"]) == (status, PROBLEM_JSON), (body[:50], content_type)


def test_the_service_tells_nobody_who_does_not_know_its_secret(stack: Stack) -> None:
    held = enter(stack.asking[0], 6)
    secret = stack.secret.encode()
    wrong = (b"Bearer " + secret[:-1], b"Bearer " + secret + b"x", b"Basic " + secret, b"Bearer \xff", secret, b"")
    for sent in wrong:
        headers = [(b"Authorization", sent), (b"Content-Type", b"application/x-www-form-urlencoded")]
        answer = httpx.post(f"{stack.service}/introspect", content=f"token={held}", headers=headers)
        assert (answer.status_code, held in answer.text) == (401, False), sent
    assert httpx.get(f"{stack.service}/introspect?token={held}", headers=bearer(stack.secret)).status_code == 405
    assert httpx.get(f"{stack.service}/api/whoami", headers=bearer(held)).status_code == 404


def test_a_renewed_token_is_good_everywhere_and_its_predecessor_nowhere_that_asks(stack: Stack) -> None:
    for one, other in (stack.asking, stack.keeping):
        held = enter(one, 7)
        renewed = httpx.post(f"{other}/api/refresh", headers=bearer(held))
        assert (renewed.status_code, httpx.post(f"{other}/api/refresh", headers=bearer(held)).status_code) == (200, 401)
        assert [who(url, renewed.json()["access_token"]) for url in (one, other)] == [200, 200]
        assert who(other, held) == 401


def test_a_replica_says_whether_its_service_is_ready_and_the_service_does_not_ask_itself(stack: Stack) -> None:
    before = stack.calls()
    for url in (*stack.asking, *stack.keeping):
        assert httpx.get(f"{url}/healthz").json()["service"] == "ok"
    assert httpx.get(f"{stack.service}/healthz").json() == {"database": "ok"}
    assert stack.calls() == before


@pytest.mark.parametrize("value", ["short", "with a blank in it, and longer than thirty-two bytes", "é" * 40])
def test_a_secret_that_cannot_be_sent_stops_the_start_and_is_not_shown(stack: Stack, value: str) -> None:
    more = {"AUTHBENCH_AUTH_URL": stack.service, "AUTHBENCH_SERVICE_SECRET": value}
    started = subprocess.run(
        [*GUNICORN, f"127.0.0.1:{free_port()}"],
        env=stack.shop.environment(ASKING, **more),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert started.returncode == 3
    assert "AUTHBENCH_SERVICE_SECRET" in started.stderr
    assert value not in started.stderr


# Last: it ends the service of this stack.


def test_a_service_that_hangs_or_is_gone_is_an_outage_for_as_long_as_that_lasts(stack: Stack) -> None:
    url, kept = stack.asking[0], stack.keeping[0]
    held, known = enter(url, 8), enter(kept, 8)
    assert stack.process is not None
    # gunicorn's worker: its socket goes on accepting connections.
    children = Path(f"/proc/{stack.process.pid}/task/{stack.process.pid}/children").read_text(encoding="ascii")
    (worker,) = map(int, children.split())
    for _ in range(8):
        who(url, held)  # every thread has a connection to it by now
    os.kill(worker, signal.SIGSTOP)
    try:
        assert who(kept, known) == 200  # by the kept answer
        assert_outage(url, held)
        health = httpx.get(f"{url}/healthz")
        assert (health.status_code, health.json()) == (503, {"database": "ok", "service": "down"})
    finally:
        os.kill(worker, signal.SIGCONT)
    until(lambda: who(url, held) == 200, "the service")
    stack.process.terminate()
    stack.process.wait(30)
    assert_outage(url, held)
    assert httpx.get(f"{url}/api/public").status_code == 200
    with stack.serving():
        assert {who(url, held) for _ in range(8)} == {200}
    logs = {path.name: path.read_text(encoding="utf-8") for path in stack.shop.folder.glob("*.log")}
    assert len(logs) == 5
    assert not [name for name, text in logs.items() if stack.secret in text or held in text]
    assert "Service Unavailable: /api/whoami (StoreOutage)" in logs[f"{ASKING}-r1.log"]
    assert "Traceback" not in logs[f"{ASKING}-r1.log"]


def assert_outage(url: str, text: str) -> None:
    answer = httpx.get(f"{url}/api/whoami", headers=bearer(text), timeout=30)
    assert (answer.status_code, answer.headers["Content-Type"]) == (503, PROBLEM_JSON)
    assert (answer.headers["Retry-After"], "WWW-Authenticate" in answer.headers) == ("1", False)
