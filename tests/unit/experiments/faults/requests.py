"""Made-up requests of a crowd, and their accounts."""

from authbench.conformance.outcome import Judged, Outcome
from authbench.experiments.faults.crowd.outcome import Ended

STATUSES: dict[Outcome, int] = {"ok": 200, "refused": 401, "failed": 503, "unknown": 0}


def ended(
    due_s: float,
    outcome: Outcome = "ok",
    *,
    identity: str = "",
    endpoint: str = "whoami",
    user: int = 0,
    detail: str = "",
    order: int | None = None,
    late_s: float = 0.0,
    took_s: float = 0.01,
) -> Ended:
    status = STATUSES[outcome] if detail not in ("not sent", "no whole answer") else 0
    if endpoint == "orders-create" and outcome == "ok":
        status = 201
    sent_s = due_s + late_s
    return Ended(
        identity or f"id{due_s:g}".replace(".", "p"),
        user,
        endpoint,
        due_s,
        sent_s,
        sent_s + took_s,
        Judged(outcome, detail or (str(status) if status else "no whole answer"), order),
        status,
    )
