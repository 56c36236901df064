"""Logins that another part of the stack decides about, on the real one: auth service and load balancer, up and down."""

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import jwt
import psycopg
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from apps.contract.endpoints import ENDPOINTS, PROBLEM_JSON
from apps.contract.registry import strategies
from apps.contract.tokens import ISSUER, TOKEN_TYPE, audience_of
from authbench.backends.embedded import EmbeddedStack
from authbench.probes.auth import AuthProbe

pytestmark = pytest.mark.slow
NAMES = ("jwt-rs256", "edge-jwt", "edge-subrequest", "opaque-introspection", "opaque-introspection-cached")
OPAQUE = NAMES[2:]
PATIENCE_S = 15.0
BODIES: dict[str, Any] = {"orders-create": {"item": "x", "quantity": 1}, "preferences": {"theme": "dark"}}
GUARDED = [endpoint for endpoint in ENDPOINTS.values() if endpoint.authenticated]


@pytest.fixture(scope="module")
def stack() -> Iterator[EmbeddedStack]:
    with EmbeddedStack(strategies=[strategies()[name] for name in NAMES], replicas=2) as made:
        made.seed(users=60, orders=600)
        made.start_replicas()
        yield made


@pytest.fixture(scope="module")
def minted(stack: EmbeddedStack) -> dict[str, list[dict[str, Any]]]:
    paths = stack.mint_all([strategies()[name] for name in NAMES], 40)
    return {name: [json.loads(line) for line in path.read_text().splitlines()] for name, path in paths.items()}


def token(minted: dict[str, list[dict[str, Any]]], name: str, user: int) -> str:
    return str(minted[name][user - 1]["credential"]["access_token"])


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


def whoami(url: str, text: str, **headers: str) -> httpx.Response:
    return httpx.get(f"{url}/api/whoami", headers={**bearer(text), **headers})


def until(question: Any) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not question():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def assert_same_refusal(answer: httpx.Response, usual: httpx.Response) -> None:
    """To the byte, and with the same headers, whoever has answered."""
    assert (answer.status_code, answer.content) == (usual.status_code, usual.content) == (401, answer.content)
    ignored = {"date", "server", "connection", "keep-alive", "x-replica"}
    mine, theirs = ({k: v for k, v in each.headers.items() if k not in ignored} for each in (answer, usual))
    assert mine == theirs
    assert answer.headers["Content-Type"] == PROBLEM_JSON


# Who is trusted


@pytest.mark.parametrize("name", ["edge-jwt", "edge-subrequest"])
@pytest.mark.parametrize("endpoint", GUARDED, ids=lambda endpoint: endpoint.name)
def test_a_client_that_sends_the_trusted_headers_itself_gets_nowhere(
    stack: EmbeddedStack, minted: dict[str, list[dict[str, Any]]], name: str, endpoint: Any
) -> None:
    good = token(minted, name, 3)
    forged = {"X-Edge-Secret": "guessed", "X-Edge-Caller": "WzEsICJ1c2VyMDAwMDEiLCBbXSwgMSwgMSwgOTk5OTk5OTk5OTld"}
    ask = {"json": BODIES.get(endpoint.name)} if endpoint.name in BODIES else {}
    for url, headers in (
        (stack.url(name), forged),  # the balancer sets its own
        (stack.replica_urls(name)[0], {}),
        (stack.replica_urls(name)[0], forged),
        (stack.replica_urls(name)[0], {**forged, **bearer(good)}),  # a good token, but nobody has looked at it
    ):
        answer = httpx.request(endpoint.method, f"{url}{endpoint.path}", headers=headers, **ask)
        assert answer.status_code == 401, url


def test_a_client_cannot_name_another_caller_beside_a_good_token(
    stack: EmbeddedStack, minted: dict[str, list[dict[str, Any]]]
) -> None:
    for name in ("edge-jwt", "edge-subrequest"):
        answer = whoami(stack.url(name), token(minted, name, 3), **{"X-Edge-Caller": "WzEsICJyb290Iiwg"})
        assert answer.json()["username"] == "user00003"


def test_the_balancer_s_secret_is_in_no_file_that_others_can_read(stack: EmbeddedStack) -> None:
    secret = stack._keys.edge
    assert secret in stack.nginx.configuration_file.read_text()
    for path in Path(stack.nginx.folder.parent).rglob("*"):
        if path.is_file() and path.stat().st_mode & 0o077:
            try:
                assert secret.encode() not in path.read_bytes(), path
            except OSError:
                continue


