"""The main job: bring the stack up, verify, find the rates, measure every cell in every block, write it down."""

import os
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from types import FrameType

from apps.contract.registry import Strategy, strategies
from authbench.analysis.settled import settled
from authbench.answered import Answered
from authbench.availability import split
from authbench.backends.embedded import EmbeddedStack
from authbench.deployable import needs_of, why_not
from authbench.deployment import Deployment
from authbench.design import Launch, Planned, plan, window_s
from authbench.errors import StackError, UsageError
from authbench.experiments.ground import Ground
from authbench.experiments.measurement import measure as experiment
from authbench.generator import Generator
from authbench.journal import Journal, Records
from authbench.machine import Cores, source_state, split_cores, this_machine
from authbench.manifest import new_manifest, write_manifest
from authbench.observed import FINISHED, OBSERVATIONS_FILE, finished, read_observations
from authbench.order import Order, scenario_of
from authbench.prepared import Prepared, prepare
from authbench.progress import Watcher
from authbench.records import TRIALS_FILE, Manifest, next_trial_number, read_manifest, read_trials
from authbench.scenario import Scenario
from authbench.setting_up import lowest_capacities
from authbench.trial import Bench


def run(order: Order, watcher: Watcher) -> None:
    """Runs the scenario and leaves its records in `order.folder`.

    With `resume`, finishes exactly the cells that the folder lacks. Raises UsageError (a folder of another run),
    StackError (a part failed), InvalidRunError (nothing could be measured). What was measured is on disk whatever is
    raised, KeyboardInterrupt included.
    """
    known = strategies()
    contenders, unavailable = split([known[name] for name in order.scenario.factors.strategy], watcher)
    for name, reason in unavailable.items():
        watcher.say(f"[yellow]unavailable:[/] {name}: {reason}")
    if not contenders:
        raise StackError("no strategy of this run is available on this machine")
    cores = split_cores(frozenset(os.sched_getaffinity(0)))
    unable = _unable(order.scenario, watcher)
    cells = [cell for cell in order.scenario.cells() if cell.deployment not in unable]
    if order.scenario.factors.load and not cells:
        raise StackError(f"no cell of this run can be measured here: {'; '.join(dict.fromkeys(unable.values()))}")
    launches = plan(order.scenario, cells, order.seed)
    begun, records = None, None
    with ExitStack() as held:
        if order.resume:
            records = held.enter_context(Records(order.folder))
            begun = _begun(order, cores, watcher)
            _still_available(begun, unavailable)
            if not _answered(order, begun).open(launches) and not _to_observe(order):
                watcher.say("everything is measured already")
                return
        held.enter_context(interruptible())
        held.enter_context(pinned(cores))
        stack = held.enter_context(ready_stack(order.scenario, contenders, cores, watcher))
        ready = prepare(order, stack, contenders, watcher)
        with Generator(stack.folder / "generator.log", cores.generator) as generator:
            stack.watch(generator.pid)
            bench = Bench(order.scenario, stack, generator, ready.files, verified=ready.passed)
            if begun is None:
                watcher.phase("finding the rate that every strategy can serve")
                ready.go_slowest(order.scenario)
                rates = lowest_capacities(bench, [cell for cell in cells if cell.strategy in ready.passed])
                begun = new_manifest(order, stack, cores, ready.verified, unavailable, rates, generator.timer)
                begun = begun.model_copy(update={"warnings": (*begun.warnings, *_told(unable, stack, order.scenario))})
                write_manifest(order.folder, begun)
            if records is None:
                records = held.enter_context(Records(order.folder))
            _experiment(order, ready, generator, watcher)
            _measure(order, ready, bench, launches, begun, records, watcher)


def _unable(scenario: Scenario, watcher: Watcher) -> dict[Deployment, str]:
    """Deployments that this machine cannot run, with the reason; told once a reason."""
    found = {each: reason for each in scenario.factors.deployments() if (reason := why_not(each)) is not None}
    for reason in dict.fromkeys(found.values()):
        watcher.say(f"[yellow]not measured here:[/] {reason}")
    return found


def _told(unable: Mapping[Deployment, str], stack: EmbeddedStack, scenario: Scenario) -> list[str]:
    """What the manifest keeps of what could not be done, a sentence each."""
    told = [f"not measured: {', '.join(map(str, each.levels().values()))}: {why}" for each, why in unable.items()]
    able, why = stack.budgets
    if scenario.stack.replica_cpus is not None and not able:
        told.append(f"no CPU budgets: {why}; only connections can be compared across replicas")
    return told


def _experiment(order: Order, ready: Prepared, generator: Generator, watcher: Watcher) -> None:
    """The scenario's experiments, if it has any: what an earlier run observed is not observed again."""
    if not _to_observe(order):
        return
    ready.stack.stop_replicas()
    earlier = frozenset(each.key() for each in read_observations(order.folder) if each.valid)
    with Journal(order.folder / OBSERVATIONS_FILE) as journal:
        ground = Ground(
            stack=ready.stack,
            strategies=ready.able,
            minted=ready.minted,
            generator=generator,
            launches=order.scenario.profile.launches,
            seed=order.seed,
            earlier=earlier,
            record=journal.append,
            watcher=watcher,
        )
        for each in order.scenario.experiment:
            chosen = tuple(s for s in ready.able if not each.strategy or s.name in each.strategy)
            watcher.measured(0, each.estimated_seconds(len(chosen), ground.launches))
            experiment(replace(ground, strategies=chosen), each)
            ready.stack.stop_replicas()
        journal.append(finished())


