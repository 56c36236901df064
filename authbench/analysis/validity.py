"""When a trial does not count (METHOD.md): one small rule a reason, each with a stable code.

Pure: a trial goes in, reasons come out; the runner writes them into the record. Such a trial is kept and named, never
ranked. Every rule passes AT its bound and fails beyond it.
"""

import math
from collections.abc import Callable
from typing import Annotated

from pydantic import Field

from authbench.analysis.fidelity import orders_differ, too_many_errors, uneven_replicas, wrong_user
from authbench.histogram import decode
from authbench.records import Frozen, Load, Reason, Trial

# The two halves of a window differ by sampling alone. Measured spreads of service time on shared machines are half to
# once the mean (CV 0.5..1), so that halves of 250 requests differ by 4..9 % (one standard error) and halves of 100 by
# 7..14 %: two to four standard errors lie near these two floors. Calibration replaces them.
HALVES_NOISE_SHORT = 0.30
HALVES_NOISE_LONG = 0.15
LONG_WINDOW_REQUESTS = 500
# Where the window's own spread says that sampling alone may do more than the floor, that bound holds: dropping windows
# for having a stall in one half would remove the very tail that is to be measured.
HALVES_STANDARD_ERRORS = 4.0

Share = Annotated[float, Field(ge=0, le=1)]


class Limits(Frozen):
    """The bounds of METHOD.md; a scenario or a calibration may set others."""

    lateness_p99_us: float = 1000.0
    lateness_of_p50: Share = 0.05  # median lateness over p50 latency
    lateness_of_p99: Share = 0.10  # p99 lateness over p99 latency
    generator_busy: Share = 0.85  # of one core, in `rate`
    achieved_of_offered: Share = 0.99
    errors: Share = 0.001
    steal: Share = 0.02
    others_cpu: Share = 0.05  # of the stack's cores' time; a quiet machine's own threads took 0.0 to 0.3 % of a window
    fair_share: tuple[float, float] = (0.70, 1.30)
    uneven: Annotated[float, Field(ge=1)] = 2.0  # mean service time of a replica over the fastest's
    round_robin: bool = True  # False under sticky routing: shares are then nobody's promise
    littles_law: Share = 0.05
    halves_noise: float | None = None  # as calibrated; None: the two defaults above


def reasons_against(
    trial: Trial,
    limits: Limits | None = None,
    *,
    expires_in_s: float | None = None,
    verified: bool = True,
    generator_died: str | None = None,
) -> tuple[Reason, ...]:
    """All reasons why the trial does not count; empty where it does.

    `expires_in_s`: seconds from the window's start until the first credential in use expires; None: none expires.
    `verified`: whether conformance had passed for this cell. `generator_died`: how, where it did; then nothing is known
    of the window, and nothing else is said about it. Reasons already in the trial are not looked at.
    """
    if generator_died is not None:
        return (_reason("generator-died", f"the window was lost: {generator_died}"),)
    limits = limits or Limits()
    found = [rule(trial, limits) for rule in TRIAL_RULES] if trial.load.sent else []
    found += [_credential_expiring(trial, expires_in_s), _not_verified(verified)]
    return (*load_reasons(trial.load, limits), *(reason for reason in found if reason is not None))


def load_reasons(load: Load, limits: Limits | None = None) -> tuple[Reason, ...]:
    """The reasons that the load alone can give, where there is no stack of ours around it (`authbench load`)."""
    if not load.sent:
        return (_reason("no-requests", "no request was sent in the window"),)
    found = [rule(load, limits or Limits()) for rule in LOAD_RULES]
    return tuple(reason for reason in found if reason is not None)


def machine_reasons(
    steal_share: float, others_cpu_share: float | None, limits: Limits | None = None
) -> tuple[Reason, ...]:
    """What took the machine's time away in a window; for windows that are no trials too.

    Both shares are from 0 to 1: of all cores' time, and of the stack's cores' (None: it cannot be known).
    """
    limits = limits or Limits()
    found = (_steal(steal_share, limits), _cpu_contended(others_cpu_share, limits))
    return tuple(reason for reason in found if reason is not None)


