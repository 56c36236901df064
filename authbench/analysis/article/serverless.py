"""Claim: functions multiply the connections, each instance looking the user up for itself."""

from collections.abc import Iterable

from authbench.analysis.article.claim import Claim, Evidence, Ruling, not_measured
from authbench.experiments.serverless.measures import HELD, INSTANCES, OPENED
from authbench.observed import Measure, Observation

NAME = "multiplied by functions"
CLAIM = "Database connections multiply when serverless functions each look the user up."
SECTION = "serverless"
SESSION = "session-db"


def multiplied_by_functions(evidence: Evidence) -> Claim:
    """Counts what frozen instances hold, with connections kept and without."""
    found = [each for each in evidence.observations if each.kind == SECTION and HELD.name in each.values]
    session = [each for each in found if each.levels.get("strategy") == SESSION]
    if not session:
        return not_measured(NAME, CLAIM, SECTION)
    kept = _most(each for each in session if each.levels.get("conn_max_age_s"))
    closed = _most(each for each in session if not each.levels.get("conn_max_age_s"))
    others = {
        name: _most(each for each in found if each.levels.get("strategy") == name and each.levels.get("conn_max_age_s"))
        for name in dict.fromkeys(str(each.levels["strategy"]) for each in found)
        if name != SESSION
    }
    told = []
    if kept is not None:
        told.append(f"{_of(kept)} of {SESSION} held {_value(kept, HELD):g} connections between requests")
    if closed is not None:
        opened = max((_value(each, OPENED) for each in session if not each.levels.get("conn_max_age_s")), default=0.0)
        told.append(f"with CONN_MAX_AGE 0 they held {_value(closed, HELD):g}, and opened {opened:g} at every request")
    none = [name for name, each in others.items() if each is not None and not _value(each, HELD)]
    some = [
        f"{name} {_value(each, HELD):g}" for name, each in others.items() if each is not None and _value(each, HELD)
    ]
    if some:
        told.append(f"kept by as many of the others: {', '.join(some)}")
    if none:
        told.append(f"{', '.join(none)} held none")
    multiplies = kept is not None and _value(kept, HELD) >= _value(kept, INSTANCES) > 1
    ruling: Ruling = "does not hold"
    when = ""
    if multiplies:
        ruling = "holds only when" if closed is not None and not _value(closed, HELD) else "holds"
        when = (
            "an instance keeps its connection while it is frozen; without that every request opens one anew"
            if ruling == "holds only when"
            else ""
        )
    return Claim(
        name=NAME,
        claim=CLAIM,
        ruling=ruling,
        when=when,
        measured="; ".join(told) + ".",
        section=SECTION,
        launches=len({each.launch for each in session}),
    )


def _most(observations: Iterable[Observation]) -> Observation | None:
    """That of most instances."""
    return max(observations, key=lambda each: _value(each, INSTANCES), default=None)


def _value(observation: Observation, measure: Measure) -> float:
    return observation.values.get(measure.name) or 0.0


def _of(observation: Observation) -> str:
    return f"{_value(observation, INSTANCES):g} frozen instances"
