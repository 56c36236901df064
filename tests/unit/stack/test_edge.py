"""The text of a site whose load balancer authenticates."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from apps.contract.endpoints import ENDPOINTS
from authbench.backends.shop import pem
from authbench.stack.edge import Edge, jwks_of
from authbench.stack.nginx import Nginx, Site

JWT = Edge("jwt", "the-secret", audience="the-audience", jwks_file=Path("/folder/jwks.json"))
SUBREQUEST = Edge("subrequest", "the-secret", auth_port=10_009)


def locations(edge: Edge) -> dict[str, list[str]]:
    """Address -> its directives."""
    found: dict[str, list[str]] = {}
    for block in edge.locations("site").split("    location ")[1:]:
        head, *lines = block.splitlines()
        found[head.removesuffix(" {")] = [line.strip() for line in lines if line.strip() != "}"]
    return found


@pytest.mark.parametrize("edge", [JWT, SUBREQUEST])
def test_every_way_to_a_replica_sets_both_trusted_headers_anew(edge: Edge) -> None:
    to_replicas = {at: lines for at, lines in locations(edge).items() if "proxy_pass http://site;" in lines}
    assert set(to_replicas) == {"/", *(f"= {each.path}" for each in ENDPOINTS.values() if not each.authenticated)}
    for address, lines in to_replicas.items():
        headers = [line.split()[1] for line in lines if line.startswith("proxy_set_header")]
        assert headers == [
            "Connection",
            "Host",
            "X-Forwarded-For",
            "X-Forwarded-Proto",
            "X-Edge-Secret",
            "X-Edge-Caller",
        ]
        assert ('proxy_set_header X-Edge-Secret "the-secret";' in lines) == (address == "/")


def test_the_token_is_checked_where_the_secret_is_added() -> None:
    lines = locations(JWT)["/"]
    assert {"auth_jwt_validate_exp on;", "auth_jwt_key_file /folder/jwks.json jwks;"} <= set(lines)
    assert "auth_jwt_require_claim aud eq 'json=\"the-audience\"';" in lines


def test_the_question_to_the_service_is_nobody_else_s_to_ask() -> None:
    lines = locations(SUBREQUEST)["= /_edge/authenticate"]
    assert lines[0] == "internal;"
    assert "proxy_pass http://site-auth/authenticate;" in lines


def test_the_service_sees_the_credential_and_the_secret_and_nothing_else_of_the_request() -> None:
    lines = locations(SUBREQUEST)["= /_edge/authenticate"]
    assert {"proxy_method GET;", "proxy_pass_request_body off;", "proxy_pass_request_headers off;"} <= set(lines)
    assert [line for line in lines if line.startswith("proxy_set_header")] == [
        'proxy_set_header Connection "";',
        "proxy_set_header Host 127.0.0.1;",
        'proxy_set_header Content-Length "";',
        "proxy_set_header Authorization $http_authorization;",
        'proxy_set_header X-Edge-Secret "the-secret";',
    ]


def test_an_edge_site_stands_in_the_whole_configuration_and_shows_no_secret_in_its_repr() -> None:
    balancer = Nginx(Path("/bin/nginx"), Path("/folder"), 10_001)
    text = balancer.configuration([Site("edge", 10_002, {"edge-1": 10_003}, edge=SUBREQUEST)], "g1")
    assert text.count("map $http_authorization $edge_challenge") == 1
    assert "upstream edge-auth {" in text
    assert text.count("{") == text.count("}")
    assert "the-secret" not in repr(SUBREQUEST)
    assert "edge_challenge" not in balancer.configuration([Site("none", 10_002, {"none-1": 10_003})], "g1")


def test_only_the_owner_can_read_what_is_written(tmp_path: Path) -> None:
    balancer = Nginx(Path("/bin/nginx"), tmp_path / "nginx", 10_001)
    balancer.write([Site("edge", 10_002, {"edge-1": 10_003}, edge=JWT)], "g1")
    assert balancer.configuration_file.stat().st_mode & 0o777 == 0o600


def test_only_public_halves_are_published() -> None:
    key = rsa.generate_private_key(65537, 2048)
    (published,) = json.loads(jwks_of(pem(key)))["keys"]
    assert set(published) <= {"kty", "key_ops", "n", "e", "alg", "use"}
    assert published["alg"] == "RS256"


def test_another_kind_of_key_is_refused() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    with pytest.raises(TypeError, match="RSA"):
        jwks_of(text)
