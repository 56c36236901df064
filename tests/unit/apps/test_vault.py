"""What a replica makes of a vault's answers: a server of these tests says them, one after the other."""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from apps.shop import vault
from apps.shop.environment import optional, required
from apps.shop.vault import Client, Signing, VaultAwayError, VaultError, VaultRefusedError, opened

NAME = "AUTHBENCH_JWT_KEY"
HANDED = {"data": {"secret_id": "a-secret-id"}}
LOGIN = {"auth": {"client_token": "a-token", "lease_duration": 3 * 3600}}
GOOD: Mapping[str, tuple[int, Any]] = {
    "POST /v1/sys/wrapping/unwrap": (200, HANDED),
    "POST /v1/auth/approle/login": (200, LOGIN),
    "GET /v1/secret/data/x": (200, {"data": {"data": {NAME: "a-key", "AUTHBENCH_N": 7}}}),
    "POST /v1/auth/token/revoke-self": (204, None),
}


class Scripted(ThreadingHTTPServer):
    """Answers what it was told, and keeps what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.answers: dict[str, tuple[int, Any]] = dict(GOOD)
        self.asked: list[tuple[str, str, Any]] = []  # request, token, body
        self.connections = 0
        self.stalls = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Scripted

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        request = f"{self.command} {self.path}"
        self.server.asked.append((request, self.headers.get("X-Vault-Token", ""), body))
        if self.server.stalls.is_set():
            self.close_connection = True
            time.sleep(0.3)
            return
        status, content = self.server.answers.get(request, (403, {"errors": ["permission denied"]}))
        text = content if isinstance(content, bytes) else b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = answer  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripted]:
    made = Scripted()
    serving = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    monkeypatch.setenv("AUTHBENCH_VAULT_ADDR", made.url)
    monkeypatch.setenv("AUTHBENCH_VAULT_ROLE_ID", "a-role")
    monkeypatch.setenv("AUTHBENCH_VAULT_SECRETS", "secret/data/x")
    monkeypatch.setattr(vault, "_wrapped", lambda: "a-wrapping-token")
    opened.cache_clear()
    yield made
    opened.cache_clear()
    made.shutdown()
    serving.join()
    made.server_close()


def test_secrets_come_from_the_vault_once_and_the_token_goes_back(server: Scripted) -> None:
    assert (required(NAME), optional("AUTHBENCH_N"), optional("AUTHBENCH_NOTHING")) == ("a-key", "7", "")
    assert server.asked == [
        ("POST /v1/sys/wrapping/unwrap", "a-wrapping-token", {}),
        ("POST /v1/auth/approle/login", "", {"role_id": "a-role", "secret_id": "a-secret-id"}),
        ("GET /v1/secret/data/x", "a-token", None),
        ("POST /v1/auth/token/revoke-self", "a-token", {}),
    ]
    assert server.connections == 1
    assert opened().token == ""


def test_without_a_vault_nothing_is_asked(server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUTHBENCH_VAULT_ADDR")
    monkeypatch.setenv(NAME, "from the environment")
    assert required(NAME) == "from the environment"
    assert server.asked == []


def test_a_secret_in_both_places_stops_the_start(server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "left over")
    with pytest.raises(ImproperlyConfigured, match=f"{NAME} is in the environment, though the vault has it") as raised:
        required(NAME)
    assert "left over" not in str(raised.value)
    assert "a-key" not in str(raised.value)
    assert server.asked


@pytest.mark.parametrize(
    ("request_line", "answer", "says"),
    [
        ("POST /v1/sys/wrapping/unwrap", (400, {"errors": []}), "it was used or has expired"),
        ("POST /v1/sys/wrapping/unwrap", (503, {"errors": []}), "is sealed or has no leader (503)"),
        ("POST /v1/auth/approle/login", (400, {"errors": ["invalid secret id"]}), "refuses auth/approle/login (400)"),
        ("GET /v1/secret/data/x", (403, {"errors": []}), "refuses secret/data/x (403)"),
        ("GET /v1/secret/data/x", (404, {"errors": []}), "refuses secret/data/x (404)"),
        ("GET /v1/secret/data/x", (500, {"errors": []}), "cannot answer (500)"),
        ("GET /v1/secret/data/x", (307, None), "refuses secret/data/x (307)"),  # never followed
        ("GET /v1/secret/data/x", (200, b"<html>"), "does not answer (JSONDecodeError)"),
        ("GET /v1/secret/data/x", (200, b"[" * 100_000), "does not answer (RecursionError)"),
        ("GET /v1/secret/data/x", (200, b" " * (vault.LARGEST_ANSWER + 1)), "does not answer (ValueError)"),
        ("GET /v1/secret/data/x", (200, {"data": None}), "answers other than its API says"),
        ("POST /v1/auth/approle/login", (200, {"auth": {}}), "answers other than its API says"),
    ],
)
def test_each_refusal_is_one_line_that_says_what_and_where(
    server: Scripted, request_line: str, answer: tuple[int, Any], says: str
) -> None:
    server.answers[request_line] = answer
    with pytest.raises(ImproperlyConfigured) as raised:
        required(NAME)
    said = str(raised.value)
    assert said.startswith(f"OpenBao at {server.url} ")
    assert says in said
    assert "\n" not in said
    assert not [secret for secret in ("a-token", "a-secret-id", "a-wrapping-token") if secret in said]


def test_nothing_listens_there(server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHBENCH_VAULT_ADDR", "http://127.0.0.1:1")
    with pytest.raises(
        ImproperlyConfigured, match=r"OpenBao at http://127.0.0.1:1 does not answer \(ConnectionRefused"
    ):
        required(NAME)


@pytest.mark.parametrize("address", ["https://127.0.0.1:1", "127.0.0.1:8200", "http://", "http://a/b", "ftp://a"])
def test_an_address_has_one_form(server: Scripted, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("AUTHBENCH_VAULT_ADDR", address)
    with pytest.raises(ImproperlyConfigured, match="AUTHBENCH_VAULT_ADDR is not of the form http://host:port"):
        required(NAME)


@pytest.mark.parametrize("name", ["AUTHBENCH_VAULT_ROLE_ID", "AUTHBENCH_VAULT_SECRETS"])
def test_what_is_not_said_is_named(server: Scripted, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(ImproperlyConfigured, match=f"set {name}, since AUTHBENCH_VAULT_ADDR is set"):
        required(NAME)


def test_proxies_of_the_environment_are_not_used(server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert required(NAME) == "a-key"


def test_a_connection_that_the_server_closed_is_opened_once_more(server: Scripted) -> None:
    client = Client(server.url, 5)
    server.answers["GET /v1/a"] = (200, {"a": 1})
    assert client.ask("GET", "a", "t") == {"a": 1}
    client._kept.connection.sock.shutdown(2)  # as an idle one that has been closed at the other end
    assert client.ask("GET", "a", "t") == {"a": 1}
    client.close()
    assert server.connections == 2


@pytest.fixture
def signing(server: Scripted, monkeypatch: pytest.MonkeyPatch) -> Iterator[Signing]:
    monkeypatch.setenv("AUTHBENCH_VAULT_SIGNING_KEY", "transit/x")
    keys = {"1": {"public_key": "PEM 1"}, "2": {"public_key": "PEM 2"}}
    server.answers["GET /v1/transit/keys/x"] = (200, {"data": {"keys": keys, "latest_version": 2}})
    server.answers["POST /v1/transit/sign/x"] = (200, {"data": {"signature": "vault:v2:c2ln"}})
    made = Signing()
    yield made
    made._client.close()


def test_a_signature_is_one_call_with_the_kept_token(server: Scripted, signing: Signing) -> None:
    assert (signing.public_keys, signing.latest) == ({1: "PEM 1", 2: "PEM 2"}, 2)
    server.asked.clear()
    assert signing.sign(b"text", 2, {"hash_algorithm": "sha2-256"}) == "c2ln"
    body = {"input": "dGV4dA==", "key_version": 2, "hash_algorithm": "sha2-256"}
    assert server.asked == [("POST /v1/transit/sign/x", "a-token", body)]


def test_a_vault_that_stalls_is_asked_by_one_request_a_while_and_the_others_do_not_wait(
    server: Scripted, signing: Signing, monkeypatch: pytest.MonkeyPatch
) -> None:
    signing._client = Client(server.url, 0.1)
    monkeypatch.setattr(vault, "COOLDOWN_S", 60.0)
    server.stalls.set()
    server.asked.clear()
    with pytest.raises(VaultAwayError, match="does not answer"):
        signing.sign(b"text", 2, {})
    for _ in range(3):
        with pytest.raises(VaultAwayError, match="did not answer a moment ago"):
            signing.sign(b"text", 2, {})
    assert len(server.asked) == 1
    signing._away_until = 0.0
    server.stalls.clear()
    assert signing.sign(b"text", 2, {}) == "c2ln"


def test_a_refusal_does_not_count_as_away(server: Scripted, signing: Signing) -> None:
    server.answers["POST /v1/transit/sign/x"] = (403, {"errors": ["permission denied"]})
    for _ in range(2):
        with pytest.raises(VaultRefusedError):
            signing.sign(b"text", 2, {})


def test_a_key_that_signs_nothing_is_refused_at_the_start(server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHBENCH_VAULT_SIGNING_KEY", "transit/x")
    symmetric = {"data": {"keys": {"1": 1700000000}, "latest_version": 1}}  # as transit shows an AES key
    server.answers["GET /v1/transit/keys/x"] = (200, symmetric)
    with pytest.raises(VaultError, match="has no key for signatures at transit/x"):
        Signing()
