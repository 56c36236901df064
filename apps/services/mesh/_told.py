"""What a process of the mesh is told by its environment, beside what a replica of the shop is told."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.core.exceptions import ImproperlyConfigured

from apps.contract.tokens import audience_of
from apps.shop.environment import number, required

ALGORITHM = "ES256"  # of users' tokens and of exchanged ones: signing is cheap enough to do it for each request
PUBLIC_AUDIENCE = audience_of("jwt-es256")  # what users' tokens are for: the application, its services included
INTERNAL_AUDIENCE = audience_of("mesh")  # what exchanged tokens and internal headers are for: the services alone
TOPOLOGIES: Mapping[str, int] = {"chain": 0, "fan-out": 1}  # -> services beside those that the number counts
_ADDRESS = re.compile(r"127\.0\.0\.1:[0-9]{1,5}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a process stands. Services are counted from 1; the gateway, in front of the first, is 0."""

    number: int
    services: tuple[str, ...]  # host:port of each, the first at index 0

    def address(self, number: int) -> str:
        """Of that service. Raises IndexError where there is none."""
        return self.services[number - 1]

    @property
    def below(self) -> int:
        """How many services come after this process."""
        return len(self.services) - self.number


def place() -> Place:
    """From AUTHBENCH_MESH_NUMBER and AUTHBENCH_MESH_SERVICES. Raises ImproperlyConfigured."""
    services = tuple(required("AUTHBENCH_MESH_SERVICES").split(","))
    if not all(map(_ADDRESS.fullmatch, services)):
        raise ImproperlyConfigured("AUTHBENCH_MESH_SERVICES is no list of 127.0.0.1:port, separated by commas")
    mine = number("AUTHBENCH_MESH_NUMBER", 0)
    if mine > len(services):
        raise ImproperlyConfigured(f"AUTHBENCH_MESH_NUMBER is {mine}, but there are {len(services)} services")
    return Place(mine, services)


def public_key(name: str) -> EllipticCurvePublicKey:
    """The key in the variable `name`, in PEM. Raises ImproperlyConfigured with one line."""
    try:
        key = load_pem_public_key(required(name).encode())
    except (ValueError, UnsupportedAlgorithm):
        raise ImproperlyConfigured(f"{name} is no public key in PEM") from None
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise ImproperlyConfigured(f"{name} is not an elliptic-curve key on P-256, which {ALGORITHM} needs")
    return key
