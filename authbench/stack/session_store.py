"""The session table on a PostgreSQL of its own, for deployments that keep sessions apart from users."""

from dataclasses import dataclass

from authbench.stack.databases import TEMPLATE, Databases, database_of

TABLE = "django_session"
COLUMNS = "session_key, session_data, expire_date"


@dataclass(frozen=True, slots=True)
class SessionStore:
    """A second server, with a database a strategy that holds sessions alone, beside the one that all share.

    In the order of a set-up: `manage.py migrate --database sessions` on `template`, `clone`, then `copy` of whatever
    the strategy's code has minted, so that the same credentials are good for both deployments.
    """

    databases: Databases  # on the second server
    shared: Databases  # where sessions stand beside users

    @property
    def template(self) -> str:
        """Connection URL of the empty database that the others are copies of."""
        return self.databases.dsn(TEMPLATE)

    def dsn(self, strategy: str) -> str:
        """The application's connection URL to the strategy's sessions."""
        return self.databases.dsn(database_of(strategy))

    def clone(self, strategies: list[str]) -> None:
        """Copies the template for each; nobody may be connected to it meanwhile."""
        self.databases.clone([database_of(name) for name in strategies])

    def copy(self, strategy: str) -> int:
        """Makes the sessions there those that the strategy has in the shared database; how many.

        Raises psycopg.Error where a server does not answer or the table is missing.
        """
        name = database_of(strategy)
        with (
            self.shared.server.connect(name) as source,
            self.databases.server.connect(name) as target,
            target.transaction(),
            source.cursor() as reading,
            target.cursor() as writing,
        ):
            writing.execute(f"TRUNCATE {TABLE}".encode())
            with (
                reading.copy(f"COPY {TABLE} ({COLUMNS}) TO STDOUT".encode()) as rows,
                writing.copy(f"COPY {TABLE} ({COLUMNS}) FROM STDIN".encode()) as copied,
            ):
                for block in rows:
                    copied.write(block)
            count = writing.rowcount
        with self.databases.server.connect(name) as target:
            target.execute(f"VACUUM ANALYZE {TABLE}".encode())  # as the shared server's autovacuum may have by now
        return count
