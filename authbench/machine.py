"""What machine this is, which source this is, and which cores serve whom."""

import os
import platform
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import psutil

from authbench.records import Machine
from authbench.stack.replicas import ROOT

LIBRARIES = (
    *("django", "psycopg", "redis", "gunicorn", "pyjwt", "apig-wsgi", "awslambdaric"),
    *("locust", "gevent", "httptools", "hdrhistogram"),
)


@dataclass(frozen=True, slots=True)
class Cores:
    """Which cores serve the stack, and which one the generator and the bench. Empty and None: no pinning."""

    stack: tuple[int, ...]
    generator: int | None

    def described(self) -> str:
        """One phrase for a caption."""
        if self.generator is None:
            return "one core for all: the generator competes with the stack"
        return f"stack on core {', '.join(map(str, self.stack))}; generator and bench on core {self.generator}"


def split_cores(available: frozenset[int]) -> Cores:
    """The last core for the generator, the others for the stack; no pinning where there is only one."""
    ordered = sorted(available)
    if len(ordered) < 2:
        return Cores((), None)
    return Cores(tuple(ordered[:-1]), ordered[-1])


def this_machine(cores: Cores) -> Machine:
    """The machine, as /proc and the platform tell it."""
    return Machine(
        cpu_model=_cpu_field("model name") or platform.processor() or platform.machine(),
        cores=len(os.sched_getaffinity(0)) if cores.generator is None else len(cores.stack) + 1,
        memory_bytes=psutil.virtual_memory().total,
        kernel=platform.release(),
        system=platform.freedesktop_os_release().get("PRETTY_NAME", platform.system()),
        python=platform.python_version(),
        hypervisor=_hypervisor(),
        pinning=cores.described(),
    )


def library_versions() -> dict[str, str]:
    """The libraries whose version is part of the result."""
    return {name: version(name) for name in LIBRARIES}


def source_state() -> tuple[str | None, bool | None]:
    """(commit, whether the work tree differs from it); None, None outside a git checkout."""
    commit = _git("rev-parse", "HEAD")
    if commit is None:
        return None, None
    return commit, bool(_git("status", "--porcelain", "--untracked-files=no"))


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _cpu_field(name: str) -> str | None:
    for line in _lines(Path("/proc/cpuinfo")):
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return None


def _hypervisor() -> str | None:
    if "hypervisor" in (_cpu_field("flags") or "").split():
        vendor = next(iter(_lines(Path("/sys/devices/virtual/dmi/id/sys_vendor"))), "").strip()
        return f"virtual machine ({vendor})" if vendor else "virtual machine"
    return None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
