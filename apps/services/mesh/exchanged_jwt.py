"""The gateway exchanges the user's token for one that is narrower and short-lived; every service verifies that."""
# ruff: noqa: F403 - settings begin with what they build on

from apps.services.mesh._told import INTERNAL_AUDIENCE
from apps.shop.settings import *

MESH_CARRIER = "Authorization"
MESH_ENTRANCE = "apps.services.mesh._entrances.Exchange"
MESH_TOKEN_KEY = "AUTHBENCH_MESH_INTERNAL_PUBLIC_KEY"  # noqa: S105 - the variable's name
MESH_AUDIENCE = INTERNAL_AUDIENCE
MESH_SCOPE = ""  # permissions asked for: these services need none
JWT_LIFETIME_S = 0  # nothing is issued here
AUTHENTICATOR = "apps.services.mesh._authenticators.PublicKeyJwt"
