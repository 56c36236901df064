"""The gateway verifies the user's token once and signs a header; every service verifies that by a shared key."""
# ruff: noqa: F403 - settings begin with what they build on

from apps.services.mesh._told import INTERNAL_AUDIENCE
from apps.shop.settings import *

MESH_CARRIER = "X-Internal-Caller"
MESH_ENTRANCE = "apps.services.mesh._entrances.Sign"
MESH_AUDIENCE = INTERNAL_AUDIENCE
AUTHENTICATOR = "apps.services.mesh._authenticators.InternalHeader"
