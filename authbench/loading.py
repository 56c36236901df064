"""`authbench load`: one URL, one window, and whether its numbers count."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from authbench.analysis.validity import load_reasons
from authbench.errors import UsageError
from authbench.generator import Fire, Generator
from authbench.histogram import decode
from authbench.machine import split_cores
from authbench.metric import QUANTILES
from authbench.records import Load
from authbench.target import Destination, checked_target
from authbench.workload import Request, write_requests

OPEN_MODEL_POOL = 1_000
WARM_UP_S = 0.3


@dataclass(frozen=True, slots=True)
class Target:
    """What the user wants loaded."""

    url: str
    headers: tuple[str, ...] = ()  # `Name: value`
    allowed: frozenset[str] = frozenset()  # hosts off loopback that the user says may be loaded


def load_url(
    target: Target, *, rate: float | None, saturate: int | None, duration_s: float, arrivals: str, seed: int
) -> dict[str, Any]:
    """The answer of `authbench load --json` (DESIGN.md). One of `rate` and `saturate` is given.

    Off loopback the target is asked for its consent first (docs/safety.md). Raises UsageError for a target that may
    not be loaded, StackError where the generator fails.
    """
    destination = checked_target(target.url, target.allowed)
    cores = split_cores(frozenset(os.sched_getaffinity(0)))
    with tempfile.TemporaryDirectory(prefix="authbench-load-") as name:
        folder = Path(name)
        requests = folder / "requests.jsonl"
        write_requests(requests, iter([_request(target, destination)]))
        plan = Fire(
            url=destination.origin,
            elsewhere=not destination.is_loopback,
            requests=str(requests),
            model="saturate" if rate is None else "rate",
            connections=saturate or OPEN_MODEL_POOL,
            rate_rps=rate,
            arrivals=arrivals,
            duration_s=duration_s,
            seed=seed,
        )
        with Generator(folder / "generator.log", cores.generator) as generator:
            generator.fire(plan.model_copy(update={"duration_s": min(WARM_UP_S, duration_s)}))
            return answer(generator.fire(plan))


def answer(load: Load) -> dict[str, Any]:
    """A window's load as DESIGN.md fixes it. Times in milliseconds, CPU in microseconds."""
    reasons = [reason.message for reason in load_reasons(load)]
    return {
        "model": load.model,
        "requests": load.sent,
        "failures": load.refused + load.failed + load.unknown,
        "offered_rps": load.offered_rps,
        "achieved_rps": load.achieved_rps,
        "latency_ms": _quantiles(load.latency_hist),
        "service_ms": _quantiles(load.service_hist),
        "lateness_ms": _quantiles(load.lateness_hist),
        "cpu_us_per_request": load.generator_cpu_s * 1e6 / load.sent if load.sent else 0.0,
        "valid": not reasons,
        "reasons": reasons,
        "kinds_of_failure": dict(load.failures),
        "timer": load.timer,
    }


def _quantiles(payload: str) -> dict[str, float | None]:
    """Milliseconds; None where no answer was right."""
    histogram = decode(payload)
    values = {name: histogram.quantile_us(share) for name, share in QUANTILES.items()} | {"max": histogram.max_us()}
    return {name: None if not histogram.total else (value or 0.0) / 1000 for name, value in values.items()}


def _request(target: Target, destination: Destination) -> Request:
    parts = urlsplit(target.url)
    headers = []
    for header in target.headers:
        name, colon, value = header.partition(":")
        if not colon or not name.strip() or "\n" in header or "\r" in header:
            raise UsageError(f"--header {name!r}: write 'Name: value'")
        headers.append((name.strip(), value.strip()))
    if not any(name.lower() == "host" for name, _ in headers):
        headers.append(("Host", destination.authority))  # as the user wrote it: the address alone may mean another site
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Request("GET", path, tuple(headers), None, 200, None, None)
