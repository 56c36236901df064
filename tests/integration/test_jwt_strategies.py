"""The strategies with PyJWT over HTTP: whose token is taken where, and by which key."""

import base64
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import jwt
import pytest

from apps.contract.endpoints import Caller
from apps.strategies._tokens import audience_of, claims_for, signer_and_verifier
from tests.integration.jwt_stack import (
    CUSTOMER,
    JwtStack,
    bearer,
    claims_in,
    enter,
    held,
    jwt_stack_up,
    token_of,
    who,
)
from tests.integration.shop_stack import (
    PASSWORD,
    ROOT,
    ShopStack,
    carried,
    free_port,
    shop_stack,  # noqa: F401 - a fixture
    until,
)
from tests.keys import pem, private_jwk, public_pem, rsa_key, write_signing_keys

pytestmark = pytest.mark.slow
KEY = bytes(range(32))  # as the stack tells it
JWKS = "/.well-known/jwks.json"
NAMES = [
    "jwt-hs256",
    "jwt-rs256",
    "jwt-es256",
    "jwt-eddsa",
    "jwt-cached",
    "jwt-denylist",
    "jwt-refresh",
    "jwt-once",
    "jwt-cookie",
    "jwt-jwks",
]


@pytest.fixture(scope="module")
def stack(shop_stack: ShopStack) -> Iterator[JwtStack]:  # noqa: F811
    with jwt_stack_up(shop_stack, NAMES) as stack:
        yield stack


# every strategy


def test_no_strategy_takes_a_token_of_another(stack: JwtStack) -> None:
    """Seven of them share one key, two another: `aud` keeps them apart."""
    tokens = {name: token_of(enter(url)) for name, url in stack.urls.items()}
    taken = {
        name: [other for other, token in tokens.items() if who(url, held(name, token)) == 200]
        for name, url in stack.urls.items()
    }
    assert taken == {name: [name] for name in NAMES}
    assert len({claims_in(token)["aud"] for token in tokens.values()}) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_garbage_is_a_refusal(stack: JwtStack, name: str) -> None:
    url = stack.urls[name]
    own = signer_and_verifier("HS256", KEY, audience_of(name))[0]
    now = int(time.time())
    good = dict(claims_for(Caller(1, CUSTOMER, ()), now=now, expires=now + 60, auth_time=now))
    head = base64.urlsafe_b64encode(b"[" * 2500).decode().rstrip("=")
    odd = [own.sign(good | {"sub": "x"}), own.sign(good | {"jti": "a b"}), own.sign(good | {"username": 1})]
    odd += [own.sign(good | {"exp": 1}), own.sign(good | {"permissions": "all"})]
    for token in ("x", "..", "a.b.c", "ü.ü.ü", f"{head}.{head}.", "%00", "A" * 8000, *odd):
        raw = {key: value.encode("latin-1") for key, value in held(name, token).items()}
        assert who(url, raw) == 401, token[:40]  # type: ignore[arg-type]
    public = public_pem(rsa_key())
    parts = (json.dumps({"alg": "HS256", "typ": "at+jwt", "kid": private_jwk(rsa_key())["kid"]}), json.dumps(good))
    signed = b".".join(base64.urlsafe_b64encode(part.encode()).rstrip(b"=") for part in parts)
    mac = base64.urlsafe_b64encode(jwt.get_algorithm_by_name("HS256").sign(signed, public)).rstrip(b"=")
    assert who(url, held(name, (signed + b"." + mac).decode())) == 401


@pytest.mark.parametrize("name", ["jwt-rs256", "jwt-es256", "jwt-eddsa", "jwt-cached", "jwt-jwks", "jwt-cookie"])
def test_a_stateless_login_goes_on_after_its_logout(stack: JwtStack, name: str) -> None:
    with httpx.Client(base_url=stack.urls[name]) as client:
        headers = held(name, token_of(enter(stack.urls[name])))
        kept = client.put("/api/preferences", json={"größe": "xl"}, headers=headers)
        kept_headers = held(name, token_of(kept))
        client.cookies.clear()
        renewed = client.post("/api/refresh", headers=kept_headers)
        client.cookies.clear()
        read = client.get("/api/whoami?preferences=1", headers=held(name, token_of(renewed)))
        assert read.json()["preferences"] == {"größe": "xl"}
        assert client.post("/api/logout", headers=headers).status_code == 200
        client.cookies.clear()
        assert [who(stack.urls[name], old) for old in (headers, kept_headers)] == [200, 200]


