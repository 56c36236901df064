"""Virtual environments for servers whose packages do not fit beside the bench's own: built on demand, kept, and whole.

An environment is what `apps/services/<name>.lock` names, with hashes, for the Python that runs the bench. It lies in
the user's cache folder under a name that changes with lock and Python, so that one that is there is never out of date.
It is built beside its place and renamed into it: what has that name is whole.
"""

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import uv

from authbench.errors import StackError
from authbench.stack import locks
from authbench.stack.diagnosis import writing
from authbench.stack.replicas import ROOT

BUILT_WITHIN_S = 300.0
ASK_AGAIN_S = 0.2  # whether another run has finished building the same one
SERVICES = ROOT / "apps" / "services"
CURE = "it needs a package index once: check the network, or name a mirror with UV_DEFAULT_INDEX"


def _silent(line: str) -> None:
    """Says nothing."""


def interpreter_of(name: str, say: Callable[[str], None] = _silent, services: Path = SERVICES) -> Path:
    """The Python of the environment `name`, which is built where it is not there: that takes seconds and a network.

    `say` hears of a build. Two runs at once build it once. Raises StackError where it cannot be built within 300 s.
    """
    folder = place_of(name, services)
    if not _is_built(folder):
        ends = time.monotonic() + BUILT_WITHIN_S
        with writing(folder.parent):
            folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _held(folder.with_name(f"{folder.name}.lock"), name, ends, say):
                if not _is_built(folder):
                    say(f"building the environment {name} in {folder}")
                    _build(name, services, folder, ends)
    return _python(folder)


def why_missing(name: str, services: Path = SERVICES) -> str | None:
    """None where the environment is built, else one line that says what it lacks. Builds nothing, asks no network."""
    try:
        built = _is_built(place_of(name, services))
    except StackError as error:
        return str(error)
    return None if built else f"its environment {name} is not built yet; the first run builds it, and {CURE}"


def place_of(name: str, services: Path = SERVICES) -> Path:
    """The folder of an environment, whether it is there or not. Raises StackError where nothing locks its packages."""
    lock = services / f"{name}.lock"
    try:
        content = lock.read_bytes()
    except OSError as error:
        raise StackError(f"{lock}: {error.strerror}; it names the packages of the environment {name}") from error
    digest = hashlib.sha256(content + sys.version.encode() + sys.base_prefix.encode()).hexdigest()[:16]
    return _cache() / "environments" / f"{name}-{digest}"


def _cache() -> Path:
    if own := os.environ.get("AUTHBENCH_CACHE"):
        return Path(own).absolute() / "authbench"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "authbench"


@contextlib.contextmanager
def _held(lock: Path, name: str, ends: float, say: Callable[[str], None]) -> Iterator[None]:
    """Waits for the lock, which the kernel lets go of however its holder ends. Raises StackError."""
    waited = False
    while (descriptor := locks.hold(lock)) is None:
        if not waited:
            say(f"waiting for another run that builds the environment {name}")
            waited = True
        if time.monotonic() >= ends:
            raise StackError(
                f"environment {name}: another run has been building it for {BUILT_WITHIN_S:.0f} s ({lock})"
            )
        time.sleep(ASK_AGAIN_S)
    try:
        yield
    finally:
        locks.release(lock, descriptor)


def _build(name: str, services: Path, folder: Path, ends: float) -> None:
    for left in folder.parent.glob(f"{folder.name}.building-*"):  # of builds that were killed: the lock is ours
        shutil.rmtree(left, ignore_errors=True)
    building = Path(tempfile.mkdtemp(prefix=f"{folder.name}.building-", dir=folder.parent))
    try:
        lock = building / "requirements.lock"
        shutil.copyfile(services / f"{name}.lock", lock)
        made = building / "environment"
        # Relocatable, since it is renamed. Bytecode now, so that the first replica does not write it while it starts.
        _uv(name, ends, "venv", "--relocatable", "--python", sys.executable, str(made))
        _uv(
            *(name, ends, "pip", "install", "--python", str(_python(made)), "--compile-bytecode"),
            # What builds a package is held to the hashes too.
            *("--require-hashes", "--requirements", str(lock), "--build-constraints", str(lock)),
        )
        shutil.rmtree(folder, ignore_errors=True)
        made.rename(folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _uv(name: str, ends: float, *arguments: str) -> None:
    """Raises StackError with uv's last line."""
    told = f"environment {name}: uv {arguments[0]}"
    # Not where a project's own uv settings would be read, and with no environment chosen but ours.
    variables = {
        key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")
    }
    try:
        done = subprocess.run(
            [uv.find_uv_bin(), "--quiet", "--no-progress", "--color", "never", *arguments],
            cwd=tempfile.gettempdir(),
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=max(0.0, ends - time.monotonic()),
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise StackError(f"{told}: not done within {BUILT_WITHIN_S:.0f} s; {CURE}") from error
    except OSError as error:  # uv's FileNotFoundError too
        raise StackError(f"{told}: cannot run uv ({error}); install the wheel uv") from error
    if done.returncode:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        raise StackError(f"{told}: exit code {done.returncode}: {_cause(said)}; {CURE}", "\n".join(said[-5:]))


def _cause(said: list[str]) -> str:
    """uv writes what failed first, and what that comes from below it, the deepest cause last."""
    if not said:
        return "it wrote nothing"
    failed, *causes = [said[0].removeprefix("error: "), *(line for line in said if line.startswith("cause: "))]
    return f"{failed} ({causes[-1].removeprefix('cause: ')})" if causes else failed


def _is_built(folder: Path) -> bool:
    """Not where the Python that it was made from is gone: its own is a link to that."""
    return _python(folder).exists()


def _python(folder: Path) -> Path:
    return folder / "bin" / "python"
