"""Processes that get their secrets from OpenBao: what would stand in their environment stands in its document there."""

from collections.abc import Mapping
from dataclasses import replace

from apps.contract.registry import Strategy
from authbench.backends.shop import Keys
from authbench.errors import StackError
from authbench.stack.replicas import auth_service_name
from authbench.stack.service import Service
from authbench.stack.vault import Vault

SECRETS = (
    "AUTHBENCH_SECRET_KEY",
    "AUTHBENCH_SECRET_KEY_FALLBACKS",
    "AUTHBENCH_JWT_KEY",
    "AUTHBENCH_JWT_KEY_FALLBACKS",
    "AUTHBENCH_DATABASE_URL",
    "AUTHBENCH_SESSION_DATABASE_URL",
    "AUTHBENCH_CACHE_URL",
)
# In transit, where one is used at all.
PRIVATE_KEYS = ("AUTHBENCH_RSA_KEY", "AUTHBENCH_EC_KEY", "AUTHBENCH_ED_KEY", "AUTHBENCH_SIGNING_KEYS_FILE")
SERVICE_SECRET, EDGE_SECRET = "AUTHBENCH_SERVICE_SECRET", "AUTHBENCH_EDGE_SECRET"


def admit(vault: Vault, name: str, strategy: Strategy, keys: Keys) -> None:
    """Makes the role of the strategy's replicas and of its auth service; imports the private key that it signs with."""
    private = {"RS256": keys.rsa, "ES256": keys.ec, "EdDSA": keys.ed}.get(strategy.private_key, "")
    vault.admit(name, strategy.private_key, private)
    if strategy.service:
        vault.admit(auth_service_name(name), shows=name if strategy.private_key else "")


def vaulted(vault: Vault, service: Service, name: str, strategy: Strategy) -> Service:
    """The same process with no secret in its environment. `name`: whose role and document it uses.

    The document says from now on what its environment said. Each start gets a login of its own on standard input.
    Raises StackError where several processes would read that one.
    """
    if service.environment.get("AUTHBENCH_SERVING") == "asgi" and service.environment.get("AUTHBENCH_WORKERS") != "1":
        raise StackError(f"{service.name}: several uvicorn workers cannot share one login at OpenBao; serve with one")
    vault.tell(name, secrets_of(service.environment, strategy))
    plain = without_secrets(service.environment)
    return replace(
        service,
        environment={**plain, **vault.role(name).environment(vault.server.url)},
        handed=lambda: vault.hand_over(name, service.ready_within_s),
    )


def secrets_of(environment: Mapping[str, str], strategy: Strategy) -> dict[str, str]:
    """What of it the strategy's processes have to know and nobody else may."""
    shared = [*([SERVICE_SECRET] if strategy.service else []), *([EDGE_SECRET] if strategy.edge else [])]
    return {name: environment[name] for name in (*SECRETS, *shared) if environment.get(name)}


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """What may stand in an environment that others can read."""
    hidden = {*SECRETS, *PRIVATE_KEYS, SERVICE_SECRET, EDGE_SECRET}
    return {name: value for name, value in environment.items() if name not in hidden}
