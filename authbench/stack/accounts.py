"""Which user a part runs as. PostgreSQL refuses to run as root, so under root it gets an unprivileged account."""

import grp
import os
import pwd
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from authbench.errors import StackError

CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """A user of this machine."""

    name: str
    uid: int
    gid: int

    def own(self, path: Path) -> None:
        """Makes the account the owner of that file or folder."""
        os.chown(path, self.uid, self.gid)

    def can_reach(self, path: Path) -> bool:
        """Whether every folder on the way lets the account through, and the file itself may be read or entered."""
        resolved = path.resolve()
        return all(self._may(folder, 0o1) for folder in resolved.parents) and self._may(resolved, 0o5)

    def require_way_to(self, folder: Path) -> None:
        """Raises StackError where the account may not pass through to what lies in the folder."""
        for closed in (each for each in (*reversed(folder.resolve().parents), folder) if not self._may(each, 0o1)):
            raise StackError(
                f"{closed}: PostgreSQL does not run as root, and its account {self.name} may not pass through this "
                "folder; set TMPDIR to one that others may enter, such as /tmp"
            )

    def _may(self, path: Path, wanted: int) -> bool:
        status = path.stat()
        mode = stat.S_IMODE(status.st_mode)
        if status.st_uid == self.uid:
            mode >>= 6
        elif status.st_gid == self.gid:
            mode >>= 3
        return mode & wanted == wanted


def unprivileged() -> Account | None:
    """The account for parts that must not run as root; None where the bench does not run as root itself.

    Raises StackError where there is no such account.
    """
    if os.geteuid() != 0:
        return None
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise StackError(f"running as root, but there is no account {' or '.join(CANDIDATES)} to run PostgreSQL as")


def nobodys_group() -> str:
    """The group of `nobody`: Debian calls it nogroup, others nobody. Raises StackError where there is neither."""
    for name in ("nogroup", "nobody"):
        try:
            return grp.getgrnam(name).gr_name
        except KeyError:
            continue
    raise StackError("running as root, but there is no group nogroup or nobody to run nginx's worker as")


def within_reach(program: Path, account: Account | None, copies: Path) -> Path:
    """The program, or a copy of its whole installation where the account cannot get to it (a clone in /root, say).

    An installation is the folder above the program's `bin`, and beside its package the wheel's `<package>.libs`.
    """
    if account is None or account.can_reach(program):
        return program
    installation = program.parent.parent
    package = installation.parent
    target = copies / package.name / installation.name
    ignore = shutil.ignore_patterns("include", "*.a", "__pycache__")
    shutil.copytree(installation, target, symlinks=True, ignore=ignore)
    libraries = package.with_name(package.name + ".libs")
    if libraries.is_dir():
        shutil.copytree(libraries, copies / libraries.name)
    for path in (copies, *copies.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
    return target / program.parent.name / program.name
