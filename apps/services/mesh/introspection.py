"""Every service asks the auth service about the token (RFC 7662): `opaque-introspection`'s own check."""
# ruff: noqa: F403 - settings begin with what they build on

from apps.strategies.opaque_introspection import *

MESH_CARRIER = "Authorization"
MESH_ENTRANCE = "apps.services.mesh._entrances.PassOn"
