"""One strategy's function: its first instance alone, then bursts that find fewer instances than they need."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from statistics import fmean, median

from apps.contract.registry import Strategy
from authbench.analysis.validity import machine_reasons
from authbench.experiments.ground import Ground
from authbench.experiments.serverless import measures
from authbench.experiments.serverless.cold import cold_values
from authbench.experiments.serverless.counters import Counters
from authbench.experiments.serverless.function import Function, Served
from authbench.experiments.serverless.gateway import Question, whoami
from authbench.experiments.serverless.instance import NS_PER_MS
from authbench.experiments.serverless.plan import ServerlessPlan
from authbench.probes.contention import ContentionProbe
from authbench.records import Reason

Values = dict[str, float | None]
BYTES_PER_MB = 1e6
TIMEOUT_LATE_S = 5.0  # until it is said that the database has not ended the connection


@dataclass(frozen=True, slots=True)
class Seen:
    """What was observed, and why it, or the times in it, do not count."""

    values: Values
    reasons: tuple[Reason, ...]


class Observing:
    """Observes functions of one strategy, each on instances of its own."""

    def __init__(self, ground: Ground, plan: ServerlessPlan, strategy: Strategy, counters: Counters) -> None:
        self._stack = ground.stack
        self._plan = plan
        self._name = strategy.name
        self._counters = counters
        self._questions = cycle([whoami(strategy, row) for row in ground.minted[strategy.name].unverified])
        self._contention = ContentionProbe(ground.stack)
        self._bench = (os.getpid(), ground.generator.pid)

    def rehearse(self) -> None:
        """A cold start that is not observed: it compiles what nobody has loaded yet, as a deployment would."""
        with Function(self._stack, self._name, {}) as function:
            self._ask(function, 1)

    def bursts(self, conn_max_age_s: int) -> list[Seen]:
        """Of every concurrency: that many requests at once, and the frozen instances after them."""
        for attempts_left in reversed(range(self._plan.attempts)):
            with Function(self._stack, self._name, {"AUTHBENCH_CONN_MAX_AGE": str(conn_max_age_s)}) as function:
                seen = [self._burst(function, 1)]
                if attempts_left and _is_disturbed(seen[0]):
                    continue
                return [*seen, *(self._burst(function, each) for each in self._plan.concurrency[1:])]
        raise AssertionError("a plan has at least one attempt")

    def timeout(self, *, health_checks: bool, within_s: float) -> list[Seen]:
        """What the next request meets when the database has ended the connection of a frozen instance meanwhile.

        A timeout that the connection asks for itself, as every one would where the server's configuration says so.
        """
        values: Values = {}
        told = dict(self._stack.application(self._name).environment)
        url = told["AUTHBENCH_DATABASE_URL"]
        option = f"options=-c%20idle_session_timeout%3D{round(1000 * within_s)}"
        told = {"AUTHBENCH_DATABASE_URL": f"{url}{'&' if '?' in url else '?'}{option}", "AUTHBENCH_CONN_MAX_AGE": "60"}
        if health_checks:
            told["AUTHBENCH_CONN_HEALTH_CHECKS"] = "1"
        self._contention.before(self._bench)
        with Function(self._stack, self._name, told) as function:
            _, problems = self._ask(function, 1)
            values[measures.HELD_BEFORE.name], _ = self._counters.held(self._name)
            values[measures.HELD_AFTER.name] = self._let_go(within_s + TIMEOUT_LATE_S)
            (thawed,), (later,) = (function.serve([next(self._questions)]) for _ in range(2))
        values |= {
            measures.THAWED_STATUS.name: thawed.answer.status,
            measures.THAWED.name: thawed.request_ms,
            measures.NEXT_STATUS.name: later.answer.status,
        }
        return [Seen(values, self._reasons(problems))]

    def _burst(self, function: Function, concurrency: int) -> Seen:
        """Its first request alone, when there is no instance yet, is followed by warm ones."""
        self._contention.before(self._bench)
        began_ns = time.monotonic_ns()
        before = self._counters.totals(self._name)
        served, problems = self._ask(function, concurrency)
        values: Values = {
            measures.COLD_STARTS.name: sum(each.cold for each in served),
            measures.BURST.name: (max(each.exchange.answered_ns for each in served) - began_ns) / NS_PER_MS,
        }
        if concurrency == 1:
            added = self._counters.totals(self._name).since(before)
            values |= cold_values(served[0]) | {
                measures.COLD_STATEMENTS.name: added.statements,
                measures.COLD_COMMANDS.name: added.commands,
                measures.COLD_CALLS.name: added.calls,
            }
            warm, more = self._warm(function)
            values |= warm
            problems += more
        values[measures.HELD.name], values[measures.HELD_CACHE.name] = self._counters.held(self._name)
        return Seen(values | _instances(function), self._reasons(problems))

    def _let_go(self, within_s: float) -> int:
        """Connections to the database that are held when there are none, or so many seconds later."""
        deadline = time.monotonic() + within_s
        while True:
            held, _ = self._counters.held(self._name)
            if not held or time.monotonic() > deadline:
                return held

    def _warm(self, function: Function) -> tuple[Values, list[str]]:
        count, (instance,) = self._plan.warm_requests, function.instances
        before, cpu_ns = self._counters.totals(self._name), instance.cpu_ns()
        times, problems = [], []
        for _ in range(count):
            (served,), more = self._ask(function, 1)
            times.append(served.request_ms)
            problems += more
        cpu_ms = (instance.cpu_ns() - cpu_ns) / NS_PER_MS
        added = self._counters.totals(self._name).since(before)
        values: Values = {
            measures.WARM.name: median(times),
            measures.WARM_CPU.name: cpu_ms / count,
            measures.STATEMENTS.name: added.statements / count,
            measures.COMMANDS.name: added.commands / count,
            measures.CALLS.name: added.calls / count,
            measures.OPENED.name: added.opened / count,
        }
        return values, problems

    def _ask(self, function: Function, requests: int) -> tuple[list[Served], list[str]]:
        """So many at once, each about another user, and what is wrong with the answers."""
        questions: Sequence[Question] = list(islice(self._questions, requests))
        served = function.serve(questions)
        found = [question.problem(each.answer) for question, each in zip(questions, served, strict=True)]
        return served, [problem for problem in found if problem is not None]

    def _reasons(self, problems: Sequence[str]) -> tuple[Reason, ...]:
        disturbed = machine_reasons(0.0, self._contention.after())  # steal is not looked at here
        if not problems:
            return disturbed
        said = f"{len(problems)} answers are wrong; the first: {problems[0]}"
        return (Reason(code="errors", message=said), *disturbed)


def _is_disturbed(seen: Seen) -> bool:
    return any(reason.code in measures.DISTURBED for reason in seen.reasons)


def _instances(function: Function) -> Values:
    """Counts of all there are, frozen, and the memory of each."""
    return {
        measures.INSTANCES.name: sum(instance.is_frozen for instance in function.instances),
        measures.AT_ONCE.name: max(instance.most_at_once for instance in function.instances),
        measures.RESIDENT.name: fmean(instance.resident_bytes for instance in function.instances) / BYTES_PER_MB,
    }