# jwt-cookie


def test_the_cookie_has_every_protection(stack: JwtStack) -> None:
    url = stack.urls["jwt-cookie"]
    answer = enter(url)
    assert answer.json() == {"id": 1, "username": CUSTOMER, "permissions": []}
    name, _, value = answer.headers["Set-Cookie"].partition("=")
    assert name == "__Host-token"
    flags = set(value.split("; ")[1:]) - {flag for flag in value.split("; ") if flag.startswith("expires=")}
    assert flags == {"HttpOnly", "Secure", "Path=/", "SameSite=Lax", "Max-Age=900"}
    headers = carried({"cookies": dict(answer.cookies)})
    seen = httpx.get(f"{url}/api/whoami", headers=headers)
    assert (seen.status_code, seen.headers["Vary"], "Set-Cookie" in seen.headers) == (200, "Cookie", False)
    assert who(url, bearer(token_of(answer))) == 401
    refused = httpx.get(f"{url}/api/whoami")
    assert refused.headers["WWW-Authenticate"] == 'Cookie realm="shop", cookie-name="__Host-token"'

    order = {"item": "a", "quantity": 1}
    for more, status in (
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://elsewhere.example"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 201),
    ):
        assert httpx.post(f"{url}/api/orders", json=order, headers=headers | more).status_code == status
    login = {"username": CUSTOMER, "password": PASSWORD}
    forged = httpx.post(f"{url}/api/login", json=login, headers={"Sec-Fetch-Site": "cross-site"})
    assert (forged.status_code, "Set-Cookie" in forged.headers) == (403, False)

    gone = httpx.post(f"{url}/api/logout", headers=headers).headers["Set-Cookie"]
    assert gone.startswith('__Host-token=""; ')
    assert {"Max-Age=0", "Path=/", "Secure", "HttpOnly"} <= set(gone.split("; "))


def test_the_longest_preferences_fit_the_cookie(stack: JwtStack) -> None:
    """A browser drops a cookie whose name and value have more than 4,096 bytes (RFC 6265bis, 5.6)."""
    url = stack.urls["jwt-cookie"]
    headers = carried({"cookies": dict(enter(url, "user00010").cookies)})
    longest = {"ö" * number: "ü" * 42 for number in range(1, 11)}
    kept = httpx.put(f"{url}/api/preferences", json=longest, headers=headers)
    assert 1500 < len("__Host-token") + len(kept.cookies["__Host-token"]) < 4096
    read = httpx.get(f"{url}/api/whoami?preferences=1", headers=carried({"cookies": dict(kept.cookies)}))
    assert read.json()["preferences"] == longest


# jwt-jwks


def calls(stack: JwtStack) -> int:
    return int(httpx.get(f"{stack.service}/calls").json()["calls"])


def foreign(kid: str) -> str:
    now = int(time.time())
    claims = claims_for(Caller(1, CUSTOMER, ()), now=now, expires=now + 60, auth_time=now)
    issued = {"iss": "authbench-shop", "aud": audience_of("jwt-jwks")} | dict(claims)
    return jwt.encode(issued, rsa_key(9), "RS256", headers={"typ": "at+jwt", "kid": kid})


def test_a_warm_verifier_asks_nobody_and_unknown_keys_cost_one_fetch(stack: JwtStack) -> None:
    url = stack.urls["jwt-jwks"]
    headers = bearer(token_of(enter(url)))
    assert who(url, headers) == 200
    before = calls(stack)
    assert [who(url, headers) for _ in range(10)] == [200] * 10
    assert [who(url, bearer("x" * size)) for size in range(1, 11)] == [401] * 10
    assert calls(stack) == before
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda number: who(url, bearer(foreign(f"kid{number}"))), range(50))) == {401}
    assert calls(stack) - before <= 1


