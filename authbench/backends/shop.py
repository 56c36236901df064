"""The shop's processes: what replicas and management commands of each strategy are told."""

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from jwt.algorithms import RSAAlgorithm

from apps.contract.registry import SHOP
from authbench.backends.parts import Parts
from authbench.backends.variant import Variant
from authbench.deployment import Deployment
from authbench.environments import interpreter_of
from authbench.stack.databases import database_of
from authbench.stack.ports import LOOPBACK
from authbench.stack.relay import Relay
from authbench.stack.replicas import Application
from authbench.stack.service import Service

SIGNING_KEYS = "signing-keys.json"
JWT_LIFETIME_S = 12 * 3600  # as long as a session lives, and longer than a run


@dataclass(frozen=True, slots=True)
class Serving:
    """How each replica serves."""

    workers: int  # processes
    threads: int  # in each process
    conn_max_age_s: int  # how long a thread keeps its database connection
    cpus: float | None = None  # budget in cores; None: no limit

    def described(self) -> dict[str, str]:
        """Setting -> value, for the manifest."""
        return {
            "workers": str(self.workers),
            "threads": str(self.threads),
            "conn_max_age_s": str(self.conn_max_age_s),
            "cpus": "no limit" if self.cpus is None else f"{self.cpus:g}",
        }


@dataclass(frozen=True, slots=True)
class Keys:
    """Random for every stack, the same for all its replicas, and nowhere but in their environment."""

    secret: str = field(repr=False, default_factory=lambda: secrets.token_urlsafe(48))
    jwt: str = field(
        repr=False, default_factory=lambda: base64.urlsafe_b64encode(secrets.token_bytes(48)).decode().rstrip("=")
    )
    user_password: str = field(repr=False, default_factory=lambda: secrets.token_urlsafe(12))
    service: str = field(repr=False, default_factory=lambda: secrets.token_urlsafe(48))  # replicas to auth service
    edge: str = field(repr=False, default_factory=lambda: secrets.token_urlsafe(48))  # load balancer to replicas
    rsa: str = field(repr=False, default_factory=lambda: pem(rsa.generate_private_key(65537, 2048)))
    ec: str = field(repr=False, default_factory=lambda: pem(ec.generate_private_key(ec.SECP256R1())))
    ed: str = field(repr=False, default_factory=lambda: pem(ed25519.Ed25519PrivateKey.generate()))

    def signing_keys(self) -> str:
        """One private key as `AUTHBENCH_SIGNING_KEYS_FILE` holds it (docs/shop.md), named by its RFC 7638 print."""
        key = serialization.load_pem_private_key(self.rsa.encode(), None)
        assert isinstance(key, rsa.RSAPrivateKey)
        jwk = RSAAlgorithm.to_jwk(key, as_dict=True)
        required = json.dumps({name: jwk[name] for name in ("e", "kty", "n")}, separators=(",", ":"))
        kid = base64.urlsafe_b64encode(hashlib.sha256(required.encode()).digest()).decode().rstrip("=")
        return json.dumps({"signing": kid, "keys": [{**jwk, "kid": kid, "alg": "RS256", "use": "sig"}]})


def pem(key: PrivateKeyTypes) -> str:
    """PKCS #8, not encrypted: it goes into a process's environment and nowhere else."""
    encoding, container = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, container, serialization.NoEncryption()).decode()


