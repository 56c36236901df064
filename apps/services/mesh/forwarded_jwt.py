"""The user's token goes on as it is; every service verifies it with the public key."""
# ruff: noqa: F403 - settings begin with what they build on

from apps.services.mesh._told import PUBLIC_AUDIENCE
from apps.shop.settings import *

MESH_CARRIER = "Authorization"
MESH_ENTRANCE = "apps.services.mesh._entrances.PassOn"
MESH_TOKEN_KEY = "AUTHBENCH_MESH_USER_KEY"  # noqa: S105 - the variable's name
MESH_AUDIENCE = PUBLIC_AUDIENCE
JWT_LIFETIME_S = 0  # nothing is issued here
AUTHENTICATOR = "apps.services.mesh._authenticators.PublicKeyJwt"
