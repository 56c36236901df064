"""The programs that the backends and the gate start: which ones, which version, whose."""

import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from importlib.machinery import ModuleSpec
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from authbench.doctor.finding import Finding, Told, about
from authbench.errors import StackError
from authbench.stack.accounts import unprivileged
from authbench.stack.binaries import NGINX, OPENBAO, POSTGRES, VALKEY, Part, find, version_of

ANSWERS_WITHIN_S = 10.0


def embedded(environment: Mapping[str, str] = os.environ) -> list[Finding]:
    """What the embedded backend needs; it cannot run where one of them is poor."""
    return [*(program(part, environment) for part in (POSTGRES, VALKEY, NGINX)), account()]


def program(part: Part, environment: Mapping[str, str] = os.environ) -> Finding:
    """One program of the embedded backend: its version and whose it is."""

    @about(part.name, "a part of the embedded backend; its version is part of the result")
    def read() -> Told:
        try:
            path = find(part, environment)
            return Told("good", f"{version_of(path)}, {_whose(part, path, environment)}")
        except StackError as error:
            return Told("poor", str(error), f"install the wheel {part.wheel}, or set {part.variable}")

    return read()


@about(OPENBAO.name, 'keeps the secrets where a scenario says `secrets = ["openbao"]`; nothing else needs it')
def openbao(environment: Mapping[str, str] = os.environ) -> Told:
    """Whether it is there and runs, its version and whose it is."""
    try:
        path = find(OPENBAO, environment)
        return Told("good", f"{version_of(path)}, {_whose(OPENBAO, path, environment)}")
    except StackError as error:
        return Told("fair", str(error), f"install the wheel {OPENBAO.wheel}, or set {OPENBAO.variable}")


@about("account", "PostgreSQL refuses to run as root and gets an account of its own there")
def account() -> Told:
    """As whom the parts run, and whether that account gets to the folder of the stack."""
    try:
        other = unprivileged()
        if other is None:
            return Told("good", f"all parts run as this user (uid {os.geteuid()})")
        other.require_way_to(Path(tempfile.gettempdir()))
    except StackError as error:
        return Told("poor", str(error), "run as an ordinary user, or set TMPDIR to a folder that all may enter")
    return Told("good", f"root; PostgreSQL runs as {other.name}")


@about("docker", "only the backend `compose` needs it; the embedded one measures the same parts")
def docker(which: Callable[[str], str | None] = shutil.which) -> Told:
    """Whether a Docker engine answers and has compose."""
    if which("docker") is None:
        return Told("fair", "not here", "install Docker with compose if you want that backend; otherwise nothing")
    engine = _first_line("docker", "info", "--format", "{{.ServerVersion}}")
    if engine is None:
        return Told("fair", "the program is here, but no engine answers", "start the engine if you want that backend")
    compose = _first_line("docker", "compose", "version", "--short")
    if compose is None:
        return Told("fair", f"engine {engine}, without compose", "install the compose plugin for that backend")
    return Told("good", f"engine {engine}, compose {compose}")


@about("valgrind", "counts a request's instructions for tier 1 of the gate, which noise cannot touch")
def valgrind(which: Callable[[str], str | None] = shutil.which) -> Told:
    """Whether it is there and runs."""
    if which("valgrind") is None:
        return Told("fair", "not here: the gate has no tier 1", "`apt-get install valgrind`")
    told = _first_line("valgrind", "--version")
    if told is None:
        return Told("fair", "here, but it does not run", "`valgrind --version` says why; reinstall it")
    return Told("good", told.removeprefix("valgrind-"))


def _whose(part: Part, path: Path, environment: Mapping[str, str]) -> str:
    if environment.get(part.variable):
        return f"named by {part.variable} ({path})"
    spec = importlib.util.find_spec(part.package)
    if spec is not None and any(path.is_relative_to(Path(each).resolve()) for each in _places(spec)):
        try:
            return f"from the wheel {part.wheel} {version(part.wheel)}"
        except PackageNotFoundError:
            return f"from the package {part.package}"
    return f"from PATH ({path})"


def _places(spec: ModuleSpec) -> list[str]:
    return list(spec.submodule_search_locations or ())


def _first_line(*command: str) -> str | None:
    """What the command prints; None where it fails or does not answer in time."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=ANSWERS_WITHIN_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return next(iter(done.stdout.strip().splitlines()), None)
