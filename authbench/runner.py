"""The main job: bring the stack up, verify, find the rates, measure every cell in every block, write it down."""

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from apps.contract.registry import Strategy, strategies
from authbench.backends.embedded import EmbeddedStack
from authbench.design import Launch, Planned, plan, window_s
from authbench.errors import InvalidRunError, UsageError
from authbench.generator import Generator
from authbench.machine import Cores, split_cores
from authbench.manifest import new_manifest, write_manifest
from authbench.order import Order
from authbench.progress import Watcher
from authbench.records import SERIES_FILE, TRIALS_FILE, Journal, Trial, read_manifest, read_trials
from authbench.scenario import Scenario
from authbench.setting_up import lowest_capacities, open_sessions, prepare_requests, verify_stack
from authbench.trial import Bench


def run(order: Order, watcher: Watcher) -> None:
    """Runs the scenario and leaves its records in `order.folder`.

    With `resume`, finishes exactly the cells that the folder lacks. Raises UsageError (a folder of another run),
    StackError (a part failed), InvalidRunError (nothing could be measured). What was measured is on disk whatever is
    raised, KeyboardInterrupt included.
    """
    earlier = _earlier_trials(order) if order.resume else []
    known = strategies()
    contenders = [known[name] for name in order.scenario.factors.strategy]
    cores = split_cores(frozenset(os.sched_getaffinity(0)))
    with interruptible(), pinned(cores), ready_stack(order.scenario, contenders, cores, watcher) as stack:
        minted = open_sessions(stack, contenders, order.scenario.data.live_sessions)
        files = prepare_requests(stack.folder, order.scenario, contenders, minted, order.seed)
        watcher.phase("starting replicas")
        stack.start_replicas()
        watcher.phase("verifying every strategy on every replica")
        verified = verify_stack(stack, contenders, minted, watcher)
        cells = [cell for cell in order.scenario.cells() if verified[cell.strategy].passed]
        if not cells:
            raise InvalidRunError("no strategy passed verification, so nothing was measured; see `authbench verify`")
        with Generator(stack.folder / "generator.log", cores.generator) as generator:
            stack.watch(generator.pid)
            bench = Bench(order.scenario, stack, generator, files)
            if order.resume:
                rates = dict(read_manifest(order.folder).rates_rps)
            else:
                watcher.phase("finding the rate that every strategy can serve")
                rates = lowest_capacities(bench, cells)
                write_manifest(order.folder, new_manifest(order, stack, cores, verified, rates, generator.timer))
            launches = plan(order.scenario, order.scenario.cells(), order.seed)
            names = {cell.strategy for cell in cells}
            _measure(order, stack, bench, _missing(launches, earlier, names), rates, watcher, len(earlier))


def _measure(
    order: Order,
    stack: EmbeddedStack,
    bench: Bench,
    launches: Sequence[Launch],
    rates: dict[str, float],
    watcher: Watcher,
    number: int,
) -> None:
    """Every launch on fresh processes, every trial at its place; an invalid one is measured again after its block."""
    planned_s = sum(window_s(order.scenario, trial.cell) for launch in launches for trial in launch.trials())
    done_s = 0.0
    with Journal(order.folder / TRIALS_FILE) as trials, Journal(order.folder / SERIES_FILE) as series:
        for launch in launches:
            # Verification left connections open in its processes, so they are never measured.
            watcher.phase(f"launch {launch.number + 1} of {len(launches)}: fresh processes")
            stack.start_replicas(launch.replicas)
            bench.start_launch()
            for block in launch.blocks:
                waiting = list(block)
                for attempt in range(order.scenario.profile.attempts):
                    again: list[Planned] = []
                    for planned in waiting:
                        share = planned.cell.rate_share
                        rate = None if share is None else round(share * rates[planned.cell.workload], 1)
                        watcher.phase(f"launch {launch.number + 1}: {planned.cell.strategy} ({planned.cell.load})")
                        trial, samples = bench.measure(
                            planned, number=number, attempt=attempt, rate_rps=rate, seed=order.seed + planned.block
                        )
                        series.append(*samples)
                        trials.append(trial)
                        number += 1
                        stack.check()
                        if attempt == 0:
                            done_s += window_s(order.scenario, planned.cell)
                            watcher.measured(done_s, planned_s)
                        if not trial.valid:
                            again.append(planned)
                    waiting = again


def _earlier_trials(order: Order) -> list[Trial]:
    manifest = read_manifest(order.folder)
    if manifest.scenario != order.scenario.model_dump(mode="json") or manifest.seed != order.seed:
        raise UsageError(
            f"{order.folder}: holds another scenario or seed ({manifest.question.name}, seed {manifest.seed}); "
            "resume with the options it was started with"
        )
    return read_trials(order.folder) if (order.folder / TRIALS_FILE).is_file() else []


def _missing(launches: Sequence[Launch], earlier: Sequence[Trial], names: set[str]) -> tuple[Launch, ...]:
    """The launches with the trials that no valid record answers yet and whose strategy may be measured."""
    answered = {trial.key() for trial in earlier if trial.valid}
    left = []
    for launch in launches:
        blocks = tuple(
            tuple(t for t in block if t.key() not in answered and t.cell.strategy in names) for block in launch.blocks
        )
        if any(blocks):
            left.append(Launch(launch.number, launch.replicas, blocks))
    return tuple(left)


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
        cores=cores.stack,
    ) as stack:
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
