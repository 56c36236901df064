"""Kernel timers of the monotonic clock as file descriptors; Python offers them from 3.13 on, before, libc is called."""

import ctypes
import os
import time
from collections.abc import Callable
from typing import Any

NS = 1_000_000_000
_TFD_TIMER_ABSTIME = 1


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Itimerspec(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("value", _Timespec))


def open_timerfd() -> tuple[int, Callable[[int], object]]:
    """A timer's file descriptor and what sets it to a time in nanoseconds (0: unset); setting clears an expiry.

    Raises OSError or AttributeError where the system has none.
    """
    system: Any = os
    if hasattr(system, "timerfd_create"):
        fd = int(system.timerfd_create(time.CLOCK_MONOTONIC, flags=os.O_NONBLOCK | os.O_CLOEXEC))
        return fd, lambda at_ns: system.timerfd_settime_ns(fd, flags=_TFD_TIMER_ABSTIME, initial=at_ns)
    libc = ctypes.CDLL(None, use_errno=True)
    fd = int(libc.timerfd_create(time.CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC))
    if fd < 0:
        raise OSError(ctypes.get_errno(), "timerfd_create")
    spec = _Itimerspec()
    address, value, settime = ctypes.byref(spec), spec.value, libc.timerfd_settime

    def set_time(at_ns: int) -> None:
        value.seconds, value.nanoseconds = divmod(at_ns, NS)
        settime(fd, _TFD_TIMER_ABSTIME, address, None)

    return fd, set_time
