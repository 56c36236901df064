"""A server in two hundred lines that withstands every attack, or falls for exactly one: `defect` names which.

In-process: it is here to show that each attack can fail. The attacks themselves run against the real shop in
tests/security.
"""

import hmac
import json
import re
import secrets
import time
import urllib.request
from functools import cache
from typing import Any

import jwt as pyjwt
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from apps.contract.credentials import Bearer, Cookies, Credential
from apps.contract.endpoints import Caller, to_json, whoami_body
from authbench.attacks.compact import decoded, encoded, parsed, part
from authbench.attacks.wire import Request
from authbench.conformance.visitor import Answer

VICTIM, ATTACKER = Caller(1, "user00001", ()), Caller(2, "user00002", ())
PASSWORD, URL, REPLICA = "right", "http://127.0.0.1:1", "http://127.0.0.1:2"
COOKIE = "__Host-sessionid"
ALGORITHMS = {"hs256": "HS256", "rs256": "RS256", "es256": "ES256"}
REQUIRED = ("iss", "sub", "aud", "exp", "nbf", "jti")


@cache
def private_key(kind: str) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    """Made once for all tests: an RSA key takes a tenth of a second."""
    return rsa.generate_private_key(65537, 2048) if kind == "rs256" else ec.generate_private_key(ec.SECP256R1())


class Trip(Exception):  # noqa: N818 - what a server did not foresee: its answer is a 500
    pass


