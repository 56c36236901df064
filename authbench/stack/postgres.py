"""PostgreSQL: a data folder made afresh, settings as in production but for the disk, loopback only."""

import os
import secrets
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote

import psycopg

from authbench.stack.accounts import Account
from authbench.stack.diagnosis import writing
from authbench.stack.ports import LOOPBACK
from authbench.stack.service import Service

NAME = "postgres"
SESSIONS_NAME = "postgres-sessions"  # a second server, where sessions have one of their own
ADMINISTRATOR = "authbench"
ADMIN_DATABASE = "postgres"
PROBE = "authbench:probe"  # application_name of the bench's own connections

SETTINGS: Mapping[str, str] = {
    "shared_buffers": "512MB",
    "jit": "off",
    "timezone": "UTC",  # what Django asks for: with any other it sends a statement more at every connect
    "autovacuum": "on",
    "track_activities": "on",
    "password_encryption": "scram-sha-256",
    "shared_preload_libraries": "pg_stat_statements",
    "pg_stat_statements.track": "top",
    "pg_stat_statements.track_utility": "off",  # BEGIN and COMMIT are counted as transactions, not as statements
    "pg_stat_statements.save": "off",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
    # A crash must show, not be repaired behind the measurement's back.
    "restart_after_crash": "off",
    # Nothing in /dev/shm, where a killed server's segments would stay; small ones fit in the main segment.
    "dynamic_shared_memory_type": "mmap",
    "min_dynamic_shared_memory": "32MB",
    "unix_socket_directories": "",
}
SOFT: Mapping[str, str] = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
SOFTENED = (
    "PostgreSQL: fsync, synchronous_commit and full_page_writes are off, so that a commit never waits for the disk; "
    "production keeps them on. Connections are not encrypted."
)


@dataclass(frozen=True, slots=True)
class Postgres:
    """One server that is to be: where it lives and how it is reached."""

    programs: Path
    data: Path
    port: int
    max_connections: int
    account: Account | None
    name: str = NAME  # of its service
    password: str = field(repr=False, default_factory=lambda: secrets.token_urlsafe(24))

    @property
    def settings(self) -> dict[str, str]:
        """Everything that differs from PostgreSQL's own defaults."""
        return {
            "listen_addresses": LOOPBACK,
            "port": str(self.port),
            "max_connections": str(self.max_connections),
            **SETTINGS,
            **SOFT,
        }

    @property
    def pid_file(self) -> Path:
        """Which names its shared memory; gone after an orderly end."""
        return self.data / "postmaster.pid"

    def dsn(self, database: str, user: str = ADMINISTRATOR, password: str | None = None) -> str:
        """A connection URL."""
        secret = quote(self.password if password is None else password, safe="")
        return f"postgresql://{user}:{secret}@{LOOPBACK}:{self.port}/{database}"

    def at(self, port: int) -> "Postgres":
        """The same server as it is reached through a proxy on that port."""
        return replace(self, port=port)

    def initdb(self, log: Path) -> Service:
        """The command that makes the data folder. The caller removes `password_file` once it has run."""
        with writing(self.data.parent):
            self.data.mkdir(mode=0o700)
            descriptor = os.open(self.password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(self.password + "\n")
            if self.account:
                self.account.own(self.data)
                self.account.own(self.password_file)
        options = ("--locale=C", "--encoding=UTF8", "--auth=scram-sha-256", "--no-sync", "--no-instructions")
        return Service(
            name="initdb",
            tier="db",
            command=(
                *(str(self.programs / "initdb"), f"--pgdata={self.data}", f"--username={ADMINISTRATOR}"),
                *(f"--pwfile={self.password_file}", *options),
            ),
            folder=self.data,
            log=log,
            environment=self._environment(),
            user=self.account,
        )

    @property
    def password_file(self) -> Path:
        """Read by initdb alone."""
        return self.data.with_name("password")

    def service(self, log: Path, cores: tuple[int, ...], cpus: float | None = None) -> Service:
        """The server, in a data folder that initdb has made. Writes its settings."""
        with writing(self.data), (self.data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write("".join(f"{name} = '{value}'\n" for name, value in self.settings.items()))
        return Service(
            name=self.name,
            tier="db",
            command=(str(self.programs / "postgres"), "-D", str(self.data)),
            folder=self.data,
            log=log,
            environment=self._environment(),
            ready=self._answers,
            stop_signal=signal.SIGQUIT,  # at once, without a checkpoint of data that nobody will read again
            user=self.account,
            cores=cores,
            cpus=cpus,
        )

    def connect(self, database: str = ADMIN_DATABASE) -> psycopg.Connection[tuple[object, ...]]:
        """The bench's own connection, as administrator, every statement its own transaction."""
        return psycopg.connect(self.dsn(database), application_name=PROBE, autocommit=True, connect_timeout=2)

    def _answers(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
