"""The folder of session files gets full: a small file system over it, and a file that takes all of its space.

Mounting takes root (CAP_SYS_ADMIN). A limit on the size of files (RLIMIT_FSIZE) would do without, but it ends in EFBIG
or a signal, which is not what a full disk says: where nothing can be mounted, `why_not` says so.
"""

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from authbench.backends.embedded import EmbeddedStack
from authbench.errors import StackError
from authbench.faults.fault import Fault
from authbench.stack.mounts import mount_small
from authbench.stack.watchdog import unmount

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
ROOM_BYTES = 4 << 20  # beside the sessions that are there: for those to come until it is full, and afterwards
BALLAST = "ballast"  # no session's name: those begin with the cookie's


class Fill:
    """`prepare` puts the sessions on the small file system, `begin` fills it, `end` makes room, `close` takes it away.

    While sessions move from one file system to the other the strategy's replicas stand still (milliseconds), so that
    none is lost by the move itself.
    """

    def __init__(self, stack: EmbeddedStack, strategy: str, fault: Fault) -> None:
        self._stack = stack
        self._strategy = strategy
        self._fault = fault
        self._folder = stack.session_folder(strategy)
        self._mounted = False

    def why_not(self) -> str | None:
        """Found by trying."""
        if self._mounted:
            return None
        trial = self._stack.folder / "mount-trial"
        trial.mkdir(exist_ok=True)
        try:
            self._mount(trial, PAGE_BYTES)
        except OSError as error:
            said = os.strerror(error.errno or 0)
            return f"{self._fault.name}: cannot be injected here: mounting a small file system takes root ({said})"
        else:
            unmount(str(trial))
        finally:
            trial.rmdir()
        return None

    def prepare(self) -> None:
        """From now on the folder has room for the sessions that it holds and 4 MiB."""
        if self._mounted:
            return
        with self._still(), _opened(self._folder) as before:
            try:
                self._mount(self._folder, _needed_bytes(before) + ROOM_BYTES)
                self._mounted = True
                _copy(before, self._folder)
            except OSError as error:
                self._unmount()
                raise StackError(f"{self._fault.name}: the sessions cannot be moved: {error}") from error

    def begin(self) -> None:
        """Returns when not one byte more can be written."""
        self.prepare()
        blocks = b"\0" * (64 * PAGE_BYTES)
        descriptor = os.open(self._ballast, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            while True:
                os.write(descriptor, blocks)  # what is less than asked for fits; the next one is refused
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise StackError(f"{self._fault.name}: cannot be filled: {error}") from error
        finally:
            os.close(descriptor)

    def end(self) -> None:
        """Makes room."""
        self._ballast.unlink(missing_ok=True)

    def close(self) -> None:
        """Takes the small file system away; the sessions that are on it by now stay, and no others."""
        if not self._mounted:
            return
        with self._still(), _opened(self._folder) as small:
            self._unmount()
            for old in self._folder.iterdir():
                old.unlink()
            _copy(small, self._folder)

    @property
    def _ballast(self) -> Path:
        return self._folder / BALLAST

    def _mount(self, folder: Path, size_bytes: int) -> None:
        """Raises OSError."""
        self._stack.unmount_at_end(folder)  # said first: it may be the last thing that the bench does
        mount_small(folder, size_bytes)

    def _unmount(self) -> None:
        if self._mounted:
            unmount(str(self._folder))
            self._mounted = False

    @contextlib.contextmanager
    def _still(self) -> Iterator[None]:
        """The replicas that run stand still meanwhile."""
        running = [
            self._stack.running(name) for name in self._stack.replica_names(self._strategy) if name in self._stack.tiers
        ]
        try:
            for each in running:
                each.pause()
            yield
        finally:
            for each in running:
                each.resume()


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[Path]:
    """Another way to what the folder is now, whatever is mounted over it, or taken away, later."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield Path(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)


def _needed_bytes(folder: Path) -> int:
    """What its files take in whole pages."""
    return sum(-(-each.stat().st_size // PAGE_BYTES) * PAGE_BYTES for each in folder.iterdir())


def _copy(source: Path, target: Path) -> None:
    """Every file with its times, since a session's age is its file's."""
    for each in source.iterdir():
        if each.name != BALLAST:
            shutil.copy2(each, target / each.name)
