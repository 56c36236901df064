"""Asking a central service: what counts as an answer, what as an outage, and how long an answer is kept."""

import socket
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from subprocess import run

import pytest

GOOD = '{"active":true,"sub":"7","username":"user00007","permissions":[],"auth_time":1,"iat":1,"exp":9999999999}'


@contextmanager
def service(status: int, body: str, *, keep: bool = True) -> Iterator[tuple[str, list[str]]]:
    """A scripted service; its address, and what it was sent."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
            seen.append(f"{self.path} {self.headers['Authorization']} {sent}")
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())
            self.close_connection = not keep  # without saying so: the client finds its kept connection closed

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        server.server_close()


def in_shop(code: str) -> str:
    """What the code prints, with the settings of the strategy: they can be chosen once a process."""
    environment = {
        "DJANGO_SETTINGS_MODULE": "apps.strategies.opaque_introspection",
        "AUTHBENCH_SECRET_KEY": "x" * 50,
        "AUTHBENCH_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "AUTHBENCH_AUTH_URL": "in-process:",
        "AUTHBENCH_SERVICE_SECRET": "x" * 43,
    }
    head = """
        import django; django.setup()
        from apps.shop.problems import StoreOutage
        from apps.strategies import _introspection_client as c
        from apps.strategies._introspection_client import IntrospectionClient
        def ask(client, token="a" * 43):
            try:
                return client.introspect(token)
            except StoreOutage as outage:
                return f"outage: {outage}"
    """
    done = run(
        [sys.executable, "-c", textwrap.dedent(head) + textwrap.dedent(code)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_good_answer_names_the_caller_and_the_connection_is_kept() -> None:
    with service(200, GOOD) as (url, seen):
        told = in_shop(f"k = IntrospectionClient({url!r}, 's'); print(c.caller_of(ask(k)), ask(k)['exp'])")
    assert told == "Caller(id=7, username='user00007', permissions=()) 9999999999\n"
    assert seen == [f"/introspect Bearer s token={'a' * 43}"] * 2


def test_a_kept_connection_that_was_closed_meanwhile_is_no_outage() -> None:
    with service(200, GOOD, keep=False) as (url, seen):
        told = in_shop(f"k = IntrospectionClient({url!r}, 's'); print([ask(k)['sub'] for _ in range(3)])")
    assert told == "['7', '7', '7']\n"
    assert len(seen) == 3


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (200, '{"active":false}', "None"),
        (200, "not json", "outage: the auth service answered what is no introspection response"),
        (200, "[]", "outage: the auth service answered what is no introspection response"),
        (200, GOOD.replace('"7"', "7"), "outage: the auth service answered what is no introspection response"),
        (200, GOOD.replace("9999999999", '"soon"'), "outage: the auth service answered what is no introspection"),
        (401, "", "outage: the auth service answered 401"),
        (500, "", "outage: the auth service answered 500"),
    ],
)
def test_what_is_no_clear_answer_is_an_outage_and_never_a_refusal(status: int, body: str, told: str) -> None:
    with service(status, body) as (url, _):
        assert in_shop(f"print(ask(IntrospectionClient({url!r}, 's')))").startswith(told)


def test_a_service_that_hangs_or_is_gone_is_an_outage_in_bounded_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        code = f"c.READ_S = 0.2; print(ask(IntrospectionClient('http://127.0.0.1:{port}', 's')))"
        assert in_shop(code) == "outage: the auth service does not answer (TimeoutError)\n"
    gone = f"print(ask(IntrospectionClient('http://127.0.0.1:{port}', 's')))"
    assert in_shop(gone) == "outage: the auth service does not answer (ConnectionRefusedError)\n"


def test_an_answer_is_kept_from_when_it_was_asked_for_however_late_it_came() -> None:
    told = in_shop("""
        from django.conf import settings
        from django.http import HttpRequest
        from apps.contract.endpoints import Caller
        from apps.strategies import _introspection
        from apps.strategies._opaque import Login
        settings.INTROSPECTION_CACHE_S, settings.INTROSPECTION_CACHE_SIZE = 10, 2
        clock, asked = [100.0], []
        _introspection.monotonic = lambda: clock[0]
        class Slow(_introspection.IntrospectedCached):
            def _ask(self, token, digest):
                asked.append(clock[0])
                clock[0] += 4
                return Login(digest, Caller(1, "u", ()), 0, 0, 9999999999)
        slow, request = Slow(), HttpRequest()
        request.META["HTTP_AUTHORIZATION"] = "Bearer " + "a" * 43
        for at in (100.0, 109.9, 110.0, 113.0):
            clock[0] = at
            slow.recognise(request)
        request.path = "/api/logout"
        slow.recognise(request)
        print(asked)
    """)
    assert told == "[100.0, 110.0, 113.0]\n"


def test_answers_are_kept_for_their_time_never_beyond_the_token_and_the_oldest_gives_way() -> None:
    told = in_shop("""
        from apps.contract.endpoints import Caller
        from apps.strategies._kept_answers import KeptAnswers
        from apps.strategies._opaque import Login
        def login(name, expires=1000):
            return Login(name, Caller(1, "u", ()), 0, 0, expires)
        kept = KeptAnswers(10.0, 2)
        kept.put(login(b"a"), 100.0)
        print([kept.get(b"a", at, 0) is not None for at in (100.0, 109.9, 110.0)])
        kept.put(login(b"a", expires=50), 100.0)
        print([kept.get(b"a", 100.0, now) is not None for now in (49, 50)])
        kept.put(login(b"b"), 101.0); kept.put(login(b"c"), 102.0)
        print([kept.get(name, 103.0, 0) is not None for name in (b"a", b"b", b"c")], len(kept))
        kept.drop(b"c"); kept.drop(b"never")
        print(kept.get(b"c", 103.0, 0), len(KeptAnswers(0.0, 2)))
    """)
    assert told.splitlines() == ["[True, True, False]", "[True, False]", "[False, True, True] 2", "None 0"]
