"""One database a strategy, all copies of one template, so that PostgreSQL's counters belong to one strategy each."""

import secrets
from dataclasses import dataclass, field

from psycopg import sql

from authbench.stack.postgres import Postgres

ROLE = "shop"
TEMPLATE = "template_shop"


def database_of(strategy: str) -> str:
    """`shop_session_db` for `session-db`."""
    return "shop_" + strategy.replace("-", "_")


@dataclass(frozen=True, slots=True)
class Databases:
    """The application's databases in a running server."""

    server: Postgres
    password: str = field(repr=False, default_factory=lambda: secrets.token_urlsafe(24))

    def prepare(self) -> None:
        """Makes the application's role, the first empty template, and the extension that counts statements."""
        with self.server.connect() as connection:
            connection.execute("CREATE EXTENSION pg_stat_statements")
            connection.execute(
                sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(ROLE), sql.Literal(self.password))
            )
        self.create(TEMPLATE)

    def create(self, name: str) -> None:
        """Makes an empty database."""
        with self.server.connect() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(*map(sql.Identifier, (name, ROLE))))

    def clone(self, names: list[str], template: str = TEMPLATE) -> None:
        """Copies the template under each name. Nobody may be connected to the template meanwhile."""
        with self.server.connect() as connection:
            for name in names:
                # Half the time of `wal_log` here (27 and 57 ms for 26 MB), and nothing left in the log or the buffers.
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY file_copy").format(
                        *map(sql.Identifier, (name, ROLE, template))
                    )
                )

    def keep_commits(self, name: str, *, keep: bool = True) -> None:
        """Whether connections made from now on wait at a commit until the kernel has it (`synchronous_commit`).

        Then a server that is killed has lost nothing that it said was committed; a power cut still loses it (`SOFT`).
        """
        with self.server.connect() as connection:
            setting = sql.SQL("on" if keep else "off")
            connection.execute(
                sql.SQL("ALTER DATABASE {} SET synchronous_commit = {}").format(sql.Identifier(name), setting)
            )

    def settle(self) -> None:
        """Writes out what set-up has changed, so that no checkpoint of it falls into a measured window."""
        with self.server.connect() as connection:
            connection.execute("CHECKPOINT")

    def dsn(self, name: str, port: int | None = None) -> str:
        """The application's connection URL; `port`: through what stands before the server there."""
        server = self.server if port is None else self.server.at(port)
        return server.dsn(name, ROLE, self.password)
