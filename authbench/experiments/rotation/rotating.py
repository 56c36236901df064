"""One rotation of one strategy's keys under load, from its first request to what was counted."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from random import Random
from typing import Any

from apps.contract.credentials import load as held
from apps.contract.registry import Strategy
from authbench.backends.embedded import EmbeddedStack
from authbench.conformance.checks import caller_of
from authbench.deployment import Secrets
from authbench.experiments.rotation import measures
from authbench.experiments.rotation.clients import Client
from authbench.experiments.rotation.keys import PublishedKeys, SharedKeys
from authbench.experiments.rotation.load import Load
from authbench.experiments.rotation.plan import Family, RotationPlan, Way
from authbench.experiments.rotation.probing import Probe
from authbench.experiments.rotation.procedure import FileReplaced, Procedure, RollingRestart, paused
from authbench.experiments.rotation.steps import STEPS, Key
from authbench.experiments.rotation.timeline import Mark, drop_began, timeline
from authbench.records import Level, Reason

RENEW_WITHIN_S = 20.0
SHARE_OF_PAGES = 0.9  # fewer pages than that, of those that were due: the machine could not keep up
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cell:
    """One combination of levels."""

    strategy: Strategy
    family: Family  # of the key that its credentials hang on
    way: Way
    page: int
    secrets: Secrets

    def levels(self) -> dict[str, Level]:
        """Factor -> level, as records keep it."""
        return {
            "strategy": self.strategy.name,
            "key": self.family,
            "way": self.way,
            "page": self.page,
            "secrets": self.secrets,
        }


@dataclass(frozen=True, slots=True)
class Counted:
    """What one rotation did."""

    values: Mapping[str, float | None]
    series: Mapping[str, str]
    reasons: tuple[Reason, ...]


class Rotation:
    """A rotation that is to be carried out on fresh replicas that know the old key only."""

    def __init__(
        self, stack: EmbeddedStack, plan: RotationPlan, cell: Cell, rows: Sequence[Row], forged: Sequence[Row]
    ) -> None:
        """`rows`: the credentials of those who are logged in when it begins; `forged`: others made with the old key."""
        self._stack = stack
        self._plan = plan
        self._cell = cell
        self._rows = rows
        self._forged = forged
        self._callers = [caller_of(dict(row)) for row in forged]
        self._signing: dict[str, Key] = dict.fromkeys(stack.replica_names(cell.strategy.name), "old")
        self._marks: list[Mark] = []

    def carry_out(self, draw: Random) -> Counted:
        """The whole of it. Raises StackError where a part fails."""
        name, plan = self._cell.strategy.name, self._plan
        procedure = self._procedure()
        probe = Probe(self._cell.strategy, self._stack.replica_urls(name), self._forged)
        load = Load(
            self._cell.strategy,
            self._stack.url(name),
            self._clients(),
            cycle(draw.sample(self._callers, k=len(self._callers))),
            password=self._stack.user_password,
            signing=self._signing,
            page=self._cell.page,
            pages_rps=plan.pages_rps,
            logins_rps=plan.logins_rps,
        )
        all_renewed = True
        try:
            with load:
                paused(load, plan.before_s)
                for step in STEPS[self._cell.way]:
                    if step.name == "drop":
                        all_renewed = self._before_drop(load)
                        probe.start()  # a moment early: while the old key is still accepted it says nothing else
                    self._marks.append(procedure.take(step, load))
                    paused(load, self._settle_s() if step.name != "drop" else 0.0)
                probe.await_refused(plan.jwks_max_age_s + RENEW_WITHIN_S)
                paused(load, plan.after_s)
                zero = time.monotonic() - load.now_s()
        finally:
            probe.stop()
            procedure.undo()
        self._stack.check()
        load.check()
        since = probe.refused()
        return self._counted(load, None if since is None else since - zero, all_renewed=all_renewed)

    def _before_drop(self, load: Load) -> bool:
        """Whether those who renew have done so, where there is a time to do it in."""
        return self._cell.way == "at once" or load.renew(RENEW_WITHIN_S)

    def _settle_s(self) -> float:
        if self._cell.family == "jwks":
            return max(self._plan.settle_s, float(self._plan.jwks_max_age_s))
        return self._plan.settle_s

    def _procedure(self) -> Procedure:
        """How a step reaches the replicas."""
        stack, name = self._stack, self._cell.strategy.name
        if self._cell.family == "jwks":
            return FileReplaced(stack, name, PublishedKeys.drawn(stack.folder), self._signing)
        shared = SharedKeys.drawn(self._cell.family, stack.application(name).environment)
        return RollingRestart(stack, name, shared, self._signing, self._plan.between_s)

    def _clients(self) -> list[Client]:
        renewing = round(self._plan.renewing * len(self._rows))
        return [
            Client(caller_of(dict(row)), held(self._cell.strategy.carrier, row["credential"]), "old", at < renewing)
            for at, row in enumerate(self._rows)
        ]

    def _counted(self, load: Load, refused_at_s: float | None, *, all_renewed: bool) -> Counted:
        began = drop_began(self._marks)
        found = timeline(load.ended, self._marks, refused_at_s)
        seen = {name: float(sum(counts)) for name, counts in found.counts.items()}
        first = [client for client in load.clients if not client.newcomer]
        out = [client for client in load.clients if client.times_out]
        values: dict[str, float | None] = {
            measures.REQUESTS.name: float(len(load.ended)),
            measures.WRONGLY.name: seen["wrongly"],
            measures.RIGHTLY.name: seen["refused"],
            measures.FAILED.name: float(sum(each.outcome == "failed" for each in load.ended)),
            measures.UNKNOWN.name: float(sum(each.outcome == "unknown" for each in load.ended)),
            measures.LOGINS.name: float(sum(each == "ok" for each in load.logins)),
            measures.RENEWED.name: float(sum(each == "ok" for each in load.renewals)),
            measures.RENEWING.name: float(sum(each.renews for each in first)),
            measures.KEEPING.name: float(sum(not each.renews for each in first)),
            measures.OUT_RENEWING.name: float(sum(each.renews and not each.newcomer for each in out)),
            measures.OUT_KEEPING.name: float(sum(not each.renews and not each.newcomer for each in out)),
            measures.OUT_NEW.name: float(sum(each.newcomer for each in out)),
            measures.MIXED.name: None if self._cell.family == "jwks" else _lasted_s(self._marks),
            measures.OLD_REFUSED.name: None
            if refused_at_s is None or began is None
            else max(refused_at_s - began, 0.0),
        }
        return Counted(values, {measures.TIMELINE: found.dumped()}, self._reasons(load, refused_at_s, all_renewed))

    def _reasons(self, load: Load, refused_at_s: float | None, all_renewed: bool) -> tuple[Reason, ...]:
        found = []
        if not all_renewed:
            found.append(Reason(code="not-renewed", message=f"not all had renewed within {RENEW_WITHIN_S:.0f} s"))
        if refused_at_s is None:
            found.append(Reason(code="old-key-accepted", message="a replica did not refuse the old key to the end"))
        if bad := [each for each in load.logins if each != "ok"]:
            told = f"{len(bad)} logins with the right password did not work ({', '.join(sorted(set(bad)))})"
            found.append(Reason(code="errors", message=told))
        due = load.crowded + len(load.ended) / self._cell.page
        if load.crowded > (1 - SHARE_OF_PAGES) * due:
            found.append(Reason(code="too-slow", message=f"{load.crowded} pages were due while every user was busy"))
        return tuple(found)


def _lasted_s(marks: Sequence[Mark]) -> float:
    """Time in which replicas differ; of a file that all read nobody knows who has seen it."""
    return sum(mark.ended_s - mark.began_s for mark in marks)
