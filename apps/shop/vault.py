"""Secrets from OpenBao (or another server of HashiCorp Vault's API) in place of environment variables (docs/vault.md).

The environment names the server, the role and what to read: nothing of it is a secret. Standard input brings the one
thing that is, a response-wrapped secret_id that can be unwrapped once: read before anything forks, and never kept.
The standard library only, since the environments of other frameworks have no client of it.
"""

import base64
import http.client
import json
import os
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlsplit

ADDRESS = "AUTHBENCH_VAULT_ADDR"  # http://host:port
ROLE_ID = "AUTHBENCH_VAULT_ROLE_ID"  # of an AppRole
SECRETS = "AUTHBENCH_VAULT_SECRETS"  # path of the document in a KV engine, version 2: secret/data/NAME
SIGNING_KEY = (
    "AUTHBENCH_VAULT_SIGNING_KEY"  # path of a key in a transit engine: transit/NAME; empty: signs nothing there
)

START_PATIENCE_S = 5.0  # for each answer before the process serves
PATIENCE_S = 1.0  # for a connection and for each part of an answer while it serves
COOLDOWN_S = 1.0  # after a call without an answer, so that requests do not queue behind a server that is away
LARGEST_ANSWER = 256 * 1024  # bytes
LONGEST_WRAPPED = 1024  # bytes of standard input
AWAY = (OSError, http.client.HTTPException, ValueError, RecursionError)
# What a server does to a connection that was idle for long; the call has not been answered and is made once more.
CLOSED = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)


class VaultError(Exception):
    """It gives no secret, or signs nothing. The message says what and where, in one line, and holds no secret."""


class VaultAwayError(VaultError):
    """It does not answer, or is sealed: nothing is known about what was asked."""


class VaultRefusedError(VaultError):
    """It answered, and the answer is no."""


