"""The running mesh: a gateway, services behind it, and the auth service where the way has one, on fresh processes."""

import http.client
import json
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authbench.backends.embedded import EmbeddedStack
from authbench.errors import StackError
from authbench.experiments.services.ways import MESH, Role, Secrets, Way
from authbench.records import Tier
from authbench.stack.ports import LOOPBACK
from authbench.stack.replicas import GUNICORN, is_healthy
from authbench.stack.service import Service

GATEWAY, AUTH = "mesh-gateway", "mesh-auth"
TIERS: Mapping[Role, Tier] = {"gateway": "lb", "service": "app", "auth": "auth"}
READY_S, READY_PER_SERVICE_S, TIMEOUT_S = 30.0, 5.0, 5.0
# Of what a replica of the users' strategy is told: stores and how it serves. No key, no secret.
TOLD = (
    "AUTHBENCH_DATABASE_URL",
    "AUTHBENCH_CACHE_URL",
    "AUTHBENCH_CONN_MAX_AGE",
    "AUTHBENCH_THREADS",
    "AUTHBENCH_STRATEGY",
    "AUTHBENCH_REPLICA",
    "AUTHBENCH_JWT_LIFETIME_S",
)


@dataclass(frozen=True, slots=True)
class Received:
    """What the services together have received so far, or between two readings."""

    requests: int
    header_bytes: int
    connections: int
    most_connections: int  # of one service, so far

    def since(self, before: "Received") -> "Received":
        """What was added."""
        return Received(
            self.requests - before.requests,
            self.header_bytes - before.header_bytes,
            self.connections - before.connections,
            self.most_connections,
        )


class Mesh:
    """Starts the processes of one way at a time, always on the same ports. `services`: how many."""

    def __init__(self, stack: EmbeddedStack, services: int) -> None:
        self._stack = stack
        self._secrets = Secrets()
        self._services = {f"mesh-{number}": stack.take_port() for number in range(1, services + 1)}
        self._ports = {GATEWAY: stack.take_port(), **self._services, AUTH: stack.take_port()}
        self.way: Way | None = None  # that runs

    @property
    def url(self) -> str:
        """The gateway's."""
        return self.url_of(GATEWAY)

    def url_of(self, process: str) -> str:
        """Of any process, `mesh-3` for the third service."""
        return f"http://{LOOPBACK}:{self._ports[process]}"

    def start(self, way: Way) -> None:
        """Fresh processes for this way, in place of those running. Raises StackError."""
        self.stop()
        roles: dict[str, Role] = {GATEWAY: "gateway", **dict.fromkeys(self._services, "service")}
        if way.auth:
            roles[AUTH] = "auth"
        self._stack.start(*(self._process(way, name, role) for name, role in roles.items()))
        self.way = way

    def stop(self) -> None:
        """Ends them; may be called when there are none."""
        self._stack.stop(*self._ports)
        self.way = None

    def received(self) -> Received:
        """By all services. Raises StackError where one does not answer."""
        counts = [self._asked(name, "/counts") for name in self._services]
        return Received(
            sum(int(each["requests"]) for each in counts),
            sum(int(each["header_bytes"]) for each in counts),
            sum(int(each["connections"]) for each in counts),
            max(int(each["connections"]) for each in counts),
        )

    def received_at_gateway(self) -> tuple[int, int]:
        """Requests and their header bytes. Raises StackError where it does not answer."""
        counts = self._asked(GATEWAY, "/counts")
        return int(counts["requests"]), int(counts["header_bytes"])

    def auth_calls(self) -> int:
        """That the auth service has answered so far; 0 where there is none. Raises StackError where it does not."""
        return int(self._asked(AUTH, "/calls")["calls"]) if self.way is not None and self.way.auth else 0

    def _process(self, way: Way, name: str, role: Role) -> Service:
        application, port = self._stack.application(way.strategy), self._ports[name]
        return Service(
            name=name,
            tier=TIERS[role],
            command=(application.python, *GUNICORN, "--bind", f"{LOOPBACK}:{port}", f"{MESH}.wsgi"),
            folder=application.root,
            log=self._stack.log(name),
            environment=self.environment(way, name, role),
            ready=lambda: is_healthy(port, name),
            ready_within_s=READY_S + READY_PER_SERVICE_S * len(self._services),
            stop_signal=signal.SIGKILL,  # it leaves nothing behind
            cores=self._stack.cores,
        )

    def environment(self, way: Way, name: str, role: Role) -> dict[str, str]:
        """All that a process is told."""
        application = self._stack.application(way.strategy)
        variables = application.variables(name)
        told = {key: value for key, value in variables.items() if not key.startswith("AUTHBENCH_") or key in TOLD}
        known = self._secrets.known(application.environment, self.url_of(AUTH))
        urls = {"gateway": f"{MESH}.gateway", "service": f"{MESH}.service", "auth": way.auth}
        place = {} if role == "auth" else {"AUTHBENCH_MESH_NUMBER": "0" if role == "gateway" else name.split("-")[1]}
        return {
            **told,
            # Sessions carry a hash made with it; nothing else here is signed with it.
            "AUTHBENCH_SECRET_KEY": variables["AUTHBENCH_SECRET_KEY"] if way.asks_database else self._secrets.django,
            "DJANGO_SETTINGS_MODULE": way.settings,
            "AUTHBENCH_URLCONF": urls[role],
            "AUTHBENCH_WORKERS": "1",  # each counts what one process receives
            "AUTHBENCH_MESH_SERVICES": ",".join(f"{LOOPBACK}:{port}" for port in self._services.values()),
            **place,
            **{key: known[key] for key in way.knows.get(role, ())},
        }

    def _asked(self, process: str, path: str) -> Mapping[str, Any]:
        try:
            status, body = _get(self._ports[process], path)
            answer = json.loads(body)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._stack.check()  # where it has died, its log says more
            raise StackError(f"{process}: does not tell what it has received ({error})") from error
        if status != 200 or not isinstance(answer, dict):
            raise StackError(f"{process}: answers {status} when asked what it has received")
        return answer


def _get(port: int, path: str) -> tuple[int, bytes]:
    """Status and body."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