def generator_late(load: Load, limits: Limits) -> Reason | None:
    """Requests started later than planned: latency would hold the generator's own delay. Open model only.

    Like is compared with like: a late start moves a quantile of latency by about the same quantile of lateness. (p99
    lateness against p50 latency would ask for 50 µs where an answer takes 1 ms: less than a timer of a small virtual
    machine keeps, so that the fastest strategies would never be valid.)
    """
    if load.model != "rate":
        return None
    lateness, latency = decode(load.lateness_hist), decode(load.latency_hist)
    late = lateness.quantile_us(0.99)
    if late is not None and late > limits.lateness_p99_us:
        return _reason("generator-late", f"p99 lateness {late:.0f} µs is over {limits.lateness_p99_us:.0f} µs")
    for name, share, allowed in (("p50", 0.5, limits.lateness_of_p50), ("p99", 0.99, limits.lateness_of_p99)):
        late, taken = lateness.quantile_us(share), latency.quantile_us(share)
        if late is not None and taken is not None and late > allowed * taken:
            return _reason(
                "generator-late",
                f"{name} lateness {late:.0f} µs is over {100 * allowed:.0f} % of the {name} latency {taken:.0f} µs",
            )
    return None


def generator_busy(load: Load, limits: Limits) -> Reason | None:
    """The generator's core had no room left in `rate`. Under `saturate` it only lowers the rate."""
    if load.model != "rate" or load.generator_busy <= limits.generator_busy:
        return None
    return _reason(
        "generator-busy",
        f"generator's core {100 * load.generator_busy:.1f} % busy, over {100 * limits.generator_busy:.0f} %",
    )


def rate_not_reached(load: Load, limits: Limits) -> Reason | None:
    """The open model's rate was not answered: its latency is that of a queue that grows."""
    if load.model != "rate" or load.achieved_rps >= limits.achieved_of_offered * load.offered_rps:
        return None
    return _reason("rate-not-reached", f"{load.achieved_rps:.1f} of {load.offered_rps:.1f} offered requests/s answered")


def steal(trial: Trial, limits: Limits) -> Reason | None:
    """The hypervisor gave the machine's time to others."""
    return _steal(trial.steal_share, limits)


def cpu_contended(trial: Trial, limits: Limits) -> Reason | None:
    """Processes of neither the stack nor the bench used the stack's cores."""
    return _cpu_contended(trial.others_cpu_share, limits)


def replica_restarted(trial: Trial, limits: Limits) -> Reason | None:  # noqa: ARG001
    """A replica was replaced within the window: its processes are not those that were warmed up."""
    count = trial.replicas_restarted
    return _reason("replica-restarted", f"{count} replica(s) restarted in the window") if count else None


def unfair_share(trial: Trial, limits: Limits) -> Reason | None:
    """A replica got far more or less than its part under round robin."""
    replicas = int(trial.cell.get("replicas", len(trial.load.by_replica)))
    total = sum(trial.load.by_replica.values())
    if not limits.round_robin or replicas < 2 or not total:
        return None
    low, high = limits.fair_share
    shares = {name: count * replicas / total for name, count in trial.load.by_replica.items()}
    silent = replicas - len(shares)
    outside = sorted(name for name, share in shares.items() if not low <= share <= high)
    if silent <= 0 and not outside:
        return None
    told = [f"{name} got {100 * shares[name]:.0f} % of its fair share" for name in outside]
    told += [f"{silent} of {replicas} replicas answered nothing"] if silent > 0 else []
    return _reason("unfair-share", "; ".join(told))


def unsteady(load: Load, limits: Limits) -> Reason | None:
    """The window's halves disagree by more than noise: it was not steady (METHOD.md: warm up until steady)."""
    first, second = load.half_service_us
    middle = (first + second) / 2
    if middle <= 0:
        return None
    difference, bound = abs(first - second) / middle, halves_bound(load, limits)
    if difference <= bound + 1e-9:
        return None
    return _reason(
        "unsteady", f"the window's halves differ by {100 * difference:.1f} % in service time, over {100 * bound:.0f} %"
    )


