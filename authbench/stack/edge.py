"""The load balancer as verifier: nginx checks the token itself, or asks the auth service, and replicas trust it.

Pure text: what stands in the `server` of such a site. A replica believes a request only with the secret that nginx
adds; nginx overwrites whatever a client sends under those names, at every address.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import RSAAlgorithm

from apps.contract.endpoints import (
    EDGE_CALLER_HEADER,
    EDGE_SECRET_HEADER,
    ENDPOINTS,
    PROBLEM_JSON,
    REPLICA_HEADER,
    SECURITY_HEADERS,
    TRANSPORT_SECURITY,
    problem_body,
)
from apps.contract.tokens import ISSUER, TOKEN_TYPE

# nginx hands none of these down to a location that sets one of its own.
PROXY_HEADERS: tuple[tuple[str, str], ...] = (
    ("Connection", '""'),
    ("Host", "$http_host"),
    ("X-Forwarded-For", "$proxy_add_x_forwarded_for"),
    ("X-Forwarded-Proto", "https"),
)
# nginx's own answers carry what the shop's do.
ANSWER_HEADERS: Mapping[str, str] = {
    REPLICA_HEADER: "edge",
    "Cache-Control": "no-store",
    **TRANSPORT_SECURITY,
    **SECURITY_HEADERS,
}
OPEN = tuple(each.path for each in ENDPOINTS.values() if not each.authenticated)  # without a token
ALGORITHM = "RS256"
AUTHENTICATE = "/_edge/authenticate"
CALLER_BYTES = "32k"  # the longest header that the auth service may answer; a replica takes 8,190 bytes of it

AUTH_UPSTREAM = """\
  upstream {name}-auth {{
    server 127.0.0.1:{port} max_fails=0;
    keepalive {kept};
  }}
"""
# RFC 6750, section 3: an error code only where a token was sent.
CHALLENGE = r"""  map $http_authorization $edge_challenge {
    default 'Bearer realm="shop"';
    "~*^bearer +[^ ]" 'Bearer realm="shop", error="invalid_token"';
  }
  # The JWT module challenges whatever the answer is, and beside a replica's own challenge.
  map $status $edge_answer_challenge {
    default "";
    401 $edge_challenge;
  }
  # No opaque token is like this: the auth service would refuse the header itself, which would look like its outage.
  map $http_authorization $edge_unaskable {
    default 0;
    "~^.{256}" 1;
    "~[^\x20-\x7e]" 1;
  }
