"""Child processes of the accuracy benchmark: started, asked until ready, always ended."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
READY_WITHIN_S = 15.0
ASK_EVERY_S = 0.02


@contextlib.contextmanager
def running(command: Sequence[str], **options: Any) -> Iterator["subprocess.Popen[bytes]"]:
    """A process in a group of its own, which is ended with all its children whatever happens."""
    process = subprocess.Popen(list(command), cwd=ROOT, start_new_session=True, **options)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


@contextlib.contextmanager
def serving(command: Sequence[str], port: int) -> Iterator[str]:
    """A server's URL, once it accepts connections. Raises RuntimeError where it does not come up."""
    with running(command, stdout=subprocess.DEVNULL) as process:
        until = time.monotonic() + READY_WITHIN_S
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                yield f"http://127.0.0.1:{port}"
                return
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{command[0]}: did not come up on port {port}")
            time.sleep(ASK_EVERY_S)


class Generator:
    """A generator process, asked over its pipes."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        self._read()

    def fire(self, **plan: Any) -> Mapping[str, Any]:
        """One window of load. Raises RuntimeError where the generator refuses."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"fire": plan}).encode() + b"\n")
        self._process.stdin.flush()
        answer = self._read()
        if "load" not in answer:
            raise RuntimeError(f"generator: {answer.get('error')}")
        load = answer["load"]
        assert isinstance(load, dict)
        return load

    def _read(self) -> Mapping[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the generator ended")
        answer = json.loads(line)
        assert isinstance(answer, dict)
        return answer


@contextlib.contextmanager
def generator(core: int | None = None) -> Iterator[Generator]:
    """A generator process, pinned to `core` where given."""
    command = [sys.executable, "-m", "loadtests.generator", *([] if core is None else ["--core", str(core)])]
    with running(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield Generator(process)


def free_port() -> int:
    """A TCP port that was free a moment ago, below the kernel's ephemeral range."""
    for port in range(20_000 + os.getpid() % 10_000, 32_000):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise RuntimeError("no free port below 32000")
