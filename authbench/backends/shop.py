"""The shop's processes: what replicas and management commands of each strategy are told."""

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from authbench.backends.parts import Parts
from authbench.backends.variant import Variant
from authbench.stack.databases import database_of
from authbench.stack.replicas import Application
from authbench.stack.service import Service

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


@dataclass(frozen=True, slots=True)
class Shop:
    """The shop in the variants of some strategies, on running parts."""

    parts: Parts
    names: Sequence[str]  # of all variants; the place in it is the number of the variant's cache database
    sessions: Path  # holds a folder a variant, which its replicas share
    serving: Serving
    keys: Keys

    def application(self, variant: Variant, database: str | None = None) -> Application:
        """What all processes of the variant are told; its own database unless another is named."""
        return Application(
            variant.strategy.name,
            variant.strategy.settings,
            {
                "AUTHBENCH_SECRET_KEY": self.keys.secret,
                "AUTHBENCH_JWT_KEY": self.keys.jwt,
                "AUTHBENCH_JWT_LIFETIME_S": str(JWT_LIFETIME_S),
                "AUTHBENCH_DATABASE_URL": self.parts.databases.dsn(database or database_of(variant.name)),
                "AUTHBENCH_CACHE_URL": self.parts.valkey.url(self.names.index(variant.name)),
                "AUTHBENCH_SESSION_DIR": str(self.sessions / variant.name),
                "AUTHBENCH_CONN_MAX_AGE": str(self.serving.conn_max_age_s),
                "AUTHBENCH_WORKERS": str(self.serving.workers),
                "AUTHBENCH_THREADS": str(self.serving.threads),
                **variant.environment,
            },
            name=variant.name,
            python=variant.python,
            wsgi=variant.wsgi,
            root=variant.root,
        )

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
