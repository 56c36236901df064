"""PgBouncer: one proxy that lends PostgreSQL's connections to the replicas for a transaction each, loopback only."""

import os
import signal
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from authbench.stack.accounts import Account
from authbench.stack.databases import ROLE, Databases
from authbench.stack.diagnosis import writing
from authbench.stack.ports import LOOPBACK
from authbench.stack.service import Service

NAME = "pgbouncer"
POOL_SIZE = 4  # server connections a database, whatever number of replicas: as many as one replica has threads
SETTINGS: Mapping[str, str] = {
    "pool_mode": "transaction",
    "default_pool_size": str(POOL_SIZE),
    "max_client_conn": "2000",
    "auth_type": "scram-sha-256",
    # Seconds; 600 by default. What one launch leaves idle must be gone before the next is counted.
    "server_idle_timeout": "1",
    "server_lifetime": "3600",
    "query_wait_timeout": "5",  # seconds that a client waits for a connection; then it gets an error
    "max_prepared_statements": "0",
    "log_connections": "0",
    "log_disconnections": "0",
    "log_stats": "0",
    "unix_socket_dir": "",
}
LATER: Mapping[str, tuple[int, int]] = {"max_prepared_statements": (1, 21)}  # setting -> version that brought it


@dataclass(frozen=True, slots=True)
class PgBouncer:
    """One proxy that is to be, in front of one server."""

    program: Path
    version: str
    folder: Path
    port: int
    databases: Databases
    account: Account | None  # it refuses to run as root

    @property
    def settings(self) -> dict[str, str]:
        """Everything that differs from its defaults and is no secret."""
        here = tuple(int(part) for part in self.version.split(".")[:2])
        return {name: value for name, value in SETTINGS.items() if here >= LATER.get(name, (0, 0))}

    def dsn(self, name: str) -> str:
        """The application's connection URL to that database, through the proxy."""
        return self.databases.dsn(name, self.port)

    def service(self, log: Path, cores: tuple[int, ...], cpus: float | None = None) -> Service:
        """The proxy. Writes its configuration and its list of users, readable by its account only."""
        users, path = self.folder / "users.txt", self.folder / "pgbouncer.ini"
        server = f"* = host={LOOPBACK} port={self.databases.server.port}"
        lines = {"listen_addr": LOOPBACK, "listen_port": str(self.port), "auth_file": str(users), **self.settings}
        written = {
            users: f'"{ROLE}" "{self.databases.password}"\n',
            path: f"[databases]\n{server}\n[pgbouncer]\n" + "".join(f"{k} = {v}\n" for k, v in lines.items()),
        }
        with writing(self.folder):
            self.folder.mkdir(mode=0o700)
            for file, text in written.items():
                with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
                    opened.write(text)
            if self.account:
                for each in (self.folder, *written):
                    self.account.own(each)
        return Service(
            name=NAME,
            tier="db",  # what stands before the database is part of what its connections cost
            command=(str(self.program), str(path)),
            folder=self.folder,
            log=log,
            environment={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            ready=self._listens,
            stop_signal=signal.SIGTERM,  # at once: SIGINT would wait for transactions
            user=self.account,
            cores=cores,
            cpus=cpus,
        )

    def _listens(self) -> bool:
        try:
            socket.create_connection((LOOPBACK, self.port), timeout=1).close()
        except OSError:
            return False
        return True
