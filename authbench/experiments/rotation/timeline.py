"""What became of requests over the time of one rotation: counted by tenths of a second, with the steps marked."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from authbench.conformance.outcome import Outcome
from authbench.experiments.rotation.steps import Key, is_promised

Seen = Literal["ok old", "ok new", "refused", "wrongly", "lost"]
SEEN: tuple[Seen, ...] = ("ok old", "ok new", "refused", "wrongly", "lost")
BIN_S = 0.25


@dataclass(frozen=True, slots=True)
class Ended:
    """One request that has ended. Seconds count from the start of the load."""

    sent_s: float
    key: Key  # that its credential was made with
    outcome: Outcome

    def seen(self, drop_began_s: float | None) -> Seen:
        """How the timeline counts it."""
        if self.outcome == "ok":
            return "ok old" if self.key == "old" else "ok new"
        if self.outcome == "refused":
            return "wrongly" if is_promised(self.key, self.sent_s, drop_began_s) else "refused"
        return "lost"


@dataclass(frozen=True, slots=True)
class Mark:
    """A step, from when the first replica was touched until the last one was done."""

    step: str
    began_s: float
    ended_s: float


@dataclass(frozen=True, slots=True)
class Timeline:
    """Counts a bin, for each way a request may end, and the steps."""

    counts: dict[Seen, list[int]]
    marks: tuple[Mark, ...]
    old_refused_at_s: float | None  # when every replica refused the old key; None: not seen

    def dumped(self) -> str:
        """One line of JSON, as an observation keeps it."""
        marks = [[mark.step, round(mark.began_s, 3), round(mark.ended_s, 3)] for mark in self.marks]
        refused = None if self.old_refused_at_s is None else round(self.old_refused_at_s, 3)
        return json.dumps(
            {"bin_s": BIN_S, "counts": self.counts, "marks": marks, "old_refused_at_s": refused}, separators=(",", ":")
        )

    @classmethod
    def load(cls, text: str) -> "Timeline":
        """What `dumped` wrote. Raises ValueError or KeyError where it is something else."""
        held = json.loads(text)
        marks = tuple(Mark(str(step), float(began), float(ended)) for step, began, ended in held["marks"])
        return cls({seen: held["counts"][seen] for seen in SEEN}, marks, held["old_refused_at_s"])


def timeline(ended: Iterable[Ended], marks: Sequence[Mark], old_refused_at_s: float | None) -> Timeline:
    """From single requests, by when each was sent."""
    rows = list(ended)
    began = drop_began(marks)
    bins = int(max((each.sent_s for each in rows), default=0.0) / BIN_S) + 1
    counts = {seen: [0] * bins for seen in SEEN}
    for each in rows:
        counts[each.seen(began)][int(each.sent_s / BIN_S)] += 1
    return Timeline(counts, tuple(marks), old_refused_at_s)


def drop_began(marks: Iterable[Mark]) -> float | None:
    """When the old key's time was over; None: it was not dropped."""
    return next((mark.began_s for mark in marks if mark.step == "drop"), None)