def test_only_public_members_are_published(stack: JwtStack) -> None:
    answer = httpx.get(f"{stack.service}{JWKS}")
    assert answer.headers["Content-Type"] == "application/jwk-set+json"
    assert [set(key) for key in answer.json()["keys"]] == [{"kty", "n", "e", "use", "alg", "kid"}]
    assert httpx.get(f"{stack.service}/healthz").json() == {"keys": "ok"}
    assert httpx.get(f"{stack.service}/api/whoami").status_code == 404


def test_keys_are_rotated_with_an_overlap(stack: JwtStack) -> None:
    old, new = rsa_key(), rsa_key(1)
    told = {"AUTHBENCH_JWKS_COOLDOWN_S": "1", "AUTHBENCH_JWKS_MAX_AGE_S": "1"}
    with stack.replica("jwt-jwks", "r1", **told) as url:
        try:
            signed_old = bearer(token_of(enter(url)))
            assert who(url, signed_old) == 200
            write_signing_keys(stack.keys, old, new)  # published
            until(lambda: len(httpx.get(f"{stack.service}{JWKS}").json()["keys"]) == 2, "the new key")
            new_kid = write_signing_keys(stack.keys, old, new, signing=1)  # signing
            token = token_of(enter(url))
            assert jwt.get_unverified_header(token)["kid"] == new_kid
            until(lambda: who(url, bearer(token)) == 200, "the verifier's newer set")
            assert who(url, signed_old) == 200
            write_signing_keys(stack.keys, new)  # the old one removed
            until(lambda: who(url, signed_old) == 401, "the end of the old key")
            assert who(url, bearer(token)) == 200
        finally:
            write_signing_keys(stack.keys, old)


def test_without_the_endpoint_a_warm_verifier_goes_on_and_a_cold_one_says_so(stack: JwtStack) -> None:
    port = free_port()
    told = {"AUTHBENCH_AUTH_URL": f"http://127.0.0.1:{port}", "AUTHBENCH_JWKS_COOLDOWN_S": "1"}
    token = token_of(enter(stack.urls["jwt-jwks"]))
    assert who(stack.urls["jwt-jwks"], bearer(token)) == 200
    with stack.replica("jwt-jwks", "r2", **told) as url:
        assert who(url, bearer(token)) == 503
        assert who(url, bearer("x.y.z")) == 401
    log = (stack.shop.folder / "jwt_jwks-r2.log").read_text(encoding="utf-8")
    assert "Service Unavailable: /api/whoami (StoreOutage)" in log
    assert "Traceback" not in log


# the start


@pytest.mark.parametrize(
    ("module", "variable", "value", "message"),
    [
        ("jwt_rs256", "AUTHBENCH_RSA_KEY", "", "set AUTHBENCH_RSA_KEY, or AUTHBENCH_RSA_KEY_FILE to a file"),
        ("jwt_rs256", "AUTHBENCH_RSA_KEY", pem(rsa_key(bits=1024)), "AUTHBENCH_RSA_KEY is not an RSA key of 2048 bits"),
        ("jwt_es256", "AUTHBENCH_EC_KEY", pem(rsa_key()), "AUTHBENCH_EC_KEY is not an elliptic-curve key on P-256"),
        ("jwt_eddsa", "AUTHBENCH_ED_KEY", "nonsense", "AUTHBENCH_ED_KEY is no private key in PEM"),
        ("jwt_jwks", "AUTHBENCH_SIGNING_KEYS_FILE", "/nowhere", "AUTHBENCH_SIGNING_KEYS_FILE: there is no file"),
        ("jwt_jwks", "AUTHBENCH_SIGNING_KEYS_FILE", "/etc/hostname", "/etc/hostname is not {"),
        ("jwt_cached", "AUTHBENCH_TOKEN_CACHE_SIZE", "0", "AUTHBENCH_TOKEN_CACHE_SIZE is '0', not a whole number of"),
    ],
)
def test_a_wrong_key_stops_the_start_with_one_line(
    stack: JwtStack, module: str, variable: str, value: str, message: str
) -> None:
    told = {"AUTHBENCH_AUTH_URL": stack.service, variable: value}
    environment = stack.shop.environment(module, **told)
    command = [sys.executable, "-c", "import apps.shop.wsgi"]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(f"shop: {message}")
    assert "BEGIN" not in done.stderr
