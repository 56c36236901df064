"""nginx as load balancer: one worker, one port a strategy, its replicas in turn, and nothing hidden by a second try."""

import http.client
import os
import signal
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from apps.contract.endpoints import ROUTE_COOKIE
from authbench.balancing import ROUND_ROBIN, Balancing
from authbench.errors import StackError
from authbench.stack.accounts import nobodys_group
from authbench.stack.diagnosis import writing
from authbench.stack.edge import CHALLENGE, PROXY_HEADERS, Edge
from authbench.stack.ports import LOOPBACK
from authbench.stack.processes import table
from authbench.stack.replicas import replica_name
from authbench.stack.service import Running, Service

NAME = "nginx"
BUFFERING = "buffer=64k flush=20ms"
RELOAD_S = 10.0
PAUSE_S = 0.01  # between two questions
KEPT_UPSTREAM = 64  # idle connections to a strategy's replicas
SETTINGS: Mapping[str, str] = {
    "worker_processes": "1",
    "balancing": "round robin",
    "upstream keepalive": str(KEPT_UPSTREAM),
    "proxy_next_upstream": "off",
    "keepalive_requests": "1000000",
    "keepalive_timeout": "75s",
    "client_max_body_size": "60k",
    "access_log": "a line a request that says which port, written every 20 ms",
}
SOFTENED = (
    "nginx: clients speak plain HTTP to it; production ends TLS here. Replicas are told https, as they would be then."
)

CONFIGURATION = """\
daemon off;
worker_processes 1;
worker_shutdown_timeout 1s;
pid {folder}/nginx.pid;
error_log stderr warn;
{user}
events {{
  worker_connections 4096;
}}
http {{
  # The wheel's nginx has no stub_status: requests are counted by these lines, the cheapest that nginx can write.
  log_format port $server_port;
  log_format mark "mark $arg_id";
  log_format request "$http_x_request_id $status $upstream_status";
  access_log {counts} port {buffering};
  server_tokens off;
  keepalive_requests 1000000;
  keepalive_timeout 75s;
  # gunicorn reads no more than 64 KiB of a body that nobody wants before it closes a connection that it said it keeps:
  # what is longer would end in a 502, for its sender or for whoever is sent to that connection next.
  client_max_body_size 60k;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  proxy_http_version 1.1;
  proxy_next_upstream off;
  proxy_connect_timeout 2s;
{proxy_headers}{challenge}  server {{
    listen {host}:{status_port};
    access_log off;
    location = /mark {{ access_log {counts} mark {buffering}; return 204; }}
    location = /generation {{ return 200 "{generation}"; }}
    location / {{ return 404; }}
  }}
{servers}}}
"""
UPSTREAM = """\
  upstream {name} {{
{picks}{members}    keepalive {kept};
  }}
"""
# Before `keepalive`, which keeps connections to whomever these pick.
PICKS: Mapping[Balancing, str] = {
    "least connections": "    least_conn;\n",
    "ip hash": "    ip_hash;\n",
    "ip consistent": "    hash $remote_addr consistent;\n",
}
# max_fails=0: a replica that fails goes on getting its share, so that the failure shows.
MEMBER = "    server {host}:{port} max_fails=0;\n"
# $cookie_… cannot name a cookie with a hyphen.
ROUTE = '    "~(?:^|; ?){cookie}={name}(?:;|$)" {replica};\n'
ROUTES = """\
  map $http_cookie {target} {{
    default {anyone};
{routes}  }}
"""
# The wheel's nginx has no `sticky`. Whoever came without a route that leads somewhere is told who has answered.
TELLS = """\
  map "{target} $upstream_addr" {told} {{
    default "";
{replicas}  }}
"""
TOLD = '    "{name} {host}:{port}" "{cookie}={replica}; Path=/; Secure; HttpOnly; SameSite=Lax";\n'
SERVER = """\
  server {{
    listen {host}:{port} backlog=4096;
{logs}{locations}  }}
"""
# What a server says of logs is instead of, not beside, what stands around it. A line of requests is written at once.
DETAILED = """\
    access_log {counts} port {buffering};
    access_log {requests} request;
"""
EVERYTHING = "    location / {{ {action} }}\n"


@dataclass(frozen=True, slots=True)
class Site:
    """One strategy's origin: its port, and the ports of its replicas (none yet: it answers 503)."""

    name: str
    port: int
    replicas: Mapping[str, int] = field(default_factory=dict)  # name -> port
    sticky: bool = False  # a client's route cookie names its replica
    edge: Edge | None = None  # it authenticates requests itself
    dealt: int = 0  # replicas that logins were minted for: where fewer run, those take the others' in turn
    method: Balancing = ROUND_ROBIN  # `cookie`: where the application sets none (`sticky`), the balancer itself does
    detailed: bool = False  # a line a request in `Nginx.requests_file` too