class FakeServer:
    """Tokens (`hs256`, `rs256`, `es256`) in the Authorization header, or sessions (`cookie`) in memory."""

    def __init__(self, kind: str, defect: str = "") -> None:
        self.kind, self.defect = kind, defect
        self.key: Any = secrets.token_bytes(32) if kind in ("hs256", "cookie") else private_key(kind)
        self.issued: set[bytes] = set()
        self.sessions: dict[str, Caller] = {}
        self.rows = 0

    # What it issues

    def claims(self, caller: Caller, audience: str = "fake") -> dict[str, Any]:
        now = int(time.time())
        times = {"exp": now + 600, "nbf": now, "iat": now, "jti": secrets.token_urlsafe(16)[:22]}
        return {"iss": "fake-shop", "sub": str(caller.id), "aud": audience, **times, "username": caller.username}

    def issue(self, caller: Caller, audience: str = "fake", typ: str = "at+jwt") -> str:
        header = {"alg": ALGORITHMS[self.kind], "typ": typ}
        return self.signed(f"{part(header)}.{part(self.claims(caller, audience))}")

    def signed(self, text: str) -> str:
        algorithm = pyjwt.get_algorithm_by_name(ALGORITHMS[self.kind])
        signature = algorithm.sign(text.encode(), self.key)
        self.issued.add(signature)
        return f"{text}.{encoded(signature)}"

    def credential(self, caller: Caller) -> Credential:
        if self.kind == "cookie":
            key = f"{len(self.sessions):032}" if self.defect == "counts sessions" else secrets.token_hex(16)
            self.sessions[key] = caller
            return Cookies(((COOKIE, key),))
        return Bearer(self.issue(caller), self.issue(caller, typ="rt+jwt"))

    @property
    def public_pem(self) -> str:
        if isinstance(self.key, bytes):
            return ""
        return self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    # What it verifies

    def verified(self, text: str, typ: str = "at+jwt") -> Caller | None:
        defect = self.defect
        if defect == "strips white space":
            text = re.sub(r"\s", "", text)
        if defect == "trips over padding" and "=" in text:
            raise Trip
        if not re.fullmatch(r"[A-Za-z0-9_.-]*=*", text):
            return None
        bare = text.rstrip("=")
        token = parsed(".".join(bare.split(".")[:3]) if defect == "takes the first parts" else bare)
        if token is None or "=" in text[:-2]:
            return None
        if defect == "trips over unused bits" and encoded(token.signature) != text.rpartition(".")[2].rstrip("="):
            raise Trip
        header, claims = token.header, token.claims
        if not self._signature_holds(token.head, header, token.signature):
            return None
        if "crit" in header and defect != "ignores crit":
            return None
        if header.get("typ") != typ and defect != "ignores typ":
            return None
        if defect == "first member counts":
            claims = json.loads(decoded(token.payload), object_pairs_hook=lambda pairs: dict(reversed(pairs)))
        return self._caller(claims)

    def _caller(self, claims: dict[str, Any]) -> Caller | None:
        defect, now = self.defect, int(time.time())
        if defect == "refuses everything":
            return None
        if defect != "claims are optional" and not all(name in claims for name in REQUIRED):
            return None
        odd = not all(isinstance(claims.get(name, ""), str) for name in ("iss", "sub", "aud", "username", "jti"))
        if odd or not all(type(claims.get(name, 1)) is int for name in ("exp", "nbf", "iat")):
            if defect == "trips over odd claims":
                raise Trip
            return None
        if (claims.get("exp", now + 1) <= now or claims.get("nbf", now) > now) and defect != "no clock":
            return None
        wanted = {"iss": "fake-shop", "aud": "fake"}
        if defect == "compares prefixes":
            right = all(claims[name].startswith(value) for name, value in wanted.items())
        else:
            right = all(claims.get(name, value) == value for name, value in wanted.items())
        if not right and defect != "any audience":
            return None
        return next((each for each in (VICTIM, ATTACKER) if str(each.id) == claims.get("sub", "1")), None)

    def _signature_holds(self, head: str, header: dict[str, Any], signature: bytes) -> bool:  # noqa: PLR0911 - a defect each
        defect, name, own = self.defect, header.get("alg"), ALGORITHMS[self.kind]
        if defect == "accepts none" and str(name).strip().lower() == "none":
            return True
        if defect == "accepts zeros" and not any(signature):
            return True
        if defect == "fetches jku" and isinstance(header.get("jku"), str):
            urllib.request.urlopen(header["jku"], timeout=2).read()
        if defect == "kid is a path" and name == "HS256" and header.get("kid") == "/dev/null":
            return hmac.compare_digest(hmac.digest(b"", head.encode(), "sha256"), signature)
        if defect == "guessable secret" and name == "HS256":
            return hmac.compare_digest(hmac.digest(b"secret", head.encode(), "sha256"), signature)
        if defect == "any key" and name in ("RS256", "ES256", "EdDSA"):
            return len(signature) >= 64
        if defect == "algorithm of the token" and name == "HS256" and own == "RS256":
            pem = self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            return hmac.compare_digest(hmac.digest(pem, head.encode(), "sha256"), signature)
        if name != own and defect != "ignores alg":
            return False
        if defect == "trips over the other signature" and signature not in self.issued:
            raise Trip
        try:
            algorithm = pyjwt.get_algorithm_by_name(own)
            public = self.key if isinstance(self.key, bytes) else self.key.public_key()
            return algorithm.verify(head.encode(), public, signature)
        except (InvalidSignature, ValueError):
            return False

    # What it answers

    def send(self, request: Request) -> Answer:
        try:
            return self._answer(request)
        except Trip:
            return Answer(500, (), b"")

    def _answer(self, request: Request) -> Answer:  # noqa: PLR0911 - a defect each
        defect, headers = self.defect, [(name.lower(), value) for name, value in request.headers]
        told = dict(reversed(headers))
        path, _, query = request.url.partition("://")[2].partition("/")[2].partition("?")
        if defect == "trips over a megabyte" and any(len(value) > 100_000 for _, value in headers):
            raise Trip
        if "transfer-encoding" in told or [name.strip() for name, _ in headers].count("content-length") > 1:
            return Answer(200 if defect == "reads both lengths" else 400, (), b"")
        size = sum(len(value) for _, value in headers) + len(query)
        if len(request.body) > 16_384 or size > 8_000 or len(headers) > 99:
            return Answer(413, (), b"")
        method = told.get("x-http-method-override", request.method) if defect == "override" else request.method
        if method not in ("GET", "POST", "PUT"):
            return Answer(405, (), b"")
        if method != "GET" and self.kind == "cookie" and defect != "any origin" and self._foreign(told):
            return Answer(403, (), b"")
        if path == "api/login":
            return self._login(request, told)
        caller = self._who(request, headers, query)
        if caller is None and defect == "keeps strangers":
            self.rows += 1
        if path == "api/refresh":
            return self._refresh(request)
        if caller is None:
            return Answer(401, (), b"")
        if method != "GET" and told.get("content-type") != "application/json":
            return Answer(400, (), b"")
        if path == "api/orders":
            body = to_json({"username": caller.username, "orders": []})
            return Answer(201 if method == "POST" else 200, (), b"" if method == "POST" else body)
        return Answer(200, (), whoami_body(caller))

    def _foreign(self, told: dict[str, str]) -> bool:
        return bool(told.get("sec-fetch-site") or told.get("origin"))

    def _who(self, request: Request, headers: list[tuple[str, str]], query: str) -> Caller | None:  # noqa: PLR0911 - a defect each
        defect, told = self.defect, dict(reversed(headers))
        if defect == "believes X-Remote-User" and "x-remote-user" in told:
            return VICTIM
        if defect == "token in the address" and "access_token=" in query:
            return self.verified(query.partition("=")[2])
        if self.kind == "cookie":
            return self._session(told.get("cookie", ""))
        sent = [value for name, value in headers if name == "authorization"]
        if not sent or (len(sent) > 1 and defect != "last header counts"):
            return None
        if request.url.startswith(REPLICA) and self.behind_edge and defect != "replicas believe anyone":
            return None
        scheme, _, text = sent[-1].partition(" ")
        if scheme != "Bearer":
            return None
        return self.verified(text) or (self.verified(text, "rt+jwt") if defect == "any use" else None)

    behind_edge = False

    def _session(self, header: str) -> Caller | None:
        defect = self.defect
        pairs = [each.partition("=")[::2] for each in header.split("; ")]
        keys = [value for name, value in pairs if (name.strip() if defect == "strips names" else name) == COOKIE]
        if len(keys) > 1:
            if defect == "trips over two cookies":
                raise Trip
            return None
        key = keys[0] if keys else ""
        if "\0" in key and defect == "trips over NUL":
            raise Trip
        if key.startswith("../") and defect == "follows paths":
            return VICTIM
        return self.sessions.get(key)

    def _refresh(self, request: Request) -> Answer:
        try:
            sent = json.loads(request.body)["refresh_token"]
        except (ValueError, KeyError):
            return Answer(401, (), b"")
        caller = self.verified(str(sent), "rt+jwt") if self.kind != "cookie" else None
        return Answer(200, (), whoami_body(caller)) if caller else Answer(401, (), b"")

    def _login(self, request: Request, told: dict[str, str]) -> Answer:
        try:
            body = json.loads(request.body)
        except (ValueError, RecursionError):
            return Answer(400, (), b"")
        name, password = (body.get("username"), body.get("password")) if isinstance(body, dict) else (None, None)
        if not isinstance(name, str) or not isinstance(password, str):
            if self.defect == "trips over odd passwords":
                raise Trip
            return Answer(400, (), b"")
        caller = next((each for each in (VICTIM, ATTACKER) if each.username == name), None)
        if caller is None or password != PASSWORD:
            unknown = caller is None and self.defect == "tells of unknown names"
            return Answer(401, (), b"no such user" if unknown else b"wrong")
        credential = self.credential(caller)
        if not isinstance(credential, Cookies):
            return Answer(200, (), whoami_body(caller))
        key = dict(credential.jar)[COOKIE]
        if self.defect == "keeps what was planted" and (planted := told.get("cookie", "").partition("=")[2]):
            self.sessions[planted] = caller
            key = planted
        flags = "Secure; Path=/; SameSite=Lax" + ("" if self.defect == "no HttpOnly" else "; HttpOnly")
        return Answer(200, (("Set-Cookie", f"{COOKIE}={key}; {flags}"),), whoami_body(caller))
