"""Real-time priority for a process that has a core to itself and sleeps most of the time.

A generator that others keep from its core starts requests late and reads answers late, and both would be charged to
the server. Measured beside 8 runnable processes on 2 cores: p99 lateness 1 to 5 ms without, 0.03 to 0.07 ms with.
"""

import contextlib
import os
from collections.abc import Iterator

LOWEST = 1


@contextlib.contextmanager
def real_time(wanted: bool = True) -> Iterator[bool]:
    """Runs the block ahead of all ordinary processes, where the system allows it; tells whether it does.

    Only for a pinned process that does not use its core up: it would starve whatever shares that core.
    """
    raised = False
    if wanted:
        with contextlib.suppress(OSError, AttributeError):
            os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(LOWEST))
            raised = True
    try:
        yield raised
    finally:
        if raised:
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
