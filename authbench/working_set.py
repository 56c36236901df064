"""Which credentials a workload's requests carry: what decides whether a cache of verified credentials finds one.

METHOD.md: where a cache stands in the path, hot, cold and worst case (every token unique) are separate cells.

- own: all live sessions in turn, one request file over and over.
- hot: a few users, whose credentials any cache holds.
- unique: so many in turn that a cache of fewer than UNIQUE_A_PROCESS a process, filled by one round beforehand, has
  dropped each before it comes again.
- cold: each is sent for the first time to the processes of its launch.
"""

from dataclasses import dataclass
from typing import Literal

WorkingSet = Literal["own", "hot", "unique", "cold"]

# The generator cycles through this many prepared requests: more than the requests of most windows.
PREPARED = 4_000
HOT_USERS = 8
UNIQUE_A_PROCESS = 2_000
WARM_UP_REQUESTS_A_WORKER = 200  # of processes that have not served this workload before
REWARM_REQUESTS = 20  # of processes that have: caches and kept connections come back
COLD_REQUESTS = 500  # of a cold window, at least; it ends early where its credentials are used up


@dataclass(frozen=True, slots=True)
class Extent:
    """How many requests are prepared, and from how many users' credentials."""

    requests: int
    users: int


@dataclass(frozen=True, slots=True)
class Launched:
    """What one launch has of a strategy: its processes, and the most windows of one workload that they serve."""

    processes: int
    windows: int

    @property
    def warm_up_requests(self) -> int:
        """Requests of the first warm-up."""
        return WARM_UP_REQUESTS_A_WORKER * self.processes


def extent(kind: WorkingSet, live_sessions: int, launched: Launched) -> Extent:
    """What a working set takes of the live sessions; they are at least `fewest_sessions`."""
    match kind:
        case "hot":
            return Extent(PREPARED, HOT_USERS)
        case "unique":
            return Extent(fewest_sessions(kind, launched), fewest_sessions(kind, launched))
        case "cold":
            return Extent(live_sessions, live_sessions)
        case _:
            return Extent(PREPARED, live_sessions)


def fewest_sessions(kind: WorkingSet, launched: Launched) -> int:
    """How many live sessions a working set needs."""
    match kind:
        case "hot":
            return HOT_USERS
        case "unique":
            return UNIQUE_A_PROCESS * launched.processes
        case "cold":
            return launched.warm_up_requests + launched.windows * (REWARM_REQUESTS + COLD_REQUESTS)
        case _:
            return 1
