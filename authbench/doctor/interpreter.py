"""The interpreter that runs the replicas, and whether its memory lies elsewhere at every start."""

import os
import platform
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from authbench.doctor.finding import Told, about

RANDOMIZE = Path("/proc/sys/kernel/randomize_va_space")
SLOWING = ("PYTHONDEVMODE", "PYTHONTRACEMALLOC", "PYTHONASYNCIODEBUG", "PYTHONMALLOC", "PYTHONPROFILEIMPORTTIME")
NO_RANDOMIZE = 0x0040000  # ADDR_NO_RANDOMIZE, personality(2)
ASKING = f"import ctypes, sys; sys.exit(ctypes.CDLL(None).personality({NO_RANDOMIZE:#x}) == -1)"


@about("Python", "replicas, generator and bench run on it; a debug build costs several times the CPU")
def python(
    built: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] = os.environ,
    version: str = platform.python_version(),
) -> Told:
    """Its version, and whether it was built or is started in a way that slows it."""
    settings = sysconfig.get_config_vars() if built is None else built
    slow = [f"{name} is set" for name in SLOWING if environment.get(name)]
    if settings.get("Py_GIL_DISABLED"):
        slow.append("built without the GIL")
    found = f"{platform.python_implementation()} {version}"
    if settings.get("Py_DEBUG"):
        return Told("poor", f"{found}, a debug build", "install a release build and make the environment anew")
    if slow:
        return Told("poor", f"{found}, {', '.join(slow)}", "unset it, or take an ordinary build, as production does")
    if "--enable-optimizations" not in str(settings.get("CONFIG_ARGS", "")):
        return Told(
            "fair",
            f"{found}, built without --enable-optimizations",
            "take a distribution's or uv's Python for absolute figures; comparisons within one run hold",
            "everything costs some 10 to 20 % more CPU than under the interpreters that production runs",
        )
    return Told("good", f"{found}, a release build")


@about("address randomisation", "each start gets another memory layout, worth 1 to 4 % of CPU: hence several launches")
def randomisation(file: Path = RANDOMIZE, ask: str = ASKING) -> Told:
    """Whether it is on, as in production, and whether one process can be started without it, for the gate's tier 1."""
    level = int(file.read_text(encoding="utf-8"))
    refused = subprocess.run([sys.executable, "-I", "-S", "-c", ask], check=False, timeout=20).returncode != 0
    one = "cannot be switched off for one process" if refused else "can be switched off for one process"
    if level < 2:
        return Told(
            "fair",
            f"level {level}; {one}",
            f"as root: `echo 2 > {RANDOMIZE}`",
            "every launch has the same layout: one bias in all of them, and no interval shows it",
        )
    if refused:
        return Told(
            "fair",
            f"on; {one}",
            "in a container allow personality(2): docker `--security-opt seccomp=unconfined`",
            "instruction counts (the gate's tier 1) vary a little from run to run",
        )
    return Told("good", f"on; {one}")
