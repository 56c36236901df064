"""One replica of the shop: gunicorn with a strategy's settings, told everything else by its environment."""

import http.client
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from apps.contract import registry
from apps.contract.endpoints import REPLICA_HEADER
from authbench.stack.ports import LOOPBACK
from authbench.stack.service import Service

ROOT = Path(registry.__file__).resolve().parents[2]  # the folder that holds `apps`
WSGI = "apps.shop.wsgi"
# Nothing else of the user's environment reaches a replica: neither secrets nor switches that change what is measured.
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONPATH")


@dataclass(frozen=True, slots=True)
class Application:
    """What all replicas of one strategy have in common. `name`: as the stack calls it, mostly the strategy's own."""

    strategy: str
    settings: str  # dotted module
    environment: Mapping[str, str] = field(repr=False)
    name: str = ""
    python: str = sys.executable
    serve: tuple[str, ...] = ("-m", "gunicorn", "-c", "apps/shop/gunicorn.conf.py")
    wsgi: str = WSGI
    root: Path = ROOT

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
            command=(self.python, *self.serve, "--bind", f"{LOOPBACK}:{port}", self.wsgi),
            folder=self.root,
            log=log,
            environment=self.variables(name),
            ready=lambda: _is_healthy(port, name),
            ready_within_s=ready_within_s,
            stop_signal=signal.SIGKILL,  # it leaves nothing behind; an orderly end takes half a second each
            cores=cores,
            cpus=cpus,
        )


def replica_name(strategy: str, number: int) -> str:
    """`session-db-1`."""
    return f"{strategy}-{number}"


def _is_healthy(port: int, name: str) -> bool:
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
