"""Family `header`: members of a token's header that name keys, places to fetch them from, and rules of their own."""

import base64
import datetime
import json
from collections.abc import Iterator

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from authbench.attacks.algorithms import attackers_rsa_key, jwk_of, signed
from authbench.attacks.compact import Jwt, encoded, mac, part
from authbench.attacks.findings import Try
from authbench.attacks.forged import forged
from authbench.attacks.forgery import Forgery
from authbench.attacks.listener import Listener
from authbench.attacks.target import Attack, Target, refused

FAMILY = "header"
CRITICAL, TYPED = "unknown crit", "another typ"
LONG = 7000  # characters: fits the header line that the stack takes
KEY = b"a key that the attacker has put where kid points to"


def criticals(token: Jwt, now: int) -> Iterator[Forgery]:  # noqa: ARG001
    """RFC 7515, 4.1.11: a member that is named critical and not understood makes the token invalid."""
    payload = token.claiming()
    for sent, more in (
        ("crit names an unknown member", {"crit": ["x-must-know"], "x-must-know": True}),
        ("crit names a member that is missing", {"crit": ["x-must-know"]}),
        ("crit is an empty list", {"crit": []}),
        ("crit is a string", {"crit": "x-must-know", "x-must-know": True}),
        ("crit is null", {"crit": None}),
        ("crit names a registered member", {"crit": ["alg"]}),
    ):
        yield Forgery(CRITICAL, sent, f"{part({**token.header, **more})}.{part(payload)}")
    unencoded = {**token.header, "b64": False, "crit": ["b64"]}
    raw = json.dumps({**payload, "iss": str(payload.get("iss", "")).replace(".", "")}, separators=(",", ":"))
    if raw.isascii() and "." not in raw:  # RFC 7797, 5.2: nothing else can stand in the compact form
        yield Forgery(CRITICAL, "b64 false, the payload as it is", f"{part(unencoded)}.{raw}")
    yield Forgery(CRITICAL, "b64 false, the payload encoded all the same", f"{part(unencoded)}.{part(payload)}")


def types(token: Jwt, now: int) -> Iterator[Forgery]:  # noqa: ARG001
    """RFC 8725, 3.11: where tokens say what they are, another kind of token is none of them. `JWT` says nothing."""
    says_nothing = str(token.header.get("typ", "JWT")).upper() == "JWT"
    for value in ("JWT", "dpop+jwt", "logout+jwt", "rt+jwt", "", None, ["at+jwt"], {"typ": "at+jwt"}):
        if value != token.header.get("typ"):
            text = f"{part({**token.header, 'typ': value})}.{part(token.claiming())}"
            yield Forgery(TYPED, f"typ {json.dumps(value)}", text, "either" if says_nothing else "refused")


def embedded(target: Target) -> Iterator[Try]:
    """The attacker's key in the header, and addresses of it: refused, and nobody ever asks at the address."""
    token = target.jwt
    key = attackers_rsa_key()
    jwk = {**jwk_of(key.public_key()), "kid": "attacker", "use": "sig", "alg": "RS256"}
    with Listener(json.dumps({"keys": [jwk]}).encode()) as listener:
        address = f"{listener.url}/keys.json"
        certificate = encoded_certificate(key)
        for sent, member in (
            ("jwk", {"jwk": jwk}),
            ("jku", {"jku": address, "kid": "attacker"}),
            ("x5u", {"x5u": address}),
            ("x5c", {"x5c": [certificate]}),
            ("jku and the right kid", {"jku": address}),
            ("iss-like kid that is an address", {"kid": address}),
        ):
            yield from target.everywhere(
                f"RS256 by the attacker's key, {sent} in the header", signed(token, "RS256", key, **member)
            )
        head = f"{part({**token.header, 'alg': 'HS256', 'jwk': {'kty': 'oct', 'k': encoded(KEY)}})}.{token.payload}"
        yield from target.everywhere("HS256 by the attacker's key, jwk in the header", mac(head, KEY))
        yield Try(
            sent="addresses in jku, x5u and kid",
            expected="0 connections to them",
            came=f"{listener.connections} connections",
            held=listener.connections == 0,
        )


