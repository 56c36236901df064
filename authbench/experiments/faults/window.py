"""What a crowd's requests say about a fault: shares before, in and after it, and when all was well again. Pure."""

import json
import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from authbench.conformance.outcome import OUTCOMES, WRONG_USER, Outcome
from authbench.experiments.faults.crowd.outcome import Ended
from authbench.experiments.faults.measures import (
    AFTER,
    ANSWERING,
    BEFORE,
    DURING,
    FAILED,
    LASTED,
    OF_ANOTHER,
    OK,
    RECOVERED,
    REFUSED,
    SENT,
    TOOK_BEFORE,
    TOOK_DURING,
    UNKNOWN,
)
from authbench.records import Reason

LATE_S = 0.25  # p99 of how late a request may be sent: bins and phases are of this size
NOT_ANSWERED: frozenset[Outcome] = frozenset({"failed", "unknown"})
NOT_OK: frozenset[Outcome] = frozenset({"refused", *NOT_ANSWERED})


@dataclass(frozen=True, slots=True)
class Window:
    """When the fault held, in seconds since the load began, and until when requests were due."""

    begin_s: float
    end_s: float
    until_s: float

    def values(self, ended: Sequence[Ended], stretch_s: float) -> dict[str, float | None]:
        """By name of the measure."""
        counts = Counter(each.outcome for each in ended)
        return {
            BEFORE.name: _ok_share(self._calm(ended)),
            DURING.name: _ok_share(each for each in ended if self.begin_s <= each.due_s < self.end_s),
            AFTER.name: _ok_share(each for each in ended if each.due_s >= self.end_s),
            LASTED.name: self.end_s - self.begin_s,
            RECOVERED.name: self.free_from(ended, NOT_OK, stretch_s),
            ANSWERING.name: self.free_from(ended, NOT_ANSWERED, stretch_s),
            TOOK_BEFORE.name: _median_ms(self._calm(ended)),
            TOOK_DURING.name: _median_ms(each for each in ended if self.begin_s <= each.due_s < self.end_s),
            SENT.name: float(len(ended)),
            OK.name: float(counts["ok"]),
            REFUSED.name: float(counts["refused"]),
            FAILED.name: float(counts["failed"]),
            UNKNOWN.name: float(counts["unknown"]),
            OF_ANOTHER.name: float(sum(each.judged.detail == WRONG_USER for each in ended)),
        }

    def free_from(self, ended: Iterable[Ended], bad: Collection[Outcome], stretch_s: float) -> float | None:
        """Seconds from the fault's end to the last request that ended so, 0 for none; None: no clean stretch follows.

        Where nothing was due in that stretch, it shows nothing.
        """
        later = [each for each in ended if each.due_s >= self.end_s]
        last = max((each.due_s for each in later if each.outcome in bad), default=self.end_s)
        clean = last + stretch_s <= self.until_s and any(each.due_s > last for each in later)
        return last - self.end_s if clean else None

    def _calm(self, ended: Iterable[Ended]) -> list[Ended]:
        """What was over before the fault began: what was still under way then is the fault's."""
        return [each for each in ended if each.ended_s < self.begin_s]

    def reasons(self, ended: Sequence[Ended]) -> tuple[Reason, ...]:
        """Why it does not count: the load was not served before the fault, or was not sent in time."""
        found = []
        calm = self._calm(ended)
        wrong = sum(each.outcome != "ok" for each in calm)
        if wrong or not calm:
            told = f"{wrong} of {len(calm)} requests went wrong before the fault"
            found.append(Reason(code="not-calm", message=told))
        late = sorted(each.sent_s - each.due_s for each in ended)
        if late and (p99 := late[math.ceil(0.99 * len(late)) - 1]) > LATE_S:
            found.append(Reason(code="generator-late", message=f"a request in a hundred was sent {p99:.2f} s late"))
        return tuple(found)

    def timeline(self, ended: Sequence[Ended], bin_s: float) -> str:
        """JSON: outcomes a bin by when requests were due, from the first bin (in bins since the fault began)."""
        places = [math.floor((each.due_s - self.begin_s) / bin_s) for each in ended]
        first = math.floor(-self.begin_s / bin_s)
        size = max([*places, math.ceil((self.until_s - self.begin_s) / bin_s) - 1]) - first + 1
        bins: Mapping[str, list[int]] = {outcome: [0] * size for outcome in OUTCOMES}
        for place, each in zip(places, ended, strict=True):
            bins[each.outcome][place - first] += 1
        details = Counter(f"{each.outcome}: {each.judged.detail}" for each in ended if each.outcome != "ok")
        told = {
            "bin_s": bin_s,
            "first": first,
            "lasted_s": round(self.end_s - self.begin_s, 3),
            "outcomes": bins,
            "details": dict(details.most_common()),
        }
        return json.dumps(told, separators=(",", ":"))


def _ok_share(ended: Iterable[Ended]) -> float | None:
    outcomes = [each.outcome for each in ended]
    return outcomes.count("ok") / len(outcomes) if outcomes else None


def _median_ms(ended: Iterable[Ended]) -> float | None:
    took = [1000 * (each.ended_s - each.due_s) for each in ended if each.outcome == "ok"]
    return median(took) if took else None