class Client:
    """Speaks to one server: a kept connection a thread, no proxy, no redirect, answers bounded in time and size."""

    def __init__(self, address: str, patience_s: float) -> None:
        """Raises VaultError where `address` is not of the form http://host:port."""
        parts = urlsplit(address)
        if parts.scheme != "http" or not parts.hostname or parts.path or parts.query:
            raise VaultError(f"{ADDRESS} is not of the form http://host:port")
        self.address = address
        self._host = parts.netloc
        self._patience_s = patience_s
        self._kept = threading.local()

    def ask(self, method: str, path: str, token: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The answer's document. Raises VaultAwayError or VaultRefusedError."""
        headers = {"X-Vault-Token": token, "X-Vault-Request": "true", "Content-Type": "application/json"}
        if not token:
            del headers["X-Vault-Token"]
        content = json.dumps(body).encode() if body is not None else None
        try:
            status, text = self._answer(method, f"/v1/{path}", content, headers)
            document = json.loads(text) if text else {}
        except AWAY as error:
            self.close()
            raise VaultAwayError(f"OpenBao at {self.address} does not answer ({type(error).__name__})") from None
        if status == 503:
            raise VaultAwayError(f"OpenBao at {self.address} is sealed or has no leader (503)")
        if status >= 500 or status == 429:
            raise VaultAwayError(f"OpenBao at {self.address} cannot answer ({status})")
        if status not in (200, 204) or not isinstance(document, dict):
            raise VaultRefusedError(f"OpenBao at {self.address} refuses {path} ({status})")
        return document

    def close(self) -> None:
        """Ends this thread's connection; the next call opens another."""
        connection = getattr(self._kept, "connection", None)
        self._kept.connection = None
        if connection is not None:
            connection.close()

    def _answer(self, method: str, path: str, content: bytes | None, headers: Mapping[str, str]) -> tuple[int, bytes]:
        used = getattr(self._kept, "connection", None)
        if used is not None:
            try:
                return self._exchange(used, method, path, content, headers)
            except CLOSED:
                self.close()
        self._kept.connection = http.client.HTTPConnection(self._host, timeout=self._patience_s)
        return self._exchange(self._kept.connection, method, path, content, headers)

    def _exchange(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        content: bytes | None,
        headers: Mapping[str, str],
    ) -> tuple[int, bytes]:
        deadline = time.monotonic() + self._patience_s
        connection.request(method, path, content, dict(headers))
        answer = connection.getresponse()
        text = b""
        while part := answer.read1(LARGEST_ANSWER):
            text += part
            if len(text) > LARGEST_ANSWER or time.monotonic() > deadline:
                raise ValueError("too large or too slow")
        answer.close()  # read to its end it leaves the connection to the next call; `read1` does not say so itself
        return answer.status, text


@dataclass(frozen=True, slots=True)
class Opened:
    """What the start brought: the secrets, and the token that goes on being good for a process that signs there."""

    secrets: Mapping[str, str] = field(repr=False)
    token: str = field(repr=False)  # empty: given back, since nothing more is asked
    period_s: float  # how long the token lives after each renewal


@cache
def opened() -> Opened:
    """Unwraps, logs in and reads, once a process and all that fork from it. Raises VaultError."""
    role, path = (_named(name) for name in (ROLE_ID, SECRETS))
    with closing(Client(os.environ[ADDRESS], START_PATIENCE_S)) as client:
        return _logged_in(client, role, path)


def _logged_in(client: Client, role: str, path: str) -> Opened:
    try:
        unwrapped = client.ask("POST", "sys/wrapping/unwrap", _wrapped(), {})
    except VaultRefusedError:
        raise VaultError(
            f"OpenBao at {client.address} does not unwrap the secret_id of standard input: it was used or has expired"
        ) from None
    try:
        secret_id = unwrapped["data"]["secret_id"]
        login = client.ask("POST", "auth/approle/login", "", {"role_id": role, "secret_id": secret_id})["auth"]
        token, period_s = login["client_token"], float(login["lease_duration"])
        found = client.ask("GET", path, token)["data"]["data"]
        signs = bool(os.environ.get(SIGNING_KEY))
        if not signs:
            client.ask("POST", "auth/token/revoke-self", token, {})
        return Opened({str(name): str(value) for name, value in found.items()}, token if signs else "", period_s)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise VaultError(f"OpenBao at {client.address} answers other than its API says") from None


def _named(name: str) -> str:
    if not (value := os.environ.get(name, "")):
        raise VaultError(f"set {name}, since {ADDRESS} is set")
    return value


def _wrapped() -> str:
    """The wrapping token, from standard input to its end."""
    try:
        with os.fdopen(os.dup(0), "rb") as given:
            text = given.read(LONGEST_WRAPPED).decode("ascii").strip()
    except (OSError, UnicodeDecodeError):
        text = ""
    if not text.isprintable() or not text or " " in text:
        raise VaultError(f"standard input brings no wrapped secret_id, which {ADDRESS} asks for")
    return text


class Signing:
    """One transit key: its public halves as they were at the start, and signatures made where the private ones are.

    Raises VaultError where it cannot be read. Every method may be called by several threads.
    """

    def __init__(self) -> None:
        self._engine, _, self._name = _named(SIGNING_KEY).partition("/")
        held = opened()
        self._token, self._period_s = held.token, held.period_s
        address = os.environ[ADDRESS]
        self._client = Client(address, PATIENCE_S)
        self._away_until = 0.0
        with closing(Client(address, START_PATIENCE_S)) as client:
            key = client.ask("GET", f"{self._engine}/keys/{self._name}", self._token)
        try:
            self.public_keys = {int(version): str(each["public_key"]) for version, each in key["data"]["keys"].items()}
            self.latest = int(key["data"]["latest_version"])
        except (KeyError, TypeError, ValueError, AttributeError):
            raise VaultError(f"OpenBao at {address} has no key for signatures at {self._engine}/{self._name}") from None
        threading.Thread(target=self._renew, name="vault-renewal", daemon=True).start()

    def sign(self, message: bytes, version: int, parameters: Mapping[str, str]) -> str:
        """The signature as transit writes it, base64 of some kind. Raises VaultError, after a bounded time.

        While the server is away one call a second finds that out; the others are told at once.
        """
        if time.monotonic() < self._away_until:
            raise VaultAwayError(f"OpenBao at {self._client.address} did not answer a moment ago")
        body = {"input": base64.b64encode(message).decode(), "key_version": version, **parameters}
        try:
            answer = self._client.ask("POST", f"{self._engine}/sign/{self._name}", self._token, body)
        except VaultAwayError:
            self._away_until = time.monotonic() + COOLDOWN_S
            raise
        return str(answer["data"]["signature"]).rpartition(":")[2]

    def _renew(self) -> None:
        """Keeps the token alive; a failure is tried again sooner, since the token outlives a short outage."""
        pause, told = self._period_s / 3, False
        renewal = Client(self._client.address, START_PATIENCE_S)
        while True:
            time.sleep(pause)
            try:
                renewal.ask("POST", "auth/token/renew-self", self._token, {})
                pause, told = self._period_s / 3, False
            except VaultRefusedError as error:
                sys.stderr.write(f"shop: {error}: nothing more is signed until this replica is started anew\n")
                return
            except VaultAwayError as error:
                if not told:
                    sys.stderr.write(f"shop: its token is not renewed: {error}\n")
                pause, told = min(self._period_s / 3, COOLDOWN_S), True
