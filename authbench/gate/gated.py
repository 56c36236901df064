"""What the gate looks at: every figure once, with its tier, its unit and how it is judged."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Judged = Literal["exact", "ratio"]


@dataclass(frozen=True, slots=True)
class Gated:
    """One figure. `exact`: any increase counts; `ratio`: an increase beyond the largest regression allowed."""

    name: str
    label: str
    unit: str
    tier: int
    judged: Judged
    allowed: float | None = None  # share by which it may grow at least; None: what the gate allows in general


GATED: Mapping[str, Gated] = {
    gated.name: gated
    for gated in (
        Gated("statements_per_request", "SQL statements", "statements", 0, "exact"),
        Gated("transactions_per_request", "transactions", "transactions", 0, "exact"),
        Gated("connections_opened_per_request", "database connections opened", "connections", 0, "exact"),
        Gated("cache_commands_per_request", "cache commands", "commands", 0, "exact"),
        Gated("cache_connections_opened_per_request", "cache connections opened", "connections", 0, "exact"),
        Gated("answer_bytes", "bytes of the answer", "bytes", 0, "exact"),
        Gated("bytes_per_request", "bytes a request, both ways", "bytes", 0, "exact"),
        Gated("credential_bytes", "bytes of the credential", "bytes", 0, "exact"),
        Gated("python_calls_per_request", "Python calls", "calls", 0, "ratio"),
        Gated("bytecodes_per_request", "bytecodes", "bytecodes", 0, "ratio"),
        Gated("instructions_per_request", "CPU instructions", "instructions", 1, "ratio"),
        Gated("cpu_ms_per_request", "CPU, whole stack", "ms", 2, "ratio"),
        # What waits (a sleep, a lock, one more trip over the network) uses no CPU. On a shared machine time itself is
        # noisy, so the net is wide.
        Gated("elapsed_ms_per_request", "time from request to answer", "ms", 2, "ratio", allowed=0.25),
    )
}
CPU = "cpu_ms_per_request"
ELAPSED = "elapsed_ms_per_request"
