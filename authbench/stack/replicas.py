"""One replica of the shop: gunicorn with a strategy's settings, told everything else by its environment."""

import http.client
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from apps.contract import registry
from apps.contract.endpoints import REPLICA_HEADER
from apps.contract.registry import SHOP, Server
from authbench.stack.ports import LOOPBACK
from authbench.stack.service import Service

ROOT = Path(registry.__file__).resolve().parents[2]  # the folder that holds `apps`
ASGI = "apps.shop.asgi:application"
GUNICORN = ("-m", "gunicorn", "-c", "apps/shop/gunicorn.conf.py")
# What gunicorn.conf.py says, in uvicorn's words.
UVICORN = (
    *("-m", "uvicorn", "--loop", "uvloop", "--http", "httptools", "--ws", "none"),
    *("--no-access-log", "--log-level", "warning"),
    *("--timeout-keep-alive", "75", "--proxy-headers", "--forwarded-allow-ips", LOOPBACK),
)
# Nothing else of the user's environment reaches a replica: neither secrets nor switches that change what is measured.
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONPATH")


@dataclass(frozen=True, slots=True)
class Application:
    """What all replicas of one strategy have in common. `name`: as the stack calls it, mostly the strategy's own."""

    strategy: str
    settings: str  # dotted module
    environment: Mapping[str, str] = field(repr=False)
    name: str = ""
    python: str = sys.executable  # of management commands
    serving_python: str = sys.executable
    server: Server = "gunicorn"
    serves: str = SHOP  # what the server imports
    wsgi: str = SHOP  # what is counted in process
    root: Path = ROOT

    def command(self, port: int) -> tuple[str, ...]:
        """What serves it on that port of the loopback address."""
        if self.asgi:
            workers = ("--workers", self.environment.get("AUTHBENCH_WORKERS", "1"))
            return (self.serving_python, *UVICORN, *workers, "--host", LOOPBACK, "--port", str(port), ASGI)
        if self.server == "uvicorn":
            return (self.serving_python, *UVICORN, "--host", LOOPBACK, "--port", str(port), self.serves)
        return (self.serving_python, *GUNICORN, "--bind", f"{LOOPBACK}:{port}", self.serves)

    @property
    def asgi(self) -> bool:
        """Whether the deployment wants Django's own ASGI application; gunicorn.conf.py reads the other levels.

        Other applications have one way to be served, which is theirs at every level.
        """
        return self.server == "gunicorn" and self.serves == SHOP and self.environment.get("AUTHBENCH_SERVING") == "asgi"

    def variables(self, replica: str) -> dict[str, str]:
        """The whole environment of one replica, or of a management command of that name."""
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        return {
            **inherited,
            "PYTHONPATH": os.pathsep.join(filter(None, (str(self.root), os.environ.get("PYTHONPATH")))),
            "DJANGO_SETTINGS_MODULE": self.settings,
            "AUTHBENCH_STRATEGY": self.strategy,
            "AUTHBENCH_REPLICA": replica,
            "AUTHBENCH_WSGI": self.wsgi,
            **self.environment,
        }

    def service(
        self,
        number: int,
        port: int,
        log: Path,
        cores: tuple[int, ...],
        cpus: float | None,
        ready_within_s: float = 30.0,
    ) -> Service:
        """Replica `number`, counted from 1."""
        name = replica_name(self.name or self.strategy, number)
        return Service(
            name=name,
            tier="app",
            command=self.command(port),
            folder=self.root,
            log=log,
            environment=self.variables(name),
            ready=lambda: is_healthy(port, name),
            ready_within_s=ready_within_s,
            stop_signal=signal.SIGKILL,  # it leaves nothing behind; an orderly end takes half a second each
            cores=cores,
            cpus=cpus,
        )

    def auth_service(
        self, urlconf: str, port: int, log: Path, cores: tuple[int, ...], ready_within_s: float = 30.0
    ) -> Service:
        """The auth service that stands beside the replicas: the same application under other addresses."""
        name = auth_service_name(self.name or self.strategy)
        return Service(
            name=name,
            tier="auth",
            command=(self.python, *GUNICORN, "--bind", f"{LOOPBACK}:{port}", SHOP),
            folder=self.root,
            log=log,
            # It counts its calls in one process (`apps/services/calls.py`), however many a replica has.
            environment={**self.variables(name), "AUTHBENCH_URLCONF": urlconf, "AUTHBENCH_WORKERS": "1"},
            ready=lambda: is_healthy(port, name),
            ready_within_s=ready_within_s,
            stop_signal=signal.SIGKILL,
            cores=cores,
        )


def skewed(service: Service, ahead_s: float) -> Service:
    """The same with a clock that is ahead: every server here is started as `python -m MODULE …`."""
    python, module, *arguments = service.command
    assert module == "-m"
    return replace(service, command=(python, "-m", "apps.services.skewed", str(ahead_s), *arguments))


def auth_service_name(strategy: str) -> str:
    """`opaque-introspection-auth`."""
    return f"{strategy}-auth"


def replica_name(strategy: str, number: int) -> str:
    """`session-db-1`."""
    return f"{strategy}-{number}"


def is_healthy(port: int, name: str) -> bool:
    """Whether the process of that name answers there that it is ready."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", "/healthz", headers={"Connection": "close"})
        answer = connection.getresponse()
        answer.read()
        return answer.status == 200 and answer.getheader(REPLICA_HEADER) == name
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
