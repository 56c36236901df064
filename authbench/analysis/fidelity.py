"""Whether the app did what its answers say: right ones, from replicas that are alike, about orders that are there.

Rules of `validity`, for whatever is the app's doing and not the machine's. Each passes AT its bound.
"""

from typing import TYPE_CHECKING

from authbench.records import Load, Reason, Trial

if TYPE_CHECKING:
    from authbench.analysis.validity import Limits

# How the generator names an answer that carries somebody else's identity in `Load.failures`.
WRONG_USER = "wrong-user"
FEWEST_ANSWERS = 100  # of a replica, before its mean service time says anything about it
KINDS_TOLD = 3


def too_many_errors(load: Load, limits: "Limits") -> Reason | None:
    """Refused, failed and unanswered requests together exceed the limit."""
    wrong = load.refused + load.failed + load.unknown
    if wrong <= limits.errors * load.sent:
        return None
    most = sorted(load.failures.items(), key=lambda kind: -kind[1])[:KINDS_TOLD]
    kinds = "; " + ", ".join(f"{count} {kind}" for kind, count in most) if most else ""
    return Reason(
        code="errors",
        message=f"{wrong} of {load.sent} requests went wrong ({load.refused} refused, {load.failed} failed, "
        f"{load.unknown} without an answer{kinds}), over {100 * limits.errors:.1f} %",
    )


def wrong_user(load: Load, limits: "Limits") -> Reason | None:  # noqa: ARG001 - one signature for all rules
    """An answer named another user: there is no limit under which that is right."""
    count = load.failures.get(WRONG_USER, 0)
    return Reason(code="wrong-user", message=f"{count} answers name another user") if count else None


def uneven_replicas(trial: Trial, limits: "Limits") -> Reason | None:
    """A replica took much longer for an answer than the fastest: they are not the same, or not on equal terms.

    Open model only. Under `saturate` c requests are always waiting somewhere, and of two equal replicas now one and
    now the other has them: the split is a random walk, whose mean over a short window says nothing of either.
    """
    load = trial.load
    enough = {n: us for n, us in load.service_us_by_replica.items() if load.by_replica.get(n, 0) >= FEWEST_ANSWERS}
    if load.model != "rate" or not limits.round_robin or len(enough) < 2:
        return None
    fastest = min(enough.values())
    slow = sorted(name for name, us in enough.items() if us > limits.uneven * fastest)
    if not slow:
        return None
    told = "; ".join(f"{name} took {enough[name] / fastest:.1f} times the fastest's mean service time" for name in slow)
    return Reason(code="uneven-replicas", message=f"{told}, over {limits.uneven:g}")


def orders_differ(trial: Trial, limits: "Limits") -> Reason | None:  # noqa: ARG001
    """An acknowledged order is not in the database, or one is there that nobody asked for."""
    kept, created, unsure = trial.orders_kept, trial.load.created, trial.load.created_unsure
    if kept is None or created <= kept <= created + unsure:
        return None
    wrong = f"{created - kept} lost" if kept < created else f"{kept - created - unsure} too many"
    beside = f" (and {unsure} of unknown outcome)" if unsure else ""
    return Reason(
        code="orders-differ",
        message=f"{created} orders were acknowledged{beside}, and the database has {kept}: {wrong}",
    )
