"""A window's tally as the bench's record of it: counts, rates, histograms. Pure.

Rates under `rate`. The window ends drained, so its last answers come after the plan's end: right answers divided by
the whole window would make any slow server look as if it could not keep up. Hence `steady_span_s`: the plan's length,
or, where answers fell behind, the time in which 99 % of them came less their mean latency. `achieved_rps` and
`in_flight_mean` both refer to it, so that Little's law (in flight = rate x latency) relates one to the other.
In flight means from the INTENDED start under `rate`, from the actual send under `saturate`, to the answer or its loss.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from loadtests.histogram import encode
from loadtests.outcome import FAILED, OK, REFUSED, UNKNOWN
from loadtests.plan import Plan
from loadtests.prepared import Expected
from loadtests.tally import Columns, Spent, Tally

NS = 1_000_000_000
CREATED = 201  # what a request is answered that has made something
KEPT_UP = 0.99  # share of the right answers that says how long the answers took to come


def load_record(
    plan: Plan, tally: Tally, spent: Spent, timer: str, requests: Sequence[Expected] = ()
) -> Mapping[str, Any]:
    """The fields of `authbench.records.Load`. Times within are measured with one clock, the monotonic one.

    `requests`: the cycle that was sent, by number.
    """
    columns = tally.columns()
    is_open = plan.model == "rate"
    right = columns.outcome == OK
    latency = (columns.end - columns.start)[right]
    service = (columns.end - columns.send)[right]
    was_sent = columns.send > 0
    window_s = float(columns.end.max() - columns.start.min()) / NS
    plan_s = len(tally) / plan.rate_rps if is_open and plan.rate_rps else window_s
    span_s = steady_span_s(columns, plan_s) if is_open else window_s
    counts = np.bincount(columns.outcome, minlength=UNKNOWN + 1).tolist()
    busy_s = spent.cpu_ns / NS
    return {
        "model": plan.model,
        "target_rps": plan.rate_rps if is_open else None,
        "connections": plan.connections,
        "arrivals": plan.arrivals if is_open else "closed",
        "window_s": window_s,
        "sent": int(was_sent.sum()),
        "ok": counts[OK],
        "refused": counts[REFUSED],
        "failed": counts[FAILED],
        "unknown": counts[UNKNOWN],
        "offered_rps": len(tally) / plan_s,
        "achieved_rps": counts[OK] / span_s,
        "latency_hist": encode(latency),
        "service_hist": encode(service),
        "lateness_hist": encode((columns.send - columns.start)[was_sent]),
        "in_flight_mean": float((columns.end - columns.start).sum()) / NS / span_s,
        "half_service_us": half_service_us(columns),
        "bytes_out": spent.bytes_out,
        "bytes_in": spent.bytes_in,
        "connections_opened": spent.connections_opened,
        "by_replica": tally.by_replica(),
        "service_us_by_replica": tally.service_us_by_replica(),
        "generator_cpu_s": busy_s,
        "generator_busy": busy_s / window_s,
        "timer": timer,
        "failures": dict(tally.kinds),
        **created(columns, requests),
    }


def created(columns: Columns, requests: Sequence[Expected]) -> Mapping[str, int]:
    """How many requests that create something were acknowledged, and of how many others nobody knows what they did.

    An answer that is not the right one may come after the row was written, and so may none.
    """
    creating = [request.number for request in requests if request.status == CREATED]
    mine = np.isin(columns.number, creating)
    sent = mine & (columns.send > 0)
    right = columns.outcome == OK
    return {"created": int((mine & right).sum()), "created_unsure": int((sent & ~right).sum())}


def steady_span_s(columns: Columns, plan_s: float) -> float:
    """Seconds in which the right answers came, the drain left out; `plan_s` where they kept up with the plan."""
    right = columns.outcome == OK
    ends = np.sort(columns.end[right])
    if not ends.size:
        return plan_s
    at = int(np.ceil(KEPT_UP * ends.size))
    latency_ns = float((columns.end - columns.start)[right].mean())
    came_ns = float(ends[at - 1] - columns.start.min()) - latency_ns
    return max(plan_s, came_ns / NS * ends.size / at)


def half_service_us(columns: Columns) -> tuple[float, float]:
    """Mean service time of right answers to requests sent in the first and in the second half of the window."""
    right = columns.outcome == OK
    if not right.any():
        return (0.0, 0.0)
    service, send = (columns.end - columns.send)[right] / 1000, columns.send[right]
    early = send < (int(columns.start.min()) + int(columns.end.max())) // 2
    whole = float(service.mean())
    return tuple(float(service[half].mean()) if half.any() else whole for half in (early, ~early))  # type: ignore[return-value]