@pytest.mark.parametrize("name", ["edge-jwt", "edge-subrequest"])
def test_the_balancer_refuses_as_a_replica_does(stack: EmbeddedStack, name: str) -> None:
    for headers in ({}, bearer("no.such.token")):
        usual = httpx.get(f"{stack.url('jwt-rs256')}/api/whoami", headers=headers)
        refused = httpx.get(f"{stack.url(name)}/api/whoami", headers=headers)
        assert_same_refusal(refused, usual)
        assert refused.headers["X-Replica"] == "edge"


def test_answers_are_the_same_bytes_as_without_an_edge(
    stack: EmbeddedStack, minted: dict[str, list[dict[str, Any]]]
) -> None:
    for path in ("/api/whoami", "/api/orders", "/api/public", "/api/reports/sales"):
        told = {
            (answer.status_code, answer.content, answer.headers.get("WWW-Authenticate"))
            for name in NAMES
            for answer in [httpx.get(f"{stack.url(name)}{path}", headers=bearer(token(minted, name, 10)))]
        }
        assert len(told) == 1, path


# What the balancer does not verify, the replica does


def test_forged_tokens_are_refused_at_the_edge_or_behind_it(stack: EmbeddedStack) -> None:
    key = serialization.load_pem_private_key(stack._keys.rsa.encode(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    now = int(time.time())
    good = {
        **{"iss": ISSUER, "aud": audience_of("edge-jwt"), "sub": "1", "username": "user00001", "permissions": []},
        **{"exp": now + 600, "nbf": now - 5, "iat": now - 5, "auth_time": now - 5, "jti": "abcdefghijklmnopqrstuv"},
    }

    def made(claims: dict[str, Any] | None = None, signer: Any = key, algorithm: str = "RS256", **header: Any) -> str:
        told = {key_: value for key_, value in {**good, **(claims or {})}.items() if value is not None}
        return jwt.encode(told, signer, algorithm, headers={"typ": TOKEN_TYPE, **header})

    def hmac_with_the_public_key() -> str:
        """By hand: PyJWT refuses to take a public key for a secret (RFC 8725, section 2.1)."""
        head = jwt.utils.base64url_encode(json.dumps({"alg": "HS256", "typ": TOKEN_TYPE}).encode()).decode()
        signed = f"{head}.{made().split('.')[1]}"
        return f"{signed}.{jwt.utils.base64url_encode(hmac.digest(public, signed.encode(), 'sha256')).decode()}"

    url = stack.url("edge-jwt")
    assert whoami(url, made()).status_code == 200
    forged = {
        "another key": made(signer=rsa.generate_private_key(65537, 2048)),
        "another key that it names": made(signer=rsa.generate_private_key(65537, 2048), kid="another"),
        "the public key as a secret": hmac_with_the_public_key(),
        "no signature": made().rpartition(".")[0] + ".",
        "padding": made() + "=",
        "alg none": jwt.encode(good, None, "none", headers={"typ": TOKEN_TYPE}),
        "another algorithm": made(algorithm="RS512"),
        "another type": made(typ="JWT"),
        "another audience": made({"aud": audience_of("jwt-rs256")}),
        "an audience among others": made({"aud": [audience_of("edge-jwt"), "x"]}),
        "another issuer": made({"iss": f"{ISSUER}2"}),
        "expired": made({"exp": now - 2}),
        "not yet valid": made({"nbf": now + 300}),
        "issued in the future": made({"iat": now + 300}),
        "a critical extension": made(crit=["x"], x=1),
        **{f"no {claim}": made({claim: None}) for claim in good},
        "a number for a name": made({"username": 1}),
        "an identity that is none": made({"sub": "0"}),
        "permissions that are none": made({"permissions": "view_reports"}),
    }
    answers = {what: whoami(url, text) for what, text in forged.items()}
    assert {what: answer.status_code for what, answer in answers.items()} == dict.fromkeys(forged, 401)
    usual = whoami(stack.url("jwt-rs256"), "no.such.token")
    for answer in answers.values():
        assert_same_refusal(answer, usual)
    by = {what: answer.headers["X-Replica"] for what, answer in answers.items()}
    assert (by["another key"], by["a critical extension"][:-1]) == ("edge", "edge-jwt-")  # both halves refuse


def test_a_token_of_another_strategy_under_the_same_key_is_refused(
    stack: EmbeddedStack, minted: dict[str, list[dict[str, Any]]]
) -> None:
    assert whoami(stack.url("edge-jwt"), token(minted, "jwt-rs256", 1)).status_code == 401
    assert whoami(stack.url("jwt-rs256"), token(minted, "edge-jwt", 1)).status_code == 401
    for name in OPAQUE:
        assert whoami(stack.url(name), token(minted, OPAQUE[OPAQUE.index(name) - 1], 1)).status_code == 401


# What the auth service says


@pytest.mark.parametrize("name", ["edge-subrequest", "opaque-introspection"])
def test_a_deactivated_user_is_refused_at_once(
    stack: EmbeddedStack, minted: dict[str, list[dict[str, Any]]], name: str
) -> None:
    held = token(minted, name, 20)
    assert whoami(stack.url(name), held).json()["permissions"] == ["view_reports"]
    with psycopg.connect(stack.dsn(name), autocommit=True) as connection:
        connection.execute("UPDATE shop_user SET granted = '{}' WHERE id = 20")
        assert [whoami(stack.url(name), held).json()["permissions"] for _ in range(4)] == [[]] * 4
        connection.execute("UPDATE shop_user SET is_active = false WHERE id = 20")
    assert {whoami(stack.url(name), held).status_code for _ in range(4)} == {401}


@pytest.mark.parametrize("name", OPAQUE)
def test_no_token_stands_in_the_table(stack: EmbeddedStack, minted: dict[str, list[dict[str, Any]]], name: str) -> None:
    held = token(minted, name, 5)
    with psycopg.connect(stack.dsn(name)) as connection:
        digest = hashlib.sha256(held.encode()).digest()
        query = "SELECT t::text FROM opaque_tokens_accesstoken t WHERE digest = %s"
        row = connection.execute(query, (digest,)).fetchone()
    assert row is not None
    assert held not in row[0]


@pytest.mark.parametrize("name", OPAQUE)
def test_of_twenty_parallel_renewals_one_wins(
    stack: EmbeddedStack, minted: dict[str, list[dict[str, Any]]], name: str
) -> None:
    held = token(minted, name, 6)

    def renew(_: int) -> httpx.Response:
        return httpx.post(f"{stack.url(name)}/api/refresh", headers=bearer(held), timeout=30)

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(renew, range(20)))
    won = [answer for answer in answers if answer.status_code == 200]
    assert len(won) == 1
    assert {answer.status_code for answer in answers} == {200, 401}
    assert whoami(stack.url(name), won[0].json()["access_token"]).status_code == 200


def test_kept_answers_spare_calls_and_are_asked_for_again_before_a_renewal(
    stack: EmbeddedStack, minted: dict[str, list[dict[str, Any]]]
) -> None:
    calls = {}
    for name in ("opaque-introspection", "opaque-introspection-cached"):
        probe = AuthProbe(stack)
        probe.before(name)
        replica, held = stack.replica_urls(name)[0], token(minted, name, 7)
        assert {whoami(replica, held).status_code for _ in range(5)} == {200}
        calls[name] = [probe.after()]
        httpx.post(f"{replica}/api/logout", headers=bearer(held))
        calls[name].append(probe.after())
        assert whoami(replica, held).status_code == 401  # its own process knows at once
    assert calls == {"opaque-introspection": [5, 6], "opaque-introspection-cached": [1, 2]}


def test_the_service_answers_callers_only(stack: EmbeddedStack, minted: dict[str, list[dict[str, Any]]]) -> None:
    url, held = stack.auth_url("opaque-introspection"), token(minted, "opaque-introspection", 8)
    ask = {"url": f"{url}/introspect", "data": {"token": held}}
    assert httpx.post(**ask).status_code == 401
    assert httpx.post(**ask, headers=bearer("guessed")).status_code == 401
    secret = bearer(stack._keys.service)
    told = httpx.post(**ask, headers=secret).json()
    assert (told["active"], told["sub"], told["username"]) == (True, "8", "user00008")
    for unknown in ("", "x", "é" * 50, held[:-1], "a" * 43):
        answer = httpx.post(f"{url}/introspect", data={"token": unknown}, headers=secret)
        assert (answer.status_code, answer.json()) == (200, {"active": False})
    assert httpx.post(f"{url}/introspect", data={"x": "y"}, headers=secret).status_code == 400
    assert httpx.get(f"{stack.auth_url('edge-subrequest')}/authenticate", headers=bearer(held)).status_code == 404


@pytest.mark.parametrize("name", OPAQUE)
def test_garbage_is_a_refusal(stack: EmbeddedStack, name: str) -> None:
    for text in ("x", "a" * 5000, "%00", "a.b.c", "'; --", "[]", "ÿ".encode().decode("latin-1")):
        answer = httpx.get(f"{stack.url(name)}/api/whoami", headers=[(b"Authorization", f"Bearer {text}".encode())])
        assert answer.status_code == 401, text


def test_a_header_that_the_service_would_not_read_is_a_refusal_and_no_outage(stack: EmbeddedStack) -> None:
    """Its gunicorn answers 431 to more than 8,190 bytes and 400 to a control character: 500 to auth_request."""
    for size in (300, 8_000, 8_168):
        assert whoami(stack.url("edge-subrequest"), "a" * size).status_code == 401, size
    for text in ("a\x7f", "\x01" * 43, "a" * 42 + "\x1b"):
        assert whoami(stack.url("edge-subrequest"), text).status_code == 401, repr(text)
    assert whoami(stack.url("edge-subrequest"), "a" * 9_000).status_code == 400  # nginx itself


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([(f"X-{n}", "1") for n in range(120)], 431),  # gunicorn takes 100
        ([("X-Long", "a" * 8_181)], 431),
        ([("Cookie", "a=\x7f")], 400),
    ],
    ids=["many", "long", "control"],
)
@pytest.mark.parametrize("name", ["jwt-rs256", "edge-jwt", "edge-subrequest"])
def test_a_request_that_gunicorn_refuses_is_no_outage_and_no_challenge(
    stack: EmbeddedStack,
    minted: dict[str, list[dict[str, Any]]],
    name: str,
    headers: list[tuple[str, str]],
    status: int,
) -> None:
    """The auth service's gunicorn would refuse it too, were it passed on to it."""
    sent = [("Authorization", f"Bearer {token(minted, name, 3)}"), *headers]
    answer = httpx.get(f"{stack.url(name)}/api/whoami", headers=sent)
    assert (answer.status_code, "WWW-Authenticate" in answer.headers) == (status, False)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_is_the_replica_s_alone(
    stack: EmbeddedStack, minted: dict[str, list[dict[str, Any]]], chunked: bool
) -> None:
    """Were the auth service told of a body that it does not get, it would wait for it, or read on into the next one."""
    held, large = bearer(token(minted, "edge-subrequest", 11)), json.dumps({"theme": "a" * 20_000}).encode()
    headers = {**held, "Content-Type": "application/json"}
    with httpx.Client(base_url=stack.url("edge-subrequest")) as client:
        for body, status in ((large, 413), (json.dumps({"theme": "dark"}).encode(), 200)) * 4:
            content = iter([body]) if chunked else body
            answer = client.put("/api/preferences", content=content, headers=headers)
            assert answer.status_code == status
            assert client.get("/api/whoami", headers=held).json()["username"] == "user00011"


# An outage is no refusal. Last: it ends the services of this stack.


@pytest.mark.parametrize("name", OPAQUE)
def test_a_service_that_is_gone_is_an_outage_and_no_refusal(
    stack: EmbeddedStack, minted: dict[str, list[dict[str, Any]]], name: str
) -> None:
    held = token(minted, name, 9)
    service = stack.auth_service_of(name)
    assert service is not None
    stack._stack.stop(service)
    try:
        answers = [whoami(stack.url(name), held) for _ in range(4)]
        assert {(answer.status_code, answer.headers["Content-Type"]) for answer in answers} == {(503, PROBLEM_JSON)}
        assert all(answer.headers["Retry-After"] == "1" for answer in answers)
        assert httpx.get(f"{stack.url(name)}/api/public").status_code == 200
        # A replica need not ask about no token; nginx asks about every request.
        nobody = httpx.get(f"{stack.url(name)}/api/whoami").status_code
        assert nobody == (503 if name == "edge-subrequest" else 401)
    finally:
        stack._stack.start(stack._auth_service(name))
    until(lambda: whoami(stack.url(name), held).status_code == 200)
