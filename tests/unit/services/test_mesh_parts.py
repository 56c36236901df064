"""What processes of the mesh are told, what they count, what an exchange gives, and how they ask each other."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core.exceptions import ImproperlyConfigured

from apps.contract.endpoints import Caller
from apps.services.mesh._calls import Connections, Question
from apps.services.mesh._granted import LIFETIME_S, ends, narrowed
from apps.services.mesh._meter import header_bytes
from apps.services.mesh._told import place, public_key
from apps.shop.problems import StoreOutage


def test_an_exchanged_token_has_the_permissions_asked_for_and_ends_soon() -> None:
    caller = Caller(7, "user", ("a", "b"))
    assert narrowed(caller, "") == Caller(7, "user", ())
    assert narrowed(caller, "b c") == Caller(7, "user", ("b",))
    assert ends(1_000, 10_000) == 1_000 + LIFETIME_S
    assert ends(1_000, 1_010) == 1_010  # never after the token that it was given for


def test_bytes_of_header_lines_are_those_on_the_wire() -> None:
    lines = b"Host: a:1\r\nAuthorization: Bearer x\r\nContent-Type: a/b\r\nContent-Length: 12\r\n"
    meta = {
        "HTTP_HOST": "a:1",
        "HTTP_AUTHORIZATION": "Bearer x",
        "CONTENT_TYPE": "a/b",
        "CONTENT_LENGTH": "12",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http",
    }
    assert header_bytes(meta) == len(lines)
    assert header_bytes({"CONTENT_TYPE": "", "CONTENT_LENGTH": ""}) == 0


def test_a_place_names_the_services_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHBENCH_MESH_SERVICES", "127.0.0.1:10001,127.0.0.1:10002,127.0.0.1:10003")
    monkeypatch.setenv("AUTHBENCH_MESH_NUMBER", "2")
    assert (place().number, place().below, place().address(3)) == (2, 1, "127.0.0.1:10003")
    monkeypatch.setenv("AUTHBENCH_MESH_NUMBER", "4")
    with pytest.raises(ImproperlyConfigured, match="is 4, but there are 3 services"):
        place()
    monkeypatch.setenv("AUTHBENCH_MESH_SERVICES", "http://evil.example:80")
    with pytest.raises(ImproperlyConfigured, match="no list of"):
        place()


def test_only_a_public_key_of_the_right_kind_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    def told(key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey) -> None:
        text = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        monkeypatch.setenv("SOME_KEY", text)

    right = ec.generate_private_key(ec.SECP256R1()).public_key()
    told(right)
    assert public_key("SOME_KEY").public_numbers() == right.public_numbers()
    for wrong in (ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)):
        told(wrong.public_key())
        with pytest.raises(ImproperlyConfigured, match="P-256"):
            public_key("SOME_KEY")
    monkeypatch.setenv("SOME_KEY", "secret text")
    with pytest.raises(ImproperlyConfigured, match="no public key") as raised:
        public_key("SOME_KEY")
    assert "secret text" not in str(raised.value)


@contextmanager
def service(*, keep: bool = True, silent: bool = False) -> Iterator[tuple[str, list[int]]]:
    """A scripted service; its address, and the client's port of each request."""
    seen: list[int] = []
    together = threading.Barrier(2, timeout=5)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            seen.append(self.client_address[1])
            if silent:
                self.close_connection = True
                return
            if self.path == "/together":
                together.wait()  # answered only when another has been asked meanwhile
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")
            self.close_connection = not keep  # without saying so: the client finds its kept connection closed

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        server.server_close()


def close(connections: Connections) -> None:
    for kept in connections._kept.values():
        for connection in kept:
            connection.close()


def test_requests_one_after_the_other_share_a_connection() -> None:
    connections = Connections()
    with service() as (address, seen):
        for _ in range(3):
            (answer,) = connections.ask([Question(address, "/", {})])
            assert (answer.status, answer.body) == (200, b"ok")
        close(connections)
    assert len(seen) == 3
    assert len(set(seen)) == 1


def test_several_are_asked_at_once_and_answered_in_order() -> None:
    connections = Connections()
    with service() as (address, seen):
        answers = connections.ask([Question(address, "/together", {}), Question(address, "/together", {})])
        close(connections)
    assert [each.status for each in answers] == [200, 200]
    assert len(set(seen)) == 2


def test_a_kept_connection_that_was_closed_meanwhile_is_replaced() -> None:
    connections = Connections()
    with service(keep=False) as (address, seen):
        for _ in range(2):
            (answer,) = connections.ask([Question(address, "/", {})])
            assert answer.status == 200
        close(connections)
    assert len(set(seen)) == 2


def test_no_answer_is_an_outage_never_a_refusal() -> None:
    connections = Connections()
    with service(silent=True) as (address, seen), pytest.raises(StoreOutage, match="RemoteDisconnected"):
        connections.ask([Question(address, "/", {})])
    assert len(seen) == 1  # a fresh connection is not tried twice
    with pytest.raises(StoreOutage, match="ConnectionRefusedError"):
        connections.ask([Question(address, "/", {})])
