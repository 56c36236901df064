"""Valkey: a cache that forgets, loopback only, behind a random password that no command line shows."""

import hashlib
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from authbench.stack.diagnosis import writing
from authbench.stack.ports import LOOPBACK
from authbench.stack.service import Service

NAME = "valkey"
DATABASES = 256
PROBE = "authbench:probe"  # client name of the bench's own connections
SETTINGS: Mapping[str, str] = {
    "maxmemory": "1gb",
    # A session that is evicted is a user logged out: rather an error that is counted.
    "maxmemory-policy": "noeviction",
    "databases": str(DATABASES),
    "save": '""',
    "appendonly": "no",
    "protected-mode": "yes",
}
SOFTENED = (
    "Valkey: nothing is written to disk (no snapshots, no append-only file), and there is no replica. "
    "Connections are not encrypted."
)


@dataclass(frozen=True, slots=True)
class Valkey:
    """One server that is to be."""

    program: Path
    folder: Path
    port: int
    password: str = field(repr=False, default_factory=lambda: secrets.token_urlsafe(24))

    def url(self, database: int = 0) -> str:
        """How a client reaches it."""
        return f"redis://:{self.password}@{LOOPBACK}:{self.port}/{database}"

    def at(self, port: int) -> "Valkey":
        """The same server as it is reached through what stands before it on that port."""
        return replace(self, port=port)

    def service(self, log: Path, cores: tuple[int, ...], cpus: float | None = None) -> Service:
        """The server. Writes its configuration, readable by its owner only."""
        path = self.folder / "valkey.conf"
        lines = {"bind": LOOPBACK, "port": str(self.port), "dir": str(self.folder), "logfile": '""', **SETTINGS}
        with writing(self.folder):
            self.folder.mkdir(mode=0o700)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write("".join(f"{name} {value}\n" for name, value in lines.items()))
                # What `requirepass` does, with the password's hash: whoever reads the file cannot log in.
                digest = hashlib.sha256(self.password.encode()).hexdigest()
                file.write(f"user default on #{digest} ~* &* +@all\n")
        return Service(
            name=NAME,
            tier="cache",
            command=(str(self.program), str(path)),
            folder=self.folder,
            log=log,
            environment={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            ready=self._answers,
            cores=cores,
            cpus=cpus,
        )

    def connect(self, timeout_s: float = 5.0) -> "redis.Redis":
        """The bench's own connection, which never asks twice. The caller closes it."""
        return redis.Redis(
            host=LOOPBACK,
            port=self.port,
            password=self.password,
            client_name=PROBE,
            socket_timeout=timeout_s,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
            single_connection_client=True,
        )

    def _answers(self) -> bool:
        try:
            client = self.connect(timeout_s=1.0)
        except redis.RedisError:
            return False
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()
