"""The ways in which services check a caller: whose logins users hold, which processes run, and what each may know.

Nobody knows more than its part: a service cannot issue what it verifies, but for the signed header, whose key is shared
by nature.
"""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from authbench.backends.shop import pem
from authbench.experiments.services.plan import Checking

Role = Literal["gateway", "service", "auth"]
MESH = "apps.services.mesh"
USER_KEY, HEADER_KEY = "AUTHBENCH_MESH_USER_KEY", "AUTHBENCH_MESH_HEADER_KEY"
INTERNAL_KEY, INTERNAL_PUBLIC_KEY = "AUTHBENCH_MESH_INTERNAL_KEY", "AUTHBENCH_MESH_INTERNAL_PUBLIC_KEY"
AUTH_URL, SERVICE_SECRET = "AUTHBENCH_AUTH_URL", "AUTHBENCH_SERVICE_SECRET"


@dataclass(frozen=True, slots=True)
class Way:
    """One way to check."""

    checking: Checking
    strategy: str  # whose logins users hold
    settings: str  # dotted module
    knows: Mapping[Role, tuple[str, ...]]  # variables that hold secrets, keys and the auth service's address
    auth: str = ""  # URL configuration of its auth service; empty: there is none
    asks_database: bool = False  # services do so themselves


_ASKING = (AUTH_URL, SERVICE_SECRET)
WAYS: Mapping[Checking, Way] = {
    way.checking: way
    for way in (
        Way("session", "session-db", f"{MESH}.session", {}, asks_database=True),
        Way(
            "introspection",
            "opaque-introspection",
            f"{MESH}.introspection",
            # The strategy's settings ask every process for both; the gateway uses neither.
            {"gateway": _ASKING, "service": _ASKING, "auth": _ASKING},
            auth="apps.services.introspection",
        ),
        Way("forwarded-jwt", "jwt-es256", f"{MESH}.forwarded_jwt", {"service": (USER_KEY,)}),
        Way(
            "exchanged-jwt",
            "jwt-es256",
            f"{MESH}.exchanged_jwt",
            {"gateway": _ASKING, "service": (INTERNAL_PUBLIC_KEY,), "auth": (USER_KEY, INTERNAL_KEY, SERVICE_SECRET)},
            auth=f"{MESH}.exchange",
        ),
        Way(
            "edge-header",
            "jwt-es256",
            f"{MESH}.edge_header",
            {"gateway": (USER_KEY, HEADER_KEY), "service": (HEADER_KEY,)},
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Secrets:
    """What one mesh is held together by; random for each."""

    internal: str = field(repr=False, default_factory=lambda: pem(ec.generate_private_key(ec.SECP256R1())))
    header: str = field(
        repr=False, default_factory=lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
    )
    django: str = field(repr=False, default_factory=lambda: secrets.token_urlsafe(48))

    def known(self, shop: Mapping[str, str], auth_url: str) -> dict[str, str]:
        """Every variable that a role may know, where the users' strategy is told `shop`."""
        return {
            USER_KEY: public_half(shop["AUTHBENCH_EC_KEY"]),
            INTERNAL_KEY: self.internal,
            INTERNAL_PUBLIC_KEY: public_half(self.internal),
            HEADER_KEY: self.header,
            AUTH_URL: auth_url,
            SERVICE_SECRET: shop[SERVICE_SECRET],
        }


def public_half(private: str) -> str:
    """Of a private key in PEM, in PEM."""
    key = load_pem_private_key(private.encode(), None)
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