def _to_observe(order: Order) -> bool:
    """Whether an experiment of the scenario has not come to its end, or has observations that do not count."""
    if not order.scenario.experiment:
        return False
    last = settled(read_observations(order.folder), lambda _: True)
    return not all(each.valid for each in last) or not any(each.kind == FINISHED for each in last)


def _measure(
    order: Order,
    ready: Prepared,
    bench: Bench,
    launches: Sequence[Launch],
    begun: Manifest,
    records: Records,
    watcher: Watcher,
) -> None:
    """Every launch on fresh processes, every trial at its place; an invalid one is measured again after its block."""
    stack, answered = ready.stack, _answered(order, begun)
    number = next_trial_number(order.folder)
    planned_s = sum(window_s(order.scenario, trial.cell) for trial in answered.open(launches))
    tried: set[Planned] = set()
    watcher.measured(0, planned_s)
    for launch in launches:
        if not answered.open([launch]):
            continue
        # Verification left connections open in its processes, so they are never measured.
        watcher.phase(f"launch {launch.number + 1} of {len(launches)}: fresh processes")
        stack.start_replicas(deployment=launch.deployment)
        bench.start_launch(ready.verified_now(watcher))
        for block in launch.blocks:
            for planned, attempt in answered.waiting(block):
                cell = planned.cell
                share = cell.rate_share
                rate = None if share is None else round(share * begun.rates_rps[cell.workload], 1)
                watcher.phase(f"launch {launch.number + 1}: {cell.strategy} ({cell.load})")
                trial, samples = bench.measure(
                    planned, number=number, attempt=attempt, rate_rps=rate, seed=order.seed + planned.block
                )
                records.append(trial, samples)
                answered.add(trial)
                number += 1
                stack.check()
                tried.add(planned)
                watcher.measured(sum(window_s(order.scenario, each.cell) for each in tried), planned_s)


def _still_available(begun: Manifest, unavailable: Mapping[str, str]) -> None:
    """Raises StackError where a strategy that the run has begun with cannot run any more."""
    for contender in begun.contenders:
        if contender.verified and contender.name in unavailable:
            raise StackError(f"{contender.name}: was measured, and cannot run now: {unavailable[contender.name]}")


def _answered(order: Order, begun: Manifest) -> Answered:
    """What the folder holds. Measured is what passed verification when the run began: the plan does not change."""
    measured = {contender.name for contender in begun.contenders if contender.verified}
    earlier = read_trials(order.folder) if (order.folder / TRIALS_FILE).is_file() else []
    return Answered(order.scenario.profile.attempts, measured, earlier)


def _begun(order: Order, cores: Cores, watcher: Watcher) -> Manifest:
    """The manifest of the run to go on with; tells what has changed since. Raises UsageError for another run."""
    manifest = read_manifest(order.folder)
    if scenario_of(manifest, order.folder) != order.scenario or manifest.seed != order.seed:
        raise UsageError(f"{order.folder}: holds another scenario or seed ({manifest.question.name}, {manifest.seed})")
    machine, then = this_machine(cores), manifest.machine
    if (machine.cpu_model, machine.cores) != (then.cpu_model, then.cores):
        watcher.say(f"[red]another machine:[/] the run began on {then.cores} cores of {then.cpu_model}")
    if source_state()[0] != manifest.git_commit:
        watcher.say(f"[red]another source:[/] the run began with commit {manifest.git_commit}")
    return manifest


@contextmanager
def ready_stack(
    scenario: Scenario, contenders: Sequence[Strategy], cores: Cores, watcher: Watcher
) -> Iterator[EmbeddedStack]:
    """The embedded stack, up and seeded, without replicas yet."""
    watcher.phase("starting PostgreSQL, Valkey and nginx")
    with EmbeddedStack(
        strategies=contenders,
        replicas=max(scenario.factors.replicas),
        workers=scenario.stack.workers,
        threads=scenario.stack.threads,
        conn_max_age_s=scenario.stack.conn_max_age_s,
        max_connections=scenario.stack.max_connections,
        needs=needs_of(each for each in scenario.factors.deployments() if why_not(each) is None),
        cores=cores.stack,
    ) as stack:
        if (cpus := scenario.stack.replica_cpus) is not None:
            able, why = stack.budgets
            stack.limit_replicas(cpus if able else None)
            if not able:
                watcher.say(f"[yellow]no CPU budgets here:[/] {why}; only connections can be compared across replicas")
        watcher.phase("seeding users, orders and sessions")
        stack.seed(users=scenario.data.users, orders=scenario.data.orders)
        yield stack


@contextmanager
def pinned(cores: Cores) -> Iterator[None]:
    """The bench itself on the generator's core while the block runs; services choose their own."""
    if cores.generator is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cores.generator})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def interruptible() -> Iterator[None]:
    """SIGTERM and SIGHUP end the block as ^C does: with KeyboardInterrupt, so that everything is cleaned up."""

    def interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
