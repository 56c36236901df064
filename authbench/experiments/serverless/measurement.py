"""The application as a function: cold starts, frozen instances, and the connections that they hold."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from random import Random
from urllib.parse import urlsplit

from apps.contract.registry import Strategy
from authbench.backends.embedded import EmbeddedStack
from authbench.experiments.ground import Ground
from authbench.experiments.serverless.counters import Counters
from authbench.experiments.serverless.observing import Observing, Seen
from authbench.experiments.serverless.plan import ServerlessPlan
from authbench.observed import Observation
from authbench.records import Level

Levels = Mapping[str, Level]
Group = tuple[Sequence[Levels], Callable[[], Sequence[Seen]]]  # what is observed together, and how


def measure(ground: Ground, plan: ServerlessPlan) -> None:
    """Records an observation a combination of levels and launch. Raises StackError where a part fails."""
    with Counters(ground.stack) as counters:
        observing = {each.name: Observing(ground, plan, each, counters) for each in ground.strategies}
        rehearsed: set[str] = set()
        for launch in range(ground.launches):
            groups = [
                (strategy, levels, observe)
                for strategy in ground.strategies
                for levels, observe in _groups(plan, strategy, observing[strategy.name])
                if any(not ground.is_done(plan.kind, launch, each) for each in levels)
            ]
            if not groups:
                continue
            Random(f"{ground.seed}:{launch}").shuffle(groups)  # noqa: S311 - an experiment's order, not a secret
            ground.watcher.phase(f"launch {launch + 1} of {ground.launches}: auth services")
            _start_auth_services(ground.stack)
            for number, (strategy, levels, observe) in enumerate(groups):
                ground.watcher.measured(launch * len(groups) + number, ground.launches * len(groups))
                ground.watcher.phase(f"launch {launch + 1}: {strategy.name} as a function")
                if strategy.name not in rehearsed:
                    rehearsed.add(strategy.name)
                    observing[strategy.name].rehearse()
                for at, seen in zip(levels, observe(), strict=True):
                    if not ground.is_done(plan.kind, launch, at):
                        ground.record(_observation(plan, launch, at, seen))
            ground.stack.check()
            ground.stack.stop_replicas()


def _groups(plan: ServerlessPlan, strategy: Strategy, observing: Observing) -> list[Group]:
    """Everything that is observed of a strategy in a launch."""
    name, timeout_s = strategy.name, plan.idle_session_timeout_s
    found: list[Group] = []
    for age in plan.conn_max_age_s:
        at: list[Levels] = [{"strategy": name, "conn_max_age_s": age, "concurrency": each} for each in plan.concurrency]
        found.append((at, partial(observing.bursts, age)))
    # An instance that asks the database for nothing has no connection that could be ended.
    if timeout_s is not None and strategy.operations["whoami"].sql and not strategy.service:
        for health_checks in (False, True):
            level: Levels = {"strategy": name, "health_checks": "on" if health_checks else "off"}
            found.append(([level], partial(observing.timeout, health_checks=health_checks, within_s=timeout_s)))
    return found


def _start_auth_services(stack: EmbeddedStack) -> None:
    """Those of all strategies that have one; nothing else runs beside the functions."""
    services = []
    for name, strategy in stack.strategies.items():
        url, service = stack.auth_url(name), stack.auth_service_of(name)
        if url is not None and service is not None:
            port = urlsplit(url).port
            assert port is not None
            services.append(
                stack.application(name).auth_service(strategy.service, port, stack.log(service), stack.cores)
            )
    stack.start(*services)


def _observation(plan: ServerlessPlan, launch: int, levels: Levels, seen: Seen) -> Observation:
    return Observation(kind=plan.kind, launch=launch, levels=levels, values=seen.values, reasons=seen.reasons)
