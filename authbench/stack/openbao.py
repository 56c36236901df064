"""OpenBao: the server that keeps secrets, in memory only, loopback only, sealed until the bench opens it.

What its `-dev` mode does, except that nothing is printed: there the unseal key and the root token go to the terminal.
"""

import http.client
import json
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from authbench.stack.diagnosis import writing
from authbench.stack.ports import LOOPBACK
from authbench.stack.service import Service

NAME = "openbao"
SETTINGS: Mapping[str, str] = {
    "storage": "inmem",
    "tls_disable": "true",
    "default_lease_ttl": "1h",
    "ui": "false",
    "log_level": "warn",
}
SOFTENED = (
    "OpenBao: its storage is memory, it is unsealed with one key that the bench holds, it has no audit device and no "
    "replica. Connections are not encrypted."
)
ANSWERING = (200, 429, 472, 473, 501, 503)  # /sys/health: whatever state it is in, it listens


@dataclass(frozen=True, slots=True)
class OpenBao:
    """One server that is to be."""

    program: Path
    folder: Path
    port: int
    cluster_port: int  # taken too, though nothing joins: by default it would be the next one

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{LOOPBACK}:{self.port}"

    def service(self, log: Path, cores: tuple[int, ...], cpus: float | None = None) -> Service:
        """The server. Writes its configuration, which holds no secret."""
        path = self.folder / "openbao.json"
        listener = {
            "address": f"{LOOPBACK}:{self.port}",
            "cluster_address": f"{LOOPBACK}:{self.cluster_port}",
            "tls_disable": True,
        }
        configuration = {
            "storage": {SETTINGS["storage"]: {}},
            "listener": [{"tcp": listener}],
            "api_addr": self.url,
            "cluster_addr": f"https://{LOOPBACK}:{self.cluster_port}",
            "default_lease_ttl": SETTINGS["default_lease_ttl"],
            "ui": False,
            "log_level": SETTINGS["log_level"],
            # Its own counts of calls; they would be forgotten after a day.
            "telemetry": {"prometheus_retention_time": "24h", "disable_hostname": True},
        }
        with writing(self.folder):
            self.folder.mkdir(mode=0o700)
            path.write_text(json.dumps(configuration), encoding="utf-8")
        return Service(
            name=NAME,
            tier="vault",
            command=(str(self.program), "server", f"-config={path}"),
            folder=self.folder,
            log=log,
            environment={"PATH": os.defpath, "HOME": str(self.folder), "LC_ALL": "C", "TZ": "UTC"},
            ready=self._listens,
            stop_signal=signal.SIGKILL,  # it keeps nothing that could be left half written
            cores=cores,
            cpus=cpus,
        )

    def _listens(self) -> bool:
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=1)
        try:
            connection.request("GET", "/v1/sys/health", headers={"Connection": "close"})
            return connection.getresponse().status in ANSWERING
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
