"""A bench to be interrupted: starts the shared parts and a stand-in replica, tells each phase, stays until it is ended.

`python -m tests.integration.bench [--no-cgroups] [--held]`. Prints one JSON line a phase. `--held`: with its stores
stopped (SIGSTOP) and, where it may, a small file system over one of its folders.
"""

import contextlib
import json
import signal
import sys
import threading

from authbench.backends.parts import start_parts
from authbench.stack import stack as stack_module
from authbench.stack.budget import Accounting
from authbench.stack.mounts import mount_small
from authbench.stack.nginx import Site
from authbench.stack.service import Service
from authbench.stack.stack import Stack

REPLICA = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for _ in range(2):
    if os.fork() == 0:
        os.setsid()  # as a worker that has left its master's session
        time.sleep(600)
open(sys.argv[1], "w").close()
time.sleep(600)
"""


def tell(phase: str, **more: object) -> None:
    print(json.dumps({"phase": phase, **more}), flush=True)


class ToldStack(Stack):
    """Says when it begins what takes a while."""

    def __enter__(self) -> "ToldStack":
        super().__enter__()
        tell(
            "folder",
            watchdog=self._watchdog.pid,
            folder=str(self.folder),
            locks=str(self.ports.folder),
            cgroups=[str(path) for path in self.accounting.parents(self.name)],
        )
        return self

    def run(self, *commands: Service, at_once: int = 1) -> None:
        threading.Timer(0.05, tell, [commands[0].name]).start()
        super().run(*commands, at_once=at_once)

    def close(self) -> None:
        if not self._closed:
            tell("closing")
        super().close()


def hold(stack: Stack) -> None:
    """As faults leave a stack that is ended in the middle of them."""
    covered = stack.private / "sessions"
    covered.mkdir()
    stack.unmount_at_end(covered)
    with contextlib.suppress(PermissionError):  # not root
        mount_small(covered, 1 << 20)
        (covered / "session").write_bytes(bytes(4096))
    for name in ("postgres", "valkey", "replica"):
        stack.running(name).pause()


def main() -> None:
    if "--no-cgroups" in sys.argv:
        stack_module.accounting = lambda: Accounting("schedstat")
    with ToldStack() as stack:
        site = Site("strategy", stack.ports.take())
        parts = start_parts(stack, 20, [site], "1")
        mark = stack.private / "up"
        stack.start(
            Service(
                name="replica",
                tier="app",
                command=(sys.executable, "-c", REPLICA, str(mark)),
                folder=stack.folder,
                log=stack.log("replica"),
                ready=mark.exists,
            )
        )
        ports = [site.port, parts.postgres.port, parts.valkey.port, parts.nginx.status_port]
        with parts.postgres.connect():
            if "--held" in sys.argv:
                hold(stack)
            tell("ready", ports=ports)
            signal.pause()


if __name__ == "__main__":
    main()
