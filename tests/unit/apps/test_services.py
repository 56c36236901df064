"""What the shops of other frameworks share, against Django's own where Django has it."""

import os
from http import HTTPStatus
from typing import Any

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.http.request import split_domain_port, validate_host

from apps.contract.endpoints import ENDPOINTS, SAFE_METHODS, Caller
from apps.services import passwords, told
from apps.services.answers import Refusal, asks_for_preferences, check_length, check_may_view_reports, unrouted
from apps.services.origins import check_origin
from apps.services.passwords import is_right

ALLOWED = ("shop.example", ".wide.example", "[::1]")


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Iterations that were done; fewer than in production, as many as are counted."""
    done: list[int] = []
    derive = passwords.hashlib.pbkdf2_hmac

    def noting(name: str, password: bytes, salt: bytes, iterations: int) -> bytes:
        done.append(iterations)
        return derive(name, password, salt, iterations)

    monkeypatch.setattr(passwords, "hashlib", type("H", (), {"pbkdf2_hmac": staticmethod(noting)}))
    monkeypatch.setattr(passwords, "ITERATIONS", 40)
    monkeypatch.setattr(passwords, "NOBODY", (40, "nobody", ""))
    return done


def test_the_work_is_that_of_djangos_hasher() -> None:
    assert passwords.ITERATIONS == passwords.NOBODY[0] == PBKDF2PasswordHasher.iterations
    assert PBKDF2PasswordHasher.algorithm == passwords.ALGORITHM


@pytest.mark.parametrize("iterations", [40, 7])
def test_a_password_is_right_where_django_kept_it(iterations: int, work: list[int]) -> None:
    kept = PBKDF2PasswordHasher().encode("größe", "salt", iterations)
    assert is_right("größe", kept)
    work.clear()
    assert not is_right("größer", kept)
    assert sum(work) == 40


@pytest.mark.parametrize(
    "kept",
    [
        None,
        "",
        "!unusable",
        "pbkdf2_sha256$40$salt",
        "pbkdf2_sha256$x$salt$a",
        "pbkdf2_sha256$²$s$a",
        "md5$40$s$a",
        "$$$",
    ],
)
def test_whoever_has_no_password_costs_as_much(kept: str | None, work: list[int]) -> None:
    for password in ("", "password"):
        work.clear()
        assert not is_right(password, kept)
        assert sum(work) == 40


@pytest.mark.parametrize("allowed", [ALLOWED, ("*",), ("",)])
@pytest.mark.parametrize(
    "host",
    [
        "shop.example",
        "SHOP.example.:80",
        "a.wide.example",
        "wide.example",
        "evilwide.example",
        "[::1]:8",
        "",
        "a/b",
        "x:y",
    ],
)
def test_hosts_are_those_that_django_allows(host: str, allowed: tuple[str, ...]) -> None:
    domain, _ = split_domain_port(host)
    if domain and validate_host(domain, allowed):
        check_origin("POST", site=None, origin=f"http://{host}", host=host, allowed_hosts=allowed)
    else:
        assert refused("POST", origin="http://elsewhere.example", host=host, allowed_hosts=allowed) == 400


def test_cross_origin_requests_are_refused() -> None:
    for sent, status in (
        ({}, None),
        ({"site": "same-origin", "origin": "http://elsewhere.example"}, None),
        ({"site": "none"}, None),
        ({"site": "same-site"}, 403),
        ({"site": "cross-site", "origin": "http://shop.example"}, 403),
        ({"site": "", "origin": "http://shop.example"}, None),
        ({"origin": "http://elsewhere.example"}, 403),
        ({"origin": "http://["}, 403),
        ({"origin": "http://[", "host": "elsewhere.example"}, 403),
        ({"origin": "http://shop.example", "host": None}, 400),
    ):
        assert refused("POST", **sent) == status, sent
        assert all(refused(method, **sent) is None for method in SAFE_METHODS)


def refused(method: str, **sent: Any) -> int | None:
    try:
        check_origin(method, **{"site": None, "origin": None, "host": "shop.example", "allowed_hosts": ALLOWED, **sent})
    except Refusal as refusal:
        return refusal.status
    return None


def test_addresses_are_the_contracts() -> None:
    assert unrouted("/nowhere").status == 404
    for endpoint in ENDPOINTS.values():
        assert endpoint.method in unrouted(endpoint.path).headers["Allow"].split(", ")
    assert unrouted("/api/orders").headers["Allow"] == "GET, HEAD, POST"


def test_refusals_are_problem_documents() -> None:
    for status in (400, 401, 403, 404, 405, 413, 500, 503):
        refusal = Refusal(status, "why")
        title = HTTPStatus(status).phrase
        wanted = f'{{"type":"about:blank","title":"{title}","status":{status},"detail":"why"}}'
        assert refusal.body == wanted.encode()


def test_queries_and_lengths() -> None:
    assert asks_for_preferences("preferences=1")
    assert asks_for_preferences("a&preferences=0&preferences=1")
    assert not asks_for_preferences("preferences=1&preferences=")
    assert not asks_for_preferences("preferences=2")
    with pytest.raises(Refusal, match="malformed"):
        asks_for_preferences("&".join("a" * 1001))
    for declared in ("", "16384", "²", "-1", "x"):
        check_length(declared)
    with pytest.raises(Refusal, match="too large"):
        check_length("16385")


def test_reports_need_the_permission() -> None:
    check_may_view_reports(Caller(1, "a", ("view_reports",)))
    with pytest.raises(Refusal, match="needs the permission view_reports"):
        check_may_view_reports(Caller(1, "a", ()))


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in os.environ:
        if name.startswith("AUTHBENCH_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AUTHBENCH_STRATEGY", "apistar-jwt")
    monkeypatch.setenv("AUTHBENCH_JWT_KEY", "A" * 43)
    monkeypatch.setenv("AUTHBENCH_DATABASE_URL", "postgresql://me:secret@db.example:5433/shop?sslmode=require")
    return monkeypatch


def test_a_replica_is_told_as_in_django(variables: pytest.MonkeyPatch) -> None:
    found = told.read()
    assert (found.replica, found.threads, found.connection_age_s, found.jwt_lifetime_s) == ("0", 4, 60, 900)
    assert found.allowed_hosts == ("127.0.0.1", "localhost", "[::1]")
    assert found.database == {
        **{"dbname": "shop", "user": "me", "password": "secret", "host": "db.example", "port": "5433"},
        **{"application_name": "authbench:apistar-jwt:0", "connect_timeout": 2, "tcp_user_timeout": 5000},
        **{"sslmode": "require", "autocommit": True, "prepare_threshold": None},
    }
    assert "secret" not in repr(found)
    assert repr(bytes(32)) not in repr(found)
    variables.setenv("AUTHBENCH_REPLICA", "r1")
    variables.setenv("AUTHBENCH_ALLOWED_HOSTS", "a,b")
    assert told.read().allowed_hosts == ("a", "b")
    assert told.read().database["application_name"] == "authbench:apistar-jwt:r1"


@pytest.mark.parametrize("name", ["AUTHBENCH_STRATEGY", "AUTHBENCH_JWT_KEY", "AUTHBENCH_DATABASE_URL"])
def test_what_is_missing_stops_the_start(
    name: str, variables: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told.start(lambda found: found.strategy) == "apistar-jwt"
    variables.delenv(name)
    with pytest.raises(SystemExit) as stopped:
        told.start(lambda found: found)
    assert stopped.value.code == 3
    assert capsys.readouterr().err == f"shop: set {name}, or {name}_FILE to a file that holds it\n"
