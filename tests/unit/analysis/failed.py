"""Observations of a made-up `faults` run: known outcomes of a crowd of 100."""

from authbench.conformance.outcome import Judged, Outcome
from authbench.experiments.faults.crowd.outcome import Ended
from authbench.experiments.faults.measures import KIND, TIMELINE
from authbench.experiments.faults.window import Window
from authbench.observed import Observation
from authbench.records import Reason

WINDOW = Window(begin_s=1.0, end_s=2.0, until_s=4.0)
STATUSES: dict[Outcome, int] = {"ok": 200, "refused": 401, "failed": 503, "unknown": 0}


def suffered_by(
    strategy: str,
    during: Outcome = "ok",
    after: Outcome = "ok",
    *,
    fault: str = "cache restarts",
    engine: str = "shop",
    role: str = "affected",
    launch: int = 0,
    out: int = 0,
    forgotten: int = 0,
    lost: int = 0,
    untold: int = 0,
    wrong_user: int = 0,
    kept_lost: int = 0,
    reasons: tuple[Reason, ...] = (),
) -> Observation:
    """Ten requests a second: right for one second, then as they say."""
    ended = [_ended(tenth / 10 + 0.05, "ok" if tenth < 10 else during if tenth < 20 else after) for tenth in range(40)]
    values = {
        **WINDOW.values(ended, 0.5),
        "users": 100.0,
        "logged_out": float(out),
        "forgotten": float(forgotten),
        "deleted": float(out),
        "acknowledged": 10.0,
        "lost": float(lost),
        "untold": float(untold),
        "wrong_user": float(wrong_user),
        "kept": 4.0,
        "kept_lost": float(kept_lost),
    }
    levels = {
        "strategy": strategy,
        "fault": fault,
        "part": fault.split(maxsplit=1)[0].strip(":"),
        "engine": engine,
        "role": role,
    }
    line = {TIMELINE: WINDOW.timeline(ended, 0.1)}
    return Observation(kind=KIND, launch=launch, levels=levels, values=values, reasons=reasons, series=line)


def _ended(due_s: float, outcome: Outcome) -> Ended:
    status = STATUSES[outcome]
    return Ended(f"i{due_s}", 0, "whoami", due_s, due_s, due_s + 0.01, Judged(outcome, str(status)), status)
