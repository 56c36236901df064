"""The two builds: a git worktree of each commit, and the Python that serves it."""

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from authbench.errors import StackError, UsageError
from authbench.progress import Watcher
from authbench.stack.diagnosis import writing
from authbench.stack.replicas import ROOT
from authbench.stack.stack import PREFIX
from authbench.stack.watchdog import Watchdog

LOCK = "requirements.lock"
SOMEBODY = ("-c", "user.name=authbench", "-c", "user.email=authbench@localhost")
GIT_WITHIN_S = 120
INSTALL_WITHIN_S = 900


@dataclass(frozen=True, slots=True)
class Tree:
    """One side's source, and how it is called in a report."""

    root: Path
    python: str
    commit: str
    told: str  # `main (1234567)`, `work tree (on 1234567, 2 files changed)`


def repository(start: Path) -> Path:
    """The checkout that is gated: the one around `start` where it holds a shop, else the one authbench runs from.

    Raises UsageError where neither is a git checkout.
    """
    told = "no git checkout of the shop"
    for folder in (start, ROOT):
        try:
            top = Path(_git(folder, "rev-parse", "--show-toplevel"))
        except UsageError as error:
            told = str(error)
            continue
        if (top / "apps" / "contract" / "registry.py").is_file():
            return top
    raise UsageError(f"--against: there is no commit to compare with here: {told}")


@contextlib.contextmanager
def guarded_folder() -> Iterator[Path]:
    """A folder for the block, gone afterwards even where the bench is killed. Raises StackError where there is none."""
    watchdog = Watchdog()
    try:
        with writing(Path(tempfile.gettempdir())):
            folder = Path(tempfile.mkdtemp(prefix=PREFIX))
            watchdog.remove(folder)
        yield folder
    finally:
        watchdog.finish()


@contextlib.contextmanager
def worktrees(repo: Path, against: str, folder: Path, watcher: Watcher) -> Iterator[tuple[Tree, Tree]]:
    """(base, candidate) below `folder` while the block runs: the commit `against`, and the work tree as it stands.

    Raises UsageError where there is no such commit, StackError where a build cannot be made.
    """
    base_commit = _commit(repo, against)
    candidate_commit, told = _as_it_stands(repo, folder)
    _forget_killed_gates(repo)
    roots = {"base": folder / "base", "cand": folder / "cand"}  # names of one length
    try:
        for commit, root in ((base_commit, roots["base"]), (candidate_commit, roots["cand"])):
            _git(repo, "-c", "core.hooksPath=/dev/null", "worktree", "add", "--detach", "--force", str(root), commit)
        pythons = _pythons(roots["base"], roots["cand"], watcher)
        yield (
            Tree(roots["base"], pythons[0], base_commit, f"{against} ({base_commit[:9]})"),
            Tree(roots["cand"], pythons[1], candidate_commit, told),
        )
    finally:
        for root in roots.values():
            with contextlib.suppress(UsageError):
                _git(repo, "worktree", "remove", "--force", str(root))
            shutil.rmtree(root, ignore_errors=True)


def _forget_killed_gates(repo: Path) -> None:
    """Worktrees of ours whose folder is gone; `git worktree prune` would forget the user's on an absent disk too."""
    listed = _git(repo, "worktree", "list", "--porcelain").splitlines()
    for root in (Path(line.partition(" ")[2]) for line in listed if line.startswith("worktree ")):
        if root.parent.name.startswith(PREFIX) and not root.exists():
            with contextlib.suppress(UsageError):
                _git(repo, "worktree", "remove", "--force", str(root))


def _commit(repo: Path, name: str) -> str:
    try:
        return _git(repo, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    except UsageError:
        raise UsageError(
            f"--against {name}: no such commit in {repo}; in CI fetch it first (fetch-depth: 0, or git fetch origin)"
        ) from None


def _as_it_stands(repo: Path, scratch: Path) -> tuple[str, str]:
    """The commit of the work tree, with what has changed in it, and what it is called.

    Files that git does not track count below `apps`, which is what is measured. Nothing of the user's is touched: the
    commit is made from an index of its own, and no branch and no stash knows it.
    """
    head = _git(repo, "rev-parse", "HEAD")
    changed = len(_git(repo, "status", "--porcelain").splitlines())
    if not changed:
        return head, f"HEAD ({head[:9]})"
    index = {"GIT_INDEX_FILE": str(scratch / "index")}
    try:
        _git(repo, "read-tree", "HEAD", more=index)
        _git(repo, "add", "--update", more=index)
        _git(repo, "add", "--all", "--", *(name for name in ("apps", LOCK) if (repo / name).exists()), more=index)
        tree = _git(repo, "write-tree", more=index)
    finally:
        (scratch / "index").unlink(missing_ok=True)
    commit = _git(repo, *SOMEBODY, "commit-tree", "-p", head, "-m", "authbench gate", tree)
    return commit, f"work tree on {head[:9]}, {changed} file{'s' if changed != 1 else ''} changed"


def _pythons(base: Path, candidate: Path, watcher: Watcher) -> tuple[str, str]:
    """The running Python for both where both lock the same libraries, else an environment of each one's own lock."""
    locks = [_read(root / LOCK) for root in (base, candidate)]
    if locks[0] == locks[1]:
        return sys.executable, sys.executable
    watcher.say(f"{LOCK} differs: each side gets an environment of its own")
    base_python, candidate_python = (environment(lock, watcher) for lock in locks)
    return base_python, candidate_python


def environment(lock: bytes | None, watcher: Watcher, cache: Path | None = None) -> str:
    """The Python of a virtual environment with exactly what the lock names; made once a lock and kept in the cache.

    Raises StackError where it cannot be made.
    """
    if lock is None:
        raise StackError(f"one side has no {LOCK}, so its libraries are unknown")
    cache = cache or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "authbench" / "environments"
    digest = hashlib.sha256(lock + sys.version.encode()).hexdigest()[:16]
    folder = cache / digest
    python = folder / "bin" / "python"
    if (folder / "complete").is_file():
        return str(python)
    watcher.phase(f"building the environment {digest}")
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / LOCK).write_bytes(lock)
        _run(sys.executable, "-m", "venv", str(folder))
        _run(
            *(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--require-hashes", "--requirement", str(folder / LOCK)),
        )
        (folder / "complete").touch()
    except OSError as error:
        raise StackError(f"{folder}: cannot write ({error.strerror})") from error
    return str(python)


def _run(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_WITHIN_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise StackError(f"{' '.join(command[:4])}: not done after {INSTALL_WITHIN_S} s") from error
    if done.returncode:
        raise StackError(
            f"{' '.join(command[:4])}: exit code {done.returncode}", "\n".join(done.stderr.splitlines()[-5:])
        )


def _git(folder: Path, *arguments: str, more: Mapping[str, str] | None = None) -> str:
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=GIT_WITHIN_S,
            check=False,
            env={**os.environ, **(more or {})},
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise UsageError(f"git cannot be run: {error}") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        told = " ".join(each for each in arguments if not each.startswith("-"))[:60]
        raise UsageError(f"git {told}: {said[-1] if said else f'exit code {done.returncode}'}")
    return done.stdout.strip()


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
