"""Files that a process holds by a lock, which the kernel lets go of however the process ends.

Only the standard library, since the watchdog runs on this file too.
"""

import contextlib
import fcntl
import os
from pathlib import Path


def hold(path: Path) -> int | None:
    """A descriptor that holds the file until it is closed; None where another process holds it.

    Makes the file and its folder where they are missing. Raises OSError where that is not possible.
    """
    while True:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except FileNotFoundError:
            continue  # somebody has just removed the empty folder
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        with contextlib.suppress(FileNotFoundError):
            if os.fstat(descriptor).st_ino == path.stat().st_ino:
                return descriptor
        os.close(descriptor)  # its last holder removed it between our two steps


def release(path: Path, descriptor: int) -> None:
    """Removes the file while it is still held, so that nobody gets hold of a removed one, then lets go."""
    path.unlink(missing_ok=True)
    os.close(descriptor)


def prune(folder: Path) -> None:
    """Removes the files that nobody holds, and the folder where none is left."""
    for path in folder.glob("*"):
        with contextlib.suppress(OSError):
            descriptor = hold(path)
            if descriptor is not None:
                release(path, descriptor)
    with contextlib.suppress(OSError):
        folder.rmdir()
