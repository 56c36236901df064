"""Where a cold start went: what the function itself timed, and what the runtime API saw of it."""

import re
from collections.abc import Mapping

from authbench.experiments.serverless.function import Served
from authbench.experiments.serverless.instance import NS_PER_MS
from authbench.experiments.serverless.measures import (
    COLD,
    COLD_CPU,
    CONNECTION,
    DJANGO,
    FIRST,
    IMPORT,
    INTERPRETER,
    KEYS,
    REQUEST,
)

ENTRY = re.compile(r"([a-z]+);dur=([0-9.]+)")
TOLD = {"interpreter": INTERPRETER, "import": IMPORT, "django": DJANGO, "connection": CONNECTION, "keys": KEYS}
MAY_LACK = frozenset({CONNECTION, KEYS})


def cold_values(served: Served) -> dict[str, float | None]:
    """The phases of a first answer, in milliseconds; the request's is what remains, so that together they are all.

    Its instance has to be frozen: CPU counts up to there. Raises ValueError where the answer does not tell.
    """
    told = server_timing(served.answer.header("Server-Timing"))
    try:
        cold_ms = served.exchange.answered_ns / NS_PER_MS - told["bootstrapped"]
        phases = {measure: told[name] for name, measure in TOLD.items()}
        cpu_ms = served.instance.cpu_ns() / NS_PER_MS - told["before"]
    except KeyError as error:
        raise ValueError(f"the first answer does not tell its cold start: {error} is missing") from error
    return {
        COLD.name: cold_ms,
        **{each.name: ms if ms or each not in MAY_LACK else None for each, ms in phases.items()},
        REQUEST.name: cold_ms - sum(phases.values()),
        COLD_CPU.name: cpu_ms,
        FIRST.name: served.request_ms,
    }


def server_timing(header: str) -> Mapping[str, float]:
    """Name -> duration in milliseconds of a `Server-Timing` header (W3C)."""
    return {name: float(duration) for name, duration in ENTRY.findall(header)}
