"""Every service looks the session up in the auth database, and the user's row: `session-db`'s own check."""
# ruff: noqa: F403 - settings begin with what they build on

from apps.strategies.session_db import *

MESH_CARRIER = "Cookie"
MESH_ENTRANCE = "apps.services.mesh._entrances.PassOn"
