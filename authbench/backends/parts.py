"""The parts that every strategy shares, started side by side: PostgreSQL, Valkey and nginx."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from authbench.stack import binaries, nginx, postgres, valkey
from authbench.stack.accounts import unprivileged, within_reach
from authbench.stack.databases import Databases
from authbench.stack.diagnosis import writing
from authbench.stack.nginx import Nginx, Site
from authbench.stack.postgres import Postgres
from authbench.stack.stack import Stack
from authbench.stack.valkey import Valkey


@dataclass(frozen=True, slots=True)
class Parts:
    """The shared parts, up and answering."""

    postgres: Postgres
    valkey: Valkey
    nginx: Nginx
    databases: Databases
    versions: Mapping[str, str]

    @property
    def settings(self) -> dict[str, dict[str, str]]:
        """Part -> setting -> value, as configured; no secrets."""
        return {
            "postgresql": self.postgres.settings,
            "valkey": dict(valkey.SETTINGS),
            "nginx": dict(nginx.SETTINGS),
        }


# What production would run and this stack does not.
SOFTENED = (postgres.SOFTENED, valkey.SOFTENED, nginx.SOFTENED)


def start_parts(stack: Stack, max_connections: int, sites: Sequence[Site], generation: str) -> Parts:
    """Starts all three; Valkey and nginx come up while PostgreSQL's data folder is made.

    Raises StackError where a program is missing or a part does not come up.
    """
    account = unprivileged()
    if account is not None:
        account.require_way_to(stack.folder)
    server = within_reach(binaries.find(binaries.POSTGRES), account, stack.folder / "programs")
    with writing(stack.folder):
        home = stack.folder / "postgres"
        home.mkdir(mode=0o711)
    take = stack.ports.take
    database = Postgres(server.parent, home / "data", take(), max_connections, account)
    cache = Valkey(binaries.find(binaries.VALKEY), stack.folder / "valkey", take())
    balancer = Nginx(binaries.find(binaries.NGINX), stack.folder / "nginx", take())
    balancer.write(sites, generation)
    stack.remove_segment_of(database.pid_file)
    started = [
        stack.launch(cache.service(stack.log(valkey.NAME), stack.cores)),
        stack.launch(balancer.service(stack.log(nginx.NAME), generation, stack.cores)),
    ]
    try:
        stack.run(database.initdb(stack.log("initdb")))
    finally:
        database.password_file.unlink(missing_ok=True)
    started.append(stack.launch(database.service(stack.log(postgres.NAME), stack.cores)))
    stack.await_ready(started)
    databases = Databases(database)
    databases.prepare()
    programs = {"postgresql": server, "valkey": cache.program, "nginx": balancer.program}
    versions = {name: binaries.version_of(program) for name, program in programs.items()}
    return Parts(database, cache, balancer, databases, versions)