"""


@dataclass(frozen=True, slots=True)
class Edge:
    """How nginx authenticates for one strategy."""

    kind: Literal["jwt", "subrequest"]
    secret: str = field(repr=False)
    audience: str = ""  # of its tokens
    jwks_file: Path | None = None  # public keys, readable by nginx's workers
    auth_port: int = 0  # of its auth service

    def upstream(self, name: str, kept: int) -> str:
        """The auth service's own upstream, with kept connections; empty where there is none."""
        if self.kind == "jwt":
            return ""
        return AUTH_UPSTREAM.format(name=name, port=self.auth_port, kept=kept)

    def locations(self, name: str) -> str:
        """Everything within the `server` of the strategy's site, whose replicas are the upstream `name`."""
        passed_on = f"proxy_pass http://{name};"
        blocks = [_location(f"= {path}", [*self._headers(trusted=False), passed_on]) for path in OPEN]
        checks = self._verify() if self.kind == "jwt" else self._ask()
        blocks.append(_location("/", [*checks, *self._headers(trusted=True), passed_on]))
        if self.kind == "subrequest":
            blocks += [self._question(name), _answer("@edge_outage", 503, "a store does not answer", OUTAGE)]
        blocks.append(_answer("@edge_refusal", 401, "log in first", REFUSAL))
        return "".join(blocks)

    def _headers(self, *, trusted: bool) -> list[str]:
        """All headers of a request to a replica; an empty value sends none, whatever the client sent."""
        told = {EDGE_SECRET_HEADER: f'"{self.secret}"' if trusted else '""', EDGE_CALLER_HEADER: '""'}
        if trusted and self.kind == "subrequest":
            told[EDGE_CALLER_HEADER] = "$edge_caller"
        return [f"proxy_set_header {key} {value};" for key, value in (*PROXY_HEADERS, *told.items())]

    def _verify(self) -> list[str]:
        """Signature, algorithm, type, issuer, audience and times. The replica looks at the rest of the token."""
        return [
            'auth_jwt "shop";',
            f"auth_jwt_key_file {self.jwks_file} jwks;",
            "auth_jwt_validate_exp on;",
            "auth_jwt_leeway 0;",
            f"auth_jwt_require_header alg eq 'json=\"{ALGORITHM}\"';",
            f"auth_jwt_require_header typ eq 'json=\"{TOKEN_TYPE}\"';",
            f"auth_jwt_require_claim iss eq 'json=\"{ISSUER}\"';",
            f"auth_jwt_require_claim aud eq 'json=\"{self.audience}\"';",
            "auth_jwt_require_claim exp gt json=0;",
            "auth_jwt_require_claim nbf le $jwt_nowtime;",
            "auth_jwt_require_claim iat le $jwt_nowtime;",
            "proxy_hide_header WWW-Authenticate;",
            'more_set_headers "WWW-Authenticate: $edge_answer_challenge";',
            "error_page 401 = @edge_refusal;",
        ]

    def _ask(self) -> list[str]:
        return [
            "if ($edge_unaskable) { return 401; }",
            f"auth_request {AUTHENTICATE};",
            f"auth_request_set $edge_caller $upstream_http_{EDGE_CALLER_HEADER.lower().replace('-', '_')};",
            "error_page 401 = @edge_refusal;",
            # Whatever the service answers besides 2xx, 401 and 403 is a 500 of auth_request; a replica's own passes.
            "error_page 500 = @edge_outage;",
        ]

    def _question(self, name: str) -> str:
        """Only what the service looks at: whatever else gunicorn would refuse in a request, a replica refuses."""
        told = {
            "Connection": '""',
            "Host": "127.0.0.1",
            "Content-Length": '""',  # nginx would tell that of the body which it keeps back
            "Authorization": "$http_authorization",
            EDGE_SECRET_HEADER: f'"{self.secret}"',
        }
        return _location(
            f"= {AUTHENTICATE}",
            [
                "internal;",
                "proxy_method GET;",
                "proxy_pass_request_body off;",
                "proxy_pass_request_headers off;",
                f"proxy_buffer_size {CALLER_BYTES};",
                f"proxy_buffers 4 {CALLER_BYTES};",
                "proxy_busy_buffers_size 64k;",
                "proxy_read_timeout 2s;",
                *(f"proxy_set_header {key} {value};" for key, value in told.items()),
                f"proxy_pass http://{name}-auth/authenticate;",
            ],
        )


REFUSAL = ("WWW-Authenticate: $edge_challenge", "Vary: Authorization")
OUTAGE = ("Retry-After: 1",)


def jwks_of(private_pem: str) -> str:
    """The public half of an RSA key as a JWKS (RFC 7517), for nginx. Raises TypeError for any other key."""
    key = load_pem_private_key(private_pem.encode(), None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("not an RSA key")
    jwk = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return json.dumps({"keys": [{**jwk, "alg": ALGORITHM, "use": "sig"}]})


def _location(address: str, lines: list[str]) -> str:
    return f"    location {address} {{\n" + "".join(f"      {line}\n" for line in lines) + "    }\n"


def _answer(name: str, status: int, detail: str, more: tuple[str, ...]) -> str:
    """An answer of nginx's own, with the bytes and the headers that the shop's has."""
    headers = (*(f"{key}: {value}" for key, value in ANSWER_HEADERS.items()), *more)
    told = [f'more_set_headers "{header}";' for header in headers]
    return _location(
        name,
        [
            "internal;",
            f"default_type {PROBLEM_JSON};",
            *told,
            f"return {status} '{problem_body(status, detail).decode()}';",
        ],
    )