def encoded_certificate(key: rsa.RSAPrivateKey) -> str:
    """A certificate that the key has issued to itself, as x5c holds it (base64 of DER)."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "attacker")])
    now = datetime.datetime.now(datetime.UTC)
    end = now + datetime.timedelta(days=1)
    built = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, end)
    made = built.sign(key, hashes.SHA256())
    return base64.b64encode(made.public_bytes(Encoding.DER)).decode()


def injected(target: Target) -> Iterator[Try]:
    """Names of keys that are paths, SQL, addresses or no names at all, with the key that each would lead to."""
    token = target.jwt
    for kid, key in (
        ("../../../../../../dev/null", b""),
        ("/dev/null", b""),
        ("file:///dev/null", b""),
        ("' UNION SELECT 'attacker'--", b"attacker"),
        ("x'; SELECT pg_sleep(5)--", b""),
        ("| echo attacker", b"attacker"),
        ("\0", b""),
        ("", b""),
        ("k" * LONG, b""),
        ("\ud800", b""),
        (None, b""),
        (0, b""),
        ([str(token.header.get("kid", "attacker"))], b""),
        ({"kid": "attacker"}, b""),
    ):
        sent = f"kid {kid[:40]!r}" if isinstance(kid, str) else f"kid {json.dumps(kid)[:30]}"
        for algorithm in sorted({"HS256", token.algorithm}):
            head = f"{part({**token.header, 'alg': algorithm, 'kid': kid})}.{token.payload}"
            yield refused(f"{sent}, alg {algorithm}", target.try_text(mac(head, key)))


def other_forms(target: Target) -> Iterator[Try]:
    """What is no signed token in the compact form: encrypted, nested, in JSON, with more or fewer parts."""
    token = target.jwt
    encrypted = part({"alg": "dir", "enc": "A256GCM", "typ": token.header.get("typ"), "cty": "JWT"})
    nested = {**token.header, "alg": "HS256", "cty": "JWT"}
    as_json = json.dumps(
        {"payload": token.payload, "protected": token.head.split(".")[0], "signature": encoded(token.signature)}
    )
    for sent, text in (
        (
            "an encrypted token (JWE) of five parts",
            f"{encrypted}..{encoded(b'n' * 12)}.{token.payload}.{encoded(b't' * 16)}",
        ),
        ("a JWE header on three parts", f"{encrypted}.{token.payload}.{encoded(token.signature)}"),
        ("the token within a token", mac(f"{part(nested)}.{encoded(token.text.encode())}", KEY)),
        ("JWS in JSON", as_json.replace(" ", "")),
        ("a part too many", f"{token.text}.{encoded(b'x')}"),
        ("an empty part too many", f"{token.text}."),
        ("dots alone", ".."),
        ("a header that is a list", f"{part([])}.{token.payload}.{encoded(token.signature)}"),
        ("a header nested 1,000 deep", f"{encoded(b'[' * 1000)}.{token.payload}.{encoded(token.signature)}"),
        ("a header that is no UTF-8", f"{encoded(bytes([255, 254]))}.{token.payload}.{encoded(token.signature)}"),
    ):
        yield refused(sent, target.try_text(text))


ATTACKS = (
    Attack(CRITICAL, FAMILY, "RFC 7515, 4.1.11; RFC 7797, 6", forged(CRITICAL)),
    Attack(TYPED, FAMILY, "RFC 8725, 3.11; ASVS 5.0, 9.2.2", forged(TYPED)),
    Attack("embedded keys and addresses", FAMILY, "RFC 8725, 3.10; RFC 7515, 4.1.2 to 4.1.6", embedded),
    Attack("kid injection", FAMILY, "RFC 8725, 3.10; ASVS 5.0, 9.1.3", injected),
    Attack("other forms of tokens", FAMILY, "RFC 8725, 2.3 and 3.3; RFC 7516, 9", other_forms),
)
FORGERIES = (criticals, types)
