"""The parts that every strategy shares, started side by side: PostgreSQL, Valkey, nginx, and three optional ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from authbench.stack import binaries, nginx, openbao, postgres, valkey
from authbench.stack.accounts import unprivileged, within_reach
from authbench.stack.databases import Databases
from authbench.stack.diagnosis import writing
from authbench.stack.nginx import Nginx, Site
from authbench.stack.openbao import OpenBao
from authbench.stack.pgbouncer import NAME as PGBOUNCER
from authbench.stack.pgbouncer import PgBouncer
from authbench.stack.postgres import Postgres
from authbench.stack.service import Running
from authbench.stack.session_store import SessionStore
from authbench.stack.stack import Stack
from authbench.stack.valkey import Valkey
from authbench.stack.vault import Vault


@dataclass(frozen=True, slots=True)
class Parts:
    """The shared parts, up and answering."""

    postgres: Postgres
    valkey: Valkey
    nginx: Nginx
    databases: Databases
    versions: Mapping[str, str]
    sessions: SessionStore | None = None  # a second PostgreSQL, for the session table alone
    pgbouncer: PgBouncer | None = None  # before the first
    vault: Vault | None = None  # OpenBao, unsealed and empty

    @property
    def settings(self) -> dict[str, dict[str, str]]:
        """Part -> setting -> value, as configured; no secrets."""
        return {
            "postgresql": self.postgres.settings,
            "valkey": dict(valkey.SETTINGS),
            "nginx": dict(nginx.SETTINGS),
            **({"postgresql-sessions": self.sessions.databases.server.settings} if self.sessions else {}),
            **({"pgbouncer": self.pgbouncer.settings} if self.pgbouncer else {}),
            **({"openbao": dict(openbao.SETTINGS)} if self.vault else {}),
        }

    @property
    def softened(self) -> tuple[str, ...]:
        """What production would run and this stack does not, a sentence each."""
        return (*SOFTENED, *([openbao.SOFTENED] if self.vault else []))


# What production would run and this stack does not.
SOFTENED = (postgres.SOFTENED, valkey.SOFTENED, nginx.SOFTENED)


def start_parts(
    stack: Stack,
    max_connections: int,
    sites: Sequence[Site],
    generation: str,
    *,
    session_server: bool = False,
    pgbouncer: bool = False,
    secrets: bool = False,
) -> Parts:
    """Starts all; Valkey and nginx come up while PostgreSQL's data folder is made.

    `max_connections`: of each PostgreSQL. Raises StackError where a program is missing or a part does not come up.
    """
    account = unprivileged()
    if account is not None:
        account.require_way_to(stack.folder)
    server = within_reach(binaries.find(binaries.POSTGRES), account, stack.folder / "programs")
    proxy = binaries.find(binaries.PGBOUNCER) if pgbouncer else None
    keeper = binaries.find(binaries.OPENBAO) if secrets else None
    take = stack.ports.take
    names = [postgres.NAME, *([postgres.SESSIONS_NAME] if session_server else [])]
    servers = []
    for name in names:
        with writing(stack.folder):
            home = stack.folder / name
            home.mkdir(mode=0o711)
        servers.append(Postgres(server.parent, home / "data", take(), max_connections, account, name))
    cache = Valkey(binaries.find(binaries.VALKEY), stack.folder / "valkey", take())
    balancer = Nginx(binaries.find(binaries.NGINX), stack.folder / "nginx", take())
    balancer.write(sites, generation)
    started = [
        stack.launch(cache.service(stack.log(valkey.NAME), stack.cores)),
        stack.launch(balancer.service(stack.log(nginx.NAME), generation, stack.cores)),
    ]
    kept = OpenBao(keeper, stack.folder / openbao.NAME, take(), take()) if keeper else None
    if kept is not None:
        started.append(stack.launch(kept.service(stack.log(openbao.NAME), stack.cores)))
    started += [_started(stack, each) for each in servers]
    stack.await_ready(started)
    ready = [Databases(each) for each in servers]
    for databases in ready:
        databases.prepare()
    programs = {"postgresql": server, "valkey": cache.program, "nginx": balancer.program}
    versions = {name: binaries.version_of(program) for name, program in programs.items()}
    vault = None
    if kept is not None:
        versions[openbao.NAME] = binaries.version_of(kept.program)
        vault = Vault(kept)
        vault.open()
    pooler = None
    if proxy is not None:
        versions[PGBOUNCER] = binaries.version_of(proxy)
        folder = stack.folder / PGBOUNCER
        pooler = PgBouncer(proxy, versions[PGBOUNCER], folder, take(), ready[0], account)
        stack.start(pooler.service(stack.log(PGBOUNCER), stack.cores))
    sessions = SessionStore(ready[1], ready[0]) if session_server else None
    return Parts(servers[0], cache, balancer, ready[0], versions, sessions, pooler, vault)


def _started(stack: Stack, server: Postgres) -> Running:
    """PostgreSQL in a fresh data folder, not necessarily ready yet."""
    stack.remove_segment_of(server.pid_file)
    try:
        stack.run(server.initdb(stack.log(f"initdb-{server.name}")))
    finally:
        server.password_file.unlink(missing_ok=True)
    return stack.launch(server.service(stack.log(server.name), stack.cores))
