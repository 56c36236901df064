"""A small file system in memory over a folder, where this machine lets us: that takes root (CAP_SYS_ADMIN)."""

import ctypes
import os
from pathlib import Path

MS_NOSUID, MS_NODEV, MS_NOEXEC = 2, 4, 8


def mount_small(folder: Path, size_bytes: int) -> None:
    """Covers what the folder holds by an empty file system of that size, which its owner alone can enter.

    `Stack.unmount_at_end` is to be told beforehand. Raises OSError, EPERM where it is not allowed.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    flags = ctypes.c_ulong(MS_NOSUID | MS_NODEV | MS_NOEXEC)
    options = f"size={size_bytes},mode=0700,nr_inodes=0".encode()  # as many files as there is room for
    if libc.mount(b"authbench", os.fsencode(folder), b"tmpfs", flags, options) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