@dataclass(frozen=True, slots=True)
class Nginx:
    """One balancer that is to be."""

    program: Path
    folder: Path
    status_port: int

    @property
    def counts_file(self) -> Path:
        """A line a finished request: the port it came to, or `mark` and the id asked for."""
        return self.folder / "counts.log"

    @property
    def requests_file(self) -> Path:
        """A line `<X-Request-ID> <status> <upstream's status>` for each finished request to a detailed site."""
        return self.folder / "requests.log"

    def mark(self, identity: str) -> None:
        """Has a line `mark <identity>` written after those of all requests finished so far.

        Raises StackError where nginx does not answer.
        """
        if self._get(f"/mark?id={identity}") is None:
            raise StackError("nginx: does not answer on its own port")

    @property
    def configuration_file(self) -> Path:
        """What it reads at start and at every SIGHUP."""
        return self.folder / "nginx.conf"

    def configuration(self, sites: Sequence[Site], generation: str) -> str:
        """The whole configuration; a generation is named so that it can be asked which one is served."""
        return CONFIGURATION.format(
            folder=self.folder,
            host=LOOPBACK,
            status_port=self.status_port,
            counts=self.counts_file,
            buffering=BUFFERING,
            generation=generation,
            user=f"user nobody {nobodys_group()};" if os.geteuid() == 0 else "",
            proxy_headers="".join(f"  proxy_set_header {name} {value};\n" for name, value in PROXY_HEADERS),
            challenge=CHALLENGE if any(site.edge for site in sites) else "",
            servers="".join(self._blocks(site) for site in sites),
        )

    def write(self, sites: Sequence[Site], generation: str) -> None:
        """Replaces the configuration; a running nginx reads it at the next SIGHUP."""
        with writing(self.folder):
            self.folder.mkdir(mode=0o711, exist_ok=True)
            draft = self.configuration_file.with_suffix(".draft")
            draft.touch(mode=0o600)  # it may hold a secret
            draft.write_text(self.configuration(sites, generation), encoding="utf-8")
            draft.replace(self.configuration_file)

    def service(self, log: Path, generation: str, cores: tuple[int, ...], cpus: float | None = None) -> Service:
        """The balancer, with the configuration last written."""
        return Service(
            name=NAME,
            tier="lb",
            command=(str(self.program), "-p", str(self.folder), "-e", "stderr", "-c", str(self.configuration_file)),
            folder=self.folder,
            log=log,
            environment={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            ready=lambda: self.generation() == generation,
            cores=cores,
            cpus=cpus,
        )

    def generation(self) -> str | None:
        """Which configuration a new connection meets; None where nobody answers."""
        return self._get("/generation")

    def reload(self, running: Running, sites: Sequence[Site], generation: str) -> None:
        """Has it start afresh with these sites: when this returns, the old worker and its connections are gone.

        Raises StackError where that takes longer than 10 s.
        """
        before = running.pids() - {running.pid}
        self.write(sites, generation)
        running.send(signal.SIGHUP)
        deadline = time.monotonic() + RELOAD_S
        while before & table().keys() or self.generation() != generation:
            if running.exit_code() is not None:
                raise running.died("while it read its new configuration")
            if time.monotonic() > deadline:
                said = f"nginx: does not take its new configuration within {RELOAD_S:.0f} s"
                raise StackError(said, running.log_tail())
            time.sleep(PAUSE_S)

    def _blocks(self, site: Site) -> str:
        detailed = DETAILED.format(counts=self.counts_file, buffering=BUFFERING, requests=self.requests_file)
        return _blocks(site, detailed if site.detailed else "")

    def _get(self, path: str) -> str | None:
        connection = http.client.HTTPConnection(LOOPBACK, self.status_port, timeout=2)
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()


def _blocks(site: Site, logs: str) -> str:
    if not site.replicas:
        return SERVER.format(
            host=LOOPBACK, port=site.port, logs=logs, locations=EVERYTHING.format(action="return 503;")
        )
    blocks = [_upstream(site.name, site.replicas.values(), site.method)]
    target, told = site.name, ""
    if site.sticky or site.method == "cookie":
        target = "$to_" + site.name.replace("-", "_")
        blocks += [_upstream(name, [port]) for name, port in site.replicas.items()]
        blocks.append(ROUTES.format(target=target, anyone=site.name, routes=_routes(site)))
    if site.method == "cookie" and not site.sticky:
        route = "$route_of_" + site.name.replace("-", "_")
        blocks.append(TELLS.format(target=target, told=route, replicas=_told(site)))
        told = f" add_header Set-Cookie {route} always;"  # with a refusal too: whoever logs in then stays there
    locations = EVERYTHING.format(action=f"proxy_pass http://{target};{told}")
    if site.edge is not None:
        blocks.append(site.edge.upstream(site.name, KEPT_UPSTREAM))
        locations = site.edge.locations(site.name)
    blocks.append(SERVER.format(host=LOOPBACK, port=site.port, logs=logs, locations=locations))
    return "".join(blocks)


def _routes(site: Site) -> str:
    running = tuple(site.replicas)
    known = [*running, *(replica_name(site.name, n) for n in range(len(running) + 1, site.dealt + 1))]
    return "".join(
        ROUTE.format(cookie=ROUTE_COOKIE, name=name, replica=running[place % len(running)])
        for place, name in enumerate(known)
    )


def _told(site: Site) -> str:
    return "".join(
        TOLD.format(name=site.name, host=LOOPBACK, port=port, cookie=ROUTE_COOKIE, replica=replica)
        for replica, port in site.replicas.items()
    )


def _upstream(name: str, ports: Iterable[int], method: Balancing = ROUND_ROBIN) -> str:
    members = "".join(MEMBER.format(host=LOOPBACK, port=port) for port in ports)
    return UPSTREAM.format(name=name, picks=PICKS.get(method, ""), kept=KEPT_UPSTREAM, members=members)