@dataclass(frozen=True, slots=True)
class Shop:
    """The shop in the variants of some strategies, on running parts."""

    parts: Parts
    names: Sequence[str]  # of all variants; the place in it is the number of the variant's cache database
    private: Path  # of the stack; its `sessions` holds a folder a variant, which its replicas share
    serving: Serving
    keys: Keys
    replicas: int = 2  # of each variant, at most
    auth_ports: Mapping[str, int] = field(default_factory=dict)  # variant -> port of its auth service
    relay: Relay | None = None  # what stands between replicas and stores where a deployment says how far these are

    def application(
        self, variant: Variant, database: str | None = None, deployment: Deployment | None = None
    ) -> Application:
        """What all processes of the variant are told; its own database unless another is named.

        `deployment`: how its replicas run now; without it, as many as may, on the stores as they are.
        """
        strategy = variant.strategy
        running = deployment.replicas if deployment else None
        return Application(
            strategy.name,
            strategy.settings,
            {
                "AUTHBENCH_SECRET_KEY": self.keys.secret,
                "AUTHBENCH_JWT_KEY": self.keys.jwt,
                "AUTHBENCH_JWT_LIFETIME_S": str(JWT_LIFETIME_S),
                "AUTHBENCH_DATABASE_URL": self.parts.databases.dsn(database or database_of(variant.name)),
                "AUTHBENCH_CACHE_URL": self.parts.valkey.url(self.cache_database(variant.name)),
                "AUTHBENCH_SESSION_DIR": str(self.sessions(variant.name)),
                "AUTHBENCH_SITE": variant.name,
                "AUTHBENCH_REPLICAS": str(running or self.replicas),
                "AUTHBENCH_RSA_KEY": self.keys.rsa,
                "AUTHBENCH_EC_KEY": self.keys.ec,
                "AUTHBENCH_ED_KEY": self.keys.ed,
                "AUTHBENCH_SIGNING_KEYS_FILE": str(self.private / SIGNING_KEYS),
                "AUTHBENCH_SERVICE_SECRET": self.keys.service,
                "AUTHBENCH_EDGE_SECRET": self.keys.edge,
                **({"AUTHBENCH_AUTH_URL": self.auth_url(variant.name)} if variant.name in self.auth_ports else {}),
                "AUTHBENCH_CONN_MAX_AGE": str(self.serving.conn_max_age_s),
                "AUTHBENCH_WORKERS": str(self.serving.workers),
                "AUTHBENCH_THREADS": str(self.serving.threads),
                **(self.deployed(variant, deployment) if deployment else {}),
                **variant.environment,
            },
            name=variant.name,
            python=variant.python,
            serving_python=str(interpreter_of(strategy.environment)) if strategy.environment else variant.python,
            server=strategy.server,
            serves=variant.wsgi if strategy.application == SHOP else strategy.application,
            wsgi=variant.wsgi,
            root=variant.root,
        )

    def deployed(self, variant: Variant, deployment: Deployment) -> dict[str, str]:
        """What the deployment changes of what its replicas are told."""
        told: dict[str, str] = {}
        if deployment.serving is not None:
            told["AUTHBENCH_SERVING"] = deployment.serving
        if deployment.pooling is not None:
            told["AUTHBENCH_CONN_MAX_AGE"] = "60" if deployment.pooling in ("persistent", "pgbouncer") else "0"
        if deployment.pooling == "pool":
            told["AUTHBENCH_POOL_SIZE"] = str(self.serving.threads)
        if deployment.pooling == "pgbouncer" and self.parts.pgbouncer is not None:
            told["AUTHBENCH_DATABASE_URL"] = self.parts.pgbouncer.dsn(database_of(variant.name))
            told["AUTHBENCH_TRANSACTION_POOLING"] = "1"
        if deployment.distance_ms is not None and self.relay is not None:
            database, cache = database_of(variant.name), self.cache_database(variant.name)
            told["AUTHBENCH_DATABASE_URL"] = self.parts.databases.dsn(database, self.relay.postgres_port)
            told["AUTHBENCH_CACHE_URL"] = self.parts.valkey.at(self.relay.valkey_port).url(cache)
        if deployment.session_store == "separate" and self.parts.sessions is not None:
            told["AUTHBENCH_SESSION_DATABASE_URL"] = self.parts.sessions.dsn(variant.name)
        return told

    def cache_database(self, name: str) -> int:
        """Number of the variant's own database in the cache."""
        return self.names.index(name)

    def sessions(self, name: str) -> Path:
        """The folder that the replicas of a variant share."""
        return self.private / "sessions" / name

    def auth_url(self, name: str) -> str:
        """Where the variant's auth service answers."""
        return f"http://{LOOPBACK}:{self.auth_ports[name]}"

    def command(
        self,
        variant: Variant,
        log: Path,
        *arguments: str,
        cores: tuple[int, ...],
        database: str | None = None,
        output: Path | None = None,
    ) -> Service:
        """A management command with the variant's settings."""
        application = self.application(variant, database)
        return Service(
            name=log.stem,
            tier="app",
            command=(variant.python, "-m", "apps.shop.manage", *arguments),
            folder=application.root,
            log=log,
            environment={**application.variables(log.stem), "AUTHBENCH_USER_PASSWORD": self.keys.user_password},
            cores=cores,
            output=output,
        )
