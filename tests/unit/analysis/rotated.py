"""Observations of a made-up `rotation` run: known counts and a short timeline."""

from authbench.experiments.rotation.timeline import Ended, Mark, timeline
from authbench.observed import Observation
from authbench.records import Reason

UNDISTURBED: tuple[Reason, ...] = ()


def rotated(  # one launch's count
    strategy: str,
    way: str,
    *,
    key: str = "hs256",
    page: int = 1,
    secrets: str = "environment",
    launch: int = 0,
    requests: int = 100,
    wrongly: int = 0,
    out_renewing: int = 0,
    out_keeping: int = 5,
    lost: int = 0,
    old_refused_s: float | None = 3.0,
    reasons: tuple[Reason, ...] = UNDISTURBED,
) -> Observation:
    steps = {"overlap": ("accept", "sign", "drop"), "fallback": ("sign", "drop"), "at once": ("drop",)}[way]
    marks = [Mark(step, 1.0 + 3 * at, 3.0 + 3 * at) for at, step in enumerate(steps)]
    ended = [Ended(at / 10, "old" if at < 40 else "new", "ok") for at in range(10 * (2 + 3 * len(steps)))]
    ended += [Ended(1.5, "old", "refused")] * wrongly
    return Observation(
        kind="rotation",
        launch=launch,
        levels={"strategy": strategy, "key": key, "way": way, "page": page, "secrets": secrets},
        values={
            "requests": float(requests),
            "wrongly_refused": float(wrongly),
            "refused_after_drop": 5.0,
            "failed": float(lost),
            "unknown": 0.0,
            "logins": 9.0,
            "renewed": 10.0,
            "users_renewing": 10.0,
            "users_keeping": 5.0,
            "logged_out_renewing": float(out_renewing),
            "logged_out_keeping": float(out_keeping),
            "logged_out_new": 0.0,
            "mixed_s": 6.0 + launch,
            "old_refused_s": old_refused_s,
        },
        reasons=reasons,
        series={"timeline": timeline(ended, marks, marks[-1].ended_s).dumped()},
    )
