"""Other load generators, run the same way, to compare with: what a request costs their process, by the kernel."""

import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Rival = Callable[[str, int, float, int | None], Row | None]

LOCUSTFILE = """
from locust import FastHttpUser, task

class Stock(FastHttpUser):
    @task
    def whoami(self):
        self.client.get("/api/whoami")
"""


def stock_locust(url: str, connections: int, seconds: float, core: int | None) -> Row | None:
    """Locust's own FastHttpUser, headless. CPU a request includes its start, about a second of it."""
    with tempfile.TemporaryDirectory(prefix="authbench-stock-") as name:
        path = Path(name) / "locustfile.py"
        path.write_text(LOCUSTFILE)
        users = str(connections)
        command = [sys.executable, "-m", "locust", "-f", str(path), "--host", url, "--headless", "--json"]
        command += ["-u", users, "-r", users, "-t", f"{max(round(seconds), 2)}s", "--only-summary"]
        output, cpu_s = _run(command, core, name)
    try:
        rows = json.loads(output[output.index("[") :])
        count, span = rows[0]["num_requests"], rows[0]["last_request_timestamp"] - rows[0]["start_time"]
    except (ValueError, LookupError):
        return None
    return {"client": "locust (stock)", "achieved_rps": count / span, "cpu_us_per_request": cpu_s / count * 1e6}


def wrk(url: str, connections: int, seconds: float, core: int | None) -> Row | None:
    """wrk, one thread, where installed. Its text is read by its one stable line; nothing depends on it."""
    program = shutil.which("wrk")
    if program is None:
        return None
    seconds_given = max(round(seconds), 1)
    command = [program, "-t1", f"-c{connections}", f"-d{seconds_given}", f"{url}/api/whoami"]
    output, cpu_s = _run(command, core, "/")
    found = re.search(r"(\d+) requests in ([\d.]+)s", output)
    if not found:
        return None
    count, span = int(found[1]), float(found[2])
    return {"client": "wrk", "achieved_rps": count / span, "cpu_us_per_request": cpu_s / count * 1e6}


def _run(command: Sequence[str], core: int | None, folder: str) -> tuple[str, float]:
    """Standard output and CPU seconds of a finished process."""
    if core is not None and shutil.which("taskset"):
        command = ["taskset", "-c", str(core), *command]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=folder, env=environment, check=False
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout.decode(errors="replace"), after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