def halves_bound(load: Load, limits: Limits) -> float:
    """What the halves' means may differ by, relative to the mean: as calibrated, or the default for the size."""
    if limits.halves_noise is not None:
        return limits.halves_noise
    service = decode(load.service_hist)
    floor = HALVES_NOISE_SHORT if load.ok < LONG_WINDOW_REQUESTS else HALVES_NOISE_LONG
    if not service.total or not service.mean_us():
        return floor
    standard_error = 2 * service.spread_us() / service.mean_us() / math.sqrt(service.total)
    return max(floor, HALVES_STANDARD_ERRORS * standard_error)


def littles_law_broken(load: Load, limits: Limits) -> Reason | None:
    """Requests in flight = rate × time in the system (Little 1961). A generator that fails it miscounts one of them.

    Time is latency in `rate`, service time in `saturate`, where a request is in flight from its send.
    """
    mean_us = decode(load.latency_hist if load.model == "rate" else load.service_hist).mean_us()
    expected = load.achieved_rps * mean_us / 1e6
    if expected <= 0 or abs(load.in_flight_mean / expected - 1) <= limits.littles_law + 1e-9:
        return None
    return _reason(
        "littles-law", f"{load.in_flight_mean:.2f} requests in flight, but rate × mean time gives {expected:.2f}"
    )


def counts_differ(trial: Trial, limits: Limits) -> Reason | None:  # noqa: ARG001
    """The balancer counted other requests than the generator: something else sent or swallowed some."""
    if trial.lb_requests is None or trial.lb_expected is None or trial.lb_requests == trial.lb_expected:
        return None
    return _reason(
        "counts-differ", f"the load balancer counted {trial.lb_requests} requests, the generator {trial.lb_expected}"
    )


LOAD_RULES: tuple[Callable[[Load, Limits], Reason | None], ...] = (
    generator_late,
    generator_busy,
    rate_not_reached,
    too_many_errors,
    wrong_user,
    unsteady,
    littles_law_broken,
)
TRIAL_RULES: tuple[Callable[[Trial, Limits], Reason | None], ...] = (
    steal,
    cpu_contended,
    replica_restarted,
    unfair_share,
    uneven_replicas,
    counts_differ,
    orders_differ,
)
CODES = (
    "generator-died",
    "no-requests",
    "generator-late",
    "generator-busy",
    "rate-not-reached",
    "errors",
    "wrong-user",
    "unsteady",
    "littles-law",
    "steal",
    "cpu-contended",
    "replica-restarted",
    "unfair-share",
    "uneven-replicas",
    "counts-differ",
    "orders-differ",
    "credential-expires",
    "not-verified",
)  # every code a reason may carry, for tools that read records


def _steal(share: float, limits: Limits) -> Reason | None:
    if share <= limits.steal:
        return None
    return _reason("steal", f"steal {100 * share:.1f} %, over {100 * limits.steal:.0f} %")


def _cpu_contended(share: float | None, limits: Limits) -> Reason | None:
    if share is None or share <= limits.others_cpu:
        return None
    return _reason(
        "cpu-contended",
        f"other processes used {100 * share:.1f} % of the stack's cores, over {100 * limits.others_cpu:.0f} %",
    )


def _credential_expiring(trial: Trial, expires_in_s: float | None) -> Reason | None:
    if expires_in_s is None or expires_in_s > trial.load.window_s:
        return None
    return _reason(
        "credential-expires",
        f"a credential expires {expires_in_s:.1f} s after the start of a window of {trial.load.window_s:.1f} s",
    )


def _not_verified(verified: bool) -> Reason | None:
    return None if verified else _reason("not-verified", "conformance had not passed for this cell")


def _reason(code: str, message: str) -> Reason:
    return Reason(code=code, message=message)
